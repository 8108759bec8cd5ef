import * as tf from '@tensorflow/tfjs-core';
import {bools, fails, floats, ints, row, shapes} from './compare';

const makers = {float32: floats, int32: ints, bool: (shape: number[]) => bools(shape)} as const;
const each = (run: (dtype: string, make: (shape: number[]) => tf.Tensor) => void) => {
  for (const [dtype, make] of Object.entries(makers)) run(dtype, (shape) => make(shape));
};
const complexes = (shape: number[]) => tf.complex(floats(shape), floats(shape, [-4, 4], 2));

describe('shape kernels', () => {
  for (const shape of shapes) {
    row(`reshape [${shape}] to one axis`, () => tf.reshape(floats([...shape]), [shape.reduce((a, b) => a * b, 1)]));
    row(`expandDims [${shape}]`, () => [0, -1, shape.length].map((axis) => tf.expandDims(floats([...shape]), axis)));
    row(`squeeze [${shape}]`, () => tf.squeeze(ints([...shape])));
    row(`clone [${shape}]`, () => tf.clone(bools([...shape])));
  }
  row('reshape of complex64', () => tf.reshape(complexes([2, 3]), [3, 2]));
  row('reshape of strings', () => tf.reshape(tf.tensor1d(['a', 'b']), [2, 1]), {coreMiscounts: true});
  fails('a reshape to another size', () => tf.reshape(floats([6]), [4]), /6/);
  fails(
    'a Reshape kernel to another size',
    () => tf.engine().runKernel('Reshape', {x: floats([6])}, {shape: [4, -1]}),
    /ERR_SHAPE: Reshape: 6 elements/,
  );
  fails(
    'expandDims beyond the rank',
    () => tf.engine().runKernel('ExpandDims', {input: floats([6])}, {dim: 3}),
    /ERR_SHAPE: ExpandDims: axis 3/,
  );
});

describe('transpose', () => {
  const orders: readonly (readonly [number[], number[]])[] = [
    [
      [3, 5],
      [1, 0],
    ],
    [
      [0, 4],
      [1, 0],
    ],
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [2, 3, 4],
      [0, 2, 1],
    ],
    [
      [2, 1, 4],
      [1, 0, 2],
    ],
    [
      [33, 17],
      [1, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [2, 1, 3, 2, 2, 3],
      [5, 3, 1, 0, 2, 4],
    ],
  ];
  each((dtype, make) => {
    for (const [shape, perm] of orders) row(`${dtype} [${shape}] to [${perm}]`, () => tf.transpose(make(shape), perm));
  });
  row('complex64', () => tf.transpose(complexes([3, 4])));
  row('conjugate', () => tf.transpose(complexes([3, 4]), [1, 0], true));
  fails('an axis given twice', () => tf.transpose(floats([2, 3]), [0, 0]), /ERR_SHAPE: Transpose: \[0, 0\] is not an order of the 2 axes/);
});

