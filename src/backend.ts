import {
  type BackendValues,
  backend_util,
  type DataId,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type {Trace, TracedValue} from './compile/trace';
import {errors} from './errors';
import {HeldReferences} from './held-references';
import {CpuKernels} from './kernels/cpu-kernels';
import {checkElems, native, noSlot, type OperandRef, type Slot} from './native';
import {sizeOf} from './ops/geometry';
import type {NativeDType, OpSpec, Params, ParamValues} from './ops/schema';
import {TensorData} from './tensor-data';

export interface OutputSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** Element types of tfjs that live in native memory. */
export function nativeDType(dtype: DataType): NativeDType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw errors.dtype('a native tensor', dtype, ['float32', 'int32', 'bool'], 'Strings and complex numbers stay in JavaScript.');
}

type NumericArray = Float32Array | Int32Array | Uint8Array;

const views = {
  float32: (bytes: ArrayBuffer) => new Float32Array(bytes),
  int32: (bytes: ArrayBuffer) => new Int32Array(bytes),
  bool: (bytes: ArrayBuffer) => new Uint8Array(bytes),
};

function toTypedArray(values: BackendValues, dtype: 'float32' | 'int32' | 'bool'): NumericArray {
  if (dtype === 'float32') return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
  return values instanceof Uint8Array ? values : Uint8Array.from(values as ArrayLike<number>, (x) => (x ? 1 : 0));
}

/**
 * The `graviton` backend of TensorFlow.js. Tensors are dense and row-major in native memory; each kernel call becomes one or a few native
 * steps that run at once and, when a compiled function is being recorded, are noted by its trace as well.
 */
export class GravitonBackend extends KernelBackend {
  private count = 0;
  /** Data ids that another backend made, by our record of the data moved here. */
  private moved = new WeakMap<DataId, TensorData>();
  private alive = true;
  /** The operands of the step that is about to run: a list for each length, since setting a list's length costs more than the step's checks. */
  private readonly operandLists: (Slot | OperandRef)[][] = [];
  /** What profile() calls the steps of a plan, by plan number: whoever makes a plan puts its names here and takes them away with it. */
  readonly stepLabels = new Map<number, readonly string[]>();
  /** While profile() records what runs here. */
  profiling = false;
  private readonly held = new HeldReferences();
  private readonly giveBack = (id: DataId): void => {
    this.disposeData(id);
  };
  /** Where kernels without native steps run. */
  readonly cpuKernels = new CpuKernels();

