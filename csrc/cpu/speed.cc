#include "cpu/speed.h"

#include <chrono>
#include <cstring>

#include "memory/allocate.h"
#include "simd/dispatch.h"
#include "threads/thread_pool.h"

namespace graviton {
namespace {

struct SpeedKernels {
  size_t flops_per_round;
  void (*multiply_adds)(size_t rounds);
  void (*read)(const float* from, size_t floats);
};

}  // namespace

GRAVITON_DISPATCH(SpeedKernels, kSpeed)

}  // namespace graviton

#define GRAVITON_TARGET_INCLUDE "cpu/speed-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr double kMeasuredSeconds = 0.2;
constexpr double kLeastRunSeconds = 2e-3;  // the wake of a thread is some 1e-5

// Units a second: the best run of `run(repeats)`, which does `units` for each repeat.
template <class Run>
double BestRate(double units, const Run& run) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  const auto started = Clock::now();
  size_t repeats = 1;
  double best = 0;
  while (seconds(Clock::now() - started) < kMeasuredSeconds) {
    const auto begin = Clock::now();
    run(repeats);
    const double took = seconds(Clock::now() - begin);
    if (took < kLeastRunSeconds) {
      repeats *= 2;
      continue;
    }
    const double rate = units * static_cast<double>(repeats) / took;
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace

double MultiplyAddRate(Isa isa, size_t threads) {
  const SpeedKernels& kernels = *SelectkSpeed(isa);
  constexpr size_t kRounds = 1000;
  const size_t flops = kRounds * kernels.flops_per_round * threads;
  return BestRate(static_cast<double>(flops), [&](size_t repeats) {
    ThreadPool::Get().Run(threads, [&](size_t) { kernels.multiply_adds(repeats * kRounds); });
  });
}

double ReadRate(Isa isa, size_t threads, size_t bytes) {
  const SpeedKernels& kernels = *SelectkSpeed(isa);
  auto* block = static_cast<float*>(Allocate(bytes));
  if (block == nullptr) return 0;
  const size_t floats = bytes / sizeof(float);
  // Each thread writes its share first: an untouched page is the one page of zeros.
  ThreadPool::Get().Run(threads, [&](size_t part) {
    const Range own = Partition(floats, threads, part, kAlignment);
    std::memset(block + own.begin, 0, (own.end - own.begin) * sizeof(float));
  });
  const double rate = BestRate(static_cast<double>(bytes), [&](size_t repeats) {
    ThreadPool::Get().Run(threads, [&](size_t part) {
      const Range own = Partition(floats, threads, part, kAlignment);
      for (size_t i = 0; i < repeats; ++i) kernels.read(block + own.begin, own.end - own.begin);
    });
  });
  Free(block, bytes);
  return rate;
}

}  // namespace graviton
