/** The ops that mend() puts in place of nodes that stock tfjs-converter runs wrongly. */
import {registerOp} from '@tensorflow/tfjs-converter';
import {
  add,
  any,
  bitwiseAnd,
  cast,
  clone,
  cumsum,
  equal,
  floorDiv,
  gather,
  image,
  linalg,
  logicalNot,
  mod,
  moments,
  mul,
  range,
  reshape,
  rsqrt,
  scalar,
  searchSorted,
  slice,
  stack,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  util,
  zeros,
} from '@tensorflow/tfjs-core';

/** What tfjs-converter passes to a custom op. */
interface Call {
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** y, batch mean, batch variance of FusedBatchNorm in training mode (Ioffe & Szegedy 2015), over all axes but the channels. */
function trainingBatchNorm({inputs, attrs}: Call): Tensor[] {
  const [x, scale, offset] = inputs as readonly [Tensor, Tensor, Tensor];
  const epsilon = Number(attrs.epsilon ?? 1e-4);
  const channelsFirst = String(attrs.data_format).toUpperCase() === 'NCHW';
  const channels = channelsFirst ? 1 : x.rank - 1;
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== channels);
  const along = (t: Tensor) => (channelsFirst ? reshape(t, [-1, ...axes.slice(1).map(() => 1)]) : t);
  const result = tidy(() => {
    const {mean, variance} = moments(x, axes, true);
    const normal = mul(sub(x, mean), rsqrt(add(variance, epsilon)));
    return [add(mul(normal, along(scale)), along(offset)), reshape(mean, [-1]), reshape(variance, [-1])];
  });
  const [y, mean, variance] = result as [Tensor, Tensor, Tensor];
  return [y, mean, variance, clone(mean), clone(variance), clone(variance)];
}

const first = (t: Tensor | undefined): number => (t as Tensor).dataSync()[0] as number;

/** The positions of what is not zero, int32[count, rank], in row-major order: of them only the count is read. */
function nonZeros(x: Tensor): Tensor {
  const rank = x.rank;
  return tidy(() => {
    const sums = cumsum(cast(cast(reshape(x, [-1]), 'bool'), 'int32'));
    const count = x.size === 0 ? 0 : first(slice(sums, [x.size - 1], [1]));
    if (count === 0 || rank === 0) return zeros([count, rank], 'int32');
    // The n-th is where the running count first comes to n.
    const flat = reshape(searchSorted(sums, range(1, count + 1, 1, 'int32')), [-1]);
    const axes = x.shape.map((size, axis) => {
      const inner = util.sizeFromShape(x.shape.slice(axis + 1));
      return mod(floorDiv(flat, scalar(inner, 'int32')), scalar(size, 'int32'));
    });
    return stack(axes, 1);
  });
}

/** What of the list x is not in y, and at which positions. */
function listDiff(x: Tensor, y: Tensor): Tensor[] {
  return tidy(() => {
    const isIn = any(equal(reshape(x, [-1, 1]), reshape(y, [1, -1])), 1);
    const positions = reshape(nonZeros(logicalNot(isIn)), [-1]) as Tensor1D;
    return [gather(x, positions), positions];
  });
}

type Boxes = readonly [boxes: Tensor2D, scores: Tensor1D, ...limits: Tensor[]];

const ops: Readonly<Record<string, (call: Call) => Tensor | Tensor[]>> = {
  GravitonWhere: ({inputs: [condition]}) => nonZeros(condition as Tensor),
  GravitonListDiff: ({inputs: [x, y]}) => listDiff(x as Tensor, y as Tensor),
  GravitonNonMaxSuppressionV2: ({inputs}) => {
    const [boxes, scores, most, iou] = inputs as Boxes;
    return image.nonMaxSuppression(boxes, scores, first(most), first(iou));
  },
  GravitonNonMaxSuppressionV3: ({inputs}) => {
    const [boxes, scores, most, iou, score] = inputs as Boxes;
    return image.nonMaxSuppression(boxes, scores, first(most), first(iou), first(score));
  },
  GravitonNonMaxSuppressionV4: ({inputs, attrs}) => {
    const [boxes, scores, most, iou, score] = inputs as Boxes;
    const pads = attrs.pad_to_max_output_size === true;
    const {selectedIndices, validOutputs} = image.nonMaxSuppressionPadded(boxes, scores, first(most), first(iou), first(score), pads);
    return [selectedIndices, validOutputs] as Tensor[];
  },
  GravitonNonMaxSuppressionV5: ({inputs}) => {
    const [boxes, scores, most, iou, score, sigma] = inputs as Boxes;
    const result = image.nonMaxSuppressionWithScore(boxes, scores, first(most), first(iou), first(score), first(sigma));
    const {selectedIndices, selectedScores} = result;
    return [selectedIndices, selectedScores] as Tensor[];
  },
  GravitonAfter: ({inputs: [x]}) => clone(x as Tensor),
  GravitonMatrixBandPart: ({inputs: [x, lower, upper]}) =>
    linalg.bandPart(x as Tensor, (lower as Tensor).dataSync()[0] as number, (upper as Tensor).dataSync()[0] as number),
  GravitonBitwiseAnd: ({inputs: [a, b]}) => bitwiseAnd(a as Tensor, b as Tensor),
  GravitonTrainingBatchNorm: trainingBatchNorm,
};

export function registerMendedOps(): void {
  for (const [name, run] of Object.entries(ops)) registerOp(name, (call) => run(call as Call));
}
