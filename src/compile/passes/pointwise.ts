import {sizeOf} from '../../ops/geometry';
import type {Expr} from '../../ops/program';
import {Editor} from '../editor';
import {partsOf, recogniseActivations} from '../expression';
import {type Form, type FormInput, formOf, inline, nodeOf} from '../form';
import {type Node, type Operand, onlyReader, producerOf, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';

const named = new WeakMap<Expr, readonly string[]>();

/** The functions in an expression. */
function opsOf(expr: Expr): readonly string[] {
  let names = named.get(expr);
  if (names === undefined) {
    names = [...partsOf(expr)].flatMap((part) => ('op' in part ? [part.op] : []));
    named.set(expr, names);
  }
  return names;
}

/** `node` computing its operand `position`, which `inner` describes, by itself; or why it does not. */
function merge(editor: Editor, node: Node, form: Form, position: number, inner: Form): Node | string {
  const {value} = (form.inputs[position] as FormInput).operand;
  if (editor.isOutput[value]) return 'an output';
  if (!onlyReader(editor, value, node)) return `${editor.readers[value]?.length} readers`;
  // It would be computed again for each repetition.
  if (sizeOf(inner.shape) !== sizeOf(form.shape)) return 'its reader repeats it';
  if (form.inputs.filter((i) => i.operand.value === value).length > 1) return 'its reader walks it in two ways';
  const merged = inline(form, position, inner);
  if (merged === undefined) return 'its axes cross those of its reader';
  return nodeOf(merged, node.outputs[0] as Operand, opsOf(merged.expr)) ?? 'its program and that of its reader are too long for one';
}

/** `node` with one of its inputs computed in place, if a pointwise node makes it for this one alone and element by element. */
function mergeOne(editor: Editor, node: Node, leave: PassContext['leave']): Node | undefined {
  const form = formOf(editor, node);
  if (form === undefined) return undefined;
  for (const [position, {operand}] of form.inputs.entries()) {
    const producer = producerOf(editor, operand);
    const inner = formOf(editor, producer);
    if (producer === undefined || inner === undefined) continue;
    const fused = merge(editor, node, form, position, inner);
    if (typeof fused === 'string') {
      leave(producer, fused);
      continue;
    }
    editor.remove(producer);
    editor.replace(node, fused);
    return fused;
  }
  return undefined;
}

export const pointwise: Pass = {
  name: 'pointwise',
  why: 'chains of elementwise nodes pass over memory once; activations that they spell out become one function',
  run(graph, {leave}) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      if (!editor.has(original)) continue;
      let node = original;
      for (let merged = mergeOne(editor, node, leave); merged !== undefined; merged = mergeOne(editor, node, leave)) node = merged;
      const form = formOf(editor, node);
      const output = node.outputs[0] as Operand;
      if (form === undefined || valueOf(editor, output.value).dtype !== 'float32') continue;
      const expr = recogniseActivations(form.expr);
      if (opsOf(expr).length === opsOf(form.expr).length) continue;
      const simpler = nodeOf({...form, expr}, output, opsOf(expr));
      if (simpler !== undefined) editor.replace(node, simpler);
    }
    return editor.finish();
  },
};
