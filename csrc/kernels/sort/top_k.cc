#include "kernels/sort/top_k.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/sort/top_k-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

// A buffer holds the best k so far and newcomers; when it is full, selection makes room for at
// least as many again, so that its cost is spread over them.
constexpr size_t kNewcomers = 1024;
constexpr size_t CapacityFor(size_t k) { return k + std::max(k, kNewcomers); }

struct Job {
  TopKFunction scan;
  const void* x;  // one row
  size_t k;
};

// Leaves the best min(k, end − begin) of x[begin, end) at the front of `buffer`, in no order, and
// returns how many there are.
size_t Select(const Job& job, Range range, Candidate* buffer) {
  const size_t capacity = CapacityFor(job.k);
  TopKFloor floor = {0, false};
  size_t count = 0;
  size_t at = range.begin;
  for (;;) {
    const TopKScan scan = job.scan(job.x, at, range.end, floor, buffer + count, capacity - count);
    at = scan.at;
    count += scan.found;
    if (count > job.k) {
      std::nth_element(buffer, buffer + job.k - 1, buffer + count, std::greater<>());
      count = job.k;
      floor = {KeyOf(buffer[job.k - 1]), true};
    }
    if (at == range.end) return count;
  }
}

void Write(const Job& job, Candidate* best, char* values, int32_t* indices) {
  std::sort(best, best + job.k, std::greater<>());
  for (size_t i = 0; i < job.k; ++i) {
    const uint32_t index = IndexOf(best[i]);
    std::memcpy(values + 4 * i, static_cast<const char*>(job.x) + 4 * size_t{index}, 4);
    indices[i] = static_cast<int32_t>(index);
  }
}

// Fewer rows than threads: each part selects from its share of the columns, then one from theirs.
void SelectShared(const StepContext& context, const Job& job, size_t cols, size_t parts,
                  Candidate* buffers, size_t* counts) {
  const size_t capacity = CapacityFor(job.k);
  context.pool.Run(parts, [&](size_t part) {
    counts[part] = Select(job, Partition(cols, parts, part), buffers + part * capacity);
  });
  size_t count = counts[0];
  for (size_t part = 1; part < parts; ++part) {
    const Candidate* const from = buffers + part * capacity;
    std::copy(from, from + counts[part], buffers + count);
    count += counts[part];
  }
  if (count > job.k) {
    std::nth_element(buffers, buffers + job.k - 1, buffers + count, std::greater<>());
  }
}

}  // namespace

Status TopK(const StepContext& context, const TopKParams& params, Operands in, Operands out) {
  const DType dtype = in[0].dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kInt32) {
    return Status::Error(Code::kDType, "TopK takes float32 or int32, not %s", NameOf(dtype));
  }
  int64_t elems, results;
  if (!ElemsOf({params.rows, params.cols}, &elems) || !ElemsOf({params.rows, params.k}, &results) ||
      params.cols > INT32_MAX || params.k > params.cols) {
    return Status::Error(Code::kShape, "TopK: the largest %u of %u rows of %u elements", params.k,
                         params.rows, params.cols);
  }
  if (Status s = CheckDense("TopK x", in[0], dtype, elems); !s.ok()) return s;
  if (Status s = CheckDense("TopK values", out[0], dtype, results); !s.ok()) return s;
  if (Status s = CheckDense("TopK indices", out[1], DType::kInt32, results); !s.ok()) return s;
  if (results == 0) return {};

  const TopKKernels& kernels = *SelectkTopK(context.isa);
  const TopKFunction scan = dtype == DType::kFloat32 ? kernels.f32 : kernels.i32;
  const size_t rows = params.rows;
  const size_t cols = params.cols;
  const size_t k = params.k;
  const double sort_ns = 3.0 * k * std::log2(k + 1.0) + (k > cols / 8 ? 10.0 * cols : 0.0);
  const double work_ns = rows * (0.4 * cols + sort_ns + 100);
  const size_t parts = PartsFor(context.threads, rows * cols, work_ns);
  const bool shared = rows < parts && k <= cols / parts / 8;
  const size_t used = shared ? parts : std::min(parts, rows);
  const size_t buffer_bytes = CapacityFor(k) * sizeof(Candidate);
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(used * (buffer_bytes + sizeof(size_t)), &block); !s.ok()) {
    return s;
  }
  auto* const buffers = static_cast<Candidate*>(block);
  auto* const counts = reinterpret_cast<size_t*>(buffers + used * CapacityFor(k));
  const auto row = [&](size_t r) {
    return Job{scan, static_cast<const char*>(in[0].data) + r * cols * 4, k};
  };
  const auto write = [&](size_t r, Candidate* best) {
    Write(row(r), best, static_cast<char*>(out[0].data) + r * k * 4, out[1].i32() + r * k);
  };
  if (shared) {
    for (size_t r = 0; r < rows; ++r) {
      SelectShared(context, row(r), cols, used, buffers, counts);
      write(r, buffers);
    }
    return {};
  }
  context.pool.Run(used, [&](size_t part) {
    Candidate* const buffer = buffers + part * CapacityFor(k);
    const Range range = Partition(rows, used, part);
    for (size_t r = range.begin; r < range.end; ++r) {
      Select(row(r), {0, cols}, buffer);
      write(r, buffer);
    }
  });
  return {};
}

}  // namespace graviton
