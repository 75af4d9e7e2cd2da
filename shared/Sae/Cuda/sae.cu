// The Top-K step's kernels, compiled at run time for one autoencoder: WIDTH (d_in), LATENTS (d_sae), K, CANDIDATES, CAPACITY, BUCKETS, VEC, GROUPS,
// GROUP_ENDS, TIED. A "pack" is VEC floats that one thread moves at once. Every sum has a fixed order, so that equal inputs give equal bits.

#define PACKS (WIDTH / VEC)
#define WARP 32
#define ALL 0xffffffffu

struct alignas(4 * VEC) Pack
{
    float v[VEC];
};

// The latents of a Matryoshka's prefixes end here; every other variant has one group.
__constant__ int group_ends[GROUPS] = GROUP_ENDS;

__device__ inline int group_of(int latent)
{
    int group = 0;
    while (group < GROUPS - 1 && latent >= group_ends[group])
    {
        group++;
    }

    return group;
}

// The nearest bfloat16, ties to even, as its sixteen bits.
__device__ inline unsigned short to_bfloat16(float x)
{
    unsigned int bits = __float_as_uint(x);
    return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ inline float warp_sum(float x)
{
    for (int offset = WARP / 2; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(ALL, x, offset);
    }

    return x;
}

// The sum over the block, in every thread. scratch: one float a warp.
__device__ inline float block_sum(float x, float* scratch)
{
    x = warp_sum(x);
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

// The dot product of two rows by one warp, in each of its lanes.
__device__ inline float warp_dot(const Pack* a, const Pack* b)
{
    float sum = 0;
#pragma unroll 4
    for (int p = threadIdx.x & (WARP - 1); p < PACKS; p += WARP)
    {
        Pack x = a[p], y = b[p];
        for (int i = 0; i < VEC; i++)
        {
            sum += x.v[i] * y.v[i];
        }
    }

    return warp_sum(sum);
}

// x − b_pre, exact and in bfloat16. values: rows · WIDTH.
extern "C" __global__ void centre(const float* x, const float* pre_bias, float* centred, unsigned short* narrow, long long values)
{
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < values; i += gridDim.x * (long long)blockDim.x)
    {
        float difference = x[i] - pre_bias[i % WIDTH];
        centred[i] = difference;
        narrow[i] = to_bfloat16(difference);
    }
}

// Eight pre-activations as ordered keys: bfloat16's bits where positive, 0 elsewhere.
__device__ inline void load_keys(const unsigned short* row, int place, unsigned int* keys)
{
#if LATENTS % 8 == 0
    uint4 packed = ((const uint4*)row)[place];
    unsigned int words[4] = { packed.x, packed.y, packed.z, packed.w };
    for (int i = 0; i < 4; i++)
    {
        keys[2 * i] = words[i] & 0xffffu;
        keys[2 * i + 1] = words[i] >> 16;
    }
#else
    for (int i = 0; i < 8; i++)
    {
        keys[i] = 8 * place + i < LATENTS ? row[8 * place + i] : 0;
    }
#endif
    for (int i = 0; i < 8; i++)
    {
        keys[i] = keys[i] & 0x8000u ? 0 : keys[i];
    }
}

#define PLACES ((LATENTS + 7) / 8)

// How many keys of the row are at least so large; the same in every thread.
__device__ inline int count_at_least(const unsigned short* row, unsigned int least, float* scratch)
{
    float count = 0; // exact: fewer than 2^24
    for (int place = threadIdx.x; place < PLACES; place += blockDim.x)
    {
        unsigned int keys[8];
        load_keys(row, place, keys);
        for (int i = 0; i < 8; i++)
        {
            count += keys[i] >= least ? 1 : 0;
        }
    }

    return (int)block_sum(count, scratch);
}

// One block a row: at least CANDIDATES of its largest pre-activations by their bfloat16 values, all of these exactly in float32, the K largest positive
// of them, ties to the lower latent; in the order of the latents, LATENTS where there are fewer than K.
extern "C" __global__ void select_rows(
    const unsigned short* approximate, const float* centred, const float* encoder, const float* encoder_bias, int* index, float* value)
{
    extern __shared__ __align__(16) float shared_row[];
    __shared__ int unordered[CAPACITY], candidates[CAPACITY];
    __shared__ float exact[CAPACITY];
    __shared__ bool kept[CAPACITY];
    __shared__ float scratch[WARP];
    __shared__ int found;
    const long long row = blockIdx.x;
    const unsigned short* keys_of_row = approximate + row * LATENTS;
    const Pack* source = (const Pack*)(centred + row * WIDTH);
    for (int p = threadIdx.x; p < PACKS; p += blockDim.x)
    {
        ((Pack*)shared_row)[p] = source[p];
    }

    // The largest key of many parts: the CANDIDATES-th largest of these is a bound that at least CANDIDATES keys reach, and few more.
    unsigned int best[BUCKETS];
    for (int b = 0; b < BUCKETS; b++)
    {
        best[b] = 0;
    }

    for (int place = threadIdx.x; place < PLACES; place += blockDim.x)
    {
        unsigned int keys[8];
        load_keys(keys_of_row, place, keys);
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
            best[i % BUCKETS] = max(best[i % BUCKETS], keys[i]);
        }
    }

    unsigned int least = 1, above = 0x8000u;
    while (above - least > 1)
    {
        unsigned int middle = (least + above) / 2;
        int count = 0;
        for (int b = 0; b < BUCKETS; b++)
        {
            count += __syncthreads_count(best[b] >= middle);
        }

        if (count >= CANDIDATES)
        {
            least = middle;
        }
        else
        {
            above = middle;
        }
    }

    if (threadIdx.x == 0)
    {
        found = 0;
    }

    __syncthreads();
    for (int place = threadIdx.x; place < PLACES; place += blockDim.x)
    {
        unsigned int keys[8];
        load_keys(keys_of_row, place, keys);
        for (int i = 0; i < 8; i++)
        {
            if (keys[i] >= least)
            {
                int at = atomicAdd(&found, 1);
                if (at < CAPACITY)
                {
                    unordered[at] = 8 * place + i;
                }
            }
        }
    }

    __syncthreads();
    int count = found;
    if (count > CAPACITY)
    {
        // The large keys lie together in few parts, which is rare: the bound that exactly CANDIDATES reach, ties cut off in the order of the latents.
        above = 0x8000u;
        while (above - least > 1)
        {
            unsigned int middle = (least + above) / 2;
            if (count_at_least(keys_of_row, middle, scratch) >= CANDIDATES)
            {
                least = middle;
            }
            else
            {
                above = middle;
            }
        }

        __syncthreads();
        if (threadIdx.x < WARP)
        {
            int taken = 0, larger = 0;
            for (int latent = threadIdx.x; latent < LATENTS; latent += WARP)
            {
                unsigned int key = keys_of_row[latent];
                larger += !(key & 0x8000u) && key > least ? 1 : 0;
            }

            for (int offset = WARP / 2; offset > 0; offset >>= 1)
            {
                larger += __shfl_xor_sync(ALL, larger, offset);
            }

            int ties = CANDIDATES - larger;
            for (int first = 0; first < LATENTS; first += WARP)
            {
                int latent = first + threadIdx.x;
                unsigned int key = latent < LATENTS ? keys_of_row[latent] : 0;
                bool is_tied = key == least, is_larger = !(key & 0x8000u) && key > least;
                unsigned int tied = __ballot_sync(ALL, is_tied);
                unsigned int below = (1u << threadIdx.x) - 1;
                bool is_taken = is_larger || (is_tied && __popc(tied & below) < ties);
                unsigned int all_taken = __ballot_sync(ALL, is_taken);
                if (is_taken)
                {
                    unordered[taken + __popc(all_taken & below)] = latent;
                }

                taken += __popc(all_taken);
                ties = max(0, ties - __popc(tied));
            }

            if (threadIdx.x == 0)
            {
                found = taken;
            }
        }

        __syncthreads();
        count = found;
    }

    for (int c = threadIdx.x; c < count; c += blockDim.x)
    {
        int rank = 0;
        for (int other = 0; other < count; other++)
        {
            rank += unordered[other] < unordered[c] ? 1 : 0;
        }

        candidates[rank] = unordered[c];
    }

    __syncthreads();
    for (int c = threadIdx.x / WARP; c < count; c += blockDim.x / WARP)
    {
        float dot = warp_dot((const Pack*)shared_row, (const Pack*)(encoder + (long long)candidates[c] * WIDTH));
        if ((threadIdx.x & (WARP - 1)) == 0)
        {
            exact[c] = dot + encoder_bias[candidates[c]];
        }
    }

    __syncthreads();
    for (int c = threadIdx.x; c < count; c += blockDim.x)
    {
        int larger = 0;
        for (int other = 0; other < count; other++)
        {
            larger += exact[other] > exact[c] || (exact[other] == exact[c] && other < c) ? 1 : 0;
        }

        kept[c] = larger < K && exact[c] > 0;
    }

    __syncthreads();
    for (int c = threadIdx.x; c < count; c += blockDim.x)
    {
        if (kept[c])
        {
            int place = 0;
            for (int other = 0; other < c; other++)
            {
                place += kept[other] ? 1 : 0;
            }

            index[row * K + place] = candidates[c];
            value[row * K + place] = exact[c];
        }
    }

    int total = 0;
    for (int c = 0; c < count; c++)
    {
        total += kept[c] ? 1 : 0;
    }

    for (int place = total + threadIdx.x; place < K; place += blockDim.x)
    {
        index[row * K + place] = LATENTS;
        value[row * K + place] = 0;
    }
}

