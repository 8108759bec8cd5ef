import {Normalize, normalizeKinds, Reduce, reduceKinds} from '../../ops/reduction';
import {Editor} from '../editor';
import {isIdentity, keyOf, partsOf} from '../expression';
import {type Form, type FormInput, fit, formOf, inline} from '../form';
import {type Graph, type Node, num, type Operand, onlyReader, producerOf, type Uses, type ValueId, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';

/** Steps back through pointwise nodes that a normalisation may be spread over (Keras' has ten nodes). */
const maxDepth = 16;

interface RowMean {
  readonly source: Operand;
  readonly rows: number;
  readonly cols: number;
}

function rowMeanOf(graph: Graph & Uses, value: ValueId): RowMean | undefined {
  const node = producerOf(graph, {value, offset: 0});
  if (node?.op !== Reduce || num(node, 'kind') !== reduceKinds.mean || num(node, 'inner') !== 1) return undefined;
  const source = node.inputs[0] as Operand;
  if (valueOf(graph, source.value).dtype !== 'float32') return undefined;
  return {source, rows: num(node, 'outer'), cols: num(node, 'reduce')};
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
  /** Values that hold the mean (layer only) and the mean square or variance of each row. */
  readonly stats: readonly ValueId[];
  readonly rows: number;
  readonly cols: number;
}

/** What a sum of squares may end in. */
const squares: ReadonlySet<string> = new Set(['Square', 'SquaredDifference', 'Mul', 'Pow']);

/** What `node`, a mean over rows, is the variance or mean square of. */
function statisticsOf(graph: Graph & Uses, node: Node, remember: PassContext['remember']): Statistics | undefined {
  const stat = node.outputs[0]?.value as ValueId;
  const spread = rowMeanOf(graph, stat);
  const direct = spread && formOf(graph, producerOf(graph, spread.source));
  if (direct === undefined || !('op' in direct.expr && squares.has(direct.expr.op))) return undefined;
  const {rows, cols} = spread as RowMean;
  const meanIn = (form: Form) => form.inputs.find(({operand}) => rowMeanOf(graph, operand.value) !== undefined)?.operand.value;
  // The difference to the mean may be a node of its own.
  const difference = formOf(graph, producerOf(graph, direct.inputs[0]?.operand));
  const form =
    meanIn(direct) === undefined && difference !== undefined && meanIn(difference) !== undefined ? inline(direct, 0, difference) : direct;
  const mean = form && meanIn(form);
  const x = mean === undefined ? form?.inputs[0]?.operand : rowMeanOf(graph, mean)?.source;
  if (form === undefined || x === undefined) return undefined;
  const known = mean === undefined ? [x.value] : [x.value, mean];
  const order = known.map((value) => form.inputs.findIndex((i) => i.operand.value === value));
  if (form.inputs.length !== known.length || order.includes(-1)) return undefined;
  const ranges = known.map((): [number, number] => [-2, 2]);
  const formula = mean === undefined ? (v: number) => v * v : (v: number, m = 0) => (v - m) ** 2;
  const key = `squares ${keyOf(form.expr)} ${order}`;
  if (!remember(key, () => isIdentity(form.expr, order, ranges, formula))) return undefined;
  return {kind: mean === undefined ? 'rms' : 'layer', x, stats: mean === undefined ? [stat] : [mean, stat], rows, cols};
}

/** gamma, beta and epsilon, if the form is the normalisation of these statistics. */
function factorsOf(graph: Graph, form: Form, {kind, x, stats, rows, cols}: Statistics, remember: PassContext['remember']) {
  const known = [x.value, ...stats];
  if (form.inputs.length > known.length + 2 || !known.every((value) => form.inputs.some((i) => i.operand.value === value)))
    return undefined;
  const strides = fit(form, [1, 1, rows, cols])?.strides;
  if (strides === undefined) return undefined;
  const columns: number[] = [];
  for (const [i, {operand}] of form.inputs.entries()) {
    const wanted: Role = operand.value === x.value ? 'cell' : stats.includes(operand.value) ? 'row' : 'column';
    if (!plays(graph, wanted, strides[i] as readonly number[], operand, rows, cols)) return undefined;
    if (wanted === 'column') columns.push(i);
  }
  const order = known.map((value) => form.inputs.findIndex((i) => i.operand.value === value));
  if (order.includes(-1) || columns.length > 2) return undefined;
  const factors = remember(`normalization ${kind} ${keyOf(form.expr)} ${order} ${columns}`, () => factorsIn(form, kind, order, columns));
  if (factors === undefined) return undefined;
  const operandOf = (i: number | undefined) => (i === undefined ? undefined : (form.inputs[i] as FormInput).operand);
  return {gamma: operandOf(factors.gamma), beta: operandOf(factors.beta), epsilon: factors.epsilon};
}

/** Which inputs are gamma and beta, and epsilon, if the expression is a normalisation of inputs `order` (x, statistics) with factors `columns`. */
function factorsIn(form: Form, kind: Statistics['kind'], order: readonly number[], columns: readonly number[]) {
  const variance = order.length - 1;
  for (const epsilon of epsilons(form)) {
    for (const [gamma, beta] of assignments(columns)) {
      const inputs = [...order, ...[gamma, beta].filter((i) => i !== undefined)];
      const formula = (...values: number[]) => {
        const [value, ...rest] = values as [number, ...number[]];
        const mean = kind === 'layer' ? (rest.shift() as number) : 0;
        const spread = Math.sqrt((rest.shift() as number) + epsilon);
        const scale = gamma === undefined ? 1 : (rest.shift() as number);
        return ((value - mean) / spread) * scale + (beta === undefined ? 0 : (rest.shift() as number));
      };
      // Rows that hardly vary tell one epsilon from another.
      const holds = ([low, high]: readonly [number, number]) => {
        const ranges = inputs.map((_, i) => (i === variance ? ([low, high] as const) : ([-2, 2] as const)));
        return isIdentity(form.expr, inputs, ranges, formula);
      };
      if (holds([0.2, 3]) && holds([1e-9, 1e-6])) return {gamma, beta, epsilon};
    }
  }
  return undefined;
}

type Role = 'cell' | 'row' | 'column';

/** Whether an operand is walked as one element per cell, per row or per column. */
function plays(graph: Graph, role: Role, strides: readonly number[], operand: Operand, rows: number, cols: number): boolean {
  const [, , row, col] = strides as readonly [number, number, number, number];
  const {elems} = valueOf(graph, operand.value);
  if (operand.offset !== 0) return false;
  const rowIs = (stride: number) => rows === 1 || row === stride;
  const colIs = (stride: number) => cols === 1 || col === stride;
  if (role === 'cell') return rowIs(cols) && colIs(1) && elems === rows * cols;
  if (role === 'row') return rowIs(1) && colIs(0) && elems === rows;
  return rowIs(0) && colIs(1) && elems === cols;
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

/** What epsilon may be: the small positive immediates of the expression, or none. */
function epsilons(form: Form): number[] {
  const small = [...partsOf(form.expr)].flatMap((part) => ('f32' in part && part.f32 > 0 && part.f32 < 0.1 ? [part.f32] : []));
  return [...new Set(small), 0];
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
  const {x, stats, rows, cols} = statistics;
  const expansion = new Expansion(graph, new Set([x.value, ...stats]));
  const factorsAt = (node: Node): Factors | undefined => {
    if (valueOf(graph, (node.outputs[0] as Operand).value).elems !== rows * cols) return undefined;
    const form = expansion.of(node);
    return form && factorsOf(graph, form, statistics, remember);
  };
  for (const nearest of downstream(graph, stats.at(-1) as ValueId)) {
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

export const normalization: Pass = {
  name: 'normalization',
  why: 'layer and RMS norm in one pass over a row, however the model spells them',
  run(graph, {remember}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (node.op !== Reduce) continue;
      const statistics = statisticsOf(editor, node, remember);
      const end = statistics && endOf(editor, statistics, remember);
      if (end === undefined) continue;
      const {kind, x, rows, cols} = statistics as Statistics;
      const {gamma, beta, epsilon} = end.factors;
      editor.replace(end.last, {
        op: Normalize,
        inputs: [x, gamma, beta],
        outputs: end.last.outputs,
        params: {kind: normalizeKinds[kind], rows, cols, epsilon, xRow: cols, yRow: cols},
        notes: [kind === 'layer' ? 'layer norm' : 'RMS norm'],
      });
    }
    return editor.finish();
  },
};
