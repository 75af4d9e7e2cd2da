// Kernels of the vision tower, compiled at run time for one model: WIDTH, RESOLUTION, PATCH and NARROW (elements are bfloat16, else float32).

#define WARP 32
#define GRID (RESOLUTION / PATCH)

#if NARROW
typedef unsigned short element;

__device__ inline float widen(element x)
{
    return __uint_as_float((unsigned int)x << 16);
}

// The nearest bfloat16, ties to even.
__device__ inline element narrow(float x)
{
    unsigned int bits = __float_as_uint(x);
    return (element)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#else
typedef float element;

__device__ inline float widen(element x)
{
    return x;
}

__device__ inline element narrow(float x)
{
    return x;
}
#endif

#if WIDTH % 8 == 0
#define VEC 8
#else
#define VEC 1
#endif

struct alignas(VEC == 8 ? 16 : sizeof(element)) Pack
{
    element v[VEC];
};

__device__ inline float warp_sum(float x)
{
    for (int offset = WARP / 2; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(0xffffffffu, x, offset);
    }

    return x;
}

// LayerNorm of x + shift without scale and bias, one warp a row, in float32. shift: [WIDTH], what the residual stream x leaves out. y may not be x.
extern "C" __global__ void normalize(const element* x, const float* shift, element* y, int rows)
{
    constexpr int packs = WIDTH / VEC, per_lane = (packs + WARP - 1) / WARP;
    const int row = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP, lane = threadIdx.x & (WARP - 1);
    if (row >= rows)
    {
        return;
    }

    const Pack* source = (const Pack*)x + (long long)row * packs;
    Pack* target = (Pack*)y + (long long)row * packs;
    float values[per_lane][VEC];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < per_lane; i++)
    {
        int p = lane + i * WARP;
        if (p < packs)
        {
            Pack pack = source[p];
            for (int j = 0; j < VEC; j++)
            {
                values[i][j] = widen(pack.v[j]) + shift[p * VEC + j];
                sum += values[i][j];
            }
        }
    }

    const float mean = warp_sum(sum) / WIDTH;
    float squares = 0;
#pragma unroll
    for (int i = 0; i < per_lane; i++)
    {
        if (lane + i * WARP < packs)
        {
            for (int j = 0; j < VEC; j++)
            {
                float off = values[i][j] - mean;
                squares += off * off;
            }
        }
    }

    const float factor = rsqrtf(warp_sum(squares) / WIDTH + 1e-5f);
#pragma unroll
    for (int i = 0; i < per_lane; i++)
    {
        int p = lane + i * WARP;
        if (p < packs)
        {
            Pack pack;
            for (int j = 0; j < VEC; j++)
            {
                pack.v[j] = narrow((values[i][j] - mean) * factor);
            }

            target[p] = pack;
        }
    }
}

// Bytes of pictures to normalised patches [images, GRID², 3·PATCH²], in the order of the convolution's weights. levels: [3, 256], what each byte becomes.
// A byte of channel c at (y, x) of a picture lies at c·channel_stride + (y·RESOLUTION + x)·pixel_stride.
extern "C" __global__ void cut_patches(const unsigned char* pixels, const float* levels, element* patches, long long values, int channel_stride, int pixel_stride)
{
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < values; i += gridDim.x * (long long)blockDim.x)
    {
        long long rest = i;
        int px = rest % PATCH;
        rest /= PATCH;
        int py = rest % PATCH;
        rest /= PATCH;
        int channel = rest % 3;
        rest /= 3;
        int gx = rest % GRID;
        rest /= GRID;
        int gy = rest % GRID;
        long long image = rest / GRID;
        int place = (gy * PATCH + py) * RESOLUTION + gx * PATCH + px;
        unsigned char level = pixels[image * (3LL * RESOLUTION * RESOLUTION) + (long long)channel * channel_stride + (long long)place * pixel_stride];
        patches[i] = narrow(levels[channel * 256 + level]);
    }
}
