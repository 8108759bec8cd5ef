// SearchSorted:      out[r, i] = how many of sorted[r, :] are below (or equal to) values[r, i]
// Unique:            numbers equal rows of x in the order of their first appearance
// NonMaxSuppression: the boxes of the highest scores that overlap no better one
// BroadcastArgs:     the shape that two shapes broadcast to
#include <algorithm>
#include <cmath>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "threads/parts.h"

namespace graviton {
namespace {

// Searches that halve their rows together: none waits for another's loads, and without branches
// none is guessed wrongly. Eight, as far as registers go.
constexpr int64_t kSearches = 8;

// How many of sorted[0, cols) are below (Right: or equal to) each of values[0, Count).
template <bool Right, int64_t Count, class T>
void CountBelow(const T* sorted, int64_t cols, const T* values, int32_t* out) {
  const auto below = [](T a, T b) { return static_cast<int64_t>(Right ? a <= b : a < b); };
  int64_t low[Count] = {};
  int64_t left = cols;
  while (left > 1) {
    const int64_t half = left / 2;
#pragma GCC unroll 8
    for (int64_t k = 0; k < Count; ++k) {
      low[k] += half & -below(sorted[low[k] + half - 1], values[k]);
    }
    left -= half;
  }
  for (int64_t k = 0; k < Count; ++k) {
    out[k] = static_cast<int32_t>(low[k] + (left > 0 ? below(sorted[low[k]], values[k]) : 0));
  }
}

template <bool Right, class T>
void SearchRange(const SearchSortedParams& params, const T* sorted, const T* values, int64_t begin,
                 int64_t end, int32_t* out) {
  const int64_t cols = params.cols;
  while (begin < end) {
    const int64_t row = begin / params.values;
    const int64_t row_end = std::min(end, (row + 1) * params.values);
    const T* const own = sorted + row * cols;
    for (; begin + kSearches <= row_end; begin += kSearches) {
      CountBelow<Right, kSearches>(own, cols, values + begin, out + begin);
    }
    for (; begin < row_end; ++begin) {
      CountBelow<Right, 1>(own, cols, values + begin, out + begin);
    }
  }
}

template <class T>
void SearchRange(const SearchSortedParams& params, const T* sorted, const T* values, Range range,
                 int32_t* out) {
  const auto begin = static_cast<int64_t>(range.begin);
  const auto end = static_cast<int64_t>(range.end);
  if (params.right != 0) return SearchRange<true>(params, sorted, values, begin, end, out);
  SearchRange<false>(params, sorted, values, begin, end, out);
}

// The bits by which an element is compared: of every NaN and of both zeros the same.
uint32_t KeyOf(const Operand& x, int64_t i) {
  if (SizeOf(x.dtype) == 1) return x.u8()[i];
  if (SizeOf(x.dtype) == 2) return static_cast<const uint16_t*>(x.data)[i];
  if (x.dtype != DType::kFloat32) return static_cast<uint32_t>(x.i32()[i]);
  const float value = x.f32()[i];
  if (value != value) return 0x7fc00000u;
  return value == 0 ? 0 : static_cast<const uint32_t*>(x.data)[i];
}

uint64_t HashOf(const Operand& x, int64_t row, int64_t cols) {
  uint64_t hash = 0x9e3779b97f4a7c15u;
  for (int64_t c = 0; c < cols; ++c) {
    hash = (hash ^ KeyOf(x, row * cols + c)) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

bool SameRows(const Operand& x, int64_t a, int64_t b, int64_t cols) {
  for (int64_t c = 0; c < cols; ++c) {
    if (KeyOf(x, a * cols + c) != KeyOf(x, b * cols + c)) return false;
  }
  return true;
}

// Scores in double precision, as tfjs-core's nonMaxSuppression computes them.
struct Candidate {
  double score;
  int32_t box;
  int32_t seen;  // selected boxes that it has been compared with
};

// std heaps have the largest on top: the highest score and then the lowest box.
bool Worse(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score < b.score : a.box > b.box;
}

double Overlap(const float* a, const float* b) {
  const double top_a = std::min(a[0], a[2]);
  const double left_a = std::min(a[1], a[3]);
  const double bottom_a = std::max(a[0], a[2]);
  const double right_a = std::max(a[1], a[3]);
  const double top_b = std::min(b[0], b[2]);
  const double left_b = std::min(b[1], b[3]);
  const double bottom_b = std::max(b[0], b[2]);
  const double right_b = std::max(b[1], b[3]);
  const double area_a = (bottom_a - top_a) * (right_a - left_a);
  const double area_b = (bottom_b - top_b) * (right_b - left_b);
  if (area_a <= 0 || area_b <= 0) return 0;
  const double height = std::min(bottom_a, bottom_b) - std::max(top_a, top_b);
  const double width = std::min(right_a, right_b) - std::max(left_a, left_b);
  const double both = std::max(height, 0.0) * std::max(width, 0.0);
  return both / (area_a + area_b - both);
}

struct Suppression {
  const float* boxes;
  double iou, score, scale;
  const int32_t* selected;
};

// Whether the candidate is still in the running; lowers its score by the boxes selected since it
// was last looked at, the latest first: boxes with scores alike tend to overlap.
bool Survives(const Suppression& s, int64_t count, Candidate* candidate) {
  for (int64_t j = count - 1; j >= candidate->seen; --j) {
    const double iou =
        Overlap(s.boxes + 4 * int64_t{candidate->box}, s.boxes + 4 * int64_t{s.selected[j]});
    if (iou >= s.iou) return false;
    candidate->score *= iou <= s.iou ? std::exp(s.scale * iou * iou) : 0.0;
    if (candidate->score <= s.score) return true;  // not for long
  }
  return true;
}

}  // namespace

Status SearchSorted(const StepContext& context, const SearchSortedParams& params, Operands in,
                    Operands out) {
  const DType dtype = in[0].dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kInt32) {
    return Status::Error(Code::kDType, "SearchSorted takes float32 or int32, not %s",
                         NameOf(dtype));
  }
  const int64_t elems = ProductOf(params.rows, params.values);
  Status status =
      CheckDense("SearchSorted sorted", in[0], dtype, ProductOf(params.rows, params.cols));
  if (status.ok()) status = CheckDense("SearchSorted values", in[1], dtype, elems);
  if (status.ok()) status = CheckDense("SearchSorted output", out[0], DType::kInt32, elems);
  if (!status.ok()) return status;
  if (elems == 0) return {};
  const double work_ns =
      static_cast<double>(elems) * std::log2(static_cast<double>(params.cols) + 2);
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(elems), work_ns);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(elems), parts, part, kSearches);
    if (dtype == DType::kFloat32) {
      SearchRange(params, in[0].f32(), in[1].f32(), range, out[0].i32());
    } else {
      SearchRange(params, in[0].i32(), in[1].i32(), range, out[0].i32());
    }
  });
  return {};
}

