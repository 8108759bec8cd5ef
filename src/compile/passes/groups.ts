import {Conv2D} from '../../ops/convolution';
import {Concat} from '../../ops/movement';
import {Editor} from '../editor';
import {type Graph, list, type Node, num, type Operand, onlyReader, producerOf, type Uses, valueOf} from '../ir';
import type {Pass} from '../pass';

/**
 * Columns of a group above which convolutions of their own are faster: they have packed weights and Winograd's form, which groups have not.
 * ResNeXt-50 on two threads of a Zen 4: 62 ms without, 50 ms with up to 16 columns, 170 ms with 32.
 */
const mostColumns = 16;

/** A convolution that nothing has been fused into, and its filter. */
function plainConvolution(graph: Graph, node: Node | undefined): node is Node {
  const filter = node?.op === Conv2D ? node.inputs[1] : undefined;
  if (node === undefined || filter?.offset !== 0 || valueOf(graph, filter.value).constant === undefined) return false;
  const untouched = node.inputs[2] === undefined && list(node, 'epilogue').length === 0 && num(node, 'packedFilter') === 0;
  return untouched && num(node, 'groups') === 1 && num(node, 'outC') <= mostColumns;
}

/** The convolutions whose results, in order, the concatenation puts side by side, if they are groups of one. */
function groupsOf(graph: Graph & Uses, concat: Node): Node[] | undefined {
  const members: Node[] = [];
  for (const operand of concat.inputs) {
    const node = producerOf(graph, operand);
    if (!plainConvolution(graph, node) || operand?.offset !== 0 || !onlyReader(graph, operand.value, concat)) return undefined;
    members.push(node);
  }
  const [first] = members as [Node, ...Node[]];
  const image = first.inputs[0] as Operand;
  const sameWindows = JSON.stringify(first.params);
  const [inC, outC] = [num(first, 'inC'), num(first, 'outC')];
  const inPlace = members.every((node, i) => {
    const own = node.inputs[0] as Operand;
    return own.value === image.value && own.offset === image.offset + i * inC && JSON.stringify(node.params) === sameWindows;
  });
  const pixels = num(first, 'batch') * num(first, 'outH') * num(first, 'outW');
  const dense = num(first, 'yCol') === outC && num(concat, 'outer') === pixels;
  return members.length > 1 && inPlace && dense ? members : undefined;
}

export const groups: Pass = {
  name: 'groups',
  why: 'narrow convolutions of parts of the channels, put side by side, are one convolution in groups',
  run(graph, {pool}) {
    const editor = new Editor(graph);
    for (const concat of graph.nodes) {
      const members = concat.op === Concat ? groupsOf(editor, concat) : undefined;
      const [first] = members ?? [];
      if (members === undefined || first === undefined) continue;
      const count = members.length;
      const filters = members.map((node) => valueOf(editor, (node.inputs[1] as Operand).value));
      const rows = num(first, 'filterH') * num(first, 'filterW') * num(first, 'inC');
      const outC = num(first, 'outC');
      const constant = pool.besides(
        filters.map((f) => f.constant as number),
        rows,
        filters.map(() => outC),
      );
      const filter = {value: editor.newValue('float32', rows * outC * count, constant), offset: 0};
      const outW = num(first, 'outW') * outC * count;
      for (const node of members) editor.remove(node);
      editor.replace(concat, {
        ...first,
        inputs: [first.inputs[0], filter, undefined],
        outputs: concat.outputs,
        params: {
          ...first.params,
          inC: num(first, 'inC') * count,
          outC: outC * count,
          groups: count,
          ...{yCol: outC * count, yRow: outW, yBatch: outW * num(first, 'outH')},
        },
        notes: [`${count} groups`],
      });
    }
    return editor.finish();
  },
};
