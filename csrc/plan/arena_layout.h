#ifndef GRAVITON_PLAN_ARENA_LAYOUT_H_
#define GRAVITON_PLAN_ARENA_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/status.h"

namespace graviton {

// One block of an arena: needed from step `first` to step `last`, both included.
struct ArenaBlock {
  size_t bytes;
  uint32_t first;
  uint32_t last;
  size_t offset;  // the result
};

// Gives every block an offset so that blocks needed at the same time do not overlap, and returns
// the arena's size. Largest first, each into the lowest gap that fits best ("greedy by size for
// offset calculation", Pisarchyk & Lee 2020, section 5.2). `lower_bound`: the largest sum of bytes
// needed at one step, which no layout can beat.
Status LayOutArena(std::span<ArenaBlock> blocks, size_t* arena_bytes, size_t* lower_bound);

}  // namespace graviton

#endif  // GRAVITON_PLAN_ARENA_LAYOUT_H_
