#ifndef GRAVITON_THREADS_SLEEP_H_
#define GRAVITON_THREADS_SLEEP_H_

#include <atomic>
#include <cstdint>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#endif

namespace graviton {

// Sleeps unless *word differs from `value` by now; may wake early. A futex rather than
// std::condition_variable, whose wait asks for GLIBCXX_3.4.30; elsewhere std::atomic::wait is as good.
inline void SleepWhile(std::atomic<uint32_t>& word, uint32_t value) {
#if defined(__linux__)
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  word.wait(value);
#endif
}

inline void WakeAll(std::atomic<uint32_t>& word) {
#if defined(__linux__)
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
  word.notify_all();
#endif
}

}  // namespace graviton

#endif  // GRAVITON_THREADS_SLEEP_H_
