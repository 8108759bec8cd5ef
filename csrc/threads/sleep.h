#ifndef GRAVITON_THREADS_SLEEP_H_
#define GRAVITON_THREADS_SLEEP_H_

#include <atomic>
#include <bit>
#include <cstdint>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#endif

namespace graviton {

// Sleeps unless *word differs from `value` by now; may wake early. A futex rather than
// std::condition_variable, whose wait asks for GLIBCXX_3.4.30; elsewhere std::atomic::wait is as
// good.
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

// The same for sleepers in groups: a sleeper says which groups it belongs to and wakes when one of
// them is called. Of the word only the low half is compared; the caller sees to it that this half
// changes whenever the word does.
inline void SleepInGroup(std::atomic<uint64_t>& word, uint64_t value,
                         [[maybe_unused]] uint32_t groups) {
#if defined(__linux__)
  static_assert(std::endian::native == std::endian::little, "the low half comes first");
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, static_cast<uint32_t>(value), nullptr,
          nullptr, groups);
#else
  word.wait(value);
#endif
}

inline void WakeGroups(std::atomic<uint64_t>& word, [[maybe_unused]] uint32_t groups) {
#if defined(__linux__)
  syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, nullptr, nullptr, groups);
#else
  word.notify_all();
#endif
}

}  // namespace graviton

#endif  // GRAVITON_THREADS_SLEEP_H_
