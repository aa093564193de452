#!/usr/bin/env bash
# story: timeout 240
# Every row image and every value that `rowferry tail binlog:` prints is what mariadb-binlog sees in
# the same log: all types at their boundaries, and a random load; with checksums and without.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
# Small row events: statements with many rows spread over several of them.
start_mariadb source -- --max-allowed-packet=1G --innodb-log-file-size=256M \
    --innodb-buffer-pool-size=128M --binlog-row-event-max-size=1024

lib=$ROWFERRY_SOURCE_DIR/test/lib
big=()
[ "$ROWFERRY_SCALE" -gt 1 ] || big=(--big)
databases=(--database "edge's" --database story --database "two wörds")

python3 "$lib/boundaries.py" --schema | sql source
python3 "$lib/workload.py" --schema | sql source
sql source "FLUSH BINARY LOGS"
python3 "$lib/boundaries.py" ${big[@]+"${big[@]}"} | sql source --max-allowed-packet=1G
sql source "FLUSH BINARY LOGS"
python3 "$lib/workload.py" --xa --operations $((100000 / ROWFERRY_SCALE)) --seed 11 | sql source
sql source "SET GLOBAL binlog_checksum = NONE; DROP DATABASE story; DROP DATABASE \`two wörds\`"
python3 "$lib/workload.py" --schema | sql source
python3 "$lib/workload.py" --operations 1000 --seed 12 | sql source
sql source "FLUSH BINARY LOGS; FLUSH BINARY LOGS"

oracle() { # ROWS PROGRAM LOG...
    local rows=$1 program=$2
    shift 2
    python3 "$lib/oracle.py" --socket "$source_SOCKET" "${databases[@]}" --program "$program" \
        --at-least "$rows" "$@"
}

data=$source_DIR/data
expect_success oracle 6000 "$ROWFERRY" "$data/bin.000002"
expect_success oracle $((80000 / ROWFERRY_SCALE)) "$ROWFERRY" "$data/bin.000003"
expect_success oracle 900 "$ROWFERRY" "$data/bin.000004"
# The last but one, without any row, was closed; the last one is still being written to.
expect_status 0 "$ROWFERRY" tail "binlog:$data/bin.000005"
expect_equal "" "$(cat "$STORY/out")" "rows of an empty log"

# The judge must be able to fail.
spoiled() { # WORDS PYTHON: a program that runs rowferry and changes a list `lines` of its output
    cat >"$STORY/spoiled" <<PROGRAM
#!/usr/bin/env python3
import subprocess, sys
lines = subprocess.run(["$ROWFERRY", *sys.argv[1:]], stdout=subprocess.PIPE, check=True).stdout
lines = lines.splitlines(keepends=True)
at = next(i for i, line in enumerate(lines) if i > 100 and b'"table":"story.integers"' in line
          and line.startswith(b'{"op":"create"')
          and not lines[i + 1].startswith(b'{"op":"create"'))
$2
sys.stdout.buffer.write(b"".join(lines))
PROGRAM
    chmod +x "$STORY/spoiled"
    expect_status 1 oracle 1 "$STORY/spoiled" "$data/bin.000003"
    expect_contains "$(cat "$STORY/err")" "$1"
}
spoiled "only mariadb-binlog has a row image" 'del lines[-1]'
spoiled "rowferry has" 'del lines[at]'
spoiled "only rowferry has a row image" 'lines.append(lines[-1])'
spoiled "truth TINYINT" 'lines[at] = lines[at].replace(b"\"truth\":", b"\"truth\":1", 1)'
spoiled "columns in the log" 'lines[at] = lines[at].replace(b"\"truth\":", b"\"false\":", 1)'
spoiled "zero INT" 'lines[at] = lines[at].replace(b"\"zero\":", b"\"zero\":-", 1)'
spoiled "has an image that the other has not" \
    'lines[at] = lines[at].replace(b"\"before\":null", b"\"before\":{}", 1)'
story_end
