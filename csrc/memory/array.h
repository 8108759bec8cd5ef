#ifndef GRAVITON_MEMORY_ARRAY_H_
#define GRAVITON_MEMORY_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "memory/allocate.h"

namespace graviton {

// A growing array whose allocation failures are results, not exceptions. Elements are movable.
template <class T>
class Array {
 public:
  Array() = default;
  Array(Array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() {
    Clear();
    Free(data_, capacity_ * sizeof(T));
  }

  [[nodiscard]] bool Reserve(size_t capacity) {
    if (capacity <= capacity_) return true;
    if (capacity > SIZE_MAX / 2 / sizeof(T)) return false;
    const size_t grown = capacity > 2 * capacity_ ? capacity : 2 * capacity_;
    T* data = static_cast<T*>(Allocate(grown * sizeof(T)));
    if (data == nullptr) return false;
    for (size_t i = 0; i < size_; ++i) {
      new (data + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    Free(data_, capacity_ * sizeof(T));
    data_ = data;
    capacity_ = grown;
    return true;
  }
  [[nodiscard]] bool TryPush(T value) {
    if (!Reserve(size_ + 1)) return false;
    Push(std::move(value));
    return true;
  }
  // Within what Reserve has made room for.
  void Push(T value) { new (data_ + size_++) T(std::move(value)); }
  // New elements are value-initialised.
  [[nodiscard]] bool Resize(size_t size) {
    if (!Reserve(size)) return false;
    while (size_ < size) new (data_ + size_++) T();
    while (size_ > size) data_[--size_].~T();
    return true;
  }
  void Clear() {
    while (size_ > 0) data_[--size_].~T();
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace graviton

#endif  // GRAVITON_MEMORY_ARRAY_H_
