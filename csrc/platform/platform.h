#ifndef GRAVITON_PLATFORM_PLATFORM_H_
#define GRAVITON_PLATFORM_PLATFORM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

// Whatever differs between operating systems, and nothing else does: linux.cc, mac.cc and
// windows.cc, of which the build takes in one, and posix.cc for the first two.
namespace graviton {

// Bytes of the data cache of this level (1 to 3); 0 where the system does not say.
size_t SystemCacheBytes(int level);

// Processors that this process may use; 0 where the system does not say.
size_t SystemCpus();

// Whether an arm64 processor has both the bfloat16 and the int8 matrix instructions.
bool SystemHasBf16AndI8mm();

// Asks for the right to use AMX's tile registers, for all threads of the process; false where the
// system does not give it.
bool SystemGrantsTiles();

// Null where there is no memory. `alignment` is a power of two from sizeof(void*).
void* SystemAllocate(size_t bytes, size_t alignment);
void SystemFree(void* data);
// Asks for huge pages behind a block; without effect where the system has no such advice.
void AdviseHugePages(void* data, size_t bytes);

// A thread with a stack of 1 MiB that no signal handler runs on. The object outlives it.
class Thread {
 public:
  // False where the system refuses: std::thread reports that only by throwing, which ends the
  // process under -fno-exceptions.
  bool Start(void (*main)(void*), void* argument);
  // Waits for its end.
  void Join();

 private:
  void (*main_)(void*) = nullptr;
  void* argument_ = nullptr;
  uintptr_t handle_ = 0;  // pthread_t or HANDLE
};

// Lets another thread have this processor.
void YieldThread();
// `run` is called in a child process that was forked off, which has the forking thread alone.
void OnForkedChild(void (*run)());

// Sleeps unless `word` differs from `value` by now; may wake early.
void SleepWhile(std::atomic<uint32_t>& word, uint32_t value);
void WakeAll(std::atomic<uint32_t>& word);

// The same for sleepers in groups: a sleeper says which groups it belongs to and wakes when one of
// them is called; where the system knows no groups, whenever any is called. Of the word only the
// low half need be compared; the caller sees to it that this half changes whenever the word does.
void SleepInGroup(std::atomic<uint64_t>& word, uint64_t value, uint32_t groups);
void WakeGroups(std::atomic<uint64_t>& word, uint32_t groups);

}  // namespace graviton

#endif  // GRAVITON_PLATFORM_PLATFORM_H_
