/** What a run of the benchmark found: TorchBench's JSON and the table. */
import Table from 'cli-table3';
import type {ModelLimit} from './limits';
import {geometricMean, median, quantile} from './statistics';
import type {Column} from './turns';
import type {Work} from './work';

/** One runtime on one model. */
export interface Measured {
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  readonly runs: number;
  readonly peakGB: number;
  readonly coldMs: number;
}

/** One topology. */
export interface Result {
  readonly folder: string;
  readonly byRuntime: Readonly<Record<string, Measured>>;
  readonly work?: Work;
  readonly limit?: ModelLimit;
  /** Runtimes that could not run it, and why. */
  readonly failures: Readonly<Record<string, string>>;
  /** Why its compiled calls run eagerly, where they do. */
  readonly eagerReason?: string;
}

/** A name of a suite: one topology, or the parts of one model (encoder and a decoding step). */
export interface Entry {
  readonly suite: string;
  readonly name: string;
  readonly folders: readonly string[];
}

export function measuredOf({ms, peakKiB, process}: Column): Measured {
  return {
    ms: median(ms),
    quartiles: [quantile(ms, 0.25), quantile(ms, 0.75)],
    runs: ms.length,
    peakGB: peakKiB / 2 ** 20,
    coldMs: process.ready.coldMs,
  };
}

/** The sum of the parts' latencies; undefined where one is missing. */
function latencyOf(entry: Entry, results: ReadonlyMap<string, Result>, runtime: string): number | undefined {
  const parts = entry.folders.map((folder) => results.get(folder)?.byRuntime[runtime]?.ms);
  return parts.every((ms) => ms !== undefined) ? parts.reduce((sum, ms) => sum + ms, 0) : undefined;
}

/** `above` ÷ `below` for each name of a suite that has both. */
export function ratiosOf(entries: readonly Entry[], results: ReadonlyMap<string, Result>, above: string, below: string) {
  return entries.flatMap((entry) => {
    const [a, b] = [above, below].map((runtime) => latencyOf(entry, results, runtime));
    return a === undefined || b === undefined ? [] : [{name: entry.name, ratio: a / b}];
  });
}

export interface Summary {
  readonly suite: string;
  readonly ratio: string;
  readonly models: number;
  readonly geometricMean: number;
  readonly worst: {readonly name: string; readonly ratio: number};
}

/** Per suite: compiled to eager, and both to every peer. */
export function summaries(entries: readonly Entry[], results: ReadonlyMap<string, Result>, peers: readonly string[]): Summary[] {
  const suiteNames = [...new Set(entries.map(({suite}) => suite))];
  const pairs = [['compile', 'eager'] as const, ...peers.flatMap((peer) => ['compile', 'eager'].map((mode) => [mode, peer] as const))];
  return suiteNames.flatMap((suite) =>
    pairs.flatMap(([above, below]) => {
      const ratios = ratiosOf(
        entries.filter((entry) => entry.suite === suite),
        results,
        above,
        below,
      );
      const [worst] = [...ratios].sort((a, b) => b.ratio - a.ratio);
      if (worst === undefined) return [];
      const mean = geometricMean(ratios.map(({ratio}) => ratio));
      return [{suite, ratio: `${above} ÷ ${below}`, models: ratios.length, geometricMean: mean, worst}];
    }),
  );
}

/**
 * TorchBench's metrics: latency in milliseconds, memory in gigabytes. `X` is the suite's name, or the part's where a model has several; the compiled mode
 * has no infix. The quartiles are for bench:compare.
 */
export function metricsOf(
  entries: readonly Entry[],
  results: ReadonlyMap<string, Result>,
  wanted: readonly string[],
): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const {name, folders} of entries) {
    for (const folder of folders) {
      for (const [runtime, measured] of Object.entries(results.get(folder)?.byRuntime ?? {})) {
        const key = `${folders.length > 1 ? folder : name}${runtime === 'compile' ? '' : `-${runtime}`}`;
        if (wanted.includes('latencies')) {
          metrics[`${key}-eval_latency`] = measured.ms;
          metrics[`${key}-eval_latency_q25`] = measured.quartiles[0];
          metrics[`${key}-eval_latency_q75`] = measured.quartiles[1];
          metrics[`${key}-cold_start`] = measured.coldMs;
        }
        if (wanted.includes('cpu_peak_mem')) metrics[`${key}-eval_cmem`] = measured.peakGB;
      }
    }
  }
  return metrics;
}

export const digits = (value: number | undefined, count = 3): string =>
  value === undefined || Number.isNaN(value) ? '' : value >= 10 ** count ? value.toFixed(0) : value.toPrecision(count);

/** Rows of text, the first with the columns' heads. */
export function rowsOf(results: readonly Result[], peers: readonly string[]): string[][] {
  const head = ['model', 'eager', 'compile', 'quartiles', 'eager ÷ compile'];
  const rest = [...peers.flatMap((peer) => [peer, `÷ ${peer}`]), 'limit', '% of limit', 'cold', 'GB'];
  const rows = results.map(({folder, byRuntime, limit, failures}) => {
    const {eager, compile: fast} = byRuntime;
    const ratio = (a: Measured | undefined, b: Measured | undefined) => digits(a && b && a.ms / b.ms);
    return [
      folder.split('/').slice(0, 2).join('/'),
      digits(eager?.ms),
      digits(fast?.ms),
      fast === undefined ? '' : `${digits(fast.quartiles[0])}–${digits(fast.quartiles[1])}`,
      ratio(eager, fast),
      ...peers.flatMap((peer) => [failures[peer] === undefined ? digits(byRuntime[peer]?.ms) : 'failed', ratio(fast, byRuntime[peer])]),
      digits(limit?.ms),
      fast === undefined || limit === undefined ? '' : ((100 * limit.ms) / fast.ms).toFixed(0),
      digits((fast ?? eager)?.coldMs),
      digits((fast ?? eager)?.peakGB),
    ];
  });
  return [[...head, ...rest], ...rows];
}

export function textTable([head = [], ...rows]: readonly string[][]): string {
  const table = new Table({head: [...head], style: {head: [], border: [], compact: true}});
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

export const summaryRows = (all: readonly Summary[]): string[][] => [
  ['suite', 'ratio', 'models', 'geometric mean', 'worst', ''],
  ...all.map(({suite, ratio, models, geometricMean: mean, worst}) => [
    suite,
    ratio,
    String(models),
    mean.toFixed(3),
    worst.ratio.toFixed(2),
    worst.name,
  ]),
];
