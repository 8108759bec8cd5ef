// What is done to the sums of a tile, and to a part of c once it is complete. Internal linkage, as
// kernels/gemm/tiles-inl.h.
#include "kernels/gemm/gemm.h"
#include "kernels/pointwise/clamp-inl.h"
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
  const float* residual = nullptr;
  int64_t residual_row = 0;
  const Clamp* clamp = nullptr;
};

// For a tile whose first element is c[row, col] and that is `cols` wide.
inline TileOut OutOf(const GemmCall& g, size_t row, size_t col, size_t cols, bool add, bool last) {
  TileOut out = {.c = g.c + static_cast<int64_t>(row) * g.c_row + col,
                 .c_row = g.c_row,
                 .cols = (cols + kLanes - 1) % kLanes + 1,
                 .add = add,
                 .bias = last && g.bias != nullptr ? g.bias + col : nullptr};
  if (!last || !g.in_tiles) return out;
  const TileEpilogue& then = g.tile_epilogue;
  if (then.clamps) out.clamp = &then.clamp;
  if (then.residual == nullptr) return out;
  out.residual_row = then.residual_row;
  out.residual = then.residual + static_cast<int64_t>(row) * then.residual_row + col;
  return out;
}
// The same `rows` further down.
inline void MoveDown(TileOut* out, size_t rows) {
  out->c += static_cast<int64_t>(rows) * out->c_row;
  if (out->residual != nullptr) out->residual += static_cast<int64_t>(rows) * out->residual_row;
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
  const auto add_tile = [&](const float* from, int64_t row) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j) {
        const float* at = from + i * row + j * kLanes;
        sums[i][j] += j < kLast || whole ? Load(at) : LoadPart(at, out.cols);
      }
    }
  };
  if (out.add) add_tile(out.c, out.c_row);
  if (out.residual != nullptr) add_tile(out.residual, out.residual_row);
  if (out.clamp != nullptr) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Clamped(sums[i][j], *out.clamp);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* c = out.c + i * out.c_row;
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j, c += kLanes) {
      if (j < kLast || whole) {
        Store(c, sums[i][j]);
      } else {
        StorePart(c, sums[i][j], out.cols);
      }
    }
  }
}

inline void RunEpilogueOf(const GemmCall& g, size_t row, size_t rows, size_t col, size_t cols) {
  if (g.epilogue == nullptr) return;
  for (size_t n = col; n < col + cols; n += kTile) {
    float* c = g.c + static_cast<int64_t>(row) * g.c_row + n;
    const size_t here = col + cols - n < kTile ? col + cols - n : kTile;
    RunEpilogueRows(*g.epilogue, g.index1, g.index2, static_cast<int64_t>(row), rows,
                    static_cast<int64_t>(n), here, c, c, g.c_row);
  }
}
// What is left to do on a part of c that tiles have finished.
inline void FollowTiles(const GemmCall& g, size_t row, size_t rows, size_t col, size_t cols) {
  if (!g.in_tiles) RunEpilogueOf(g, row, rows, col, cols);
}

// Calls segment(vector, vectors) for each run of columns inside one panel of `kPanelVectors`, and
// does what follows the tiles after as many columns as an epilogue takes at once: its runs are near
// their longest, and their part of c is still in L2. `last`: of the depth.
template <size_t kPanelVectors, class Segment>
void ForSegments(const GemmCall& g, size_t row, size_t rows, Range vectors, bool last,
                 const Segment& segment) {
  constexpr size_t kGroup = kTile / (kPanelVectors * kLanes) * kPanelVectors;
  for (size_t group = vectors.begin; group < vectors.end; group += kGroup) {
    const size_t end = group + kGroup < vectors.end ? group + kGroup : vectors.end;
    for (size_t v = group; v < end;) {
      const size_t panel_end = (v / kPanelVectors + 1) * kPanelVectors;
      const size_t here = (panel_end < end ? panel_end : end) - v;
      segment(v, here);
      v += here;
    }
    if (!last) continue;
    const size_t col_end = end * kLanes < g.cols_n ? end * kLanes : g.cols_n;
    FollowTiles(g, row, rows, group * kLanes, col_end - group * kLanes);
  }
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
