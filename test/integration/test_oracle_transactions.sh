#!/usr/bin/env bash
# story: timeout 240
# Logs of MariaDB made with each of its options hold for rowferry, transaction by transaction, the rows
# that mariadb-binlog finds in them; from the file and from the server alike.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mariadb source -- --innodb-log-file-size=128M --binlog-row-event-max-size=1024
operations=$((10000 / ROWFERRY_SCALE))
load_tables
seed=0

# check NAME SETTINGS [SETTINGS OF THE SESSION]: the load behind these, in a log of its own.
check() {
    local name=$1 file
    sql source "$2; RESET MASTER"
    seed=$((seed + 1))
    {
        echo "${3:+$3;}"
        python3 "$LIB/workload.py" --xa --operations $operations --seed $seed --first $((seed * 100000))
    } | sql source
    sql source "FLUSH BINARY LOGS"
    file=$STORY/bin.000001
    cat "$source_DIR/data/bin.000001" >"$file"
    mariadb-binlog --no-defaults -vv --base64-output=decode-rows "$file" >"$STORY/theirs"
    expect_success "$ROWFERRY" tail "binlog:$file" >"$STORY/$name.jsonl"
    expect_success python3 "$LIB/mysqlbinlog.py" --file bin.000001 --lines "$STORY/$name.jsonl" <"$STORY/theirs"
    timeout 60 "$ROWFERRY" tail --from earliest --until now "$(source_url)" >"$STORY/$name.served.jsonl"
    expect_same_files "$STORY/$name.jsonl" "$STORY/$name.served.jsonl" "$name: file and server"
    echo "$name: $(grep -c . "$STORY/$name.jsonl") lines"
}

check plain "SET GLOBAL log_bin_compress=OFF"
check compressed "SET GLOBAL log_bin_compress=ON, log_bin_compress_min_len=10"
expect_contains "$(cat "$STORY/theirs")" "_compressed_rows" "the log is compressed"
check minimal "SET GLOBAL log_bin_compress=OFF" "SET SESSION binlog_row_image=MINIMAL"
check without_blobs "SET GLOBAL log_bin_compress=ON" "SET SESSION binlog_row_image=NOBLOB"
check silent "SET GLOBAL log_bin_compress=OFF" "SET SESSION binlog_annotate_row_events=OFF"
expect_equal 0 "$(grep -c 'Annotate_rows' "$STORY/theirs" || true)" "statements in the log"
check domains "SET GLOBAL log_bin_compress=OFF" "SET SESSION gtid_domain_id=7, server_id=9"
expect_contains "$(head -n 1 "$STORY/domains.jsonl")" '"position":"7-9-' "domain and server of the session"
check unchecked "SET GLOBAL binlog_checksum=NONE"

# The judge must be able to fail.
sed -i '$d' "$STORY/unchecked.jsonl"
expect_status 1 python3 "$LIB/mysqlbinlog.py" --file bin.000001 --lines "$STORY/unchecked.jsonl" <"$STORY/theirs"
story_end
