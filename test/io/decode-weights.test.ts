import * as tf from '@tensorflow/tfjs-core';

import '@tensorflow/tfjs-backend-cpu';
import {expect} from 'chai';
import type {GravitonBackend} from '../../src/backend';
import '../../src/index';
import {decodeWeights} from '../../src/io/decode-weights';
import {MemoryReader, StreamReader} from '../../src/io/weight-reader';
import {native, type Slot} from '../../src/native';
import {DecodeWeights, weightCodes} from '../../src/ops/quantization';

type Quantization = {dtype: 'float16'} | {dtype: 'uint8' | 'uint16'; scale: number; min: number};

const bitsOf = (values: ArrayBufferView) => new Uint32Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));

function reference(bytes: Uint8Array<ArrayBuffer>, dtype: 'float32' | 'int32', count: number, quantization: Quantization): Uint32Array {
  const decoded = tf.io.decodeWeights(bytes.slice().buffer, [{name: 'w', shape: [count], dtype, quantization}]);
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

describe('decodeWeights', () => {
  const block = 8 << 20;
  before(() => tf.setBackend('graviton'));

  it('passes large weights through blocks, plain and in codes, whatever pieces they come in', async () => {
    const counts = [5, block / 2 + 3, block + 1];
    const plain = Float32Array.from({length: counts[0] as number}, (_, i) => i);
    const large = Int32Array.from({length: counts[1] as number}, (_, i) => i * 7);
    const rounded = Uint8Array.from({length: counts[2] as number}, (_, i) => i);
    const bytes = new Uint8Array(plain.byteLength + large.byteLength + rounded.byteLength);
    bytes.set(new Uint8Array(plain.buffer));
    bytes.set(new Uint8Array(large.buffer), plain.byteLength);
    bytes.set(rounded, plain.byteLength + large.byteLength);
    const specs = [
      {name: 'plain', shape: [5], dtype: 'float32'},
      {name: 'large', shape: [large.length], dtype: 'int32'},
      {name: 'rounded', shape: [rounded.length], dtype: 'float32', quantization: {dtype: 'uint8', scale: 0.5, min: -1}},
    ] as tf.io.WeightsManifestEntry[];
    const pieces = [0, 11, block + 5, bytes.length].map((end, i, ends) => bytes.slice(ends[i - 1] ?? 0, end).buffer);
    const stream = new ReadableStream<ArrayBuffer>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    for (const reader of [new MemoryReader(pieces), new StreamReader(stream)]) {
      const weights = await decodeWeights(specs, reader, tf.backend() as GravitonBackend);
      const values = async (name: string) => (weights[name] as tf.Tensor).data() as Promise<Float32Array | Int32Array>;
      expect(await values('plain')).to.deep.equal(plain);
      expect((await values('large')).every((value, i) => value === large[i])).to.equal(true);
      expect((await values('rounded')).every((value, i) => value === 0.5 * (rounded[i] as number) - 1)).to.equal(true);
      tf.dispose(weights);
    }
  });

  it('refuses bytes outside of a native tensor', () => {
    const slot = native().reserve('float32', 4);
    native().write(slot, 12, Float32Array.of(1));
    for (const at of [13, 16, 2 ** 40, -1, Number.NaN]) {
      expect(() => native().write(slot, at, Float32Array.of(1)), String(at)).to.throw(/ERR_INVALID_STEP/);
    }
    native().release(slot);
    expect(() => native().write(slot, 0, Float32Array.of(1))).to.throw(/ERR_INVALID_STEP/);
    expect(() => native().reserve('float32', -1)).to.throw(/ERR_INVALID_STEP/);
    expect(() => native().reserve('float32', 2 ** 45)).to.throw(/ERR_OUT_OF_MEMORY/);
  });
});
