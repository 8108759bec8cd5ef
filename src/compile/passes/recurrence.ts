import {sizeOf} from '../../ops/geometry';
import {MatMul} from '../../ops/linear';
import {Concat, StridedCopy} from '../../ops/movement';
import {maxProgramInputs, Pointwise} from '../../ops/pointwise';
import {call, type Expr, encodeProgram, input} from '../../ops/program';
import {Recurrence} from '../../ops/recurrence';
import type {ConstantPool} from '../constants';
import {Editor} from '../editor';
import {inputsIn, partsOf, substitute} from '../expression';
import {fit, formOf} from '../form';
import {type Graph, list, type Node, num, type Operand, producerOf, type Uses, type ValueId, valueOf} from '../ir';
import {inOrder} from '../order';
import type {Pass, PassContext} from '../pass';
import {epilogueOf} from './linear';
import {hasConstantWeights} from './packing';

/** What a step's programs read besides the product and the states, over (batch, units). */
interface Own {
  readonly operand: Operand;
  readonly strides: readonly [row: number, unit: number];
}

interface Sizes {
  readonly batch: number;
  readonly units: number;
  readonly gates: number;
}

/**
 * One step of a recurrent layer. Expressions number their inputs as Recurrence's programs do: the parts of the product, the hidden state
 * before, the cell (before for `cell`, after for `state`), then `own`.
 */
interface Step {
  readonly hidden: Node;
  readonly state: Expr;
  /** Of a layer with a cell: what computes it, from which value, and how. */
  readonly cell: {readonly node: Node | undefined; readonly before: ValueId; readonly expr: Expr} | undefined;
  readonly own: readonly Own[];
}

/** Steps that follow each other. */
interface Chain {
  readonly sizes: Sizes;
  /** The product of each step; a first step whose state before is zero may have none. */
  readonly products: (Node | undefined)[];
  readonly steps: Step[];
}

const outputOf = (node: Node): Operand => node.outputs[0] as Operand;

/** A product of a state with constant weights whose columns are several times the state's. */
function sizesOf(graph: Graph & Uses, node: Node): Sizes | undefined {
  if (node.op !== MatMul || num(node, 'packedB') !== 0 || num(node, 'batch1') * num(node, 'batch2') !== 1) return undefined;
  const [batch, units, columns] = [num(node, 'rowsM'), num(node, 'depthK'), num(node, 'colsN')];
  const gates = columns / units;
  const isState = num(node, 'aCol') === 1 && (batch === 1 || num(node, 'aRow') === units);
  const fits = Number.isInteger(gates) && gates > 1 && gates + 2 < maxProgramInputs && batch * units > 0;
  const output = outputOf(node);
  const whole = output.offset === 0 && num(node, 'cRow') === columns && valueOf(graph, output.value).elems === batch * columns;
  if (!isState || !fits || !whole || graph.isOutput[output.value] || !hasConstantWeights(graph, node)) return undefined;
  const rows = Math.abs(num(node, 'bRow'));
  const cols = Math.abs(num(node, 'bCol'));
  return rows > 0 && cols > 0 ? {batch, units, gates} : undefined;
}

/** Reads the forms of one step's nodes as expressions. */
class Reader {
  readonly own: Own[] = [];

  constructor(
    private readonly graph: Graph & Uses,
    private readonly sizes: Sizes,
    private readonly product: Node | undefined,
    private readonly before: Operand | undefined,
  ) {}

  private number(operand: Operand, strides: Own['strides']): Expr {
    const {units, batch, gates} = this.sizes;
    const own = {operand, strides: [batch === 1 ? 0 : strides[0], units === 1 ? 0 : strides[1]] as const};
    const isSame = (o: Own) =>
      o.operand.value === operand.value &&
      o.operand.offset === operand.offset &&
      o.strides[0] === own.strides[0] &&
      o.strides[1] === own.strides[1];
    const known = this.own.findIndex(isSame);
    return input(gates + 2 + (known < 0 ? this.own.push(own) - 1 : known));
  }

