// node pack.mjs SOURCE NAME …
// Packs test models: SOURCE/NAME holds model.json, its weights, io.json and io.bin (README.md says what they are). Writes NAME.json.gz
// and NAME.bin.gz (weights, then the bytes that io.json refers to) beside this file.
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {constants, gzipSync} from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const gzip = (data) => gzipSync(data, {level: constants.Z_BEST_COMPRESSION});
const [source, ...names] = process.argv.slice(2);

for (const name of names) {
  const read = (file) => readFileSync(join(source, name, file));
  const model = JSON.parse(read('model.json'));
  const io = JSON.parse(read('io.json'));
  const weights = Buffer.concat(model.weightsManifest.flatMap((group) => group.paths).map(read));
  const files = new Set(io.sets.flatMap((set) => [...set.inputs, ...set.outputs]).flatMap(({file}) => file ?? []));
  if (files.size > 1) throw new Error(`${name} has its values in several files: ${[...files]}`);
  const values = files.size === 0 ? Buffer.alloc(0) : read([...files][0]);
  writeFileSync(join(here, `${name}.json.gz`), gzip(JSON.stringify({model, io, weightBytes: weights.length})));
  writeFileSync(join(here, `${name}.bin.gz`), gzip(Buffer.concat([weights, values])));
}
