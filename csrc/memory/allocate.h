#ifndef GRAVITON_MEMORY_ALLOCATE_H_
#define GRAVITON_MEMORY_ALLOCATE_H_

#include <cstddef>
#include <cstdint>

namespace graviton {

// Every byte that a caller's sizes influence is allocated here: 64-byte aligned (a cache line, and
// a whole AVX-512 vector), counted, and null on failure instead of an exception.
inline constexpr size_t kAlignment = 64;

// Under AddressSanitizer blocks are as long as asked for and nothing is reused, so that it sees
// every access outside.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kExactBlocks = true;
#else
inline constexpr bool kExactBlocks = false;
#endif

void* Allocate(size_t bytes);
void Free(void* data, size_t bytes);

// Gives the blocks that are kept for reuse (memory/block_cache.h) back to the system.
void FreeUnusedBlocks();

// Bytes held by Allocate and not yet given back, for the whole process.
int64_t AllocatedBytes();

// The most that AllocatedBytes() has been.
int64_t PeakBytes();

// Asks for huge pages on blocks of at least 2 MiB. Fewer TLB misses are worth 1.4x of streaming
// bandwidth there; set once from THP_MEM_ALLOC_ENABLE before the first allocation.
void SetHugePages(bool enabled);
bool HugePages();

}  // namespace graviton

#endif  // GRAVITON_MEMORY_ALLOCATE_H_
