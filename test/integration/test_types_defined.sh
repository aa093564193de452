#!/usr/bin/env bash
# What MariaDB's log does not tell of a column's type comes from a definition, or is not guessed:
# UUID, INET4 and INET6, which look like BINARY, and how many digits the old temporal types have.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source
url=mysql://root@127.0.0.1:$source_PORT

rows() { # ADDRESS: the `after` images of all rows in it
    local limits=(--from earliest --until now)
    [[ $1 != binlog:* ]] || limits=()
    "$ROWFERRY" tail "$1" ${limits[@]+"${limits[@]}"} 2>"$STORY/said" |
        sed -n 's/.*"after":\(.*\),"ts".*/\1/p'
}
begin() { # SQL: a log of its own with a database `d`
    sql source "DROP DATABASE IF EXISTS d; RESET MASTER; CREATE DATABASE d; USE d; $1"
}
typed='{"id":"123e4567-e89b-12d3-a456-426655440000","a":"1.2.3.0","b":"2001:db8::"}'
bytes='{"id":"Ej5FZ+ibEtOkVkJmVUQAAA==","a":"AQIDAA==","b":"IAENuAAAAAAAAAAAAAAAAA=="}'
insert="INSERT INTO u VALUES ('123e4567-e89b-12d3-a456-426655440000', '1.2.3.0', '2001:db8::')"
table="CREATE TABLE u (id UUID PRIMARY KEY, a INET4, b INET6); $insert"

# ---- Addresses -------------------------------------------------------------------------------

begin "$table"
expect_equal "$typed" "$(rows "$url/d.*")" "as the server shows them"
expect_equal "$bytes" "$(rows "$url/d.*?schema=log")" "without asking"
data=$source_DIR/data/bin.000001
expect_equal "$bytes" "$(rows "binlog:$data")" "from a file alone"
mariadb-dump --no-defaults -S "$source_SOCKET" -uroot --no-data --databases d >"$STORY/d.sql"
expect_equal "$typed" "$(rows "binlog:$data?schema=$STORY/d.sql")" "from a file with definitions"

# A user who may not see the table: bytes, and it is said.
sql source "CREATE OR REPLACE USER cdc; GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc"
expect_equal "$bytes" "$(rows "mysql://cdc@127.0.0.1:$source_PORT/d.*")" "may not be asked"
expect_equal 1 "$(grep -c "BINARY columns of table d.u are carried as bytes" "$STORY/said")" warnings

# Statements in between: those that cannot change a type do not matter ...
begin "$table; ALTER TABLE u ADD c INT; ALTER TABLE u ADD INDEX (a)"
expect_equal "$typed" "$(rows "$url/d.*")" "behind by two ALTERs"
# ... others stop it, by name.
begin "CREATE TABLE u (id BINARY(16) PRIMARY KEY, a INET4, b INET6);
    INSERT INTO u VALUES (X'01', NULL, NULL); ALTER TABLE u MODIFY id UUID"
expect_status 2 "$ROWFERRY" tail "$url/d.*" --from earliest --until now
expect_contains "$(cat "$STORY/err")" "ALTER TABLE u MODIFY id UUID"
expect_contains "$(cat "$STORY/err")" "schema=log"
# A table that has nothing but BINARY goes on, whatever was done to it; so does one that is gone.
begin "CREATE TABLE u (id BINARY(16)); INSERT INTO u VALUES (X'01');
    ALTER TABLE u MODIFY id BINARY(16) NOT NULL; CREATE TABLE gone (id BINARY(4));
    INSERT INTO gone VALUES (X'02'); DROP TABLE gone"
expect_equal '{"id":"AQAAAAAAAAAAAAAAAAAAAA=="} {"id":"AgAAAA=="}' "$(rows "$url/d.*" | paste -sd ' ')" \
    "only BINARY"
# While it is followed: the type is that of its time, before and behind a change of it.
begin "CREATE TABLE u (id BINARY(16) PRIMARY KEY, a INET4, b INET6)"
run_background follow "$ROWFERRY" tail "$url/d.*" --from earliest
wait_until 10 file_contains "$follow_LOG" "CREATE TABLE u"
sql source "USE d; INSERT INTO u VALUES (X'01', '0.0.0.1', NULL)"
wait_until 10 file_contains "$follow_LOG" '"id":"AQAAAAAAAAAAAAAAAAAAAA==","a":"0.0.0.1"'
sql source "USE d; ALTER TABLE u MODIFY id UUID"
wait_until 10 file_contains "$follow_LOG" "MODIFY id UUID"
sql source "USE d; $insert"
wait_until 10 file_contains "$follow_LOG" "$typed"

# ---- Times of old ----------------------------------------------------------------------------

begin "SET GLOBAL mysql56_temporal_format = OFF; SET time_zone = '+00:00';
    CREATE TABLE t (a TIMESTAMP(3) NULL, b TIME, c DATETIME(6), d TIME(2), e DATETIME, f TIMESTAMP);
    SET GLOBAL mysql56_temporal_format = ON;
    INSERT INTO t VALUES ('2024-02-29 12:00:00.123', '-838:59:59', '0000-00-00 00:00:00.000001',
        '-00:00:00.01', '9999-12-31 23:59:59', '1970-01-01 00:00:01')"
wanted='{"a":"2024-02-29T12:00:00.123Z","b":"-838:59:59","c":"0000-00-00T00:00:00.000001",'
wanted+='"d":"-00:00:00.01","e":"9999-12-31T23:59:59","f":"1970-01-01T00:00:01Z"}'
expect_equal "$wanted" "$(rows "$url/d.*")" "times of old"
expect_status 2 "$ROWFERRY" tail "$url/d.*?schema=log" --from earliest --until now
expect_contains "$(cat "$STORY/err")" "column a of table d.t is a TIMESTAMP, TIME or DATETIME"
sql source "ALTER TABLE d.t MODIFY a TIMESTAMP(2)"
expect_status 2 "$ROWFERRY" tail "$url/d.*" --from earliest --until now
expect_contains "$(cat "$STORY/err")" "MODIFY a TIMESTAMP(2)"

# ---- Bytes that are no characters ------------------------------------------------------------

begin "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET ascii);
    INSERT INTO t VALUES (1, X'61ff62'), (2, 'c'), (3, X'80')"
marked=$(printf '{"id":1,"a":"a\xf4\x8f\xbb\xbfb"} {"id":2,"a":"c"} {"id":3,"a":"\xf4\x8f\xba\x80"}')
expect_equal "$marked" "$(rows "$url/d.*" | paste -sd ' ')" "marked"
expect_equal 1 "$(grep -c "table d.t has text with bytes" "$STORY/said")" "said once"
expect_success "$ROWFERRY" run --name m --from earliest --until now "$url/d.*" null: 2>"$STORY/said"
expect_contains "$(cat "$STORY/said")" "2 values with bytes that are not of their character set"
expect_status 3 "$ROWFERRY" tail "$url/d.*?invalid=stop" --from earliest --until now
expect_contains "$(cat "$STORY/err")" "column a of table d.t, row 0"
expect_contains "$(cat "$STORY/err")" "ff 62"
story_end
