// Matrix products in the matrix unit, which multiplies bfloat16 and sums in float32.
//
// kGemmBf16 rounds both operands, as kernels/gemm/gemm_bf16-inl.h does; its panels hold two
// registers' columns: [step of 32 k][vector][pair of k][column][2].
//
// kGemmSplitF32 multiplies what kGemmF32 does, and rounds neither operand: a float is the exact sum
// of three bfloat16 numbers, x = x₀ + x₁ + x₂, each the upper half of what is left (of A: rounded),
// and
//   a · b = a₀b₀ + (a₀b₁ + a₁b₀) + (a₀b₂ + a₁b₁ + a₂b₀)
// up to 2⁻²³ of it, six products where the unit does sixteen times as many as fused multiply-add
// (Henry, Tang, Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations", 2019, section II). Sums are rounded once for 32 k, so that
// results are closer than by multiply-add. What is not finite is multiplied again in floats, as ∞ ·
// x₁ = ∞ · 0 would be NaN; what lies below 2⁻¹²⁶ is lost, as the unit takes it for 0. Weights stay
// floats in memory: the addends of the next panel are made while this one is multiplied, which
// leaves the vector units idle.
//
// The blocking is that of kernels/gemm/gemm-inl.h.
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/pixel_rows-inl.h"
#include "kernels/gemm/tile_registers-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr size_t kStep = kRegisterBytes / sizeof(uint16_t);
constexpr size_t kVectorBytes = kRegisterRows * kRegisterBytes;  // of a step
constexpr size_t Padded(size_t depth) { return (depth + kStep - 1) / kStep * kStep; }

inline __m256i Round(Vf v) { return (__m256i)_mm512_cvtneps_pbh((__m512)v); }
inline Vf Widen(__m256i v) { return (Vf)((Vu)_mm512_maskz_cvtepu16_epi32(0xffff, v) << 16); }

// The blocking, and what a float of A becomes.
template <size_t kAddends>
struct Format;

template <>
struct Format<1> {
  // A's block lies in a quarter of a 2 MiB L2.
  static constexpr size_t kDepthBlock = 1024;
  static constexpr size_t kRowBlock = 256;
  static void Split(Vf x, __m256i (&addends)[1]) { addends[0] = Round(x); }
};

template <>
struct Format<3> {
  static constexpr size_t kDepthBlock = 768;
  static constexpr size_t kRowBlock = 256;
  // What is not finite, or becomes so by rounding, leaves rests that are not.
  static void Split(Vf x, __m256i (&addends)[3]) {
    addends[0] = Round(x);
    x -= Widen(addends[0]);
    addends[1] = Round(x);
    x -= Widen(addends[1]);
    addends[2] = Round(x);
  }
};

// Rows [row, row + rows) and a block of depth.
struct Block {
  size_t row;
  size_t rows;
  size_t k;
  size_t depth;
  bool last;
};

// Floats of B where they lie, in one vector of columns: packed, kept or plain.
struct FloatColumns {
  const float* first;
  int64_t row;
  int64_t col;
  size_t cols;

  FloatColumns(const GemmCall& g, size_t vector) : col(1), cols(kLanes) {
    if (const float* panels = g.packed ? g.b : g.kept; panels != nullptr) {
      const PanelPlace place = PlaceOf(panels, g.depth_k, VectorsOf(g.cols_n), vector);
      first = place.first;
      row = place.row;
      return;
    }
    const size_t n = vector * kLanes;
    first = g.b + static_cast<int64_t>(n) * g.b_col;
    row = g.b_row;
    col = g.b_col;
    if (g.cols_n - n < kLanes) cols = g.cols_n - n;
  }
  const float* At(size_t k) const { return first + static_cast<int64_t>(k) * row; }
  bool whole() const { return col == 1 && cols == kLanes; }
  // Rows [k, k + depth), one after the other.
  void Copy(size_t k, size_t depth, float* to) const {
    PackPanel(At(k), row, col, depth, cols, to, kLanes);
  }
};

