#!/usr/bin/env bash
# story: timeout 300
# A Cassandra of two nodes, with one copy of each row: every row is sent to the node that has it, and
# when one of them is killed, rows of the other go on; what it could not take arrives when it is back.
# The second node joins while the pipeline runs, which hears of it by an event.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source
# Each has half of the ring: drawn by chance, the part of one may be too small to get a row.
start_cassandra one -- initial_token=-4611686018427387904
sql source "CREATE DATABASE shop; USE shop; CREATE TABLE early (a INT AUTO_INCREMENT PRIMARY KEY);
    CREATE TABLE t (a INT, b VARCHAR(20), x INT, PRIMARY KEY (a, b)); INSERT INTO early VALUES ()"
run_background pipeline "$ROWFERRY" run --name nodes --from earliest \
    "mysql://root@127.0.0.1:$source_PORT/shop.*" "cassandra://127.0.0.1:$one_PORT/shop"
clients_of() { # NODE
    cql "$1" "SELECT driver_name FROM system_views.clients" | grep -c rowferry || true
}
rows_are() { # COUNT [TABLE]
    local found
    found=$(cql one "SELECT COUNT(*) FROM shop.${2:-t}")
    echo "$found rows"
    [ "$found" = "$1" ]
}
wait_until 60 rows_are 1 early
expect_equal 1 "$(clients_of one)" "connections to the only node"
gossip=$(sed -n 's/^storage_port: //p' "$one_DIR/cassandra.yaml")
start_cassandra two -- initial_token=4611686018427387904 -Dcassandra.ring_delay_ms=2000 \
    "seed_provider=[{class_name: org.apache.cassandra.locator.SimpleSeedProvider, \
parameters: [{seeds: '127.0.0.1:$gossip'}]}]"

# It takes over what lies in its part of the ring. What is written before both know of each other's
# part would lie where nobody looks for it.
knows() { # NODE: it knows the tokens of the other one
    [ "$(cql "$1" "SELECT COUNT(tokens) FROM system.peers_v2")" = 1 ]
}
wait_until 60 knows one
wait_until 60 knows two

# Rows keep it awake; none of them can tell that there is another node.
goes_to_both() {
    sql source "INSERT INTO shop.early VALUES ()"
    [ "$(clients_of two)" = 1 ]
}
wait_until 30 goes_to_both
sql source "USE shop; INSERT INTO t SELECT seq, CONCAT('k', seq), seq FROM seq_1_to_1000"
wait_until 60 rows_are 1000
expect_equal "1 1" "$(clients_of one) $(clients_of two)" "connections to the nodes"

# Each row was sent to its owner: who coordinated as many writes as it has rows.
IFS=$'\t' read -r low high < <({
    cql one "SELECT tokens FROM system.local"
    cql two "SELECT tokens FROM system.local"
} | tr -d '[]' | sort -n | paste -s)
between=$(cql one "SELECT COUNT(*) FROM shop.t WHERE token(a, b) > $low AND token(a, b) <= $high")
for node in one two; do
    token=$(cql $node "SELECT tokens FROM system.local" | tr -d '[]')
    owned=$between
    [ "$token" = "$high" ] || owned=$((1000 - between))
    expect_equal "$owned" "$(cql $node "SELECT count FROM system_views.coordinator_write_latency
        WHERE keyspace_name = 'shop' AND table_name = 't'")" "rows that were sent to node $node"
done

kill_server two
sql source "USE shop; INSERT INTO t SELECT seq, CONCAT('k', seq), seq FROM seq_2001_to_2100"
wait_until 30 grep -qE "(unavailable|write timeout) .*trying again" "$pipeline_LOG" # before or after it knows
restart_server two
wait_until 60 rows_are 1100
wait_until 60 eval '[ "$(clients_of two)" = 1 ]'
expect_success background_runs pipeline
signal_background pipeline TERM
expect_background_status 10 143 pipeline
story_end
