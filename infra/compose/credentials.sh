#!/usr/bin/env bash
# Prints an .env for docker compose with new random credentials: infra/compose/credentials.sh > .env
set -euo pipefail
secret() { head -c 30 /dev/urandom | base64 | tr -d '/+=\n'; }
echo COMPOSE_PROJECT_NAME=clipsae # here, since older versions of compose know no name in the file
for name in BROKER_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY MINIO_ROOT_USER MINIO_ROOT_PASSWORD GRAFANA_PASSWORD; do
    echo "$name=$(secret)"
done
