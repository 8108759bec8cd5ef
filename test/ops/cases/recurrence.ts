/** Rows of Recurrence: LSTM and GRU layers of several steps, packed and plain weights, strides, sizes of 0, and refusals. */
import {type Native, native, type Slot} from '../../../src/native';
import {PackWeights, packLayouts} from '../../../src/ops/linear';
import {call, type Expr, encodeProgram, f32, input} from '../../../src/ops/program';
import {Recurrence} from '../../../src/ops/recurrence';
import {type OpCase, opCase, uniform} from '../harness';
import {unit} from './sources';

const program = (expr: Expr) => encodeProgram(expr) as number[];
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const [add, mul] = [(a: Expr, b: Expr) => call('Add', a, b), (a: Expr, b: Expr) => call('Mul', a, b)];

/** What a layer computes from its gates: as programs over (gates, h, c, one own input for each gate), and in double precision. */
interface Kind {
  readonly gates: number;
  readonly cell: readonly number[];
  readonly hidden: readonly number[];
  readonly step: (z: readonly number[], x: readonly number[], h: number, c: number) => readonly [h: number, c: number];
}
const sums = (gates: number, i: number) => add(input(i), input(gates + 2 + i));
const kinds: Readonly<Record<string, Kind>> = {
  lstm: {
    gates: 4,
    cell: program(add(mul(call('Sigmoid', sums(4, 1)), input(5)), mul(call('Sigmoid', sums(4, 0)), call('Tanh', sums(4, 2))))),
    hidden: program(mul(call('Sigmoid', sums(4, 3)), call('Tanh', input(5)))),
    step: (z, x, _, c) => {
      const [i, f, g, o] = z.map((v, k) => v + (x[k] as number)) as [number, number, number, number];
      const cell = sigmoid(f) * c + sigmoid(i) * Math.tanh(g);
      return [sigmoid(o) * Math.tanh(cell), cell];
    },
  },
  gru: {
    gates: 3,
    cell: [],
    hidden: (() => {
      const [update, reset] = [call('Sigmoid', sums(3, 0)), call('Sigmoid', sums(3, 1))];
      const candidate = call('Tanh', add(input(7), mul(reset, input(2))));
      return program(add(mul(update, input(3)), mul(call('Sub', f32(1), update), candidate)));
    })(),
    step: (z, x, h) => {
      const [u, r] = [sigmoid((z[0] as number) + (x[0] as number)), sigmoid((z[1] as number) + (x[1] as number))];
      return [u * h + (1 - u) * Math.tanh((x[2] as number) + r * (z[2] as number)), 0];
    },
  },
};

interface Layer {
  readonly kind: 'lstm' | 'gru';
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly packed?: boolean;
  /** Results as [batch, steps, units] rather than [steps, batch, units]. */
  readonly spread?: boolean;
}
const most = 0.5;

function layer({kind: name, steps, batch, units, packed = false, spread = false}: Layer): OpCase {
  const kind = kinds[name] as Kind;
  const {gates} = kind;
  const cols = gates * units;
  const [outStep, outRow] = spread ? [units, steps * units] : [batch * units, units];
  const weights = () => uniform([-most, most], units * cols, 2);
  const pack = (runtime: Native): Slot => {
    const params = {layout: packLayouts.gemmF32, rowsK: units, colsN: cols, rowStride: cols, colStride: 1, taps: 1};
    const plain = runtime.store(weights(), 'float32');
    const elems = native().packedElems(packLayouts.gemmF32, units, cols, 1);
    const slot = runtime.runOne(PackWeights, [plain], 'float32', elems, params);
    runtime.release(plain);
    return slot;
  };
  const isLstm = name === 'lstm';
  const own = {values: uniform([-2, 2], steps * batch * cols, 4)};
  return opCase({
    name: `Recurrence ${name} ${steps}x${batch}x${units}${packed ? ', packed' : ''}${spread ? ', batch first' : ''}`,
    op: Recurrence,
    inputs: () => [
      uniform([-1, 1], batch * units, 1),
      packed ? pack : weights(),
      isLstm ? uniform([-1, 1], batch * units, 3) : undefined,
      ...Array.from({length: gates}, (_, g) => ({...own, from: own.values.length === 0 ? 0 : g * units})),
    ],
    outputs: [
      {dtype: 'float32', elems: steps * batch * units},
      {dtype: 'float32', elems: isLstm ? batch * units : 0},
    ],
    params: {
      steps, batch, units, gates, bRow: cols, bCol: 1, packedB: packed ? packLayouts.gemmF32 : packLayouts.none, outStep, outRow,
      cell: kind.cell, hidden: kind.hidden, strides: Array(gates).fill([batch * cols, cols, 1]).flat(),
    },
    expected: ([h0, , c0]) => {
      const w = weights();
      const result = new Array<number>(steps * batch * units).fill(0);
      let h = Array.from(h0 ?? []);
      let c = Array.from(c0 ?? []);
      for (let t = 0; t < steps; t++) {
        const next = h.map((before, at) => {
          const [row, u] = [Math.floor(at / units), at % units];
          const z = Array.from({length: gates}, (_, g) => {
            let sum = 0;
            for (let k = 0; k < units; k++) sum += (h[row * units + k] as number) * (w[k * cols + g * units + u] as number);
            return sum;
          });
          const x = z.map((_, g) => own.values[(t * batch + row) * cols + g * units + u] as number);
          return kind.step(z, x, before, c[at] ?? 0);
        });
        h = next.map(([v]) => v);
        c = isLstm ? next.map(([, v]) => v) : [];
        h.forEach((v, at) => {
          result[t * outStep + Math.floor(at / units) * outRow + (at % units)] = v;
        });
      }
      // A sum of `units` products is off by units · ε of its terms (½), a gate by as much more as its slope (at most 1), and errors of one
      // step go into the next through weights of which √units · ½ is the norm; gates of these inputs halve them again.
      const bound = 8 * unit * (units + 16) * Math.max(1, Math.sqrt(units) / 8) ** steps;
      return [
        {values: result, bound: result.map(() => bound)},
        {values: c, bound: c.map(() => 4 * bound)},
      ];
    },
  });
}

