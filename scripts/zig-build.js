// Builds the addon for systems that the machine at hand is not, with Zig's clang (PyPI package ziglang): it brings headers, C++ library and
// linker for all of them. The flags are binding.gyp's.
const {spawn, spawnSync} = require('node:child_process');
const {copyFileSync, existsSync, mkdirSync, readFileSync, rmSync} = require('node:fs');
const {availableParallelism} = require('node:os');
const {dirname, join, relative} = require('node:path');

const root = join(__dirname, '..');

/** Zig's names. macOS 11 is the first on arm64, and what Node 20 asks for (10.15) on x64. */
const triples = {
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'darwin-arm64': 'aarch64-macos.11.0',
  'darwin-x64': 'x86_64-macos.10.15',
  'win32-x64': 'x86_64-windows-gnu',
};

function run(command, args) {
  const {status, error, stdout} = spawnSync(command, args, {cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
  if (status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? `exit code ${status}`}`);
  return stdout;
}

/** The pinned Zig, in a Python environment of its own in build/zig. */
function installZig() {
  const wanted = join(root, 'scripts', 'zig-requirements.txt');
  const folder = join(root, 'build', 'zig');
  const have = join(folder, 'requirements.txt');
  if (!existsSync(have) || readFileSync(have, 'utf8') !== readFileSync(wanted, 'utf8')) {
    run('python3', ['-m', 'venv', '--clear', folder]);
    run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', wanted]);
    copyFileSync(wanted, have);
  }
  const script = 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))';
  return run(join(folder, 'bin', 'python'), ['-c', script]).trim();
}

/** The target of binding.gyp, which is JavaScript but for its comments. */
function gypTarget() {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  return new Function(`return ${text}`)().targets[0];
}

const folderOf = (name) => relative(root, dirname(require.resolve(`${name}/package.json`)));
const includes = ['csrc', folderOf('node-addon-api'), join(folderOf('node-api-headers'), 'include')];

function compileFlags(triple) {
  const {cflags_cc, defines} = gypTarget();
  const fpic = triple.includes('windows') ? [] : ['-fPIC'];
  return ['-target', triple, ...fpic, ...cflags_cc, '-Werror', ...defines.map((d) => `-D${d}`), ...includes.map((folder) => `-I${folder}`)];
}

/** Windows resolves symbols by library: `node.lib` says that node.exe has those of Node-API. */
function importLibrary(zig, folder) {
  const {node_api_def, js_native_api_def} = require('node-api-headers').def_paths;
  return [node_api_def, js_native_api_def].map((def, i) => {
    const library = join(folder, `node${i}.lib`);
    run(zig, ['dlltool', '-m', 'i386:x86-64', '-d', def, '-l', library]);
    return library;
  });
}

function linkFlags(triple, zig, folder) {
  if (triple.includes('windows')) return [...importLibrary(zig, folder), '-lapi-ms-win-core-synch-l1-2-0', '-s'];
  // Node itself defines Node-API's functions; macOS looks them up when the addon is loaded.
  if (triple.includes('macos'))
    return ['-Wl,-undefined,dynamic_lookup', '-Wl,-dead_strip', '-Wl,-x', '-Wl,-install_name,@rpath/graviton.node']; // else this machine's path
  return [...gypTarget().ldflags.filter((flag) => !/exclude-libs|static-libgcc/.test(flag)), '-s'];
}

async function compile(zig, flags, sources, folder) {
  const waiting = [...sources];
  const objects = [];
  const failed = [];
  const worker = async () => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const object = join(folder, `${source.replaceAll('/', '_')}.o`);
      objects.push(object);
      const child = spawn(zig, ['c++', ...flags, '-c', source, '-o', object], {cwd: root, stdio: ['ignore', 'inherit', 'inherit']});
      const status = await new Promise((resolve) => child.on('close', resolve));
      if (status !== 0) failed.push(source);
    }
  };
  const jobs = Number(process.env.JOBS) || availableParallelism();
  await Promise.all(Array.from({length: jobs}, worker));
  if (failed.length > 0) throw new Error(`not compiled: ${failed.join(' ')}`);
  return objects;
}

/** Builds `target` (a key of triples) and returns the stripped binary. */
async function buildWithZig(target) {
  const triple = triples[target];
  const zig = installZig();
  const folder = join(root, 'build', 'prebuild', target);
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  process.env.ZIG_LOCAL_CACHE_DIR = process.env.ZIG_GLOBAL_CACHE_DIR = join(root, 'build', 'zig', 'cache');
  const sources = run(process.execPath, ['scripts/list-sources.js']).trim().split('\n');
  const objects = await compile(zig, compileFlags(triple), sources, folder);
  const binary = join(folder, 'graviton.node');
  run(zig, ['c++', '-target', triple, '-shared', '-o', binary, ...objects.sort(), ...linkFlags(triple, zig, folder)]);
  return binary;
}

module.exports = {zigTargets: Object.keys(triples), buildWithZig};
