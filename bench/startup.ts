/**
 * What `require` of the package costs beyond tfjs-core's own time, in fresh processes that take turns with the packages named:
 *
 *   npm run bench:startup [-- --peers=onnxruntime-node --runs=15]
 */
import {spawnSync} from 'node:child_process';
import {option} from './kernels/step-plan';
import {quantile} from './statistics';

const runs = Number(option('runs', '15'));
const own = process.cwd(); // the package as users get it: dist/, not this build
const peers = option('peers', '').split(',').filter(Boolean);

/** Milliseconds of `require(name)` after what it shares with the program that asks. */
function time(name: string, first: string): number {
  const script = `${first};
    const begin = process.hrtime.bigint();
    require(${JSON.stringify(name)});
    console.log(Number(process.hrtime.bigint() - begin) / 1e6);
    process.exit();`;
  const {stdout, stderr, status} = spawnSync(process.execPath, ['-e', script], {encoding: 'utf8'});
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

const rows = new Map([['tfjs-backend-graviton', () => time(own, "require('@tensorflow/tfjs-core')")]]);
for (const peer of peers) rows.set(peer, () => time(peer, ''));

const times = new Map([...rows.keys()].map((name) => [name, [] as number[]]));
// The first round reads the files from disk.
for (let round = 0; round <= runs; round++) {
  for (const [name, measure] of rows) {
    const ms = measure();
    if (round > 0) times.get(name)?.push(ms);
  }
}
for (const [name, all] of times) {
  const [min, q1, median, q3] = [0, 0.25, 0.5, 0.75].map((q) => quantile(all, q).toFixed(1));
  console.log(`${name.padEnd(24)} median ${median} ms (quartiles ${q1}, ${q3}; least ${min}) of ${runs} processes`);
}