  /** Part `gate` of the product, with its bias and epilogue. */
  private part(product: Node, gate: number): Expr {
    const {units} = this.sizes;
    const {expr, bias, extras} = epilogueOf(product);
    const at = (operand: Operand, stride: number) => ({value: operand.value, offset: operand.offset + gate * units * stride});
    const sum = bias === undefined ? input(gate) : call('Add', input(gate), this.number(at(bias, 1), [0, 1]));
    const own = extras.map(({operand, strides}) =>
      this.number(at(operand, strides[3] as number), [strides[2] as number, strides[3] as number]),
    );
    return substitute(expr, (i) => (i === 0 ? sum : (own[i - 1] as Expr)));
  }

  private isWhole({value, offset}: Operand, [row, unit]: Own['strides']): boolean {
    const {batch, units} = this.sizes;
    const dense = (batch === 1 || row === units) && (units === 1 || unit === 1);
    return dense && offset === 0 && valueOf(this.graph, value).elems === batch * units && valueOf(this.graph, value).dtype === 'float32';
  }

  /** The node's expression; `cells`: values that are the cell. */
  expressionOf(node: Node, cells: (operand: Operand) => boolean): Expr | undefined {
    const {batch, units, gates} = this.sizes;
    const form = formOf(this.graph, node);
    const fitted = form && sizeOf(form.shape) === batch * units ? fit(form, [1, 1, batch, units]) : undefined;
    if (form === undefined || fitted === undefined || valueOf(this.graph, outputOf(node).value).dtype !== 'float32') return undefined;
    const roles = form.inputs.map(({operand}, i): Expr | undefined => {
      const strides = (fitted.strides[i] as readonly number[]).slice(2) as unknown as Own['strides'];
      if (this.product !== undefined && operand.value === outputOf(this.product).value) {
        const gate = operand.offset / units;
        const walks = (batch === 1 || strides[0] === gates * units) && (units === 1 || strides[1] === 1);
        return Number.isInteger(gate) && gate < gates && walks ? this.part(this.product, gate) : undefined;
      }
      if (operand.value === this.before?.value && operand.offset === this.before.offset && (batch === 1 || strides[0] === units))
        return units === 1 || strides[1] === 1 ? input(gates) : undefined;
      return cells(operand) && this.isWhole(operand, strides) ? input(gates + 1) : this.number(operand, strides);
    });
    return roles.includes(undefined) ? undefined : substitute(form.expr, (i) => roles[i] as Expr);
  }

  /** The value that must be the cell before, if one of the node's operands alone is a whole state of its own. */
  cellOf(node: Node): ValueId | undefined {
    const {batch, units} = this.sizes;
    const form = formOf(this.graph, node);
    const strides = form && sizeOf(form.shape) === batch * units ? fit(form, [1, 1, batch, units])?.strides : undefined;
    const whole = new Set(
      form?.inputs.flatMap(({operand}, i) => {
        const own = ((strides?.[i] ?? []) as number[]).slice(2) as unknown as Own['strides'];
        const other =
          operand.value !== this.before?.value && (this.product === undefined || operand.value !== outputOf(this.product).value);
        return strides !== undefined && other && this.isWhole(operand, own) ? [operand.value] : [];
      }),
    );
    const [value] = whole;
    return whole.size === 1 ? value : undefined;
  }
}

/** The pointwise nodes that read a product: the cell's, if there are two, and the hidden state's. */
function readersOf(graph: Graph & Uses, value: ValueId): {readonly hidden: Node; readonly cell: Node | undefined} | undefined {
  const readers = graph.readers[value] as readonly Node[];
  const [a, b] = readers;
  if (a === undefined || readers.length > 2 || readers.some((node) => node.op !== Pointwise)) return undefined;
  if (b === undefined) return {hidden: a, cell: undefined};
  const reads = (node: Node, other: Node) => node.inputs.some((o) => o?.value === outputOf(other).value);
  if (reads(b, a)) return {hidden: b, cell: a};
  return reads(a, b) ? {hidden: a, cell: b} : undefined;
}

