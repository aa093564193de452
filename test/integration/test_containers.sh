#!/usr/bin/env bash
# The container programs keep their promises: create and delete twice are harmless, -init begins afresh,
# what is not ours is refused by name, passwords are for those who need them, and every failure says what
# to do.
# story: timeout 240
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers

mysql_port=$("$SERVERS" port)
mongo_port=$("$SERVERS" port)
redis_port=$("$SERVERS" port)
cassandra_port=$("$SERVERS" port)

# ---- Nothing is there yet

expect_status 1 "$BIN/my_sql_container"
expect_contains "$(cat "$STORY/out")" "usage: my_sql_container create [OPTION...]"
expect_contains "$(cat "$STORY/out")" "final_mysql_container"
expect_status 1 "$BIN/my_sql_container" craete
expect_contains "$(cat "$STORY/err")" "did you mean 'create'?"
expect_status 1 "$BIN/container" create --port 1234
expect_contains "$(cat "$STORY/err")" "--port is for one container"
expect_status 1 "$BIN/container" create mysqll
expect_contains "$(cat "$STORY/err")" "did you mean 'mysql'?"
DOCKER_HOST=unix://$STORY/nowhere expect_status 2 "$BIN/container" create --runtime docker
expect_contains "$(cat "$STORY/err")" "--runtime native needs no engine"
expect_status 2 "$BIN/container" create --runtime dokcer
expect_contains "$(cat "$STORY/err")" "did you mean 'docker'?"
expect_status 6 "$BIN/container" status --check
expect_contains "$(cat "$STORY/out")" "none"
expect_status 5 "$BIN/mysqldb"
expect_contains "$(cat "$STORY/err")" "there is no final_mysql_container"
expect_contains "$(cat "$STORY/err")" "'container create mysql' makes it"
expect_status 5 "$BIN/scheduler" --runs 1
expect_contains "$(cat "$STORY/err")" "there is no final_mysql_container"
expect_status 2 "$BIN/my_sql_container" logs
expect_equal "" "$(ls -A "$ROWFERRY_CONTAINERS")" "what these left behind"

# ---- Created, twice

expect_status 0 "$BIN/my_sql_container" create --port "$mysql_port" --memory 32M
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:$mysql_port, this machine's MariaDB"
pid=$(container_pid mysql)
expect_status 0 "$BIN/my_sql_container" create
expect_contains "$(cat "$STORY/out")" "runs already on 127.0.0.1:$mysql_port"
expect_equal "$pid" "$(container_pid mysql)" "pid after the second create"
expect_status 0 "$BIN/my_redis_container" create --port "$redis_port" --memory 20M
expect_status 0 "$BIN/my_mongo_container" create --port "$mongo_port"
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:$mongo_port"
expect_status 2 "$BIN/my_cassandra_container" create --port "$cassandra_port" --memory 64M
expect_contains "$(cat "$STORY/err")" "Cassandra does not start with 64 MiB of memory"
expect_contains "$(cat "$STORY/err")" "hint: it takes --memory 96M or more"
expect_status 0 "$BIN/my_cassandra_container" create --memory 160M # the port was kept
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:$cassandra_port, Cassandra 5"
expect_status 0 "$ROWFERRY" container create
expect_equal 4 "$(grep -c 'runs already on' "$STORY/out")" "all of them at once"
expect_status 0 "$BIN/container" status --check
expect_equal 4 "$(grep -c ' answers ' "$STORY/out")" "lines of status"
expect_contains "$(cat "$STORY/out")" " $pid "
expect_status 2 "$BIN/my_sql_container" create --port 5601
expect_contains "$(cat "$STORY/err")" "runs already, on port $mysql_port and not on 5601"

# ---- Prepared as they should be, asked from outside

expect_equal "ROW FULL FULL 1 1 1" \
    "$(in_mysql 'SELECT @@binlog_format, @@binlog_row_image, @@binlog_row_metadata,
       @@gtid_strict_mode, @@sync_binlog, @@innodb_flush_log_at_trx_commit' | tr '\t' ' ')" "MySQL's log"
