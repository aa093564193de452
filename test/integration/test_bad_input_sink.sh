#!/usr/bin/env bash
# story: asan
# Destinations that are not what they were: an emptied Redis, a file that got shorter, was replaced
# or is gone; tables that a sink cannot hold; two processes of one name. Status 3 where data would
# be lost and 2 where somebody must decide; nothing is written in either case.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source
start_redis target

sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY);
    CREATE TABLE shop.notes (text VARCHAR(20)); INSERT INTO shop.orders VALUES (1), (2)"
here=mysql://root@127.0.0.1:$source_PORT/shop.orders
cache=redis://127.0.0.1:$target_PORT
file=$STORY/changes.jsonl

# carry LAST ARGUMENTS...: runs until the row with this id is in the file.
carry() {
    local last=$1
    shift
    run_background pipeline "$ROWFERRY" run --name shop --from earliest "$@" "$here" "$cache" \
        "file:$file"
    wait_until 10 file_contains "$file" "\"after\":{\"id\":$last}"
    wait_until 10 in_redis "$last"
    signal_background pipeline TERM
    expect_background_status 5 143 pipeline
}
in_redis() {
    [ "$(redis target EXISTS "shop:orders:$1")" = 1 ]
}
runs_as() { # PID
    "$ROWFERRY" status shop | grep -q "running, pid $1"
}
run_shop=(run --name shop "$here" "$cache" "file:$file")

carry 2
cp "$file" "$STORY/good.jsonl"

# A second process under the same name, while the first one runs.
run_background first "$ROWFERRY" "${run_shop[@]}"
wait_until 10 runs_as "$first_PID"
refuses 2 "running already|$first_PID|--name" "${run_shop[@]}"
signal_background first TERM
expect_background_status 5 143 first

# Redis lost its data.
sql source "INSERT INTO shop.orders VALUES (3)"
redis target FLUSHALL >"$STORY/answer"
refuses 3 "127.0.0.1:$target_PORT|no position of pipeline shop|lost its data" "${run_shop[@]}"
expect_equal 0 "$(redis target DBSIZE)" "keys in the emptied Redis"
# Only by an explicit word it begins anew.
carry 3 --adopt
cp "$file" "$STORY/good.jsonl"

# The file is not what it was. Each time the good one is put back; same_inode keeps the file itself.
same_inode() {
    cat "$STORY/good.jsonl" >"$file"
}
truncate -s -10 "$file"
refuses 3 "$file" "${run_shop[@]}"
same_inode
: >"$file"
refuses 3 "$file" "${run_shop[@]}"
expect_equal 0 "$(stat -c %s "$file")" "bytes in the emptied file"
same_inode
mv "$file" "$file.moved"
refuses 3 "$file|is gone" "${run_shop[@]}"
expect_status 1 test -e "$file"
cp "$file.moved" "$file"
refuses 3 "$file|not the file" "${run_shop[@]}"
expect_same_files "$STORY/good.jsonl" "$file"
mv "$file.moved" "$file"
# Put back, it goes on.
sql source "INSERT INTO shop.orders VALUES (4)"
carry 4
rows=$(grep -o '"after":{"id":[0-9]*' "$file" | sed 's/.*://' | paste -sd ' ')
expect_equal "1 2 3 4" "$rows" "rows"

# Two processes must not write to one file either.
run_background first "$ROWFERRY" "${run_shop[@]}"
wait_until 10 runs_as "$first_PID"
sql source "INSERT INTO shop.orders VALUES (5)"
wait_until 10 file_contains "$file" '"after":{"id":5}'
refuses 2 "$file" run --name another "$here" "file:$file"
signal_background first TERM
expect_background_status 5 143 first

# Redis dies and comes back empty while rowferry runs: the same answer as at a start.
run_background pipeline "$ROWFERRY" "${run_shop[@]}"
wait_until 10 runs_as "$pipeline_PID"
kill_server target
restart_server target
sql source "INSERT INTO shop.orders VALUES (6)"
expect_background_status 20 3 pipeline
expect_contains "$(cat "$pipeline_LOG")" "lost its data"
expect_equal 0 "$(redis target DBSIZE)" "keys in the Redis that came back empty"
carry 6 --adopt

# Places where nothing can be written.
refuses 2 "/nonexistent/x.jsonl|No such file" run --name p "$here" file:/nonexistent/x.jsonl
refuses 2 "directory" run --name p "$here" "file:$STORY"
redis target CONFIG SET requirepass secret >"$STORY/answer"
refuses 2 "127.0.0.1:$target_PORT|password" "${run_shop[@]}"
expect_equal 0 "$(grep -c secret "$STORY/err" || true)" "password in the message"
redis target -a secret --no-auth-warning CONFIG SET requirepass "" >"$STORY/answer"

# A table without a key cannot be kept by key.
sql source "INSERT INTO shop.notes VALUES ('keyless')"
refuses 2 "shop.notes|primary key" run --name keyless --from earliest \
    "mysql://root@127.0.0.1:$source_PORT/shop.notes" "$cache/1"
expect_equal 0 "$(redis target -n 1 --scan --pattern 'shop:*' | wc -l)" "rows of it in Redis"
story_end
