#include <algorithm>

#include "kernels/pointwise/interpreter.h"

namespace graviton {
namespace {

constexpr size_t kMaxOperands = kMaxProgramInputs + 1;
// Shorter inner axes would spend more time on calls than on elements: their rows share a tile.
constexpr int64_t kShortRow = 64;
// One instruction needs no register, so its tile is only bounded by what keeps threads balanced.
constexpr int64_t kLongTile = 4096;
// Handing work to a thread and waiting for it costs a few µs.
constexpr double kNsPerPart = 8000;

// The walk of all operands together in as few axes as can be, innermost first.
struct IndexSpace {
  size_t rank = 0;  // at least 1
  size_t operands;  // inputs, then the output
  int64_t elems = 1;
  int64_t sizes[kMaxRank];
  int64_t strides[kMaxRank][kMaxOperands];

  int64_t rows() const { return elems / sizes[0]; }
};

// An axis joins the one inside it where that makes one even step in every operand.
IndexSpace Collapse(List shape, List strides, size_t operands) {
  IndexSpace space;
  space.operands = operands;
  for (size_t axis = shape.size(); axis-- > 0;) {
    const int64_t size = shape[axis];
    space.elems *= size;
    if (size == 1) continue;
    bool joins = space.rank > 0;
    for (size_t j = 0; joins && j < operands; ++j) {
      joins = strides[j * shape.size() + axis] ==
              space.sizes[space.rank - 1] * space.strides[space.rank - 1][j];
    }
    if (joins) {
      space.sizes[space.rank - 1] *= size;
      continue;
    }
    space.sizes[space.rank] = size;
    for (size_t j = 0; j < operands; ++j) {
      space.strides[space.rank][j] = strides[j * shape.size() + axis];
    }
    ++space.rank;
  }
  if (space.rank == 0) {
    space.rank = 1;
    space.sizes[0] = 1;
    std::fill_n(space.strides[0], operands, int64_t{1});
  }
  return space;
}

// Where each operand's row begins while rows are walked in order.
struct RowCursor {
  const IndexSpace& space;
  int64_t index[kMaxRank];
  int64_t offsets[kMaxOperands];

  RowCursor(const IndexSpace& walked, int64_t row) : space(walked) { Seek(row); }
  void Seek(int64_t row) {
    std::fill_n(offsets, space.operands, int64_t{0});
    for (size_t axis = 1; axis < space.rank; ++axis) {
      index[axis] = row % space.sizes[axis];
      row /= space.sizes[axis];
      for (size_t j = 0; j < space.operands; ++j) {
        offsets[j] += index[axis] * space.strides[axis][j];
      }
    }
  }
  void Next() {
    for (size_t axis = 1; axis < space.rank; ++axis) {
      const bool wraps = ++index[axis] == space.sizes[axis];
      const int64_t steps = wraps ? 1 - space.sizes[axis] : 1;
      for (size_t j = 0; j < space.operands; ++j) offsets[j] += steps * space.strides[axis][j];
      if (!wraps) return;
      index[axis] = 0;
    }
  }
};

// Rough nanoseconds an element at AVX2, to decide how many threads are worth their start.
double CostOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::kExp:
    case Scalar::kTanh:
    case Scalar::kSigmoid:
    case Scalar::kSilu:
    case Scalar::kErf:
    case Scalar::kGeluErf:
    case Scalar::kGeluTanh:
    case Scalar::kLog:
    case Scalar::kElu:
    case Scalar::kSelu:
      return 0.6;
    case Scalar::kPow:
    case Scalar::kSin:
    case Scalar::kCos:
    case Scalar::kSoftplus:
    case Scalar::kExpm1:
    case Scalar::kLog1p:
      return 1.5;
    case Scalar::kMod:
    case Scalar::kAtan2:
    case Scalar::kTan:
    case Scalar::kAsin:
    case Scalar::kAcos:
    case Scalar::kAtan:
    case Scalar::kSinh:
    case Scalar::kCosh:
    case Scalar::kAsinh:
    case Scalar::kAcosh:
    case Scalar::kAtanh:
    case Scalar::kFloorDivInt:
    case Scalar::kTruncateDivInt:
    case Scalar::kModInt:
    case Scalar::kPowInt:
      return 4;
    default:
      return 0.1;
  }
}

class PointwiseRun {
 public:
  PointwiseRun(const StepContext& context, const Program& program, const IndexSpace& space,
               Operands in, const Operand& out)
      : pool_(context.pool),
        interpret_(SelectkInterpreter(context.isa)->interpret),
        program_(program),
        space_(space),
        in_(in),
        out_(out) {
    double ns = 0.1 * static_cast<double>(1 + in.size());
    for (size_t i = 0; i < program.instructions; ++i) ns += CostOf(program.At(i).scalar);
    const double parts = ns * static_cast<double>(space.elems) / kNsPerPart;
    parts_ = parts < 1 ? 1 : std::min(context.threads, static_cast<size_t>(parts));
  }

