/**
 * npm run bench -- --suite hf|torchbench|all|MODEL,… [--mode eager,compile] [--peers onnxruntime] [--threads N] [--sequence N] [--runs N]
 *
 * Each model and runtime in a fresh process; runtimes take turns (A B A B …), after warm-up; medians, quartiles and ratios. Writes
 * .userbenchmark/cpu/metric-<timestamp>.json in TorchBench's form and prints a table.
 */
import {type ChildProcess, execFileSync, fork} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import Table from 'cli-table3';
import {Command} from 'commander';
import {systemInfo} from '../src';
import {modelNames, urlOf} from './topology';
import type {Job, Mode, Ready} from './worker';

interface Options {
  readonly suite: string;
  readonly mode: string;
  readonly peers: string;
  readonly metrics: string;
  readonly threads: string;
  readonly sequence?: string;
  readonly runs: string;
  readonly seconds: string;
}

/** ONNX files of equal shapes, made by bench/peers/make_onnx.py. */
const onnxNames: Readonly<Record<string, string>> = {
  'bert-base-qa': 'bert_base',
  'examples/sentence-similarity/model': 'minilm_l6',
  'distilbert-base-qa': 'distilbert',
  gpt2: 'gpt2',
  resnet50: 'resnet50',
  'mobilenet-v2': 'mobilenet_v2',
  vgg16: 'vgg16',
};

const root = process.cwd();

interface Worker {
  readonly ready: Ready;
  ask(runs: number, mode: Mode): Promise<{ms: number[]; peakKiB: number}>;
  close(): void;
}

const next = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`a benchmark process ended with code ${code}`)));
  });

async function open(job: Job): Promise<Worker> {
  const child = fork(join(__dirname, 'worker.js'), [JSON.stringify(job)], {serialization: 'advanced'});
  const ready = await next<Ready>(child);
  return {
    ready,
    ask: (runs, mode) => {
      child.removeAllListeners('exit');
      const answer = next<{ms: number[]; peakKiB: number}>(child);
      child.send({runs, mode});
      return answer;
    },
    close: () => void child.kill(),
  };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const quantile = (values: readonly number[], q: number) => sorted(values)[Math.floor(q * (values.length - 1))] as number;

interface Column {
  readonly name: string;
  readonly worker: Worker;
  readonly mode: Mode;
  readonly ms: number[];
  peakKiB: number;
}

/** All columns in turns until each has `runs` runs or `seconds` have passed. */
async function measure(columns: readonly Column[], runs: number, seconds: number): Promise<void> {
  for (const column of columns) await column.worker.ask(3, column.mode);
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && columns.some((c) => c.ms.length < runs)) {
    for (const column of columns) {
      const median = column.ms.length > 0 ? quantile(column.ms, 0.5) : 50;
      const {ms, peakKiB} = await column.worker.ask(Math.max(1, Math.min(20, Math.round(100 / median))), column.mode);
      column.ms.push(...ms);
      column.peakKiB = peakKiB;
    }
  }
}

function selected(suite: string): string[] {
  const suites = JSON.parse(readFileSync(join(root, 'bench/models/suites.json'), 'utf8')) as {
    hf: string[];
    hfDetail: Record<string, {folders: string[]}>;
    torchbench: Record<string, string>;
  };
  const known = new Set(modelNames(root));
  const lists: Record<string, string[]> = {
    hf: suites.hf.flatMap((name) => suites.hfDetail[name]?.folders ?? [name]),
    torchbench: Object.values(suites.torchbench),
  };
  const names = suite === 'all' ? [...(lists.hf ?? []), ...(lists.torchbench ?? [])] : (lists[suite] ?? suite.split(','));
  const isThere = (name: string) => known.has(name) || urlOf(root, name) !== undefined;
  const missing = names.filter((name) => !isThere(name));
  if (missing.length > 0) console.log(`not there, and counted as missing: ${missing.join(', ')}`);
  return [...new Set(names)].filter(isThere);
}

async function benchModel(model: string, options: Options): Promise<Column[]> {
  const threads = Number(options.threads);
  const job: Job = {
    root,
    runtime: 'graviton',
    model,
    threads,
    ...(options.sequence === undefined ? {} : {sequence: Number(options.sequence)}),
  };
  const own = await open(job);
  const columns: Column[] = options.mode.split(',').map((mode) => ({name: mode, worker: own, mode: mode as Mode, ms: [], peakKiB: 0}));
  const onnx = join(root, 'build/onnx', `${onnxNames[model]}.onnx`);
  if (options.peers.includes('onnxruntime') && existsSync(onnx)) {
    columns.push({name: 'onnxruntime', worker: await open({...job, runtime: 'onnxruntime', onnx}), mode: 'compile', ms: [], peakKiB: 0});
  }
  await measure(columns, Number(options.runs), Number(options.seconds));
  for (const column of columns) column.worker.close();
  return columns;
}

async function main(): Promise<void> {
  const command = new Command('bench')
    .requiredOption('--suite <list>', 'hf, torchbench, all, names in bench/models, or folders with a model.json')
    .option('--mode <list>', 'eager, compile', 'eager,compile')
    .option('--peers <list>', 'onnxruntime', '')
    .option('--metrics <list>', 'latencies, cpu_peak_mem', 'latencies,cpu_peak_mem')
    .option('--threads <n>', 'threads of every runtime', String(systemInfo().cpus ?? 1))
    .option('--sequence <n>', 'tokens of text inputs')
    .option('--runs <n>', 'runs of each', '30')
    .option('--seconds <n>', 'at most this long for each model', '20');
  const options = command.parse().opts<Options>();
  const table = new Table({
    head: ['model', 'first − eager, ms', 'eager', 'compile', 'spread', 'eager ÷ compile', 'onnxruntime', '÷ onnxruntime'],
  });
  const metrics: Record<string, number> = {};
  for (const model of selected(options.suite)) {
    process.stderr.write(`${model} …\r`);
    const columns = await benchModel(model, options);
    const of = (name: string) => columns.find((c) => c.name === name);
    const median = (name: string) => (of(name) === undefined ? undefined : quantile((of(name) as Column).ms, 0.5));
    for (const {name, ms, peakKiB} of columns) {
      const suffix = name === 'eager' ? '-eager' : name === 'compile' ? '' : `-${name}`;
      metrics[`${model}${suffix}-eval_latency`] = quantile(ms, 0.5);
      metrics[`${model}${suffix}-eval_cmem`] = peakKiB / 1024 / 1024;
    }
    const [eager, fast, peer] = [median('eager'), median('compile'), median('onnxruntime')];
    const ready = columns[0]?.worker.ready;
    const text = (value: number | undefined, digits = 3) => (value === undefined ? '' : value.toPrecision(digits));
    const ms = of('compile')?.ms ?? [];
    table.push([
      model,
      text(ready?.warmEagerMs === undefined ? undefined : ready.firstMs - ready.warmEagerMs),
      text(eager, 4),
      text(fast, 4),
      ms.length === 0 ? '' : `${text(quantile(ms, 0.25))}–${text(quantile(ms, 0.75))}`,
      text(eager && fast && eager / fast),
      text(peer, 4),
      text(fast && peer && fast / peer),
    ]);
  }
  console.log(table.toString());
  const folder = join(root, '.userbenchmark/cpu');
  mkdirSync(folder, {recursive: true});
  const git = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {encoding: 'utf8'}).trim();
  const file = join(folder, `metric-${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}.json`);
  writeFileSync(file, JSON.stringify({name: 'cpu', environ: {...systemInfo(), git, threads: options.threads}, metrics}, null, 2));
  console.log(file);
}

if (require.main === module) void main();