// Addends of B, [step of 32 k][addend][vector][pair of k][column][2]. While a segment is
// multiplied, the next is split, piece by piece between products.
constexpr size_t kSplitAddends = 3;
constexpr size_t kPieces = 4;  // of a step
constexpr size_t kPieceDepth = kStep / kPieces;
constexpr size_t kAddendElems = kPatchVectors * kStep * kLanes;
constexpr size_t kStepElems = kSplitAddends * kAddendElems;

// One or two vectors of columns of B in a block of depth.
struct Segment {
  size_t k;
  size_t depth;
  size_t vector;
  size_t vectors;  // 0: none
  FloatColumns columns[kPatchVectors];

  Segment(const GemmCall& g, const Block& block, size_t first, size_t count)
      : k(block.k),
        depth(block.depth),
        vector(first),
        vectors(count),
        columns{FloatColumns(g, first), FloatColumns(g, first + (count > 1 ? 1 : 0))} {}
};

[[gnu::always_inline]] inline void SplitRows(const float* rows, int64_t row, uint16_t* to) {
#pragma GCC unroll 4
  for (size_t k = 0; k < kPieceDepth; k += 2, rows += 2 * row, to += 2 * kLanes) {
    Vi even = Bits(Load(rows));
    Vi odd = Bits(Load(rows + row));
#pragma GCC unroll 3
    for (size_t s = 0; s < kSplitAddends; ++s) {
      const Vi high = Splat(static_cast<int32_t>(0xffff0000));
      const Vu pairs = (Vu)even >> 16 | (Vu)(odd & high);
      _mm512_storeu_si512(to + s * kAddendElems, (__m512i)pairs);
      even = Bits(FromBits(even) - FromBits(even & high));
      odd = Bits(FromBits(odd) - FromBits(odd & high));
    }
  }
}
// Rows that are not whole vectors, or fewer.
[[gnu::noinline]] void SplitCopy(const Segment& segment, size_t v, size_t k, uint16_t* to) {
  float rows[kPieceDepth * kLanes] = {};
  if (k < segment.depth) {
    const size_t left = segment.depth - k;
    segment.columns[v].Copy(segment.k + k, left < kPieceDepth ? left : kPieceDepth, rows);
  }
  SplitRows(rows, kLanes, to);
}
// And brings the same rows of the segment `after` to L2.
inline void SplitPiece(const Segment& segment, const Segment& after, size_t step, size_t piece,
                       uint16_t* room) {
  const size_t k = step * kStep + piece * kPieceDepth;
  uint16_t* to = room + step * kStepElems + piece * kPieceDepth * kLanes;
  for (size_t v = 0; v < segment.vectors; ++v, to += kStep * kLanes) {
    const FloatColumns& columns = segment.columns[v];
    if (columns.whole() && k + kPieceDepth <= segment.depth) {
      SplitRows(columns.At(segment.k + k), columns.row, to);
    } else {
      SplitCopy(segment, v, k, to);
    }
  }
  for (size_t v = 0; v < after.vectors; ++v) {
    for (size_t i = 0; i < kPieceDepth; ++i)
      __builtin_prefetch(after.columns[v].At(after.k + k + i), 0, 2);
  }
}

// One patch of sums: A's addends meet a segment's.
struct SplitPatchCall {
  const char* a;
  size_t a_row;     // bytes from row to row
  size_t a_addend;  // … from addend to addend
  const uint16_t* room;
  size_t steps;
  size_t rows;          // of a register
  const Segment* next;  // is split meanwhile, if not null
  const Segment* after;
  uint16_t* next_room;
};

