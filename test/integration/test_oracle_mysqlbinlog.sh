#!/usr/bin/env bash
# story: timeout 240
# Logs of MySQL made with each of its options hold for rowferry, transaction by transaction, the rows
# that MySQL's own mysqlbinlog finds in them; from the file and from the server alike.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
LOAD_FOR=--mysql
source "$ROWFERRY_SOURCE_DIR/test/lib/load.sh"
story_begin
start_mysql source -- --innodb-redo-log-capacity=128M --binlog-row-event-max-size=1024
mysqlbinlog=$("$SERVERS" tree mysql)/bin/mysqlbinlog
operations=$((10000 / ROWFERRY_SCALE))
load_tables
seed=0

# check NAME SETTINGS [OPTIONS OF THE COMPARISON]: the load behind these settings, in a log of its own.
check() {
    local name=$1 settings=$2 file last
    shift 2
    sql source "RESET BINARY LOGS AND GTIDS"
    seed=$((seed + 1))
    {
        echo "$settings;"
        python3 "$LIB/workload.py" $LOAD_FOR --xa --operations $operations --seed $seed \
            --first $((seed * 100000))
    } | sql source
    sql source "FLUSH BINARY LOGS"
    # A change of binlog_checksum begins a file of its own.
    last=$(sql source "SHOW BINARY LOGS" | tail -n 2 | head -n 1 | cut -f 1)
    file=$STORY/$last
    cat "$source_DIR/mysql/data/$last" >"$file"
    "$mysqlbinlog" --no-defaults -vv --base64-output=decode-rows "$file" >"$STORY/theirs"
    expect_success "$ROWFERRY" tail "binlog:$file" >"$STORY/$name.jsonl"
    expect_success python3 "$LIB/mysqlbinlog.py" --file "$last" --lines "$STORY/$name.jsonl" "$@" \
        <"$STORY/theirs"
    timeout 60 "$ROWFERRY" tail --from "$last:4" --until now "$(source_url)" >"$STORY/$name.served.jsonl"
    expect_same_files "$STORY/$name.jsonl" "$STORY/$name.served.jsonl" "$name: file and server"
    echo "$name: $(grep -c . "$STORY/$name.jsonl") lines"
}

check plain "SET SESSION binlog_transaction_compression=OFF"
check compressed "SET SESSION binlog_transaction_compression=ON"
expect_contains "$(cat "$STORY/theirs")" "compression_type=ZSTD" "the log is compressed"
check hard "SET SESSION binlog_transaction_compression=ON, binlog_transaction_compression_level_zstd=22"
check minimal "SET SESSION binlog_row_image=MINIMAL"
check without_blobs "SET SESSION binlog_row_image=NOBLOB"
check partial "SET SESSION binlog_row_value_options=PARTIAL_JSON"
expect_contains "$(cat "$STORY/theirs")" "Update_rows_partial" "the log has parts of documents"
check partial_minimal "SET SESSION binlog_row_value_options=PARTIAL_JSON, binlog_row_image=MINIMAL"
check tagged "SET gtid_next='AUTOMATIC:night'" --tagged 50
check unchecked "SET GLOBAL binlog_checksum=NONE"
expect_contains "$(head -n 20 "$STORY/theirs")" "end_log_pos" "it is a log"
case $(head -n 12 "$STORY/theirs" | grep Start:) in *CRC32*) fail "the log has checksums" ;; esac
check noisy "SET GLOBAL binlog_checksum=CRC32; SET SESSION binlog_rows_query_log_events=ON"
expect_contains "$(cat "$STORY/theirs")" "Rows_query" "the log has statements beside the rows"
for mode in ON_PERMISSIVE OFF_PERMISSIVE OFF; do
    sql source "SET GLOBAL gtid_mode=$mode"
done
check anonymous "SET SESSION binlog_transaction_compression=OFF" --anonymous
check both_of_these "SET SESSION binlog_transaction_compression=ON" --anonymous
story_end
