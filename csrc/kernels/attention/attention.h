#ifndef GRAVITON_KERNELS_ATTENTION_ATTENTION_H_
#define GRAVITON_KERNELS_ATTENTION_ATTENTION_H_

#include <cstddef>
#include <cstdint>

#include "kernels/pointwise/program.h"
#include "simd/dispatch.h"
#include "threads/thread_pool.h"

namespace graviton {

// out[b, h, q, :] = Σk softmaxₖ(epilogue(scale · ⟨query[b, h, q], key[b, h, k]⟩ + mask[b, h, q,
// k])) · value[b, h, k, :], with k ≤ q + causal_offset where causal. Strides as in AttentionParams.
struct AttentionCall {
  struct Tensor {
    float* data;
    int64_t batch;
    int64_t head;
    int64_t row;
  };
  Tensor query;
  Tensor key;
  Tensor value;
  Tensor out;
  Tensor mask;  // data null: none
  int64_t mask_col;
  size_t heads;
  size_t queries;
  size_t keys;
  size_t depth;
  size_t value_depth;
  float scale;
  bool causal;
  int64_t causal_offset;
  const Epilogue* epilogue;  // null: none
};

struct AttentionKernels {
  // Queries that are worked on at once; `run` takes ranges of such blocks, batch and head first.
  size_t (*query_block)(const AttentionCall& call);
  size_t (*scratch_floats)(const AttentionCall& call);
  void (*run)(const AttentionCall& call, Range blocks, float* scratch);
  size_t lanes;
};
GRAVITON_DISPATCH(AttentionKernels, kAttention)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_ATTENTION_ATTENTION_H_
