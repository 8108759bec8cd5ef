#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// More chains of multiply-adds than latency times units on any processor we know.
constexpr int kChains = 12;

void MultiplyAdds(size_t rounds) {
  Vf sums[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sums[i] = Splat(static_cast<float>(i));
  Vf a = Splat(0.5f);
  Vf b = Splat(0.25f);
  for (size_t round = 0; round < rounds; ++round) {
#if defined(__aarch64__)
    asm volatile("" : "+w"(a), "+w"(b));
#else
    asm volatile("" : "+x"(a), "+x"(b));
#endif
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * a + b;
  }
  Vf total = sums[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) total += sums[i];
  volatile float kept = total[0];
  (void)kept;
}

// Adds up all of it: 8 chains of one add a vector keep ahead of every memory.
void ReadAll(const float* from, size_t floats) {
  constexpr size_t kStep = 8 * kLanes;
  Vf sums[8] = {};
  for (size_t i = 0; i + kStep <= floats; i += kStep) {
#pragma GCC unroll 8
    for (size_t j = 0; j < 8; ++j) sums[j] += Load(from + i + j * kLanes);
  }
  Vf total{};
#pragma GCC unroll 8
  for (size_t j = 0; j < 8; ++j) total += sums[j];
  volatile float kept = total[0];
  (void)kept;
}

}  // namespace

extern const SpeedKernels kSpeed;
const SpeedKernels kSpeed = {2 * kChains * kLanes, MultiplyAdds, ReadAll};

}  // namespace graviton::GRAVITON_NS
