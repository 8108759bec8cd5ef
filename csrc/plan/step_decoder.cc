#include "plan/step_decoder.h"

namespace graviton {
namespace {
constexpr size_t kHeaderWords = 4;
}

Status DecodeStep(List words, StepWords* step) {
  if (words.size() < kHeaderWords) return Status::Error(Code::kInvalidStep, "a step is cut short");
  const auto op = static_cast<uint32_t>(words[0]);
  const auto inputs = static_cast<uint32_t>(words[1]);
  const auto outputs = static_cast<uint32_t>(words[2]);
  const auto params = static_cast<uint32_t>(words[3]);
  if (op >= static_cast<uint32_t>(kOpCount)) {
    return Status::Error(Code::kInvalidStep, "there is no op number %u", op);
  }
  const OpEntry& entry = kOps[op];
  if (inputs < entry.min_inputs || inputs > entry.max_inputs || outputs != entry.outputs) {
    return Status::Error(Code::kInvalidStep,
                         "%s takes %u to %u inputs and %u outputs, not %u and %u", entry.name,
                         entry.min_inputs, entry.max_inputs, entry.outputs, inputs, outputs);
  }
  const size_t operand_words = 2 * (size_t{inputs} + outputs);
  const size_t total = kHeaderWords + operand_words + params;
  if (total > words.size()) {
    return Status::Error(Code::kInvalidStep, "%s is cut short", entry.name);
  }
  *step = {.op = &entry,
           .operands = words.subspan(kHeaderWords, operand_words),
           .inputs = inputs,
           .outputs = outputs,
           .params = words.subspan(kHeaderWords + operand_words, params),
           .words = total};
  return {};
}

Status MakeOperand(void* data, size_t elems, DType dtype, Buffer* buffer, uint32_t offset,
                   Operand* operand) {
  if (offset > elems) {
    return Status::Error(Code::kInvalidStep, "an operand starts %u elements into a buffer of %zu",
                         offset, elems);
  }
  *operand = {.data = static_cast<char*>(data) + size_t{offset} * SizeOf(dtype),
              .before = offset,
              .after = static_cast<int64_t>(elems - offset),
              .dtype = dtype,
              .buffer = buffer};
  return {};
}

}  // namespace graviton
