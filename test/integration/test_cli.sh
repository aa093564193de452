#!/usr/bin/env bash
# What the program says and how it ends, where no server is needed.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

# says WANTED_STATUS MESSAGE HINT ARGUMENTS...: on standard error, and nothing on the output.
says() {
    local wanted=$1 message=$2 hint=$3
    shift 3
    expect_status "$wanted" "$ROWFERRY" "$@"
    expect_equal "" "$(cat out)" "output of '$*'"
    expect_equal "rowferry: $message" "$(sed -n 1p err)" "message of '$*'"
    expect_contains "$(sed -n 2p err)" "${hint:+  hint: $hint}" "hint of '$*'"
}

# ---- Usage: exit 1 --------------------------------------------------------------------------

says 1 "which command?" "'rowferry --help'"
says 1 "there is no command 'rnu'; did you mean 'run'?" "'rowferry --help'" rnu
says 1 "there is no command 'mysql://u:******@h'" "to see the changes of a source, write: rowferry tail" \
    mysql://u:geheim@h
says 1 "run: a source needs at least one sink behind it" \
    "usage: rowferry run [OPTION...] CONFIG.yaml | SOURCE SINK..." run mysql://h
says 1 "there is no command 'shop.yaml'" "to run what a configuration file says" shop.yaml
says 1 "usage: rowferry config check FILE" "write: rowferry config check" config shop.yaml
says 2 "tail takes the address of a source, not a configuration file" "to run what the file says, write: rowferry run" \
    tail shop.yaml
says 1 "run: too few arguments" "usage: rowferry run" run
says 1 "run: a configuration file names the source and the sinks itself" "usage: rowferry run" \
    run shop.yaml redis://h
says 1 "usage: rowferry config check FILE" "'rowferry help config'" config chekc shop.yaml
says 1 "config: too few arguments" "usage: rowferry config check FILE" config
says 1 'limit: "0" is not allowed, it takes: whole number, at least 1' "" run --limit 0 binlog:a -
says 1 'log-format: "jsno" is not allowed, it takes: one of text, json' "" tail --log-format=jsno binlog:a
says 1 "tail: too many arguments" "usage: rowferry tail" tail binlog:a -
says 1 "run has no option --flsuh-ms; did you mean --flush-ms?" "'rowferry help run'" \
    run --flsuh-ms 3 binlog:a -
says 1 "run has no option --flush; did you mean --flush-ms?" "" run --flush=3 binlog:a -
says 1 "run has no option -v" "options begin with two dashes" run -v binlog:a -
says 1 "--name needs a value: the pipeline's name, under which positions are kept; else a hash of the source's address" \
    "'rowferry help run'" run binlog:a - --name
says 1 'flush-ms: "soon" is not allowed, it takes: time such as 500ms, 10s, 5m or 2h, 1 to 1h' "" \
    run --flush-ms soon binlog:a -
says 1 'log-level: "loud" is not allowed, it takes: one of error, warn, info, debug' "" \
    run --log-level=loud binlog:a -
says 1 "name of run is set twice" "" run --name a --name b binlog:a -
usage="usage: rowferry position show NAME | set NAME SINK POSITION | reset NAME [SINK]"
says 1 "$usage" "'rowferry status'" position show
says 1 "$usage" "" position set shop redis
says 1 "$usage" "" position forget shop
says 1 "there is no source, sink, format or transform 'rdis'; did you mean 'redis'?" "'rowferry options'" \
    options rdis
says 1 "there is no command 'rnu'; did you mean 'run'?" "" help rnu

# ---- Configuration: exit 2, and nothing is contacted or made ---------------------------------

says 2 'unknown source "mysq"; did you mean "mysql"?' "sources are: mysql, binlog" tail mysq://h
says 2 'unknown sink "reddis"; did you mean "redis"?' "sinks are: " run binlog:a reddis://h
says 2 "redis is a sink, not a source" "one source comes first" tail redis://h
says 2 "mysql is a source, not a sink" "one source comes first" run binlog:a mysql://h
says 2 "'changes.jsonl' is not an address: it does not begin with a scheme" \
    "write file:changes.jsonl for a file" run binlog:a changes.jsonl
says 2 "the file address has a host, but takes a path only" "write file:PATH, without '//'" \
    run binlog:a file://changes.jsonl
says 2 'unknown option "kye" of redis; did you mean "key"?' '`rowferry options redis`' \
    run binlog:a 'redis://h?kye=x'
says 2 "shop.yaml: it cannot be read: No such file or directory" "" run shop.yaml
says 2 "shop.yml: it cannot be read: No such file or directory" "" config check shop.yml
says 2 "--follow is for log files, and mysql is none" "a server is followed until it is stopped" \
    tail --follow mysql://h
