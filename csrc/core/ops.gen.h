// Generated from src/ops by src/ops/generate.ts (npm run generate). Do not edit.
#ifndef GRAVITON_CORE_OPS_GEN_H_
#define GRAVITON_CORE_OPS_GEN_H_

// clang-format off
#include "core/step.h"

namespace graviton {

inline constexpr uint32_t kOpTableHash = 2175071747u;

// Scalar functions of Pointwise programs (src/ops/pointwise.ts).
enum class Scalar : uint16_t {
  kCopy = 0,
  kAdd = 1,
  kSub = 2,
  kMul = 3,
  kDiv = 4,
  kMaximum = 5,
  kMinimum = 6,
  kPow = 7,
  kMod = 8,
  kFloorDiv = 9,
  kSquaredDifference = 10,
  kAtan2 = 11,
  kPrelu = 12,
  kMulAdd = 13,
  kEqual = 14,
  kNotEqual = 15,
  kLess = 16,
  kLessEqual = 17,
  kGreater = 18,
  kGreaterEqual = 19,
  kNeg = 20,
  kAbs = 21,
  kSquare = 22,
  kSqrt = 23,
  kRsqrt = 24,
  kReciprocal = 25,
  kExp = 26,
  kExpm1 = 27,
  kLog = 28,
  kLog1p = 29,
  kSin = 30,
  kCos = 31,
  kTan = 32,
  kAsin = 33,
  kAcos = 34,
  kAtan = 35,
  kSinh = 36,
  kCosh = 37,
  kTanh = 38,
  kAsinh = 39,
  kAcosh = 40,
  kAtanh = 41,
  kErf = 42,
  kSigmoid = 43,
  kSoftplus = 44,
  kRelu = 45,
  kRelu6 = 46,
  kElu = 47,
  kSelu = 48,
  kSign = 49,
  kFloor = 50,
  kCeil = 51,
  kRound = 52,
  kStep = 53,
  kLeakyRelu = 54,
  kIsNan = 55,
  kIsInf = 56,
  kIsFinite = 57,
  kGeluErf = 58,
  kGeluTanh = 59,
  kSilu = 60,
  kHardSwish = 61,
  kHardSigmoid = 62,
  kAddInt = 63,
  kSubInt = 64,
  kMulInt = 65,
  kMaximumInt = 66,
  kMinimumInt = 67,
  kFloorDivInt = 68,
  kTruncateDivInt = 69,
  kModInt = 70,
  kSquaredDifferenceInt = 71,
  kPowInt = 72,
  kEqualInt = 73,
  kNotEqualInt = 74,
  kLessInt = 75,
  kLessEqualInt = 76,
  kGreaterInt = 77,
  kGreaterEqualInt = 78,
  kAnd = 79,
  kOr = 80,
  kXor = 81,
  kNot = 82,
  kNegInt = 83,
  kAbsInt = 84,
  kSignInt = 85,
  kCopyInt = 86,
  kSelect = 87,
  kSelectInt = 88,
  kToFloat = 89,
  kToInt = 90,
  kToBool = 91,
  kToBoolInt = 92,
  kClip = 93,
  kEluGrad = 94,
};
struct ScalarTypes {
  const char* takes;
  char gives;
};
inline constexpr ScalarTypes kScalarTypes[] = {
    {"f", 'f'},  // Copy
    {"ff", 'f'},  // Add
    {"ff", 'f'},  // Sub
    {"ff", 'f'},  // Mul
    {"ff", 'f'},  // Div
    {"ff", 'f'},  // Maximum
    {"ff", 'f'},  // Minimum
    {"ff", 'f'},  // Pow
    {"ff", 'f'},  // Mod
    {"ff", 'f'},  // FloorDiv
    {"ff", 'f'},  // SquaredDifference
    {"ff", 'f'},  // Atan2
    {"ff", 'f'},  // Prelu
    {"fff", 'f'},  // MulAdd
    {"ff", 'i'},  // Equal
    {"ff", 'i'},  // NotEqual
    {"ff", 'i'},  // Less
    {"ff", 'i'},  // LessEqual
    {"ff", 'i'},  // Greater
    {"ff", 'i'},  // GreaterEqual
    {"f", 'f'},  // Neg
    {"f", 'f'},  // Abs
    {"f", 'f'},  // Square
    {"f", 'f'},  // Sqrt
    {"f", 'f'},  // Rsqrt
    {"f", 'f'},  // Reciprocal
    {"f", 'f'},  // Exp
    {"f", 'f'},  // Expm1
    {"f", 'f'},  // Log
    {"f", 'f'},  // Log1p
    {"f", 'f'},  // Sin
    {"f", 'f'},  // Cos
    {"f", 'f'},  // Tan
    {"f", 'f'},  // Asin
    {"f", 'f'},  // Acos
    {"f", 'f'},  // Atan
    {"f", 'f'},  // Sinh
    {"f", 'f'},  // Cosh
    {"f", 'f'},  // Tanh
    {"f", 'f'},  // Asinh
    {"f", 'f'},  // Acosh
    {"f", 'f'},  // Atanh
    {"f", 'f'},  // Erf
    {"f", 'f'},  // Sigmoid
    {"f", 'f'},  // Softplus
    {"f", 'f'},  // Relu
    {"f", 'f'},  // Relu6
    {"f", 'f'},  // Elu
    {"f", 'f'},  // Selu
    {"f", 'f'},  // Sign
    {"f", 'f'},  // Floor
    {"f", 'f'},  // Ceil
    {"f", 'f'},  // Round
    {"ff", 'f'},  // Step
    {"ff", 'f'},  // LeakyRelu
    {"f", 'i'},  // IsNan
    {"f", 'i'},  // IsInf
    {"f", 'i'},  // IsFinite
    {"f", 'f'},  // GeluErf
    {"f", 'f'},  // GeluTanh
    {"f", 'f'},  // Silu
    {"f", 'f'},  // HardSwish
    {"f", 'f'},  // HardSigmoid
    {"ii", 'i'},  // AddInt
    {"ii", 'i'},  // SubInt
    {"ii", 'i'},  // MulInt
    {"ii", 'i'},  // MaximumInt
    {"ii", 'i'},  // MinimumInt
    {"ii", 'i'},  // FloorDivInt
    {"ii", 'i'},  // TruncateDivInt
    {"ii", 'i'},  // ModInt
    {"ii", 'i'},  // SquaredDifferenceInt
    {"ii", 'i'},  // PowInt
    {"ii", 'i'},  // EqualInt
    {"ii", 'i'},  // NotEqualInt
    {"ii", 'i'},  // LessInt
    {"ii", 'i'},  // LessEqualInt
    {"ii", 'i'},  // GreaterInt
    {"ii", 'i'},  // GreaterEqualInt
    {"ii", 'i'},  // And
    {"ii", 'i'},  // Or
    {"ii", 'i'},  // Xor
    {"i", 'i'},  // Not
    {"i", 'i'},  // NegInt
    {"i", 'i'},  // AbsInt
    {"i", 'i'},  // SignInt
    {"i", 'i'},  // CopyInt
    {"iff", 'f'},  // Select
    {"iii", 'i'},  // SelectInt
    {"i", 'f'},  // ToFloat
    {"f", 'i'},  // ToInt
    {"f", 'i'},  // ToBool
    {"i", 'i'},  // ToBoolInt
    {"fff", 'f'},  // Clip
    {"ff", 'f'},  // EluGrad
};
inline constexpr int kScalars = 95;

struct PointwiseParams {
  static constexpr const char* kName = "Pointwise";
  List shape;
  List strides;
  List program;
};
inline bool Decode(WordReader& reader, PointwiseParams* p) {
  return reader.Read(&p->shape) &&
         reader.Read(&p->strides) &&
         reader.Read(&p->program);
}
Status Pointwise(const StepContext& context, const PointwiseParams& params, Operands in, Operands out);

struct MatMulParams {
  static constexpr const char* kName = "MatMul";
  uint32_t batch1;
  uint32_t batch2;
  uint32_t rows_m;
  uint32_t cols_n;
  uint32_t depth_k;
  int32_t a_batch1;
  int32_t a_batch2;
  int32_t a_row;
  int32_t a_col;
  int32_t b_batch1;
  int32_t b_batch2;
  int32_t b_row;
  int32_t b_col;
  int32_t c_batch1;
  int32_t c_batch2;
  int32_t c_row;
  uint32_t packed_b;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, MatMulParams* p) {
  return reader.Read(&p->batch1) &&
         reader.Read(&p->batch2) &&
         reader.Read(&p->rows_m) &&
         reader.Read(&p->cols_n) &&
         reader.Read(&p->depth_k) &&
         reader.Read(&p->a_batch1) &&
         reader.Read(&p->a_batch2) &&
         reader.Read(&p->a_row) &&
         reader.Read(&p->a_col) &&
         reader.Read(&p->b_batch1) &&
         reader.Read(&p->b_batch2) &&
         reader.Read(&p->b_row) &&
         reader.Read(&p->b_col) &&
         reader.Read(&p->c_batch1) &&
         reader.Read(&p->c_batch2) &&
         reader.Read(&p->c_row) &&
         reader.Read(&p->packed_b) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status MatMul(const StepContext& context, const MatMulParams& params, Operands in, Operands out);

struct PackWeightsParams {
  static constexpr const char* kName = "PackWeights";
  uint32_t layout;
  uint32_t rows_k;
  uint32_t cols_n;
  int32_t row_stride;
  int32_t col_stride;
  uint32_t taps;
};
inline bool Decode(WordReader& reader, PackWeightsParams* p) {
  return reader.Read(&p->layout) &&
         reader.Read(&p->rows_k) &&
         reader.Read(&p->cols_n) &&
         reader.Read(&p->row_stride) &&
         reader.Read(&p->col_stride) &&
         reader.Read(&p->taps);
}
Status PackWeights(const StepContext& context, const PackWeightsParams& params, Operands in, Operands out);

struct AttentionParams {
  static constexpr const char* kName = "Attention";
  uint32_t batch;
  uint32_t heads;
  uint32_t queries;
  uint32_t keys;
  uint32_t depth;
  uint32_t value_depth;
  float scale;
  uint32_t causal;
  int32_t causal_offset;
  int32_t query_batch;
  int32_t query_head;
  int32_t query_row;
  int32_t key_batch;
  int32_t key_head;
  int32_t key_row;
  int32_t value_batch;
  int32_t value_head;
  int32_t value_row;
  int32_t mask_batch;
  int32_t mask_head;
  int32_t mask_row;
  int32_t mask_col;
  int32_t out_batch;
  int32_t out_head;
  int32_t out_row;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, AttentionParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->heads) &&
         reader.Read(&p->queries) &&
         reader.Read(&p->keys) &&
         reader.Read(&p->depth) &&
         reader.Read(&p->value_depth) &&
         reader.Read(&p->scale) &&
         reader.Read(&p->causal) &&
         reader.Read(&p->causal_offset) &&
         reader.Read(&p->query_batch) &&
         reader.Read(&p->query_head) &&
         reader.Read(&p->query_row) &&
         reader.Read(&p->key_batch) &&
         reader.Read(&p->key_head) &&
         reader.Read(&p->key_row) &&
         reader.Read(&p->value_batch) &&
         reader.Read(&p->value_head) &&
         reader.Read(&p->value_row) &&
         reader.Read(&p->mask_batch) &&
         reader.Read(&p->mask_head) &&
         reader.Read(&p->mask_row) &&
         reader.Read(&p->mask_col) &&
         reader.Read(&p->out_batch) &&
         reader.Read(&p->out_head) &&
         reader.Read(&p->out_row) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status Attention(const StepContext& context, const AttentionParams& params, Operands in, Operands out);

struct Conv2DParams {
  static constexpr const char* kName = "Conv2D";
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t x_batch;
  int32_t x_row;
  int32_t x_col;
  int32_t y_batch;
  int32_t y_row;
  int32_t y_col;
  uint32_t groups;
  uint32_t packed_filter;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, Conv2DParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->in_c) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->out_c) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->x_batch) &&
         reader.Read(&p->x_row) &&
         reader.Read(&p->x_col) &&
         reader.Read(&p->y_batch) &&
         reader.Read(&p->y_row) &&
         reader.Read(&p->y_col) &&
         reader.Read(&p->groups) &&
         reader.Read(&p->packed_filter) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status Conv2D(const StepContext& context, const Conv2DParams& params, Operands in, Operands out);

