import type {ConstantPool} from './constants';
import type {Graph, Node} from './ir';

export interface PassContext {
  readonly pool: ConstantPool;
  /** Notes why something that a reader might expect was not done: explain({reasons: true}). */
  refuse(node: Node, reason: string): void;
}

/** A pure function from graph to graph: what it takes away from the graph stays in the one it was given. */
export interface Pass {
  readonly name: string;
  readonly why: string;
  run(graph: Graph, context: PassContext): Graph;
}
