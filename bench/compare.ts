/**
 * npm run bench:compare -- A.json B.json: what changed between two runs of the benchmark.
 * A ratio B ÷ A is marked where the quartiles of A and B do not overlap; memory where it changed by more than 2 %.
 */
import {readFileSync} from 'node:fs';
import {Command} from 'commander';
import {digits, textTable} from './results';
import {geometricMean} from './statistics';

interface Run {
  readonly environ: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Change {
  readonly metric: string;
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
  readonly verdict: 'faster' | 'slower' | 'less' | 'more' | '';
}

const compared = /-(eval_latency|eval_cmem|cold_start)$/;

function verdictOf(metric: string, before: Run, after: Run): Change['verdict'] {
  const [a, b] = [before.metrics, after.metrics];
  if (metric.endsWith('_cmem')) {
    const ratio = (b[metric] as number) / (a[metric] as number);
    return ratio < 0.98 ? 'less' : ratio > 1.02 ? 'more' : '';
  }
  const [low, high] = [`${metric}_q25`, `${metric}_q75`];
  if ((b[high] ?? Number.NaN) < (a[low] ?? Number.NaN)) return 'faster';
  return (b[low] ?? Number.NaN) > (a[high] ?? Number.NaN) ? 'slower' : '';
}

/** Every metric that both runs have, the largest ratio first. */
export function changesOf(before: Run, after: Run): Change[] {
  return Object.keys(before.metrics)
    .filter((metric) => compared.test(metric) && metric in after.metrics)
    .map((metric) => {
      const [a, b] = [before.metrics[metric] as number, after.metrics[metric] as number];
      return {metric, before: a, after: b, ratio: b / a, verdict: verdictOf(metric, before, after)};
    })
    .sort((x, y) => y.ratio - x.ratio);
}

function main(): void {
  const {args} = new Command('compare').argument('<A.json>').argument('<B.json>').parse();
  const [before, after] = args.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Run) as [Run, Run];
  for (const fact of ['git', 'processor', 'isa', 'threads', 'fpmath', 'node']) {
    const [a, b] = [before, after].map(({environ}) => JSON.stringify(environ[fact]));
    if (a !== b) console.log(`${fact}: ${a} → ${b}`);
  }
  const changes = changesOf(before, after);
  const rows = changes.map((change) => [
    change.metric,
    digits(change.before, 4),
    digits(change.after, 4),
    change.ratio.toFixed(3),
    change.verdict,
  ]);
  console.log(textTable([['metric', 'A', 'B', 'B ÷ A', ''], ...rows]));
  for (const [kind, pattern] of Object.entries({latency: /latency$/, 'cold start': /cold_start$/, memory: /cmem$/})) {
    const ratios = changes.filter(({metric}) => pattern.test(metric)).map(({ratio}) => ratio);
    if (ratios.length > 0) console.log(`${kind}: geometric mean of ${ratios.length} ratios ${geometricMean(ratios).toFixed(3)}`);
  }
}

if (require.main === module) main();
