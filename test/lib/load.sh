# shellcheck shell=bash
# The random load in a story: its tables, its writer, a pipeline beside it, and the comparison at
# the end. Sourced after story.sh. The story has a MariaDB named `source` and a Redis named
# `target`. With LOAD_FOR=--mysql the source is a MySQL server.

LIB=$ROWFERRY_SOURCE_DIR/test/lib
LOAD_FOR=${LOAD_FOR:-}
ROWS=$((100000 / ROWFERRY_SCALE))
OPERATIONS=$((ROWS + ROWS / 30)) # a few of which change nothing

# load_tables [--innodb-only]
load_tables() {
    python3 "$LIB/workload.py" $LOAD_FOR --schema "$@" | sql source
}

# load_start OPERATIONS SEED [--innodb-only] [--first N]: in the background, as `load`.
load_start() {
    local operations=$1 seed=$2
    shift 2
    run_background load python3 "$LIB/workload.py" $LOAD_FOR --operations "$operations" --seed "$seed" \
        --socket "$source_SOCKET" "$@"
}

# load_end: before its time; what it has begun is whole, and its last row of `progress` is written.
load_end() {
    signal_background load TERM
    expect_background_status 20 0 load
}

# load_is_out FILE OPERATIONS: at least so many operations have come out; for wait_until.
load_is_out() {
    [ -f "$1" ] || return 1
    local last
    last=$(tail -c 400000 "$1" | LC_ALL=C grep -ao '"story.progress","key":{"operations":[0-9]*' |
        tail -n 1) || return 1
    [ "${last##*:}" -ge "$2" ]
}

# all_is_out FILE...: the server's last row of `progress` is in each file and in Redis.
all_is_out() {
    local last file
    last=$(sql source "SELECT MAX(operations) FROM story.progress")
    for file; do
        load_is_out "$file" "$last" || return 1
    done
    [ "$(redis target EXISTS "story:progress:$last")" = 1 ]
}

# expect_equal_sinks FILE...: every table equals each file, folded, and the hashes in Redis.
expect_equal_sinks() {
    local file files=()
    for file; do
        files+=(--file "$file")
    done
    expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
        --database "two wörds" "${files[@]}" --redis "$target_PORT"
}

# expect_equal_redis DATABASE: every table equals the hashes in that database of the Redis.
expect_equal_redis() {
    expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
        --database "two wörds" --redis "$target_PORT" --redis-database "$1"
}

# expect_equal_mongo: every table equals the collection of its full name in the database copy of the
# MongoDB named `documents`.
expect_equal_mongo() {
    expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
        --database "two wörds" --mongo "$documents_PORT/copy" --mongo-without f7.4 \
        --mongo-without d10.5
}

# slow_way BYTES_PER_SECOND: to the Redis; sets slow_PORT.
slow_way() {
    run_background slow python3 "$LIB/throttle.py" --target "$target_PORT" --rate "$1" \
        --port-file "$STORY/slow.port"
    wait_until 10 test -f "$STORY/slow.port"
    slow_PORT=$(cat "$STORY/slow.port")
}

# expect_equal_cassandra: every table equals its copy in the keyspace copy of the Cassandra named
# `node`.
expect_equal_cassandra() {
    expect_success python3 "$LIB/compare.py" --socket "$source_SOCKET" --database story \
        --database "two wörds" --cassandra "$node_PORT/copy"
}

# all_is_in_cassandra: the server's last row of `progress` is there; for wait_until.
all_is_in_cassandra() {
    local last
    last=$(sql source "SELECT MAX(operations) FROM story.progress")
    [ "$(cql node "SELECT operations FROM copy.story_progress WHERE operations = $last")" = "$last" ]
}

# Cassandra has one keyspace for all, names of plain letters, and no dates that there are not.
node_url() {
    echo "cassandra://127.0.0.1:$node_PORT/copy?table={database}_{table}&escape=on&dates=text"
}

source_url() {
    echo "mysql://root@127.0.0.1:$source_PORT"
}

# MongoDB takes no database of two words: all tables go to one, under their full names. Columns with
# a point in their names it takes from 5.0 on, and not all servers of its protocol do.
documents_url() {
    echo "mongodb://127.0.0.1:$documents_PORT/copy?collection={database}.{table}&columns=-f7?4,-d10?5"
}

target_url() {
    echo "redis://127.0.0.1:$target_PORT"
}
