#!/usr/bin/env bash
# kill -9 of the pipeline, of each server in turn and of the scheduler itself, while it runs: it says so,
# goes on, and nothing is lost. A store that forgot everything in its death is refused by name, exit 3.
# story: timeout 240
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers

for name in mysql mongo redis cassandra; do
    expect_status 0 "$BIN/container" create --port "$("$SERVERS" port)" $name
done
expect_success "$BIN/mysqldb" --rows 20

start_scheduler() {
    run_background scheduler "$BIN/scheduler" --every 300ms
}

# lines_after MARK PATTERN: the scheduler has said that since the mark; for wait_until.
mark() {
    wc -l <"$scheduler_LOG"
}

said_since() { # MARK PATTERN
    tail -n "+$(($1 + 1))" "$scheduler_LOG" | grep -qE -- "$2"
}

# All copies have all rows, and the scheduler says that it sees that.
well_since() { # MARK
    said_since "$1" 'run [0-9]+: MySQL [0-9]+ rows; MongoDB [0-9]+ rows, [^m]* m?s behind; Redis [0-9]+ rows, [^m]* m?s behind; LastInsertDate [0-9: -]+, [^m]* m?s behind; Cassandra [0-9]+ rows, [^m]* m?s behind; maxTimeStamp [0-9: -]+, [^m]* m?s behind; notes'
}

pipeline_pid() {
    grep -o 'the pipeline was started.*pid [0-9]*' "$scheduler_LOG" | tail -n 1 | grep -o '[0-9]*$'
}

kill_and_wait() { # PID
    kill -KILL "$1"
    wait_until 20 process_gone "$1"
}

begin=$SECONDS
start_scheduler
wait_until 30 well_since 0
expect_equal 1 "$(grep -c 'the pipeline was started' "$scheduler_LOG")" "starts"

# Another scheduler would write the same positions.
expect_status 2 "$BIN/scheduler" --runs 1
expect_contains "$(cat "$STORY/err")" "another scheduler runs already"

# ---- The pipeline

at=$(mark)
pid=$(pipeline_pid)
kill_and_wait "$pid"
wait_until 20 said_since "$at" 'the pipeline was killed by signal 9 \(Killed\); it is started again in 0\.25 s'
wait_until 20 said_since "$at" 'the pipeline was started again, pid'
at=$(mark)
wait_until 20 well_since "$at"
expect_success [ "$pid" != "$(pipeline_pid)" ]

# Stopped by somebody, in order: no reason to stay so.
at=$(mark)
kill -TERM "$(pipeline_pid)"
wait_until 20 said_since "$at" 'the pipeline was stopped by signal 15 \(Terminated\); it is started again'
at=$(mark)
wait_until 20 well_since "$at"

# ---- Redis, MySQL and Cassandra: away, back with their data

for name in redis:Redis mysql:MySQL cassandra:Cassandra; do
    before=$(in_mysql 'SELECT COUNT(*) FROM posts')
    at=$(mark)
    kill_and_wait "$(container_pid "${name%:*}")"
    wait_until 20 said_since "$at" "${name#*:} is away: "
    said=$(mark)
    # It goes on meanwhile.
    wait_until 20 said_since "$said" "${name#*:} is away: "
    expect_success background_runs scheduler
    expect_status 0 "$BIN/container" create "${name%:*}"
    at=$(mark)
    wait_until 30 well_since "$at"
    expect_success [ "$(in_mysql 'SELECT COUNT(*) FROM posts')" -ge "$before" ]
done

# Frozen, not dead.
at=$(mark)
kill -STOP "$(container_pid redis)"
wait_until 20 said_since "$at" "Redis is away: .*did not answer"
kill -CONT "$(container_pid redis)"
at=$(mark)
wait_until 30 well_since "$at"

# ---- The scheduler itself: the pipeline ends with it, the next one goes on where it stood

pid=$(pipeline_pid)
kill_background scheduler
wait_until 20 process_gone "$pid"
expect_success "$BIN/mysqldb" --rows 30
start_scheduler
at=$(mark)
wait_until 30 well_since "$at"

# At once, so that it may meet the pipeline of before on its way out.
kill_background scheduler
start_scheduler
at=$(mark)
wait_until 30 well_since "$at"

signal_background scheduler TERM
expect_background_status 15 143 scheduler
# What was written just before that is carried by the next one, which ends when all has arrived.
expect_status 0 "$BIN/scheduler" --runs 1
expect_success stores_agree
rows=$(in_mysql 'SELECT COUNT(*) FROM posts')
expect_success [ "$rows" -gt 60 ]
echo "$rows rows in every store after $((SECONDS - begin)) s, nothing lost"

