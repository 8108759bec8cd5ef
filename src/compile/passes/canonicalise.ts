import {Resize2D, resizeKinds} from '../../ops/convolution';
import {rowMajorStrides, sameWalk, sizeOf} from '../../ops/geometry';
import {StridedCopy} from '../../ops/movement';
import type {Expr} from '../../ops/program';
import {Editor} from '../editor';
import {keyOf, partsOf, substitute} from '../expression';
import {formOf, nodeOf} from '../form';
import {type Graph, list, type Node, num, type Operand, valueOf} from '../ir';
import type {Pass} from '../pass';
import {simplify} from '../simplify';

/** Whether a StridedCopy copies a dense block as it is. */
export function copiesAsItIs(graph: Graph, node: Node): boolean {
  if (node.op !== StridedCopy) return false;
  const shape = list(node, 'shape');
  const dense = rowMajorStrides(shape);
  const same = (strides: readonly number[]) => sameWalk(strides, dense, shape);
  const source = node.inputs[0] as Operand;
  return (
    same(list(node, 'srcStrides')) &&
    same(list(node, 'dstStrides')) &&
    valueOf(graph, source.value).elems === sizeOf(shape) &&
    node.outputs[0]?.offset === 0
  );
}

/** Pixels of fewer channels are repeated in 0.3 of the time of a copy by the op itself (three channels); with 32 both take the same. */
const leastRepeated = 16;

/** Nearest up-sampling by powers of two, by which sizes divide exactly, as a copy that repeats pixels: readers and writers can take it over. */
function repeatedPixels(node: Node): Node | undefined {
  if (node.op !== Resize2D || num(node, 'kind') !== resizeKinds.nearest || node.params.alignCorners === true) return undefined;
  const [batch, inH, inW, channels] = ['batch', 'inH', 'inW', 'channels'].map((name) => num(node, name)) as [
    number,
    number,
    number,
    number,
  ];
  const [byH, byW] = [num(node, 'outH') / inH, num(node, 'outW') / inW];
  if (channels < leastRepeated || ![byH, byW].every((factor) => factor >= 1 && Number.isInteger(Math.log2(factor)))) return undefined;
  const shape = [batch * inH, byH, inW, byW, channels];
  const params = {shape, srcStrides: [inW * channels, 0, channels, 0, 1], dstStrides: rowMajorStrides(shape)};
  return {...node, op: StridedCopy, params};
}

/** The inputs that are terms of sums. */
function addends(expr: Expr): Set<number> {
  const sums = [...partsOf(expr)].flatMap((part) => ('op' in part && (part.op === 'Add' || part.op === 'Sub') ? part.args : []));
  return new Set(sums.flatMap((term) => ('input' in term ? [term.input] : [])));
}

export const canonicalise: Pass = {
  name: 'canonicalise',
  why: 'constants of one number become immediates, neutral operations and plain copies go, so that later patterns see one form',
  run(graph, {pool, remember}) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      // Redirects replace later nodes as they go.
      const node = editor.writers[original.outputs[0]?.value as number]?.[0];
      if (node === undefined) continue;
      const result = node.outputs[0] as Operand;
      const repeated = repeatedPixels(node);
      if (repeated !== undefined) {
        editor.replace(node, repeated);
        continue;
      }
      if (copiesAsItIs(editor, node)) {
        editor.redirect(result.value, node.inputs[0] as Operand);
        editor.remove(node);
        continue;
      }
      const form = formOf(editor, node);
      if (form === undefined) continue;
      const added = addends(form.expr);
      const immediates = form.inputs.map(({operand}, i): Expr | undefined => {
        const value = valueOf(editor, operand.value);
        if (value.constant === undefined) return undefined;
        const scalar = pool.repeated(value.constant);
        if (scalar === undefined || value.dtype !== 'float32') return scalar === undefined ? undefined : {i32: scalar};
        // A vector that is added may become a bias, which costs a product nothing; zeros are states in which loops begin, whose first step
        // should be as the others.
        return value.elems !== 1 && (added.has(i) || scalar === 0) ? undefined : {f32: scalar};
      });
      const key = `canonical ${keyOf(form.expr)} ${immediates.map(immediateText).join()}`;
      const expr = remember(key, () => simplify(substitute(form.expr, (i) => immediates[i] ?? {input: i})));
      if ('input' in expr) {
        const source = form.inputs[expr.input];
        const dense = rowMajorStrides(form.shape);
        const whole =
          source?.strides.every((s, axis) => s === dense[axis]) && valueOf(editor, source.operand.value).elems === sizeOf(form.shape);
        if (source !== undefined && whole && valueOf(editor, source.operand.value).dtype === valueOf(editor, result.value).dtype) {
          editor.redirect(result.value, source.operand);
          editor.remove(node);
          continue;
        }
      }
      if (expr === form.expr) continue;
      const simpler = nodeOf({...form, expr: typedRoot(expr, valueOf(editor, result.value).dtype)}, result, node.notes);
      if (simpler !== undefined) editor.replace(node, simpler);
    }
    return editor.finish();
  },
};

function immediateText(expr: Expr | undefined): string {
  if (expr === undefined) return '';
  if ('f32' in expr) return Object.is(expr.f32, -0) ? 'f-0' : `f${expr.f32}`;
  return 'i32' in expr ? `i${expr.i32}` : '';
}

/** A program's root must be a call. */
function typedRoot(expr: Expr, dtype: string): Expr {
  if ('op' in expr) return expr;
  return {op: dtype === 'float32' ? 'Copy' : 'CopyInt', args: [expr]};
}
