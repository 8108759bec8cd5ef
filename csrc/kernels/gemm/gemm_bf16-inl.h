// Matrix product with weights in bfloat16 (kGemmBf16) and sums in float32, by the instructions that
// multiply pairs (VDPBF16PS) or fours (BFMMLA) of k at once. A is rounded to bfloat16 block by
// block. The blocking is that of kernels/gemm/gemm-inl.h.
#include "kernels/gemm/finish-inl.h"
#include "kernels/gemm/micro_kernel-inl.h"
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/pixel_rows-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// k that one instruction takes; depth is padded to it with zeros.
#if defined(__aarch64__)
constexpr size_t kUnit = 4;
#else
constexpr size_t kUnit = 2;
#endif
constexpr size_t kDepthBlock = 1536;  // panels as many bytes as in float32
constexpr size_t kRowBlock = 128;
// Elements of A from row to row; 64 bytes more than a block, so that rows 4 KiB apart cannot meet.
constexpr size_t kTileRow = kDepthBlock + 32;
constexpr size_t kTileElems = kTileRows * kTileRow;
constexpr size_t kRowTiles = (kRowBlock + kTileRows - 1) / kTileRows;

constexpr size_t Padded(size_t depth) { return (depth + kUnit - 1) / kUnit * kUnit; }

#if defined(__aarch64__)

using Bf16Vector = bfloat16x8_t;
inline Bf16Vector LoadBf16(const uint16_t* p) { return vreinterpretq_bf16_u16(vld1q_u16(p)); }

// Four k of two rows of A, or of two columns of B.
inline void StoreFours(uint16_t* to, Vf first, Vf second) {
  const bfloat16x8_t both =
      vcombine_bf16(vcvt_bf16_f32((float32x4_t)first), vcvt_bf16_f32((float32x4_t)second));
  vst1q_u16(to, vreinterpretq_u16_bf16(both));
}

// Tiles of A: pairs of rows, one after the other, each [unit][row][4].
void RoundRows(const float* a, int64_t a_row, int64_t a_col, size_t rows, size_t depth,
               uint16_t* tile) {
  for (size_t pair = 0; pair < rows; pair += 2) {
    for (size_t k = 0; k < depth; k += kUnit) {
      Vf four[2] = {Vf{}, Vf{}};
      for (size_t i = 0; i < 2 && pair + i < rows; ++i) {
        const float* from =
            a + static_cast<int64_t>(pair + i) * a_row + static_cast<int64_t>(k) * a_col;
        const size_t here = depth - k < kUnit ? depth - k : kUnit;
        if (a_col == 1) {
          four[i] = here == kUnit ? Load(from) : LoadPart(from, here);
        } else {
          for (size_t j = 0; j < here; ++j) four[i][j] = from[static_cast<int64_t>(j) * a_col];
        }
      }
      StoreFours(tile + pair * kTileRow + 2 * k, four[0], four[1]);
    }
  }
}

// panel[unit][pair of columns][column][4] from rows of floats, `row` apart.
void RoundPanel(const float* rows, size_t row, size_t depth, size_t cols, uint16_t* panel) {
  for (size_t k = 0; k < depth; k += kUnit) {
    for (size_t n = 0; n < cols; n += 2) {
      const float* at = rows + k * row + n;
      const Vf first = {at[0], at[row], at[2 * row], at[3 * row]};
      const Vf second = {at[1], at[row + 1], at[2 * row + 1], at[3 * row + 1]};
      StoreFours(panel + k * cols + n * kUnit, first, second);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddBf16(const uint16_t* a, size_t units,
                                                   const uint16_t* panel, size_t panel_unit,
                                                   Vf (&sums)[kRows][kVectors]) {
  constexpr int kPairs = (kRows + 1) / 2;
  float32x4_t squares[kPairs][2 * kVectors];  // of two rows and two columns
#pragma GCC unroll 4
  for (int i = 0; i < kPairs; ++i) {
#pragma GCC unroll 6
    for (int j = 0; j < 2 * kVectors; ++j) squares[i][j] = vdupq_n_f32(0);
  }
  for (size_t u = 0; u < units; ++u) {
    Bf16Vector rows[kPairs];
#pragma GCC unroll 4
    for (int i = 0; i < kPairs; ++i) rows[i] = LoadBf16(a + i * (2 * kTileRow) + u * (2 * kUnit));
#pragma GCC unroll 6
    for (int j = 0; j < 2 * kVectors; ++j) {
      const Bf16Vector b = LoadBf16(panel + j * (2 * kUnit));
#pragma GCC unroll 4
      for (int i = 0; i < kPairs; ++i) squares[i][j] = vbfmmlaq_f32(squares[i][j], rows[i], b);
    }
    panel += panel_unit;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const auto left = vreinterpretq_f64_f32(squares[i / 2][2 * j]);
      const auto right = vreinterpretq_f64_f32(squares[i / 2][2 * j + 1]);
      sums[i][j] = (Vf)(i % 2 == 0 ? vzip1q_f64(left, right) : vzip2q_f64(left, right));
    }
  }
}

#else

inline __m512bh LoadBf16(const uint16_t* p) { return (__m512bh)_mm512_loadu_si512(p); }
inline __m256i Round(Vf v) { return (__m256i)_mm512_cvtneps_pbh((__m512)v); }

// Tiles of A: rows of consecutive k.
void RoundRows(const float* a, int64_t a_row, int64_t a_col, size_t rows, size_t depth,
               uint16_t* tile) {
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < depth; k += kLanes) {
      const float* from = a + static_cast<int64_t>(i) * a_row + static_cast<int64_t>(k) * a_col;
      const size_t here = depth - k < kLanes ? depth - k : kLanes;
      Vf v{};
      if (a_col == 1) {
        v = here == kLanes ? Load(from) : LoadPart(from, here);
      } else {
        for (size_t j = 0; j < here; ++j) v[j] = from[static_cast<int64_t>(j) * a_col];
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(tile + i * kTileRow + k), Round(v));
    }
  }
}

