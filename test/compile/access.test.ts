import {expect} from 'chai';
import fc from 'fast-check';
import {type Access, locate, mergedStride, reachThrough, splitStride} from '../../src/compile/access';
import {rowMajorStrides, sizeOf} from '../../src/ops/geometry';
import {holds, seed} from './seed';

/** Every index of a shape, in row-major order. */
function* indices(shape: readonly number[]): Generator<number[]> {
  const dense = rowMajorStrides(shape);
  for (let i = 0; i < sizeOf(shape); i++) yield shape.map((size, d) => Math.floor(i / (dense[d] as number)) % size);
}

const dot = (index: readonly number[], strides: readonly number[]) => index.reduce((sum, i, d) => sum + i * (strides[d] as number), 0);

/** The elements that an access reads. */
const elements = ({offset, shape, strides}: Access) => [...indices(shape)].map((index) => offset + dot(index, strides));

const shapes = fc.array(fc.integer({min: 1, max: 4}), {minLength: 1, maxLength: 4});

/** A dense shape and an access that stays inside it: strides are small, or multiples of the shape's own, as views have them. */
const accesses = shapes.chain((shape) => {
  const dense = rowMajorStrides(shape);
  const axis = fc.record({
    size: fc.integer({min: 1, max: 6}),
    stride: fc.oneof(
      fc.constantFrom(0, ...dense),
      fc.tuple(fc.constantFrom(...dense), fc.integer({min: -1, max: 3})).map(([s, n]) => s * n),
      fc.integer({min: 0, max: 7}),
    ),
  });
  return fc.record({
    shape: fc.constant(shape),
    access: fc
      .record({offset: fc.integer({min: 0, max: sizeOf(shape) - 1}), axes: fc.array(axis, {minLength: 1, maxLength: 4})})
      .map(({offset, axes}): Access => ({offset, shape: axes.map((a) => a.size), strides: axes.map((a) => a.stride)}))
      .filter((access) => elements(access).every((e) => e >= 0 && e < sizeOf(shape))),
  });
});

describe(`compile: index arithmetic (seed ${seed})`, () => {
  it('finds nothing that steps out of the shape', () => {
    expect(locate({offset: 0, shape: [2], strides: [12]}, [12])).to.equal(undefined);
    expect(locate({offset: 4, shape: [2, 3], strides: [4, 1]}, [2, 4])).to.equal(undefined);
  });

  it('locates an access: its parts step through the elements that it reads', () => {
    let found = 0;
    holds(
      fc.property(accesses, ({shape, access}) => {
        const located = locate(access, shape);
        if (located === undefined) return;
        found++;
        expect(located.parts.map((own) => own.reduce((size, p) => size * p.size, 1))).to.deep.equal(access.shape);
        const parts = located.parts.flat();
        const dense = rowMajorStrides(shape);
        const got = [...indices(parts.map((p) => p.size))].map((index) => {
          const at = [...located.start];
          index.forEach((i, p) => {
            const {axis, factor} = parts[p] as {axis: number; factor: number};
            if (axis >= 0) at[axis] = (at[axis] as number) + i * factor;
          });
          expect(at.every((i, d) => i >= 0 && i < (shape[d] as number))).to.equal(true);
          return dot(at, dense);
        });
        expect(got).to.deep.equal(elements(access));
      }),
      1000,
    );
    // Else the test would say nothing.
    expect(found).to.be.greaterThan(300);
  });

  it('reaches through: strides of an operand over the shape become strides over the access', () => {
    holds(
      fc.property(accesses, fc.array(fc.integer({min: -9, max: 9}), {minLength: 4, maxLength: 4}), ({shape, access}, operand) => {
        const located = locate(access, shape);
        if (located === undefined) return;
        const strides = operand.slice(0, shape.length);
        const reach = reachThrough(located, strides);
        const all = [...indices(shape)];
        const wanted = elements(access).map((e) => dot(all[e] as number[], strides));
        const sizes = located.parts.flat().map((p) => p.size);
        expect([...indices(sizes)].map((index) => reach.offset + dot(index, reach.strides.flat()))).to.deep.equal(wanted);
      }),
    );
  });

  it('merges strides only where one stride walks the same', () => {
    const axes = fc.array(fc.record({size: fc.integer({min: 1, max: 4}), stride: fc.integer({min: -2, max: 8})}), {
      minLength: 1,
      maxLength: 4,
    });
    holds(
      fc.property(axes, (list) => {
        const sizes = list.map((a) => a.size);
        const strides = list.map((a) => a.stride);
        const walked = elements({offset: 0, shape: sizes, strides});
        const step = (walked[1] ?? 0) - (walked[0] as number);
        const even = walked.every((e, i) => e === i * step);
        expect(mergedStride(sizes, strides)).to.equal(even ? step : undefined);
      }),
    );
  });

  it('splits a stride so that merging gives it back', () => {
    holds(
      fc.property(shapes, fc.integer({min: -5, max: 5}), (sizes, stride) => {
        const split = splitStride(stride, sizes);
        expect(elements({offset: 0, shape: sizes, strides: split})).to.deep.equal(
          elements({offset: 0, shape: [sizeOf(sizes)], strides: [stride]}),
        );
      }),
    );
  });

  const found = (title: string, access: Access, shape: number[], parts: number[][][], start = shape.map(() => 0)) =>
    it(`locates ${title}`, () => {
      const located = locate(access, shape);
      expect(located?.start).to.deep.equal(start);
      expect(located?.parts.map((own) => own.map((p) => [p.size, p.axis, p.factor]))).to.deep.equal(parts);
    });

  found(
    'a flat walk over two axes',
    {offset: 0, shape: [6], strides: [1]},
    [2, 3],
    [
      [
        [2, 0, 1],
        [3, 1, 1],
      ],
    ],
  );
  found('a transposed walk', {offset: 0, shape: [3, 2], strides: [1, 3]}, [2, 3], [[[3, 1, 1]], [[2, 0, 1]]]);
  found('every other element', {offset: 1, shape: [2, 2], strides: [4, 2]}, [2, 4], [[[2, 0, 1]], [[2, 1, 2]]], [0, 1]);
  found('an axis of one element', {offset: 4, shape: [1, 2], strides: [99, 1]}, [3, 1, 2], [[[1, -1, 0]], [[2, 2, 1]]], [2, 0, 0]);

  const lost = (title: string, access: Access, shape: number[]) =>
    it(`does not locate ${title}`, () => {
      expect(locate(access, shape)).to.equal(undefined);
    });

  lost('a row that ends within the next one', {offset: 0, shape: [4], strides: [1]}, [2, 3]);
  lost('a row that starts within', {offset: 1, shape: [3], strides: [1]}, [2, 3]);
  lost('a backward walk', {offset: 5, shape: [6], strides: [-1]}, [6]);
  lost('a diagonal', {offset: 0, shape: [2], strides: [4]}, [3, 3]);
  lost('two axes that leave the block together', {offset: 0, shape: [2, 2], strides: [1, 1]}, [3, 2]);
  lost('anything in an empty block', {offset: 0, shape: [0], strides: [1]}, [3, 0]);
});
