#!/usr/bin/env bash
# Configuration files without servers: each golden file says what it should, nothing is contacted, no secret is shown;
# what a file means, from where it is started, and what wins over it. faults.md 27 and 31.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

# ---- Golden files (made anew by: test/golden/config/run build/rowferry $(mktemp -d) --write) --

mkdir golden
expect_status 0 "$ROWFERRY_SOURCE_DIR/test/golden/config/run" "$ROWFERRY" "$STORY/golden"
expect_contains "$(cat out)" " files" "$(cat out)"
expect_equal yes "$([ "$(sed -n 's/ files$//p' out)" -ge 25 ] && echo yes)" "golden files"

# ---- The samples ------------------------------------------------------------------------------

printf 'geheim\n' >secret
chmod 600 secret
for sample in "$ROWFERRY_SOURCE_DIR"/etc/*.yaml; do
    mkdir -p samples
    # The samples name password files where a service would have them.
    sed "s|/run/secrets/[a-z]*|$STORY/secret|; s|/etc/rowferry/[a-z.]*password|$STORY/secret|" \
        "$sample" >samples/sample.yaml
    expect_status 0 "$ROWFERRY" config check samples/sample.yaml
done

# ---- Relative paths begin at the file, typed ones where we are --------------------------------

cp "$ROWFERRY_SOURCE_DIR/test/golden/wire/keys.in" log
mkdir etc
cat >etc/shop.yaml <<END
name: shop
source:
  url: binlog:../log
  tables: [golden.nine]
sinks:
  - url: file:changes.jsonl
  - url: file:without.jsonl
    columns: [-b]
state: state
END
expect_status 0 "$ROWFERRY" config check etc/shop.yaml
expect_contains "$(cat out)" "state: state/shop.db" "the state of a file"
expect_status 0 "$ROWFERRY" run etc/shop.yaml
expect_equal "etc/state/shop.db" "$(find . -name shop.db | sed 's|^./||')" "where the state is"
"$ROWFERRY" tail "binlog:log?tables=golden.nine" >typed.jsonl 2>err
expect_equal yes "$([ -s typed.jsonl ] && echo yes)" "changes of golden.nine"
expect_same_files typed.jsonl etc/changes.jsonl "the same by a file and by an address"
expect_equal "$(wc -l <typed.jsonl)" "$(wc -l <etc/without.jsonl)" "changes without a column"
expect_equal 0 "$(grep -c '"b":' etc/without.jsonl || true)" "a column that was left out"
expect_status 0 "$ROWFERRY" run --state here etc/shop.yaml
expect_equal "here/shop.db" "$(find here -name '*.db')" "where the typed state is"

# ---- What is typed wins ------------------------------------------------------------------------

cat >typed.yaml <<END
name: filed
flush_ms: 200ms
source: binlog:log
sinks: ["null:"]
END
expect_status 0 "$ROWFERRY" run --name typed --state names typed.yaml
expect_equal "names/typed.db" "$(find names -name '*.db')" "the pipeline's name"

# --follow goes to the source, of which only a log file has something to follow.
run_background follow "$ROWFERRY" run --follow --state follow typed.yaml
wait_until 10 eval '"$ROWFERRY" status filed --state follow --json 2>/dev/null | grep -q 0-1-28'
expect_equal yes "$(background_runs follow && echo yes)" "at the end of a log that is followed"
signal_background follow TERM
expect_background_status 10 143 follow
expect_status 0 timeout 20 "$ROWFERRY" run --follow --limit 3 --state limit typed.yaml
printf 'source: mysql://cdc@127.0.0.1\nsinks: ["null:"]\n' >server.yaml
expect_status 2 "$ROWFERRY" run --follow server.yaml
expect_contains "$(cat err)" "server.yaml:1: mysql has no option for --follow" "nothing to follow"

# The file and the address are the same pipeline: the second start finds the place of the first.
printf 'source: binlog:log\nsinks: [file:one.jsonl]\nstate: same\n' >same.yaml
expect_status 0 "$ROWFERRY" run same.yaml
cp one.jsonl once.jsonl
expect_status 0 "$ROWFERRY" run --state same binlog:log file:one.jsonl
expect_same_files once.jsonl one.jsonl "what the second start added"
expect_equal 1 "$(find same -name '*.db' | wc -l)" "pipelines"

# ---- Anything may be a configuration, once it is there ----------------------------------------

cp typed.yaml pipeline.conf
expect_status 0 "$ROWFERRY" config check pipeline.conf
expect_contains "$(cat out)" "name: filed" "another suffix"
expect_status 0 bash -c '"$0" config check <(cat typed.yaml)' "$ROWFERRY"
expect_contains "$(cat out)" "name: filed" "a pipe"
expect_status 1 "$ROWFERRY" run nothing.conf
expect_status 2 "$ROWFERRY" run nothing.yaml

# ---- No secret in any message ------------------------------------------------------------------

expect_status 1 "$ROWFERRY" config check redis://:geheim@127.0.0.1
expect_equal 0 "$(grep -c geheim err || true)" "secrets in what it says"
expect_contains "$(cat err)" "a password in an argument" "the warning"

# ---- The log as JSON --------------------------------------------------------------------------

all_json() { # FILE: each line is an object with a time, a level and a message
    python3 -c '
import json, re, sys
lines = open(sys.argv[1]).read().splitlines()
assert lines, "no lines"
for line in lines:
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]), line
    assert entry["level"] in ("error", "warn", "info", "debug") and entry["message"], line
' "$1"
}
expect_status 0 "$ROWFERRY" run --log-format json --state json typed.yaml
expect_success all_json err
expect_equal filed "$(python3 -c 'import json; print(json.loads(open("err").readlines()[-1])["pipeline"])')" \
    "the pipeline in the log"
expect_equal "null null:" "$(python3 -c 'import json; print(json.loads(open("err").readline())["actor"])')" \
    "the actor in the log"
free=$("$SERVERS" port)
expect_status 5 "$ROWFERRY" tail --log-format=json "mysql://u:geheim@127.0.0.1:$free"
expect_success all_json err
expect_contains "$(cat err)" "a password in an argument" "the warning as JSON"
expect_status 2 "$ROWFERRY" run --log-format json nothing.yaml
expect_success all_json err

story_end
