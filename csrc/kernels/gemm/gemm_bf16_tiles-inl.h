// As kernels/gemm/gemm_bf16-inl.h, in the matrix unit: panels of two registers' columns, each
// [step of 32 k][vector][pair of k][column][2].
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/pixel_rows-inl.h"
#include "kernels/gemm/tile_registers-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr size_t kStep = kRegisterBytes / sizeof(uint16_t);
// A's block lies in half of a 2 MiB L2.
constexpr size_t kDepthBlock = 1024;
constexpr size_t kRowBlock = 256;
// Elements of A from row to row: one cache line more than a block, so that rows do not share a set.
constexpr size_t kRowElems = kDepthBlock + kStep;

constexpr size_t Padded(size_t depth) { return (depth + kStep - 1) / kStep * kStep; }

inline __m256i Round(Vf v) { return (__m256i)_mm512_cvtneps_pbh((__m512)v); }

// `depth` elements of a row, and zeros up to a whole step.
void RoundRow(const float* a, int64_t a_col, size_t depth, uint16_t* to) {
  const size_t padded = Padded(depth);
  for (size_t k = 0; k < padded; k += kLanes) {
    const size_t here = k >= depth ? 0 : depth - k < kLanes ? depth - k : kLanes;
    Vf v{};
    if (a_col == 1) {
      v = here == kLanes ? Load(a + k) : LoadPart(a + k, here);
    } else {
      for (size_t j = 0; j < here; ++j) v[j] = a[static_cast<int64_t>(k + j) * a_col];
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + k), Round(v));
  }
}

// One step of a panel from rows of floats, `row` apart.
void RoundStep(const float* rows, size_t row, size_t vectors, uint16_t* to) {
  for (size_t v = 0; v < vectors; ++v) {
    for (size_t k = 0; k < kStep; k += 2, to += 2 * kLanes) {
      const float* at = rows + k * row + v * kLanes;
      const __m512i even = _mm512_maskz_cvtepu16_epi32(0xffff, Round(Load(at)));
      const __m512i odd = _mm512_maskz_cvtepu16_epi32(0xffff, Round(Load(at + row)));
      _mm512_storeu_si512(to, (__m512i)((Vu)even | (Vu)odd << 16));
    }
  }
}

// Rows [row, row + rows) and a block of depth, A rounded into `a`.
struct Block {
  const uint16_t* a;
  size_t row;
  size_t rows;
  size_t k;
  size_t depth;
  bool last;
};

void RoundBlock(const GemmCall& g, const Block& block, uint16_t* a) {
  float gathered[kDepthBlock];
  for (size_t i = 0; i < block.rows; ++i, a += kRowElems) {
    const auto row = static_cast<int64_t>(block.row + i);
    if (g.pixels != nullptr) {
      GatherPixel(*g.pixels, g.first_pixel + row, block.k, block.depth, gathered);
      RoundRow(gathered, 1, block.depth, a);
    } else {
      RoundRow(g.a + row * g.a_row + static_cast<int64_t>(block.k) * g.a_col, g.a_col, block.depth,
               a);
    }
  }
}

// Where one vector of columns lies.
struct Columns {
  const uint16_t* first;  // of the block's depth
  size_t vectors;         // of the panel
  size_t vectors_after;   // of the panel, from this one on
};
Columns ColumnsAt(const GemmCall& g, size_t k, size_t vector) {
  const size_t panel = vector / kPatchVectors;
  const size_t within = vector % kPatchVectors;
  const size_t rest = VectorsOf(g.cols_n) - panel * kPatchVectors;
  const size_t vectors = rest < kPatchVectors ? rest : kPatchVectors;
  return {static_cast<const uint16_t*>(g.rounded_b) + panel * kPatchCols * Padded(g.depth_k) +
              k * vectors * kLanes + within * kStep * kLanes,
          vectors, vectors - within};
}

