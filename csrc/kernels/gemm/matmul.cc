#include "kernels/gemm/matmul.h"

#include <algorithm>
#include <optional>

#include "core/ops.gen.h"
#include "kernels/gemm/kept_panels.h"
#include "kernels/gemm/pack.h"

namespace graviton {
namespace {

// Fewer multiply-adds than this (by a whole vector) are not worth a thread of their own: about two
// microseconds, what it costs to wake one and to wait for it.
constexpr double kVectorStepsPerPart = 8192;

// How a product is divided: `batch` groups of products, each in `rows` x `cols` rectangles.
struct Split {
  size_t batch = 1;
  size_t rows = 1;
  size_t cols = 1;
  size_t parts() const { return batch * rows * cols; }
};

struct Problem {
  size_t batch1;
  size_t batch2;
  size_t rows_m;
  size_t vectors;
  size_t depth_k;
  bool packed;
};

constexpr size_t CeilDiv(size_t a, size_t b) { return (a + b - 1) / b; }

// Quarter vector steps of the busiest thread, per element of depth: the multiply-adds, what a tile
// spends on loading B, what it costs to bring B (packed or not) and A to this core: three times as
// much where threads share rows, which others wrote in the step before.
double CostOf(const Problem& p, const GemmKernels& kernels, const Split& split) {
  const auto rows = static_cast<double>(CeilDiv(p.rows_m, split.rows));
  const auto tiles = static_cast<double>(CeilDiv(CeilDiv(p.rows_m, split.rows), kernels.tile_rows));
  const auto vectors = static_cast<double>(CeilDiv(p.vectors, split.cols));
  const auto products = static_cast<double>(CeilDiv(p.batch1 * p.batch2, split.batch));
  const double bring_a = split.cols > 1 ? 3 * rows : rows;
  return products * ((4 * rows + 2 * tiles + (p.packed ? 8 : 32)) * vectors + bring_a);
}

// A pure function of the problem, so that the same thread count gives the same bits.
Split SplitOf(const Problem& p, const GemmKernels& kernels, size_t threads) {
  const double steps = static_cast<double>(p.batch1 * p.batch2) * static_cast<double>(p.rows_m) *
                       static_cast<double>(p.vectors) * static_cast<double>(p.depth_k);
  const double worth = steps / kVectorStepsPerPart;
  if (worth < static_cast<double>(threads)) threads = worth < 2 ? 1 : static_cast<size_t>(worth);
  Split best;
  double best_cost = CostOf(p, kernels, best);
  for (size_t batch = 1; batch <= std::min(threads, p.batch1 * p.batch2); ++batch) {
    for (size_t rows = 1; rows <= std::min(threads / batch, p.rows_m); ++rows) {
      const Split split = {batch, rows, std::min(threads / (batch * rows), p.vectors)};
      const double cost = CostOf(p, kernels, split);
      if (cost >= best_cost) continue;
      best = split;
      best_cost = cost;
    }
  }
  return best;
}

int32_t ToInt(uint32_t size) { return static_cast<int32_t>(size); }  // CheckOperand refuses < 0

Status CheckB(const StepContext& context, const MatMulParams& p, const Operand& b) {
  if (p.packed_b == 0) {
    if (b.layout() != 0) {
      return Status::Error(Code::kInvalidStep,
                           "MatMul b is packed (%#x), which the step does not say", b.layout());
    }
    const int32_t shape[] = {ToInt(p.batch1), ToInt(p.batch2), ToInt(p.depth_k), ToInt(p.cols_n)};
    const int32_t strides[] = {p.b_batch1, p.b_batch2, p.b_row, p.b_col};
    return CheckOperand("MatMul b", b, DType::kFloat32, shape, strides);
  }
  if ((p.packed_b != kLayoutGemmF32 && !TakesPixelRows(p.packed_b)) ||
      b.layout() != LayoutCode(p.packed_b, context.isa)) {
    return Status::Error(Code::kInvalidStep, "MatMul b has the layout %#x; the step wants %u on %s",
                         b.layout(), p.packed_b, NameOf(context.isa));
  }
  return CheckPacked("MatMul b", context, p.packed_b, p.depth_k, p.cols_n, 1, b);
}

Status CheckOperands(const StepContext& context, const MatMulParams& p, Operands in,
                     const Operand& c) {
  {
    const int32_t shape[] = {ToInt(p.batch1), ToInt(p.batch2), ToInt(p.rows_m), ToInt(p.depth_k)};
    const int32_t strides[] = {p.a_batch1, p.a_batch2, p.a_row, p.a_col};
    Status status = CheckOperand("MatMul a", in[0], DType::kFloat32, shape, strides);
    if (!status.ok()) return status;
  }
  if (Status status = CheckB(context, p, in[1]); !status.ok()) return status;
  if (in[2].given()) {
    Status status = CheckDense("MatMul bias", in[2], DType::kFloat32, p.cols_n);
    if (!status.ok()) return status;
  }
  const int32_t shape[] = {ToInt(p.batch1), ToInt(p.batch2), ToInt(p.rows_m), ToInt(p.cols_n)};
  const int32_t strides[] = {p.c_batch1, p.c_batch2, p.c_row, 1};
  if (Status status = CheckOperand("MatMul c", c, DType::kFloat32, shape, strides); !status.ok()) {
    return status;
  }
  // Bounds the work as well: an output of stride 0 could ask for any amount of it.
  __extension__ using Wide = unsigned __int128;
  const Wide elems = Wide{p.batch1} * p.batch2 * p.rows_m * p.cols_n;
  if (elems > Wide{static_cast<uint64_t>(c.before)} + static_cast<uint64_t>(c.after)) {
    return Status::Error(Code::kShape, "MatMul c[%u, %u, %u, %u] is larger than its buffer",
                         p.batch1, p.batch2, p.rows_m, p.cols_n);
  }
  if (elems > 0 && p.depth_k > 1 && p.a_col == 0 && p.b_row == 0 && p.packed_b == 0) {
    return Status::Error(Code::kInvalidStep, "MatMul: neither a nor b walks along k");
  }
  return {};
}

// Batches whose rows follow on are more rows of one product, as x[b, m, k] · w[k, n]: b is packed
// or read once for all.
void FoldBatchIntoRows(MatMulParams* p, const Epilogue& epilogue) {
  const auto folds = [&](uint32_t batch, int32_t a, int32_t b, int32_t c, int axis) {
    if (batch == 1) return true;
    if (p->packed_b == 0 && b != 0) return false;
    const auto rows = static_cast<int64_t>(p->rows_m);
    if (a != p->a_row * rows || c != p->c_row * rows || batch * rows > INT32_MAX) return false;
    for (size_t i = 0; i < epilogue.inputs; ++i) {
      if (epilogue.strides[i][axis] != epilogue.strides[i][2] * rows) return false;
    }
    return true;
  };
  if (!folds(p->batch2, p->a_batch2, p->b_batch2, p->c_batch2, 1)) return;
  p->rows_m *= p->batch2;
  p->batch2 = 1;
  if (!folds(p->batch1, p->a_batch1, p->b_batch1, p->c_batch1, 0)) return;
  p->rows_m *= p->batch1;
  p->batch1 = 1;
}

// Whether tiles can apply the epilogue to their sums; residual then belongs to c[0, 0, 0, 0].
bool AsTileEpilogue(const Epilogue& epilogue, TileEpilogue* tile) {
  *tile = {};
  tile->clamps = true;
  if (AsClamp(epilogue.program, &tile->clamp)) return true;
  if (!AsAddAndClamp(epilogue.program, &tile->clamp)) return false;
  const Operand& residual = epilogue.operands[0];
  if (residual.dtype != DType::kFloat32 || epilogue.strides[0][3] != 1) return false;
  tile->residual = residual.f32();
  tile->residual_row = epilogue.strides[0][2];
  tile->clamps = epilogue.program.instructions > 1;
  return true;
}

// The product number i1, i2 of the batch.
GemmCall CallOf(const MatMulParams& p, const PixelRows* pixels, Operands in, const float* panels,
                const Operand& c, const Epilogue& epilogue, int64_t i1, int64_t i2) {
  const bool packed = p.packed_b != 0;
  const int64_t a = i1 * p.a_batch1 + i2 * p.a_batch2;
  TileEpilogue tile = {};
  const bool in_tiles = AsTileEpilogue(epilogue, &tile);
  if (tile.residual != nullptr) {
    tile.residual += i1 * epilogue.strides[0][0] + i2 * epilogue.strides[0][1];
  }
  return {
      .a = pixels == nullptr ? in[0].f32() + a : nullptr,
      .a_row = p.a_row,
      .a_col = p.a_col,
      .pixels = pixels,
      .first_pixel = a,
      .b = packed ? in[1].f32() : in[1].f32() + i1 * p.b_batch1 + i2 * p.b_batch2,
      .prepared_b = packed ? in[1].data : nullptr,
      .prepared_a = nullptr,
      .kept = panels,
      .packed = packed,
      .b_row = p.b_row,
      .b_col = p.b_col,
      .c = c.f32() + i1 * p.c_batch1 + i2 * p.c_batch2,
      .c_row = p.c_row,
      .bias = in[2].f32(),
      .epilogue = epilogue.empty() ? nullptr : &epilogue,
      .tile_epilogue = tile,
      .in_tiles = in_tiles,
      .index1 = i1,
      .index2 = i2,
      .rows_m = p.rows_m,
      .cols_n = p.cols_n,
      .depth_k = p.depth_k,
  };
}

const GemmKernels& KernelsFor(Isa isa, PackLayout layout, bool splits) {
#if !defined(__aarch64__)
  if (splits) return avx512_amx::kGemmSplitF32;
#endif
  (void)splits;
  return *KernelsOf(isa, layout == kLayoutPlain ? kLayoutGemmF32 : layout, 1);
}

// A plain b that is one whole matrix for the batch; nothing where it is not.
std::optional<PlainWeights> PlainWeightsOf(const MatMulParams& p) {
  if (p.packed_b != kLayoutPlain) return {};
  if ((p.batch1 > 1 && p.b_batch1 != 0) || (p.batch2 > 1 && p.b_batch2 != 0)) return {};
  const bool plain = p.b_col == 1 && p.b_row == ToInt(p.cols_n);
  const bool transposed = p.b_row == 1 && p.b_col == ToInt(p.depth_k);
  if (!plain && !transposed) return {};
  return PlainWeights{.depth_k = p.depth_k, .cols_n = p.cols_n, .groups = 1, .transposed = !plain};
}

// One product by pieces of some columns and rows, of which each thread takes the next: a matrix
// unit is shared with the processor's other thread, so that equal shares may take one core three
// times as long as another. Who computes a piece changes no bit of it.
void MultiplyByPieces(const StepContext& context, const GemmKernels& kernels, const GemmCall& call,
                      size_t threads, float* scratch, size_t scratch_floats) {
  constexpr size_t kRows = 256;
  // Of a deeper product fewer, since A leaves L2 with each piece.
  constexpr size_t kPiecesPerThread = 6;
  constexpr size_t kDepth = 1024;
  const size_t pieces =
      threads * std::max(size_t{1}, kPiecesPerThread / CeilDiv(call.depth_k, kDepth));
  context.pool.Run(threads, [&](size_t part) {
    kernels.prepare(call, Partition(call.rows_m, threads, part, 16),
                    scratch + part * scratch_floats);
  });
  const size_t vectors = CeilDiv(call.cols_n, kernels.lanes);
  const size_t panels = CeilDiv(call.cols_n, kernels.tile_cols);
  const size_t row_pieces = CeilDiv(call.rows_m, kRows);
  const size_t col_pieces = std::min(panels, CeilDiv(pieces, row_pieces));
  const size_t total = row_pieces * col_pieces;
  context.pool.RunPieces(threads, total, total, [&](size_t part, Range range) {
    // Rows first: the columns stay in L2.
    for (size_t piece = range.begin; piece < range.end; ++piece) {
      kernels.multiply(
          call, Partition(call.rows_m, row_pieces, piece % row_pieces),
          Partition(vectors, col_pieces, piece / row_pieces, kernels.tile_cols / kernels.lanes),
          scratch + part * scratch_floats);
    }
  });
}

Status Run(const StepContext& context, const MatMulParams& p, const PixelRows* pixels, Operands in,
           const Operand& c, const Epilogue& epilogue) {
  // Fewer rows read b in place.
  constexpr uint32_t kFewRows = 5;
  const std::optional<PlainWeights> weights = PlainWeightsOf(p);
  const bool splits =
      !TakesPixelRows(p.packed_b) &&
      (pixels != nullptr || GainsBySplitting(context.isa, p.rows_m, p.depth_k, p.cols_n));
  const GemmKernels& kernels = KernelsFor(context.isa, p.packed_b, splits);
  const Problem problem = {.batch1 = p.batch1,
                           .batch2 = p.batch2,
                           .rows_m = p.rows_m,
                           .vectors = CeilDiv(p.cols_n, kernels.lanes),
                           .depth_k = p.depth_k,
                           .packed = p.packed_b != 0};
  const Split split = SplitOf(problem, kernels, context.threads);
  const float* panels = nullptr;
  if (weights && p.rows_m >= kFewRows) panels = KeptPanels(context, *weights, in[1]);
  GemmCall call = CallOf(p, pixels, in, panels, c, epilogue, 0, 0);
  const size_t scratch_floats = kernels.scratch_floats(call);
  // Smaller products are over before a core falls behind by what a second round of all threads
  // costs.
  constexpr double kLeastByPieces = 1 << 25;  // multiply-adds
  const bool by_pieces = kernels.prepare != nullptr && split.parts() > 1 &&
                         p.batch1 * p.batch2 == 1 &&
                         static_cast<double>(p.rows_m) * p.cols_n * p.depth_k >= kLeastByPieces;
  const size_t prepared_floats = by_pieces ? kernels.prepared_floats(call) : 0;
  void* reserved;
  Status status = context.scratch.Reserve(
      (prepared_floats + split.parts() * scratch_floats) * sizeof(float), &reserved);
  if (!status.ok()) return status;
  float* scratch = static_cast<float*>(reserved) + prepared_floats;
  if (by_pieces) {
    call.prepared_a = reserved;
    MultiplyByPieces(context, kernels, call, split.parts(), scratch, scratch_floats);
    return {};
  }
  context.pool.Run(split.parts(), [&](size_t part) {
    const Range products =
        Partition(problem.batch1 * problem.batch2, split.batch, part / (split.rows * split.cols));
    const Range rows = Partition(problem.rows_m, split.rows, part / split.cols % split.rows);
    const Range vectors = Partition(problem.vectors, split.cols, part % split.cols);
    for (size_t product = products.begin; product < products.end; ++product) {
      const auto i1 = static_cast<int64_t>(product / p.batch2);
      const auto i2 = static_cast<int64_t>(product % p.batch2);
      kernels.multiply(CallOf(p, pixels, in, panels, c, epilogue, i1, i2), rows, vectors,
                       scratch + part * scratch_floats);
    }
  });
  return {};
}

}  // namespace

Status MatMul(const StepContext& context, const MatMulParams& params, Operands in, Operands out) {
  if (Status status = CheckOperands(context, params, in, out[0]); !status.ok()) return status;
  Epilogue epilogue;
  const int64_t shape[4] = {params.batch1, params.batch2, params.rows_m, params.cols_n};
  Status status = BindEpilogue("MatMul", params.epilogue, params.epilogue_strides, in.subspan(3),
                               shape, &epilogue);
  if (!status.ok()) return status;
  if (shape[0] == 0 || shape[1] == 0 || shape[2] == 0 || shape[3] == 0) return {};
  MatMulParams p = params;
  FoldBatchIntoRows(&p, epilogue);
  return Run(context, p, nullptr, in, out[0], epilogue);
}

Status MatMulOfPixels(const StepContext& context, const MatMulParams& params,
                      const PixelRows& pixels, Operands in, const Operand& c,
                      const Epilogue& epilogue) {
  MatMulParams p = params;
  p.a_row = 1;
  p.a_batch2 = static_cast<int32_t>(p.rows_m);
  p.a_batch1 = static_cast<int32_t>(p.rows_m * p.batch2);
  FoldBatchIntoRows(&p, epilogue);
  return Run(context, p, &pixels, in, c, epilogue);
}

}  // namespace graviton
