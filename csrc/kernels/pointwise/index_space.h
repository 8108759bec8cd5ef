#ifndef GRAVITON_KERNELS_POINTWISE_INDEX_SPACE_H_
#define GRAVITON_KERNELS_POINTWISE_INDEX_SPACE_H_

#include <algorithm>

#include "kernels/pointwise/program.h"

namespace graviton {

inline constexpr size_t kMaxOperands = kMaxProgramInputs + 1;

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
inline IndexSpace Collapse(List shape, List strides, size_t operands) {
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

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POINTWISE_INDEX_SPACE_H_
