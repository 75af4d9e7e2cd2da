#!/usr/bin/env bash
# Mutation testing of the core of a run: changes it at one place after another, and counts the changes that no test notices.
# Runs at lowest priority, in the build folders of this checkout: build or test nothing else there meanwhile.
#   infra/mutation.sh OUT [GLOB ...]     report into OUT; GLOB: files of shared/Pipeline, default those that fold and decide
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
out=$(realpath -m "$1")
shift
[ $# -gt 0 ] || set -- '**/Runs/RunDecisions.cs' '**/Runs/RunState.cs' '**/Runs/StageState.cs'
chosen=()
for glob; do chosen+=(--mutate "$glob"); done
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/Pipeline.Tests"
# Analyzers would refuse mutants. Each mutant is tried by the tests alone that reach it.
RunAnalyzers=false exec chrt --idle 0 dotnet tool exec dotnet-stryker@5.1.0 --yes -- \
    --test-runner mtp --project ClipSae.Pipeline.csproj "${chosen[@]}" --output "$out" --reporter Json --reporter ClearText --reporter Html
