#!/usr/bin/env bash
# The container programs on a real Docker Engine: the assignment's names and ports, what survives, what
# is refused, and that nothing which is not ours is ever touched.
# story: timeout 300
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/engine.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/images.sh"
story_begin
use_containers fixed
unset ROWFERRY_RUNTIME ROWFERRY_MONGO
if ! engine_is_possible; then
    # No test starts an engine on a machine that somebody works at.
    leave_out "an engine takes root, and a machine without systemd"
    story_end
    exit
fi
start_engine
# Under the names of the official images, so that nobody has to say --image; but MongoDB's.
image_redis redis:7
image_mysql mysql:8.4
image_mongo store:of-documents
image_cassandra cassandra:5

of_container() { # NAME TEMPLATE
    docker inspect --format "$2" "$1"
}

# ---- As the assignment types it, one by one

expect_status 0 "$BIN/my_sql_container" create
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:5600, Docker 20.10"
expect_status 0 "$BIN/my_mongo_container" create --image store:of-documents
expect_status 0 "$BIN/my_redis_container" create --memory 64M
expect_status 0 "$BIN/my_cassandra_container" create --memory 640M
for line in "final_mysql_container 127.0.0.1:5600->3306/tcp mysql:8.4" \
    "final_mongo_container 127.0.0.1:1800->1800/tcp store:of-documents" \
    "final_redis_container 127.0.0.1:2400->6379/tcp redis:7" \
    "final_cassandra_container 127.0.0.1:1000->9042/tcp cassandra:5"; do
    expect_contains "$(docker ps --format '{{.Names}} {{.Ports}} {{.Image}}')" "$line"
done
expect_equal redis "$(of_container final_redis_container \
    '{{index .Config.Labels "org.rowferry.container"}}')" "label"
expect_equal 67108864 "$(of_container final_redis_container '{{.HostConfig.Memory}}')" "memory"
expect_equal "1 FULL FULL ON" "$(in_mysql 'SELECT @@log_bin, @@binlog_row_image,
    @@binlog_row_metadata, @@gtid_mode' | tr '\t' ' ')" "MySQL's log"
expect_equal "appendfsync always" "$(in_redis CONFIG GET appendfsync | xargs)" "Redis"
expect_equal "SELECT" "$(in_cassandra 'LIST ALL PERMISSIONS OF pluto' | cut -f 4)" "rights in Cassandra"
expect_contains "$(cassandra_as cassandra cassandra 'SELECT key FROM system.local' 2>&1)" "incorrect"

