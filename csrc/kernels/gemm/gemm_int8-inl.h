// Matrix product with weights in int8 (kGemmInt8): each column of B has a scale, each row of A gets
// one when it is met ("dynamic quantisation"), so that
//   c[m, n] = a_scale[m] · b_scale[n] · Σk round(a[m, k] / a_scale[m]) · round(b[k, n] /
//   b_scale[n])
// with both roundings in [-127, 127] and the sum exact in int32. A row or column with NaN or an
// infinity gives NaN. Panels as in kernels/gemm/gemm_bf16-inl.h; depth is not cut in blocks: a
// row's scale is that of all of it, and its sums stay in registers.
//
// What one instruction takes, kUnit consecutive k of a column:
//   2  x86 without VNNI: PMADDWD on both widened to int16 (PMADDUBSW would saturate)
//   4  AVX512-VNNI: VPDPBUSD, whose first operand is unsigned: A + 128, less 128 · Σk b at the end
//   8  I8MM: SMMLA on two rows and two columns
//  64  AMX: TDPBSSD on registers of 16 rows and 16 columns, fours of k together
#if defined(GRAVITON_TILES)
#include "kernels/gemm/tile_registers-inl.h"
#else
#include "kernels/gemm/finish-inl.h"
#include "kernels/gemm/micro_kernel-inl.h"
#endif
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/pixel_rows-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr size_t kRowBlock = 128;
constexpr float kMost = 127;

constexpr size_t Padded(size_t depth, size_t unit) { return (depth + unit - 1) / unit * unit; }

// The largest magnitude of some floats, and NaN where one is NaN or infinite.
struct Extent {
  Vf most{};
  Vf finite{};  // 0, else NaN
  void Add(Vf x) {
    const Vf size = FromBits(Bits(x) & Splat(INT32_MAX));
    most = size > most ? size : most;
    finite += x * Splat(0.0F);
  }
};

// What one step of a row or column is worth, and its inverse; 0 for rows too small to have steps.
struct Scale {
  float step;
  float inverse;
  Scale(float most, float finite) : step(most / kMost + finite), inverse(0) {
    if (most > 1e-30F && step == step) inverse = kMost / most;
  }
};

// Rounds to the nearest integer, ties to even, for |x| < 2^22: the last bits of 1.5 · 2^23 + x. NaN
// gives 0.
inline Vi ToInteger(Vf x) {
  const Vf magic = Splat(12582912.0F);
  const Vf number = x == x ? x : Vf{};
  return Bits(number + magic) - Bits(magic);
}

#if defined(__aarch64__)

constexpr size_t kUnit = 8;
using Quantised = int8_t;
constexpr int32_t kOffset = 0;

// The rows of a pair are woven: [unit][row][8].
constexpr size_t kRowsWoven = 2;

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddInt8(const Quantised* a, size_t a_row, size_t units,
                                                   const int8_t* panel, size_t panel_unit,
                                                   Vi (&sums)[kRows][kVectors]) {
  constexpr int kPairs = (kRows + 1) / 2;
  int32x4_t squares[kPairs][2 * kVectors];  // of two rows and two columns
#pragma GCC unroll 4
  for (int i = 0; i < kPairs; ++i) {
#pragma GCC unroll 6
    for (int j = 0; j < 2 * kVectors; ++j) squares[i][j] = vdupq_n_s32(0);
  }
  for (size_t u = 0; u < units; ++u) {
    int8x16_t rows[kPairs];
#pragma GCC unroll 4
    for (int i = 0; i < kPairs; ++i) rows[i] = vld1q_s8(a + i * 2 * a_row + u * (2 * kUnit));
#pragma GCC unroll 6
    for (int j = 0; j < 2 * kVectors; ++j) {
      const int8x16_t b = vld1q_s8(panel + j * (2 * kUnit));
#pragma GCC unroll 4
      for (int i = 0; i < kPairs; ++i) squares[i][j] = vmmlaq_s32(squares[i][j], rows[i], b);
    }
    panel += panel_unit;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const auto left = vreinterpretq_s64_s32(squares[i / 2][2 * j]);
      const auto right = vreinterpretq_s64_s32(squares[i / 2][2 * j + 1]);
      sums[i][j] = (Vi)(i % 2 == 0 ? vzip1q_s64(left, right) : vzip2q_s64(left, right));
    }
  }
}

