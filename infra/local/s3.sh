#!/usr/bin/env bash
# A real S3 server on loopback without Docker: Ceph's RADOS gateway over one monitor and one store (Debian: radosgw ceph-mon ceph-osd).
#   s3.sh start FOLDER PORT [memory|disk]   starts it and prints nothing; keys are in FOLDER/access-key and FOLDER/secret-key
#                                           where FOLDER.tls holds ca.pem, server.pem and server.key, only https is spoken
#   s3.sh stop FOLDER                       stops it; with "memory" what it held is gone, with "disk" it is there again at the next start
#   s3.sh bucket FOLDER NAME                creates a bucket, unless it is there
#   s3.sh admin FOLDER ARGUMENT…            radosgw-admin for it
#   s3.sh pause FOLDER / resume FOLDER      stops and starts the gateway alone: an outage in which nothing is lost
set -euo pipefail
command=${1:?start, stop, pause or resume} folder=$(realpath -m "${2:?folder}")
conf=$folder/ceph.conf tls=$folder.tls
scheme=http trust=()
[ -s "$tls/server.key" ] && { scheme=https; trust=(--cacert "$tls/ca.pem"); }
missing=$(for program in ceph-mon ceph-osd radosgw radosgw-admin ceph monmaptool; do command -v $program >/dev/null || echo $program; done)
[ -z "$missing" ] || { echo "not installed: $(echo $missing): apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common" >&2; exit 1; }

# The number may by now be that of a stranger's process: what was started here names its configuration.
running() { [ -s "$folder/$1.pid" ] && tr '\0' '\n' <"/proc/$(cat "$folder/$1.pid")/cmdline" 2>/dev/null | grep -qxF "$conf"; }
launch() { # name, command...
    local name=$1; shift
    setsid nohup "$@" >>"$folder/$name.out" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}
halt() {
    running "$1" || { rm -f "$folder/$1.pid"; return 0; }
    local pid; pid=$(cat "$folder/$1.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$folder/$1.pid"
}
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-29999 -n 1; }
ask() { # A monitor that has only just come up refuses now and then; both questions may be asked again.
    for _ in $(seq 10); do
        timeout 60 ceph -c "$conf" "$@" >>"$folder/setup.out" 2>&1 && return 0
        sleep 0.5
    done
    return 1
}
gateway() {
    launch radosgw radosgw -c "$conf" -f -n client.rgw --no-mon-config
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$folder/port")") 2>/dev/null && return 0
        running radosgw || break
        sleep 0.1
    done
    echo "the S3 server did not start; see $folder/radosgw.out and $folder/*.log" >&2
    exit 1
}

case $command in
bucket)
    # The key goes by a file and the signature by standard input: arguments can be seen by every user of the machine.
    date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
    signature=$(perl -MDigest::SHA=hmac_sha1_base64 -e 'open my $f, "<", shift; my $key = <$f>; my $s = hmac_sha1_base64(shift, $key); $s .= "=" while length($s) % 4; print $s' \
        "$folder/secret-key" "PUT"$'\n\n\n'"$date"$'\n'"/${3:?bucket}")
    printf 'header = "Date: %s"\nheader = "Authorization: AWS %s:%s"\n' "$date" "$(cat "$folder/access-key")" "$signature" \
        | curl --silent --show-error --fail "${trust[@]}" --config - --request PUT "$scheme://127.0.0.1:$(cat "$folder/port")/$3" >/dev/null
    ;;
admin)
    shift 2
    exec radosgw-admin -c "$conf" -n client.rgw --no-mon-config "$@"
    ;;
pause) halt radosgw ;;
resume) gateway ;;
stop)
    # What is only in memory has nothing to write before it ends.
    if grep -qs 'osd_objectstore = memstore' "$conf"; then
        for name in radosgw osd mon; do ! running $name || kill -9 "$(cat "$folder/$name.pid")"; done
    fi
    halt radosgw; halt osd; halt mon
    ;;
start)
    trap 'echo "the S3 server did not start: line $LINENO: $(tail -qn 2 "$folder"/setup.out "$folder"/*.out 2>/dev/null | tr "\n" " ")" >&2' ERR
    port=${3:?port} store=${4:-disk}
    fresh=true; [ -d "$folder/mon" ] && [ "$store" = disk ] && fresh=false
    if $fresh; then
        rm -rf "$folder"; mkdir -p -m 700 "$folder"
        monitor_port=$(free_port) fsid=$(cat /proc/sys/kernel/random/uuid)
        kind=bluestore; [ "$store" = memory ] && kind=memstore
        endpoint="endpoint=127.0.0.1:$port"
        [ $scheme = https ] && endpoint="ssl_endpoint=127.0.0.1:$port ssl_certificate=$tls/server.pem ssl_private_key=$tls/server.key"
        cat >"$conf" <<CONF
[global]
fsid = $fsid
mon_host = v1:127.0.0.1:$monitor_port
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv4 = true
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_allow_pool_delete = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_crush_update_on_start = false
osd_class_update_on_start = false
osd_objectstore = $kind
memstore_device_bytes = 8589934592
bluestore_block_size = 21474836480
osd_memory_target = 939524096
run_dir = $folder
admin_socket = $folder/\$name.asok
pid_file =
log_file = $folder/\$name.log
log_to_stderr = false
debug_ms = 0/0
mon_data_avail_warn = 1
mon_data_avail_crit = 0
[mon.a]
host = localhost
mon_data = $folder/mon
mon_addr = v1:127.0.0.1:$monitor_port
[osd.0]
host = localhost
osd_data = $folder/osd
[client.rgw]
# Without tcp_nodelay each answer with a body waits 40 ms for the acknowledgement of its head.
rgw_frontends = beast $endpoint tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_data = $folder/rgw
rgw_enable_usage_log = false
rgw_max_put_size = 5368709120
CONF
        echo "$port" >"$folder/port"
        mkdir -p "$folder/mon" "$folder/osd" "$folder/rgw"
        monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$monitor_port]" "$folder/monmap" >>"$folder/setup.out" 2>&1
        ceph-mon -c "$conf" --mkfs -i a --monmap "$folder/monmap" >>"$folder/setup.out" 2>&1
    fi
    launch mon ceph-mon -c "$conf" -f -i a
    if $fresh; then
        cat /proc/sys/kernel/random/uuid >"$folder/osd.uuid"
        ask osd new "$(cat "$folder/osd.uuid")"
        # By itself the store asks for its place before it knows the monitor, and one time in three that is refused.
        ask osd crush add osd.0 1 root=default host=localhost
        ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$(cat "$folder/osd.uuid")" >>"$folder/setup.out" 2>&1
    fi
    launch osd ceph-osd -c "$conf" -f -i 0
    if $fresh; then
        # The server makes the keys itself: given as arguments they could be seen by every user of the machine.
        user=$(timeout 120 radosgw-admin -c "$conf" -n client.rgw --no-mon-config user create --uid clipsae --display-name ClipSae 2>>"$folder/setup.out") \
            || { echo "no user could be made; see $folder/setup.out" >&2; exit 1; }
        for key in access-key secret-key; do
            [[ $user =~ \"${key/-/_}\":\ *\"([^\"]+)\" ]]
            (umask 077; printf %s "${BASH_REMATCH[1]//\\\//\/}" >"$folder/$key")
        done
    fi
    gateway
    ;;
*) echo "unknown command $command" >&2; exit 2 ;;
esac
