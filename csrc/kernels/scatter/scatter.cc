// Scatter: out = base or 0; then out[b, indices[b, s, :], :] = or += updates[b, s, :], in order of
// s
#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "threads/parts.h"

namespace graviton {
namespace {

enum class ScatterKind : uint32_t { kSet = 0, kAdd = 1 };  // scatterKinds in src/ops/movement.ts
enum class ScatterOutside : uint32_t { kFails = 0, kDropped = 1, kLargeDropped = 2 };

// Below this many bytes of a row, parts do not share it.
constexpr int64_t kLeastRowBytes = 64;

struct Job {
  ScatterKind kind;
  DType dtype;
  int64_t batch, rows, inner, count;
  int64_t update_step;  // elements from one update to the next: inner or 0
  List dims;
  const int32_t* indices;
  const char* updates;
  char* out;
};

// The row that an index names, or -1 where it lies outside.
int64_t RowOf(const Job& job, const int32_t* index) {
  int64_t row = 0;
  for (size_t d = 0; d < job.dims.size(); ++d) {
    if (index[d] < 0 || index[d] >= job.dims[d]) return -1;
    row = row * job.dims[d] + index[d];
  }
  return row;
}

// Whether `count` indices, `depth` apart, are at least 0 and, where `bounded`, less than `size`. In
// a form that compilers turn into vectors: the sign of idx, or of size - 1 - idx.
bool AreInside(const int32_t* index, int64_t count, int64_t depth, int32_t size, bool bounded) {
  uint32_t signs = 0;
  const uint32_t last = static_cast<uint32_t>(size) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<uint32_t>(index[i * depth]);
    signs |= bounded ? at | (last - at) : at;
  }
  return signs >> 31 == 0;
}

Status CheckIndices(const Job& job, ScatterOutside outside) {
  if (outside == ScatterOutside::kDropped) return {};
  const auto depth = static_cast<int64_t>(job.dims.size());
  const int64_t count = job.batch * job.count;
  const bool bounded = outside == ScatterOutside::kFails;
  for (int64_t d = 0; d < depth; ++d) {
    const int32_t size = job.dims[static_cast<size_t>(d)];
    const int32_t* index = job.indices + d;
    if (AreInside(index, count, depth, size, bounded)) continue;
    while (*index >= 0 && (*index < size || !bounded)) index += depth;
    return Status::Error(Code::kIndex, "Scatter: the index %d is not in [0, %d] (position %lld)",
                         *index, size - 1, static_cast<long long>(index - job.indices));
  }
  return {};
}

template <class T>
void AddRun(char* dst, const char* src, int64_t elems) {
  auto* to = reinterpret_cast<T*>(dst);
  const auto* from = reinterpret_cast<const T*>(src);
  for (int64_t i = 0; i < elems; ++i) to[i] += from[i];
}

// What one part writes: these rows of these batches, these elements of each row.
struct Share {
  Range batches, rows, elems;
};

// Rows of one element along one axis, as of a histogram: nothing but the index decides.
template <class T, bool Adds>
void ScatterElements(const Job& job, const Share& share) {
  const auto* updates = reinterpret_cast<const T*>(job.updates);
  const auto first = static_cast<int64_t>(share.rows.begin);
  const auto last = std::min<int64_t>(static_cast<int64_t>(share.rows.end), job.dims[0]);
  for (size_t b = share.batches.begin; b < share.batches.end; ++b) {
    const int64_t position = static_cast<int64_t>(b) * job.count;
    const int32_t* indices = job.indices + position;
    auto* out = reinterpret_cast<T*>(job.out) + static_cast<int64_t>(b) * job.rows;
    for (int64_t s = 0; s < job.count; ++s) {
      const int64_t row = indices[s];
      if (row < first || row >= last) continue;
      const T update = updates[(position + s) * job.update_step];
      out[row] = Adds ? static_cast<T>(out[row] + update) : update;
    }
  }
}

void ScatterShare(const Job& job, const Share& share) {
  if (job.inner == 1 && job.dims.size() == 1 && SizeOf(job.dtype) == 4) {
    if (job.kind == ScatterKind::kSet) return ScatterElements<uint32_t, false>(job, share);
    return job.dtype == DType::kFloat32 ? ScatterElements<float, true>(job, share)
                                        : ScatterElements<uint32_t, true>(job, share);  // wraps
  }
  const size_t size = SizeOf(job.dtype);
  const size_t depth = job.dims.size();
  const auto elems = static_cast<int64_t>(share.elems.end - share.elems.begin);
  for (size_t b = share.batches.begin; b < share.batches.end; ++b) {
    for (int64_t s = 0; s < job.count; ++s) {
      const int64_t position = static_cast<int64_t>(b) * job.count + s;
      const int64_t row = RowOf(job, job.indices + static_cast<size_t>(position) * depth);
      if (row < 0) continue;
      if (static_cast<size_t>(row) < share.rows.begin) continue;
      if (static_cast<size_t>(row) >= share.rows.end) continue;
      char* to =
          job.out + (static_cast<size_t>((static_cast<int64_t>(b) * job.rows + row) * job.inner) +
                     share.elems.begin) *
                        size;
      const char* from =
          job.updates +
          (static_cast<size_t>(position * job.update_step) + share.elems.begin) * size;
      if (job.kind == ScatterKind::kSet) {
        CopyRun(to, from, static_cast<size_t>(elems) * size);
      } else if (job.dtype == DType::kFloat32) {
        AddRun<float>(to, from, elems);
      } else {
        AddRun<uint32_t>(to, from, elems);  // int32 that wraps
      }
    }
  }
}

// The parts share the batches, or the elements of a row, or else the rows, for which each of them
// looks at every index. Each element is written by one part, in order: the bits do not depend on
// the number of threads.
Share ShareOf(const Job& job, size_t parts, size_t part) {
  const auto batches = static_cast<size_t>(job.batch);
  const auto rows = static_cast<size_t>(job.rows);
  const auto elems = static_cast<size_t>(job.inner);
  const Range all_batches = {0, batches};
  const Range all_rows = {0, rows};
  const Range all_elems = {0, elems};
  if (batches >= parts) return {Partition(batches, parts, part), all_rows, all_elems};
  const auto least = static_cast<size_t>(kLeastRowBytes) / SizeOf(job.dtype);
  if (elems >= parts * least) return {all_batches, all_rows, Partition(elems, parts, part, least)};
  return {all_batches, Partition(rows, parts, part), all_elems};
}

}  // namespace

