#!/usr/bin/env bash
# Makes what people install without a clone:
#   infra/pack.sh OUT [PLATFORM...]      PLATFORM: linux-x64, win-x64, osx-arm64; default all three
# OUT/packages: the tool as NuGet packages, one a platform, and clipsae, which names them (once a linux-x64 one is made)
#   dotnet tool install --global clipsae --add-source OUT/packages      or:  dnx clipsae --source OUT/packages demo
# OUT/archives: the same with .NET's runtime, for machines without: unpack, and run clipsae
# OUT/SHA256SUMS: of all of them. infra/try-install.sh OUT tries those of Linux in an empty root.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1/packages" "$1/archives"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux-x64 win-x64 osx-arm64
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -nE 's|.*<Version>(.*)</Version>.*|\1|p' infra/build/Compilation.props)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet=(--verbosity quiet --nologo -consoleLoggerParameters:NoSummary --configuration Release)

for platform in "$@"; do
    case $platform in linux-x64 | win-x64 | osx-arm64) ;; *) echo "no such platform: $platform (linux-x64, win-x64, osx-arm64)" >&2; exit 2 ;; esac
    echo "packing for $platform ..."
    # Folders of its own for each: natives lie flat beside the programs, and those of two platforms must not mix.
    build=(services/Cli "${quiet[@]}" --runtime "$platform" --artifacts-path "$work/$platform")
    dotnet pack "${build[@]}" --output "$out/packages"
    if [ "$platform" = linux-x64 ]; then
        # It holds names alone, so that nothing has to be built for it.
        dotnet pack services/Cli "${quiet[@]}" --artifacts-path "$work/$platform" --no-build --no-restore --output "$out/packages" -p:ToolPointer=true -p:CreateRidSpecificToolPackages=false
    fi

    name=clipsae-$version-$platform
    dotnet publish "${build[@]}" --self-contained --output "$work/$name"
    # What debuggers read.
    find "$work/$name" \( -name '*.pdb' -o -name '*.xml' \) -delete
    cp LICENSE "$work/$name/"
    if [ "$platform" = win-x64 ]; then
        (cd "$work" && python3 -m zipfile -c "$out/archives/$name.zip" "$name")
    else
        tar -C "$work" --owner=0 --group=0 --sort=name --mtime=@0 -cf - "$name" | gzip -n >"$out/archives/$name.tar.gz"
    fi
    rm -rf "${work:?}/$platform" "${work:?}/$name"
done
(cd "$out" && find packages archives -type f ! -name '*.tmp' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
(cd "$out" && du -h packages/* archives/*)
