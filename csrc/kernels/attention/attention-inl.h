// A block of queries against blocks of keys: scores stay in L2, a head's keys and values are packed
// once while they fit. More keys than a block take the running maximum and sum of Milakov and
// Gimelshein, "Online normalizer calculation for softmax" (2018), as Dao et al., "FlashAttention"
// (2022), algorithm 1, apply it.
#include "kernels/gemm/panels-inl.h"
#include "kernels/gemm/tiles-inl.h"
#include "kernels/pointwise/program-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr float kInfinity = __builtin_inff();

// Scores of a block of queries against this many keys, and the keys' and values' panels, share L2.
constexpr size_t kKeyBlock = 512;
constexpr size_t kShortBlock = 4 * kTileRows;  // queries, where all keys are one block
constexpr size_t kLongBlock =
    8 * kTileRows;  // where keys are packed anew for each block of queries
constexpr int64_t kScoreRow = kKeyBlock + 16;  // rows 2 KiB apart would share few sets of L1
// Up to this many queries, keys and values are read in place: each once.
constexpr size_t kDotQueries = 2;

// exp(x) for x ≤ 0 or NaN: 2^n e^r with |r| ≤ log(2) / 2 and a polynomial of degree 6 (Cephes
// expf); in two halves of 2^n, so that results below 2^-126 are rounded rather than lost.
inline Vf ExpOfNegative(Vf x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  x = x < -104.0f ? Splat(-104.0f) : x;
  const Vf shifted = x * 1.44269504f + kMagic;
  const Vf n = shifted - kMagic;
  Vf r = n * -0.693359375f + x;
  r = n * 2.12194440e-4f + r;
  Vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Vi exponent = Bits(shifted) - Bits(Splat(kMagic));
  const Vi half = exponent >> 1;
  p *= FromBits((half + 127) << 23);
  return p * FromBits((exponent - half + 127) << 23);
}