describe('slices', () => {
  each((dtype, make) => {
    row(`${dtype} slice of the inside`, () => tf.slice(make([5, 6, 7]), [1, 2, 3], [2, 3, 4]));
    row(`${dtype} slice of rows`, () => tf.slice(make([9, 4]), 3, 4));
    row(`${dtype} slice of nothing`, () => tf.slice(make([9, 4]), [2, 1], [0, 3]));
    row(`${dtype} slice of everything`, () => tf.slice(make([3, 4]), [0, 0], [3, 4]));
    row(`${dtype} slice to the end`, () => tf.slice(make([3, 4, 5]), [1, 1, 1], [-1, 2, -1]));
    row(`${dtype} strided slice`, () => tf.stridedSlice(make([8, 9]), [1, 8], [8, 0], [2, -3]));
    row(`${dtype} strided slice with masks`, () => tf.stridedSlice(make([4, 5, 6]), [1, 0, 2], [3, 0, 5], [1, 1, 2], 2, 2, 0, 0, 0));
    row(`${dtype} strided slice with an ellipsis`, () => tf.stridedSlice(make([4, 5, 6]), [0, 1], [0, 4], [1, 2], 0, 0, 1));
    row(`${dtype} strided slice with new and shrunk axes`, () =>
      tf.stridedSlice(make([4, 5]), [0, 2, 0], [1, 3, 5], [1, 1, 1], 0, 0, 0, 1, 2),
    );
    row(`${dtype} reverse`, () => tf.reverse(make([3, 4, 5]), [0, 2]));
    row(`${dtype} reverse of all axes`, () => tf.reverse(make([3, 4, 5])));
    row(`${dtype} reverse of a long row`, () => tf.reverse(make([2, 100]), -1));
    row(`${dtype} reverse of nothing`, () => tf.reverse(make([0, 3]), 0));
    row(`${dtype} split`, () => tf.split(make([4, 6]), 3, 1));
    row(`${dtype} split by sizes`, () => tf.split(make([4, 6]), [1, 2, -1], 1));
    row(`${dtype} unstack`, () => [...tf.unstack(make([3, 4, 5])), ...tf.unstack(make([3, 4, 5]), 1), ...tf.unstack(make([3, 4, 5]), -1)]);
    row(`${dtype} rank 6`, () => tf.slice(make([2, 3, 2, 3, 2, 3]), [0, 1, 0, 1, 0, 1], [2, 2, 1, 2, 2, 2]));
  });
  row('slice of complex64', () => tf.slice(complexes([4, 5]), [1, 1], [2, 3]), {
    expected: {values: sliceOfComplex(), dtype: 'complex64', why: 'cpu refuses'},
  });
  row('slice of strings falls back', () => tf.slice(tf.tensor1d(['a', 'b', 'c']), [1], [2]), {fallsBack: true});
  fails(
    'a slice beyond the end',
    () => tf.slice(floats([3, 4]), [1, 1], [3, 2]),
    /ERR_SHAPE: Slice: begin \[1, 1\] and size \[3, 2\] leave the shape \[3, 4\]/,
  );
  fails('a slice from before the start', () => tf.slice(floats([3]), [-2], [2]), /ERR_SHAPE: Slice/);
  fails('a stride of zero', () => tf.stridedSlice(floats([3]), [0], [3], [0]), /non-zero/);
  fails('sizes that do not add up', () => tf.split(floats([4, 6]), [1, 2], 1), /sum of sizes/);
});

function sliceOfComplex(): number[] {
  const [re, im] = [floats([4, 5]).dataSync(), floats([4, 5], [-4, 4], 2).dataSync()];
  return [1, 2].flatMap((i) => [1, 2, 3].flatMap((j) => [re[5 * i + j] as number, im[5 * i + j] as number]));
}

