// Concat and Pad; StridedCopy is in strided_copy.cc, Fill in creation.cc.
#include "core/ops.gen.h"
#include "kernels/movement/runs.h"

namespace graviton {
namespace {

// Elements [begin, end) of the result, row by row of it.
struct ConcatRows {
  const int64_t* inner_bytes;
  Operands in;
  int64_t row_bytes;
  char* dst;

  void Run(int64_t begin, int64_t end) const {
    int64_t row = begin / row_bytes;
    int64_t col = begin % row_bytes;
    for (int64_t at = begin; at < end; ++row, col = 0) {
      int64_t first = 0;  // of input j in the row
      for (size_t j = 0; j < in.size() && at < end; ++j) {
        const int64_t last = first + inner_bytes[j];
        if (col < last) {
          const int64_t bytes = std::min(last - col, end - at);
          const char* src =
              static_cast<const char*>(in[j].data) + row * inner_bytes[j] + col - first;
          CopyRun(dst + at, src, static_cast<size_t>(bytes));
          at += bytes;
          col += bytes;
        }
        first = last;
      }
    }
  }
};

// Where an index of the padded axis comes from, or -1 where the filler goes.
int64_t SourceOf(uint32_t mode, int64_t index, int64_t before, int64_t size) {
  int64_t at = index - before;
  if (at >= 0 && at < size) return at;
  if (mode == 0) return -1;
  // reflect does not repeat the edge, symmetric does.
  const int64_t edge = mode == 1 ? 0 : 1;
  return at < 0 ? -at - edge : 2 * size - 2 - at + edge;
}

// The padded axes, innermost last, in blocks of whatever lies inside them.
struct PadWalk {
  uint32_t mode;
  uint32_t value;
  size_t rank = 0;
  int64_t size[kMaxRank];
  int64_t before[kMaxRank];
  int64_t padded[kMaxRank];
  int64_t block_elems = 1;
  size_t elem_bytes;
  const char* src;
  char* dst;

  int64_t rows() const {
    int64_t rows = 1;
    for (size_t axis = 0; axis + 1 < rank; ++axis) rows *= padded[axis];
    return rows;
  }

  // The source's row for a row of the result; -1: filler only.
  int64_t SourceRow(int64_t row) const {
    int64_t source = 0;
    int64_t scale = 1;
    for (size_t axis = rank - 1; axis-- > 0;) {
      const int64_t at = SourceOf(mode, row % padded[axis], before[axis], size[axis]);
      if (at < 0) return -1;
      row /= padded[axis];
      source += at * scale;
      scale *= size[axis];
    }
    return source;
  }

  void Run(int64_t begin, int64_t end) const {
    const size_t last = rank - 1;
    const auto block = block_elems * static_cast<int64_t>(elem_bytes);
    for (int64_t row = begin; row < end; ++row) {
      char* to = dst + row * padded[last] * block;
      const int64_t source = SourceRow(row);
      if (source < 0) {
        FillRun(to, elem_bytes, value, static_cast<size_t>(padded[last] * block_elems));
        continue;
      }
      const char* from = src + source * size[last] * block;
      Edge(to, from, 0, before[last]);
      std::memcpy(to + before[last] * block, from, static_cast<size_t>(size[last] * block));
      Edge(to, from, before[last] + size[last], padded[last]);
    }
  }

  // Blocks [begin, end) of a row, all of them padding.
  void Edge(char* to, const char* from, int64_t begin, int64_t end) const {
    const auto block = block_elems * static_cast<int64_t>(elem_bytes);
    if (mode == 0) {
      FillRun(to + begin * block, elem_bytes, value,
              static_cast<size_t>((end - begin) * block_elems));
      return;
    }
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = SourceOf(mode, i, before[rank - 1], size[rank - 1]);
      CopyRun(to + i * block, from + at * block, static_cast<size_t>(block));
    }
  }
};

Status CheckPads(const PadParams& params, int64_t* in_elems, int64_t* out_elems) {
  const size_t rank = params.shape.size();
  if (params.mode > 2 || rank > kMaxRank || params.before.size() != rank ||
      params.after.size() != rank) {
    return Status::Error(Code::kInvalidStep, "Pad has mode %u, rank %zu and %zu + %zu pads",
                         params.mode, rank, params.before.size(), params.after.size());
  }
  *in_elems = 1;
  *out_elems = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t size = params.shape[axis];
    const int64_t before = params.before[axis];
    const int64_t after = params.after[axis];
    const int64_t most = params.mode == 0 ? INT32_MAX : params.mode == 1 ? size - 1 : size;
    // An axis of size 0 has nothing to reflect, but may stay as it is.
    if (size < 0 || before < 0 || after < 0 ||
        (before + after > 0 && (before > most || after > most))) {
      return Status::Error(Code::kShape,
                           "Pad: %lld before and %lld after axis %zu of size %lld are not possible",
                           static_cast<long long>(before), static_cast<long long>(after), axis,
                           static_cast<long long>(size));
    }
    *in_elems = ProductOf(*in_elems, size);
    *out_elems = ProductOf(*out_elems, before + size + after);
    if (*in_elems < 0 || *out_elems < 0) {
      return Status::Error(Code::kShape, "Pad: its sizes are larger than any buffer");
    }
  }
  return {};
}

}  // namespace

