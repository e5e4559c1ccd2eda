#!/usr/bin/env bash
# Installs with apt, once, what the tests need beside Deno: on Debian 12 or later, as root. Says nothing where all of it
# is there already. Tests that still miss something say so and are skipped.
set -euo pipefail

packages=()

# By file and not by package, so that a runc which came with Docker's own packages is not replaced by Debian's.
need() { # COMMAND-OR-FILE PACKAGE
  command -v "$1" >/dev/null || [[ -e $1 ]] || packages+=("$2")
}

# A root filesystem in one file: a busybox that is linked dynamically will not do.
[[ -x /bin/busybox ]] && ! ldd /bin/busybox &>/dev/null || packages+=(busybox-static)
need runc runc
need crun crun
need hyperfine hyperfine
need strace strace
need script bsdutils
need setpriv util-linux
need newuidmap uidmap
need ip iproute2
need /usr/include/seccomp.h libseccomp-dev
need bwrap bubblewrap
need mkfs.erofs erofs-utils
need mksquashfs squashfs-tools
need mmdebstrap mmdebstrap

# Where the seccomp compiler runs beside Deno and Node.
need chromium chromium

# Who reads the completions and the manual.
need zsh zsh
need fish fish
need man man-db

# The stub: assembled for both CPUs, and run for the other one.
need x86_64-linux-gnu-as binutils
need aarch64-linux-gnu-as binutils-aarch64-linux-gnu
need qemu-aarch64-static qemu-user-static
need qemu-system-aarch64 qemu-system-arm

# The tables of numbers come from the headers of both.
need gcc gcc
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need /usr/include/linux/mount.h linux-libc-dev
need /usr/include/spawn.h libc6-dev
need /usr/aarch64-linux-gnu/include/linux/mount.h linux-libc-dev-arm64-cross
need /usr/aarch64-linux-gnu/include/spawn.h libc6-dev-arm64-cross

((${#packages[@]})) || exit 0

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  echo "setup: not root on Debian, so these are not installed and some tests are skipped: ${packages[*]}" >&2
  exit 0
fi

echo "setup: installing ${packages[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

apt() { DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null &>>"$log"; }
# Better to fail than to take away what somebody uses.
install() { apt install --yes --no-install-recommends --no-remove "${packages[@]}"; }

# A fresh image has no lists of packages, or old ones.
install || { apt update && install; } || {
  cat "$log" >&2
  exit 1
}
