/** What the machine can do at most, measured, and what that makes of a model's work. */
import {native} from '../src/native';
import type {Work} from './work';

export interface MachineLimits {
  /** fp32, a multiply-add counts as two. */
  readonly gflops: number;
  /** Reading as many bytes again and again, rising. */
  readonly bandwidth: readonly {readonly bytes: number; readonly gbPerS: number}[];
}

const rounded = (value: number) => Math.round(value * 10) / 10;

/** At the level in use. Takes about a second. */
export function machineLimits(threads: number): MachineLimits {
  const sizes = [1, 4, 16, 64, 256].map((mebibytes) => mebibytes * 2 ** 20);
  return {
    gflops: rounded(native().multiplyAddRate(threads) / 1e9),
    bandwidth: sizes.map((bytes) => ({bytes, gbPerS: rounded(native().readRate(threads, bytes) / 1e9)})),
  };
}

export interface ModelLimit {
  readonly ms: number;
  readonly by: 'multiply-adds' | 'memory';
}

/** Weights that fit a cache can be read as fast as the cache gives them: the rate of the next larger size that was measured. */
export function limitOf({flops, weightBytes}: Work, {gflops, bandwidth}: MachineLimits): ModelLimit {
  const rate = (bandwidth.find(({bytes}) => bytes >= weightBytes) ?? bandwidth.at(-1))?.gbPerS as number;
  const computeMs = flops / gflops / 1e6;
  const memoryMs = weightBytes / rate / 1e6;
  return computeMs >= memoryMs ? {ms: computeMs, by: 'multiply-adds'} : {ms: memoryMs, by: 'memory'};
}