struct DepthwiseConv2DParams {
  static constexpr const char* kName = "DepthwiseConv2D";
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t x_batch;
  int32_t x_row;
  int32_t x_col;
  int32_t y_batch;
  int32_t y_row;
  int32_t y_col;
  uint32_t multiplier;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, DepthwiseConv2DParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->in_c) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->out_c) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->x_batch) &&
         reader.Read(&p->x_row) &&
         reader.Read(&p->x_col) &&
         reader.Read(&p->y_batch) &&
         reader.Read(&p->y_row) &&
         reader.Read(&p->y_col) &&
         reader.Read(&p->multiplier) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status DepthwiseConv2D(const StepContext& context, const DepthwiseConv2DParams& params, Operands in, Operands out);

struct Pool2DParams {
  static constexpr const char* kName = "Pool2D";
  uint32_t kind;
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t x_batch;
  int32_t x_row;
  int32_t x_col;
  int32_t y_batch;
  int32_t y_row;
  int32_t y_col;
};
inline bool Decode(WordReader& reader, Pool2DParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->in_c) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->out_c) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->x_batch) &&
         reader.Read(&p->x_row) &&
         reader.Read(&p->x_col) &&
         reader.Read(&p->y_batch) &&
         reader.Read(&p->y_row) &&
         reader.Read(&p->y_col);
}
Status Pool2D(const StepContext& context, const Pool2DParams& params, Operands in, Operands out);