#elif defined(GRAVITON_TILES)

constexpr size_t kUnit = kRegisterBytes;
using Quantised = int8_t;
constexpr int32_t kOffset = 0;
constexpr size_t kRowsWoven = 1;

#else

constexpr size_t kRowsWoven = 1;

#if defined(GRAVITON_DOT_PRODUCTS)

constexpr size_t kUnit = 4;
using Quantised = uint8_t;
constexpr int32_t kOffset = 128;

using Weights = __m512i;
inline Weights LoadWeights(const int8_t* p) { return _mm512_loadu_si512(p); }
inline Vi MultiplyUnits(Vi sum, Vi a, Weights b) {
  return (Vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, b);
}

#else

constexpr size_t kUnit = 2;
using Quantised = int16_t;
constexpr int32_t kOffset = 0;

#if GRAVITON_VECTOR_BYTES == 64
using Weights = __m512i;
inline Weights LoadWeights(const int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vi MultiplyUnits(Vi sum, Vi a, Weights b) {
  return sum + (Vi)_mm512_madd_epi16((__m512i)a, b);
}
#elif GRAVITON_VECTOR_BYTES == 32
using Weights = __m256i;
inline Weights LoadWeights(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Vi MultiplyUnits(Vi sum, Vi a, Weights b) {
  return sum + (Vi)_mm256_madd_epi16((__m256i)a, b);
}
#else
using Weights = __m128i;
inline Weights LoadWeights(const int8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}
inline Vi MultiplyUnits(Vi sum, Vi a, Weights b) { return sum + (Vi)_mm_madd_epi16((__m128i)a, b); }
#endif
#endif

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddUnit(const Quantised* a, size_t a_row,
                                                   const int8_t* panel,
                                                   Vi (&sums)[kRows][kVectors]) {
  Weights b[kVectors];
#pragma GCC unroll 3
  for (int j = 0; j < kVectors; ++j) b[j] = LoadWeights(panel + j * (kUnit * kLanes));
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    int32_t unit;
    static_assert(sizeof(unit) == kUnit * sizeof(Quantised));
    std::memcpy(&unit, a + i * a_row, sizeof(unit));
    const Vi all = Splat(unit);
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[i][j] = MultiplyUnits(sums[i][j], all, b[j]);
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void MultiplyAddInt8(const Quantised* a, size_t a_row, size_t units,
                                                   const int8_t* panel, size_t panel_unit,
                                                   Vi (&sums)[kRows][kVectors]) {
  // Few rows leave too few sums to hide the instruction's latency: units take turns.
  constexpr int kTurns = kRows == 1 ? 4 : kRows == 2 ? 2 : 1;
  Vi turns[kTurns][kRows][kVectors];
#pragma GCC unroll 4
  for (int t = 0; t < kTurns; ++t) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j) turns[t][i][j] = Vi{};
    }
  }
  size_t u = 0;
#pragma GCC unroll 1
  for (; u + kTurns <= units; u += kTurns) {
#pragma GCC unroll 4
    for (int t = 0; t < kTurns; ++t)
      MultiplyAddUnit(a + (u + t) * kUnit, a_row, panel + t * panel_unit, turns[t]);
    panel += kTurns * panel_unit;
  }
  for (; u < units; ++u, panel += panel_unit)
    MultiplyAddUnit(a + u * kUnit, a_row, panel, turns[0]);
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

// A panel's vectors of columns, the rows that a tile takes at most and reaches beyond those that it
// has, and where element k of column n of a panel lies.
#if defined(GRAVITON_TILES)
constexpr size_t kPanelVectors = kPatchVectors;
constexpr size_t kMostRows = kPatchRows;
constexpr size_t kRowsBeyond = kPatchRows;
constexpr size_t InPanel(size_t k, size_t n, size_t width) {
  return k / kUnit * kUnit * width + n / kLanes * kUnit * kLanes + k % kUnit / 4 * kRegisterBytes +
         n % kLanes * 4 + k % 4;
}
#else
constexpr size_t kPanelVectors = kTileVectors;
constexpr size_t kMostRows = kTileRows;
constexpr size_t kRowsBeyond = kRowsWoven - 1;
constexpr size_t InPanel(size_t k, size_t n, size_t width) {
  return k / kUnit * kUnit * width + n * kUnit + k % kUnit;
}
#endif
constexpr size_t kPanelCols = kPanelVectors * kLanes;

// A packed B: for each column (padded to whole vectors) its scale and kOffset · Σk b, then panels.
struct PackedB {
  float* scales;
  int32_t* offsets;
  int8_t* panels;
  PackedB(const void* packed, size_t cols_n)
      : scales(static_cast<float*>(const_cast<void*>(packed))),
        offsets(reinterpret_cast<int32_t*>(scales + VectorsOf(cols_n) * kLanes)),
        panels(reinterpret_cast<int8_t*>(offsets + VectorsOf(cols_n) * kLanes)) {}
};

#if !defined(GRAVITON_TILES)

struct TileCall {
  const Quantised* a;
  size_t a_row;
  const float* a_scales;
  const int8_t* panel;
  size_t panel_unit;  // bytes from unit to unit
  size_t units;
  const float* b_scales;
  const int32_t* b_offsets;
  TileOut out;
};

template <int kRows, int kVectors>
void Tile(const TileCall& t) {
  Vi sums[kRows][kVectors];
  MultiplyAddInt8(t.a, t.a_row, t.units, t.panel, t.panel_unit, sums);
  Vf scaled[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    const Vf row = Splat(t.a_scales[i]);
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const Vi exact = sums[i][j] - Load(t.b_offsets + j * kLanes);
      scaled[i][j] = __builtin_convertvector(exact, Vf) * (row * Load(t.b_scales + j * kLanes));
    }
  }
  FinishTile(t.out, scaled);
}

