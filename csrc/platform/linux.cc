#if defined(__linux__)

#include <linux/futex.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <climits>
#include <cstdio>

#include "platform/platform.h"

namespace graviton {
namespace {

// The kernel's own word; musl's sysconf knows no caches.
size_t CacheBytesOfSys(int level) {
  for (int index = 0; index < 8; ++index) {
    char path[80];
    int found_level = 0;
    char type[16] = "";
    size_t kib = 0;
    const auto read = [&](const char* name, const char* format, void* value) {
      std::snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index,
                    name);
      FILE* file = std::fopen(path, "r");
      if (file == nullptr) return false;
      const bool ok = std::fscanf(file, format, value) == 1;
      std::fclose(file);
      return ok;
    };
    if (!read("level", "%d", &found_level)) return 0;
    if (found_level != level || !read("type", "%15s", type) || type[0] == 'I') continue;
    return read("size", "%zuK", &kib) ? kib << 10 : 0;
  }
  return 0;
}

// cgroup v2 "quota period" and v1's two files; a fraction of a processor counts as a whole one.
size_t CgroupCpus(size_t otherwise) {
  double quota = -1;
  double period = -1;
  if (FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    if (std::fscanf(file, "%lf %lf", &quota, &period) != 2) quota = -1;
    std::fclose(file);
  } else if (FILE* v1 = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) {
    if (std::fscanf(v1, "%lf", &quota) != 1) quota = -1;
    std::fclose(v1);
    if (FILE* v1_period = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r")) {
      if (std::fscanf(v1_period, "%lf", &period) != 1) period = -1;
      std::fclose(v1_period);
    }
  }
  if (quota <= 0 || period <= 0) return otherwise;
  const auto cpus = static_cast<size_t>((quota + period - 1) / period);
  return cpus < 1 ? 1 : cpus < otherwise ? cpus : otherwise;
}

}  // namespace

size_t SystemCacheBytes(int level) {
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  const int name = level == 1   ? _SC_LEVEL1_DCACHE_SIZE
                   : level == 2 ? _SC_LEVEL2_CACHE_SIZE
                                : _SC_LEVEL3_CACHE_SIZE;
  const long bytes = sysconf(name);
  if (bytes > 0) return static_cast<size_t>(bytes);
#endif
  return CacheBytesOfSys(level);
}

size_t SystemCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 0;
  return CgroupCpus(static_cast<size_t>(CPU_COUNT(&set)));
}

bool SystemHasBf16AndI8mm() {
#if defined(__aarch64__)
  constexpr unsigned long kI8mm = 1UL << 13;  // of AT_HWCAP2, as the kernel's hwcap.h names them
  constexpr unsigned long kBf16 = 1UL << 14;
  return (getauxval(AT_HWCAP2) & (kI8mm | kBf16)) == (kI8mm | kBf16);
#else
  return false;
#endif
}

bool SystemGrantsTiles() {
#if defined(__x86_64__)
  // arch_prctl(2): tile data are large, so that Linux saves them for those alone who ask.
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

void AdviseHugePages(void* data, size_t bytes) { madvise(data, bytes, MADV_HUGEPAGE); }

// Futexes rather than std::condition_variable, whose wait asks for GLIBCXX_3.4.30.

void SleepWhile(std::atomic<uint32_t>& word, uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void WakeAll(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void SleepInGroup(std::atomic<uint64_t>& word, uint64_t value, uint32_t groups) {
  static_assert(std::endian::native == std::endian::little, "the low half comes first");
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, static_cast<uint32_t>(value), nullptr,
          nullptr, groups);
}

void WakeGroups(std::atomic<uint64_t>& word, uint32_t groups) {
  syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, nullptr, nullptr, groups);
}

}  // namespace graviton

#endif
