#include "kernels/conv/winograd.h"

#include <algorithm>

#include "kernels/conv/split.h"
#include "kernels/gemm/gemm.h"

namespace graviton {
namespace {

constexpr uint32_t kTaps = 9;

// Tiles whose inputs and sums are in cache at a time. Each block reads the whole filter again, so
// that fewer than 16 tiles would wait for it; more than 48 gain nothing.
int64_t BlockOf(const ConvCall& conv, int64_t out, int64_t tiles) {
  constexpr int64_t kFloats = 256 << 10;
  const int64_t in = out + 2;
  const int64_t most = std::clamp<int64_t>(kFloats / (in * in * conv.image.in_c), 16, 48);
  const int64_t blocks = CeilDiv(tiles, most);
  return CeilDiv(tiles, blocks);
}

// All tiles transformed must be a modest amount of memory for threads to share them.
constexpr int64_t kMostShared = 4 << 20;

Split SplitOf(const WinogradCall& call, int64_t out, int64_t vectors, int64_t tile_rows,
              size_t threads) {
  const int64_t points = (out + 2) * (out + 2);
  const int64_t depth = points * call.conv.image.in_c;
  Split split = SplitPixels(call.tiles(), vectors, depth, tile_rows, threads);
  if (split.vectors > 1 && call.tiles() * depth > kMostShared) {
    split = {std::min(static_cast<int64_t>(split.parts()), call.tiles()), 1};
  }
  return split;
}

}  // namespace

void PackWinograd(const StepContext& context, const float* b, int64_t row, int64_t col,
                  size_t rows_k, size_t cols_n, int64_t out, float* packed) {
  const GemmKernels& gemm = *SelectkGemm(context.isa);
  const ConvKernels& kernels = *SelectkConv(context.isa);
  const WinogradKernels& winograd = out == 4 ? kernels.winograd4 : kernels.winograd2;
  float* matrices =
      packed + PackedElemsOf(context.isa, kLayoutGemmF32, static_cast<uint32_t>(rows_k),
                             static_cast<uint32_t>(cols_n), kTaps);
  ForPanels(context, kTaps * rows_k, cols_n, gemm.tile_cols, [&](Range panels) {
    // One at a time, so that the direct form is read again from the cache.
    for (size_t p = panels.begin; p < panels.end; ++p) {
      gemm.pack(b, row, col, kTaps * rows_k, cols_n, {p, p + 1}, packed);
      winograd.pack(packed, rows_k, cols_n, {p, p + 1}, matrices);
    }
  });
}

Status RunWinograd(const StepContext& context, const ConvCall& conv, const Epilogue* epilogue,
                   const float* filter, int64_t out) {
  const GemmKernels& gemm = *SelectkGemm(context.isa);
  const ConvKernels& kernels = *SelectkConv(context.isa);
  const WinogradKernels& winograd = out == 4 ? kernels.winograd4 : kernels.winograd2;
  const Image& image = conv.image;
  const auto lanes = static_cast<int64_t>(gemm.lanes);
  const int64_t vectors = CeilDiv(image.out_c, lanes);
  WinogradCall call = {.conv = conv,
                       .panels = filter + kTaps * image.in_c * vectors * lanes,
                       .epilogue = epilogue,
                       .tiles_h = CeilDiv(image.out_h, out),
                       .tiles_w = CeilDiv(image.out_w, out),
                       .block = 0,
                       .shares = false,
                       .shared = nullptr};
  const Split split =
      SplitOf(call, out, vectors, static_cast<int64_t>(gemm.tile_rows), context.threads);
  call.conv.panels = filter;
  call.conv.epilogue = nullptr;
  call.conv.block = out;
  call.shares = split.vectors > 1;
  call.block = BlockOf(conv, out, CeilDiv(call.tiles(), split.pixels));

  const int64_t zero_floats = CeilDiv(std::max(conv.depth(), image.in_c), 16) * 16;
  const size_t shared_floats = call.shares ? winograd.shared_floats(call) : 0;
  const size_t floats_bytes =
      (static_cast<size_t>(zero_floats) + (shared_floats + 15) / 16 * 16) * sizeof(float);
  const size_t thread_bytes = winograd.scratch_bytes(call);
  void* scratch;
  Status status = context.scratch.Reserve(floats_bytes + split.parts() * thread_bytes, &scratch);
  if (!status.ok()) return status;
  auto* zeros = static_cast<float*>(scratch);
  std::memset(zeros, 0, static_cast<size_t>(zero_floats) * sizeof(float));
  call.conv.zeros = zeros;
  call.shared = zeros + zero_floats;
  const auto of_thread = [&](size_t part) {
    return static_cast<char*>(scratch) + floats_bytes + part * thread_bytes;
  };
  const auto tiles = static_cast<size_t>(call.tiles());
  if (call.shares) {
    context.pool.Run(split.parts(), [&](size_t part) {
      winograd.transform(call, Partition(tiles, split.parts(), part), of_thread(part));
    });
  }
  context.pool.Run(split.parts(), [&](size_t part) {
    const auto parts = static_cast<size_t>(split.vectors);
    winograd.multiply(call, Partition(tiles, static_cast<size_t>(split.pixels), part / parts),
                      Partition(static_cast<size_t>(vectors), parts, part % parts),
                      of_thread(part));
  });
  return {};
}

}  // namespace graviton
