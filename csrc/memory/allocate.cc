#include "memory/allocate.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "memory/block_cache.h"
#include "memory/fail_allocation.h"
#include "platform/platform.h"

namespace graviton {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

std::atomic<int64_t> allocated_bytes{0};
std::atomic<int64_t> peak_bytes{0};
std::atomic<bool> huge_pages{true};
std::atomic<int64_t> calls_to_failure{0};

// Blocks up to this size come from malloc and are aligned here: glibc serves malloc from a cache of
// the thread in 15 ns, but not memalign (60 to 80 ns), and a small eager op makes one or two
// blocks.
constexpr size_t kSmall = kExactBlocks ? 0 : 960;

size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// The address that malloc gave lies just before the block.
void* AllocateSmall(size_t bytes) {
  auto* raw = static_cast<char*>(std::malloc(bytes + kAlignment + sizeof(void*)));
  if (raw == nullptr) return nullptr;
  const size_t address = reinterpret_cast<uintptr_t>(raw) + sizeof(void*);
  char* data = raw + (RoundUp(address, kAlignment) - reinterpret_cast<uintptr_t>(raw));
  std::memcpy(data - sizeof(void*), static_cast<const void*>(&raw), sizeof(void*));
  return data;
}

void FreeSmall(void* data) {
  void* raw;
  std::memcpy(static_cast<void*>(&raw), static_cast<char*>(data) - sizeof(void*), sizeof(void*));
  std::free(raw);
}

void* AllocateAligned(size_t bytes) {
  const bool huge = bytes >= kHugePage && huge_pages.load(std::memory_order_relaxed);
  void* data = SystemAllocate(bytes, huge ? kHugePage : kAlignment);
  if (huge && data != nullptr) AdviseHugePages(data, bytes);
  return data;
}

void* AllocateBlock(size_t bytes) {
  const size_t block_bytes = BlockBytes(bytes);
  if (void* kept = TakeBlock(block_bytes)) return kept;
  if (void* data = AllocateAligned(block_bytes)) return data;
  DropBlocks(SystemFree);
  return AllocateAligned(block_bytes);
}

// Size 0 still gets an address, so that an empty tensor is not mistaken for a failure.
size_t Rounded(size_t bytes) {
  return RoundUp(std::max<size_t>(bytes, 1), kExactBlocks ? 1 : kAlignment);
}

// A load, which no other thread writes to, is all that this costs where no test asks for a failure.
bool MustFail() {
  return calls_to_failure.load(std::memory_order_relaxed) > 0 &&
         calls_to_failure.fetch_sub(1, std::memory_order_relaxed) == 1;
}

bool Cached(size_t rounded) { return !kExactBlocks && rounded >= kBlockLeast; }

}  // namespace

void* Allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2 || MustFail()) return nullptr;
  const size_t rounded = Rounded(bytes);
  void* data = rounded <= kSmall ? AllocateSmall(rounded)
               : Cached(rounded) ? AllocateBlock(rounded)
                                 : AllocateAligned(rounded);
  if (data == nullptr) return nullptr;
  const auto more = static_cast<int64_t>(bytes);
  const int64_t now = allocated_bytes.fetch_add(more, std::memory_order_relaxed) + more;
  int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return data;
}

void Free(void* data, size_t bytes) {
  if (data == nullptr) return;
  const size_t rounded = Rounded(bytes);
  if (rounded <= kSmall) {
    FreeSmall(data);
  } else if (Cached(rounded)) {
    KeepBlock(data, BlockBytes(rounded), SystemFree);
  } else {
    SystemFree(data);
  }
  allocated_bytes.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

void FreeUnusedBlocks() { DropBlocks(SystemFree); }

int64_t AllocatedBytes() { return allocated_bytes.load(std::memory_order_relaxed); }

int64_t PeakBytes() { return peak_bytes.load(std::memory_order_relaxed); }

int64_t FailAllocation(int64_t nth) {
  return std::max<int64_t>(calls_to_failure.exchange(nth, std::memory_order_relaxed), 0);
}

void SetHugePages(bool enabled) { huge_pages.store(enabled, std::memory_order_relaxed); }

bool HugePages() { return huge_pages.load(std::memory_order_relaxed); }

}  // namespace graviton
