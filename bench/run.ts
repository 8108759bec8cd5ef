/**
 * npm run bench -- --suite hf|torchbench|all|MODEL,… [--mode eager,compile] [--metrics latencies,cpu_peak_mem] [--peers onnxruntime,wasm,cpu]
 *                  [--fpmath bf16] [--threads N] …
 *
 * Each model in each runtime in a fresh process; runtimes take turns (A B A B …) after warm-up; medians and quartiles. Writes
 * .userbenchmark/cpu/metric-<timestamp>.json in TorchBench's form an HTML report and what bench:report
 * reads beside it, and prints a table. docs/benchmarks.md.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {basename, join, resolve} from 'node:path';
import {Presets, SingleBar} from 'cli-progress';
import {Command, InvalidArgumentError, Option} from 'commander';
import {type SystemInfo, systemInfo} from '../src';
import {type MachineLimits, machineLimits} from './limits';
import {joined, printReport, reportHtml, type Saved} from './report';
import {type Entry, measuredOf, metricsOf, type Result} from './results';
import {RuntimeProcess} from './runtime-process';
import {isFolder, modelNames, onDisk, removeFromDisk, root, suites} from './topology';
import {type Column, takeTurns} from './turns';
import type {Job} from './worker';

interface Options {
  readonly suite: string;
  readonly mode: readonly string[];
  readonly metrics: readonly string[];
  readonly peers: readonly string[];
  readonly fpmath?: string;
  readonly threads: number;
  readonly set?: string;
  readonly sequence?: number;
  readonly runs: number;
  readonly seconds: number;
  readonly turn: number;
  readonly onnx: string;
  readonly python: string;
  readonly keep: boolean;
}

const peerNames = ['onnxruntime', 'onnxruntime-plain', 'wasm', 'cpu', 'torch', 'torch-compile'];

const listOf = (known: readonly string[]) => (text: string) => {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`${unknown.join(', ')}: known are ${known.join(', ')}`);
  return names;
};

const positive = (text: string) => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0');
  return value;
};

export function commandLine(info: SystemInfo): Command {
  return new Command('bench')
    .requiredOption('--suite <list>', 'hf, torchbench, all, names in bench/models, or folders with a model.json')
    .option('--mode <list>', 'eager, compile', listOf(['eager', 'compile']), ['eager', 'compile'])
    .option('--metrics <list>', 'latencies, cpu_peak_mem', listOf(['latencies', 'cpu_peak_mem']), ['latencies', 'cpu_peak_mem'])
    .option('--peers <list>', peerNames.join(', '), listOf(peerNames), [])
    .addOption(new Option('--fpmath <mode>', 'precision of compiled products').choices(['fp32', 'bf16']))
    .option('--threads <n>', 'threads of every runtime', positive, info.cpus)
    .option('--set <id>', "another of the model's input sets than suites.json names")
    .option('--sequence <n>', 'tokens of text inputs', positive)
    .option('--runs <n>', 'runs of each runtime at least', positive, 30)
    .option('--seconds <n>', 'at most this long for each model', positive, 20)
    .option('--turn <ms>', 'length of one turn', positive, 150)
    .option('--onnx <folder>', 'where bench/peers/convert_onnx.py wrote its files', 'build/onnx')
    .option('--python <program>', 'Python with PyTorch, for the peers torch and torch-compile', 'python3')
    .option('--keep', 'leave the synthesised models in build/bench-models', false);
}

/** The names of a suite whose topologies are there. Others are said to be missing, and never replaced. */
function selected(suite: string): Entry[] {
  const {hf, hfDetail, torchbench} = suites();
  const lists: Record<string, Entry[]> = {
    hf: hf.map((name) => ({suite: 'hf', name, folders: hfDetail[name]?.folders ?? [name]})),
    torchbench: Object.entries(torchbench).map(([name, folder]) => ({suite: 'torchbench', name, folders: [folder]})),
  };
  const every = Object.values(lists).flat();
  const entries = suite === 'all' ? every : (lists[suite] ?? suite.split(',').flatMap((name) => named(name, every)));
  const known = new Set(modelNames());
  const isThere = (entry: Entry) => entry.folders.every((folder) => known.has(folder) || isFolder(folder));
  const missing = entries.filter((entry) => !isThere(entry)).map(({name}) => name);
  if (missing.length > 0) console.log(`not there, and counted as missing: ${missing.join(', ')}`);
  return entries.filter(isThere);
}

/** A suite's name for a model, or a folder. */
function named(name: string, every: readonly Entry[]): Entry[] {
  const known = every.filter((entry) => entry.name === name).slice(0, 1);
  return known.length > 0 && !modelNames().includes(name) ? known : [{suite: 'chosen', name, folders: [name]}];
}

