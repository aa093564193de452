# shellcheck shell=bash
# Images for an engine of containers, made on the spot of what this machine and the servers' cache
# have, so that no registry is needed. Sourced after story.sh; DOCKER_HOST says which engine.
#
#   image_redis NAME | image_mysql NAME | image_mongo NAME | image_cassandra NAME
#
# They take what the official images take: the command, MYSQL_ROOT_PASSWORD_FILE and so on, as far as
# Rowferry uses it. Their entry scripts go the way of the official ones where something can be in it: they
# run as root first, then as a user of the server's own, number 999, who has the data and has to be able to
# read what was given; and they make their users in a server that runs with the same options.

# add_programs ROOT PROGRAM...: the programs and the libraries that they are linked with.
add_programs() {
    local root=$1 program file
    for program in "${@:2}"; do
        program=$(command -v "$program")
        for file in "$program" $(ldd "$program" 2>/dev/null | grep -o '/[^ )]*'); do
            [ -e "$root$file" ] || install -D "$(readlink -f "$file")" "$root$file"
        done
    done
}

# import_image ROOT NAME CHANGE...: becomes the image; ROOT is gone then.
import_image() {
    local root=$1 name=$2 change changes=()
    for change in "${@:3}"; do
        changes+=(--change "$change")
    done
    mkdir -p "$root/tmp" "$root/etc"
    chmod 1777 "$root/tmp"
    printf '%s\n' 'root:x:0:0::/:/bin/sh' 'server:x:999:999::/:/bin/sh' >"$root/etc/passwd"
    tar -C "$root" -c . | docker import "${changes[@]}" - "$name" >/dev/null
    rm -rf "$root"
}

# add_entry ROOT: the entry script, whose own part comes on standard input, with sh and the few programs that
# these scripts call.
add_entry() {
    add_programs "$1" dash mkdir chown setpriv id cat
    mkdir -p "$1/bin" "$1/data"
    ln -s "$(command -v dash)" "$1/bin/sh"
    {
        cat <<'END'
#!/bin/sh
set -e
if [ "$(id -u)" = 0 ]; then
    chown 999:999 /data
    exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi
END
        cat
    } >"$1/entry"
    chmod 755 "$1/entry"
}

image_redis() { # NAME
    local root=$STORY/image.redis
    add_entry "$root" <<'END'
exec "$@"
END
    add_programs "$root" redis-check-rdb
    mv "$root/$(command -v redis-check-rdb)" "$root/usr/bin/redis-server"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]' 'CMD ["redis-server"]' \
        'WORKDIR /data' 'VOLUME /data'
}

# add_java ROOT: a Java that runs programs, without what is for making them.
add_java() {
    local root=$1 home file
    home=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
    mkdir -p "$root/java/bin"
    cp -L "$home/bin/java" "$root/java/bin/"
    tar -C "$home" -ch --exclude lib/src.zip --exclude lib/ct.sym conf lib | tar -C "$root/java" -x
    for file in $(find "$home/bin/java" "$home/lib/" -name '*.so' | xargs ldd 2>/dev/null |
        grep -o '/[^ ):]*' | sort -u); do
        case $file in
            "$home"/*) ;;
            *) [ -e "$root$file" ] || install -D "$(readlink -f "$file")" "$root$file" ;;
        esac
    done
}

# Initializes at the first start, as the official image does: the data; then, in a server with the same
# options that nobody else can reach, root's password, and root for who comes from MYSQL_ROOT_HOST, which must
# not be there yet.
image_mysql() { # NAME
    local root=$STORY/image.mysql tree
    tree=$("$SERVERS" tree mysql)
    add_entry "$root" <<'END'
server() {
    "$@" /mysql/lib/ld-linux-x86-64.so.2 --library-path /mysql/lib /mysql/lib/mysqld --no-defaults \
        --basedir=/mysql --lc-messages-dir=/mysql/share/mysql \
        --character-sets-dir=/mysql/share/mysql/charsets --secure-file-priv= --datadir=/data/mysql \
        --mysqlx=OFF --socket=/tmp/s --pid-file=/tmp/p --innodb-redo-log-capacity=8M $options
}
[ -s "$MYSQL_ROOT_PASSWORD_FILE" ] || { echo "no password was given" >&2; exit 1; }
if [ ! -d /data/mysql/mysql ]; then
    mkdir -p /data/mysql
    options="$* --initialize-insecure"
    server command
    options="$* --daemonize --skip-networking --log-error=/data/first.log"
    server command || { cat /data/first.log >&2; exit 1; }
    password=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
    mariadb --no-defaults --plugin-dir=/plugin --socket=/tmp/s -u root <<SQL
SET sql_log_bin = 0;
ALTER USER root@localhost IDENTIFIED BY '$password';
CREATE USER root@'${MYSQL_ROOT_HOST:-%}' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO root@'${MYSQL_ROOT_HOST:-%}' WITH GRANT OPTION;
SHUTDOWN;
SQL
    while [ -e /tmp/p ]; do
        :
    done
fi
options="$*"
server exec
END
    add_programs "$root" mariadb
    cp -aL "$tree" "$root/mysql"
    install -D /usr/lib/*/libmariadb3/plugin/caching_sha2_password.so "$root/plugin/caching_sha2_password.so"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]' 'VOLUME /data'
}

# The server for tests: it takes the port out of mongod's command, and knows no more of it. What mongod
# would refuse to start with is looked at.
image_mongo() { # NAME
    local root=$STORY/image.mongo home
    home=$("$SERVERS" tree mongo)
    add_entry "$root" <<'END'
[ -n "$MONGO_INITDB_ROOT_USERNAME" ] && [ -n "$(cat "$MONGO_INITDB_ROOT_PASSWORD_FILE")" ] ||
    { echo "no user was given" >&2; exit 1; }
port=27017
while [ $# -gt 0 ]; do
    case $1 in
        --port) port=$2 ;;
        --keyFile)
            [ "$(stat -c '%u %a' "$2")" = '999 400' ] && [ -n "$(cat "$2")" ] ||
                { echo "bad key file $2" >&2; exit 1; }
            ;;
    esac
    shift
done
exec /java/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m -XX:-UsePerfData \
    -cp '/server/jars/*:/server/classes' Server "$port" --bind 0.0.0.0 --oplog
END
    add_programs "$root" stat
    mkdir -p "$root/server"
    add_java "$root"
    cp -aL "$home/jars" "$home/classes" "$root/server/"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]'
}

# The configuration and the heap come as the official image takes them.
image_cassandra() { # NAME
    local root=$STORY/image.cassandra home
    home=$("$SERVERS" tree cassandra)
    add_entry "$root" <<'END'
exec /java/bin/java @/server/java.options "-Xms$MAX_HEAP_SIZE" "-Xmx$MAX_HEAP_SIZE" \
    -Dlogback.configurationFile=/server/logback.xml -Dcassandra.storagedir=/data $JVM_EXTRA_OPTS \
    -cp '/server/jars/*' org.apache.cassandra.service.CassandraDaemon
END
    mkdir -p "$root/server"
    add_java "$root"
    cp -aL "$home/jars" "$root/server/"
    cp "$ROWFERRY_SOURCE_DIR"/tools/cassandra/{java.options,logback.xml} "$root/server/"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]' 'VOLUME /data'
}