describe('concat and stack', () => {
  each((dtype, make) => {
    for (const axis of [0, 1, 2, -1]) {
      row(`${dtype} concat along ${axis}`, () => {
        const other = [2, 3, 4].map((size, i) => (i === (axis + 3) % 3 ? 5 : size));
        return tf.concat([make([2, 3, 4]), make(other), make([2, 3, 4])], axis);
      });
      row(`${dtype} stack along ${axis}`, () => tf.stack([make([2, 3]), make([2, 3]), make([2, 3])], axis));
    }
    row(`${dtype} concat with empty tensors`, () => tf.concat([make([0, 3]), make([2, 3]), make([0, 3])]));
    row(`${dtype} concat of empty tensors`, () => tf.concat([make([0, 3]), make([0, 3])]));
    row(`${dtype} concat of 130 tensors`, () => tf.concat(Array.from({length: 130}, (_, i) => make([1 + (i % 3), 2]))));
    row(`${dtype} stack of one`, () => tf.stack([make([2, 3])], 1));
  });
  row('concat of complex64', () => tf.concat([complexes([2, 3]), complexes([1, 3])]));
  row('concat of strings falls back', () => tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b'])]), {fallsBack: true});
  fails('a concat of different ranks', () => tf.concat([floats([2]), floats([2, 1])] as tf.Tensor1D[]), /rank of tensors\[1\]/);
  fails('a concat of other sizes', () => tf.concat([floats([2, 3]), floats([2, 4])]), /does not match the shape/);
  fails('a stack of other shapes', () => tf.stack([floats([2, 3]), floats([2, 4])]), /ERR_SHAPE: Pack: tensors must be alike/);
});

describe('tile, pad and blocks', () => {
  each((dtype, make) => {
    row(`${dtype} tile`, () => tf.tile(make([2, 3]), [2, 3]));
    row(`${dtype} tile of one axis`, () => tf.tile(make([7]), [5]));
    row(`${dtype} tile by zero`, () => tf.tile(make([2, 3]), [0, 2]));
    row(`${dtype} tile of a row`, () => tf.tile(make([1, 5]), [4, 1]));
    row(`${dtype} broadcastTo`, () => tf.broadcastTo(make([2, 1, 3]), [4, 2, 5, 3]));
    row(`${dtype} pad`, () =>
      tf.pad(
        make([3, 4]),
        [
          [1, 2],
          [0, 3],
        ],
        1,
      ),
    );
    row(`${dtype} pad of nothing`, () =>
      tf.pad(make([0, 2]), [
        [1, 1],
        [0, 0],
      ]),
    );
    row(`${dtype} pad of rank 4`, () =>
      tf.pad(make([2, 3, 2, 2]), [
        [0, 0],
        [1, 1],
        [2, 0],
        [0, 1],
      ]),
    );
    row(`${dtype} mirrorPad reflect`, () =>
      tf.mirrorPad(
        make([3, 4]),
        [
          [1, 2],
          [2, 3],
        ],
        'reflect',
      ),
    );
    row(`${dtype} mirrorPad symmetric`, () =>
      tf.mirrorPad(
        make([3, 4]),
        [
          [3, 2],
          [2, 4],
        ],
        'symmetric',
      ),
    );
    row(`${dtype} spaceToBatchND`, () =>
      tf.spaceToBatchND(
        make([2, 4, 6, 1]),
        [2, 3],
        [
          [0, 0],
          [1, 2],
        ],
      ),
    );
    row(`${dtype} batchToSpaceND`, () =>
      tf.batchToSpaceND(
        make([12, 2, 2, 3]),
        [2, 3],
        [
          [0, 1],
          [1, 2],
        ],
      ),
    );
  });
  row('depthToSpace', () => tf.depthToSpace(floats([2, 3, 2, 12]) as tf.Tensor4D, 2));
  row('depthToSpace NCHW', () => tf.depthToSpace(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 8, 1, 1]), 2, 'NCHW'), {
    expected: {values: [1, 3, 5, 7, 2, 4, 6, 8], dtype: 'float32', why: 'as TensorFlow; cpu refuses'},
  });
  row('tile of rank 6', () => tf.tile(floats([2, 3, 2, 3, 2, 3]), [2, 2, 2, 2, 2, 2]));
  row('pad with NaN and infinities', () => [NaN, Infinity, -Infinity, -0].map((value) => tf.pad(floats([3]), [[1, 1]], value)));
  row('flipLeftRight', () => tf.image.flipLeftRight(floats([2, 3, 4, 2]) as tf.Tensor4D));
  fails('a pad below zero', () => tf.pad(floats([3]), [[-1, 0]]), /ERR_SHAPE: Pad/);
  fails('a tile by a fraction', () => tf.tile(floats([3]), [1.5]), /ERR_SHAPE: Tile/);
});

