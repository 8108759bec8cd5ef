#ifndef GRAVITON_THREADS_PARTS_H_
#define GRAVITON_THREADS_PARTS_H_

#include <cstddef>

namespace graviton {

// A part must be worth the wake of a sleeping worker (about 5 µs on the machines measured, several
// times that on a busy one). Spinning workers answer in under 1 µs, but a plan cannot know.
inline constexpr double kLeastPartNs = 15000;

// Parts for work that one thread does in `work_ns`: at most `threads` and at most `items`, which
// cannot be divided. A function of the arguments alone, so that the same thread count gives the
// same bits.
constexpr size_t PartsFor(size_t threads, size_t items, double work_ns) {
  const double worth = work_ns / kLeastPartNs;
  size_t parts = worth < static_cast<double>(threads) ? static_cast<size_t>(worth) : threads;
  if (parts > items) parts = items;
  return parts < 1 ? 1 : parts;
}

// Pieces for ThreadPool::RunPieces. Only work far beyond the caches that a thread has for itself is
// cut into more pieces than parts: of less, the next step finds in its cache what this one left.
inline constexpr double kLeastPieceNs = 200'000;
inline constexpr size_t kMostPiecesPerPart = 16;

constexpr size_t PiecesFor(size_t parts, size_t items, double work_ns) {
  if (parts == 1) return 1;
  const double worth = work_ns / kLeastPieceNs;
  const size_t most = items < kMostPiecesPerPart * parts ? items : kMostPiecesPerPart * parts;
  const size_t pieces = worth < static_cast<double>(most) ? static_cast<size_t>(worth) : most;
  return pieces < parts ? parts : pieces;
}

}  // namespace graviton

#endif  // GRAVITON_THREADS_PARTS_H_
