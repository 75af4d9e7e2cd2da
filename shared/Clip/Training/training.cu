// What a training step does beside forward and backward pass, each in one pass over memory: weights from their geometry, gradients back to it, and the
// optimizer's update. BFLOAT16 (0 or 1) is the weights' type. Every sum has a fixed order, so that equal inputs give equal bits.

#define WARP 32
#define ALL 0xffffffffu

#if BFLOAT16
typedef unsigned short Weight;

__device__ inline float read(Weight x)
{
    return __uint_as_float((unsigned int)x << 16);
}

// The nearest bfloat16, ties to even, as its sixteen bits; what is no number stays none.
__device__ inline Weight written(float x)
{
    unsigned int bits = __float_as_uint(x);
    return x != x ? 0x7fc0u : (Weight)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#else
typedef float Weight;

__device__ inline float read(Weight x)
{
    return x;
}

__device__ inline Weight written(float x)
{
    return x;
}
#endif

// The sum over the block, in every thread. scratch: one float a warp.
__device__ inline float block_sum(float x, float* scratch)
{
    for (int offset = WARP / 2; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(ALL, x, offset);
    }

    __syncthreads();
    if ((threadIdx.x & (WARP - 1)) == 0)
    {
        scratch[threadIdx.x / WARP] = x;
    }

    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < blockDim.x / WARP; warp++)
    {
        sum += scratch[warp];
    }

    return sum;
}

// A block a row: W = factor * r * theta / |theta|.
extern "C" __global__ void materialize(const float* theta, const float* radius, Weight* weights, int columns, float factor)
{
    __shared__ float scratch[WARP];
    const float* direction = theta + (long long)blockIdx.x * columns;
    Weight* row = weights + (long long)blockIdx.x * columns;
    float squares = 0;
    for (int c = threadIdx.x; c < columns; c += blockDim.x)
    {
        squares += direction[c] * direction[c];
    }

    float scale = factor * radius[blockIdx.x] / sqrtf(block_sum(squares, scratch));
    for (int c = threadIdx.x; c < columns; c += blockDim.x)
    {
        row[c] = written(direction[c] * scale);
    }
}

// A block a row. With u = theta / |theta| and G the gradient of W, which is cleared: r gets factor * (G.u), theta factor * r / |theta| * (G - (G.u) u).
extern "C" __global__ void send_back(
    const float* theta, const float* radius, Weight* gradient, float* theta_gradient, float* radius_gradient, int columns, float factor)
{
    __shared__ float scratch[WARP];
    long long start = (long long)blockIdx.x * columns;
    float squares = 0, dot = 0;
    for (int c = threadIdx.x; c < columns; c += blockDim.x)
    {
        float direction = theta[start + c];
        squares += direction * direction;
        dot += direction * read(gradient[start + c]);
    }

    float norm = sqrtf(block_sum(squares, scratch));
    float along = block_sum(dot, scratch) / norm;
    float take = factor * radius[blockIdx.x] / norm, share = along / norm;
    for (int c = threadIdx.x; c < columns; c += blockDim.x)
    {
        theta_gradient[start + c] += take * (read(gradient[start + c]) - share * theta[start + c]);
        gradient[start + c] = written(0.0f);
    }

    if (threadIdx.x == 0)
    {
        radius_gradient[blockIdx.x] += factor * along;
    }
}

struct alignas(16) Pack
{
    float v[4];
};

// AdamW, the gradient times clip[0]; the gradient is cleared. keep: 1 - rate * decay. rate: over the first moment's correction. correction: the root of
// the second moment's.
extern "C" __global__ void adamw(
    Pack* values, Pack* gradients, Pack* firsts, Pack* seconds, long long packs, const float* clip, float keep, float beta1, float take1, float beta2,
    float take2, float epsilon, float rate, float correction)
{
    float scale = clip[0];
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += (long long)gridDim.x * blockDim.x)
    {
        Pack value = values[i], gradient = gradients[i], first = firsts[i], second = seconds[i];
        for (int j = 0; j < 4; j++)
        {
            float g = gradient.v[j] * scale;
            first.v[j] = beta1 * first.v[j] + take1 * g;
            second.v[j] = beta2 * second.v[j] + take2 * g * g;
            value.v[j] = keep * value.v[j] - rate * first.v[j] / (sqrtf(second.v[j]) / correction + epsilon);
            gradient.v[j] = 0;
        }

        values[i] = value;
        gradients[i] = gradient;
        firsts[i] = first;
        seconds[i] = second;
    }
}

// AdaBelief; as above, but rate has everything in it that does not depend on the place. rectified: whether the second moment counts yet.
extern "C" __global__ void adabelief(
    Pack* values, Pack* gradients, Pack* firsts, Pack* seconds, long long packs, const float* clip, float keep, float beta1, float take1, float beta2,
    float take2, float epsilon, float rate, int rectified)
{
    float scale = clip[0];
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += (long long)gridDim.x * blockDim.x)
    {
        Pack value = values[i], gradient = gradients[i], first = firsts[i], second = seconds[i];
        for (int j = 0; j < 4; j++)
        {
            float g = gradient.v[j] * scale;
            first.v[j] = beta1 * first.v[j] + take1 * g;
            float surprise = g - first.v[j];
            second.v[j] = beta2 * second.v[j] + take2 * surprise * surprise + epsilon;
            value.v[j] = keep * value.v[j] - rate * first.v[j] / (rectified ? sqrtf(second.v[j]) + epsilon : 1.0f);
            gradient.v[j] = 0;
        }

        values[i] = value;
        gradients[i] = gradient;
        firsts[i] = first;
        seconds[i] = second;
    }
}