describe('gather', () => {
  each((dtype, make) => {
    for (const axis of [0, 1, 2, -1]) row(`${dtype} gather along ${axis}`, () => tf.gather(make([4, 3, 5]), ints([2, 3], [0, 2]), axis));
    row(`${dtype} gather with batchDims`, () => tf.gather(make([2, 4, 3]), ints([2, 5], [0, 3]), 1, 1));
    row(`${dtype} gather with batchDims before the axis`, () => tf.gather(make([2, 4, 3]), ints([2, 5], [0, 2]), 2, 1));
    row(`${dtype} gather of nothing`, () => tf.gather(make([4, 3]), tf.tensor1d([], 'int32')));
    row(`${dtype} gather by a scalar`, () => tf.gather(make([4, 3]), tf.scalar(2, 'int32')));
    row(`${dtype} gatherND`, () => tf.gatherND(make([4, 3, 5]), ints([2, 3, 2], [0, 2])));
    row(`${dtype} gatherND of elements`, () => tf.gatherND(make([4, 3]), ints([5, 2], [0, 2])));
    row(`${dtype} oneHot`, () => tf.oneHot(ints([3, 4], [-1, 6]), 5, 1, 0, dtype as 'float32'));
  });
  row('oneHot with other values', () => tf.oneHot(ints([7], [0, 3]), 4, 2.5, -1.5, 'float32'));
  fails(
    'an index beyond the axis',
    () => tf.gather(floats([4, 3]), tf.tensor1d([0, 4], 'int32')),
    /ERR_INDEX: GatherV2: the index value 4 is not in \[0, 3\]/,
  );
  fails('an index below zero', () => tf.gatherND(floats([4, 3]), tf.tensor2d([[0, -1]], [1, 2], 'int32')), /ERR_INDEX/);
});

describe('creation kernels', () => {
  row('fill', () => [tf.fill([2, 3], 1.5), tf.fill([4], 7, 'int32'), tf.fill([], 1, 'bool'), tf.fill([0, 2], 1)]);
  row('fill of strings', () => tf.fill([2], 'abc', 'string'));
  row('zerosLike and onesLike', () =>
    [floats, ints, (s: number[]) => bools(s)].flatMap((make) => [tf.zerosLike(make([3, 2])), tf.onesLike(make([3, 2]))]),
  );
  row('zerosLike and onesLike of complex64', () => [tf.zerosLike(complexes([3])), tf.onesLike(complexes([3]))]);
  row('zerosLike of strings', () => tf.engine().runKernel('ZerosLike', {x: tf.tensor1d(['a', 'b'])}) as tf.Tensor, {
    expected: {values: ['', ''] as unknown as number[], dtype: 'string', why: 'cpu stores undefined'},
  });
  row('range', () => [tf.range(0, 5), tf.range(5, 0, -2), tf.range(1, 10, 3, 'int32'), tf.range(3, 3), tf.range(0, 1, 0.125)]);
  row('linspace', () => [tf.linspace(0, 1, 5), tf.linspace(1, -3, 9), tf.linspace(2, 3, 1)], {abs: 1e-6});
  row('eye', () => tf.eye(3, 4));
  row('fromPixels', () => tf.browser.fromPixels({data: new Uint8Array(24).map((_, i) => i), width: 3, height: 2}));
  row('fromPixels with four channels', () => tf.browser.fromPixels({data: new Uint8Array(24).map((_, i) => i), width: 3, height: 2}, 4));
});

describe('complex kernels', () => {
  row('parts', () => [tf.real(complexes([3, 2])), tf.imag(complexes([3, 2]))]);
  row('abs', () => tf.abs(complexes([3, 2])), {ulp: 3});
  row('abs of large parts and infinities', () => tf.abs(tf.complex([3e38, Infinity, 0, -0, NaN], [3e30, NaN, 0, 0, 1])), {ulp: 3});
  row('sum', () => tf.add(complexes([3, 2]), complexes([3, 2])));
  row('difference with a real tensor', () => tf.sub(complexes([3, 2]), floats([3, 2])));
  row('product', () => tf.mul(complexes([3, 2]), tf.complex(floats([3, 2], [-1, 1], 3), floats([3, 2], [-1, 1], 4))), {ulp: 2, abs: 1e-6});
  row('product with broadcasting', () => tf.mul(tf.complex([1, 2], [3, 4]), tf.complex(2, -1)), {
    expected: {values: [5, 5, 8, 6], dtype: 'complex64', why: 'cpu gives NaN'},
  });
  row('a part outlives the whole', () => tf.tidy(() => tf.real(complexes([4]))));
});
