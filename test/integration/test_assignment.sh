#!/usr/bin/env bash
# The assignment, typed line by line with its own names and parameters; what each line has done is looked
# at from outside: names, ports, servers that speak their protocols, rows that arrive.
# story: serial
# story: timeout 240
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers fixed
cd "$BIN"
if [ "$(id -u)" -ne 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 1000 ]; then
    leave_out "Cassandra's port, 1000, takes root, or sysctl net.ipv4.ip_unprivileged_port_start=1000"
    story_end
    exit
fi

# expect_server NAME PORT PID KIND: the process of that container, and no other, listens on the port,
# and speaks its protocol.
expect_server() {
    local inode
    expect_success [ -d "$ROWFERRY_CONTAINERS/$1" ]
    inode=$(awk -v port="$(printf '%04X' "$2")" \
        '$4 == "0A" && substr($2, length($2) - 3) == port { print $10 }' /proc/net/tcp /proc/net/tcp6)
    expect_success [ -n "$inode" ]
    expect_contains "$(readlink "/proc/$3"/fd/* 2>/dev/null || true)" "socket:[$inode]" "$1 on port $2"
    case $4 in
        mysql) expect_equal pluto "$(in_mysql 'SELECT DATABASE()')" ;;
        mongo) expect_contains "$(in_mongo '{"ping": 1}' admin)" '"ok": ' ;;
        redis) expect_equal PONG "$(in_redis PING)" ;;
        cassandra) expect_equal 5 "$(in_cassandra 'SELECT release_version FROM system.local' | cut -c 1)" ;;
    esac
}

# ---- Part 1: each container by itself

expect_success ./my_sql_container create
expect_server final_mysql_container 5600 "$(container_pid mysql)" mysql
expect_success ./my_mongo_container create
expect_server final_mongo_container 1800 "$(container_pid mongo)" mongo
expect_success ./my_redis_container create
expect_server final_redis_container 2400 "$(container_pid redis)" redis
expect_success ./my_cassandra_container create
expect_server final_cassandra_container 1000 "$(container_pid cassandra)" cassandra

# "Delete all the containers you have created so far."
pids="$(container_pid mysql) $(container_pid mongo) $(container_pid redis) $(container_pid cassandra)"
expect_success ./my_sql_container delete
expect_success ./my_mongo_container delete
expect_success ./my_redis_container delete
expect_success ./my_cassandra_container delete
for pid in $pids; do
    expect_success process_gone "$pid"
done
expect_equal "" "$(ls -A "$ROWFERRY_CONTAINERS")" "what is left"

# ---- Part 2: all of them

expect_success ./container create
for name in mysql:5600 mongo:1800 redis:2400 cassandra:1000; do
    expect_server "final_${name%:*}_container" "${name#*:}" "$(container_pid "${name%:*}")" "${name%:*}"
done

# "Create a file called mysqldb and run this file a few times."
for run in 1 2 3; do
    expect_status 0 ./mysqldb
    expect_contains "$(cat "$STORY/out")" "wrote 5 rows to pluto.posts, which has $((run * 5)) now"
    expect_equal 5 "$(grep -cE '^  [0-9a-f-]{36}  [0-9-]{10} [0-9:]{8}$' "$STORY/out")" "rows shown"
done
expect_equal 15 "$(in_mysql 'SELECT COUNT(*) FROM posts')"

# "Create a file called mongocdc and run this file a few times ... Use the create parameter."
expect_status 0 ./mongocdc create
expect_contains "$(cat "$STORY/out")" "the starting point is now"
for run in 1 2 3; do
    in_mongo "{\"insert\": \"notes\", \"documents\": [{\"_id\": \"note-$run\", \"stamp\": \"s\"}]}" \
        pluto >/dev/null
    expect_status 0 ./mongocdc
    expect_contains "$(cat "$STORY/out")" "insert  note-$run  {\"stamp\":\"s\"}"
    expect_contains "$(cat "$STORY/out")" "pluto.notes: 1 change since the last run"
    expect_equal s "$(in_redis HGET "mongo:pluto:notes:note-$run" stamp)"
    expect_equal "{\"_id\":\"note-$run\",\"stamp\":\"s\"}" "$(in_cassandra \
        "SELECT document FROM stamps.mongo_notes WHERE \"_id\" = 'note-$run'")"
done
expect_status 0 ./mongocdc create
expect_contains "$(cat "$STORY/out")" "the starting point is there"
expect_contains "$(cat "$STORY/out")" "nothing has changed since the last run"

