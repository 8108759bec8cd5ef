#include "memory/allocate.h"

#include <atomic>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace graviton {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

std::atomic<int64_t> allocated_bytes{0};
std::atomic<bool> huge_pages{true};

size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

void* Allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const bool huge = bytes >= kHugePage && huge_pages.load(std::memory_order_relaxed);
  const size_t alignment = huge ? kHugePage : kAlignment;
  // Size 0 still gets an address, so that an empty tensor is not mistaken for a failure.
  const size_t rounded = RoundUp(bytes == 0 ? 1 : bytes, kAlignment);
#if defined(_WIN32)
  void* data = _aligned_malloc(rounded, alignment);
#else
  void* data = nullptr;
  if (posix_memalign(&data, alignment, rounded) != 0) return nullptr;
#endif
  if (data == nullptr) return nullptr;
#if defined(__linux__)
  if (huge) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  allocated_bytes.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  return data;
}

void Free(void* data, size_t bytes) {
  if (data == nullptr) return;
#if defined(_WIN32)
  _aligned_free(data);
#else
  std::free(data);
#endif
  allocated_bytes.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

int64_t AllocatedBytes() { return allocated_bytes.load(std::memory_order_relaxed); }

void SetHugePages(bool enabled) { huge_pages.store(enabled, std::memory_order_relaxed); }

bool HugePages() { return huge_pages.load(std::memory_order_relaxed); }

}  // namespace graviton
