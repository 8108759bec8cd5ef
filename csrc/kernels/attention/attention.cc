#include "kernels/attention/attention.h"

#include "core/ops.gen.h"

namespace graviton {
namespace {

// See kVectorStepsPerPart in kernels/gemm/matmul.cc.
constexpr double kVectorStepsPerPart = 8192;

// Of four axes; CheckOperand refuses sizes beyond int32, which are negative here.
Status CheckTensor(const char* what, const Operand& operand, const uint32_t (&sizes)[4],
                   const int32_t (&strides)[4]) {
  const int32_t shape[] = {static_cast<int32_t>(sizes[0]), static_cast<int32_t>(sizes[1]),
                           static_cast<int32_t>(sizes[2]), static_cast<int32_t>(sizes[3])};
  return CheckOperand(what, operand, DType::kFloat32, shape, strides);
}

Status CheckOperands(const AttentionParams& p, Operands in, const Operand& out) {
  Status status = CheckTensor("Attention query", in[0], {p.batch, p.heads, p.queries, p.depth},
                              {p.query_batch, p.query_head, p.query_row, 1});
  if (!status.ok()) return status;
  status = CheckTensor("Attention key", in[1], {p.batch, p.heads, p.keys, p.depth},
                       {p.key_batch, p.key_head, p.key_row, 1});
  if (!status.ok()) return status;
  status = CheckTensor("Attention value", in[2], {p.batch, p.heads, p.keys, p.value_depth},
                       {p.value_batch, p.value_head, p.value_row, 1});
  if (!status.ok()) return status;
  if (in[3].given()) {
    status = CheckTensor("Attention mask", in[3], {p.batch, p.heads, p.queries, p.keys},
                         {p.mask_batch, p.mask_head, p.mask_row, p.mask_col});
    if (!status.ok()) return status;
  }
  status = CheckTensor("Attention out", out, {p.batch, p.heads, p.queries, p.value_depth},
                       {p.out_batch, p.out_head, p.out_row, 1});
  if (!status.ok()) return status;
  // Bounds the work as well: operands of stride 0 could ask for any amount of it.
  __extension__ using Wide = unsigned __int128;
  const Wide elems = Wide{p.batch} * p.heads * p.queries * p.value_depth;
  if (elems > Wide{static_cast<uint64_t>(out.before)} + static_cast<uint64_t>(out.after)) {
    return Status::Error(Code::kShape, "Attention out[%u, %u, %u, %u] is larger than its buffer",
                         p.batch, p.heads, p.queries, p.value_depth);
  }
  if (p.keys > 1 && p.key_row == 0 && p.value_row == 0) {
    return Status::Error(Code::kInvalidStep,
                         "Attention: neither key nor value walks along its rows");
  }
  return {};
}

AttentionCall CallOf(const AttentionParams& p, Operands in, const Operand& out,
                     const Epilogue& epilogue) {
  return {
      .query = {in[0].f32(), p.query_batch, p.query_head, p.query_row},
      .key = {in[1].f32(), p.key_batch, p.key_head, p.key_row},
      .value = {in[2].f32(), p.value_batch, p.value_head, p.value_row},
      .out = {out.f32(), p.out_batch, p.out_head, p.out_row},
      .mask = {in[3].f32(), p.mask_batch, p.mask_head, p.mask_row},
      .mask_col = p.mask_col,
      .heads = p.heads,
      .queries = p.queries,
      .keys = p.keys,
      .depth = p.depth,
      .value_depth = p.value_depth,
      .scale = p.scale,
      .causal = p.causal != 0,
      .causal_offset = p.causal_offset,
      .epilogue = epilogue.empty() ? nullptr : &epilogue,
  };
}

}  // namespace

Status Attention(const StepContext& context, const AttentionParams& p, Operands in, Operands out) {
  if (Status status = CheckOperands(p, in, out[0]); !status.ok()) return status;
  Epilogue epilogue;
  const int64_t shape[4] = {p.batch, p.heads, p.queries, p.keys};
  Status status =
      BindEpilogue("Attention", p.epilogue, p.epilogue_strides, in.subspan(4), shape, &epilogue);
  if (!status.ok()) return status;
  if (p.batch == 0 || p.heads == 0 || p.queries == 0 || p.value_depth == 0) return {};
  const AttentionCall call = CallOf(p, in, out[0], epilogue);
  const AttentionKernels& kernels = *SelectkAttention(context.isa);
  const size_t at_once = kernels.query_block(call);
  const size_t blocks = size_t{p.batch} * p.heads * ((call.queries + at_once - 1) / at_once);
  const double steps = static_cast<double>(p.batch) * p.heads * p.queries * p.keys *
                       (static_cast<double>(p.depth) + p.value_depth) /
                       static_cast<double>(kernels.lanes);
  const double worth = steps / kVectorStepsPerPart;
  size_t parts = worth < 2                                      ? 1
                 : worth < static_cast<double>(context.threads) ? static_cast<size_t>(worth)
                                                                : context.threads;
  if (parts > blocks) parts = blocks;
  const size_t scratch_floats = kernels.scratch_floats(call);
  void* scratch;
  status = context.scratch.Reserve(parts * scratch_floats * sizeof(float), &scratch);
  if (!status.ok()) return status;
  context.pool.Run(parts, [&](size_t part) {
    kernels.run(call, Partition(blocks, parts, part),
                static_cast<float*>(scratch) + part * scratch_floats);
  });
  return {};
}

}  // namespace graviton
