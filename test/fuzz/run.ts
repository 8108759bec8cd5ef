/**
 * npm run fuzz -- --minutes N [--seed S] [--kernel NAME]: calls of all kernels but those of strings, sparse and ragged tensors, compared
 * with tfjs-backend-cpu. A failure is made smaller, printed, and written to build/fuzz; once it is mended its file belongs in
 * test/fuzz/corpus, which `npm test` runs.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {Command} from 'commander';
import fc from 'fast-check';
import {type Call, toJson} from './call';
import {check} from './check';
import {calls, kernelNames} from './kernels';

const options = new Command()
  .option('--minutes <n>', 'how long to draw', Number, 1)
  .option('--seed <n>', 'where to start', Number, Date.now() & 0x7fffffff)
  .option('--kernel <name>', 'this kernel alone')
  .parse()
  .opts<{minutes: number; seed: number; kernel?: string}>();

const folder = join(__dirname, '../../../fuzz');
const mostPerKernel = 3;

async function main(): Promise<void> {
  mkdirSync(folder, {recursive: true});
  for (const backend of ['cpu', 'graviton']) await tf.setBackend(backend);
  console.log(`seed ${options.seed}`);
  const kernels = options.kernel === undefined ? kernelNames : [options.kernel];
  const end = Date.now() + options.minutes * 60_000;
  const failures = new Map<string, number>();
  const outcomes: Record<string, number> = {};
  let seed = options.seed;
  for (let round = 0; Date.now() < end; round++) {
    for (const kernel of kernels) {
      if (Date.now() >= end || (failures.get(kernel) ?? 0) >= mostPerKernel) continue;
      const spoilt = round % 4 === 3;
      const replay = round % 2 === 0;
      const property = fc.property(calls(kernel, spoilt), (call) => {
        const {outcome} = check(call, {spoilt, replay});
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      });
      const result = fc.check(property, {seed: seed++, numRuns: replay ? 15 : 40, interruptAfterTimeLimit: 20_000});
      if (!result.failed || result.counterexample === null) continue;
      const [call] = result.counterexample as [Call];
      const count = (failures.get(kernel) ?? 0) + 1;
      failures.set(kernel, count);
      writeFileSync(join(folder, `${kernel}-${seed - 1}.json`), `${toJson(call)}\n`);
      console.log(`${kernel}, seed ${seed - 1}${spoilt ? ', spoilt' : ''}: ${(result.errorInstance as Error).message}\n  ${toJson(call)}`);
    }
  }
  const total = Object.values(outcomes).reduce((a, b) => a + b, 0);
  console.log(
    `${total} calls in ${options.minutes} minutes: ${JSON.stringify(outcomes)}; ${[...failures.values()].reduce((a, b) => a + b, 0)} failures`,
  );
  process.exitCode = failures.size > 0 ? 1 : 0;
}
void main();