says 2 'unknown format "jsno"; did you mean "json"?' "" tail --format jsno binlog:a
expect_status 2 "$ROWFERRY" tail binlog:
expect_contains "$(sed -n 1p err)" 'rowferry: binlog needs "path": ' "no path"
says 2 "'.x' is no name for a pipeline" "letters, digits" run --name .x binlog:a null:
says 2 "'a/b' is no name for a pipeline" "letters, digits" status a/b
says 2 "there is no pipeline 'nothing': no file $XDG_STATE_HOME/rowferry/nothing.db" \
    "'rowferry status'" status nothing
says 2 "there is no pipeline 'nothing': no file here/nothing.db" "" position show nothing --state here
says 2 "$STORY/none could not be opened: No such file or directory" "" tail "binlog:$STORY/none"
: >notes
chmod 644 notes
says 2 "password_file: every user of this machine can read or write notes" "chmod 600 notes" \
    run binlog:a 'redis://h?password_file=notes'
says 2 "two sinks are named \"file:$STORY/x\"" "" run binlog:a file:x file:./x
expect_equal "" "$(find "$XDG_STATE_HOME" -name '*.db')" "state of what never ran"

# ---- Lists and help: exit 0 ------------------------------------------------------------------

for command in run tail config status position sources sinks formats options help; do
    expect_status 0 "$ROWFERRY" help "$command"
    cp out by_help
    expect_contains "$(sed -n 1p out)" "usage: rowferry $command" "help of $command"
    expect_status 0 "$ROWFERRY" "$command" --help
    expect_same_files by_help out "help of $command"
    expect_equal 0 "$(awk 'length > 100' out | wc -l)" "wide lines in the help of $command"
    expect_status 0 "$ROWFERRY" --help
    expect_contains "$(cat out)" "  $command " "list of commands"
done
expect_status 0 "$ROWFERRY" --version
expect_contains "$(cat out)" "rowferry 0." "version"
expect_status 0 "$ROWFERRY" sources
expect_contains "$(cat out)" "for example: mysql://" "sources"
expect_status 0 "$ROWFERRY" sinks
expect_contains "$(cat out)" "for example: redis://" "sinks"
expect_status 0 "$ROWFERRY" formats
expect_contains "$(cat out)" "json " "formats"
expect_status 0 "$ROWFERRY" options redis
expect_contains "$(cat out)" "default 6379" "options of redis"
expect_equal 0 "$(grep -c mysql out || true)" "other plugins among the options of redis"
expect_status 0 "$ROWFERRY" status
expect_equal "no pipeline has run here yet" "$(cat out)" "status of nothing"
expect_status 0 "$ROWFERRY" status --json
expect_equal '{"pipelines":[]}' "$(cat out)" "status of nothing as JSON"

# A reader that goes away, and one that was never there.
expect_equal "0 0" "$("$ROWFERRY" --help | : ; echo "${PIPESTATUS[*]}")" "help to nobody"
if [ -e /dev/full ]; then
    status=0
    "$ROWFERRY" --help >/dev/full 2>err || status=$?
    expect_equal 2 "$status" "status of a full disk"
    expect_contains "$(cat err)" "could not write to standard output" "message of a full disk"
fi

# No colours in a file, whatever the terminal is.
TERM=xterm expect_status 1 "$ROWFERRY" rnu
expect_equal 0 "$(grep -c $'\033' err || true)" "colours in a file"

# ---- Documents -------------------------------------------------------------------------------

expect_status 0 "$ROWFERRY" options --markdown
expect_equal 0 "$(grep -c 'Not in this build' out || true)" "plugins left out of this build"
expect_same_files out "$ROWFERRY_SOURCE_DIR/docs/options.md" \
    "docs/options.md (make it with: rowferry options --markdown)"

# Every option of run and tail is in the manual page.
for command in run tail config status position options; do
    "$ROWFERRY" help "$command" | sed -n 's/^  --\([a-z-]*\).*/\1/p' >names
    while read -r name; do
        expect_success grep -qE "(Fl|Op Fl) -$name( |$)" "$ROWFERRY_SOURCE_DIR/docs/man/rowferry.1"
    done <names
done
if command -v groff >/dev/null; then
    for page in "$ROWFERRY_SOURCE_DIR"/docs/man/*.[15]; do
        expect_equal "" "$(groff -mdoc -ww -z -Tutf8 "$page" 2>&1)" "what groff says of $page"
    done
fi
# What may stand at the top of a file is in its own page.
"$ROWFERRY" help run | sed -n 's/^  --\([a-z-]*\).*/\1/p' | grep -vx 'adopt\|follow' | tr - _ >names
while read -r name; do
    expect_success grep -qE "^\.It Cm (.* )?$name( |$)" "$ROWFERRY_SOURCE_DIR/docs/man/rowferry.yaml.5"
done <names

story_end