/** Whether an operand of `hidden` depends on the cell by another way than directly: then they cannot be one step. */
function readsThroughOthers(graph: Editor, hidden: Node, cell: Node): boolean {
  const queue = [cell];
  const seen = new Set<Node>(queue);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const reader of node.outputs.flatMap(({value}) => graph.readers[value] as readonly Node[])) {
      if (reader === hidden && node !== cell) return true;
      if (seen.has(reader) || !graph.before(reader, hidden)) continue;
      seen.add(reader);
      queue.push(reader);
    }
  }
  return false;
}

/** What `hidden` and the `cell` node compute, as one step. */
function stepOf(graph: Editor, reader: Reader, hidden: Node, cell: Node | undefined): Step | undefined {
  if (cell === undefined) {
    const state = reader.expressionOf(hidden, () => false);
    return state && {hidden, state, cell: undefined, own: reader.own};
  }
  const before = readsThroughOthers(graph, hidden, cell) ? undefined : reader.cellOf(cell);
  const expr = before === undefined ? undefined : reader.expressionOf(cell, ({value}) => value === before);
  const state = reader.expressionOf(hidden, ({value}) => value === outputOf(cell).value);
  if (before === undefined || expr === undefined || state === undefined) return undefined;
  return {hidden, state, cell: {node: cell, before, expr}, own: reader.own};
}

/** Whether two expressions are alike but for the numbers of their inputs, all pairs of which `match`. */
function alike(a: Expr, b: Expr, match: (a: number, b: number) => boolean, seen = new Map<Expr, Expr>()): boolean {
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if ('input' in a) return 'input' in b && match(a.input, b.input);
  if ('f32' in a) return 'f32' in b && Object.is(a.f32, b.f32);
  if ('i32' in a) return 'i32' in b && a.i32 === b.i32;
  return 'op' in b && a.op === b.op && a.args.every((arg, i) => alike(arg, b.args[i] as Expr, match, seen));
}

/** The operands of `step` as `like` numbers its own, if both compute the same. */
function aligned(
  step: Pick<Step, 'own'>,
  pairs: readonly (readonly [own: Expr, like: Expr])[],
  like: Step,
  {gates}: Sizes,
): Own[] | undefined {
  const result = new Array<Own | undefined>(like.own.length).fill(undefined);
  const first = gates + 2;
  const match = (mine: number, theirs: number) => {
    if (mine < first || theirs < first) return mine === theirs;
    const own = step.own[mine - first];
    const known = result[theirs - first];
    result[theirs - first] = own;
    return known === undefined || known === own;
  };
  if (!pairs.every(([mine, theirs]) => alike(mine, theirs, match))) return undefined;
  return result.includes(undefined) ? undefined : (result as Own[]);
}

/** `step`, which is to come after `last`, in the same terms. */
function following(step: Step, last: Step, sizes: Sizes): Step | undefined {
  const pairs: [Expr, Expr][] = [];
  if (last.cell === undefined) pairs.push([step.state, last.state]);
  else if (step.cell?.node !== undefined) pairs.push([step.state, last.state], [step.cell.expr, last.cell.expr]);
  else {
    // The last step's cell is needed by its hidden state alone, of which it has become a part.
    const {expr} = last.cell;
    pairs.push([step.state, substitute(last.state, (i) => (i === sizes.gates + 1 ? expr : input(i)))]);
  }
  const own = aligned(step, pairs, last, sizes);
  if (own === undefined) return undefined;
  const cell = last.cell && {node: step.cell?.node, before: step.cell?.before ?? -1, expr: last.cell.expr};
  return {hidden: step.hidden, state: last.state, cell, own};
}

