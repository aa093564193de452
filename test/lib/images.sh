# shellcheck shell=bash
# Images for an engine of containers, made on the spot of what this machine and the servers' cache
# have, so that no registry is needed. Sourced after story.sh; DOCKER_HOST says which engine.
#
#   image_redis NAME | image_mysql NAME | image_mongo NAME | image_cassandra NAME
#
# They take what the official images take: the command, MYSQL_ROOT_PASSWORD_FILE and so on, as far as
# Rowferry uses it.

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
    echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
    tar -C "$root" -c . | docker import "${changes[@]}" - "$name" >/dev/null
    rm -rf "$root"
}

image_redis() { # NAME
    local root=$STORY/image.redis
    add_programs "$root" redis-check-rdb
    mv "$root/$(command -v redis-check-rdb)" "$root/usr/bin/redis-server"
    import_image "$root" "$1" 'ENV PATH=/usr/bin' 'CMD ["redis-server"]'
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

# add_shell ROOT: sh and the few programs that the entry scripts call.
add_shell() {
    add_programs "$1" dash mkdir
    mkdir -p "$1/bin"
    ln -s "$(command -v dash)" "$1/bin/sh"
}

# Initializes at the first start, as the official image does.
image_mysql() { # NAME
    local root=$STORY/image.mysql tree
    tree=$("$SERVERS" tree mysql)
    mkdir -p "$root"
    add_shell "$root"
    cp -aL "$tree" "$root/mysql"
    cat >"$root/entry" <<'END'
#!/bin/sh
set -e
mysqld() {
    "$@" /mysql/lib/ld-linux-x86-64.so.2 --library-path /mysql/lib /mysql/lib/mysqld --no-defaults \
        --basedir=/mysql --lc-messages-dir=/mysql/share/mysql \
        --character-sets-dir=/mysql/share/mysql/charsets --secure-file-priv= --datadir=/data \
        --user=root --mysqlx=OFF --socket=/tmp/s --pid-file=/tmp/p --innodb-redo-log-capacity=8M $options
}
[ -s "$MYSQL_ROOT_PASSWORD_FILE" ] || { echo "no password was given" >&2; exit 1; }
options=
[ -d /data/mysql ] || { mkdir -p /data; options=--initialize-insecure mysqld command; }
options="$*"
mysqld exec
END
    chmod 755 "$root/entry"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]' 'VOLUME /data'
}

# The server for tests: it takes the port out of mongod's command, and knows no more of it.
image_mongo() { # NAME
    local root=$STORY/image.mongo home
    home=$("$SERVERS" tree mongo)
    mkdir -p "$root/server"
    add_shell "$root"
    add_java "$root"
    cp -aL "$home/jars" "$home/classes" "$root/server/"
    cat >"$root/entry" <<'END'
#!/bin/sh
port=27017
while [ $# -gt 0 ]; do
    [ "$1" != --port ] || port=$2
    shift
done
exec /java/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m -XX:-UsePerfData \
    -cp '/server/jars/*:/server/classes' Server "$port" --bind 0.0.0.0 --oplog
END
    chmod 755 "$root/entry"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]'
}

# The configuration and the heap come as the official image takes them.
image_cassandra() { # NAME
    local root=$STORY/image.cassandra home
    home=$("$SERVERS" tree cassandra)
    mkdir -p "$root/server"
    add_shell "$root"
    add_java "$root"
    cp -aL "$home/jars" "$root/server/"
    cp "$ROWFERRY_SOURCE_DIR"/tools/cassandra/{java.options,logback.xml} "$root/server/"
    cat >"$root/entry" <<'END'
#!/bin/sh
exec /java/bin/java @/server/java.options "-Xms$MAX_HEAP_SIZE" "-Xmx$MAX_HEAP_SIZE" \
    -Dlogback.configurationFile=/server/logback.xml -Dcassandra.storagedir=/data $JVM_EXTRA_OPTS \
    -cp '/server/jars/*' org.apache.cassandra.service.CassandraDaemon
END
    chmod 755 "$root/entry"
    import_image "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'ENTRYPOINT ["/entry"]' 'VOLUME /data'
}
