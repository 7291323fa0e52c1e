#!/usr/bin/env bash
# demo.sh ARGS...: starts sluice-lab with these arguments, and Sluice on its configuration. Ctrl-C ends both; where one
# of them ends by itself, so does the other.
# LISTEN=ADDRESS:PORT says where to serve the dashboard; SLUICE_BIN and SLUICE_LAB_BIN, which programs to start.
set -uo pipefail

release=$(dirname "${BASH_SOURCE[0]}")/../target/release
listen=${LISTEN:-127.0.0.1:8080}
said=$(mktemp)
lab='' sluice=''

say() { printf 'demo: %s\n' "$*" >&2; }
runs() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# answers: whether somebody listens there.
answers() {
  local host=${listen%:*}
  host=${host#[}
  (exec 3<>"/dev/tcp/${host%]}/${listen##*:}") 2>/dev/null
}

# start COMMAND...: in the background and in a process group of its own, so that Ctrl-C reaches this script alone: it
# ends Sluice before the HAProxy processes that Sluice looks at.
start() {
  set -m
  "$@" </dev/null &
  set +m
}

end() {
  runs "$1" || return 0
  kill -TERM "$1"
  wait "$1" 2>/dev/null
}

# finish CODE [WHY]: ends what still runs.
finish() {
  trap '' INT TERM HUP
  [ -z "${2:-}" ] || say "$2"
  end "$sluice"
  end "$lab"
  rm -f "$said"
  exit "$1"
}
trap 'finish 0' INT TERM HUP

# both: returns while both run.
both() {
  local code
  if ! runs "$lab"; then
    wait "$lab" 2>/dev/null
    code=$?
    finish 1 "sluice-lab has ended (exit code $code)${sluice:+, and so does Sluice}"
  fi
  if [ -n "$sluice" ] && ! runs "$sluice"; then
    wait "$sluice" 2>/dev/null
    code=$?
    finish 1 "sluice serve has ended (exit code $code), and so does the lab"
  fi
}

answers && finish 1 "something listens on $listen already; choose another address with LISTEN=ADDRESS:PORT"

start "${SLUICE_LAB_BIN:-$release/sluice-lab}" "$@" >"$said"
lab=$!
config=''
while [ -z "$config" ]; do
  both
  sleep 0.1
  # Its one line on standard output is the command for Sluice.
  config=$(sed -n 's/.* --config //p' "$said")
done

start "${SLUICE_BIN:-$release/sluice}" serve --config "$config" --listen "$listen"
sluice=$!
until answers; do
  both
  sleep 0.1
done
printf '\n  Sluice is at http://%s\n  Ctrl-C ends it, and leaves nothing behind.\n\n' "$listen" >&2
while both; do sleep 0.2; done
