#!/usr/bin/env bash
# story: timeout 240
# One transaction of 2 GB (140 MB at 1/20): the reader's memory stays flat, and when it is killed
# with -9 again and again while the rows are being handed over, Redis and the folded file each equal
# SELECT in the end, and no line of the file is repeated. Most of it are updates of few large rows,
# so that Redis need not hold it.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
LIB=$ROWFERRY_SOURCE_DIR/test/lib
story_begin
start_mariadb source -- --innodb-log-file-size=512M --max-binlog-size=1G
start_redis target

MEMORY_KB_MAX=$((64 * 1024)) # of the pool 24 MiB, of the transaction 8 MiB, the rest for the sinks
KEYS=200
BODY=100000
rounds=$((55 / ROWFERRY_SCALE))
[ $rounds -ge 4 ] || rounds=4
small=$((200000 / ROWFERRY_SCALE))
file=$STORY/changes.jsonl
mkdir "$STORY/spill"
export TMPDIR=$STORY/spill
rowferry=("$ROWFERRY" run --name large --from earliest "mysql://root@127.0.0.1:$source_PORT/story"
    "redis://127.0.0.1:$target_PORT" "file:$file")

sql source "CREATE DATABASE story;
    CREATE TABLE story.big (id INT PRIMARY KEY, n INT NOT NULL, body MEDIUMTEXT NOT NULL);
    CREATE TABLE story.small (id INT PRIMARY KEY, note VARCHAR(100));
    INSERT INTO story.big SELECT seq, 0, 'begin' FROM story.seq_1_to_$KEYS;
    INSERT INTO story.small VALUES (0, 'before')"
run_background first "${rowferry[@]}"
is_in_both() { # ID NOTE
    [ "$(redis target EXISTS "story:small:$1")" = 1 ] && tail -n 1 "$file" | grep -qF "\"$2\""
}
wait_until 20 is_in_both 0 before
signal_background first TERM
expect_background_status 5 143 first
before=$(stat -c %s "$file")

{
    echo "START TRANSACTION;"
    for round in $(seq $rounds); do
        echo "UPDATE big SET n = $round, body = REPEAT(CHAR(97 + ($round + id) % 26), $BODY);"
        echo "INSERT INTO small SELECT seq, 'round $round' FROM
            seq_$(((round - 1) * small / rounds + 1))_to_$((round * small / rounds));"
    done
    echo "DELETE FROM small WHERE id % 10 = 3; COMMIT; INSERT INTO small VALUES (-1, 'behind');"
} | sql source --database=story
large=$(((2 * rounds - 1) * KEYS * BODY)) # bytes of rows, before and after
expect_success test "$(sql source "SHOW BINARY LOGS" | awk '{ sum += $2 } END { printf "%.0f", sum }')" -gt $large

for percent in 2 20 40 60 80; do
    said=$("$LIB/kill_at.py" --file "$file" --bytes $((before + large / 100 * percent)) \
        --log "$STORY/rowferry.log" --spill "$STORY/spill" --limit 120 -- "${rowferry[@]}")
    read -r size_kb peak_kb spilled_kb <<<"$said"
    echo "killed at $percent %: the file has $size_kb kB, memory $peak_kb kB, spilled $spilled_kb kB"
    expect_success test "$peak_kb" -le $MEMORY_KB_MAX
    expect_success test $((spilled_kb * 1024)) -gt $((large - 10 * 1024 * 1024))
    expect_equal 0 "$(grep -c '"behind"' "$file")" "rows behind the transaction, at the kill"
    expect_equal "" "$(ls -A "$STORY/spill")" "what a kill leaves in the directory"
done

run_background last "${rowferry[@]}"
wait_until 120 is_in_both -1 behind
expect_equal "" "$(find -L /proc/"$last_PID"/fd -links 0 -type f -lname "$STORY/spill/*" 2>/dev/null)" \
    "large files that are still open"
signal_background last TERM
expect_background_status 5 143 last
lines=$((KEYS * (rounds + 1) + small + small / 10 + 2 + 3)) # three of them CREATE
expect_equal $lines \
    "$(wc -l <"$file")" "lines of the file"
expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
    --file "$file" --redis "$target_PORT"
story_end
