// z = hₜ₋₁ · w, cₜ = cell(z, hₜ₋₁, cₜ₋₁, …), hₜ = hidden(z, hₜ₋₁, cₜ, …) from step to step: see
// Recurrence in src/ops/recurrence.ts. Each thread has its own units in every step, of all gates,
// so that threads wait for each other once a step; or its own rows, where vectors of the product's
// columns would hold units of two gates.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/ops.gen.h"
#include "kernels/gemm/pack.h"
#include "kernels/pointwise/interpreter.h"

namespace graviton {
namespace {

// As a product's (kernels/gemm/matmul.cc): fewer multiply-adds by a whole vector are not worth a
// thread's wake in every step.
constexpr size_t kVectorStepsPerPart = 8192;

// The programs' inputs: gates of z, the hidden state, the cell, then their own.
constexpr size_t kStates = 2;

// Both programs and what they read; points into the step's words.
struct Cell {
  Program cell;
  Program hidden;
  size_t inputs;  // of both programs
};

int32_t ToInt(uint32_t size) { return static_cast<int32_t>(size); }  // CheckOperand refuses < 0

Status CheckWeights(const StepContext& context, const RecurrenceParams& p, const Operand& w) {
  const uint64_t cols = uint64_t{p.gates} * p.units;
  if (cols > INT32_MAX) return Status::Error(Code::kShape, "Recurrence has too many units");
  if (p.packed_b != kLayoutPlain) {
    if (p.packed_b != kLayoutGemmF32 || w.layout() != LayoutCode(kLayoutGemmF32, context.isa)) {
      return Status::Error(Code::kInvalidStep,
                           "Recurrence weights have the layout %#x; the step wants %u on %s",
                           w.layout(), p.packed_b, NameOf(context.isa));
    }
    return CheckPacked("Recurrence weights", context, kLayoutGemmF32, p.units,
                       static_cast<uint32_t>(cols), 1, w);
  }
  if (w.layout() != 0) {
    return Status::Error(Code::kInvalidStep, "Recurrence weights are packed (%#x) unsaid",
                         w.layout());
  }
  const int32_t shape[] = {ToInt(p.units), static_cast<int32_t>(cols)};
  const int32_t strides[] = {p.b_row, p.b_col};
  // Bounds the work: weights that stand still could be of any size.
  if ((p.units > 1 && p.b_row == 0) || (cols > 1 && p.b_col == 0)) {
    return Status::Error(Code::kInvalidStep, "Recurrence weights do not walk along both axes");
  }
  return CheckOperand("Recurrence weights", w, DType::kFloat32, shape, strides);
}

// Threads read one step's rows while they write the next one's. Also bounds the work.
bool RowsOverlap(const RecurrenceParams& p) {
  if (p.steps == 0 || p.batch == 0) return false;
  const auto distance = [](int32_t stride) { return stride < 0 ? -int64_t{stride} : stride; };
  int64_t inner = distance(p.out_row);
  int64_t inner_count = p.batch;
  int64_t outer = distance(p.out_step);
  int64_t outer_count = p.steps;
  if (inner_count > 1 && outer_count > 1 && inner > outer) {
    std::swap(inner, outer);
    std::swap(inner_count, outer_count);
  }
  const int64_t reach = p.units + (inner_count > 1 ? inner * (inner_count - 1) : 0);
  return (inner_count > 1 && inner < p.units) || (outer_count > 1 && outer < reach);
}

Status CheckStates(const RecurrenceParams& p, Operands in, Operands out) {
  const int64_t elems = int64_t{p.batch} * p.units;
  Status status = CheckDense("Recurrence h", in[0], DType::kFloat32, elems);
  if (!status.ok()) return status;
  if (in[2].given() != !p.cell.empty()) {
    return Status::Error(Code::kInvalidStep, "Recurrence has a cell without a program, or none");
  }
  if (in[2].given()) {
    status = CheckDense("Recurrence c", in[2], DType::kFloat32, elems);
    if (!status.ok()) return status;
    status = CheckDense("the last Recurrence c", out[1], DType::kFloat32, elems);
    if (!status.ok()) return status;
  }
  const int32_t shape[] = {ToInt(p.steps), ToInt(p.batch), ToInt(p.units)};
  const int32_t strides[] = {p.out_step, p.out_row, 1};
  status = CheckOperand("Recurrence result", out[0], DType::kFloat32, shape, strides);
  if (!status.ok()) return status;
  if (RowsOverlap(p)) {
    return Status::Error(Code::kShape, "Recurrence's rows of %u overlap: steps %d, rows %d apart",
                         p.units, p.out_step, p.out_row);
  }
  return {};
}

Status BindPrograms(const RecurrenceParams& p, Operands own, Cell* cell) {
  if (p.gates == 0 || p.gates + kStates + own.size() > kMaxProgramInputs) {
    return Status::Error(Code::kInvalidStep, "Recurrence has %u gates and %zu further inputs",
                         p.gates, own.size());
  }
  if (p.strides.size() != 3 * own.size() || p.hidden.empty()) {
    return Status::Error(Code::kInvalidStep, "Recurrence has %zu strides for %zu inputs",
                         p.strides.size(), own.size());
  }
  DType types[kMaxProgramInputs];
  std::fill(types, types + kMaxProgramInputs, DType::kFloat32);
  const int32_t shape[] = {ToInt(p.steps), ToInt(p.batch), ToInt(p.units)};
  for (size_t i = 0; i < own.size(); ++i) {
    types[p.gates + kStates + i] = own[i].dtype;
    Status status = CheckOperand("a Recurrence input", own[i], own[i].dtype, shape,
                                 p.strides.subspan(3 * i, 3));
    if (!status.ok()) return status;
  }
  cell->inputs = p.gates + kStates + own.size();
  Status status =
      DecodeProgram("Recurrence", p.cell, types, cell->inputs, DType::kFloat32, &cell->cell);
  if (!status.ok()) return status;
  return DecodeProgram("Recurrence", p.hidden, types, cell->inputs, DType::kFloat32, &cell->hidden);
}

class RecurrenceRun {
 public:
  RecurrenceRun(const StepContext& context, const RecurrenceParams& p, const Cell& cell,
                Operands in, Operands out)
      : context_(context),
        gemm_(*KernelsOf(context.isa, kLayoutGemmF32, 1)),
        interpreter_(*SelectkInterpreter(context.isa)),
        p_(p),
        cell_(cell),
        in_(in),
        hidden_(out[0].f32()),
        last_cell_(p.cell.empty() ? nullptr : out[1].f32()),
        cols_(size_t{p.gates} * p.units) {
    by_rows_ = p.units % gemm_.lanes != 0;
    const size_t most = by_rows_ ? p.batch : p.units / gemm_.lanes;
    const size_t steps = cols_ / gemm_.lanes * p.batch * p.units;
    parts_ = std::clamp<size_t>(std::min(steps / kVectorStepsPerPart, most), 1, context.threads);
  }