using TileFunction = void (*)(const TileCall&);
struct TileTable {
  TileFunction of[kTileRows][kTileVectors];
};
template <int kRows>
constexpr void FillTiles(TileTable* table) {
  table->of[kRows - 1][0] = Tile<kRows, 1>;
  table->of[kRows - 1][1] = Tile<kRows, 2>;
  table->of[kRows - 1][kTileVectors - 1] = Tile<kRows, kTileVectors>;
  if constexpr (kRows > 1) FillTiles<kRows - 1>(table);
}
constexpr TileTable MakeTiles() {
  TileTable table{};
  FillTiles<kTileRows>(&table);
  return table;
}
constexpr TileTable kTiles = MakeTiles();

#endif

// Rows of A, quantised, and what a thread needs to make them.
struct Rows {
  size_t stride;     // elements from row to row
  float* plain;      // one row as floats
  float* scales;     // of each row of a block
  Quantised* block;  // rows, each of the padded depth; woven ones lie in their first one's place

  static size_t StrideOf(const GemmCall& g) {
    // In whole cache lines and one more: rows 4 KiB apart would share a set of L1.
    return Padded(Padded(g.depth_k, kUnit) * sizeof(Quantised) + 64, 64) / sizeof(Quantised);
  }
  static size_t PlainFloats(const GemmCall& g) { return Padded(g.depth_k + kUnit, 16); }
  Rows(const GemmCall& g, float* scratch)
      : stride(StrideOf(g)),
        plain(scratch),
        scales(scratch + PlainFloats(g)),
        block(reinterpret_cast<Quantised*>(scales + kRowBlock)) {}
  static size_t ScratchFloats(const GemmCall& g) {
    const size_t rows = g.rows_m < kRowBlock ? g.rows_m : kRowBlock;
    const size_t bytes = (rows + kRowsBeyond) * StrideOf(g) * sizeof(Quantised);
    return PlainFloats(g) + kRowBlock + bytes / sizeof(float);
  }
};