/** How far own input `i` moves from each step to the next; undefined where it does not move evenly. */
function movesOf(steps: readonly Step[], i: number): number | undefined {
  const owns = steps.map((step) => step.own[i] as Own);
  const [first, second] = owns as [Own, Own | undefined];
  const move = second === undefined ? 0 : second.operand.offset - first.operand.offset;
  const even = owns.every(
    ({operand, strides}, t) =>
      operand.value === first.operand.value &&
      operand.offset === first.operand.offset + t * move &&
      strides[0] === first.strides[0] &&
      strides[1] === first.strides[1],
  );
  return even ? move : undefined;
}

const evenly = (steps: readonly Step[]): boolean => (steps[0] as Step).own.every((_, i) => movesOf(steps, i) !== undefined);

/** Whether nothing but the next step needs what the chain's last step leaves as its cell. */
function cellIsPrivate(graph: Graph & Uses, {cell, hidden}: Step, next: Step): boolean {
  if (cell?.node === undefined) return cell === undefined;
  const {value} = outputOf(cell.node);
  const allowed = [hidden, next.cell?.node ?? next.hidden];
  return !graph.isOutput[value] && graph.readers[value]?.every((node) => allowed.includes(node)) === true;
}

/** Appends the step of `product` to a chain that it continues. */
function extend(graph: Editor, chain: Chain, product: Node, sizes: Sizes): boolean {
  const [last, like] = [chain.steps.at(-1) as Step, chain.products.at(-1) as Node];
  const before = product.inputs[0] as Operand;
  const [weights, others] = [product.inputs[1] as Operand, like.inputs[1] as Operand];
  const sameWeights = weights.value === others.value && weights.offset === others.offset;
  const sameStrides = num(product, 'bRow') === num(like, 'bRow') && num(product, 'bCol') === num(like, 'bCol');
  const same = sizes.batch === chain.sizes.batch && sizes.units === chain.sizes.units && sameWeights && sameStrides;
  const readers = readersOf(graph, outputOf(product).value);
  if (!same || before.offset !== 0 || before.value !== outputOf(last.hidden).value || readers === undefined) return false;
  const reader = new Reader(graph, sizes, product, before);
  const lastCell = last.cell?.node && outputOf(last.cell.node).value;
  const fused = last.cell !== undefined && readers.cell === undefined;
  const state = fused ? reader.expressionOf(readers.hidden, ({value}) => value === lastCell) : undefined;
  const step = fused
    ? state && {hidden: readers.hidden, state, cell: undefined, own: reader.own}
    : stepOf(graph, reader, readers.hidden, readers.cell);
  if (step === undefined || (step.cell !== undefined && step.cell.before !== lastCell)) return false;
  const next = following(step, last, sizes);
  if (next === undefined || !cellIsPrivate(graph, last, next) || !evenly([...chain.steps, next])) return false;
  chain.steps.push(next);
  chain.products.push(product);
  return true;
}

/** The expression where the state before, and so the product, is zero; undefined where it is not only added. */
function withoutProduct(expr: Expr, {gates}: Sizes): Expr | undefined {
  const seen = new Map<Expr, Expr>();
  const isPart = (e: Expr | undefined) => e !== undefined && 'input' in e && e.input < gates;
  for (const part of partsOf(expr)) {
    if (!('op' in part)) {
      seen.set(part, part);
      continue;
    }
    const [a, b] = part.args as [Expr, Expr | undefined];
    if (part.op === 'Add' && b !== undefined && isPart(a)) seen.set(part, seen.get(b) as Expr);
    else if (part.op === 'Add' && b !== undefined && isPart(b)) seen.set(part, seen.get(a) as Expr);
    else seen.set(part, {op: part.op, args: part.args.map((arg) => seen.get(arg) as Expr)});
  }
  const result = seen.get(expr) as Expr;
  return [...inputsIn(result)].some((i) => i <= gates) ? undefined : result;
}

