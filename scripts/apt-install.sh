#!/usr/bin/env bash
# As root: installs the Debian packages named, and starts no service on the way.
# Debian starts a daemon as it is installed; nobody who builds Sluice asked for a load balancer on their machine.
set -euo pipefail

guard=/usr/sbin/policy-rc.d
forbidden=101 # what invoke-rc.d takes for "this action is not allowed"

# Containers often have such a guard of their own; where it says no already, it is left alone.
answer=0
[ ! -x "$guard" ] || "$guard" haproxy start >/dev/null 2>&1 || answer=$?
if [ "$answer" != "$forbidden" ]; then
  trap 'rm -f "$guard"; [ ! -e "$guard.before-sluice" ] || mv "$guard.before-sluice" "$guard"' EXIT
  trap 'exit 130' INT TERM HUP
  [ ! -e "$guard" ] || mv "$guard" "$guard.before-sluice"
  printf '#!/bin/sh\nexit %s\n' "$forbidden" >"$guard"
  chmod 755 "$guard"
fi

export DEBIAN_FRONTEND=noninteractive
# Somebody else's broken source is no reason to stop: what is needed may well be known already.
apt-get update --quiet=2 || echo "apt-get update had trouble; going on with what it knows"
apt-get install --quiet=2 --yes --no-install-recommends "$@"
