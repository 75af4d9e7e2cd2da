#!/usr/bin/env bash
# A real RabbitMQ on loopback without Docker, with a node name, data folder, ports and passwords of its own (Debian: rabbitmq-server).
#   broker.sh start FOLDER PORT      AMQP on PORT, HTTP API on PORT+1; the users of ../rabbitmq/users.sh, their passwords in FOLDER/users. Where
#                                    the folder holds tls/ca.pem, tls/server.pem and tls/server.key, AMQP on PORT is encrypted and nothing else is taken
#   broker.sh stop FOLDER            stops it; what it holds is there again at the next start
#   broker.sh kill FOLDER            ends it at once, for folders that are thrown away
#   broker.sh ctl FOLDER ARGUMENT…   rabbitmqctl for it
set -euo pipefail
command=${1:?start, stop, kill or ctl} folder=$(realpath -m "${2:?folder}")
bin=/usr/lib/rabbitmq/bin
[ -x $bin/rabbitmq-server ] || { echo "not installed: rabbitmq-server: apt-get install --no-install-recommends rabbitmq-server" >&2; exit 1; }

environment() {
    local port; port=$(cat "$folder/port")
    export HOME=$folder RABBITMQ_NODENAME="clipsae-$port@localhost" RABBITMQ_HOME=$folder
    export RABBITMQ_MNESIA_BASE=$folder/mnesia RABBITMQ_LOG_BASE=$folder/log RABBITMQ_PID_FILE=$folder/broker.pid
    export RABBITMQ_CONFIG_FILE=$folder/rabbitmq RABBITMQ_ADVANCED_CONFIG_FILE=$folder/none RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins RABBITMQ_CONF_ENV_FILE=$folder/none
    export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_DIST_PORT=$((port + 2)) RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 1:1"
    export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 3))
}
# The number may by now be that of a stranger's process: the broker has its folder in its environment.
running() { [ -s "$folder/broker.pid" ] && tr '\0' '\n' <"/proc/$(cat "$folder/broker.pid")/environ" 2>/dev/null | grep -qxF "RABBITMQ_MNESIA_BASE=$folder/mnesia"; }

case $command in
start)
    port=${3:?port}
    rabbitmq=$(cd "$(dirname "${BASH_SOURCE[0]}")/../rabbitmq" && pwd)
    if [ ! -s "$folder/.erlang.cookie" ]; then
        mkdir -p -m 700 "$folder" "$folder/mnesia" "$folder/log"
        (umask 077; head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$folder/.erlang.cookie")
        chmod 400 "$folder/.erlang.cookie"
        echo '[rabbitmq_management,rabbitmq_prometheus].' >"$folder/plugins"
    fi
    echo "$port" >"$folder/port"
    "$rabbitmq/users.sh" "$folder/users"
    conf=$(<"$rabbitmq/local.conf")
    conf=${conf//@port@/$port} conf=${conf//@http@/$((port + 1))} conf=${conf//@metrics@/$((port + 4))} conf=${conf//@users@/$folder/users}
    printf '%s\n' "$conf" >"$folder/rabbitmq.conf"
    # For rabbitmqadmin --config, which would have the password as an argument otherwise; the shell writes it, since arguments can be seen by every user of the machine.
    (umask 077; printf '[%s]\nport = %s\nusername = %s\npassword = %s\n' \
        default "$((port + 1))" clipsae "$(<"$folder/users/clipsae.password")" \
        submitter "$((port + 1))" clipsae-submitter "$(<"$folder/users/clipsae-submitter.password")" >"$folder/rabbitmqadmin.conf")
    if [ -s "$folder/tls/server.key" ]; then
        sed -i -e "s|^listeners.tcp.1 = .*|listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:$port|" "$folder/rabbitmq.conf"
        printf 'ssl_options.%s\n' "cacertfile = $folder/tls/ca.pem" "certfile = $folder/tls/server.pem" "keyfile = $folder/tls/server.key" \
            'verify = verify_none' 'versions.1 = tlsv1.3' 'versions.2 = tlsv1.2' >>"$folder/rabbitmq.conf"
    fi
    environment
    setsid nohup $bin/rabbitmq-server >"$folder/broker.out" 2>&1 </dev/null &
    # On a busy machine a broker takes more than a minute.
    for _ in $(seq 900); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then exit 0; fi
        sleep 0.2
    done
    echo "the broker did not start; see $folder/broker.out and $folder/log" >&2
    exit 1
    ;;
stop)
    [ -s "$folder/port" ] || exit 0
    environment
    if running; then
        pid=$(cat "$folder/broker.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$folder/broker.pid"
    epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1 || true
    ;;
kill)
    [ -s "$folder/port" ] || exit 0
    environment
    ! running || kill -9 "$(cat "$folder/broker.pid")"
    rm -f "$folder/broker.pid"
    for _ in $(seq 50); do epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1 && break; sleep 0.1; done
    ;;
ctl)
    environment
    shift 2
    exec $bin/rabbitmqctl -n "$RABBITMQ_NODENAME" "$@"
    ;;
*) echo "unknown command $command" >&2; exit 2 ;;
esac
