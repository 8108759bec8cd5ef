import {sizeOf} from '../../ops/geometry';
import type {Expr} from '../../ops/program';
import {Editor} from '../editor';
import {partsOf, recogniseActivations} from '../expression';
import {formOf, inline, nodeOf} from '../form';
import {type Node, type Operand, onlyReader, producerOf, valueOf} from '../ir';
import type {Pass} from '../pass';

const opsOf = (expr: Expr): string[] => [...partsOf(expr)].flatMap((part) => ('op' in part ? [part.op] : []));

/** `node` with one of its inputs computed in place, if a pointwise node makes it for this one alone and element by element. */
function mergeOne(editor: Editor, node: Node): Node | undefined {
  const form = formOf(editor, node);
  if (form === undefined) return undefined;
  for (const [position, {operand}] of form.inputs.entries()) {
    const producer = producerOf(editor, operand);
    const inner = formOf(editor, producer);
    if (producer === undefined || inner === undefined || !onlyReader(editor, operand.value, node)) continue;
    // A broadcast input would be computed again for each repetition.
    if (sizeOf(inner.shape) !== sizeOf(form.shape)) continue;
    if (form.inputs.filter((i) => i.operand.value === operand.value).length > 1) continue;
    const merged = inline(form, position, inner);
    const fused = merged && nodeOf(merged, node.outputs[0] as Operand, opsOf(merged.expr));
    if (fused === undefined) continue;
    editor.remove(producer);
    editor.replace(node, fused);
    return fused;
  }
  return undefined;
}

export const pointwise: Pass = {
  name: 'pointwise',
  why: 'chains of elementwise nodes pass over memory once; activations that they spell out become one function',
  run(graph) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      if (!editor.has(original)) continue;
      let node = original;
      for (let merged = mergeOne(editor, node); merged !== undefined; merged = mergeOne(editor, node)) node = merged;
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
