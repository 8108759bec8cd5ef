import {Tensor} from '@tensorflow/tfjs-core';

/** Arguments or results with their tensors taken out: `rebuild` puts others in their place, `key` tells two structures apart. */
export interface Flattened {
  readonly tensors: readonly Tensor[];
  readonly key: string;
  rebuild(tensors: readonly Tensor[]): unknown;
}

type Builder = (tensors: readonly Tensor[]) => unknown;

/** Takes the tensors out of nested arrays and plain objects; everything else is part of the structure, by value. */
export function flatten(value: unknown): Flattened {
  const tensors: Tensor[] = [];
  const [key, rebuild] = walk(value, tensors);
  return {tensors, key, rebuild};
}

function walk(value: unknown, tensors: Tensor[]): [string, Builder] {
  if (value instanceof Tensor) {
    const at = tensors.push(value) - 1;
    return ['T', (t) => t[at]];
  }
  if (Array.isArray(value)) {
    const parts = value.map((item) => walk(item, tensors));
    return [`[${parts.map(([k]) => k).join()}]`, (t) => parts.map(([, build]) => build(t))];
  }
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const parts = Object.entries(value).map(([name, item]) => [name, ...walk(item, tensors)] as const);
    const keys = parts.map(([name, k]) => `${JSON.stringify(name)}:${k}`);
    return [`{${keys.join()}}`, (t) => Object.fromEntries(parts.map(([name, , build]) => [name, build(t)]))];
  }
  return [`${typeof value} ${describe(value)}`, () => value];
}

const identities = new WeakMap<object, number>();
let nextIdentity = 1;

/** Equal for equal primitives; objects and functions are told apart by identity. */
function describe(value: unknown): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  let id = identities.get(value);
  if (id === undefined) {
    id = nextIdentity++;
    identities.set(value, id);
  }
  return `#${id}`;
}

/** Structure, types and shapes of nested arrays and plain objects of tensors, to which others are compared without making a text of them. */
export class Shape {
  private constructor(
    private readonly dtype: Tensor['dtype'] | undefined,
    private readonly sizes: readonly number[],
    /** Of a container: its items, and their names where it is an object. */
    private readonly items: readonly Shape[],
    private readonly names: readonly string[] | undefined,
  ) {}

  /** Undefined where there is anything else in it. */
  static of(value: unknown): Shape | undefined {
    if (value instanceof Tensor) return new Shape(value.dtype, value.shape, [], undefined);
    if (value === null || typeof value !== 'object') return undefined;
    const isArray = Array.isArray(value);
    if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return undefined;
    const items = Object.values(value).map((item) => Shape.of(item));
    if (items.includes(undefined)) return undefined;
    return new Shape(undefined, [], items as Shape[], isArray ? undefined : Object.keys(value));
  }

  /** The tensors of a value of the same structure, types and shapes, in order; undefined for any other. */
  tensorsOf(value: unknown): Tensor[] | undefined {
    const tensors: Tensor[] = [];
    return this.collect(value, tensors) ? tensors : undefined;
  }

  private collect(value: unknown, tensors: Tensor[]): boolean {
    if (this.dtype !== undefined) {
      if (!(value instanceof Tensor) || value.dtype !== this.dtype || value.shape.length !== this.sizes.length) return false;
      for (let i = 0; i < this.sizes.length; i++) if (value.shape[i] !== this.sizes[i]) return false;
      tensors.push(value);
      return true;
    }
    const {items, names} = this;
    if (names === undefined) {
      if (!Array.isArray(value) || value.length !== items.length) return false;
      for (let i = 0; i < items.length; i++) if (!(items[i] as Shape).collect(value[i], tensors)) return false;
      return true;
    }
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false;
    let at = 0;
    for (const name in value) {
      if (name !== names[at] || !(items[at] as Shape).collect((value as Record<string, unknown>)[name], tensors)) return false;
      at++;
    }
    return at === items.length;
  }
}
