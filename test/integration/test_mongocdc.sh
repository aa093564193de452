#!/usr/bin/env bash
# mongocdc, typed several times with writes in between: nothing missed, nothing shown twice, and Redis
# equal to the collection; also when it and its pipeline are killed.
# story: timeout 120
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers
read -r mongo_port redis_port <<<"$(python3 - <<'END'
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
END
)"
shown=$STORY/shown # all that was ever shown
touch "$shown"

# note FROM TO: inserts notes of these numbers, one command each.
note() {
    local number
    for number in $(seq "$1" "$2"); do
        in_mongo "{\"insert\": \"notes\", \"documents\": [{\"_id\": \"note-$number\", \"n\": $number}]}" \
            pluto >/dev/null
    done
}

drop_note() { # NUMBER
    in_mongo "{\"delete\": \"notes\", \"deletes\": [{\"q\": {\"_id\": \"note-$1\"}, \"limit\": 1}]}" \
        pluto >/dev/null
}

# One run, to its end; what it shows is kept.
cdc() {
    expect_status 0 "$BIN/mongocdc" "$@"
    cat "$STORY/out" >>"$shown"
}

# The notes whose insert was shown, in order.
inserts() {
    sed -n 's/^[0-9-]* [0-9:]*  insert  \(note-[0-9]*\)  .*/\1/p' "$shown"
}

# Each note of the collection is under its key, and nothing else is.
redis_agrees() {
    local there here
    there=$(in_mongo --dump | sed -n 's/^pluto\.notes .*"_id": "\(note-[0-9]*\)".*/\1/p' | LC_ALL=C sort)
    here=$(in_redis --scan --pattern 'mongo:pluto:notes:*' | sed 's/^mongo:pluto:notes://' | LC_ALL=C sort)
    [ "$there" = "$here" ]
}

# ---- Before there is anything

expect_status 5 "$BIN/mongocdc"
expect_contains "$(cat "$STORY/err")" "there is no final_mongo_container"
expect_success "$BIN/my_mongo_container" create --port "$mongo_port"
expect_success "$BIN/my_redis_container" create --port "$redis_port"
expect_status 2 "$BIN/mongocdc"
expect_contains "$(cat "$STORY/err")" "'mongocdc create' prepares it"

# ---- Created, and typed again and again

note 1 2 # before the starting point: not captured
cdc create
expect_contains "$(cat "$STORY/out")" "the starting point is now"
expect_contains "$(cat "$STORY/out")" "nothing has changed since the last run"
note 3 5
cdc
expect_contains "$(cat "$STORY/out")" "insert  note-3  {\"n\":3}"
expect_contains "$(cat "$STORY/out")" "3 changes since the last run"
expect_equal "$(printf 'note-%d\n' 3 4 5)" "$(inserts)" "inserts that were shown"
expect_equal 4 "$(in_redis HGET mongo:pluto:notes:note-4 n)"
cdc
expect_contains "$(cat "$STORY/out")" "nothing has changed since the last run"

# The starting point is never moved; pluto.posts is not ours.
note 6 6
drop_note 3
in_mongo '{"insert": "posts", "documents": [{"_id": "post"}]}' pluto >/dev/null
cdc create
expect_contains "$(cat "$STORY/out")" "the starting point is there"
expect_contains "$(cat "$STORY/out")" "insert  note-6"
expect_contains "$(cat "$STORY/out")" "delete  note-3"
expect_contains "$(cat "$STORY/out")" "2 changes since the last run"
expect_equal 0 "$(in_redis EXISTS mongo:pluto:notes:note-3)"
expect_equal "" "$(grep posts "$shown" || true)" "posts that were shown"

# ---- With writes going on

note 7 40 &
writer=$!
for _ in 1 2 3 4 5; do
    cdc
done
wait "$writer"
cdc
expect_equal "$(printf 'note-%d\n' $(seq 3 40))" "$(inserts)" "inserts that were shown"

# ---- Killed, and typed again

"$BIN/mongocdc" --follow >"$STORY/follow" 2>"$STORY/follow.err" &
follower=$!
note 41 45
wait_until 20 file_contains "$STORY/follow" "insert  note-45"
note 46 60 &
writer=$!
kill -9 "$follower"
wait "$follower" 2>/dev/null || true
wait "$writer"
cat "$STORY/follow" >>"$shown"
cdc
expect_equal "$(printf 'note-%d\n' $(seq 3 60))" "$(inserts)" "inserts that were shown"
drop_note 1 # never captured, so never in Redis
drop_note 2
drop_note 30
cdc
expect_success redis_agrees

# ---- Another process runs the pipeline, and was faster by a moment

cat >"$STORY/racer" <<END
#!/usr/bin/env bash
if mkdir "$STORY/raced" 2>/dev/null; then
    "$ROWFERRY" run "\$2" >>"$STORY/raced/log" 2>&1 &
    echo \$! >"$STORY/raced/pid"
    echo "pid \$! \$(cut -d ' ' -f 22 "/proc/\$!/stat")" >>"$STORY/guarded"
    until "$ROWFERRY" status --state "$(home_of mongo)/pipeline" | grep -q 'running, pid'; do
        :
    done
fi
exec "$ROWFERRY" "\$@"
END
chmod 755 "$STORY/racer"
note 61 62
ROWFERRY=$STORY/racer cdc
racer=$(cat "$STORY/raced/pid")
expect_contains "$(cat "$STORY/out")" "(the pipeline pluto-notes is run by process $racer, which goes on)"
kill -TERM "$racer"
wait_until 20 process_gone "$racer"
cdc
expect_equal "$(printf 'note-%d\n' $(seq 3 62))" "$(inserts)" "inserts that were shown"

# ---- Stopped in order; and nothing of it is left

"$BIN/mongocdc" --follow >"$STORY/follow" 2>"$STORY/follow.err" &
follower=$!
note 63 63
wait_until 20 file_contains "$STORY/follow" "insert  note-63"
expect_status 2 "$BIN/mongocdc"
expect_contains "$(cat "$STORY/err")" "another mongocdc runs already: mongocdc (pid $follower)"
expect_status 2 "$BIN/container" delete
expect_contains "$(cat "$STORY/err")" "mongocdc (pid $follower) works with the containers"
kill -TERM "$follower"
code=0
wait "$follower" || code=$?
expect_equal 143 "$code" "exit code after SIGTERM"
expect_success "$BIN/container" delete mongo redis
expect_equal "" "$(ls -A "$ROWFERRY_CONTAINERS")" "what is left"
story_end
