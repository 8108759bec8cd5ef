#include "kernels/reduce/arg_reduce.h"

#include <algorithm>

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/reduce/arg_reduce-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr DType kTypes[kArgReduceTypes] = {DType::kFloat32, DType::kInt32, DType::kBool};
constexpr size_t kColumnGrain = 64;  // a part's columns: whole cache lines of every type
constexpr size_t kLeastSplitRows = 1024;

struct Job {
  void (*run)(const ArgReducePiece&);
  const char* x;
  int32_t* out;
  size_t outer;
  size_t reduce;
  size_t inner;
  size_t elem_bytes;
};

// Outer indices `outers` and columns `columns` over the rows `rows`.
void RunPiece(const Job& job, Range outers, Range rows, Range columns, int32_t* out) {
  if (outers.begin == outers.end || columns.begin == columns.end) return;
  const size_t at = (outers.begin * job.reduce + rows.begin) * job.inner + columns.begin;
  job.run({.x = job.x + at * job.elem_bytes,
           .out = out + outers.begin * job.inner + columns.begin,
           .outer = outers.end - outers.begin,
           .reduce = rows.end - rows.begin,
           .columns = columns.end - columns.begin,
           .row_elems = job.inner,
           .outer_elems = job.reduce * job.inner,
           .out_elems = job.inner,
           .first = static_cast<int32_t>(rows.begin)});
}

// Few results of long axes: each part finds the best of its rows, and of these the best is chosen
// by the same kernel on their values.
template <class E>
Status RunSplit(const StepContext& context, const Job& job, size_t parts) {
  const size_t results = job.outer * job.inner;
  const size_t candidates = parts * results;
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(
          candidates * (sizeof(int32_t) + sizeof(E)) + results * sizeof(int32_t), &block);
      !s.ok()) {
    return s;
  }
  auto* const indices = static_cast<int32_t*>(block);
  auto* const winners = indices + candidates;
  auto* const values = reinterpret_cast<E*>(winners + results);
  const auto* const x = reinterpret_cast<const E*>(job.x);
  context.pool.Run(parts, [&](size_t part) {
    int32_t* const mine = indices + part * results;
    RunPiece(job, {0, job.outer}, Partition(job.reduce, parts, part), {0, job.inner}, mine);
    for (size_t i = 0; i < results; ++i) {
      const size_t outer = i / job.inner;
      const size_t row = outer * job.reduce + static_cast<size_t>(mine[i]);
      values[part * results + i] = x[row * job.inner + i % job.inner];
    }
  });
  const Job last = {.run = job.run,
                    .x = reinterpret_cast<char*>(values),
                    .out = winners,
                    .outer = 1,
                    .reduce = parts,
                    .inner = results,
                    .elem_bytes = sizeof(E)};
  RunPiece(last, {0, 1}, {0, parts}, {0, results}, winners);
  for (size_t i = 0; i < results; ++i) {
    job.out[i] = indices[static_cast<size_t>(winners[i]) * results + i];
  }
  return {};
}

}  // namespace

Status ArgReduce(const StepContext& context, const ArgReduceParams& params, Operands in,
                 Operands out) {
  int type = 0;
  while (type < kArgReduceTypes && kTypes[type] != in[0].dtype) ++type;
  if (params.kind >= kArgReduceKinds) {
    return Status::Error(Code::kInvalidStep, "ArgReduce has no kind %u", params.kind);
  }
  if (type == kArgReduceTypes) {
    return Status::Error(Code::kDType, "ArgReduce takes float32, int32 or bool, not %s",
                         NameOf(in[0].dtype));
  }
  int64_t elems, results;
  if (!ElemsOf({params.outer, params.reduce, params.inner}, &elems) ||
      !ElemsOf({params.outer, params.inner}, &results) || params.reduce > INT32_MAX) {
    return Status::Error(Code::kShape, "ArgReduce: %u x %u x %u elements are too many",
                         params.outer, params.reduce, params.inner);
  }
  if (Status s = CheckDense("ArgReduce x", in[0], kTypes[type], elems); !s.ok()) return s;
  if (Status s = CheckDense("ArgReduce result", out[0], DType::kInt32, results); !s.ok()) return s;
  if (results == 0) return {};
  if (params.reduce == 0) {
    return Status::Error(Code::kShape, "ArgReduce over an axis of size 0 has no result");
  }
  const Job job = {.run = SelectkArgReduce(context.isa)->run[params.kind][type],
                   .x = static_cast<const char*>(in[0].data),
                   .out = out[0].i32(),
                   .outer = params.outer,
                   .reduce = params.reduce,
                   .inner = params.inner,
                   .elem_bytes = SizeOf(kTypes[type])};
  // 10 bytes a nanosecond (bools: 1), and about 8 ns for every row's end.
  const double elem_ns = kTypes[type] == DType::kBool ? 1.0 : 0.4;
  const double work_ns = elem_ns * static_cast<double>(elems) + 8.0 * job.outer;
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(elems), work_ns);
  if (parts == 1) {
    RunPiece(job, {0, job.outer}, {0, job.reduce}, {0, job.inner}, job.out);
  } else if (job.outer >= 4 * parts) {
    const size_t pieces = PiecesFor(parts, job.outer, work_ns);
    context.pool.RunPieces(parts, pieces, job.outer, [&](size_t, Range outers) {
      RunPiece(job, outers, {0, job.reduce}, {0, job.inner}, job.out);
    });
  } else if (job.inner >= 2 * kColumnGrain * parts || job.reduce < kLeastSplitRows * parts) {
    context.pool.Run(parts, [&](size_t part) {
      const Range columns = Partition(job.inner, parts, part, kColumnGrain);
      RunPiece(job, {0, job.outer}, {0, job.reduce}, columns, job.out);
    });
  } else {
    switch (kTypes[type]) {
      case DType::kFloat32:
        return RunSplit<float>(context, job, parts);
      case DType::kInt32:
        return RunSplit<int32_t>(context, job, parts);
      default:
        return RunSplit<uint8_t>(context, job, parts);
    }
  }
  return {};
}

}  // namespace graviton
