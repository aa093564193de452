#!/usr/bin/env bash
# The state file under trouble, as an operator meets it: broken in every way, restored from a copy
# that is too old, on a disk that is full or read-only. It is said, nothing is delivered past it, and
# with room again it goes on by itself.
# story: asan
if [ -z "${STATE_TROUBLE_INSIDE:-}" ] && unshare --mount true 2>/dev/null; then
    # File systems that are mounted here are gone with the last process of this story.
    STATE_TROUBLE_INSIDE=yes exec unshare --mount --propagation private bash "$0"
fi
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
cd "$STORY"

start_mariadb source
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)"
file=$STORY/changes.jsonl
ends=("mysql://root@127.0.0.1:$source_PORT/shop.orders" "file:$file")
state=$STORY/state/rowferry
next=1

start() { # MORE OPTIONS...
    run_background feed "$ROWFERRY" run --name shop --from earliest "$@" "${ends[@]}"
}

stop() {
    signal_background feed TERM
    expect_background_status 10 143 feed
}

# A transaction of ten rows more.
insert() {
    sql source "INSERT INTO shop.orders SELECT seq FROM shop.seq_${next}_to_$((next + 9))"
    next=$((next + 10))
}

is_out() { # for wait_until: all that was inserted
    file_contains "$file" "\"after\":{\"id\":$((next - 1))}"
}

# is_recorded MORE OPTIONS...; for wait_until. Two statements made the database and the table.
is_recorded() {
    "$ROWFERRY" status shop --json "$@" | python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["pipelines"][0]["sinks"][0]["events"] != 2 + int(sys.argv[1]))' $((next - 1))
}

# each row once, in order
expect_whole_file() {
    expect_equal "$(seq -s ' ' 1 $((next - 1)))" \
        "$(grep -o '"after":{"id":[0-9]*' "$file" | sed 's/.*://' | paste -sd ' ')" "rows in the file"
}

# ---- Broken, and older than what was saved ----------------------------------------------------

insert
start
wait_until 10 is_out
wait_until 10 is_recorded
stop
cp -a "$state" older
insert
start
wait_until 10 is_out
wait_until 10 is_recorded
stop
cp -a "$state" kept
insert # this is what must not be delivered
before=$(cksum <"$file")
size=$(stat -c %s kept/shop.db)
pages=$((size / 4096))

broken() { # STATUS WORDS COMMAND...: what the command makes of a good state is refused
    local status=$1 words=$2
    shift 2
    rm -r "$state"
    cp -a kept "$state"
    "$@"
    refuses "$status" "$words" run --name shop --from earliest "${ends[@]}"
    expect_equal "$before" "$(cksum <"$file")" "the file after: $*"
}

# The same is said by who only looks.
seen() { # STATUS WORDS
    refuses "$1" "$2" status shop
    refuses "$1" "$2" position show shop
    refuses "$1" "$2" position set shop file 0-1-1
}

overwrite() { # FROM OFFSET COUNT
    dd if="$1" of="$state/shop.db" bs=1 seek="$2" count="$3" conv=notrunc status=none
}

damage="the state file $state/shop.db is damaged|hint: restore it from a backup"
for cut in 0 1 100 3000 4096 $((size - 4096)) $((size - 1)); do
    broken 3 "$damage" truncate -s "$cut" "$state/shop.db"
done
seen 3 "$state/shop.db is damaged"
broken 3 "$damage" overwrite /dev/zero 0 "$size"
for ((page = 0; page < pages; page++)); do
    broken 3 "$damage" overwrite /dev/zero $((page * 4096)) 4096
    broken 3 "$damage" overwrite /dev/urandom $((page * 4096)) 4096
done
broken 3 "$damage" overwrite /dev/urandom 0 "$size"
seen 3 "$state/shop.db is damaged"
broken 3 "older than what was saved last|hint: put the newer one back; or, if the older positions are right, remove $state/shop.lock" \
    cp older/shop.db "$state/shop.db"
broken 3 "is gone, and $state/shop.lock says that there was one|remove $state/shop.lock" rm "$state/shop.db"
refuses 2 "there is no pipeline 'shop'" status shop

# The copy that was kept is good, and so is the older one when that is meant: the file is cut where
# it stood then, and what lies behind comes again.
rm -r "$state"
cp -a older "$state"
rm "$state/shop.lock"
start
wait_until 10 is_out
wait_until 10 is_recorded
stop
expect_whole_file

# ---- A disk that is full ----------------------------------------------------------------------

mkdir small
if ! mount -t tmpfs -o size=192k,mode=700 tmpfs small 2>err; then
    leave_out "a full and a read-only disk, without the right to mount: $(cat err)"
    story_end
    exit 0
fi

fill() {
    dd if=/dev/zero of=small/filler bs=4096 status=none 2>/dev/null || true
    expect_equal 0 "$(stat -f -c %a small)" "room on the disk"
}

expect_status 0 cp -a "$state/." small
start --state small
wait_until 10 "$ROWFERRY" status --check --state small shop
insert
wait_until 10 is_out
wait_until 10 is_recorded --state small
fill
# Each transaction is a save; the log of the database has room for a few yet.
for _ in 1 2 3 4 5; do
    insert
done
wait_until 20 file_contains "$feed_LOG" "the position could not be saved: no room for the state file small/shop.db"
expect_success background_runs feed
"$ROWFERRY" position show --state small shop >out
expect_contains "$(cat out)" "mariadb:gtid=0-1-" "what is read on a full disk"
rm small/filler
wait_until 20 is_out
wait_until 20 is_recorded --state small
stop
expect_whole_file

# Nothing can be written, so nothing begins; and the state is as it was.
fill
before=$(cksum <"$file")
insert
expect_status 2 timeout 20 "$ROWFERRY" run --name shop --state small "${ends[@]}"
expect_contains "$(cat err)" "no room for the state file small/shop.db" "message of a full disk"
expect_contains "$(cat err)" "hint: free some space on its disk" "hint"
expect_equal "$before" "$(cksum <"$file")" "the file"
expect_status 2 timeout 20 "$ROWFERRY" run --name fresh --state small --from earliest "${ends[0]}" null:
expect_equal "" "$(find small -name 'fresh*' -size +0)" "what a first start leaves on a full disk"
rm small/filler
start --state small
wait_until 10 is_out
wait_until 10 is_recorded --state small

# ---- A disk that becomes read-only --------------------------------------------------------------

# A kernel does this by force when a disk fails; here nobody may be writing.
read_only() {
    mount -o remount,ro small
}
signal_background feed KILL
wait_until 10 background_ended feed
wait_until 10 read_only
insert
before=$(cksum <"$file")
expect_status 2 timeout 20 "$ROWFERRY" run --name shop --state small "${ends[@]}"
expect_contains "$(cat err)" "small/shop.lock: Read-only file system" "message of a read-only disk"
expect_contains "$(cat err)" "needs a directory that can be written" "hint"
expect_equal "$before" "$(cksum <"$file")" "the file"
mount -o remount,rw small
start --state small
wait_until 10 is_out
wait_until 10 is_recorded --state small
stop
expect_whole_file
umount small

story_end
