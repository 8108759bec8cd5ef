import type {ConstantPool} from './constants';
import {type Graph, type Node, verify} from './ir';
import type {Pass} from './pass';
import {attention} from './passes/attention';
import {batchNorm} from './passes/batch-norm';
import {canonicalise} from './passes/canonicalise';
import {channelFactors} from './passes/channel-factors';
import {channelOrder} from './passes/channel-order';
import {commonSubexpressions} from './passes/common-subexpressions';
import {concatenations} from './passes/concatenations';
import {deadCode} from './passes/dead-code';
import {expandDepthwise} from './passes/expand-depthwise';
import {groups} from './passes/groups';
import {linear, linearAgain} from './passes/linear';
import {normalization} from './passes/normalization';
import {packing} from './passes/packing';
import {padding} from './passes/padding';
import {pointwise} from './passes/pointwise';
import {precision} from './passes/precision';
import {reads, slices} from './passes/reads';
import {recurrence} from './passes/recurrence';
import {rows} from './passes/rows';
import {sharedInput} from './passes/shared-input';
import {sharedWeights} from './passes/shared-weights';
import {winograd} from './passes/winograd';
import {writes} from './passes/writes';
import {exactPrecision, type Precision} from './precision';
import {Remains} from './remains';

/** In the order in which they run; each says why it is there. Folding needs no pass: what depends on no input is never recorded. */
export const passes: readonly Pass[] = [
  canonicalise,
  commonSubexpressions,
  deadCode,
  padding,
  normalization,
  attention,
  reads,
  deadCode,
  groups,
  concatenations,
  linear,
  pointwise,
  linearAgain,
  sharedWeights,
  recurrence,
  batchNorm,
  channelFactors,
  channelOrder,
  reads,
  slices,
  rows,
  sharedInput,
  writes,
  deadCode,
  precision,
  winograd,
  packing,
  expandDepthwise,
];

export interface PassReport {
  readonly name: string;
  readonly ms: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
}

export interface Refusal {
  readonly node: Node;
  readonly reason: string;
}

export interface Optimized {
  readonly graph: Graph;
  readonly passes: readonly PassReport[];
  /** Why something that might be expected was not done, by node of the final graph where it is still there. */
  readonly refusals: readonly Refusal[];
  /** Why steps stay by themselves. */
  readonly remains: Remains;
  /** What passes chose by speed, in order. */
  readonly choices: readonly unknown[];
}

/** Runs every pass that is not in `off`, timed and followed by verify(). `chosen`: the choices of a graph that this one is to be like. */
export function optimize(
  graph: Graph,
  pool: ConstantPool,
  off: ReadonlySet<string> = new Set(),
  allowed: Precision = exactPrecision,
  chosen: readonly unknown[] = [],
): Optimized {
  const reports: PassReport[] = [];
  const refusals: Refusal[] = [];
  const remains = new Remains();
  const leave = (node: Node, reason: string) => remains.leave(node, reason);
  const refuse = (node: Node, reason: string) => {
    refusals.push({node, reason});
  };
  const inherit = (node: Node, next: Node) => {
    remains.inherit(node, next);
    for (const [i, refusal] of refusals.entries()) if (refusal.node === node) refusals[i] = {...refusal, node: next};
  };
  const memory = new Map<string, unknown>();
  const remember = <T>(key: string, make: () => T): T => {
    if (!memory.has(key)) memory.set(key, make());
    return memory.get(key) as T;
  };
  const choices: unknown[] = [];
  const choose = <T>(make: () => T): T => {
    const choice = choices.length < chosen.length ? (chosen[choices.length] as T) : make();
    choices.push(choice);
    return choice;
  };
  let current = graph;
  verify(current, 'the trace');
  for (const pass of passes) {
    if (off.has(pass.name)) continue;
    const start = performance.now();
    const next = pass.run(current, {pool, precision: allowed, refuse, leave, inherit, remember, choose});
    if (next !== current) verify(next, pass.name);
    reports.push({name: pass.name, ms: performance.now() - start, nodesBefore: current.nodes.length, nodesAfter: next.nodes.length});
    current = next;
  }
  return {graph: current, passes: reports, refusals, remains, choices};
}