struct Resize2DParams {
  static constexpr const char* kName = "Resize2D";
  uint32_t kind;
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t align_corners;
  uint32_t half_pixel_centers;
};
inline bool Decode(WordReader& reader, Resize2DParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->align_corners) &&
         reader.Read(&p->half_pixel_centers);
}
Status Resize2D(const StepContext& context, const Resize2DParams& params, Operands in, Operands out);

struct ReduceParams {
  static constexpr const char* kName = "Reduce";
  uint32_t kind;
  uint32_t outer;
  uint32_t reduce;
  uint32_t inner;
};
inline bool Decode(WordReader& reader, ReduceParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->outer) &&
         reader.Read(&p->reduce) &&
         reader.Read(&p->inner);
}
Status Reduce(const StepContext& context, const ReduceParams& params, Operands in, Operands out);

struct ArgReduceParams {
  static constexpr const char* kName = "ArgReduce";
  uint32_t kind;
  uint32_t outer;
  uint32_t reduce;
  uint32_t inner;
};
inline bool Decode(WordReader& reader, ArgReduceParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->outer) &&
         reader.Read(&p->reduce) &&
         reader.Read(&p->inner);
}
Status ArgReduce(const StepContext& context, const ArgReduceParams& params, Operands in, Operands out);

struct SoftmaxParams {
  static constexpr const char* kName = "Softmax";
  uint32_t rows;
  uint32_t cols;
  uint32_t logarithm;
};
inline bool Decode(WordReader& reader, SoftmaxParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->logarithm);
}
Status Softmax(const StepContext& context, const SoftmaxParams& params, Operands in, Operands out);

