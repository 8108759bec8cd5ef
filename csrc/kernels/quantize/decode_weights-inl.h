#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/quantize/decode_weights.h"

namespace graviton::GRAVITON_NS {

// Exponent and mantissa move into place and the exponent is rebased; subnormals are renormalised by
// a subtraction of normal numbers, which holds where denormals are flushed too. Branch-free, so the
// loop vectorises (F. Giesen, "Half to float done quick", half_to_float_fast4).
static inline float FromFloat16(uint16_t half) {
  constexpr uint32_t kExponent = 0x7c00u << 13;
  constexpr uint32_t kRebase = (127u - 15u) << 23;
  constexpr uint32_t kSubnormalBits = 113u << 23;  // 2^-14
  const uint32_t magnitude = (half & 0x7fffu) << 13;
  const uint32_t exponent = magnitude & kExponent;
  const uint32_t normal = magnitude + kRebase + (exponent == kExponent ? kRebase : 0u);
  float subnormal, two_to_minus_14;
  const uint32_t shifted = magnitude + kSubnormalBits;
  std::memcpy(&subnormal, &shifted, sizeof(subnormal));
  std::memcpy(&two_to_minus_14, &kSubnormalBits, sizeof(two_to_minus_14));
  subnormal -= two_to_minus_14;
  uint32_t subnormal_bits;
  std::memcpy(&subnormal_bits, &subnormal, sizeof(subnormal_bits));
  const uint32_t bits = (exponent == 0 ? subnormal_bits : normal) | (half & 0x8000u) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static void DecodeFloat16(const uint16_t* in, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = FromFloat16(in[i]);
}

extern const DecodeWeightsKernels kDecodeWeights;
const DecodeWeightsKernels kDecodeWeights = {.float16 = DecodeFloat16};

}  // namespace graviton::GRAVITON_NS
