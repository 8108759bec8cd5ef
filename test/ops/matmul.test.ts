import {expect} from 'chai';
import {native, noSlot, type Slot} from '../../src/native';
import {MatMul, PackWeights, packedTypes, packLayouts, UnpackWeights} from '../../src/ops/linear';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';

/** One product: sizes, how its operands lie in memory, and what is fused. */
interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: readonly [number, number];
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Extra elements at the end of each row. */
  readonly gap?: number;
  readonly broadcastA?: boolean;
  readonly broadcastB?: boolean;
  readonly packed?: boolean;
  /** Packed in bfloat16: a and b are rounded to it. */
  readonly bf16?: boolean;
  /** Packed in int8: a and b are whole numbers of which each row and column has a ±127, so that nothing is rounded. */
  readonly int8?: boolean;
  readonly bias?: boolean;
  /** What follows, over the sum (input 0) and a residual of c's shape (input 1). */
  readonly epilogue?: {readonly expr: Expr; readonly value: (sum: number, residual: number) => number};
}

const epsilon = 2 ** -23;
const levels = native().info.isaNames.slice(0, native().info.isa + 1);

function randoms(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

/** To bfloat16, ties to even. */
function rounded(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  values.forEach((value, i) => {
    const own = bits[i] as number;
    if (Number.isFinite(value)) bits[i] = (own + 0x7fff + ((own >>> 16) & 1)) & 0xffff0000;
  });
  return new Float32Array(bits.buffer);
}

/** Whole numbers in [-127, 127], the first of each line along `depth` ±127. */
function toSteps(values: Float32Array, depth: number, isFirst: (i: number) => boolean): void {
  if (depth === 0) return;
  values.forEach((v, i) => {
    values[i] = isFirst(i) ? 127 * (v < 0 ? -1 : 1) : Math.round(127 * v);
  });
}

function layoutOf(test: Case): number {
  if (test.int8) return packLayouts.gemmInt8;
  if (test.bf16) return packLayouts.gemmBf16;
  return test.packed ? packLayouts.gemmF32 : packLayouts.none;
}

/** How b may lie without being rounded. */
const exactForms: readonly Partial<Case>[] = [{packed: false}, {packed: true}];

interface Laid {
  readonly values: Float32Array;
  readonly strides: readonly [number, number, number, number];
}

/** A batch of matrices in memory. */
function layOut(
  batch: readonly [number, number],
  rows: number,
  cols: number,
  how: {transpose?: boolean | undefined; gap?: number | undefined; broadcast?: boolean | undefined},
  seed: number,
): Laid {
  const line = (how.transpose ? rows : cols) + (how.gap ?? 0);
  const size = line * (how.transpose ? cols : rows);
  const count = how.broadcast ? size : size * batch[0] * batch[1];
  return {
    values: randoms(Math.max(count, 1), seed),
    strides: [how.broadcast ? 0 : size * batch[1], how.broadcast ? 0 : size, how.transpose ? 1 : line, how.transpose ? line : 1],
  };
}

interface Run {
  readonly c: Float32Array;
  /** Distance of c's rows, and what the gaps hold. */
  readonly row: number;
}

function run(test: Case, a: Laid, b: Laid, bias: Float32Array, residual: Float32Array): Run {
  const {m, n, k} = test;
  const batch = test.batch ?? [1, 1];
  const slots: Slot[] = [];
  const keep = (slot: Slot) => {
    slots.push(slot);
    return slot;
  };
  const stored = (values: Float32Array) => keep(native().store(values, 'float32'));
  try {
    let bSlot = stored(b.values);
    const layout = layoutOf(test);
    if (layout !== packLayouts.none) {
      const elems = native().packedElems(layout, k, n, 1);
      const words = {layout, rowsK: k, colsN: n, rowStride: b.strides[2], colStride: b.strides[3], taps: 1};
      bSlot = keep(native().run(PackWeights, [bSlot], [{dtype: packedTypes[layout] ?? 'float32', elems}], words)[0] as Slot);
    }
    const epilogue = test.epilogue === undefined ? [] : (encodeProgram(test.epilogue.expr) as number[]);
    const inputs = [stored(a.values), bSlot, test.bias ? stored(bias) : noSlot];
    if (test.epilogue) inputs.push(stored(residual));
    const row = n + (test.gap ?? 0);
    const [cSlot] = native().run(MatMul, inputs, [{dtype: 'float32', elems: batch[0] * batch[1] * m * row}], {
      batch1: batch[0],
      batch2: batch[1],
      rowsM: m,
      colsN: n,
      depthK: k,
      aBatch1: a.strides[0],
      aBatch2: a.strides[1],
      aRow: a.strides[2],
      aCol: a.strides[3],
      bBatch1: b.strides[0],
      bBatch2: b.strides[1],
      bRow: b.strides[2],
      bCol: b.strides[3],
      cBatch1: batch[1] * m * row,
      cBatch2: m * row,
      cRow: row,
      packedB: layout,
      epilogue,
      epilogueStrides: test.epilogue ? [batch[1] * m * n, m * n, n, 1] : [],
    });
    return {c: new Float32Array(native().read(keep(cSlot as Slot))), row};
  } finally {
    for (const slot of slots) native().release(slot);
  }
}

/**
 * Against double precision. |error| ≤ 2 ε Σ|a||b|: each of k products and sums rounds once (Higham 2002, section 3.1, with
 * the usual √k in place of k), the epilogue adds some ULP of the result.
 */
function check(test: Case, special?: (a: Float32Array, b: Float32Array) => void): void {
  const {m, n, k} = test;
  const batch = test.batch ?? [1, 1];
  const a = layOut(batch, m, k, {transpose: test.transposeA, gap: test.gap, broadcast: test.broadcastA}, 1);
  const b = layOut(
    batch,
    k,
    n,
    {transpose: test.transposeB, gap: test.gap, broadcast: test.broadcastB ?? layoutOf(test) !== packLayouts.none},
    2,
  );
  if (test.int8) {
    const [aBatch, bBatch] = [a.strides[1] || a.values.length, b.strides[1] || b.values.length];
    toSteps(
      a.values,
      k,
      (i) => Math.floor((i % aBatch) / (test.transposeA ? a.strides[3] : 1)) % (test.transposeA ? k : a.strides[2]) === 0,
    );
    toSteps(
      b.values,
      k,
      (i) => Math.floor((i % bBatch) / (test.transposeB ? 1 : b.strides[2])) % (test.transposeB ? b.strides[3] : k) === 0,
    );
  }
  special?.(a.values, b.values);
  const bias = randoms(n, 3);
  const residual = randoms(Math.max(1, batch[0] * batch[1] * m * n), 4);
  const {c, row} = run(test, a, b, bias, residual);
  const name = JSON.stringify(test);
  const [aValues, bValues] = test.bf16 ? [rounded(a.values), rounded(b.values)] : [a.values, b.values];
  for (let b1 = 0; b1 < batch[0]; b1++) {
    for (let b2 = 0; b2 < batch[1]; b2++) {
      const aAt = b1 * a.strides[0] + b2 * a.strides[1];
      const bAt = b1 * b.strides[0] + b2 * b.strides[1];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = test.bias ? (bias[j] as number) : 0;
          let size = Math.abs(sum);
          for (let l = 0; l < k; l++) {
            const product =
              (aValues[aAt + i * a.strides[2] + l * a.strides[3]] as number) *
              (bValues[bAt + l * b.strides[2] + j * b.strides[3]] as number);
            sum += product;
            size += Math.abs(product);
          }
          const at = (b1 * batch[1] + b2) * m * n + i * n + j;
          const expected = test.epilogue ? test.epilogue.value(sum, residual[at] as number) : sum;
          const got = c[((b1 * batch[1] + b2) * m + i) * row + j] as number;
          if (Object.is(got, expected) || (Number.isNaN(got) && Number.isNaN(expected))) continue;
          if (!(Math.abs(got - expected) <= 2 * epsilon * (size + (test.epilogue ? 4 : 0)) * Math.max(1, Math.sqrt(k) / 4))) {
            expect.fail(`${name}: c[${b1},${b2},${i},${j}] is ${got}, expected ${expected}`);
          }
        }
      }
    }
  }
}

