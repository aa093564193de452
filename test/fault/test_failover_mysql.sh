#!/usr/bin/env bash
# story: timeout 240
# Two MySQL servers, the second one a replica of the first, behind one address. The address moves
# from one to the other while a load is written, and at last the replica becomes the server that is
# written to: nothing is lost or doubled. Then it moves back to the old one, which has fallen behind:
# that is refused, with the transactions by name.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
LOAD_FOR=--mysql
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mysql first -- --server-id=1 --innodb-redo-log-capacity=128M
start_mysql second -- --server-id=2 --innodb-redo-log-capacity=128M
start_redis target

replicate() { # REPLICA SOURCE
    local port=${2}_PORT
    sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${!port},
        SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1,
        SOURCE_CONNECT_RETRY=1; START REPLICA"
}
has_all_of() { # SERVER SERVER
    [ "$(sql "$1" "SELECT GTID_SUBSET('$(sql "$2" 'SELECT @@gtid_executed')', @@gtid_executed)")" = 1 ]
}
# Writing is done through the first one, until the roles change.
writer() { # NAME
    local socket=${1}_SOCKET
    source_SOCKET=${!socket}
}
move_to() { # NAME
    local port=${1}_PORT
    echo "${!port}" >"$STORY/address.target.new"
    mv "$STORY/address.target.new" "$STORY/address.target"
}
has_readers() { # SERVER COUNT: of its log; the replica is one of the first server's
    [ "$(sql "$1" "SHOW PROCESSLIST" | grep -c "Binlog Dump")" = "$2" ]
}

replicate second first
writer first
load_tables --innodb-only
move_to first
run_background address python3 "$LIB/throttle.py" --target-file "$STORY/address.target" --rate 1000000000 \
    --port-file "$STORY/address.port"
wait_until 10 test -f "$STORY/address.port"
url="mysql://root@127.0.0.1:$(cat "$STORY/address.port")?heartbeat=300ms"
file=$STORY/changes.jsonl
wait_until 30 has_all_of second first
run_background pipeline "$ROWFERRY" run --name failover --from earliest "$url" "$(target_url)" \
    "file:$file"

# To the replica and back, while the load goes on. The replica may lag behind what was read already:
# the address moves only once it has caught up with some of it, as those do who move addresses.
load_start 1000000 21 --innodb-only
wait_until 60 load_is_out "$file" $((ROWS / 8))
moves=0
for number in 2 3 4; do
    # Behind the replica's back nothing new is read: the pipeline stands still while it catches up.
    signal_background pipeline STOP
    wait_until 60 has_all_of second first
    move_to second
    signal_background pipeline CONT
    wait_until 30 has_readers second 1
    wait_until 60 load_is_out "$file" $((number * ROWS / 8))
    move_to first
    wait_until 30 has_readers first 2
    wait_until 60 load_is_out "$file" $((number * ROWS / 8 + ROWS / 16))
    moves=$((moves + 2))
    expect_success background_runs pipeline
done
echo "the address moved $moves times"

# The first one is killed, and the second takes over, which has all of it: one that had less would be
# refused, as that is not there to be read any more.
load_end
wait_until 60 has_all_of second first
kill_server first
sql second "STOP REPLICA; RESET REPLICA ALL"
source_SOCKET=$second_SOCKET
move_to second
load_start $((ROWS / 4)) 22 --innodb-only --first 3000000
expect_background_status 120 0 load
second_is_out() {
    load_is_out "$file" "$(sql second 'SELECT MAX(operations) FROM story.progress')"
}
wait_until 60 second_is_out
wait_until 20 test "$(redis target EXISTS "story:progress:$(sql second \
    'SELECT MAX(operations) FROM story.progress')")" = 1
expect_equal_sinks "$file"

# The old one comes back, alone: it lacks what was written since.
restart_server first
move_to first
expect_background_status 30 3 pipeline
uuid=$(sql second "SELECT @@server_uuid")
expect_contains "$(tail -n 5 "$pipeline_LOG")" "does not have the transactions $uuid:1-" "what is missing"
# Nothing was lost by that: as a replica of the second it has all, and the pipeline goes on.
replicate first second
wait_until 60 has_all_of first second
sql second "INSERT INTO story.progress VALUES (4000000)"
run_background again "$ROWFERRY" run --name failover "$url" "$(target_url)" "file:$file"
wait_until 30 load_is_out "$file" 4000000
signal_background again TERM
expect_background_status 5 143 again
expect_equal_sinks "$file"
story_end
