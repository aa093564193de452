#!/usr/bin/env bash
# Events that Redis refuses, because their keys hold something else: without dead_letters the first one
# ends the run with 4; with it they are in the file, with the log event as it stands in the log, and
# everything else is in Redis. Behind a mask nothing of what it hides is in the file.
# story: asan
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"

start_mariadb source
start_redis target
start_redis masked
sql source "CREATE DATABASE shop; CREATE TABLE shop.users (id INT PRIMARY KEY, email VARCHAR(60))"
sql source "INSERT INTO shop.users SELECT seq, CONCAT('user', seq, '@example.org') FROM shop.seq_1_to_300"
sql source "UPDATE shop.users SET email = CONCAT('new', id, '@example.org')"
sql source "FLUSH BINARY LOGS"

url=mysql://root@127.0.0.1:$source_PORT/shop.users
letters=$STORY/refused.jsonl
run() { # NAME SINK
    "$ROWFERRY" run --name "$1" --from earliest --until now --quiet "$url" "$2"
}
# A plain string where a row's hash is to be: the update cannot be written (an insert replaces it).
spoil() { # SERVER
    for id in 17 170; do
        redis "$1" SET "shop:users:$id" spoilt >/dev/null
    done
}

# The rows as they were inserted, which is the third transaction; then two keys are spoilt.
inserted() { # NAME SERVER PORT OPTIONS
    expect_success "$ROWFERRY" run --name "$1" --from earliest --until 0-1-3 --quiet "$url" \
        "redis://127.0.0.1:$3/0?$4"
    expect_equal 300 "$(redis "$2" EVAL "return #redis.call('KEYS', 'shop:users:*')" 0)" "rows in $2"
    spoil "$2"
}

inserted shop target "$target_PORT" as=hash
expect_status 4 run shop "redis://127.0.0.1:$target_PORT/0"
expect_contains "$(cat err)" "update of shop.users, event" "the event is named"
expect_success run shop "redis://127.0.0.1:$target_PORT/0?dead_letters=$letters"
expect_equal 2 "$(wc -l <"$letters")" "letters"
expect_equal 600 "$(stat -c %a "$letters")" "for its owner alone"
expect_equal spoilt "$(redis target GET shop:users:17)" "what was in the way"
expect_equal new18@example.org "$(redis target HGET shop:users:18 email)" "behind it"
expect_equal new300@example.org "$(redis target HGET shop:users:300 email)" "the last row"
expect_contains "$("$ROWFERRY" status shop)" "2 events in its dead letters" "status"
python3 - "$letters" "$source_DIR" <<'PYTHON'
import base64, glob, json, sys
logs = [open(path, "rb").read() for path in glob.glob(sys.argv[2] + "/data/bin.0*")]
letters = [json.loads(line) for line in open(sys.argv[1])]
for letter, number in zip(letters, (17, 170)):
    assert letter["op"] == "update" and letter["pipeline"] == "shop", letter
    assert (letter["database"], letter["table"]) == ("shop", "users"), letter
    assert letter["event"]["after"] == {"id": number, "email": f"new{number}@example.org"}, letter
    assert letter["event"]["id"] == letter["id"] and letter["id"].startswith(letter["transaction"])
    assert "WRONGTYPE" in letter["reason"] and letter["position"].startswith("mariadb:"), letter
    raw = base64.b64decode(letter["raw"])
    assert len(raw) > 19 and any(raw in log for log in logs), "the log event is that of the log"
PYTHON

# Nothing is refused again once the position is past.
expect_success run shop "redis://127.0.0.1:$target_PORT/0?dead_letters=$letters"
expect_equal 2 "$(wc -l <"$letters")" "letters after another run"

rm "$letters"
options="columns=mask(shop.users.email)&dead_letters=$letters"
inserted masked masked "$masked_PORT" "$options"
expect_success run masked "redis://127.0.0.1:$masked_PORT/0?$options"
expect_equal 2 "$(wc -l <"$letters")" "letters behind a mask"
if grep -q example.org "$letters"; then
    fail "the letters show what the mask hides"
fi
expect_equal 2 "$(grep -c '"raw":null' "$letters")" "no log event beside it"

story_end
