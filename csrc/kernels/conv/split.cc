#include "kernels/conv/split.h"

#include <algorithm>

namespace graviton {
namespace {

// Fewer multiply-adds than this (by a whole vector) are not worth a thread of their own.
constexpr double kVectorStepsPerPart = 8192;

// Quarter vector steps of the busiest thread, per element of depth: multiply-adds, what tiles spend
// on loading the filter, and bringing it to this core. Threads that share pixels bring those that
// others wrote in the step before, and write lines between theirs.
int64_t CostOf(int64_t pixels, int64_t vectors, int64_t tile_rows, const Split& split) {
  const int64_t rows = CeilDiv(pixels, split.pixels);
  const int64_t sharing = split.vectors > 1 ? 3 * rows : 0;
  return (4 * rows + 2 * CeilDiv(rows, tile_rows) + 8) * CeilDiv(vectors, split.vectors) + sharing;
}

}  // namespace

Split SplitPixels(int64_t pixels, int64_t vectors, int64_t depth_k, int64_t tile_rows,
                  size_t threads) {
  const double steps =
      static_cast<double>(pixels) * static_cast<double>(vectors) * static_cast<double>(depth_k);
  const double worth = steps / kVectorStepsPerPart;
  auto most = static_cast<int64_t>(threads);
  if (worth < static_cast<double>(most)) most = worth < 2 ? 1 : static_cast<int64_t>(worth);
  Split best;
  int64_t best_cost = CostOf(pixels, vectors, tile_rows, best);
  for (int64_t rows = 1; rows <= std::min(most, pixels); ++rows) {
    const Split split = {rows, std::min(most / rows, vectors)};
    const int64_t cost = CostOf(pixels, vectors, tile_rows, split);
    if (cost >= best_cost) continue;
    best = split;
    best_cost = cost;
  }
  return best;
}

}  // namespace graviton
