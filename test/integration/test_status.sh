#!/usr/bin/env bash
# rowferry status: what a running pipeline says of itself, what is left when it does not run, the exit
# codes that a monitor asks for, and what a service manager is told.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

start_mariadb source
start_redis target -- --appendonly yes --appendfsync always
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)"
redis_sink=redis://127.0.0.1:$target_PORT/0
sinks=("$redis_sink" file:changes.jsonl "null:?name=black-hole")

# The service manager's end: appends each datagram to a file.
cat >manager.py <<'PY'
import socket
import sys

manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
with open(sys.argv[2], "w") as file:
    while True:
        file.write(manager.recv(65536).decode())
        file.flush()
PY
run_background manager python3 manager.py "$STORY/notify" "$STORY/told"
wait_until 10 test -S notify

# of EXPRESSION: of the pipeline as status has it.
of() {
    "$ROWFERRY" status shop --json | python3 -c 'import json, sys
p = json.load(sys.stdin)["pipelines"][0]
live = p["live"]
sinks = {s["name"]: s for s in live["sinks"]} if live else {}
print('"$1"')'
}

is() { # EXPRESSION WANTED; a condition for wait_until
    [ "$(of "$1" 2>/dev/null)" = "$2" ]
}

healthy() {
    "$ROWFERRY" status --check "$@" >/dev/null
}

# ---- Nothing there yet -----------------------------------------------------------------------

expect_status 0 "$ROWFERRY" status
expect_status 6 "$ROWFERRY" status --check
expect_status 2 "$ROWFERRY" status --check shop
free=$("$SERVERS" port)
expect_status 5 timeout 20 "$ROWFERRY" run --name shop --connect-timeout 100ms "mysql://root@127.0.0.1:$free" null:
expect_equal "" "$(find "$XDG_STATE_HOME" -type f -o -type s)" "what a first start that failed leaves"
expect_status 0 "$ROWFERRY" status
expect_equal "no pipeline has run here yet" "$(cat out)" "status after it"

# ---- It runs, and all is well ----------------------------------------------------------------

