#!/usr/bin/env bash
# Mutation testing: changes the code at one place after another, and counts the changes that no test notices.
# Runs at lowest priority, in the build folders of this checkout: build or test nothing else there meanwhile.
#   infra/mutation.sh OUT [PROJECT [GLOB ...]]     report into OUT; PROJECT: Pipeline (default), Clip or Sae; GLOB: its files, default a few that decide much
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
out=$(realpath -m "$1")
project=${2:-Pipeline}
shift $(($# < 2 ? $# : 2))
if [ $# -eq 0 ]; then
    case $project in
        Pipeline) set -- '**/Runs/RunDecisions.cs' '**/Runs/RunState.cs' '**/Runs/StageState.cs' ;;
        Clip) set -- '**/Tokenizers/BytePairs.cs' '**/Tokenizers/ClipTokenizer.cs' '**/Architecture/HookPoint.cs' ;;
        Sae) set -- '**/SaeVariant.cs' '**/Formats/SaeLensFormat.cs' '**/Kernels/Selection.cs' ;;
        *) echo "infra/mutation.sh: $project is none of Pipeline, Clip and Sae" >&2; exit 2 ;;
    esac
fi
chosen=()
for glob; do chosen+=(--mutate "$glob"); done
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/$project.Tests"
# Analyzers would refuse mutants. Each mutant is tried by the tests alone that reach it.
RunAnalyzers=false exec chrt --idle 0 dotnet tool exec dotnet-stryker@5.1.0 --yes -- \
    --test-runner mtp --project "ClipSae.$project.csproj" "${chosen[@]}" --output "$out" --reporter Json --reporter ClearText --reporter Html
