#ifndef GRAVITON_THREADS_THREAD_POOL_H_
#define GRAVITON_THREADS_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace graviton {

// Half-open range of work items.
struct Range {
  size_t begin;
  size_t end;
};

// Part `part` of `parts` of [0, total), in whole multiples of `grain`; parts differ by one grain at
// most and depend on the arguments alone, so the same thread count gives the same bits.
constexpr Range Partition(size_t total, size_t parts, size_t part, size_t grain = 1) {
  const size_t grains = (total + grain - 1) / grain;
  const size_t begin = grains * part / parts * grain;
  const size_t end = grains * (part + 1) / parts * grain;
  return {begin < total ? begin : total, end < total ? end : total};
}

// The one pool of the process. Workers start at the first parallel call, spin briefly for the next
// one and then sleep. Several environments may call at once: the first takes the workers, the
// others do all parts themselves, one after the other. Never destroyed, so that no thread outlives
// it.
class ThreadPool {
 public:
  static ThreadPool& Get();

  // Runs body(part) for each part in [0, parts) and returns when all are done. Part 0 runs on the
  // calling thread. Bodies must not fail, throw or call Run.
  template <class Body>
  void Run(size_t parts, Body&& body) {
    using Callee = std::remove_reference_t<Body>;
    if (parts == 1) {
      body(size_t{0});
      return;
    }
    RunErased(
        parts, [](void* callee, size_t part) { (*static_cast<Callee*>(callee))(part); }, &body);
  }

  // Runs body(part, range) for ranges that cover [0, total). Where there are more pieces than
  // parts, each part takes the next one as it has done the last: processors that are shared with
  // others do not do equal shares in equal time. What a body computes must not depend on the part.
  template <class Body>
  void RunPieces(size_t parts, size_t pieces, size_t total, Body&& body) {
    if (pieces <= parts) {
      Run(parts, [&](size_t part) { body(part, Partition(total, parts, part)); });
      return;
    }
    std::atomic<size_t> next{0};
    Run(parts, [&](size_t part) {
      for (;;) {
        const size_t piece = next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= pieces) return;
        body(part, Partition(total, pieces, piece));
      }
    });
  }

 private:
  ThreadPool() = default;
  void RunErased(size_t parts, void (*body)(void*, size_t), void* callee);

  struct State;
  State* state_ = nullptr;
};

}  // namespace graviton

#endif  // GRAVITON_THREADS_THREAD_POOL_H_