template <int kRowTiles, int kVectors>
void MultiplySplitPatch(const SplitPatchCall& call, void* sums) {
  ClearRegisters<kRowTiles, kVectors>();
  const char* a = call.a;
  const auto* b = reinterpret_cast<const char*>(call.room);
  const auto load_a = [&](size_t addend) __attribute__((always_inline)) {
    LoadA<kRowTiles>(a + addend * call.a_addend, call.a_row, call.rows);
  };
  const auto load_b = [&](size_t addend) __attribute__((always_inline)) {
    LoadB<kVectors>(b + addend * kAddendElems * sizeof(uint16_t));
  };
  for (size_t step = 0; step < call.steps; ++step) {
    const auto split = [&](size_t piece) __attribute__((always_inline)) {
      if (call.next != nullptr) SplitPiece(*call.next, *call.after, step, piece, call.next_room);
    };
    // The smallest first, which lose least by rounding; in this order seven loads serve six
    // products.
    load_a(2);
    load_b(0);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    split(0);
    load_a(1);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    split(1);
    load_b(1);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    split(2);
    load_a(0);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    split(3);
    load_b(2);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    load_b(0);
    MultiplyRegisters<false, kRowTiles, kVectors>();
    a += kRegisterBytes;
    b += kStepElems * sizeof(uint16_t);
  }
  StoreSums<kRowTiles, kVectors>(call.rows, sums);
}
constexpr PatchTable<SplitPatchCall> kSplitPatches = {{
    {MultiplySplitPatch<1, 1>, MultiplySplitPatch<1, 2>},
    {MultiplySplitPatch<2, 1>, MultiplySplitPatch<2, 2>},
}};

// Where one vector of columns of prepared_b begins, in a block of depth.
struct PanelColumns {
  const uint16_t* first;
  size_t vectors;  // of the panel

