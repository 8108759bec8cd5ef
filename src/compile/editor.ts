import type {NativeDType} from '../ops/schema';
import type {Graph, Node, Operand, Uses, Value, ValueId} from './ir';

/** A graph under change by one pass: keeps track of who reads and writes each value. The graph that it was made from is left as it was. */
export class Editor implements Graph, Uses {
  readonly values: Value[];
  readonly inputs: readonly ValueId[];
  readonly outputs: ValueId[];
  readonly isOutput: boolean[];
  readonly writers: Node[][];
  readonly readers: Node[][];
  private readonly order: (Node | undefined)[];
  private readonly position = new Map<Node, number>();
  changes = 0;

  constructor(private readonly graph: Graph) {
    this.values = [...graph.values];
    this.inputs = graph.inputs;
    this.outputs = [...graph.outputs];
    this.order = [...graph.nodes];
    this.writers = this.values.map(() => []);
    this.readers = this.values.map(() => []);
    this.isOutput = this.values.map(() => false);
    for (const value of graph.outputs) this.isOutput[value] = true;
    for (const [at, node] of graph.nodes.entries()) this.link(node, at);
  }

  get nodes(): readonly Node[] {
    return this.order.filter((node) => node !== undefined);
  }

  private link(node: Node, at: number): void {
    this.position.set(node, at);
    for (const {value} of node.outputs) this.writers[value]?.push(node);
    for (const operand of node.inputs) {
      const readers = operand && this.readers[operand.value];
      // A node that reads a value twice is one reader.
      if (readers !== undefined && readers.at(-1) !== node) readers.push(node);
    }
  }

  private unlink(node: Node): void {
    this.position.delete(node);
    const drop = (nodes: Node[] | undefined) => {
      const at = nodes?.indexOf(node) ?? -1;
      if (at >= 0) nodes?.splice(at, 1);
    };
    for (const {value} of node.outputs) drop(this.writers[value]);
    for (const operand of node.inputs) if (operand !== undefined) drop(this.readers[operand.value]);
  }

  has(node: Node): boolean {
    return this.position.has(node);
  }

  before(a: Node, b: Node): boolean {
    return (this.position.get(a) as number) < (this.position.get(b) as number);
  }

  newValue(dtype: NativeDType, elems: number, constant?: number): ValueId {
    this.writers.push([]);
    this.readers.push([]);
    this.isOutput.push(false);
    return this.values.push({dtype, elems, ...(constant === undefined ? {} : {constant})}) - 1;
  }

  /** Puts `next`, in order, in the place of `node`. */
  replace(node: Node, ...next: readonly Node[]): void {
    const at = this.position.get(node) as number;
    this.unlink(node);
    this.changes++;
    if (next.length <= 1) {
      this.order[at] = next[0];
    } else {
      this.order.splice(at, 1, ...next);
      for (let i = at + 1; i < this.order.length; i++) {
        const moved = this.order[i];
        if (moved !== undefined && this.position.has(moved)) this.position.set(moved, i);
      }
    }
    next.forEach((n, i) => {
      this.link(n, at + i);
    });
  }

  remove(node: Node): void {
    this.replace(node);
  }

  /** Makes everything that reads `from` read `to`, at the same elements. */
  redirect(from: ValueId, to: Operand): void {
    for (const reader of [...(this.readers[from] as Node[])]) {
      const moved = (o: Operand | undefined) => (o?.value === from ? {value: to.value, offset: to.offset + o.offset} : o);
      this.replace(reader, {...reader, inputs: reader.inputs.map(moved)});
    }
    if (this.isOutput[from]) {
      this.outputs.forEach((value, i) => {
        if (value === from) this.outputs[i] = to.value;
      });
      this.isOutput[from] = false;
      this.isOutput[to.value] = true;
    }
  }

  /** The changed graph; the one that was given, if nothing has changed. */
  finish(): Graph {
    if (this.changes === 0) return this.graph;
    return {values: this.values, nodes: this.nodes, inputs: this.inputs, outputs: this.outputs};
  }
}
