#!/usr/bin/env bash
# The server begins a new log file 1,000 times (200 at 1/20 of the rows), each with a row in another
# table: nothing is lost or repeated, and the memory that the reader holds does not grow with it.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source

TABLES=20
GROWTH_KB_MAX=1024
rotations=$((4000 / ROWFERRY_SCALE))
[ $rotations -le 1000 ] || rotations=1000
sql source "CREATE DATABASE shop"
for table in $(seq $TABLES); do
    sql source "CREATE TABLE shop.t$table (id INT PRIMARY KEY, note VARCHAR(100))"
done
run_background reader "$ROWFERRY" tail --from now "mysql://root@127.0.0.1:$source_PORT/shop"
tries=0
reads() { # a row is read, so it streams; each one differs, as an equal one would not be logged
    tries=$((tries + 1))
    sql source "REPLACE INTO shop.t1 VALUES (0, 'ready $tries')"
    file_contains "$reader_LOG" '"note":"ready'
}
wait_until 10 reads

# rotate FIRST LAST: a row and a new file each, over one connection, and all of it read.
rotate() {
    local number
    for number in $(seq "$1" "$2"); do
        echo "INSERT INTO shop.t$((number % TABLES + 1)) VALUES ($number, 'row'); FLUSH BINARY LOGS;"
    done | sql source
    wait_until 60 file_contains "$reader_LOG" "\"id\":$2,\"note\":\"row\""
}
memory_kb() {
    awk '/^RssAnon/ { print $2 }' "/proc/$reader_PID/status"
}

warm=$((rotations / 4))
rotate 1 $warm
before=$(memory_kb)
rotate $((warm + 1)) $rotations
after=$(memory_kb)
echo "$rotations rotations; memory $before kB after $warm of them, $after kB after all"
expect_success test $((after - before)) -le $GROWTH_KB_MAX
expect_equal "$(seq $rotations)" \
    "$(grep -o '"id":[0-9]*,"note":"row"' "$reader_LOG" | grep -o '[0-9]\+')" "rows in order"
signal_background reader TERM
expect_background_status 5 143 reader
story_end
