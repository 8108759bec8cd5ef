// Fill: out[i] = value
// Ramp: out[i] = start + i · step
// Diag: out[i, j] = i == j ? x[i] : 0
#include <cmath>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"

namespace graviton {
namespace {

// As JavaScript converts numbers: towards zero, modulo 2^32, and 0 for what is not finite.
int32_t WordOf(double value) {
  if (!(std::abs(value) < 0x1p63)) {
    value = std::isfinite(value) ? std::fmod(value, 0x1p32) : 0;
  }
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(value)));
}

// Rounded twice, as JavaScript does: where start and i · step cancel, a fused multiply-add gives
// what double precision does not hold, and truncated integers would differ.
#if !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#endif

float ElementOf(double value, float) { return static_cast<float>(value); }
int32_t ElementOf(double value, int32_t) { return WordOf(value); }

// Counted in int32 from where a block begins, which vectors convert to double at every level.
constexpr size_t kRampBlock = size_t{1} << 16;

template <class T>
void RampRange(const RampParams& params, Range range, T* out) {
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
  const double start = params.start;
  const double step = params.step;
  for (size_t begin = range.begin; begin < range.end; begin += kRampBlock) {
    const auto first = static_cast<double>(begin);
    const auto count = static_cast<int32_t>(std::min(kRampBlock, range.end - begin));
    for (int32_t i = 0; i < count; ++i) {
      out[begin + static_cast<size_t>(i)] = ElementOf(start + (first + i) * step, T());
    }
  }
  if (range.begin == 0) out[0] = ElementOf(start, T());  // the step may be infinite
}

#if !defined(__clang__)
#pragma GCC pop_options
#endif

}  // namespace

Status Fill(const StepContext& context, const FillParams& params, Operands, Operands out) {
  Status status = CheckDense("Fill output", out[0], out[0].dtype, params.count);
  if (!status.ok()) return status;
  const size_t size = SizeOf(out[0].dtype);
  const size_t parts = PartsFor(context, static_cast<int64_t>(params.count * size));
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(params.count, parts, part, kAlignment);
    FillRun(static_cast<char*>(out[0].data) + range.begin * size, size, params.value,
            range.end - range.begin);
  });
  return {};
}

Status Ramp(const StepContext& context, const RampParams& params, Operands, Operands out) {
  const DType dtype = out[0].dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kInt32) {
    return Status::Error(Code::kDType, "Ramp gives float32 or int32, not %s", NameOf(dtype));
  }
  Status status = CheckDense("Ramp output", out[0], dtype, params.count);
  if (!status.ok() || params.count == 0) return status;
  const size_t parts = PartsFor(context, int64_t{sizeof(float)} * params.count);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(params.count, parts, part, kAlignment);
    if (dtype == DType::kFloat32) {
      RampRange(params, range, out[0].f32());
    } else {
      RampRange(params, range, out[0].i32());
    }
  });
  return {};
}

Status Diag(const StepContext& context, const DiagParams& params, Operands in, Operands out) {
  const size_t count = params.count;
  const int64_t elems = ProductOf(params.count, params.count);
  Status status = CheckDense("Diag x", in[0], in[0].dtype, params.count);
  if (status.ok()) {
    status = CheckDense("Diag output", out[0], in[0].dtype, elems < 0 ? INT64_MAX : elems);
  }
  if (!status.ok() || elems == 0) return status;
  const size_t size = SizeOf(in[0].dtype);
  const auto* src = static_cast<const char*>(in[0].data);
  auto* dst = static_cast<char*>(out[0].data);
  const size_t parts = PartsFor(context, elems * static_cast<int64_t>(size));
  context.pool.Run(parts, [&](size_t part) {
    const Range rows = Partition(count, parts, part);
    std::memset(dst + rows.begin * count * size, 0, (rows.end - rows.begin) * count * size);
    for (size_t i = rows.begin; i < rows.end; ++i) {
      CopyRun(dst + i * (count + 1) * size, src + i * size, size);
    }
  });
  return {};
}

}  // namespace graviton