export NOTIFY_SOCKET=$STORY/notify WATCHDOG_USEC=200000
run_background feed "$ROWFERRY" run --name shop "mysql://root@127.0.0.1:$source_PORT/shop.orders" "${sinks[@]}"
unset NOTIFY_SOCKET WATCHDOG_USEC
wait_until 10 healthy shop
wait_until 10 file_contains told "READY=1"
sql source "INSERT INTO shop.orders SELECT seq FROM shop.seq_1_to_1000"
wait_until 10 is '[s["events"] for s in p["sinks"]]' "[1000, 1000, 1000]"
expect_equal "shop True True" "$(of 'live["name"], p["running"], p["healthy"]' | tr -d "(',)")" "the pipeline"
expect_equal "$feed_PID" "$(of 'live["pid"]')" "pid"
expect_equal "streaming" "$(of 'live["source"]["state"]')" "the source"
expect_equal "$redis_sink file:$STORY/changes.jsonl black-hole" "$(of '" ".join(sinks)')" "names"
expect_equal "True" "$(of 'all(s["recorded"] == p["sinks"][0]["position"] for s in sinks.values())')" \
    "recorded positions"
expect_equal "True" "$(of 'live["source"]["events_per_second"] > 0 and sinks["black-hole"]["events_per_second"] > 0')" \
    "rates"
expect_equal "srw------- " "$(stat -c %A state/rowferry/shop.sock) " "the socket's rights"

"$ROWFERRY" status shop >out
expect_contains "$(sed -n 1p out)" "shop  running, pid $feed_PID, for " "status"
expect_contains "$(sed -n 2p out)" "STATE      POSITION  LAG  EVENTS/S  AVERAGE  EVENTS" "heads"
for actor in "mysql://root@127.0.0.1:$source_PORT/shop.orders" "$redis_sink" "file:$STORY/changes.jsonl" black-hole; do
    expect_equal 1 "$(grep -cE "^  $actor +streaming +0-1-[0-9]+ .* 1,000$" out)" "line of $actor"
done
expect_equal 0 "$(grep -c "does not answer\|dead letters\|skipped" out || true)" "trouble"

# On a quiet source nobody falls behind.
wait_until 10 healthy --lag-max 5s shop
begin=$SECONDS
lags_stay_small() {
    expect_success healthy --lag-max 5s shop
    [ $((SECONDS - begin)) -ge 7 ]
}
wait_until 20 lags_stay_small

# ---- A sink is away --------------------------------------------------------------------------

kill_server target
sql source "INSERT INTO shop.orders VALUES (2000)"
wait_until 20 is 'sinks["'"$redis_sink"'"]["state"]' retrying
expect_equal "False" "$(of 'p["healthy"]')" "health"
expect_equal "True" "$(of 'sinks["'"$redis_sink"'"]["error"] != "" and sinks["'"$redis_sink"'"]["try"] > 0')" "why"
expect_status 6 "$ROWFERRY" status --check shop
expect_contains "$(cat err)" "rowferry: shop: $redis_sink is " "the reason"
said_so() {
    "$ROWFERRY" status shop >out
    grep -qE "^  $redis_sink: .*; try [0-9]+ in [0-9]+\.[0-9] s$" out
}
wait_until 20 said_so
wait_until 20 is 'sinks["black-hole"]["events"]' 1001
wait_until 20 file_contains told "$(printf 'redis retry in ')"
restart_server target
wait_until 20 healthy shop

# ---- It hangs: no more signs of life, and no answer is waited for without end -----------------

wait_until 10 file_contains told "WATCHDOG=1"
signal_background feed STOP
expect_status 0 timeout 20 "$ROWFERRY" status shop
expect_contains "$(cat out)" "it does not answer: this is what it recorded last" "status of one that hangs"
expect_status 6 timeout 20 "$ROWFERRY" status --check shop
expect_contains "$(cat err)" "rowferry: shop: it does not answer" "the reason"
signal_background feed CONT
wait_until 10 healthy shop

# ---- It is gone ------------------------------------------------------------------------------

kill_background feed
expect_success test -S state/rowferry/shop.sock # left behind, as nobody could remove it
expect_status 0 "$ROWFERRY" status shop
expect_contains "$(sed -n 1p out)" "shop  stopped  from mysql://root@" "status of one that was killed"
expect_contains "$(sed -n 2p out)" "SINK " "heads"
expect_equal 1 "$(grep -cE "^  black-hole +0-1-[0-9]+ +20[-0-9]+ [0-9:]+ +[0-9dhms ]+ +1,001 +[0-9dhms ]+ ago$" out)" \
    "line of a sink"
expect_equal "None False" "$(of 'live, p["running"]' | tr -d "(,)")" "live view"
expect_status 6 "$ROWFERRY" status --check shop
expect_contains "$(cat err)" "rowferry: shop: it does not run" "the reason"

run_background feed env NOTIFY_SOCKET="$STORY/notify" "$ROWFERRY" run --name shop \
    "mysql://root@127.0.0.1:$source_PORT/shop.orders" "${sinks[@]}"
wait_until 10 healthy
expect_equal 0 "$(grep -c "STOPPING=1" told || true)" "stops that were said"
signal_background feed TERM
expect_background_status 10 143 feed
wait_until 10 file_contains told "STOPPING=1"
expect_equal no "$([ -e state/rowferry/shop.sock ] && echo yes || echo no)" "a socket after the end"

# ---- What was ordered ------------------------------------------------------------------------

"$ROWFERRY" position set shop black-hole 0-1-1 >out
expect_contains "$(cat out)" "  next: 0-1-1" "what position set says"
"$ROWFERRY" position reset shop redis >out
"$ROWFERRY" status shop >out
expect_equal 1 "$(grep -cE '^  black-hole +0-1-1 \(to be set\) ' out)" "an order"
expect_equal 1 "$(grep -cE "^  $redis_sink +to begin anew " out)" "a reset"

story_end
