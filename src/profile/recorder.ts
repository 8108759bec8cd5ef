import {getKernelsForBackend, type KernelConfig} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {native} from '../native';
import type {ProfileEvent} from './events';

/** process.hrtime as a number: exact, since 2⁵³ ns are 104 days of uptime. Its clock is the one that native steps are timed with. */
const nowNs = () => Number(process.hrtime.bigint());

/**
 * Collects what runs on the backend between start() and stop(): tfjs kernels, by standing in for their functions in tfjs-core's registry, which looks
 * them up at every call; native steps, from the log that the addon keeps meanwhile. Nothing of it costs anything at other times.
 */
export class Recorder {
  private readonly kernels: ProfileEvent[] = [];
  private readonly originals: [KernelConfig, KernelConfig['kernelFunc']][] = [];

  constructor(private readonly backend: GravitonBackend) {}

  start(): void {
    for (const config of getKernelsForBackend('graviton')) {
      const {kernelName, kernelFunc} = config;
      this.originals.push([config, kernelFunc]);
      config.kernelFunc = (call) => this.time(kernelName, () => kernelFunc(call));
    }
    native().takeEvents();
    native().configure({logging: true});
  }

  private time<T>(name: string, run: () => T): T {
    const {calls} = this.backend.cpuKernels;
    const fallbacks = calls.get(name);
    const beginNs = nowNs();
    try {
      return run();
    } finally {
      const endNs = nowNs();
      this.kernels.push({name: calls.get(name) !== fallbacks ? `${name} (fallback)` : name, kind: 'kernel', lane: 0, beginNs, endNs});
    }
  }

  stop(): {events: ProfileEvent[]; dropped: number} {
    for (const [config, kernelFunc] of this.originals) config.kernelFunc = kernelFunc;
    native().configure({logging: false});
    const {events, dropped} = native().takeEvents();
    const steps = events.map(({op, plan, step, lane, beginNs, endNs}): ProfileEvent => {
      const name = `graviton::${this.backend.stepLabels.get(plan)?.[step] ?? op}`;
      return {name, kind: 'step', lane, beginNs, endNs};
    });
    return {events: [...this.kernels, ...steps], dropped};
  }
}
