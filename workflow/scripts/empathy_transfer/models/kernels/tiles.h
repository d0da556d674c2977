/* Matrix products of bf16 numbers with sums in floats, by the processor's tiles (AMX), in blocks of 16 x 16. */
#pragma once
#include "numbers.h"

/* Rows and columns of a block, and how many numbers of a row one multiplication takes. */
enum { BLOCK = LANES, STEP = 32 };

/* A matrix as the right factor of a product: each element holds the numbers of two rows, the lower one first. */
typedef uint32_t pair;

/* 1 to 4 blocks (`count`), each of 16 rows, of a product: left (rows x 32 steps) times right (32 steps x 16, in pairs).
   The result's blocks lie behind one another. */
static void multiply(const bf16 *left, long left_stride, long count, const pair *right, long right_stride, long steps,
                     float *result) {
    /* Compilers don't know that loading a tile reads memory: all that was written before must be there. */
    __asm__ volatile("" ::: "memory");
    long bytes = left_stride * sizeof(bf16), block = BLOCK * left_stride;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (long step = 0; step < steps; step++, left += STEP, right += BLOCK * right_stride) {
        _tile_loadd(4, right, right_stride * sizeof(pair));
        _tile_loadd(5, left, bytes);
        _tile_dpbf16ps(0, 5, 4);
        if (count > 1) {
            _tile_loadd(6, left + block, bytes);
            _tile_dpbf16ps(1, 6, 4);
        }
        if (count > 2) {
            _tile_loadd(7, left + 2 * block, bytes);
            _tile_dpbf16ps(2, 7, 4);
        }
        if (count > 3) {
            _tile_loadd(5, left + 3 * block, bytes);
            _tile_dpbf16ps(3, 5, 4);
        }
    }
    enum { ROW_BYTES = BLOCK * sizeof(float), AREA = BLOCK * BLOCK };
    _tile_stored(0, result, ROW_BYTES);
    if (count > 1) _tile_stored(1, result + AREA, ROW_BYTES);
    if (count > 2) _tile_stored(2, result + 2 * AREA, ROW_BYTES);
    if (count > 3) _tile_stored(3, result + 3 * AREA, ROW_BYTES);
    __asm__ volatile("" ::: "memory");
}

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} tiles;

/* Shape eight tiles of 16 rows, and hand out how they were shaped before: other libraries shape them, too. */
static void shape_tiles(tiles *before) {
    /* Constant, since compilers don't know that the next instruction reads all of it. */
    static const tiles own = {.palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                              .rows = {BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK}};
    _tile_storeconfig(before);
    _tile_loadconfig(&own);
}

static void shape_back(const tiles *before) {
    if (before->palette)
        _tile_loadconfig(before);
    else
        _tile_release();
}

/* Swap rows and columns of a block of 32-bit elements. */
static void transpose(const pair *from, long from_stride, pair *to, long to_stride) {
    __m512i a[BLOCK], b[BLOCK];
    for (int i = 0; i < BLOCK; i++) a[i] = _mm512_loadu_si512(from + i * from_stride);
    for (int i = 0; i < BLOCK; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < BLOCK; i += 4) {
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
        b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
        b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
        b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
    }
    for (int i = 0; i < 8; i++) {
        _mm512_storeu_si512(to + i * to_stride, _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
        _mm512_storeu_si512(to + (i + 8) * to_stride, _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd));
    }
}
