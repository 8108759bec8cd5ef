/** Kernels on images that tfjs-core's suite does not call: Draw and RotateWithOffset; and what CropAndResize refuses. */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {fails, floats, ints, row} from './compare';

describe('rotation', () => {
  const image = (shape: number[]) => floats(shape, [0, 255]) as tf.Tensor4D;
  // Not 45 degrees: there whole rows lie halfway between elements.
  for (const degrees of [0, 30, 50, 90, -90, 133, 180, 270, 360, 725]) {
    row(`by ${degrees} degrees`, () => tf.image.rotateWithOffset(image([2, 9, 7, 3]), (degrees * Math.PI) / 180));
  }
  row('of an image of one element', () => tf.image.rotateWithOffset(image([1, 1, 1, 1]), 1));
  row('of no images', () => tf.image.rotateWithOffset(image([0, 4, 4, 3]), 1));
  row('of integers', () => {
    const attrs = {radians: 0.7, fillValue: 0, center: 0.5};
    return tf.engine().runKernel('RotateWithOffset', {image: ints([1, 6, 8, 2])}, attrs) as tf.Tensor;
  });
  row('about a corner', () => tf.image.rotateWithOffset(image([1, 8, 8, 3]), 0.5, 0, [0, 0]));
  row('about a point given for both axes', () => tf.image.rotateWithOffset(image([1, 8, 8, 3]), 0.5, 0, 0.25));
  row('about a point outside', () => tf.image.rotateWithOffset(image([1, 8, 8, 3]), -0.5, 0, [1.5, -0.5]));
  row('with a grey fill', () => tf.image.rotateWithOffset(image([1, 6, 9, 3]), 0.6, 128));
  row('with a colour to fill', () => tf.image.rotateWithOffset(image([1, 6, 9, 3]), 0.6, [10, 20, 30]));
  row('with an alpha channel, which is opaque where it is filled', () => tf.image.rotateWithOffset(image([1, 6, 9, 4]), 0.6, [10, 20, 30]));
  row(
    'a quarter turns rows to columns',
    () => tf.image.rotateWithOffset(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]), Math.PI / 2, 0, 0.5),
    {
      expected: {
        // About 1.5, whose quarter turn is (x, y) → (3 - y, x): the image moves by one element.
        values: [0, 0, 0, 3, 6, 9, 2, 5, 8],
        dtype: 'float32',
        why: 'written down',
      },
    },
  );
});

interface Canvas {
  width: number;
  height: number;
  drawn?: Drawn;
  getContext(type: string): object | null;
}
interface Drawn {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}
/** As much of a canvas as Draw touches. */
function canvas(): Canvas {
  const made: Canvas = {
    width: 0,
    height: 0,
    getContext: (type) =>
      type === '2d'
        ? {
            putImageData: (image: Drawn) => {
              made.drawn = image;
            },
          }
        : null,
  };
  return made;
}

describe('drawing', () => {
  const {ImageData: given} = globalThis as {ImageData?: unknown};
  before(() => {
    Object.assign(globalThis, {
      ImageData: class {
        constructor(
          readonly data: Uint8ClampedArray,
          readonly width: number,
          readonly height: number,
        ) {}
      },
    });
  });
  after(() => Object.assign(globalThis, {ImageData: given}));
  beforeEach(async () => {
    await tf.setBackend('graviton');
  });

  /** What a canvas shows; nothing may be left behind. */
  function drawn(image: tf.Tensor, options: object = {}): {readonly size: readonly number[]; readonly rgba: readonly number[]} {
    const to = canvas();
    const before = {...tf.memory(), ids: tf.backend().numDataIds()};
    tf.tidy(() => tf.browser.draw(image as tf.Tensor3D, to as unknown as HTMLCanvasElement, options)); // it gives its image again
    expect({...tf.memory(), ids: tf.backend().numDataIds()}).to.deep.equal(before);
    image.dispose();
    return {size: [to.width, to.height, to.drawn?.width ?? 0, to.drawn?.height ?? 0], rgba: Array.from(to.drawn?.data ?? [])};
  }

  it('draws grey floats', () => {
    expect(drawn(tf.tensor2d([0, 0.5, 1, 0.25, 0.75, 0.1], [2, 3]))).to.deep.equal({
      size: [3, 2, 3, 2],
      rgba: [0, 128, 255, 64, 191, 26].flatMap((grey) => [grey, grey, grey, 255]),
    });
  });
  it('draws coloured integers', () => {
    expect(drawn(tf.tensor3d([1, 2, 3, 254, 255, 0], [1, 2, 3], 'int32'))).to.deep.equal({
      size: [2, 1, 2, 1],
      rgba: [1, 2, 3, 255, 254, 255, 0, 255],
    });
  });
  it('draws with an alpha channel', () => {
    expect(drawn(tf.tensor3d([1, 2, 3, 4], [1, 1, 4], 'int32')).rgba).to.deep.equal([1, 2, 3, 4]);
  });
  it('draws translucently', () => {
    expect(drawn(tf.tensor2d([1], [1, 1]), {imageOptions: {alpha: 0.5}}).rgba).to.deep.equal([255, 255, 255, 128]);
  });
  it('draws what a native kernel has made', () => {
    const image = tf.tidy(() => tf.relu(tf.tensor2d([-1, 1], [1, 2])));
    expect(drawn(image).rgba).to.deep.equal([0, 0, 0, 255, 255, 255, 255, 255]);
  });
  for (const [name, image, options, message] of [
    ['floats beyond 1', () => tf.tensor2d([2], [1, 1]), {}, /range \[0 - 1\]/],
    ['integers beyond 255', () => tf.tensor2d([256], [1, 1], 'int32'), {}, /range \[0 - 255\]/],
    ['a canvas of another kind', () => tf.tensor2d([1], [1, 1]), {contextOptions: {contextType: 'webgl'}}, /webgl/],
  ] as const) {
    it(`refuses ${name}`, () => {
      const before = {...tf.memory(), ids: tf.backend().numDataIds()};
      const x = image();
      expect(() => drawn(x, options)).to.throw(message);
      x.dispose();
      expect({...tf.memory(), ids: tf.backend().numDataIds()}).to.deep.equal(before);
    });
  }
});

describe('crops', () => {
  const crop = (boxes: number[], boxInd: number[]) =>
    tf
      .engine()
      .runKernel(
        'CropAndResize',
        {image: floats([1, 4, 4, 1]), boxes: tf.ones(boxes), boxInd: tf.zeros(boxInd, 'int32')},
        {cropSize: [2, 2], method: 'bilinear', extrapolationValue: 0},
      );
  fails('a box without a list', () => crop([4], [1]), /ERR_SHAPE: CropAndResize: boxes/);
  fails('a number for a box', () => crop([], [1]), /ERR_SHAPE: CropAndResize: boxes/);
  fails('more boxes than images for them', () => crop([3, 4], [2]), /ERR_SHAPE: CropAndResize: boxes/);
  fails('images as a matrix', () => crop([1, 4], [1, 1]), /ERR_SHAPE: CropAndResize: boxInd/);
});