const shapes = [[1, 1, 1], [3, 1, 5], [2, 3, 16], [4, 2, 24], [3, 1, 64], [2, 3, 256], [2, 5, 100], [2, 4, 250], [2, 1, 300]] as const;
const layers = (['lstm', 'gru'] as const).flatMap((kind) => [
  ...shapes.flatMap(([steps, batch, units]) => [layer({kind, steps, batch, units}), layer({kind, steps, batch, units, packed: true})]),
  layer({kind, steps: 3, batch: 2, units: 17, spread: true}),
  layer({kind, steps: 3, batch: 2, units: 32, packed: true, spread: true}),
  layer({kind, steps: 0, batch: 2, units: 3}),
  layer({kind, steps: 2, batch: 0, units: 3}),
]);

const copy = program(call('Copy', input(0)));
const valid = {
  steps: 2, batch: 1, units: 2, gates: 1, bRow: 2, bCol: 1, packedB: 0, outStep: 2, outRow: 2, cell: [] as number[], hidden: copy,
  strides: [] as number[],
};
const refusal = (name: string, params: Partial<typeof valid>, fails: RegExp, cell?: Float32Array) =>
  opCase({
    name: `Recurrence refuses ${name}`,
    op: Recurrence,
    inputs: () => [new Float32Array(2), new Float32Array(4), cell],
    outputs: [{dtype: 'float32', elems: 4}, {dtype: 'float32', elems: 2}],
    params: {...valid, ...params},
    fails,
  });
const refusals = [
  refusal('more steps than the result holds', {steps: 3}, /ERR_SHAPE.*result/),
  refusal('rows that overlap', {outStep: 1}, /ERR_SHAPE.*overlap/),
  refusal('a larger batch than the state', {batch: 2, outStep: 4}, /ERR_SHAPE/),
  refusal('more gates than the weights have', {gates: 2}, /ERR_SHAPE.*weights/),
  refusal('no gates', {gates: 0}, /ERR_INVALID_STEP.*gates/),
  refusal('more gates than a program has inputs', {gates: 40}, /ERR_(INVALID_STEP|SHAPE)/),
  refusal('sizes beyond int32', {gates: 2 ** 31, units: 2}, /ERR_SHAPE/),
  refusal('weights that stand still', {bRow: 0}, /ERR_INVALID_STEP.*walk/),
  refusal('packed weights that are plain', {packedB: 1}, /ERR_INVALID_STEP.*layout/),
  refusal('layouts that round', {packedB: 2}, /ERR_INVALID_STEP.*layout/),
  refusal('no program', {hidden: []}, /ERR_INVALID_STEP/),
  refusal('strides without an input', {strides: [1, 1, 1]}, /ERR_INVALID_STEP.*strides/),
  refusal('a cell without a program', {}, /ERR_INVALID_STEP.*cell/, new Float32Array(2)),
  refusal('a program without a cell', {cell: copy}, /ERR_INVALID_STEP.*cell/),
  refusal('a short cell', {cell: copy}, /ERR_SHAPE.* c/, new Float32Array(1)),
  refusal('a program of other inputs', {hidden: program(call('Copy', input(5)))}, /ERR_INVALID_STEP/),
];

export const cases: readonly OpCase[] = [...layers, ...refusals];
