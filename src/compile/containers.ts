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
