#!/usr/bin/env python3
"""One of the benchmark's models in PyTorch, for `npm run bench -- --peers torch,torch-compile`: torch_worker.py MODEL eager|compile THREADS [bf16]

Models are built from their class and published configuration with random weights, for the inputs of bench/models. Speaks the protocol of
bench/worker.ts: Ready on file descriptor 3, then an answer for each line {"runs": N}.
"""
import gzip, json, os, resource, sys, time, warnings

warnings.filterwarnings('ignore')
os.environ['CUDA_VISIBLE_DEVICES'] = ''
# A kernel choice made for old OpenBLAS builds would slow NumPy's and PyTorch's own.
os.environ.pop('OPENBLAS_CORETYPE', None)
import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../models')


def inputs_of(name):
    """Tensors by name; images as NCHW."""
    with open(os.path.join(FOLDER, 'suites.json')) as f:
        wanted = json.load(f)['sets'].get(name)
    with gzip.open(os.path.join(FOLDER, name, 'bench.json.gz')) as f:
        sets = json.load(f)['sets']
    chosen = next((s for s in sets if s['id'] == wanted), sets[0])
    made = {}
    for spec in chosen['inputs']:
        shape = spec['shape']
        if spec['dtype'] == 'int32':
            init = spec.get('init')
            values = torch.tensor(spec['values']) if 'values' in spec else torch.randint(init['lo'], init['hi'], (torch.Size(shape).numel(),))
            made[spec['name']] = values.reshape(shape).long()
        else:
            x = torch.rand(shape)
            made[spec['name']] = x.permute(0, 3, 1, 2).contiguous() if len(shape) == 4 and shape[-1] == 3 else x
    return made


# transformers' classes: kind of configuration, its changes, head.
BASE = {}
LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
MINI = dict(hidden_size=384, num_attention_heads=12, intermediate_size=1536)
XLM = dict(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1)
ROBERTA = dict(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1)
ALBERT = dict(embedding_size=128, hidden_size=768, num_attention_heads=12, intermediate_size=3072)
T5 = dict(d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8)
T5_BASE = dict(d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12)
FLAN = dict(d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_heads=6, feed_forward_proj='gated-gelu', tie_word_embeddings=False)
BART = dict(d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12, decoder_attention_heads=12, encoder_ffn_dim=3072,
            decoder_ffn_dim=3072)
MARIAN = dict(vocab_size=65001, d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8, decoder_attention_heads=8,
              encoder_ffn_dim=2048, decoder_ffn_dim=2048, pad_token_id=65000, eos_token_id=0, decoder_start_token_id=65000)
