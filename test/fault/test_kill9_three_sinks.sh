#!/usr/bin/env bash
# story: asan
# As test_kill9.sh with two files and Redis: three positions that drift apart, one feed that begins
# at the oldest of them, and each sink skips what it has.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
one=$STORY/one.jsonl
two=$STORY/two.jsonl
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $((OPERATIONS / 2)) \
    --kills $kills --seed "${ROWFERRY_SEED:-10}" --file "$one" --file "$two" \
    --redis "$target_PORT" --log "$STORY/rowferry.log" --limit $((60 + 1200 / ROWFERRY_SCALE)) -- \
    "$ROWFERRY" run --name kill9 --from earliest "$(source_url)" "file:$one" "$(target_url)" \
    "file:$two"
expect_equal_sinks "$one" "$two"
expect_same_files "$one" "$two" "the two files"
story_end
