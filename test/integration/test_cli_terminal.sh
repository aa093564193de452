#!/usr/bin/env bash
# The live line on a terminal: one row whatever the width, wiped before log lines, gone at the end.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

start_mariadb source
sql source "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)"

# A terminal of so many columns, in which a command runs; what it shows goes to a file.
terminal() { # COLUMNS FILE COMMAND...
    local columns=$1 file=$2
    shift 2
    env TERM=xterm script -qfec "stty cols $columns rows 24; exec $(printf '%q ' "$@")" "$file" </dev/null
}

# pid_of NAME: the process that runs the pipeline of that name.
pid_of() {
    "$ROWFERRY" status "$1" --json |
        python3 -c 'import json, sys; p = json.load(sys.stdin)["pipelines"][0]; print(p["pid"] if p["running"] else "")'
}

runs() {
    [ -n "$(pid_of "$1" 2>/dev/null)" ]
}

# The screen as rows, by a small reading of what was sent to it: carriage return, newline, up, clear below.
cat >screen.py <<'PY'
import re
import sys

columns, path = int(sys.argv[1]), sys.argv[2]
text = open(path, encoding="utf-8", newline="").read()
rows, row, column, widest = [""], 0, 0, 0
for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]", text):
    if part == "\r":
        column = 0
    elif part == "\n":
        row += 1
        if row == len(rows):
            rows.append("")
    elif re.fullmatch(r"\x1b\[(\d*)A", part):
        row -= int(part[2:-1] or 1)
    elif part == "\x1b[J":
        rows = rows[:row + 1]
        rows[row] = rows[row][:column]
    elif part.startswith("\x1b["):
        pass
    else:
        if column == columns:
            row, column = row + 1, 0
            if row == len(rows):
                rows.append("")
        rows[row] = rows[row][:column].ljust(column) + part + rows[row][column + 1:]
        column += 1
    if len(sys.argv) > 3 and re.search(sys.argv[3], rows[row]):
        widest = max(widest, len(rows[row]))
if len(sys.argv) > 3:
    print(widest)
else:
    print("\n".join(line.rstrip() for line in rows))
PY

for columns in 80 200; do
    name=live$columns
    long="null:?name=one-name-that-takes-its-time"
    run_background "$name" terminal "$columns" "screen$columns" "$ROWFERRY" run --name "$name" \
        "mysql://root@127.0.0.1:$source_PORT" null: "$long" file:changes$columns.jsonl
    wait_until 20 runs "$name"
    sql source "INSERT INTO shop.orders SELECT seq FROM shop.seq_${columns}001_to_${columns}100"
    wait_until 20 grep -qE '100 events  lag [0-9]+s  null ok  one-name-that-take\.\. ok  file ok' "screen$columns"
    kill -TERM "$(pid_of "$name")"
    expect_background_status 10 143 "$name"

    # What remains is the summary alone, in one piece.
    python3 screen.py 10000 "screen$columns" >rows
    expect_equal 1 "$(grep -c '100 events in 1 transaction' rows)" "summaries"
    expect_equal 0 "$(grep -c ' lag ' rows || true)" "live lines that remain"
    # Beside the name of each sink stands how it does, and nothing was ever as wide as the terminal.
    widest=$(python3 screen.py "$columns" "screen$columns" '/s  .* lag ')
    expect_equal yes "$([ "$widest" -gt 40 ] && [ "$widest" -lt "$columns" ] && echo yes || echo "$widest")" \
        "width of the live line"
done

# A warning on the way stands whole on a row of its own.
run_background cut terminal 80 screen-cut "$ROWFERRY" run --name cut "mysql://root@127.0.0.1:$source_PORT" null:
wait_until 20 runs cut
wait_until 20 file_contains screen-cut "null ok"
kill_server source
wait_until 20 grep -q "mysql .*retry in" screen-cut
kill -TERM "$(pid_of cut)"
expect_background_status 10 143 cut
python3 screen.py 10000 screen-cut >rows
expect_equal 0 "$(grep -c ' lag ' rows || true)" "live lines that remain"
expect_equal "" "$(grep -vE '^$|^ *20[0-9-]*T[0-9:.]*Z (info |warn |error|debug) |^Script ' rows || true)" \
    "rows that are no lines of the log"
expect_contains "$(cat rows)" "trying again in " "the warning"
expect_contains "$(cat screen-cut)" $'mysql \033[31mretry in ' "the colour of trouble"

# Colours for a person, and none for who does not want them.
expect_status 1 terminal 80 coloured "$ROWFERRY" rnu
expect_contains "$(cat coloured)" $'\033[1;31mrowferry: \033[0mthere is no command' "colours"
NO_COLOR=1 expect_status 1 terminal 80 plain "$ROWFERRY" rnu
expect_equal 0 "$(grep -c $'\033' plain || true)" "colours with NO_COLOR"

# Beside events on the same terminal there is no live line.
run_background tail terminal 80 screen-tail "$ROWFERRY" run --name tail-like \
    --from earliest "binlog:$(ls "$source_DIR"/data/bin.000001)" -
expect_background_status 20 0 tail
expect_equal 200 "$(grep -c '"op":"create"' screen-tail)" "events on the terminal"
expect_equal 0 "$(grep -c ' lag ' screen-tail || true)" "live lines between them"

story_end
