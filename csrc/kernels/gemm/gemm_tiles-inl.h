// Matrix products in the matrix unit, which multiplies bfloat16 and sums in float32.
//
// kGemmBf16 rounds both operands, as kernels/gemm/gemm_bf16-inl.h does. kGemmSplitF32 rounds
// neither: a float is the exact sum of three bfloat16 numbers, x = x₀ + x₁ + x₂, each the rounding
// of what is left, and
//   a · b = a₀b₀ + (a₀b₁ + a₁b₀) + (a₀b₂ + a₁b₁ + a₂b₀)
// up to 2⁻²³ of it, six products where the unit does sixteen times as many as fused multiply-add
// (Henry, Tang, Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations", 2019, section II). Sums are rounded once for 32 k, so that
// results are closer than by multiply-add. What is not finite is multiplied again in floats, as ∞ ·
// x₁ = ∞ · 0 would be NaN.
//
// Panels hold two registers' columns: [step of 32 k][addend][vector][pair of k][column][2]. The
// blocking is that of kernels/gemm/gemm-inl.h.
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/pixel_rows-inl.h"
#include "kernels/gemm/tile_registers-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr size_t kStep = kRegisterBytes / sizeof(uint16_t);
constexpr size_t Padded(size_t depth) { return (depth + kStep - 1) / kStep * kStep; }

inline __m256i Round(Vf v) { return (__m256i)_mm512_cvtneps_pbh((__m512)v); }
inline Vf Widen(__m256i v) { return (Vf)((Vu)_mm512_maskz_cvtepu16_epi32(0xffff, v) << 16); }

// The blocking, and what a float becomes.
template <size_t kAddends>
struct Format;

template <>
struct Format<1> {
  static constexpr TileType kType = TileType::kBf16;
  // A's block lies in a quarter of a 2 MiB L2.
  static constexpr size_t kDepthBlock = 1024;
  static constexpr size_t kRowBlock = 256;
  static void Split(Vf x, __m256i (&addends)[1]) { addends[0] = Round(x); }
  static void SplitWeights(Vf x, __m256i (&addends)[1]) { addends[0] = Round(x); }
};

template <>
struct Format<3> {
  static constexpr TileType kType = TileType::kSplitF32;
  static constexpr size_t kDepthBlock = 768;
  static constexpr size_t kRowBlock = 128;
  // What is not finite, or becomes so by rounding, leaves rests that are not.
  static void Split(Vf x, __m256i (&addends)[3]) {
    addends[0] = Round(x);
    x -= Widen(addends[0]);
    addends[1] = Round(x);
    x -= Widen(addends[1]);
    addends[2] = Round(x);
  }
  // Weights must be the sum of their addends, whatever they are. What lies below 2⁻¹²⁶ is lost: the
  // unit takes it for 0.
  static void SplitWeights(Vf x, __m256i (&addends)[3]) {
    const Vi exponent = Splat(0x7f800000);
    // The largest floats would round to infinity.
    const Vi cut = Bits(x) & Splat(static_cast<int32_t>(0xffff0000));
    const Vf rounded = Widen(Round(x));
    const Vi infinite = (Bits(rounded) & exponent) == exponent;
    const Vi special = (Bits(x) & exponent) == exponent;
    const Vf first = (infinite & ~special) ? FromBits(cut) : rounded;
    addends[0] = _mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)((Vu)Bits(first) >> 16));
    const Vf rest = special ? Vf{} : x - first;
    addends[1] = Round(rest);
    addends[2] = Round(rest - Widen(addends[1]));
  }
};

// Row k of a vector of columns in a panel of three addends, `width` columns wide.
inline Vf WeightsAt(const uint16_t* vector, size_t k, size_t width) {
  constexpr size_t kAddends = 3;
  const size_t addend = width * kStep;
  const uint16_t* pairs = vector + k / kStep * kAddends * addend + k % kStep / 2 * (2 * kLanes);
  Vf sum{};
  for (size_t s = kAddends; s-- > 0;) {
    const auto both = (Vi)_mm512_loadu_si512(pairs + s * addend);
    sum += FromBits(k % 2 == 0 ? both << 16 : both & Splat(static_cast<int32_t>(0xffff0000)));
  }
  return sum;
}

