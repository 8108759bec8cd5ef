#include "kernels/quantize/decode_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/ops.gen.h"
#include "memory/allocate.h"

#define GRAVITON_TARGET_INCLUDE "kernels/quantize/decode_weights-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

// Wire numbers: weightCodes in src/ops/quantization.ts.
enum WeightCode : uint32_t { kFloat16 = 0, kUint8 = 1, kUint16 = 2 };

// A thread per this many elements at least: about 10 us of work.
constexpr size_t kElemsPerPart = 1 << 15;

struct Affine {
  double scale;
  double minimum;

  // The product is rounded before the sum, as JavaScript does: a fused multiply-add would round
  // some values differently from tf.io.decodeWeights, and only on processors that have it.
  double At(uint32_t code) const {
    double product = code * scale;
    asm volatile("" : "+m"(product));
    return product + minimum;
  }
};

double DoubleOf(int32_t low, int32_t high) {
  const uint64_t bits =
      static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 | static_cast<uint32_t>(low);
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

void Round(double value, float* out) { *out = static_cast<float>(value); }

// As Math.round: halves go towards +infinity.
void Round(double value, int32_t* out) {
  const double floor = std::floor(value);
  const double rounded = value - floor >= 0.5 ? floor + 1 : floor;
  *out = static_cast<int32_t>(std::clamp(rounded, double{INT32_MIN}, double{INT32_MAX}));
}

// A table of all codes where there are more elements than codes: one load instead of a conversion,
// a product and a sum in double precision.
template <class Code, class Value>
Status DecodeAffine(const StepContext& context, const Affine& affine, const Code* in, Value* out,
                    size_t count, size_t parts) {
  constexpr size_t kCodes = size_t{1} << (8 * sizeof(Code));
  if (count < kCodes) {
    for (size_t i = 0; i < count; ++i) Round(affine.At(in[i]), &out[i]);
    return {};
  }
  void* block;
  if (Status status = context.scratch.Reserve(kCodes * sizeof(Value), &block); !status.ok()) {
    return status;
  }
  auto* table = static_cast<Value*>(block);
  for (size_t i = 0; i < kCodes; ++i) Round(affine.At(static_cast<uint32_t>(i)), &table[i]);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(count, parts, part, kAlignment);
    for (size_t i = range.begin; i < range.end; ++i) out[i] = table[in[i]];
  });
  return {};
}

template <class Code>
Status DecodeAffine(const StepContext& context, const Affine& affine, const Operand& in,
                    const Operand& out, size_t count, size_t parts) {
  const auto* codes = static_cast<const Code*>(in.data);
  return out.dtype == DType::kInt32 ? DecodeAffine(context, affine, codes, out.i32(), count, parts)
                                    : DecodeAffine(context, affine, codes, out.f32(), count, parts);
}

}  // namespace

Status DecodeWeights(const StepContext& context, const DecodeWeightsParams& params, Operands in,
                     Operands out) {
  const size_t count = params.count;
  if (params.code > kUint16 || params.affine.size() != (params.code == kFloat16 ? 0 : 4)) {
    return Status::Error(Code::kInvalidStep, "DecodeWeights: there is no code %u with %zu words",
                         params.code, params.affine.size());
  }
  const int64_t code_bytes = params.code == kUint8 ? 1 : 2;
  Status status = CheckDense("DecodeWeights in", in[0], DType::kUInt8, code_bytes * params.count);
  if (!status.ok()) return status;
  if (reinterpret_cast<uintptr_t>(in[0].data) % code_bytes != 0) {
    return Status::Error(Code::kInvalidStep, "DecodeWeights in starts at half a code");
  }
  const bool integer = params.code != kFloat16 && out[0].dtype == DType::kInt32;
  status = CheckDense("DecodeWeights out", out[0], integer ? DType::kInt32 : DType::kFloat32,
                      params.count);
  if (!status.ok()) return status;
  const size_t parts = std::clamp<size_t>(count / kElemsPerPart, 1, context.threads);
  if (params.code == kFloat16) {
    const auto* halves = static_cast<const uint16_t*>(in[0].data);
    const auto* kernels = SelectkDecodeWeights(context.isa);
    context.pool.Run(parts, [&](size_t part) {
      const Range range = Partition(count, parts, part, kAlignment);
      kernels->float16(halves + range.begin, out[0].f32() + range.begin, range.end - range.begin);
    });
    return {};
  }
  const Affine affine = {DoubleOf(params.affine[0], params.affine[1]),
                         DoubleOf(params.affine[2], params.affine[3])};
  if (!std::isfinite(affine.scale) || !std::isfinite(affine.minimum)) {
    return Status::Error(Code::kInvalidStep, "DecodeWeights: scale and minimum must be finite");
  }
  return params.code == kUint8
             ? DecodeAffine<uint8_t>(context, affine, in[0], out[0], count, parts)
             : DecodeAffine<uint16_t>(context, affine, in[0], out[0], count, parts);
}

}  // namespace graviton