expect_equal $((32 << 20)) "$(in_mysql 'SELECT @@innodb_buffer_pool_size')" "--memory of MySQL"
expect_equal "id varchar(36) PRI stamp varchar(20) MUL" \
    "$(in_mysql "SELECT column_name, column_type, column_key FROM information_schema.columns WHERE
       table_schema = 'pluto' AND table_name = 'posts' ORDER BY ordinal_position" | tr '\t\n' '  ' |
        sed 's/ $//')" "pluto.posts"
expect_equal "yes always $((20 << 20)) noeviction" \
    "$(for name in appendonly appendfsync maxmemory maxmemory-policy; do
        in_redis CONFIG GET $name | tail -n 1
    done | paste -sd ' ')" "Redis' settings"
expect_contains "$(redis-cli -p "$redis_port" PING 2>&1)" "NOAUTH"
expect_contains "$(mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$mysql_port" -u root \
    -e 'SELECT 1' 2>&1 || true)" "Access denied"
expect_contains "$(mariadb --no-defaults -S "$(home_of mysql)/s" -u root -e 'SELECT 1' 2>&1 || true)" \
    "Access denied"
ferry_grants=$(MYSQL_PWD=$(container_secret mysql rowferry) mariadb --no-defaults --protocol=tcp -N -B \
    -h 127.0.0.1 -P "$mysql_port" -u rowferry -e 'SHOW GRANTS')
expect_contains "$ferry_grants" "REPLICATION SLAVE, BINLOG MONITOR ON *.*"
expect_contains "$ferry_grants" "GRANT SELECT ON \`pluto\`.*"
expect_contains "$(in_mongo '{"listCollections": 1}' pluto)" '"notes"'

# Cassandra: who writes may do what the sink needs, in that keyspace, and nothing else; the password
# that everybody knows is good no more.
expect_equal "CREATE ALTER SELECT MODIFY " "$(cassandra_as rowferry "$(container_secret cassandra rowferry)" \
    'LIST ALL PERMISSIONS OF rowferry' | tee "$STORY/permissions" | cut -f 4 | tr '\n' ' ')" "rights of rowferry"
expect_equal "<keyspace stamps>" "$(cut -f 3 "$STORY/permissions" | sort -u)" "where rowferry has them"
expect_equal SELECT "$(in_cassandra 'LIST ALL PERMISSIONS OF pluto' | cut -f 4)" "rights of pluto"
expect_equal "" "$(in_cassandra --dump stamps)" "tables of stamps"
expect_contains "$(cassandra_as cassandra cassandra 'SELECT key FROM system.local' 2>&1)" "incorrect"
expect_contains "$(cassandra_as '' '' 'SELECT key FROM system.local' 2>&1)" "cql.py: "
expect_contains "$(tr '\0' ' ' <"/proc/$(container_pid cassandra)/cmdline")" " -Xmx163840k "

# ---- Secrets are in their files, and nowhere else

for secret in "$ROWFERRY_CONTAINERS"/*/secrets/*; do
    expect_equal "600 $(id -un)" "$(stat -c '%a %U' "$secret")" "$secret"
    text=$(cat "$secret")
    expect_equal 40 "${#text}" "length of $secret"
    expect_equal "" "$(grep -lF "$text" /proc/[0-9]*/cmdline 2>/dev/null || true)" "arguments with a password"
    others=$(grep -rlF "$text" "$ROWFERRY_CONTAINERS" |
        grep -vE '/secrets/|/final_mysql_container/(init.sql|client.cnf)$|/redis.conf$' || true)
    expect_equal "" "$others" "files with the password of $secret"
done
for file in final_mysql_container/init.sql final_redis_container/redis.conf \
    final_mysql_container/client.cnf; do
    expect_equal 600 "$(stat -c %a "$ROWFERRY_CONTAINERS/$file")" "$file"
done

# ---- Killed, and created again: the data are there, port and memory as before

expect_status 0 "$BIN/mysqldb" --rows 3
in_redis SET kept yes >/dev/null
cassandra_as rowferry "$(container_secret cassandra rowferry)" \
    'CREATE TABLE stamps.kept (id text PRIMARY KEY)' "INSERT INTO stamps.kept (id) VALUES ('yes')"