Status Unique(const StepContext& context, const UniqueParams& params, Operands in, Operands out) {
  const int64_t rows = params.rows;
  const int64_t cols = params.cols;
  Status status = CheckDense("Unique x", in[0], in[0].dtype, ProductOf(rows, cols));
  if (status.ok()) status = CheckDense("Unique numbers", out[0], DType::kInt32, rows);
  if (status.ok()) status = CheckDense("Unique firsts", out[1], DType::kInt32, rows);
  if (status.ok()) status = CheckDense("Unique count", out[2], DType::kInt32, 1);
  if (!status.ok()) return status;
  // An open hash table, at most half full, of numbers + 1.
  size_t slots = 16;
  while (slots < 2 * static_cast<size_t>(rows)) slots *= 2;
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(slots * sizeof(int32_t), &block); !s.ok()) return s;
  auto* const table = static_cast<int32_t*>(block);
  std::memset(table, 0, slots * sizeof(int32_t));
  int32_t* const numbers = out[0].i32();
  int32_t* const firsts = out[1].i32();
  int32_t count = 0;
  for (int64_t r = 0; r < rows; ++r) {
    size_t slot = HashOf(in[0], r, cols) & (slots - 1);
    while (table[slot] != 0 && !SameRows(in[0], firsts[table[slot] - 1], r, cols)) {
      slot = (slot + 1) & (slots - 1);
    }
    if (table[slot] == 0) {
      firsts[count] = static_cast<int32_t>(r);
      table[slot] = ++count;
    }
    numbers[r] = table[slot] - 1;
  }
  std::fill(firsts + count, firsts + rows, 0);
  out[2].i32()[0] = count;
  return {};
}

