// npm run prebuild [-- TARGET…]: fills prebuilds/ with stripped binaries and prints what each asks of the system.
//
// linux-x64 and linux-arm64 are built by g++ (cross-compiled where this machine is x64; Debian: g++-aarch64-linux-gnu), each in a folder of
// its own (build/prebuild/<target>, links to the sources), so that a checkout's build/Release stays. All others by zig-build.js.
const {spawnSync} = require('node:child_process');
const {copyFileSync, mkdirSync, rmSync, statSync, symlinkSync} = require('node:fs');
const {dirname, join, relative} = require('node:path');
const {promisify} = require('node:util');
const prebuildify = promisify(require('prebuildify'));
const {buildWithZig, zigTargets} = require('./zig-build');

const root = join(__dirname, '..');
const host = `${process.platform}-${process.arch}`;

/**
 * What a binary may ask for. glibc 2.28: what Node 20 itself needs (RHEL 8, Debian 10). Shared libstdc++, since the static one
 * of Debian 12 pulls in glibc 2.36; 3.4.25 is GCC 8's, of the same systems.
 */
const ceilings = {GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11'};
const gccTargets = ['linux-x64', 'linux-arm64'];
/** musl's libc is one library under several names; whatever they are asked for, it answers with itself. */
const libraries =
  /^(libc\.so|libstdc\+\+\.so\.6|libm\.so\.6|libc\.so\.6|libgcc_s\.so\.1|libpthread\.so\.0|ld-linux-(x86-64|aarch64)\.so\.\d)$/;
const mostBytes = 6 * 2 ** 20;

const compareVersions = (a, b) => a.localeCompare(b, 'en', {numeric: true});

/** What the dynamic linker will look for: `{GLIBC: '2.17', …}`, and the libraries. */
function needsOf(file) {
  const {stdout, status} = spawnSync('readelf', ['--version-info', '--dynamic', '--wide', file], {encoding: 'utf8'});
  if (status !== 0) throw new Error(`readelf does not read ${file}`);
  const versions = {};
  for (const [, name, version] of stdout.matchAll(/Name: (GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    if (versions[name] === undefined || compareVersions(version, versions[name]) > 0) versions[name] = version;
  }
  return {versions, needed: [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((m) => m[1])};
}

/**
 * C++ functions that a Mach-O file leaves to whoever loads it: it is linked so that Node may define Node-API, and a function that
 * nobody defines would be noticed on the first Mac alone.
 */
function missingFrom(file) {
  const {stdout, status} = spawnSync('llvm-nm-19', ['--undefined-only', '--format=just-symbols', file], {encoding: 'utf8'});
  if (status !== 0) throw new Error(`llvm-nm-19 does not read ${file}; Debian has it in llvm-19`);
  return stdout.split('\n').filter((symbol) => /graviton|^__Z.*Napi/.test(symbol));
}

/** Prints a binary's size and, of an ELF file, needs; returns what is wrong with them. */
function inspect(file, target) {
  const {versions, needed} = target.startsWith('linux') ? needsOf(file) : {versions: {}, needed: []};
  const bytes = statSync(file).size;
  const words = Object.entries(versions).map(([name, version]) => `${name}_${version}`);
  console.log(`${relative(root, file)}: ${(bytes / 2 ** 20).toFixed(2)} MiB; ${words.join(', ')}; ${needed.join(', ')}`);
  const faults = needed.filter((n) => !libraries.test(n)).map((n) => `needs ${n}`);
  for (const [name, version] of Object.entries(versions)) {
    if (compareVersions(version, ceilings[name]) > 0) faults.push(`needs ${name}_${version}; at most ${ceilings[name]} is allowed`);
  }
  if (target.startsWith('darwin')) faults.push(...missingFrom(file).map((symbol) => `lacks ${symbol}`));
  if (bytes > mostBytes) faults.push(`has ${bytes} bytes; at most ${mostBytes} are allowed`);
  return faults.map((fault) => `${relative(root, file)} ${fault}`);
}

async function buildWithGcc(target) {
  const [platform, arch] = target.split('-');
  const cross = target === host ? '' : {'linux-x64': 'x86_64-linux-gnu-', 'linux-arm64': 'aarch64-linux-gnu-'}[target];
  if (cross === undefined) throw new Error(`${target} cannot be built on ${host}`);
  const cwd = join(root, 'build', 'prebuild', target);
  rmSync(cwd, {recursive: true, force: true});
  mkdirSync(cwd, {recursive: true});
  for (const name of ['binding.gyp', 'package.json', 'csrc', 'scripts', 'node_modules']) symlinkSync(join(root, name), join(cwd, name));
  // The last word of CXX, so that CXX="ccache g++" becomes "ccache aarch64-linux-gnu-g++".
  const compiler = (command) => command.replace(/[^ /]+$/, (name) => cross + name);
  Object.assign(process.env, {
    npm_config_nodedir: join(root, 'scripts', 'gyp'),
    npm_config_force_process_config: 'true',
    npm_config_loglevel: 'warn',
    JOBS: process.env.JOBS ?? 'max',
    CXXFLAGS: `-include ${join(root, 'scripts', 'gyp', 'glibc_floor.h')} ${process.env.CXXFLAGS ?? ''}`,
  });
  const given = {CC: process.env.CC, CXX: process.env.CXX};
  if (cross) Object.assign(process.env, {CC: compiler(given.CC ?? 'gcc'), CXX: compiler(given.CXX ?? 'g++')});
  await prebuildify({
    ...{platform, arch, cwd, out: root, napi: true, targets: [process.versions.node]},
    ...{tagLibc: true, strip: true, stripBin: `${cross}strip`},
    nodeGyp: join(root, 'node_modules', '.bin', 'node-gyp'),
  });
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** Where src/binary.ts looks for it: prebuildify's names. */
function fileOf(target) {
  const [platform, arch, libc = platform === 'linux' ? 'glibc' : undefined] = target.split('-');
  return join(root, 'prebuilds', `${platform}-${arch}`, ['tfjs-backend-graviton', libc, 'node'].filter(Boolean).join('.'));
}

async function build(target) {
  const file = fileOf(target);
  rmSync(file, {force: true});
  if (gccTargets.includes(target)) await buildWithGcc(target);
  else if (zigTargets.includes(target)) {
    const binary = await buildWithZig(target);
    mkdirSync(dirname(file), {recursive: true});
    copyFileSync(binary, file);
  } else throw new Error(`no target ${target}; there are ${[...gccTargets, ...zigTargets].join(', ')}`);
  return inspect(file, target);
}

async function main() {
  const asked = process.argv.slice(2);
  const targets = asked.length > 0 ? asked : [...gccTargets, ...zigTargets];
  const faults = [];
  for (const target of targets) {
    const started = Date.now();
    faults.push(...(await build(target)));
    console.log(`${target}: built in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

main();
