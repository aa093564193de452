#!/usr/bin/env bash
# Pipelines as an operator meets them: exit codes, signals, state, status, secrets, the reader of tail.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

start_mariadb source
start_redis target
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40));
    CREATE TABLE shop.other (id INT PRIMARY KEY);
    CREATE USER 'cdc'@'%' IDENTIFIED BY 'geheim';
    GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'cdc'@'%';
    CREATE USER 'poor'@'%' IDENTIFIED BY 'geheim'"
source_url=mysql://cdc@127.0.0.1:$source_PORT
target_url=redis://127.0.0.1:$target_PORT
sinks=("$target_url" file:changes.jsonl)
printf 'geheim\n' >password
chmod 600 password

insert() { # FIRST LAST
    sql source "INSERT INTO shop.orders SELECT seq, CONCAT('note ', seq) FROM shop.seq_$1_to_$2"
}

# field NAME KEY: of the only sink, or of the pipeline, as status has it.
state_of() {
    "$ROWFERRY" status "$1" --json |
        python3 -c 'import json, sys; p = json.load(sys.stdin)["pipelines"][0]; print('"$2"')'
}

state_is() { # NAME EXPRESSION WANTED; a condition for wait_until
    [ "$(state_of "$1" "$2" 2>/dev/null)" = "$3" ]
}

# ---- What is wrong with the source or a sink -------------------------------------------------

expect_status 2 timeout 20 "$ROWFERRY" tail "$source_url"
expect_contains "$(cat err)" "Access denied" "no password"
ROWFERRY_MYSQL_PASSWORD=falsch expect_status 2 timeout 20 "$ROWFERRY" run "$source_url" null:
expect_contains "$(cat err)" "hint: check user and password" "wrong password"
expect_equal 0 "$(grep -c falsch err || true)" "secrets in what it says"
ROWFERRY_MYSQL_PASSWORD=geheim expect_status 2 timeout 20 "$ROWFERRY" tail "${source_url/cdc/poor}"
expect_contains "$(cat err)" "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'poor'@'%'" "missing grants"
sql source "SET GLOBAL binlog_row_metadata = MINIMAL"
ROWFERRY_MYSQL_PASSWORD=geheim expect_status 2 timeout 20 "$ROWFERRY" tail "$source_url?schema=log"
expect_contains "$(cat err)" "SET GLOBAL binlog_row_metadata" "minimal metadata"
sql source "SET GLOBAL binlog_row_metadata = FULL"
free=$("$SERVERS" port)
expect_status 5 timeout 20 "$ROWFERRY" tail "mysql://cdc@127.0.0.1:$free"
expect_status 5 timeout 20 "$ROWFERRY" run --connect-timeout 200ms "mysql://cdc@127.0.0.1:$free" null:
export ROWFERRY_MYSQL_PASSWORD=geheim
expect_status 5 timeout 20 "$ROWFERRY" run --connect-timeout 200ms "$source_url" "redis://127.0.0.1:$free"
unset ROWFERRY_MYSQL_PASSWORD

# ---- A password in an argument: it works, is wiped, and is said ------------------------------

run_background spoken "$ROWFERRY" run --name spoken "mysql://cdc:geheim@127.0.0.1:$source_PORT" null:
wait_until 10 state_is spoken 'len(p["sinks"])' 1
expect_equal 0 "$(tr '\0' ' ' <"/proc/$spoken_PID/cmdline" | grep -c geheim || true)" \
    "secrets in the list of processes"
expect_contains "$(tr '\0' ' ' <"/proc/$spoken_PID/cmdline")" "cdc:******@" "list of processes"
signal_background spoken TERM
expect_background_status 10 143 spoken
expect_contains "$(cat "$spoken_LOG")" "rowferry: warning: a password in an argument" "warning"
expect_equal 0 "$(grep -rac geheim "$XDG_STATE_HOME" "$spoken_LOG" | grep -vc ':0$' || true)" \
    "secrets in state and log"
expect_equal 'mysql://cdc@127.0.0.1:'"$source_PORT" "$(state_of spoken 'p["source"]')" "source in the state"

# ---- Signals ---------------------------------------------------------------------------------

source_url="$source_url/shop.orders?password_file=$STORY/password"
run_background feed env --default-signal=INT "$ROWFERRY" run --name shop "$source_url" "${sinks[@]}"
wait_until 10 state_is shop 'len(p["sinks"])' 2
insert 1 100
wait_until 10 lines_at_least changes.jsonl 100
wait_until 10 state_is shop '[s["events"] for s in p["sinks"]]' '[100, 100]'
expect_equal True "$(state_of shop 'p["running"]')" "running"
expect_equal "$feed_PID" "$(state_of shop 'p["pid"]')" "pid"

