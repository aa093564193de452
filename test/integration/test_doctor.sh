#!/usr/bin/env bash
# `rowferry doctor` on servers that are set up wrong, each in its own way: what it says is the golden
# file test/golden/doctor/NAME.out. With ROWFERRY_UPDATE_GOLDEN=1 it writes them anew.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source
start_mysql second -- --gtid-mode=OFF --enforce-gtid-consistency=OFF
start_redis target -- --maxmemory 100mb --maxmemory-policy allkeys-lru

golden=$ROWFERRY_SOURCE_DIR/test/golden/doctor
url=mysql://cdc@127.0.0.1:$source_PORT
export ROWFERRY_MYSQL_PASSWORD=right

# What differs from run to run: ports, versions, room, times left, our own directory.
normalize() {
    sed -E -e "s|$STORY|STORY|g" -e 's/(127\.0\.0\.1):[0-9]+/\1:PORT/g' \
        -e 's/(MariaDB|MySQL|Redis|Cassandra|MongoDB) [0-9][^ ,]*/\1 VERSION/g' \
        -e 's/[0-9.]+ GB/N GB/' -e 's/not purged for .*/not purged for TIME/' \
        -e 's/at [0-9]+, (not|which)/at OFFSET, \1/' -e 's/ and [0-9]+ more/ and N more/'
}

# says NAME STATUS ARGUMENTS...
says() {
    local name=$1 status=$2
    shift 2
    expect_status "$status" "$ROWFERRY" doctor "$@"
    expect_equal "" "$(cat "$STORY/err")" "standard error of $name"
    normalize <"$STORY/out" >"$STORY/$name.out"
    if [ -n "${ROWFERRY_UPDATE_GOLDEN:-}" ]; then
        cp "$STORY/$name.out" "$golden/$name.out"
    fi
    expect_same_files "$golden/$name.out" "$STORY/$name.out" "doctor on $name"
}

# The global setting is something else for one look.
with_setting() { # SERVER NAME VALUE CASE STATUS ARGUMENTS...
    local server=$1 name=$2 before
    before=$(sql "$server" "SELECT @@GLOBAL.$name")
    sql "$server" "SET GLOBAL $name=$3"
    says "$4" "$5" "${@:6}"
    case $before in
        '' | *[!0-9]*) sql "$server" "SET GLOBAL $name='$before'" ;;
        *) sql "$server" "SET GLOBAL $name=$before" ;;
    esac
}

sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY);
    CREATE USER cdc@'127.0.0.1' IDENTIFIED BY 'right';
    GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'127.0.0.1';
    GRANT SELECT ON shop.* TO cdc@'127.0.0.1';
    CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'right'; GRANT USAGE ON *.* TO weak@'127.0.0.1';
    CREATE USER strong@'127.0.0.1' IDENTIFIED BY 'right'; GRANT ALL ON *.* TO strong@'127.0.0.1';
    GRANT SLAVE MONITOR ON *.* TO cdc@'127.0.0.1'"
says good 0 "$url"

# ---- Settings of the source

with_setting source binlog_format "'STATEMENT'" statement 2 "$url"
sql source "SET GLOBAL binlog_format='STATEMENT'"
expect_status 2 timeout 20 "$ROWFERRY" run "$url" null: # by the same table
expect_contains "$(cat "$STORY/err")" "binlog_format is STATEMENT, and must be ROW"
sql source "SET GLOBAL binlog_format='ROW'"
with_setting source binlog_format "'MIXED'" skipped_statements 0 "$url?skip=statements"
with_setting source binlog_row_metadata "'MINIMAL'" metadata 0 "$url"
with_setting source binlog_row_metadata "'MINIMAL'" metadata_of_the_log 2 "$url?schema=log"
ROWFERRY_MYSQL_PASSWORD= with_setting second server_id 0 no_number 2 "mysql://root@127.0.0.1:$second_PORT"
with_setting source binlog_expire_logs_seconds 3600 short 0 "$url"
ROWFERRY_MYSQL_PASSWORD= says gtids_off 0 "mysql://root@127.0.0.1:$second_PORT"

# MySQL, whose users have roles, and rights by database.
sql second "SET sql_log_bin=0; CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, note JSON);
    CREATE USER cdc@'127.0.0.1' IDENTIFIED BY 'right';
    GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO cdc@'127.0.0.1'; GRANT SELECT ON shop.* TO cdc@'127.0.0.1';
    CREATE USER half@'127.0.0.1' IDENTIFIED BY 'right';
    GRANT REPLICATION SLAVE ON *.* TO half@'127.0.0.1'; GRANT ALL ON shop.* TO half@'127.0.0.1';
    CREATE USER narrow@'127.0.0.1' IDENTIFIED BY 'right';
    GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO narrow@'127.0.0.1';
    GRANT SELECT (id, note), UPDATE (note) ON shop.orders TO narrow@'127.0.0.1';
    CREATE USER careful@'127.0.0.1' IDENTIFIED BY 'right' REQUIRE SSL"
