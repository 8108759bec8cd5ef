import {AsyncLocalStorage} from 'node:async_hooks';
import {TensorData} from '../tensor-data';

/** What is told of what a call does, and of nothing that others do meanwhile. */
export interface Watcher {
  /** It draws a random number. Kernels do not see draws: tf.randomUniform fills a buffer, and tf.multinomial draws a seed. */
  draws(): void;
  /** It makes a tensor. */
  makes?(data: TensorData): void;
}

const watchers = new AsyncLocalStorage<Watcher>();
let original = Math.random;
let watched = 0;

const reporting = (): number => {
  watchers.getStore()?.draws();
  return original();
};

function begin(): void {
  if (watched++ > 0) return;
  original = Math.random;
  Math.random = reporting;
  TensorData.made = (data) => watchers.getStore()?.makes?.(data);
}

function end(): void {
  if (--watched > 0) return;
  if (Math.random === reporting) Math.random = original;
  TensorData.made = undefined;
}

/** Runs `call` and tells `watcher` of it, until a promise that it returns is settled. */
export function watch<T>(watcher: Watcher, call: () => T): T {
  begin();
  let result: T;
  try {
    result = watchers.run(watcher, call);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as T;
  end();
  return result;
}
