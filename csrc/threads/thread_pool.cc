#include "threads/thread_pool.h"

#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>

#include "cpu/processor.h"
#include "platform/platform.h"

namespace graviton {
namespace {

// Participants of a job beyond the caller. More parts than that are shared out among them.
constexpr size_t kMostWorkers = 255;

// A worker looks for the next job for so long before it sleeps: longer than the serial steps
// between the parallel ones of a plan, and than JavaScript between two calls; too short to show as
// load in an idle process.
constexpr int64_t kSpinNs = 200'000;
// With more threads than processors a spinning thread keeps out the one that it waits for.
constexpr int64_t kCrowdedSpinNs = 1'000;
// The clock is read once in so many looks: 25 ns against 10 to 45 ns for a pause.
constexpr int kLooks = 32;

// What one thread writes while another writes or waits lies so far apart: lines have 64 bytes, but
// Intel's second-level cache fetches them in pairs, and Apple's have 128.
constexpr size_t kApartBytes = 128;
constexpr size_t kLineBytes = 64;

inline void Pause() {
#if defined(__aarch64__)
  asm volatile("isb");
#else
  __builtin_ia32_pause();
#endif
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A job's number in the low 48 bits, its participants (the caller included) above: one word, so
// that a worker knows at once whether a job is its own and reads no field of others.
constexpr int kNumberBits = 48;
constexpr uint64_t JobWord(uint64_t number, size_t participants) {
  return uint64_t{participants} << kNumberBits | (number & ((uint64_t{1} << kNumberBits) - 1));
}
constexpr uint64_t NumberOf(uint64_t job) { return job & ((uint64_t{1} << kNumberBits) - 1); }

// Makes a share of job `number` the caller's own; false where it has been begun. A worker that
// comes late may ask for the share of a job that is long over: the mark of a later one stays.
bool Take(std::atomic<uint64_t>& begun, uint64_t number) {
  uint64_t last = begun.load(std::memory_order_relaxed);
  while (last < number) {
    if (begun.compare_exchange_weak(last, number, std::memory_order_acq_rel)) return true;
  }
  return false;
}
constexpr bool TakesPart(uint64_t job, size_t worker) { return worker < (job >> kNumberBits); }

// 32 wake groups for 255 workers: the first sixteen have one each, then two per power of two.
// Waking all groups up to that of the last participant wakes few others.
constexpr uint32_t GroupOf(size_t worker) {
  const auto v = static_cast<uint32_t>(worker - 1);
  if (v < 16) return v;
  const uint32_t octave = std::bit_width(v) - 1;
  return 16 + 2 * (octave - 4) + ((v >> (octave - 1)) & 1);
}
static_assert(GroupOf(17) == 16 && GroupOf(25) == 17 && GroupOf(33) == 18);
static_assert(GroupOf(kMostWorkers) < 31);
constexpr uint32_t GroupsUpTo(size_t worker) { return (uint32_t{2} << GroupOf(worker)) - 1; }

}  // namespace

struct ThreadPool::State {
  struct alignas(kApartBytes) Worker {
    // The last job whose share of parts was begun, by this worker or by the caller in its place,
    // and the last whose share is done. They only grow.
    std::atomic<uint64_t> begun{0};
    std::atomic<uint64_t> done{0};
    Thread thread;
    State* state = nullptr;
    size_t index = 0;   // from 1; 0 is the caller
    uint64_t seen = 0;  // the job at hand when it was started
  };

  // Held by the caller whose job runs. A flag and not a mutex: a second caller never waits.
  std::atomic<bool> in_use{false};
  size_t workers = 0;  // started so far
  // The job, on one cache line: written before `job`, read by its participants alone, who all
  // finish before Run returns.
  alignas(kApartBytes) std::atomic<uint64_t> job{0};
  void (*body)(void*, size_t) = nullptr;
  void* callee = nullptr;
  size_t parts = 0;
  size_t participants = 0;
  int64_t spin_ns = kSpinNs;
  // One bit a worker: set while it sleeps and nobody has woken it.
  alignas(kApartBytes) std::atomic<uint64_t> asleep[(kMostWorkers + 64) / 64] = {};
  Worker worker[kMostWorkers + 1];

