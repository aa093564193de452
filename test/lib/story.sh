# shellcheck shell=bash
# The frame of a story: an integration or fault test with real servers, written as a bash script.
#
#   source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
#   story_begin
#   start_mariadb source                 # sets source_PORT, source_DIR, source_SOCKET
#   start_redis target -- --appendonly yes --appendfsync always
#   sql source "CREATE DATABASE shop"
#   run_background feed "$ROWFERRY" run ...     # sets feed_PID, feed_LOG
#   wait_until 10 file_contains "$feed_LOG" "streaming"
#   expect_equal 3 "$(redis target DBSIZE)" "rows in Redis"
#   story_end
#
# A story passes when it reaches story_end and something was expected on the way. Any command that
# fails ends it. However it ends, its servers and background processes end with it; when it failed,
# its directory stays and the ends of its logs are shown. Stories may run side by side: each has its
# own directory and ports. Nothing in a story waits for time to pass; it waits for a condition.
#
# Given by ctest: ROWFERRY (the program), ROWFERRY_ASAN (that of the ASan tree; may be empty),
# ROWFERRY_SOURCE_DIR, ROWFERRY_BUILD_DIR, ROWFERRY_SCALE (20: one twentieth of the rows; 1: all).

set -Eeuo pipefail

ROWFERRY_SOURCE_DIR=${ROWFERRY_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
ROWFERRY_BUILD_DIR=${ROWFERRY_BUILD_DIR:-$ROWFERRY_SOURCE_DIR/build}
ROWFERRY=${ROWFERRY:-$ROWFERRY_BUILD_DIR/rowferry}
ROWFERRY_SCALE=${ROWFERRY_SCALE:-20}
export ROWFERRY_SOURCE_DIR ROWFERRY_BUILD_DIR ROWFERRY ROWFERRY_SCALE

STORY=            # the story's directory
story_name=
story_ended=no
story_expectations=0
story_background=()
story_servers=()
SERVERS=$ROWFERRY_SOURCE_DIR/tools/servers

# ---- Frame ----------------------------------------------------------------------------------

# story_begin: a directory (STORY), a private home for state and configuration, and the traps.
story_begin() {
    story_name=$(basename "$0" .sh)
    STORY=$("$SERVERS" dir)
    mkdir "$STORY/state" "$STORY/home"
    export XDG_STATE_HOME=$STORY/state STORY
    # The servers' cache stays where it is for all stories.
    export XDG_CACHE_HOME=${XDG_CACHE_HOME:-${HOME:-$STORY}/.cache}
    HOME=$STORY/home
    : >"$STORY/guarded"
    echo "$story_name: in $STORY" # ctest ends a story at its limit with -9: this still says where
    trap 'story_line=$LINENO story_command=$BASH_COMMAND' ERR
    trap story_close EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Beyond our reach when we are killed with -9, as ctest does at its time limit: ends what we left.
    ( setsid "$ROWFERRY_SOURCE_DIR/test/lib/guard" $$ "$STORY" </dev/null >/dev/null 2>&1 & )
}

# story_end: the last line of every story.
story_end() {
    [ "$story_expectations" -gt 0 ] || fail "the story expects nothing"
    story_ended=yes
    echo "$story_name: $story_expectations expectations held"
}

# leave_out WHY: what follows cannot be tried on this machine; in CI that is a failure.
leave_out() {
    [ -z "${CI:-}" ] || fail "left out: $*"
    echo "$story_name: left out: $*"
    story_expectations=$((story_expectations + 1))
}

# fail MESSAGE: ends the story.
fail() {
    echo "$story_name: FAILED: $*" >&2
    local i
    for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
        [ "${BASH_SOURCE[i]}" = "${BASH_SOURCE[0]}" ] ||
            echo "    at ${BASH_SOURCE[i]}:${BASH_LINENO[i - 1]}" >&2
    done
    story_failed=yes
    exit 1
}

story_close() {
    local status=$?
    trap - EXIT ERR INT TERM
    set +e
    if [ $status -eq 0 ] && [ $story_ended = no ]; then
        echo "$story_name: FAILED: it ended before its story_end" >&2
        status=1
    elif [ $status -ne 0 ] && [ -z "${story_failed:-}" ]; then
        echo "$story_name: FAILED with status $status: line ${story_line:-?}: ${story_command:-}" >&2
    fi
    local name log
    ! declare -F engine_close >/dev/null || engine_close
    for name in ${story_background[@]+"${story_background[@]}"}; do
        end_background "$name" >/dev/null 2>&1
    done
    for name in ${story_servers[@]+"${story_servers[@]}"}; do
        if [ $status -eq 0 ]; then
            "$SERVERS" kill "$STORY/$name" >/dev/null 2>&1
        else
            "$SERVERS" stop "$STORY/$name" >/dev/null 2>&1
        fi
    done
    if [ $status -eq 0 ]; then
        rm -rf "$STORY"
    else
        for log in "$STORY"/*.log "$STORY"/*/*.log; do
            [ -s "$log" ] || continue
            echo "---- the end of $log" >&2
            tail -n 20 "$log" >&2
        done
        echo "---- kept: $STORY" >&2
    fi
    exit $status
}

# ---- Expectations ---------------------------------------------------------------------------

# expect_equal WANTED GOT [WHAT]
expect_equal() {
    if [ "$1" != "$2" ]; then
        if [ ${#1} -gt 200 ] || [ ${#2} -gt 200 ]; then
            diff -u --label wanted --label got <(printf '%s\n' "$1") <(printf '%s\n' "$2") |
                head -n 40 >&2 || true
            fail "${3:-the two} differ"
        fi
        fail "${3:-value}: wanted '$1', got '$2'"
    fi
    story_expectations=$((story_expectations + 1))
}

# expect_contains TEXT PART [WHAT]
expect_contains() {
    case $1 in
        *"$2"*) story_expectations=$((story_expectations + 1)) ;;
        *) fail "${3:-text}: '$2' is not in: $1" ;;
    esac
}

# expect_same_files WANTED GOT [WHAT]
expect_same_files() {
    if ! cmp -s "$1" "$2"; then
        diff -u "$1" "$2" | head -n 40 >&2 || true
        fail "${3:-files}: $1 and $2 differ"
    fi
    story_expectations=$((story_expectations + 1))
}

# expect_success COMMAND...
expect_success() {
    local status=0
    "$@" || status=$?
    [ $status -eq 0 ] || fail "status $status from: $*"
    story_expectations=$((story_expectations + 1))
}

# expect_status WANTED COMMAND...: runs it; its output is left in $STORY/out and $STORY/err.
expect_status() {
    local wanted=$1 status=0
    shift
    "$@" >"$STORY/out" 2>"$STORY/err" || status=$?
    if [ $status -ne "$wanted" ]; then
        tail -n 20 "$STORY/err" >&2
        fail "status $status instead of $wanted from: $*"
    fi
    story_expectations=$((story_expectations + 1))
}

# wait_until LIMIT_SECONDS COMMAND...: until the command succeeds; fails the story at the limit.
# Its output is dropped, except that of the last try when it never succeeded.
wait_until() {
    local limit=$1 begin=$SECONDS
    shift
    until "$@" >"$STORY/last_try" 2>&1; do
        if [ $((SECONDS - begin)) -ge "$limit" ]; then
            tail -n 5 "$STORY/last_try" >&2
            fail "not within $limit s: $*"
        fi
        sleep 0.05
    done
}

# Conditions for wait_until.
file_contains() { # FILE TEXT
    [ -f "$1" ] && grep -qF -- "$2" "$1"
}

lines_at_least() { # FILE COUNT
    [ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# ---- Servers --------------------------------------------------------------------------------

# start_server KIND NAME ARGUMENTS...: on a free port; another one when somebody was quicker.
start_server() {
    local kind=$1 name=$2 status port said
    shift 2
    story_servers+=("$name")
    echo "$STORY/$name" >>"$STORY/guarded"
    for _ in 1 2 3 4 5; do
        port=$("$SERVERS" port)
        status=0
        said=$("$SERVERS" start "$kind" "$STORY/$name" "$port" "$@") || status=$?
        [ $status -eq 98 ] || break
    done
    [ $status -eq 0 ] || fail "$kind '$name' did not start"
    echo "$said"
    local socket=$STORY/$name/s
    [ "$kind" != mysql ] || socket=$STORY/$name/mysql/s
    declare -g "${name}_PORT=$port" "${name}_DIR=$STORY/$name" "${name}_SOCKET=$socket"
}

# start_mariadb NAME [--durable] [-- SERVER OPTIONS], start_mysql the same;
# start_redis NAME [-- SERVER OPTIONS]; start_mongo NAME [--java] [-- SERVER OPTIONS];
# start_cassandra NAME [--durable] [-- SERVER OPTIONS]
start_mariadb() {
    start_server mariadb "$@"
}

start_mysql() {
    start_server mysql "$@"
}

start_redis() {
    start_server redis "$@"
}

start_mongo() {
    start_server mongo "$@"
}

start_cassandra() {
    start_server cassandra "$@"
}

# By name, on the same port and with the same options as before.
stop_server() {
    "$SERVERS" stop "$STORY/$1" >/dev/null
}

kill_server() {
    "$SERVERS" kill "$STORY/$1" >/dev/null
}

restart_server() {
    local path kind
    for path in "$STORY/$1"/*.port; do
        kind=$(basename "$path" .port)
        "$SERVERS" start "$kind" "$STORY/$1" >/dev/null
    done
}

# sql NAME [CLIENT OPTIONS] [STATEMENTS]: as root; without statements they come from standard input.
# Answers are tab-separated lines without headings.
sql() {
    local name=$1
    local socket=${name}_SOCKET options=()
    shift
    while [ $# -gt 0 ] && [ "${1#-}" != "$1" ]; do
        options+=("$1")
        shift
    done
    mariadb --no-defaults --default-character-set=utf8mb4 -N -B -u root -S "${!socket}" \
        ${options[@]+"${options[@]}"} ${1+-e "$1"}
}

# redis NAME COMMAND...
redis() {
    local name=$1
    local port=${name}_PORT
    shift
    redis-cli -h 127.0.0.1 -p "${!port}" "$@"
}

# mongo NAME COMMAND [DATABASE]: the answer, both as extended JSON on one line.
# mongo NAME --dump: all documents, but for rowferry's own.
mongo() {
    local name=$1
    local port=${name}_PORT
    shift
    "$ROWFERRY_SOURCE_DIR/test/lib/mongo.py" "${!port}" "$@"
}

# cql NAME STATEMENT...: the rows of each, tab-separated lines without headings.
# cql NAME --dump KEYSPACE: all rows of its tables, but for rowferry's own. CQL_USER, CQL_PASSWORD.
cql() {
    local name=$1
    local port=${name}_PORT
    shift
    "$ROWFERRY_SOURCE_DIR/test/lib/cql.py" "${!port}" "$@"
}

# ---- Background processes -------------------------------------------------------------------

# run_background NAME COMMAND...: output to $STORY/NAME.log, appended; sets NAME_PID and NAME_LOG.
run_background() {
    local name=$1
    shift
    "$@" </dev/null >>"$STORY/$name.log" 2>&1 &
    declare -g "${name}_PID=$!" "${name}_LOG=$STORY/$name.log"
    case " ${story_background[*]-} " in
        *" $name "*) ;;
        *) story_background+=("$name") ;;
    esac
    echo "pid $! $(cut -d ' ' -f 22 "/proc/$!/stat" 2>/dev/null)" >>"$STORY/guarded"
}

background_runs() { # NAME
    local pid=${1}_PID
    [ -n "${!pid:-}" ] && kill -0 "${!pid}" 2>/dev/null &&
        [ "$(cut -d ' ' -f 3 "/proc/${!pid}/stat" 2>/dev/null)" != Z ]
}

background_ended() { # NAME; a condition for wait_until
    ! background_runs "$1"
}

# signal_background NAME SIGNAL
signal_background() {
    local pid=${1}_PID
    kill "-$2" "${!pid}"
}

# kill_background NAME: kill -9, and gone when this returns.
kill_background() {
    local pid=${1}_PID
    kill -KILL "${!pid}"
    wait "${!pid}" 2>/dev/null || true
    declare -g "${1}_PID="
}

# expect_background_status LIMIT_SECONDS WANTED NAME: it ends by itself, with this status.
expect_background_status() {
    local pid=${3}_PID status=0
    wait_until "$1" background_ended "$3"
    wait "${!pid}" || status=$?
    declare -g "${3}_PID="
    expect_equal "$2" "$status" "exit status of $3"
}

# end_background NAME: TERM, and kill -9 after 5 s.
end_background() {
    local pid=${1}_PID begin=$SECONDS
    [ -n "${!pid:-}" ] || return 0
    kill -TERM "${!pid}" 2>/dev/null || true
    kill -CONT "${!pid}" 2>/dev/null || true
    while background_runs "$1" && [ $((SECONDS - begin)) -lt 5 ]; do
        sleep 0.05
    done
    kill -KILL "${!pid}" 2>/dev/null || true
    wait "${!pid}" 2>/dev/null || true
    declare -g "${1}_PID="
}
