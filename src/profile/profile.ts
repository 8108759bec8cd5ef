import {findBackend} from '@tensorflow/tfjs-core';
import {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {chromeTrace} from './chrome-trace';
import {inOrder, type ProfileEvent} from './events';
import {Recorder} from './recorder';
import {renderTable, type TableOptions} from './table';

/** What ran during one call. */
export class Profile<T> {
  constructor(
    /** What the profiled function returned; tensors in it are the caller's. */
    readonly result: T,
    /** All kernels and native steps, by lane and begin. */
    readonly events: readonly ProfileEvent[],
    /** Native steps that ran after the log was full (2²⁰ steps) and are missing here. */
    readonly dropped: number,
  ) {}

  /**
   * The times per kernel and native step as text, in the columns of torch.profiler.
   * @example console.log((await profile(() => model.predict(x))).table({sortBy: 'cpu_time_total', rowLimit: 10}));
   */
  table(options?: TableOptions): string {
    const missing = this.dropped > 0 ? `${this.dropped} more native steps ran and were not kept: profile a shorter call\n` : '';
    return renderTable(this.events, options) + missing;
  }

  /** JSON text to write to a file and open in chrome://tracing or ui.perfetto.dev. */
  toChromeTrace(): string {
    return chromeTrace(this.events);
  }
}

/**
 * Runs `run` and reports what it made the backend do: kernels as tfjs calls them, with ' (fallback)' where one ran on tfjs-backend-cpu, and the native steps
 * inside them. The function may be asynchronous; whatever else runs on the backend meanwhile is in the profile too.
 * @throws ERR_BACKEND while another profile is being taken
 */
export async function profile<T>(run: () => T): Promise<Profile<Awaited<T>>> {
  const backend = findBackend('graviton');
  if (!(backend instanceof GravitonBackend)) throw errors.notRegistered();
  if (backend.profiling) throw errors.profiling();
  const recorder = new Recorder(backend);
  backend.profiling = true;
  recorder.start();
  let result: Awaited<T>;
  let log: ReturnType<Recorder['stop']>;
  try {
    result = await run();
  } finally {
    log = recorder.stop();
    backend.profiling = false;
  }
  return new Profile(result, inOrder(log.events), log.dropped);
}
