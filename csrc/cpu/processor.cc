#include "cpu/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "platform/platform.h"

namespace graviton {
namespace {

#if defined(__aarch64__)
Isa DetectIsa() { return SystemHasBf16AndI8mm() ? Isa::kNeonBf16 : Isa::kNeon; }
#else
// Bits of one register of CPUID (Intel SDM volume 2, CPUID). The builtin __builtin_cpu_supports
// needs a runtime library that not every toolchain brings along.
struct Features {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};
Features CpuId(unsigned leaf, unsigned subleaf) {
  Features f;
  if (!__get_cpuid_count(leaf, subleaf, &f.eax, &f.ebx, &f.ecx, &f.edx)) return {};
  return f;
}
constexpr bool Has(unsigned word, unsigned bits) { return (word & bits) == bits; }
constexpr unsigned Bits(auto... bit) { return ((1U << bit) | ...); }

// The registers that the system saves when it switches threads.
unsigned SavedState() {
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

Isa DetectIsa() {
  const Features basic = CpuId(1, 0);
  const Features extended = CpuId(7, 0);
  constexpr unsigned kFma = 12, kOsxsave = 27, kAvx = 28, kF16c = 29, kAvx2 = 5;
  if (!Has(basic.ecx, Bits(kFma, kOsxsave, kAvx, kF16c)) || !Has(extended.ebx, Bits(kAvx2)))
    return Isa::kBaseline;
  const unsigned saved = SavedState();
  if (!Has(saved, Bits(1, 2))) return Isa::kBaseline;  // xmm and ymm
  constexpr unsigned kF = 16, kDq = 17, kBw = 30, kVl = 31;
  // Mask registers and both parts of zmm.
  if (!Has(extended.ebx, Bits(kF, kDq, kBw, kVl)) || !Has(saved, Bits(5, 6, 7))) return Isa::kAvx2;
  constexpr unsigned kVnni = 11, kBf16 = 5;
  const bool bf16 = Has(CpuId(7, 1).eax, Bits(kBf16)) && Has(extended.ecx, Bits(kVnni));
  if (!bf16) return Isa::kAvx512;
  constexpr unsigned kAmxBf16 = 22, kAmxTile = 24, kAmxInt8 = 25;
  const bool tiles = Has(extended.edx, Bits(kAmxBf16, kAmxTile, kAmxInt8)) &&
                     Has(saved, Bits(17, 18)) && SystemGrantsTiles();
  return tiles ? Isa::kAvx512Amx : Isa::kAvx512Bf16;
}
#endif

size_t CacheBytes(int level, size_t otherwise) {
  const size_t bytes = SystemCacheBytes(level);
  return bytes > 0 ? bytes : otherwise;
}

size_t UsableCpus() {
  const size_t cpus = SystemCpus();
  return cpus < 1 ? 1 : cpus;
}

}  // namespace

const char* NameOf(Isa isa) {
#if defined(__aarch64__)
  constexpr const char* kNames[kIsas] = {"neon", "neon-bf16"};
#else
  constexpr const char* kNames[kIsas] = {"baseline", "avx2", "avx512", "avx512-bf16",
                                         "avx512-amx-bf16"};
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