# No password can be seen by whoever may look at a container.
for name in mysql mongo redis cassandra; do
    for secret in "$(home_of $name)"/secrets/*; do
        expect_equal 0 "$(docker inspect final_${name}_container | grep -c "$(cat "$secret")")" \
            "password of $name in its description"
    done
done
expect_status 0 "$BIN/container" status --check
expect_equal 4 "$(grep -c ' answers .*Docker ' "$STORY/out")" "lines of status"

# ---- Twice, stopped, removed by hand

expect_status 0 "$BIN/mysqldb"
rows=$(posts_in_mysql)
id=$(of_container final_mysql_container '{{.Id}}')
expect_status 0 "$BIN/container" create
expect_equal 4 "$(grep -c 'runs already on' "$STORY/out")" "created twice"
docker kill final_mysql_container >/dev/null
expect_status 6 "$BIN/container" status --check
expect_status 0 "$BIN/my_sql_container" create
expect_equal "$id" "$(of_container final_mysql_container '{{.Id}}')" "the container stays"
expect_equal "$rows" "$(posts_in_mysql)" "its data stay"
docker rm -f final_redis_container >/dev/null
expect_status 0 "$BIN/my_redis_container" create
expect_equal PONG "$(in_redis PING)" "made anew"
expect_contains "$("$ROWFERRY" container logs redis -n 5)" "Ready to accept connections"
expect_status 2 "$BIN/my_redis_container" create --runtime native
expect_contains "$(cat "$STORY/err")" "it was made with --runtime docker"

# ---- The story itself

# Over leftovers: one stopped, one removed by hand, one whose home was, and one that runs.
docker tag store:of-documents mongo:7
docker stop -t 1 final_redis_container >/dev/null
docker rm -f final_mongo_container >/dev/null
rm -rf "$(home_of cassandra)"
expect_status 0 timeout 100 "$BIN/container" -init
expect_equal 4 "$(docker ps -q | wc -l)" "containers"
expect_equal mongo:7 "$(of_container final_mongo_container '{{.Config.Image}}')" "image, afresh"
expect_equal 0 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "begun afresh"
expect_status 0 "$BIN/mysqldb"
expect_status 0 timeout 60 "$BIN/mongocdc" create
expect_status 0 timeout 60 "$BIN/scheduler" --every 1s --runs 4
expect_success stores_agree
expect_status 0 timeout 60 "$BIN/mongocdc"
expect_equal 4 "$(grep -c '  insert  .*"stamp"' "$STORY/out")" "notes that were shown"
expect_contains "$(cat "$STORY/out")" "pluto.notes: 4 changes since the last run"
expect_status 0 timeout 60 "$BIN/mongocdc"
expect_contains "$(cat "$STORY/out")" "pluto.notes: nothing has changed since the last run"

# ---- What is not ours

expect_status 0 "$BIN/my_redis_container" delete
docker create --name final_redis_container redis:7 >/dev/null
foreign=$(of_container final_redis_container '{{.Id}}')
expect_status 2 "$BIN/my_redis_container" create
expect_contains "$(cat "$STORY/err")" "that is somebody else's, of the image redis:7"
expect_contains "$(cat "$STORY/err")" "docker rename final_redis_container"
expect_status 0 "$BIN/my_redis_container" delete # nothing is ours
expect_equal "$foreign" "$(of_container final_redis_container '{{.Id}}')" "it is still there"
docker rm final_redis_container >/dev/null
expect_status 0 "$BIN/my_redis_container" delete

# Ours, but of other containers than these.
expect_status 0 "$BIN/my_redis_container" create
there=$(of_container final_redis_container '{{.Id}}')
for command in delete -init create; do
    ROWFERRY_CONTAINERS=$STORY/others expect_status 2 "$BIN/my_redis_container" $command
    expect_contains "$(cat "$STORY/err")" "its home is $(home_of redis), and not $STORY/others/final_redis_container"
done
expect_equal "$there" "$(of_container final_redis_container '{{.Id}}')" "it is still there"
docker stop -t 1 final_redis_container >/dev/null
expect_status 2 "$BIN/my_redis_container" create --port 2401
expect_contains "$(cat "$STORY/err")" "it was made on port 2400 and not on 2401"
expect_status 0 "$BIN/my_redis_container" create
expect_equal PONG "$(in_redis PING)" "as it was made"
expect_status 0 "$BIN/my_redis_container" delete

# ---- What goes wrong

python3 -m http.server --bind 127.0.0.1 2400 >"$STORY/port.log" 2>&1 &
thief=$!
wait_until 10 file_contains "$STORY/port.log" "Serving"
expect_status 2 "$BIN/my_redis_container" create
expect_contains "$(cat "$STORY/err")" "port 2400 is taken"
kill $thief
expect_status 0 "$BIN/my_redis_container" create
there=$(of_container final_redis_container '{{.Id}}')
expect_status 2 "$BIN/my_redis_container" -init --image nosuch:1
expect_contains "$(cat "$STORY/err")" "could not fetch the image nosuch:1"
expect_equal "$there" "$(of_container final_redis_container '{{.Id}}')" "nothing was deleted for it"
docker tag mysql:8.4 redis:dies # it ends at once: it knows no redis-server
expect_status 2 "$BIN/my_redis_container" -init --image redis:dies
expect_contains "$(cat "$STORY/err")$(cat "$STORY/out")" "no password was given"
expect_contains "$(cat "$STORY/err")" "it ended with 1 before it answered"
rm -rf "$(home_of redis)" # by hand: its container is known by its label
expect_status 0 "$BIN/my_redis_container" delete
expect_equal "" "$(docker ps -aq --filter name=final_redis_container)" "what was left of it"

expect_status 0 "$BIN/my_redis_container" create
stop_engine
expect_status 2 "$BIN/my_redis_container" delete
expect_contains "$(cat "$STORY/err")" "--runtime native needs no engine"
run_engine
expect_status 0 "$BIN/container" create # what the engine's end has stopped
for name in sql mongo redis cassandra; do
    expect_status 0 "$BIN/my_${name}_container" delete
done
expect_status 0 "$BIN/container" delete
expect_equal 4 "$(grep -c ': there is none$' "$STORY/out")" "deleted again"
expect_equal "" "$(docker ps -aq)" "containers left"
expect_success [ ! -d "$(home_of mysql)" ]
story_end
