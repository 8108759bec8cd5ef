/** `tfjs-backend-graviton info`: the machine, the settings in effect, and what the machine reaches at most. */
import {existsSync, readFileSync} from 'node:fs';
import {cpus, release, totalmem} from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {describePlatform} from '../binary';
import {type Setting, settings} from '../config';
import {native} from '../native';
import {type SystemInfo, systemInfo} from '../system-info';

/** At a number of threads: fp32 GFLOP/s of multiply-adds, and GB/s read from blocks that fit L1, fit L2, and lie in memory. */
export interface Speed {
  readonly threads: number;
  readonly gflops: number;
  readonly l1GBs: number;
  readonly l2GBs: number;
  readonly memoryGBs: number;
}

export interface InfoReport {
  readonly system: SystemInfo;
  readonly machine: {
    readonly platform: string;
    readonly kernel: string;
    readonly processor: string;
    /** What the firmware calls the machine; on EC2 the instance type. */
    readonly product: string;
    readonly memoryGiB: number;
    /** Of the kernel: always, madvise or never. With `never` the setting hugePages has no effect. */
    readonly transparentHugePages: string;
  };
  readonly speeds: readonly Speed[];
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');

/** Arm's kernel names no model, only numbers: Main ID Register, implementer 0x41. */
const armParts: Readonly<Record<string, string>> = {
  '0xd0c': 'Arm Neoverse N1',
  '0xd40': 'Arm Neoverse V1',
  '0xd49': 'Arm Neoverse N2',
  '0xd4f': 'Arm Neoverse V2',
};

function processorName(): string {
  const part = /^CPU part\s*:\s*(\S+)/m.exec(textOf('/proc/cpuinfo'))?.[1];
  const model = cpus()[0]?.model ?? '';
  return part === undefined ? model : (armParts[part] ?? `Arm part ${part}`);
}

/** 1, and the threads in effect. */
function threadCounts(): number[] {
  return [...new Set([1, systemInfo().threads])];
}

/** Of each thread: half of L1 and L2; and what no last-level cache holds (512 MiB do where a virtual machine is told of more than its part). */
function speedAt(threads: number): Speed {
  const {l1dBytes, l2Bytes, l3Bytes} = native().info;
  const rate = (bytes: number) => Math.round(native().readRate(threads, bytes) / 1e8) / 10;
  return {
    threads,
    gflops: Math.round(native().multiplyAddRate(threads) / 1e8) / 10,
    l1GBs: rate((threads * l1dBytes) / 2),
    l2GBs: rate((threads * l2Bytes) / 2),
    memoryGBs: rate(Math.min(2 ** 29, Math.max(2 ** 27, 4 * l3Bytes))),
  };
}

/** Measures for about a second for each thread count. */
export async function info(): Promise<InfoReport> {
  await tf.setBackend('graviton');
  return {
    system: systemInfo(),
    machine: {
      platform: describePlatform(),
      kernel: release(),
      processor: processorName(),
      product: textOf('/sys/devices/virtual/dmi/id/product_name'),
      memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
      transparentHugePages: /\[(\w+)\]/.exec(textOf('/sys/kernel/mm/transparent_hugepage/enabled'))?.[1] ?? 'none',
    },
    speeds: threadCounts().map(speedAt),
  };
}

const bytesText = (bytes: number): string => (bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${bytes / 2 ** 20} MiB`);

function settingsTable({settings: inEffect}: SystemInfo): string {
  const table = new Table({head: ['setting', 'value', 'from', 'flag', 'environment variables'], style: {head: [], border: []}});
  for (const [name, spec] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const {value = '', from = ''} = inEffect[name] ?? {};
    table.push([name, value, from, spec.flag, spec.variables.join(', ')]);
  }
  return table.toString();
}

export function infoText({system, machine, speeds}: InfoReport): string {
  const {l1d, l2, l3} = system.cacheBytes;
  const lines = [
    ['package', `tfjs-backend-graviton ${system.version}, TensorFlow.js ${system.tfjs}`],
    ['platform', `${machine.platform}, kernel ${machine.kernel}`],
    ['machine', [machine.product, machine.processor].filter((s) => s !== '').join(', ')],
    ['processors', `${system.cpus} that this process may use; ${system.threads} threads in effect`],
    ['level', `${system.isa.used} in use, ${system.isa.best} possible, of ${system.isa.known.join(', ')}`],
    ['caches', `L1D ${bytesText(l1d)}, L2 ${bytesText(l2)}, L3 ${bytesText(l3)}`],
    ['memory', `${machine.memoryGiB} GiB; transparent huge pages of the kernel: ${machine.transparentHugePages}`],
  ];
  const speedTable = new Table({
    head: ['threads', 'fp32 GFLOP/s', 'from L1, GB/s', 'from L2, GB/s', 'from memory, GB/s'],
    colAligns: ['right', 'right', 'right', 'right', 'right'],
    style: {head: [], border: []},
  });
  for (const s of speeds) speedTable.push([s.threads, s.gflops, s.l1GBs, s.l2GBs, s.memoryGBs]);
  return [
    ...lines.map(([name = '', text = '']) => `${name.padEnd(12)}${text}`),
    settingsTable(system),
    'What this machine reaches at the level in use:',
    speedTable.toString(),
  ].join('\n');
}
