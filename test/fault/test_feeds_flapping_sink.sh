#!/usr/bin/env bash
# story: serial
# story: timeout 150
# A Redis that stops and goes on again and again (SIGSTOP, SIGCONT) beside a file: the file stays
# within a second of the source, nothing is lost, and the log tells each change once instead of
# every turn.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source
start_redis target

RATE=2000
LATE_SECONDS_MAX=1
FLAPS=3
[ "$ROWFERRY_SCALE" -gt 1 ] || FLAPS=30

sql source "CREATE DATABASE shop;
    CREATE TABLE shop.pace (id INT PRIMARY KEY, payload VARCHAR(400) NOT NULL)"
file=$STORY/changes.jsonl
run_background rowferry "$ROWFERRY" run --name flaps --pool-bytes 1M --from earliest \
    "$(source_url)/shop" "file:$file" "$(target_url)"
run_background pace python3 "$LIB/pace.py" --socket "$source_SOCKET" --seconds 1 --rate $RATE \
    --file "$file" --pid "$rowferry_PID" --stop-file "$STORY/enough"
paced() { # ROWS: so many are in the file, which at this rate is a clock, too
    [ "$(tail -c 2000 "$file" | grep -ao '"key":{"id":[0-9]*' | tail -n 1 | tr -dc 0-9)" -ge "$1" ]
}
redis_pid=$(redis target INFO server | tr -d '\r' | sed -n 's/^process_id://p')
rows=$((RATE / 2))
wait_until 20 paced $rows
for ((flap = 1; flap <= FLAPS; flap++)); do
    kill -STOP "$redis_pid"
    wait_until 20 paced $((rows += RATE * 3 / 2))
    kill -CONT "$redis_pid"
    wait_until 20 paced $((rows += RATE))
done
touch "$STORY/enough"
expect_background_status 60 0 pace
found=$(tail -n 1 "$pace_LOG")
field() {
    python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$found" "$1"
}
last=$(field rows)
all_there() {
    [ "$(redis target EXISTS "shop:pace:$last")" = 1 ]
}
wait_until 30 all_there
echo "beside a Redis that stopped $FLAPS times: $found, $(wc -l <"$rowferry_LOG") lines in the log"
expect_success python3 -c "exit(not $(field worst_s) <= $LATE_SECONDS_MAX)"
expect_contains "$(cat "$rowferry_LOG")" "feed of its own" "the log"
expect_success test "$(wc -l <"$rowferry_LOG")" -le $((6 + 3 * FLAPS))
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database shop --file "$file" \
    --redis "$target_PORT"
signal_background rowferry TERM
expect_background_status 5 143 rowferry
story_end
