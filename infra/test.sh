#!/usr/bin/env bash
# Builds everything once, warnings and formatting being errors, and runs every test project.
# Ends with the line "N passed, N failed" (and ", N skipped" where there are any); exit code 0 only if some passed and none failed.
#   infra/test.sh [NAME ...]     only the test projects with these names, for example: infra/test.sh Clip.Tests EndToEnd
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
export PATH="$PATH:${DOTNET_ROOT:-$HOME/.dotnet}:/usr/share/dotnet"

stop() {
    echo "$1" >&2
    echo "0 passed, 1 failed"
    exit 1
}

command -v dotnet >/dev/null \
    || stop "The .NET 10 SDK is missing. Get it from https://dotnet.microsoft.com/download/dotnet/10.0 or: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
dotnet --version >/dev/null 2>&1 \
    || stop "$(dotnet --version 2>&1 | tail -n 3)
The SDK that global.json asks for is missing: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"

# Some projects test against real servers, one in a browser.
chosen=" $* "
wants() { # whether one of these projects is tested
    for name in "$@"; do
        if [ -d "tests/$name" ] && { [[ $chosen == "  " ]] || [[ $chosen == *" $name "* ]]; }; then return 0; fi
    done
    return 1
}
if wants ObjectStorage.Tests Bus.Tests Distributed; then infra/local/install.sh servers || stop "The servers that tests need are missing."; fi
if wants Web.Tests; then infra/local/install.sh browser || echo "Tests in a browser will be skipped." >&2; fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# The version is that of infra/docs/contributing.md.
if ! dotnet tool exec csharpier@1.4.0 --yes -- check . >"$results/format.log" 2>&1; then
    tail -n 20 "$results/format.log"
    stop "The code is not formatted: dotnet tool exec csharpier@1.4.0 -- format ."
fi

echo "building ..."
if ! dotnet build ClipSae.sln --verbosity quiet --nologo -consoleLoggerParameters:NoSummary >"$results/build.log" 2>&1; then
    grep -E 'error|warning' "$results/build.log" | sort -u | head -50
    stop "The build failed."
fi

# What killed processes leave among the temporary files goes with the results.
export TMPDIR=$results/tmp
mkdir "$TMPDIR"
passed=0 failed=0 skipped=0
for project in tests/*/*.csproj; do
    name=$(basename "$(dirname "$project")")
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    # Benchmarks and other programs beside the tests carry no test runner.
    case $name in *.Tests | EndToEnd | Distributed) ;; *) continue ;; esac
    program="tests/$name/bin/Debug/net10.0/ClipSae.$name.dll"

    log="$results/$name.log"
    started=$SECONDS
    # A shell starts its background jobs with the interrupt ignored, and they hand that on; but tests interrupt programs.
    # 8 is "no tests ran": a project may have none for this machine.
    env --default-signal=INT dotnet "$program" --no-ansi --no-progress >"$log" 2>&1
    code=$?
    count() { sed -nE "s/^ *$1: ([0-9]+).*/\1/p" "$log" | tail -n 1; }
    p=$(count succeeded) f=$(count failed) s=$(count skipped)
    p=${p:-0} f=${f:-0} s=${s:-0}
    # A runner that died without counting is a failure, whatever it had said before.
    if [ "$code" -ne 0 ] && [ "$code" -ne 8 ] && [ "$f" -eq 0 ]; then f=1; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-28s %4d passed %4d failed %4d skipped %5d s\n' "$name" "$p" "$f" "$s" $((SECONDS - started))
    if [ "$f" -gt 0 ]; then
        grep -vE '^(xUnit.net|Test run summary|  (total|succeeded|skipped|duration):)' "$log" | tail -n 200
    fi
done

summary="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
