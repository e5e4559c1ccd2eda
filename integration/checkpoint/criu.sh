#!/usr/bin/env bash
# criu.sh: finds a criu that is fit for this kernel, or fetches one, once, from apt alone, and prints its path.
#
# Debian 12's (3.17) cannot save a process on Linux 6.15 and later: "vdso: Unexpected rt vDSO area bounds". Then Debian 13's
# is unpacked, with the libraries that it needs, into $HAKO_CRIU, or ~/.cache/hako/criu. Nothing is installed.
#
# Ends with 125 and a reason where there is none to be had.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
suite=trixie

fail() {
  echo "criu: $*" >&2
  exit 125
}

((EUID == 0)) || fail "needs root"
fits() { "$1" check &>/dev/null; }

if own=$(command -v criu) && fits "$own"; then
  echo "$own"
  exit
fi
folder=${HAKO_CRIU:-${HOME:-/root}/.cache/hako/criu}
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
criu=$folder/criu
if [[ -x $criu ]]; then
  fits "$criu" || fail "$("$criu" check 2>&1 | grep Error | head -n 1)"
  echo "$criu"
  exit
fi

# The mirror that this machine uses itself.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/\?$') ||
  fail "apt knows no mirror of Debian"
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$folder/log
mkdir -p "$work"/{lists/partial,cache/archives/partial,debs}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources"
: >"$work/status"
cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
END
apt() { APT_CONFIG=$work/apt.conf "$@"; }
fetch() {
  local needs libraries
  apt apt-get update || return
  # All but the interpreter of its Python tools.
  needs=$(apt apt-cache depends criu | sed -n 's/^ *Depends: \(lib.*\)/\1/p')
  # shellcheck disable=SC2086
  libraries=$(apt apt-cache depends --recurse --important $needs | grep '^lib')
  # shellcheck disable=SC2086
  (cd "$work/debs" && apt apt-get download criu $libraries) || return
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/root" || return; done
}
fetch &>"$log" || fail "cannot fetch it: see $log"

rm -rf "$folder/root"
mv "$work/root" "$folder/root"
loader=$(echo "$folder"/root/usr/lib/*/ld-linux-*.so.*)
cat >"$criu.new" <<END
#!/bin/sh
exec "$loader" --library-path "${loader%/*}" "$folder/root/usr/sbin/criu" "\$@"
END
chmod +x "$criu.new"
mv "$criu.new" "$criu"
fits "$criu" || fail "$("$criu" check 2>&1 | grep Error | head -n 1)"
echo "$criu"
