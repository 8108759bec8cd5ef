#if defined(__APPLE__)

#include <sys/sysctl.h>

#include "platform/platform.h"

namespace graviton {
namespace {

// 0 where this Mac does not know the name.
size_t Sysctl(const char* name) {
  int64_t value = 0;  // the system writes 4 or 8 bytes
  size_t bytes = sizeof(value);
  return sysctlbyname(name, &value, &bytes, nullptr, 0) == 0 && value > 0
             ? static_cast<size_t>(value)
             : 0;
}

// Of the performance cores, where a Mac has two kinds.
size_t SysctlOf(const char* performance, const char* any) {
  const size_t value = Sysctl(performance);
  return value > 0 ? value : Sysctl(any);
}

}  // namespace

size_t SystemCacheBytes(int level) {
  if (level == 1) return SysctlOf("hw.perflevel0.l1dcachesize", "hw.l1dcachesize");
  if (level == 2) return SysctlOf("hw.perflevel0.l2cachesize", "hw.l2cachesize");
  return SysctlOf("hw.perflevel0.l3cachesize", "hw.l3cachesize");
}

// Parts of a job are equal, so that an efficiency core would hold up all the others.
size_t SystemCpus() { return SysctlOf("hw.perflevel0.logicalcpu", "hw.logicalcpu"); }

bool SystemHasBf16AndI8mm() {
  return Sysctl("hw.optional.arm.FEAT_BF16") != 0 && Sysctl("hw.optional.arm.FEAT_I8MM") != 0;
}

bool SystemGrantsTiles() { return false; }

void AdviseHugePages(void*, size_t) {}

void SleepWhile(std::atomic<uint32_t>& word, uint32_t value) { word.wait(value); }

void WakeAll(std::atomic<uint32_t>& word) { word.notify_all(); }

void SleepInGroup(std::atomic<uint64_t>& word, uint64_t value, uint32_t) { word.wait(value); }

void WakeGroups(std::atomic<uint64_t>& word, uint32_t) { word.notify_all(); }

}  // namespace graviton

#endif
