import {errorOf} from './difference';
import type {Graph, Node} from './ir';
import {microKernelOf} from './micro-kernel';
import type {Optimized} from './optimize';
import {precisionOf} from './precision';
import type {Entry} from './recorder';
import type {Verifier} from './verifier';

export interface ExplainedStep {
  readonly op: string;
  /** Op and what was fused into it, as the profiler shows it: 'MatMul+bias+GeluErf'. */
  readonly label: string;
  /** Sizes, e.g. '128x768x3072'. */
  readonly size: string;
  /** What it multiplies or computes in: 'fp32', 'bf16' or 'int8'; the element type of steps without floats. */
  readonly precision: string;
  /** Of a product or convolution: its inner loop ('packed fp32', 'Winograd 4x4', …: src/compile/micro-kernel.ts). */
  readonly microKernel?: string;
  /** Where a kernel of tfjs-backend-cpu runs instead of a native op: which one. */
  readonly fallback?: string;
  /** Of a step with which no other was fused: why, in a few words ('3 readers', 'no product before it', 'an output', …). */
  readonly alone?: string;
  /** With GRAVITON_VERIFY=1: how far the step lay from eager in the last call, as a part of the largest magnitude, and what rounding explains. */
  readonly diff?: {readonly error: number; readonly tolerance: number};
}

export interface ExplainedPlan {
  readonly signature: string;
  /** Why calls with this signature run eagerly; undefined where there is a plan. */
  readonly eager: string | undefined;
  readonly calls: number;
  /** The inputs with a range for each size that may differ, where one plan serves them all. */
  readonly sizes?: string;
  /** Why one plan does not serve other sizes too, where that has been tried. */
  readonly ownPlan?: string;
  /** What JavaScript reads on the way, with the elements seen so far: each continues with a plan of its own. */
  readonly guards?: readonly string[];
  /** Why calls end in a part that runs eagerly. */
  readonly tails?: readonly string[];
  readonly steps: readonly ExplainedStep[];
  readonly passes: readonly {readonly name: string; readonly ms: number; readonly nodesBefore: number; readonly nodesAfter: number}[];
  /** Why a fusion that might be expected was not made. */
  readonly reasons: readonly string[];
}

export interface Explanation {
  readonly plans: readonly ExplainedPlan[];
  readonly text: string;
  toString(): string;
}

const sizeParams: Readonly<Record<string, readonly string[]>> = {
  MatMul: ['batch1', 'batch2', 'rowsM', 'depthK', 'colsN'],
  Attention: ['batch', 'heads', 'queries', 'keys', 'depth'],
  Conv2D: ['batch', 'outH', 'outW', 'inC', 'outC', 'filterH', 'filterW'],
  Recurrence: ['steps', 'batch', 'units'],
  DepthwiseConv2D: ['batch', 'outH', 'outW', 'outC', 'filterH', 'filterW'],
  ExpandDepthwiseConv2D: ['batch', 'inH', 'inW', 'depthK', 'inC', 'filterH', 'filterW'],
};

/** 'MatMul+bias+GeluErf', without what every step of its kind has. */
export function labelOf(node: Node): string {
  if (node.host !== undefined) return `${node.host.kernelName} (fallback)`;
  const notes = (node.notes ?? []).filter((note) => note !== 'packed');
  return [node.op.name, ...notes].join('+');
}

export function sizeTextOf(node: Node): string {
  const names = sizeParams[node.op.name];
  if (names !== undefined) {
    const sizes = names.map((name) => node.params[name] as number);
    const first = sizes.findIndex((s) => s !== 1);
    return sizes.slice(first < 0 ? sizes.length - 1 : first).join('x');
  }
  const {shape, outer, rows, cols, reduce, inner} = node.params as Record<string, number | readonly number[]>;
  if (Array.isArray(shape)) return shape.join('x');
  return [outer, rows, reduce, cols, inner].filter((s) => typeof s === 'number').join('x');
}

