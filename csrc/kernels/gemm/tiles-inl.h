// Register tiles of every size as functions, and dot products: what MatMul and Attention are built
// of. Compiled into each of them (internal linkage), so included once per family and level.
#include "kernels/gemm/finish-inl.h"
#include "kernels/gemm/micro_kernel-inl.h"
#include "simd/transpose-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// One tile: c (+)= a · panel (+ bias).
struct TileCall {
  const float* a;
  int64_t a_row;
  const float* panel;
  int64_t panel_row;
  size_t depth;
  TileOut out;
  Ahead ahead;
};

// Few rows leave too few sums to hide the latency of a multiply-add, so that k takes turns in
// several sets of them.
constexpr int TurnsOf(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddInTurns(const float* const (&rows)[kRows],
                                                      size_t depth, const float* panel,
                                                      int64_t panel_row, const char* ahead,
                                                      Vf (&sums)[kRows][kVectors]) {
  constexpr int kTurns = TurnsOf(kRows);
  constexpr size_t kBytes = kTurns * kVectors * sizeof(Vf);
  Vf turns[kTurns][kRows][kVectors];
#pragma GCC unroll 4
  for (int t = 0; t < kTurns; ++t) ClearSums(turns[t]);
  size_t k = 0;
  for (; k + kTurns <= depth; k += kTurns) {
    // One row takes a panel as fast as memory gives it, prefetched or not.
    if constexpr (kRows > 1) {
      Prefetch(ahead, kBytes);
      ahead += kBytes;
    }
#pragma GCC unroll 4
    for (int t = 0; t < kTurns; ++t) MultiplyAddStep(rows, k + t, panel + t * panel_row, turns[t]);
    panel += kTurns * panel_row;
  }
  for (; k < depth; ++k, panel += panel_row) MultiplyAddStep(rows, k, panel, turns[0]);
#pragma GCC unroll 2
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      if constexpr (kTurns == 4)
        turns[0][i][j] += turns[2][i][j] + (turns[1][i][j] + turns[3][i][j]);
      if constexpr (kTurns == 2) turns[0][i][j] += turns[1][i][j];
      sums[i][j] += turns[0][i][j];
    }
  }
}

// c's lines are fetched while the tile is computed: AVX2 +3 % where c comes from L3, AVX-512
// nothing.
constexpr bool kPrefetchTile = GRAVITON_VECTOR_BYTES != 64;
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void PrefetchTile(float* c, int64_t c_row) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors * kLanes; j += 16) __builtin_prefetch(c + i * c_row + j, 1);
  }
}

template <int kRows, int kVectors>
void Tile(const TileCall& t) {
  const float* rows[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) rows[i] = t.a + i * t.a_row;
  if constexpr (kPrefetchTile) PrefetchTile<kRows, kVectors>(t.out.c, t.out.c_row);
  Vf sums[kRows][kVectors];
  ClearSums(sums);
  if constexpr (TurnsOf(kRows) > 1) {
    // With nothing ahead, what is read anyhow.
    const char* ahead = t.ahead.from;
    if (ahead == nullptr) ahead = reinterpret_cast<const char*>(t.panel);
    MultiplyAddInTurns(rows, t.depth, t.panel, t.panel_row, ahead, sums);
  } else {
    Ahead ahead = t.ahead;
    MultiplyAdd(rows, t.depth, t.panel, t.panel_row, &ahead, sums);
  }
  FinishTile(t.out, sums);
}

using TileFunction = void (*)(const TileCall&);
template <int kRows>
constexpr TileFunction TileOf(int vectors) {
  static_assert(kTileVectors <= 3);
  return vectors == 1 ? Tile<kRows, 1> : vectors == 2 ? Tile<kRows, 2> : Tile<kRows, kTileVectors>;
}
struct TileTable {
  TileFunction of[kTileRows][kTileVectors];
};
template <int kRows>
constexpr void FillTiles(TileTable* table) {
  for (int v = 1; v <= kTileVectors; ++v) table->of[kRows - 1][v - 1] = TileOf<kRows>(v);
  if constexpr (kRows > 1) FillTiles<kRows - 1>(table);
}
constexpr TileTable MakeTiles() {
  TileTable table{};
  FillTiles<kTileRows>(&table);
  return table;
}
constexpr TileTable kTiles = MakeTiles();

// All rows of a block with one panel: `call` is the first tile but for its rows. The panel at
// `next` (null: none) is as large as this one.
void RunTiles(TileCall call, size_t rows, size_t vectors, const float* next) {
  const size_t tiles = (rows + kTileRows - 1) / kTileRows;
  call.ahead = AheadOf(next, vectors, tiles);
  // Tiles of nearly equal height: a thin last one would run at half speed.
  for (size_t tile = 0; tile < tiles; ++tile) {
    const size_t height = rows / tiles + (tile < rows % tiles);
    kTiles.of[height - 1][vectors - 1](call);
    call.a += static_cast<int64_t>(height) * call.a_row;
    MoveDown(&call.out, height);
    if (next != nullptr) call.ahead.from += call.ahead.step * (call.depth / kAheadEvery);
  }
}

// kLanes columns of one row, whose B is contiguous along k: a dot product each.
Vf DotColumns(const float* a, const float* const (&b)[kLanes], size_t depth) {
  Vf sums[kLanes];
#pragma GCC unroll 16
  for (size_t i = 0; i < kLanes; ++i) sums[i] = Vf{};
  size_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    const Vf here = Load(a + k);
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) sums[i] += here * Load(b[i] + k);
  }
  if (k < depth) {
    const Vf here = LoadPart(a + k, depth - k);
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) sums[i] += here * LoadPart(b[i] + k, depth - k);
  }
  return SumsOf(sums);
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
