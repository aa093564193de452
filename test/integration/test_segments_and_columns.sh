#!/usr/bin/env bash
# One source, three files: plain; compressed segments; and one that is shown a part of the tables,
# with columns left out and hidden. Through a kill, a restart and a SIGHUP the segments hold exactly
# what the plain file does, and the server itself agrees with every hash.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source

sql source "CREATE DATABASE shop; CREATE DATABASE other;
    CREATE TABLE shop.users (id INT PRIMARY KEY, email VARCHAR(80), password VARCHAR(40),
        note VARCHAR(40)) CHARACTER SET utf8mb4;
    CREATE TABLE other.things (id INT PRIMARY KEY)"
here=mysql://root@127.0.0.1:$source_PORT
(umask 077 && echo "a salt for this story" >"$STORY/salt")
plain=$STORY/plain.jsonl
hidden=$STORY/hidden.jsonl
sinks=("file:$plain"
    "file:$STORY/segments/s.jsonl.gz?rotate_bytes=4000&compress=gzip"
    "file:$hidden?tables=shop.*,-shop.audit&columns=-password,mask(note,2),hash(shop.users.email)&salt_file=$STORY/salt")
mkdir "$STORY/segments"

# insert FROM TO: in transactions of ten rows.
insert() {
    sql source "USE shop; $(for ((i = $1; i < $2; i += 10)); do
        echo "INSERT INTO shop.users SELECT seq, CONCAT('zoë', seq, '@example.org'),
            CONCAT('secret', seq), CONCAT('ünïcödé ', seq) FROM seq_${i}_to_$((i + 9));
            INSERT INTO other.things VALUES ($i);"
    done)"
}
has() { # ID: all three have it
    file_contains "$plain" "\"after\":{\"id\":$1," && file_contains "$hidden" "\"after\":{\"id\":$1," &&
        segments_contain "\"after\":{\"id\":$1,"
}
# What the segments hold; an empty one is no compressed file yet.
segments() {
    find "$STORY/segments" -type f -size +0 -print0 | sort -z | xargs -0r gzip -dcq 2>"$STORY/gzip"
}
segments_contain() {
    segments >"$STORY/all" || true # one that is being written may end anywhere
    file_contains "$STORY/all" "$1"
}
count_segments() {
    find "$STORY/segments" -type f | wc -l
}
more_segments_than() {
    [ "$(count_segments)" -gt "$1" ]
}

run_background pipeline "$ROWFERRY" run --name story --from earliest "$here" "${sinks[@]}"
insert 1 300
wait_until 20 has 300
kill_background pipeline
insert 301 600
run_background pipeline "$ROWFERRY" run --name story "$here" "${sinks[@]}"
wait_until 20 has 600

# A SIGHUP ends a segment, however small it is, and though nothing more comes.
before=$(count_segments)
insert 601 610
wait_until 20 has 610
signal_background pipeline HUP
wait_until 10 more_segments_than "$before"
expect_success file_contains "$pipeline_LOG" "SIGHUP"
insert 611 620
wait_until 20 has 620
signal_background pipeline TERM
expect_background_status 5 143 pipeline

segments >"$STORY/all" || fail "$(cat "$STORY/gzip")"
expect_same_files "$plain" "$STORY/all" "the segments hold what the plain file does"
more_segments_than 2 || fail "only $(count_segments) segments"
expect_equal 620 "$(grep -c '"table":"shop.users","key"' "$plain")" "rows of users"

# What was to be hidden is nowhere, and all the rest is.
expect_equal 0 "$(grep -c 'secret\|example\|other\.things' "$hidden" || true)" "lines that show it"
expect_equal 620 "$(grep -c '"table":"shop.users","key"' "$hidden")" "rows that are shown"
sql source "SELECT CONCAT('{\"id\":', id, ',\"email\":\"',
        SHA2(CONCAT('a salt for this story', email), 256), '\",\"note\":\"',
        REPEAT('*', CHAR_LENGTH(note) - 2), RIGHT(note, 2), '\"}')
    FROM shop.users ORDER BY id" >"$STORY/expected"
sed -n 's/.*"after":\({[^}]*}\).*/\1/p' "$hidden" >"$STORY/shown"
expect_same_files "$STORY/expected" "$STORY/shown" "the server's own hashes and masks"

# A rule that finds no column shows nothing.
refuses 2 'mask(shop.users.emial)|did you mean "email"|misspelt' run --name other --from earliest \
    "$here" "file:$STORY/none.jsonl?columns=mask(shop.users.emial)"
expect_equal 0 "$(grep -c '"op":"create"' "$STORY/none.jsonl" || true)" "rows in spite of it"
# Segments that somebody took before they were finished, and rotation that is turned off.
refuses 2 'written in segments|rotate=on' run --name story "$here" "file:$plain" \
    "file:$STORY/segments/s.jsonl.gz?compress=gzip"
rm "$STORY"/segments/*
refuses 3 'is gone' run --name story "$here" "${sinks[@]}"
story_end
