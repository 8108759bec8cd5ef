#!/usr/bin/env bash
# scripts/test-clean-root.sh TARGET…: installs the packed tarball in a minimal root of each target (scripts/clean-root.sh: no compiler, no
# network, npm's cache alone), with prebuilds/ as npm run prebuild left it; uses it by require, import and TypeScript, runs the example, and,
# for glibc, the steps of the Dockerfile.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/user-programs.sh

[ $# -gt 0 ] || { echo 'usage: scripts/test-clean-root.sh TARGET…' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the registry would serve, in npm's cache.
npm pack --silent --pack-destination "$work" >/dev/null
tarball=$(basename "$work"/*.tgz)
echo "tarball: $(stat -c %s "$work/$tarball") bytes"
packages+=(@huggingface/tokenizers@0.2)
compiler=(typescript@6.0 @types/node@20)
mkdir "$work/served" "$work/home"
(cd "$work/served" && HOME=$work/home npm install --ignore-scripts --no-audit --no-fund --silent --cache "$work/cache" \
  "$work/$tarball" "${packages[@]}" "${compiler[@]}")
offline=(npm_config_offline=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false)

test_target() { # TARGET
  local root=$work/$1
  scripts/clean-root.sh make "$1" "$root"
  cp -a "$root" "$work/base" # for the Dockerfile
  mkdir "$root/app"
  cp -r "$work/cache" "$root/cache"
  cp "$work/$tarball" "$root/app"
  cp -r examples/sentence-similarity/. "$root/app"
  write_user_programs "$root/app"
  inside() { RUN_IN=/app scripts/clean-root.sh run "$root" "${offline[@]}" npm_config_cache=/cache "$@"; }

  local started=$SECONDS
  inside npm install "./$tarball" "${packages[@]}"
  echo "$1: installed without compiler and network in $((SECONDS - started)) s"
  [ ! -e "$root/app/node_modules/tfjs-backend-graviton/build" ]

  inside node main.cjs
  inside node main.mjs
  inside npm install --silent --no-save "${compiler[@]}"
  check_types inside node node_modules/typescript/bin/tsc
  inside npx tfjs-backend-graviton info | sed -n 1,7p
  cp examples/sentence-similarity/main.mjs "$root/app/example.mjs"
  inside node example.mjs 1 | sed -n 1,20p

  [[ $1 = *-musl ]] || docker_steps
  rm -rf "$root" "$work/base"
}

docker_steps() {
  mkdir "$work/images" "$work/context"
  cp -r Dockerfile examples "$work/$tarball" "$work/context"
  cp -a "$work/base" "$work/slim"
  rm -rf "$work"/slim/usr/local/{bin,lib}/*
  cp -r "$work/cache" "$work/base/cache"
  node scripts/run-dockerfile.js "$work/context" "$work/images" "node:20-bookworm-slim=$work/base" "debian:bookworm-slim=$work/slim" \
    "${offline[@]}" npm_config_cache=/cache
  du -sm "$work"/images/1/app "$work"/images/1/usr/local/bin/node | awk '{print "of the image: " $1 " MiB " $2}'
  rm -rf "$work/context" "$work/images" "$work/slim"
}

for target in "$@"; do
  printf '\n== %s\n' "$target"
  test_target "$target"
done
