#include "kernels/normalize/normalize.h"

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/normalize/normalize-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

Status CheckRows(const char* what, const Operand& operand, const NormalizeParams& params,
                 int32_t row) {
  const int32_t shape[] = {static_cast<int32_t>(params.rows), static_cast<int32_t>(params.cols)};
  const int32_t strides[] = {row, 1};
  return CheckOperand(what, operand, DType::kFloat32, shape, strides);
}

}  // namespace

Status Normalize(const StepContext& context, const NormalizeParams& params, Operands in,
                 Operands out) {
  if (params.kind >= kNormalizeKinds) {
    return Status::Error(Code::kInvalidStep, "Normalize has no kind %u", params.kind);
  }
  if (Status s = CheckRows("Normalize x", in[0], params, params.x_row); !s.ok()) return s;
  if (Status s = CheckRows("Normalize result", out[0], params, params.y_row); !s.ok()) return s;
  const int64_t distance = params.y_row < 0 ? -int64_t{params.y_row} : params.y_row;
  if (params.rows > 1 && distance < params.cols) {
    return Status::Error(Code::kShape, "Normalize: result rows of %u elements are only %d apart",
                         params.cols, params.y_row);
  }
  const char* const names[] = {"Normalize gamma", "Normalize beta"};
  for (size_t i = 1; i <= 2; ++i) {
    if (!in[i].given()) continue;
    if (Status s = CheckDense(names[i - 1], in[i], DType::kFloat32, params.cols); !s.ok()) return s;
  }
  if (params.rows == 0 || params.cols == 0) return {};
  const auto run = SelectkNormalize(context.isa)->run[params.kind];
  const double work_ns = params.rows * (0.25 * params.cols + 30.0);
  const size_t parts = PartsFor(context.threads, params.rows, work_ns);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(params.rows, parts, part);
    const auto first = static_cast<ptrdiff_t>(range.begin);
    run({.x = in[0].f32() + first * params.x_row,
         .gamma = in[1].f32(),
         .beta = in[2].f32(),
         .y = out[0].f32() + first * params.y_row,
         .rows = range.end - range.begin,
         .cols = params.cols,
         .x_row = params.x_row,
         .y_row = params.y_row,
         .epsilon = params.epsilon});
  });
  return {};
}

}  // namespace graviton
