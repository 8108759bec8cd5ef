/**
 * Runs the test suite inside @tensorflow/tfjs-core (dist/tests.js) on a backend: `npm run test:conformance`.
 *
 *   node build/ts/test/conformance/run.js [--backend graviton|cpu] [--grep pattern] [--one-level] [--replay] [--timeout ms]
 *
 * For graviton, unless told otherwise: eager, once at every instruction-set level of this machine, and then once more at the best level with
 * every step replayed as a plan and compared bit for bit (replay.ts).
 *
 * The suite is written as ES modules with extension-less imports in a package that is not "type": "module", so Node can load it in neither
 * way: a require hook transpiles its files, cached under node_modules/.cache. The backend is loaded through the package's main, as users
 * load it; the tests import dist/index.js. Both share one engine through tfjs' globals.
 */
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import Module, {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {parseArgs} from 'node:util';
import Mocha from 'mocha';
import ts from 'typescript';
import {native} from '../../src/native';
import {installJasmineGlobals} from './jasmine-globals';
import {replaySteps} from './replay';

interface Loader {
  _extensions: Record<string, (module: {_compile(code: string, file: string): void}, file: string) => void>;
  _load(request: string, ...rest: unknown[]): unknown;
}
const loader = Module as unknown as Loader;
const coreRequire = createRequire(require.resolve('@tensorflow/tfjs-core/package.json'));
const coreFolder = dirname(require.resolve('@tensorflow/tfjs-core/package.json'));
const cacheFolder = join(dirname(coreFolder), '..', '.cache', 'tfjs-conformance');

function transpiled(file: string, source: string): string {
  const key = createHash('sha1').update(`${ts.version}\n${file}\n${source}`).digest('hex');
  const cached = join(cacheFolder, `${key}.cjs`);
  if (existsSync(cached)) return readFileSync(cached, 'utf8');
  const {outputText} = ts.transpileModule(source.replace(/^\/\/# sourceMappingURL=.*$/m, ''), {
    fileName: file,
    compilerOptions: {module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2020, allowJs: true},
  });
  writeFileSync(cached, outputText);
  return outputText;
}

function installHooks(): void {
  mkdirSync(cacheFolder, {recursive: true});
  const plain = loader._extensions['.js'];
  if (plain === undefined) throw new Error('this Node has no loader for .js files');
  loader._extensions['.js'] = (module, file) => {
    if (!/[\\/]@tensorflow[\\/][^\\/]+[\\/]dist[\\/]/.test(file)) return plain(module, file);
    const source = readFileSync(file, 'utf8');
    if (!/^\s*(import|export)\b/m.test(source)) return plain(module, file);
    return module._compile(transpiled(file, source), file);
  };
  // jasmine_util.js needs jasmine-core only to set a time-out.
  const load = loader._load;
  loader._load = (request, ...rest) => (request.startsWith('jasmine-core/') ? {core: () => ({})} : load.call(Module, request, ...rest));
}

const fromCore = (path: string): unknown => coreRequire(join(coreFolder, 'dist', path));

interface Core {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  version_core: string;
}

async function loadSuite(backend: string): Promise<Core> {
  const core = fromCore('index.js') as Core;
  fromCore('public/chained_ops/register_all_chained_ops.js');
  fromCore('register_all_gradients.js');
  if (backend === 'graviton') require('../../src');
  else require(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await core.setBackend(backend)) || core.getBackend() !== backend) throw new Error(`backend ${backend} did not start`);
  const {setTestEnvs} = fromCore('jasmine_util.js') as {setTestEnvs(envs: readonly object[]): void};
  setTestEnvs([{name: `test-${backend}`, backendName: backend, flags: {}, isDataSync: true}]); // before the suite is loaded
  fromCore('tests.js');
  return core;
}

function keepOnly(suite: Mocha.Suite, pattern: RegExp): void {
  suite.tests = suite.tests.filter((test) => pattern.test(test.fullTitle()));
  for (const inner of suite.suites) keepOnly(inner, pattern);
}

/** Each level, and the replay, in a process of its own. */
function runAll(args: readonly string[]): number {
  const {info} = native();
  const run = (level: string, ...more: readonly string[]) => {
    const env = {...process.env, GRAVITON_ISA: level};
    return spawnSync(process.execPath, [__filename, ...args, '--one-level', ...more], {env, stdio: 'inherit'}).status ?? 1;
  };
  const levels = info.isaNames.slice(0, info.isa + 1);
  return Math.max(...levels.map((level) => run(level)), run(levels.at(-1) as string, '--replay'));
}

function report(counts: {passed: number; failed: number; skipped: number}): void {
  const line = `${counts.passed} passed, ${counts.failed} failed`;
  console.log(`conformance: ${line}, ${counts.skipped} that the suite itself leaves out`);
  if (process.env.TEST_COUNTS) appendFileSync(process.env.TEST_COUNTS, `${line}\n`);
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      backend: {type: 'string', default: 'graviton'},
      grep: {type: 'string'},
      'one-level': {type: 'boolean', default: false},
      timeout: {type: 'string', default: '20000'},
      replay: {type: 'boolean', default: false},
    },
  });
  if (values.backend === 'graviton' && !values['one-level']) process.exit(runAll(process.argv.slice(2)));
  const started = performance.now();
  installHooks();
  const mocha = new Mocha({ui: 'bdd', timeout: Number(values.timeout), reporter: class extends Mocha.reporters.Base {}});
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  installJasmineGlobals();
  const core = await loadSuite(values.backend);
  if (values.grep !== undefined) keepOnly(mocha.suite, new RegExp(values.grep));
  const replays = values.replay ? replaySteps() : undefined;
  const counts = {passed: 0, failed: 0, skipped: 0};
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on('pass', () => counts.passed++);
    runner.on('pending', () => counts.skipped++);
    runner.on('fail', (test, error: Error) => {
      counts.failed++;
      console.log(`FAIL ${test.fullTitle()}\n     ${String(error?.message).split('\n')[0]?.slice(0, 300)}`);
    });
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const level = values.backend === 'graviton' ? ` at ${process.env.GRAVITON_ISA ?? 'the best level'}` : '';
  console.log(`tfjs-core ${core.version_core}, backend ${values.backend}${level}, Node ${process.version}, ${seconds} s`);
  if (replays !== undefined) console.log(`${replays()} steps replayed as plans, each compared bit for bit`);
  report(counts);
  process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
}

process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection', error);
  process.exitCode = 1;
});
void main();
