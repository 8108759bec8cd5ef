#include "binding/dispatcher.h"

#include "threads/sleep.h"

namespace graviton {

Status Dispatcher::Submit(Job* job) {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) {
      if (pthread_create(&thread_, nullptr, Main, this) != 0) {
        return Status::Error(Code::kOutOfMemory,
                             "the thread for asynchronous calls could not be started");
      }
      started_ = true;
    }
    job->next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = job;
    last_ = job;
  }
  changes_.fetch_add(1, std::memory_order_release);
  WakeAll(changes_);
  return {};
}

void* Dispatcher::Main(void* argument) {
  auto& self = *static_cast<Dispatcher*>(argument);
  for (;;) {
    const uint32_t seen = self.changes_.load(std::memory_order_acquire);
    Job* job;
    {
      const std::lock_guard lock(self.mutex_);
      job = self.first_;
      if (job != nullptr) {
        self.first_ = job->next;
        if (self.first_ == nullptr) self.last_ = nullptr;
      } else if (self.stopping_) {
        return nullptr;
      }
    }
    if (job != nullptr) {
      job->Run();
    } else {
      SleepWhile(self.changes_, seen);
    }
  }
}

void Dispatcher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) return;
    stopping_ = true;
  }
  changes_.fetch_add(1, std::memory_order_release);
  WakeAll(changes_);
  pthread_join(thread_, nullptr);
  started_ = false;
}

}  // namespace graviton
