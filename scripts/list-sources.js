// Prints the addon's sources, one a line, for binding.gyp: a new kernel needs no edit there.
const {readdirSync} = require('node:fs');
const {join} = require('node:path');

const list = (folder) =>
  readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? list(path) : entry.name.endsWith('.cc') ? [path] : [];
  });

console.log(list('csrc').sort().join('\n'));