// One warp a place of [rows, LATENTS], given by its number: its pre-activation exactly, in float32.
extern "C" __global__ void exact_values(
    const long long* places, const float* centred, const float* encoder, const float* encoder_bias, float* value, int count)
{
    int entry = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
    if (entry < count)
    {
        long long row = places[entry] / LATENTS;
        int latent = (int)(places[entry] % LATENTS);
        float dot = warp_dot((const Pack*)(centred + row * WIDTH), (const Pack*)(encoder + (long long)latent * WIDTH));
        if ((threadIdx.x & (WARP - 1)) == 0)
        {
            value[entry] = dot + encoder_bias[latent];
        }
    }
}

// Where each number begins in a sorted list, starts [limit + 1]; numbers from limit on belong to none.
extern "C" __global__ void run_starts(const int* sorted, int count, int limit, int* starts)
{
    int place = blockIdx.x * blockDim.x + threadIdx.x;
    if (place <= count)
    {
        int before = place == 0 ? -1 : min(sorted[place - 1], limit);
        int here = place == count ? limit : min(sorted[place], limit);
        for (int number = before + 1; number <= here; number++)
        {
            starts[number] = place;
        }
    }
}

// One block a row: x̂ − x from its active latents, and the gradient of each of these. error [GROUPS, rows, WIDTH]: for a Matryoshka, the sum of the errors
// of all prefixes that a latent of the group is part of. squares [rows]: Σ(x̂ − x)², the mean over the prefixes. row_starts: null where every row has K entries.
extern "C" __global__ void decode_rows(
    const int* index, const float* value, const int* row_starts, const float* decoder, const float* centred, const float* coefficient,
    float* error, float* squares, float* gradient)
{
    extern __shared__ __align__(16) float shared_error[];
    __shared__ float scratch[WARP];
    constexpr int per_thread = (PACKS + ROW_THREADS - 1) / ROW_THREADS;
    const int row = blockIdx.x, rows = gridDim.x;
    const int first = row_starts ? row_starts[row] : row * K, end = row_starts ? row_starts[row + 1] : first + K;
    const Pack* input = (const Pack*)centred + (long long)row * PACKS;
    Pack sum[per_thread];
    float loss = 0;
    for (int i = 0; i < per_thread; i++)
    {
        for (int j = 0; j < VEC; j++)
        {
            sum[i].v[j] = 0;
        }
    }

    auto close = [&](int group)
    {
#pragma unroll
        for (int i = 0; i < per_thread; i++)
        {
            int p = threadIdx.x + i * ROW_THREADS;
            if (p < PACKS)
            {
                Pack x = input[p], off;
                for (int j = 0; j < VEC; j++)
                {
                    off.v[j] = sum[i].v[j] - x.v[j];
                    loss += off.v[j] * off.v[j];
                }

                ((Pack*)error)[((long long)group * rows + row) * PACKS + p] = off;
                if (GROUPS == 1)
                {
                    ((Pack*)shared_error)[p] = off;
                }
            }
        }
    };

    int group = 0;
#pragma unroll 4
    for (int entry = first; entry < end; entry++)
    {
        int latent = index[entry];
        if (latent < LATENTS)
        {
            while (group < GROUPS - 1 && latent >= group_ends[group])
            {
                close(group++);
            }

            float z = value[entry];
            const Pack* weights = (const Pack*)decoder + (long long)latent * PACKS;
#pragma unroll
            for (int i = 0; i < per_thread; i++)
            {
                int p = threadIdx.x + i * ROW_THREADS;
                if (p < PACKS)
                {
                    Pack w = weights[p];
                    for (int j = 0; j < VEC; j++)
                    {
                        sum[i].v[j] += z * w.v[j];
                    }
                }
            }
        }
    }

    while (group < GROUPS)
    {
        close(group++);
    }

    for (int g = GROUPS - 2; g >= 0; g--)
    {
        for (int p = threadIdx.x; p < PACKS; p += ROW_THREADS)
        {
            Pack* mine = (Pack*)error + ((long long)g * rows + row) * PACKS + p;
            Pack next = ((Pack*)error)[((long long)(g + 1) * rows + row) * PACKS + p], total = *mine;
            for (int j = 0; j < VEC; j++)
            {
                total.v[j] += next.v[j];
            }

            *mine = total;
        }
    }

    loss = block_sum(loss, scratch);
    if (threadIdx.x == 0)
    {
        squares[row] = loss / GROUPS;
    }

    __syncthreads();
    for (int entry = first + threadIdx.x / WARP; entry < end; entry += ROW_THREADS / WARP)
    {
        int latent = index[entry];
        if (latent < LATENTS)
        {
            const Pack* off = GROUPS == 1 ? (const Pack*)shared_error : (const Pack*)error + ((long long)group_of(latent) * rows + row) * PACKS;
            float dot = warp_dot(off, (const Pack*)decoder + (long long)latent * PACKS);
            if ((threadIdx.x & (WARP - 1)) == 0)
            {
                gradient[entry] = dot * coefficient[0];
            }
        }
    }
}

