#include "memory/buffer.h"

#include <new>

#include "memory/allocate.h"

namespace graviton {
namespace {

// Small tensors lie behind their header: one block instead of two.
constexpr size_t kInlineBytes = kExactBlocks ? 0 : 4096;
static_assert(sizeof(Buffer) <= kAlignment);

}  // namespace

Buffer* Buffer::New(DType dtype, size_t elems) {
  if (elems > SIZE_MAX / 8) return nullptr;
  const size_t bytes = elems * SizeOf(dtype);
  if (bytes <= kInlineBytes) {
    void* block = Allocate(kAlignment + bytes);
    if (block == nullptr) return nullptr;
    return new (block) Buffer(static_cast<char*>(block) + kAlignment, dtype, elems);
  }
  void* data = Allocate(bytes);
  if (data == nullptr) return nullptr;
  void* header = Allocate(sizeof(Buffer));
  if (header == nullptr) {
    Free(data, bytes);
    return nullptr;
  }
  return new (header) Buffer(data, dtype, elems);
}

void Buffer::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const size_t bytes = this->bytes();
  void* data = data_;
  this->~Buffer();
  if (bytes <= kInlineBytes) {
    Free(this, kAlignment + bytes);
  } else {
    Free(data, bytes);
    Free(this, sizeof(Buffer));
  }
}

}  // namespace graviton
