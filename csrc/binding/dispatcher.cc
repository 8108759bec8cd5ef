#include "binding/dispatcher.h"

#include <utility>

namespace graviton {

void Dispatcher::Jobs::Push(Job* job) {
  job->next = nullptr;
  (last == nullptr ? first : last->next) = job;
  last = job;
}

Dispatcher::Job* Dispatcher::Jobs::Pop() {
  Job* job = first;
  if (job == nullptr) return nullptr;
  first = job->next;
  if (first == nullptr) last = nullptr;
  return job;
}

Status Dispatcher::Submit(Job* job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Status::Error(Code::kInvalidStep, "the environment has ended");
    if (!started_) {
      if (!thread_.Start(Main, this)) {
        return Status::Error(Code::kOutOfMemory,
                             "the thread for asynchronous calls could not be started");
      }
      started_ = true;
    }
    waiting_.Push(job);
  }
  changes_.fetch_add(1, std::memory_order_release);
  WakeAll(changes_);
  return {};
}

Dispatcher::Job* Dispatcher::TakeEnded() {
  const std::lock_guard lock(mutex_);
  return ended_.Pop();
}

void Dispatcher::Main(void* argument) {
  auto& self = *static_cast<Dispatcher*>(argument);
  for (;;) {
    const uint32_t seen = self.changes_.load(std::memory_order_acquire);
    Job* job;
    {
      const std::lock_guard lock(self.mutex_);
      if (self.stopping_) return;
      job = self.waiting_.Pop();
    }
    if (job == nullptr) {
      SleepWhile(self.changes_, seen);
      continue;
    }
    job->Run();
    {
      const std::lock_guard lock(self.mutex_);
      self.ended_.Push(job);
    }
    self.on_end_(self.context_);
  }
}

void Dispatcher::Stop() {
  bool started;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    started = std::exchange(started_, false);
  }
  changes_.fetch_add(1, std::memory_order_release);
  WakeAll(changes_);
  if (started) thread_.Join();
  while (Job* job = waiting_.Pop()) ended_.Push(job);
}

}  // namespace graviton
