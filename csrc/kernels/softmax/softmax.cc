#include "kernels/softmax/softmax.h"

#include "core/extent.h"
#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/softmax/softmax-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr double kElemNs = 0.5;
constexpr size_t kColumnGrain = 16;  // floats of a cache line

// A value of each part, on a cache line of its own.
struct alignas(64) PartValue {
  float value;
};

float MaxOf(const PartValue* values, size_t parts) {
  float max = values[0].value;
  for (size_t i = 1; i < parts; ++i) max = values[i].value > max ? values[i].value : max;
  return max;
}

float SumOf(const PartValue* values, size_t parts) {
  double sum = 0;
  for (size_t i = 0; i < parts; ++i) sum += values[i].value;
  return static_cast<float>(sum);
}

// Fewer rows than threads, such as the logits of one token: the threads share each row.
Status RunShared(const StepContext& context, const SoftmaxKernels& kernels, const float* x,
                 float* y, size_t rows, size_t cols, bool logarithm) {
  const size_t parts = PartsFor(context.threads, cols / kColumnGrain, kElemNs * cols);
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(parts * sizeof(PartValue), &block); !s.ok()) return s;
  auto* const values = static_cast<PartValue*>(block);
  for (size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    const auto each = [&](auto&& body) {
      context.pool.Run(parts, [&](size_t part) {
        const Range range = Partition(cols, parts, part, kColumnGrain);
        body(part, range.begin, range.end - range.begin);
      });
    };
    each([&](size_t part, size_t at, size_t n) { values[part].value = kernels.max(x + at, n); });
    const float max = MaxOf(values, parts);
    each([&](size_t part, size_t at, size_t n) {
      values[part].value = kernels.exp_sum(x + at, max, logarithm ? nullptr : y + at, n);
    });
    const float sum = SumOf(values, parts);
    each([&](size_t, size_t at, size_t n) {
      if (logarithm) {
        kernels.subtract(x + at, max, sum, y + at, n);
      } else {
        kernels.scale(y + at, 1.0f / sum, n);
      }
    });
  }
  return {};
}

}  // namespace

Status Softmax(const StepContext& context, const SoftmaxParams& params, Operands in, Operands out) {
  int64_t elems;
  if (!ElemsOf({params.rows, params.cols}, &elems)) {
    return Status::Error(Code::kShape, "Softmax: %u x %u elements are too many", params.rows,
                         params.cols);
  }
  if (Status s = CheckDense("Softmax x", in[0], DType::kFloat32, elems); !s.ok()) return s;
  if (Status s = CheckDense("Softmax result", out[0], DType::kFloat32, elems); !s.ok()) return s;
  if (elems == 0) return {};
  const SoftmaxKernels& kernels = *SelectkSoftmax(context.isa);
  const float* const x = in[0].f32();
  float* const y = out[0].f32();
  const size_t rows = params.rows;
  const size_t cols = params.cols;
  const bool logarithm = params.logarithm != 0;
  const double work_ns = kElemNs * static_cast<double>(elems) + 20.0 * rows;
  const size_t parts = PartsFor(context.threads, rows * cols, work_ns);
  if (rows < parts && PartsFor(parts, cols, kElemNs * cols) > 1) {
    return RunShared(context, kernels, x, y, rows, cols, logarithm);
  }
  const size_t row_parts = rows < parts ? rows : parts;
  context.pool.Run(row_parts, [&](size_t part) {
    const Range range = Partition(rows, row_parts, part);
    kernels.rows(x + range.begin * cols, y + range.begin * cols, range.end - range.begin, cols,
                 logarithm);
  });
  return {};
}

}  // namespace graviton
