#!/usr/bin/env bash
# What each format makes of captured logs, by golden files, and of a live server: the statements that changed the rows
# come along when they are asked for, transactions have both ends, and options are checked where they are written.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

# ---- Golden files (made anew by: test/golden/format/run build/rowferry --write) ----------------

expect_status 0 "$ROWFERRY_SOURCE_DIR/test/golden/format/run" "$ROWFERRY"
expect_contains "$(cat out)" ", 0 differ" "$(cat out)"

# ---- Every line is JSON, and says the same as the log ------------------------------------------

golden=$ROWFERRY_SOURCE_DIR/test/golden
log=$golden/format/story.in
for each in "$log" "$golden"/wire/{types,mysql_types,mysql_json,mysql_transactions}.in; do
    rows=$("$ROWFERRY" tail "binlog:$each" --quiet | grep -c '"op":"\(create\|update\|delete\)"')
    expect_equal yes "$([ "$rows" -ge 12 ] && echo yes)" "rows in the log"
    for format in debezium?unfit_values=null debezium?schemas=on\&unfit_values=null maxwell canal flat; do
        "$ROWFERRY" tail "binlog:$each" --format "$format" --quiet >lines
        expect_status 0 python3 "$ROWFERRY_SOURCE_DIR/test/lib/messages.py" "${format%%\?*}" lines
        expect_equal "$rows rows" "$(cat out)" "$format of ${each##*/}"
    done
done

# ---- A live server -----------------------------------------------------------------------------

start_mariadb source
sql source "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, name VARCHAR(20));
    INSERT INTO shop.t VALUES (1, 'anna'), (2, 'bob'); UPDATE shop.t SET id = 3 WHERE id = 2"
url="mysql://root@127.0.0.1:$source_PORT/shop.*"
tail_format() {
    "$ROWFERRY" tail "$url?queries=$1" --from earliest --until now --quiet --format "$2" >lines
}
tail_format off debezium
expect_equal 0 "$(grep -c '"query":"' lines || true)" "statements that nobody asked for"
tail_format on 'debezium?provide_transaction_metadata=on'
expect_equal 4 "$(grep -c '"query":"\(INSERT\|UPDATE\)' lines)" "rows with their statement"
expect_equal "BEGIN END BEGIN END" "$(grep -o 'BEGIN\|END' lines | xargs)" "borders"
expect_contains "$(cat lines)" '"event_count":2,"data_collections":[{"data_collection":"shop.t"' "counts"
expect_equal "c c d c" "$(sed -n 's/.*"op":"\(.\)".*/\1/p' lines | xargs)" "a changed key is two messages"
tail_format on 'maxwell?output_row_query=on'
expect_equal 3 "$(grep -c '"query":"\(INSERT\|UPDATE\)' lines)" "rows with their statement"
expect_equal 2 "$(grep -c '"commit":true' lines)" "last rows of transactions"

# ---- A file has what stands behind a transaction, once, however often the pipeline stops -------

run_debezium() {
    expect_status 0 "$ROWFERRY" run "$url" \
        "file:changes?format=debezium&provide_transaction_metadata=on" --from earliest --quiet "$@"
}
run_debezium --limit 3 # CREATE DATABASE, CREATE TABLE and the first row, with the rest of its transaction
run_debezium --until now
run_debezium --until now
expect_equal "BEGIN END BEGIN END" "$(grep -o 'BEGIN\|END' changes | xargs)" "borders in the file"

# ---- Options -----------------------------------------------------------------------------------

expect_status 2 "$ROWFERRY" tail "binlog:$log" --format 'debezium?decimal_handling_mode=exact'
expect_contains "$(cat err)" "it takes: one of string, precise, double" "$(cat err)"
expect_status 2 "$ROWFERRY" tail "binlog:$log" --format 'debezium?topic_prefix='
expect_contains "$(cat err)" "topic_prefix is empty" "$(cat err)"
expect_status 2 "$ROWFERRY" tail "binlog:$log" --format 'maxwel?output_ddl=on'
expect_contains "$(cat err)" 'did you mean "maxwell"' "$(cat err)"
story_end