second=mysql://cdc@127.0.0.1:$second_PORT
says mysql_rights 2 "mysql://half@127.0.0.1:$second_PORT/shop.*"
with_setting second binlog_row_metadata "'MINIMAL'" mysql_columns 0 "mysql://narrow@127.0.0.1:$second_PORT/shop.*"
says mysql_encryption 2 "mysql://careful@127.0.0.1:$second_PORT?tls=off"
with_setting second binlog_row_metadata "'MINIMAL'" mysql_unseen 0 "$second/store.*"
sql second "SET GLOBAL binlog_row_value_options='PARTIAL_JSON', GLOBAL binlog_transaction_compression=ON"
with_setting second binlog_row_image "'MINIMAL'" mysql_minimal 2 "$second/shop.*" "redis://127.0.0.1:$target_PORT"
says mysql_partial 0 "$second/shop.*"
sql second "SET GLOBAL binlog_row_value_options='', GLOBAL binlog_transaction_compression=OFF"
start_mariadb silent -- --skip-log-bin
ROWFERRY_MYSQL_PASSWORD= says no_log 2 "mysql://root@127.0.0.1:$silent_PORT"
stop_server silent

# ---- Rights and log-in

says no_rights 2 "mysql://weak@127.0.0.1:$source_PORT"
says all_rights 0 "mysql://strong@127.0.0.1:$source_PORT"
ROWFERRY_MYSQL_PASSWORD=wrong says password 2 "$url"
says nobody 5 mysql://cdc@127.0.0.1:1

# ---- Replication: a replica that does not log what it applies, and one that has our number

start_mariadb replica -- --server-id=77 --log-slave-updates=OFF --report-host=127.0.0.1
sql replica "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$source_PORT, MASTER_USER='strong',
    MASTER_PASSWORD='right'; START SLAVE"
replica_runs() {
    [ -n "$(sql source 'SHOW SLAVE HOSTS')" ]
}
wait_until 20 replica_runs
says untold_number 0 "$url?server_id=77"
sql source "GRANT REPLICATION MASTER ADMIN ON *.* TO cdc@'127.0.0.1'"
says taken_number 2 "$url?server_id=77"
sql source "REVOKE REPLICATION MASTER ADMIN ON *.* FROM cdc@'127.0.0.1'"
sql replica "GRANT REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR ON *.* TO cdc@'127.0.0.1'
    IDENTIFIED BY 'right'"
says replica_without_log 2 "mysql://cdc@127.0.0.1:$replica_PORT"
expect_status 2 timeout 20 "$ROWFERRY" run "mysql://cdc@127.0.0.1:$replica_PORT" null:
expect_contains "$(cat "$STORY/err")" "must be log_slave_updates=ON"
stop_server replica

# ... or another pipeline, which the server names as a replica; our own may run meanwhile.
numbered="mysql://root@127.0.0.1:$second_PORT?server_id=78"
ROWFERRY_MYSQL_PASSWORD= run_background numbered "$ROWFERRY" run --name numbered "$numbered" null:
reader_runs() {
    [ -n "$(sql second 'SHOW REPLICAS')" ]
}
wait_until 20 reader_runs
ROWFERRY_MYSQL_PASSWORD= says number_of_pipeline 2 --name other "$numbered"
ROWFERRY_MYSQL_PASSWORD= expect_status 0 "$ROWFERRY" doctor --name numbered "$numbered"
expect_contains "$(cat "$STORY/out")" "78, with which this pipeline reads now"
end_background numbered

# ---- A pipeline that has a place

run_background feed "$ROWFERRY" run --name place "$url/shop.*" "file:$STORY/changes.jsonl"
wait_until 20 file_contains "$feed_LOG" "no position is known yet"
sql source "INSERT INTO shop.orders VALUES (1)"
wait_until 20 lines_at_least "$STORY/changes.jsonl" 1
end_background feed
with_setting source binlog_expire_logs_seconds 865800 recorded 0 --name place "$url/shop.*" \
    "file:$STORY/changes.jsonl"