// One warp a latent: the gradient of its bias. dead: its place among the dead latents, -1 for a live one; null where none is dead.
extern "C" __global__ void bias_gradient(
    const long long* entries, const int* latent_starts, const float* gradient, const int* dead, const float* dead_bias, float* result)
{
    int latent = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
    if (latent < LATENTS)
    {
        float sum = 0;
        for (int i = latent_starts[latent] + (threadIdx.x & (WARP - 1)); i < latent_starts[latent + 1]; i += WARP)
        {
            sum += gradient[entries[i]];
        }

        sum = warp_sum(sum);
        if ((threadIdx.x & (WARP - 1)) == 0)
        {
            result[latent] = sum + (dead && dead[latent] >= 0 ? dead_bias[dead[latent]] : 0);
        }
    }
}

struct Adam
{
    float rate, beta1, take1, beta2, take2, correction, epsilon;

    __device__ inline float next(float weight, float gradient, float& first, float& second) const
    {
        first = fmaf(beta1, first, take1 * gradient);
        second = fmaf(beta2, second, take2 * gradient * gradient);
        return fmaf(-rate, first / fmaf(sqrtf(second), correction, epsilon), weight);
    }
};

// Adam on a vector.
extern "C" __global__ void update_vector(
    float* weight, float* first, float* second, const float* gradient, int count,
    float rate, float beta1, float take1, float beta2, float take2, float correction, float epsilon)
{
    Adam adam = { rate, beta1, take1, beta2, take2, correction, epsilon };
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
    {
        weight[i] = adam.next(weight[i], gradient[i], first[i], second[i]);
    }
}