inline Vi LaneNumbers() {
#if GRAVITON_VECTOR_BYTES == 64
  return Vi{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif GRAVITON_VECTOR_BYTES == 32
  return Vi{0, 1, 2, 3, 4, 5, 6, 7};
#else
  return Vi{0, 1, 2, 3};
#endif
}
// `fill` from lane n on.
inline Vf FillFrom(Vf v, size_t n, float fill) {
  return LaneNumbers() < static_cast<int32_t>(n) ? v : Splat(fill);
}

// A block's panels: as few as possible, of nearly equal width.
struct Panels {
  size_t vectors;
  size_t width;  // vectors, of all but the last
  explicit Panels(size_t cols) : vectors(VectorsOf(cols)) {
    const size_t panels = (vectors + kTileVectors - 1) / kTileVectors;
    width = panels == 0 ? 1 : (vectors + panels - 1) / panels;
  }
  size_t WidthAt(size_t vector) const {
    return vectors - vector < width ? vectors - vector : width;
  }
};

void PackInPanels(const float* b, int64_t b_row, int64_t b_col, size_t depth, size_t cols,
                  float* packed) {
  const Panels panels(cols);
  for (size_t v = 0; v < panels.vectors; v += panels.width) {
    const size_t col = v * kLanes;
    const size_t here = panels.WidthAt(v) * kLanes;
    PackPanel(b + static_cast<int64_t>(col) * b_col, b_row, b_col, depth,
              cols - col < here ? cols - col : here, packed + col * depth,
              static_cast<int64_t>(here));
  }
}

// What one thread has at hand.
struct Workspace {
  float* keys;    // panels of a block of keys
  float* values;  // panels of a block of values
  float* scores;  // kScoreRow apart
  float* maxima;
  float* sums;
  // Which block the panels hold; no head yet.
  size_t head = SIZE_MAX;
  size_t first_key = SIZE_MAX;
};

size_t KeysAtOnce(const AttentionCall& call) {
  return call.keys < kKeyBlock ? call.keys : kKeyBlock;
}

size_t QueryBlock(const AttentionCall& call) {
  return call.keys <= kKeyBlock ? kShortBlock : kLongBlock;
}

constexpr size_t WholeVectors(size_t cols) { return (cols + kLanes - 1) / kLanes * kLanes; }

size_t KeysFloats(const AttentionCall& call) { return WholeVectors(KeysAtOnce(call)) * call.depth; }
size_t ValuesFloats(const AttentionCall& call) {
  return KeysAtOnce(call) * WholeVectors(call.value_depth);
}

size_t ScratchFloats(const AttentionCall& call) {
  return WholeVectors(KeysFloats(call)) + WholeVectors(ValuesFloats(call)) +
         kLongBlock * static_cast<size_t>(kScoreRow) + 2 * WholeVectors(kLongBlock);
}

// A block of queries of one head.
struct Block {
  size_t batch;
  size_t head;
  size_t query;
  size_t queries;
  // And the keys that are at hand.
  size_t key;
  size_t keys;
};

float* At(const AttentionCall::Tensor& tensor, const Block& block, size_t row) {
  return tensor.data + static_cast<int64_t>(block.batch) * tensor.batch +
         static_cast<int64_t>(block.head) * tensor.head + static_cast<int64_t>(row) * tensor.row;
}

// Keys of the block that its query number i sees.
size_t Seen(const AttentionCall& call, const Block& block, size_t i) {
  if (!call.causal) return block.keys;
  const int64_t seen = static_cast<int64_t>(block.query + i) + call.causal_offset + 1 -
                       static_cast<int64_t>(block.key);
  return seen < 0                                  ? 0
         : seen < static_cast<int64_t>(block.keys) ? static_cast<size_t>(seen)
                                                   : block.keys;
}

// A last vector that is not whole is read from panels alone.
bool ValuesInPlace(const AttentionCall& call) {
  return call.queries <= kDotQueries && call.value_depth % kLanes == 0;
}

void PackHead(const AttentionCall& call, const Block& block, Workspace* w) {
  const size_t head = block.batch * call.heads + block.head;
  if (w->head == head && w->first_key == block.key) return;
  w->head = head;
  w->first_key = block.key;
  if (call.queries > kDotQueries) {
    PackInPanels(At(call.key, block, block.key), 1, call.key.row, call.depth, block.keys, w->keys);
  }
  if (!ValuesInPlace(call)) {
    PackInPanels(At(call.value, block, block.key), call.value.row, 1, block.keys, call.value_depth,
                 w->values);
  }
}

void Scores(const AttentionCall& call, const Block& block, const Workspace& w) {
  if (call.queries <= kDotQueries) {
    for (size_t k = 0; k < block.keys; k += kLanes) {
      const float* keys[kLanes];
      for (size_t i = 0; i < kLanes; ++i)
        keys[i] = At(call.key, block, block.key + (k + i < block.keys ? k + i : k));
      for (size_t i = 0; i < block.queries; ++i) {
        Store(w.scores + static_cast<int64_t>(i) * kScoreRow + k,
              DotColumns(At(call.query, block, block.query + i), keys, call.depth));
      }
    }
    return;
  }
  const Panels panels(block.keys);
  for (size_t v = 0; v < panels.vectors; v += panels.width) {
    const size_t width = panels.WidthAt(v);
    const TileCall tile = {.a = At(call.query, block, block.query),
                           .a_row = call.query.row,
                           .panel = w.keys + v * kLanes * call.depth,
                           .panel_row = static_cast<int64_t>(width * kLanes),
                           .depth = call.depth,
                           .out = {w.scores + v * kLanes, kScoreRow, kLanes, false, nullptr},
                           .ahead = {}};
    RunTiles(tile, block.queries, width, nullptr);
  }
}

// scale · score + mask, then the epilogue.
void Finish(const AttentionCall& call, const Block& block, size_t i, float* scores, size_t n) {
  const float* mask = call.mask.data == nullptr ? nullptr : At(call.mask, block, block.query + i);
  if (mask != nullptr) mask += static_cast<int64_t>(block.key) * call.mask_col;
  for (size_t k = 0; k < n; k += kLanes) {
    Vf v = Load(scores + k) * call.scale;
    if (mask != nullptr) {
      const size_t here = n - k < kLanes ? n - k : kLanes;
      if (call.mask_col == 1) {
        v += here == kLanes ? Load(mask + k) : LoadPart(mask + k, here);
      } else {
        Vf add{};
        for (size_t j = 0; j < here; ++j)
          add[j] = mask[static_cast<int64_t>(k + j) * call.mask_col];
        v += add;
      }
    }
    Store(scores + k, v);
  }
  if (call.epilogue == nullptr) return;
  for (size_t k = 0; k < n; k += kTile) {
    RunEpilogue(*call.epilogue, static_cast<int64_t>(block.batch), static_cast<int64_t>(block.head),
                static_cast<int64_t>(block.query + i), static_cast<int64_t>(block.key + k),
                n - k < kTile ? n - k : kTile, scores + k, scores + k);
  }
}

// NaN is passed over: it comes back through exp and the sum.
float LargestOf(const float* scores, size_t n) {
  Vf most = Splat(-kInfinity);
  size_t k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    const Vf v = Load(scores + k);
    most = v > most ? v : most;
  }
  if (k < n) {
    const Vf v = FillFrom(Load(scores + k), n - k, -kInfinity);
    most = v > most ? v : most;
  }
  return MaxOf(most);
}

