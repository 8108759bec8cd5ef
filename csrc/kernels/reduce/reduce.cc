#include "kernels/reduce/reduce.h"

#include <algorithm>

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/reduce/reduce-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr DType kTypes[kReduceTypes] = {DType::kFloat32, DType::kInt32, DType::kBool};
constexpr uint32_t kMean = 1;
constexpr size_t kLeastStripBytes = 256;
// Below this many rows a part the partial results cost more than they spread.
constexpr size_t kLeastSplitRows = 64;

struct Job {
  void (*run)(const ReducePiece&);
  const char* x;
  char* out;
  size_t outer;
  size_t reduce;
  size_t inner;
  size_t elem_bytes;
  float divisor;
};

// Strips of every outer index, `strip` columns wide, dealt out to the parts. Few items make uneven
// shares, so strips narrow until there are four a part.
size_t StripFor(const Job& job, size_t parts) {
  size_t bytes = kReduceStripBytes;
  const auto items = [&] {
    const size_t strip = bytes / job.elem_bytes;
    return job.outer * ((job.inner + strip - 1) / strip);
  };
  while (bytes > kLeastStripBytes && items() < 4 * parts) bytes /= 2;
  return bytes / job.elem_bytes;
}

void RunItems(const Job& job, size_t strip, Range items, void* scratch) {
  const size_t strips = (job.inner + strip - 1) / strip;
  const bool one = strips == 1;
  ReducePiece piece = {.x = nullptr,
                       .out = nullptr,
                       .outer = one ? items.end - items.begin : 1,
                       .reduce = job.reduce,
                       .columns = job.inner,
                       .row_elems = job.inner,
                       .out_elems = job.inner,
                       .divisor = job.divisor,
                       .scratch = scratch};
  for (size_t item = items.begin; item < items.end; item += piece.outer) {
    const size_t outer = item / strips;
    const size_t column = item % strips * strip;
    piece.columns = std::min(strip, job.inner - column);
    piece.x = job.x + (outer * job.reduce * job.inner + column) * job.elem_bytes;
    piece.out = job.out + (outer * job.inner + column) * job.elem_bytes;
    job.run(piece);
  }
}

Status RunStrips(const StepContext& context, const Job& job, size_t parts, double work_ns) {
  const size_t strip = StripFor(job, parts);
  const size_t items = job.outer * ((job.inner + strip - 1) / strip);
  parts = std::min(parts, items);
  const size_t scratch_bytes = ReduceScratchBytes(job.reduce);
  void* scratch = nullptr;
  if (Status s = context.scratch.Reserve(parts * scratch_bytes, &scratch); !s.ok()) return s;
  const size_t pieces = PiecesFor(parts, items, work_ns);
  context.pool.RunPieces(parts, pieces, items, [&](size_t part, Range range) {
    RunItems(job, strip, range, static_cast<char*>(scratch) + part * scratch_bytes);
  });
  return {};
}

// Few results of many terms: every piece of the axis is folded into results of its own, and these
// are folded like one more axis.
Status RunSplit(const StepContext& context, const Job& job, size_t parts, double work_ns) {
  const size_t results = job.outer * job.inner;
  const size_t pieces = PiecesFor(parts, job.reduce / kLeastSplitRows, work_ns);
  const size_t partial_bytes = (pieces * results * job.elem_bytes + 63) / 64 * 64;
  const size_t scratch_bytes = ReduceScratchBytes(job.reduce);
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(partial_bytes + parts * scratch_bytes, &block); !s.ok()) {
    return s;
  }
  char* const partials = static_cast<char*>(block);
  char* const scratch = partials + partial_bytes;
  context.pool.RunPieces(parts, pieces, pieces, [&](size_t part, Range range) {
    const size_t piece = range.begin;
    const Range rows = Partition(job.reduce, pieces, piece);
    Job share = job;
    share.reduce = rows.end - rows.begin;
    share.divisor = 1;
    share.outer = 1;
    const size_t strip = kReduceStripBytes / job.elem_bytes;
    for (size_t outer = 0; outer < job.outer; ++outer) {
      share.x = job.x + (outer * job.reduce + rows.begin) * job.inner * job.elem_bytes;
      share.out = partials + (piece * results + outer * job.inner) * job.elem_bytes;
      RunItems(share, strip, {0, (job.inner + strip - 1) / strip}, scratch + part * scratch_bytes);
    }
  });
  Job joined = job;
  joined.x = partials;
  joined.outer = 1;
  joined.reduce = pieces;
  joined.inner = results;
  const size_t strip = kReduceStripBytes / job.elem_bytes;
  RunItems(joined, strip, {0, (results + strip - 1) / strip}, scratch);
  return {};
}

}  // namespace

Status Reduce(const StepContext& context, const ReduceParams& params, Operands in, Operands out) {
  int type = 0;
  while (type < kReduceTypes && kTypes[type] != in[0].dtype) ++type;
  if (params.kind >= kReduceKinds) {
    return Status::Error(Code::kInvalidStep, "Reduce has no kind %u", params.kind);
  }
  const auto run =
      type < kReduceTypes ? SelectkReduce(context.isa)->run[params.kind][type] : nullptr;
  if (run == nullptr) {
    return Status::Error(Code::kDType, "Reduce of kind %u does not take %s", params.kind,
                         NameOf(in[0].dtype));
  }
  int64_t elems, results;
  if (!ElemsOf({params.outer, params.reduce, params.inner}, &elems) ||
      !ElemsOf({params.outer, params.inner}, &results)) {
    return Status::Error(Code::kShape, "Reduce: %u x %u x %u elements are too many", params.outer,
                         params.reduce, params.inner);
  }
  if (Status s = CheckDense("Reduce x", in[0], kTypes[type], elems); !s.ok()) return s;
  if (Status s = CheckDense("Reduce result", out[0], kTypes[type], results); !s.ok()) return s;
  if (results == 0) return {};

  const Job job = {.run = run,
                   .x = static_cast<const char*>(in[0].data),
                   .out = static_cast<char*>(out[0].data),
                   .outer = params.outer,
                   .reduce = params.reduce,
                   .inner = params.inner,
                   .elem_bytes = SizeOf(kTypes[type]),
                   .divisor = params.kind == kMean ? static_cast<float>(params.reduce) : 1.0f};
  // 20 bytes a nanosecond from L2; rows of their own cost about 4 ns each.
  const double bytes = static_cast<double>(elems) * job.elem_bytes;
  const double work_ns = bytes / 20 + 4.0 * static_cast<double>(results) / job.inner;
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(elems), work_ns);
  const size_t strip = StripFor(job, parts);
  const size_t items = job.outer * ((job.inner + strip - 1) / strip);
  if (parts > 1 && items < 4 * parts && job.reduce >= kLeastSplitRows * parts) {
    return RunSplit(context, job, parts, work_ns);
  }
  return RunStrips(context, job, parts, work_ns);
}

}  // namespace graviton
