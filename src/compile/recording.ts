import {engine, scalar, type Tensor, type Variable} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {native} from '../native';
import {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {watchDraws} from './random-draws';
import {type Known, Trace} from './trace';

/** What a call takes, without the elements. */
export interface InputSpec {
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
}

/** What a recorded call read that was not made by it. */
export interface Captures {
  /** Variables, with the data that they had. */
  readonly variables: readonly {readonly variable: Variable; readonly data: TensorData}[];
  readonly captured: readonly TensorData[];
  /** TensorData.watchedReleases when all of `captured` were last found to be there. */
  foundAt?: number;
}

/** Tensors of larger ids are made later. */
export function newestTensorId(): number {
  const marker = scalar(0);
  marker.dispose();
  return marker.id;
}

/** One call while it is recorded: its inputs under data ids of their own, so that f(a, a) or a captured input is never confused. */
export class Recording {
  readonly start = performance.now();
  readonly trace: Trace;
  readonly inputs: readonly Tensor[];
  private readonly returned = new Set<Tensor>();

  private constructor(
    pool: ConstantPool,
    readonly backend: GravitonBackend,
    specs: readonly InputSpec[],
    data: readonly TensorData[],
    private readonly firstId: number,
    mostNodes?: number,
    known?: Known,
  ) {
    this.trace = new Trace(pool, mostNodes, known);
    this.inputs = specs.map(({shape, dtype}, i) =>
      engine().makeTensorFromTensorInfo(backend.adoptData(data[i] as TensorData, shape, dtype), backend),
    );
    for (const own of data) this.trace.addInput(own);
  }

  /** Records a call on `inputs`, of which plans may have computed a part. */
  static of(pool: ConstantPool, backend: GravitonBackend, inputs: readonly Tensor[], known?: Known): Recording {
    const firstId = newestTensorId(); // first: it may find no memory, and the shares would be left over
    const data = inputs.map(({dataId, dtype, size}) => TensorData.ofSlot(native().share(backend.data(dataId).slot), dtype, size));
    return new Recording(pool, backend, inputs, data, firstId, undefined, known);
  }

  /** Records what a call on inputs of these shapes would do: NotLike is thrown where that depends on elements or takes more steps. */
  static ofShapes(pool: ConstantPool, backend: GravitonBackend, specs: readonly InputSpec[], mostNodes: number): Recording {
    const elems = specs.map(({shape}) => shape.reduce((product, size) => product * size, 1));
    return new Recording(
      pool,
      backend,
      specs,
      specs.map(({dtype}, i) => TensorData.pending(dtype, elems[i] as number)),
      newestTensorId(),
      mostNodes,
    );
  }

  /** The call itself. What comes after it has drawn a random number runs eagerly, since later calls must draw their own. */
  run<T>(call: (inputs: readonly Tensor[]) => T): T {
    return watchDraws(
      () => this.trace.obstruct('random numbers are drawn'),
      () => call(this.inputs),
    );
  }

  private isOwn(tensor: Tensor): boolean {
    return tensor.id > this.firstId;
  }

  /** The results as tensors that the caller may dispose of: repeated and captured ones are clones. Marks cannot tell, an obstructed trace sets none. */
  distinct(results: readonly Tensor[]): Tensor[] {
    return results.map((tensor) => {
      if (!this.isOwn(tensor) || this.returned.has(tensor)) return tensor.clone();
      this.returned.add(tensor);
      return tensor;
    });
  }

  /** Gives back results that nobody gets. */
  drop(results: readonly Tensor[]): void {
    for (const tensor of results) if (this.isOwn(tensor) && !tensor.isDisposed) tensor.dispose();
  }

  /** What the call read and neither made nor returns as its own. */
  captures(results: readonly Tensor[]): Captures {
    const own = new Set<object>(results.filter((tensor) => this.isOwn(tensor)).map((tensor) => tensor.dataId));
    const captured = this.trace.capturedData().filter((data) => !data.disposed && !own.has(data));
    const variables = Object.values(engine().registeredVariables).flatMap((variable) => {
      const data = captured.find((d) => d === variable.dataId);
      return data === undefined ? [] : [{variable, data}];
    });
    const assigned = new Set(variables.map((v) => v.data));
    for (const data of captured) data.isWatched = true;
    return {variables, captured: captured.filter((d) => !assigned.has(d))};
  }

  release(): void {
    this.trace.release();
    for (const tensor of this.inputs) if (!tensor.isDisposed && !this.returned.has(tensor)) tensor.dispose();
  }
}
