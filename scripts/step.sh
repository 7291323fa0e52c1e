#!/usr/bin/env bash
# step.sh "what this is" COMMAND...: runs one step of make under a heading with the seconds since make began.
set -euo pipefail

heading=$1
shift
elapsed() { printf '%5d s' $(($(date +%s) - ${SLUICE_MAKE_BEGAN:-$(date +%s)})); }

printf '==[%s] %s\n' "$(elapsed)" "$heading"
[ $# -gt 0 ] || exit 0
code=0
"$@" || code=$?
[ "$code" = 0 ] || printf '==[%s] failed: %s\n' "$(elapsed)" "$heading" >&2
exit "$code"
