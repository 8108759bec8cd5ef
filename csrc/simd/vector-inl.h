// Vectors of GRAVITON_VECTOR_BYTES as GCC/Clang vector types, and the few operations that the types
// do not spell. Included again for each instruction-set level (simd/foreach_target.h), hence the guard
// per level: a family may include it through several headers.
#include <cstddef>
#include <cstdint>
#include <cstring>

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_VECTOR_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_VECTOR_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_VECTOR_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_VECTOR_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_VECTOR_32
#else
#define GRAVITON_VECTOR_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

typedef float Vf __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
typedef int32_t Vi __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
typedef uint32_t Vu __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
typedef float VfUnaligned
    __attribute__((vector_size(GRAVITON_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t ViUnaligned
    __attribute__((vector_size(GRAVITON_VECTOR_BYTES), aligned(4), may_alias));

constexpr size_t kLanes = GRAVITON_VECTOR_BYTES / sizeof(float);

static inline Vf Load(const float* p) { return *reinterpret_cast<const VfUnaligned*>(p); }
static inline Vi Load(const int32_t* p) { return *reinterpret_cast<const ViUnaligned*>(p); }
static inline void Store(float* p, Vf v) { *reinterpret_cast<VfUnaligned*>(p) = v; }
static inline void Store(int32_t* p, Vi v) { *reinterpret_cast<ViUnaligned*>(p) = v; }
static inline Vf Splat(float x) { return x - Vf{}; }
static inline Vi Splat(int32_t x) { return x - Vi{}; }
// For the last n < kLanes elements of a row.
static inline Vf LoadPart(const float* p, size_t n) {
  Vf v{};
  std::memcpy(&v, p, n * sizeof(float));
  return v;
}
static inline void StorePart(float* p, Vf v, size_t n) { std::memcpy(p, &v, n * sizeof(float)); }
static inline Vi Bits(Vf v) { return reinterpret_cast<Vi>(v); }
static inline Vf FromBits(Vi v) { return reinterpret_cast<Vf>(v); }

static inline float SumOf(Vf v) {
  float lanes[kLanes];
  std::memcpy(lanes, &v, sizeof(v));
  float sum = 0;
  for (size_t i = 0; i < kLanes; ++i) sum += lanes[i];
  return sum;
}
static inline float MaxOf(Vf v) {
  float lanes[kLanes];
  std::memcpy(lanes, &v, sizeof(v));
  float most = lanes[0];
  for (size_t i = 1; i < kLanes; ++i) most = lanes[i] > most ? lanes[i] : most;
  return most;
}

}  // namespace graviton::GRAVITON_NS

#endif
