#!/usr/bin/env python3
"""The benchmark's models for ONNX Runtime: the same topologies with the same synthesised weights, at the sizes of one input set.

    pip install tensorflow-cpu==2.15.1 tf2onnx "onnx<1.18" "numpy<2" "protobuf<5";  python convert_onnx.py OUT [NAME…]

tf2onnx reads the converted graph; then norms and GELUs, which Keras spells out, become the single nodes that ONNX Runtime has kernels for, so
that it gets the graph it likes best. A file that exists is kept.
"""
import gzip, json, os, sys, tempfile

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper
from tf2onnx import optimizer, tf_utils, tfjs_utils, tfonnx

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../models')
OPSET = 18
# Matrices of so many bytes are inputs while a model is converted, since tf2onnx makes many copies of what it knows, and join the graph after it.
LARGE = 1 << 18
# A protobuf holds 2 GiB, and one of this size takes many times its size to write: what is larger has its weights beside it.
PROTOBUF = 300_000_000




def output_shapes(node, dtypes, shapes, constants):
    """tf2onnx's own function copies every weight and opens a session for each node; this one takes a minute less for a BERT."""
    if node.op in ('Prelu', 'Enter'):
        return [shapes[0]]
    if node.op == 'Merge':
        return [next((s for s in shapes if s is not None), None), []]
    if node.op == 'Placeholder':
        return [[None if d.size == -1 else d.size for d in node.attr['shape'].shape.dim] or None]
    del node.input[:]
    node.name = 'node'
    node.attr.pop('_class', None)
    small = [c if c is not None and np.size(c) < 4096 else None for c in constants]
    sizes = [np.shape(c) if c is not None else s for s, c in zip(shapes, constants)]
    key = repr((node, dtypes, sizes, [c if c is None else (c.dtype, c.tobytes()) for c in small]))
    if key not in known_shapes:
        known_shapes[key] = inferred_shapes(node, dtypes, sizes, small)
    return known_shapes[key]


known_shapes = {}  # layers repeat


def inferred_shapes(node, dtypes, shapes, constants):
    with tf.Graph().as_default() as graph:
        for i, (dtype, shape, constant) in enumerate(zip(dtypes, shapes, constants)):
            if constant is not None:
                tf.constant(constant, dtype, name=f'input{i}')
            else:
                tf.compat.v1.placeholder(dtype, None if shape is None else [None if d == -1 else d for d in shape], f'input{i}')
            node.input.append(f'input{i}')
        definition = graph.as_graph_def()
        definition.node.append(node)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name='')
        return [tf_utils.get_tf_tensor_shape(output) for output in graph.get_operation_by_name('node').outputs]


tfjs_utils.get_output_shapes = output_shapes


def read(name, file):
    with gzip.open(os.path.join(MODELS, name, file + '.json.gz')) as f:
        return json.load(f)


def uniform(count, seed, lo, hi, dtype=np.float32):
    """Counter-based mulberry32, as bench/topology.ts: value i = lo + (hi - lo) u32(seed, i) / 2^32."""
    with np.errstate(over='ignore'):
        a = np.uint32(seed & 0xFFFFFFFF) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        t ^= t >> np.uint32(14)
    return (lo + (hi - lo) / 4294967296 * t).astype(dtype)


def weights_of(name, model):
    recipes = read(name, 'recipe')
    with gzip.open(os.path.join(MODELS, name, 'consts.bin.gz')) as f:
        constant_bytes = f.read()
    specs = [w for group in model['weightsManifest'] for w in group['weights']]
    for spec, recipe in zip(specs, recipes):
        if recipe['kind'] == 'bin':
            values = np.frombuffer(constant_bytes, np.dtype(spec['dtype']), int(np.prod(spec['shape'])), recipe['offset'])
        else:
            values = uniform(int(np.prod(spec['shape'])), recipe['seed'], recipe['lo'], recipe['hi'])
        yield spec['name'], values.reshape(spec['shape'])


def input_set(name):
    """The set that the benchmark takes: named in suites.json, else the first."""
    with open(os.path.join(MODELS, 'suites.json')) as f:
        wanted = json.load(f).get('sets', {}).get(name)
    sets = read(name, 'bench')['sets']
    return next((s for s in sets if s['id'] == wanted), sets[0])


