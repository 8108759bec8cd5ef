#include "memory/scratch.h"

#include "memory/allocate.h"

namespace graviton {

Scratch::~Scratch() { Free(block_, bytes_); }

Status Scratch::Reserve(size_t bytes, void** block) {
  if (bytes > bytes_ || (kExactBlocks && bytes != bytes_)) {
    Free(block_, bytes_);
    block_ = Allocate(bytes);
    bytes_ = block_ == nullptr ? 0 : bytes;
    if (block_ == nullptr) return Status::OutOfMemory(bytes);
  }
  *block = block_;
  return {};
}

}  // namespace graviton
