#!/bin/sh
# Makes buckets on an S3 server; one that is there is kept.
#   buckets.sh ENDPOINT KEYS BUCKET...     KEYS: a file for curl, with the line  user = "ACCESS-KEY:SECRET-KEY"
#   TRIES: how often a bucket is asked for, a second apart; 10 by default, since a server that has only just come up may take its first requests badly
set -eu
endpoint=$1 keys=$2
shift 2
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 # SHA-256 of no body, which older versions of curl leave out
ask() { # method, bucket: the status
    curl --config "$keys" --aws-sigv4 aws:amz:us-east-1:s3 --header "x-amz-content-sha256: $empty" --silent --show-error --output /dev/null --write-out '%{http_code}' --max-time 60 $1 "$endpoint/$2"
}
for bucket in "$@"; do
    left=${TRIES:-10}
    while :; do
        [ "$(ask --head "$bucket")" = 200 ] && continue 2
        status=$(ask '--request PUT' "$bucket") || true
        [ "$status" = 200 ] && continue 2
        left=$((left - 1))
        [ "$left" -gt 0 ] || break
        sleep 1
    done
    echo "bucket $bucket could not be made on $endpoint: status $status" >&2
    exit 1
done
