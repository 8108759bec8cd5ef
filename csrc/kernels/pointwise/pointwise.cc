#include <algorithm>

#include "kernels/movement/transpose.h"
#include "kernels/pointwise/index_space.h"
#include "kernels/pointwise/interpreter.h"
#include "memory/allocate.h"
#include "threads/parts.h"

namespace graviton {
namespace {

// Shorter inner axes would spend more time on calls than on elements: their rows share a tile.
constexpr int64_t kShortRow = 128;
// Transposed operands are turned this many rows at a time: one cache line of each of their columns.
constexpr int64_t kTurnedRows = 16;
// As many at once as 64 KiB of stack hold; further ones are gathered row by row.
constexpr size_t kMaxTurned = 4;
// One instruction needs no register, so its tile is only bounded by what keeps threads balanced.
constexpr int64_t kLongTile = 4096;
// Results of so many bytes, and what they are computed from, are beyond the share of a cache that
// one process gets (64 MiB of 300 on the machine measured). Stores past the caches then spare the
// read of each line before it is written: 1.5 times the speed. Smaller results are wanted in cache
// by who reads them next.
constexpr size_t kStreamedBytes = size_t{32} << 20;
// Streamed results are computed in L1 first: one copy serves all programs.
constexpr int64_t kStreamedTile = 1024;

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
        kernels_(*SelectkInterpreter(context.isa)),
        program_(program),
        space_(space),
        in_(in),
        out_(out) {
    double ns = 0.1 * static_cast<double>(1 + in.size());
    for (size_t i = 0; i < program.instructions; ++i) ns += CostOf(program.At(i).scalar);
    const auto elems = static_cast<size_t>(space.elems);
    const double work_ns = ns * static_cast<double>(elems);
    parts_ = PartsFor(context.threads, elems, work_ns);
    pieces_ = PiecesFor(parts_, elems, work_ns);
    streams_ = kStreams && elems * sizeof(float) >= kStreamedBytes && out.dtype != DType::kBool &&
               stride(0, out_index()) == 1;
  }

  void Run() {
    if (space_.rank > 1 && space_.sizes[0] < kShortRow) {
      RunShortRows();
    } else if (HasTransposed()) {
      RunTurned();
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

  // Whether the second axis is the contiguous one of an input.
  bool IsTransposed(size_t j) const {
    return space_.rank > 1 && space_.sizes[1] >= kTurnedRows && stride(1, j) == 1 &&
           stride(0, j) != 0 && in_[j].dtype != DType::kBool;
  }
  bool HasTransposed() const {
    for (size_t j = 0; j < in_.size(); ++j) {
      if (IsTransposed(j)) return true;
    }
    return false;
  }

  // As RunLongRows, in blocks of several rows.
  void RunTurned() {
    const int64_t cols = space_.sizes[0];
    const int64_t rows = space_.sizes[1];
    constexpr auto kCols = static_cast<int64_t>(kTile);
    const int64_t across = (cols + kCols - 1) / kCols;
    const int64_t down = (rows + kTurnedRows - 1) / kTurnedRows;
    const auto blocks = static_cast<size_t>(space_.rows() / rows * down * across);
    pool_.RunPieces(parts_, pieces_, blocks, [&](size_t, Range range) {
      for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end); ++i) {
        const int64_t row = i / across % down * kTurnedRows;
        const int64_t col = i % across * kCols;
        RunBlock(i / across / down * rows + row, std::min(kTurnedRows, rows - row), col,
                 std::min(kCols, cols - col));
      }
      if (streams_) kernels_.end_streaming();
    });
  }

