#ifndef GRAVITON_KERNELS_MOVEMENT_RUNS_H_
#define GRAVITON_KERNELS_MOVEMENT_RUNS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/step.h"
#include "memory/allocate.h"

namespace graviton {

// What the ops that only move elements share.

// What one core moves within its cache in kLeastPartNs (threads/parts.h).
inline constexpr size_t kMovedBytesPerPart = size_t{256} << 10;

inline size_t PartsFor(const StepContext& context, int64_t bytes) {
  const size_t parts = static_cast<size_t>(bytes) / kMovedBytesPerPart;
  return std::clamp<size_t>(parts, 1, context.threads);
}

// The product of sizes given as words, or -1 where it passes what any buffer holds. 0 if any is 0.
template <class... Sizes>
int64_t ProductOf(Sizes... sizes) {
  constexpr int64_t kMost = int64_t{1} << 40;
  const int64_t factors[] = {static_cast<int64_t>(sizes)...};
  for (const int64_t factor : factors) {
    if (factor == 0) return 0;
  }
  int64_t product = 1;
  for (const int64_t factor : factors) {
    if (factor < 0 || factor > kMost / product) return -1;
    product *= factor;
  }
  return product;
}

// memcpy, inline for the lengths of a few elements: a call costs more than such a copy.
inline void CopyRun(char* dst, const char* src, size_t bytes) {
  switch (bytes) {
    case 1:
      *dst = *src;
      return;
    case 4:
      std::memcpy(dst, src, 4);
      return;
    case 8:
      std::memcpy(dst, src, 8);
      return;
    case 12:
      std::memcpy(dst, src, 12);
      return;
    case 16:
      std::memcpy(dst, src, 16);
      return;
    case 32:
      std::memcpy(dst, src, 32);
      return;
    case 64:
      std::memcpy(dst, src, 64);
      return;
    default:
      std::memcpy(dst, src, bytes);
  }
}

// `value`: an element's bits, in the low bytes.
inline void FillRun(char* dst, size_t elem_bytes, uint32_t value, size_t elems) {
  if (elem_bytes == 1) {
    std::memset(dst, static_cast<int>(value & 0xff), elems);
  } else if (elem_bytes == 2) {
    std::fill_n(reinterpret_cast<uint16_t*>(dst), elems, static_cast<uint16_t>(value));
  } else {
    std::fill_n(reinterpret_cast<uint32_t*>(dst), elems, value);
  }
}

}  // namespace graviton

#endif  // GRAVITON_KERNELS_MOVEMENT_RUNS_H_
