#!/usr/bin/env bash
# Sees that the programs which tests and infra/local/up.sh start are installed, from Debian packages.
#   infra/local/install.sh [servers|browser]     servers, the default: RabbitMQ and Ceph's RADOS gateway; browser: Chromium
# Installs what is missing where it may (root, apt-get); otherwise says in one line what is missing. Starts nothing.
set -euo pipefail
case ${1:-servers} in
servers) declare -A package=([/usr/lib/rabbitmq/bin/rabbitmq-server]=rabbitmq-server [/usr/bin/radosgw]=radosgw [/usr/bin/ceph-mon]=ceph-mon [/usr/bin/ceph-osd]=ceph-osd [/usr/bin/ceph]=ceph-common) ;;
browser) declare -A package=([/usr/bin/chromium]=chromium) ;;
*) echo "unknown: $1; servers or browser" >&2; exit 2 ;;
esac
missing=()
for program in "${!package[@]}"; do [ -x "$program" ] || missing+=("${package[$program]}"); done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed: ${missing[*]}. As root on Debian or Ubuntu: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

# The packages would start system services on their usual ports; what is started here has ports and folders of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
echo "installing ${missing[*]} ..."
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "could not install ${missing[*]}" >&2
    exit 1
fi
rm -f "$log"
