/* Sum and layer norm in one pass: sum = x + added, result = (sum - mean) / deviation * weight + bias, row by row. */
#include <math.h>
#include <stddef.h>

#include "numbers.h"

/* `added` may be NULL: then x is the sum already, and `sum` isn't written. `means` and `scales` (1 / deviation) are
   kept for the backward. `row` is space for one row. */
int add_norm(const bf16 *x, const bf16 *added, const bf16 *weight, const bf16 *bias, long rows, long columns,
              float epsilon, float *row, bf16 *sum, bf16 *result, float *means, float *scales) {
    for (long r = 0; r < rows; r++) {
        long start = r * columns;
        __m512 total = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
        for (long i = 0; i < columns; i += LANES) {
            __mmask16 lanes = lanes_left(columns, i);
            __m512 value = load(x + start + i, lanes);
            if (added) {
                /* Rounded before it is normalised, as the backward reads it. */
                __m256i kept = narrow(_mm512_add_ps(value, load(added + start + i, lanes)));
                _mm256_mask_storeu_epi16(sum + start + i, lanes, kept);
                value = widen(kept);
            }
            _mm512_mask_storeu_ps(row + i, lanes, value);
            total = _mm512_add_ps(total, value);
        }
        float mean = _mm512_reduce_add_ps(total) / columns;
        for (long i = 0; i < columns; i += LANES) {
            __mmask16 lanes = lanes_left(columns, i);
            __m512 apart = _mm512_maskz_sub_ps(lanes, _mm512_maskz_loadu_ps(lanes, row + i), _mm512_set1_ps(mean));
            squares = _mm512_fmadd_ps(apart, apart, squares);
        }
        float scale = 1 / sqrtf(_mm512_reduce_add_ps(squares) / columns + epsilon);
        for (long i = 0; i < columns; i += LANES) {
            __mmask16 lanes = lanes_left(columns, i);
            __m512 apart = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, row + i), _mm512_set1_ps(mean));
            __m512 normal = _mm512_mul_ps(apart, _mm512_set1_ps(scale));
            store(result + start + i, lanes, _mm512_fmadd_ps(normal, load(weight + i, lanes), load(bias + i, lanes)));
        }
        means[r] = mean;
        scales[r] = scale;
    }
    return 0;
}

/* The gradient of x and of `added`, which is the same, from those of the sum (may be NULL) and of the result. */
int add_norm_backward(const bf16 *of_sum, const bf16 *of_result, const bf16 *sum, const bf16 *weight,
                       const float *means, const float *scales, long rows, long columns, bf16 *gradient) {
    for (long r = 0; r < rows; r++) {
        long start = r * columns;
        __m512 mean = _mm512_set1_ps(means[r]), scale = _mm512_set1_ps(scales[r]);
        __m512 level = _mm512_setzero_ps(), along = _mm512_setzero_ps();
        for (long i = 0; i < columns; i += LANES) {
            __mmask16 lanes = lanes_left(columns, i);
            __m512 normal = _mm512_mul_ps(_mm512_sub_ps(load(sum + start + i, lanes), mean), scale);
            __m512 of_normal = _mm512_mul_ps(load(of_result + start + i, lanes), load(weight + i, lanes));
            level = _mm512_add_ps(level, of_normal);
            along = _mm512_fmadd_ps(of_normal, normal, along);
        }
        level = _mm512_set1_ps(_mm512_reduce_add_ps(level) / columns);
        along = _mm512_set1_ps(_mm512_reduce_add_ps(along) / columns);
        for (long i = 0; i < columns; i += LANES) {
            __mmask16 lanes = lanes_left(columns, i);
            __m512 normal = _mm512_mul_ps(_mm512_sub_ps(load(sum + start + i, lanes), mean), scale);
            __m512 of_normal = _mm512_mul_ps(load(of_result + start + i, lanes), load(weight + i, lanes));
            __m512 found = _mm512_fnmadd_ps(normal, along, _mm512_sub_ps(of_normal, level));
            __m512 direct = of_sum ? load(of_sum + start + i, lanes) : _mm512_setzero_ps();
            store(gradient + start + i, lanes, _mm512_fmadd_ps(found, scale, direct));
        }
    }
    return 0;
}
