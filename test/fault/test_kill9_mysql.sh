#!/usr/bin/env bash
# As test_kill9.sh, with MySQL's log: the same load, with its JSON and vectors, while all
# transactions are compressed and rowferry is killed with -9 at random moments. Redis and the folded
# file each equal SELECT, and no line of the file is repeated.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
LOAD_FOR=--mysql
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mysql source -- --innodb-redo-log-capacity=256M --binlog-transaction-compression=ON \
    --max-binlog-size=256K
start_redis target

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
expect_success python3 "$LIB/killer.py" --mysql --socket "$source_SOCKET" --operations $OPERATIONS \
    --kills $kills --seed "${ROWFERRY_SEED:-9}" --file "$file" --redis "$target_PORT" \
    --log "$STORY/rowferry.log" --limit $((60 + 1200 / ROWFERRY_SCALE)) -- \
    "$ROWFERRY" run --name kill9 --from earliest "$(source_url)" "$(target_url)" "file:$file"
expect_success lines_at_least "$file" $ROWS
expect_equal_sinks "$file"
[ "$(sql source 'SHOW BINARY LOGS' | wc -l)" -gt 2 ] || fail "all of it was one log file"
story_end