Status Scatter(const StepContext& context, const ScatterParams& params, Operands in, Operands out) {
  const DType dtype = out[0].dtype;
  if (params.kind > static_cast<uint32_t>(ScatterKind::kAdd) ||
      params.outside > static_cast<uint32_t>(ScatterOutside::kLargeDropped) ||
      params.dims.size() > kMaxRank) {
    return Status::Error(Code::kInvalidStep, "Scatter has no kind %u with %u over %zu axes",
                         params.kind, params.outside, params.dims.size());
  }
  const auto kind = static_cast<ScatterKind>(params.kind);
  if (kind == ScatterKind::kAdd && dtype != DType::kFloat32 && dtype != DType::kInt32) {
    return Status::Error(Code::kDType, "Scatter adds float32 or int32, not %s", NameOf(dtype));
  }
  // Then neither indices nor updates in memory would bound the work.
  if (params.dims.empty() && params.same_update && params.count > 1) {
    return Status::Error(Code::kInvalidStep, "Scatter repeats one update of the whole");
  }
  int64_t rows = 1;
  for (const int32_t size : params.dims) {
    rows = ProductOf(rows, size);
    if (rows < 0)
      return Status::Error(Code::kShape, "Scatter: its axes are larger than any buffer");
  }
  const int64_t elems = ProductOf(params.batch, rows, params.inner);
  const int64_t depth = static_cast<int64_t>(params.dims.size());
  const int64_t update_elems = params.same_update
                                   ? static_cast<int64_t>(params.inner)
                                   : ProductOf(params.batch, params.count, params.inner);
  Status status = CheckDense("Scatter indices", in[0], DType::kInt32,
                             ProductOf(params.batch, params.count, depth));
  if (status.ok()) status = CheckDense("Scatter updates", in[1], dtype, update_elems);
  if (status.ok()) status = CheckDense("Scatter output", out[0], dtype, elems);
  if (status.ok() && in[2].given()) {
    status = CheckDense("Scatter base", in[2], dtype, params.same_base ? 1 : elems);
  }
  if (!status.ok()) return status;
  const Job job = {.kind = kind,
                   .dtype = dtype,
                   .batch = params.batch,
                   .rows = rows,
                   .inner = params.inner,
                   .count = params.count,
                   .update_step = params.same_update ? 0 : params.inner,
                   .dims = params.dims,
                   .indices = in[0].i32(),
                   .updates = static_cast<const char*>(in[1].data),
                   .out = static_cast<char*>(out[0].data)};
  if (job.batch > 0 && job.count > 0 && depth > 0) {
    status = CheckIndices(job, static_cast<ScatterOutside>(params.outside));
    if (!status.ok()) return status;
  }
  if (elems == 0) return {};
  const size_t bytes = static_cast<size_t>(elems) * SizeOf(dtype);
  uint32_t filler = 0;
  if (params.same_base && in[2].given()) std::memcpy(&filler, in[2].data, SizeOf(dtype));
  const size_t copy_parts = PartsFor(context, 2 * static_cast<int64_t>(bytes));
  context.pool.Run(copy_parts, [&](size_t part) {
    const Range range = Partition(bytes, copy_parts, part, 64);
    if (params.same_base && in[2].given()) {
      FillRun(job.out + range.begin, SizeOf(dtype), filler,
              (range.end - range.begin) / SizeOf(dtype));
    } else if (in[2].given()) {
      std::memcpy(job.out + range.begin, static_cast<const char*>(in[2].data) + range.begin,
                  range.end - range.begin);
    } else {
      std::memset(job.out + range.begin, 0, range.end - range.begin);
    }
  });
  const double updates = static_cast<double>(job.batch) * static_cast<double>(job.count);
  // Parts of the rows all read every index, and branch on it at random: where a row is one element,
  // two take longer than one.
  const double work_ns = updates * (1.0 + 0.3 * static_cast<double>(job.inner));
  const size_t parts = job.batch == 1 && job.inner == 1
                           ? 1
                           : PartsFor(context.threads, static_cast<size_t>(elems), work_ns);
  context.pool.Run(parts, [&](size_t part) { ScatterShare(job, ShareOf(job, parts, part)); });
  return {};
}

}  // namespace graviton
