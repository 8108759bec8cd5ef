// Blocked matrix product after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), section 4, with B in panels prepared beforehand: for each block of rows and
// of depth, each panel is met by all the block's row tiles while it is in cache. A is read in place
// where its rows are contiguous: a tile is wide enough that packing A would not pay.
#include "kernels/gemm/micro_kernel-inl.h"
#include "kernels/gemm/panels-inl.h"
#include "kernels/pointwise/program-inl.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// A block of depth: kRowBlock rows of A fill less than half of a 1 MiB L2, its panel of B the rest
// (AVX-512) or a part of L1 (NEON: 24 KiB of 64). AVX2 at 384, with its panel in L1, lost 2 % to
// adding to c twice as often.
#if defined(__aarch64__)
constexpr size_t kDepthBlock = 512;
#else
constexpr size_t kDepthBlock = 768;
#endif
constexpr size_t kRowBlock = 128;
// Unpacked B is packed anew for each block of rows, so these are larger.
constexpr size_t kRowBlockUnpacked = 512;
constexpr int64_t kPackedRow = kDepthBlock + 16;  // rows 4 KiB apart would share a set of L1
static_assert(kPackedRow % kLanes == 0);

// Up to this many rows, B is read in place: with contiguous columns, with contiguous rows.
constexpr size_t kDotRows = 4;
constexpr size_t kDirectRows = kTileRows;

struct TileCall {
  const float* a;
  int64_t a_row;
  const float* panel;
  int64_t panel_row;
  size_t depth;
  float* c;
  int64_t c_row;
  size_t cols;        // in the last vector, 1 … kLanes
  bool add;           // to what c holds
  const float* bias;  // null: none
  const char* ahead;  // what is needed next; null: nothing
  size_t ahead_step;  // bytes of it per kPrefetchEvery k
};

// Few rows leave too few sums to hide the latency of a multiply-add, so that k takes turns in
// several sets of them.
constexpr int TurnsOf(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddInTurns(const float* const (&rows)[kRows], size_t depth,
                                                      const float* panel, int64_t panel_row,
                                                      Vf (&sums)[kRows][kVectors]) {
  constexpr int kTurns = TurnsOf(kRows);
  Vf turns[kTurns][kRows][kVectors];
#pragma GCC unroll 4
  for (int t = 0; t < kTurns; ++t) ClearSums(turns[t]);
  size_t k = 0;
  for (; k + kTurns <= depth; k += kTurns) {
#pragma GCC unroll 4
    for (int t = 0; t < kTurns; ++t) MultiplyAddStep(rows, k + t, panel + t * panel_row, turns[t]);
    panel += kTurns * panel_row;
  }
  for (; k < depth; ++k, panel += panel_row) MultiplyAddStep(rows, k, panel, turns[0]);
#pragma GCC unroll 2
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      if constexpr (kTurns == 4) turns[0][i][j] += turns[2][i][j] + (turns[1][i][j] + turns[3][i][j]);
      if constexpr (kTurns == 2) turns[0][i][j] += turns[1][i][j];
      sums[i][j] += turns[0][i][j];
    }
  }
}

// The next packed panel is brought to L2 while this one is worked on. 128x3072x768 on Zen 4, one
// thread: AVX2 82 → 89 % of the peak; AVX-512 95 → 94 %, whose 3 times larger panels the processor's
// own prefetcher keeps up with. With fewer tiles than kPrefetchTiles a panel is read too fast for
// prefetches to run ahead.
constexpr bool kPrefetchPanels = GRAVITON_VECTOR_BYTES != 64;
constexpr size_t kPrefetchTiles = 4;
constexpr size_t kPrefetchEvery = 8;  // k: by 1 cost 1 %

