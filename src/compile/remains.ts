/** Why steps stay by themselves: what passes said when they left them, else what lies around them. */
import {type Graph, type Node, usesOf} from './ir';
import {isPackingNote} from './passes/packing';

/** A step is the one that a pass left, whatever passes made of it since, while it is of the same op and writes to the same place. */
const keyOf = ({op, outputs: [result]}: Node): string => `${op.name} ${result?.value} ${result?.offset}`;

/** Whether the step is a product, or another op that has room for other steps' work, with some of it inside. */
function isFilled({op, inputs, params, notes = []}: Node): boolean {
  const hasRoom = op.params.epilogue !== undefined || op.params.cell !== undefined;
  const {epilogue} = params;
  const program = Array.isArray(epilogue) && epilogue.length > 0;
  // The third operand is a bias, or what makes the op more than one product.
  return hasRoom && (program || inputs[2] !== undefined || notes.some((note) => !isPackingNote(note)));
}

export class Remains {
  private readonly said = new Map<string, Set<string>>();

  leave(node: Node, reason: string): void {
    const key = keyOf(node);
    this.said.set(key, (this.said.get(key) ?? new Set()).add(reason));
  }

  /** What was said of a step is said of `next` too, which computes the same, or a part of it, elsewhere. */
  inherit(node: Node, next: Node): void {
    for (const reason of this.said.get(keyOf(node)) ?? []) this.leave(next, reason);
  }

  /** Why each step of the final graph that has been fused with nothing was not, in a few words. */
  of(graph: Graph): ReadonlyMap<Node, string> {
    const {readers, isOutput} = usesOf(graph);
    const around = ({outputs}: Node): string => {
      if (outputs.some(({value}) => isOutput[value])) return 'an output';
      const after = [...new Set(outputs.flatMap(({value}) => readers[value] as readonly Node[]))];
      return after.length === 1 ? `nothing fuses it with ${after[0]?.host?.kernelName ?? after[0]?.op.name}` : `${after.length} readers`;
    };
    const alone = graph.nodes.filter((node) => node.host === undefined && !isFilled(node));
    return new Map(alone.map((node) => [node, [...(this.said.get(keyOf(node)) ?? [around(node)])].join('; ')]));
  }
}
