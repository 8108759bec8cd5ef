import {type Graph, inputsOf, type Node} from '../ir';
import type {Pass} from '../pass';

export const deadCode: Pass = {
  name: 'dead-code',
  why: 'what no output needs is not computed',
  run(graph): Graph {
    const needed = new Set(graph.outputs);
    const kept: Node[] = [];
    for (const node of [...graph.nodes].reverse()) {
      if (!node.outputs.some((o) => needed.has(o.value))) continue;
      kept.push(node);
      for (const {value} of inputsOf(node)) needed.add(value);
    }
    return {...graph, nodes: kept.reverse()};
  },
};
