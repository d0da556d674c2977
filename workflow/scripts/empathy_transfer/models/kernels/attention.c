/* Multi-head attention over packed tokens, head by head, in the processor's cache.

   Scores are computed transposed (a row is a key, a column a query), so that softmax goes down the columns, 16 queries
   at a time, and two rows of its results side by side are what the next matrix product takes as they are. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiles.h"

/* Ask the system for the processor's tiles; returns whether this process may use them. */
int allow_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static long padded(long length) {
    return (length + STEP - 1) / STEP * STEP;
}

static long blocks(long length) {
    return (length + BLOCK - 1) / BLOCK;
}

/* How many blocks of `count` one multiplication takes when it begins at block `first`. */
static long at_once(long count, long first) {
    return count - first < 4 ? count - first : 4;
}

/* One head of one item's tokens, rows `stride` numbers apart. */
typedef struct {
    const bf16 *start;
    long stride, length, size;
} rows;

/* The rows behind one another, filled up with zeros (padded length x size). */
static void gather(rows x, bf16 *to) {
    for (long i = 0; i < x.length; i++) memcpy(to + i * x.size, x.start + i * x.stride, x.size * sizeof(bf16));
    memset(to + x.length * x.size, 0, (padded(x.length) - x.length) * x.size * sizeof(bf16));
}

/* Gathered rows in pairs (padded length / 2 x size). */
static void pair_up(const bf16 *x, long length, long size, pair *to) {
    for (long i = 0; i < padded(length) / 2; i++)
        for (long j = 0; j < size; j += LANES) {
            const __m256i *lower = (const __m256i *)(x + 2 * i * size + j);
            const __m256i *upper = (const __m256i *)(x + (2 * i + 1) * size + j);
            __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(lower));
            __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(upper)), 16);
            _mm512_storeu_si512(to + i * size + j, _mm512_or_si512(low, high));
        }
}

/* Gathered rows, transposed, in pairs of columns (size / 2 x padded length): the right factor of y x^T. */
static void turn_right(const bf16 *x, long length, long size, pair *to) {
    for (long i = 0; i < padded(length); i += BLOCK)
        for (long j = 0; j < size / 2; j += BLOCK)
            transpose((const pair *)x + i * size / 2 + j, size / 2, to + j * padded(length) + i, padded(length));
}

/* Paired rows, transposed (size x padded length, as bf16): the left factor of x^T y. */
static void turn_left(const pair *x, long length, long size, bf16 *to) {
    long width = padded(length) / 2;
    for (long i = 0; i < width; i += BLOCK)
        for (long j = 0; j < size; j += BLOCK) transpose(x + i * size + j, size, (pair *)to + j * width + i, width);
}

/* Write blocks of sums below one another, up to `rows` rows. */
static void put(const float *sums, long rows, bf16 *to, long stride) {
    for (long i = 0; i < rows; i++) store(to + i * stride, 0xffff, _mm512_loadu_ps(sums + i * BLOCK));
}

/* Write `count` blocks of sums, each transposed, side by side, up to `rows` rows. */
static void put_turned(const float *sums, long count, long rows, bf16 *to, long stride) {
    float turned[BLOCK * BLOCK];
    for (long i = 0; i < count; i++) {
        transpose((const pair *)sums + i * BLOCK * BLOCK, BLOCK, (pair *)turned, BLOCK);
        put(turned, rows < BLOCK ? rows : BLOCK, to + i * BLOCK, stride);
    }
}

/* exp of numbers up to 0. Its relative error, up to 2.4e-6, is a thousandth of what rounding to bf16 brings. */
static inline __m512 exponential(__m512 x) {
    __m512 power = _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f));
    __m512 whole = _mm512_roundscale_ps(power, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 part = _mm512_sub_ps(power, whole);
    __m512 result = _mm512_set1_ps(1.33335581e-3f);
    result = _mm512_fmadd_ps(result, part, _mm512_set1_ps(9.61812911e-3f));
    result = _mm512_fmadd_ps(result, part, _mm512_set1_ps(5.55041087e-2f));
    result = _mm512_fmadd_ps(result, part, _mm512_set1_ps(2.40226507e-1f));
    result = _mm512_fmadd_ps(result, part, _mm512_set1_ps(6.93147181e-1f));
    result = _mm512_fmadd_ps(result, part, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(result, whole);
}

/* Two rows of 16 numbers as pairs, and back. */
static inline __m512i paired(__m512 low, __m512 high) {
    return _mm512_or_si512(_mm512_srli_epi32(rounded(low), 16),
                           _mm512_and_si512(rounded(high), _mm512_set1_epi32((int)0xffff0000)));
}

static inline __m512 low_of(__m512i two) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(two, 16));
}

