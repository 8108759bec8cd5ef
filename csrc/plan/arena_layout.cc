#include "plan/arena_layout.h"

#include <algorithm>

#include "memory/allocate.h"
#include "memory/array.h"

namespace graviton {
namespace {

constexpr size_t Aligned(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

size_t LowerBound(std::span<const ArenaBlock> blocks) {
  size_t most = 0;
  for (const ArenaBlock& at : blocks) {
    size_t live = 0;
    for (const ArenaBlock& other : blocks) {
      if (other.first <= at.first && at.first <= other.last) live += Aligned(other.bytes);
    }
    most = std::max(most, live);
  }
  return most;
}

}  // namespace

Status LayOutArena(std::span<ArenaBlock> blocks, size_t* arena_bytes, size_t* lower_bound) {
  *arena_bytes = 0;
  *lower_bound = LowerBound(blocks);
  Array<ArenaBlock*> by_size;
  Array<ArenaBlock*> placed;  // by offset
  if (!by_size.Reserve(blocks.size()) || !placed.Reserve(blocks.size())) {
    return Status::OutOfMemory(blocks.size() * sizeof(ArenaBlock*));
  }
  for (ArenaBlock& block : blocks) by_size.Push(&block);
  std::sort(by_size.begin(), by_size.end(), [](const ArenaBlock* a, const ArenaBlock* b) {
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->first < b->first;
  });
  for (ArenaBlock* block : by_size) {
    const size_t bytes = Aligned(block->bytes);
    size_t best = SIZE_MAX;
    size_t best_gap = SIZE_MAX;
    size_t end = 0;  // of the overlapping blocks seen so far
    for (const ArenaBlock* other : placed) {
      if (other->last < block->first || block->last < other->first) continue;
      if (other->offset > end && other->offset - end >= bytes && other->offset - end < best_gap) {
        best = end;
        best_gap = other->offset - end;
      }
      end = std::max(end, other->offset + Aligned(other->bytes));
    }
    block->offset = best == SIZE_MAX ? end : best;
    *arena_bytes = std::max(*arena_bytes, block->offset + bytes);
    placed.Push(block);
    for (size_t i = placed.size() - 1; i > 0 && placed[i - 1]->offset > placed[i]->offset; --i) {
      std::swap(placed[i - 1], placed[i]);
    }
  }
  return {};
}

}  // namespace graviton
