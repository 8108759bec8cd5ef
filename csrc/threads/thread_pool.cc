#include "threads/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sched.h>

#include "cpu/processor.h"
#include "memory/allocate.h"
#include "threads/sleep.h"

namespace graviton {
namespace {

// About 20 µs: longer than the gap between the steps of a plan, shorter than a scheduler tick.
constexpr int kSpins = 2000;

inline void Pause() {
#if defined(__aarch64__)
  asm volatile("isb");
#else
  __builtin_ia32_pause();
#endif
}

}  // namespace

struct ThreadPool::State {
  std::mutex in_use;
  // The job: written before `generation` is advanced (release), read after it is seen (acquire).
  void (*body)(void*, size_t) = nullptr;
  void* callee = nullptr;
  size_t parts = 0;
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
  alignas(64) std::atomic<size_t> unfinished{0};
  size_t workers = 0;  // started so far

  void Work(size_t part);
  bool Grow(size_t wanted);
};

// Every worker sees every generation: Run returns only when all workers have answered it, so the
// job's fields are never overwritten under a late reader.
void ThreadPool::State::Work(size_t part) {
  uint32_t seen = generation.load(std::memory_order_acquire);
  // The starter waits for this, so the worker cannot miss the first job.
  unfinished.fetch_sub(1, std::memory_order_release);
  for (;;) {
    uint32_t now = generation.load(std::memory_order_acquire);
    for (int spin = 0; now == seen && spin < kSpins; ++spin) {
      Pause();
      now = generation.load(std::memory_order_acquire);
    }
    while (now == seen) {
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      SleepWhile(generation, seen);
      sleepers.fetch_sub(1, std::memory_order_relaxed);
      now = generation.load(std::memory_order_acquire);
    }
    seen = now;
    if (part < parts) body(callee, part);
    unfinished.fetch_sub(1, std::memory_order_release);
  }
}

bool ThreadPool::State::Grow(size_t wanted) {
  while (workers < wanted) {
    unfinished.store(1, std::memory_order_relaxed);
    const size_t part = workers + 1;
    // std::thread reports failure only by throwing, which ends the process under -fno-exceptions.
    pthread_t thread;
    struct Start {
      State* state;
      size_t part;
    };
    void* memory = Allocate(sizeof(Start));
    if (memory == nullptr) return false;
    auto* start = new (memory) Start{this, part};
    const int failed = pthread_create(
        &thread, nullptr,
        [](void* argument) -> void* {
          const Start own = *static_cast<Start*>(argument);
          Free(argument, sizeof(Start));
          own.state->Work(own.part);
          return nullptr;
        },
        start);
    if (failed != 0) {
      Free(start, sizeof(Start));
      return false;
    }
    pthread_detach(thread);
    while (unfinished.load(std::memory_order_acquire) != 0) Pause();
    ++workers;
  }
  return true;
}

ThreadPool& ThreadPool::Get() {
  // Never destroyed: workers may outlive static destructors.
  alignas(ThreadPool) static unsigned char memory[sizeof(ThreadPool)];
  alignas(State) static unsigned char state_memory[sizeof(State)];
  static ThreadPool* const pool = [] {
    auto* made = new (memory) ThreadPool;
    made->state_ = new (state_memory) State;
    return made;
  }();
  return *pool;
}

void ThreadPool::RunErased(size_t parts, void (*body)(void*, size_t), void* callee) {
  State& s = *state_;
  const bool mine = s.in_use.try_lock();
  if (!mine || !s.Grow(parts - 1)) {
    if (mine) s.in_use.unlock();
    for (size_t part = 0; part < parts; ++part) body(callee, part);
    return;
  }
  s.body = body;
  s.callee = callee;
  s.parts = parts;
  s.unfinished.store(s.workers, std::memory_order_relaxed);
  s.generation.fetch_add(1, std::memory_order_seq_cst);
  if (s.sleepers.load(std::memory_order_seq_cst) != 0) WakeAll(s.generation);
  body(callee, 0);
  for (int spin = 0; s.unfinished.load(std::memory_order_acquire) != 0; ++spin) {
    Pause();
    // With more threads than processors the worker may need this one to run at all.
    if (spin > kSpins) {
      sched_yield();
      spin = 0;
    }
  }
  s.in_use.unlock();
}

}  // namespace graviton
