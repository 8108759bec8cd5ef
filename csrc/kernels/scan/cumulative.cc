#include "kernels/scan/cumulative.h"

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/scan/cumulative-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr DType kTypes[kCumulativeTypes] = {DType::kFloat32, DType::kInt32};
constexpr size_t kColumnGrain = 16;  // elements of a cache line

}  // namespace

Status Cumulative(const StepContext& context, const CumulativeParams& params, Operands in,
                  Operands out) {
  int type = 0;
  while (type < kCumulativeTypes && kTypes[type] != in[0].dtype) ++type;
  if (params.kind >= kCumulativeKinds) {
    return Status::Error(Code::kInvalidStep, "Cumulative has no kind %u", params.kind);
  }
  if (type == kCumulativeTypes) {
    return Status::Error(Code::kDType, "Cumulative takes float32 or int32, not %s",
                         NameOf(in[0].dtype));
  }
  int64_t elems;
  if (!ElemsOf({params.outer, params.length, params.inner}, &elems)) {
    return Status::Error(Code::kShape, "Cumulative: %u x %u x %u elements are too many",
                         params.outer, params.length, params.inner);
  }
  if (Status s = CheckDense("Cumulative x", in[0], kTypes[type], elems); !s.ok()) return s;
  if (Status s = CheckDense("Cumulative result", out[0], kTypes[type], elems); !s.ok()) return s;
  if (elems == 0) return {};
  const auto run = SelectkCumulative(context.isa)->run[params.kind][type];
  const size_t outer_elems = size_t{params.length} * params.inner;
  const auto piece = [&](Range outers, Range columns) {
    const size_t at = (outers.begin * outer_elems + columns.begin) * SizeOf(kTypes[type]);
    run({.x = static_cast<const char*>(in[0].data) + at,
         .y = static_cast<char*>(out[0].data) + at,
         .outer = outers.end - outers.begin,
         .length = params.length,
         .columns = columns.end - columns.begin,
         .row_elems = params.inner,
         .outer_elems = outer_elems,
         .exclusive = params.exclusive != 0,
         .reverse = params.reverse != 0});
  };
  // One row cannot be shared without a second pass over it, which memory-bound rows do not repay.
  const bool by_columns = params.outer < context.threads;
  const size_t items = by_columns ? (params.inner + kColumnGrain - 1) / kColumnGrain : params.outer;
  const size_t parts = PartsFor(context.threads, items, 0.4 * static_cast<double>(elems));
  context.pool.Run(parts, [&](size_t part) {
    if (by_columns) {
      piece({0, params.outer}, Partition(params.inner, parts, part, kColumnGrain));
    } else {
      piece(Partition(params.outer, parts, part), {0, params.inner});
    }
  });
  return {};
}

}  // namespace graviton
