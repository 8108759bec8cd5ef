import {io} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {expect} from 'chai';
import {native, type Slot} from '../../src/native';
import {DecodeWeights, weightCodes} from '../../src/ops/quantization';

type Quantization = {dtype: 'float16'} | {dtype: 'uint8' | 'uint16'; scale: number; min: number};

const bitsOf = (values: ArrayBufferView) => new Uint32Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));

function reference(bytes: Uint8Array<ArrayBuffer>, dtype: 'float32' | 'int32', count: number, quantization: Quantization): Uint32Array {
  const decoded = io.decodeWeights(bytes.slice().buffer, [{name: 'w', shape: [count], dtype, quantization}]);
  const values = (decoded.w as {dataSync(): Float32Array | Int32Array}).dataSync();
  return bitsOf(values);
}

function run(bytes: Uint8Array, dtype: 'float32' | 'int32', count: number, code: number, affine: readonly number[]): Uint32Array {
  const input = native().store(bytes, 'uint8');
  let out: Slot | undefined;
  try {
    out = native().run(DecodeWeights, [input], [{dtype, elems: count}], {code, count, affine})[0] as Slot;
    return new Uint32Array(native().read(out));
  } finally {
    native().release(input);
    if (out !== undefined) native().release(out);
  }
}

/** Where two arrays differ, which chai finds slowly in long ones; -1: nowhere. */
const firstDifference = (a: Uint32Array, b: Uint32Array) => (a.length === b.length ? a.findIndex((bits, i) => bits !== b[i]) : 0);

const words = (scale: number, min: number): number[] => [...new Int32Array(Float64Array.of(scale, min).buffer)];

/** Every code, then again, and a ragged tail: longer than a table and shared by two threads. */
function codes(bytesPerCode: 1 | 2, count: number): Uint8Array<ArrayBuffer> {
  const array = bytesPerCode === 1 ? new Uint8Array(count) : new Uint16Array(count);
  for (let i = 0; i < count; i++) array[i] = i * 7;
  return new Uint8Array(array.buffer);
}

describe('DecodeWeights', () => {
  const isas = native().info.isaNames.slice(0, native().info.isa + 1);
  after(() => native().configure({isa: native().info.isa}));

  isas.forEach((name, isa) => {
    describe(`on ${name}`, () => {
      before(() => native().configure({isa, threads: 2}));

      it('gives the bits of every float16 number', () => {
        const bytes = new Uint8Array(Uint16Array.from({length: 65536}, (_, i) => i).buffer);
        const got = run(bytes, 'float32', 65536, weightCodes.float16, []);
        const expected = reference(bytes, 'float32', 65536, {dtype: 'float16'});
        expect(firstDifference(got, expected)).to.equal(-1);
      });

      for (const count of [0, 1, 3, 17, 255, 256, 100_003]) {
        it(`gives the bits of tf.io.decodeWeights for ${count} elements`, () => {
          for (const [scale, min] of [
            [0.0123456789, -1.5],
            [1 / 3, 0],
            [0, 7],
            [0.5, -3],
            [1e30, -1e38],
            [123456.789, -2e9],
          ] as const) {
            for (const [dtype, bytesPerCode] of [
              ['uint8', 1],
              ['uint16', 2],
            ] as const) {
              const bytes = codes(bytesPerCode, count);
              for (const target of ['float32', 'int32'] as const) {
                if (target === 'int32' && scale > 1e4) continue; // JavaScript wraps there, native code saturates
                const got = run(bytes, target, count, weightCodes[dtype], words(scale, min));
                expect(firstDifference(got, reference(bytes, target, count, {dtype, scale, min}))).to.equal(-1);
              }
            }
          }
        });
      }
    });
  });

  it('refuses what does not describe a weight', () => {
    const bytes = new Uint8Array(16);
    const affine = words(1, 0);
    expect(() => run(bytes, 'float32', 9, weightCodes.float16, [])).to.throw(/ERR_SHAPE.*DecodeWeights in/);
    expect(() => run(bytes, 'float32', 17, weightCodes.uint8, affine)).to.throw(/ERR_SHAPE/);
    expect(() => run(bytes, 'int32', 8, weightCodes.float16, [])).to.throw(/ERR_DTYPE/);
    expect(() => run(bytes, 'float32', 8, 3, affine)).to.throw(/ERR_INVALID_STEP/);
    expect(() => run(bytes, 'float32', 8, weightCodes.uint16, [])).to.throw(/ERR_INVALID_STEP/);
    expect(() => run(bytes, 'float32', 8, weightCodes.uint8, words(Number.NaN, 0))).to.throw(/finite/);
    expect(() => run(bytes, 'float32', 8, weightCodes.uint8, words(1, Number.POSITIVE_INFINITY))).to.throw(/finite/);
  });

  it('saturates integers out of range', () => {
    const got = new Int32Array(run(Uint8Array.of(0, 255), 'int32', 2, weightCodes.uint8, words(1e12, -1e13)).buffer);
    expect([...got]).to.deep.equal([-(2 ** 31), 2 ** 31 - 1]);
  });
});