/** Puts the step before the chain that starts from a state of zeros, whose product is nothing, in front of it. */
function prepend(graph: Editor, chain: Chain): void {
  const {sizes} = chain;
  const [first] = chain.steps as [Step];
  const before = chain.products[0]?.inputs[0] as Operand;
  const hidden = producerOf(graph, before);
  const cell = first.cell && producerOf(graph, {value: first.cell.before, offset: 0});
  if (hidden?.op !== Pointwise || before.offset !== 0 || (first.cell !== undefined && cell?.op !== Pointwise)) return;
  const [state, cellExpr] = [withoutProduct(first.state, sizes), first.cell && withoutProduct(first.cell.expr, sizes)];
  const step = stepOf(graph, new Reader(graph, sizes, undefined, undefined), hidden, cell);
  if (state === undefined || step === undefined || (first.cell !== undefined && cellExpr === undefined)) return;
  const pairs: [Expr, Expr][] = [[step.state, state]];
  if (cellExpr !== undefined && step.cell !== undefined) pairs.push([step.cell.expr, cellExpr]);
  const own = aligned(step, pairs, first, sizes);
  if (own === undefined) return;
  const zeroth = {hidden, state: first.state, cell: step.cell && {...step.cell, expr: (first.cell as {expr: Expr}).expr}, own};
  if (!cellIsPrivate(graph, zeroth, first) || !evenly([zeroth, ...chain.steps])) return;
  chain.steps.unshift(zeroth);
  chain.products.unshift(undefined);
}

/** Whether the step's state depends on the one before by more than the product, as a gated layer's of tokens does not. */
const isRecurrent = ({state, cell}: Step, {gates}: Sizes): boolean => cell !== undefined || inputsIn(state).has(gates);

function chainsOf(graph: Editor, refuse: PassContext['refuse']): Chain[] {
  const chains: Chain[] = [];
  const byState = new Map<ValueId, Chain>();
  for (const node of graph.nodes) {
    const sizes = sizesOf(graph, node);
    const readers = sizes && readersOf(graph, outputOf(node).value);
    if (sizes === undefined || readers === undefined) continue;
    const before = node.inputs[0] as Operand;
    let chain = byState.get(before.value);
    if (chain === undefined || !extend(graph, chain, node, sizes)) {
      const step = stepOf(graph, new Reader(graph, sizes, node, before), readers.hidden, readers.cell);
      if (step === undefined || !isRecurrent(step, sizes)) continue;
      if (chain !== undefined) refuse(node, 'recurrence: it follows another step, but its operands do not lie as that one’s');
      chain = {sizes, steps: [step], products: [node]};
      chains.push(chain);
    }
    byState.set(outputOf((chain.steps.at(-1) as Step).hidden).value, chain);
  }
  return chains;
}

/** The state before the first step: zeros where that has no product. */
function stateBefore(editor: Editor, {sizes, products}: Chain, pool: ConstantPool): Operand {
  const [product] = products;
  if (product !== undefined) return product.inputs[0] as Operand;
  const elems = sizes.batch * sizes.units;
  const constant = pool.makeOnce(`zeros ${elems}`, () => new Float32Array(elems), 'float32');
  return {value: editor.newValue('float32', elems, constant), offset: 0};
}

