#!/usr/bin/env bash
# tools/servers keeps its promises: a server answers when start returns, data outlast stop and kill,
# nobody else's process is ended, nothing is left behind.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin

pid_of() { # NAME KIND
    cut -d ' ' -f 1 "$STORY/$1/$2.pid"
}

process_gone() { # PID
    [ ! -d "/proc/$1" ] || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = Z ]
}

listening_at() { # PORT -> the local addresses, in the kernel's hexadecimal words
    cat /proc/net/tcp /proc/net/tcp6 | awk -v "port=$(printf %04X "$1")" \
        '$4 == "0A" && $2 ~ ":" port "$" { print $2 }'
}

# ---- MariaDB

start_mariadb db --durable -- --server-id=77
expect_equal 77 "$(sql db 'SELECT @@server_id')" "an option of ours reached the server"
expect_equal "ROW FULL FULL 1 1" \
    "$(sql db 'SELECT @@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@gtid_strict_mode,
               @@log_bin' | tr '\t' ' ')" "binary log"
expect_equal "1 1" "$(sql db 'SELECT @@sync_binlog, @@innodb_flush_log_at_trx_commit' | tr '\t' ' ')" \
    "--durable"
expect_equal 127.0.0.1 "$(sql db 'SELECT @@bind_address')" "address"
expect_equal 1 "$(mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$db_PORT" -u root -N -B \
    -e 'SELECT 1')" "root without a password over TCP"
pid=$(pid_of db mariadb)
if [ "$(id -u)" -eq 0 ]; then
    expect_equal nobody "$(stat -c %U "/proc/$pid")" "a server never runs as root"
else
    expect_equal "$(id -un)" "$(stat -c %U "/proc/$pid")" "a server runs as the caller"
fi

sql db "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1)"
expect_contains "$("$SERVERS" start mariadb "$db_DIR" "$db_PORT")" "already running" "second start"
expect_equal "$pid" "$(pid_of db mariadb)" "pid after the second start"
expect_status 1 "$SERVERS" start mariadb "$db_DIR" $((db_PORT + 1))
expect_contains "$(cat "$STORY/err")" "runs already, on port $db_PORT"

kill_server db
expect_success process_gone "$pid"
expect_status 3 "$SERVERS" status "$db_DIR"
restart_server db
expect_equal 1 "$(sql db 'SELECT id FROM shop.t')" "a committed row after kill -9"
expect_equal 77 "$(sql db 'SELECT @@server_id')" "the option after a restart"
sql db "INSERT INTO shop.t VALUES (2)"
pid=$(pid_of db mariadb)
stop_server db
expect_success process_gone "$pid"
restart_server db
expect_equal 2 "$(sql db 'SELECT COUNT(*) FROM shop.t')" "rows after an orderly stop"

# ---- MySQL

start_mysql my --durable -- --server-id=78
expect_equal 78 "$(sql my 'SELECT @@server_id')" "an option of ours reached the server"
expect_equal "ROW FULL FULL ON 1" \
    "$(sql my 'SELECT @@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@gtid_mode,
               @@log_bin' | tr '\t' ' ')" "MySQL's binary log"
expect_equal "1 1" "$(sql my 'SELECT @@sync_binlog, @@innodb_flush_log_at_trx_commit' | tr '\t' ' ')" \
    "--durable"
expect_equal "root@127.0.0.1" "$(mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$my_PORT" \
    -u root -N -B -e 'SELECT CURRENT_USER()')" "root without a password over TCP"
pid=$(pid_of my mysql)
expect_equal "$(stat -c %U "/proc/$(pid_of db mariadb)")" "$(stat -c %U "/proc/$pid")" \
    "MySQL runs as the other servers do"
uuid=$(sql my 'SELECT @@server_uuid')
sql my "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1)"
expect_equal "$uuid:1-3" "$(sql my 'SELECT @@gtid_executed')" "a log that nobody has used before"
kill_server my
expect_success process_gone "$pid"
expect_status 3 "$SERVERS" status mysql "$my_DIR"
restart_server my
expect_equal "1 78 $uuid" "$(sql my 'SELECT id, @@server_id, @@server_uuid FROM shop.t' | tr '\t' ' ')" \
    "row, option and identity after kill -9"