// c's lines are fetched while the tile is computed: AVX2 +3 % where c comes from L3.
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
  constexpr int kLast = kVectors - 1;
  if constexpr (kPrefetchPanels) PrefetchTile<kRows, kVectors>(t.c, t.c_row);
  Vf sums[kRows][kVectors];
  ClearSums(sums);
  if constexpr (TurnsOf(kRows) > 1) {
    MultiplyAddInTurns(rows, t.depth, t.panel, t.panel_row, sums);
  } else if (t.ahead == nullptr) {
    MultiplyAdd(rows, t.depth, t.panel, t.panel_row, sums);
  } else {
    const float* panel = t.panel;
    const char* ahead = t.ahead;
    for (size_t k = 0; k < t.depth; k += kPrefetchEvery) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += t.ahead_step;
      const size_t here = t.depth - k < kPrefetchEvery ? t.depth - k : kPrefetchEvery;
      MultiplyAdd(rows, here, panel, t.panel_row, sums);
      panel += static_cast<int64_t>(kPrefetchEvery) * t.panel_row;
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) rows[i] += kPrefetchEvery;
    }
  }
  const bool whole = t.cols == kLanes;
  if (t.bias != nullptr) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const float* from = t.bias + j * kLanes;
      const Vf bias = j < kLast || whole ? Load(from) : LoadPart(from, t.cols);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) sums[i][j] += bias;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* c = t.c + i * t.c_row;
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j, c += kLanes) {
      if (j < kLast || whole) {
        Store(c, t.add ? sums[i][j] + Load(c) : sums[i][j]);
      } else {
        StorePart(c, t.add ? sums[i][j] + LoadPart(c, t.cols) : sums[i][j], t.cols);
      }
    }
  }
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

// All rows of a block with one panel: `call` is the first tile but for its rows. What comes `ahead`
// is as large as this panel.
void RunTiles(TileCall call, size_t rows, size_t vectors) {
  const size_t tiles = (rows + kTileRows - 1) / kTileRows;
  if (!kPrefetchPanels || tiles < kPrefetchTiles) call.ahead = nullptr;
  call.ahead_step = vectors * sizeof(Vf) * kPrefetchEvery / tiles;
  // Tiles of nearly equal height: a thin last one would run at half speed.
  for (size_t tile = 0; tile < tiles; ++tile) {
    const size_t height = rows / tiles + (tile < rows % tiles);
    kTiles.of[height - 1][vectors - 1](call);
    call.a += static_cast<int64_t>(height) * call.a_row;
    call.c += static_cast<int64_t>(height) * call.c_row;
    if (call.ahead != nullptr) call.ahead += call.ahead_step * (call.depth / kPrefetchEvery);
  }
}

