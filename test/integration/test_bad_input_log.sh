#!/usr/bin/env bash
# story: asan
# Log files that are damaged: cut off, with a bit changed, of another kind. Nothing behind the
# damage is printed, and nothing of a transaction that is not whole.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source

lib=$ROWFERRY_SOURCE_DIR/test/lib
python3 "$lib/workload.py" --schema | sql source
sql source "FLUSH BINARY LOGS"
python3 "$lib/workload.py" --operations 60 --seed 4 | sql source
sql source "FLUSH BINARY LOGS"
log=$source_DIR/data/bin.000002

mkdir "$STORY/copies"
expect_success python3 "$lib/damage.py" "$ROWFERRY" "$log" "$STORY/copies" \
    --cuts $((800 / ROWFERRY_SCALE)) --flips $((1200 / ROWFERRY_SCALE)) --seed "${ROWFERRY_SEED:-1}"

# A transaction that the server never finished, as after its crash, is left out without a word.
sql source "FLUSH BINARY LOGS; INSERT INTO story.progress VALUES (1000000);
    BEGIN; INSERT INTO story.progress VALUES (1000001); INSERT INTO story.progress VALUES (1000002);
    COMMIT; FLUSH BINARY LOGS"
whole=$source_DIR/data/bin.000004
end=$(mariadb-binlog --no-defaults "$whole" | sed -n 's/^# at //p' | tail -n 2 | head -n 1)
head -c "$end" "$whole" >"$STORY/copies/open"
expect_status 0 "$ROWFERRY" tail "binlog:$STORY/copies/open"
expect_equal 1 "$(grep -c . "$STORY/out")" "rows of the finished transaction"
expect_contains "$(cat "$STORY/out")" '"operations":1000000'

# What is no log at all.
: >"$STORY/copies/empty"
refuses 2 "$STORY/copies/empty" tail "binlog:$STORY/copies/empty"
head -c 3000 /dev/zero >"$STORY/copies/zeros"
refuses 2 "$STORY/copies/zeros" tail "binlog:$STORY/copies/zeros"
cp "$source_DIR/data/ib_logfile0" "$STORY/copies/other"
refuses 2 "$STORY/copies/other" tail "binlog:$STORY/copies/other"
story_end
