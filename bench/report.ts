/**
 * The benchmark's report: one HTML file that needs no network. Charts are drawn as SVG by echarts.
 *
 * npm run bench:report -- RESULTS.json… [--out FILE.html]: one report and one table of several runs on one machine; the last run of a model counts.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {Command} from 'commander';
import {init} from 'echarts';
import {limitOf, type MachineLimits} from './limits';
import {digits, type Entry, type Result, rowsOf, type Summary, summaries, summaryRows, textTable} from './results';

export interface Report {
  readonly environ: Readonly<Record<string, unknown>>;
  readonly results: readonly Result[];
  readonly peers: readonly string[];
  readonly summaries: readonly Summary[];
}

interface Chart {
  readonly title: string;
  readonly note: string;
  /** Where a line is drawn over all bars, and which side of it is good. */
  readonly mark: number;
  readonly good: 'above' | 'below' | 'neither';
  readonly unit: string;
  readonly names: readonly string[];
  readonly values: readonly (number | undefined)[];
}

const width = 1000;
const rowPx = 16;

const colors = {good: '#2e7d4f', bad: '#c8553d', plain: '#4a6fa5'};

/** Horizontal bars, the first name on top. */
function svgOf({title, mark, good, unit, names, values}: Chart): string {
  const chart = init(null, null, {renderer: 'svg', ssr: true, width, height: names.length * rowPx + 70});
  const colorOf = (value: number) => (good === 'neither' ? colors.plain : value > mark === (good === 'above') ? colors.good : colors.bad);
  chart.setOption({
    animation: false,
    aria: {enabled: true, label: {description: title}},
    grid: {left: 250, right: 60, top: 25, bottom: 30},
    xAxis: {type: 'value', axisLabel: {formatter: `{value}${unit}`}, max: ({max}: {max: number}) => Math.max(max, 1.1 * mark)},
    yAxis: {type: 'category', data: [...names], inverse: true, axisLabel: {fontSize: 11}},
    series: [
      {
        type: 'bar' as const,
        data: values.map((value) => (value === undefined ? null : {value, itemStyle: {color: colorOf(value)}})),
        label: {show: true, position: 'right' as const, fontSize: 10, formatter: ({value}: {value?: unknown}) => shown(value, unit)},
        markLine: {
          silent: true,
          symbol: 'none',
          animation: false,
          data: [{xAxis: mark}],
          label: {formatter: `${mark.toFixed(unit === '%' ? 0 : 1)}${unit}`, position: 'start' as const},
          lineStyle: {color: '#222', type: 'solid' as const, width: 1.5},
        },
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const shown = (value: unknown, unit: string) => (typeof value === 'number' ? (unit === '%' ? `${value.toFixed(0)} %` : digits(value)) : '');

function charts({results, peers}: Report): Chart[] {
  const chart = (about: Omit<Chart, 'names' | 'values'>, valueOf: (result: Result) => number | undefined): Chart[] => {
    const rows = results.filter((result) => valueOf(result) !== undefined);
    const names = rows.map(({folder}) => folder.split('/').slice(0, 2).join('/'));
    return rows.length === 0 ? [] : [{...about, names, values: rows.map(valueOf)}];
  };
  const ratio = ({byRuntime}: Result, above: string, below: string) => {
    const [a, b] = [byRuntime[above]?.ms, byRuntime[below]?.ms];
    return a === undefined || b === undefined ? undefined : a / b;
  };
  return [
    ...chart(
      {
        title: 'Speed-up of compile over eager',
        note: 'Latency eager ÷ compiled. Right of the line: compiled is faster.',
        mark: 1,
        good: 'above',
        unit: '',
      },
      (result) => ratio(result, 'eager', 'compile'),
    ),
    ...peers.flatMap((peer) =>
      chart(
        {
          title: `Compiled beside ${peer}`,
          note: `Latency ÷ ${peer}'s. Left of the line: faster than ${peer}.`,
          mark: 1,
          good: 'below',
          unit: '',
        },
        (result) => ratio(result, 'compile', peer),
      ),
    ),
    ...chart(
      {
        title: "Share of the machine's limit",
        note: 'Limit ÷ compiled latency. The limit is the larger of multiply-adds ÷ measured peak and weight bytes ÷ measured bandwidth. Algorithms that need fewer multiply-adds than a direct convolution can pass 100 %.',
        mark: 100,
        good: 'neither',
        unit: '%',
      },
      ({limit, byRuntime}) => (limit && byRuntime.compile ? (100 * limit.ms) / byRuntime.compile.ms : undefined),
    ),
  ];
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function htmlTable([head = [], ...rows]: readonly string[][]): string {
  const line = (tag: string, cells: readonly string[]) => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('\n')}</tbody></table>`;
}

const style = `
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1040px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: 2px 8px; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; height: auto; }
p { color: #555; }`;

/** One row a fact; the machine's limits as text. */
function environmentRows(environ: Readonly<Record<string, unknown>>): string[][] {
  const {limits, ...rest} = environ;
  const facts = Object.entries(rest).map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
  const {gflops, bandwidth} = limits as MachineLimits;
  const rates = bandwidth.map(({bytes, gbPerS}) => `${bytes / 2 ** 20} MiB: ${gbPerS}`).join(', ');
  return [...facts, ['fp32 multiply-add peak, GFLOP/s', String(gflops)], ['reading memory, GB/s', rates]];
}

export function reportHtml(report: Report): string {
  const {environ, results, peers, summaries: all} = report;
  const drawings = charts(report).map((chart) => `<h2>${escaped(chart.title)}</h2>\n<p>${escaped(chart.note)}</p>\n${svgOf(chart)}`);
  const failures = results.flatMap(({folder, failures: reasons}) =>
    Object.entries(reasons).map(([runtime, reason]) => [folder, runtime, reason]),
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Benchmark ${escaped(String(environ.git))}</title><style>${style}</style></head>
<body>
<h1>Benchmark of tfjs-backend-graviton</h1>
<p>Medians of latencies in milliseconds. Each runtime ran in a process of its own; runtimes took turns. “cold” is the time from files on disk to
the first result, “GB” the process' peak memory, both of compiled mode.</p>
${all.length > 0 ? `<h2>Suites</h2>\n${htmlTable(summaryRows(all))}` : ''}
${drawings.join('\n')}
<h2>All figures</h2>
<div class="wide">${htmlTable(rowsOf(results, peers))}</div>
${failures.length > 0 ? `<h2>What could not run</h2>\n${htmlTable([['model', 'runtime', 'reason'], ...failures])}` : ''}
<h2>Machine</h2>
${htmlTable([['', ''], ...environmentRows(environ)])}
</body>
</html>
`;
}

/** What `npm run bench` leaves beside its metrics. */
export interface Saved {
  readonly environ: Readonly<Record<string, unknown>>;
  readonly entries: readonly Entry[];
  readonly peers: readonly string[];
  readonly results: readonly Result[];
}

/** Runs on one machine: what it reaches at most is the best that any of them measured. */
function bestLimits(runs: readonly Saved[]): MachineLimits | undefined {
  const measured = runs.flatMap(({environ}) => (environ.limits === undefined ? [] : [environ.limits as MachineLimits]));
  const bytes = measured[0]?.bandwidth.map((point) => point.bytes) ?? [];
  if (measured.length === 0) return undefined;
  return {
    gflops: Math.max(...measured.map(({gflops}) => gflops)),
    bandwidth: bytes.map((size, i) => ({bytes: size, gbPerS: Math.max(...measured.map(({bandwidth}) => bandwidth[i]?.gbPerS ?? 0))})),
  };
}

export function joined(runs: readonly Saved[]): Saved & {readonly summaries: readonly Summary[]} {
  const limits = bestLimits(runs);
  const limited = (result: Result) => (limits && result.work ? {...result, limit: limitOf(result.work, limits)} : result);
  const results = new Map(runs.flatMap((run) => run.results.map((result) => [result.folder, limited(result)] as const)));
  const entries = new Map(runs.flatMap((run) => run.entries.map((entry) => [`${entry.suite} ${entry.name}`, entry] as const)));
  const peers = [...new Set(runs.flatMap((run) => run.peers))];
  return {
    environ: {...runs.at(-1)?.environ, ...(limits === undefined ? {} : {limits})},
    entries: [...entries.values()],
    peers,
    results: [...results.values()],
    summaries: summaries([...entries.values()], results, peers),
  };
}

export function printReport({results, peers, summaries: all}: Report): void {
  console.log(textTable(rowsOf(results, peers)));
  if (all.length > 0) console.log(textTable(summaryRows(all)));
  for (const {folder, failures, eagerReason} of results) {
    for (const [runtime, reason] of Object.entries(failures)) console.log(`${folder}, ${runtime}: ${reason}`);
    if (eagerReason !== undefined) console.log(`${folder} runs eagerly when compiled: ${eagerReason}`);
  }
}

function main(): void {
  const command = new Command('report')
    .argument('<RESULTS.json...>')
    .option('--out <file>', 'where the report goes', 'report.html')
    .parse();
  const report = joined(command.args.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Saved));
  printReport(report);
  writeFileSync(command.opts<{out: string}>().out, reportHtml(report));
}

if (require.main === module) main();
