#!/usr/bin/env bash
# story: timeout 300
# Every character of every character set that MariaDB and MySQL list comes as CONVERT(... USING
# utf8mb4) gives it there; what a server has no character for comes marked, so that nothing is lost.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin

charsets() { # SOCKET ARGUMENT...
    python3 "$ROWFERRY_SOURCE_DIR/test/lib/charsets.py" --socket "$@"
}

check() { # NAME PORT SOCKET
    charsets "$3" --schema --step $((ROWFERRY_SCALE * 10)) | sql "$1"
    expect_success "$ROWFERRY" tail "mysql://root@127.0.0.1:$2/charsets.*" --from earliest \
        --until now >"$STORY/$1.jsonl"
    expect_success charsets "$3" --check <"$STORY/$1.jsonl"
}

start_mysql mysql
check mysql "$mysql_PORT" "$mysql_SOCKET"
start_mariadb maria
check maria "$maria_PORT" "$maria_SOCKET"

# The judge must be able to fail: one text of all is another, one is not there.
sed -e '/charsets.koi8r/ s/"ж"/"Ж"/' -e '/charsets.gbk/ { /"乣"/ d }' "$STORY/maria.jsonl" \
    >"$STORY/spoiled"
expect_status 1 charsets "$maria_SOCKET" --check --only koi8r --only gbk <"$STORY/spoiled"
expect_contains "$(cat "$STORY/err")" "koi8r d6: 'Ж', wanted 'ж'"
expect_contains "$(cat "$STORY/err")" "gbk 8160: None, wanted '乣'"
story_end
