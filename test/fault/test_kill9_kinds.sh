#!/usr/bin/env bash
# story: asan
# As test_kill9.sh with what writes in other ways: compressed segments, JSON strings and streams. The
# segments behind one another, and the entries of all streams in the order of their ids, tell each
# event exactly once; the strings equal SELECT.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
run=("$ROWFERRY" run --name kinds --from earliest "$(source_url)" "file:$file"
    "file:$STORY/packed.jsonl.gz?compress=gzip&compress_level=1&rotate_bytes=20k"
    "$(target_url)/0?as=json" "$(target_url)/1?as=stream")
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $((OPERATIONS / 2)) \
    --kills $kills --seed "${ROWFERRY_SEED:-11}" --file "$file" --redis "$target_PORT" \
    --log "$STORY/rowferry.log" --limit $((60 + 1200 / ROWFERRY_SCALE)) -- "${run[@]}"
# All of it is in each of the others, too.
expect_success "${run[@]}" --until now

segments=("$STORY"/packed.0*.jsonl.gz)
[ ${#segments[@]} -ge 3 ] || fail "only ${#segments[@]} segments"
for segment in "${segments[@]}"; do
    [ ! -s "$segment" ] || gzip -dc "$segment" >>"$STORY/unpacked.jsonl"
done
expect_same_files "$file" "$STORY/unpacked.jsonl" "the file and the segments"
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
    --database "two wörds" --file "$STORY/unpacked.jsonl" --redis-json "$target_PORT/0" \
    --redis-streams "$target_PORT/1"
story_end