function nodeOf(editor: Editor, chain: Chain, pool: ConstantPool): Node | undefined {
  const {sizes, steps, products} = chain;
  const {batch, units, gates} = sizes;
  const [first, last, product] = [steps[0] as Step, steps.at(-1) as Step, products.at(-1) as Node];
  const encode = (expr: Expr) => encodeProgram('op' in expr ? expr : call('Copy', expr));
  const [cell, hidden] = [first.cell === undefined ? [] : encode(first.cell.expr), encode(first.state)];
  if (cell === undefined || hidden === undefined || gates + 2 + first.own.length > maxProgramInputs) return undefined;
  const elems = batch * units;
  const states = steps.length === 1 ? outputOf(last.hidden) : {value: editor.newValue('float32', steps.length * elems), offset: 0};
  const lastCell =
    last.cell?.node === undefined ? editor.newValue('float32', last.cell === undefined ? 0 : elems) : outputOf(last.cell.node).value;
  return {
    op: Recurrence,
    inputs: [
      stateBefore(editor, chain, pool),
      product.inputs[1],
      first.cell && {value: first.cell.before, offset: 0},
      ...first.own.map((own) => own.operand),
    ],
    outputs: [states, {value: lastCell, offset: 0}],
    params: {
      steps: steps.length,
      ...{batch, units, gates},
      ...{bRow: num(product, 'bRow'), bCol: num(product, 'bCol'), packedB: 0, outStep: elems, outRow: units},
      ...{cell, hidden},
      strides: first.own.flatMap(({strides}, i) => [movesOf(steps, i) as number, ...strides]),
    },
    notes: [`${gates} gates`, ...(first.cell === undefined ? [] : ['cell'])],
  };
}

/** Operands of a concatenation that follow each other in one value as one operand; the concatenation goes if that is all. */
function joinOperands(editor: Editor, concat: Node): void {
  if (num(concat, 'outer') !== 1) return;
  const inner: number[] = [];
  const operands: Operand[] = [];
  for (const [i, operand] of (concat.inputs as readonly Operand[]).entries()) {
    const size = list(concat, 'inner')[i] as number;
    const last = operands.at(-1);
    const follows = last !== undefined && last.value === operand.value && last.offset + (inner.at(-1) as number) === operand.offset;
    if (follows) inner.push((inner.pop() as number) + size);
    else {
      operands.push(operand);
      inner.push(size);
    }
  }
  const [whole, second] = operands;
  const {value} = outputOf(concat);
  if (second === undefined && whole !== undefined && !editor.isOutput[value]) {
    editor.redirect(value, whole);
    editor.remove(concat);
  } else if (operands.length < concat.inputs.length) {
    editor.replace(concat, {...concat, inputs: operands, params: {outer: 1, inner}});
  }
}

/** Makes the chain one node: what read the states of single steps reads them where that writes them. */
function place(editor: Editor, chain: Chain, pool: ConstantPool): void {
  const node = nodeOf(editor, chain, pool);
  if (node === undefined) return;
  const {steps, products, sizes} = chain;
  const {value} = outputOf(node);
  const copies: Node[] = [];
  const elems = sizes.batch * sizes.units;
  for (const [t, {hidden}] of steps.entries()) {
    const result = outputOf(hidden);
    if (steps.length === 1 || !editor.isOutput[result.value]) continue;
    const dense = {shape: [elems], srcStrides: [1], dstStrides: [1]};
    copies.push({op: StridedCopy, inputs: [{value, offset: t * elems}], outputs: [result], params: dense});
  }
  for (const product of products) if (product !== undefined) editor.remove(product);
  for (const {cell} of steps) if (cell?.node !== undefined) editor.remove(cell.node);
  for (const {hidden} of steps.slice(1)) editor.remove(hidden);
  editor.replace((steps[0] as Step).hidden, node, ...copies);
  if (steps.length === 1) return;
  for (const [t, {hidden}] of steps.entries()) {
    const result = outputOf(hidden).value;
    if (!editor.isOutput[result]) editor.redirect(result, {value, offset: t * elems});
  }
  for (const reader of [...(editor.readers[value] as Node[])]) if (reader.op === Concat) joinOperands(editor, reader);
}

export const recurrence: Pass = {
  name: 'recurrence',
  why: 'the steps of an LSTM or GRU layer are one step: its weights stay in the cache of the core that reads them, and nothing is decoded again',
  run(graph, {pool, refuse}) {
    const editor = new Editor(graph);
    const chains = chainsOf(editor, refuse);
    for (const chain of chains) {
      prepend(editor, chain);
      place(editor, chain, pool);
    }
    const result = editor.finish();
    return result === graph ? graph : inOrder(result);
  },
};
