#!/usr/bin/env bash
# boot.sh nspawn|uml [--hybrid] [--timeout SECONDS] COMMAND: boots a Debian with systemd, runs a shell command in it as
# root, and ends with its status. The project and Deno are in their usual places.
#
#   nspawn  systemd as pid 1 of a container on this machine's kernel, in half a second. Cgroup v2 without the controllers
#           that v1 holds here: for systemd itself, devices, freezer.
#   uml     User Mode Linux, in four seconds, and each system call is slow. Cgroup v2 with the controllers cpu, io, memory
#           and pids, or hybrid: for limits.
#
# Ends with 125 and a reason on a machine that lacks what it takes. A guest that does not boot all the same, or a command
# that does not end in time, is a failure: 1, and the end of the console.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
kind=${1-} hybrid='' limit=300
# Seconds. One is enough, or four, where nobody else is at work.
readonly boot_limit=120
shift
while [[ ${1-} == --* ]]; do
  case $1 in
  --hybrid) hybrid=1 ;;
  --timeout)
    limit=$2
    shift
    ;;
  *) break ;;
  esac
  shift
done
[[ $kind == nspawn || $kind == uml ]] && (($# == 1)) || {
  sed -n '2,3p' "$0" >&2
  exit 2
}
lack() {
  echo "boot: $*" >&2
  exit 125
}
guest=$("$here/image.sh") || exit

job=$(mktemp -d "${TMPDIR:-/tmp}/hako-guest.XXXXXX")
chmod 755 "$job"
cgroup=
pid=
leave() {
  [[ -z $pid ]] || { kill -TERM "$pid" && wait "$pid"; } 2>/dev/null
  # All processes of User Mode Linux have this in their arguments.
  for process in $(grep -lsF "uml_dir=$job/" /proc/[0-9]*/cmdline | cut -d / -f 3); do kill -KILL "$process"; done
  if [[ $cgroup ]]; then
    echo 1 >"$cgroup/cgroup.kill"
    for _ in {1..100}; do
      find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
      [[ -d $cgroup ]] || break
      sleep 0.05
    done
  fi
  rm -rf "$job"
} 2>/dev/null
trap leave EXIT
trap 'exit 130' INT TERM

deno=$(command -v "${DENO:-deno}") || {
  echo "boot: no deno: put it into PATH or DENO" >&2
  exit 2
}
deno=$(dirname "$(readlink -f "$deno")")
shares=("$project" "$deno")
printf '%s\n' "${shares[@]}" >"$job/shares"
printf 'PATH=%q:$PATH\nexport DENO_DIR=/tmp/deno\ncd %q\n%s\n' "$deno" "$project" "$1" >"$job/command"
: >"$job/stdout"
: >"$job/stderr"

# Why it does not boot is on its console.
systemd=(
  systemd.unit=guest.target systemd.show_status=0 systemd.log_level=warning
  systemd.journald.forward_to_console=1 systemd.journald.max_level_console=warning
)

boot_nspawn() {
  local host
  host=$(findmnt --noheadings --first-only --output TARGET --types cgroup2) || lack "no cgroup2 is mounted"
  cgroup=$host/hako-guest-$$
  mkdir "$cgroup"
  local options=(
    --quiet --directory="$guest/root" --volatile=overlay --boot --keep-unit --register=no --console=read-only
    --private-network --bind="$job:/job" --bind="$project" --bind-ro="$deno"
    # What a container runtime calls. Its usual filter has neither bpf(2) nor keyctl(2).
    --capability=all --system-call-filter=@known
  )
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_LOG_LEVEL=err
  # systemd-nspawn looks at the cgroups that are mounted: they have to be v2 alone, from their root. What it leaves in /run
  # it removes only from a tmpfs.
  # shellcheck disable=SC2016
  setsid timeout --kill-after=5 "$limit" bash -c '
    echo $$ >"$1/cgroup.procs"
    shift
    exec unshare --mount --propagation private bash -c "
      umount --recursive /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
        mount -t tmpfs -o mode=755 tmpfs /run && exec systemd-nspawn \"\$@\"
    " nspawn "$@"
  ' boot "$cgroup" "${options[@]}" "${systemd[@]}" </dev/null &>"$job/console" &
  pid=$!
}

boot_uml() {
  [[ ,$(findmnt --noheadings --output OPTIONS --target /dev/shm), != *,noexec,* ]] ||
    lack "/dev/shm is mounted noexec, and User Mode Linux executes from there"
  local options=(
    mem=1024M ubd0="$job/changes,$guest/root.ext4" root=/dev/ubda rw rootfstype=ext4
    uml_dir="$job/" umid=uml con=null con0=null,fd:1 con1=null ssl=null quiet
    "${systemd[@]}" guest.job="$job"
    systemd.unified_cgroup_hierarchy="$([[ $hybrid ]] && echo 0 || echo 1)" systemd.legacy_systemd_cgroup_controller=0
  )
  # Its memory is a file. On several CPUs it is many times slower.
  TMPDIR=/dev/shm setsid taskset --cpu-list "$(($$ % $(nproc)))" timeout --kill-after=5 "$limit" \
    "$guest/linux" "${options[@]}" </dev/null &>"$job/console" &
  pid=$!
}

"boot_$kind"
for ((tries = 0; tries < boot_limit * 10; tries++)); do
  [[ ! -f $job/started ]] && kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
[[ -f $job/started ]] || kill -TERM "$pid" 2>/dev/null
wait "$pid"
status=$?
pid=
cat "$job/stdout"
cat "$job/stderr" >&2
[[ -f $job/status ]] && exit "$(cat "$job/status")"
if [[ -f $job/started ]]; then
  echo "boot: the command has not ended in $limit seconds, or the guest has died under it (status $status)."
else
  echo "boot: the guest has not booted (status $status)."
fi >&2
echo "The end of its console:" >&2
tail -n 20 "$job/console" >&2
exit 1
