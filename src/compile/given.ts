import type {Tensor} from '@tensorflow/tfjs-core';
import {type Flattened, flatten, Shape} from './containers';
import type {Entry, Signature} from './recorder';

/** A call that was answered by an entry: most calls are like the last one, and need no description. */
export class LastCall {
  constructor(
    readonly entry: Entry,
    private readonly shape: Shape,
    private readonly results: readonly string[] | undefined,
  ) {}

  /** The tensors of a call that gives and wants the same; undefined for any other. */
  tensorsOf(value: unknown, results: readonly string[] | undefined): Tensor[] | undefined {
    const {results: own} = this;
    const isSame = own === results || (own?.length === results?.length && own?.every((name, i) => name === results?.[i]));
    return isSame ? this.shape.tensorsOf(value) : undefined;
  }
}

/** The arguments of one call. What only a first call of its kind needs is made when it is asked for. */
export class Given implements Signature {
  /** The entry of the last call, where this one is like it. */
  readonly recalled: Entry | undefined;
  private known: readonly Tensor[] | undefined;
  private flat: Flattened | undefined;

  /** `results`: the names of those that are wanted, undefined for all; `describe`: what is wanted, as a text. */
  constructor(
    private readonly value: unknown,
    private readonly results: readonly string[] | undefined,
    private readonly describe: () => string,
    last: LastCall | undefined,
  ) {
    this.known = last?.tensorsOf(value, results);
    this.recalled = this.known === undefined ? undefined : last?.entry;
  }

  get inputs(): readonly Tensor[] {
    return this.known ?? this.flattened.tensors;
  }

  get structure(): string {
    return `in ${this.flattened.key}${this.describe()}`;
  }

  /** Other tensors in the places of the inputs. */
  rebuild(tensors: readonly Tensor[]): unknown {
    return this.flattened.rebuild(tensors);
  }

  /** To be remembered with its entry; undefined where more than tensors was given. */
  answeredBy(entry: Entry): LastCall | undefined {
    const shape = Shape.of(this.value);
    return shape === undefined ? undefined : new LastCall(entry, shape, this.results);
  }

  private get flattened(): Flattened {
    this.flat ??= flatten(this.value);
    return this.flat;
  }
}