// panel[unit][column][2] from rows of floats, `row` apart.
void RoundPanel(const float* rows, size_t row, size_t depth, size_t cols, uint16_t* panel) {
  for (size_t k = 0; k < depth; k += kUnit) {
    for (size_t n = 0; n < cols; n += kLanes) {
      const __m512i even = _mm512_maskz_cvtepu16_epi32(0xffff, Round(Load(rows + k * row + n)));
      const __m512i odd =
          _mm512_maskz_cvtepu16_epi32(0xffff, Round(Load(rows + (k + 1) * row + n)));
      const auto pairs = (__m512i)((Vu)even | (Vu)odd << 16);
      _mm512_storeu_si512(panel + k * cols + n * kUnit, pairs);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddUnit(const uint16_t* a, const uint16_t* panel,
                                                   Vf (&sums)[kRows][kVectors]) {
  __m512bh b[kVectors];
#pragma GCC unroll 3
  for (int j = 0; j < kVectors; ++j) b[j] = LoadBf16(panel + j * (kUnit * kLanes));
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    int32_t pair;
    std::memcpy(&pair, a + i * kTileRow, sizeof(pair));
    const auto both = (__m512bh)Splat(pair);
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j)
      sums[i][j] = (Vf)_mm512_dpbf16_ps((__m512)sums[i][j], both, b[j]);
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddBf16(const uint16_t* a, size_t units,
                                                   const uint16_t* panel, size_t panel_unit,
                                                   Vf (&sums)[kRows][kVectors]) {
  // Few rows leave too few sums to hide the instruction's latency: units take turns.
  constexpr int kTurns = kRows == 1 ? 4 : kRows == 2 ? 2 : 1;
  Vf turns[kTurns][kRows][kVectors];
#pragma GCC unroll 4
  for (int t = 0; t < kTurns; ++t) ClearSums(turns[t]);
  size_t u = 0;
#pragma GCC unroll 1
  for (; u + kTurns <= units; u += kTurns) {
#pragma GCC unroll 4
    for (int t = 0; t < kTurns; ++t)
      MultiplyAddUnit(a + (u + t) * kUnit, panel + t * panel_unit, turns[t]);
    panel += kTurns * panel_unit;
  }
  for (; u < units; ++u, panel += panel_unit) MultiplyAddUnit(a + u * kUnit, panel, turns[0]);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      sums[i][j] = turns[0][i][j];
#pragma GCC unroll 4
      for (int t = 1; t < kTurns; ++t) sums[i][j] += turns[t][i][j];
    }
  }
}

#endif

struct TileCall {
  const uint16_t* a;
  const uint16_t* panel;
  size_t panel_unit;  // elements from unit to unit
  size_t units;
  TileOut out;
};

template <int kRows, int kVectors>
void Tile(const TileCall& t) {
  Vf sums[kRows][kVectors];
  MultiplyAddBf16(t.a, t.units, t.panel, t.panel_unit, sums);
  FinishTile(t.out, sums);
}

using TileFunction = void (*)(const TileCall&);
struct TileTable {
  TileFunction of[kTileRows][kTileVectors];
};
template <int kRows>
constexpr void FillTiles(TileTable* table) {
  static_assert(kTileVectors == 3);
  table->of[kRows - 1][0] = Tile<kRows, 1>;
  table->of[kRows - 1][1] = Tile<kRows, 2>;
  table->of[kRows - 1][2] = Tile<kRows, 3>;
  if constexpr (kRows > 1) FillTiles<kRows - 1>(table);
}
constexpr TileTable MakeTiles() {
  TileTable table{};
  FillTiles<kTileRows>(&table);
  return table;
}
constexpr TileTable kTiles = MakeTiles();

// Row tiles of a block of rows, of nearly equal height.
struct Heights {
  size_t tiles;
  size_t rows;
  explicit Heights(size_t count) : tiles((count + kTileRows - 1) / kTileRows), rows(count) {}
  size_t Of(size_t tile) const { return rows / tiles + (tile < rows % tiles); }
};

// Rows [row, row + rows) and a block of depth, A rounded into `tiles`.
struct Block {
  const uint16_t* tiles;
  size_t row;
  size_t rows;
  size_t k;
  size_t depth;
  bool last;
};

// Rows of a tile from an image, two at a time (NEON rounds them together) by way of floats in L1.
void RoundPixels(const PixelRows& pixels, int64_t first, size_t rows, size_t k, size_t depth,
                 uint16_t* tile) {
  float gathered[2][kDepthBlock];
  for (size_t row = 0; row < rows; row += 2) {
    const size_t here = rows - row < 2 ? 1 : 2;
    for (size_t i = 0; i < here; ++i) {
      GatherPixel(pixels, first + static_cast<int64_t>(row + i), k, depth, gathered[i]);
    }
    RoundRows(gathered[0], kDepthBlock, 1, here, depth, tile + row * kTileRow);
  }
}

void RoundBlock(const GemmCall& g, const Block& block, uint16_t* tiles) {
  const Heights heights(block.rows);
  size_t row = block.row;
  for (size_t tile = 0; tile < heights.tiles; ++tile) {
    if (g.pixels != nullptr) {
      RoundPixels(*g.pixels, g.first_pixel + static_cast<int64_t>(row), heights.Of(tile), block.k,
                  block.depth, tiles + tile * kTileElems);
      row += heights.Of(tile);
      continue;
    }
    RoundRows(g.a + static_cast<int64_t>(row) * g.a_row + static_cast<int64_t>(block.k) * g.a_col,
              g.a_row, g.a_col, heights.Of(tile), block.depth, tiles + tile * kTileElems);
    row += heights.Of(tile);
  }
}

// One run of columns inside one panel.
void MultiplySegment(const GemmCall& g, const Block& block, size_t vector, size_t vectors) {
  const size_t col = vector * kLanes;
  const size_t cols = g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes;
  const size_t panel = vector / kTileVectors;
  const size_t rest = VectorsOf(g.cols_n) - panel * kTileVectors;
  const size_t width = (rest < static_cast<size_t>(kTileVectors) ? rest : kTileVectors) * kLanes;
  TileCall call = {.a = block.tiles,
                   .panel = static_cast<const uint16_t*>(g.prepared_b) +
                            panel * kTileCols * Padded(g.depth_k) + block.k * width +
                            (vector % kTileVectors) * kLanes * kUnit,
                   .panel_unit = width * kUnit,
                   .units = Padded(block.depth) / kUnit,
                   .out = OutOf(g, block.row, col, cols, block.k > 0, block.last)};
  const Heights heights(block.rows);
  for (size_t tile = 0; tile < heights.tiles; ++tile) {
    kTiles.of[heights.Of(tile) - 1][vectors - 1](call);
    call.a += kTileElems;
    MoveDown(&call.out, heights.Of(tile));
  }
}

void Multiply(const GemmCall& g, Range rows, Range vectors, float* scratch) {
  auto* tiles = reinterpret_cast<uint16_t*>(scratch);
  for (Block block = {tiles, rows.begin, 0, 0, 0, false}; block.row < rows.end;
       block.row += block.rows) {
    block.rows = rows.end - block.row < kRowBlock ? rows.end - block.row : kRowBlock;
    block.k = 0;
    do {
      block.depth = g.depth_k - block.k < kDepthBlock ? g.depth_k - block.k : kDepthBlock;
      block.last = block.k + block.depth == g.depth_k;
      RoundBlock(g, block, tiles);
      ForSegments<kTileVectors>(
          g, block.row, block.rows, vectors, block.last,
          [&](size_t vector, size_t count) { MultiplySegment(g, block, vector, count); });
      block.k += block.depth;
    } while (block.k < g.depth_k);
  }
}

size_t ScratchFloats(const GemmCall&) { return kRowTiles * kTileElems / 2; }

// By way of float panels of a few rows.
void Pack(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n, Range panels,
          void* packed) {
  constexpr size_t kRowsAtOnce = 32;
  static_assert(kRowsAtOnce % kUnit == 0);
  float rows[kRowsAtOnce * kTileCols];
  auto* out = static_cast<uint16_t*>(packed);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t col = p * kTileCols;
    const size_t cols = cols_n - col < kTileCols ? cols_n - col : kTileCols;
    const size_t width = VectorsOf(cols) * kLanes;
    for (size_t k = 0; k < depth_k; k += kRowsAtOnce) {
      const size_t here = depth_k - k < kRowsAtOnce ? depth_k - k : kRowsAtOnce;
      for (size_t i = here * width; i < Padded(here) * width; ++i) rows[i] = 0;
      PackPanel(b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(col) * b_col, b_row,
                b_col, here, cols, rows, static_cast<int64_t>(width));
      RoundPanel(rows, width, Padded(here), width, out + col * Padded(depth_k) + k * width);
    }
  }
}

}  // namespace

extern const GemmKernels kGemmBf16;
const GemmKernels kGemmBf16 = {
    .lanes = kLanes,
    .tile_rows = kTileRows,
    .tile_cols = kTileCols,
    .depth_unit = kUnit,
    .multiply = Multiply,
    .scratch_floats = ScratchFloats,
    .pack = Pack,
    .unpack = nullptr,
};

}  // namespace graviton::GRAVITON_NS
