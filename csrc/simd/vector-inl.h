// Vectors of GRAVITON_VECTOR_BYTES as GCC/Clang vector types, and the few operations that the types
// do not spell. Included again for each instruction-set level (simd/foreach_target.h), hence the
// guard per level: a family may include it through several headers.
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

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
// For what is written once and read much later: the line is not read first, and pushes nothing out
// of the cache. `p` is aligned to a vector. arm64 does so by itself where whole lines are written.
static inline void StoreStreaming(float* p, Vf v) {
#if defined(__x86_64__) && GRAVITON_VECTOR_BYTES == 64
  _mm512_stream_ps(p, (__m512)v);
#elif defined(__x86_64__) && GRAVITON_VECTOR_BYTES == 32
  _mm256_stream_ps(p, (__m256)v);
#elif defined(__x86_64__)
  _mm_stream_ps(p, (__m128)v);
#else
  Store(p, v);
#endif
}
// Before another thread may read what was written by StoreStreaming.
static inline void EndStreaming() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}
static inline Vf Splat(float x) { return x - Vf{}; }
static inline Vi Splat(int32_t x) { return x - Vi{}; }
// For the last n <= kLanes elements of a row. Masks where the level has them: memcpy of a length
// that is not constant is a call, and rows of 24 channels end in one.
#if GRAVITON_VECTOR_BYTES == 64
static inline Vf LoadPart(const float* p, size_t n) {
  return (Vf)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
static inline void StorePart(float* p, Vf v, size_t n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
}
#elif GRAVITON_VECTOR_BYTES == 32
static inline Vi FirstLanes(size_t n) {
  const Vi lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  return Splat(static_cast<int32_t>(n)) > lanes;
}
static inline Vf LoadPart(const float* p, size_t n) {
  return (Vf)_mm256_maskload_ps(p, (__m256i)FirstLanes(n));
}
static inline void StorePart(float* p, Vf v, size_t n) {
  _mm256_maskstore_ps(p, (__m256i)FirstLanes(n), (__m256)v);
}
#else
static inline Vf LoadPart(const float* p, size_t n) {
  Vf v{};
  if (n > 0) v[0] = p[0];
  if (n > 1) v[1] = p[1];
  if (n > 2) v[2] = p[2];
  if (n > 3) v[3] = p[3];
  return v;
}
static inline void StorePart(float* p, Vf v, size_t n) {
  if (n > 0) p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
  if (n > 3) p[3] = v[3];
}
#endif
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