  void RunBlock(int64_t row, int64_t rows, int64_t col, int64_t cols) const {
    alignas(64) int32_t turned[kMaxTurned][kTurnedRows][kTile];
    int32_t (*turned_of[kMaxProgramInputs])[kTile] = {};
    RowCursor cursor(space_, row);
    size_t count = 0;
    for (size_t j = 0; j < in_.size() && count < kMaxTurned; ++j) {
      if (!IsTransposed(j)) continue;
      turned_of[j] = turned[count++];
      TransposeWords(InputAt(j, cursor.offsets[j] + col * stride(0, j)), stride(0, j), turned_of[j],
                     kTile, cols, rows);
    }
    for (int64_t r = 0; r < rows; ++r) {
      RunPiece(cursor, col, static_cast<size_t>(cols), [&](size_t j) -> const void* {
        return turned_of[j] == nullptr ? nullptr : turned_of[j][r];
      });
      cursor.Next();
    }
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
    const int64_t longest = streams_ ? kStreamedTile : kLongTile;
    const auto tile =
        any_length ? std::clamp<int64_t>(cols / static_cast<int64_t>(parts_) & -16, kTile, longest)
                   : int64_t{kTile};
    const int64_t across = (cols + tile - 1) / tile;
    const int64_t rows = space_.rows();
    pool_.RunPieces(parts_, pieces_, static_cast<size_t>(rows * across), [&](size_t, Range range) {
      if (range.begin == range.end) return;
      const auto begin = static_cast<int64_t>(range.begin);
      int64_t row = by_columns ? begin % rows : begin / across;
      int64_t col = by_columns ? begin / rows : begin % across;
      RowCursor cursor(space_, row);
      for (size_t i = range.begin; i < range.end; ++i) {
        RunPiece(cursor, col * tile, static_cast<size_t>(std::min(tile, cols - col * tile)),
                 [](size_t) { return nullptr; });
        // A column of an input is read with whole cache lines: the rows that share them come next.
        if (by_columns) {
          if (++row == rows) {
            row = 0;
            ++col;
          }
          cursor.Next();
        } else if (++col == across) {
          col = 0;
          cursor.Next();
        }
      }
      if (streams_) kernels_.end_streaming();
    });
  }

  // Asks for what lies behind n elements that were read, most likely the next piece: its reads
  // would wait until this one is stored. Sums of three from memory: 1.15 times as fast. Inlined
  // always: g++ takes a function that only prefetches for one without effect and drops its calls.
  [[gnu::always_inline]] static inline void FetchNext(const TileInput& input, size_t n) {
    if (input.step != 1) return;
    const size_t bytes = n * SizeOf(input.dtype);
    const char* next = static_cast<const char*>(input.data) + bytes;
    for (size_t at = 0; at < bytes; at += kAlignment) __builtin_prefetch(next + at);
  }

  // `elsewhere(j)`: where the piece of input j lies without gaps, or null: in the input itself.
  template <class Elsewhere>
  void RunPiece(const RowCursor& cursor, int64_t col, size_t n, Elsewhere elsewhere) const {
    TileInput inputs[kMaxProgramInputs];
    for (size_t j = 0; j < in_.size(); ++j) {
      const int64_t step = stride(0, j);
      const void* dense = elsewhere(j);
      if (dense != nullptr) {
        inputs[j] = {dense, 1, in_[j].dtype, 0};
      } else {
        inputs[j] = {InputAt(j, cursor.offsets[j] + col * step), step, in_[j].dtype, 0};
      }
    }
    const int64_t step = stride(0, out_index());
    char* const out = OutputAt(cursor.offsets[out_index()] + col * step);
    if (streams_) {
      alignas(64) float computed[kStreamedTile];
      kernels_.interpret(program_, inputs, computed, out_.dtype, n);
      for (size_t j = 0; j < in_.size(); ++j) FetchNext(inputs[j], n);
      kernels_.stream(computed, reinterpret_cast<float*>(out), n);
      return;
    }
    if (step == 1) {
      kernels_.interpret(program_, inputs, out, out_.dtype, n);
      return;
    }
    alignas(64) char dense[kTile * sizeof(float)];
    kernels_.interpret(program_, inputs, dense, out_.dtype, n);
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
    pool_.RunPieces(parts_, pieces_, tiles, [&](size_t, Range range) {
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
        kernels_.interpret(program_, inputs, OutputAt(row * cols), out_.dtype, n);
      } else {
        kernels_.interpret(program_, inputs, dense, out_.dtype, n);
        ScatterRows(row, rows, dense);
      }
    }
  }

  // Calls visit(offset) for each of the rows of one operand.
  template <class Visit>
  void ForRows(size_t operand, int64_t row, int64_t rows, Visit visit) const {
    int64_t index[kMaxRank] = {};
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
        if (step == 0) {
          std::fill_n(words, cols, *from);
        } else if (step == 1) {
          std::memcpy(words, from, static_cast<size_t>(cols) * sizeof(*from));
        } else {
          for (int64_t i = 0; i < cols; ++i) words[i] = from[i * step];
        }
        words += cols;
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
  const InterpreterKernels& kernels_;
  const Program& program_;
  const IndexSpace& space_;
  Operands in_;
  const Operand& out_;
  size_t parts_;
  size_t pieces_;
  bool streams_;  // past the caches
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