# The file says where the state is, beside itself; what is typed begins where we are.
mkdir "$STORY/conf"
cat >"$STORY/conf/kept.yaml" <<END
name: kept
state: kept
source: $url/shop.*
sinks: [{url: "file:kept.jsonl"}]
END
expect_status 0 timeout 60 "$ROWFERRY" run --from earliest --until now "$STORY/conf/kept.yaml"
cd "$STORY"
for state in '' --state=conf/kept; do
    expect_status 0 "$ROWFERRY" doctor $state conf/kept.yaml
    expect_contains "$(grep -A 1 "^  ok      position  " "$STORY/out")" "bin.000001 at" "doctor $state"
done
expect_status 0 "$ROWFERRY" doctor --state=nowhere conf/kept.yaml
expect_equal "" "$(grep '  position  ' "$STORY/out")" "doctor on another state"
cp conf/kept/kept.db "$STORY/kept.db"
printf 'x' | dd of=conf/kept/kept.db bs=1 seek=16 conv=notrunc status=none
expect_status 3 "$ROWFERRY" doctor conf/kept.yaml
expect_contains "$(cat "$STORY/err")" "kept.db" "doctor on a damaged state"
cp "$STORY/kept.db" conf/kept/kept.db

# Rows that a restart reads again lie in an older file than the position.
sql source "XA START 'old'; INSERT INTO shop.orders VALUES (70); XA END 'old'; XA PREPARE 'old'"
sql source "FLUSH BINARY LOGS; INSERT INTO shop.orders VALUES (2)"
expect_status 0 timeout 60 "$ROWFERRY" run --until now conf/kept.yaml
with_setting source binlog_expire_logs_seconds 865800 prepared 0 conf/kept.yaml
cd "$OLDPWD"

sql source "FLUSH BINARY LOGS; FLUSH BINARY LOGS"
newest=$(sql source 'SHOW BINARY LOGS' | tail -n 1 | cut -f 1)
is_purged() { # a reader that has just gone holds its file for a moment
    sql source "PURGE BINARY LOGS TO '$newest'"
    [ "$(sql source 'SHOW BINARY LOGS' | wc -l)" -eq 1 ]
}
wait_until 20 is_purged
says purged 2 --name place "$url/shop.*"
ROWFERRY_MYSQL_PASSWORD= says other_kind 2 --name place "mysql://root@127.0.0.1:$second_PORT/shop.*"
says prepared_purged 2 "$STORY/conf/kept.yaml"
sed -i "s|shop.\*|shop.*?skip=$(grep -o 'skip=[-0-9]*' "$STORY/out" | head -n 1 | cut -d = -f 2)|" \
    "$STORY/conf/kept.yaml"
says prepared_skipped 0 "$STORY/conf/kept.yaml"
sql source "XA ROLLBACK 'old'"

# ---- Sinks, and all of it from a configuration file

says sinks 2 "$url" "redis://127.0.0.1:$target_PORT" "file:$STORY/nowhere/x.jsonl" null: -
cat >"$STORY/shop.yaml" <<END
name: shop
source: $url/shop.*
sinks:
  - url: redis://127.0.0.1:$target_PORT
END
says configured 0 "$STORY/shop.yaml"
redis target REPLICAOF 127.0.0.1 1 >/dev/null
says redis_replica 2 "$url" "redis://127.0.0.1:$target_PORT"

# A collection that a picked table would fill has documents of somebody else.
start_mongo documents
mongo documents '{"insert": "orders", "documents": [{"_id": 1}]}' shop >/dev/null
mongodb=mongodb://127.0.0.1:$documents_PORT
says filled_collection 2 "$url/shop.*" "$mongodb"
sql source "INSERT INTO shop.orders VALUES (3)"
expect_status 2 timeout 60 "$ROWFERRY" run --name filled --from earliest --until now "$url/shop.*" \
    "$mongodb"
expect_contains "$(cat "$STORY/err")" "the collection shop.orders has documents"
expect_status 0 "$ROWFERRY" doctor "$url/shop.*" "$mongodb?tables=-shop.orders"
expect_status 0 "$ROWFERRY" doctor "$url/shop.customers" "$mongodb"

# ---- A source of documents

start_mongo stream --java -- --oplog
says mongodb_alone_with_streams 0 "mongodb://127.0.0.1:$stream_PORT/shop.orders"

# ---- For programs

expect_status 5 "$ROWFERRY" doctor --json "mysql://cdc@127.0.0.1:1" "redis://127.0.0.1:$target_PORT"
expect_equal "5 False True wrong" "$(python3 -c '
import json, sys
said = json.load(open(sys.argv[1]))
ends = said["ends"]
verdicts = {finding["what"]: finding["verdict"] for finding in ends[1]["findings"]}
print(said["wrong"] + said["advice"], ends[0]["reached"], ends[1]["reached"], verdicts["role"])
' "$STORY/out")" "--json"
story_end
