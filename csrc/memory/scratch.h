#ifndef GRAVITON_MEMORY_SCRATCH_H_
#define GRAVITON_MEMORY_SCRATCH_H_

#include <cstddef>

#include "core/status.h"

namespace graviton {

// So many floats in whole cache lines: threads that write blocks side by side share none.
constexpr size_t WholeLines(size_t floats) { return (floats + 15) / 16 * 16; }

// Working memory of a step: grows to the largest request and is reused by the next step.
// One per running plan or environment; a step divides its block among its threads itself.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  // A 64-byte aligned block of at least `bytes`, valid until the next call; contents are undefined.
  Status Reserve(size_t bytes, void** block);
  size_t bytes() const { return bytes_; }

 private:
  void* block_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace graviton

#endif  // GRAVITON_MEMORY_SCRATCH_H_
