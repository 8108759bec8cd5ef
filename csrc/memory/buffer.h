#ifndef GRAVITON_MEMORY_BUFFER_H_
#define GRAVITON_MEMORY_BUFFER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace graviton {

// A reference-counted block of elements: one tensor's data, or weights in a kernel's packed layout.
// Contents do not change once the step that made them has run, which is what lets plans, traces and
// other threads hold a buffer without a lock.
class Buffer {
 public:
  // Null when memory is short. The caller owns one reference.
  static Buffer* New(DType dtype, size_t elems);

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();

  void* data() const { return data_; }
  size_t elems() const { return elems_; }
  size_t bytes() const { return elems_ * SizeOf(dtype_); }
  DType dtype() const { return dtype_; }

  // 0: plain row-major elements. Otherwise a kernel family's packed layout (see PackLayout).
  uint32_t layout() const { return layout_; }
  void set_layout(uint32_t layout) { layout_ = layout; }

 private:
  Buffer(void* data, DType dtype, size_t elems) : data_(data), elems_(elems), dtype_(dtype) {}

  void* data_;
  size_t elems_;
  std::atomic<uint32_t> references_{1};
  uint32_t layout_ = 0;
  DType dtype_;
};

// Owns one reference.
class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(Buffer* adopted) : buffer_(adopted) {}
  BufferRef(BufferRef&& other) noexcept : buffer_(other.buffer_) { other.buffer_ = nullptr; }
  BufferRef& operator=(BufferRef&& other) noexcept {
    Buffer* mine = buffer_;
    buffer_ = other.buffer_;
    other.buffer_ = mine;
    return *this;
  }
  BufferRef(const BufferRef&) = delete;
  BufferRef& operator=(const BufferRef&) = delete;
  ~BufferRef() { Reset(); }

  static BufferRef Share(Buffer* buffer) {
    if (buffer != nullptr) buffer->Ref();
    return BufferRef(buffer);
  }
  void Reset() {
    if (buffer_ != nullptr) buffer_->Unref();
    buffer_ = nullptr;
  }
  Buffer* get() const { return buffer_; }
  Buffer* operator->() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  Buffer* buffer_ = nullptr;
};

}  // namespace graviton

#endif  // GRAVITON_MEMORY_BUFFER_H_
