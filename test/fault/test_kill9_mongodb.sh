#!/usr/bin/env bash
# story: asan
# As test_kill9.sh with MongoDB beside Redis and a file: after the last kill each of the three equals
# SELECT, MongoDB by the types of its fields as well.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target
start_mongo documents -- -Xmx1g

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $((OPERATIONS / 2)) \
    --kills $kills --seed "${ROWFERRY_SEED:-11}" --file "$file" --redis "$target_PORT" \
    --mongo "$documents_PORT" --log "$STORY/rowferry.log" \
    --limit $((60 + 3600 / ROWFERRY_SCALE)) -- \
    "$ROWFERRY" run --name kill9 --from earliest "$(source_url)" "file:$file" "$(target_url)" \
    "$(documents_url)"
expect_equal_sinks "$file"
expect_equal_mongo
story_end