template <size_t kAddends>
struct Product {
  using F = Format<kAddends>;
  static constexpr size_t kDepthBlock = F::kDepthBlock;
  static constexpr size_t kRowBlock = F::kRowBlock;
  // Elements of A from row to row: one cache line more than a block, so that rows do not share a
  // set.
  static constexpr size_t kRowElems = kDepthBlock + kStep;
  // Patches may reach below the rows.
  static constexpr size_t kPlaneElems = (kRowBlock + kPatchRows) * kRowElems;
  static constexpr size_t kSumFloats = kPatchRows * kPatchCols;

  // A thread's own memory.
  struct Scratch {
    float* sums;
    float* row;   // of A, where it is not contiguous
    uint16_t* a;  // a plane for each addend
    explicit Scratch(float* from)
        : sums(from), row(sums + kSumFloats), a(reinterpret_cast<uint16_t*>(row + kDepthBlock)) {}
  };
  static size_t ScratchFloats(const GemmCall&) {
    return kSumFloats + kDepthBlock + kAddends * kPlaneElems / 2;
  }

  // Rows [row, row + rows) and a block of depth.
  struct Block {
    size_t row;
    size_t rows;
    size_t k;
    size_t depth;
    bool last;
  };

  // Row `row` of A within the block's depth, contiguous.
  static const float* RowOf(const GemmCall& g, const Block& block, size_t row, float* to) {
    const auto m = static_cast<int64_t>(row);
    if (g.pixels != nullptr) {
      GatherPixel(*g.pixels, g.first_pixel + m, block.k, block.depth, to);
      return to;
    }
    const float* a = g.a + m * g.a_row + static_cast<int64_t>(block.k) * g.a_col;
    if (g.a_col == 1) return a;
    for (size_t k = 0; k < block.depth; ++k) to[k] = a[static_cast<int64_t>(k) * g.a_col];
    return to;
  }

  // A's addends: elements from row to row, and from one addend to the next.
  struct Planes {
    uint16_t* first;
    size_t row;
    size_t plane;
  };
  // Of all rows: one cache line more than a row, so that rows do not share a set.
  static Planes PreparedPlanes(const GemmCall& g) {
    const size_t row = Padded(g.depth_k) + kStep;
    return {static_cast<uint16_t*>(g.prepared_a), row, (g.rows_m + kPatchRows) * row};
  }
  static size_t PreparedFloats(const GemmCall& g) { return kAddends * PreparedPlanes(g).plane / 2; }

