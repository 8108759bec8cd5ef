import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {version_core} from '@tensorflow/tfjs-core';
import {packageRoot} from './binary';
import {resolve, type Setting, settings} from './config';
import {native} from './native';

export interface SystemInfo {
  readonly version: string;
  readonly tfjs: string;
  readonly node: string;
  readonly platform: string;
  /** The level in use, the best one of this processor, and all that the binary knows, in rising order. */
  readonly isa: {readonly used: string; readonly best: string; readonly known: readonly string[]};
  /** Processors that this process may use, and threads that a step may use. */
  readonly cpus: number;
  readonly threads: number;
  readonly cacheBytes: {readonly l1d: number; readonly l2: number; readonly l3: number};
  /** Every setting of docs/flags.md: its value ('auto' where this package chooses) and where it comes from. */
  readonly settings: Readonly<Record<string, {readonly value: string; readonly from: string}>>;
}

/** What this process runs on and how it is set up, for bug reports: print it with console.log(JSON.stringify(systemInfo(), null, 2)). */
export function systemInfo(): SystemInfo {
  const {info} = native();
  const {version} = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {version: string};
  const best = info.isaNames[info.isa] ?? 'unknown';
  const rows = Object.entries(settings).map(([name, spec]) => {
    const {value, from} = resolve(spec as Setting<unknown>);
    return [name, {value: String(value ?? 'auto'), from}] as const;
  });
  return {
    version,
    tfjs: version_core,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    isa: {used: resolve(settings.isa).value ?? best, best, known: info.isaNames},
    cpus: info.cpus,
    threads: resolve(settings.threads).value ?? info.cpus,
    cacheBytes: {l1d: info.l1dBytes, l2: info.l2Bytes, l3: info.l3Bytes},
    settings: Object.fromEntries(rows),
  };
}
