#!/usr/bin/env bash
# The photograph benchmark: a world of photographs with words printed by ImageMagick, and a CLIP trained on it that reads them.
#   infra/photographs.sh PHOTOGRAPHS WORLD [DEVICE]
# PHOTOGRAPHS is a folder with a folder of photographs a class, or an archive of one (.tar.xz). WORLD is made; WORLD/base becomes the model's data, WORLD/model the model.
# The world alone: infra/photographs/world.py --help. Needed from Debian: imagemagick and the fonts that it names where they are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
photographs=$1 world=$2 device=${3:-cpu}

if [ -f "$photographs" ]; then
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
    tar -xf "$photographs" -C "$unpacked" --no-same-owner
    photographs=$unpacked
    # An archive may hold the classes in one folder or in several, such as train.
    while [ "$(find "$photographs" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]; do photographs=$(find "$photographs" -mindepth 1 -maxdepth 1); done
fi
[ -d "$world/evaluation" ] || python3 infra/photographs/world.py "$photographs" "$world"

clipsae() { dotnet run --project services/Cli -- "$@"; }
if [ ! -f "$world/model/model.safetensors" ]; then
    clipsae pretrain --dataset "$world/base" --out "$world/model" --photographs --patch-dropout 0.5 --patch 8 --vision-width 128 --vision-layers 6 --batch-size 256 --steps 8000 --device "$device"
fi
classes=$(cd "$world/evaluation/clean" && printf '%s\n' * | paste -sd,)
sets=()
for set in "$world"/evaluation/*; do sets+=(--evaluation "$(basename "$set")=$set"); done
clipsae evaluate --model "base=$world/model/model.safetensors" "${sets[@]}" --set "evaluation.classes=$classes" --device "$device"