const add: Case['epilogue'] = {expr: call('Add', input(0), input(1)), value: (sum, residual) => sum + residual};
const reluAdd: Case['epilogue'] = {
  expr: call('Mul', call('Relu', call('Add', input(0), input(1))), input(1)),
  value: (sum, residual) => Math.max(0, sum + residual) * residual,
};

/** What tiles do in registers. */
const relu6: Case['epilogue'] = {expr: call('Relu6', input(0)), value: (sum) => Math.min(6, Math.max(0, sum))};
const addRelu: Case['epilogue'] = {
  expr: call('Relu', call('Add', input(1), input(0))),
  value: (sum, residual) => Math.max(0, sum + residual),
};

function tails(form: Partial<Case>): void {
  for (let m = 1; m <= 17; m++) {
    for (let n = 1; n <= 50; n++) {
      const k = (m * 7 + n) % 10;
      check({m, n, k, ...form, bias: n % 2 === 0, gap: n % 3});
      if ((m + n) % 5 === 0) check({m, n, k: 64, ...form, bias: n % 2 === 1});
    }
  }
}

for (const [isa, level] of levels.entries()) {
  for (const threads of [1, 2]) {
    describe(`MatMul on ${level}, ${threads} thread(s)`, () => {
      before(() => native().configure({isa, threads}));
      after(() => native().configure({isa: native().info.isa, threads: native().info.cpus}));

      it('has right tails with packed b', () => tails({packed: true}));
      it('multiplies large products as exactly, which a matrix unit does as sums of bfloat16 numbers', () => {
        const large = {m: 257, n: 277, k: 1027};
        check({...large, packed: true, bias: true, epilogue: addRelu, gap: 3});
        if (!native().gainsBySplitting(large.m, large.k, large.n)) return; // tested above in all sizes
        for (const form of exactForms) {
          check({...large, ...form, transposeA: true, transposeB: true});
          check({m: 64, n: 1500, k: 769, ...form, bias: true, gap: 1});
          check({m: 1100, n: 256, k: 256, ...form, epilogue: reluAdd});
          check({m: 300, n: 273, k: 900, ...form, batch: [2, 1]});
        }
        // From the largest floats to those whose last addends vanish.
        for (const scale of [2 ** 100, 2 ** 40, 2 ** -60]) {
          check({...large, packed: true}, (a, b) => {
            for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) / scale;
            for (let i = 0; i < b.length; i++) b[i] = (b[i] as number) * scale;
          });
        }
        for (const form of exactForms) {
          check({...large, ...form}, (a, b) => {
            a.fill(0.75);
            b.fill(-1);
            b[5] = 3.4028234663852886e38;
            a[3] = 3.4028234663852886e38;
            b[700] = Number.POSITIVE_INFINITY;
            a[large.k * 40 + 9] = Number.NaN;
            a[large.k * 41 + 9] = Number.NEGATIVE_INFINITY;
          });
        }
        // In bfloat16 as well threads take pieces of such a product.
        check({m: 300, n: 310, k: 400, bf16: true, bias: true, epilogue: addRelu, gap: 3});
      });
      it('multiplies in bfloat16, or says that the processor cannot', () => {
        if (!level.endsWith('bf16')) {
          expect(native().packedElems(packLayouts.gemmBf16, 4, 4, 1)).to.equal(0);
          expect(() => check({m: 4, n: 4, k: 4, bf16: true})).to.throw(/ERR_UNSUPPORTED.* does not multiply bfloat16/);
          return;
        }
        for (let m = 1; m <= 17; m++) {
          for (let n = 1; n <= 50; n++) check({m, n, k: (m * 7 + n) % 13, bf16: true, bias: n % 2 === 0, gap: n % 3});
        }
        for (const m of [1, 2, 31, 33, 150]) {
          check({m, n: 70, k: 3201, bf16: true, bias: true, epilogue: reluAdd});
          check({m, n: 70, k: 1601, bf16: true, bias: true, epilogue: addRelu});
          check({m, n: 33, k: 77, bf16: true, transposeA: true, transposeB: true});
        }
        check({m: 5, n: 18, k: 21, bf16: true, batch: [3, 2], epilogue: reluAdd, gap: 3});
        check({m: 9, n: 50, k: 24, bf16: true}, (a, b) => {
          a[3] = Number.NaN;
          b[50 * 4 + 7] = Number.POSITIVE_INFINITY;
        });
      });
      it('multiplies int8 exactly, and rounds rows and columns by a step of their own', () => {
        if (level === 'neon') {
          expect(native().packedElems(packLayouts.gemmInt8, 4, 4, 1)).to.equal(0);
          expect(() => check({m: 4, n: 4, k: 4, int8: true})).to.throw(/ERR_UNSUPPORTED.* does not multiply int8/);
          return;
        }
        for (let m = 1; m <= 17; m++) {
          for (let n = 1; n <= 50; n++) check({m, n, k: (m * 7 + n) % 21, int8: true, bias: n % 2 === 0, gap: n % 3});
        }
        for (const m of [1, 2, 3, 31, 33, 150]) {
          check({m, n: 70, k: 1000, int8: true, bias: true, epilogue: reluAdd});
          check({m, n: 70, k: 500, int8: true, bias: true, epilogue: addRelu});
          check({m, n: 33, k: 77, int8: true, transposeA: true, transposeB: true});
        }
        check({m: 5, n: 18, k: 21, int8: true, batch: [3, 2], epilogue: reluAdd, gap: 3});
        expect(native().packedElems(packLayouts.gemmInt8, 65540, 4, 1)).to.equal(0);
        // Columns 1000 times larger than others, and rows: steps are theirs alone.
        const scales = (i: number) => 2 ** (i % 11);
        check({m: 9, n: 50, k: 24, int8: true}, (a, b) => {
          for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) * scales(Math.floor(i / 24));
          for (let i = 0; i < b.length; i++) b[i] = (b[i] as number) / scales(i % 50);
        });
      });
      it('gives NaN in int8 where a row or column is not finite, and 0 where it is 0', () => {
        if (native().packedElems(packLayouts.gemmInt8, 4, 4, 1) === 0) return;
        const test: Case = {m: 5, n: 20, k: 30, int8: true};
        const laid = (rows: number, cols: number, seed: number) => layOut([1, 1], rows, cols, {}, seed);
        const [a, b] = [laid(5, 30, 1), laid(30, 20, 2)];
        a.values[30] = Number.NaN;
        a.values[2 * 30 + 5] = Number.POSITIVE_INFINITY;
        a.values.fill(0, 3 * 30, 4 * 30);
        b.values[7] = Number.NEGATIVE_INFINITY;
        const {c} = run(test, a, b, randoms(20, 3), randoms(100, 4));
        c.forEach((v, i) => {
          const [row, col] = [Math.floor(i / 20), i % 20];
          if (row === 1 || row === 2 || col === 7) expect(v, `c[${row}, ${col}]`).to.be.NaN;
          else if (row === 3) expect(v).to.equal(0);
          else expect(v).to.be.finite;
        });
      });
      it('has right tails with plain b', () => tails({}));
      it('has right tails with transposed b', () => tails({transposeB: true}));
      it('packs transposed b', () => {
        for (const n of [1, 15, 16, 17, 47, 48, 49, 100]) check({m: 5, n, k: 37, packed: true, transposeB: true});
      });
      it('takes transposed a', () => {
        for (const m of [1, 2, 7, 16, 33, 130]) {
          for (const form of exactForms) check({m, n: 35, k: m + 3, ...form, transposeA: true, gap: m % 2});
          check({m, n: 20, k: 19, transposeA: true, transposeB: true});
        }
      });
      it('multiplies batches', () => {
        const batch = [3, 2] as const;
        for (const m of [1, 2, 5, 9]) {
          check({m, n: 18, k: 21, batch, bias: true});
          check({m, n: 18, k: 21, batch, broadcastA: true, transposeB: true});
          check({m, n: 18, k: 21, batch, broadcastB: true, epilogue: add});
          for (const form of exactForms.slice(1)) {
            check({m, n: 18, k: 21, batch, ...form, epilogue: reluAdd, gap: 3});
            check({m, n: 18, k: 21, batch, ...form, epilogue: addRelu, gap: 2});
            check({m, n: 18, k: 21, batch, ...form, broadcastA: true});
          }
        }
      });
      it('runs epilogues', () => {
        for (const n of [1, 16, 40, 48, 200, 300, 517]) {
          for (const m of [1, 3, 20]) {
            check({m, n, k: 9, epilogue: reluAdd, bias: true, packed: n % 2 === 0});
            check({m, n, k: 0, epilogue: add, bias: n % 2 === 0});
            check({m, n, k: 20, epilogue: relu6, bias: true, packed: n % 2 === 0, gap: m % 2});
            check({m, n, k: 20, epilogue: addRelu, bias: true, packed: n % 2 === 0, gap: m % 2});
            check({m, n, k: 20, epilogue: addRelu, transposeB: true});
          }
        }
      });
      it('works in blocks of rows and depth', () => {
        for (const m of [1, 2, 3, 31, 33, 150]) {
          for (const form of exactForms) {
            check({m, n: 70, k: 1601, ...form, bias: true, epilogue: reluAdd});
            check({m, n: 70, k: 1601, ...form, bias: true, epilogue: addRelu});
            check({m, n: 33, k: 800, ...form, transposeA: true, transposeB: true});
          }
        }
        check({m: 600, n: 50, k: 20, transposeA: true, epilogue: add});
      });
      it('gives nothing for sizes of 0 and the bias for k = 0', () => {
        check({m: 0, n: 5, k: 4});
        check({m: 5, n: 0, k: 4});
        check({m: 5, n: 4, k: 3, batch: [0, 2]});
        check({m: 5, n: 19, k: 0, bias: true});
        check({m: 5, n: 19, k: 0});
      });
      it('carries NaN and infinities to their rows and columns only', () => {
        for (const m of [1, 2, 5, 20]) {
          for (const form of exactForms) {
            check({m, n: 50, k: 24, ...form}, (a, b) => {
              a[3] = Number.NaN;
              b[50 * 4 + 7] = Number.POSITIVE_INFINITY;
              b[50 * 5 + 49] = Number.NEGATIVE_INFINITY;
            });
          }
        }
      });
      it('unpacks what it has packed', () => {
        for (const [k, n] of [
          [1, 1],
          [7, 16],
          [13, 49],
          [64, 200],
          [1000, 97],
        ] as const) {
          const b = randoms(k * n, 5);
          b.set([Number.NaN, Number.POSITIVE_INFINITY, 3.4028234663852886e38, -(2 ** -100)].slice(0, k * n - 1), 1);
          for (const [rowStride, colStride] of [
            [n, 1],
            [1, k],
          ] as const) {
            const layout = packLayouts.gemmF32;
            const words = {layout, rowsK: k, colsN: n, rowStride, colStride, taps: 1};
            const plain = native().store(b, 'float32');
            const elems = native().packedElems(layout, k, n, 1);
            const [packed] = native().run(PackWeights, [plain], [{dtype: 'float32', elems}], words) as [Slot];
            const [back] = native().run(UnpackWeights, [packed], [{dtype: 'float32', elems: k * n}], words) as [Slot];
            expect(new Float32Array(native().read(back))).to.deep.equal(b);
            for (const slot of [plain, packed, back]) native().release(slot);
          }
        }
      });
    });
  }
}
