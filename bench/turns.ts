/** Runtimes take turns, so that what disturbs one disturbs all. */
import type {RuntimeProcess} from './runtime-process';
import {median} from './statistics';

export interface Column {
  /** 'compile', 'eager', or the peer. */
  readonly name: string;
  readonly process: RuntimeProcess;
  readonly ms: number[];
  peakKiB: number;
}

export interface Effort {
  /** Runs that every runtime gets at least, where the time allows. */
  readonly runs: number;
  readonly seconds: number;
  /** Length of one turn. */
  readonly turnMs: number;
}

/** Threads that have worked go on spinning for a while, and would slow down whose turn is next: with ONNX Runtime's before it, three times. */
const restMs = 100;
const rest = () => new Promise((resolve) => setTimeout(resolve, restMs));

/** The first run finds caches as the others left them and is not kept. */
async function turn(column: Column, turnMs: number): Promise<void> {
  const runs = Math.max(1, Math.min(200, Math.round(turnMs / median(column.ms))));
  await rest();
  const {ms, peakKiB} = await column.process.burst(runs + 1);
  column.ms.push(...ms.slice(1));
  column.peakKiB = peakKiB;
}

/** A B A B …, the first of a round changing, until each has `runs` runs or `seconds` have passed. Warm-up runs are not kept. */
export async function takeTurns(columns: readonly Column[], {runs, seconds, turnMs}: Effort): Promise<void> {
  for (const column of columns) {
    await rest();
    const [first = 0] = (await column.process.burst(1)).ms;
    const more = Math.min(10, Math.floor((1000 * seconds) / 20 / first));
    column.ms.push(more > 0 ? median((await column.process.burst(more)).ms) : first);
  }
  const estimates = columns.map((column) => column.ms.length);
  const end = performance.now() + seconds * 1000;
  const fewest = () => Math.min(...columns.map((column, i) => column.ms.length - (estimates[i] as number)));
  for (let round = 0; round === 0 || (performance.now() < end && fewest() < runs); round++) {
    const from = round % Math.max(1, columns.length);
    for (const column of [...columns.slice(from), ...columns.slice(0, from)]) await turn(column, turnMs);
  }
  for (const column of columns) column.ms.shift();
}