function explainedStep(graph: Graph, node: Node, alone: string | undefined, verifier: Verifier | undefined): ExplainedStep {
  const step = verifier?.differences.get(node);
  const microKernel = microKernelOf(graph, node);
  return {
    op: node.op.name,
    label: labelOf(node),
    size: sizeTextOf(node),
    precision: precisionOf(graph, node),
    ...(microKernel === undefined ? {} : {microKernel}),
    ...(node.host === undefined ? {} : {fallback: node.host.kernelName}),
    ...(alone === undefined ? {} : {alone}),
    ...(step === undefined ? {} : {diff: {error: errorOf(step.difference), tolerance: step.tolerance}}),
  };
}

function stepsOf({graph, remains}: Optimized, verifier: Verifier | undefined): ExplainedStep[] {
  const alone = remains.of(graph);
  return graph.nodes.map((node) => explainedStep(graph, node, alone.get(node), verifier));
}

function refusalsOf({graph, refusals}: Optimized): string[] {
  const alive = new Set(graph.nodes);
  return refusals.filter((r) => alive.has(r.node)).map(({node, reason}) => `${labelOf(node)} [${sizeTextOf(node)}]: ${reason}`);
}

function explained(entry: Entry): ExplainedPlan {
  const {optimized, verifier, tree} = entry;
  const parts = tree?.parts ?? (optimized === undefined ? [] : [{optimized, verifier}]);
  return {
    signature: entry.signature,
    eager: entry.reason,
    calls: entry.calls,
    ...(entry.sizes === undefined ? {} : {sizes: entry.sizes}),
    ...(entry.family?.reason === undefined ? {} : {ownPlan: entry.family.reason}),
    ...tree?.describe(),
    steps: parts.flatMap((part) => stepsOf(part.optimized, part.verifier)),
    passes: parts.flatMap((part) => part.optimized.passes),
    reasons: [...new Set(parts.flatMap((part) => refusalsOf(part.optimized)))],
  };
}

/** One line a step, in order, since errors are of single steps. */
function diffLines({steps}: ExplainedPlan): string[] {
  if (!steps.some((step) => step.diff)) return ['  not verified: set GRAVITON_VERIFY=1 before the first call'];
  return steps.map(({label, size, diff}) => {
    const error = diff === undefined ? 'with a later step' : `${diff.error.toExponential(1)} of ${diff.tolerance.toExponential(1)}`;
    return `  ${error.padStart(18)}  ${label} [${size}]`;
  });
}

export interface ExplainOptions {
  /** Also why fusions that might be expected were not made. */
  readonly reasons?: boolean;
  /** Each step's largest error in the last call, where calls are verified. */
  readonly diff?: boolean;
}

function textOf(plan: ExplainedPlan, {reasons = false, diff = false}: ExplainOptions): string {
  if (plan.eager !== undefined) return `${plan.signature}\n  runs eagerly: ${plan.eager}`;
  const groups = new Map<string, number>();
  for (const step of plan.steps) {
    const line = `${step.label} [${step.size}]${step.alone === undefined ? '' : ` (alone: ${step.alone})`}`;
    groups.set(line, (groups.get(line) ?? 0) + 1);
  }
  const lines = diff ? diffLines(plan) : [...groups].map(([line, count]) => `  ${String(count).padStart(4)} x ${line}`);
  const why = reasons ? plan.reasons.map((reason) => `  not fused: ${reason}`) : [];
  const sizes = plan.sizes === undefined ? '' : `, one plan for ${plan.sizes}`;
  const guards = (plan.guards ?? []).map((guard) => `  read in JavaScript: ${guard}`);
  const tails = (plan.tails ?? []).map((reason) => `  then eagerly: ${reason}`);
  const own = plan.ownPlan === undefined ? [] : [`  a plan for these sizes alone: ${plan.ownPlan}`];
  return [`${plan.signature}`, `  ${plan.steps.length} steps${sizes}`, ...own, ...lines, ...guards, ...tails, ...why].join('\n');
}

export function explainEntries(entries: readonly Entry[], options: ExplainOptions = {}): Explanation {
  const plans = entries.map(explained);
  const text = plans.map((plan) => textOf(plan, options)).join('\n');
  return {plans, text, toString: () => text};
}