kill -KILL "$(container_pid mysql)" "$(container_pid redis)" "$(container_pid cassandra)"
wait_until 20 process_gone "$pid"
expect_status 6 "$BIN/container" status --check
expect_contains "$(cat "$STORY/out")" "stopped"
expect_status 5 "$BIN/mysqldb"
expect_contains "$(cat "$STORY/err")" "'container create mysql' starts it again with its data"
expect_status 0 "$BIN/container" create
expect_contains "$(cat "$STORY/out")" "final_mysql_container: starting it again, on port $mysql_port"
expect_equal 3 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "rows after kill -9"
expect_equal $((32 << 20)) "$(in_mysql 'SELECT @@innodb_buffer_pool_size')" "memory after kill -9"
expect_equal yes "$(in_redis GET kept)" "Redis after kill -9"
expect_equal yes "$(in_cassandra 'SELECT id FROM stamps.kept')" "Cassandra after kill -9"

# Frozen, it is not dead, and says nothing.
kill -STOP "$(container_pid mysql)"
expect_status 6 "$BIN/my_sql_container" status --check
expect_contains "$(cat "$STORY/out")" " silent "
kill -CONT "$(container_pid mysql)"
expect_status 0 "$BIN/my_sql_container" status --check

# ---- Logs

expect_status 0 "$ROWFERRY" container logs -n 2 mysql
expect_equal 2 "$(wc -l <"$STORY/out")" "lines of the log"
expect_status 0 "$BIN/container" logs -n 1
expect_equal 4 "$(grep -c '^==> final_' "$STORY/out")" "logs of all"
expect_status 1 "$BIN/container" logs -n 0

# ---- A port that is taken, by whom

expect_status 0 "$BIN/my_redis_container" delete
run_background squatter python3 -c "
import socket, time
server = socket.create_server(('127.0.0.1', $redis_port))
print('listening', flush=True)
while True:
    server.accept()
"
wait_until 20 file_contains "$squatter_LOG" listening
expect_status 2 "$BIN/my_redis_container" create --port "$redis_port"
expect_contains "$(cat "$STORY/err")" "port $redis_port is taken by python3 (pid $squatter_PID)"
expect_contains "$(cat "$STORY/err")" "take another port: --port N"
expect_success [ ! -d "$(home_of redis)" ]
end_background squatter
expect_status 0 "$BIN/my_redis_container" create --port "$redis_port"

# ---- A server that dies at its start says why, and can be deleted

expect_status 0 "$BIN/my_sql_container" delete
expect_status 0 "$BIN/my_sql_container" create --port "$mysql_port"
pid=$(container_pid mysql)
kill -KILL "$pid"
wait_until 20 process_gone "$pid"
cp "$(home_of mysql)/data/ibdata1" "$STORY/ibdata1"
printf 'not a tablespace' >"$(home_of mysql)/data/ibdata1"
expect_status 2 "$BIN/my_sql_container" create
expect_contains "$(cat "$STORY/out")" "final_mysql_container: failed"
expect_contains "$(cat "$STORY/err")" "ibdata1"
expect_contains "$(cat "$STORY/err")" "MySQL did not start"
expect_contains "$(cat "$STORY/err")" "mariadb.log"
expect_success [ "$(wc -l <"$STORY/err")" -lt 25 ]
expect_status 0 "$BIN/my_sql_container" delete

# ---- -init over leftovers, of which one runs, one is stopped and one is not there

expect_status 0 "$BIN/my_sql_container" -init --port "$mysql_port"
expect_status 0 "$BIN/mysqldb" --rows 2
before=$(container_secret mysql pluto)
kill -KILL "$(container_pid mysql)"
expect_status 0 "$BIN/my_sql_container" -init --port "$mysql_port"
expect_equal 0 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "rows after -init"
expect_success [ "$before" != "$(container_secret mysql pluto)" ]
in_redis SET old yes >/dev/null
expect_status 2 "$BIN/my_redis_container" -init --port "$mysql_port"
expect_contains "$(cat "$STORY/err")" "port $mysql_port is taken"
expect_equal yes "$(in_redis GET old)" "Redis after an -init that could not be"
expect_status 0 "$BIN/my_redis_container" -init # on the port that it had
expect_equal "" "$(in_redis GET old)" "Redis after -init"
expect_equal "" "$(in_redis CONFIG GET maxmemory | tail -n 1 | tr -d 0)" "memory after -init: no limit"

