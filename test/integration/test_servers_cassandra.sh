#!/usr/bin/env bash
# tools/servers keeps its promises with Cassandra, too: the node answers when start returns, its data
# outlast kill and stop, its options arrive, and nothing of it is left.
# story: timeout 240
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin

pid_of() { # NAME
    cut -d ' ' -f 1 "$STORY/$1/cassandra.pid"
}

process_gone() { # PID
    [ ! -d "/proc/$1" ] || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = Z ]
}

export CQL_USER=cassandra CQL_PASSWORD=cassandra
start_cassandra node --durable -- authenticator=PasswordAuthenticator \
    authorizer=CassandraAuthorizer cluster_name=story -Xmx160m
expect_equal "story 5.0.9" \
    "$(cql node 'SELECT cluster_name, release_version FROM system.local' | tr '\t' ' ')" \
    "an option reached the node"
expect_equal batch "$(cql node \
    "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'")" "--durable"
pid=$(pid_of node)
expect_contains "$(tr '\0' ' ' <"/proc/$pid/cmdline")" " -Xmx160m " "the chosen heap"
if [ "$(id -u)" -eq 0 ]; then
    expect_equal nobody "$(stat -c %U "/proc/$pid")" "a node never runs as root"
fi
expect_status 1 env CQL_PASSWORD=wrong "$ROWFERRY_SOURCE_DIR/test/lib/cql.py" "$node_PORT" \
    'SELECT key FROM system.local'
expect_contains "$(cat "$STORY/err")" "0x0100" "a wrong password"
expect_equal "0100007F" "$(awk -v "port=:$(printf %04X "$node_PORT")" \
    '$4 == "0A" && $2 ~ port "$" { print substr($2, 1, 8) }' /proc/net/tcp)" "its address"

cql node "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}" \
    "CREATE TABLE shop.t (id int PRIMARY KEY, name text)" \
    "INSERT INTO shop.t (id, name) VALUES (1, 'one')"
expect_contains "$("$SERVERS" start cassandra "$node_DIR" "$node_PORT")" "already running"
expect_equal "$pid" "$(pid_of node)" "pid after the second start"
expect_status 98 "$SERVERS" start cassandra "$STORY/other" "$node_PORT"
expect_status 1 "$SERVERS" start cassandra "$STORY/other" "$("$SERVERS" port)" -- nonsense
expect_contains "$(cat "$STORY/err")" "'nonsense' is neither NAME=VALUE nor an option for Java"

kill_server node
expect_success process_gone "$pid"
expect_status 3 "$SERVERS" status cassandra "$node_DIR"
restart_server node
expect_equal "t id=1 name=one" "$(cql node --dump shop)" "a row after kill -9"
expect_equal story "$(cql node 'SELECT cluster_name FROM system.local')" "the option after a restart"
cql node "INSERT INTO shop.t (id, name) VALUES (2, 'two')"
pid=$(pid_of node)
stop_server node
expect_success process_gone "$pid"
restart_server node
expect_equal "t id=1 name=one
t id=2 name=two" "$(cql node --dump shop)" "rows after an orderly stop"
pid=$(pid_of node)
kill_server node
expect_success process_gone "$pid"
story_end
