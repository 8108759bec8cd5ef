#include "cpu/processor.h"

#include <cstdio>
#include <cstdlib>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace graviton {
namespace {

#if defined(__aarch64__)
Isa DetectIsa() {
#if defined(__linux__)
  constexpr unsigned long kHwcap2I8mm = 1UL << 13;
  constexpr unsigned long kHwcap2Bf16 = 1UL << 14;
  const unsigned long features = getauxval(AT_HWCAP2);
  if ((features & kHwcap2I8mm) != 0 && (features & kHwcap2Bf16) != 0) return Isa::kNeonBf16;
#endif
  return Isa::kNeon;
}
#else
Isa DetectIsa() {
  // __builtin_cpu_supports also asks the system whether it saves the wide registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kBaseline;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx2;
  }
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) {
    return Isa::kAvx512Bf16;
  }
  return Isa::kAvx512;
}
#endif

size_t CacheBytes([[maybe_unused]] int level, size_t otherwise) {
#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  const int name = level == 1   ? _SC_LEVEL1_DCACHE_SIZE
                   : level == 2 ? _SC_LEVEL2_CACHE_SIZE
                                : _SC_LEVEL3_CACHE_SIZE;
  const long bytes = sysconf(name);
  if (bytes > 0) return static_cast<size_t>(bytes);
#endif
  return otherwise;
}

#if defined(__linux__)
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
#endif

size_t UsableCpus() {
  size_t cpus = std::thread::hardware_concurrency();
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cpus = static_cast<size_t>(CPU_COUNT(&set));
  if (cpus > 0) cpus = CgroupCpus(cpus);
#endif
  return cpus < 1 ? 1 : cpus;
}

}  // namespace

const char* NameOf(Isa isa) {
#if defined(__aarch64__)
  constexpr const char* kNames[kIsas] = {"neon", "neon-bf16"};
#else
  constexpr const char* kNames[kIsas] = {"baseline", "avx2", "avx512", "avx512-bf16"};
#endif
  return kNames[static_cast<int>(isa)];
}

const Processor& ThisProcessor() {
  static const Processor processor = {
      .isa = DetectIsa(),
      .l1d_bytes = CacheBytes(1, size_t{32} << 10),
      .l2_bytes = CacheBytes(2, size_t{1} << 20),
      .l3_bytes = CacheBytes(3, size_t{8} << 20),
      .cpus = UsableCpus(),
  };
  return processor;
}

}  // namespace graviton
