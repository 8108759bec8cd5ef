/**
 * npm run bench:steps -- MODEL [--threads 1,2] [--levels avx512,…] [--seconds N] [--sequence N]
 *
 * Each step of a compiled model at several thread counts or instruction set levels, in turns: where a second processor or a newer instruction
 * does not pay shows at once, which whole models hide. Medians in microseconds; the steps that the first setting spends most on come first.
 */
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {Command} from 'commander';
import {type CompiledModel, compile, loadGraphModel} from '../src';
import {native} from '../src/native';
import {feedOf, inMemory, inputsOf} from './topology';

interface Setting {
  readonly name: string;
  readonly isa: number;
  readonly threads: number;
}

interface Options {
  readonly threads: string;
  readonly levels?: string;
  readonly seconds: string;
  readonly sequence?: string;
}

function settingsOf({threads, levels}: Options): Setting[] {
  const {isa: best, isaNames} = native().info;
  return (levels ?? (isaNames[best] as string)).split(',').flatMap((level) => {
    const isa = isaNames.indexOf(level);
    if (isa < 0 || isa > best) throw new Error(`no level ${level}; there are ${isaNames.slice(0, best + 1).join(', ')}`);
    return threads.split(',').map((n) => ({name: `${level}, ${n}`, isa, threads: Number(n)}));
  });
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Microseconds of each step of a plan, one list a call. */
class Measured {
  private readonly times: number[][] = [];

  constructor(
    readonly setting: Setting,
    private readonly fast: CompiledModel,
    private readonly call: () => void,
  ) {}

  run(): void {
    native().configure({...this.setting, logging: true});
    this.call();
    native().takeEvents();
    this.call();
    native()
      .takeEvents()
      .events.forEach(({beginNs, endNs}, step) => {
        this.times[step] ??= [];
        this.times[step].push((endNs - beginNs) / 1e3);
      });
    native().configure({logging: false});
  }

  steps(): {readonly label: string; readonly size: string; readonly us: number}[] {
    const explained = this.fast.explain().plans[0]?.steps ?? [];
    return explained.map(({label, size}, i) => ({label, size, us: median(this.times[i] ?? [])}));
  }
}

async function main(): Promise<void> {
  const command = new Command('bench:steps')
    .argument('<model>', 'a name in bench/models')
    .option('--threads <n,…>', 'thread counts', `1,${native().info.cpus}`)
    .option('--levels <name,…>', 'instruction set levels; default: the best')
    .option('--seconds <n>', 'how long to measure', '10')
    .option('--sequence <n>', 'tokens of text inputs')
    .parse();
  const options = command.opts<Options>();
  const name = command.args[0] as string;
  await tf.setBackend('graviton');
  const feed = feedOf(inputsOf(name, options.sequence === undefined ? {} : {sequence: Number(options.sequence)}));
  const all: Measured[] = [];
  for (const setting of settingsOf(options)) {
    native().configure(setting);
    const model = await loadGraphModel(inMemory(name));
    const fast = compile(model);
    const call = () => tf.dispose(fast.execute(feed, model.outputNodes));
    call();
    all.push(new Measured(setting, fast, call));
  }
  const end = performance.now() + Number(options.seconds) * 1000;
  while (performance.now() < end) for (const measured of all) measured.run();

  const [first, ...others] = all.map((measured) => measured.steps());
  const table = new Table({
    head: ['step', 'size', ...all.map(({setting}) => setting.name), 'times as fast'],
    style: {head: [], border: [], compact: true},
  });
  const rows = (first ?? []).map(({label, size, us}, i) => ({
    label,
    size,
    all: [us, ...others.map((steps) => steps[i]?.us ?? Number.NaN)],
  }));
  for (const {label, size, all: times} of rows.sort((a, b) => (b.all[0] as number) - (a.all[0] as number))) {
    table.push([label, size, ...times.map((us) => us.toFixed(1)), ((times[0] as number) / (times.at(-1) as number)).toFixed(2)]);
  }
  const sums = all.map((_, setting) => rows.reduce((sum, row) => sum + (row.all[setting] as number), 0));
  table.push(['all', '', ...sums.map((us) => us.toFixed(0)), ((sums[0] as number) / (sums.at(-1) as number)).toFixed(2)]);
  console.log(table.toString());
}

void main();
