// Transposes of 4-byte elements in registers: squares of 8 from AVX2 on, else of 4. Squares of 16
// for AVX-512 were left out: the copy waits for memory, and two squares of 8 fill the same cache
// lines.

namespace graviton::GRAVITON_NS {

#if GRAVITON_VECTOR_BYTES == 16
constexpr int64_t kSquare = 4;
#else
constexpr int64_t kSquare = 8;
#endif
typedef uint32_t Row __attribute__((vector_size(kSquare * sizeof(uint32_t))));
typedef uint32_t RowUnaligned
    __attribute__((vector_size(kSquare * sizeof(uint32_t)), aligned(4), may_alias));

#if GRAVITON_VECTOR_BYTES == 16
static inline void TransposeSquare(Row (&r)[4]) {
  const Row low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const Row high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Row low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Row high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}
#else
// Within the 128-bit halves as above, then the halves change places.
static inline void TransposeSquare(Row (&r)[8]) {
  Row half[8];
#pragma GCC unroll 2
  for (int q = 0; q < 8; q += 4) {
    const Row low01 = __builtin_shufflevector(r[q], r[q + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    const Row high01 = __builtin_shufflevector(r[q], r[q + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    const Row low23 = __builtin_shufflevector(r[q + 2], r[q + 3], 0, 8, 1, 9, 4, 12, 5, 13);
    const Row high23 = __builtin_shufflevector(r[q + 2], r[q + 3], 2, 10, 3, 11, 6, 14, 7, 15);
    half[q] = __builtin_shufflevector(low01, low23, 0, 1, 8, 9, 4, 5, 12, 13);
    half[q + 1] = __builtin_shufflevector(low01, low23, 2, 3, 10, 11, 6, 7, 14, 15);
    half[q + 2] = __builtin_shufflevector(high01, high23, 0, 1, 8, 9, 4, 5, 12, 13);
    half[q + 3] = __builtin_shufflevector(high01, high23, 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = __builtin_shufflevector(half[i], half[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(half[i], half[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}
#endif

static void TransposeWords(const uint32_t* src, int64_t src_stride, uint32_t* dst,
                           int64_t dst_stride, int64_t rows, int64_t cols) {
  int64_t col = 0;
  for (; col + kSquare <= cols; col += kSquare) {
    int64_t row = 0;
    for (; row + kSquare <= rows; row += kSquare) {
      const uint32_t* from = src + row * src_stride + col;
      uint32_t* to = dst + col * dst_stride + row;
      Row r[kSquare];
#pragma GCC unroll 8
      for (int i = 0; i < kSquare; ++i) {
        r[i] = *reinterpret_cast<const RowUnaligned*>(from + i * src_stride);
      }
      TransposeSquare(r);
#pragma GCC unroll 8
      for (int i = 0; i < kSquare; ++i) {
        *reinterpret_cast<RowUnaligned*>(to + i * dst_stride) = r[i];
      }
    }
    for (; row < rows; ++row) {
      for (int64_t i = col; i < col + kSquare; ++i) {
        dst[i * dst_stride + row] = src[row * src_stride + i];
      }
    }
  }
  for (; col < cols; ++col) {
    for (int64_t row = 0; row < rows; ++row) {
      dst[col * dst_stride + row] = src[row * src_stride + col];
    }
  }
}

extern const TransposeKernels kTranspose = {TransposeWords};

}  // namespace graviton::GRAVITON_NS