# ---- A store that refuses is no store that is well

readonly_root() { # STATEMENT: as root of MySQL
    MYSQL_PWD=$(container_secret mysql root) mariadb --no-defaults --protocol=tcp -h 127.0.0.1 \
        -P "$(container_port mysql)" -u root -e "SET sql_log_bin = 0; $1"
}
readonly_root "REVOKE INSERT ON pluto.* FROM pluto@'127.0.0.1'"
expect_status 6 "$BIN/scheduler" --every 300ms --runs 2
expect_equal 2 "$(grep -c '; row not written: .*INSERT command denied' "$STORY/out")" "refusals, one for each run"
readonly_root "GRANT INSERT ON pluto.* TO pluto@'127.0.0.1'"
expect_status 0 "$BIN/scheduler" --every 300ms --runs 2

# One that refuses to be read is said to, and is no more well than the other.
start_scheduler
at=$(mark)
wait_until 30 well_since "$at"
readonly_root "REVOKE SELECT ON pluto.* FROM pluto@'127.0.0.1'"
wait_until 20 said_since "$at" 'MySQL cannot be read: .*SELECT command denied'
readonly_root "GRANT SELECT ON pluto.* TO pluto@'127.0.0.1'"
at=$(mark)
wait_until 30 well_since "$at"
signal_background scheduler TERM
expect_background_status 15 143 scheduler

# ---- Rows of others, and stamps that are no help

later_than() { # SECONDS: so that the next stamp is another one
    [ "$(date +%s)" -gt "$1" ]
}

# Written just before the scheduler's own, and carried together with it.
expect_success "$BIN/mysqldb" --rows 20
wait_until 5 later_than "$(date +%s)"
expect_status 0 "$BIN/scheduler" --runs 1
expect_success stores_agree

# As after a step back of the clock: what is written now is older, by its stamp, than what MySQL shows first.
in_mysql "INSERT INTO posts SELECT UUID(), '2099-01-01 00:00:00' FROM posts LIMIT 90"
expect_status 0 "$BIN/scheduler" --runs 2 --every 300ms
expect_equal "$(posts_in_mysql)" "$(posts_in_cassandra)"
start_scheduler
at=$(mark)
wait_until 30 well_since "$at"
pid=$(pipeline_pid)
kill -STOP "$pid"
at=$(mark)
wait_until 20 said_since "$at" \
    'MongoDB [^;]* missing, .*Redis [^;]* missing, .*LastInsertDate [^;]* missing, .*Cassandra [^;]* missing, .*maxTimeStamp [^;]* missing, '
kill -CONT "$pid"
at=$(mark)
wait_until 30 well_since "$at"
signal_background scheduler TERM
expect_background_status 15 143 scheduler
in_mysql "DELETE FROM posts WHERE stamp LIKE '2099%'"

# ---- MongoDB: with its data it goes on; without them it is refused

start_scheduler
at=$(mark)
wait_until 30 well_since "$at"
at=$(mark)
kill_and_wait "$(container_pid mongo)"
wait_until 20 said_since "$at" "MongoDB is away: "
# What was emptied before the other failed is said.
expect_status 5 "$BIN/scheduler" -clear
expect_contains "$(cat "$STORY/out")" "pluto.posts of MySQL: "
expect_contains "$(cat "$STORY/err")" "MongoDB"
expect_status 0 "$BIN/container" create mongo
if [ "$(cat "$(home_of mongo)/mongo.program")" = mongod ]; then
    at=$(mark)
    wait_until 30 well_since "$at"
    signal_background scheduler TERM
    expect_background_status 15 143 scheduler
    expect_status 0 "$BIN/scheduler" --runs 1
    expect_success stores_agree
else
    expect_background_status 60 3 scheduler
    expect_contains "$(cat "$scheduler_LOG")" "has no position of pipeline pluto: it lost its data"
    expect_contains "$(cat "$scheduler_LOG")" "the pipeline ended with 3: data would be lost"
    # Nothing was written there by the pipeline that refused.
    expect_equal "" "$(posts_in_mongo)" "posts in the empty MongoDB"
    # It does not go away by itself.
    expect_status 3 "$BIN/scheduler" --runs 1
fi

expect_status 0 "$BIN/container" delete
expect_equal "" "$(pgrep -f "rowferry run $ROWFERRY_CONTAINERS" || true)" "pipelines that are left"
story_end