Status Concat(const StepContext& context, const ConcatParams& params, Operands in, Operands out) {
  if (params.inner.size() != in.size()) {
    return Status::Error(Code::kInvalidStep, "Concat has %zu inputs and %zu sizes", in.size(),
                         params.inner.size());
  }
  const auto size = static_cast<int64_t>(SizeOf(out[0].dtype));
  int64_t inner_bytes[kMaxInputs];
  int64_t row_elems = 0;
  for (size_t j = 0; j < in.size(); ++j) {
    const int64_t elems = ProductOf(params.outer, params.inner[j]);
    if (elems < 0 || params.inner[j] < 0) {
      return Status::Error(Code::kShape, "Concat: %u rows of %d elements", params.outer,
                           params.inner[j]);
    }
    Status status = CheckDense("a Concat input", in[j], out[0].dtype, elems);
    if (!status.ok()) return status;
    inner_bytes[j] = params.inner[j] * size;
    row_elems += params.inner[j];
  }
  const int64_t elems = ProductOf(params.outer, row_elems);
  Status status =
      CheckDense("the Concat output", out[0], out[0].dtype, elems < 0 ? INT64_MAX : elems);
  if (!status.ok() || elems == 0) return status;
  const ConcatRows rows = {inner_bytes, in, row_elems * size, static_cast<char*>(out[0].data)};
  const size_t parts = PartsFor(context, 2 * elems * size);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(elems), parts, part);
    rows.Run(static_cast<int64_t>(range.begin) * size, static_cast<int64_t>(range.end) * size);
  });
  return {};
}

Status Pad(const StepContext& context, const PadParams& params, Operands in, Operands out) {
  int64_t in_elems = 0;
  int64_t out_elems = 0;
  Status status = CheckPads(params, &in_elems, &out_elems);
  if (status.ok()) status = CheckDense("Pad x", in[0], in[0].dtype, in_elems);
  if (status.ok()) status = CheckDense("Pad output", out[0], in[0].dtype, out_elems);
  if (!status.ok() || out_elems == 0) return status;
  PadWalk walk = {.mode = params.mode,
                  .value = params.value,
                  .size = {},
                  .before = {},
                  .padded = {},
                  .elem_bytes = SizeOf(in[0].dtype),
                  .src = static_cast<const char*>(in[0].data),
                  .dst = static_cast<char*>(out[0].data)};
  size_t outer = params.shape.size();
  while (outer > 0 && params.before[outer - 1] == 0 && params.after[outer - 1] == 0) {
    walk.block_elems *= params.shape[--outer];
  }
  for (size_t axis = 0; axis < outer; ++axis) {
    walk.size[axis] = params.shape[axis];
    walk.before[axis] = params.before[axis];
    walk.padded[axis] = int64_t{params.before[axis]} + params.shape[axis] + params.after[axis];
  }
  if (outer == 0) {  // nothing is padded
    walk.size[0] = walk.padded[0] = 1;
    outer = 1;
  }
  walk.rank = outer;
  const auto rows = static_cast<size_t>(walk.rows());
  const size_t parts = PartsFor(context, 2 * out_elems * static_cast<int64_t>(walk.elem_bytes));
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(rows, parts, part);
    walk.Run(static_cast<int64_t>(range.begin), static_cast<int64_t>(range.end));
  });
  return {};
}

}  // namespace graviton
