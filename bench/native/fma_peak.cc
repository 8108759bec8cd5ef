// Prints the fp32 multiply-add rate of this machine: "<level> <threads> <GFLOP/s>" a line.
//   g++ -std=gnu++20 -O3 -Icsrc bench/native/fma_peak.cc csrc/cpu/processor.cc -o build/fma_peak
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "cpu/processor.h"
#include "simd/dispatch.h"

namespace graviton {
struct PeakKernel {
  size_t flops_per_round;
  void (*run)(size_t rounds);
};
GRAVITON_DISPATCH(PeakKernel, kPeak)
}  // namespace graviton

#define GRAVITON_TARGET_INCLUDE "../bench/native/fma_peak-inl.h"
#include "simd/foreach_target.h"

namespace {

double Seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// The best of many short runs: what the machine does when nothing else runs.
double BestRate(const graviton::PeakKernel& kernel) {
  constexpr size_t kRounds = 50000;
  double best = 0;
  for (int repeat = 0; repeat < 300; ++repeat) {
    const double begin = Seconds();
    kernel.run(kRounds);
    const double rate = static_cast<double>(kRounds * kernel.flops_per_round) / (Seconds() - begin);
    if (rate > best) best = rate;
  }
  return best / 1e9;
}

// All threads at once, each by its own clock.
double Rate(const graviton::PeakKernel& kernel, size_t threads) {
  std::vector<double> rates(threads);
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) {
    others.emplace_back([&, i] { rates[i] = BestRate(kernel); });
  }
  double sum = rates[0] = BestRate(kernel);
  for (std::thread& other : others) other.join();
  for (size_t i = 1; i < threads; ++i) sum += rates[i];
  return sum;
}

}  // namespace

int main() {
  using graviton::Isa;
  for (int isa = 0; isa <= static_cast<int>(graviton::ThisProcessor().isa); ++isa) {
    for (size_t threads = 1; threads <= graviton::ThisProcessor().cpus; threads *= 2) {
      std::printf("%s %zu %.1f\n", NameOf(static_cast<Isa>(isa)), threads,
                  Rate(*graviton::SelectkPeak(static_cast<Isa>(isa)), threads));
    }
  }
}