Status NonMaxSuppression(const StepContext& context, const NonMaxSuppressionParams& params,
                         Operands in, Operands out) {
  const int64_t boxes = params.count;
  const int64_t most = params.most;
  Status status = CheckDense("NonMaxSuppression boxes", in[0], DType::kFloat32, boxes * 4);
  if (status.ok()) status = CheckDense("NonMaxSuppression scores", in[1], DType::kFloat32, boxes);
  if (status.ok()) status = CheckDense("NonMaxSuppression rows", out[0], DType::kInt32, most);
  if (status.ok()) status = CheckDense("NonMaxSuppression best", out[1], DType::kFloat32, most);
  if (status.ok()) status = CheckDense("NonMaxSuppression count", out[2], DType::kInt32, 1);
  if (!status.ok()) return status;
  void* block = nullptr;
  if (Status s = context.scratch.Reserve(static_cast<size_t>(boxes) * sizeof(Candidate), &block);
      !s.ok()) {
    return s;
  }
  auto* const heap = static_cast<Candidate*>(block);
  Candidate* end = heap;
  for (int32_t i = 0; i < boxes; ++i) {
    const float score = in[1].f32()[i];
    if (score > params.score) *end++ = {score, i, 0};  // NaN is not
  }
  std::make_heap(heap, end, Worse);
  const Suppression s = {in[0].f32(), params.iou, params.score,
                         params.sigma > 0 ? -0.5 / params.sigma : 0.0, out[0].i32()};
  int32_t count = 0;
  while (count < most && end != heap) {
    std::pop_heap(heap, end, Worse);
    Candidate candidate = *--end;
    const double before = candidate.score;
    if (!Survives(s, count, &candidate)) continue;
    if (candidate.score == before) {
      out[0].i32()[count] = candidate.box;
      out[1].f32()[count++] = static_cast<float>(before);
    } else if (candidate.score > s.score) {
      candidate.seen = count;
      *end++ = candidate;
      std::push_heap(heap, end, Worse);
    }
  }
  std::fill(out[0].i32() + count, out[0].i32() + most, 0);
  std::fill(out[1].f32() + count, out[1].f32() + most, 0.0F);
  out[2].i32()[0] = count;
  return {};
}

Status BroadcastArgs(const StepContext&, const BroadcastArgsParams& params, Operands in,
                     Operands out) {
  const int64_t first = params.first;
  const int64_t second = params.second;
  const int64_t rank = std::max(first, second);
  Status status = CheckDense("BroadcastArgs a", in[0], DType::kInt32, first);
  if (status.ok()) status = CheckDense("BroadcastArgs b", in[1], DType::kInt32, second);
  if (status.ok()) status = CheckDense("BroadcastArgs output", out[0], DType::kInt32, rank);
  if (!status.ok()) return status;
  for (int64_t i = 1; i <= rank; ++i) {
    const int32_t a = i <= first ? in[0].i32()[first - i] : 1;
    const int32_t b = i <= second ? in[1].i32()[second - i] : 1;
    if (a != b && a != 1 && b != 1) {
      return Status::Error(Code::kShape, "BroadcastArgs: the sizes %d and %d do not broadcast", a,
                           b);
    }
    out[0].i32()[rank - i] = a == 1 ? b : a;
  }
  return {};
}

}  // namespace graviton
