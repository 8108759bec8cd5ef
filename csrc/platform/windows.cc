#if defined(_WIN32)

#include <malloc.h>
#include <windows.h>

#include "platform/platform.h"

namespace graviton {
namespace {

constexpr size_t kStackBytes = size_t{1} << 20;

}  // namespace

size_t SystemCacheBytes(int level) {
  // Processors of one group share this list: at most 64, each with five entries and fewer.
  static SYSTEM_LOGICAL_PROCESSOR_INFORMATION entries[512];
  DWORD bytes = sizeof(entries);
  if (!GetLogicalProcessorInformation(entries, &bytes)) return 0;
  for (const auto& entry : entries) {
    if (&entry - entries >= static_cast<ptrdiff_t>(bytes / sizeof(entry))) break;
    const bool data = entry.Cache.Type == CacheData || entry.Cache.Type == CacheUnified;
    if (entry.Relationship == RelationCache && entry.Cache.Level == level && data)
      return entry.Cache.Size;
  }
  return 0;
}

size_t SystemCpus() {
  DWORD_PTR own = 0;
  DWORD_PTR all = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &own, &all)) return 0;
  return static_cast<size_t>(__builtin_popcountll(own));
}

bool SystemHasBf16AndI8mm() { return false; }

bool SystemGrantsTiles() { return false; }

void* SystemAllocate(size_t bytes, size_t alignment) { return _aligned_malloc(bytes, alignment); }

void SystemFree(void* data) { _aligned_free(data); }

void AdviseHugePages(void*, size_t) {}

bool Thread::Start(void (*main)(void*), void* argument) {
  main_ = main;
  argument_ = argument;
  const HANDLE thread = CreateThread(
      nullptr, kStackBytes,
      [](void* self) -> DWORD {
        auto& started = *static_cast<Thread*>(self);
        started.main_(started.argument_);
        return 0;
      },
      this, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  handle_ = reinterpret_cast<uintptr_t>(thread);
  return thread != nullptr;
}

void Thread::Join() {
  const auto thread = reinterpret_cast<HANDLE>(handle_);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

void YieldThread() { SwitchToThread(); }

void OnForkedChild(void (*)()) {}  // there is no fork

void SleepWhile(std::atomic<uint32_t>& word, uint32_t value) {
  WaitOnAddress(&word, &value, sizeof(value), INFINITE);
}

void WakeAll(std::atomic<uint32_t>& word) { WakeByAddressAll(&word); }

void SleepInGroup(std::atomic<uint64_t>& word, uint64_t value, uint32_t) {
  WaitOnAddress(&word, &value, sizeof(value), INFINITE);
}

void WakeGroups(std::atomic<uint64_t>& word, uint32_t) { WakeByAddressAll(&word); }

}  // namespace graviton

#endif
