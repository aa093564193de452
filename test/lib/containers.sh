# shellcheck shell=bash
# The container programs in a story; sourced behind story.sh.
#
#   use_containers               # after story_begin; sets BIN and ROWFERRY_CONTAINERS
#   "$BIN/my_sql_container" create
#   expect_equal 5 "$(in_mysql 'SELECT COUNT(*) FROM posts')"
#
# Their homes lie in the story's directory and end with it, also when the story is killed. What is in
# the servers is asked by their own clients, or by test/lib/mongo.py and cql.py, never by the code under test.

CONTAINER_PORTS=(5600 1800 2400 1000)

# use_containers [fixed]: with `fixed` the story fails unless the ports of the containers are free.
use_containers() {
    local name port
    BIN=$ROWFERRY_BUILD_DIR/bin
    export ROWFERRY_CONTAINERS=$STORY/containers
    # Also where the machine has an engine of containers.
    export ROWFERRY_RUNTIME=native
    # Also where the machine has a mongod: test/lib/mongo.py cannot log in.
    export ROWFERRY_MONGO=java
    for name in mysql mongo redis cassandra; do
        story_servers+=("containers/final_${name}_container")
        echo "$ROWFERRY_CONTAINERS/final_${name}_container" >>"$STORY/guarded"
    done
    if [ "${1:-}" = fixed ]; then
        for port in "${CONTAINER_PORTS[@]}"; do
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                fail "port $port is taken: this story needs the containers' own ports" \
                    "(${CONTAINER_PORTS[*]}); end the program that has it"
            fi
        done
    fi
}

home_of() { # mysql|mongo|redis|cassandra
    echo "$ROWFERRY_CONTAINERS/final_$1_container"
}

container_port() { # mysql|mongo|redis|cassandra
    sed -n 's/^port //p' "$(home_of "$1")/container"
}

# The pid of a container's server, as tools/servers knows it; nothing for a container without one.
container_pid() { # mysql|mongo|redis|cassandra
    local kind=$1
    [ "$kind" != mysql ] || kind=$(sed -n 's/^server //p' "$(home_of mysql)/container" 2>/dev/null)
    [ ! -f "$(home_of "$1")/$kind.pid" ] || cut -d ' ' -f 1 "$(home_of "$1")/$kind.pid"
}

container_secret() { # mysql|mongo|redis|cassandra USER
    cat "$(home_of "$1")/secrets/$2"
}

# Its first thread is a zombie before the others, which still have its port.
process_gone() { # PID
    [ ! -d "/proc/$1" ] ||
        [ "$(cut -d ' ' -f 3 "/proc/$1/stat") $(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)" = "Z 1" ]
}

in_mysql() { # STATEMENTS: as the application
    MYSQL_PWD=$(container_secret mysql pluto) mariadb --no-defaults --protocol=tcp -N -B \
        -h 127.0.0.1 -P "$(container_port mysql)" -u pluto pluto -e "$1"
}

in_redis() { # COMMAND...
    REDISCLI_AUTH=$(container_secret redis default) redis-cli -h 127.0.0.1 \
        -p "$(container_port redis)" "$@"
}

in_mongo() { # COMMAND [DATABASE], or --dump
    "$ROWFERRY_SOURCE_DIR/test/lib/mongo.py" "$(container_port mongo)" "$@"
}

in_cassandra() { # STATEMENT... or --dump KEYSPACE: as the application
    cassandra_as pluto "$(container_secret cassandra pluto)" "$@"
}

cassandra_as() { # USER PASSWORD STATEMENT...
    CQL_USER=$1 CQL_PASSWORD=$2 "$ROWFERRY_SOURCE_DIR/test/lib/cql.py" \
        "$(container_port cassandra)" "${@:3}"
}

# What each store has of pluto.posts: "ID STAMP" per line, sorted.
posts_in_mysql() {
    in_mysql 'SELECT id, stamp FROM posts' | tr '\t' ' ' | LC_ALL=C sort
}

posts_in_mongo() {
    ROWFERRY_MONGO_PORT=$(container_port mongo) python3 - "$ROWFERRY_SOURCE_DIR/test/lib" <<'END' |
import os
import sys

sys.path.insert(0, sys.argv[1])
from mongo import Mongo

mongo = Mongo(int(os.environ["ROWFERRY_MONGO_PORT"]))
for document in mongo.documents("pluto", "posts"):
    print(document["_id"], document["stamp"])
END
        LC_ALL=C sort
}

posts_in_redis() {
    local keys
    keys=$(in_redis --scan --pattern 'pluto:posts:*' | LC_ALL=C sort)
    [ -n "$keys" ] || return 0
    paste -d ' ' <(sed 's/^pluto:posts://' <<<"$keys") \
        <(sed 's/.*/HGET & stamp/' <<<"$keys" | in_redis)
}

posts_in_cassandra() {
    in_cassandra 'SELECT id, stamp FROM stamps.pluto_posts' | tr '\t' ' ' | LC_ALL=C sort
}

# All stores are equal; LastInsertDate and maxTimeStamp are the stamp of some row that is among the last.
stores_agree() {
    local mysql newest
    mysql=$(posts_in_mysql)
    newest=$(in_mysql 'SELECT MAX(stamp) FROM posts')
    [ "$mysql" = "$(posts_in_mongo)" ] && [ "$mysql" = "$(posts_in_redis)" ] &&
        [ "$(in_redis GET LastInsertDate)" = "$newest" ] || return 1
    [ ! -d "$(home_of cassandra)" ] || {
        [ "$mysql" = "$(posts_in_cassandra)" ] &&
            [ "$(in_cassandra "SELECT stamp FROM stamps.posts WHERE id = 'maxTimeStamp'")" = "$newest" ]
    }
}