pid=$(pid_of my mysql)
stop_server my
expect_success process_gone "$pid"
restart_server my
expect_contains "$("$("$SERVERS" tree mysql)/bin/mysqlbinlog" --no-defaults --base64-output=decode-rows -v \
    "$my_DIR/mysql/data/bin.000001")" "### INSERT INTO \`shop\`.\`t\`" "mysqlbinlog reads its log"
start_mysql twin
case $(sql twin 'SELECT @@server_uuid') in "$uuid") fail "two MySQL servers with one UUID" ;; esac

# A port that is taken, and an option that no server knows.
expect_status 98 "$SERVERS" start mariadb "$STORY/other" "$db_PORT"
expect_status 98 "$SERVERS" start mysql "$STORY/other" "$db_PORT"
expect_status 98 "$SERVERS" start redis "$STORY/other" "$db_PORT"
expect_status 1 "$SERVERS" start mariadb "$STORY/other" "$("$SERVERS" port)" -- --no-such-option
expect_contains "$(cat "$STORY/err")" "unknown option '--no-such-option'"
expect_status 3 "$SERVERS" status "$STORY/other"

# Two at once, with a cache that is still empty: the data directory is made once. Root's cache has a
# fixed place, so root does this as nobody, if nobody can read these scripts.
as=()
if [ "$(id -u)" -eq 0 ]; then
    as=(setpriv "--reuid=$(id -u nobody)" "--regid=$(id -g nobody)" --clear-groups)
