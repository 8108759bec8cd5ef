// Runs a program over one tile: per instruction, operands are resolved to (pointer, step 0 or 1)
// and a kernel of scalars-inl.h is called through a table. Registers are tiles on the stack, which
// stay in L1; the last instruction writes to the output itself.
#include "simd/trigonometry-inl.h"
// In this order.
#include "kernels/pointwise/program-inl.h"
#include "kernels/pointwise/scalars-inl.h"

namespace graviton::GRAVITON_NS {

// 16 words more than a tile, so that registers do not lie a power of two apart: loads from one
// would seem to wait for stores to another (4 KiB aliasing).
constexpr size_t kRegisterWords = kTile + 16;

struct Frame {
  alignas(64) float registers[kMaxRegisters][kRegisterWords];
  alignas(64) float staged[3][kRegisterWords];  // operands that cannot be read in place
  alignas(64) float result[kRegisterWords];     // an output that cannot be written in place
};

template <class T>
static inline void GatherWords(const void* data, int64_t step, size_t n, T* words) {
  const T* from = static_cast<const T*>(data);
  for (size_t i = 0; i < n; ++i) words[i] = from[static_cast<int64_t>(i) * step];
}

static inline void SplatWords(int32_t word, float* words) { Store(words, FromBits(Splat(word))); }

// Copies n elements of an input, or one that repeats, into `words`; bools become 0 and 1.
__attribute__((noinline)) static void Stage(const TileInput& input, size_t n, float* words) {
  auto* bits = reinterpret_cast<int32_t*>(words);
  if (input.dtype == DType::kBool) {
    const auto* from = static_cast<const uint8_t*>(input.data);
    for (size_t i = 0; i < n; ++i) {
      bits[i] = from[static_cast<int64_t>(i) * input.step] != 0 ? 1 : 0;
    }
  } else {
    GatherWords(input.data, input.step, n, bits);
  }
}

static inline void Resolve(const Program& program, const TileInput* inputs, uint8_t operand, int k,
                           size_t n, Frame& frame, Run* run) {
  float* staged = frame.staged[k];
  run->in[k] = staged;
  if (operand < kFirstInput) {
    run->in[k] = frame.registers[operand];
    run->step[k] = 1;
  } else if (operand >= kFirstImmediate) {
    SplatWords(program.immediates[operand - kFirstImmediate], staged);
    run->step[k] = 0;
  } else {
    const TileInput& input = inputs[operand - kFirstInput];
    run->step[k] = input.step == 0 ? 0 : 1;
    if (input.step == 0) {
      int32_t word;
      if (input.dtype == DType::kBool) {
        word = *static_cast<const uint8_t*>(input.data) != 0 ? 1 : 0;
      } else {
        std::memcpy(&word, input.data, sizeof(word));
      }
      SplatWords(word, staged);
    } else if (input.step == 1 && input.dtype != DType::kBool && n >= kLanes) {
      run->in[k] = static_cast<const float*>(input.data);
    } else {
      Stage(input, n, staged);
    }
  }
}

void Interpret(const Program& program, const TileInput* inputs, void* out, DType out_type,
               size_t n) {
  Frame frame;
  Run run;
  // Kernels want a whole vector; registers and staged operands have room for it.
  run.n = n < kLanes ? kLanes : n;
  const bool in_place = out_type != DType::kBool && n >= kLanes;
  for (size_t at = 0; at < program.instructions; ++at) {
    const Instruction instruction = program.At(at);
    const auto scalar = static_cast<size_t>(instruction.scalar);
    for (int k = 0; kScalarTypes[scalar].takes[k] != 0; ++k) {
      Resolve(program, inputs, instruction.operands[k], k, n, frame, &run);
    }
    run.out = at + 1 < program.instructions ? frame.registers[instruction.destination]
              : in_place                    ? static_cast<float*>(out)
                                            : frame.result;
    kScalarKernels.of[scalar](run);
  }
  if (in_place) return;
  if (out_type == DType::kBool) {
    auto* bytes = static_cast<uint8_t*>(out);
    const auto* words = reinterpret_cast<const int32_t*>(frame.result);
    for (size_t i = 0; i < n; ++i) bytes[i] = words[i] != 0 ? 1 : 0;
  } else {
    std::memcpy(out, frame.result, n * sizeof(float));
  }
}

extern const InterpreterKernels kInterpreter = {Interpret};

}  // namespace graviton::GRAVITON_NS
