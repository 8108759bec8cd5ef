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

// What one run of a program works on.
struct Tile {
  const Program& program;
  const TileInput* inputs;
  size_t rows;
  size_t cols;
};

static inline void SplatWords(int32_t word, float* words) { Store(words, FromBits(Splat(word))); }

static inline int32_t WordOf(const TileInput& input, int64_t at) {
  if (input.dtype == DType::kBool) return static_cast<const uint8_t*>(input.data)[at] != 0 ? 1 : 0;
  int32_t word;
  std::memcpy(&word, static_cast<const char*>(input.data) + at * int64_t{sizeof(word)},
              sizeof(word));
  return word;
}

// Copies an input, one element after the other, into `words`; bools become 0 and 1.
__attribute__((noinline)) static void Stage(const Tile& tile, const TileInput& input,
                                            float* words) {
  const auto cols = static_cast<int64_t>(tile.cols);
  auto* to = reinterpret_cast<int32_t*>(words);
  for (size_t row = 0; row < tile.rows; ++row, to += cols) {
    const int64_t first = static_cast<int64_t>(row) * input.row_step;
    if (input.dtype == DType::kBool || input.step != 1) {
      for (int64_t i = 0; i < cols; ++i) to[i] = WordOf(input, first + i * input.step);
      continue;
    }
    const int32_t* from = static_cast<const int32_t*>(input.data) + first;
    int64_t i = 0;
    for (; i + static_cast<int64_t>(kLanes) <= cols; i += kLanes) Store(to + i, Load(from + i));
    for (; i < cols; ++i) to[i] = from[i];
  }
  // Kernels work on whole vectors, and some take another branch where any lane asks for it: what
  // lay beyond a short tile would decide the last bits of its elements.
  for (size_t i = tile.rows * tile.cols; i < kLanes; ++i) words[i] = 0;
}

static inline void ResolveInput(const Tile& tile, const TileInput& input, int k, float* staged,
                                Run* run) {
  run->in[k] = staged;
  run->step[k] = 1;
  const bool one_row = tile.rows == 1;
  if (input.step == 0 && (one_row || input.row_step == 0)) {
    SplatWords(WordOf(input, 0), staged);
    run->step[k] = 0;
  } else if (input.step == 1 && (one_row || input.row_step == static_cast<int64_t>(tile.cols)) &&
             input.dtype != DType::kBool && tile.rows * tile.cols >= kLanes) {
    run->in[k] = static_cast<const float*>(input.data);
  } else {
    Stage(tile, input, staged);
  }
}

// Leaves the result in `out`, where that is not null, else in frame.result.
static inline void RunInstructions(const Tile& tile, float* out, Frame& frame) {
  const size_t n = tile.rows * tile.cols;
  Run run;
  // Kernels want a whole vector; registers and staged operands have room for it.
  run.n = n < kLanes ? kLanes : n;
  const int32_t* code = tile.program.code.data();
  for (size_t left = tile.program.instructions; left-- > 0; code += 2) {
    const auto head = static_cast<uint32_t>(code[0]);
    auto operands = static_cast<uint32_t>(code[1]);
    const ScalarTable::Entry& entry = kScalarTable.of[head & 0xffff];
    for (int k = 0; k < entry.arity; ++k, operands >>= 8) {
      const size_t operand = operands & 0xff;
      if (operand < kFirstInput) {
        run.in[k] = frame.registers[operand];
        run.step[k] = 1;
      } else if (operand < kFirstImmediate) {
        ResolveInput(tile, tile.inputs[operand - kFirstInput], k, frame.staged[k], &run);
      } else {
        SplatWords(tile.program.immediates[operand - kFirstImmediate], frame.staged[k]);
        run.in[k] = frame.staged[k];
        run.step[k] = 0;
      }
    }
    run.out = left > 0 ? frame.registers[head >> 16] : out != nullptr ? out : frame.result;
    entry.kernel(run);
  }
}

void Interpret(const Program& program, const TileInput* inputs, void* out, DType out_type,
               size_t n) {
  Frame frame;
  const bool in_place = out_type != DType::kBool && n >= kLanes;
  RunInstructions({program, inputs, 1, n}, in_place ? static_cast<float*>(out) : nullptr, frame);
  if (in_place) return;
  if (out_type == DType::kBool) {
    auto* bytes = static_cast<uint8_t*>(out);
    const auto* words = reinterpret_cast<const int32_t*>(frame.result);
    for (size_t i = 0; i < n; ++i) bytes[i] = words[i] != 0 ? 1 : 0;
  } else {
    std::memcpy(out, frame.result, n * sizeof(float));
  }
}

void InterpretRows(const Program& program, const TileInput* inputs, float* out,
                   int64_t out_row_step, size_t rows, size_t cols) {
  Frame frame;
  const bool in_place =
      (rows == 1 || out_row_step == static_cast<int64_t>(cols)) && rows * cols >= kLanes;
  RunInstructions({program, inputs, rows, cols}, in_place ? out : nullptr, frame);
  if (in_place) return;
  const float* from = frame.result;
  for (size_t row = 0; row < rows; ++row, from += cols, out += out_row_step) {
    size_t i = 0;
    for (; i + kLanes <= cols; i += kLanes) Store(out + i, Load(from + i));
    for (; i < cols; ++i) out[i] = from[i];
  }
}

static void Stream(const float* from, float* to, size_t n) {
  size_t i = 0;
  for (; i < n && reinterpret_cast<uintptr_t>(to + i) % sizeof(Vf) != 0; ++i) to[i] = from[i];
  for (; i + kLanes <= n; i += kLanes) StoreStreaming(to + i, Load(from + i));
  for (; i < n; ++i) to[i] = from[i];
}

extern const InterpreterKernels kInterpreter = {Interpret, Stream, EndStreaming};

}  // namespace graviton::GRAVITON_NS
