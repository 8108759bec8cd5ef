import {Editor} from '../editor';
import type {Node} from '../ir';
import type {Pass} from '../pass';

export const commonSubexpressions: Pass = {
  name: 'common-subexpressions',
  why: 'each layer computes the same masks and shapes again',
  run(graph) {
    const editor = new Editor(graph);
    const seen = new Map<string, Node>();
    for (const original of graph.nodes) {
      const node = editor.writers[original.outputs[0]?.value as number]?.[0];
      if (node === undefined || node.host !== undefined) continue;
      if (node.outputs.some((o) => editor.writers[o.value]?.length !== 1)) continue;
      const operands = node.inputs.map((o) => (o === undefined ? 0 : [o.value, o.offset]));
      // The same program may be stored as bool or as int32.
      const types = node.outputs.map((o) => editor.values[o.value]?.dtype);
      const key = JSON.stringify([node.op.name, operands, types, node.params]);
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, node);
        continue;
      }
      node.outputs.forEach((output, i) => {
        editor.redirect(output.value, {value: first.outputs[i]?.value as number, offset: 0});
      });
      editor.remove(node);
    }
    return editor.finish();
  },
};
