#!/usr/bin/env bash
# story: asan
# As test_kill9.sh with three sinks at three speeds: a file, a Redis, and another database of it at
# the end of a slow way. Three positions that drift apart; the slow one gets a feed of its own when it
# holds up the others for long, and at each start each sink goes on where it stands.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target
slow_way 1000000

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $((OPERATIONS / 2)) \
    --kills $kills --seed "${ROWFERRY_SEED:-10}" --file "$file" --redis "$target_PORT" \
    --redis "$target_PORT/1" --log "$STORY/rowferry.log" \
    --limit $((60 + 3600 / ROWFERRY_SCALE)) -- \
    "$ROWFERRY" run --name kill9 --from earliest --pool-bytes 4M "$(source_url)" "file:$file" \
    "$(target_url)" "redis://127.0.0.1:$slow_PORT/1"
expect_equal_sinks "$file"
expect_equal_redis 1
story_end
