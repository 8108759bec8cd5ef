// Clamp (kernels/pointwise/clamp.h) on a vector.
#include "kernels/pointwise/clamp.h"
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_CLAMP_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_CLAMP_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_CLAMP_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_CLAMP_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_CLAMP_32
#else
#define GRAVITON_CLAMP_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

static inline Vf Clamped(Vf x, const Clamp& clamp) {
  const Vf above = x < clamp.low ? Splat(clamp.low) : x;
  return above > clamp.high ? Splat(clamp.high) : above;
}

}  // namespace graviton::GRAVITON_NS

#endif