  // `to` is the place of the block's first element.
  static void SplitBlock(const GemmCall& g, const Block& block, const Planes& to, float* own) {
    for (size_t i = 0; i < block.rows; ++i) {
      const float* row = RowOf(g, block, block.row + i, own);
      uint16_t* at = to.first + i * to.row;
      for (size_t k = 0; k < Padded(block.depth); k += kLanes) {
        Vf x{};
        if (k + kLanes <= block.depth) {
          x = Load(row + k);
        } else if (k < block.depth) {
          x = LoadPart(row + k, block.depth - k);
        }
        __m256i addends[kAddends];
        F::Split(x, addends);
        for (size_t s = 0; s < kAddends; ++s)
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(at + s * to.plane + k), addends[s]);
      }
    }
  }

  // Calls body(block) for the depth of `rows`, a block at a time.
  template <class Body>
  static void ForDepth(const GemmCall& g, size_t row, size_t rows, const Body& body) {
    Block block = {row, rows, 0, 0, false};
    do {
      block.depth = g.depth_k - block.k < kDepthBlock ? g.depth_k - block.k : kDepthBlock;
      block.last = block.k + block.depth == g.depth_k;
      body(block);
      block.k += block.depth;
    } while (block.k < g.depth_k);
  }

  static void Prepare(const GemmCall& g, Range rows, float* from) {
    const Scratch scratch(from);
    const Planes planes = PreparedPlanes(g);
    ForDepth(g, rows.begin, rows.end - rows.begin, [&](const Block& block) {
      uint16_t* first = planes.first + block.row * planes.row + block.k;
      SplitBlock(g, block, {first, planes.row, planes.plane}, scratch.row);
    });
  }

  // Where one vector of columns lies, within the block's depth.
  struct Columns {
    const uint16_t* first;
    size_t vectors;  // of the panel
    size_t step() const { return kAddends * vectors * kStep * kLanes; }
  };
  static Columns ColumnsAt(const GemmCall& g, size_t k, size_t vector) {
    const size_t panel = vector / kPatchVectors;
    const size_t within = vector % kPatchVectors;
    const size_t rest = VectorsOf(g.cols_n) - panel * kPatchVectors;
    const size_t vectors = rest < kPatchVectors ? rest : kPatchVectors;
    const size_t elems = panel * kPatchCols * Padded(g.depth_k) + k * vectors * kLanes;
    return {static_cast<const uint16_t*>(g.prepared_b) + kAddends * elems + within * kStep * kLanes,
            vectors};
  }

  // Sums of a row that are not finite, once more from the floats.
  static void MultiplyExactly(const float* a, size_t depth, const Columns& columns, size_t vectors,
                              float* sums) {
    for (size_t j = 0; j < vectors; ++j) {
      const uint16_t* b = columns.first + j * kStep * kLanes;
      Vf sum{};
      for (size_t k = 0; k < depth; ++k)
        sum += Splat(a[k]) * WeightsAt(b, k, columns.vectors * kLanes);
      Store(sums + j * kLanes, sum);
    }
  }

  static void MendPatch(const GemmCall& g, const Block& block, size_t row, size_t rows,
                        const Columns& columns, size_t vectors, const Scratch& scratch) {
    Vf finite{};
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < vectors; ++j)
        finite += Load(scratch.sums + i * kPatchCols + j * kLanes) * Splat(0.0F);
    }
    if (SumOf(finite) == 0) return;
    for (size_t i = 0; i < rows; ++i) {
      float* sums = scratch.sums + i * kPatchCols;
      Vf here{};
      for (size_t j = 0; j < vectors; ++j) here += Load(sums + j * kLanes) * Splat(0.0F);
      if (SumOf(here) == 0) continue;
      const float* a = RowOf(g, block, row + i, scratch.row);
      MultiplyExactly(a, block.depth, columns, vectors, sums);
    }
  }

  // One run of columns inside one panel, while the next, up to `vectors_end`, is brought to L2.
  static void MultiplySegment(const GemmCall& g, const Block& block, const Planes& a, size_t vector,
                              size_t vectors, size_t vectors_end, const Scratch& scratch) {
    const size_t col = vector * kLanes;
    const size_t cols = g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes;
    const Columns columns = ColumnsAt(g, block.k, vector);
    const bool more = vector + vectors < vectors_end;
    MultiplyPatches<F::kType>(
        {.a = a.first,
         .a_row = a.row * sizeof(uint16_t),
         .a_addend = a.plane * sizeof(uint16_t),
         .panel = columns.first,
         .panel_addend = columns.vectors * kRegisterRows * kRegisterBytes,
         .panel_step = columns.step() * sizeof(uint16_t),
         .steps = Padded(block.depth) / kStep},
        block.rows, vectors, more ? ColumnsAt(g, block.k, vector + vectors).first : nullptr,
        OutOf(g, block.row, col, cols, block.k > 0, block.last), scratch.sums,
        [&](size_t row, size_t rows) {
          if constexpr (kAddends > 1)
            MendPatch(g, block, block.row + row, rows, columns, vectors, scratch);
        });
  }

  static void Multiply(const GemmCall& g, Range rows, Range vectors, float* from) {
    const Scratch scratch(from);
    const Planes prepared = PreparedPlanes(g);
    for (size_t row = rows.begin; row < rows.end; row += kRowBlock) {
      const size_t count = rows.end - row < kRowBlock ? rows.end - row : kRowBlock;
      ForDepth(g, row, count, [&](const Block& block) {
        Planes a = {scratch.a, kRowElems, kPlaneElems};
        if (g.prepared_a == nullptr) {
          SplitBlock(g, block, a, scratch.row);
        } else {
          a = {prepared.first + row * prepared.row + block.k, prepared.row, prepared.plane};
        }
        const TileRegisters registers(Patches(count).rows);
        ForSegments<kPatchVectors>(
            g, row, count, vectors, block.last, [&](size_t vector, size_t here) {
              MultiplySegment(g, block, a, vector, here, vectors.end, scratch);
            });
      });
    }
  }

  // One step of a panel from rows of floats, `row` apart.
  static void SplitStep(const float* rows, size_t row, size_t vectors, uint16_t* to) {
    for (size_t v = 0; v < vectors; ++v) {
      for (size_t k = 0; k < kStep; k += 2, to += 2 * kLanes) {
        const float* at = rows + k * row + v * kLanes;
        __m256i even[kAddends];
        __m256i odd[kAddends];
        F::SplitWeights(Load(at), even);
        F::SplitWeights(Load(at + row), odd);
        for (size_t s = 0; s < kAddends; ++s) {
          const Vu pairs = (Vu)Bits(Widen(even[s])) >> 16 | (Vu)Bits(Widen(odd[s]));
          _mm512_storeu_si512(to + s * vectors * kStep * kLanes, (__m512i)pairs);
        }
      }
    }
  }

  static void Pack(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n,
                   Range panels, void* packed) {
    float rows[kStep * kPatchCols];
    for (size_t p = panels.begin; p < panels.end; ++p) {
      const size_t col = p * kPatchCols;
      const size_t cols = cols_n - col < kPatchCols ? cols_n - col : kPatchCols;
      const size_t vectors = VectorsOf(cols);
      const size_t width = vectors * kLanes;
      auto* out = static_cast<uint16_t*>(packed) + kAddends * col * Padded(depth_k);
      for (size_t k = 0; k < depth_k; k += kStep, out += kAddends * kStep * width) {
        const size_t here = depth_k - k < kStep ? depth_k - k : kStep;
        for (size_t i = here * width; i < kStep * width; ++i) rows[i] = 0;
        PackPanel(b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(col) * b_col, b_row,
                  b_col, here, cols, rows, static_cast<int64_t>(width));
        SplitStep(rows, width, vectors, out);
      }
    }
  }
};

