#!/usr/bin/env bash
# Random inserts, updates and deletes over ten tables of all types, while rowferry is killed with -9
# at random moments: Redis and the folded file each equal SELECT, and no line of the file is
# repeated. 100,000 operations and twenty kills at full size.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $OPERATIONS \
    --kills $kills --seed "${ROWFERRY_SEED:-9}" --file "$file" --redis "$target_PORT" \
    --log "$STORY/rowferry.log" --limit $((60 + 1200 / ROWFERRY_SCALE)) -- \
    "$ROWFERRY" run --name kill9 --from earliest "$(source_url)" "$(target_url)" "file:$file"
expect_success lines_at_least "$file" $ROWS
expect_equal_sinks "$file"
story_end
