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

// The C library copies with the widest vectors of the processor, at 1.4 times the speed of those
// that every processor has: longer runs are copies of their beginning.
template <class T>
void FillElems(char* dst, T value, size_t elems) {
  constexpr size_t kFirstElems = 4096 / sizeof(T);
  const size_t first = std::min(elems, kFirstElems);
  std::fill_n(reinterpret_cast<T*>(dst), first, value);
  for (size_t at = first; at < elems; at += first) {
    std::memcpy(dst + at * sizeof(T), dst, std::min(first, elems - at) * sizeof(T));
  }
}

// `value`: an element's bits, in the low bytes.
inline void FillRun(char* dst, size_t elem_bytes, uint32_t value, size_t elems) {
  const uint32_t byte = value & 0xff;
  if (elem_bytes == 1 || value == byte * 0x01010101u) {
    std::memset(dst, static_cast<int>(byte), elems * elem_bytes);
  } else if (elem_bytes == 2) {
    FillElems(dst, static_cast<uint16_t>(value), elems);
  } else {
    FillElems(dst, value, elems);
  }
}

}  // namespace graviton

#endif  // GRAVITON_KERNELS_MOVEMENT_RUNS_H_
