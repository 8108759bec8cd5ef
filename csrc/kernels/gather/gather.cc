// Gather:   out[b, o, i, :] = table[b, o, indices[b, i], :]
// GatherNd: out[s, :] = table[indices[s, 0], …, indices[s, d − 1], :]
// OneHot:   out[i, j] = j == indices[i] ? on : off
#include "core/ops.gen.h"
#include "kernels/movement/runs.h"

namespace graviton {
namespace {

Status TooLarge(const char* op) {
  return Status::Error(Code::kShape, "%s: its sizes are larger than any buffer", op);
}

Status BadIndex(const char* op, int64_t position, int32_t index, int64_t size) {
  // Worded as tfjs-core's suite has it for GatherV2.
  return Status::Error(Code::kIndex, "%s: the index value %d is not in [0, %lld] (position %lld)",
                       op, index, static_cast<long long>(size) - 1,
                       static_cast<long long>(position));
}

// Before anything is written, so that a failed step has no partial result. A first pass without
// branches: of the good case, which is every case, it costs a fraction of the copies.
Status CheckIndices(const char* op, const int32_t* indices, int64_t count, int64_t size) {
  uint32_t most = 0;  // a negative index is a large one
  for (int64_t i = 0; i < count; ++i) most = std::max(most, static_cast<uint32_t>(indices[i]));
  if (count == 0 || most < size) return {};
  for (int64_t i = 0;; ++i) {
    if (indices[i] < 0 || indices[i] >= size) return BadIndex(op, i, indices[i], size);
  }
}

// dst[i] = src[indices[i]] for i in [begin, end), of runs of Bytes: the length is known to the
// compiler.
template <size_t Bytes>
void GatherFixed(char* dst, const char* src, const int32_t* indices, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(dst + i * int64_t{Bytes}, src + indices[i] * int64_t{Bytes}, Bytes);
  }
}

void GatherRuns(char* dst, const char* src, const int32_t* indices, int64_t count, int64_t bytes) {
  switch (bytes) {
    case 1:
      return GatherFixed<1>(dst, src, indices, count);
    case 2:
      return GatherFixed<2>(dst, src, indices, count);
    case 4:
      return GatherFixed<4>(dst, src, indices, count);
    case 8:
      return GatherFixed<8>(dst, src, indices, count);
    case 16:
      return GatherFixed<16>(dst, src, indices, count);
    case 32:
      return GatherFixed<32>(dst, src, indices, count);
    default:
      for (int64_t i = 0; i < count; ++i) {
        std::memcpy(dst + i * bytes, src + indices[i] * bytes, static_cast<size_t>(bytes));
      }
  }
}

}  // namespace

Status Gather(const StepContext& context, const GatherParams& params, Operands in, Operands out) {
  const int64_t index_count = ProductOf(params.batch, params.count);
  const int64_t table_elems = ProductOf(params.batch, params.outer, params.axis, params.inner);
  const int64_t out_elems = ProductOf(params.batch, params.outer, params.count, params.inner);
  if (index_count < 0 || table_elems < 0 || out_elems < 0) return TooLarge("Gather");
  Status status = CheckDense("Gather table", in[0], in[0].dtype, table_elems);
  if (status.ok()) status = CheckDense("Gather indices", in[1], DType::kInt32, index_count);
  if (status.ok()) status = CheckDense("Gather output", out[0], in[0].dtype, out_elems);
  if (status.ok()) status = CheckIndices("GatherV2", in[1].i32(), index_count, params.axis);
  if (!status.ok()) return status;
  if (out_elems == 0) return {};
  const auto run = params.inner * static_cast<int64_t>(SizeOf(in[0].dtype));
  const auto* src = static_cast<const char*>(in[0].data);
  auto* dst = static_cast<char*>(out[0].data);
  const int64_t count = params.count;
  const int64_t outer = params.outer;
  const auto runs = static_cast<size_t>(params.batch * outer * count);
  const size_t parts = PartsFor(context, 2 * static_cast<int64_t>(runs) * run);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(runs, parts, part);
    for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end);) {
      // Up to the end of this (b, o): one stretch of indices, one slice of the table.
      const int64_t slice = i / count;
      const int64_t first = i % count;
      const int64_t n = std::min(count - first, static_cast<int64_t>(range.end) - i);
      GatherRuns(dst + i * run, src + slice * params.axis * run,
                 in[1].i32() + slice / outer * count + first, n, run);
      i += n;
    }
  });
  return {};
}

