// node scripts/run-dockerfile.js CONTEXT FOLDER BASE=ROOT… [VARIABLE=VALUE…]: runs the steps of CONTEXT/Dockerfile without Docker. Each stage gets a copy of
// the root that stands for its base image (scripts/clean-root.sh), FOLDER/0, FOLDER/1, …, and no network; variables are seen by RUN alone, as
// build arguments are. Then starts the last stage's CMD and, once HEALTHCHECK's command succeeds, ends it by SIGTERM, as `docker stop` does.
const {execFileSync} = require('node:child_process');
const {readFileSync} = require('node:fs');
const {join, resolve} = require('node:path');

const [context, folder, ...words] = process.argv.slice(2);
const isBase = (word) => /^[\w./-]+:[\w.-]+=/.test(word);
const roots = new Map(words.filter(isBase).map((word) => word.split('=')));
const buildArguments = words.filter((word) => !isBase(word));

const stages = [];
const stage = () => stages.at(-1);
const inside = (path, of = stage()) => join(of.root, resolve(of.workdir, path));

/** In the stage at hand. */
function run(command, extra = []) {
  const {root, workdir, user, env} = stage();
  const environment = {...process.env, RUN_AS: user, RUN_IN: workdir};
  execFileSync('scripts/clean-root.sh', ['run', root, ...env, ...extra, ...command], {env: environment, stdio: 'inherit'});
}

/** A JSON array is a command, anything else a shell's line. */
const commandOf = (text) => (text.startsWith('[') ? JSON.parse(text) : ['sh', '-c', text]);

const steps = {
  FROM(text) {
    const [, image, name] = /^(\S+)(?: AS (\S+))?$/.exec(text);
    if (!roots.has(image)) throw new Error(`no root stands for ${image}`);
    const root = join(folder, String(stages.length));
    execFileSync('cp', ['-a', roots.get(image), root]);
    stages.push({name, root, workdir: '/', user: '0:0', env: [], health: undefined, command: undefined});
  },
  WORKDIR(text) {
    stage().workdir = resolve(stage().workdir, text);
    execFileSync('mkdir', ['-p', inside('.')]);
  },
  COPY(text) {
    const [, from, paths] = /^(?:--from=(\S+) )?(.*)$/.exec(text);
    const source = from === undefined ? context : stages.find(({name}) => name === from).root;
    const [to, ...what] = paths.split(' ').reverse();
    execFileSync('mkdir', ['-p', to.endsWith('/') ? inside(to) : join(inside(to), '..')]);
    // Of a folder its contents are copied. Bash knows the wildcards.
    const script = 'for path in $1/$2; do if [ -d "$path" ]; then mkdir -p "$3"; cp -a "$path/." "$3"; else cp -a "$path" "$3"; fi; done';
    for (const path of what)
      execFileSync('bash', ['-euc', script, 'bash', source, path.replace(/^\//, ''), inside(to) + (to.endsWith('/') ? '/' : '')]);
  },
  RUN: (text) => run(commandOf(text), buildArguments),
  ENV: (text) => stage().env.push(...text.split(' ')),
  USER(text) {
    stage().user = text;
  },
  EXPOSE() {},
  HEALTHCHECK(text) {
    stage().health = commandOf(text.replace(/^CMD /, ''));
  },
  CMD(text) {
    stage().command = commandOf(text);
  },
};

/** Server and health check in one shell of the image, since each run has a network of its own. */
function serve() {
  const {command, health} = stage();
  const quoted = health.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const script = `"$@" & server=$!
    for _ in $(seq 120); do if ${quoted} 2>/dev/null; then healthy=true; break; fi; sleep 1; done
    kill -TERM $server; wait $server && ${'$'}{healthy:-false}`;
  run(['sh', '-c', script, 'sh', ...command]);
}

const lines = readFileSync(join(context, 'Dockerfile'), 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n */g, '')
  .split('\n')
  .filter(Boolean);
for (const line of lines) {
  const [, instruction, text] = /^(\w+) (.*)$/.exec(line);
  if (steps[instruction] === undefined) throw new Error(`${instruction} is not known here`);
  console.log(line.length > 100 ? `${line.slice(0, 99)}…` : line);
  steps[instruction](text);
}
serve();
