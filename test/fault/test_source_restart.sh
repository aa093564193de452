#!/usr/bin/env bash
# The source's server is killed with -9, stopped, frozen, and rotates its log while a load runs:
# rowferry reconnects by itself, within 5 s of the server's return, and nothing is lost or repeated.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source --durable -- --innodb-log-file-size=128M
start_redis target

file=$STORY/changes.jsonl
load_tables --innodb-only
run_background pipeline "$ROWFERRY" run --name restart --from earliest \
    "$(source_url)?heartbeat=300ms" "$(target_url)" "file:$file"

# part NUMBER killed|stopped: a load without end, until the server goes away under it.
part() {
    local first=$(($1 * 500000))
    load_start 400000 "$1" --innodb-only --first $first
    wait_until 60 load_is_out "$file" $((first + ROWS / 8))
    case $2 in
        killed) kill_server source ;;
        stopped) stop_server source ;;
    esac
    expect_background_status 20 1 load
    restart_server source
    sql source "INSERT INTO story.progress VALUES ($first + 499999)"
    wait_until 5 load_is_out "$file" $((first + 499999))
    expect_success background_runs pipeline
}

number=0
for how in killed stopped killed killed; do
    number=$((number + 1))
    part $number $how
done

# Frozen, its connections stay open and silent. Three heartbeats without a word are enough.
server=$(cut -d ' ' -f 1 "$source_DIR/mariadb.pid")
load_start 400000 5 --innodb-only --first 2500000
wait_until 60 load_is_out "$file" $((2500000 + ROWS / 8))
kill -STOP "$server"
said=$(wc -l <"$pipeline_LOG")
silence_was_noticed() {
    tail -n "+$((said + 1))" "$pipeline_LOG" | grep -q "trying again"
}
wait_until 10 silence_was_noticed
expect_success grep -q " source mysql://[^ ]*: answers again, and goes on at " "$pipeline_LOG"
kill -CONT "$server"
load_end
wait_until 10 all_is_out "$file"

# A log of many small files.
load_start $((ROWS / 8)) 77 --innodb-only --first 2800000
rotations=0
while background_runs load; do
    sql source "FLUSH BINARY LOGS"
    rotations=$((rotations + 1))
done
echo "the log was rotated $rotations times"
wait_until 60 all_is_out "$file"

signal_background pipeline TERM
expect_background_status 5 143 pipeline
expect_equal_sinks "$file"
story_end
