import {engine, io, type NamedTensorMap, type Tensor, tensor, util} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {native, type Slot} from '../native';
import {DecodeWeights, weightCodes} from '../ops/quantization';
import {elemBytes, type NativeDType} from '../ops/schema';
import {blockBytes, type WeightReader} from './weight-reader';

type Spec = io.WeightsManifestEntry;
type Quantization = NonNullable<Spec['quantization']>;

const numberTypes: ReadonlySet<unknown> = new Set(['float32', 'int32', 'bool', 'complex64']);
const complexBytes = 8;
const codeBytes = {float16: 2, uint8: 1, uint16: 2} as const;

const malformed = (name: unknown, problem: string) =>
  errors.file(`weight '${String(name)}'`, problem, 'Convert the model again with tensorflowjs_converter 4.');

function quantizationOf(spec: Spec): Quantization | undefined {
  const {name, dtype, quantization} = spec;
  if (quantization === undefined || quantization === null) return undefined;
  const {dtype: code, scale, min} = quantization;
  if (!Object.hasOwn(codeBytes, code)) throw malformed(name, `is quantised as '${code}'; float16, uint8 and uint16 are supported`);
  if (code === 'float16' ? dtype !== 'float32' : dtype !== 'float32' && dtype !== 'int32') {
    throw malformed(name, `is ${dtype} quantised as ${code}; only float32 can be, and int32 as uint8 or uint16`);
  }
  if (code !== 'float16' && !(Number.isFinite(scale) && Number.isFinite(min))) {
    throw malformed(name, `is quantised as ${code} and lacks a finite scale and min`);
  }
  return quantization;
}

/** Number of elements. A model file may hold anything, so all that is used later is checked here. */
function check(spec: Spec): number {
  const {name, shape, dtype} = spec;
  if (typeof name !== 'string') throw malformed(name, 'has no name');
  if (dtype !== 'string' && !numberTypes.has(dtype)) throw malformed(name, `is of the unknown type '${dtype}'`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw malformed(name, `has the shape ${JSON.stringify(shape)}, which is none`);
  }
  const elems = util.sizeFromShape(shape);
  if (!Number.isSafeInteger(elems * 8)) throw malformed(name, `has ${elems} elements, too many for a tensor`);
  return elems;
}

async function readStrings(reader: WeightReader, count: number): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const head = await reader.next(4);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    values.push((await reader.next(length)).slice());
  }
  return values;
}

/** A native tensor of the next bytes; many go there block by block, so that they are not held twice. */
async function store(reader: WeightReader, dtype: NativeDType, elems: number): Promise<Slot> {
  const bytes = elems * elemBytes[dtype];
  if (bytes <= blockBytes) return native().store(await reader.next(bytes), dtype);
  reader.expect(bytes);
  const slot = native().reserve(dtype, elems);
  try {
    for (let at = 0; at < bytes; at += blockBytes) native().write(slot, at, await reader.next(Math.min(blockBytes, bytes - at)));
  } catch (error) {
    native().release(slot);
    throw error;
  }
  return slot;
}

async function decodeCodes(reader: WeightReader, spec: Spec, quantization: Quantization, elems: number): Promise<Slot> {
  const {dtype, scale = 0, min = 0} = quantization;
  const affine = dtype === 'float16' ? [] : [...new Int32Array(Float64Array.of(scale, min).buffer)];
  const codes = await store(reader, 'uint8', elems * codeBytes[dtype]);
  try {
    const params = {code: weightCodes[dtype], count: elems, affine};
    return native().run(DecodeWeights, [codes], [{dtype: spec.dtype === 'int32' ? 'int32' : 'float32', elems}], params)[0] as Slot;
  } finally {
    native().release(codes);
  }
}

async function decode(spec: Spec, reader: WeightReader, backend: GravitonBackend): Promise<Tensor> {
  const {shape, dtype} = spec;
  const elems = check(spec);
  const quantization = quantizationOf(spec);
  const adopt = (slot: Slot) => engine().makeTensorFromTensorInfo(backend.adopt(slot, shape, dtype), backend);
  if (dtype === 'string') return tensor(await readStrings(reader, elems), shape, 'string');
  if (dtype === 'complex64') {
    const bytes = await reader.next(elems * complexBytes);
    const decoded = io.decodeWeights(bytes.slice().buffer, [spec])[spec.name];
    return decoded as Tensor;
  }
  if (dtype === 'bool') {
    const bytes = await reader.next(elems);
    return adopt(
      native().store(
        bytes.map((x) => (x === 0 ? 0 : 1)),
        dtype,
      ),
    );
  }
  return adopt(await (quantization === undefined ? store(reader, dtype, elems) : decodeCodes(reader, spec, quantization, elems)));
}

/**
 * Tensors of `backend` for `specs`, whose bytes `reader` gives in this order. The values have the bits of tf.io.decodeWeights; the bytes go
 * from the reader's block to native memory and are decoded there.
 */
export async function decodeWeights(
  specs: readonly Spec[],
  reader: WeightReader,
  backend: GravitonBackend,
  onProgress?: io.OnProgressCallback,
): Promise<NamedTensorMap> {
  const weights: NamedTensorMap = {};
  try {
    for (const [i, spec] of specs.entries()) {
      const decoded = await decode(spec, reader, backend);
      weights[spec.name]?.dispose(); // a name given twice: the last one counts, as in tfjs
      weights[spec.name] = decoded;
      onProgress?.((i + 1) / specs.length);
    }
    return weights;
  } catch (error) {
    for (const made of Object.values(weights)) made.dispose();
    throw error;
  }
}
