#!/usr/bin/env bash
# story: asan
# A server that cannot be read, or not faithfully: rowferry says what is wrong there and the exact
# statement that mends it, with exit status 2; and stops behind the last good event for what is
# already in its log, with 3.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source
start_mariadb silent -- --skip-log-bin
start_mongo stream --java -- --oplog

at=127.0.0.1:$source_PORT
sql source "CREATE USER cdc@'127.0.0.1' IDENTIFIED BY 'right'; CREATE USER bare@'127.0.0.1';
    CREATE USER half@'127.0.0.1'; GRANT BINLOG MONITOR ON *.* TO half@'127.0.0.1';
    CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, total DECIMAL(8,2))"

# Who may read.
refuses 2 "Access denied for user 'cdc'|user and password" run "mysql://cdc:wrong@$at" null:
ROWFERRY_MYSQL_PASSWORD=wrong refuses 2 "Access denied for user 'cdc'" run "mysql://cdc@$at" null:
refuses 2 "Access denied for user 'nobody'" tail "mysql://nobody@$at"
grant="GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO"
refuses 2 "$grant 'bare'@'127.0.0.1'" tail "mysql://bare@$at"
refuses 2 "$grant 'half'@'127.0.0.1'" tail "mysql://half@$at"

# The hint is right: the same user, once it was granted that.
sql source "$grant 'bare'@'127.0.0.1'"
run_background granted "$ROWFERRY" tail --from earliest "mysql://bare@$at/shop.orders"
sql source "INSERT INTO shop.orders VALUES (1, 9.90)"
wait_until 10 file_contains "$granted_LOG" '"after":{"id":1,"total":"9.90"}'
signal_background granted TERM
expect_background_status 5 143 granted

# A password in an argument works, and does not stay in the list of processes.
sql source "$grant 'cdc'@'127.0.0.1'"
run_background secret "$ROWFERRY" tail --from earliest "mysql://cdc:right@$at/shop.orders"
wait_until 10 file_contains "$secret_LOG" '"id":1'
expect_equal 0 "$(tr '\0' '\n' <"/proc/$secret_PID/cmdline" | grep -c right || true)" \
    "password in the process list"
signal_background secret TERM
expect_background_status 5 143 secret
expect_equal 0 "$(grep -c right "$secret_LOG" || true)" "password in the log"

# What the log would lack.
refuses 2 "log|log_bin" tail "mysql://root@127.0.0.1:$silent_PORT"
sql source "SET GLOBAL binlog_format = STATEMENT"
refuses 2 "binlog_format is STATEMENT|SET GLOBAL binlog_format='ROW'" tail "mysql://root@$at"
sql source "SET GLOBAL binlog_format = MIXED"
refuses 2 "binlog_format is MIXED" tail "mysql://root@$at"
sql source "SET GLOBAL binlog_format = ROW, GLOBAL binlog_row_metadata = MINIMAL"
refuses 2 "binlog_row_metadata is MINIMAL|SET GLOBAL binlog_row_metadata='FULL'" \
    tail "mysql://root@$at?schema=log"
sql source "SET GLOBAL binlog_row_metadata = FULL"

# What is in the log already: everything before it comes out, nothing behind it does.
# in_the_log STATUS WORDS STATEMENTS: between two good rows.
number=10
in_the_log() {
    local status=$1 words=$2 statements=$3 before
    sql source "RESET MASTER; INSERT INTO shop.orders VALUES ($number, 1)"
    sql source "$statements"
    sql source "INSERT INTO shop.orders VALUES ($((number + 1)), 1)"
    expect_status "$status" timeout 30 "$ROWFERRY" tail --from earliest \
        "mysql://root@$at/shop.orders?schema=log"
    before=$(grep -c "\"after\":{\"id\":$number," "$STORY/out" || true)
    expect_equal 1 "$before" "good rows before"
    expect_equal 0 "$(grep -c "\"id\":$((number + 1))," "$STORY/out" || true)" "rows behind it"
    expect_words "$(sed '/^rowferry: /,$!d' "$STORY/err")" "bin.000001 at |GTID 0-1-|$words"
    number=$((number + 10))
}

in_the_log 3 "by a statement|INSERT INTO shop.orders VALUES (15" \
    "SET binlog_format = STATEMENT; INSERT INTO shop.orders VALUES (15, 1)"
in_the_log 2 "metadata|SET GLOBAL binlog_row_metadata=FULL" \
    "SET GLOBAL binlog_row_metadata = NO_LOG; INSERT INTO shop.orders VALUES (25, 1);
    SET GLOBAL binlog_row_metadata = FULL"
in_the_log 3 "ROLLBACK TO|engines that cannot roll back" \
    "CREATE TABLE IF NOT EXISTS shop.old (id INT PRIMARY KEY) ENGINE=MyISAM;
    BEGIN; INSERT INTO shop.orders VALUES (65, 1); SAVEPOINT s;
    INSERT INTO shop.orders VALUES (66, 1);
    INSERT INTO shop.old VALUES (66); ROLLBACK TO s; COMMIT"

# A MongoDB deployment. What takes one that misbehaves is in test/fault/test_mongo_source_program.c.
stream=mongodb://127.0.0.1:$stream_PORT
refuses 3 "does not say any more which deployment it is|new snapshot" tail --from \
    "mongodb:marker=64f000000000000000000000;time=1763830000.2;token=826921E8F0000000020000000004" \
    "$stream/shop.orders"
refuses 2 "'yesterday' is no place in the change streams" tail --from yesterday "$stream/shop"
refuses 2 "the database rowferry is our own" tail "$stream/rowferry"
refuses 2 "is older than MongoDB 6.0|images=update_lookup" tail "$stream/shop?images=required"
refuses 2 "members goes with replica_set only" tail "$stream/shop?members=127.0.0.1:1"
expect_status 0 timeout 30 "$ROWFERRY" tail --until now "$stream/shop.nothing"
expect_contains "$(cat "$STORY/err")" "has no collection shop.nothing yet" "an unknown collection"
stop_server stream
refuses 5 "could not connect to MongoDB at 127.0.0.1:$stream_PORT" tail "$stream/shop"
story_end
