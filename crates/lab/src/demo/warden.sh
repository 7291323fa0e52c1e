# Ends what the lab left behind when `sluice-lab` was killed outright and could not do it itself.
# Its standard input is a pipe that `sluice-lab` holds open: it closes with it, however that ends.
# $1: the lab's folder; $2: "remove" if the folder goes too.
trap '' INT TERM HUP
while read -r _; do :; done
ended=
for file in "$1"/lb1.pid "$1"/lb2.pid; do
  # After an orderly end the files are gone, and there is nothing to do.
  read -r pid 2>/dev/null <"$file" || continue
  grep -q haproxy "/proc/$pid/cmdline" 2>/dev/null || continue
  kill -TERM "$pid" && ended="$ended $pid"
done
[ -z "$ended" ] || sleep 1
for pid in $ended; do kill -KILL "$pid" 2>/dev/null; done
[ "$2" != remove ] || rm -rf "$1"
