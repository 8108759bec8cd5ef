// npm's `install` script: nothing where a prebuilt binary loads, else a build with node-gyp that downloads nothing.
// `node scripts/install.js --build` (npm run build:native) builds in any case.
//
// node-gyp is the package manager's own (npm, pnpm and yarn ship one and name it in npm_config_node_gyp): as a dependency
// it would bring some 60 packages to users who never compile.
const {spawnSync} = require('node:child_process');
const {existsSync, rmSync} = require('node:fs');
const {join} = require('node:path');

const root = join(__dirname, '..');
const say = (...lines) => console.log(lines.join('\n'));

/** undefined where a binary loads, else why none does. */
function refusal() {
  // Another process: a binary that kills the process must not end the installation, and Linux keeps an addon open once loaded.
  const script = `try { require(${JSON.stringify(join(root, 'dist', 'binary.js'))}).loadAddon(${JSON.stringify(root)}); } catch (error) {
    process.stdout.write(error.message.replace('ERR_NO_BINARY: ', '').split('\\nWhat helps:')[0]);
    process.exitCode = 1;
  }`;
  const {status, stdout, signal} = spawnSync(process.execPath, ['-e', script], {encoding: 'utf8'});
  if (status === 0) return undefined;
  return signal ? `its binary ends the process with ${signal}` : stdout;
}

const runs = (command, input = '') => spawnSync(command, {shell: true, input, stdio: ['pipe', 'ignore', 'ignore']}).status === 0;

const cxx = process.env.CXX ?? (process.platform === 'darwin' ? 'c++' : 'g++');
const cxx20 = '#include <bit>\n#include <span>\n#if __cplusplus < 202002L\n#error\n#endif\n';

/** What the build needs and this machine lacks. */
function missing() {
  if (process.platform === 'win32') return ['building on Windows is not supported (the sources need GCC or Clang)'];
  const lacks = [];
  if (!runs(`${cxx} --version`)) lacks.push(`no C++ compiler: \`${cxx}\` does not run (CXX=… names another)`);
  else if (!runs(`${cxx} -std=gnu++20 -x c++ -fsyntax-only -`, cxx20))
    lacks.push(`\`${cxx}\` does not compile C++20 (CXX=… names another)`);
  if (!runs(`${process.env.MAKE ?? 'make'} --version`)) lacks.push('no make');
  const python = process.env.npm_config_python ?? process.env.PYTHON ?? 'python3';
  if (!runs(`${python} --version`) && !runs('python --version')) lacks.push('no Python 3, which node-gyp runs on');
  return lacks;
}

function nodeGyp() {
  if (process.env.npm_config_node_gyp) return [process.execPath, process.env.npm_config_node_gyp];
  try {
    return [process.execPath, require.resolve('node-gyp/bin/node-gyp.js')];
  } catch {
    return ['node-gyp'];
  }
}

function build() {
  const [command, ...args] = nodeGyp();
  // node-gyp takes npm_config_* over its command line, hence the environment.
  const env = {
    ...process.env,
    npm_config_nodedir: join(root, 'scripts', 'gyp'),
    npm_config_force_process_config: 'true',
    npm_config_loglevel: 'warn',
    JOBS: process.env.JOBS ?? 'max',
  };
  for (const step of ['configure', 'build']) {
    const {status, error} = spawnSync(command, [...args, step], {cwd: root, env, stdio: 'inherit'});
    if (error) say(`tfjs-backend-graviton: node-gyp does not start: ${error.message}`);
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

const toDo = [
  'What to do:',
  '  Debian, Ubuntu         apt-get install g++ make python3',
  '  Amazon Linux, Fedora   dnf install gcc-c++ make python3',
  '  Alpine                 apk add g++ make python3',
  '  macOS                  xcode-select --install',
  'and then repeat the installation, or npm rebuild tfjs-backend-graviton',
];

function main() {
  const forced = process.argv.includes('--build');
  const checkout = existsSync(join(root, 'tsconfig.json')); // not in the tarball
  if (checkout && !forced) {
    say('tfjs-backend-graviton: a source checkout; `npm run setup` builds it');
    return 0;
  }
  const fromSource = forced || ['true', 'tfjs-backend-graviton'].includes(process.env.npm_config_build_from_source);
  const why = fromSource ? `to be built for ${process.platform}-${process.arch}` : refusal();
  if (why === undefined) return 0;
  const lacks = missing();
  if (lacks.length > 0) {
    say(`tfjs-backend-graviton: ${why}`, 'It cannot be compiled on this machine either:', ...lacks.map((l) => `  - ${l}`), ...toDo);
    return 1;
  }
  say(`tfjs-backend-graviton: ${why}`, 'Compiling it, which takes a minute or two.');
  const status = build();
  if (status !== 0) {
    say(`tfjs-backend-graviton: the build failed; its messages are above. Compiler: ${cxx} (CXX=… names another)`);
    return status;
  }
  if (checkout) return 0;
  rmSync(join(root, 'build', 'Release', 'obj.target'), {recursive: true, force: true}); // only the binary is needed from here
  const still = refusal();
  if (still !== undefined) say(`tfjs-backend-graviton: compiled, but ${still}`);
  return still === undefined ? 0 : 1;
}

process.exitCode = main();
