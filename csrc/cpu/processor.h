#ifndef GRAVITON_CPU_PROCESSOR_H_
#define GRAVITON_CPU_PROCESSOR_H_

#include <cstddef>
#include <cstdint>

namespace graviton {

// Levels of one architecture in rising order; a level includes those below it.
// Keep in step with isaNames in src/native.ts.
enum class Isa : uint8_t {
#if defined(__aarch64__)
  kNeon = 0,      // Neoverse N1: Armv8.2 with FMA by lane
  kNeonBf16 = 1,  // Neoverse V1, V2: BFMMLA, I8MM, dot products
#else
  kBaseline = 0,    // x86-64 with SSE2
  kAvx2 = 1,        // with FMA and F16C
  kAvx512 = 2,      // F, BW, DQ, VL
  kAvx512Bf16 = 3,  // with BF16 and VNNI
  kAvx512Amx = 4,   // with AMX tiles of bfloat16 and int8
#endif
};
#if defined(__aarch64__)
inline constexpr int kIsas = 2;
#else
inline constexpr int kIsas = 5;
#endif

const char* NameOf(Isa isa);

struct Processor {
  Isa isa;           // the highest level that this processor runs
  size_t l1d_bytes;  // per core; conservative defaults where the system does not tell
  size_t l2_bytes;
  size_t l3_bytes;
  size_t cpus;  // that this process may use: affinity and cgroup limits respected, at least 1
};

// Read once, at the first call.
const Processor& ThisProcessor();

}  // namespace graviton

#endif  // GRAVITON_CPU_PROCESSOR_H_