// One block a latent: the gradient of its encoder and decoder rows from the entries where it is active, the part along the unit row taken out, Adam,
// unit length again. No gradient of the whole dictionary is ever in memory. narrow: the encoder in bfloat16 for the next step's product.
extern "C" __global__ void update_dictionary(
    const long long* entries, const int* latent_starts, const int* row_of, const float* value, const float* gradient, const float* centred,
    const float* error, const float* coefficient, const int* dead, const float* dead_encoder, const float* dead_decoder,
    float* encoder, float* encoder_first, float* encoder_second, float* decoder, float* decoder_first, float* decoder_second,
    unsigned short* narrow, long long* silent, int rows,
    float rate, float beta1, float take1, float beta2, float take2, float correction, float epsilon)
{
    __shared__ float scratch[WARP];
    constexpr int per_thread = (PACKS + LATENT_THREADS - 1) / LATENT_THREADS;
    const int latent = blockIdx.x;
    const int first = latent_starts[latent], end = latent_starts[latent + 1];
    const Adam adam = { rate, beta1, take1, beta2, take2, correction, epsilon };
    const float scale = coefficient[0];
    const Pack* errors = (const Pack*)error + (long long)group_of(latent) * rows * PACKS;
    Pack of_encoder[per_thread], of_decoder[per_thread];
    for (int i = 0; i < per_thread; i++)
    {
        for (int j = 0; j < VEC; j++)
        {
            of_encoder[i].v[j] = of_decoder[i].v[j] = 0;
        }
    }

#pragma unroll 4
    for (int at = first; at < end; at++)
    {
        long long entry = entries[at];
        long long row = row_of ? row_of[entry] : entry / K;
        float z = value[entry] * scale, dz = gradient[entry];
#pragma unroll
        for (int i = 0; i < per_thread; i++)
        {
            int p = threadIdx.x + i * LATENT_THREADS;
            if (p < PACKS)
            {
                Pack off = errors[row * PACKS + p], x = ((const Pack*)centred)[row * PACKS + p];
                for (int j = 0; j < VEC; j++)
                {
                    of_decoder[i].v[j] += z * off.v[j];
                    of_encoder[i].v[j] += dz * x.v[j];
                }
            }
        }
    }

    if (threadIdx.x == 0)
    {
        silent[latent] = end > first ? 0 : silent[latent] + rows;
    }

    const int dead_row = dead ? dead[latent] : -1;
    Pack weights[per_thread];
    float along = 0;
#pragma unroll
    for (int i = 0; i < per_thread; i++)
    {
        int p = threadIdx.x + i * LATENT_THREADS;
        if (p < PACKS)
        {
            if (dead_row >= 0)
            {
                Pack a = ((const Pack*)dead_encoder)[(long long)dead_row * PACKS + p], b = ((const Pack*)dead_decoder)[(long long)dead_row * PACKS + p];
                for (int j = 0; j < VEC; j++)
                {
                    of_encoder[i].v[j] += a.v[j];
                    of_decoder[i].v[j] += b.v[j];
                }
            }

            weights[i] = ((const Pack*)decoder)[(long long)latent * PACKS + p];
            for (int j = 0; j < VEC; j++)
            {
                of_decoder[i].v[j] += TIED ? of_encoder[i].v[j] : 0;
                along += of_decoder[i].v[j] * weights[i].v[j];
            }
        }
    }

    along = block_sum(along, scratch);
    float squares = 0;
#pragma unroll
    for (int i = 0; i < per_thread; i++)
    {
        int p = threadIdx.x + i * LATENT_THREADS;
        if (p < PACKS)
        {
            long long at = (long long)latent * PACKS + p;
            Pack m = ((Pack*)decoder_first)[at], v = ((Pack*)decoder_second)[at];
            for (int j = 0; j < VEC; j++)
            {
                float w = weights[i].v[j];
                weights[i].v[j] = adam.next(w, of_decoder[i].v[j] - along * w, m.v[j], v.v[j]);
                squares += weights[i].v[j] * weights[i].v[j];
            }

            ((Pack*)decoder_first)[at] = m;
            ((Pack*)decoder_second)[at] = v;
#if !TIED
            Pack w = ((Pack*)encoder)[at];
            m = ((Pack*)encoder_first)[at];
            v = ((Pack*)encoder_second)[at];
            for (int j = 0; j < VEC; j++)
            {
                w.v[j] = adam.next(w.v[j], of_encoder[i].v[j], m.v[j], v.v[j]);
                narrow[at * VEC + j] = to_bfloat16(w.v[j]);
            }

            ((Pack*)encoder)[at] = w;
            ((Pack*)encoder_first)[at] = m;
            ((Pack*)encoder_second)[at] = v;
#endif
        }
    }

    float length = sqrtf(block_sum(squares, scratch));
#pragma unroll
    for (int i = 0; i < per_thread; i++)
    {
        int p = threadIdx.x + i * LATENT_THREADS;
        if (p < PACKS)
        {
            long long at = (long long)latent * PACKS + p;
            for (int j = 0; j < VEC; j++)
            {
                weights[i].v[j] /= length;
#if TIED
                narrow[at * VEC + j] = to_bfloat16(weights[i].v[j]);
#endif
            }

            ((Pack*)decoder)[at] = weights[i];
        }
    }
}

