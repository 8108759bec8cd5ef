// The JavaScript of dist/ (tsc writes its types): few files, since Node takes 0.2 ms and more for every file that it loads and a server has
// a hundred of ours to load, and yet not all in one, since it reads every file as a whole, 30 bytes in a microsecond: what few programs use at
// once has a file of its own. Packages stay packages, so that all share one tfjs engine.
const {mkdirSync, readdirSync, rmSync, writeFileSync} = require('node:fs');
const {dirname, join, relative} = require('node:path');
const {build, transform} = require('esbuild');

const root = join(__dirname, '..');
const source = join(root, 'src');
const dist = join(root, 'dist');
const entryPoints = ['index.ts', 'binary.ts', 'cli/main.ts'];
/** What a require() in a function loads at its first use. */
const lazy = ['kernels/registry.ts', 'compile/compile.ts', 'io/loaded-graph-model.ts'];

/** A require() of one of our own files stays: from where esbuild writes what several files share, dist/ itself. */
const firstUse = {
  name: 'first use',
  setup({onResolve}) {
    onResolve({filter: /^\.\.?\//}, ({kind, path, resolveDir}) => {
      if (kind !== 'require-call') return undefined;
      const file = relative(source, join(resolveDir, path));
      if (!lazy.includes(`${file}.ts`))
        throw new Error(`scripts/bundle.js: ${file} is required by a function and not in the list \`lazy\``);
      return {path: `./${file}`, external: true};
    });
  },
};

/**
 * esbuild splits ES modules only, and as CommonJS they would reach each other through getters at every use, which makes an eager call a tenth
 * slower. Nothing that they share is ever assigned anew, so each takes its own names of it once.
 */
function withOwnNames(text, isShared) {
  const imported = text.replace(
    /^import \{([^}]*)\} from ("\.[^"]*");$/gm,
    (_, names, file) => `var {${names.replace(/ as /g, ': ')}} = require(${file});`,
  );
  return isShared
    ? imported.replace(/^export \{([^}]*)\};$/m, (_, names) => `module.exports = {${names.replace(/(\S+) as (\S+)/g, '$2: $1')}};`)
    : imported;
}

async function main() {
  mkdirSync(dist, {recursive: true});
  const {outputFiles} = await build({
    ...{absWorkingDir: source, entryPoints: [...entryPoints, ...lazy], outdir: dist, bundle: true, packages: 'external'},
    ...{platform: 'node', format: 'esm', splitting: true, target: 'node20.19', plugins: [firstUse]},
    ...{sourcemap: 'inline', sourcesContent: false, write: false, minifySyntax: true},
  });
  for (const file of readdirSync(dist)) if (file.startsWith('chunk-')) rmSync(join(dist, file)); // of an earlier build: their names are hashes
  for (const {path, text} of outputFiles) {
    const isEntry = entryPoints.some((entry) => path === join(dist, entry.replace(/ts$/, 'js')));
    // Names stay and lines stay short, for stack traces; less text is less to read.
    const {code, map} = await transform(withOwnNames(text, !isEntry), {
      ...{format: 'cjs', platform: 'node', target: 'node20.19', sourcemap: true, sourcesContent: false},
      ...{sourcefile: path, minifyWhitespace: true, lineLimit: 120},
    });
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, `${code}//# sourceMappingURL=${path.split('/').at(-1)}.map\n`);
    writeFileSync(`${path}.map`, map);
  }
}

main();
