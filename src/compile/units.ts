import {type Graph, inputsOf, type Node, usesOf, type ValueId, valueOf} from './ir';

/** A part of a graph that computes values of a boundary from others of it. */
export interface Unit {
  /** The unit alone: its inputs and outputs are values of the boundary, under their numbers in the whole graph. */
  readonly graph: Graph;
  /** The node that makes its outputs. */
  readonly last: Node;
}

/**
 * Cuts a graph at a set of values: each of them that a node writes is the output of one unit, which has all that lies between it and other
 * values of the set. What several units need in between is in each of them. In an order in which they can run.
 */
export function unitsOf(graph: Graph, boundary: ReadonlySet<ValueId>): Unit[] {
  const {writers} = usesOf(graph);
  const position = new Map(graph.nodes.map((node, i) => [node, i]));
  const given = new Set(graph.inputs);
  const at = (node: Node) => position.get(node) as number;
  // A value that is read before all of it is written is made again, as far as it is there by then.
  const ends = (id: ValueId, reader: Node) =>
    given.has(id) || valueOf(graph, id).constant !== undefined || (boundary.has(id) && writers[id]?.every((w) => at(w) < at(reader)));
  const outputsOf = new Map<Node, ValueId[]>();
  for (const id of boundary) {
    const last = writers[id]?.at(-1);
    if (last !== undefined) outputsOf.set(last, [...(outputsOf.get(last) ?? []), id]);
  }
  const lasts = [...outputsOf.keys()].sort((a, b) => at(a) - at(b));
  return lasts.map((last): Unit => {
    const outputs = outputsOf.get(last) as ValueId[];
    const nodes = new Set<Node>();
    const wanted = outputs.map((id) => ({id, reader: undefined as Node | undefined}));
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const {id, reader} = next;
      for (const node of writers[id] as readonly Node[]) {
        if (nodes.has(node) || (reader !== undefined && at(node) > at(reader))) continue;
        nodes.add(node);
        for (const {value} of inputsOf(node)) if (!ends(value, node)) wanted.push({id: value, reader: node});
      }
    }
    const ordered = [...nodes].sort((a, b) => at(a) - at(b));
    const written = new Set(ordered.flatMap((node) => node.outputs.map((o) => o.value)));
    const read = new Set(ordered.flatMap((node) => inputsOf(node).map((o) => o.value)));
    const inputs = [...read].filter((id) => !written.has(id) && valueOf(graph, id).constant === undefined);
    return {graph: {values: graph.values, nodes: ordered, inputs, outputs}, last};
  });
}
