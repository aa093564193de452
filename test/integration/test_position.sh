#!/usr/bin/env bash
# rowferry position set and reset, carried out by real ends: a sink that is set back gets its events
# again (Redis shows the same state, a file has them twice), one that is reset begins as a new one.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
cd "$STORY"

start_mariadb source
start_redis target -- --appendonly yes --appendfsync always
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40))"
url=mysql://root@127.0.0.1:$source_PORT/shop.orders
redis_sink=redis://127.0.0.1:$target_PORT/0
file=$STORY/changes.jsonl
file_sink=file:$file

# transaction FIRST LAST: those rows; afterwards GTID says where that is.
transaction() {
    sql source "INSERT INTO shop.orders SELECT seq, CONCAT('note ', seq) FROM shop.seq_$1_to_$2"
    GTID=$(sql source "SELECT @@gtid_binlog_pos")
}

start() { # MORE OPTIONS...
    run_background feed "$ROWFERRY" run --name shop "$@" "$url" "$redis_sink" "$file_sink"
}

stop() {
    signal_background feed TERM
    expect_background_status 10 143 feed
}

position_of() { # SINK
    "$ROWFERRY" position show shop | awk -F '\t' -v sink="$1" '$1 == sink { print $2 }'
}

stands_at() { # GTID SINK...; for wait_until
    local gtid=$1 sink
    shift
    for sink; do
        case $(position_of "$sink") in
            "mariadb:gtid=$gtid;"*) ;;
            *) return 1 ;;
        esac
    done
}

in_file() {
    grep -o '"after":{"id":[0-9]*' "$file" | sed 's/.*://' | paste -sd ' '
}

in_redis() {
    redis target --raw KEYS 'shop:orders:*' | sed 's/.*://' | sort -n | paste -sd ' '
}

# What comes again is seen when it has gone meanwhile.
forget_in_redis() { # FIRST LAST
    # shellcheck disable=SC2046
    redis target DEL $(seq -f 'shop:orders:%g' "$1" "$2") >/dev/null
}

# ---- Three transactions --------------------------------------------------------------------------

start --from earliest
transaction 1 10
one=$GTID
wait_until 10 stands_at "$one" "$redis_sink" "$file_sink"
whole_one=$(position_of "$file_sink")
transaction 11 20
two=$GTID
transaction 21 30
three=$GTID
wait_until 10 stands_at "$three" "$redis_sink" "$file_sink"

refuses 2 "\"shop\" is running already, as process $feed_PID|hint: stop it first" position set shop redis "$one"
refuses 2 "\"shop\" is running already, as process $feed_PID|hint: stop it first" position reset shop
stop

# ---- What makes no sense ---------------------------------------------------------------------------

refuses 2 "there is no pipeline 'shpo'" position set shpo redis "$one"
refuses 2 "there is no sink 'rdis' in the state of shop|its sinks are: $file_sink, $redis_sink" \
    position set shop rdis "$one"
for wrong in earliest now 0-1 nonsense bin.000001:700 "mariadb:gtid=0-1-5;end=7" "0-1-1,0-1-2"; do
    refuses 2 "'$wrong' is no position of mysql that can be compared|GTIDs such as|position reset shop $redis_sink" \
        position set shop redis "$wrong"
done
stands_at "$three" "$redis_sink" "$file_sink"

# ---- Redis is set back by GTID: the same state, and the file does not notice -----------------------

forget_in_redis 5 30
"$ROWFERRY" position set shop redis "$one" >out 2>err
expect_equal "$redis_sink" "$(sed -n 1p out)" "the sink"
expect_equal "  was:  $(position_of "$file_sink")" "$(sed -n 2p out)" "where it was"
expect_equal "  next: $one" "$(sed -n 3p out)" "where it will be"
expect_contains "$(sed -n 4p out)" "told at the next start" "when"
expect_equal "" "$(cat err)" "warnings"
expect_equal "$redis_sink	$one	ordered" "$("$ROWFERRY" position show shop | tail -n 1)" "position show"

# A start that does not get as far leaves the order as it is.
kill_server target
expect_status 5 timeout 20 "$ROWFERRY" run --name shop --connect-timeout 200ms "$url" "$redis_sink" "$file_sink"
expect_equal "$redis_sink	$one	ordered" "$("$ROWFERRY" position show shop | tail -n 1)" "position show"
restart_server target

start
wait_until 10 stands_at "$three" "$redis_sink" "$file_sink"
expect_equal "$(seq -s ' ' 1 4) $(seq -s ' ' 11 30)" "$(in_redis)" "what came again"
expect_equal "$(seq -s ' ' 1 30)" "$(in_file)" "the file"
expect_equal 2 "$("$ROWFERRY" position show shop | awk -F '\t' '{ print NF }' | paste -sd ' ' | tr -cd 2 | wc -c)" \
    "sinks without an order"
stop

# Nothing is left of it at the start after that.
forget_in_redis 11 30
start
transaction 31 31
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal "1 2 3 4 31" "$(in_redis)" "what came again"
stop

# ---- The file is set back by a whole position: it has those events twice ---------------------------

"$ROWFERRY" position set shop "$file_sink" "$whole_one" >out
expect_equal "  next: $whole_one" "$(sed -n 3p out)" "where it will be"
start
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal "$(seq -s ' ' 1 31) $(seq -s ' ' 11 31)" "$(in_file)" "the file"
expect_equal "1 2 3 4 31" "$(in_redis)" "what Redis got"
stop

# ---- Both, to different places, one of them ahead --------------------------------------------------

"$ROWFERRY" position set shop redis "$two" >out
"$ROWFERRY" position set shop file "$three" >out
transaction 32 32
start
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal "1 2 3 4 $(seq -s ' ' 21 32)" "$(in_redis)" "what Redis got"
expect_equal "$(seq -s ' ' 1 31) $(seq -s ' ' 11 31) 31 32" "$(in_file)" "the file"
stop

transaction 33 33
ahead=$GTID
transaction 34 34
"$ROWFERRY" position set shop redis "$ahead" >out 2>err
expect_contains "$(cat err)" "warning: $redis_sink has not been there: what lies between" "an order to skip"
start
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal "1 2 3 4 $(seq -s ' ' 21 32) 34" "$(in_redis)" "what Redis got"
expect_contains "$(in_file)" " 31 32 33 34" "the file"
stop

# ---- Reset: as a new one, where --from says -----------------------------------------------------

redis target DEL $(redis target --raw KEYS 'shop:orders:*') >/dev/null
"$ROWFERRY" position reset shop redis >out
expect_equal "  next: nowhere; it begins where --from says (without: now)" "$(sed -n 3p out)" "reset"
start --from "$two"
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal "$(seq -s ' ' 21 34)" "$(in_redis)" "what Redis got"
stop

# All of them, without --from: now.
before=$(in_file)
redis target DEL $(redis target --raw KEYS 'shop:orders:*') >/dev/null
transaction 35 35
"$ROWFERRY" position reset shop >out
expect_equal 2 "$(grep -c '^  next: nowhere' out)" "resets"
start
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
transaction 36 36
wait_until 10 stands_at "$GTID" "$redis_sink" "$file_sink"
expect_equal 36 "$(in_redis)" "what Redis got"
expect_equal "$before 36" "$(in_file)" "the file"
stop

story_end
