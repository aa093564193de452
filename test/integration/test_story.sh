#!/usr/bin/env bash
# The frame of the stories itself: it must be able to fail, in every way that a story can go wrong,
# and a passing story must leave nothing.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin

# run_story WANTED_STATUS BODY: the body between story_begin and the end, as a story of its own.
run_story() {
    printf 'source "%s/test/lib/story.sh"\nstory_begin\n%s\n' "$ROWFERRY_SOURCE_DIR" "$2" \
        >"$STORY/inner.sh"
    expect_status "$1" env TMPDIR="$STORY/inner" bash "$STORY/inner.sh"
}
mkdir "$STORY/inner"
chmod 755 "$STORY/inner"

run_story 0 'expect_equal 1 1; story_end'
expect_contains "$(cat "$STORY/out")" "1 expectations held"
expect_equal "" "$(ls "$STORY/inner")" "what a passing story leaves"

run_story 1 'expect_equal 1 2 "the count"; story_end'
expect_contains "$(cat "$STORY/err")" "the count: wanted '1', got '2'"
expect_contains "$(cat "$STORY/err")" "inner.sh:3"
run_story 1 'expect_contains abc x; story_end'
run_story 1 'expect_success false; story_end'
run_story 1 'expect_status 3 true; story_end'
run_story 1 'story_end'
expect_contains "$(cat "$STORY/err")" "expects nothing"
run_story 1 'expect_equal 1 1; exit 0'
expect_contains "$(cat "$STORY/err")" "ended before its story_end"
run_story 1 'expect_equal 1 1; false; story_end'
expect_contains "$(cat "$STORY/err")" "line 3: false"
run_story 7 'expect_equal 1 1; (exit 7); story_end'
run_story 1 'expect_equal 1 1; x=$(fail inside); story_end'
run_story 1 'wait_until 1 test -e "$STORY/never"; story_end'
expect_contains "$(cat "$STORY/err")" "not within 1 s: test -e"
run_story 1 'expect_equal 1 1; echo a >"$STORY/a"; echo b >"$STORY/b"
    expect_same_files "$STORY/a" "$STORY/b"; story_end'
run_story 1 'run_background idle tail -f /dev/null; expect_background_status 1 0 idle; story_end'
run_story 1 'run_background quick false; expect_background_status 5 0 quick; story_end'
run_story 0 'run_background quick false; expect_background_status 5 1 quick; story_end'

# A failed story keeps its directory and shows its logs, and its processes are gone all the same.
run_story 1 'run_background idle bash -c "echo the log says so; exec tail -f /dev/null"
    wait_until 5 file_contains "$idle_LOG" "says so"
    echo "idle is $idle_PID"; fail "on purpose"'
expect_contains "$(cat "$STORY/err")" "the log says so"
kept=$(sed -n 's/^---- kept: //p' "$STORY/err")
expect_success test -d "$kept"
idle=$(sed -n 's/^idle is //p' "$STORY/out")
background_gone() {
    [ ! -d "/proc/$1" ] || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = Z ]
}
expect_success background_gone "$idle"
story_end