struct NormalizeParams {
  static constexpr const char* kName = "Normalize";
  uint32_t kind;
  uint32_t rows;
  uint32_t cols;
  uint32_t positions;
  uint32_t groups;
  int32_t x_row;
  int32_t y_row;
  float correction;
  float epsilon;
  float spread_epsilon;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, NormalizeParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->positions) &&
         reader.Read(&p->groups) &&
         reader.Read(&p->x_row) &&
         reader.Read(&p->y_row) &&
         reader.Read(&p->correction) &&
         reader.Read(&p->epsilon) &&
         reader.Read(&p->spread_epsilon) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status Normalize(const StepContext& context, const NormalizeParams& params, Operands in, Operands out);

struct CumulativeParams {
  static constexpr const char* kName = "Cumulative";
  uint32_t kind;
  uint32_t outer;
  uint32_t length;
  uint32_t inner;
  uint32_t exclusive;
  uint32_t reverse;
};
inline bool Decode(WordReader& reader, CumulativeParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->outer) &&
         reader.Read(&p->length) &&
         reader.Read(&p->inner) &&
         reader.Read(&p->exclusive) &&
         reader.Read(&p->reverse);
}
Status Cumulative(const StepContext& context, const CumulativeParams& params, Operands in, Operands out);

struct TopKParams {
  static constexpr const char* kName = "TopK";
  uint32_t rows;
  uint32_t cols;
  uint32_t k;
};
inline bool Decode(WordReader& reader, TopKParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->k);
}
Status TopK(const StepContext& context, const TopKParams& params, Operands in, Operands out);

struct StridedCopyParams {
  static constexpr const char* kName = "StridedCopy";
  List shape;
  List src_strides;
  List dst_strides;
};
inline bool Decode(WordReader& reader, StridedCopyParams* p) {
  return reader.Read(&p->shape) &&
         reader.Read(&p->src_strides) &&
         reader.Read(&p->dst_strides);
}
Status StridedCopy(const StepContext& context, const StridedCopyParams& params, Operands in, Operands out);

struct ConcatParams {
  static constexpr const char* kName = "Concat";
  uint32_t outer;
  List inner;
};
inline bool Decode(WordReader& reader, ConcatParams* p) {
  return reader.Read(&p->outer) &&
         reader.Read(&p->inner);
}
Status Concat(const StepContext& context, const ConcatParams& params, Operands in, Operands out);

struct PadParams {
  static constexpr const char* kName = "Pad";
  uint32_t mode;
  uint32_t value;
  List shape;
  List before;
  List after;
};
inline bool Decode(WordReader& reader, PadParams* p) {
  return reader.Read(&p->mode) &&
         reader.Read(&p->value) &&
         reader.Read(&p->shape) &&
         reader.Read(&p->before) &&
         reader.Read(&p->after);
}
Status Pad(const StepContext& context, const PadParams& params, Operands in, Operands out);

