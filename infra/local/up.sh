#!/usr/bin/env bash
# Starts the whole distributed system on this machine, without Docker: RabbitMQ, an S3 server, the coordinator and one process for each worker.
# Everything listens on loopback, with generated credentials; the data stay in the folder when it is stopped.
#   infra/local/up.sh [FOLDER] [WORKERS]     FOLDER default ./clipsae-data/local; WORKERS: embedding workers, default 2
# Then: source FOLDER/env; clipsae submit …
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) root=$(cd "$here/../.." && pwd)
folder=$(realpath -m "${1:-clipsae-data/local}") embedding=${2:-2}
configuration=${CLIPSAE_BUILD:-Release} broker_port=${CLIPSAE_BROKER_PORT:-25672} s3_port=${CLIPSAE_S3_PORT:-29000} health_port=${CLIPSAE_HEALTH_PORT:-28080}
stages=(sae-training attack-curation fine-tuning weight-conversion zero-shot-evaluation report) # embedding-extraction has several workers

for pid in $(find "$folder/pids" -type f ! -name '*.port' -exec cat {} + 2>/dev/null); do
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qF "ClipSae__DataFolder=$folder/work/"; then echo "already running in $folder: infra/local/down.sh $folder stops it" >&2; exit 1; fi
done
for setting in CLIPSAE_BROKER_PORT=$broker_port CLIPSAE_S3_PORT=$s3_port CLIPSAE_HEALTH_PORT=$health_port; do
    port=${setting#*=}
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "port $port is in use: stop what listens there, or set ${setting%=*} to another" >&2; exit 1; fi
done
"$here/install.sh"
program=$root/services/Service/bin/$configuration/net10.0/ClipSae.Service
if ! [ -x "$program" ]; then
    echo "building ..."
    dotnet build "$root/ClipSae.sln" -c "$configuration" -v quiet --nologo
fi

mkdir -p -m 700 "$folder/pids" "$folder/logs"
echo "starting the broker and the object store ..."
"$here/broker.sh" start "$folder/broker" "$broker_port"
"$here/s3.sh" start "$folder/s3" "$s3_port" disk
"$here/s3.sh" bucket "$folder/s3" clipsae
(umask 077; cat >"$folder/env" <<ENV
export ClipSae__Bus=rabbitmq ClipSae__Store=s3
export ClipSae__Broker__Host=localhost ClipSae__Broker__Port=$broker_port ClipSae__Broker__User=clipsae-submitter ClipSae__Broker__PasswordFile='$folder/broker/users/clipsae-submitter.password'
export ClipSae__S3__Endpoint=http://127.0.0.1:$s3_port ClipSae__S3__Bucket=clipsae ClipSae__S3__AccessKeyFile='$folder/s3/access-key' ClipSae__S3__SecretKeyFile='$folder/s3/secret-key'
export ClipSae__S3__CacheFolder='$folder/cache'
clipsae() { '$root/services/Cli/bin/$configuration/net10.0/clipsae' "\$@"; } # a function, since scripts know no aliases
ENV
)
# shellcheck disable=SC1091
source "$folder/env"

[ -s "$folder/ui-token" ] || (umask 077; head -c 60 /dev/urandom | base64 -w 0 | tr -d '/+=' | head -c 40 >"$folder/ui-token")

port=$health_port
launch() { # name, service, its arguments
    local name=$1 user=clipsae-worker
    shift
    case $1 in
    coordinator) user=clipsae-coordinator ;;
    web) user=clipsae-viewer ;;
    esac
    ClipSae__DataFolder=$folder/work/$name ClipSae__HealthAddress=http://127.0.0.1:$port/ \
        ClipSae__Broker__User=$user ClipSae__Broker__PasswordFile=$folder/broker/users/$user.password \
        setsid nohup "$program" "$@" >>"$folder/logs/$name.log" 2>&1 </dev/null &
    echo $! >"$folder/pids/$name"
    echo "$port" >"$folder/pids/$name.port"
    port=$((port + 1))
}
launch coordinator coordinator
for i in $(seq "$embedding"); do launch "embedding-extraction-$i" embedding-extraction; done
for stage in "${stages[@]}"; do launch "$stage" "$stage"; done
launch web web --port "$port" --token-file "$folder/ui-token"

for pid in "$folder"/pids/*.port; do
    name=$(basename "$pid" .port)
    for _ in $(seq 300); do
        # Whoever else may listen there is not what was started here.
        own=$(<"$folder/pids/$name")
        curl --silent --fail --dump-header - --output /dev/null "http://127.0.0.1:$(cat "$pid")/ready" | tr -d '\r' | grep -qxF "X-Process-Id: $own" && continue 2
        kill -0 "$own" 2>/dev/null || break
        sleep 0.2
    done
    echo "$name did not become ready; see $folder/logs/$name.log:" >&2
    tail -n 3 "$folder/logs/$name.log" >&2
    exit 1
done
echo "pages: http://127.0.0.1:$(<"$folder/pids/web.port")/?token=$(<"$folder/ui-token")"
echo "ready. In your shell: source $folder/env; then clipsae submit … or clipsae demo; stop with infra/local/down.sh $folder"
