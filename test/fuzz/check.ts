/**
 * Runs a drawn call on `graviton` and on tfjs-backend-cpu. Both must give the same, or both must throw; `graviton` must leave tensors and
 * native bytes as they were, and the call inside a compiled function must replay to the bits that eager mode gives.
 */
import * as cpu from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {compile} from '../../src';
import {native} from '../../src/native';
import {type Call, type TensorSpec, valuesOf} from './call';
import {cpuIsWrong, toleranceOf} from './known';

export const cpuVersion = cpu.version_cpu;

type Values = Float32Array | Int32Array | Uint8Array;
interface Result {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: Values;
}
type Outcome = {readonly results: readonly Result[]} | {readonly error: string; readonly breaks: boolean};

function use(backend: string): void {
  void tf.setBackend(backend); // both are ready: it has switched when it returns
  if (tf.getBackend() !== backend) throw new Error(`the backend is ${tf.getBackend()}, not ${backend}`);
}

const specsOf = (call: Call): [string, TensorSpec][] => Object.entries(call.inputs as Record<string, TensorSpec>);

function tensorsOf(call: Call, absolute: boolean): tf.Tensor[] {
  return specsOf(call).map(([, spec]) => {
    const values = valuesOf(spec);
    return tf.tensor(absolute && spec.values === undefined ? values.map(Math.abs) : values, spec.shape as number[], spec.dtype);
  });
}
/** Kernels that the cpu backend has not, of kernels that it has. */
const composed: Readonly<Record<string, (xs: readonly tf.Tensor[]) => tf.Tensor>> = {
  LogicalXor: ([a, b]) => tf.notEqual(a as tf.Tensor, b as tf.Tensor),
  LogSoftmax: ([x]) => {
    const shifted = tf.sub(x as tf.Tensor, tf.max(x as tf.Tensor, -1, true));
    return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
  },
};

function runKernel(call: Call, tensors: readonly tf.Tensor[]): tf.Tensor[] {
  const reference = tf.getBackend() === 'cpu' ? composed[call.kernel] : undefined;
  if (reference !== undefined) return [reference(tensors)];
  const names = specsOf(call).map(([name]) => name);
  const inputs = Array.isArray(call.inputs) ? tensors : Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
  return [tf.engine().runKernel(call.kernel, inputs as tf.NamedTensorMap, call.attrs as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[]].flat();
}
const read = (t: tf.Tensor): Result => ({shape: t.shape, dtype: t.dtype, values: t.dataSync() as Values});

function outcome(call: Call, absolute = false): Outcome {
  let results: Result[] = [];
  try {
    tf.tidy(() => {
      const attrs = absolute ? {...call.attrs, activation: 'linear'} : call.attrs;
      results = runKernel({...call, attrs}, tensorsOf(call, absolute)).map(read);
    });
    return {results};
  } catch (error) {
    const {name, message} = error as Error;
    return {error: message.split('\n')[0] as string, breaks: name === 'TypeError' || name === 'RangeError'};
  }
}
function footprint(): string {
  const {tensors, tensorBytes} = native().stats();
  return JSON.stringify({...tf.memory(), tensors, tensorBytes, dataIds: tf.backend().numDataIds()});
}

/** Throws what is wrong with element i, if anything. */
function compare(call: Call, got: readonly Result[], wanted: readonly Result[]): void {
  const described = (results: readonly Result[]) => results.map(({dtype, shape}) => `${dtype}[${shape.join(', ')}]`).join(' ');
  if (described(got) !== described(wanted)) throw new Error(`gives ${described(got)}, cpu ${described(wanted)}`);
  const tolerance = toleranceOf(call.kernel);
  let bounds: readonly Result[] | undefined;
  got.forEach(({values, dtype}, at) => {
    const other = (wanted[at] as Result).values;
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [values[i] as number, other[i] as number];
      if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
      if (dtype === 'float32') {
        const largest = Math.max(Math.abs(a), Math.abs(b));
        if (Math.abs(a - b) <= Math.max(tolerance.abs ?? 0, (tolerance.ulp ?? 0) * 2 ** -23 * largest, tolerance.ulp ? 1.2e-38 : 0))
          continue;
        if (tolerance.sum) {
          if (bounds === undefined) {
            use('cpu');
            const made = outcome(call, true);
            bounds = 'results' in made ? made.results : [];
          }
          // Σ|a||b|: what rounding errors are proportional to. Not finite: an intermediate sum may overflow in one order only.
          const bound = bounds[at]?.values[i] ?? 0;
          if (Math.abs(a - b) <= tolerance.sum * 2 ** -23 * bound + 1.2e-38 * tolerance.sum) continue;
          if (bound === Number.POSITIVE_INFINITY || bound > 1e38) continue;
          // So may the sum that a mean divides by its count; draws have less than 4,000 elements.
          if (Number.isNaN(a) && bound > 3.4e38 / 4000) continue;
        }
      }
      throw new Error(`result ${at}, element ${i} is ${a}, cpu ${b}`);
    }
  });
}

/** Throws when the compiled call does not replay to the eager results. */
function compareReplays(call: Call, eager: readonly Result[]): void {
  tf.tidy(() => {
    const inputs = tensorsOf(call, false);
    const fast = compile((...xs: tf.Tensor[]) => runKernel(call, xs));
    try {
      for (let round = 0; round < 3; round++) {
        const results = fast(...inputs).map(read);
        results.forEach(({values, shape, dtype}, at) => {
          const {values: wanted, shape: wantedShape, dtype: wantedDtype} = eager[at] as Result;
          if (dtype !== wantedDtype || shape.join() !== wantedShape.join()) {
            throw new Error(
              `compiled, round ${round}: gives ${dtype}[${shape.join(', ')}], eager ${wantedDtype}[${wantedShape.join(', ')}]`,
            );
          }
          const wrong = values.findIndex((x, i) => !Object.is(x, wanted[i]));
          if (wrong >= 0)
            throw new Error(`compiled, round ${round}: result ${at}, element ${wrong} is ${values[wrong]}, eager ${wanted[wrong]}`);
        });
      }
    } finally {
      fast.dispose();
    }
  });
}

export interface Seen {
  /** What both sides did. */
  readonly outcome: 'same' | 'both refuse' | 'graviton refuses' | 'cpu is wrong';
}

/** Throws an error that says what differs. `spoilt`: the call may be invalid, and then refusing it is right. `replay`: compile it too. */
export function check(call: Call, {spoilt = false, replay = false} = {}): Seen {
  use('cpu');
  const wanted = outcome(call);
  use('graviton');
  outcome(call); // native buffers that the first call keeps
  const before = footprint();
  const got = outcome(call);
  if (footprint() !== before) throw new Error(`leaves something behind: ${footprint()}, before ${before}`);
  if ('error' in got) {
    if ('error' in wanted) return {outcome: 'both refuse'};
    if (got.breaks) throw new Error(`breaks: ${got.error}`);
    if (spoilt) return {outcome: 'graviton refuses'};
    throw new Error(`refuses what cpu takes: ${got.error}`);
  }
  if (cpuIsWrong(call)) return {outcome: 'cpu is wrong'};
  if ('error' in wanted) throw new Error(`takes what cpu refuses: ${wanted.error}`);
  compare(call, got.results, wanted.results);
  if (replay && specsOf(call).length > 0) {
    use('graviton');
    compareReplays(call, got.results);
    if (footprint() !== before) throw new Error(`compiled, leaves something behind: ${footprint()}, before ${before}`);
  }
  return {outcome: 'same'};
}