struct FillParams {
  static constexpr const char* kName = "Fill";
  uint32_t count;
  uint32_t value;
};
inline bool Decode(WordReader& reader, FillParams* p) {
  return reader.Read(&p->count) &&
         reader.Read(&p->value);
}
Status Fill(const StepContext& context, const FillParams& params, Operands in, Operands out);

struct GatherParams {
  static constexpr const char* kName = "Gather";
  uint32_t batch;
  uint32_t outer;
  uint32_t axis;
  uint32_t inner;
  uint32_t count;
};
inline bool Decode(WordReader& reader, GatherParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->outer) &&
         reader.Read(&p->axis) &&
         reader.Read(&p->inner) &&
         reader.Read(&p->count);
}
Status Gather(const StepContext& context, const GatherParams& params, Operands in, Operands out);

struct GatherNdParams {
  static constexpr const char* kName = "GatherNd";
  uint32_t slices;
  uint32_t inner;
  List dims;
};
inline bool Decode(WordReader& reader, GatherNdParams* p) {
  return reader.Read(&p->slices) &&
         reader.Read(&p->inner) &&
         reader.Read(&p->dims);
}
Status GatherNd(const StepContext& context, const GatherNdParams& params, Operands in, Operands out);

struct OneHotParams {
  static constexpr const char* kName = "OneHot";
  uint32_t count;
  uint32_t depth;
  uint32_t on;
  uint32_t off;
};
inline bool Decode(WordReader& reader, OneHotParams* p) {
  return reader.Read(&p->count) &&
         reader.Read(&p->depth) &&
         reader.Read(&p->on) &&
         reader.Read(&p->off);
}
Status OneHot(const StepContext& context, const OneHotParams& params, Operands in, Operands out);

struct DecodeWeightsParams {
  static constexpr const char* kName = "DecodeWeights";
  uint32_t code;
  uint32_t count;
  List affine;
};
inline bool Decode(WordReader& reader, DecodeWeightsParams* p) {
  return reader.Read(&p->code) &&
         reader.Read(&p->count) &&
         reader.Read(&p->affine);
}
Status DecodeWeights(const StepContext& context, const DecodeWeightsParams& params, Operands in, Operands out);

struct UnpackWeightsParams {
  static constexpr const char* kName = "UnpackWeights";
  uint32_t layout;
  uint32_t rows_k;
  uint32_t cols_n;
  int32_t row_stride;
  int32_t col_stride;
  uint32_t taps;
};
inline bool Decode(WordReader& reader, UnpackWeightsParams* p) {
  return reader.Read(&p->layout) &&
         reader.Read(&p->rows_k) &&
         reader.Read(&p->cols_n) &&
         reader.Read(&p->row_stride) &&
         reader.Read(&p->col_stride) &&
         reader.Read(&p->taps);
}
Status UnpackWeights(const StepContext& context, const UnpackWeightsParams& params, Operands in, Operands out);

struct ScatterParams {
  static constexpr const char* kName = "Scatter";
  uint32_t kind;
  uint32_t outside;
  uint32_t batch;
  uint32_t count;
  uint32_t inner;
  uint32_t same_update;
  uint32_t same_base;
  List dims;
};
inline bool Decode(WordReader& reader, ScatterParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->outside) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->count) &&
         reader.Read(&p->inner) &&
         reader.Read(&p->same_update) &&
         reader.Read(&p->same_base) &&
         reader.Read(&p->dims);
}
Status Scatter(const StepContext& context, const ScatterParams& params, Operands in, Operands out);

struct UnfoldParams {
  static constexpr const char* kName = "Unfold";
  uint32_t batch;
  uint32_t channels;
  uint32_t in_d;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t out_d;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t filter_d;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_d;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_front;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_d;
  uint32_t dilation_h;
  uint32_t dilation_w;
};
inline bool Decode(WordReader& reader, UnfoldParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->in_d) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->out_d) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->filter_d) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_d) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_front) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_d) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w);
}
Status Unfold(const StepContext& context, const UnfoldParams& params, Operands in, Operands out);