// Row m of A as contiguous floats: in place where they are.
const float* PlainRow(const GemmCall& g, size_t m, float* plain) {
  if (g.pixels != nullptr) {
    GatherPixel(*g.pixels, g.first_pixel + static_cast<int64_t>(m), 0, g.depth_k, plain);
    return plain;
  }
  const float* a = g.a + static_cast<int64_t>(m) * g.a_row;
  if (g.a_col == 1) return a;
  for (size_t k = 0; k < g.depth_k; ++k) plain[k] = a[static_cast<int64_t>(k) * g.a_col];
  return plain;
}

// kLanes quantised elements, or the first of them.
inline void StoreQuantised(Vi v, size_t count, Quantised* to) {
  typedef Quantised Narrow __attribute__((vector_size(kLanes * sizeof(Quantised))));
  const Narrow narrow = __builtin_convertvector(v + Splat(kOffset), Narrow);
  if (count == kLanes) {
    std::memcpy(to, &narrow, sizeof(narrow));
  } else {
    for (size_t i = 0; i < count; ++i) to[i] = narrow[i];
  }
}

float QuantiseRow(const float* a, size_t depth, Quantised* to) {
  Extent extent;
  size_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) extent.Add(Load(a + k));
  if (k < depth) extent.Add(LoadPart(a + k, depth - k));
  const Scale scale(MaxOf(extent.most), SumOf(extent.finite));
  const size_t padded = Padded(depth, kUnit);
  for (k = 0; k < padded; k += kLanes) {
    const Vf x = k + kLanes <= depth ? Load(a + k) : k < depth ? LoadPart(a + k, depth - k) : Vf{};
    const Vi whole = ToInteger(x * Splat(scale.inverse));
    const size_t count = padded - k < kLanes ? padded - k : kLanes;
    if constexpr (kRowsWoven == 1) {
      StoreQuantised(whole, count, to + k);
    } else {
      // Half a unit of this row: the other row's unit lies between units.
      StoreQuantised(whole, count, to + k / kUnit * (kUnit * kRowsWoven) + k % kUnit);
    }
  }
  return scale.step;
}

// The rows of a tile of odd height are woven with one that nobody reads.
void QuantiseRows(const GemmCall& g, size_t row, size_t count, Quantised* tile, float* scales,
                  const Rows& rows) {
  for (size_t i = 0; i < count; ++i) {
    Quantised* to = tile + i / kRowsWoven * kRowsWoven * rows.stride + i % kRowsWoven * kUnit;
    scales[i] = QuantiseRow(PlainRow(g, row + i, rows.plain), g.depth_k, to);
  }
}

// A run of columns inside one panel.
struct Segment {
  size_t col;
  size_t cols;
  size_t width;  // of the panel
  const int8_t* panel;
  Segment(const GemmCall& g, const PackedB& b, size_t vector, size_t vectors)
      : col(vector * kLanes),
        cols(g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes) {
    const size_t first = vector / kPanelVectors * kPanelVectors;
    const size_t rest = VectorsOf(g.cols_n) - first;
    width = (rest < kPanelVectors ? rest : kPanelVectors) * kLanes;
    panel = b.panels + first * kLanes * Padded(g.depth_k, kUnit) +
            InPanel(0, vector % kPanelVectors * kLanes, width);
  }
};

#if defined(GRAVITON_TILES)

void QuantiseBlock(const GemmCall& g, Range block, const Rows& rows) {
  QuantiseRows(g, block.begin, block.end - block.begin, rows.block, rows.scales, rows);
}