  Status Run() {
    const size_t gemm_floats = gemm_.scratch_floats(CallOf(0));
    const size_t sums_floats = (p_.batch * cols_ + 15) / 16 * 16;
    void* scratch;
    Status status =
        context_.scratch.Reserve((sums_floats + parts_ * gemm_floats) * sizeof(float), &scratch);
    if (!status.ok()) return status;
    sums_ = static_cast<float*>(scratch);
    for (uint32_t step = 0; step < p_.steps; ++step) {
      context_.pool.Run(parts_, [&](size_t part) {
        float* own = sums_ + sums_floats + part * gemm_floats;
        const Range rows = by_rows_ ? Partition(p_.batch, parts_, part) : Range{0, p_.batch};
        const Range units =
            by_rows_ ? Range{0, p_.units} : Partition(p_.units, parts_, part, gemm_.lanes);
        Multiply(step, rows, units, own);
        for (size_t row = rows.begin; row < rows.end; ++row) {
          for (size_t unit = units.begin; unit < units.end; unit += kTile) {
            RunPrograms(step, row, unit, std::min(kTile, units.end - unit));
          }
        }
      });
    }
    return {};
  }

 private:
  // hₜ for t = step − 1, and the distance of its rows.
  const float* Before(uint32_t step) const {
    return step == 0 ? in_[0].f32() : hidden_ + int64_t{step - 1} * p_.out_step;
  }
  int64_t RowBefore(uint32_t step) const { return step == 0 ? int64_t{p_.units} : p_.out_row; }

