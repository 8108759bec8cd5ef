/** Runtimes take turns, so that what disturbs one disturbs all. */
import type {Burst, RuntimeProcess} from './runtime-process';
import {median} from './statistics';

export interface Contestant {
  readonly process: {burst(runs: number): Promise<Burst>};
  readonly ms: number[];
  peakKiB: number;
}
export interface Column extends Contestant {
  /** 'compile', 'eager', or the peer. */
  readonly name: string;
  readonly process: RuntimeProcess;
}

export interface Effort {
  /** Runs that every runtime gets at least, where the time allows. */
  readonly runs: number;
  readonly seconds: number;
  /** Length of one turn. */
  readonly turnMs: number;
  /** Before each turn. Left out: 100. */
  readonly restMs?: number;
}

/** Threads that have worked go on spinning for a while, and would slow down whose turn is next: with ONNX Runtime's before it, three times. */
const usualRestMs = 100;
const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first run finds caches as the others left them and is not kept. */
async function turn(column: Contestant, turnMs: number, restMs: number): Promise<void> {
  const runs = Math.max(1, Math.min(200, Math.round(turnMs / median(column.ms))));
  await rest(restMs);
  const {ms, peakKiB} = await column.process.burst(runs + 1);
  column.ms.push(...ms.slice(1));
  column.peakKiB = peakKiB;
}

/** A B A B …, the first of a round changing, until each has `runs` runs or `seconds` have passed. Warm-up runs are not kept. */
export async function takeTurns(columns: readonly Contestant[], {runs, seconds, turnMs, restMs = usualRestMs}: Effort): Promise<void> {
  for (const column of columns) {
    await rest(restMs);
    const [first = 0] = (await column.process.burst(1)).ms;
    const more = Math.min(10, Math.floor((1000 * seconds) / 20 / first));
    column.ms.push(more > 0 ? median((await column.process.burst(more)).ms) : first);
  }
  const estimates = columns.map((column) => column.ms.length);
  const end = performance.now() + seconds * 1000;
  const fewest = () => Math.min(...columns.map((column, i) => column.ms.length - (estimates[i] as number)));
  for (let round = 0; round === 0 || (performance.now() < end && fewest() < runs); round++) {
    const from = round % Math.max(1, columns.length);
    for (const column of [...columns.slice(from), ...columns.slice(0, from)]) await turn(column, turnMs, restMs);
  }
  for (const column of columns) column.ms.shift();
}