# ---- MySQL itself, which the pipeline reads as well

server_version() {
    in_mysql "SELECT CONCAT(SUBSTRING_INDEX(VERSION(), '.', 1), ' ', @@gtid_mode, ' ', @@binlog_format, ' ',
        @@binlog_row_image, ' ', @@binlog_row_metadata, ' ', @@sync_binlog, ' ',
        @@innodb_flush_log_at_trx_commit)"
}

expect_status 1 "$BIN/my_redis_container" create --server mysql
expect_contains "$(cat "$STORY/err")" "--server is for MySQL"
expect_status 1 "$BIN/container" -init --server oracle
expect_contains "$(cat "$STORY/err")" "there are: --server mariadb, --server mysql"
expect_status 1 "$BIN/my_sql_container" -init --server mysql --runtime docker
expect_contains "$(cat "$STORY/err")" "--server is for --runtime native"
expect_status 2 "$BIN/my_sql_container" create --server mysql
expect_contains "$(cat "$STORY/err")" "it was made with --server mariadb"
expect_contains "$(in_mysql 'SELECT VERSION()')" "MariaDB" # it is still there

# One that is installed is taken unasked. This one is that of the tree, on the path.
tree=$("$SERVERS" tree mysql)
mkdir "$STORY/installed"
cat >"$STORY/installed/mysqld" <<END
#!/bin/sh
first=\$1
[ "\$first" != --no-defaults ] || set -- "\$@" --basedir=$tree --lc-messages-dir=$tree/share/mysql \
    --character-sets-dir=$tree/share/mysql/charsets
exec $tree/bin/mysqld "\$@"
END
chmod 755 "$STORY/installed" "$STORY/installed/mysqld"
PATH=$STORY/installed:$PATH expect_status 0 "$BIN/my_sql_container" -init --port "$mysql_port"
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:$mysql_port, this machine's MySQL "
expect_equal "$STORY/installed/mysqld" "$(cat "$(home_of mysql)/mysql.program")"
expect_status 0 "$BIN/my_sql_container" create # with the program that it was made with
expect_contains "$(cat "$STORY/out")" "runs already on 127.0.0.1:$mysql_port, this machine's MySQL "

# Where there is none, it is fetched.
expect_status 0 "$BIN/my_sql_container" -init --server mysql --port "$mysql_port"
expect_contains "$(cat "$STORY/out")" "answers on 127.0.0.1:$mysql_port, MySQL "
expect_contains "$(cat "$STORY/out")" ", fetched for this"
expect_equal "9 ON ROW FULL FULL 1 1" "$(server_version)" "MySQL's log"
expect_status 0 "$BIN/mysqldb" --rows 2
ferry_grants=$(MYSQL_PWD=$(container_secret mysql rowferry) mariadb --no-defaults --protocol=tcp -N -B \
    -h 127.0.0.1 -P "$mysql_port" -u rowferry -e 'SHOW GRANTS')
