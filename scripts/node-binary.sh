#!/usr/bin/env bash
# scripts/node-binary.sh x64|arm64: prints the path of a Node of that processor, of this Node's version, from the npm registry,
# which has Node itself as a package for each platform.
set -euo pipefail
cd "$(dirname "$0")/.."

arch=$1
version=$(node -p process.versions.node)
folder=build/node/$arch-$version
if [ ! -x "$folder/node" ]; then
  mkdir -p "$folder"
  tarball=$(cd "$folder" && npm pack --silent "node-linux-$arch@$version")
  tar xzf "$folder/$tarball" -C "$folder" --strip-components=2 package/bin/node
  rm "$folder/$tarball"
fi
echo "$folder/node"
