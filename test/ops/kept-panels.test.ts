/** Weights that steps read again and again keep their panels: no bit of a result changes, and what is kept goes with the weights. */
import {expect} from 'chai';
import {native, type Slot} from '../../src/native';
import {Conv2D} from '../../src/ops/convolution';
import {MatMul} from '../../src/ops/linear';

const values = (elems: number, seed: number) => Float32Array.from({length: elems}, (_, i) => (((i + seed) * 7919) % 997) / 997 - 0.5);
const store = (elems: number, seed: number) => native().store(values(elems, seed), 'float32');
const read = (slot: Slot) => {
  const bytes = Buffer.from(native().read(slot));
  native().release(slot);
  return bytes.toString('hex');
};

interface Product {
  readonly rowsM: number;
  readonly colsN: number;
  readonly depthK: number;
  readonly batch?: number;
  readonly transposed?: boolean;
}
function matMul(a: Slot, b: Slot, {rowsM, colsN, depthK, batch = 1, transposed = false}: Product): string {
  const params = {
    ...{batch1: 1, batch2: batch, rowsM, colsN, depthK, aBatch1: 0, aBatch2: 0, aRow: depthK, aCol: 1, bBatch1: 0, bBatch2: 0},
    ...(transposed ? {bRow: 1, bCol: depthK} : {bRow: colsN, bCol: 1}),
    ...{cBatch1: 0, cBatch2: rowsM * colsN, cRow: colsN, packedB: 0, epilogue: [], epilogueStrides: []},
  };
  return read(native().runOne(MatMul, [a, b, 0 as Slot], 'float32', batch * rowsM * colsN, params));
}

interface Convolution {
  readonly size: number;
  readonly inC: number;
  readonly outC: number;
  readonly groups?: number;
  readonly filter?: number;
}
function conv2D(x: Slot, weights: Slot, {size, inC, outC, groups = 1, filter = 3}: Convolution): string {
  const pad = filter >> 1;
  const params = {
    ...{batch: 1, inH: size, inW: size, inC, outH: size, outW: size, outC, filterH: filter, filterW: filter, strideH: 1, strideW: 1},
    ...{padTop: pad, padLeft: pad, dilationH: 1, dilationW: 1, xBatch: size * size * inC, xRow: size * inC, xCol: inC},
    ...{yBatch: size * size * outC, yRow: size * outC, yCol: outC, groups, packedFilter: 0, epilogue: [], epilogueStrides: []},
  };
  return read(native().runOne(Conv2D, [x, weights, 0 as Slot], 'float32', size * size * outC, params));
}

/** The results of calls with the same weights, and of one with weights that nothing has read before. */
function agree(elems: number, run: (weights: Slot) => string): void {
  const [kept, fresh] = [store(elems, 3), store(elems, 3)];
  const expected = run(fresh);
  for (let call = 1; call <= 4; call++) expect(run(kept) === expected, `call ${call}`).to.equal(true);
  for (const slot of [kept, fresh]) native().release(slot);
}

const {isa: highest, isaNames, cpus} = native().info;
for (const [isa, level] of isaNames.slice(0, highest + 1).entries()) {
  describe(`weights that are read again, ${level}`, () => {
    before(() => native().configure({isa, threads: 2}));
    after(() => native().configure({isa: highest, threads: cpus}));

    for (const transposed of [false, true]) {
      it(`MatMul: every call has the first one's bits, ${transposed ? 'transposed' : 'plain'}`, () => {
        for (const rowsM of [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 130, 515]) {
          for (const [colsN, depthK] of [
            [1, 3],
            [70, 33],
            [97, 800],
          ] as const) {
            const a = store(rowsM * depthK, 11);
            agree(colsN * depthK, (b) => matMul(a, b, {rowsM, colsN, depthK, transposed}));
            native().release(a);
          }
        }
      });
    }

    it('MatMul: one matrix for all of a batch', () => {
      const a = store(6 * 40, 5);
      agree(40 * 50, (b) => matMul(a, b, {batch: 3, rowsM: 6, colsN: 50, depthK: 40}));
      native().release(a);
    });

    it("Conv2D: every call has the first one's bits", () => {
      const shapes: Convolution[] = [
        {size: 7, inC: 3, outC: 20},
        {size: 6, inC: 32, outC: 70},
        {size: 5, inC: 64, outC: 96, groups: 2},
        {size: 5, inC: 12, outC: 12, groups: 4},
        {size: 4, inC: 20, outC: 33, filter: 1},
      ];
      for (const shape of shapes) {
        const {size, inC, outC, groups = 1, filter = 3} = shape;
        const x = store(size * size * inC, 7);
        agree((filter * filter * inC * outC) / groups, (weights) => conv2D(x, weights, shape));
        native().release(x);
      }
    });

    it('one buffer read in several shapes is not confused', () => {
      const shapes: Product[] = [
        {rowsM: 9, colsN: 60, depthK: 40},
        {rowsM: 9, colsN: 40, depthK: 60},
        {rowsM: 9, colsN: 60, depthK: 40, transposed: true},
        {rowsM: 9, colsN: 40, depthK: 60, transposed: true},
      ];
      const a = store(9 * 60, 2);
      const shared = store(2400, 3);
      for (let round = 0; round < 3; round++) {
        for (const shape of shapes) {
          const fresh = store(2400, 3);
          expect(matMul(a, shared, shape) === matMul(a, fresh, shape)).to.equal(true);
          native().release(fresh);
        }
      }
      for (const slot of [a, shared]) native().release(slot);
    });
  });
}

describe('panels that are kept', () => {
  it("are there from the second use on and go with their weights, also after a change of the processor's level", () => {
    const shape = {rowsM: 16, colsN: 512, depthK: 512};
    const a = store(16 * 512, 1);
    const allocated = () => {
      native().freeArenas();
      return native().stats().allocatedBytes;
    };
    const before = allocated();
    const b = store(512 * 512, 2);
    const plain = allocated();
    matMul(a, b, shape);
    expect(allocated() - plain).to.be.lessThan(1 << 19);
    const first = matMul(a, b, shape);
    expect(allocated() - plain).to.be.within(1 << 20, 3 << 19);
    native().configure({isa: 0});
    matMul(a, b, shape);
    native().configure({isa: highest});
    expect(matMul(a, b, shape)).to.equal(first);
    native().release(b);
    expect(allocated() - before).to.be.lessThan(1 << 19);
    native().release(a);
  });
});
