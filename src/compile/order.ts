import type {Graph, Node} from './ir';
import {inputsOf} from './ir';

/** The graph with its nodes in an order in which they can run, each as early as it was where that can be; verify() names nodes that need each other. */
export function inOrder(graph: Graph): Graph {
  const writers = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const {value} of node.outputs) writers.set(value, [...(writers.get(value) ?? []), node]);
  }
  const nodes: Node[] = [];
  const placed = new Set<Node>();
  const opened = new Set<Node>();
  for (const root of graph.nodes) {
    // Depth first, without recursion: chains of steps are thousands of nodes long.
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      opened.add(node);
      const missing = inputsOf(node).flatMap(({value}) => (writers.get(value) ?? []).filter((w) => !opened.has(w)));
      if (placed.has(node) || missing.length === 0) {
        if (!placed.has(node)) nodes.push(node);
        placed.add(node);
        stack.pop();
      } else {
        stack.push(...missing);
      }
    }
  }
  return {...graph, nodes};
}
