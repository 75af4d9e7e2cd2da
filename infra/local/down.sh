#!/usr/bin/env bash
# Stops what infra/local/up.sh started: workers first, then the coordinator and the servers. The data stay; up.sh goes on with them.
#   infra/local/down.sh [FOLDER]     FOLDER default ./clipsae-data/local
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath -m "${1:-clipsae-data/local}")
[ -d "$folder" ] || { echo "nothing was started in $folder" >&2; exit 1; }
mapfile -t pids < <(find "$folder/pids" -type f ! -name '*.port' -exec cat {} + 2>/dev/null)
for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
for pid in "${pids[@]}"; do
    for _ in $(seq 400); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
done
rm -rf "$folder/pids"
[ -d "$folder/broker" ] && "$here/broker.sh" stop "$folder/broker"
[ -d "$folder/s3" ] && "$here/s3.sh" stop "$folder/s3"
echo "stopped"
