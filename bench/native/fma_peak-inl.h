#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {

// More chains of multiply-adds than latency times units on any processor we know.
constexpr int kChains = 12;

static void RunPeak(size_t rounds) {
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

extern const PeakKernel kPeak;
const PeakKernel kPeak = {2 * kChains * kLanes, RunPeak};

}  // namespace graviton::GRAVITON_NS