void RunEpilogueOf(const GemmCall& g, size_t row, size_t rows, size_t col, size_t cols) {
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

// A block of rows and depth, its A made contiguous along k.
struct RowBlock {
  const float* a;
  int64_t a_row;
  size_t row;
  size_t rows;
  size_t k;
  size_t depth;
  bool last;  // of the depth
};

// One run of columns inside one panel against a block of rows.
void MultiplySegment(const GemmCall& g, const RowBlock& block, size_t vector, size_t vectors,
                     size_t vectors_end, float* panel_scratch) {
  const size_t col = vector * kLanes;
  const size_t cols = g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes;
  TileCall call = {.a = block.a,
                   .a_row = block.a_row,
                   .panel = nullptr,
                   .panel_row = 0,
                   .depth = block.depth,
                   .c = g.c + static_cast<int64_t>(block.row) * g.c_row + col,
                   .c_row = g.c_row,
                   .cols = cols - (vectors - 1) * kLanes,
                   .add = block.k > 0,
                   .bias = block.last && g.bias != nullptr ? g.bias + col : nullptr,
                   .ahead = nullptr,
                   .ahead_step = 0};
  if (g.packed) {
    const PanelPlace place = PlaceOf(g.b, g.depth_k, VectorsOf(g.cols_n), vector);
    call.panel = place.first + static_cast<int64_t>(block.k) * place.row;
    call.panel_row = place.row;
    if (vector + vectors < vectors_end) {
      const PanelPlace next = PlaceOf(g.b, g.depth_k, VectorsOf(g.cols_n), vector + vectors);
      call.ahead = reinterpret_cast<const char*>(next.first + static_cast<int64_t>(block.k) * next.row);
    }
  } else {
    const float* b = g.b + static_cast<int64_t>(block.k) * g.b_row + static_cast<int64_t>(col) * g.b_col;
    if (g.b_col == 1 && block.rows <= kDirectRows && call.cols == kLanes) {
      call.panel = b;
      call.panel_row = g.b_row;
    } else {
      call.panel_row = static_cast<int64_t>(vectors * kLanes);
      PackPanel(b, g.b_row, g.b_col, block.depth, cols, panel_scratch, call.panel_row);
      call.panel = panel_scratch;
    }
  }
  RunTiles(call, block.rows, vectors);
}

// Columns per turn of the epilogue: runs near its longest, and the block's part of c still in L2.
constexpr size_t kGroupVectors = kTile / kTileCols * kTileVectors;

void MultiplyBlock(const GemmCall& g, const RowBlock& block, Range vectors, float* panel_scratch) {
  const size_t all = VectorsOf(g.cols_n);
  for (size_t group = vectors.begin; group < vectors.end; group += kGroupVectors) {
    const size_t end = group + kGroupVectors < vectors.end ? group + kGroupVectors : vectors.end;
    for (size_t v = group; v < end;) {
      size_t here = PlaceOf(nullptr, 0, all, v).vectors_after;
      if (here > end - v) here = end - v;
      MultiplySegment(g, block, v, here, vectors.end, panel_scratch);
      v += here;
    }
    if (!block.last) continue;
    const size_t col_end = end * kLanes < g.cols_n ? end * kLanes : g.cols_n;
    RunEpilogueOf(g, block.row, block.rows, group * kLanes, col_end - group * kLanes);
  }
}

constexpr size_t kRowsScratch = kRowBlockUnpacked * kPackedRow;
constexpr size_t kPanelScratch = kDepthBlock * kTileCols;

void MultiplyBlocks(const GemmCall& g, Range rows, Range vectors, float* scratch) {
  const size_t depth_blocks = g.depth_k == 0 ? 1 : (g.depth_k + kDepthBlock - 1) / kDepthBlock;
  const size_t depth_block = VectorsOf((g.depth_k + depth_blocks - 1) / depth_blocks) * kLanes;
  const size_t row_block = g.packed ? kRowBlock : kRowBlockUnpacked;
  for (size_t row = rows.begin; row < rows.end; row += row_block) {
    RowBlock block;
    block.row = row;
    block.rows = rows.end - row < row_block ? rows.end - row : row_block;
    block.k = 0;
    do {
      block.depth = g.depth_k - block.k < depth_block ? g.depth_k - block.k : depth_block;
      block.last = block.k + block.depth == g.depth_k;
      const float* a = g.a + static_cast<int64_t>(row) * g.a_row + static_cast<int64_t>(block.k) * g.a_col;
      if (g.a_col == 1) {
        block.a = a;
        block.a_row = g.a_row;
      } else {
        PackRows(a, g.a_row, g.a_col, block.rows, block.depth, scratch, kPackedRow);
        block.a = scratch;
        block.a_row = kPackedRow;
      }
      MultiplyBlock(g, block, vectors, scratch + kRowsScratch);
      block.k += block.depth;
    } while (block.k < g.depth_k);
  }
}

// Steps of depth that one pass over c's columns takes: what registers hold of A.
constexpr size_t SweepSteps(size_t rows) { return rows == 1 ? 8 : 4; }
// Columns whose sums stay in L1 from pass to pass.
constexpr size_t kSweepCols = 2048;

template <size_t kRows, size_t kSteps>
void SweepPass(const GemmCall& g, size_t row, size_t k, size_t col, size_t cols) {
  Vf a[kRows][kSteps];
  const float* from = g.a + static_cast<int64_t>(row) * g.a_row + k;
#pragma GCC unroll 2
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (size_t s = 0; s < kSteps; ++s) a[i][s] = Splat(from[static_cast<int64_t>(i) * g.a_row + s]);
  }
  const float* b = g.b + static_cast<int64_t>(k) * g.b_row + col;
  float* c = g.c + static_cast<int64_t>(row) * g.c_row + col;
  const auto take = [&](auto load, auto store) {
    Vf sums[kRows];
#pragma GCC unroll 2
    for (size_t i = 0; i < kRows; ++i) sums[i] = k == 0 ? Vf{} : load(c + static_cast<int64_t>(i) * g.c_row);
#pragma GCC unroll 8
    for (size_t s = 0; s < kSteps; ++s) {
      const Vf here = load(b + static_cast<int64_t>(s) * g.b_row);
#pragma GCC unroll 2
      for (size_t i = 0; i < kRows; ++i) sums[i] += a[i][s] * here;
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < kRows; ++i) store(c + static_cast<int64_t>(i) * g.c_row, sums[i]);
  };
  size_t n = 0;
  for (; n + kLanes <= cols; n += kLanes, b += kLanes, c += kLanes) {
    take([](const float* p) { return Load(p); }, [](float* p, Vf v) { Store(p, v); });
  }
  if (n < cols) {
    const size_t part = cols - n;
    take([part](const float* p) { return LoadPart(p, part); },
         [part](float* p, Vf v) { StorePart(p, v, part); });
  }
}

