#!/usr/bin/env bash
# The broker's users, each with the rights of its part and no more:
#   clipsae                everything: for people who run the broker
#   clipsae-coordinator    begins runs, hands out units, stores facts; makes the queues
#   clipsae-worker         takes units, reports facts; can submit and cancel nothing
#   clipsae-submitter      asks for runs, cancels and watches them; can report no fact, and read no queue of others
#   clipsae-viewer         hears how far runs are and asks workers what they do; can submit, cancel and report nothing
#   clipsae-monitor        sees how long queues are, over the HTTP API, for KEDA and the like; no message
#   users.sh FOLDER        writes FOLDER/USER.password where there is none, and FOLDER/definitions.json with their hashes, for the broker to load:
#                          load_definitions = …/definitions.json, or rabbitmqctl import_definitions FOLDER/definitions.json
# The rights are by name: of exchanges and queues that may be declared and removed, sent to, and read from. Exchanges to-NAME lead to the queue
# NAME; those with a ':' are of messages that all may hear; coordinator-…, worker-… and client-… are of one process, as long as it runs.
set -euo pipefail
folder=$(realpath -m "${1:?folder}")
stage='(embedding-extraction|sae-training|attack-curation|fine-tuning|weight-conversion|zero-shot-evaluation|report)(-interactive|-checks)?'
messages='ClipSae\\.Contracts:'

hashed() { # user: salt and SHA-256 as RabbitMQ keeps them; the password goes by pipes, since arguments can be seen by every user of the machine
    local salt; salt=$(head -c 4 /dev/urandom | od -An -tx1 | tr -d ' \n')
    bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
    { bytes "$salt"; bytes "$({ bytes "$salt"; tr -d '\n' <"$folder/$1.password"; } | sha256sum | cut -c 1-64)"; } | base64 -w 0
}
user() { # name, tags
    [ -s "$folder/$1.password" ] || (umask 077; head -c 60 /dev/urandom | base64 -w 0 | tr -d '/+=' | head -c 40 >"$folder/$1.password")
    printf '{"name": "%s", "password_hash": "%s", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "%s"}' "$1" "$(hashed "$1")" "$2"
}
may() { # name, declare, send, read
    printf '{"user": "%s", "vhost": "/", "configure": "^(%s)$", "write": "^(%s)$", "read": "^(%s)$"}' "$@"
}

mkdir -p -m 700 "$folder"
(umask 077; cat >"$folder/definitions.json.new" <<JSON
{
  "vhosts": [{"name": "/"}],
  "users": [
    $(user clipsae administrator),
    $(user clipsae-coordinator ""),
    $(user clipsae-worker ""),
    $(user clipsae-submitter management),
    $(user clipsae-viewer ""),
    $(user clipsae-monitor monitoring)
  ],
  "permissions": [
    $(may clipsae '.*' '.*' '.*'),
    $(may clipsae-coordinator '.*' '.*' '.*'),
    $(may clipsae-worker \
        "(to-)?$stage|to-(coordinator|dead-units)|dead-letters|$messages(UnitProgress|StopRun|FindWorkers)|(coordinator|worker|client)-.+" \
        "(to-)?$stage|to-(coordinator|dead-units)|dead-letters|${messages}UnitProgress|(coordinator|worker|client)-.+" \
        "(to-)?$stage|dead-letters|$messages(StopRun|FindWorkers)|worker-.+"),
    $(may clipsae-submitter \
        "to-(dataset-ready|requests)|$messages(DatasetReady|UnitProgress|FindWorkers)|client-.+" \
        "to-(dataset-ready|requests)|$messages(DatasetReady|FindWorkers)|client-.+" \
        "${messages}UnitProgress|client-.+"),
    $(may clipsae-viewer "$messages(UnitProgress|FindWorkers)|client-.+" "$messages(FindWorkers)|client-.+" "${messages}UnitProgress|client-.+"),
    $(may clipsae-monitor '' '' '')
  ]
}
JSON
)
mv "$folder/definitions.json.new" "$folder/definitions.json"
