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

// A kept block's first bytes are the link to the next one of its class.
struct Kept {
  Kept* next;
};

struct Cache {
  std::mutex mutex;
  Kept* first[kClasses] = {};
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

}  // namespace

size_t BlockBytes(size_t bytes) {
  const size_t unit = std::max<size_t>(std::bit_floor(bytes) / kEighths, 1);
  return (bytes + unit - 1) / unit * unit;
}

void* TakeBlock(size_t block_bytes) {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  Kept*& first = cache.first[ClassOf(block_bytes)];
  Kept* block = first;
  if (block == nullptr) return nullptr;
  first = block->next;
  cache.bytes -= block_bytes;
  return block;
}

bool KeepBlock(void* block, size_t block_bytes) {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  if (block_bytes > kCacheBytes - cache.bytes) return false;
  Kept*& first = cache.first[ClassOf(block_bytes)];
  first = new (block) Kept{first};
  cache.bytes += block_bytes;
  return true;
}

void DropBlocks(void (*release)(void* block)) {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  for (Kept*& first : cache.first) {
    while (first != nullptr) {
      Kept* block = first;
      first = block->next;
      release(block);
    }
  }
  cache.bytes = 0;
}

size_t CachedBytes() {
  Cache& cache = TheCache();
  const std::lock_guard lock(cache.mutex);
  return cache.bytes;
}

}  // namespace graviton
