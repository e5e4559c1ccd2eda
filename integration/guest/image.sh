#!/usr/bin/env bash
# image.sh: makes, once, the Debian system that boot.sh boots, from apt alone, and prints its folder, below $HAKO_GUEST or
# ~/.cache/hako/guest.
#
#   root/      the system, for systemd-nspawn
#   root.ext4  the same as a file system, for User Mode Linux
#   linux      User Mode Linux's kernel
#
# Ends with 125 and a reason on a machine that lacks what it takes, and with 1 if the image cannot be made all the same.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
here=$(cd "$(dirname "$0")" && pwd)
cache=${HAKO_GUEST:-${HOME:-/root}/.cache/hako/guest}
suite=bookworm

lack() {
  echo "image: $*" >&2
  exit 125
}
fail() {
  echo "image: $*" >&2
  exit 1
}

unshare --mount true 2>/dev/null || lack "needs root, and its right to mount"
# Of the package user-mode-linux.
[[ $(uname -m) == x86_64 ]] || lack "User Mode Linux is for x86_64"

# Whether an image has what is put into it: a command that succeeds has not always done what was meant.
whole() { # FOLDER
  local file
  [[ -x $1/linux ]] || return
  while read -r file; do
    cmp --silent "$here/image/$file" "$1/root/$file" || return
    debugfs -R "cat \"/$file\"" "$1/root.ext4" 2>/dev/null | cmp --silent "$here/image/$file" - || return
  done < <(cd "$here/image" && find . -type f -printf '%P\n')
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/lock"
flock 9
# An image for each way to make it: another checkout of the project may be running guests of its own.
key=$(cd "$here" && find image.sh image -type f -exec sha256sum {} + | sort | sha256sum | head -c 16)
guest=$cache/image.$key
if whole "$guest"; then
  # In use: see below.
  touch "$guest"
  echo "$guest"
  exit
fi

log=$cache/log
: >"$log"
# A fresh machine has no lists of packages, or old ones.
apt() { apt-get "$@" || { apt-get update && apt-get "$@"; }; } </dev/null &>>"$log"
missing=()
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
command -v mke2fs >/dev/null || missing+=(e2fsprogs)
if ((${#missing[@]})); then
  apt install --yes --no-install-recommends --no-remove "${missing[@]}" || lack "cannot install ${missing[*]}: see $log"
fi

# Only what is finished gets the name of an image.
work=$guest.new
rm -rf --one-file-system "$guest" "$work"
# Those that nobody has used for a day.
find "$cache" -mindepth 1 -maxdepth 1 -type d -name 'image.*' -mtime +0 -exec rm -rf --one-file-system {} +
mkdir "$work"
# The kernel may still be on its way there.
trap 'wait; rm -rf --one-file-system "$work"' EXIT

# The mirror that this machine uses itself.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" 2>/dev/null | head -n 1)
[[ $mirror ]] || lack "apt knows no mirror of Debian $suite"
/usr/lib/apt/apt-helper download-file "${mirror%/}/dists/$suite/InRelease" "$work/InRelease" &>>"$log" ||
  lack "$mirror cannot be reached: see $log"

# The kernel is not installed: it is one file of its package.
(
  cd "$work"
  apt -o APT::Sandbox::User=root download user-mode-linux && dpkg -x user-mode-linux_*.deb uml
) &>>"$log" &
kernel=$!

packages=(
  systemd systemd-sysv dbus dbus-user-session libpam-systemd # what is tested against
  busybox-static procps util-linux mount                     # what the tests run
  runc crun                                                  # what we are compared with
  podman uidmap                                              # who else asks a user's systemd for limits
)
# What it mounts ends with it, even if it is killed.
unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase --components=main \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
  --include="$(IFS=, && echo "${packages[*]}")" --format=directory \
  "$suite" "$work/root" "deb $mirror $suite main" &>>"$log" || fail "mmdebstrap has failed: see $log"
wait "$kernel" || fail "cannot download user-mode-linux: see $log"

root=$work/root
echo guest >"$root/etc/hostname"
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
chroot "$root" useradd --create-home --uid 1000 user
# Deno may be below it, for the user too.
chmod 711 "$root/root"
cp -r "$here/image/." "$root/"
# Nothing is mounted, no disk is checked and nobody logs in.
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$root"/lib/systemd/system-generators/*; do
  ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
done
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty.target \
  systemd-binfmt.service systemd-firstboot.service systemd-journal-flush.service systemd-machine-id-commit.service \
  systemd-modules-load.service systemd-random-seed.service systemd-remount-fs.service systemd-sysctl.service \
  systemd-sysusers.service systemd-timesyncd.service systemd-tmpfiles-clean.timer systemd-tmpfiles-setup-dev.service \
  systemd-update-utmp.service systemd-user-sessions.service \
  modprobe@.service kmod-static-nodes.service proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount \
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

truncate --size=1G "$work/root.ext4"
mke2fs -q -F -t ext4 -O ^has_journal -E lazy_itable_init=0 -m 0 -d "$root" "$work/root.ext4" &>>"$log" ||
  fail "mke2fs has failed: see $log"
mkdir "$work/image"
mv "$work/uml/usr/bin/linux.uml" "$work/image/linux"
mv "$work/root.ext4" "$root" "$work/image/"
whole "$work/image" || fail "the image lacks files of $here/image"
mv "$work/image" "$guest"
echo "$guest"
