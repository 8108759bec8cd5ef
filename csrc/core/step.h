#ifndef GRAVITON_CORE_STEP_H_
#define GRAVITON_CORE_STEP_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/dtype.h"
#include "core/status.h"
#include "cpu/processor.h"
#include "memory/buffer.h"
#include "memory/scratch.h"
#include "threads/thread_pool.h"

namespace graviton {

// One tensor as a step sees it. `data` is the element that the step's strides start from;
// [-before, after) are the element indices that lie inside the buffer.
struct Operand {
  void* data = nullptr;  // null: the optional operand was not given
  int64_t before = 0;
  int64_t after = 0;
  DType dtype = DType::kFloat32;
  Buffer* buffer = nullptr;  // the whole buffer; null where the operand lies in a plan's arena

  bool given() const { return data != nullptr; }
  float* f32() const { return static_cast<float*>(data); }
  int32_t* i32() const { return static_cast<int32_t*>(data); }
  uint8_t* u8() const { return static_cast<uint8_t*>(data); }
  uint32_t layout() const { return buffer == nullptr ? 0 : buffer->layout(); }
};
using Operands = std::span<const Operand>;
using List = std::span<const int32_t>;

// What a step runs in: nothing here outlives the call.
struct StepContext {
  ThreadPool& pool;
  Scratch& scratch;
  Isa isa;
  size_t threads;  // parts that a step may ask of the pool, at least 1
};

// Reads the parameter words of a step. Every read is checked against the end of the words.
class WordReader {
 public:
  explicit WordReader(List words) : words_(words) {}
  bool Read(uint32_t* value) { return ReadWord(value); }
  bool Read(int32_t* value) { return ReadWord(value); }
  bool Read(float* value) { return ReadWord(value); }
  bool Read(double* value) { return ReadWord(value); }
  bool Read(List* list) {
    uint32_t count;
    if (!Read(&count) || count > words_.size()) return false;
    *list = words_.first(count);
    words_ = words_.subspan(count);
    return true;
  }
  bool AtEnd() const { return words_.empty(); }

 private:
  template <class T>
  bool ReadWord(T* value) {
    constexpr size_t kWords = sizeof(T) / sizeof(int32_t);
    if (words_.size() < kWords) return false;
    std::memcpy(value, words_.data(), sizeof(T));
    words_ = words_.subspan(kWords);
    return true;
  }
  List words_;
};

using StepFunction = Status (*)(const StepContext&, List params, Operands in, Operands out);

struct OpEntry {
  const char* name;
  uint8_t min_inputs;
  uint8_t max_inputs;
  uint8_t outputs;
  StepFunction run;
};

// Decodes the typed parameters and calls the op. Every op checks its operands against its
// parameters each time it runs (tens of nanoseconds), so no step can reach outside a buffer however
// it was made.
template <class Params, Status (*Op)(const StepContext&, const Params&, Operands, Operands)>
Status Invoke(const StepContext& context, List words, Operands in, Operands out) {
  Params params;
  WordReader reader(words);
  if (!Decode(reader, &params) || !reader.AtEnd()) {
    return Status::Error(Code::kInvalidStep, "%s: its parameter words do not decode",
                         Params::kName);
  }
  return Op(context, params, in, out);
}

inline constexpr size_t kMaxRank = 8;
inline constexpr size_t kMaxInputs = 64;
inline constexpr size_t kMaxOutputs = 8;

// Fails unless every index shape/strides can reach lies inside the operand and its type is `dtype`.
// Sizes of 0 reach nothing. `what` names the operand in the message, e.g. "MatMul a".
Status CheckOperand(const char* what, const Operand& operand, DType dtype, List shape,
                    List strides);
// The same for `elems` contiguous elements.
Status CheckDense(const char* what, const Operand& operand, DType dtype, int64_t elems);

}  // namespace graviton

#endif  // GRAVITON_CORE_STEP_H_
