// dst[i…] = src[i…] over an index space: transpose, slice, reverse, tile, broadcast.
#include <cstdlib>
#include <utility>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "kernels/movement/transpose.h"

namespace graviton {
namespace {

struct Axis {
  int64_t size;
  int64_t src;
  int64_t dst;
};

// An element, or a short run that is contiguous on both sides, as one unit.
template <size_t Bytes>
struct Unit {
  unsigned char bytes[Bytes];
};
static_assert(alignof(Unit<16>) == 1);

typedef uint8_t Piece __attribute__((vector_size(16)));

// g++ copies structs of 32 and 64 bytes with `rep movs`, which takes 17 ns for what these loads and
// stores do in 2.
template <class T>
inline void CopyUnit(T* dst, const T* src) {
  if constexpr (sizeof(T) <= sizeof(Piece)) {
    *dst = *src;
  } else {
    constexpr size_t kPieces = sizeof(T) / sizeof(Piece);
    static_assert(sizeof(T) == kPieces * sizeof(Piece));
    // Units lie anywhere: memcpy says so, whatever becomes of a type's own alignment.
    Piece pieces[kPieces];
#pragma GCC unroll 4
    for (size_t i = 0; i < kPieces; ++i)
      std::memcpy(&pieces[i], reinterpret_cast<const char*>(src) + i * sizeof(Piece),
                  sizeof(Piece));
#pragma GCC unroll 4
    for (size_t i = 0; i < kPieces; ++i)
      std::memcpy(reinterpret_cast<char*>(dst) + i * sizeof(Piece), &pieces[i], sizeof(Piece));
  }
}

// The walk with the axes in the order in which dst is written, innermost first; strides in units.
struct Walk {
  size_t rank = 0;
  Axis axes[kMaxRank];
  size_t unit_bytes;
  const char* src;
  char* dst;
};

// Axes of size 1 go, axes that continue the one inside them join it, and a contiguous innermost run
// of up to 64 bytes becomes the unit: a call for each run takes longer than its copy.
Walk MakeWalk(const StridedCopyParams& params, const Operand& in, const Operand& out) {
  Walk walk = {.axes = {},
               .unit_bytes = SizeOf(in.dtype),
               .src = static_cast<const char*>(in.data),
               .dst = static_cast<char*>(out.data)};
  Axis sorted[kMaxRank];
  size_t rank = 0;
  for (size_t axis = params.shape.size(); axis-- > 0;) {
    const Axis next = {params.shape[axis], params.src_strides[axis], params.dst_strides[axis]};
    if (next.size == 1) continue;
    size_t at = rank++;
    for (; at > 0 && std::abs(sorted[at - 1].dst) > std::abs(next.dst); --at)
      sorted[at] = sorted[at - 1];
    sorted[at] = next;
  }
  for (size_t i = 0; i < rank; ++i) {
    const Axis& next = sorted[i];
    if (walk.rank > 0) {
      Axis& inside = walk.axes[walk.rank - 1];
      if (next.src == inside.size * inside.src && next.dst == inside.size * inside.dst) {
        inside.size *= next.size;
        continue;
      }
    }
    walk.axes[walk.rank++] = next;
  }
  if (walk.rank == 0) walk.axes[walk.rank++] = {1, 1, 1};
  const Axis& inner = walk.axes[0];
  const auto bytes = static_cast<size_t>(inner.size) * walk.unit_bytes;
  bool widens = walk.rank > 1 && inner.src == 1 && inner.dst == 1 && bytes <= 64 &&
                (bytes & (bytes - 1)) == 0;
  for (size_t i = 1; widens && i < walk.rank; ++i) {
    widens = walk.axes[i].src % inner.size == 0 && walk.axes[i].dst % inner.size == 0;
  }
  if (widens) {
    const int64_t run = inner.size;
    walk.unit_bytes = bytes;
    for (size_t i = 1; i < walk.rank; ++i) {
      walk.axes[i - 1] = {walk.axes[i].size, walk.axes[i].src / run, walk.axes[i].dst / run};
    }
    --walk.rank;
  }
  return walk;
}

// Calls visit(src offset, dst offset) for rows [begin, end) of the axes from `first` on.
template <class Visit>
void ForRows(const Walk& walk, size_t first, int64_t begin, int64_t end, Visit visit) {
  int64_t index[kMaxRank];
  int64_t src = 0;
  int64_t dst = 0;
  int64_t rest = begin;
  for (size_t axis = first; axis < walk.rank; ++axis) {
    const Axis& a = walk.axes[axis];
    index[axis] = rest % a.size;
    rest /= a.size;
    src += index[axis] * a.src;
    dst += index[axis] * a.dst;
  }
  for (int64_t row = begin; row < end; ++row) {
    visit(src, dst);
    for (size_t axis = first; axis < walk.rank; ++axis) {
      const Axis& a = walk.axes[axis];
      src += a.src;
      dst += a.dst;
      if (++index[axis] < a.size) break;
      src -= a.size * a.src;
      dst -= a.size * a.dst;
      index[axis] = 0;
    }
  }
}

int64_t RowsFrom(const Walk& walk, size_t first) {
  int64_t rows = 1;
  for (size_t axis = first; axis < walk.rank; ++axis) rows *= walk.axes[axis].size;
  return rows;
}

template <class T>
void CopyRow(const T* src, int64_t src_step, T* dst, int64_t dst_step, int64_t size) {
  if (src_step == 1 && dst_step == 1) {
    CopyRun(reinterpret_cast<char*>(dst), reinterpret_cast<const char*>(src),
            static_cast<size_t>(size) * sizeof(T));
  } else if (src_step == 0 && dst_step == 1 && sizeof(T) <= sizeof(Piece)) {
    std::fill_n(dst, size, *src);
  } else {
    for (int64_t i = 0; i < size; ++i) CopyUnit(dst + i * dst_step, src + i * src_step);
  }
}

// Whole rows along the innermost axis, cut into pieces where there are too few rows for the
// threads.
template <class T>
void CopyRows(const StepContext& context, const Walk& walk, size_t parts) {
  const Axis inner = walk.axes[0];
  const int64_t rows = RowsFrom(walk, 1);
  const auto* src = reinterpret_cast<const T*>(walk.src);
  auto* dst = reinterpret_cast<T*>(walk.dst);
  const bool split_rows = rows < static_cast<int64_t>(4 * parts);
  context.pool.Run(parts, [&](size_t part) {
    const Range outer = split_rows ? Range{0, static_cast<size_t>(rows)}
                                   : Partition(static_cast<size_t>(rows), parts, part);
    const Range along = split_rows ? Partition(static_cast<size_t>(inner.size), parts, part, 64)
                                   : Range{0, static_cast<size_t>(inner.size)};
    const auto first = static_cast<int64_t>(along.begin);
    const auto size = static_cast<int64_t>(along.end) - first;
    ForRows(walk, 1, static_cast<int64_t>(outer.begin), static_cast<int64_t>(outer.end),
            [&](int64_t from, int64_t to) {
              CopyRow(src + from + first * inner.src, inner.src, dst + to + first * inner.dst,
                      inner.dst, size);
            });
  });
}

// Squares of this side stay in L1 on both sides while they are turned: 2 · 64² · 4 B = 32 KiB.
constexpr int64_t kTransposeTile = 64;

template <class T>
void TransposeTile(const T* src, int64_t src_row, T* dst, int64_t dst_row, int64_t rows,
                   int64_t cols) {
  if constexpr (sizeof(T) == 4) {
    TransposeWords(src, src_row, dst, dst_row, rows, cols);
  } else {
    for (int64_t col = 0; col < cols; ++col) {
      for (int64_t row = 0; row < rows; ++row) {
        dst[col * dst_row + row] = src[row * src_row + col];
      }
    }
  }
}

// Axis 0 is contiguous in dst, axis 1 in src.
template <class T>
void CopyTransposed(const StepContext& context, const Walk& walk, size_t parts) {
  const Axis rows = walk.axes[0];
  const Axis cols = walk.axes[1];
  const int64_t row_tiles = (rows.size + kTransposeTile - 1) / kTransposeTile;
  const int64_t col_tiles = (cols.size + kTransposeTile - 1) / kTransposeTile;
  const int64_t tiles = row_tiles * col_tiles;
  const auto* src = reinterpret_cast<const T*>(walk.src);
  auto* dst = reinterpret_cast<T*>(walk.dst);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(RowsFrom(walk, 2) * tiles), parts, part);
    for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end);) {
      const int64_t first = i % tiles;
      const int64_t last = std::min(tiles, first + static_cast<int64_t>(range.end) - i);
      ForRows(walk, 2, i / tiles, i / tiles + 1, [&](int64_t from, int64_t to) {
        for (int64_t tile = first; tile < last; ++tile) {
          const int64_t row = tile % row_tiles * kTransposeTile;
          const int64_t col = tile / row_tiles * kTransposeTile;
          TransposeTile(src + from + row * rows.src + col, rows.src,
                        dst + to + row + col * cols.dst, cols.dst,
                        std::min(kTransposeTile, rows.size - row),
                        std::min(kTransposeTile, cols.size - col));
        }
      });
      i += last - first;
    }
  });
}

