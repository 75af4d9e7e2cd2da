#!/usr/bin/env bash
# Packs .NET's runtime and built programs for a machine that has an NVIDIA card and a PyTorch, but neither .NET nor a network, in less than 50 MB.
#   infra/gpu.sh pack OUT [PROGRAM_FOLDER...]   default: builds services/Cli and tests/Benchmarks (Release) and packs both
# There, with the folder OUT copied to it:
#   OUT/run.sh clipsae doctor                   what it finds: PyTorch, cards
#   OUT/run.sh clipsae demo --device cuda:0
#   OUT/run.sh ClipSae.Benchmarks gpu           everything beside the same work in PyTorch, one table
# It unpacks itself once, into CLIPSAE_UNPACKED or a folder of the user's under /tmp.
set -euo pipefail
limit=$((50 * 1000 * 1000))

if [ $# -lt 2 ] || [ "$1" != pack ]; then sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
out=$2
shift 2
mkdir -p "$out"
out=$(cd "$out" && pwd)
programs=()
for folder in "$@"; do
    ls "$folder"/*.runtimeconfig.json >/dev/null 2>&1 || { echo "$folder holds no built program" >&2; exit 1; }
    programs+=("$(cd "$folder" && pwd)")
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ${#programs[@]} -eq 0 ]; then
    # The benchmarks bring the command along: one folder serves both.
    dotnet build tests/Benchmarks -c Release --verbosity quiet --nologo -consoleLoggerParameters:NoSummary
    programs=(tests/Benchmarks/bin/Release/net10.0)
fi

dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/dotnet/shared" "$work/app"
cp -r "$dotnet/dotnet" "$dotnet/host" "$work/dotnet/"
cp -r "$dotnet/shared/Microsoft.NETCore.App" "$dotnet/shared/Microsoft.AspNetCore.App" "$work/dotnet/shared/"
# What debuggers need, and what nothing here uses.
find "$work/dotnet" \( -name '*.pdb' -o -name '*.xml' -o -name 'libmscord*' -o -name 'libcoreclrtraceptprovider.so' -o -name 'Microsoft.VisualBasic*' \
    -o -name 'System.Data.Common.dll' -o -name 'System.Private.DataContractSerialization.dll' \) -delete
for program in "${programs[@]}"; do
    cp -rL "$program/." "$work/app/"
done

# libtorch is what the machine has; ONNX Runtime checks exports and is not needed to compute.
find "$work/app" \( -name '*.pdb' -o -name '*.xml' -o -name 'libonnxruntime*' -o -name 'libtorch*.so' -o -name 'libc10*.so' -o -name 'libgomp-*' \) -delete
tar -C "$work" -cf - dotnet app | xz -T0 -6 >"$out/clipsae.tar.xz"

cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# run.sh PROGRAM ARGS…: unpacks on first use, then runs PROGRAM (clipsae, ClipSae.Benchmarks, ClipSae.Service …) with the PyTorch of this machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -gt 0 ] || { echo "usage: run.sh PROGRAM ARGS…" >&2; exit 2; }
sum=$(cksum <"$here/clipsae.tar.xz" | tr ' ' '-')
base=${CLIPSAE_UNPACKED:-${TMPDIR:-/tmp}/clipsae-$(id -u)}
unpacked=$base/$sum
if [ ! -d "$unpacked" ]; then
    umask 077
    mkdir -p "$base"
    [ -O "$base" ] || { echo "$base belongs to another user: name a folder of yours in CLIPSAE_UNPACKED" >&2; exit 1; }
    fresh=$(mktemp -d "$base/XXXXXX")
    # Python unpacks where there is no xz.
    if command -v xz >/dev/null; then tar -C "$fresh" -xJf "$here/clipsae.tar.xz"
    else python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")' "$here/clipsae.tar.xz" "$fresh"; fi
    mv -T "$fresh" "$unpacked" 2>/dev/null || rm -rf "$fresh"
fi
program=$unpacked/app/$1.dll
[ -f "$program" ] || { echo "no program $1: there are $(cd "$unpacked/app" && ls ./*.runtimeconfig.json | sed 's|^\./||; s|\.runtimeconfig\.json$||' | tr '\n' ' ')" >&2; exit 2; }
shift
export DOTNET_ROOT=$unpacked/dotnet DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
exec "$unpacked/dotnet/dotnet" "$program" "$@"
RUN
chmod +x "$out/run.sh"
size=$(stat -c %s "$out/clipsae.tar.xz")
echo "$out: $((size / 1000000)) MB"
[ "$size" -le "$limit" ] || { echo "more than $((limit / 1000000)) MB" >&2; exit 1; }
