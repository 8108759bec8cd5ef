#include "kernels/normalize/normalize.h"

#include <algorithm>

#include "core/ops.gen.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/normalize/normalize-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

Status CheckRows(const char* what, const Operand& operand, const NormalizeParams& params,
                 int32_t row) {
  const int32_t shape[] = {static_cast<int32_t>(params.rows), static_cast<int32_t>(params.cols)};
  const int32_t strides[] = {row, 1};
  return CheckOperand(what, operand, DType::kFloat32, shape, strides);
}

Status CheckParams(const NormalizeParams& params, Operands in, Operands out) {
  if (params.kind >= kNormalizeKinds) {
    return Status::Error(Code::kInvalidStep, "Normalize has no kind %u", params.kind);
  }
  if (Status s = CheckRows("Normalize x", in[0], params, params.x_row); !s.ok()) return s;
  if (Status s = CheckRows("Normalize result", out[0], params, params.y_row); !s.ok()) return s;
  const int64_t distance = params.y_row < 0 ? -int64_t{params.y_row} : params.y_row;
  if (params.rows > 1 && distance < params.cols) {
    return Status::Error(Code::kShape, "Normalize: result rows of %u elements are only %d apart",
                         params.cols, params.y_row);
  }
  if (params.positions == 0 || params.rows % params.positions != 0 || params.groups == 0 ||
      params.cols % params.groups != 0) {
    return Status::Error(Code::kShape,
                         "Normalize: %u x %u elements are not samples of %u rows and %u groups",
                         params.rows, params.cols, params.positions, params.groups);
  }
  const char* const names[] = {"Normalize gamma", "Normalize beta"};
  for (size_t i = 1; i <= 2; ++i) {
    if (!in[i].given()) continue;
    if (Status s = CheckDense(names[i - 1], in[i], DType::kFloat32, params.cols); !s.ok()) return s;
  }
  return {};
}

// `count` rows of `all` from `first` on.
NormalizePiece PieceOf(const NormalizePiece& all, size_t first, size_t count) {
  NormalizePiece piece = all;
  const auto at = static_cast<ptrdiff_t>(first);
  piece.x += at * all.x_row;
  piece.y += at * all.y_row;
  piece.rows = count;
  piece.first_row = first;
  return piece;
}

// Samples of several rows or groups: moments of columns, joined to those of groups.
struct ColumnJob {
  const NormalizeKernels* kernels;
  NormalizePiece all;
  size_t kind;
  size_t positions;
  size_t groups;
  size_t splits;  // of a sample among threads
  size_t padded;  // columns in whole vectors of any level
  size_t samples() const { return all.rows / positions; }
  size_t slot_doubles() const { return 2 * padded; }
  Range RowsOf(size_t split) const { return Partition(positions, splits, split); }
  NormalizePiece Piece(size_t sample, size_t split) const {
    const Range rows = RowsOf(split);
    return PieceOf(all, sample * positions + rows.begin, rows.end - rows.begin);
  }
};

void Gather(const ColumnJob& job, size_t sample, size_t split, double* slot) {
  job.kernels->moments[job.kind](job.Piece(sample, split), slot, slot + job.padded);
}

// Moments of `count` elements each, joined as in JoinMoments.
struct Moments {
  double mean = 0;
  double squares = 0;
  double count = 0;
  void Join(double their_mean, double their_squares, double their_count) {
    const double share = their_count / (count + their_count);
    const double apart = their_mean - mean;
    mean += apart * share;
    squares += their_squares + apart * apart * count * share;
    count += their_count;
  }
};

// What ScaleColumns takes, from the moments of a sample's splits: mean, factor and shift of each
// column.
void Finish(const ColumnJob& job, const double* slots, float* columns) {
  const size_t channels = job.all.cols / job.groups;
  float* const mean = columns;
  float* const factor = mean + job.padded;
  float* const shift = factor + job.padded;
  for (size_t first = 0; first < job.all.cols; first += channels) {
    Moments group;
    for (size_t col = first; col < first + channels; ++col) {
      for (size_t split = 0; split < job.splits; ++split) {
        const Range rows = job.RowsOf(split);
        if (rows.begin == rows.end) continue;
        const double* slot = slots + split * job.slot_doubles() + col;
        group.Join(slot[0], slot[job.padded], static_cast<double>(rows.end - rows.begin));
      }
    }
    const auto variance = static_cast<float>(group.squares / group.count);
    const float inverse = job.all.spread.Inverse(variance);
    for (size_t col = first; col < first + channels; ++col) {
      mean[col] = static_cast<float>(group.mean);
      factor[col] = inverse * (job.all.gamma == nullptr ? 1.0f : job.all.gamma[col]);
      shift[col] = job.all.beta == nullptr ? 0.0f : job.all.beta[col];
    }
  }
}

