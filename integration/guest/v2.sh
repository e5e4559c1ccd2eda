#!/usr/bin/env bash
# v2.sh COMMAND...: runs COMMAND as root where /sys/fs/cgroup is cgroup v2 and nothing else, on a machine with v1 or
# both. The view is a mount namespace and a cgroup namespace of its own, on a new cgroup below the host's cgroup2 mount.
#
# The controllers stay with v1, where others may use them: all but hugetlb, if v1 does not have it. So the view shows
# everything that needs no controller (devices, freezer, kill, namespaces), and how controllers are handed down.
set -euo pipefail

host=$(findmnt --noheadings --first-only --output TARGET --types cgroup2) || {
  echo "v2: no cgroup2 is mounted" >&2
  exit 125
}
view=$host/hako-v2-$$
enabled=

leave() {
  # Processes of the view may have outlived the command; a killed one stays for a moment.
  for _ in {1..50}; do
    [[ -d $view ]] || break
    [[ -e $view/cgroup.kill ]] && echo 1 >"$view/cgroup.kill"
    find "$view" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
  done
  [[ -z $enabled ]] || echo -hugetlb >"$host/cgroup.subtree_control" || true
}
trap leave EXIT

if grep -qw hugetlb "$host/cgroup.controllers" && ! grep -qw hugetlb "$host/cgroup.subtree_control"; then
  echo +hugetlb >"$host/cgroup.subtree_control"
  enabled=1
fi

# The command is in a cgroup beside those it makes: one with processes cannot hand controllers down.
mkdir "$view" "$view/command"
# shellcheck disable=SC2016
(
  echo "$BASHPID" >"$view/cgroup.procs"
  exec unshare --mount --cgroup --propagation private bash -euc '
    echo $$ >"$1/command/cgroup.procs"
    shift
    umount --recursive /sys/fs/cgroup
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
    exec "$@"
  ' v2 "$view" "$@"
)