Status GatherNd(const StepContext& context, const GatherNdParams& params, Operands in,
                Operands out) {
  const auto depth = static_cast<int64_t>(params.dims.size());
  if (params.dims.size() > kMaxRank) {
    return Status::Error(Code::kInvalidStep, "GatherNd indexes %zu axes; at most %zu",
                         params.dims.size(), kMaxRank);
  }
  int64_t table_elems = params.inner;
  for (const int32_t size : params.dims) {
    table_elems = ProductOf(table_elems, size);
    if (table_elems < 0) return TooLarge("GatherNd");
  }
  const int64_t index_count = ProductOf(params.slices, depth);
  const int64_t out_elems = ProductOf(params.slices, params.inner);
  if (index_count < 0 || out_elems < 0) return TooLarge("GatherNd");
  Status status = CheckDense("GatherNd table", in[0], in[0].dtype, table_elems);
  if (status.ok()) status = CheckDense("GatherNd indices", in[1], DType::kInt32, index_count);
  if (status.ok()) status = CheckDense("GatherNd output", out[0], in[0].dtype, out_elems);
  if (!status.ok()) return status;
  const int32_t* indices = in[1].i32();
  for (int64_t i = 0; i < index_count; ++i) {
    const int32_t size = params.dims[static_cast<size_t>(i % depth)];
    if (indices[i] < 0 || indices[i] >= size) return BadIndex("GatherNd", i, indices[i], size);
  }
  if (out_elems == 0) return {};
  const auto run = params.inner * static_cast<int64_t>(SizeOf(in[0].dtype));
  const auto* src = static_cast<const char*>(in[0].data);
  auto* dst = static_cast<char*>(out[0].data);
  const size_t parts = PartsFor(context, 2 * run * params.slices);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(params.slices, parts, part);
    for (auto s = static_cast<int64_t>(range.begin); s < static_cast<int64_t>(range.end); ++s) {
      int64_t at = 0;
      for (int64_t d = 0; d < depth; ++d) {
        at = at * params.dims[static_cast<size_t>(d)] + indices[s * depth + d];
      }
      CopyRun(dst + s * run, src + at * run, static_cast<size_t>(run));
    }
  });
  return {};
}

Status OneHot(const StepContext& context, const OneHotParams& params, Operands in, Operands out) {
  const int64_t out_elems = ProductOf(params.count, params.depth);
  if (out_elems < 0) return TooLarge("OneHot");
  Status status = CheckDense("OneHot indices", in[0], DType::kInt32, params.count);
  if (status.ok()) status = CheckDense("OneHot output", out[0], out[0].dtype, out_elems);
  if (!status.ok()) return status;
  if (out_elems == 0) return {};
  const size_t size = SizeOf(out[0].dtype);
  auto* dst = static_cast<char*>(out[0].data);
  char on[sizeof(params.on)];
  std::memcpy(on, &params.on, sizeof(on));
  const size_t parts = PartsFor(context, out_elems * static_cast<int64_t>(size));
  context.pool.Run(parts, [&](size_t part) {
    const Range rows = Partition(params.count, parts, part);
    FillRun(dst + rows.begin * params.depth * size, size, params.off,
            (rows.end - rows.begin) * params.depth);
    for (size_t i = rows.begin; i < rows.end; ++i) {
      const auto index = static_cast<uint32_t>(in[0].i32()[i]);  // a negative one is a large one
      if (index < params.depth) {
        CopyRun(dst + (i * params.depth + index) * size, on, size);
      }
    }
  });
  return {};
}

}  // namespace graviton
