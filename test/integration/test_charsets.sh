#!/usr/bin/env bash
# story: timeout 240
# Every character of every character set that a server lists comes as CONVERT(... USING utf8mb4)
# gives it there; what the server has no character for comes marked, so that nothing is lost.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source

charsets() {
    python3 "$ROWFERRY_SOURCE_DIR/test/lib/charsets.py" --socket "$source_SOCKET" "$@"
}

sql source "FLUSH BINARY LOGS"
charsets --schema --step $((ROWFERRY_SCALE * 10)) | sql source
sql source "FLUSH BINARY LOGS"
"$ROWFERRY" tail "binlog:$source_DIR/data/bin.000002" >"$STORY/lines"
expect_success charsets --check <"$STORY/lines"

# The judge must be able to fail: one text of all is another, one is not there.
sed -e '/charsets.koi8r/ s/"ж"/"Ж"/' -e '/charsets.gbk/ { /"乣"/ d }' "$STORY/lines" >"$STORY/spoiled"
expect_status 1 charsets --check <"$STORY/spoiled"
expect_contains "$(cat "$STORY/err")" "koi8r d6: 'Ж', wanted 'ж'"
expect_contains "$(cat "$STORY/err")" "gbk 8160: None, wanted '乣'"
story_end
