#ifndef GRAVITON_PLAN_EVENT_LOG_H_
#define GRAVITON_PLAN_EVENT_LOG_H_

#include <chrono>
#include <cstdint>

#include "memory/array.h"

namespace graviton {

// Nanoseconds of the steady clock, the one that process.hrtime and performance.now read.
inline int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What profile() shows: one entry a step that ran.
struct StepEvent {
  uint32_t op;
  uint32_t plan;  // its number; 0 in eager mode
  uint32_t step;  // position in its plan
  uint32_t lane;  // 0: JavaScript's thread, 1: the dispatcher's
  int64_t begin_ns;
  int64_t end_ns;
};

// Entries beyond the limit are counted, not kept.
class EventLog {
 public:
  void Add(StepEvent event) {
    if (events_.size() >= kLimit || !events_.TryPush(event)) ++dropped_;
  }
  // Takes over what a call on the dispatcher's thread has logged.
  void AddFromDispatcher(const EventLog& other) {
    for (StepEvent event : other.events_) {
      event.lane = 1;
      Add(event);
    }
    dropped_ += other.dropped_;
  }
  void Clear() {
    events_ = Array<StepEvent>();
    dropped_ = 0;
  }
  const Array<StepEvent>& events() const { return events_; }
  uint64_t dropped() const { return dropped_; }

 private:
  static constexpr size_t kLimit = 1 << 20;
  Array<StepEvent> events_;
  uint64_t dropped_ = 0;
};

}  // namespace graviton

#endif  // GRAVITON_PLAN_EVENT_LOG_H_