struct FoldParams {
  static constexpr const char* kName = "Fold";
  uint32_t batch;
  uint32_t channels;
  uint32_t in_d;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t out_d;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t filter_d;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_d;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_front;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_d;
  uint32_t dilation_h;
  uint32_t dilation_w;
  uint32_t cols_window;
  uint32_t cols_tap;
};
inline bool Decode(WordReader& reader, FoldParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->in_d) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->out_d) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->filter_d) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_d) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_front) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_d) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->cols_window) &&
         reader.Read(&p->cols_tap);
}
Status Fold(const StepContext& context, const FoldParams& params, Operands in, Operands out);

struct WindowMaxParams {
  static constexpr const char* kName = "WindowMax";
  uint32_t batch;
  uint32_t channels;
  uint32_t in_d;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t out_d;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t filter_d;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_d;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_front;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_d;
  uint32_t dilation_h;
  uint32_t dilation_w;
  uint32_t result;
  uint32_t across_batch;
};
inline bool Decode(WordReader& reader, WindowMaxParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->in_d) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->out_d) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->filter_d) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_d) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_front) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_d) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->result) &&
         reader.Read(&p->across_batch);
}
Status WindowMax(const StepContext& context, const WindowMaxParams& params, Operands in, Operands out);

struct DepthwiseFilterGradParams {
  static constexpr const char* kName = "DepthwiseFilterGrad";
  uint32_t batch;
  uint32_t channels;
  uint32_t in_d;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t out_d;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t filter_d;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_d;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_front;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_d;
  uint32_t dilation_h;
  uint32_t dilation_w;
  uint32_t multiplier;
};
inline bool Decode(WordReader& reader, DepthwiseFilterGradParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->in_d) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->out_d) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->filter_d) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_d) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_front) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_d) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->multiplier);
}
Status DepthwiseFilterGrad(const StepContext& context, const DepthwiseFilterGradParams& params, Operands in, Operands out);

struct Resize2DGradParams {
  static constexpr const char* kName = "Resize2DGrad";
  uint32_t kind;
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t align_corners;
  uint32_t half_pixel_centers;
};
inline bool Decode(WordReader& reader, Resize2DGradParams* p) {
  return reader.Read(&p->kind) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->align_corners) &&
         reader.Read(&p->half_pixel_centers);
}
Status Resize2DGrad(const StepContext& context, const Resize2DGradParams& params, Operands in, Operands out);

struct CropAndResizeParams {
  static constexpr const char* kName = "CropAndResize";
  uint32_t method;
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  uint32_t boxes;
  uint32_t crop_h;
  uint32_t crop_w;
  float extrapolation;
};
inline bool Decode(WordReader& reader, CropAndResizeParams* p) {
  return reader.Read(&p->method) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->boxes) &&
         reader.Read(&p->crop_h) &&
         reader.Read(&p->crop_w) &&
         reader.Read(&p->extrapolation);
}
Status CropAndResize(const StepContext& context, const CropAndResizeParams& params, Operands in, Operands out);

struct TransformParams {
  static constexpr const char* kName = "Transform";
  uint32_t method;
  uint32_t fill_mode;
  uint32_t shared_transform;
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t channels;
  uint32_t out_h;
  uint32_t out_w;
};
inline bool Decode(WordReader& reader, TransformParams* p) {
  return reader.Read(&p->method) &&
         reader.Read(&p->fill_mode) &&
         reader.Read(&p->shared_transform) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->channels) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w);
}
Status Transform(const StepContext& context, const TransformParams& params, Operands in, Operands out);

struct SearchSortedParams {
  static constexpr const char* kName = "SearchSorted";
  uint32_t rows;
  uint32_t cols;
  uint32_t values;
  uint32_t right;
};
inline bool Decode(WordReader& reader, SearchSortedParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->values) &&
         reader.Read(&p->right);
}
Status SearchSorted(const StepContext& context, const SearchSortedParams& params, Operands in, Operands out);

struct UniqueParams {
  static constexpr const char* kName = "Unique";
  uint32_t rows;
  uint32_t cols;
};
inline bool Decode(WordReader& reader, UniqueParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols);
}
Status Unique(const StepContext& context, const UniqueParams& params, Operands in, Operands out);

struct NonMaxSuppressionParams {
  static constexpr const char* kName = "NonMaxSuppression";
  uint32_t count;
  uint32_t most;
  float iou;
  float score;
  float sigma;
};
inline bool Decode(WordReader& reader, NonMaxSuppressionParams* p) {
  return reader.Read(&p->count) &&
         reader.Read(&p->most) &&
         reader.Read(&p->iou) &&
         reader.Read(&p->score) &&
         reader.Read(&p->sigma);
}
Status NonMaxSuppression(const StepContext& context, const NonMaxSuppressionParams& params, Operands in, Operands out);

