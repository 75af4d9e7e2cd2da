#!/usr/bin/env bash
# Stops what infra/local/up.sh started: workers first, then the coordinator and the servers. The data stay; up.sh goes on with them.
#   infra/local/down.sh [FOLDER]     FOLDER default ./clipsae-data/local
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath -m "${1:-clipsae-data/local}")
[ -d "$folder" ] || { echo "nothing was started in $folder" >&2; exit 1; }
# A number in a file may by now be that of a stranger's process: what was started here has its data folder in its environment.
pids=()
for file in "$folder"/pids/*; do
    case $file in *.port | *'*') continue ;; esac
    pid=$(<"$file")
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "ClipSae__DataFolder=$folder/work/$(basename "$file")"; then pids+=("$pid"); fi
done
for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
for pid in "${pids[@]}"; do
    for _ in $(seq 400); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
done
rm -rf "$folder/pids"
[ -d "$folder/broker" ] && "$here/broker.sh" stop "$folder/broker"
[ -d "$folder/s3" ] && "$here/s3.sh" stop "$folder/s3"
echo "stopped"
