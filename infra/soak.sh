#!/usr/bin/env bash
# Runs small demos on the real processes and kills these at random moments with kill -9, each kind as often as any other, until enough were killed.
# Every run must complete with the digests of an undisturbed one, and its log must hold each fact once.
#   infra/soak.sh [KILLS] [MINUTES]      default 200 kills in at most 60 minutes; fewer kills in that time are a failure
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CLIPSAE_KILLS=${1:-200} CLIPSAE_KILL_MINUTES=${2:-60}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
infra/local/install.sh
dotnet build tests/Distributed --verbosity quiet --nologo -consoleLoggerParameters:NoSummary
exec dotnet tests/Distributed/bin/Debug/net10.0/ClipSae.Distributed.dll --no-ansi --no-progress --show-live-output on --filter-method '*Killed_again_and_again*'
