// The k largest of a row, largest first, ties by the lower index. NaN is below every number and -0
// equals 0.
#ifndef GRAVITON_KERNELS_SORT_TOP_K_H_
#define GRAVITON_KERNELS_SORT_TOP_K_H_

#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

// An element in one integer whose order is the wanted one: its key (a monotonic map to int32) above
// the complement of its index.
using Candidate = uint64_t;

inline Candidate CandidateOf(int32_t key, uint32_t index) {
  return uint64_t{static_cast<uint32_t>(key) ^ 0x80000000u} << 32 | static_cast<uint32_t>(~index);
}
inline uint32_t IndexOf(Candidate candidate) { return ~static_cast<uint32_t>(candidate); }

inline int32_t KeyOf(Candidate candidate) {
  return static_cast<int32_t>(static_cast<uint32_t>(candidate >> 32) ^ 0x80000000u);
}

// What an element must be above to matter; not set: everything does.
struct TopKFloor {
  int32_t key;
  bool set;
};

// Where a scan stopped and how many it found.
struct TopKScan {
  size_t at;
  size_t found;
};

// Appends to `found` the elements of x[begin, end) whose keys are above the floor; stops when less
// than kTopKLeastRoom is left of `room`.
using TopKFunction = TopKScan (*)(const void* x, size_t begin, size_t end, TopKFloor floor,
                                  Candidate* found, size_t room);

inline constexpr size_t kTopKLeastRoom = 64;

struct TopKKernels {
  TopKFunction f32;
  TopKFunction i32;
};

GRAVITON_DISPATCH(TopKKernels, kTopK)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_SORT_TOP_K_H_
