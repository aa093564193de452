#!/usr/bin/env bash
# A pipeline from a configuration file, with real servers: secrets, tables, columns; where it begins and ends; SIGHUP.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

start_mariadb source
start_redis target
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, email VARCHAR(40), secret VARCHAR(40));
    CREATE TABLE shop.audit_log (id INT PRIMARY KEY);
    CREATE USER 'cdc'@'%' IDENTIFIED BY 'geheim';
    GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'cdc'@'%'"
mkdir etc
printf 'geheim\n' >etc/cdc.password
chmod 600 etc/cdc.password
cat >etc/shop.yaml <<END
name: shop
state: state
source:
  url: mysql://cdc@127.0.0.1:\${SOURCE_PORT}
  password_file: cdc.password
  tables: [shop.*, -shop.audit_*]
sinks:
  - url: redis://127.0.0.1:\${TARGET_PORT}
    key: "order:{id}"
    columns: [-secret, "mask(email,3)"]
  - url: file:changes.jsonl
    rotate: on
END
export SOURCE_PORT=$source_PORT TARGET_PORT=$target_PORT

insert() { # FIRST LAST
    sql source "INSERT INTO shop.orders SELECT seq, 'a@b.net', 'private' FROM shop.seq_$1_to_$2"
}

in_redis() { # ID; a condition
    [ "$(redis target EXISTS "order:$1")" = 1 ]
}

changes() { # how many events the files have
    cat etc/changes.*jsonl | grep -c '"op":"create"' || true
}

# ---- Where it begins and ends ----------------------------------------------------------------

expect_status 0 "$ROWFERRY" config check etc/shop.yaml
insert 1 10
sql source "INSERT INTO shop.audit_log VALUES (1)"
expect_status 0 timeout 30 "$ROWFERRY" run --from earliest --until now etc/shop.yaml
expect_equal 10 "$(changes)" "changes until now"
expect_equal 0 "$(cat etc/changes.*jsonl | grep -c '"create","table":"shop.audit_log' || true)" "changes of a table that was left out"
expect_equal yes "$(in_redis 10 && echo yes)" "the last row in Redis"
expect_equal "****net" "$(redis target HGET order:10 email)" "a masked column"
expect_equal 0 "$(redis target HEXISTS order:10 secret)" "a column that was left out"

insert 11 20
insert 21 30
expect_status 0 timeout 30 "$ROWFERRY" run --limit 5 etc/shop.yaml
expect_equal 20 "$(changes)" "changes after the transaction with the fifth event"
insert 31 31
position=$(sql source "SELECT @@gtid_binlog_pos")
insert 32 32
expect_status 0 timeout 30 "$ROWFERRY" run --until "$position" etc/shop.yaml
expect_equal 31 "$(changes)" "changes until a position"

export ROWFERRY_MYSQL_PASSWORD=geheim
source_url="mysql://cdc@127.0.0.1:$source_PORT/shop.orders"
expect_status 0 timeout 30 "$ROWFERRY" tail --from earliest --limit 7 "$source_url"
expect_equal 7 "$(wc -l <out)" "lines of tail --limit"
expect_status 0 timeout 30 "$ROWFERRY" tail --from "$position" --until now "$source_url"
expect_equal 1 "$(wc -l <out)" "lines of tail from a position until now"
expect_contains "$(cat out)" '"id":32' "what lies behind the position"
unset ROWFERRY_MYSQL_PASSWORD

# ---- SIGHUP: new files for a service, the end at a terminal ----------------------------------

segments() {
    find etc -name 'changes.*jsonl' | wc -l
}

more_segments() { # THAN
    [ "$(segments)" -gt "$1" ]
}

run_background feed setsid "$ROWFERRY" run --log-format json etc/shop.yaml
wait_until 20 in_redis 32
before=$(segments)
signal_background feed HUP
insert 33 33
wait_until 20 more_segments "$before"
wait_until 20 in_redis 33
wait_until 20 eval '[ "$(changes)" = 33 ]'
expect_contains "$(cat "$feed_LOG")" "SIGHUP" "the log of a service that was told to rotate"
signal_background feed TERM
expect_background_status 10 143 feed
expect_equal "" "$(python3 -c '
import json, sys
for line in open(sys.argv[1]):
    entry = json.loads(line)
    if entry.get("pipeline") != "shop" or not entry["message"]:
        print(line)
' "$feed_LOG")" "lines of the log that are no JSON of this pipeline"

# A terminal of our own: closing it is a SIGHUP too, and ends what runs there.
pid_of() {
    "$ROWFERRY" status shop --state etc/state --json |
        python3 -c 'import json, sys; p = json.load(sys.stdin)["pipelines"][0]; print(p["pid"] if p["running"] else "")'
}
runs() {
    [ -n "$(pid_of)" ]
}
run_background terminal script -qfec "exec $(printf '%q ' "$ROWFERRY" run etc/shop.yaml)" screen
wait_until 20 runs
kill -HUP "$(pid_of)"
expect_background_status 20 129 terminal

# ---- No secret anywhere ----------------------------------------------------------------------

expect_equal "" "$(grep -rl geheim out err "$feed_LOG" screen etc/state etc/changes.*jsonl || true)" "secrets"

story_end
