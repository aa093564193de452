#!/usr/bin/env bash
# story: serial
# story: timeout 120
# A Redis is stopped in the middle (SIGSTOP, five minutes at full size) while rows come at a steady
# pace: the file beside it stays within a second of the source, memory stays under its limit, and
# when the Redis goes on it catches up by itself, equals the source, and shares the others' feed
# again.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source
start_redis target

STALL_SECONDS=$((300 / ROWFERRY_SCALE))
RATE=2000
LATE_SECONDS_MAX=1
MEMORY_KB_MAX=65536
POOL=8M

sql source "CREATE DATABASE shop;
    CREATE TABLE shop.pace (id INT PRIMARY KEY, payload VARCHAR(400) NOT NULL)"
file=$STORY/changes.jsonl
run_background rowferry "$ROWFERRY" run --name stall --pool-bytes $POOL --from earliest \
    "$(source_url)/shop" "file:$file" "$(target_url)"
paced() { # LIMIT: until so many rows are in the file, for wait_until
    [ "$(tail -c 2000 "$file" | grep -ao '"key":{"id":[0-9]*' | tail -n 1 | tr -dc 0-9)" -ge "$1" ]
}
readers() { # dump threads of the server: one per feed
    sql source "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'"
}
one_feed() {
    [ "$(readers)" = 1 ]
}
run_background pace python3 "$LIB/pace.py" --socket "$source_SOCKET" \
    --seconds $((STALL_SECONDS + 3)) --rate $RATE --file "$file" --pid "$rowferry_PID" \
    --stop-file "$STORY/enough"
wait_until 20 paced $RATE
redis_pid=$(redis target INFO server | tr -d '\r' | sed -n 's/^process_id://p')
kill -STOP "$redis_pid"
wait_until $((STALL_SECONDS + 60)) paced $((RATE * (STALL_SECONDS + 1)))
kill -CONT "$redis_pid"
expect_contains "$(cat "$rowferry_LOG")" "feed of its own"

caught_up() {
    [ "$(redis target DBSIZE)" -ge $((RATE * STALL_SECONDS)) ] &&
        file_contains "$rowferry_LOG" "goes along with the others again" && one_feed
}
wait_until $((30 + STALL_SECONDS)) caught_up
touch "$STORY/enough"
expect_background_status 60 0 pace
found=$(tail -n 1 "$pace_LOG")
echo "while the Redis stood still for $STALL_SECONDS s: $found"
field() {
    python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$found" "$1"
}
expect_success python3 -c "exit(not $(field worst_s) <= $LATE_SECONDS_MAX)"
expect_success test "$(field peak_kb)" -le $MEMORY_KB_MAX
last=$(field rows)
all_there() {
    [ "$(redis target EXISTS "shop:pace:$last")" = 1 ]
}
wait_until 20 all_there
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database shop --file "$file" \
    --redis "$target_PORT"
signal_background rowferry TERM
expect_background_status 5 143 rowferry
story_end
