#!/usr/bin/env bash
# Writes new random credentials for docker compose, and how clipsae on this machine reaches the system with them:
#   infra/compose/credentials.sh [FILE]      FILE: default .env beside docker-compose.yml; one that is there is kept, since the servers' data go with it
#   set -a; source .env; set +a              then: clipsae submit …
set -euo pipefail
file=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.env}
[ ! -s "$file" ] || { echo "kept: $file" >&2; exit 0; }
secret() { head -c 60 /dev/urandom | base64 -w 0 | tr -d '/+=' | head -c "$1"; }
broker=$(secret 40) access=$(secret 20) key=$(secret 40)
(umask 077; cat >"$file" <<ENV
COMPOSE_PROJECT_NAME=clipsae
BROKER_PASSWORD=$broker
S3_ACCESS_KEY=$access
S3_SECRET_KEY=$key
MINIO_ROOT_USER=$(secret 20)
MINIO_ROOT_PASSWORD=$(secret 40)
GRAFANA_PASSWORD=$(secret 40)
ClipSae__Bus=rabbitmq
ClipSae__Store=s3
ClipSae__Broker__User=clipsae
ClipSae__Broker__Password=$broker
ClipSae__S3__Endpoint=http://127.0.0.1:9000
ClipSae__S3__AccessKey=$access
ClipSae__S3__SecretKey=$key
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
ENV
)