MEDIUM = dict(n_embd=1024, n_layer=24, n_head=16)
TEXT = {
    'bert-base-qa': ('Bert', BASE, 'ForQuestionAnswering'),
    'distilbert-base-qa': ('DistilBert', BASE, 'ForQuestionAnswering'),
    'roberta-base-qa': ('Roberta', ROBERTA, 'ForQuestionAnswering'),
    'bert-large-qa': ('Bert', LARGE, 'ForQuestionAnswering'),
    'albert-base-v2-qa': ('Albert', ALBERT, 'ForQuestionAnswering'),
    'distilbert-base-sst2': ('DistilBert', BASE, 'ForSequenceClassification'),
    'roberta-base-sentiment': ('Roberta', ROBERTA, 'ForSequenceClassification'),
    'bert-base-token-cls': ('Bert', BASE, 'ForTokenClassification'),
    'xlm-roberta-base-ner': ('XLMRoberta', XLM, 'ForTokenClassification'),
    'camembert-base-ner': ('Camembert', {**ROBERTA, 'vocab_size': 32005}, 'ForTokenClassification'),
    'distilbert-base-mnli': ('DistilBert', BASE, 'ForSequenceClassification'),
    'bart-large-mnli': ('Bart', BASE, 'ForSequenceClassification'),
    'roberta-large-mnli': ('Roberta', {**ROBERTA, **LARGE}, 'ForSequenceClassification'),
    'albert-base-v2': ('Albert', ALBERT, 'Model'),
    'electra-base-discriminator': ('Electra', dict(embedding_size=768, hidden_size=768, num_attention_heads=12, intermediate_size=3072), 'ForPreTraining'),
    'bge-small-en': ('Bert', MINI, 'Model'),
    'bert-base-fill-mask': ('Bert', BASE, 'ForMaskedLM'),
    'roberta-base-fill-mask': ('Roberta', ROBERTA, 'ForMaskedLM'),
    'distilroberta-base-fill-mask': ('Roberta', {**ROBERTA, 'num_hidden_layers': 6}, 'ForMaskedLM'),
    'xlm-roberta-base-fill-mask': ('XLMRoberta', XLM, 'ForMaskedLM'),
    'bert-base-multilingual-fill-mask': ('Bert', dict(vocab_size=119547), 'ForMaskedLM'),
    'bert-large-fill-mask': ('Bert', LARGE, 'ForMaskedLM'),
    'all-minilm-l12-v2': ('Bert', MINI, 'Model'),
    'multi-qa-mpnet-base': ('MPNet', BASE, 'Model'),
    'gpt2': ('GPT2', BASE, 'LMHeadModel'),
    'gpt2-past': ('GPT2', BASE, 'LMHeadModel'),
    'distilgpt2-past': ('GPT2', dict(n_layer=6), 'LMHeadModel'),
    'gpt2-medium-past': ('GPT2', MEDIUM, 'LMHeadModel'),
    'gpt2-large': ('GPT2', dict(n_embd=1280, n_layer=36, n_head=20), 'LMHeadModel'),
    'bart-base': ('Bart', {**BART, 'use_cache': False}, 'Model'),
    't5-small': ('T5', {**T5, 'use_cache': False}, 'ForConditionalGeneration'),
    't5-small-encoder': ('T5', T5, 'EncoderModel'),
    't5-small-decoder-past': ('T5', T5, 'ForConditionalGeneration'),
    't5-base-encoder': ('T5', T5_BASE, 'EncoderModel'),
    't5-base-decoder-past': ('T5', T5_BASE, 'ForConditionalGeneration'),
    'flan-t5-small-encoder': ('T5', FLAN, 'EncoderModel'),
    'flan-t5-small-decoder-past': ('T5', FLAN, 'ForConditionalGeneration'),
    'marian-opus-mt-encoder': ('Marian', MARIAN, 'Encoder'),
    'marian-opus-mt-decoder-past': ('Marian', MARIAN, 'MTModel'),
    'bart-large-cnn-encoder': ('Bart', BASE, 'Encoder'),
    'bart-large-cnn-decoder-past': ('Bart', BASE, 'ForConditionalGeneration'),
    'distilbart-cnn-12-6-encoder': ('Bart', BASE, 'Encoder'),
    'distilbart-cnn-12-6-decoder-past': ('Bart', dict(decoder_layers=6), 'ForConditionalGeneration'),
    'longformer-base-4096': ('Longformer', {**ROBERTA, 'max_position_embeddings': 4098, 'attention_window': 512}, 'Model'),
    'bigbird-block-sparse': ('BigBird', BASE, 'ForMaskedLM'),
    'vit-base-patch16': ('ViT', BASE, 'ForImageClassification'),
    'timm-vision-transformer-large': ('ViT', LARGE, 'ForImageClassification'),
}
TORCHVISION = {
    'alexnet': 'alexnet', 'densenet121': 'densenet121', 'mnasnet1-0': 'mnasnet1_0', 'mobilenet-v2': 'mobilenet_v2',
    'mobilenet-v3-large': 'mobilenet_v3_large', 'resnet18': 'resnet18', 'resnet50': 'resnet50', 'resnet152': 'resnet152',
    'resnext50-32x4d': 'resnext50_32x4d', 'shufflenet-v2-x1-0': 'shufflenet_v2_x1_0', 'squeezenet1-1': 'squeezenet1_1', 'vgg16': 'vgg16',
    'functorch-dp-cifar10': 'resnet18',
}
TIMM = {'efficientnet-b0': 'efficientnet_b0', 'timm-nfnet': 'dm_nfnet_f0', 'timm-regnet': 'regnety_120', 'timm-vovnet': 'vovnet39a'}


