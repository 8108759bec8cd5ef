#include "kernels/pointwise/program.h"

#include <cstring>

namespace graviton {
namespace {

constexpr size_t kHeaderWords = 3;

char TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return 'f';
    case DType::kInt32:
    case DType::kBool:
      return 'i';
    default:
      return 0;
  }
}

Status Malformed(const char* op, size_t instruction, const char* what) {
  return Status::Error(Code::kInvalidStep, "%s: instruction %zu of its program %s", op, instruction,
                       what);
}

// What the instructions so far have left in the registers: 0, 'f' or 'i'.
struct Checker {
  const char* op;
  const Program& program;
  const DType* input_types;
  size_t inputs;
  char registers[kMaxRegisters] = {};

  Status Operand(size_t at, uint32_t operand, char takes) const {
    if (operand >= kFirstImmediate) {
      // Immediates are bits, right for either type.
      return operand - kFirstImmediate < program.immediates.size()
                 ? Status()
                 : Malformed(op, at, "names an immediate that is not there");
    }
    if (operand >= kFirstInput) {
      const size_t input = operand - kFirstInput;
      if (input >= inputs) return Malformed(op, at, "names an input that is not there");
      if (TypeOf(input_types[input]) == takes) return {};
      return Status::Error(
          Code::kDType, "%s: instruction %zu of its program takes %s; input %zu is %s", op, at,
          takes == 'f' ? "float32" : "int32 or bool", input, NameOf(input_types[input]));
    }
    if (operand >= program.registers || registers[operand] == 0) {
      return Malformed(op, at, "reads a register that nothing has written");
    }
    return registers[operand] == takes ? Status()
                                       : Malformed(op, at, "reads a register of another type");
  }

  Status Instruction(size_t at) {
    const auto head = static_cast<uint32_t>(program.code[2 * at]);
    const auto operands = static_cast<uint32_t>(program.code[2 * at + 1]);
    const uint32_t scalar = head & 0xffff;
    const uint32_t destination = head >> 16;
    if (scalar >= static_cast<uint32_t>(kScalars))
      return Malformed(op, at, "names no scalar function");
    if (destination >= program.registers)
      return Malformed(op, at, "writes a register that is not there");
    const ScalarTypes& types = kScalarTypes[scalar];
    const size_t arity = std::strlen(types.takes);
    if (operands >> (8 * arity) != 0) return Malformed(op, at, "has too many operands");
    for (size_t k = 0; k < arity; ++k) {
      Status status = Operand(at, operands >> (8 * k) & 0xff, types.takes[k]);
      if (!status.ok()) return status;
    }
    registers[destination] = types.gives;
    return {};
  }
};

}  // namespace

Status DecodeProgram(const char* op, List words, const DType* input_types, size_t inputs,
                     DType output_type, Program* program) {
  *program = {};
  if (words.empty()) return {};
  const auto malformed = [op](const char* what) {
    return Status::Error(Code::kInvalidStep, "%s: its program %s", op, what);
  };
  if (words.size() < kHeaderWords) return malformed("is cut short");
  const auto registers = static_cast<uint32_t>(words[0]);
  const auto instructions = static_cast<uint32_t>(words[1]);
  const auto immediates = static_cast<uint32_t>(words[2]);
  if (registers > kMaxRegisters || immediates > kMaxImmediates || inputs > kMaxProgramInputs) {
    return malformed("has more registers, inputs or immediates than a program may");
  }
  if (instructions == 0) return malformed("has no instruction");
  if (words.size() != kHeaderWords + 2 * size_t{instructions} + immediates) {
    return malformed("has another length than its header says");
  }
  program->registers = registers;
  program->code = words.subspan(kHeaderWords, 2 * size_t{instructions});
  program->immediates = words.subspan(kHeaderWords + 2 * size_t{instructions});
  Checker checker = {op, *program, input_types, inputs};
  for (size_t i = 0; i < instructions; ++i) {
    if (Status status = checker.Instruction(i); !status.ok()) return status;
  }
  const char gives =
      kScalarTypes[static_cast<size_t>(program->code[2 * (size_t{instructions} - 1)] & 0xffff)]
          .gives;
  if (gives != TypeOf(output_type)) {
    return Status::Error(Code::kDType, "%s: its program gives %s; the output is %s", op,
                         gives == 'f' ? "float32" : "int32 or bool", NameOf(output_type));
  }
  program->instructions = instructions;
  return {};
}

Status BindEpilogue(const char* op, List program, List strides, Operands inputs,
                    const int64_t (&shape)[4], Epilogue* epilogue) {
  epilogue->inputs = 0;
  if (program.empty() ? !inputs.empty() || !strides.empty()
                      : inputs.size() >= kMaxProgramInputs || strides.size() != 4 * inputs.size()) {
    return Status::Error(Code::kInvalidStep, "%s: its epilogue has %zu inputs and %zu strides", op,
                         inputs.size(), strides.size());
  }
  DType types[kMaxProgramInputs] = {DType::kFloat32};
  for (size_t i = 0; i < inputs.size(); ++i) types[1 + i] = inputs[i].dtype;
  Status status =
      DecodeProgram(op, program, types, 1 + inputs.size(), DType::kFloat32, &epilogue->program);
  if (!status.ok()) return status;
  int32_t sizes[4];
  for (size_t axis = 0; axis < 4; ++axis) {
    if (shape[axis] < 0 || shape[axis] > INT32_MAX) {
      return Status::Error(Code::kShape, "%s has the size %lld on axis %zu", op,
                           static_cast<long long>(shape[axis]), axis);
    }
    sizes[axis] = static_cast<int32_t>(shape[axis]);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const List four = strides.subspan(4 * i, 4);
    status = CheckOperand("an epilogue's input", inputs[i], inputs[i].dtype, sizes, four);
    if (!status.ok()) return status;
    epilogue->operands[i] = inputs[i];
    std::memcpy(epilogue->strides[i], four.data(), four.size_bytes());
  }
  epilogue->inputs = inputs.size();
  return {};
}

}  // namespace graviton