// Replaces scores by exp(score - reference), gives their sum.
float Exponentiate(float* scores, size_t n, float reference) {
  Vf sum{};
  size_t k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    const Vf e = ExpOfNegative(Load(scores + k) - reference);
    Store(scores + k, e);
    sum += e;
  }
  if (k < n) {
    const Vf e = FillFrom(ExpOfNegative(Load(scores + k) - reference), n - k, 0);
    Store(scores + k, e);
    sum += e;
  }
  return SumOf(sum);
}

void ScaleRow(float* row, size_t n, float factor) {
  for (size_t i = 0; i < n; i += kLanes) {
    if (n - i >= kLanes) {
      Store(row + i, Load(row + i) * factor);
    } else {
      StorePart(row + i, LoadPart(row + i, n - i) * factor, n - i);
    }
  }
}

// Turns scores to weights relative to the largest so far; what earlier blocks left is scaled to it.
void Soften(const AttentionCall& call, const Block& block, const Workspace& w) {
  for (size_t i = 0; i < block.queries; ++i) {
    float* scores = w.scores + static_cast<int64_t>(i) * kScoreRow;
    const size_t n = Seen(call, block, i);
    Finish(call, block, i, scores, n);
    const float before = w.maxima[i];
    const float here = LargestOf(scores, n);
    const float largest = here > before ? here : before;
    // Of a row that is -Infinity throughout nothing is left: its sum stays 0, and 0 / 0 is NaN in
    // the end, as softmax gives it.
    const float reference = largest == -kInfinity ? 0 : largest;
    const float sum = Exponentiate(scores, n, reference);
    if (block.key == 0) {
      w.sums[i] = sum;
    } else {
      const float factor = before == largest ? 1 : ExpOfNegative(Splat(before - reference))[0];
      w.sums[i] = w.sums[i] * factor + sum;
      if (factor != 1) ScaleRow(At(call.out, block, block.query + i), call.value_depth, factor);
    }
    w.maxima[i] = largest;
  }
}

