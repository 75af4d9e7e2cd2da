#!/usr/bin/env bash
# Writes new random credentials for docker compose, and how clipsae on this machine reaches the system with them:
#   infra/compose/credentials.sh [FOLDER]    FOLDER: default that of docker-compose.yml; what is there is kept, since the servers' data go with it, and
#                                            what a newer version needs besides is added
#   set -a; source .env; set +a              then: clipsae submit …
# Secrets are files in infra/compose/secrets, a folder that only its owner may enter. The files in it can be read by everyone who is handed
# one: compose mounts them as they are, and the programs in the containers have users of their own. .env names them and holds no secret.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(realpath -m "${1:-$here/../..}") secrets=$(realpath -m "${1:-$here/../..}")/infra/compose/secrets
secret() { head -c 60 /dev/urandom | base64 -w 0 | tr -d '/+=' | head -c "$1"; }
keep() { (umask 022; cat >"$secrets.new/$1"); } # name; the secret on standard input, since arguments can be seen by every user of the machine
users() { "$here/../rabbitmq/users.sh" "$1" && chmod 755 "$1" && chmod 644 "$1"/*; }
mkdir -p "$(dirname "$secrets")"

if [ -d "$secrets" ]; then
    if [ ! -s "$secrets/ui-token" ]; then
        (umask 022; secret 40 >"$secrets/ui-token.new")
        mv "$secrets/ui-token.new" "$secrets/ui-token"
        echo "added: $secrets/ui-token" >&2
    fi
    # Who is there keeps the password; a hash has a new salt each time, and says nothing of a change.
    known() { sed -E 's/"password_hash": "[^"]*"//' "$1/definitions.json"; }
    rm -rf "$secrets/broker.new" && cp -r "$secrets/broker" "$secrets/broker.new"
    users "$secrets/broker.new"
    if [ "$(known "$secrets/broker.new")" != "$(known "$secrets/broker")" ] || ! diff -rq -x definitions.json "$secrets/broker.new" "$secrets/broker" >/dev/null; then
        mv "$secrets/broker.new"/* "$secrets/broker/"
        echo "users of the broker are new, or their rights: docker compose up -d --force-recreate broker" >&2
    fi
    rm -rf "$secrets/broker.new"
    if [ -s "$root/.env" ]; then echo "kept: $root/.env and $secrets" >&2; exit 0; fi
fi
if [ ! -d "$secrets" ]; then
    rm -rf "$secrets.new" && mkdir -m 700 "$secrets.new" # takes its place whole, or not at all
    access=$(secret 20) key=$(secret 40) administrator=$(secret 20) administrator_key=$(secret 40)
    users "$secrets.new/broker"
    printf %s "$access" | keep s3-access-key
    printf %s "$key" | keep s3-secret-key
    secret 40 | keep grafana-password
    secret 40 | keep ui-token
    keep storage-administrator.curl <<CURL
user = "$administrator:$administrator_key"
CURL
    # The policy goes in as a string of JSON within JSON.
    policy=$(tr -d '\n' <"$here/policy.json" | sed -E 's/ +/ /g; s/"/\\"/g')
    keep storage-users.json <<JSON
{
  "identities": [
    {"name": "administrator", "credentials": [{"accessKey": "$administrator", "secretKey": "$administrator_key"}], "actions": ["Admin"]},
    {"name": "clipsae", "credentials": [{"accessKey": "$access", "secretKey": "$key"}], "policyNames": ["clipsae"]}
  ],
  "policies": [{"name": "clipsae", "content": "$policy"}]
}
JSON
    mv "$secrets.new" "$secrets"
fi
(umask 077; cat >"$root/.env" <<ENV
COMPOSE_PROJECT_NAME=clipsae
CLIPSAE_THREADS=2
CLIPSAE_WORKER_MEMORY=16g
ClipSae__Bus=rabbitmq
ClipSae__Store=s3
ClipSae__Broker__User=clipsae-submitter
ClipSae__Broker__PasswordFile='$secrets/broker/clipsae-submitter.password'
ClipSae__S3__Endpoint=http://127.0.0.1:9000
ClipSae__S3__AccessKeyFile='$secrets/s3-access-key'
ClipSae__S3__SecretKeyFile='$secrets/s3-secret-key'
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
ENV
)