void AddBias(const GemmCall& g, size_t row, size_t rows, size_t col, size_t cols) {
  if (g.bias == nullptr) return;
  for (size_t m = row; m < row + rows; ++m) {
    float* c = g.c + static_cast<int64_t>(m) * g.c_row;
    for (size_t n = col; n < col + cols; ++n) c[n] += g.bias[n];
  }
}

// One or two rows with B's rows contiguous: whole rows of B pass by, so that memory is read in
// order; a column panel at a time would touch a page for each 48 columns.
template <size_t kRows>
void Sweep(const GemmCall& g, size_t row, Range cols) {
  constexpr size_t kSteps = SweepSteps(kRows);
  for (size_t col = cols.begin; col < cols.end; col += kSweepCols) {
    const size_t here = cols.end - col < kSweepCols ? cols.end - col : kSweepCols;
    size_t k = 0;
    for (; k + kSteps <= g.depth_k; k += kSteps) SweepPass<kRows, kSteps>(g, row, k, col, here);
    for (; k < g.depth_k; ++k) SweepPass<kRows, 1>(g, row, k, col, here);
    AddBias(g, row, kRows, col, here);
    RunEpilogueOf(g, row, kRows, col, here);
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

void Dot(const GemmCall& g, Range rows, Range cols) {
  for (size_t col = cols.begin; col < cols.end; col += kLanes) {
    const size_t here = cols.end - col < kLanes ? cols.end - col : kLanes;
    const float* b[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      b[i] = g.b + static_cast<int64_t>(col + (i < here ? i : 0)) * g.b_col;
    }
    const Vf bias = g.bias == nullptr ? Vf{} : LoadPart(g.bias + col, here);
    for (size_t m = rows.begin; m < rows.end; ++m) {
      const Vf sums = DotColumns(g.a + static_cast<int64_t>(m) * g.a_row, b, g.depth_k);
      StorePart(g.c + static_cast<int64_t>(m) * g.c_row + col, sums + bias, here);
    }
  }
  RunEpilogueOf(g, rows.begin, rows.end - rows.begin, cols.begin, cols.end - cols.begin);
}

void Multiply(const GemmCall& g, Range rows, Range vectors, float* scratch) {
  if (rows.begin == rows.end || vectors.begin == vectors.end) return;
  const size_t count = rows.end - rows.begin;
  if (!g.packed && g.a_col == 1 && g.depth_k > 0) {
    const size_t last = vectors.end * kLanes;
    const Range cols = {vectors.begin * kLanes, last < g.cols_n ? last : g.cols_n};
    if (g.b_col == 1 && count == 1) return Sweep<1>(g, rows.begin, cols);
    if (g.b_col == 1 && count == 2) return Sweep<2>(g, rows.begin, cols);
    if (g.b_row == 1 && count <= kDotRows) return Dot(g, rows, cols);
  }
  MultiplyBlocks(g, rows, vectors, scratch);
}

}  // namespace

extern const GemmKernels kGemm;
const GemmKernels kGemm = {
    .lanes = kLanes,
    .tile_rows = kTileRows,
    .tile_cols = kTileCols,
    .multiply = Multiply,
    .scratch_floats = kRowsScratch + kPanelScratch,
    .pack = PackPanels,
    .unpack = UnpackPanels,
};

}  // namespace graviton::GRAVITON_NS