  size_t Grow(size_t wanted);
  bool Start(size_t index);
  void Publish();
  void RunShares();
  void RunShare(size_t participant) const;
  uint64_t NextJob(size_t index, uint64_t seen, int64_t spin_for_ns);
  uint64_t SleepUntilJob(size_t index, uint64_t seen);
  void Work(Worker& self);
};

void ThreadPool::State::RunShare(size_t participant) const {
  for (size_t part = participant; part < parts; part += participants) body(callee, part);
}

void ThreadPool::State::Work(Worker& self) {
  uint64_t seen = self.seen;
  int64_t spin_for_ns = kSpinNs;
  for (;;) {
    seen = NextJob(self.index, seen, spin_for_ns);
    // The job's fields are read only once its share is taken: until that is done the job is on.
    if (!Take(self.begun, NumberOf(seen))) continue;
    RunShare(self.index);
    spin_for_ns = spin_ns;
    self.done.store(NumberOf(seen), std::memory_order_release);
  }
}

// The next job after `seen` that this worker takes part in. Jobs of fewer participants pass it by
// and do not keep it awake.
uint64_t ThreadPool::State::NextJob(size_t index, uint64_t seen, int64_t spin_for_ns) {
  const int64_t until = NowNs() + spin_for_ns;
  do {
    for (int look = 0; look < kLooks; ++look) {
      const uint64_t now = job.load(std::memory_order_acquire);
      if (now != seen && TakesPart(now, index)) return now;
      Pause();
    }
  } while (NowNs() < until);
  return SleepUntilJob(index, seen);
}

uint64_t ThreadPool::State::SleepUntilJob(size_t index, uint64_t seen) {
  std::atomic<uint64_t>& word = asleep[index / 64];
  const uint64_t bit = uint64_t{1} << (index % 64);
  for (;;) {
    // Either this look sees the new job, or Publish sees the bit (both are sequentially
    // consistent).
    word.fetch_or(bit, std::memory_order_seq_cst);
    const uint64_t now = job.load(std::memory_order_seq_cst);
    if (now != seen && TakesPart(now, index)) {
      word.fetch_and(~bit, std::memory_order_relaxed);
      return now;
    }
    SleepInGroup(job, now, uint32_t{1} << GroupOf(index));
  }
}

bool ThreadPool::State::Start(size_t index) {
  Worker& own = worker[index];
  own.state = this;
  own.index = index;
  own.seen = job.load(std::memory_order_relaxed);
  return own.thread.Start(
      [](void* argument) {
        auto& self = *static_cast<Worker*>(argument);
        self.state->Work(self);
      },
      &own);
}

// Starts workers up to `wanted` and returns how many there are: fewer where the system refuses.
size_t ThreadPool::State::Grow(size_t wanted) {
  if (wanted > kMostWorkers) wanted = kMostWorkers;
  while (workers < wanted && Start(workers + 1)) ++workers;
  return workers < wanted ? workers : wanted;
}

void ThreadPool::State::Publish() {
  job.store(JobWord(job.load(std::memory_order_relaxed) + 1, participants),
            std::memory_order_seq_cst);
  uint64_t sleepers = 0;
  for (size_t first = 0; first < participants; first += 64) {
    const size_t count = participants - first;
    const uint64_t mask = count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    std::atomic<uint64_t>& word = asleep[first / 64];
    if ((word.load(std::memory_order_seq_cst) & mask) == 0) continue;
    // Who is being woken need not be woken by the jobs until it runs.
    sleepers |= word.fetch_and(~mask, std::memory_order_seq_cst) & mask;
  }
  if (sleepers != 0) WakeGroups(job, GroupsUpTo(participants - 1));
}

// The caller's share, then those that no worker has begun: who is asleep, or waits for a processor,
// costs the time of its share at most, never that of its waking. Returns when all are done.
void ThreadPool::State::RunShares() {
  RunShare(0);
  const uint64_t current = NumberOf(job.load(std::memory_order_relaxed));
  for (size_t index = 1; index < participants; ++index) {
    if (!Take(worker[index].begun, current)) continue;
    RunShare(index);
    worker[index].done.store(current, std::memory_order_relaxed);
  }
  for (size_t index = 1; index < participants; ++index) {
    const std::atomic<uint64_t>& done = worker[index].done;
    int look = 0;
    int64_t until = 0;
    while (done.load(std::memory_order_acquire) != current) {
      Pause();
      if (++look < kLooks) continue;
      look = 0;
      // The worker may need this processor to run at all.
      const int64_t now = NowNs();
      if (until == 0) until = now + spin_ns;
      if (now >= until) YieldThread();
    }
  }
}

ThreadPool& ThreadPool::Get() {
  // A participant reads one line to know its job; no other's writes take it away.
  static_assert(offsetof(State, spin_ns) + sizeof(State::spin_ns) - offsetof(State, job) <=
                kLineBytes);
  static_assert(offsetof(State, job) - offsetof(State, workers) >= kApartBytes - sizeof(size_t));
  static_assert(offsetof(State, asleep) - offsetof(State, spin_ns) >= kLineBytes);
  static_assert(offsetof(State, worker) % kApartBytes == 0 && sizeof(State::Worker) == kApartBytes);
  // Never destroyed: workers may outlive static destructors.
  alignas(ThreadPool) static unsigned char memory[sizeof(ThreadPool)];
  alignas(State) static unsigned char state_memory[sizeof(State)];
  static ThreadPool* const pool = [] {
    auto* made = new (memory) ThreadPool;
    made->state_ = new (state_memory) State;
    // A forked child has the forking thread alone: it starts workers of its own.
    OnForkedChild([] { new (state_memory) State; });
    return made;
  }();
  return *pool;
}

void ThreadPool::RunErased(size_t parts, void (*body)(void*, size_t), void* callee) {
  if (parts == 0) return;
  State& s = *state_;
  const bool mine = !s.in_use.exchange(true, std::memory_order_acquire);
  const size_t workers = mine ? s.Grow(parts - 1) : 0;
  if (workers == 0) {
    if (mine) s.in_use.store(false, std::memory_order_release);
    for (size_t part = 0; part < parts; ++part) body(callee, part);
    return;
  }
  s.body = body;
  s.callee = callee;
  s.parts = parts;
  s.participants = workers + 1;
  s.spin_ns = s.participants > ThisProcessor().cpus ? kCrowdedSpinNs : kSpinNs;
  s.Publish();
  s.RunShares();
  s.in_use.store(false, std::memory_order_release);
}

}  // namespace graviton
