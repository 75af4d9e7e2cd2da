#!/usr/bin/env bash
# Tries what infra/pack.sh made for Linux, where nothing else is: in a root of Debian's smallest set of packages and OpenSSL, without a network, a home or an environment.
#   infra/try-install.sh OUT [ROOT]      OUT: what pack.sh wrote; ROOT: a root made before, default: a new one of Debian 12 (debootstrap --variant=minbase --include=libssl3)
# Needs root, bubblewrap and, for a new root, debootstrap and a mirror of Debian. The tool's package needs the .NET SDK, which is that of this machine.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=$(cd "$1" && pwd)
command -v bwrap >/dev/null || { echo "not installed: bwrap (apt-get install bubblewrap)" >&2; exit 1; }
(cd "$out" && sha256sum --check --quiet SHA256SUMS)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
base=${2:-$work/base}
if [ $# -lt 2 ]; then
    echo "making an empty root of Debian 12 ..."
    debootstrap --variant=minbase --include=libssl3 bookworm "$base" >"$work/debootstrap.log" 2>&1 || { tail -n 3 "$work/debootstrap.log" >&2; exit 1; }
fi
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$work/try"
inside() { # command...
    bwrap --ro-bind "$base" / --proc /proc --dev /dev --tmpfs /tmp --tmpfs /root --bind "$work/try" /srv --ro-bind "$sdk" /media --unshare-all --die-with-parent --chdir /srv \
        --clearenv --setenv PATH /usr/bin:/bin:/media:/srv/tools --setenv HOME /srv/home --setenv DOTNET_ROOT /media --setenv DOTNET_SYSTEM_GLOBALIZATION_INVARIANT 1 --setenv DOTNET_CLI_TELEMETRY_OPTOUT 1 --setenv DOTNET_NOLOGO 1 "$@"
}
# A whole run on a budget of seconds.
demo=(demo --images 240 --evaluation-images 40 --arms none --seeds 1 --threads 1 --set extraction.hookPoints=mlp@0 --set extraction.tokensPerImage=8 --set sae.expansion=2 --set sae.epochs=4 --set sae.batchSize=256
    --set curation.pairs=48 --set curation.attacks=64 --set curation.naturalImages=8 --set curation.randomDraws=1 --set tuning.steps=16 --set tuning.cleanBatch=16 --set tuning.attackBatch=16 --set tuning.validationInterval=8 --set evaluation.resamples=1000)
tried() { # how, command...
    local how=$1; shift
    echo "== $how: ${*}"
    inside "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; echo "failed: $how" >&2; exit 1; }
    tail -n "${LINES_SHOWN:-3}" "$work/said"
}

archive=$(ls "$out"/archives/clipsae-*-linux-x64.tar.gz)
tar -C "$work/try" -xzf "$archive"
folder=$(basename "$archive" .tar.gz)
tried "archive" env -u DOTNET_ROOT PATH=/usr/bin:/bin "/srv/$folder/clipsae" --version
LINES_SHOWN=30 tried "archive" env -u DOTNET_ROOT PATH=/usr/bin:/bin "/srv/$folder/clipsae" doctor
LINES_SHOWN=12 tried "archive" env -u DOTNET_ROOT PATH=/usr/bin:/bin "/srv/$folder/clipsae" "${demo[@]}" --data /srv/archive-data

mkdir -p "$work/try/home" "$work/try/packages"
cp "$out"/packages/clipsae.*.nupkg "$work/try/packages/"
tried "tool" dotnet tool install --tool-path /srv/tools --source /srv/packages clipsae
tried "tool" clipsae --version
LINES_SHOWN=12 tried "tool" clipsae "${demo[@]}" --data /srv/tool-data
tried "dnx" dotnet dnx --yes --source /srv/packages clipsae doctor
echo "all tried"