# "Run the container program passing -init as a parameter."
expect_success ./container -init
for name in mysql:5600 mongo:1800 redis:2400 cassandra:1000; do
    expect_server "final_${name%:*}_container" "${name#*:}" "$(container_pid "${name%:*}")" "${name%:*}"
done
expect_equal 0 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "rows after -init"
expect_status 0 ./mysqldb

# "Run the scheduler program."
expect_status 0 ./scheduler --every 500ms --runs 10
cat "$STORY/out"
expect_equal 10 "$(grep -c ' run [0-9]*: ' "$STORY/out")" "runs told"
expect_equal 15 "$(in_mysql 'SELECT COUNT(*) FROM posts')"
expect_success stores_agree
expect_equal 10 "$(in_mongo '{"count": "notes"}' pluto | grep -o '"n": [^,}]*' | grep -o '[0-9]*' | tail -n 1)" \
    "notes"
# Ctrl-C ends it, in order. (A shell's background job ignores that signal, unless it is told not to.)
run_background scheduler python3 -c 'import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv("./scheduler", ["scheduler", "--every", "500ms"])'
# Once the pipelines stand, a row is everywhere in less than a second: in MongoDB, Redis, LastInsertDate,
# Cassandra and maxTimeStamp, and a note in Redis and Cassandra.
quick_runs() { # COUNT; for wait_until
    [ "$(awk '/ run [0-9]+: / && gsub(/ ms behind/, "") == 7' "$scheduler_LOG" | wc -l)" -ge "$1" ]
}
wait_until 60 quick_runs 4
# Meanwhile nobody deletes what it works with: not even a part of it.
pids="$(container_pid mysql) $(container_pid mongo) $(container_pid redis) $(container_pid cassandra)"
for words in "./container delete" "./container -init" "./my_redis_container delete" "./my_sql_container -init"; do
    # shellcheck disable=SC2086
    expect_status 2 $words
    expect_contains "$(cat "$STORY/err")" "scheduler (pid $scheduler_PID) works with the containers"
    expect_contains "$(cat "$STORY/err")" "hint: end it first, with Ctrl-C or SIGTERM"
done
expect_equal "$pids" \
    "$(container_pid mysql) $(container_pid mongo) $(container_pid redis) $(container_pid cassandra)"
signal_background scheduler INT
expect_background_status 10 130 scheduler
expect_equal "" "$(pgrep -f "rowferry run $ROWFERRY_CONTAINERS" || true)" "pipelines that are left"

# On a terminal it is a table.
expect_success script -qec "stty cols 120 rows 30; ./scheduler --every 500ms --runs 2" "$STORY/typescript" \
    </dev/null >/dev/null
expect_success stores_agree
screen=$(sed 's/\x1b\[[0-9]*[mK]//g' "$STORY/typescript")
expect_contains "$screen" "  MySQL                MongoDB              Redis                Cassandra            notes"
expect_contains "$screen" "the pipeline runs, pid"
stamp=$(in_mysql 'SELECT MAX(stamp) FROM posts')
expect_contains "$screen" "  $stamp  $stamp  $stamp  $stamp  " \
    "the last row, side by side"

# "-clear" empties the sources; the copies follow by the log.
expect_status 0 ./scheduler -clear
expect_contains "$(cat "$STORY/out")" "rows deleted"
expect_contains "$(cat "$STORY/out")" "pluto.notes of MongoDB: "
expect_equal 0 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "rows after -clear"
expect_status 0 ./scheduler --every 500ms --runs 2
expect_equal 2 "$(in_mysql 'SELECT COUNT(*) FROM posts')"
expect_success stores_agree
expect_equal 2 "$(in_mongo '{"count": "notes"}' pluto | grep -o '"n": [^,}]*' | grep -o '[0-9]*' | tail -n 1)" \
    "notes after -clear"

# A store that came back empty is refused by name; the same after another -init of all is no trouble.
expect_status 0 ./my_mongo_container -init
expect_status 3 ./scheduler --every 500ms --runs 2
expect_contains "$(cat "$STORY/err")" "has no position of pipeline pluto: it lost its data"
expect_contains "$(cat "$STORY/err")" "the pipeline ended with 3: data would be lost"
expect_contains "$(cat "$STORY/err")" "'container -init' makes all stores afresh"
expect_status 0 ./container -init
expect_status 0 ./scheduler --every 500ms --runs 2
expect_success stores_agree

expect_status 0 ./container delete
expect_equal "" "$(ls -A "$ROWFERRY_CONTAINERS")" "what is left"
for port in "${CONTAINER_PORTS[@]}"; do
    expect_equal refused "$( (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && echo open || echo refused)"
done
story_end
