import {AsyncLocalStorage} from 'node:async_hooks';

/** Told by whoever draws while `run` of watchDraws() is under way. */
type OnDraw = () => void;

const watchers = new AsyncLocalStorage<OnDraw>();
let original = Math.random;
let watched = 0;

const reporting = (): number => {
  watchers.getStore()?.();
  return original();
};

function begin(): void {
  if (watched++ > 0) return;
  original = Math.random;
  Math.random = reporting;
}

function end(): void {
  if (--watched === 0 && Math.random === reporting) Math.random = original;
}

/**
 * Runs `run` and tells of each random number that it draws, and nothing of what others draw meanwhile. Kernels do not see draws:
 * tf.randomUniform fills a buffer in JavaScript, and tf.multinomial draws a seed.
 */
export function watchDraws<T>(onDraw: OnDraw, run: () => T): T {
  begin();
  let result: T;
  try {
    result = watchers.run(onDraw, run);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as T;
  end();
  return result;
}
