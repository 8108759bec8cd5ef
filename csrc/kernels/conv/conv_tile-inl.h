// The register tile of convolutions: MultiplyAdd of kernels/gemm over one or more taps, with a
// pointer for each of its rows and each of its results.
#include "kernels/conv/epilogue-inl.h"
#include "kernels/gemm/micro_kernel-inl.h"
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_CONV_TILE_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_CONV_TILE_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_CONV_TILE_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_CONV_TILE_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_CONV_TILE_32
#else
#define GRAVITON_CONV_TILE_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {
namespace {

// Depth that meets all tiles of a block before the next, so that the panel stays in L2 (AVX-512) or
// L1.
#if GRAVITON_VECTOR_BYTES == 64
constexpr int64_t kDepthBlock = 768;
#else
constexpr int64_t kDepthBlock = 384;
#endif

struct ConvTile {
  const float* const* rows;  // of the first tap; `row_step` from tap to tap
  int64_t row_step;
  int64_t taps;
  int64_t offset;  // from the pointers to the channels that are read
  int64_t depth;
  const float* panel;
  int64_t panel_row;
  int64_t panel_tap;
  float* const* y;
  int64_t col;
  size_t last;         // columns in the last vector, 1 … kLanes
  bool add;            // to what y holds
  const float* bias;   // null: none
  const Clamp* clamp;  // null: none
  Ahead ahead = {};
};

template <int kRows, int kVectors>
void MultiplyTile(const ConvTile& t) {
  constexpr int kEnd = kVectors - 1;
  Vf sums[kRows][kVectors];
  ClearSums(sums);
  const float* panel = t.panel;
  const float* const* from = t.rows;
  Ahead ahead = t.ahead;
  for (int64_t tap = 0; tap < t.taps; ++tap) {
    const float* rows[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) rows[i] = from[i] + t.offset;
    MultiplyAdd(rows, static_cast<size_t>(t.depth), panel, t.panel_row, &ahead, sums);
    panel += t.panel_tap;
    from += t.row_step;
  }
  const bool whole = t.last == kLanes;
  if (t.bias != nullptr) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const float* at = t.bias + j * kLanes;
      const Vf bias = j < kEnd || whole ? Load(at) : LoadPart(at, t.last);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) sums[i][j] += bias;
    }
  }
  if (t.add) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const float* y = t.y[i] + t.col;
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j, y += kLanes) {
        sums[i][j] += j < kEnd || whole ? Load(y) : LoadPart(y, t.last);
      }
    }
  }
  if (t.clamp != nullptr) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Clamped(sums[i][j], *t.clamp);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* y = t.y[i] + t.col;
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j, y += kLanes) {
      if (j < kEnd || whole) {
        Store(y, sums[i][j]);
      } else {
        StorePart(y, sums[i][j], t.last);
      }
    }
  }
}

using ConvTileFunction = void (*)(const ConvTile&);
struct ConvTiles {
  ConvTileFunction of[kTileRows][kTileVectors];
};
template <int kRows>
constexpr void FillConvTiles(ConvTiles* tiles) {
  static_assert(kTileVectors == 2 || kTileVectors == 3);
  tiles->of[kRows - 1][0] = MultiplyTile<kRows, 1>;
  tiles->of[kRows - 1][1] = MultiplyTile<kRows, 2>;
  tiles->of[kRows - 1][kTileVectors - 1] = MultiplyTile<kRows, kTileVectors>;
  if constexpr (kRows > 1) FillConvTiles<kRows - 1>(tiles);
}
constexpr ConvTiles MakeConvTiles() {
  ConvTiles tiles{};
  FillConvTiles<kTileRows>(&tiles);
  return tiles;
}
constexpr ConvTiles kConvTiles = MakeConvTiles();

// `rows` and `y` of the first of `count` rows, against one panel. That at `next` (null: none) is as
// large.
void MultiplyTiles(ConvTile tile, int64_t count, size_t vectors, const float* next) {
  const int64_t tiles = (count + kTileRows - 1) / kTileRows;
  tile.ahead = AheadOf(next, vectors, static_cast<size_t>(tiles));
  const size_t turns = static_cast<size_t>(tile.taps * (tile.depth / kAheadEvery));
  // Tiles of nearly equal height: a thin last one would run at half speed.
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t height = count / tiles + (i < count % tiles);
    kConvTiles.of[height - 1][vectors - 1](tile);
    tile.rows += height;
    tile.y += height;
    if (next != nullptr) tile.ahead.from += tile.ahead.step * turns;
  }
}

}  // namespace
}  // namespace graviton::GRAVITON_NS

#endif
