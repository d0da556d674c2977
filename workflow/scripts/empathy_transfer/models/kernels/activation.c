/* GELU by look-up: a number in bf16 has 65,536 values, so that all results fit into a table.

   A network's activations lie close together: what is looked up stays in the first cache. Tables are torch's own
   results, so these are the same bits. */
#include "numbers.h"

int gelu(const bf16 *x, long count, const int32_t *values, bf16 *result) {
    for (long i = 0; i < count; i += LANES) {
        __mmask16 lanes = lanes_left(count, i);
        __m512i place = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, x + i));
        __m512i found = _mm512_i32gather_epi32(place, values, 4);
        _mm256_mask_storeu_epi16(result + i, lanes, _mm512_cvtepi32_epi16(found));
    }
    return 0;
}

int gelu_backward(const bf16 *gradient, const bf16 *x, long count, const float *slopes, bf16 *result) {
    for (long i = 0; i < count; i += LANES) {
        __mmask16 lanes = lanes_left(count, i);
        __m512i place = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, x + i));
        __m512 slope = _mm512_i32gather_ps(place, slopes, 4);
        store(result + i, lanes, _mm512_mul_ps(load(gradient + i, lanes), slope));
    }
    return 0;
}
