// Blocked matrix product after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), section 4, with B in panels prepared beforehand: for each block of rows
// and of depth, each panel is met by all the block's row tiles while it is in cache. A is read in
// place where its rows are contiguous: a tile is wide enough that packing A would not pay.
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/tiles-inl.h"

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
                   .out = OutOf(g, block.row, col, cols, block.k > 0, block.last),
                   .ahead = {}};
  const float* next = nullptr;
  if (const float* panels = g.packed ? g.b : g.kept; panels != nullptr) {
    const PanelPlace place = PlaceOf(panels, g.depth_k, VectorsOf(g.cols_n), vector);
    call.panel = place.first + static_cast<int64_t>(block.k) * place.row;
    call.panel_row = place.row;
    if (vector + vectors < vectors_end && g.depth_k * g.cols_n > kKeptByL2) {
      const PanelPlace after = PlaceOf(panels, g.depth_k, VectorsOf(g.cols_n), vector + vectors);
      next = after.first + static_cast<int64_t>(block.k) * after.row;
    }
  } else {
    const float* b =
        g.b + static_cast<int64_t>(block.k) * g.b_row + static_cast<int64_t>(col) * g.b_col;
    if (g.b_col == 1 && block.rows <= kDirectRows && call.out.cols == kLanes) {
      call.panel = b;
      call.panel_row = g.b_row;
    } else {
      call.panel_row = static_cast<int64_t>(vectors * kLanes);
      PackPanel(b, g.b_row, g.b_col, block.depth, cols, panel_scratch, call.panel_row);
      call.panel = panel_scratch;
    }
  }
  RunTiles(call, block.rows, vectors, next);
}

void MultiplyBlock(const GemmCall& g, const RowBlock& block, Range vectors, float* panel_scratch) {
  ForSegments<kTileVectors>(g, block.row, block.rows, vectors, block.last,
                            [&](size_t vector, size_t count) {
                              MultiplySegment(g, block, vector, count, vectors.end, panel_scratch);
                            });
}

size_t RowBlockOf(const GemmCall& g) { return g.packed ? kRowBlock : kRowBlockUnpacked; }
// For rows whose elements are not contiguous, and for a panel of unpacked B.
size_t RowsFloats(const GemmCall& g) {
  const size_t rows = g.rows_m < RowBlockOf(g) ? g.rows_m : RowBlockOf(g);
  return g.a_col == 1 ? 0 : rows * static_cast<size_t>(kPackedRow);
}
size_t ScratchFloats(const GemmCall& g) {
  return RowsFloats(g) + (g.packed ? 0 : kDepthBlock * kTileCols);
}

void MultiplyBlocks(const GemmCall& g, Range rows, Range vectors, float* scratch) {
  const size_t depth_blocks = g.depth_k == 0 ? 1 : (g.depth_k + kDepthBlock - 1) / kDepthBlock;
  const size_t depth_block = VectorsOf((g.depth_k + depth_blocks - 1) / depth_blocks) * kLanes;
  const size_t row_block = RowBlockOf(g);
  for (size_t row = rows.begin; row < rows.end; row += row_block) {
    RowBlock block;
    block.row = row;
    block.rows = rows.end - row < row_block ? rows.end - row : row_block;
    block.k = 0;
    do {
      block.depth = g.depth_k - block.k < depth_block ? g.depth_k - block.k : depth_block;
      block.last = block.k + block.depth == g.depth_k;
      const float* a =
          g.a + static_cast<int64_t>(row) * g.a_row + static_cast<int64_t>(block.k) * g.a_col;
      if (g.a_col == 1) {
        block.a = a;
        block.a_row = g.a_row;
      } else {
        PackRows(a, g.a_row, g.a_col, block.rows, block.depth, scratch, kPackedRow);
        block.a = scratch;
        block.a_row = kPackedRow;
      }
      MultiplyBlock(g, block, vectors, scratch + RowsFloats(g));
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
    for (size_t s = 0; s < kSteps; ++s)
      a[i][s] = Splat(from[static_cast<int64_t>(i) * g.a_row + s]);
  }
  const float* b = g.b + static_cast<int64_t>(k) * g.b_row + col;
  float* c = g.c + static_cast<int64_t>(row) * g.c_row + col;
  const auto take = [&](auto load, auto store) {
    Vf sums[kRows];
#pragma GCC unroll 2
    for (size_t i = 0; i < kRows; ++i)
      sums[i] = k == 0 ? Vf{} : load(c + static_cast<int64_t>(i) * g.c_row);
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
    .depth_unit = 1,
    .multiply = Multiply,
    .scratch_floats = ScratchFloats,
    .pack = PackPanels,
    .unpack = UnpackPanels,
};

}  // namespace graviton::GRAVITON_NS