static inline __m512 high_of(__m512i two) {
    return _mm512_castsi512_ps(_mm512_and_si512(two, _mm512_set1_epi32((int)0xffff0000)));
}

/* Softmax down the 16 columns of scores (keys x 16), into shares in pairs of rows, whose padding is zero. */
static void softmax(float *scores, long keys, pair *shares, long stride) {
    /* Two at a time, since each has to wait for the one before. */
    __m512 greatest = _mm512_loadu_ps(scores), other = greatest, sum = _mm512_setzero_ps();
    for (long k = keys % 2; k < keys; k += 2) {
        greatest = _mm512_max_ps(greatest, _mm512_loadu_ps(scores + k * BLOCK));
        other = _mm512_max_ps(other, _mm512_loadu_ps(scores + (k + 1) * BLOCK));
    }
    greatest = _mm512_max_ps(greatest, other);
    for (long k = 0; k < keys; k++) {
        __m512 value = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + k * BLOCK), greatest));
        sum = _mm512_add_ps(sum, value);
        _mm512_storeu_ps(scores + k * BLOCK, value);
    }
    sum = _mm512_div_ps(_mm512_set1_ps(1), sum);
    for (long k = 0; k < padded(keys); k += 2) {
        __m512 low = k < keys ? _mm512_loadu_ps(scores + k * BLOCK) : _mm512_setzero_ps();
        __m512 high = k + 1 < keys ? _mm512_loadu_ps(scores + (k + 1) * BLOCK) : _mm512_setzero_ps();
        _mm512_storeu_si512(shares + k / 2 * stride, paired(_mm512_mul_ps(low, sum), _mm512_mul_ps(high, sum)));
    }
}

/* Parts of one piece of memory, each at the start of a line of the cache. */
static void *take(char **space, long bytes) {
    void *part = *space;
    *space += (bytes + 63) / 64 * 64;
    return part;
}

/* Space for arrays that have at most a number for each pair of tokens, or for each token and column of a head. */
static char *space_for(int arrays, long longest, long size) {
    long side = padded(longest) > size ? padded(longest) : size;
    return aligned_alloc(64, arrays * (padded(longest) * side * sizeof(float) + 64));
}

static rows head_of(const bf16 *array, long token, long stride, long offset, long length, long size) {
    return (rows){array + token * stride + offset, stride, length, size};
}

/* The result (tokens x hidden size) of queries, keys and values side by side (tokens x 3 hidden sizes). With `first`,
   a query per item (items x hidden size), only keys and values are there, and the result has a row per item. `shares`
   are kept for the backward: per item and head, keys / 2 x queries, both padded, in pairs. Returns 0, or 1 without
   memory. */
