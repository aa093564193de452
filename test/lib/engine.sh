# shellcheck shell=bash
# A Docker Engine of a story's own, and images without a registry. Sourced behind story.sh.
#
#   engine_is_possible || ...     # root, on a machine that nobody works at
#   start_engine                  # sets DOCKER_HOST, and `docker` speaks to it
#   image_redis redis:7
#
# The engine touches no firewall: ports are published by its proxy alone. It has a bridge of its own,
# which goes with it. One at a time.

engine_bridge=rowferry0

engine_is_possible() {
    [ "$(id -u)" -eq 0 ] && [ ! -d /run/systemd/system ]
}

start_engine() {
    local tree
    tree=$("$SERVERS" tree engine)
    export PATH=$tree/bin:$PATH DOCKER_HOST=unix://$STORY/engine/socket
    unset DOCKER_API_VERSION DOCKER_CONTEXT
    mkdir "$STORY/engine"
    ip link delete $engine_bridge 2>/dev/null || true # of a story that was killed
    ip link add $engine_bridge type bridge
    ip address add 172.31.254.1/24 dev $engine_bridge
    ip link set $engine_bridge up
    run_engine
}

# run_engine: again, after stop_engine.
run_engine() {
    run_background engine dockerd --data-root "$STORY/engine/data" --exec-root "$STORY/engine/exec" \
        --pidfile "$STORY/engine/pid" --host "$DOCKER_HOST" --iptables=false --ip-masq=false \
        --bridge $engine_bridge
    wait_until 20 docker version
}

# stop_engine: with all that runs in it; asked to end, it would give each of them ten seconds.
stop_engine() {
    docker ps -q 2>/dev/null | xargs -r docker kill >/dev/null 2>&1
    end_background engine
}

# Called at the story's end.
engine_close() {
    stop_engine
    ip link delete $engine_bridge 2>/dev/null
}
