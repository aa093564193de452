#!/usr/bin/env bash
# story: timeout 240
# What is left of all types at their boundaries, after inserts, updates and deletes, is what SELECT
# HEX(...) says on the server, on MariaDB and on MySQL, with each server's own types.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
lib=$ROWFERRY_SOURCE_DIR/test/lib

compare() { # SOCKET FILE
    python3 "$lib/compare.py" --socket "$1" --database "edge's" --file "$2"
}

check() { # NAME KIND PORT SOCKET
    python3 "$lib/boundaries.py" --state "$2" --schema | sql "$1"
    python3 "$lib/boundaries.py" --state "$2" | sql "$1" --max-allowed-packet=1G
    expect_success "$ROWFERRY" tail "mysql://root@127.0.0.1:$3/edge's.*" --from earliest --until now \
        >"$STORY/$2.jsonl"
    expect_success compare "$4" "$STORY/$2.jsonl"
}

start_mariadb maria -- --max-allowed-packet=1G --innodb-log-file-size=256M
check maria mariadb "$maria_PORT" "$maria_SOCKET"
start_mysql mysql -- --max-allowed-packet=1G
check mysql mysql "$mysql_PORT" "$mysql_SOCKET"

# A system in degrees is kept with the longitude first, however its text was written.
for srid in 4326 4258; do
    expect_success grep -q "\"srid\":$srid," "$STORY/mysql.jsonl"
done

# The judge must be able to fail: a digit of a document, of a UUID; the sign of a zero.
sed '0,/"-838:59:58.999999/ s//"-838:59:58.999998/' "$STORY/mysql.jsonl" >"$STORY/spoiled"
expect_status 1 compare "$mysql_SOCKET" "$STORY/spoiled"
sed '0,/"c0":"00000000-0000-0000-0000-000000000000/ s//"c0":"00000000-0000-0000-0000-000000000001/' \
    "$STORY/mariadb.jsonl" >"$STORY/spoiled"
expect_status 1 compare "$maria_SOCKET" "$STORY/spoiled"
for zero in '"c0":-0,' '\[0,-0,1]'; do # of a FLOAT, of a VECTOR
    sed "s/$zero/${zero/-0/0}/" "$STORY/mysql.jsonl" >"$STORY/spoiled"
    expect_status 1 compare "$mysql_SOCKET" "$STORY/spoiled"
    expect_contains "$(cat "$STORY/err")" "-0.0" "the difference"
done
story_end