int attention(const bf16 *projected, const bf16 *first, const int32_t *lengths, long items, long tokens, long heads,
              long size, long longest, bf16 *result, pair *shares) {
    char *memory = space_for(6, longest, size), *space = memory;
    if (!memory) return 1;
    long hidden = heads * size, parts = first ? 2 : 3, stride = parts * hidden, most = padded(longest), token = 0;
    /* The array that the queries are in, and from one row to the next. */
    const bf16 *asking = first ? first : projected;
    long apart = first ? hidden : stride;
    bf16 *gathered = take(&space, most * size * sizeof(bf16));
    bf16 *keys = take(&space, most * size * sizeof(bf16));
    pair *pairs = take(&space, most * size * sizeof(bf16));
    pair *queries = take(&space, most * size * sizeof(bf16));
    bf16 *values = take(&space, most * size * sizeof(bf16));
    float *scores = take(&space, most * BLOCK * sizeof(float));
    float sums[4 * BLOCK * BLOCK];
    tiles before;
    shape_tiles(&before);
    for (long item = 0; item < items; token += lengths[item++]) {
        long length = lengths[item], asked = first ? 1 : length, query = first ? item : token;
        for (long head = 0; head < heads; head++) {
            long offset = head * size, width = padded(asked);
            gather(head_of(asking, query, apart, offset, asked, size), gathered);
            turn_right(gathered, asked, size, queries);
            gather(head_of(projected, token, stride, (parts - 2) * hidden + offset, length, size), keys);
            gather(head_of(projected, token, stride, (parts - 1) * hidden + offset, length, size), gathered);
            pair_up(gathered, length, size, pairs);
            turn_left(pairs, length, size, values);
            for (long q = 0; q < blocks(asked); q++) {
                pair *column = shares + q * BLOCK;
                for (long k = 0; k < blocks(length); k += 4)
                    multiply(keys + k * BLOCK * size, size, at_once(blocks(length), k), queries + q * BLOCK, width,
                             size / STEP, scores + k * BLOCK * BLOCK);
                softmax(scores, length, column, width);
                bf16 *to = result + (query + q * BLOCK) * hidden + offset;
                for (long d = 0; d < blocks(size); d += 4) {
                    long count = at_once(blocks(size), d);
                    multiply(values + d * BLOCK * padded(length), padded(length), count, column, width,
                             padded(length) / STEP, sums);
                    put_turned(sums, count, asked - q * BLOCK, to + d * BLOCK, hidden);
                }
            }
            for (long k = 0; k < padded(length) / 2 && blocks(asked) * BLOCK < width; k++)
                memset(shares + k * width + blocks(asked) * BLOCK, 0, BLOCK * sizeof(pair));
            shares += padded(length) / 2 * width;
        }
    }
    if (!first) memset(result + token * hidden, 0, (tokens - token) * hidden * sizeof(bf16));
    shape_back(&before);
    free(memory);
    return 0;
}

/* Write pairs as two rows. */
static inline void part(__m512i two, bf16 *to, long stride) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(two));
    _mm256_storeu_si256((__m256i *)(to + stride), _mm512_cvtepi32_epi16(_mm512_srli_epi32(two, 16)));
}

/* Shares times what their gradient is above the queries' mean, for 16 queries: in pairs, and the rows of both alone. */
static void softmax_backward(const float *of_shares, long keys, const pair *shares, long stride, pair *of_scores,
                             bf16 *share_rows, bf16 *score_rows) {
    __m512 mean = _mm512_setzero_ps();
    for (long k = 0; k < padded(keys); k += 2) {
        __m512i two = _mm512_loadu_si512(shares + k / 2 * stride);
        /* Rows of padding were never written, but their shares are zero. */
        __m512 low = k < keys ? _mm512_loadu_ps(of_shares + k * BLOCK) : _mm512_setzero_ps();
        __m512 high = k + 1 < keys ? _mm512_loadu_ps(of_shares + (k + 1) * BLOCK) : _mm512_setzero_ps();
        mean = _mm512_fmadd_ps(low_of(two), low, _mm512_fmadd_ps(high_of(two), high, mean));
    }
    for (long k = 0; k < padded(keys); k += 2) {
        __m512i two = _mm512_loadu_si512(shares + k / 2 * stride);
        __m512 low = k < keys ? _mm512_loadu_ps(of_shares + k * BLOCK) : mean;
        __m512 high = k + 1 < keys ? _mm512_loadu_ps(of_shares + (k + 1) * BLOCK) : mean;
        __m512i of_two = paired(_mm512_mul_ps(low_of(two), _mm512_sub_ps(low, mean)),
                                _mm512_mul_ps(high_of(two), _mm512_sub_ps(high, mean)));
        _mm512_storeu_si512(of_scores + k / 2 * stride, of_two);
        part(two, share_rows + k * stride, stride);
        part(of_two, score_rows + k * stride, stride);
    }
}

