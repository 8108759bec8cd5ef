#ifndef GRAVITON_KERNELS_GEMM_GEMM_H_
#define GRAVITON_KERNELS_GEMM_GEMM_H_

#include <cstddef>
#include <cstdint>

#include "kernels/pointwise/program.h"
#include "simd/dispatch.h"
#include "threads/thread_pool.h"

namespace graviton {

// c[m, n] = epilogue(Σk a[m, k] · b[k, n] + bias[n]). Strides count elements and may be anything;
// c's columns are contiguous.
struct GemmCall {
  const float* a;
  int64_t a_row;
  int64_t a_col;
  const float* b;
  bool packed;  // b is kGemmF32; its strides are unused
  int64_t b_row;
  int64_t b_col;
  float* c;
  int64_t c_row;
  const float* bias;         // null: none
  const Epilogue* epilogue;  // null: none
  int64_t index1;            // of this product in the batch, for the epilogue
  int64_t index2;
  size_t rows_m;
  size_t cols_n;
  size_t depth_k;
};

// kGemmF32: column panels of `tile_cols`, one after the other, each depth_k rows of tile_cols
// floats; the last panel is as narrow as whole vectors allow and padded with zeros.
struct GemmKernels {
  size_t lanes;
  size_t tile_rows;
  size_t tile_cols;
  // The part of a product that lies in these rows and vectors (of `lanes` columns).
  void (*multiply)(const GemmCall& call, Range rows, Range vectors, float* scratch);
  // Floats that `multiply` needs at most.
  size_t scratch_floats;
  void (*pack)(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n,
               Range panels, float* packed);
  void (*unpack)(const float* packed, size_t depth_k, size_t cols_n, Range panels, float* b,
                 int64_t b_row, int64_t b_col);
};
GRAVITON_DISPATCH(GemmKernels, kGemm)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_GEMM_GEMM_H_