struct BroadcastArgsParams {
  static constexpr const char* kName = "BroadcastArgs";
  uint32_t first;
  uint32_t second;
};
inline bool Decode(WordReader& reader, BroadcastArgsParams* p) {
  return reader.Read(&p->first) &&
         reader.Read(&p->second);
}
Status BroadcastArgs(const StepContext& context, const BroadcastArgsParams& params, Operands in, Operands out);

struct FftParams {
  static constexpr const char* kName = "Fft";
  uint32_t rows;
  uint32_t cols;
  uint32_t inverse;
};
inline bool Decode(WordReader& reader, FftParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->inverse);
}
Status Fft(const StepContext& context, const FftParams& params, Operands in, Operands out);

struct WindowSumParams {
  static constexpr const char* kName = "WindowSum";
  uint32_t rows;
  uint32_t cols;
  uint32_t radius;
};
inline bool Decode(WordReader& reader, WindowSumParams* p) {
  return reader.Read(&p->rows) &&
         reader.Read(&p->cols) &&
         reader.Read(&p->radius);
}
Status WindowSum(const StepContext& context, const WindowSumParams& params, Operands in, Operands out);

struct RecurrenceParams {
  static constexpr const char* kName = "Recurrence";
  uint32_t steps;
  uint32_t batch;
  uint32_t units;
  uint32_t gates;
  int32_t b_row;
  int32_t b_col;
  uint32_t packed_b;
  int32_t out_step;
  int32_t out_row;
  List cell;
  List hidden;
  List strides;
};
inline bool Decode(WordReader& reader, RecurrenceParams* p) {
  return reader.Read(&p->steps) &&
         reader.Read(&p->batch) &&
         reader.Read(&p->units) &&
         reader.Read(&p->gates) &&
         reader.Read(&p->b_row) &&
         reader.Read(&p->b_col) &&
         reader.Read(&p->packed_b) &&
         reader.Read(&p->out_step) &&
         reader.Read(&p->out_row) &&
         reader.Read(&p->cell) &&
         reader.Read(&p->hidden) &&
         reader.Read(&p->strides);
}
Status Recurrence(const StepContext& context, const RecurrenceParams& params, Operands in, Operands out);

struct ExpandDepthwiseConv2DParams {
  static constexpr const char* kName = "ExpandDepthwiseConv2D";
  uint32_t batch;
  uint32_t in_h;
  uint32_t in_w;
  uint32_t in_c;
  uint32_t out_h;
  uint32_t out_w;
  uint32_t out_c;
  uint32_t filter_h;
  uint32_t filter_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t dilation_h;
  uint32_t dilation_w;
  int32_t x_batch;
  int32_t x_row;
  int32_t x_col;
  int32_t y_batch;
  int32_t y_row;
  int32_t y_col;
  uint32_t depth_k;
  uint32_t packed_filter;
  List expansion;
  List epilogue;
  List epilogue_strides;
};
inline bool Decode(WordReader& reader, ExpandDepthwiseConv2DParams* p) {
  return reader.Read(&p->batch) &&
         reader.Read(&p->in_h) &&
         reader.Read(&p->in_w) &&
         reader.Read(&p->in_c) &&
         reader.Read(&p->out_h) &&
         reader.Read(&p->out_w) &&
         reader.Read(&p->out_c) &&
         reader.Read(&p->filter_h) &&
         reader.Read(&p->filter_w) &&
         reader.Read(&p->stride_h) &&
         reader.Read(&p->stride_w) &&
         reader.Read(&p->pad_top) &&
         reader.Read(&p->pad_left) &&
         reader.Read(&p->dilation_h) &&
         reader.Read(&p->dilation_w) &&
         reader.Read(&p->x_batch) &&
         reader.Read(&p->x_row) &&
         reader.Read(&p->x_col) &&
         reader.Read(&p->y_batch) &&
         reader.Read(&p->y_row) &&
         reader.Read(&p->y_col) &&
         reader.Read(&p->depth_k) &&
         reader.Read(&p->packed_filter) &&
         reader.Read(&p->expansion) &&
         reader.Read(&p->epilogue) &&
         reader.Read(&p->epilogue_strides);
}
Status ExpandDepthwiseConv2D(const StepContext& context, const ExpandDepthwiseConv2DParams& params, Operands in, Operands out);

struct RampParams {
  static constexpr const char* kName = "Ramp";
  uint32_t count;
  double start;
  double step;
};
inline bool Decode(WordReader& reader, RampParams* p) {
  return reader.Read(&p->count) &&
         reader.Read(&p->start) &&
         reader.Read(&p->step);
}
Status Ramp(const StepContext& context, const RampParams& params, Operands in, Operands out);