function openPeer(peer: string, job: Job, {onnx, python}: Options): Promise<RuntimeProcess> {
  if (peer.startsWith('torch')) {
    const mode = peer === 'torch' ? 'eager' : 'compile';
    return RuntimeProcess.open(python, [
      join(root, 'bench/peers/torch_worker.py'),
      job.model,
      mode,
      String(job.threads),
      ...(job.fpmath === 'bf16' ? ['bf16'] : []),
    ]);
  }
  if (!peer.startsWith('onnxruntime')) return RuntimeProcess.ofJob({...job, runtime: peer as Job['runtime']});
  const file = resolve(root, onnx, `${job.model.replaceAll('/', '-')}.onnx`);
  if (!existsSync(file)) return Promise.reject(new Error(`no ${file}`));
  return RuntimeProcess.ofJob({...job, runtime: peer as Job['runtime'], onnx: file});
}

/** All runtimes that can run the model. Python's peers know one set of inputs, the benchmark's own. */
async function openAll(job: Job, options: Options, failures: Record<string, string>): Promise<Column[]> {
  const columns: Column[] = [];
  for (const name of [...options.mode, ...options.peers]) {
    try {
      const own = options.mode.includes(name);
      const process = await (own ? RuntimeProcess.ofJob({...job, runtime: name as Job['runtime']}) : openPeer(name, job, options));
      columns.push({name, process, ms: [], peakKiB: 0});
    } catch (error) {
      failures[name] = error instanceof Error ? error.message : String(error);
    }
  }
  return columns;
}

async function benchModel(folder: string, options: Options): Promise<Result> {
  const {threads, set, sequence, fpmath} = options;
  const job: Job = {
    runtime: 'work',
    model: folder,
    threads,
    ...(set === undefined ? {} : {set}),
    ...(sequence === undefined ? {} : {sequence}),
    ...(fpmath === undefined ? {} : {fpmath}),
  };
  const failures: Record<string, string> = {};
  onDisk(folder);
  const counting = await RuntimeProcess.ofJob(job);
  const {work} = counting.ready;
  counting.close();
  const columns = await openAll(job, options, failures);
  try {
    await takeTurns(columns, {runs: options.runs, seconds: options.seconds, turnMs: options.turn});
  } finally {
    for (const column of columns) column.process.close();
    if (!options.keep) removeFromDisk(folder);
  }
  const eagerReason = columns.find(({name}) => name === 'compile')?.process.ready.eagerReason;
  return {
    folder,
    byRuntime: Object.fromEntries(columns.map((column) => [column.name, measuredOf(column)])),
    failures,
    ...(work === undefined ? {} : {work}),
    ...(eagerReason === undefined ? {} : {eagerReason}),
  };
}

async function benchAll(folders: readonly string[], options: Options): Promise<Result[]> {
  const bar = new SingleBar({format: '{bar} {value}/{total} {model} | {eta_formatted} left'}, Presets.shades_classic);
  bar.start(folders.length, 0, {model: ''});
  const results: Result[] = [];
  for (const folder of folders) {
    bar.update({model: folder});
    try {
      results.push(await benchModel(folder, options));
    } catch (error) {
      results.push({folder, byRuntime: {}, failures: {all: error instanceof Error ? error.message : String(error)}});
    }
    bar.increment();
  }
  bar.stop();
  return results;
}

function environment(info: SystemInfo, options: Options, limits: MachineLimits): Record<string, unknown> {
  const git = (args: readonly string[]) => {
    try {
      return execFileSync('git', args, {cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
    } catch {
      return 'unknown';
    }
  };
  const {settings: _, ...rest} = info;
  return {
    ...rest,
    processor: cpus()[0]?.model ?? 'unknown',
    threads: options.threads,
    fpmath: options.fpmath ?? 'fp32',
    git: git(['rev-parse', '--short', 'HEAD']) + (git(['status', '--porcelain']) === '' ? '' : ' with changes'),
    date: new Date().toISOString(),
    limits,
  };
}

async function main(): Promise<void> {
  const info = systemInfo();
  const options = commandLine(info).parse().opts<Options>();
  const entries = selected(options.suite);
  const limits = machineLimits(options.threads);
  const results = await benchAll([...new Set(entries.flatMap(({folders}) => folders))], options);
  const report = joined([{environ: environment(info, options, limits), entries, peers: options.peers, results}]);
  printReport(report);
  const folder = join(root, '.userbenchmark/cpu');
  mkdirSync(folder, {recursive: true});
  const file = join(folder, `metric-${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}`);
  const metrics = metricsOf(entries, new Map(results.map((result) => [result.folder, result])), options.metrics);
  writeFileSync(`${file}.json`, `${JSON.stringify({name: 'cpu', environ: report.environ, metrics}, null, 2)}\n`);
  writeFileSync(`${file}.html`, reportHtml(report));
  writeFileSync(join(folder, `${basename(file).replace('metric', 'results')}.json`), JSON.stringify(report satisfies Saved));
  console.log(`${file}.json\n${file}.html`);
}

if (require.main === module) void main();
