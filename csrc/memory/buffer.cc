#include "memory/buffer.h"

#include <new>

#include "memory/allocate.h"

namespace graviton {

Buffer* Buffer::New(DType dtype, size_t elems) {
  if (elems > SIZE_MAX / 8) return nullptr;
  void* data = Allocate(elems * SizeOf(dtype));
  if (data == nullptr) return nullptr;
  void* header = Allocate(sizeof(Buffer));
  if (header == nullptr) {
    Free(data, elems * SizeOf(dtype));
    return nullptr;
  }
  return new (header) Buffer(data, dtype, elems);
}

void Buffer::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Free(data_, bytes());
  this->~Buffer();
  Free(this, sizeof(Buffer));
}

}  // namespace graviton
