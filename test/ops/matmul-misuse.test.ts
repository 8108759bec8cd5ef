import {expect} from 'chai';
import {native, noSlot, type Slot} from '../../src/native';
import {MatMul, PackWeights, packLayouts, UnpackWeights} from '../../src/ops/linear';
import type {ParamValues} from '../../src/ops/schema';

type MatMulWords = ParamValues<typeof MatMul.params>;
type PackWords = ParamValues<typeof PackWeights.params>;

/** c[4, 5] = a[4, 6] · b[6, 5], all dense. */
const right: MatMulWords = {
  batch1: 1,
  batch2: 1,
  rowsM: 4,
  colsN: 5,
  depthK: 6,
  aBatch1: 0,
  aBatch2: 0,
  aRow: 6,
  aCol: 1,
  bBatch1: 0,
  bBatch2: 0,
  bRow: 5,
  bCol: 1,
  cBatch1: 0,
  cBatch2: 0,
  cRow: 5,
  packedB: 0,
  epilogue: [],
  epilogueStrides: [],
};
const rightPack: PackWords = {layout: packLayouts.gemmF32, rowsK: 6, colsN: 5, rowStride: 5, colStride: 1, taps: 1};

describe('MatMul, PackWeights and UnpackWeights refuse', () => {
  let a: Slot, b: Slot, packed: Slot, ints: Slot;
  let packedElems = 0;
  const best = native().info.isa;
  const multiply = (words: Partial<MatMulWords>, inputs: readonly Slot[] = [a, b, noSlot], elems = 20) => {
    for (const slot of native().run(MatMul, inputs, [{dtype: 'float32', elems}], {...right, ...words})) native().release(slot);
  };
  const pack = (words: Partial<PackWords>, elems = packedElems) => {
    for (const slot of native().run(PackWeights, [b], [{dtype: 'float32', elems}], {...rightPack, ...words})) native().release(slot);
  };
  const unpack = (words: Partial<PackWords>, from: Slot, elems = 30) => {
    for (const slot of native().run(UnpackWeights, [from], [{dtype: 'float32', elems}], {...rightPack, ...words})) native().release(slot);
  };

  before(() => {
    a = native().store(new Float32Array(24), 'float32');
    b = native().store(new Float32Array(30), 'float32');
    ints = native().store(new Int32Array(30), 'int32');
    packedElems = native().packedElems(packLayouts.gemmF32, 6, 5, 1);
    packed = native().run(PackWeights, [b], [{dtype: 'float32', elems: packedElems}], rightPack)[0] as Slot;
  });
  afterEach(() => native().configure({isa: best}));
  after(() => {
    for (const slot of [a, b, packed, ints]) native().release(slot);
  });

  it('nothing that is right', () => {
    multiply({});
    multiply({packedB: packLayouts.gemmF32}, [a, packed, noSlot]);
    pack({});
    unpack({}, packed);
  });
  it('operands that reach outside their buffers', () => {
    for (const words of [
      {aRow: 7},
      {aCol: 2},
      {aRow: -1},
      {bRow: 6},
      {bCol: -1},
      {cRow: 6},
      {rowsM: 5},
      {colsN: 6},
      {depthK: 7},
      {batch1: 2, aBatch1: 24},
      {batch2: 2, bBatch2: 30},
      {batch1: 2, cBatch1: 1},
      {aRow: 2 ** 31 - 1},
      {bCol: -(2 ** 31)},
    ]) {
      expect(() => multiply(words), JSON.stringify(words)).to.throw(/would reach|larger than its buffer/);
    }
    expect(() => multiply({}, [a, b, noSlot], 19)).to.throw(/MatMul c/);
    expect(() => multiply({}, [a, b, native().store(new Float32Array(4), 'float32')])).to.throw(/MatMul bias/);
  });
  it('sizes beyond 31 bits', () => {
    for (const name of ['batch1', 'batch2', 'rowsM', 'colsN', 'depthK'] as const) {
      expect(() => multiply({[name]: -1}), name).to.throw(/ERR/);
    }
    expect(() => multiply({batch1: 2 ** 31 - 1, batch2: 2 ** 31 - 1, rowsM: 2 ** 31 - 1})).to.throw(/ERR/);
    expect(() => multiply({colsN: 2 ** 31 - 1, depthK: 2 ** 31 - 1, packedB: packLayouts.gemmF32}, [a, packed, noSlot])).to.throw(/ERR/);
    expect(() => pack({rowsK: 2 ** 31 - 1, taps: 2 ** 31 - 1, rowStride: 0})).to.throw(/ERR/);
    expect(() => pack({rowsK: 2 ** 31 - 1, colsN: 2 ** 31 - 1, rowStride: 0, colStride: 0})).to.throw(/too large/);
  });
  it('more work than the buffers hold', () => {
    expect(() => multiply({batch1: 2 ** 30})).to.throw(/larger than its buffer/);
    expect(() => multiply({depthK: 2 ** 31 - 1, aCol: 0, bRow: 0})).to.throw(/along k/);
  });
  it('other element types and missing operands', () => {
    expect(() => multiply({}, [ints, b, noSlot])).to.throw(/MatMul a is int32/);
    expect(() => multiply({}, [a, ints, noSlot])).to.throw(/MatMul b is int32/);
    expect(() => multiply({}, [a, b, ints])).to.throw(/MatMul bias is int32/);
    expect(() => multiply({}, [noSlot, b, noSlot])).to.throw(/missing/);
    expect(() => multiply({}, [a, b])).to.throw(/ERR/);
  });
  it('packed weights that are not what the step says', () => {
    expect(() => multiply({packedB: packLayouts.gemmF32})).to.throw(/layout/);
    expect(() => multiply({}, [a, packed, noSlot])).to.throw(/is packed/);
    expect(() => multiply({packedB: 99}, [a, packed, noSlot])).to.throw(/layout/);
    expect(() => multiply({packedB: packLayouts.gemmBf16}, [a, packed, noSlot])).to.throw(/layout/);
    expect(() => unpack({}, b)).to.throw(/layout/);
    expect(() => unpack({colsN: 500}, packed, 3000)).to.throw(/UnpackWeights in/);
    expect(() => pack({layout: 99})).to.throw(/no layout 99/);
    expect(() => pack({}, packedElems - 1)).to.throw(/PackWeights out/);
    expect(() => pack({colStride: 2})).to.throw(/would reach/);
    expect(() => unpack({rowStride: 6}, packed)).to.throw(/would reach/);
    if (best > 0) {
      native().configure({isa: best - 1});
      expect(() => multiply({packedB: packLayouts.gemmF32}, [a, packed, noSlot])).to.throw(/layout/);
      expect(() => unpack({}, packed)).to.throw(/layout/);
    }
  });
  it('arbitrary words without harm', () => {
    const seed = Number(process.env.GRAVITON_TEST_SEED ?? 7);
    let state = seed;
    const draw = (most: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    const names = Object.keys(MatMul.params).filter((name) => !name.startsWith('epilogue'));
    let ran = 0;
    for (let i = 0; i < 20000; i++) {
      const words: Record<string, number> = {};
      for (let changes = draw(4); changes >= 0; changes--) {
        words[names[draw(names.length)] as string] = [draw(8), draw(8) - 4, draw(2 ** 32) | 0, 2 ** 31 - 1 - draw(3)][draw(4)] as number;
      }
      try {
        multiply(words, [a, draw(3) ? b : packed, noSlot]);
        ran++;
      } catch (error) {
        expect(String(error), `seed ${seed}: ${JSON.stringify(words)}`).to.match(/ERR_/);
      }
    }
    expect(ran).to.be.greaterThan(100);
  });
});
