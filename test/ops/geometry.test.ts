import {expect} from 'chai';
import {broadcastShape, broadcastStrides, collapse, rowMajorStrides} from '../../src/ops/geometry';

/** The offsets that a walk visits, in order. */
function offsets(shape: readonly number[], strides: readonly number[]): number[] {
  if (shape.length === 0) return [0];
  const rest = offsets(shape.slice(1), strides.slice(1));
  return Array.from({length: shape[0] as number}, (_, i) => rest.map((o) => o + i * (strides[0] as number))).flat();
}

describe('geometry', () => {
  it('broadcasts shapes and names both when they do not fit', () => {
    expect(broadcastShape([2, 1, 3], [4, 1], 'Add')).to.deep.equal([2, 4, 3]);
    expect(broadcastShape([], [0, 2], 'Add')).to.deep.equal([0, 2]);
    expect(broadcastShape([1], [0], 'Add')).to.deep.equal([0]);
    expect(() => broadcastShape([2], [3], 'Add')).to.throw(/ERR_SHAPE: Add: shapes \[2\] and \[3\]/);
  });

  it('gives stride 0 where an operand repeats', () => {
    expect(broadcastStrides([4, 1], [2, 4, 3])).to.deep.equal([0, 1, 0]);
    expect(broadcastStrides([2, 1, 3], [2, 4, 3])).to.deep.equal([3, 0, 1]);
  });

  it('collapses equal shapes to one axis and a row bias to two', () => {
    const dense = rowMajorStrides([2, 3, 4]);
    expect(collapse([2, 3, 4], [dense, dense])).to.deep.equal({shape: [24], strides: [[1], [1]]});
    expect(collapse([2, 3, 4], [dense, [0, 0, 1]])).to.deep.equal({
      shape: [6, 4],
      strides: [
        [4, 1],
        [0, 1],
      ],
    });
    expect(collapse([2, 3, 4], [dense, [0, 0, 0]])).to.deep.equal({shape: [24], strides: [[1], [0]]});
  });

  it('keeps one axis for a scalar and for nothing', () => {
    expect(collapse([], [[], []])).to.deep.equal({shape: [1], strides: [[1], [1]]});
    expect(collapse([1, 1], [[0, 0]])).to.deep.equal({shape: [1], strides: [[1]]});
    expect(collapse([3, 0, 2], [[0, 2, 1]])).to.deep.equal({shape: [0], strides: [[0]]});
  });

  it('visits the same offsets in the same order', () => {
    const shapes = [[2, 1, 3, 2], [1, 4, 1, 2, 2], [5], [2, 2, 2, 2, 2, 2]];
    for (const shape of shapes) {
      const dense = rowMajorStrides(shape);
      const reversed = dense.map((s) => -s);
      const every = dense.map((s, i) => (i % 2 === 0 ? s : 0));
      const transposed = [...dense].reverse();
      for (const walk of [[dense], [dense, reversed], [dense, every], [transposed, dense, every]]) {
        const small = collapse(shape, walk);
        walk.forEach((strides, j) => expect(offsets(small.shape, small.strides[j] ?? [])).to.deep.equal(offsets(shape, strides)));
      }
    }
  });
});
