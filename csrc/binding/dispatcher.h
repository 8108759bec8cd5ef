#ifndef GRAVITON_BINDING_DISPATCHER_H_
#define GRAVITON_BINDING_DISPATCHER_H_

#include <atomic>
#include <mutex>

#include "core/status.h"
#include "platform/platform.h"

namespace graviton {

// The thread of an environment that runs asynchronous calls, so that neither the event loop nor
// libuv's pool is held up. Started by the first call; jobs run in the order they were given.
class Dispatcher {
 public:
  // Intrusive list node; Run is called on the dispatcher's thread. Whoever made a job frees it.
  struct Job {
    virtual void Run() = 0;
    Job* next = nullptr;

   protected:
    ~Job() = default;
  };

  // `on_end(context)` is called on the dispatcher's thread after each job.
  Dispatcher(void (*on_end)(void*), void* context) : on_end_(on_end), context_(context) {}

  Status Submit(Job* job);
  // The job that ended first of those not taken yet; null when there is none.
  Job* TakeEnded();
  // Waits for the job that runs and drops those behind it: TakeEnded gives them all, run or not.
  // Nothing runs after it.
  void Stop();

 private:
  struct Jobs {
    Job* first = nullptr;
    Job* last = nullptr;
    void Push(Job* job);
    Job* Pop();
  };
  static void Main(void* self);

  void (*const on_end_)(void*);
  void* const context_;
  std::mutex mutex_;
  Jobs waiting_;
  Jobs ended_;
  std::atomic<uint32_t> changes_{0};
  bool started_ = false;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace graviton

#endif  // GRAVITON_BINDING_DISPATCHER_H_
