// Prints docs/kernels.md from the compiled kernel tables (npm run generate).
const {writeFileSync} = require('node:fs');
const {join} = require('node:path');

const root = join(__dirname, '..');
const {kernelConfigs, nativeKernels} = require(join(root, 'build/ts/src/kernels/registry.js'));

const names = kernelConfigs().map(({kernelName}) => kernelName);
const native = names.filter((name) => nativeKernels[name] !== undefined);
const others = names.filter((name) => nativeKernels[name] === undefined);
const typesOf = ({dtypes, complex}) =>
  [...dtypes, ...(complex !== undefined && !dtypes.includes('complex64') ? ['complex64'] : [])].join(', ');

const page = `<!-- Generated from src/kernels by scripts/list-kernels.js (npm run generate). Do not edit. -->
# Kernels

Every kernel that a TensorFlow.js 4.22 backend has is registered: ${native.length} as native steps, and ${others.length} through
tfjs-backend-cpu. A native kernel that gets an input of a type not listed here goes through tfjs-backend-cpu too.

## Native

| kernel | types of its inputs |
|---|---|
${native.map((name) => `| ${name} | ${typesOf(nativeKernels[name])} |`).join('\n')}

## Through tfjs-backend-cpu

${others.join(', ')}
`;
writeFileSync(join(root, 'docs/kernels.md'), page);
