#!/usr/bin/env bash
# Unpacks the HAProxy of each Debian suite side by side into the tools folder, for the tests that run every version:
# TOOLS/haproxy/VERSION/haproxy starts it. Nothing is installed, nothing needs root, and nothing is fetched but from the
# archive that this machine's own sources name. What can't be had is said aloud and is no failure.
set -euo pipefail

# Each suite with the branch of HAProxy that it holds.
SUITES=(bullseye=2.2 bookworm=2.6 trixie=3.0 sid=3.2 experimental=3.4)

shelf=${SLUICE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice/tools}/haproxy

say() { printf 'haproxy-versions: %s\n' "$*"; }
missing() { printf 'haproxy-versions: HAProxy %s is missing: %s; tests of it will be skipped\n' "$1" "$2" >&2; }

# installed BRANCH: whether a version of that branch is there, and runs.
installed() {
  local program
  for program in "$shelf/$1".*/haproxy; do
    "$program" -v >/dev/null 2>&1 && return 0
  done
  return 1
}

# The address of the Debian archive, as this machine's sources have it.
archive() {
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
    awk '$1 ~ /^(bullseye|bookworm|trixie|forky|sid|(old)*stable|testing|unstable)$/ { print $2; exit }'
}

# private SUITE WORK: a configuration of apt that knows this suite alone and writes into WORK alone.
private() {
  local suite=$1 work=$2 keys=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
  [ ! -e "$keys" ] || signed="[signed-by=$keys]"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  : >"$work/status"
  echo "deb $signed $archive $suite main" >"$work/sources.list"
  if [ "$suite" = experimental ]; then
    # It is no whole suite: HAProxy alone comes from it, and its libraries from the one below.
    echo "deb $signed $archive sid main" >>"$work/sources.list"
    printf 'Package: haproxy\nPin: release a=experimental\nPin-Priority: 990\n' >"$work/preferences"
  fi
  # The hooks of the machine's own configuration are about its own lists and caches.
  cat >"$work/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "$work/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::State::Status "$work/status";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
END
}

# fetch SUITE BRANCH WORK: unpacks that suite's HAProxy with the libraries that it needs.
fetch() {
  local suite=$1 branch=$2 work=$3 version packages
  private "$suite" "$work"
  if ! apt-get -c "$work/apt.conf" --quiet=2 update >"$work/log" 2>&1; then
    missing "$branch" "the archive's suite $suite can't be had ($(grep -m 1 '^E:' "$work/log" || echo "no reason given"))"
    return
  fi
  version=$(apt-cache -c "$work/apt.conf" show --no-all-versions haproxy 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
  if [[ $version != "$branch".* ]]; then
    missing "$branch" "the suite $suite holds ${version:-none} now"
    return
  fi
  # As if nothing were installed: HAProxy with its libraries, and nothing else of what its package wants.
  packages=$(apt-get -c "$work/apt.conf" --simulate install haproxy 2>"$work/log" |
    sed -n '/^Inst libperl/d; s/^Inst \(lib[^ ]*\) .*/\1/p')
  mkdir "$work/debs" "$work/there"
  # shellcheck disable=SC2086 # one word for each package
  if [ -z "$packages" ] ||
    ! (cd "$work/debs" && apt-get -c "$work/apt.conf" --quiet=2 download haproxy $packages) >"$work/log" 2>&1; then
    missing "$branch" "its packages can't be had ($(grep -m 1 '^E:' "$work/log" || echo "no reason given"))"
    return
  fi
  local deb root
  for deb in "$work"/debs/*.deb; do
    # The C library apart: an older one than the machine's own must not be used.
    root=$work/there/root
    [[ ${deb##*/} != libc6_* ]] || root=$work/there/libc
    dpkg -x "$deb" "$root"
  done
  rm -rf "$work/there"/*/usr/share
  wrapper >"$work/there/haproxy"
  chmod 755 "$work/there/haproxy"
  version=$("$work/there/haproxy" -v 2>"$work/log" | sed -n '1s/^HA-\{0,1\}Proxy version \([0-9.]*\).*/\1/p')
  if [ -z "$version" ]; then
    missing "$branch" "it was unpacked but does not start ($(head -n 1 "$work/log"))"
    return
  fi
  rm -rf "${shelf:?}/$version"
  mv "$work/there" "$shelf/$version"
  say "HAProxy $version is there, from $suite"
}

# A script that starts the HAProxy beside it, by the C library beside it where that one is new enough to be told what
# the program is called: a master starts itself again by that name as it reloads.
wrapper() {
  cat <<'END'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
paths() { find "$@" -type d -name '*-linux-gnu*' -path '*/lib/*' -prune -print | tr '\n' ':'; }
loader=$(find "$here/libc" -name 'ld-linux*' | head -n 1)
if "$loader" --help 2>/dev/null | grep -q -e --argv0; then
  exec "$loader" --argv0 "$here/haproxy" --library-path "$(paths "$here/libc" "$here/root")" "$here/root/usr/sbin/haproxy" "$@"
fi
LD_LIBRARY_PATH=$(paths "$here/root") exec "$here/root/usr/sbin/haproxy" "$@"
END
}

mkdir -p "$shelf"
archive=''
for suite in "${SUITES[@]}"; do
  branch=${suite#*=} suite=${suite%=*}
  installed "$branch" && continue
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    missing "$branch" "this machine has no apt-get"
    continue
  fi
  [ -n "$archive" ] || archive=$(archive)
  if [ -z "$archive" ]; then
    missing "$branch" "this machine's sources name no Debian archive"
    continue
  fi
  work=$(mktemp -d "$shelf/.work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  fetch "$suite" "$branch" "$work" || missing "$branch" "something went wrong on the way; the words above say what"
  rm -rf "$work"
done
