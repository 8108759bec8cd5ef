#ifndef GRAVITON_KERNELS_GEMM_GEMM_H_
#define GRAVITON_KERNELS_GEMM_GEMM_H_

#include <cstddef>
#include <cstdint>

#include "kernels/conv/image.h"
#include "kernels/pointwise/clamp.h"
#include "kernels/pointwise/program.h"
#include "simd/dispatch.h"
#include "threads/thread_pool.h"

namespace graviton {

// A matrix whose row r is the window of pixel r, in the order (n, h, w): [tap][channel], zeros
// outside of the image.
struct PixelRows {
  Image image;
  const float* x;
};

// An epilogue that a tile applies to its sums in registers: x + residual[m, n], clamped.
struct TileEpilogue {
  const float* residual;  // null: none; contiguous columns
  int64_t residual_row;
  bool clamps;
  Clamp clamp;
};

// c[m, n] = epilogue(Σk a[m, k] · b[k, n] + bias[n]). Strides count elements and may be anything;
// c's columns are contiguous.
struct GemmCall {
  const float* a;
  int64_t a_row;
  int64_t a_col;
  const PixelRows* pixels;  // a from here on, if not null; all but kGemm take it
  int64_t first_pixel;
  const float* b;
  const void* prepared_b;  // b in a layout other than kGemmF32
  void* prepared_a;        // what `prepare` makes; null: `multiply` does so for its rows
  const float* kept;       // panels of a plain b (kernels/gemm/kept_panels.h); null: none
  bool packed;             // b's strides are unused
  int64_t b_row;
  int64_t b_col;
  float* c;
  int64_t c_row;
  const float* bias;         // null: none
  const Epilogue* epilogue;  // null: none
  TileEpilogue tile_epilogue;
  bool in_tiles;   // the epilogue is tile_epilogue, which tiles apply
  int64_t index1;  // of this product in the batch, for the epilogue
  int64_t index2;
  size_t rows_m;
  size_t cols_n;
  size_t depth_k;
};

// kGemmF32: column panels of `tile_cols`, one after the other, each depth_k rows of tile_cols
// floats; the last panel is as narrow as whole vectors allow and padded with zeros.
// kGemmBf16: the same panels of bfloat16, of which `depth_unit` consecutive k of a column (NEON: of
// each of two columns) lie together; depth is padded to it with zeros.
// kGemmInt8: a float and an int32 for each column, then panels likewise in int8.
// kGemmSplitF32: none of its own; it multiplies the panels of kGemmF32, or a plain b.
struct GemmKernels {
  size_t lanes;
  size_t tile_rows;
  size_t tile_cols;
  size_t depth_unit;
  // The part of a product that lies in these rows and vectors (of `lanes` columns).
  void (*multiply)(const GemmCall& call, Range rows, Range vectors, float* scratch);
  // What `multiply` needs at most.
  size_t (*scratch_floats)(const GemmCall& call);
  // Where A takes another form first: for all rows at once, so that threads may share the columns
  // without each making it anew, and by pieces as they come to them. Null elsewhere.
  size_t (*prepared_floats)(const GemmCall& call) = nullptr;
  void (*prepare)(const GemmCall& call, Range rows, float* scratch) = nullptr;
  void (*pack)(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n,
               Range panels, void* packed);
  // Null where packing rounds.
  void (*unpack)(const void* packed, size_t depth_k, size_t cols_n, Range panels, float* b,
                 int64_t b_row, int64_t b_col);
};
GRAVITON_DISPATCH(GemmKernels, kGemm)
GRAVITON_DISPATCH_BF16(GemmKernels, kGemmBf16)
GRAVITON_DISPATCH_BF16(GemmKernels, kGemmInt8)
#if !defined(__aarch64__)
GRAVITON_DISPATCH(GemmKernels, kGemmInt8Pairs)  // for levels without dot products
namespace avx512_amx {
extern const GemmKernels kGemmSplitF32;
}
#endif

}  // namespace graviton

#endif  // GRAVITON_KERNELS_GEMM_GEMM_H_
