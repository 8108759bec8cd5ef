#!/usr/bin/env bash
# npm run lint: all checks that need no run. Biome (format, lint, import order), tsc, clang-format, clang-tidy.
# `scripts/lint.sh FILE.cc…` runs clang-tidy on those files alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/clang-tools.sh

# clang-tidy's flags, from the addon's own build file.
node -e '
  const {readFileSync, writeFileSync} = require("node:fs");
  const {resolve} = require("node:path");
  const target = JSON.parse(readFileSync("binding.gyp", "utf8").replace(/^ *#.*/gm, "")).targets[0];
  const includes = [resolve("csrc"), resolve(require("node-addon-api").include_dir), require("node-api-headers").include_dir];
  // Headers of others are system headers: no warnings from inside them.
  const flags = [...target.cflags_cc, ...target.defines.map((d) => `-D${d}`), `-I${includes[0]}`, ...includes.slice(1).map((i) => `-isystem${i}`)];
  writeFileSync("build/clang/compile_flags.txt", flags.join("\n") + "\n");
'
tidy() { xargs -n 1 -P "$(nproc)" "$clang_tools/clang-tidy" --quiet -p build/clang; }

if [ $# -gt 0 ]; then
  printf '%s\n' "$@" | tidy
  exit
fi
npx biome ci --error-on-warnings .
npx tsc -p tsconfig.test.json --noEmit
cxx_files | xargs "$clang_tools/clang-format" --dry-run -Werror
cxx_files | grep '\.cc$' | tidy
