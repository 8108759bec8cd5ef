#ifndef GRAVITON_MEMORY_BUFFER_H_
#define GRAVITON_MEMORY_BUFFER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace graviton {

// Bounds what forms add to the memory of their buffers, in the whole process.
inline constexpr int64_t kMostFormBytes = int64_t{1} << 30;

// A reference-counted block of elements: one tensor's data, or weights in a kernel's packed layout.
// Contents do not change once the step that made them has run, which is what lets plans, traces and
// other threads hold a buffer without a lock.
class Buffer {
 public:
  // Null when memory is short. The caller owns one reference.
  static Buffer* New(DType dtype, size_t elems);

  // Makes this small buffer one of so many elements that nothing is known of, without asking for
  // memory. False where its bytes are not as many, or anybody else holds it. For the owner of the
  // one reference alone.
  bool Renew(DType dtype, size_t elems);

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();

  void* data() const { return data_; }
  size_t elems() const { return elems_; }
  size_t bytes() const { return elems_ * SizeOf(dtype_); }
  DType dtype() const { return dtype_; }

  // 0: plain row-major elements. Otherwise a kernel family's packed layout (see PackLayout).
  uint32_t layout() const { return layout_; }
  void set_layout(uint32_t layout) { layout_ = layout; }

  // Another form of the elements, made by a kernel that reads them again and again (see
  // kernels/gemm/kept_panels.h); null: none. It lives as long as this buffer.
  const Buffer* form() const { return form_.load(std::memory_order_acquire); }
  // Adds a reference to the form. False where there is one already, or those of the whole process
  // would come to more than kMostFormBytes.
  bool KeepForm(Buffer* form);
  // What a form was made by; whoever makes forms gives the bits their meaning.
  uint64_t form_key() const { return form_key_; }
  void set_form_key(uint64_t key) { form_key_ = key; }
  // False at the first call: what is read once is not worth a form.
  bool ReadBefore() { return read_before_.exchange(true, std::memory_order_relaxed); }

 private:
  Buffer(void* data, DType dtype, size_t elems) : data_(data), elems_(elems), dtype_(dtype) {}
  void DropForm();

  void* data_;
  size_t elems_;
  std::atomic<uint32_t> references_{1};
  uint32_t layout_ = 0;
  std::atomic<Buffer*> form_{nullptr};
  uint64_t form_key_ = 0;
  DType dtype_;
  std::atomic<bool> read_before_{false};
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
