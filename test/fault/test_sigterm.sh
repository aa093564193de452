#!/usr/bin/env bash
# SIGTERM under load: out within 5 s with status 143, and the next start repeats no line, neither in
# a file (which is not cut either) nor in a pipe, where nothing could be taken back.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target

file=$STORY/changes.jsonl
piped=$STORY/piped.jsonl
load_tables

# What `-` prints goes through cat, so that rowferry sees a pipe; a cat waits for the one before it.
pipeline_start() {
    run_background pipeline bash -c 'exec "$1" run --name sigterm --from earliest "$2" "$3" "$4" - \
        > >(exec flock "$5.lock" cat >>"$5")' - \
        "$ROWFERRY" "$(source_url)" "$(target_url)" "file:$file" "$piped"
}

stops=$((20 / ROWFERRY_SCALE))
[ $stops -ge 5 ] || stops=5
load_start 1000000 20
before=0
for ((stop = 1; stop <= stops; stop++)); do
    pipeline_start
    wait_until 60 load_is_out "$file" $((ROWS / stops * stop))
    expect_success background_runs load
    signal_background pipeline TERM
    expect_background_status 5 143 pipeline
    if [ $before -gt 0 ]; then
        expect_equal "$head_sum" "$(head -c $before "$file" | cksum)" "what was in the file at stop"
    fi
    before=$(stat -c %s "$file")
    head_sum=$(cksum <"$file")
done
load_end

pipeline_start
wait_until $((20 + 400 / ROWFERRY_SCALE)) all_is_out "$file" "$piped"
signal_background pipeline TERM
expect_background_status 5 143 pipeline
wait_until 5 cmp -s "$file" "$piped"
expect_equal_sinks "$file" "$piped"
story_end
