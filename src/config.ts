/** Every setting in one table. An option given to a call beats a tf.env() flag, a flag beats an environment variable. */
import {env} from '@tensorflow/tfjs-core';
import {errors} from './errors';
import {native} from './native';

export interface Setting<T> {
  /** Name for tf.env().set(). */
  readonly flag: string;
  /** Environment variables, the first that is set counts. */
  readonly variables: readonly string[];
  /** Throws ERR_OPTION, naming `source`. */
  readonly parse: (text: string, source: string) => T;
  readonly preset: T;
  readonly about: string;
}

export interface Resolved<T> {
  readonly value: T;
  /** 'option', 'flag', the name of an environment variable, or 'default'. */
  readonly from: string;
}

const isSwitch = (text: string, source: string): boolean => {
  if (['1', 'true', 'on'].includes(text.toLowerCase())) return true;
  if (['0', 'false', 'off', ''].includes(text.toLowerCase())) return false;
  throw errors.option(source, text, '1 or 0');
};

const isCount =
  (least: number, most: number) =>
  (text: string, source: string): number => {
    // OMP_NUM_THREADS may list one number per nesting level: the outermost counts.
    const value = Number(text.split(',')[0]);
    if (!Number.isInteger(value) || value < least || value > most)
      throw errors.option(source, text, `a whole number from ${least} to ${most}`);
    return value;
  };

function isIsa(text: string, source: string): string {
  const {isaNames, isa} = native().info;
  const names = isaNames.slice(0, isa + 1);
  const level = names.find((name) => name.toLowerCase() === text.toLowerCase());
  if (level === undefined) throw errors.option(source, text, `one of ${names.join(', ')} on this processor`);
  return level;
}

type FpMath = 'fp32' | 'bf16';
const fpMathNames: Readonly<Record<string, FpMath>> = {fp32: 'fp32', strict: 'fp32', bf16: 'bf16'};
function isFpMath(text: string, source: string): FpMath {
  const mode = fpMathNames[text.toLowerCase()];
  if (mode === undefined) throw errors.option(source, text, 'FP32 (or STRICT) or BF16');
  return mode;
}

function isFallback(text: string, source: string): 'allow' | 'error' {
  if (text === 'allow' || text === 'error') return text;
  throw errors.option(source, text, 'allow or error');
}

const setting = <T>(spec: Setting<T>): Setting<T> => spec;

export const settings = {
  isa: setting<string | undefined>({
    flag: 'GRAVITON_ISA',
    variables: ['GRAVITON_ISA'],
    parse: isIsa,
    preset: undefined,
    about: 'Highest instruction set level to use; default: the best that the processor has',
  }),
  threads: setting<number | undefined>({
    flag: 'GRAVITON_THREADS',
    variables: ['GRAVITON_THREADS', 'OMP_NUM_THREADS'],
    parse: isCount(1, 1024),
    preset: undefined,
    about: 'Threads that one step may use; default: the processors that this process may run on',
  }),
  fallback: setting<'allow' | 'error'>({
    flag: 'GRAVITON_FALLBACK',
    variables: ['GRAVITON_FALLBACK'],
    parse: isFallback,
    preset: 'allow',
    about: "'error': kernels without native steps throw ERR_FALLBACK instead of running on tfjs-backend-cpu",
  }),
  fpmath: setting<FpMath>({
    flag: 'GRAVITON_FPMATH',
    variables: ['DNNL_DEFAULT_FPMATH_MODE'],
    parse: isFpMath,
    preset: 'fp32',
    about: 'BF16: compiled products and convolutions may round their operands to bfloat16 where the processor multiplies it faster',
  }),
  hugePages: setting<boolean>({
    flag: 'GRAVITON_HUGE_PAGES',
    variables: ['THP_MEM_ALLOC_ENABLE'],
    parse: isSwitch,
    preset: true,
    about: 'Ask for huge pages for buffers of 2 MiB and more',
  }),
  planCacheCapacity: setting<number>({
    flag: 'GRAVITON_PLAN_CACHE_CAPACITY',
    variables: ['LRU_CACHE_CAPACITY'],
    parse: isCount(1, 1_000_000),
    preset: 1024,
    about: 'Plans that a compiled function keeps, least recently used go first',
  }),
  planCacheMiB: setting<number>({
    flag: 'GRAVITON_PLAN_CACHE_MIB',
    variables: ['GRAVITON_PLAN_CACHE_MIB'],
    parse: isCount(0, 1_000_000),
    preset: 256,
    about: 'Constants of plans that the latest plan does not share, in MiB: beyond, the plans least recently used go',
  }),
  verify: setting<boolean>({
    flag: 'GRAVITON_VERIFY',
    variables: ['GRAVITON_VERIFY'],
    parse: isSwitch,
    preset: false,
    about: 'Run eager beside every compiled call and compare step by step: ERR_VERIFY names the first step that differs. Slow',
  }),
} as const;
export type SettingName = keyof typeof settings;

/** The value that counts and where it comes from. */
export function resolve<T>(setting: Setting<T>, option?: T): Resolved<T> {
  if (option !== undefined) return {value: option, from: 'option'};
  const flag = env().get(setting.flag);
  if (flag !== null && flag !== undefined) return {value: setting.parse(String(flag), `flag ${setting.flag}`), from: 'flag'};
  for (const name of setting.variables) {
    const text = process.env[name];
    if (text !== undefined && text !== '') return {value: setting.parse(text, `environment variable ${name}`), from: name};
  }
  return {value: setting.preset, from: 'default'};
}

export function settingOf<T>(setting: Setting<T>, option?: T): T {
  return resolve(setting, option).value;
}

/** Hands the settings that the native side keeps to it. */
export function applySettings(): void {
  const {isaNames, isa, cpus} = native().info;
  const level = settingOf(settings.isa);
  native().configure({isa: level === undefined ? isa : isaNames.indexOf(level), threads: settingOf(settings.threads) ?? cpus});
  native().setHugePages(settingOf(settings.hugePages));
}

/** Makes the flags known to tf.env(). A flag that nobody has set reads as null. */
export function registerFlags(): void {
  const applied: readonly Setting<unknown>[] = [settings.isa, settings.threads, settings.hugePages];
  for (const spec of Object.values(settings) as readonly Setting<unknown>[]) {
    env().registerFlag(
      spec.flag,
      () => null as unknown as string,
      (value) => {
        if (value === null || value === undefined) return;
        spec.parse(String(value), `flag ${spec.flag}`);
        if (applied.includes(spec)) applySettings();
      },
    );
  }
}