void Scale(const ColumnJob& job, size_t sample, size_t split, const float* columns) {
  job.kernels->scale(job.Piece(sample, split), columns, columns + job.padded,
                     columns + 2 * job.padded);
}

Status RunColumns(const StepContext& context, ColumnJob job, size_t parts) {
  const size_t samples = job.samples();
  if (samples == 0) return {};
  job.splits = samples >= parts ? 1 : std::min((parts + samples - 1) / samples, job.positions);
  const size_t items = samples * job.splits;
  parts = std::min(parts, items);
  const size_t slots = job.splits == 1 ? parts : items;
  const size_t doubles = slots * job.slot_doubles();
  const size_t part_floats = 3 * job.padded;
  void* scratch = nullptr;
  Status status = context.scratch.Reserve(
      doubles * sizeof(double) + parts * part_floats * sizeof(float), &scratch);
  if (!status.ok()) return status;
  auto* const moments = static_cast<double*>(scratch);
  auto* const columns = reinterpret_cast<float*>(moments + doubles);
  std::memset(columns, 0, parts * part_floats * sizeof(float));
  if (job.splits == 1) {
    // A sample that has just been read is in cache.
    context.pool.Run(parts, [&](size_t part) {
      double* const slot = moments + part * job.slot_doubles();
      float* const own = columns + part * part_floats;
      const Range range = Partition(samples, parts, part);
      for (size_t sample = range.begin; sample < range.end; ++sample) {
        Gather(job, sample, 0, slot);
        Finish(job, slot, own);
        Scale(job, sample, 0, own);
      }
    });
    return {};
  }
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(items, parts, part);
    for (size_t item = range.begin; item < range.end; ++item) {
      Gather(job, item / job.splits, item % job.splits, moments + item * job.slot_doubles());
    }
  });
  context.pool.Run(parts, [&](size_t part) {
    float* const own = columns + part * part_floats;
    const Range range = Partition(items, parts, part);
    for (size_t item = range.begin; item < range.end; ++item) {
      const size_t sample = item / job.splits;
      Finish(job, moments + sample * job.splits * job.slot_doubles(), own);
      Scale(job, sample, item % job.splits, own);
    }
  });
  return {};
}

}  // namespace

Status Normalize(const StepContext& context, const NormalizeParams& params, Operands in,
                 Operands out) {
  if (Status s = CheckParams(params, in, out); !s.ok()) return s;
  Epilogue epilogue;
  const int64_t shape[4] = {1, 1, params.rows, params.cols};
  Status status = BindEpilogue("Normalize", params.epilogue, params.epilogue_strides, in.subspan(3),
                               shape, &epilogue);
  if (!status.ok()) return status;
  if (params.rows == 0 || params.cols == 0) return {};
  const bool by_rows = params.positions == 1 && params.groups == 1;
  const NormalizeKernels* kernels = SelectkNormalize(context.isa);
  NormalizePiece all = {
      .x = in[0].f32(),
      .gamma = in[1].f32(),
      .beta = in[2].f32(),
      .y = out[0].f32(),
      .rows = params.rows,
      .cols = params.cols,
      .x_row = params.x_row,
      .y_row = params.y_row,
      .spread = {params.correction, params.epsilon, params.spread_epsilon},
      .epilogue = epilogue.empty() ? nullptr : &epilogue,
      .clamp = {},
      .first_row = 0,
  };
  const double work_ns = params.rows * (0.25 * params.cols + 30.0);
  const size_t parts = PartsFor(context.threads, params.rows, work_ns);
  if (!by_rows) {
    if (AsClamp(epilogue.program, &all.clamp)) {
      all.epilogue = nullptr;
    } else {
      all.clamp = {};
    }
    const size_t padded = (params.cols + 15) / 16 * size_t{16};
    return RunColumns(context,
                      {.kernels = kernels,
                       .all = all,
                       .kind = params.kind,
                       .positions = params.positions,
                       .groups = params.groups,
                       .splits = 1,
                       .padded = padded},
                      parts);
  }
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(params.rows, parts, part);
    kernels->rows[params.kind](PieceOf(all, range.begin, range.end - range.begin));
  });
  return {};
}

}  // namespace graviton
