#!/usr/bin/env node
/** npx tfjs-backend-graviton info | bench: what a user can run on a machine and send. */
import {Command} from 'commander';
import '../index';
import {type BenchReport, bench, benchText} from './bench';
import {info, infoText} from './info';
import {sampleNames} from './samples';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const asJson = (report: object): string => JSON.stringify(report, null, 2);

/** Exported, since esbuild takes a file of this package without exports for CommonJS, and wraps all modules that it imports. */
export const program = new Command('tfjs-backend-graviton').description(
  'Reports on this machine. Settings are read as everywhere, from the environment: see docs/flags.md.',
);

program
  .command('info')
  .description('versions, instruction set, settings in effect and where each came from, measured multiply-add peak and bandwidth')
  .option('--json', 'for programs')
  .action(async ({json}: {json?: boolean}) => {
    const report = await info();
    print(json ? asJson(report) : infoText(report));
  });

program
  .command('bench')
  .description('the same, and a short benchmark, eager and compiled, of models whose weights are made up here')
  .option('--json', 'for programs')
  .option('--models <names>', 'separated by commas', sampleNames.join(','))
  .option('--threads <counts>', 'separated by commas; default: the setting in effect')
  .option('--seconds <number>', 'for each model, thread count and mode', '2')
  .action(async (options: {json?: boolean; models: string; threads?: string; seconds: string}) => {
    const unknown = options.models.split(',').filter((name) => !sampleNames.includes(name));
    if (unknown.length > 0) program.error(`error: no model ${unknown.join(', ')}; there are ${sampleNames.join(', ')}`);
    const seconds = Number(options.seconds);
    if (!(seconds > 0)) program.error(`error: --seconds takes a number above 0, not ${options.seconds}`);
    const threads = options.threads?.split(',').map(Number);
    if (threads?.some((count) => !Number.isInteger(count) || count < 1 || count > 1024))
      program.error(`error: --threads takes whole numbers from 1 to 1024, not ${options.threads}`);
    const report: BenchReport = await bench({
      models: options.models.split(','),
      ...(threads === undefined ? {} : {threads}),
      seconds,
      onProgress: (text) => void process.stderr.write(process.stderr.isTTY ? `\r${text.padEnd(40)}\r` : ''),
    });
    print(options.json ? asJson(report) : benchText(report));
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
