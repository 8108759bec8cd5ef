import type {ConstantPool} from './constants';
import type {Graph, Node} from './ir';
import type {Precision} from './precision';

export interface PassContext {
  readonly pool: ConstantPool;
  /** What may be rounded. */
  readonly precision: Precision;
  /** Notes why something that a reader might expect was not done: explain({reasons: true}). */
  refuse(node: Node, reason: string): void;
  /** Notes why a step stays by itself, in a few words: explain() says it of the step, if that is still there at the end. */
  leave(node: Node, reason: string): void;
  /** What was said of a node is said of `next` from now on, which computes the same, or a part of it. */
  inherit(node: Node, next: Node): void;
  /** `make()`, once for each key: a model's layers have the same expressions, and recognising one takes far longer than finding it again. */
  remember<T>(key: string, make: () => T): T;
  /**
   * `make()`, for what is chosen by how fast it is. Graphs of other sizes, optimised for one plan with the first, are given the first one's
   * choices, in the order in which they are asked for.
   */
  choose<T>(make: () => T): T;
}

/** A pure function from graph to graph: what it takes away from the graph stays in the one it was given. */
export interface Pass {
  readonly name: string;
  readonly why: string;
  run(graph: Graph, context: PassContext): Graph;
}
