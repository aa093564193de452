#!/usr/bin/env bash
# story: asan
# story: timeout 300
# As test_kill9.sh with Cassandra beside a file: after the last kill Cassandra equals SELECT, by its
# types as well. Then the node is killed while a load is written, and it is so again when the node is
# back; the program has run on.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_cassandra node

kills=$((20 / ROWFERRY_SCALE))
[ $kills -ge 5 ] || kills=5
load_tables
file=$STORY/changes.jsonl
run=("$ROWFERRY" run --name kill9 --from earliest "$(source_url)" "file:$file" "$(node_url)")
expect_success python3 "$LIB/killer.py" --socket "$source_SOCKET" --operations $((OPERATIONS / 2)) \
    --kills $kills --seed "${ROWFERRY_SEED:-13}" --file "$file" --cassandra "$node_PORT/copy" \
    --log "$STORY/rowferry.log" --limit $((100 + 3600 / ROWFERRY_SCALE)) -- "${run[@]}"
expect_equal_cassandra

# The node dies without its last moments, and with them the position may go back.
run_background pipeline "${run[@]}"
load_start $((OPERATIONS / 4)) 14 --first 400000
wait_until 60 load_is_out "$file" $((400000 + OPERATIONS / 20))
kill_server node
expect_background_status 300 0 load
restart_server node
wait_until $((60 + 400 / ROWFERRY_SCALE)) all_is_in_cassandra
expect_success background_runs pipeline

# So it is when it dies while there is nothing to do: nobody waits for the next row.
before=$(grep -c "cassandra.*: answers again" "$pipeline_LOG")
kill_server node
restart_server node
answers_again() {
    [ "$(grep -c "cassandra.*: answers again" "$pipeline_LOG")" -gt "$before" ]
}
wait_until 60 answers_again
wait_until $((60 + 400 / ROWFERRY_SCALE)) all_is_in_cassandra
expect_success background_runs pipeline
signal_background pipeline TERM
expect_background_status 10 143 pipeline
expect_equal_cassandra
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
    --database "two wörds" --file "$file"
story_end