expect_equal "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO \`rowferry\`@\`127.0.0.1\`
GRANT SELECT ON \`pluto\`.* TO \`rowferry\`@\`127.0.0.1\`" "$ferry_grants"
expect_contains "$(mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P "$mysql_port" -u root \
    -e 'SELECT 1' 2>&1 || true)" "Access denied"
kill -KILL "$(container_pid mysql)"
expect_status 0 "$BIN/my_sql_container" create
expect_equal 2 "$(in_mysql 'SELECT COUNT(*) FROM posts')" "rows after kill -9 of MySQL"
ROWFERRY_MYSQL_PASSWORD=$(container_secret mysql rowferry) expect_status 0 timeout 30 "$ROWFERRY" tail \
    --from earliest --limit 4 "mysql://rowferry@127.0.0.1:$mysql_port/pluto.posts"
expect_equal 2 "$(grep -c '"op":"create"' "$STORY/out")" "rows that its log gave"

# ---- Deleted, twice; nothing is left

pids="$(container_pid mysql) $(container_pid mongo) $(container_pid redis) $(container_pid cassandra)"
expect_status 0 "$BIN/container" delete
expect_equal 4 "$(grep -c ': deleted$' "$STORY/out")" "deleted"
expect_status 0 "$BIN/container" delete
expect_equal 4 "$(grep -c ': there is none$' "$STORY/out")" "deleted again"
expect_equal "" "$(ls -A "$ROWFERRY_CONTAINERS")" "what is left"
for pid in $pids; do
    expect_success process_gone "$pid"
done

# ---- What is not ours is refused, by name, and stays

mkdir "$(home_of redis)"
echo precious >"$(home_of redis)/thesis.txt"
for command in create delete -init; do
    expect_status 2 "$BIN/my_redis_container" $command
    expect_contains "$(cat "$STORY/err")" "$(home_of redis) is there already and is not ours"
done
expect_equal precious "$(cat "$(home_of redis)/thesis.txt")"
rm -r "$(home_of redis)"

# ---- A disk that is full

if mkdir "$STORY/small" && mount -t tmpfs -o size=8M,mode=755 tmpfs "$STORY/small" 2>"$STORY/err"; then
    ROWFERRY_CONTAINERS=$STORY/small/containers expect_status 2 "$BIN/my_sql_container" create \
        --port "$mysql_port"
    expect_contains "$(cat "$STORY/err")" "MySQL did not start: the disk is full"
    expect_contains "$(cat "$STORY/err")" "make room where $STORY/small/containers"
    ROWFERRY_CONTAINERS=$STORY/small/containers expect_status 0 "$BIN/my_sql_container" delete
    umount "$STORY/small"
else
    leave_out "a disk that is full: no right to mount one"
fi

# ---- Packages that are missing, for whom may not install them

cat >"$STORY/servers" <<END
#!/usr/bin/env bash
[ "\$1" = start ] || exit 3
{
    echo "Packages are missing for 'servers'. Install them with:"
    echo
    echo "    sudo apt-get install --no-install-recommends redis-tools"
    echo
} >&2
exit 1
END
chmod 755 "$STORY/servers"
ROWFERRY_SERVERS=$STORY/servers expect_status 2 "$BIN/my_redis_container" create --port "$redis_port"
expect_contains "$(cat "$STORY/err")" "this machine lacks packages of Redis"
expect_contains "$(cat "$STORY/err")" "hint: sudo apt-get install --no-install-recommends redis-tools"
expect_status 0 "$BIN/my_redis_container" delete

# ---- As an ordinary user, whose servers run as that user

if [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --clear-groups test -x "$BIN/container"; then
    mkdir "$STORY/user"
    chown nobody "$STORY/user"
    echo "$STORY/user/state/rowferry/containers/final_redis_container" >>"$STORY/guarded"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups env -u ROWFERRY_CONTAINERS
        HOME="$STORY/user" XDG_STATE_HOME="$STORY/user/state")
    expect_status 0 "${as[@]}" "$BIN/my_redis_container" create --port "$redis_port"
    expect_equal nobody "$(stat -c %U "$STORY/user/state/rowferry/containers/final_redis_container/secrets")"
    expect_status 2 env ROWFERRY_CONTAINERS="$STORY/user/state/rowferry/containers" \
        "$BIN/my_redis_container" create
    expect_contains "$(cat "$STORY/err")" "belongs to another user"
    expect_status 0 "${as[@]}" "$BIN/my_redis_container" delete
    # A port that is for root is refused before anything is begun, and what to do is said.
    if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 1000 ]; then
        expect_status 2 "${as[@]}" "$BIN/my_cassandra_container" create
        expect_equal 1 "$(grep -c 'final_cassandra_container: port 1000 is for root alone' "$STORY/err")"
        expect_contains "$(cat "$STORY/err")" "hint: run this as root, take a port of"
        expect_success [ ! -d "$STORY/user/state/rowferry/containers/final_cassandra_container" ]
    fi
else
    echo "not tried: containers of an ordinary user (nobody cannot reach $BIN)"
fi
story_end