// Sums of a patch, in place, as what they stand for.
void ScalePatch(const float* a_scales, const float* b_scales, size_t rows, size_t vectors,
                float* patch) {
  for (size_t i = 0; i < rows; ++i, patch += kPatchCols) {
    for (size_t j = 0; j < vectors; ++j) {
      const Vf exact = __builtin_convertvector(Bits(Load(patch + j * kLanes)), Vf);
      Store(patch + j * kLanes, exact * (Splat(a_scales[i]) * Load(b_scales + j * kLanes)));
    }
  }
}

// The panel after this one, up to `vectors_end`, is brought to L2 meanwhile.
void MultiplySegment(const GemmCall& g, const Rows& rows, Range block, size_t vector,
                     size_t vectors, size_t vectors_end) {
  const PackedB b(g.prepared_b, g.cols_n);
  const Segment segment(g, b, vector, vectors);
  const bool more = vector + vectors < vectors_end;
  alignas(64) float sums[kPatchRows * kPatchCols];
  MultiplyPanel<true>({.a = rows.block,
                       .a_row = rows.stride,
                       .panel = segment.panel,
                       .panel_step = segment.width * kUnit,
                       .steps = Padded(g.depth_k, kUnit) / kUnit},
                      block.end - block.begin, vectors,
                      more ? Segment(g, b, vector + vectors, 1).panel : nullptr,
                      OutOf(g, block.begin, segment.col, segment.cols, false, true), sums,
                      [&](size_t row, size_t here) {
                        ScalePatch(rows.scales + row, b.scales + segment.col, here, vectors, sums);
                      });
}

#else

// Row tiles of a block of rows, of nearly equal height; even ones where rows are woven.
struct Heights {
  size_t tiles;
  size_t woven;
  size_t rows;
  explicit Heights(size_t count)
      : tiles((count + kTileRows - 1) / kTileRows),
        woven((count + kRowsWoven - 1) / kRowsWoven),
        rows(count) {}
  // First row of a tile.
  size_t Begin(size_t tile) const {
    const size_t more = tile < woven % tiles ? tile : woven % tiles;
    const size_t begin = (woven / tiles * tile + more) * kRowsWoven;
    return begin < rows ? begin : rows;
  }
  size_t Of(size_t tile) const { return Begin(tile + 1) - Begin(tile); }
};

void QuantiseBlock(const GemmCall& g, Range block, const Rows& rows) {
  const Heights heights(block.end - block.begin);
  for (size_t tile = 0; tile < heights.tiles; ++tile) {
    const size_t begin = heights.Begin(tile);
    QuantiseRows(g, block.begin + begin, heights.Of(tile), rows.block + begin * rows.stride,
                 rows.scales + begin, rows);
  }
}

void MultiplySegment(const GemmCall& g, const Rows& rows, Range block, size_t vector,
                     size_t vectors, size_t) {
  const PackedB b(g.prepared_b, g.cols_n);
  const Segment segment(g, b, vector, vectors);
  const Heights heights(block.end - block.begin);
  for (size_t tile = 0; tile < heights.tiles; ++tile) {
    const size_t begin = heights.Begin(tile);
    const TileCall call = {
        .a = rows.block + begin * rows.stride,
        .a_row = rows.stride,
        .a_scales = rows.scales + begin,
        .panel = segment.panel,
        .panel_unit = segment.width * kUnit,
        .units = Padded(g.depth_k, kUnit) / kUnit,
        .b_scales = b.scales + segment.col,
        .b_offsets = b.offsets + segment.col,
        .out = OutOf(g, block.begin + begin, segment.col, segment.cols, false, true)};
    kTiles.of[heights.Of(tile) - 1][vectors - 1](call);
  }
}

#endif