  PanelColumns(const GemmCall& g, size_t k, size_t vector) {
    const size_t panel = vector / kPatchVectors;
    const size_t rest = VectorsOf(g.cols_n) - panel * kPatchVectors;
    vectors = rest < kPatchVectors ? rest : kPatchVectors;
    const size_t elems = panel * kPatchCols * Padded(g.depth_k) + k * vectors * kLanes;
    first = static_cast<const uint16_t*>(g.prepared_b) + elems +
            vector % kPatchVectors * kStep * kLanes;
  }
};

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
  // Addends of a segment of B. There are two, for it and the next; half a page lies between, so
  // that what is stored is not taken for what is loaded from 4 KiB away.
  static constexpr size_t kRoomElems = kAddends > 1 ? (kDepthBlock / kStep) * kStepElems + 1024 : 0;

  // A thread's own memory.
  struct Scratch {
    float* sums;
    float* row;  // of A, where it is not contiguous
    uint16_t* rooms;
    uint16_t* a;  // a plane for each addend
    explicit Scratch(float* from)
        : sums(from),
          row(sums + kSumFloats),
          rooms(reinterpret_cast<uint16_t*>(row + kDepthBlock)),
          a(rooms + 2 * kRoomElems) {}
  };
  static size_t ScratchFloats(const GemmCall&) {
    return kSumFloats + kDepthBlock + kRoomElems + kAddends * kPlaneElems / 2;
  }

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

  // Blocks are nearly equal: a shallow last one would be no deeper than what it costs to add to c.
  static size_t DepthBlockOf(size_t depth_k) {
    const size_t blocks = (depth_k + kDepthBlock - 1) / kDepthBlock;
    return blocks == 0 ? 0 : Padded((depth_k + blocks - 1) / blocks);
  }
  // Calls body(block) for the depth of `rows`, a block at a time.
  template <class Body>
  static void ForDepth(const GemmCall& g, size_t row, size_t rows, const Body& body) {
    const size_t most = DepthBlockOf(g.depth_k);
    Block block = {row, rows, 0, 0, false};
    do {
      block.depth = g.depth_k - block.k < most ? g.depth_k - block.k : most;
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

  // One run of columns inside one panel, while the next, up to `vectors_end`, is brought to L2.
  static void MultiplyPanels(const GemmCall& g, const Block& block, const Planes& a, size_t vector,
                             size_t vectors, size_t vectors_end, const Scratch& scratch) {
    const PanelColumns columns(g, block.k, vector);
    const size_t next = vector + vectors;
    MultiplyPanel<false>(
        {.a = a.first,
         .a_row = a.row * sizeof(uint16_t),
         .panel = columns.first,
         .panel_step = columns.vectors * kVectorBytes,
         .steps = Padded(block.depth) / kStep},
        block.rows, vectors, next < vectors_end ? PanelColumns(g, block.k, next).first : nullptr,
        OutOfSegment(g, block, vector, vectors), scratch.sums, [](size_t, size_t) {});
  }

  // The segment whose addends lie in the first of two rooms.
  struct SplitAhead {
    uint16_t* room;
    uint16_t* other_room;
    size_t k = 0;
    size_t vector = 0;
    size_t vectors = 0;
  };

  // What is multiplied after `segment`, columns first; of no vectors after the last.
  static Segment After(const GemmCall& g, const Segment& segment, Range vectors) {
    const size_t end = segment.vector + segment.vectors;
    Block block = {.row = 0, .rows = 0, .k = segment.k, .depth = segment.depth, .last = false};
    if (end < vectors.end) return {g, block, end, vectors.end - end > 1 ? kPatchVectors : 1};
    block.k += block.depth;
    if (block.k >= g.depth_k) return {g, block, vectors.begin, 0};
    if (g.depth_k - block.k < block.depth) block.depth = g.depth_k - block.k;
    return {g, block, vectors.begin, vectors.end - vectors.begin > 1 ? kPatchVectors : 1};
  }

  // One run of columns, while the next of `all` is split.
  static void MultiplySplit(const GemmCall& g, const Block& block, const Planes& a, size_t vector,
                            size_t vectors, Range all, const Scratch& scratch, SplitAhead* ahead) {
    const Segment segment(g, block, vector, vectors);
    const Segment next = After(g, segment, all);
    const Segment after = next.vectors > 0 ? After(g, next, all) : next;
    const size_t steps = Padded(block.depth) / kStep;
    if (ahead->k != block.k || ahead->vector != vector || ahead->vectors != vectors) {
      for (size_t piece = 0; piece < steps * kPieces; ++piece)
        SplitPiece(segment, next, piece / kPieces, piece % kPieces, ahead->room);
    }
    const Patches patches(block.rows);
    SplitPatchCall call = {.a = nullptr,
                           .a_row = a.row * sizeof(uint16_t),
                           .a_addend = a.plane * sizeof(uint16_t),
                           .room = ahead->room,
                           .steps = steps,
                           .rows = patches.rows,
                           .next = nullptr,
                           .after = &after,
                           .next_room = ahead->other_room};
    const auto at_patch = [&](size_t patch) -> const SplitPatchCall& {
      call.a = reinterpret_cast<const char*>(a.first + patch * patches.height() * a.row);
      call.next = patch == 0 && next.vectors > 0 ? &next : nullptr;
      return call;
    };
    MultiplyPatches(kSplitPatches, patches, block.rows, vectors,
                    OutOfSegment(g, block, vector, vectors), scratch.sums, at_patch,
                    [&](size_t row, size_t rows) {
                      MendPatch(g, block, block.row + row, rows, vector, vectors, scratch);
                    });
    *ahead = {ahead->other_room, ahead->room, next.k, next.vector, next.vectors};
  }

  static TileOut OutOfSegment(const GemmCall& g, const Block& block, size_t vector,
                              size_t vectors) {
    const size_t col = vector * kLanes;
    const size_t cols = g.cols_n - col < vectors * kLanes ? g.cols_n - col : vectors * kLanes;
    return OutOf(g, block.row, col, cols, block.k > 0, block.last);
  }

  // Sums that are not finite, a row at a time, once more from the floats.
  static void MendPatch(const GemmCall& g, const Block& block, size_t row, size_t rows,
                        size_t vector, size_t vectors, const Scratch& scratch) {
    const auto is_finite = [&](size_t i, size_t count) {
      Vf zeros{};
      for (const float* sums = scratch.sums + i * kPatchCols; count > 0; --count) {
        for (size_t j = 0; j < vectors; ++j) zeros += Load(sums + j * kLanes) * Splat(0.0F);
        sums += kPatchCols;
      }
      return SumOf(zeros) == 0;
    };
    if (is_finite(0, rows)) return;
    for (size_t i = 0; i < rows; ++i) {
      if (is_finite(i, 1)) continue;
      const float* a = RowOf(g, block, row + i, scratch.row);
      for (size_t j = 0; j < vectors; ++j) {
        const FloatColumns columns(g, vector + j);
        Vf sum{};
        for (size_t k = 0; k < block.depth; ++k) {
          float b[kLanes];
          columns.Copy(block.k + k, 1, b);
          sum += Splat(a[k]) * Load(b);
        }
        Store(scratch.sums + i * kPatchCols + j * kLanes, sum);
      }
    }
  }

  static void Multiply(const GemmCall& g, Range rows, Range vectors, float* from) {
    const Scratch scratch(from);
    const Planes prepared = PreparedPlanes(g);
    [[maybe_unused]] SplitAhead ahead = {scratch.rooms, scratch.rooms + kRoomElems};
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
              if constexpr (kAddends > 1) {
                MultiplySplit(g, block, a, vector, here, vectors, scratch, &ahead);
              } else {
                MultiplyPanels(g, block, a, vector, here, vectors.end, scratch);
              }
            });
      });
    }
  }
};

