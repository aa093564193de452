#!/usr/bin/env bash
# Redis is killed with -9, stopped and frozen while a load runs: rowferry writes on when it is back,
# nothing is lost, and the file beside it never shows a line twice. Memory stays under its limit.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M
start_redis target -- --appendonly yes --appendfsync always

file=$STORY/changes.jsonl
load_tables
run_background pipeline "$ROWFERRY" run --name restart --from earliest --pool-bytes 4M \
    "$(source_url)" "$(target_url)" "file:$file"

# arrived: the server's last row is in Redis, and not only in the file.
arrived() {
    all_is_out "$file"
}

# part NUMBER killed|stopped|frozen: a part of the load; in the middle of it Redis goes away, and it
# comes back when the rest is in the server's log.
part() {
    local first=$(($1 * 400000)) how=$2
    load_start $((ROWS / 4)) "$1" --first $first
    wait_until 60 load_is_out "$file" $((first + ROWS / 20))
    case $how in
        killed) kill_server target ;;
        stopped) stop_server target ;;
        frozen) kill -STOP "$(target_pid)" ;;
    esac
    expect_background_status 300 0 load
    case $how in
        frozen) kill -CONT "$(target_pid)" ;;
        *) restart_server target ;;
    esac
    sql source "INSERT INTO story.progress VALUES ($first + 399999)"
    wait_until $((20 + 400 / ROWFERRY_SCALE)) arrived
    expect_success background_runs pipeline
    expect_success grep -q " redis redis://[^ ]*: answers again, and goes on at " "$pipeline_LOG"
}

target_pid() {
    cut -d ' ' -f 1 "$target_DIR/redis.pid"
}

number=0
for how in killed stopped frozen killed; do
    number=$((number + 1))
    part $number $how
done

# The pool is 4 MB; the rest is the program itself, its libraries, the largest transactions.
peak_kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pipeline_PID/status")
echo "peak memory $peak_kb kB"
expect_success test "$peak_kb" -lt 100000

signal_background pipeline TERM
expect_background_status 5 143 pipeline
expect_equal_sinks "$file"
story_end
