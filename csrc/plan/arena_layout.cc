#include "plan/arena_layout.h"

#include <algorithm>

#include "memory/allocate.h"
#include "memory/array.h"

namespace graviton {
namespace {

constexpr size_t Aligned(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// A block comes to life before its first step and ends before the one after its last.
struct Change {
  uint32_t step;
  bool begins;
  size_t bytes;
};

Status LowerBound(std::span<const ArenaBlock> blocks, size_t* most) {
  Array<Change> changes;
  if (!changes.Reserve(2 * blocks.size())) {
    return Status::OutOfMemory(2 * blocks.size() * sizeof(Change));
  }
  for (const ArenaBlock& block : blocks) {
    changes.Push({block.first, true, Aligned(block.bytes)});
    changes.Push({block.last + 1, false, Aligned(block.bytes)});
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.step != b.step ? a.step < b.step : a.begins < b.begins;
  });
  size_t live = 0;
  *most = 0;
  for (const Change& change : changes) {
    live = change.begins ? live + change.bytes : live - change.bytes;
    *most = std::max(*most, live);
  }
  return {};
}

}  // namespace

Status LayOutArena(std::span<ArenaBlock> blocks, size_t* arena_bytes, size_t* lower_bound) {
  *arena_bytes = 0;
  if (Status status = LowerBound(blocks, lower_bound); !status.ok()) return status;
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
