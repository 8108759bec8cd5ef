/** The ops that mend() puts in place of nodes that stock tfjs-converter runs wrongly. */
import {registerOp} from '@tensorflow/tfjs-converter';
import {add, bitwiseAnd, clone, linalg, moments, mul, reshape, rsqrt, sub, type Tensor, tidy} from '@tensorflow/tfjs-core';

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

const ops: Readonly<Record<string, (call: Call) => Tensor | Tensor[]>> = {
  GravitonAfter: ({inputs: [x]}) => clone(x as Tensor),
  GravitonMatrixBandPart: ({inputs: [x, lower, upper]}) =>
    linalg.bandPart(x as Tensor, (lower as Tensor).dataSync()[0] as number, (upper as Tensor).dataSync()[0] as number),
  GravitonBitwiseAnd: ({inputs: [a, b]}) => bitwiseAnd(a as Tensor, b as Tensor),
  GravitonTrainingBatchNorm: trainingBatchNorm,
};

export function registerMendedOps(): void {
  for (const [name, run] of Object.entries(ops)) registerOp(name, (call) => run(call as Call));
}
