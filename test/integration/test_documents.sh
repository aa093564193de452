#!/usr/bin/env bash
# JSON documents of which MySQL logs the changes only (binlog_row_value_options=PARTIAL_JSON) are
# carried whole: each before image is what the event before it left, and the last what SELECT shows.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mysql source
lib=$ROWFERRY_SOURCE_DIR/test/lib

compare() { # FILE
    python3 "$lib/compare.py" --socket "$source_SOCKET" --database documents --file "$1"
}

python3 "$lib/documents.py" --operations $((40000 / ROWFERRY_SCALE)) --seed "${ROWFERRY_SEED:-5}" |
    sql source
expect_success "$ROWFERRY" tail "mysql://root@127.0.0.1:$source_PORT/documents.*" --from earliest \
    --until now >"$STORY/lines"
expect_success compare "$STORY/lines"
# Most of it was logged as changes: the server says so in its own words.
changes=$("$("$SERVERS" tree mysql)/bin/mysqlbinlog" -v "$source_DIR"/mysql/data/bin.000001 |
    grep -ac "JSON_\(REPLACE\|INSERT\|ARRAY_INSERT\|REMOVE\)(" || true)
[ "$changes" -gt $((18000 / ROWFERRY_SCALE)) ] || fail "only $changes changes in the log"
# The judge must be able to fail.
sed '0,/"n":1,/ s//"n":9,/' "$STORY/lines" >"$STORY/spoiled"
expect_status 1 compare "$STORY/spoiled"
story_end