# A second process of that name is refused, and a second name is another pipeline.
expect_status 2 timeout 20 "$ROWFERRY" run --name shop "$source_url" null:
expect_contains "$(cat err)" "$feed_PID" "the process that runs it already"

signal_background feed INT
expect_background_status 10 130 feed
expect_contains "$(tail -n 1 "$feed_LOG")" "100 events in 1 transaction, " "summary"
expect_equal False "$(state_of shop 'p["running"]')" "running after the end"
"$ROWFERRY" status shop >out
expect_contains "$(cat out)" "shop  stopped  from mysql://cdc@127.0.0.1:$source_PORT/shop.orders" "status"
expect_equal 2 "$(grep -cE "(redis://|file:).* ago$" out)" "sinks in the status"
"$ROWFERRY" status >out
expect_contains "$(grep -oE '^[a-z]+' out | xargs)" "shop spoken" "pipelines in the status of all"

# It goes on where it was; a user, a table and an option more do not matter.
insert 101 150
run_background feed "$ROWFERRY" run --name shop "${source_url/cdc@/cdc@}&heartbeat=1s" \
    "${sinks[0]}?timeout=5s" "${sinks[1]}"
wait_until 10 lines_at_least changes.jsonl 150
signal_background feed TERM
expect_background_status 10 143 feed
expect_equal 150 "$(grep -o '"key":{"id":[0-9]*}' changes.jsonl | sort -u | wc -l)" "events in the file"
expect_equal 150 "$(wc -l <changes.jsonl)" "lines in the file"
expect_equal 150 "$(redis target --raw KEYS 'shop:orders:*' | wc -l)" "keys in Redis"

# SIGHUP is no end where no terminal can hang up (test_config_run.sh has the other case).
run_background feed setsid "$ROWFERRY" run --name shop "$source_url" "${sinks[@]}"
wait_until 10 state_is shop 'p["running"]' True
signal_background feed HUP
wait_until 10 file_contains "$feed_LOG" "SIGHUP: sinks that rotate their files begin new ones"
expect_equal True "$(state_of shop 'p["running"]')" "running after SIGHUP"
signal_background feed TERM
expect_background_status 10 143 feed

# A second signal does not wait for anything. The reader of the pipe reads nothing, so the flush cannot end.
mkfifo stuck
exec 9<>stuck
run_background feed "$ROWFERRY" run --name stuck --from earliest "$source_url" file:stuck
insert 1000 9000
wait_until 10 eval 'grep -q "State:.*S" "/proc/$feed_PID/status" && [ "$(head -c 1 <&9)" = "{" ]'
begin=$(date +%s%N)
signal_background feed TERM
wait_until 10 eval '! kill -TERM "$feed_PID" 2>/dev/null || background_ended feed'
expect_background_status 10 143 feed
expect_equal yes "$([ $((($(date +%s%N) - begin) / 1000000)) -lt 3500 ] && echo yes || echo no)" \
    "leaves before the patience of a first signal is over"
exec 9<&-

# ---- Positions -------------------------------------------------------------------------------

"$ROWFERRY" position show shop >out
expect_equal 2 "$(cut -f 2 out | sort | wc -l)" "positions"
position=$(grep '^file:' out | cut -f 2)
expect_contains "$position" "mariadb:gtid=0-1-" "position"
sql source "DELETE FROM shop.orders WHERE id >= 1000; INSERT INTO shop.orders VALUES (200, 'last')"
expect_status 124 timeout 3 "$ROWFERRY" tail --from "$position" "$source_url"
expect_equal 8002 "$(grep -c '"op":"create"' out)" "rows that were made behind the position"
expect_contains "$(tail -n 1 out)" '"after":{"id":200,"note":"last"}' "last event"

# ---- The reader of tail ----------------------------------------------------------------------

expect_equal "0 0" "$(timeout 20 "$ROWFERRY" tail --from earliest "$source_url" 2>err | head -n 1 >/dev/null
    echo "${PIPESTATUS[*]}")" "tail whose reader has enough"
