import {rowMajorStrides, sameShape, sameWalk, sizeOf} from '../../ops/geometry';
import {Normalize, normalizeKinds, Reduce, reduceKinds} from '../../ops/reduction';
import {Editor} from '../editor';
import {evaluate, factorOf, isIdentity, keyOf} from '../expression';
import {type Form, type FormInput, fit, formOf, inline} from '../form';
import {type Graph, type Node, num, type Operand, onlyReader, producerOf, type Uses, type ValueId, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';

/** Steps back through pointwise nodes that a normalisation may be spread over (Keras' has ten nodes). */
const maxDepth = 16;

/** Sizes of x as a normalization sees it: x[samples, positions, groups, channels], statistics over positions and channels. */
type Axes = readonly [samples: number, positions: number, groups: number, channels: number];

interface Mean {
  readonly source: Operand;
  readonly axes: Axes;
  /** What the reduction itself wrote: this times the mean. */
  readonly root: ValueId;
  readonly factor: number;
}

/** What the value is the mean of, up to a factor: one reduction, or two where the axes between them stay. */
function meanOf(graph: Graph & Uses, value: ValueId): Mean | undefined {
  const node = producerOf(graph, {value, offset: 0});
  const form = formOf(graph, node);
  if (form !== undefined) return scaledMeanOf(graph, form);
  if (node?.op !== Reduce || (num(node, 'kind') !== reduceKinds.mean && num(node, 'kind') !== reduceKinds.sum)) return undefined;
  const source = node.inputs[0] as Operand;
  if (valueOf(graph, source.value).dtype !== 'float32' || source.offset !== 0) return undefined;
  const [outer, reduce, inner] = [num(node, 'outer'), num(node, 'reduce'), num(node, 'inner')];
  const axes: Axes = inner === 1 ? [outer, 1, 1, reduce] : [outer, reduce, inner, 1];
  const factor = num(node, 'kind') === reduceKinds.mean ? 1 : reduce;
  const within = producerOf(graph, source)?.op === Reduce ? meanOf(graph, source.value) : undefined;
  const joined = within && joinedAxes(within.axes, axes);
  if (within === undefined || joined === undefined) return {source, axes, factor, root: value};
  return {source: within.source, axes: joined, factor: factor * within.factor, root: value};
}

function scaledMeanOf(graph: Graph & Uses, form: Form): Mean | undefined {
  const [input, ...others] = form.inputs;
  if (input === undefined || others.length > 0 || input.operand.offset !== 0) return undefined;
  const whole = valueOf(graph, input.operand.value).elems === sizeOf(form.shape);
  const inOrder = whole && sameWalk(input.strides, rowMajorStrides(form.shape), form.shape);
  return inOrder && factorOf(form.expr, 0) !== undefined ? meanOf(graph, input.operand.value) : undefined;
}

/** The axes of a reduction of what another one (`first`) leaves. */
function joinedAxes(first: Axes, second: Axes): Axes | undefined {
  const left = first[3] === 1 ? first[0] * first[2] : first[0];
  if (left !== sizeOf(second)) return undefined;
  // Channels, then positions; or positions, then channels.
  if (first[1] === 1 && first[2] === 1) return [second[0], second[1], second[2], first[3]];
  const groups = second[0] / first[0];
  if (first[3] !== 1 || second[1] !== 1 || second[2] !== 1 || !Number.isInteger(groups)) return undefined;
  return [first[0], first[1], groups, second[3]];
}

/** Forms of nodes with everything inlined that pointwise nodes compute, down to the values in `stop`. */
class Expansion {
  private readonly known = new Map<Node, Form | undefined>();

  constructor(
    private readonly graph: Graph & Uses,
    private readonly stop: ReadonlySet<ValueId>,
  ) {}

  of(node: Node, depth = maxDepth): Form | undefined {
    if (this.known.has(node)) return this.known.get(node);
    let form = formOf(this.graph, node);
    for (const {operand} of form?.inputs ?? []) {
      const producer = this.stop.has(operand.value) || depth === 0 ? undefined : producerOf(this.graph, operand);
      const inner = producer && this.of(producer, depth - 1);
      const position = form?.inputs.findIndex((i) => i.operand.value === operand.value) ?? -1;
      if (form !== undefined && inner !== undefined && position >= 0) form = inline(form, position, inner) ?? form;
    }
    this.known.set(node, form);
    return form;
  }
}

interface Statistics {
  readonly kind: keyof typeof normalizeKinds;
  readonly x: Operand;
  /** What holds the mean (layer only) and the mean square or variance of each group, and how many times over. */
  readonly stats: readonly {readonly value: ValueId; readonly factor: number}[];
  readonly axes: Axes;
}

/** What a sum of squares may end in. */
const squares: ReadonlySet<string> = new Set(['Square', 'SquaredDifference', 'Mul', 'Pow']);

/** What `node`, a reduction, computes the variance or mean square of. */
function statisticsOf(graph: Graph & Uses, node: Node, remember: PassContext['remember']): Statistics | undefined {
  const stat = node.outputs[0]?.value as ValueId;
  const spread = meanOf(graph, stat);
  const squared = spread && producerOf(graph, spread.source);
  const direct = formOf(graph, squared);
  if (squared === undefined || direct === undefined || !('op' in direct.expr && squares.has(direct.expr.op))) return undefined;
  const {axes, factor} = spread as Mean;
  const meanIn = (form: Form | undefined): Mean | undefined =>
    form?.inputs.map(({operand}) => meanOf(graph, operand.value)).find((mean) => mean !== undefined && sameShape(mean.axes, axes));
  // The difference to the mean may be a node of its own.
  const mean = meanIn(direct) ?? meanIn(formOf(graph, producerOf(graph, direct.inputs[0]?.operand)));
  const x = mean === undefined ? direct.inputs[0]?.operand : mean.source;
  if (x === undefined) return undefined;
  const known = mean === undefined ? [x.value] : [x.value, mean.root];
  const form = mean === undefined ? direct : new Expansion(graph, new Set(known)).of(squared);
  const order = known.map((value) => form?.inputs.findIndex((i) => i.operand.value === value) ?? -1);
  if (form?.inputs.length !== known.length || order.includes(-1)) return undefined;
  const scale = mean?.factor ?? 1;
  const ranges = [
    [-2, 2],
    [-2 * scale, 2 * scale],
  ] as const;
  const formula = mean === undefined ? (v: number) => v * v : (v: number, m = 0) => (v - m / scale) ** 2;
  const key = `squares ${keyOf(form.expr)} ${order} ${scale}`;
  if (!remember(key, () => isIdentity(form.expr, order, ranges.slice(0, order.length), formula))) return undefined;
  const own = {value: stat, factor};
  if (mean === undefined) return {kind: 'rms', x, stats: [own], axes};
  return {kind: 'layer', x, stats: [{value: mean.root, factor: scale}, own], axes};
}

/** gamma, beta and what belongs to the spread, if the form is the normalization of these statistics. */
function factorsOf(graph: Graph, form: Form, statistics: Statistics, remember: PassContext['remember']) {
  const {kind, x, stats} = statistics;
  const known = [x.value, ...stats.map(({value}) => value)];
  if (form.inputs.length > known.length + 2 || !known.every((value) => form.inputs.some((i) => i.operand.value === value)))
    return undefined;
  const columns = form.inputs.flatMap(({operand}, i) => (known.includes(operand.value) ? [] : [i]));
  const axes = withColumns(
    statistics.axes,
    columns.map((i) => valueOf(graph, (form.inputs[i] as FormInput).operand.value).elems),
  );
  const fitted = axes && fit(form, axes);
  if (axes === undefined || fitted === undefined || !sameShape(fitted.axes, axes)) return undefined;
  for (const [i, {operand}] of form.inputs.entries()) {
    const wanted: Role = columns.includes(i) ? 'column' : operand.value === x.value ? 'cell' : 'group';
    if (!plays(graph, wanted, fitted.strides[i] as readonly number[], operand, axes)) return undefined;
  }
  const order = known.map((value) => form.inputs.findIndex((i) => i.operand.value === value));
  const scales = stats.map(({factor}) => factor);
  const key = `normalization ${kind} ${keyOf(form.expr)} ${order} ${columns} ${scales}`;
  const factors = remember(key, () => factorsIn(form, order, columns, scales));
  if (factors === undefined) return undefined;
  const operandOf = (i: number | undefined) => (i === undefined ? undefined : (form.inputs[i] as FormInput).operand);
  return {axes, gamma: operandOf(factors.gamma), beta: operandOf(factors.beta), spread: factors.spread};
}

/** A sample in one group may have fewer columns than elements: as many as gamma and beta have. */
function withColumns(axes: Axes, elems: readonly number[]): Axes | undefined {
  const [samples, positions, groups, channels] = axes;
  const [columns = channels, other = columns] = elems;
  if (positions !== 1 || groups !== 1 || columns === channels) return axes;
  return columns === other && channels % columns === 0 ? [samples, channels / columns, 1, columns] : undefined;
}

/** y = (x − mean) / (sqrt(correction · variance + epsilon) + spreadEpsilon). */
interface Spread {
  readonly correction: number;
  readonly epsilon: number;
  readonly spreadEpsilon: number;
}

const tiny = 1e-13;

/** The only spread that three values of the expression allow. `at`: the factor of x − mean where the variance is this. */
function spreadOf(at: (variance: number) => number | undefined): Spread | undefined {
  const [none, one, four] = [0, 1, 4].map((variance) => 1 / (at(variance) ?? Number.NaN)) as [number, number, number];
  // (s − o)² is linear in the variance, of which three points determine o.
  const outside = (4 * (one ** 2 - none ** 2) - (four ** 2 - none ** 2)) / (2 * (4 * (one - none) - (four - none)));
  const spreadEpsilon = Math.abs(outside) < tiny ? 0 : outside;
  const root = Math.abs(none - spreadEpsilon) < tiny ? 0 : none - spreadEpsilon;
  const correction = (one - spreadEpsilon) ** 2 - root ** 2;
  if (!(correction > 0 && spreadEpsilon >= 0 && root >= 0)) return undefined;
  return {correction: Math.fround(correction), epsilon: Math.fround(root ** 2), spreadEpsilon: Math.fround(spreadEpsilon)};
}

/**
 * Which inputs are gamma and beta, and the spread, if the expression is a normalization of inputs `order` (x, statistics) with factors
 * `columns`. `scales`: how many times over the statistics are there.
 */
function factorsIn(form: Form, order: readonly number[], columns: readonly number[], scales: readonly number[]) {
  const variance = order.length - 1;
  const varianceScale = scales.at(-1) as number;
  const meanScale = scales.length > 1 ? (scales[0] as number) : 1;
  for (const [gamma, beta] of assignments(columns)) {
    const inputs = [...order, ...[gamma, beta].filter((i) => i !== undefined)];
    const valueAt = (v: number) =>
      evaluate(form.expr, (part) => {
        if (!('input' in part)) return undefined;
        if (part.input === order[0] || part.input === gamma) return 1;
        return part.input === order[variance] ? v * varianceScale : 0;
      });
    const spread = spreadOf(valueAt);
    if (spread === undefined) continue;
    const formula = (...values: number[]) => {
      const [value, ...rest] = values as [number, ...number[]];
      const mean = order.length > 2 ? (rest.shift() as number) / meanScale : 0;
      const root = Math.sqrt((spread.correction * (rest.shift() as number)) / varianceScale + spread.epsilon);
      const scale = gamma === undefined ? 1 : (rest.shift() as number);
      return ((value - mean) / (root + spread.spreadEpsilon)) * scale + (beta === undefined ? 0 : (rest.shift() as number));
    };
    // Groups that hardly vary tell one epsilon from another.
    const holds = (low: number, high: number) => {
      const scaled = (limit: number, i: number) => limit * (i === variance ? varianceScale : i === 1 && order.length > 2 ? meanScale : 1);
      const ranges = inputs.map((_, i): [number, number] =>
        i === variance ? [scaled(low, i), scaled(high, i)] : [-scaled(2, i), scaled(2, i)],
      );
      return isIdentity(form.expr, inputs, ranges, formula);
    };
    if (holds(0.2, 3) && holds(1e-9, 1e-6)) return {gamma, beta, spread};
  }
  return undefined;
}

type Role = 'cell' | 'group' | 'column';

/** Whether an operand is walked as one element per cell, per group or per column. */
function plays(graph: Graph, role: Role, strides: readonly number[], operand: Operand, axes: Axes): boolean {
  const [, , groups, channels] = axes;
  const wanted = {cell: rowMajorStrides(axes), group: [groups, 0, 1, 0], column: [0, 0, channels, 1]}[role];
  const elems = sizeOf(axes.filter((_, axis) => wanted[axis] !== 0));
  return operand.offset === 0 && valueOf(graph, operand.value).elems === elems && sameWalk(strides, wanted, axes);
}

/** Which column input may be gamma and which beta. */
function assignments(columns: readonly number[]): (readonly [number | undefined, number | undefined])[] {
  const [a, b] = columns;
  if (a === undefined) return [[undefined, undefined]];
  if (b === undefined)
    return [
      [a, undefined],
      [undefined, a],
    ];
  return [
    [a, b],
    [b, a],
  ];
}

/** The pointwise nodes downstream of `value`, nearest first. */
function* downstream(graph: Graph & Uses, value: ValueId): Generator<Node> {
  const queue = [value];
  const seen = new Set<Node>();
  for (let at = queue.shift(); at !== undefined && seen.size < 4 * maxDepth; at = queue.shift()) {
    for (const node of graph.readers[at] as readonly Node[]) {
      if (seen.has(node) || formOf(graph, node) === undefined) continue;
      seen.add(node);
      yield node;
      queue.push(node.outputs[0]?.value as ValueId);
    }
  }
}

type Factors = NonNullable<ReturnType<typeof factorsOf>>;

/** The node that ends the normalisation: the nearest that is one, then on through its only readers (scale, shift) while they are too. */
function endOf(
  graph: Graph & Uses,
  statistics: Statistics,
  remember: PassContext['remember'],
): {readonly last: Node; readonly factors: Factors} | undefined {
  const {x, stats, axes} = statistics;
  const expansion = new Expansion(graph, new Set([x.value, ...stats.map(({value}) => value)]));
  const factorsAt = (node: Node): Factors | undefined => {
    if (valueOf(graph, (node.outputs[0] as Operand).value).elems !== sizeOf(axes)) return undefined;
    const form = expansion.of(node);
    return form && factorsOf(graph, form, statistics, remember);
  };
  for (const nearest of downstream(graph, stats.at(-1)?.value as ValueId)) {
    let last = nearest;
    let factors = factorsAt(last);
    if (factors === undefined) continue;
    for (;;) {
      const {value} = last.outputs[0] as Operand;
      const next = graph.readers[value]?.[0];
      const further = next !== undefined && onlyReader(graph, value, next) ? factorsAt(next) : undefined;
      if (next === undefined || further === undefined) return {last, factors};
      last = next;
      factors = further;
    }
  }
  return undefined;
}

/** The usual name, by what is a group. */
function nameOf(kind: Statistics['kind'], [, positions, groups, channels]: Axes): string {
  if (kind === 'rms') return 'RMS norm';
  if (positions === 1 && groups === 1) return 'layer norm';
  return channels > 1 ? 'group norm' : 'instance norm';
}

export const normalization: Pass = {
  name: 'normalization',
  why: 'layer, RMS, instance and group norm are one step each, however the model spells them',
  run(graph, {remember}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (node.op !== Reduce) continue;
      const statistics = statisticsOf(editor, node, remember);
      const end = statistics && endOf(editor, statistics, remember);
      if (end === undefined) continue;
      const {kind, x} = statistics as Statistics;
      const {axes, gamma, beta, spread} = end.factors;
      const [samples, positions, groups, channels] = axes;
      const cols = groups * channels;
      editor.replace(end.last, {
        op: Normalize,
        inputs: [x, gamma, beta],
        outputs: end.last.outputs,
        params: {
          kind: normalizeKinds[kind],
          rows: samples * positions,
          cols,
          positions,
          groups,
          xRow: cols,
          yRow: cols,
          ...spread,
          epilogue: [],
          epilogueStrides: [],
        },
        notes: [nameOf(kind, axes)],
      });
    }
    return editor.finish();
  },
};