// out (+)= weights · values for rows [i, i + rows) of the block and its keys [from, to), one panel.
void WeighPanel(const AttentionCall& call, const Block& block, const Workspace& w, size_t vector,
                size_t width, Range rows, Range keys, bool add) {
  const size_t col = vector * kLanes;
  const size_t cols =
      call.value_depth - col < width * kLanes ? call.value_depth - col : width * kLanes;
  const bool in_place = ValuesInPlace(call);
  const auto panel_row = in_place ? call.value.row : static_cast<int64_t>(width * kLanes);
  const float* panel =
      in_place ? At(call.value, block, block.key) + col : w.values + col * block.keys;
  const TileCall tile = {
      .a = w.scores + static_cast<int64_t>(rows.begin) * kScoreRow + keys.begin,
      .a_row = kScoreRow,
      .panel = panel + static_cast<int64_t>(keys.begin) * panel_row,
      .panel_row = panel_row,
      .depth = keys.end - keys.begin,
      .out = {.c = At(call.out, block, block.query + rows.begin) + col,
              .c_row = call.out.row,
              .cols = cols - (width - 1) * kLanes,
              .add = add,
              .bias = nullptr},
      .ahead = {},
  };
  RunTiles(tile, rows.end - rows.begin, width, nullptr);
}

void Weigh(const AttentionCall& call, const Block& block, const Workspace& w) {
  const Panels panels(call.value_depth);
  for (size_t v = 0; v < panels.vectors; v += panels.width) {
    const size_t width = panels.WidthAt(v);
    if (!call.causal) {
      WeighPanel(call, block, w, v, width, {0, block.queries}, {0, block.keys}, block.key > 0);
      continue;
    }
    // A tile takes the keys that its first query sees, then each query the few more that it sees.
    // Weights of 0 for the others would not do: what is not seen may be NaN.
    for (size_t i = 0; i < block.queries; i += kTileRows) {
      const size_t end = i + kTileRows < block.queries ? i + kTileRows : block.queries;
      const size_t shared = Seen(call, block, i);
      WeighPanel(call, block, w, v, width, {i, end}, {0, shared}, block.key > 0);
      for (size_t row = i + 1; row < end; ++row) {
        const size_t seen = Seen(call, block, row);
        if (seen > shared)
          WeighPanel(call, block, w, v, width, {row, row + 1}, {shared, seen}, true);
      }
    }
  }
}

void RunBlock(const AttentionCall& call, Block block, Workspace* w) {
  for (size_t i = 0; i < block.queries; ++i) {
    w->maxima[i] = -kInfinity;
    w->sums[i] = 0;
  }
  block.key = 0;
  do {
    block.keys = call.keys - block.key < kKeyBlock ? call.keys - block.key : kKeyBlock;
    // Beyond what the last query sees there is nothing to do, save to clear the output once.
    if (block.key > 0 && Seen(call, block, block.queries - 1) == 0) break;
    PackHead(call, block, w);
    Scores(call, block, *w);
    Soften(call, block, *w);
    Weigh(call, block, *w);
    block.key += block.keys;
  } while (block.key < call.keys);
  for (size_t i = 0; i < block.queries && call.keys > 0; ++i) {
    ScaleRow(At(call.out, block, block.query + i), call.value_depth, 1 / w->sums[i]);
  }
}

void Run(const AttentionCall& call, Range blocks, float* scratch) {
  Workspace w;
  w.keys = scratch;
  w.values = w.keys + WholeVectors(KeysFloats(call));
  w.scores = w.values + WholeVectors(ValuesFloats(call));
  w.maxima = w.scores + kLongBlock * static_cast<size_t>(kScoreRow);
  w.sums = w.maxima + WholeVectors(kLongBlock);
  const size_t at_once = QueryBlock(call);
  const size_t per_head = (call.queries + at_once - 1) / at_once;
  for (size_t b = blocks.begin; b < blocks.end; ++b) {
    Block block;
    block.batch = b / per_head / call.heads;
    block.head = b / per_head % call.heads;
    block.query = b % per_head * at_once;
    block.queries = call.queries - block.query < at_once ? call.queries - block.query : at_once;
    RunBlock(call, block, &w);
  }
}

}  // namespace

extern const AttentionKernels kAttention;
const AttentionKernels kAttention = {QueryBlock, ScratchFloats, Run, kLanes};

}  // namespace graviton::GRAVITON_NS
