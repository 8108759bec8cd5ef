// Matrix transposition by registers. Included again for each level, hence the guard per level.
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_TRANSPOSE_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_TRANSPOSE_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_TRANSPOSE_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_TRANSPOSE_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_TRANSPOSE_32
#else
#define GRAVITON_TRANSPOSE_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

// a[0] b[0] a[1] b[1] … of the lower and of the upper halves.
[[gnu::always_inline]] static inline Vf ZipLow(Vf a, Vf b) {
#if GRAVITON_VECTOR_BYTES == 64
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif GRAVITON_VECTOR_BYTES == 32
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}
[[gnu::always_inline]] static inline Vf ZipHigh(Vf a, Vf b) {
#if GRAVITON_VECTOR_BYTES == 64
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
#elif GRAVITON_VECTOR_BYTES == 32
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// Transposes a square of kLanes vectors: zipping i with i + kLanes / 2 turns the lane number's
// bits by one, so after log2(kLanes) rounds lane and vector number have changed places.
[[gnu::always_inline]] static inline void TransposeSquare(Vf (&v)[kLanes]) {
#pragma GCC unroll 4
  for (size_t round = 1; round < kLanes; round *= 2) {
    Vf zipped[kLanes];
#pragma GCC unroll 8
    for (size_t i = 0; i < kLanes / 2; ++i) {
      zipped[2 * i] = ZipLow(v[i], v[i + kLanes / 2]);
      zipped[2 * i + 1] = ZipHigh(v[i], v[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) v[i] = zipped[i];
  }
}

// Lane i: the sum of v[i]'s lanes.
[[gnu::always_inline]] static inline Vf SumsOf(Vf (&v)[kLanes]) {
#pragma GCC unroll 4
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (size_t i = 0; i < half; ++i) v[i] = ZipLow(v[i], v[i + half]) + ZipHigh(v[i], v[i + half]);
  }
  return v[0];
}

// dst[c * dst_row + r] = src[r * src_row + c] for r < rows, c < cols. Writes whole vectors: r is
// padded with zeros to a multiple of kLanes.
static inline void Transpose(const float* src, int64_t src_row, size_t rows, size_t cols,
                             float* dst, int64_t dst_row) {
  for (size_t r = 0; r < rows; r += kLanes) {
    const size_t here = rows - r < kLanes ? rows - r : kLanes;
    const float* from = src + static_cast<int64_t>(r) * src_row;
    size_t c = 0;
    if (here == kLanes) {
      for (; c + kLanes <= cols; c += kLanes) {
        Vf v[kLanes];
#pragma GCC unroll 16
        for (size_t i = 0; i < kLanes; ++i)
          v[i] = Load(from + static_cast<int64_t>(i) * src_row + c);
        TransposeSquare(v);
#pragma GCC unroll 16
        for (size_t i = 0; i < kLanes; ++i)
          Store(dst + static_cast<int64_t>(c + i) * dst_row + r, v[i]);
      }
    }
    for (; c < cols; ++c) {
      Vf v{};
      for (size_t i = 0; i < here; ++i) v[i] = from[static_cast<int64_t>(i) * src_row + c];
      Store(dst + static_cast<int64_t>(c) * dst_row + r, v);
    }
  }
}

}  // namespace graviton::GRAVITON_NS

#endif