// One step of a panel from rows of floats, `row` apart.
void RoundStep(const float* rows, size_t row, size_t vectors, uint16_t* to) {
  for (size_t v = 0; v < vectors; ++v) {
    for (size_t k = 0; k < kStep; k += 2, to += 2 * kLanes) {
      const float* at = rows + k * row + v * kLanes;
      const Vu pairs =
          (Vu)Bits(Widen(Round(Load(at)))) >> 16 | (Vu)Bits(Widen(Round(Load(at + row))));
      _mm512_storeu_si512(to, (__m512i)pairs);
    }
  }
}

void PackRounded(const float* b, int64_t b_row, int64_t b_col, size_t depth_k, size_t cols_n,
                 Range panels, void* packed) {
  float rows[kStep * kPatchCols];
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t col = p * kPatchCols;
    const size_t cols = cols_n - col < kPatchCols ? cols_n - col : kPatchCols;
    const size_t vectors = VectorsOf(cols);
    const size_t width = vectors * kLanes;
    auto* out = static_cast<uint16_t*>(packed) + col * Padded(depth_k);
    for (size_t k = 0; k < depth_k; k += kStep, out += kStep * width) {
      const size_t here = depth_k - k < kStep ? depth_k - k : kStep;
      for (size_t i = here * width; i < kStep * width; ++i) rows[i] = 0;
      PackPanel(b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(col) * b_col, b_row,
                b_col, here, cols, rows, static_cast<int64_t>(width));
      RoundStep(rows, width, vectors, out);
    }
  }
}

template <size_t kAddends>
constexpr GemmKernels MakeGemm() {
  return {.lanes = kLanes,
          .tile_rows = kPatchRows,
          .tile_cols = kPatchCols,
          .depth_unit = kAddends > 1 ? 1 : kStep,
          .multiply = Product<kAddends>::Multiply,
          .scratch_floats = Product<kAddends>::ScratchFloats,
          .prepared_floats = Product<kAddends>::PreparedFloats,
          .prepare = Product<kAddends>::Prepare,
          .pack = kAddends > 1 ? nullptr : PackRounded,
          .unpack = nullptr};
}

}  // namespace

extern const GemmKernels kGemmBf16;
const GemmKernels kGemmBf16 = MakeGemm<1>();
extern const GemmKernels kGemmSplitF32;
const GemmKernels kGemmSplitF32 = MakeGemm<3>();

}  // namespace graviton::GRAVITON_NS