  // ---- data life cycle, called by tfjs-core -------------------------------------------------------------------------------------

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const data = this.store(values, shape, dtype);
    this.count++; // not before: store() may throw
    return data;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    const data = this.store(values, shape, dtype);
    this.count++;
    data.refCount = refCount;
    this.moved.set(dataId, data);
  }

  private store(values: BackendValues, shape: readonly number[], dtype: DataType): TensorData {
    const elems = util.sizeFromShape(shape as number[]);
    if (dtype === 'string') return TensorData.ofHost({kind: 'string', values: values as Uint8Array[]}, elems);
    if (dtype === 'complex64') {
      // Only reached when a complex tensor moves here: values are interleaved pairs.
      const {real, imag} = backend_util.splitRealAndImagArrays(values as Float32Array);
      const part = (v: Float32Array): TensorInfo => ({
        dataId: this.write(v, shape as number[], 'float32'),
        shape: [...shape],
        dtype: 'float32',
      });
      return TensorData.ofHost({kind: 'complex', real: part(real), imag: part(imag)}, elems);
    }
    const array = toTypedArray(values ?? new Array(elems).fill(0), nativeDType(dtype) as 'float32' | 'int32' | 'bool');
    if (array.length !== elems) throw errors.shape('a tensor', `${array.length} values do not fill the shape [${shape.join(', ')}]`);
    return TensorData.ofSlot(native().store(array, nativeDType(dtype)), dtype, elems);
  }

  /** Our record of a data id; data that lives on another backend is moved here first. */
  data(dataId: DataId): TensorData {
    if (dataId instanceof TensorData && !dataId.disposed) return dataId;
    let data = this.moved.get(dataId);
    if (data === undefined) {
      try {
        engine().moveData(this, dataId);
      } catch {
        throw errors.disposed('a tensor');
      }
      data = this.moved.get(dataId);
    }
    if (data === undefined) throw errors.disposed('a tensor');
    return data;
  }

  private known(dataId: DataId): TensorData | undefined {
    return dataId instanceof TensorData && !dataId.disposed ? dataId : this.moved.get(dataId);
  }

  override readSync(dataId: DataId): BackendValues {
    for (const data of this.leaves(dataId)) if (data.traced?.trace.open) data.traced.trace.hostRead(data);
    return this.values(dataId);
  }

  /** The elements, without telling a trace that JavaScript has seen them. */
  values(dataId: DataId): BackendValues {
    const data = this.data(dataId);
    if (data.host?.kind === 'string') return data.host.values;
    if (data.host?.kind === 'complex') {
      const {real, imag} = data.host;
      return backend_util.mergeRealAndImagArrays(this.values(real.dataId) as Float32Array, this.values(imag.dataId) as Float32Array);
    }
    return views[data.dtype as 'float32'](native().read(data.slot));
  }

  /** The record itself, or those of the two parts of a complex tensor. */
  leaves(dataId: DataId): readonly TensorData[] {
    const data = this.data(dataId);
    return data.host?.kind === 'complex' ? [this.data(data.host.real.dataId), this.data(data.host.imag.dataId)] : [data];
  }

  /** The elements as they are now: the tensor may be disposed of before the promise is awaited. */
  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override incRef(dataId: DataId): void {
    this.data(dataId).refCount++;
  }

  override refCount(dataId: DataId): number {
    return this.known(dataId)?.refCount ?? 0;
  }

  /** Returns true when the data is released, false while others still refer to it. */
  override disposeData(dataId: DataId, force = false): boolean {
    const data = this.known(dataId);
    if (data === undefined) return true;
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    if (data.host?.kind === 'complex') {
      // Not by force: a view of a part may outlive the whole.
      this.disposeData(data.host.real.dataId);
      this.disposeData(data.host.imag.dataId);
    }
    data.release();
    if (data !== dataId) this.moved.delete(dataId);
    this.count--;
    return true;
  }

  disposeIntermediate(tensor: TensorInfo): void {
    this.held.drop(tensor.dataId);
    this.disposeData(tensor.dataId);
  }

  override numDataIds(): number {
    return this.count;
  }

  override memory(): {unreliable: boolean} {
    return {unreliable: false};
  }

  override async time(run: () => void): Promise<{kernelMs: number}> {
    const start = performance.now();
    run();
    return {kernelMs: performance.now() - start};
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return epsilonFloat32;
  }

  override dispose(): void {
    this.alive = false;
    this.moved = new WeakMap();
    native().freeArenas();
  }

  get disposed(): boolean {
    return !this.alive;
  }

  /** Runs a kernel; where it throws, what it made is given back. */
  guarded<Call, Result>(kernel: (call: Call) => Result, call: Call): Result {
    return this.held.during(kernel, call, this.giveBack);
  }

  // ---- for kernels ----------------------------------------------------------------------------------------------------------------

  /** A tensor of values that JavaScript has at hand. */
  makeTensor(values: BackendValues, shape: readonly number[], dtype: DataType): TensorInfo {
    const dataId = this.write(values, shape as number[], dtype);
    this.held.take(dataId);
    return {dataId, shape: shape as number[], dtype};
  }

  /** A tensor of a native one, which it takes over. */
  adopt(slot: Slot, shape: readonly number[], dtype: DataType): TensorInfo {
    return this.adoptData(TensorData.ofSlot(slot, dtype, util.sizeFromShape(shape as number[])), shape, dtype);
  }

  adoptData(data: TensorData, shape: readonly number[], dtype: DataType): TensorInfo {
    this.count++;
    this.held.take(data);
    return {dataId: data, shape: shape as number[], dtype};
  }

  /** The same data under another shape: no step, one more reference. */
  view(x: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(x.dataId);
    this.held.take(x.dataId);
    return {dataId: x.dataId, shape: shape as number[], dtype: x.dtype};
  }

  /**
   * The same elements as a tensor of its own. Where tfjs-core knows one of two tensors and the other is a part of a complex tensor, a view
   * will not do: core forgets a data id only when its last tensor is disposed of, and it does not see the part.
   */
  alias(x: TensorInfo): TensorInfo {
    const from = this.data(x.dataId);
    if (from.pending) return this.adoptData((from.traced as TracedValue).trace.alias(from), x.shape, x.dtype);
    const data = TensorData.ofSlot(native().share(from.slot), from.dtype, from.elems);
    data.traced = from.traced;
    return this.adoptData(data, x.shape, x.dtype);
  }

  /** A complex tensor of two parts, which it takes over. */
  makeComplex(real: TensorInfo, imag: TensorInfo): TensorInfo {
    this.count++;
    const data = TensorData.ofHost({kind: 'complex', real, imag}, util.sizeFromShape(real.shape));
    this.held.drop(real.dataId);
    this.held.drop(imag.dataId);
    this.held.take(data);
    return {dataId: data, shape: real.shape, dtype: 'complex64'};
  }

  /** The parts, which stay the complex tensor's own; after a reshape they have the new shape. */
  complexParts(x: TensorInfo): {real: TensorInfo; imag: TensorInfo} {
    const {host} = this.data(x.dataId);
    if (host?.kind !== 'complex')
      throw errors.dtype('a complex operation', x.dtype, ['complex64'], 'Make one with tf.complex(real, imag).');
    return {real: {...host.real, shape: x.shape}, imag: {...host.imag, shape: x.shape}};
  }

  /**
   * Runs one native step on `inputs` (undefined: the optional operand is not given) and returns its results as new tensors.
   * While a compiled function is recorded and an input depends on the function's inputs, the step is recorded too.
   * `offsets`: the element of each input that its strides start from, where not 0.
   */
  step<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (TensorInfo | undefined)[],
    outputs: readonly OutputSpec[],
    params: ParamValues<P>,
    offsets?: readonly number[],
  ): TensorInfo[] {
    const operands = inputs.map((input) => (input === undefined ? undefined : this.data(input.dataId)));
    const trace = operands.find((data) => data?.traced?.trace.open)?.traced?.trace;
    const specs = outputs.map((o) => ({dtype: nativeDType(o.dtype), elems: sizeOf(o.shape)}));
    let results: TensorData[];
    if (trace?.ghostly) {
      for (const {elems} of specs) checkElems(op.name, elems);
      results = specs.map(({elems}, i) => TensorData.pending((outputs[i] as OutputSpec).dtype, elems));
    } else {
      const slots = operands.map((data, i): Slot | OperandRef => {
        const slot = data === undefined ? noSlot : data.slot;
        const offset = offsets?.[i];
        return offset ? {slot, offset} : slot;
      });
      const made = native().run(op, slots, specs, params);
      results = made.map((slot, i) => TensorData.ofSlot(slot, (outputs[i] as OutputSpec).dtype, (specs[i] as {elems: number}).elems));
    }
    this.count += results.length;
    for (const data of results) this.held.take(data);
    trace?.recordStep(op, operands, results, params, offsets);
    return results.map((data, i) => {
      const {shape, dtype} = outputs[i] as OutputSpec;
      return {dataId: data, shape: shape as number[], dtype};
    });
  }

  /** step() for the usual case of one result, with as few objects as can be. */
  run<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (TensorInfo | undefined)[],
    output: OutputSpec,
    params: ParamValues<P>,
    offsets?: readonly number[],
  ): TensorInfo {
    let slots = this.operandLists[inputs.length];
    if (slots === undefined) {
      slots = new Array<Slot>(inputs.length).fill(noSlot);
      this.operandLists[inputs.length] = slots;
    }
    let trace: Trace | undefined;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      const data = input === undefined ? undefined : this.data(input.dataId);
      if (data?.traced?.trace.open) {
        trace = data.traced.trace;
        if (trace.ghostly) return this.step(op, inputs, [output], params, offsets)[0] as TensorInfo;
      }
      const slot = data === undefined ? noSlot : data.slot;
      const offset = offsets === undefined ? 0 : offsets[i];
      slots[i] = offset ? {slot, offset} : slot;
    }
    const {shape, dtype} = output;
    const elems = sizeOf(shape);
    const data = TensorData.ofSlot(native().runOne(op, slots, nativeDType(dtype), elems, params), dtype, elems);
    this.count++;
    this.held.take(data);
    if (trace !== undefined) {
      const operands = inputs.map((input) => (input === undefined ? undefined : this.data(input.dataId)));
      trace.recordStep(op, operands, [data], params, offsets);
    }
    return {dataId: data, shape: shape as number[], dtype};
  }
}

/** tf.backend().epsilon() for 32-bit floats, as every tfjs backend has it. */
const epsilonFloat32 = 1e-7;