// One block a row: x without what the chosen latents write, x − Σ_f z_f·W_dec[f] over the row's active latents f with chosen[f].
extern "C" __global__ void ablate_rows(const int* index, const float* value, const float* decoder, const unsigned char* chosen, const float* x, float* y)
{
    constexpr int per_thread = (PACKS + ROW_THREADS - 1) / ROW_THREADS;
    const long long row = blockIdx.x;
    Pack sum[per_thread];
#pragma unroll
    for (int i = 0; i < per_thread; i++)
    {
        int p = threadIdx.x + i * ROW_THREADS;
        if (p < PACKS)
        {
            sum[i] = ((const Pack*)x)[row * PACKS + p];
        }
    }

    for (long long entry = row * K; entry < (row + 1) * K; entry++)
    {
        int latent = index[entry];
        if (latent < LATENTS && chosen[latent])
        {
            float z = value[entry];
#pragma unroll
            for (int i = 0; i < per_thread; i++)
            {
                int p = threadIdx.x + i * ROW_THREADS;
                if (p < PACKS)
                {
                    Pack w = ((const Pack*)decoder)[(long long)latent * PACKS + p];
                    for (int j = 0; j < VEC; j++)
                    {
                        sum[i].v[j] -= z * w.v[j];
                    }
                }
            }
        }
    }

#pragma unroll
    for (int i = 0; i < per_thread; i++)
    {
        int p = threadIdx.x + i * ROW_THREADS;
        if (p < PACKS)
        {
            ((Pack*)y)[row * PACKS + p] = sum[i];
        }
    }
}

// One block a picture: the mean of its rows' latents, into mean [pictures, LATENTS], which is zero before. A row's latents differ, so within a row no two
// threads meet; row after row keeps the order of every sum.
extern "C" __global__ void mean_latents(const int* index, const float* value, float* mean, int rows_each)
{
    float* target = mean + (long long)blockIdx.x * LATENTS;
    for (int row = 0; row < rows_each; row++)
    {
        for (int at = threadIdx.x; at < K; at += blockDim.x)
        {
            long long entry = ((long long)blockIdx.x * rows_each + row) * K + at;
            if (index[entry] < LATENTS)
            {
                target[index[entry]] += value[entry] / rows_each;
            }
        }

        __syncthreads();
    }
}
