#!/usr/bin/env bash
# story: asan
# A recorded position that its server no longer has, or that belongs to another server: rowferry
# names it, ends with 3 and writes nothing; it never jumps. The same with a damaged state file.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source
start_mariadb other -- --gtid-domain-id=0

for server in source other; do
    sql $server "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)"
done
sql source "INSERT INTO shop.orders VALUES (1), (2)"
here=mysql://root@127.0.0.1:$source_PORT/shop.orders
there=mysql://root@127.0.0.1:$other_PORT/shop.orders
file=$STORY/changes.jsonl
at_source=("$here" "file:$file")
at_other=("$there" "file:$file")

# carry LAST: runs until the row with this id is in the file.
carry() {
    run_background pipeline "$ROWFERRY" run --name shop --from earliest "${at_source[@]}"
    wait_until 10 file_contains "$file" "\"after\":{\"id\":$1}"
    signal_background pipeline TERM
    expect_background_status 5 143 pipeline
    before=$(cksum <"$file")
}

nothing_was_written() {
    expect_equal "$before" "$(cksum <"$file")" "the file"
}

carry 2

# Another server behind the same name, whose GTIDs look alike: with a shorter log, then a longer
# one.
refuses 3 "not the log that the position was taken from" run --name shop "${at_other[@]}"
nothing_was_written
for id in {3..40}; do
    echo "INSERT INTO shop.orders VALUES ($id);"
done | sql other
refuses 3 "not the log that the position was taken from|another one" \
    run --name shop "${at_other[@]}"
nothing_was_written

# The server's log is deleted as far as the recorded position and further.
# The server keeps a file as long as it takes a reader that went away for a slow one.
purged_to() { # FILE; a condition for wait_until
    sql source "PURGE BINARY LOGS TO '$1'"
    [ "$(sql source "SHOW BINARY LOGS" | head -n 1 | cut -f 1)" = "$1" ]
}
sql source "INSERT INTO shop.orders VALUES (3); FLUSH BINARY LOGS;
    INSERT INTO shop.orders VALUES (4); FLUSH BINARY LOGS"
wait_until 10 purged_to bin.000003
refuses 3 "bin.000001|purged|deleted log files" run --name shop "${at_source[@]}"
nothing_was_written
refuses 2 "purged" run --name anew --from 0-1-1 "$here" "file:$STORY/anew.jsonl"

# Deleted up to the recorded position, but no further: nothing is missing.
mv "$file" "$file.old"
rm -r "$STORY/state/rowferry"
carry_from_here() {
    run_background pipeline "$ROWFERRY" run --name shop "${at_source[@]}"
    wait_until 10 test -f "$STORY/state/rowferry/shop.db"
    wait_until 10 "$ROWFERRY" position show shop
    wait_until 10 has_position
    sql source "INSERT INTO shop.orders VALUES (10)"
    wait_until 10 file_contains "$file" '"after":{"id":10}'
    signal_background pipeline TERM
    expect_background_status 5 143 pipeline
}
has_position() {
    "$ROWFERRY" position show shop | grep -q gtid=
}
carry_from_here
sql source "FLUSH BINARY LOGS; FLUSH BINARY LOGS"
wait_until 10 purged_to bin.000005
sql source "INSERT INTO shop.orders VALUES (11)"
carry 11
rows=$(grep -o '"after":{"id":[0-9]*' "$file" | sed 's/.*://' | paste -sd ' ')
expect_equal "10 11" "$rows" "rows"

# RESET MASTER: the same file names and GTIDs once more, with another content; first shorter, then
# longer than before.
sql source "RESET MASTER; INSERT INTO shop.orders VALUES (20)"
refuses 3 "RESET MASTER" run --name shop "${at_source[@]}"
nothing_was_written
for id in {21..90}; do
    echo "INSERT INTO shop.orders VALUES ($id);"
done | sql source
refuses 3 "RESET MASTER" run --name shop "${at_source[@]}"
nothing_was_written

# The state file. A copy that is whole works, so the damage is what is refused.
state=$STORY/state/rowferry
kept=$STORY/kept
cp -r "$state" "$kept"
damaged() { # WORDS COMMAND...: what the command does to the copy is refused
    local words=$1
    shift
    rm -r "$state"
    cp -r "$kept" "$state"
    "$@"
    refuses 3 "$words" run --name shop "${at_source[@]}"
    nothing_was_written
}
# shellcheck disable=SC2317
empty() { : >"$state/shop.db"; }
# shellcheck disable=SC2317
torn() { truncate -s 3000 "$state/shop.db"; }
# shellcheck disable=SC2317
zeroed() { head -c "$(stat -c %s "$kept/shop.db")" /dev/zero >"$state/shop.db"; }
# shellcheck disable=SC2317
garbage() { head -c 20000 /dev/urandom >"$state/shop.db"; }
damaged "shop.db|damaged" empty
damaged "shop.db|damaged" torn
damaged "shop.db|damaged" zeroed
damaged "shop.db|damaged" garbage
story_end
