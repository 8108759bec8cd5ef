// The JavaScript of dist/ (tsc writes its types): one file for each way in, since Node takes 0.2 ms and more for every file that it
// loads and a server has a hundred of ours to load. Packages stay packages, so that all share one tfjs engine.
const {join} = require('node:path');
const {buildSync} = require('esbuild');

const root = join(__dirname, '..');
const entryPoints = ['src/index.ts', 'src/binary.ts', 'src/cli/main.ts'];

buildSync({
  ...{absWorkingDir: root, entryPoints, outdir: 'dist', bundle: true, packages: 'external'},
  ...{platform: 'node', format: 'cjs', target: 'node20.19', sourcemap: true, sourcesContent: false},
  // Names stay and lines stay short, for stack traces; less text is a millisecond less to load.
  ...{minifyWhitespace: true, minifySyntax: true, lineLimit: 120},
});
