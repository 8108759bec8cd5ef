#ifndef GRAVITON_BINDING_DISPATCHER_H_
#define GRAVITON_BINDING_DISPATCHER_H_

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "core/status.h"

namespace graviton {

// The thread of an environment that runs asynchronous calls, so that neither the event loop nor
// libuv's pool is held up. Started by the first call; jobs run in the order they were given.
class Dispatcher {
 public:
  // Intrusive list node; Run is called on the dispatcher's thread.
  struct Job {
    virtual void Run() = 0;
    Job* next = nullptr;

   protected:
    ~Job() = default;
  };

  Status Submit(Job* job);
  // Waits for the job that runs, drops none: those that wait are run first.
  void Stop();

 private:
  static void* Main(void* self);

  std::mutex mutex_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  std::atomic<uint32_t> changes_{0};
  bool started_ = false;
  bool stopping_ = false;
  pthread_t thread_;
};

}  // namespace graviton

#endif  // GRAVITON_BINDING_DISPATCHER_H_