expect_equal "" "$(cat err)" "what it says then"
# It keeps no place, so there is nothing to wait for when its output has no room.
tail_to_full() {
    timeout 20 "$ROWFERRY" tail --from earliest "$source_url" >/dev/full
}
expect_status 2 tail_to_full
expect_contains "$(cat err)" "No space left on device" "tail without room"
# Nothing happens on the source while the reader goes, so no write can tell.
mkfifo quiet
exec 8<>quiet
run_background tail bash -c 'exec "$0" tail --log-level debug "$1" >quiet 8<&-' "$ROWFERRY" "$source_url"
wait_until 10 file_contains "$STORY/tail.log" "shop.orders: open at"
exec 8<&-
expect_background_status 10 0 tail

# ---- A destination that lost its data, or does not take an event -----------------------------

redis target FLUSHALL >/dev/null
expect_status 3 timeout 20 "$ROWFERRY" run --name shop "$source_url" "${sinks[@]}"
expect_contains "$(cat err)" "lost its data, or is another one" "empty Redis"
expect_equal 0 "$(redis target DBSIZE)" "what was written to it"
run_background feed "$ROWFERRY" run --name shop --adopt "$source_url" "${sinks[@]}"
wait_until 10 eval '[ "$(redis target EXISTS shop:orders:200)" = 1 ]'
sql source "INSERT INTO shop.orders VALUES (300, 'taken')"
wait_until 10 eval '[ "$(redis target EXISTS shop:orders:300)" = 1 ]'
redis target DEL shop:orders:300 >/dev/null
redis target LPUSH shop:orders:300 in-the-way >/dev/null
sql source "UPDATE shop.orders SET note = 'refused' WHERE id = 300"
expect_background_status 10 4 feed
expect_contains "$(cat "$feed_LOG")" "rowferry: update of shop.orders, event 0-1-13:2:0: Redis at" \
    "the event that was refused"

# ---- A log that is purged, and one that was begun anew ---------------------------------------

sql source "INSERT INTO shop.orders VALUES (400, 'purged'); FLUSH BINARY LOGS"
# The server keeps what a reader still reads, and takes a while to see that one has gone.
purged() {
    sql source "PURGE BINARY LOGS TO '$(sql source "SHOW MASTER STATUS" | cut -f 1)'"
    [ "$(sql source "SHOW BINARY LOGS" | wc -l)" = 1 ]
}
wait_until 20 purged
expect_status 3 timeout 20 "$ROWFERRY" run --name shop "$source_url" "${sinks[1]}"
expect_contains "$(cat err)" "purged" "purged log"

# ---- A file that may not grow ----------------------------------------------------------------

# A limit of the process is an error of the write, not its end by SIGXFSZ.
sql source "CREATE TABLE shop.wide (id INT PRIMARY KEY, note MEDIUMTEXT)"
limited() { # COMMAND...: in the background, no file beyond 1 MiB
    ulimit -f 1024 && exec "$@"
}
run_background wide limited "$ROWFERRY" run --name wide "mysql://root@127.0.0.1:$source_PORT/shop.wide" \
    file:wide.jsonl
wait_until 10 state_is wide 'len(p["sinks"])' 1
sql source "INSERT INTO shop.wide SELECT seq, REPEAT('x', 1000) FROM shop.seq_1_to_2000"
expect_background_status 20 2 wide
expect_contains "$(cat "$wide_LOG")" "could not write to wide.jsonl: File too large" "file at its limit"
# What a large transaction is kept in meanwhile: that may end, so it is tried again.
run_background spill limited "$ROWFERRY" run --name spill "mysql://root@127.0.0.1:$source_PORT/shop.wide" null:
wait_until 10 state_is spill 'len(p["sinks"])' 1
sql source "INSERT INTO shop.wide SELECT seq, REPEAT('x', 1000) FROM shop.seq_10001_to_22000"
wait_until 20 grep -q "could not be kept in .*: File too large; .*(try 2)" "$spill_LOG"
signal_background spill TERM
expect_background_status 10 143 spill

# ---- Progress off a terminal -----------------------------------------------------------------

run_background feed "$ROWFERRY" run --name progress "$source_url" null:
wait_until 10 state_is progress 'len(p["sinks"])' 1
sql source "INSERT INTO shop.orders VALUES (301, 'x')"
wait_until 20 file_contains "$feed_LOG" "  1 event  lag "
expect_equal 0 "$(grep -c $'\033' "$feed_LOG" || true)" "escapes in a file"
signal_background feed TERM
expect_background_status 10 143 feed
run_background quiet "$ROWFERRY" run --quiet --name progress "$source_url" null:
wait_until 10 state_is progress 'p["running"]' True
signal_background quiet TERM
expect_background_status 10 143 quiet
expect_equal "" "$(cat "$quiet_LOG")" "what --quiet says"

story_end