fi
if ${as[@]+"${as[@]}"} test -r "$SERVERS"; then
    mkdir "$STORY/user" "$STORY/user/cache" "$STORY/user/left" "$STORY/user/right"
    [ ${#as[@]} -eq 0 ] || chown -R nobody "$STORY/user"
    for name in left right; do
        echo "$STORY/user/$name" >>"$STORY/guarded"
        story_servers+=("user/$name")
        run_background "start_$name" ${as[@]+"${as[@]}"} env XDG_CACHE_HOME="$STORY/user/cache" \
            "$SERVERS" start mariadb "$STORY/user/$name" "$("$SERVERS" port)"
    done
    expect_background_status 60 0 start_left
    expect_background_status 60 0 start_right
    expect_equal 1 "$(cat "$STORY"/start_*.log | grep -c 'making a data directory')" "directories made"
    "$SERVERS" stop "$STORY/user/left" >/dev/null
    "$SERVERS" stop "$STORY/user/right" >/dev/null
else
    echo "not tried: two first starts at once (nobody cannot read $SERVERS)"
fi

# ---- Redis

start_redis cache
expect_equal PONG "$(redis cache PING)"
redis cache SET name value >/dev/null
pid=$(pid_of cache redis)
stop_server cache
expect_success process_gone "$pid"
restart_server cache
expect_equal value "$(redis cache GET name)" "after an orderly stop"

start_redis store -- --appendonly yes --appendfsync always
redis store SET name value >/dev/null
kill_server store
restart_server store
expect_equal value "$(redis store GET name)" "after kill -9, with an append-only file"

# A password of the caller's is no reason to think that the server does not answer.
start_redis locked -- --requirepass secret
expect_contains "$(redis locked PING)" "NOAUTH"

# ---- MongoDB

start_mongo documents --java
pid=$(pid_of documents mongo)
expect_contains "$("$SERVERS" status "$documents_DIR")" "mongo-java-server"
mongo documents '{"insert": "t", "documents": [{"_id": {"$numberLong": "1"}, "a": "b"}]}' shop >/dev/null
expect_equal 'shop.t {"_id": {"$numberLong": "1"}, "a": "b"}' "$(mongo documents --dump)"
if [ "$(id -u)" -eq 0 ]; then
    expect_equal nobody "$(stat -c %U "/proc/$pid")" "the Java server never runs as root either"
fi
expect_equal "0100007F:$(printf %04X "$documents_PORT")" \
    "$(listening_at "$documents_PORT" | sort -u)" "listens on 127.0.0.1 and nowhere else"
expect_contains "$("$SERVERS" start mongo "$documents_DIR" "$documents_PORT")" "already running"
expect_equal "$pid" "$(pid_of documents mongo)" "pid after the second start"
kill_server documents
expect_success process_gone "$pid"
restart_server documents
expect_equal "" "$(mongo documents --dump)" "what the Java server keeps over a kill"
pid=$(pid_of documents mongo)
stop_server documents
expect_success process_gone "$pid"
expect_status 3 "$SERVERS" status mongo "$documents_DIR"

start_mongo older --java -- --version MONGO_3_6 -Xmx64m
expect_contains "$(mongo older '{"isMaster": 1}' admin)" '"maxWireVersion": 6' "the chosen version"
expect_contains "$(tr '\0' ' ' <"/proc/$(pid_of older mongo)/cmdline")" " -Xmx64m " "the chosen heap"
expect_status 98 "$SERVERS" start mongo "$STORY/other" "$older_PORT" --java
expect_status 98 "$SERVERS" start mongo "$STORY/other" "$db_PORT" --java
expect_status 1 "$SERVERS" start mongo "$STORY/other" "$("$SERVERS" port)" --java -- --version 9
expect_contains "$(cat "$STORY/err")" "unknown version '9'"

# The machine's own mongod comes first. This one is a script, so that there is one on every machine: it
# shows what is asked of a mongod, and by whom its directory is served from then on.
mkdir "$STORY/bin"
cat >"$STORY/bin/mongod" <<'END'
#!/bin/bash
if [ "$1" = --version ]; then
    echo 'db version v0.0.1'
    exit
fi
echo "asked: $*"
exec "$(dirname "$0")/java-server" "$2"
END
{
    echo '#!/bin/bash'
    printf 'exec java -cp %q Server "$1"\n' \
        "$(tr '\0' '\n' <"/proc/$(pid_of older mongo)/cmdline" | sed -n '/^-cp$/{n;p}')"
} >"$STORY/bin/java-server"
chmod 755 "$STORY/bin"/*
old_path=$PATH
PATH=$STORY/bin:$PATH
start_mongo found -- --quiet
expect_contains "$("$SERVERS" status "$found_DIR")" "mongod 0.0.1 on 127.0.0.1:$found_PORT"
expect_contains "$(cat "$found_DIR/mongo.log")" \
    "asked: --port $found_PORT --bind_ip 127.0.0.1 --dbpath $found_DIR/mongo "
expect_contains "$(cat "$found_DIR/mongo.log")" " --quiet"
ROWFERRY_MONGO=java start_mongo unasked
expect_contains "$("$SERVERS" status "$unasked_DIR")" "mongo-java-server"
stop_server unasked
restart_server unasked
expect_contains "$("$SERVERS" status "$unasked_DIR")" "mongo-java-server"
PATH=$old_path
stop_server found
expect_status 1 "$SERVERS" start mongo "$found_DIR"
expect_contains "$(cat "$STORY/err")" "not on the PATH any more"

# ---- Only its own

# A pid file that names a process which the server is not: it must live on.
"$SERVERS" stop "$cache_DIR" >/dev/null
run_background bystander tail -f /dev/null
echo "$bystander_PID 1" >"$cache_DIR/redis.pid"
expect_equal "redis was not running" "$("$SERVERS" kill redis "$cache_DIR")"
expect_success background_runs bystander
end_background bystander

# ---- Nothing is left, even of a story that is killed

cat >"$STORY/victim.sh" <<END
source "$ROWFERRY_SOURCE_DIR/test/lib/story.sh"
story_begin
start_redis lost
run_background idle tail -f /dev/null
echo "\$STORY \$idle_PID \$(cut -d ' ' -f 1 "\$lost_DIR/redis.pid")" >"$STORY/victim"
wait
END
run_background victim bash "$STORY/victim.sh"
wait_until 20 test -s "$STORY/victim"
read -r victim_dir idle_pid redis_pid <"$STORY/victim"
expect_success test -d "/proc/$redis_pid"
kill_background victim
wait_until 20 process_gone "$redis_pid"
wait_until 20 process_gone "$idle_pid"
rm -rf "$victim_dir"

pids=$(find "$STORY" -maxdepth 3 -name '*.pid' -exec cut -d ' ' -f 1 {} +)
for name in db my twin cache store locked documents older found unasked; do
    "$SERVERS" stop "$STORY/$name" >/dev/null
done
for pid in $pids; do
    expect_success process_gone "$pid"
done
story_end
