/**
 * Puts right what stock tfjs-converter 4.22 gets wrong in converted graphs, or does in a way that cannot be planned. Pure: topology to topology; the nodes that it puts in run the
 * custom ops of ./mended-ops.ts.
 */

/** The parts of a GraphDef in JSON that are looked at. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

interface Topology {
  readonly node?: readonly NodeDef[];
  readonly library?: {readonly function?: readonly {readonly nodeDef?: readonly NodeDef[]}[]};
}

type Nodes = readonly NodeDef[];

const isControl = (input: string) => input.startsWith('^');
/** '^a', 'a:1' → 'a'. */
const nodeNameOf = (input: string) => input.replace(/^\^/, '').replace(/:\d+$/, '');

/**
 * Control inputs. Stock strips their '^' and keeps them, so that variadic nodes (Pack, ConcatV2, AddN) take them for data; and it holds
 * constants for available at once, so that a Merge whose branches are constants always takes the first. Those that say "in this branch of
 * a condition" become data inputs of a GravitonAfter node, which is as dead as they are; the others order effects that tensors do not have.
 */
function controlInputs(nodes: Nodes): Nodes {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const branchOf = (control: string): string | undefined => {
    let node = byName.get(nodeNameOf(control));
    for (let hops = 0; node?.op === 'Identity' && hops < nodes.length; hops++) node = byName.get(nodeNameOf(node.input?.[0] ?? ''));
    const predicate = node?.op === 'Switch' ? byName.get(nodeNameOf(node.input?.[1] ?? '')) : undefined;
    return predicate !== undefined && predicate.op !== 'LoopCond' ? control.slice(1) : undefined;
  };
  const added: NodeDef[] = [];
  const renamed = new Map<string, string>();
  const mended = nodes.map((node) => {
    const inputs = node.input ?? [];
    if (!inputs.some(isControl)) return node;
    const data = inputs.filter((input) => !isControl(input));
    const branches = inputs.filter(isControl).flatMap((control) => branchOf(control) ?? []);
    if (branches.length === 0) return {...node, input: data};
    const name = `${node.name}/in_branch`;
    const [first, ...others] = data;
    added.push({name, op: 'GravitonAfter', input: [first ?? node.name, ...branches], attr: {}});
    if (first === undefined) renamed.set(node.name, name);
    return {...node, input: first === undefined ? [] : [name, ...others]};
  });
  if (renamed.size === 0) return [...mended, ...added];
  const moved = mended.map((node) => ({...node, input: (node.input ?? []).map((input) => renamed.get(nodeNameOf(input)) ?? input)}));
  return [...moved, ...added];
}

/** Ops whose stock executors read the wrong parameter: MatrixBandPart takes num_lower for num_upper, BitwiseAnd looks for names it does not have. */
const wrongParameters: ReadonlySet<string> = new Set(['MatrixBandPart', 'BitwiseAnd']);

/** Ops whose stock executors fetch whole tensors to JavaScript, so that nothing after them can be planned. Ours read how many results there are. */
const readsElements: ReadonlySet<string> = new Set([
  'Where',
  'ListDiff',
  'NonMaxSuppressionV2',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
]);

const isTraining = (node: NodeDef) =>
  /^FusedBatchNorm(V2|V3)?$/.test(node.op) && (node.attr?.is_training as {b?: boolean} | undefined)?.b === true;

/** Stock ignores is_training and divides by the (empty) variance that it is given: Keras' LayerNormalization comes out as NaN. */
function wrongExecutors(nodes: Nodes): Nodes {
  return nodes.map((node) => {
    if (wrongParameters.has(node.op) || readsElements.has(node.op)) return {...node, op: `Graviton${node.op}`};
    return isTraining(node) ? {...node, op: 'GravitonTrainingBatchNorm'} : node;
  });
}

/** One function a cause, in the order in which they run. */
const rules: readonly ((nodes: Nodes) => Nodes)[] = [controlInputs, wrongExecutors];

const mendNodes = (nodes: Nodes): Nodes => rules.reduce((mended, rule) => rule(mended), nodes);

const same = (a: Nodes, b: Nodes) => a.length === b.length && a.every((node, i) => node === b[i]);

/** The topology with every known cause of a wrong result or failure mended; the same object where there is none. */
export function mend(topology: object): object {
  const {node, library, ...rest} = topology as Topology;
  if (node === undefined) return topology;
  const mended = mendNodes(node);
  const functions = library?.function?.map((f) => {
    const body = mendNodes(f.nodeDef ?? []);
    return same(body, f.nodeDef ?? []) ? f : {...f, nodeDef: body};
  });
  const isSame = same(mended, node) && (functions ?? []).every((f, i) => f === library?.function?.[i]);
  if (isSame) return topology;
  return {...rest, node: mended, ...(library === undefined ? {} : {library: {...library, ...(functions && {function: functions})}})};
}
