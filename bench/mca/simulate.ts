/** llvm-mca 19: how a core that is not here would run a loop whose data lie in its first-level cache. */
import {execFileSync} from 'node:child_process';
import type {Core} from './loops';

export interface Simulated {
  /** For one turn of the loop. */
  readonly cycles: number;
  /** The least that ports and dispatch width allow, were there no latencies. */
  readonly bound: number;
}

interface Report {
  readonly CodeRegions: readonly {
    readonly SummaryView: {readonly TotalCycles: number; readonly Iterations: number; readonly BlockRThroughput: number};
  }[];
}

const tripleOf = (core: Core): string => (core === 'znver4' ? 'x86_64' : 'aarch64');

/**
 * A post-indexed access as the two operations that these cores make of it. The simulator would let the new address wait for the data that
 * is stored, and so chain turns of a loop that overlap on the machine.
 */
function split(text: string): string[] {
  const [, access, base, step] = /^((?:ld|st)[pr]\s.*\[(\w+)\]), #(-?\w+)$/.exec(text) ?? [];
  if (access === undefined) return [text];
  return [access, step?.startsWith('-') ? `sub ${base}, ${base}, #${step.slice(1)}` : `add ${base}, ${base}, #${step}`];
}

export function simulate(core: Core, loop: readonly string[]): Simulated {
  const options = [`-mtriple=${tripleOf(core)}`, `-mcpu=${core}`, '-iterations=200', '--json', '-'];
  const text = execFileSync('llvm-mca-19', options, {
    input: `${loop.flatMap(split).join('\n')}\n`,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const summary = (JSON.parse(text) as Report).CodeRegions[0]?.SummaryView;
  if (summary === undefined) throw new Error(`llvm-mca says nothing about ${loop.length} instructions on ${core}`);
  return {cycles: summary.TotalCycles / summary.Iterations, bound: summary.BlockRThroughput};
}

/** The instructions of products: how they are spelled, and one of them on its own sums. */
const products: readonly {readonly is: RegExp; readonly alone: (sum: number) => string}[] = [
  {is: /^fml[as]\s+v\d+\.4s/, alone: (i) => `fmla v${i}.4s, v30.4s, v31.s[0]`},
  {is: /^bfmmla\s/, alone: (i) => `bfmmla v${i}.4s, v30.8h, v31.8h`},
  {is: /^(us|s|u)mmla\s/, alone: (i) => `smmla v${i}.4s, v30.16b, v31.16b`},
  {is: /^[su]dot\s+v\d+\.4s/, alone: (i) => `sdot v${i}.4s, v30.16b, v31.16b`},
  {is: /^vfn?m(add|sub)\d+ps\s.*%zmm/, alone: (i) => `vfmadd231ps %zmm30, %zmm31, %zmm${i}`},
  {is: /^vdpbf16ps\s.*%zmm/, alone: (i) => `vdpbf16ps %zmm30, %zmm31, %zmm${i}`},
  {is: /^vpdpbusds?\s.*%zmm/, alone: (i) => `vpdpbusd %zmm30, %zmm31, %zmm${i}`},
];

export const productsIn = (loop: readonly string[]): number => loop.filter((text) => products.some(({is}) => is.test(text))).length;

const rates = new Map<string, number>();

/** Cycles that the loop's products alone would take, each kind at its own rate: 24 sums keep every latency hidden. */
export function productCycles(core: Core, loop: readonly string[]): number {
  let cycles = 0;
  for (const [kind, {is, alone}] of products.entries()) {
    const count = loop.filter((text) => is.test(text)).length;
    if (count === 0) continue;
    const key = `${core} ${kind}`;
    const rate =
      rates.get(key) ??
      24 /
        simulate(
          core,
          Array.from({length: 24}, (_, i) => alone(i)),
        ).cycles;
    rates.set(key, rate);
    cycles += count / rate;
  }
  return cycles;
}

/** Vector registers that the loop keeps on the stack: stores to it and loads from it. */
export const spillsIn = (loop: readonly string[]): number =>
  loop.filter((text) => /^(st|ld)[pru]+r?\s+[qv]\d.*\[sp\b|%[xyz]mm\d.*\(%rsp|\(%rsp.*%[xyz]mm\d/.test(text)).length;

/** 32-bit elements that the loop stores, or loads where it stores none. */
export function elementsOf(loop: readonly string[]): number {
  const lanes = (text: string): number => {
    if (/^(ldp|stp)\s+q/.test(text)) return 8;
    if (/^(ldu?r|stu?r)\s+q/.test(text)) return 4;
    return /%zmm/.test(text) ? 16 : /%ymm/.test(text) ? 8 : /%xmm/.test(text) ? 4 : 0;
  };
  const sum = (texts: readonly string[]) => texts.reduce((total, text) => total + lanes(text), 0);
  const onStack = /\[sp\b|\(%rsp/;
  const stores = loop.filter((text) => /^(stp|stu?r)\s+q|^vmov\w+\s+%[xyz]mm\d+,.*\)/.test(text) && !onStack.test(text));
  if (stores.length > 0) return sum(stores);
  return sum(loop.filter((text) => /^(ldp|ldu?r)\s+q|\(%r\w+.*%[xyz]mm/.test(text) && !onStack.test(text)));
}
