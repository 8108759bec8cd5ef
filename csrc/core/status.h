#ifndef GRAVITON_CORE_STATUS_H_
#define GRAVITON_CORE_STATUS_H_

#include <cstddef>
#include <utility>

namespace graviton {

// Codes cross to JavaScript by number: keep in step with nativeCodes in src/errors.ts.
enum class Code : int {
  kOk = 0,
  kInvalidStep = 1,  // a step or plan that does not describe a legal call
  kShape = 2,        // sizes that do not fit each other or their buffers
  kDType = 3,        // an element type that the op does not take
  kIndex = 4,        // an index in the data that lies outside its axis
  kOutOfMemory = 5,  // an allocation failed
  kUnsupported = 6,  // legal, but not on this processor or build
};

// Success is a null pointer, so the hot path returns one register. A failure owns its message.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Status&& other) noexcept : failure_(std::exchange(other.failure_, nullptr)) {}
  Status& operator=(Status&& other) noexcept {
    std::swap(failure_, other.failure_);
    return *this;
  }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  ~Status() {
    if (failure_ != nullptr) Free();
  }

  bool ok() const { return failure_ == nullptr; }
  Code code() const;
  const char* message() const;

  // printf-style message; ends in OutOfMemory() when the message itself cannot be allocated.
  __attribute__((format(printf, 2, 3))) static Status Error(Code code, const char* format, ...);
  static Status OutOfMemory(size_t bytes);

 private:
  struct Failure;
  void Free();
  static Failure no_memory_;
  Failure* failure_ = nullptr;
};

}  // namespace graviton

#endif  // GRAVITON_CORE_STATUS_H_
