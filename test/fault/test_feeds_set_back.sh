#!/usr/bin/env bash
# story: serial
# One of three sinks is set back to the beginning (rowferry position set), and its destination is
# slow: it gets a feed of its own, which lives through a rotated log, a restart of the server and a
# kill -9 of the program. The others have each new row at once.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source --durable
start_redis target
cd "$STORY"

ROWS=50000 # more than the sockets on the way hold
PARTS=20
last=0
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(400))"
begin=$(sql source "SELECT @@gtid_binlog_pos")
run() { # REDIS PORT
    run_background rowferry "$ROWFERRY" run --name own --pool-bytes 4M --from earliest \
        "$(source_url)/shop" file:a.jsonl file:b.jsonl "redis://127.0.0.1:$1/0?name=cache"
}
insert() { # COUNT
    sql source "INSERT INTO shop.orders
        SELECT seq, REPEAT('x', 400) FROM shop.seq_$((last + 1))_to_$((last + $1))"
    last=$((last + $1))
}
in_files() { # the last row
    local file
    for file in a.jsonl b.jsonl; do
        tail -n 1 "$file" | grep -qF "\"key\":{\"id\":$last}" || return 1
    done
}
in_redis() {
    [ "$(redis target EXISTS "shop:orders:$last")" = 1 ]
}
# One more row, which does not wait for what the Redis has to take.
expect_others_go_on() {
    insert 1
    wait_until 10 in_files
    expect_success test "$(redis target DBSIZE)" -lt "$ROWS"
}
readers() {
    sql source "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'"
}
are_reading() { # COUNT
    [ "$(readers)" = "$1" ]
}
lost_and_back() {
    file_contains "$rowferry_LOG" "alone: root@127.0.0.1:$source_PORT: the connection broke" &&
        are_reading 2
}

for ((part = 0; part < PARTS; part++)); do
    insert $((ROWS / PARTS))
done
run "$target_PORT"
wait_until 30 in_files
wait_until 30 in_redis
signal_background rowferry TERM
expect_background_status 5 143 rowferry

redis target FLUSHALL >/dev/null
"$ROWFERRY" position set own cache "$begin" >out
slow_way 6000000
run "$slow_PORT"
expect_others_go_on
wait_until 5 file_contains "$rowferry_LOG" "feed of its own, from $begin on"
sql source "FLUSH BINARY LOGS"
expect_others_go_on
kill_server source
restart_server source
wait_until 10 lost_and_back
expect_others_go_on
kill_background rowferry
run "$slow_PORT"
wait_until 30 in_redis
wait_until 30 in_files
wait_until 10 are_reading 1
insert 1
wait_until 30 in_redis
signal_background rowferry TERM
expect_background_status 5 143 rowferry
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database shop --file a.jsonl \
    --file b.jsonl --redis "$target_PORT"
story_end