/* The gradients of `projected` and of `first` from that of the result; arguments as in `attention`. */
int attention_backward(const bf16 *gradient, const bf16 *projected, const bf16 *first, const pair *shares,
                       const int32_t *lengths, long items, long tokens, long heads, long size, long longest,
                       bf16 *of_projected, bf16 *of_first) {
    char *memory = space_for(11, longest, size), *space = memory;
    if (!memory) return 1;
    long hidden = heads * size, parts = first ? 2 : 3, stride = parts * hidden, most = padded(longest), token = 0;
    /* The array that the queries are in, and from one row to the next. */
    const bf16 *asking = first ? first : projected;
    bf16 *of_asking = first ? of_first : of_projected;
    long apart = first ? hidden : stride;
    bf16 *gathered = take(&space, most * size * sizeof(bf16));
    pair *of_result = take(&space, most * size * sizeof(bf16));
    pair *of_result_pairs = take(&space, most * size * sizeof(bf16));
    pair *query_pairs = take(&space, most * size * sizeof(bf16));
    pair *pairs = take(&space, most * size * sizeof(bf16));
    bf16 *keys = take(&space, most * size * sizeof(bf16));
    float *of_shares = take(&space, most * BLOCK * sizeof(float));
    pair *of_scores = take(&space, most * most * sizeof(bf16));
    bf16 *share_rows = take(&space, most * most * sizeof(bf16));
    bf16 *score_rows = take(&space, most * most * sizeof(bf16));
    bf16 *values = take(&space, most * size * sizeof(bf16));
    float sums[4 * BLOCK * BLOCK];
    tiles before;
    shape_tiles(&before);
    for (long item = 0; item < items; token += lengths[item++]) {
        long length = lengths[item], asked = first ? 1 : length, query = first ? item : token;
        for (long head = 0; head < heads; head++) {
            long offset = head * size, width = padded(asked);
            long key = (parts - 2) * hidden + offset, value = (parts - 1) * hidden + offset;
            gather(head_of(gradient, query, hidden, offset, asked, size), gathered);
            turn_right(gathered, asked, size, of_result);
            pair_up(gathered, asked, size, of_result_pairs);
            gather(head_of(asking, query, apart, offset, asked, size), gathered);
            pair_up(gathered, asked, size, query_pairs);
            gather(head_of(projected, token, stride, key, length, size), gathered);
            pair_up(gathered, length, size, pairs);
            turn_left(pairs, length, size, keys);
            gather(head_of(projected, token, stride, value, length, size), values);
            if (blocks(asked) * BLOCK < width) {
                memset(share_rows, 0, padded(length) * width * sizeof(bf16));
                memset(score_rows, 0, padded(length) * width * sizeof(bf16));
            }
            for (long q = 0; q < blocks(asked); q++) {
                long column = q * BLOCK;
                for (long k = 0; k < blocks(length); k += 4)
                    multiply(values + k * BLOCK * size, size, at_once(blocks(length), k), of_result + column, width,
                             size / STEP, of_shares + k * BLOCK * BLOCK);
                softmax_backward(of_shares, length, shares + column, width, of_scores + column, share_rows + column,
                                 score_rows + column);
                bf16 *to = of_asking + (query + column) * apart + offset;
                for (long d = 0; d < blocks(size); d += 4) {
                    long count = at_once(blocks(size), d);
                    multiply(keys + d * BLOCK * padded(length), padded(length), count, of_scores + column, width,
                             padded(length) / STEP, sums);
                    put_turned(sums, count, asked - column, to + d * BLOCK, apart);
                }
            }
            for (long k = 0; k < blocks(length); k += 4)
                for (long d = 0; d < size; d += BLOCK) {
                    long count = at_once(blocks(length), k), row = k * BLOCK;
                    long left = length - row < count * BLOCK ? length - row : count * BLOCK;
                    bf16 *to = of_projected + (token + row) * stride + d;
                    multiply(score_rows + row * width, width, count, query_pairs + d, size, width / STEP, sums);
                    put(sums, left, to + key, stride);
                    multiply(share_rows + row * width, width, count, of_result_pairs + d, size, width / STEP, sums);
                    put(sums, left, to + value, stride);
                }
            shares += padded(length) / 2 * width;
        }
    }
    memset(of_projected + token * stride, 0, (tokens - token) * stride * sizeof(bf16));
    shape_back(&before);
    free(memory);
    return 0;
}
