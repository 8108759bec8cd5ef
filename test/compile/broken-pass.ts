import {Editor} from '../../src/compile/editor';
import {formOf, nodeOf} from '../../src/compile/form';
import type {Node, Operand} from '../../src/compile/ir';
import {passes} from '../../src/compile/optimize';
import type {Pass} from '../../src/compile/pass';

/** Makes subtractions of additions in the pointwise nodes that it meets. */
export const broken: Pass = {
  name: 'broken',
  why: 'tests need something to find',
  run(graph) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      const form = formOf(editor, node);
      if (form === undefined || !('op' in form.expr) || form.expr.op !== 'Add') continue;
      const wrong = nodeOf({...form, expr: {op: 'Sub', args: form.expr.args}}, node.outputs[0] as Operand);
      editor.replace(node, wrong as Node);
    }
    return editor.finish();
  },
};

/** Runs `body` with one more pass at the end of the list. */
export async function withPass(pass: Pass, body: () => Promise<void>): Promise<void> {
  const list = passes as Pass[];
  list.push(pass);
  try {
    await body();
  } finally {
    list.splice(list.indexOf(pass), 1);
  }
}
