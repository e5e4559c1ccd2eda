#!/usr/bin/env bash
# image.sh: makes, once, the Debian system that boot.sh boots, from apt alone, and prints its folder: $HAKO_GUEST, or
# ~/.cache/hako/guest.
#
#   root/      the system, for systemd-nspawn
#   root.ext4  the same as a file system, for User Mode Linux
#   linux      User Mode Linux's kernel
#
# Ends with 125 and a reason where it cannot be made.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
here=$(cd "$(dirname "$0")" && pwd)
guest=${HAKO_GUEST:-${HOME:-/root}/.cache/hako/guest}
suite=bookworm

fail() {
  echo "image: $*" >&2
  exit 125
}

((EUID == 0)) || fail "needs root"
mkdir -p "$guest"
exec 9>"$guest/lock"
flock 9
key=$(cat "$here/image.sh" "$here"/image/* | sha256sum)
if [[ $(cat "$guest/key" 2>/dev/null) == "$key" ]]; then
  echo "$guest"
  exit
fi

# The mirror that this machine uses itself.
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" 2>/dev/null | head -n 1)
[[ $mirror ]] || fail "apt knows no mirror of Debian $suite"
log=$guest/log
: >"$log"
missing=()
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
command -v mke2fs >/dev/null || missing+=(e2fsprogs)
if ((${#missing[@]})); then
  install() { apt-get install --yes --no-install-recommends --no-remove "${missing[@]}" </dev/null &>>"$log"; }
  install || { apt-get update &>>"$log" && install; } || fail "cannot install ${missing[*]}: see $log"
fi

work=$(mktemp -d "$guest/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
rm -rf "$guest/key" "$guest/root"

# The kernel is not installed: it is one file of its package.
(
  cd "$work"
  apt-get -o APT::Sandbox::User=root download user-mode-linux && dpkg -x user-mode-linux_*.deb uml
) &>>"$log" &
kernel=$!

packages=(
  systemd systemd-sysv dbus dbus-user-session libpam-systemd # what is tested against
  busybox-static procps util-linux mount                     # what the tests run
  runc crun                                                  # what we are compared with
  podman uidmap                                              # who else asks a user's systemd for limits
)
mmdebstrap --quiet --mode=root --variant=minbase --components=main \
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
install -m 755 "$here/image/guest-job" "$root/usr/local/sbin/guest-job"
install -m 644 "$here/image/guest-job.service" "$here/image/guest.target" "$root/etc/systemd/system/"
# Limits that a user's manager may hand down.
install -D -m 644 /dev/stdin "$root/etc/systemd/system/user@.service.d/delegate.conf" <<'END'
[Service]
Delegate=cpu cpuset io memory pids
END
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
mv "$work/uml/usr/bin/linux.uml" "$guest/linux"
mv "$work/root.ext4" "$root" "$guest/"
echo "$key" >"$guest/key"
echo "$guest"
