/**
 * Arrays beyond the caches, at every level: large elementwise results, which are stored past these (kStreamedBytes in
 * csrc/kernels/pointwise/pointwise.cc), and reductions in more pieces than threads (PiecesFor in csrc/threads/parts.h).
 */
import {expect} from 'chai';
import {encodePlan} from '../../src/compile/plan-words';
import {native, type Slot} from '../../src/native';
import {Pointwise} from '../../src/ops/pointwise';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';
import {ArgReduce, argReduceKinds, Reduce, reduceKinds} from '../../src/ops/reduction';
import {integers, stepWords, uniform} from './harness';

const [rows, cols] = [8200, 1031];
const elems = rows * cols;
const params = (expr: Expr, shape: readonly number[], strides: readonly number[]) => ({
  shape,
  strides,
  program: encodeProgram(expr) as number[],
});

describe('ops: past the caches', () => {
  const {isa: highest, isaNames, cpus} = native().info;
  let floats: Float32Array;
  let negated: Float32Array;
  let ints: Int32Array;
  let row: Int32Array;
  let differences: Int32Array;
  const slots: Slot[] = [];
  const store = (values: Float32Array | Int32Array) => {
    const slot = native().store(values, values instanceof Float32Array ? 'float32' : 'int32');
    slots.push(slot);
    return slot;
  };
  before(() => {
    floats = uniform([-3, 3], elems);
    negated = floats.map((x) => -x);
    ints = integers([-9, 9], elems, 1);
    row = integers([-9, 9], cols, 2);
    differences = ints.map((x, i) => (row[i % cols] as number) - x);
  });
  afterEach(() => {
    for (const slot of slots.splice(0)) native().release(slot);
  });
  after(() => native().configure({isa: highest, threads: cpus}));

  /** Whole buffers are compared: to compare so many numbers one by one takes seconds. */
  function expectBytes(slot: Slot, wanted: Float32Array | Int32Array): void {
    slots.push(slot);
    expect(Buffer.compare(Buffer.from(native().read(slot)), Buffer.from(wanted.buffer))).to.equal(0);
  }

  /** Of each row of `ints`: the sum, which integers leave no rounding in, and where its largest element is first. */
  function reducedRows(): {sums: Int32Array; largest: Int32Array} {
    const sums = new Int32Array(rows);
    const largest = new Int32Array(rows);
    for (let r = 0; r < rows; r++) {
      const row = ints.subarray(r * cols, (r + 1) * cols);
      sums[r] = row.reduce((sum, x) => sum + x, 0);
      largest[r] = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    }
    return {sums, largest};
  }

  isaNames.slice(0, highest + 1).forEach((name, isa) => {
    for (const threads of [1, 2]) {
      it(`one instruction, ${name}, ${threads} thread(s)`, () => {
        native().configure({isa, threads});
        const slot = native().runOne(Pointwise, [store(floats)], 'float32', elems, params(call('Neg', input(0)), [elems], [1, 1]));
        expectBytes(slot, negated);
      });
    }

    it(`two instructions over rows, ${name}`, () => {
      native().configure({isa, threads: 2});
      const expr = call('AddInt', call('NegInt', input(0)), input(1));
      const slot = native().runOne(
        Pointwise,
        [store(ints), store(row)],
        'int32',
        elems,
        params(expr, [rows, cols], [cols, 1, 0, 1, cols, 1]),
      );
      expectBytes(slot, differences);
    });

    it(`reductions, ${name}`, () => {
      native().configure({isa, threads: 2});
      const {sums, largest} = reducedRows();
      const byRows = {outer: rows, reduce: cols, inner: 1};
      const all = {outer: 1, reduce: elems, inner: 1};
      const kind = reduceKinds.sum;
      const slot = store(ints);
      expectBytes(native().runOne(Reduce, [slot], 'int32', rows, {kind, ...byRows}), sums);
      expectBytes(native().runOne(Reduce, [slot], 'int32', 1, {kind, ...all}), Int32Array.of(sums.reduce((a, b) => a + b)));
      expectBytes(native().runOne(ArgReduce, [slot], 'int32', rows, {kind: argReduceKinds.max, ...byRows}), largest);
    });

    it(`in place, from an element that begins no vector, ${name}`, () => {
      native().configure({isa, threads: 2});
      const step = (expr: Expr, count: number, from: number, to: {readonly slot: number; readonly offset: number}) =>
        stepWords({op: Pointwise, params: params(expr, [count], [1, 1])}, [{slot: from, offset: to.offset}], [to]);
      const storages = [1, 0, 0, elems, 2, 0, 0, elems];
      const copied = step(call('Copy', input(0)), elems, 1, {slot: 2, offset: 0});
      const written = step(call('Neg', input(0)), elems - 3, 2, {slot: 2, offset: 3});
      const body = [...storages, ...copied, ...written];
      const plan = native().makePlan(encodePlan({inputs: 1, outputs: 1, freeSizes: 0, storages: 2, steps: 2, body, constants: []}), []);
      const [slot] = native().runPlan(plan, [store(floats)], [{dtype: 'float32', elems}], []);
      native().dropPlan(plan);
      const wanted = negated.slice();
      wanted.set(floats.subarray(0, 3));
      expectBytes(slot as Slot, wanted);
    });
  });
});