void Multiply(const GemmCall& g, Range range, Range vectors, float* scratch) {
  const Rows rows(g, scratch);
  for (size_t row = range.begin; row < range.end; row += kRowBlock) {
    const size_t end = range.end - row < kRowBlock ? range.end : row + kRowBlock;
    QuantiseBlock(g, {row, end}, rows);
#if defined(GRAVITON_TILES)
    const TileRegisters registers(Patches(end - row).rows);
#endif
    ForSegments<kPanelVectors>(g, row, end - row, vectors, true, [&](size_t vector, size_t count) {
      MultiplySegment(g, rows, {row, end}, vector, count, vectors.end);
    });
  }
}

constexpr size_t kRowsAtOnce = 32;

// Calls body(k, rows, count) for `count` rows of a panel at a time, as floats `width` apart.
template <class Body>
void ForRowsOf(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols,
               size_t width, const Body& body) {
  float rows[kRowsAtOnce * kPanelCols];
  for (size_t k = 0; k < depth_k; k += kRowsAtOnce) {
    const size_t here = depth_k - k < kRowsAtOnce ? depth_k - k : kRowsAtOnce;
    PackPanel(b + static_cast<int64_t>(k) * b_row, b_row, b_col, here, cols, rows,
              static_cast<int64_t>(width));
    body(k, rows, here);
  }
}

void QuantisePanel(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols,
                   float* scales, int32_t* offsets, int8_t* panel) {
  const size_t vectors = VectorsOf(cols);
  const size_t width = vectors * kLanes;
  Extent extents[kPanelVectors];
  ForRowsOf(b, b_row, b_col, depth_k, cols, width, [&](size_t, const float* rows, size_t count) {
    for (size_t k = 0; k < count; ++k) {
      for (size_t j = 0; j < vectors; ++j) extents[j].Add(Load(rows + k * width + j * kLanes));
    }
  });
  float inverses[kPanelCols] = {};
  for (size_t n = 0; n < width; ++n) {
    const Extent& extent = extents[n / kLanes];
    const Scale scale(extent.most[n % kLanes], extent.finite[n % kLanes]);
    scales[n] = scale.step;
    inverses[n] = scale.inverse;
    offsets[n] = 0;
  }
  std::memset(panel, 0, Padded(depth_k, kUnit) * width);
  ForRowsOf(b, b_row, b_col, depth_k, cols, width, [&](size_t k, const float* rows, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t n = 0; n < width; n += kLanes) {
        const Vi whole = ToInteger(Load(rows + i * width + n) * Load(inverses + n));
        Store(offsets + n, Load(offsets + n) + whole * kOffset);
        for (size_t lane = 0; lane < kLanes; ++lane)
          panel[InPanel(k + i, n + lane, width)] = static_cast<int8_t>(whole[lane]);
      }
    }
  });
}

void Pack(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n, Range panels,
          void* packed) {
  const PackedB out(packed, cols_n);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t col = p * kPanelCols;
    const size_t cols = cols_n - col < kPanelCols ? cols_n - col : kPanelCols;
    QuantisePanel(b + static_cast<int64_t>(col) * b_col, b_row, b_col, depth_k, cols,
                  out.scales + col, out.offsets + col, out.panels + col * Padded(depth_k, kUnit));
  }
}

constexpr GemmKernels MakeGemmInt8() {
  return {.lanes = kLanes,
          .tile_rows = kMostRows,
          .tile_cols = kPanelCols,
          .depth_unit = kUnit,
          .multiply = Multiply,
          .scratch_floats = Rows::ScratchFloats,
          .pack = Pack,
          .unpack = nullptr};
}

}  // namespace

#if defined(GRAVITON_DOT_PRODUCTS)
extern const GemmKernels kGemmInt8;
const GemmKernels kGemmInt8 = MakeGemmInt8();
#else
extern const GemmKernels kGemmInt8Pairs;
const GemmKernels kGemmInt8Pairs = MakeGemmInt8();
#endif

}  // namespace graviton::GRAVITON_NS