class Past(nn.Module):
    """A decoding step: past_LAYER_INDEX inputs as transformers' tuples; an encoder's output as such."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **inputs):
        layers = 1 + max(int(n.split('_')[1]) for n in inputs if n.startswith('past_'))
        each = 1 + max(int(n.split('_')[2]) for n in inputs if n.startswith('past_'))
        past = tuple(tuple(inputs[f'past_{i}_{j}'] for j in range(each)) for i in range(layers))
        rest = {n: x for n, x in inputs.items() if not n.startswith('past_')}
        if 'encoder_hidden_states' in rest:
            rest['encoder_outputs'] = (rest.pop('encoder_hidden_states'),)
        return self.model(past_key_values=past, use_cache=True, **rest)


class Dlrm(nn.Module):
    """26 tables; dot interaction; the layer sizes of the topology in bench/models."""

    def __init__(self, tables, rows, width, bottom, top):
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(rows, width) for _ in range(tables)])
        self.bottom, self.top = perceptron(bottom), perceptron(top, last=nn.Sigmoid())
        self.register_buffer('pairs', torch.tril_indices(tables + 1, tables + 1, -1))

    def forward(self, dense_features, indices):
        x = self.bottom(dense_features)
        vectors = torch.stack([x] + [table(indices[:, i]) for i, table in enumerate(self.tables)], 1)
        products = torch.bmm(vectors, vectors.transpose(1, 2))[:, self.pairs[0], self.pairs[1]]
        return self.top(torch.cat([x, products], 1))


def perceptron(sizes, last=None):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers += [nn.Linear(a, b), last if last is not None and i == len(sizes) - 2 else nn.ReLU()]
    return nn.Sequential(*layers)


def conv_bn(i, o, kernel=3, stride=1, act=None):
    return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o), act or nn.ReLU())


class Darknet(nn.Module):
    """YOLOv3: Darknet-53 and three scales, raw outputs."""

    class Residual(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.body = nn.Sequential(conv_bn(c, c // 2, 1, act=nn.LeakyReLU(0.1)), conv_bn(c // 2, c, act=nn.LeakyReLU(0.1)))

        def forward(self, x):
            return x + self.body(x)

    def __init__(self):
        super().__init__()
        leaky = lambda i, o, k=3, s=1: conv_bn(i, o, k, s, nn.LeakyReLU(0.1))
        stage = lambda i, o, n: nn.Sequential(leaky(i, o, 3, 2), *[self.Residual(o) for _ in range(n)])
        neck = lambda i, c: nn.Sequential(leaky(i, c, 1), leaky(c, 2 * c), leaky(2 * c, c, 1), leaky(c, 2 * c), leaky(2 * c, c, 1))
        out = lambda c: nn.Sequential(leaky(c, 2 * c), nn.Conv2d(2 * c, 255, 1))
        self.s1 = nn.Sequential(leaky(3, 32), stage(32, 64, 1), stage(64, 128, 2), stage(128, 256, 8))
        self.s2, self.s3 = stage(256, 512, 8), stage(512, 1024, 4)
        self.n1, self.o1, self.u1 = neck(1024, 512), out(512), leaky(512, 256, 1)
        self.n2, self.o2, self.u2 = neck(768, 256), out(256), leaky(256, 128, 1)
        self.n3, self.o3 = neck(384, 128), out(128)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, image):
        a = self.s1(image)
        b = self.s2(a)
        c = self.n1(self.s3(b))
        d = self.n2(torch.cat([self.up(self.u1(c)), b], 1))
        e = self.n3(torch.cat([self.up(self.u2(d)), a], 1))
        return self.o1(c), self.o2(d), self.o3(e)


def residual_generator(channels_in, blocks, width=64, last=7):
    """CycleGAN's and StarGAN's generator: two strided convolutions, residual blocks, two transposed ones, instance norm."""
    norm = lambda c: nn.InstanceNorm2d(c)

    class Block(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1), norm(c), nn.ReLU(), nn.Conv2d(c, c, 3, 1, 1), norm(c))

        def forward(self, x):
            return x + self.body(x)

    layers, c = [nn.Conv2d(channels_in, width, 7, 1, 3), norm(width), nn.ReLU()], width
    for _ in range(2):
        layers += [nn.Conv2d(c, 2 * c, 3 if last == 7 and channels_in == 3 else 4, 2, 1), norm(2 * c), nn.ReLU()]
        c *= 2
    layers += [Block(c) for _ in range(blocks)]
    for _ in range(2):
        layers += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1), norm(c // 2), nn.ReLU()]
        c //= 2
    return nn.Sequential(*layers, nn.Conv2d(c, 3, last, 1, last // 2), nn.Tanh())


class StarGan(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = residual_generator(8, 6)

    def forward(self, x, c):
        return self.body(torch.cat([x, c[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])], 1))


class Critics(nn.Module):
    """Soft actor-critic: an actor on the state, two critics on state and action."""

    def __init__(self, hidden=1024):
        super().__init__()
        self.actor = nn.Sequential(*perceptron([3, hidden, hidden]), nn.Linear(hidden, 2))
        self.q1, self.q2 = (nn.Sequential(*perceptron([4, hidden, hidden]), nn.Linear(hidden, 1)) for _ in range(2))

    def forward(self, state, action):
        both = torch.cat([state, action], 1)
        return self.actor(state), self.q1(both), self.q2(both)


class DeepRecommender(nn.Module):
    def __init__(self, items=197951):
        super().__init__()
        sizes = [items, 512, 512, 1024]
        self.down = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.up = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[::-1], sizes[-2::-1])])

    def forward(self, x):
        for layer in [*self.down, *self.up]:
            x = nn.functional.selu(layer(x))
        return x


OWN = {
    'dlrm': lambda: Dlrm(26, 10000, 64, [13, 512, 256, 64], [415, 512, 256, 1]),
    'yolov3': Darknet,
    'cyclegan-generator': lambda: residual_generator(3, 9),
    'stargan-generator': StarGan,
    'soft-actor-critic': Critics,
    'nvidia-deeprecommender': DeepRecommender,
}


def build(name):
    if name in TEXT:
        import transformers

        family, changes, head = TEXT[name]
        config = getattr(transformers, family + 'Config')(**changes)
        if head == 'Encoder':
            return getattr(transformers, family + ('MTModel' if family == 'Marian' else 'Model'))(config).get_encoder()
        model = getattr(transformers, family + head)(config)
        return Past(model) if name.endswith('-past') else model
    if name in TORCHVISION:
        import torchvision

        return getattr(torchvision.models, TORCHVISION[name])(num_classes=10 if 'cifar' in name else 1000)
    if name in TIMM:
        import timm

        return timm.create_model(TIMM[name], pretrained=False)
    if name in OWN:
        return OWN[name]()
    raise ValueError(f'{name} has no PyTorch counterpart here')


def main():
    name, mode, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    bf16 = sys.argv[4:] == ['bf16']
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    inputs = inputs_of(name)
    started = time.perf_counter()
    model = build(name).eval()
    by_position = not (name in TEXT or name in ('dlrm', 'stargan-generator', 'soft-actor-critic'))
    if mode == 'compile':
        import torch._inductor.config as inductor

        inductor.freezing = True
        model = torch.compile(model)

    def run():
        # Freezing needs no_grad; inference_mode is what eager users are told to take.
        with torch.no_grad() if mode == 'compile' else torch.inference_mode(), torch.autocast('cpu', torch.bfloat16, bf16):
            return model(*inputs.values()) if by_position else model(**inputs)

    run()
    answers = os.fdopen(3, 'w')

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    answer({'coldMs': 1000 * (time.perf_counter() - started)})
    for line in sys.stdin:
        ms = []
        for _ in range(json.loads(line)['runs']):
            begin = time.perf_counter()
            run()
            ms.append(1000 * (time.perf_counter() - begin))
        answer({'ms': ms, 'peakKiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss})


if __name__ == '__main__':
    main()
