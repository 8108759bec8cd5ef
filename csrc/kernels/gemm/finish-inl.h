// What is done to the sums of a tile, and to a part of c once it is complete. Internal linkage, as
// kernels/gemm/tiles-inl.h.
#include "kernels/gemm/gemm.h"
#include "kernels/pointwise/program-inl.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// Where the sums of a tile go.
struct TileOut {
  float* c;
  int64_t c_row;
  size_t cols;        // in the last vector, 1 … kLanes
  bool add;           // to what c holds
  const float* bias;  // null: none
};

// For a tile whose first element is c[row, col] and that is `cols` wide.
inline TileOut OutOf(const GemmCall& g, size_t row, size_t col, size_t cols, bool add, bool last) {
  return {.c = g.c + static_cast<int64_t>(row) * g.c_row + col,
          .c_row = g.c_row,
          .cols = (cols + kLanes - 1) % kLanes + 1,
          .add = add,
          .bias = last && g.bias != nullptr ? g.bias + col : nullptr};
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void FinishTile(const TileOut& out, Vf (&sums)[kRows][kVectors]) {
  constexpr int kLast = kVectors - 1;
  const bool whole = out.cols == kLanes;
  if (out.bias != nullptr) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const float* from = out.bias + j * kLanes;
      const Vf bias = j < kLast || whole ? Load(from) : LoadPart(from, out.cols);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) sums[i][j] += bias;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* c = out.c + i * out.c_row;
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j, c += kLanes) {
      if (j < kLast || whole) {
        Store(c, out.add ? sums[i][j] + Load(c) : sums[i][j]);
      } else {
        StorePart(c, out.add ? sums[i][j] + LoadPart(c, out.cols) : sums[i][j], out.cols);
      }
    }
  }
}

inline void RunEpilogueOf(const GemmCall& g, size_t row, size_t rows, size_t col, size_t cols) {
  if (g.epilogue == nullptr) return;
  for (size_t m = row; m < row + rows; ++m) {
    for (size_t n = col; n < col + cols; n += kTile) {
      float* c = g.c + static_cast<int64_t>(m) * g.c_row + n;
      const size_t here = col + cols - n < kTile ? col + cols - n : kTile;
      RunEpilogue(*g.epilogue, g.index1, g.index2, static_cast<int64_t>(m), static_cast<int64_t>(n),
                  here, c, c);
    }
  }
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