class Rewriter:
    """Replaces Keras' layer norm, RMS norm and both spellings of GELU, each matched backwards from its last node."""

    def __init__(self, graph):
        self.graph = graph
        self.index()

    def index(self):
        self.producer = {o: n for n in self.graph.node for o in n.output}
        self.constants = {i.name: i for i in self.graph.initializer}
        for n in self.graph.node:
            if n.op_type == 'Constant':
                self.constants[n.output[0]] = n.attribute[0].t

    def made_by(self, name, *kinds):
        node = self.producer.get(name)
        while node is not None and node.op_type == 'Identity':
            node = self.producer.get(node.input[0])
        return node if node is not None and node.op_type in kinds else None

    def number(self, name):
        tensor = self.constants.get(name)
        if tensor is None or int(np.prod(tensor.dims)) != 1:
            return None
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])

    def factors(self, name):
        """A product's factors: names, and the product of its numbers."""
        node, number = self.made_by(name, 'Mul', 'Div'), self.number(name)
        if number is not None:
            return [], number
        if node is None:
            return [name], 1.0
        if node.op_type == 'Div':
            divisor = self.number(node.input[1])
            if divisor is None:
                return [name], 1.0
            names, scale = self.factors(node.input[0])
            return names, scale / divisor
        (a, x), (b, y) = self.factors(node.input[0]), self.factors(node.input[1])
        return a + b, x * y

    def terms(self, name):
        """A sum's two terms, each as factors."""
        node = self.made_by(name, 'Add')
        return [self.factors(i) for i in node.input] if node else []

    def one_plus(self, name, kind):
        """The argument of 1 + kind(argument)."""
        node = self.made_by(name, 'Add')
        for one, other in (node.input, node.input[::-1]) if node else ():
            inner = self.made_by(other, kind)
            if self.number(one) == 1.0 and inner:
                return inner.input[0]
        return None

    def gelu(self, node):
        names, scale = self.factors(node.output[0])
        if len(names) != 2 or abs(scale - 0.5) > 1e-6:
            return None
        for x, gate in (names, names[::-1]):
            erf = self.one_plus(gate, 'Erf')
            if erf:
                inner, factor = self.factors(erf)
                if inner == [x] and abs(factor - np.sqrt(0.5)) < 1e-5:
                    return x, 'none'
            tanh = self.one_plus(gate, 'Tanh')
            if tanh:
                inner, factor = self.factors(tanh)
                if len(inner) == 1 and abs(factor - np.sqrt(2 / np.pi)) < 1e-5 and self.made_by(inner[0], 'Add'):
                    if any(names == [x] and scale == 1.0 for names, scale in self.terms(inner[0])):
                        return x, 'tanh'
        return None

    def layer_norm(self, node):
        """x inv + (beta - mean inv), inv = gamma / sqrt(variance + epsilon); returns x, gamma, beta, axes' mean node, epsilon."""
        if node.op_type != 'Add':
            return None
        for scaled, rest in (node.input, node.input[::-1]):
            sub, product = self.made_by(rest, 'Sub'), self.made_by(scaled, 'Mul')
            if not sub or not product:
                continue
            shifted = self.made_by(sub.input[1], 'Mul')
            if not shifted:
                continue
            shared = set(product.input) & set(shifted.input)
            if len(shared) != 1:
                continue
            inv = shared.pop()
            x = next(i for i in product.input if i != inv)
            mean = self.made_by(next(i for i in shifted.input if i != inv), 'ReduceMean')
            if not mean or mean.input[0] != x:
                continue
            found = self.gamma(inv)
            if found and len(self.constants[found[0]].dims) >= 1 and sub.input[0] in self.constants:
                return x, found[0], sub.input[0], found[1]
        return None

    def gamma(self, inv):
        product = self.made_by(inv, 'Mul')
        for gamma, root in (product.input, product.input[::-1]) if product else ():
            reciprocal = self.made_by(root, 'Reciprocal')
            sqrt = self.made_by(reciprocal.input[0], 'Sqrt') if reciprocal else None
            add = self.made_by(sqrt.input[0], 'Add') if sqrt else None
            if add and gamma in self.constants:
                return gamma, next((e for e in map(self.number, add.input) if e is not None), 1e-12)
        return None

    def rms_norm(self, node):
        """x gamma / sqrt(mean(x x) + epsilon), in any order; returns x, gamma, epsilon."""
        names, scale = self.factors(node.output[0]) if node.op_type == 'Mul' else ([], 0)
        if len(names) != 3 or scale != 1:
            return None
        root = next((n for n in names if self.made_by(n, 'Reciprocal')), None)
        gamma = next((n for n in names if n in self.constants and len(self.constants[n].dims) == 1), None)
        x = next((n for n in names if n not in (root, gamma)), None)
        sqrt = self.made_by(self.made_by(root, 'Reciprocal').input[0], 'Sqrt') if root and gamma and x else None
        add = self.made_by(sqrt.input[0], 'Add') if sqrt else None
        mean = next((m for m in (self.made_by(i, 'ReduceMean') for i in add.input) if m), None) if add else None
        if mean and self.is_square(mean.input[0], x):
            return x, gamma, next((e for e in map(self.number, add.input) if e is not None), 1e-6)
        return None

    def is_square(self, name, x):
        node = self.made_by(name, 'Mul', 'Pow')
        return node is not None and node.input[0] == x and (node.op_type == 'Pow' or node.input[1] == x)

    def run(self):
        replaced = {'Gelu': 0, 'LayerNormalization': 0, 'SimplifiedLayerNormalization': 0}
        for node in list(self.graph.node):
            made = None
            norm = self.layer_norm(node)
            if norm:
                x, gamma, beta, epsilon = norm
                made = helper.make_node('LayerNormalization', [x, gamma, beta], [node.output[0]], axis=-1, epsilon=epsilon)
            elif self.rms_norm(node):
                # ONNX Runtime's own name for it.
                x, gamma, epsilon = self.rms_norm(node)
                made = helper.make_node('SimplifiedLayerNormalization', [x, gamma], [node.output[0]], axis=-1, epsilon=epsilon)
            elif node.op_type == 'Mul' and self.gelu(node):
                x, approximate = self.gelu(node)
                made = helper.make_node('Gelu', [x], [node.output[0]], approximate=approximate)
            if made:
                replaced[made.op_type] += 1
                node.CopyFrom(made)
        self.drop_dead()
        return replaced

    def drop_dead(self):
        used, kept = {o.name for o in self.graph.output}, []
        for node in reversed(self.graph.node):
            if any(o in used for o in node.output):
                kept.append(node)
                used.update(node.input)
                for attribute in node.attribute:
                    for inner in attribute.g.node:
                        used.update(inner.input)
        del self.graph.node[:]
        self.graph.node.extend(reversed(kept))
        initializers = [i for i in self.graph.initializer if i.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(initializers)


def shapes_of(name, model):
    signature = model.get('signature', {}).get('inputs', {})
    return {signature.get(i['name'], {}).get('name', i['name'] + ':0'): i['shape'] for i in input_set(name)['inputs']}


def convert(name, path):
    model = read(name, 'model')
    weights = dict(weights_of(name, model))
    weight_bytes = sum(w.nbytes for w in weights.values())
    large = {n: w for n, w in weights.items() if w.ndim == 2 and w.nbytes > LARGE}
    nodes = model['modelTopology']['node']
    for node in nodes:
        if node['op'] == 'Const' and node['name'] in large:
            node['op'] = 'Placeholder'
            shape = [{'size': str(s)} for s in large[node['name']].shape]
            node['attr'] = {'dtype': {'type': 'DT_FLOAT'}, 'shape': {'shape': {'dim': shape}}}
    shapes = shapes_of(name, model)
    outputs = [o['name'] for o in model['signature']['outputs'].values()]
    inputs = list(shapes) + [n + ':0' for n in large]
    main_graph = tfjs_utils.read_tfjs_graph(nodes, weights, None, inputs, outputs, shapes)
    main_graph.rename_tensors({v['name']: k for k, v in model['signature'].get('inputs', {}).items()})
    subgraphs = [
        tfjs_utils.read_tfjs_graph(f.get('nodeDef', []), weights, f, None, None, shapes)
        for f in tfjs_utils.sort_tfjs_functions(model['modelTopology'].get('library', {}).get('function', []))
    ]
    tfonnx.clear_functions()
    for graph in [main_graph, *subgraphs]:
        graph.set_config(None, OPSET, None)
    graph = tfonnx.process_graphs(main_graph, subgraphs, {}, [], [], False, None, {}, {})
    graph = optimizer.optimize_graph(graph, catch_errors=True)
    proto = graph.make_model(name)
    weights.clear()
    for n in list(large):
        values = large.pop(n)
        value_input = next((i for i in proto.graph.input if i.name == n + ':0'), None)
        if value_input is not None:
            proto.graph.input.remove(value_input)
            proto.graph.initializer.append(numpy_helper.from_array(values, n + ':0'))
    print(name, Rewriter(proto.graph).run())
    for opset in proto.opset_import:
        if opset.domain in ('', 'ai.onnx'):
            opset.version = max(opset.version, 20)
    proto.ir_version = 9
    onnx.save(proto, path, save_as_external_data=weight_bytes > PROTOBUF, all_tensors_to_one_file=True, location=os.path.basename(path) + '.data')


def names():
    with open(os.path.join(MODELS, 'suites.json')) as f:
        suites = json.load(f)
    listed = [folder for n in suites['hf'] for folder in suites['hfDetail'][n]['folders']] + list(suites['torchbench'].values())
    return [n for n in dict.fromkeys(listed) if os.path.isdir(os.path.join(MODELS, n))]


if __name__ == '__main__':
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    for name in sys.argv[2:] or names():
        path = os.path.join(out, name + '.onnx')
        if os.path.exists(path):
            continue
        try:
            convert(name, path)
        except Exception as error:  # the rest is still worth having
            print(name, 'FAILED', type(error).__name__, str(error).splitlines()[:2], file=sys.stderr)