struct DiagParams {
  static constexpr const char* kName = "Diag";
  uint32_t count;
};
inline bool Decode(WordReader& reader, DiagParams* p) {
  return reader.Read(&p->count);
}
Status Diag(const StepContext& context, const DiagParams& params, Operands in, Operands out);

inline constexpr OpEntry kOps[] = {
    {"Pointwise", 0, 32, 1, Invoke<PointwiseParams, Pointwise>},
    {"MatMul", 3, 32, 1, Invoke<MatMulParams, MatMul>},
    {"PackWeights", 1, 1, 1, Invoke<PackWeightsParams, PackWeights>},
    {"Attention", 4, 32, 1, Invoke<AttentionParams, Attention>},
    {"Conv2D", 3, 32, 1, Invoke<Conv2DParams, Conv2D>},
    {"DepthwiseConv2D", 3, 32, 1, Invoke<DepthwiseConv2DParams, DepthwiseConv2D>},
    {"Pool2D", 1, 1, 1, Invoke<Pool2DParams, Pool2D>},
    {"Resize2D", 1, 1, 1, Invoke<Resize2DParams, Resize2D>},
    {"Reduce", 1, 1, 1, Invoke<ReduceParams, Reduce>},
    {"ArgReduce", 1, 1, 1, Invoke<ArgReduceParams, ArgReduce>},
    {"Softmax", 1, 1, 1, Invoke<SoftmaxParams, Softmax>},
    {"Normalize", 3, 32, 1, Invoke<NormalizeParams, Normalize>},
    {"Cumulative", 1, 1, 1, Invoke<CumulativeParams, Cumulative>},
    {"TopK", 1, 1, 2, Invoke<TopKParams, TopK>},
    {"StridedCopy", 1, 1, 1, Invoke<StridedCopyParams, StridedCopy>},
    {"Concat", 1, 64, 1, Invoke<ConcatParams, Concat>},
    {"Pad", 1, 1, 1, Invoke<PadParams, Pad>},
    {"Fill", 0, 0, 1, Invoke<FillParams, Fill>},
    {"Gather", 2, 2, 1, Invoke<GatherParams, Gather>},
    {"GatherNd", 2, 2, 1, Invoke<GatherNdParams, GatherNd>},
    {"OneHot", 1, 1, 1, Invoke<OneHotParams, OneHot>},
    {"DecodeWeights", 1, 1, 1, Invoke<DecodeWeightsParams, DecodeWeights>},
    {"UnpackWeights", 1, 1, 1, Invoke<UnpackWeightsParams, UnpackWeights>},
    {"Scatter", 3, 3, 1, Invoke<ScatterParams, Scatter>},
    {"Unfold", 1, 1, 1, Invoke<UnfoldParams, Unfold>},
    {"Fold", 2, 2, 1, Invoke<FoldParams, Fold>},
    {"WindowMax", 2, 2, 1, Invoke<WindowMaxParams, WindowMax>},
    {"DepthwiseFilterGrad", 2, 2, 1, Invoke<DepthwiseFilterGradParams, DepthwiseFilterGrad>},
    {"Resize2DGrad", 1, 1, 1, Invoke<Resize2DGradParams, Resize2DGrad>},
    {"CropAndResize", 3, 3, 1, Invoke<CropAndResizeParams, CropAndResize>},
    {"Transform", 3, 3, 1, Invoke<TransformParams, Transform>},
    {"SearchSorted", 2, 2, 1, Invoke<SearchSortedParams, SearchSorted>},
    {"Unique", 1, 1, 3, Invoke<UniqueParams, Unique>},
    {"NonMaxSuppression", 2, 2, 3, Invoke<NonMaxSuppressionParams, NonMaxSuppression>},
    {"BroadcastArgs", 2, 2, 1, Invoke<BroadcastArgsParams, BroadcastArgs>},
    {"Fft", 2, 2, 2, Invoke<FftParams, Fft>},
    {"WindowSum", 1, 1, 1, Invoke<WindowSumParams, WindowSum>},
    {"Recurrence", 3, 32, 2, Invoke<RecurrenceParams, Recurrence>},
    {"ExpandDepthwiseConv2D", 5, 32, 1, Invoke<ExpandDepthwiseConv2DParams, ExpandDepthwiseConv2D>},
    {"Ramp", 0, 0, 1, Invoke<RampParams, Ramp>},
    {"Diag", 1, 1, 1, Invoke<DiagParams, Diag>},
};
inline constexpr int kOpCount = 41;

}  // namespace graviton

#endif  // GRAVITON_CORE_OPS_GEN_H_
