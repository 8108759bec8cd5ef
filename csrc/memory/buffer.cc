#include "memory/buffer.h"

#include <new>

#include "memory/allocate.h"

namespace graviton {
namespace {

// Small tensors lie behind their header: one block instead of two.
constexpr size_t kInlineBytes = kExactBlocks ? 0 : 4096;
static_assert(sizeof(Buffer) <= kAlignment);

std::atomic<int64_t> form_bytes{0};

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

bool Buffer::Renew(DType dtype, size_t elems) {
  // Under AddressSanitizer nothing is reused.
  if (elems > kInlineBytes || elems * SizeOf(dtype) != bytes() || bytes() > kInlineBytes ||
      references_.load(std::memory_order_acquire) != 1) {
    return false;
  }
  DropForm();
  elems_ = elems;
  dtype_ = dtype;
  layout_ = 0;
  form_key_ = 0;
  read_before_.store(false, std::memory_order_relaxed);
  return true;
}

void Buffer::DropForm() {
  Buffer* form = form_.load(std::memory_order_relaxed);
  if (form == nullptr) return;
  form_bytes.fetch_sub(static_cast<int64_t>(form->bytes()), std::memory_order_relaxed);
  form->Unref();
  form_.store(nullptr, std::memory_order_relaxed);
}

bool Buffer::KeepForm(Buffer* form) {
  const auto bytes = static_cast<int64_t>(form->bytes());
  if (form_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes <= kMostFormBytes) {
    form->Ref();
    Buffer* none = nullptr;
    if (form_.compare_exchange_strong(none, form, std::memory_order_release,
                                      std::memory_order_relaxed)) {
      return true;
    }
    form->Unref();
  }
  form_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void Buffer::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  DropForm();
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