  void Run() {
    if (space_.rank > 1 && space_.sizes[0] < kShortRow) {
      RunShortRows();
    } else {
      RunLongRows();
    }
  }

 private:
  int64_t stride(size_t axis, size_t operand) const { return space_.strides[axis][operand]; }
  size_t out_index() const { return in_.size(); }
  const char* InputAt(size_t j, int64_t elem) const {
    return static_cast<const char*>(in_[j].data) +
           elem * static_cast<int64_t>(SizeOf(in_[j].dtype));
  }
  char* OutputAt(int64_t elem) const {
    return static_cast<char*>(out_.data) + elem * static_cast<int64_t>(SizeOf(out_.dtype));
  }

  // Pieces of one row each; operands are read and written where they lie.
  void RunLongRows() {
    const int64_t cols = space_.sizes[0];
    bool by_columns = false;
    bool any_length =
        program_.instructions == 1 && out_.dtype != DType::kBool && stride(0, out_index()) == 1;
    for (size_t j = 0; j < in_.size(); ++j) {
      const int64_t step = stride(0, j);
      if (step != 0 && step != 1) by_columns = true;
      if ((step != 0 && step != 1) || in_[j].dtype == DType::kBool) any_length = false;
    }
    const auto tile = any_length ? std::clamp<int64_t>(cols / static_cast<int64_t>(parts_) & -16,
                                                       kTile, kLongTile)
                                 : int64_t{kTile};
    const int64_t pieces = (cols + tile - 1) / tile;
    const int64_t rows = space_.rows();
    pool_.Run(parts_, [&](size_t part) {
      const Range range = Partition(static_cast<size_t>(rows * pieces), parts_, part);
      if (range.begin == range.end) return;
      const auto begin = static_cast<int64_t>(range.begin);
      int64_t row = by_columns ? begin % rows : begin / pieces;
      int64_t piece = by_columns ? begin / rows : begin % pieces;
      RowCursor cursor(space_, row);
      for (size_t i = range.begin; i < range.end; ++i) {
        RunPiece(cursor, piece * tile, static_cast<size_t>(std::min(tile, cols - piece * tile)));
        // A column of an input is read with whole cache lines: the rows that share them come next.
        if (by_columns) {
          if (++row == rows) {
            row = 0;
            ++piece;
          }
          cursor.Next();
        } else if (++piece == pieces) {
          piece = 0;
          cursor.Next();
        }
      }
    });
  }

  void RunPiece(const RowCursor& cursor, int64_t col, size_t n) const {
    TileInput inputs[kMaxProgramInputs];
    for (size_t j = 0; j < in_.size(); ++j) {
      const int64_t step = stride(0, j);
      inputs[j] = {InputAt(j, cursor.offsets[j] + col * step), step, in_[j].dtype, 0};
    }
    const int64_t step = stride(0, out_index());
    char* const out = OutputAt(cursor.offsets[out_index()] + col * step);
    if (step == 1) {
      interpret_(program_, inputs, out, out_.dtype, n);
      return;
    }
    alignas(64) char dense[kTile * sizeof(float)];
    interpret_(program_, inputs, dense, out_.dtype, n);
    const size_t size = SizeOf(out_.dtype);
    for (size_t i = 0; i < n; ++i) {
      std::memcpy(out + static_cast<int64_t>(i) * step * static_cast<int64_t>(size),
                  dense + i * size, size);
    }
  }

  // Whether the whole walk of an operand is one even step.
  bool IsLinear(size_t operand) const {
    for (size_t axis = 1; axis < space_.rank; ++axis) {
      if (stride(axis, operand) != space_.sizes[axis - 1] * stride(axis - 1, operand)) return false;
    }
    return true;
  }
  // Whether every row of an operand is the same.
  bool Repeats(size_t operand) const {
    for (size_t axis = 1; axis < space_.rank; ++axis) {
      if (stride(axis, operand) != 0) return false;
    }
    return true;
  }

  // Tiles of several whole rows; operands that are not evenly spaced throughout are gathered first.
  void RunShortRows() {
    const int64_t rows = space_.rows();
    const int64_t tile_rows = static_cast<int64_t>(kTile) / space_.sizes[0];
    const auto tiles = static_cast<size_t>((rows + tile_rows - 1) / tile_rows);
    pool_.Run(parts_, [&](size_t part) {
      const Range range = Partition(tiles, parts_, part);
      if (range.begin == range.end) return;
      RunTilesOfRows(static_cast<int64_t>(range.begin) * tile_rows,
                     std::min(rows, static_cast<int64_t>(range.end) * tile_rows), tile_rows);
    });
  }

