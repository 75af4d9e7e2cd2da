#!/usr/bin/env bash
# Prints an .env for docker compose with new random credentials: infra/compose/credentials.sh > .env
set -euo pipefail
secret() { head -c 30 /dev/urandom | base64 | tr -d '/+=\n'; }
for name in BROKER_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY MINIO_ROOT_USER MINIO_ROOT_PASSWORD GRAFANA_PASSWORD; do
    echo "$name=$(secret)"
done
