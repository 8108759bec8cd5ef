#ifndef GRAVITON_SIMD_DISPATCH_H_
#define GRAVITON_SIMD_DISPATCH_H_

#include "cpu/processor.h"

// Declares, for a family that was built by simd/foreach_target.h, the table `name` of one
// `Type` per instruction-set level; each level's namespace defines `const Type name`.
//
//   struct SoftmaxKernels { void (*rows)(…); };
//   GRAVITON_DISPATCH(SoftmaxKernels, kSoftmax)        → SelectkSoftmax(isa)->rows(…)
#if defined(__aarch64__)
#define GRAVITON_DISPATCH(Type, name) \
  namespace neon {                    \
  extern const Type name;             \
  }                                   \
  inline const Type* Select##name(Isa) { return &neon::name; }
#else
#define GRAVITON_DISPATCH(Type, name)              \
  namespace baseline {                             \
  extern const Type name;                          \
  }                                                \
  namespace avx2 {                                 \
  extern const Type name;                          \
  }                                                \
  namespace avx512 {                               \
  extern const Type name;                          \
  }                                                \
  inline const Type* Select##name(Isa isa) {       \
    return isa == Isa::kBaseline ? &baseline::name \
           : isa == Isa::kAvx2   ? &avx2::name     \
                                 : &avx512::name;    \
  }
#endif

// The same for simd/foreach_target_bf16.h and, on x86-64, simd/foreach_target_tiles.h; null where
// the level does not multiply bfloat16.
#if defined(__aarch64__)
#define GRAVITON_DISPATCH_BF16(Type, name)                     \
  namespace neon_bf16 {                                        \
  extern const Type name;                                      \
  }                                                            \
  inline const Type* Select##name(Isa isa) {                   \
    return isa == Isa::kNeonBf16 ? &neon_bf16::name : nullptr; \
  }
#else
#define GRAVITON_DISPATCH_BF16(Type, name)                \
  namespace avx512_bf16 {                                 \
  extern const Type name;                                 \
  }                                                       \
  namespace avx512_amx {                                  \
  extern const Type name;                                 \
  }                                                       \
  inline const Type* Select##name(Isa isa) {              \
    return isa == Isa::kAvx512Amx    ? &avx512_amx::name  \
           : isa == Isa::kAvx512Bf16 ? &avx512_bf16::name \
                                     : nullptr;           \
  }
#endif

#endif  // GRAVITON_SIMD_DISPATCH_H_
