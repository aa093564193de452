#!/usr/bin/env bash
# The scheduler beside stores that are away and beside mongocdc: a store that is away is shown as away, at the
# first start, too, and the others go on; notes are carried by whoever is there, and looked for in each copy.
# story: timeout 200
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers

for name in mysql mongo redis; do
    expect_status 0 "$BIN/container" create --port "$("$SERVERS" port)" $name
done

mark() {
    wc -l <"$scheduler_LOG"
}

said_since() { # MARK PATTERN; for wait_until
    tail -n "+$(($1 + 1))" "$scheduler_LOG" | grep -qE -- "$2"
}

kill_and_wait() { # PID
    kill -KILL "$1"
    wait_until 20 process_gone "$1"
}

start_scheduler() {
    run_background scheduler "$BIN/scheduler" --every 300ms
}

stop_scheduler() {
    signal_background scheduler TERM
    expect_background_status 15 143 scheduler
}

# ---- A container that was never made is something else than one that is away

mv "$(home_of redis)" "$STORY/redis"
expect_status 5 "$BIN/scheduler" --runs 1
expect_contains "$(cat "$STORY/err")" "there is no final_redis_container"
mv "$STORY/redis" "$(home_of redis)"

# ---- MongoDB is away at the first start

kill_and_wait "$(container_pid mongo)"
start_scheduler
wait_until 20 said_since 0 'the pipeline was started, pid [0-9]+; until it answers, without MongoDB'
# Rows arrive in Redis meanwhile, and the time loop does not wait for anybody.
wait_until 20 said_since 0 'MongoDB is away: .*Redis [1-9][0-9]* rows, [0-9]+ ms behind'
expect_equal 0 "$(grep -c 'the pipeline of notes was started' "$scheduler_LOG")" "starts without a source"
expect_status 0 "$BIN/container" create mongo
at=$(mark)
wait_until 30 said_since "$at" 'MongoDB [1-9][0-9]* rows, [0-9]+ ms behind; Redis .*in Redis [0-9]+ ms behind'
expect_contains "$(cat "$scheduler_LOG")" "MongoDB answers: the pipeline is started again with it"
expect_contains "$(cat "$scheduler_LOG")" "the pipeline of notes was started, pid"
stop_scheduler
expect_status 0 "$BIN/scheduler" --runs 1
expect_success stores_agree

# ---- Cassandra is away when it is used first

expect_status 0 "$BIN/container" create --port "$("$SERVERS" port)" cassandra
kill_and_wait "$(container_pid cassandra)"
at=$(mark)
start_scheduler
wait_until 20 said_since "$at" 'MongoDB [0-9]+ rows, [0-9]+ ms behind; Redis [0-9]+ rows, [0-9]+ ms behind; .*Cassandra is away: '
# That of notes begins where all of its copies begin.
expect_equal 1 "$(grep -c '; until it answers, without Cassandra' "$scheduler_LOG")" "pipelines without it"
expect_status 0 "$BIN/container" create cassandra
at=$(mark)
wait_until 40 said_since "$at" 'Cassandra [1-9][0-9]* rows, [0-9]+ ms behind; .*, in Cassandra [0-9]+ ms behind'
stop_scheduler

# And later, when each copy has its place.
kill_and_wait "$(container_pid cassandra)"
at=$(mark)
start_scheduler
wait_until 20 said_since "$at" 'MongoDB [0-9]+ rows, [0-9]+ ms behind; Redis .*Cassandra is away: .*in Redis [0-9]+ ms behind'
expect_equal 3 "$(grep -c '; until it answers, without Cassandra' "$scheduler_LOG")" "pipelines without it"
expect_status 0 "$BIN/container" create cassandra
at=$(mark)
wait_until 40 said_since "$at" 'Cassandra [1-9][0-9]* rows, [0-9]+ ms behind; .*, in Cassandra [0-9]+ ms behind'

# A pipeline of notes that has stopped is seen in both copies.
pid=$(grep -o 'the pipeline of notes was started.*pid [0-9]*' "$scheduler_LOG" | tail -n 1 | grep -o '[0-9]*$')
kill -STOP "$pid"
at=$(mark)
wait_until 20 said_since "$at" ', in Redis [0-9]+ missing, .*, in Cassandra [0-9]+ missing, '
kill -CONT "$pid"
at=$(mark)
wait_until 30 said_since "$at" ', in Redis [0-9]+ ms behind, in Cassandra [0-9]+ ms behind'
stop_scheduler
expect_status 0 "$BIN/scheduler" --runs 1
expect_success stores_agree

# ---- mongocdc has the pipeline of notes

# One that does not know of Cassandra, whose copy of the notes stays as it is.
mv "$(home_of cassandra)/container" "$(home_of cassandra)/hidden"
run_background cdc "$BIN/mongocdc" --follow
in_mongo '{"insert": "notes", "documents": [{"_id": "theirs", "stamp": "s"}]}' pluto >/dev/null
wait_until 20 file_contains "$cdc_LOG" "insert  theirs"
mv "$(home_of cassandra)/hidden" "$(home_of cassandra)/container"
for words in "container delete" "container -init" "my_redis_container delete" "my_mongo_container -init"; do
    # shellcheck disable=SC2086
    expect_status 2 "$BIN/"$words
    expect_contains "$(cat "$STORY/err")" "mongocdc (pid $cdc_PID) works with the containers"
done

# It carries them, and is left to that; what it does not carry is missing in the end.
expect_status 6 "$BIN/scheduler" --every 300ms --runs 2
expect_contains "$(cat "$STORY/out")" "the pipeline of notes is run by mongocdc (pid $cdc_PID)"
expect_contains "$(tail -n 1 "$STORY/out")" ", in Cassandra 2 missing, "
expect_equal 1 "$(tail -n 1 "$STORY/out" | grep -cE ', in Redis [0-9]+ ms behind')" "notes in Redis"

# When it ends the scheduler takes over, from where each copy stands.
at=$(mark)
start_scheduler
wait_until 20 said_since "$at" "the pipeline of notes is run by mongocdc"
wait_until 20 said_since "$at" 'run [0-9]+: .*, in Redis [0-9]+ ms behind, in Cassandra [0-9]+ missing'
signal_background cdc TERM
expect_background_status 15 143 cdc
wait_until 20 said_since "$at" 'the pipeline of notes was started, pid'
wait_until 30 said_since "$at" ', in Redis [0-9]+ ms behind, in Cassandra [0-9]+ ms behind'
stop_scheduler
expect_equal '{"_id":"theirs","stamp":"s"}' "$(in_cassandra \
    "SELECT document FROM stamps.mongo_notes WHERE \"_id\" = 'theirs'")"

expect_status 0 "$BIN/container" delete
expect_equal "" "$(pgrep -f "rowferry run $ROWFERRY_CONTAINERS" || true)" "pipelines that are left"
story_end
