#!/usr/bin/env bash
# npm run format: rewrites TypeScript, JSON and C++ in place, import order included.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/clang-tools.sh

npx biome check --write .
cxx_files | xargs "$clang_tools/clang-format" -i
