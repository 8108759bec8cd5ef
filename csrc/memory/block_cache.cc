#include "memory/block_cache.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>

namespace graviton {
namespace {

constexpr int kEighths = 8;
constexpr int kLeastLog2 = std::bit_width(kBlockLeast) - 1;
constexpr int kClasses = (64 - kLeastLog2) * kEighths;

// A kept block's first bytes are its place in two lists: of all blocks by age, and of its class,
// the latest first.
struct Kept {
  size_t bytes;
  Kept* older = nullptr;
  Kept* newer = nullptr;
  Kept* next = nullptr;
  Kept* previous = nullptr;
};

struct Cache {
  std::mutex mutex;
  Kept* first[kClasses] = {};
  Kept* oldest = nullptr;
  Kept* newest = nullptr;
  size_t bytes = 0;
};

// Never destroyed: workers may free blocks after static destructors have run.
Cache& TheCache() {
  alignas(Cache) static unsigned char memory[sizeof(Cache)];
  static Cache* const cache = new (memory) Cache;
  return *cache;
}

int ClassOf(size_t block_bytes) {
  const int log2 = std::bit_width(block_bytes) - 1;
  const auto eighth = static_cast<int>((block_bytes >> (log2 - 3)) & (kEighths - 1));
  return (log2 - kLeastLog2) * kEighths + eighth;
}

void Add(Cache& cache, Kept* block) {
  Kept*& first = cache.first[ClassOf(block->bytes)];
  block->next = first;
  if (first != nullptr) first->previous = block;
  first = block;
  block->older = cache.newest;
  (cache.newest != nullptr ? cache.newest->newer : cache.oldest) = block;
  cache.newest = block;
  cache.bytes += block->bytes;
}

void Remove(Cache& cache, Kept* block) {
  (block->previous != nullptr ? block->previous->next : cache.first[ClassOf(block->bytes)]) =
      block->next;
  if (block->next != nullptr) block->next->previous = block->previous;
  (block->older != nullptr ? block->older->newer : cache.oldest) = block->newer;
  (block->newer != nullptr ? block->newer->older : cache.newest) = block->older;
  cache.bytes -= block->bytes;
}

}  // namespace

size_t BlockBytes(size_t bytes) {
  const size_t unit = std::max<size_t>(std::bit_floor(bytes) / kEighths, 1);
  return (bytes + unit - 1) / unit * unit;
}

void* TakeBlock(size_t block_bytes) {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  Kept* const block = cache.first[ClassOf(block_bytes)];
  if (block != nullptr) Remove(cache, block);
  return block;
}

void KeepBlock(void* block, size_t block_bytes, ReleaseBlock release) {
  if (block_bytes > kCacheBytes) return release(block);
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  while (cache.bytes > kCacheBytes - block_bytes) {
    Kept* const oldest = cache.oldest;
    Remove(cache, oldest);
    release(oldest);
  }
  Add(cache, new (block) Kept{.bytes = block_bytes});
}

void DropBlocks(ReleaseBlock release) {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  while (Kept* const oldest = cache.oldest) {
    Remove(cache, oldest);
    release(oldest);
  }
}

size_t CachedBytes() {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  return cache.bytes;
}

}  // namespace graviton
