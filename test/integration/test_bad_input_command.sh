#!/usr/bin/env bash
# story: asan
# What a person may get wrong on the command line: the message names it and the nearest right word,
# nothing is contacted, and the exit status is 1 for usage and 2 for what is configured.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin

# Nobody listens there; who contacted it would end with 5.
server=mysql://root@127.0.0.1:1
cache=redis://127.0.0.1:1

refuses 1 "which command?|--help"
refuses 1 "no command 'rum'|did you mean 'run'?" rum "$server" null:
refuses 1 "too few arguments|usage: rowferry run" run
refuses 1 "needs at least one sink" run "$server"
refuses 1 "no option --nonsense" run --nonsense "$server" null:
refuses 1 "no option --fron; did you mean --from?" run --fron earliest "$server" null:
refuses 1 "no option --bogus" tail "$server" --bogus
refuses 2 'unknown option "tabels" of mysql; did you mean "tables"?' \
    run "$server?tabels=shop.*" null:
refuses 2 'unknown option "kee" of redis; did you mean "key"?' run "$server" "$cache?kee={key}"
refuses 2 'unknown source "mysq"; did you mean "mysql"?|mysql, binlog' \
    run mysq://root@127.0.0.1 null:
refuses 2 'unknown sink "redsi"; did you mean "redis"?|cassandra, file, mongodb, null, redis' \
    run "$server" redsi://127.0.0.1
refuses 2 'unknown format "jsn"; did you mean "json"?' run "$server" "file:x?format=jsn"
refuses 2 "port|1 to 65535" run mysql://root@127.0.0.1:99999 null:
refuses 2 "port|1 to 65535" run mysql://root@127.0.0.1:abc null:
refuses 1 "pool-bytes|64K" run --pool-bytes many "$server" null:
refuses 2 "heartbeat" run "$server?heartbeat=soon" null:
refuses 2 "could not be opened" tail "binlog:$STORY/nowhere"
refuses 2 "directory" tail "binlog:$STORY"
refuses 2 "key" run "$server" "$cache?key={a}{b}"
refuses 2 "name" run --name "a/b" "$server" null:
refuses 2 "not a place to begin|earliest" tail --from yesterday-ish "$server"
refuses 2 'until: "tomorrow" is no place to end|a time in UTC|0-1-300000' \
    run --until tomorrow "$server" null:
refuses 2 'until: "2026-11-31T00:00:00Z" is not a time' run --until 2026-11-31T00:00:00Z "$server" null:
refuses 1 "--lag-max says what --check is to look at" status --lag-max 3s

# At the first start nobody is there: 5, for tail at once.
refuses 5 "127.0.0.1:1" tail "$server"
refuses 5 "127.0.0.1:1" run --connect-timeout 300ms "$server" null:
story_end
