#include "core/status.h"

#include <cstdarg>
#include <cstdio>
#include <new>

#include "memory/allocate.h"

namespace graviton {

struct Status::Failure {
  Code code;
  char message[248];
};

// Handed out when not even a message can be allocated; recognised by address and never freed.
Status::Failure Status::no_memory_ = {Code::kOutOfMemory, "out of memory"};

void Status::Free() {
  if (failure_ != &no_memory_) graviton::Free(failure_, sizeof(Failure));
}

Code Status::code() const { return failure_ == nullptr ? Code::kOk : failure_->code; }

const char* Status::message() const { return failure_ == nullptr ? "" : failure_->message; }

Status Status::Error(Code code, const char* format, ...) {
  Status status;
  void* memory = Allocate(sizeof(Failure));
  if (memory == nullptr) {
    status.failure_ = &no_memory_;
    return status;
  }
  status.failure_ = new (memory) Failure{code, {}};
  va_list args;
  va_start(args, format);
  std::vsnprintf(status.failure_->message, sizeof(status.failure_->message), format, args);
  va_end(args);
  return status;
}

Status Status::OutOfMemory(size_t bytes) {
  return Error(Code::kOutOfMemory, "%zu bytes could not be allocated", bytes);
}

}  // namespace graviton