  void RunTilesOfRows(int64_t begin, int64_t end, int64_t tile_rows) const {
    alignas(64) int32_t gathered[kMaxProgramInputs][kTile];
    alignas(64) char dense[kTile * sizeof(float)];
    TileInput inputs[kMaxProgramInputs];
    const int64_t cols = space_.sizes[0];
    const bool out_dense = IsLinear(out_index()) && stride(0, out_index()) == 1;
    for (int64_t row = begin; row < end; row += tile_rows) {
      const int64_t rows = std::min(tile_rows, end - row);
      for (size_t j = 0; j < in_.size(); ++j) {
        if (IsLinear(j)) {
          inputs[j] = {InputAt(j, row * cols * stride(0, j)), stride(0, j), in_[j].dtype, 0};
        } else if (row == begin || !Repeats(j)) {
          GatherRows(j, row, rows, gathered[j]);
          inputs[j] = {gathered[j], 1,
                       in_[j].dtype == DType::kFloat32 ? DType::kFloat32 : DType::kInt32, 0};
        }
      }
      const auto n = static_cast<size_t>(rows * cols);
      if (out_dense) {
        interpret_(program_, inputs, OutputAt(row * cols), out_.dtype, n);
      } else {
        interpret_(program_, inputs, dense, out_.dtype, n);
        ScatterRows(row, rows, dense);
      }
    }
  }

  // Calls visit(offset) for each of the rows of one operand.
  template <class Visit>
  void ForRows(size_t operand, int64_t row, int64_t rows, Visit visit) const {
    int64_t index[kMaxRank];
    int64_t offset = 0;
    for (size_t axis = 1; axis < space_.rank; ++axis) {
      index[axis] = row % space_.sizes[axis];
      row /= space_.sizes[axis];
      offset += index[axis] * stride(axis, operand);
    }
    for (;;) {
      visit(offset);
      if (--rows == 0) return;
      for (size_t axis = 1;; ++axis) {
        offset += stride(axis, operand);
        if (++index[axis] < space_.sizes[axis]) break;
        offset -= space_.sizes[axis] * stride(axis, operand);
        index[axis] = 0;
      }
    }
  }

  void GatherRows(size_t j, int64_t row, int64_t rows, int32_t* words) const {
    const int64_t cols = space_.sizes[0];
    const int64_t step = stride(0, j);
    if (in_[j].dtype == DType::kBool) {
      ForRows(j, row, rows, [&](int64_t offset) {
        const uint8_t* from = in_[j].u8() + offset;
        for (int64_t i = 0; i < cols; ++i) *words++ = from[i * step] != 0 ? 1 : 0;
      });
    } else {
      ForRows(j, row, rows, [&](int64_t offset) {
        const int32_t* from = in_[j].i32() + offset;
        for (int64_t i = 0; i < cols; ++i) *words++ = from[i * step];
      });
    }
  }

  void ScatterRows(int64_t row, int64_t rows, const char* dense) const {
    const auto size = static_cast<int64_t>(SizeOf(out_.dtype));
    const int64_t step = stride(0, out_index());
    ForRows(out_index(), row, rows, [&](int64_t offset) {
      char* to = OutputAt(offset);
      for (int64_t i = 0; i < space_.sizes[0]; ++i, dense += size) {
        std::memcpy(to + i * step * size, dense, static_cast<size_t>(size));
      }
    });
  }

  ThreadPool& pool_;
  void (*interpret_)(const Program&, const TileInput*, void*, DType, size_t);
  const Program& program_;
  const IndexSpace& space_;
  Operands in_;
  const Operand& out_;
  size_t parts_;
};

}  // namespace

Status Pointwise(const StepContext& context, const PointwiseParams& params, Operands in,
                 Operands out) {
  const size_t rank = params.shape.size();
  if (rank > kMaxRank || params.strides.size() != rank * (in.size() + 1)) {
    return Status::Error(Code::kInvalidStep, "Pointwise has rank %zu, %zu inputs and %zu strides",
                         rank, in.size(), params.strides.size());
  }
  DType types[kMaxProgramInputs];
  for (size_t j = 0; j < in.size(); ++j) {
    types[j] = in[j].dtype;
    Status status = CheckOperand("a Pointwise input", in[j], in[j].dtype, params.shape,
                                 params.strides.subspan(j * rank, rank));
    if (!status.ok()) return status;
  }
  const List out_strides = params.strides.subspan(in.size() * rank);
  Status status =
      CheckOperand("the Pointwise output", out[0], out[0].dtype, params.shape, out_strides);
  if (!status.ok()) return status;
  Program program;
  status = DecodeProgram("Pointwise", params.program, types, in.size(), out[0].dtype, &program);
  if (!status.ok()) return status;
  if (program.empty()) return Status::Error(Code::kInvalidStep, "Pointwise has no program");
  const bool empty = std::find(params.shape.begin(), params.shape.end(), 0) != params.shape.end();
  if (empty) return {};
  // Also what bounds the number of elements, and with it every product of sizes below.
  int64_t elems = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    elems *= params.shape[axis];
    const bool repeats = params.shape[axis] > 1 && out_strides[axis] == 0;
    if (!repeats && elems <= out[0].before + out[0].after) continue;
    return Status::Error(Code::kShape, "the Pointwise output has more indices than elements");
  }
  const IndexSpace space = Collapse(params.shape, params.strides, in.size() + 1);
  PointwiseRun(context, program, space, in, out[0]).Run();
  return {};
}

}  // namespace graviton
