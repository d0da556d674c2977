/* Numbers in bf16: the upper half of a float, rounded to the nearest, ties to even. Vectors hold 16 of them. */
#pragma once
#include <immintrin.h>
#include <stdint.h>

typedef uint16_t bf16;

enum { LANES = 16 };

static inline __m512 widen(__m256i numbers) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(numbers), 16));
}

/* Each number rounded, in the upper half of its 32 bits; the lower half is undefined. */
static inline __m512i rounded(__m512 numbers) {
    __m512i bits = _mm512_castps_si512(numbers);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
}

static inline __m256i narrow(__m512 numbers) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded(numbers), 16));
}

/* The lanes of a vector that begins `done` before the end of `count` numbers. */
static inline __mmask16 lanes_left(long count, long done) {
    return count - done >= LANES ? 0xffff : (__mmask16)((1u << (count - done)) - 1);
}

static inline __m512 load(const bf16 *from, __mmask16 lanes) {
    return widen(_mm256_maskz_loadu_epi16(lanes, from));
}

static inline void store(bf16 *to, __mmask16 lanes, __m512 numbers) {
    _mm256_mask_storeu_epi16(to, lanes, narrow(numbers));
}