// The sums of the addends.
void Unpack(const void* packed, size_t depth_k, size_t cols_n, Range panels, float* b,
            int64_t b_row, int64_t b_col) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = p * kPatchCols;
    const size_t cols = cols_n - first < kPatchCols ? cols_n - first : kPatchCols;
    const size_t width = VectorsOf(cols) * kLanes;
    const auto* panel = static_cast<const uint16_t*>(packed) + 3 * first * Padded(depth_k);
    for (size_t k = 0; k < depth_k; ++k) {
      for (size_t n = 0; n < cols; n += kLanes) {
        const Vf x = WeightsAt(panel + n * kStep, k, width);
        const size_t here = cols - n < kLanes ? cols - n : kLanes;
        float* to = b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(first + n) * b_col;
        if (b_col == 1) {
          StorePart(to, x, here);
        } else {
          for (size_t i = 0; i < here; ++i) to[static_cast<int64_t>(i) * b_col] = x[i];
        }
      }
    }
  }
}

template <size_t kAddends>
constexpr GemmKernels MakeGemm() {
  return {.lanes = kLanes,
          .tile_rows = kPatchRows,
          .tile_cols = kPatchCols,
          .depth_unit = kStep,
          .multiply = Product<kAddends>::Multiply,
          .scratch_floats = Product<kAddends>::ScratchFloats,
          .prepared_floats = Product<kAddends>::PreparedFloats,
          .prepare = Product<kAddends>::Prepare,
          .pack = Product<kAddends>::Pack,
          .unpack = kAddends == 1 ? nullptr : Unpack};
}

}  // namespace

extern const GemmKernels kGemmBf16;
const GemmKernels kGemmBf16 = MakeGemm<1>();
extern const GemmKernels kGemmSplitF32;
const GemmKernels kGemmSplitF32 = MakeGemm<3>();

}  // namespace graviton::GRAVITON_NS
