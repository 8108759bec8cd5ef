/** A plan's elementwise steps may write over an operand (sharedStorages in src/compile/plan-words.ts): every length, every level. */
import {expect} from 'chai';
import {encodePlan} from '../../src/compile/plan-words';
import {native, type Slot} from '../../src/native';
import {Pointwise} from '../../src/ops/pointwise';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';
import {stepWords, uniform} from './harness';

const [x, y] = [input(0), input(1)];
const f = Math.fround;
const programs: readonly {readonly expr: Expr; readonly of: (x: number, y: number) => number}[] = [
  {expr: call('Add', x, y), of: (a, b) => f(a + b)},
  {expr: call('Sub', y, x), of: (a, b) => f(b - a)},
  {expr: call('Mul', call('Abs', call('Sub', x, y)), x), of: (a, b) => f(Math.abs(f(a - b)) * a)},
];

/** Copies input 1 to a temporary, overwrites that with the program of it and input 2, and copies the result out. */
function inPlace(expr: Expr, elems: number, a: Slot, b: Slot): Float32Array {
  const spec = {dtype: 'float32', elems} as const;
  const ref = (slot: number) => ({slot, offset: 0});
  const step = (of: Expr, inputs: readonly number[], output: number) =>
    stepWords(
      {op: Pointwise, params: {shape: [elems], strides: new Array(inputs.length + 1).fill(1), program: encodeProgram(of) as number[]}},
      inputs.map(ref),
      [ref(output)],
    );
  const storages = [1, 0, 0, elems, 1, 0, 1, elems, 2, 0, 0, elems, 0, 0, 0, elems];
  const steps = [...step(call('Copy', x), [1], 4), ...step(expr, [4, 2], 4), ...step(call('Copy', x), [4], 3)];
  const body = [...storages, ...steps];
  const plan = native().makePlan(encodePlan({inputs: 2, outputs: 1, freeSizes: 0, storages: 4, steps: 3, body, constants: []}), []);
  const [result] = native().runPlan(plan, [a, b], [spec], []);
  native().dropPlan(plan);
  const values = new Float32Array(native().read(result as Slot));
  native().release(result as Slot);
  return values;
}

describe('ops: in place', () => {
  const {isa: highest, isaNames, cpus} = native().info;
  after(() => native().configure({isa: highest, threads: cpus}));
  isaNames.slice(0, highest + 1).forEach((name, isa) => {
    it(name, () => {
      native().configure({isa, threads: 2});
      for (const elems of [1, 2, 3, 5, 8, 15, 16, 17, 33, 63, 255, 256, 257, 300, 1000, 4099, 200_001]) {
        const [a, b] = [uniform([-3, 3], elems, 1), uniform([-3, 3], elems, 2)];
        const slots = [native().store(a, 'float32'), native().store(b, 'float32')] as const;
        for (const {expr, of} of programs) {
          const wanted = a.map((value, i) => of(value, b[i] as number));
          expect(inPlace(expr, elems, ...slots), `${elems} elements`).to.deep.equal(wanted);
        }
        for (const slot of slots) native().release(slot);
      }
    });
  });
});