  GemmCall CallOf(uint32_t step) const {
    GemmCall call = {};
    call.a = Before(step);
    call.a_row = RowBefore(step);
    call.a_col = 1;
    call.b = in_[1].f32();
    call.packed = p_.packed_b != kLayoutPlain;
    call.b_row = p_.b_row;
    call.b_col = p_.b_col;
    call.c = sums_;
    call.c_row = static_cast<int64_t>(cols_);
    call.in_tiles = true;  // no epilogue
    call.rows_m = p_.batch;
    call.cols_n = cols_;
    call.depth_k = p_.units;
    return call;
  }

  void Multiply(uint32_t step, Range rows, Range units, float* scratch) const {
    const GemmCall call = CallOf(step);
    if (units.end - units.begin == p_.units) {
      gemm_.multiply(call, rows, {0, (cols_ + gemm_.lanes - 1) / gemm_.lanes}, scratch);
      return;
    }
    for (size_t gate = 0; gate < p_.gates; ++gate) {
      const size_t first = gate * p_.units;
      gemm_.multiply(call, rows,
                     {(first + units.begin) / gemm_.lanes, (first + units.end) / gemm_.lanes},
                     scratch);
    }
  }

  // The cell and the hidden state of `n` ≤ kTile units of one row.
  void RunPrograms(uint32_t step, size_t row, size_t unit, size_t n) const {
    TileInput inputs[kMaxProgramInputs];
    const float* sums = sums_ + row * cols_ + unit;
    for (size_t gate = 0; gate < p_.gates; ++gate) {
      inputs[gate] = {sums + gate * p_.units, 1, DType::kFloat32, 0};
    }
    const float* before = Before(step) + static_cast<int64_t>(row) * RowBefore(step) + unit;
    inputs[p_.gates] = {before, 1, DType::kFloat32, 0};
    const size_t first = p_.gates + kStates;
    for (size_t i = first; i < cell_.inputs; ++i) {
      const Operand& operand = in_[3 + i - first];
      const List strides = p_.strides.subspan(3 * (i - first), 3);
      const int64_t at = int64_t{step} * strides[0] + static_cast<int64_t>(row) * strides[1] +
                         static_cast<int64_t>(unit) * strides[2];
      const char* data =
          static_cast<const char*>(operand.data) + at * static_cast<int64_t>(SizeOf(operand.dtype));
      inputs[i] = {data, strides[2], operand.dtype, 0};
    }
    inputs[p_.gates + 1] = {before, 1, DType::kFloat32, 0};
    if (last_cell_ != nullptr) {
      const size_t at = row * p_.units + unit;
      float* now = last_cell_ + at;
      const float* cell = step == 0 ? in_[2].f32() + at : now;
      inputs[p_.gates + 1] = {cell, 1, DType::kFloat32, 0};
      interpreter_.interpret(cell_.cell, inputs, now, DType::kFloat32, n);
      inputs[p_.gates + 1].data = now;
    }
    float* to =
        hidden_ + int64_t{step} * p_.out_step + static_cast<int64_t>(row) * p_.out_row + unit;
    interpreter_.interpret(cell_.hidden, inputs, to, DType::kFloat32, n);
  }

  const StepContext& context_;
  const GemmKernels& gemm_;
  const InterpreterKernels& interpreter_;
  const RecurrenceParams& p_;
  const Cell& cell_;
  Operands in_;
  float* hidden_;
  float* last_cell_;
  float* sums_ = nullptr;
  size_t cols_;
  bool by_rows_;
  size_t parts_;
};

}  // namespace

Status Recurrence(const StepContext& context, const RecurrenceParams& params, Operands in,
                  Operands out) {
  if (Status status = CheckWeights(context, params, in[1]); !status.ok()) return status;
  if (Status status = CheckStates(params, in, out); !status.ok()) return status;
  Cell cell = {};
  if (Status status = BindPrograms(params, in.subspan(3), &cell); !status.ok()) return status;
  if (params.batch == 0 || params.units == 0) return {};
  if (params.steps == 0) {
    if (in[2].given()) {
      std::memmove(out[1].data, in[2].data, sizeof(float) * params.batch * params.units);
    }
    return {};
  }
  return RecurrenceRun(context, params, cell, in, out).Run();
}

}  // namespace graviton