template <size_t Bytes>
void CopyUnits(const StepContext& context, Walk walk, size_t parts) {
  // Longer units are whole cache lines, or half ones: they are read well in any order.
  if (Bytes <= 16 && walk.axes[0].dst == 1 && walk.axes[0].src != 1 && walk.axes[0].src != 0) {
    for (size_t axis = 1; axis < walk.rank; ++axis) {
      if (walk.axes[axis].src != 1) continue;
      std::swap(walk.axes[1], walk.axes[axis]);
      return CopyTransposed<Unit<Bytes>>(context, walk, parts);
    }
  }
  CopyRows<Unit<Bytes>>(context, walk, parts);
}

}  // namespace

Status StridedCopy(const StepContext& context, const StridedCopyParams& params, Operands in,
                   Operands out) {
  const List shape = params.shape;
  Status status = CheckOperand("StridedCopy src", in[0], in[0].dtype, shape, params.src_strides);
  if (status.ok()) {
    status = CheckOperand("StridedCopy dst", out[0], in[0].dtype, shape, params.dst_strides);
  }
  if (!status.ok()) return status;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return {};
  int64_t elems = 1;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    elems *= shape[axis];
    const bool repeats = shape[axis] > 1 && params.dst_strides[axis] == 0;
    if (!repeats && elems <= out[0].before + out[0].after) continue;
    return Status::Error(Code::kShape, "StridedCopy dst has more indices than elements");
  }
  const Walk walk = MakeWalk(params, in[0], out[0]);
  const size_t parts = PartsFor(context, 2 * elems * static_cast<int64_t>(SizeOf(in[0].dtype)));
  switch (walk.unit_bytes) {
    case 1:
      CopyUnits<1>(context, walk, parts);
      break;
    case 2:
      CopyUnits<2>(context, walk, parts);
      break;
    case 4:
      CopyUnits<4>(context, walk, parts);
      break;
    case 8:
      CopyUnits<8>(context, walk, parts);
      break;
    case 16:
      CopyUnits<16>(context, walk, parts);
      break;
    case 32:
      CopyUnits<32>(context, walk, parts);
      break;
    default:
      CopyUnits<64>(context, walk, parts);
  }
  return {};
}

}  // namespace graviton