// One run of columns inside one panel, while the panel of `next` (null: none) is brought to L2.
void MultiplySegment(const GemmCall& g, const Block& block, const Patches& patches, size_t vector,
                     size_t vectors, const uint16_t* next, float* sums) {
  const size_t col = vector * kLanes;
  const size_t cols = g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes;
  const Columns place = ColumnsAt(g, block.k, vector);
  PatchCall call = {.a = block.a,
                    .a_row = kRowElems * sizeof(uint16_t),
                    .rows = patches.rows,
                    .panel = place.first,
                    .panel_step = place.vectors * kRegisterRows * kRegisterBytes,
                    .steps = Padded(block.depth) / kStep,
                    .ahead = reinterpret_cast<const char*>(next),
                    .ahead_step = 0};
  if (next != nullptr) call.ahead_step = call.panel_step / patches.count;
  TileOut out = OutOf(g, block.row, col, cols, block.k > 0, block.last);
  const PatchFunction multiply =
      kPatches<TileType::kBf16>[patches.register_rows - 1][vectors - 1];
  for (size_t row = 0; row < block.rows; row += patches.height()) {
    multiply(call, sums);
    const size_t left = block.rows - row;
    FinishPatch(&out, sums, left < patches.height() ? left : patches.height(), vectors);
    call.a = static_cast<const uint16_t*>(call.a) + patches.height() * kRowElems;
    call.ahead += call.ahead_step * call.steps;
  }
}

constexpr size_t kGroupVectors = kTile / kPatchCols * kPatchVectors;

void MultiplyBlock(const GemmCall& g, const Block& block, Range vectors, float* sums) {
  const Patches patches(block.rows);
  const TileRegisters registers(patches.rows);
  for (size_t group = vectors.begin; group < vectors.end; group += kGroupVectors) {
    const size_t end = group + kGroupVectors < vectors.end ? group + kGroupVectors : vectors.end;
    for (size_t v = group; v < end;) {
      size_t here = ColumnsAt(g, block.k, v).vectors_after;
      if (here > end - v) here = end - v;
      const bool more = v + here < vectors.end;
      MultiplySegment(g, block, patches, v, here,
                      more ? ColumnsAt(g, block.k, v + here).first : nullptr, sums);
      v += here;
    }
    if (!block.last) continue;
    const size_t col_end = end * kLanes < g.cols_n ? end * kLanes : g.cols_n;
    FollowTiles(g, block.row, block.rows, group * kLanes, col_end - group * kLanes);
  }
}

constexpr size_t kSumFloats = kPatchRows * kPatchCols;

void Multiply(const GemmCall& g, Range rows, Range vectors, float* scratch) {
  float* sums = scratch;
  auto* a = reinterpret_cast<uint16_t*>(scratch + kSumFloats);
  for (Block block = {a, rows.begin, 0, 0, 0, false}; block.row < rows.end;
       block.row += block.rows) {
    block.rows = rows.end - block.row < kRowBlock ? rows.end - block.row : kRowBlock;
    block.k = 0;
    do {
      block.depth = g.depth_k - block.k < kDepthBlock ? g.depth_k - block.k : kDepthBlock;
      block.last = block.k + block.depth == g.depth_k;
      RoundBlock(g, block, a);
      MultiplyBlock(g, block, vectors, sums);
      block.k += block.depth;
    } while (block.k < g.depth_k);
  }
}

// Patches may reach below the rows.
size_t ScratchFloats(const GemmCall& g) {
  const size_t rows = g.rows_m < kRowBlock ? g.rows_m : kRowBlock;
  return kSumFloats + (rows + kPatchRows) * kRowElems / 2;
}

void Pack(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n, Range panels,
          void* packed) {
  float rows[kStep * kPatchCols];
  auto* out = static_cast<uint16_t*>(packed);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t col = p * kPatchCols;
    const size_t cols = cols_n - col < kPatchCols ? cols_n - col : kPatchCols;
    const size_t vectors = VectorsOf(cols);
    const size_t width = vectors * kLanes;
    for (size_t k = 0; k < depth_k; k += kStep) {
      const size_t here = depth_k - k < kStep ? depth_k - k : kStep;
      for (size_t i = here * width; i < kStep * width; ++i) rows[i] = 0;
      PackPanel(b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(col) * b_col, b_row,
                b_col, here, cols, rows, static_cast<int64_t>(width));
      RoundStep(rows, width, vectors, out + col * Padded(depth_k) + k * width);
    }
  }
}

}  // namespace

extern const GemmKernels kGemmBf16;
const GemmKernels kGemmBf16 = {
    .lanes = kLanes,
    .tile_rows = kPatchRows,
    .tile_cols = kPatchCols,
    .depth_unit = kStep,
    .multiply = Multiply,
    .scratch_floats = ScratchFloats,
    .pack = Pack,
    .unpack = nullptr,
};

}  // namespace graviton::GRAVITON_NS
