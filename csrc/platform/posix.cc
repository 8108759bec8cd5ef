#if !defined(_WIN32)

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>

#include "platform/platform.h"

namespace graviton {
namespace {

// Kernels keep their large blocks in Scratch. A fixed size, since musl's default is 128 KiB.
constexpr size_t kStackBytes = size_t{1} << 20;

}  // namespace

void* SystemAllocate(size_t bytes, size_t alignment) {
  void* data = nullptr;
  return posix_memalign(&data, alignment, bytes) == 0 ? data : nullptr;
}

void SystemFree(void* data) { std::free(data); }

bool Thread::Start(void (*main)(void*), void* argument) {
  main_ = main;
  argument_ = argument;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // Signals are for threads that have handlers in mind.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int failed = pthread_create(
      &thread, &attributes,
      [](void* self) -> void* {
        auto& started = *static_cast<Thread*>(self);
        started.main_(started.argument_);
        return nullptr;
      },
      this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failed != 0) return false;
  static_assert(sizeof(thread) == sizeof(handle_));
  std::memcpy(&handle_, &thread, sizeof(thread));
  return true;
}

void Thread::Join() {
  pthread_t thread;
  std::memcpy(&thread, &handle_, sizeof(thread));
  pthread_join(thread, nullptr);
}

void YieldThread() { sched_yield(); }

void OnForkedChild(void (*run)()) { pthread_atfork(nullptr, nullptr, run); }

}  // namespace graviton

#endif
