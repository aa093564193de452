#!/usr/bin/env bash
# Ways to log in to a MySQL server: caching_sha2_password and sha256_password, whose password goes
# out encrypted with a key that the server names (on this machine) or over verified TLS (anywhere),
# and never otherwise; what is said of a password that has expired, at the start and under way.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
openssl=$(command -v openssl) || fail "openssl is not installed"
elsewhere=$(hostname -I | tr ' ' '\n' | grep -m 1 '^[0-9.]*$') || fail "this machine has no address"

# A certificate for both addresses, signed by a CA of our own.
tls=$STORY/tls
mkdir "$tls"
certificate() { # NAME ARGUMENTS...
    local name=$1
    shift
    "$openssl" req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$tls/$name.key" \
        -out "$tls/$name.pem" -subj "/CN=$name" "$@" 2>>"$STORY/openssl.log"
}
certificate ca -addext basicConstraints=critical,CA:TRUE
certificate server -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -addext basicConstraints=CA:FALSE \
    -addext "subjectAltName=IP:127.0.0.1,IP:$elsewhere"
chmod 644 "$tls"/*
start_mysql source -- --bind-address='*' "--ssl-ca=$tls/ca.pem" "--ssl-cert=$tls/server.pem" \
    "--ssl-key=$tls/server.key"

sql source "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY);
    INSERT INTO shop.t VALUES (1);
    CREATE USER sha2 IDENTIFIED BY 'geheim', none,
        sha256 IDENTIFIED WITH sha256_password BY 'geheim',
        poor IDENTIFIED BY 'geheim', bare IDENTIFIED BY 'geheim';
    CREATE USER old IDENTIFIED BY 'geheim' PASSWORD EXPIRE;
    CREATE USER locked IDENTIFIED BY 'geheim' ACCOUNT LOCK;
    GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO sha2, sha256, none, old, locked;
    GRANT REPLICATION CLIENT ON *.* TO bare"
here=127.0.0.1:$source_PORT
there=$elsewhere:$source_PORT
export ROWFERRY_MYSQL_PASSWORD=geheim

reads() { # URL
    expect_status 0 timeout 30 "$ROWFERRY" tail --from earliest --until now "$1"
    expect_contains "$(cat "$STORY/out")" '"after":{"id":1}' "rows by $1"
}
# The server forgets whom it knows, so that each log-in is a whole one, and the short one comes then.
for user in sha2 sha256; do
    for way in "$here/shop.t" "$here/shop.t?tls=on&tls_ca=$tls/ca.pem" \
        "$there/shop.t?tls_ca=$tls/ca.pem"; do
        sql source "FLUSH PRIVILEGES"
        reads "mysql://$user@$way"
        reads "mysql://$user@$way"
    done
    reads "mysql://$user@localhost/shop.t?socket=$source_SOCKET"
    # From there without TLS, or with a certificate that nobody looks at, it does not go out.
    for way in "tls=off" "tls=on&tls_verify=off"; do
        refuses 2 "restricted_auth|verified certificate|tls_ca=FILE" tail "mysql://$user@$there?$way"
    done
    refuses 2 "certificate" tail "mysql://$user@$there"
    ROWFERRY_MYSQL_PASSWORD=wrong refuses 2 "Access denied for user '$user'" tail "mysql://$user@$here"
done
ROWFERRY_MYSQL_PASSWORD='' reads "mysql://none@$here/shop.t"

refuses 2 "password has expired|ALTER USER" tail "mysql://old@$here"
refuses 2 "Account is locked|ACCOUNT UNLOCK" tail "mysql://locked@$here"
refuses 2 "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'poor'@'%'" tail "mysql://poor@$here"
refuses 2 "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'bare'@'%'" tail "mysql://bare@$here"

# Under way: the session goes on; the next log-in is tried five times.
run_background pipeline "$ROWFERRY" run --name login "mysql://sha2@$here/shop.t" \
    "file:$STORY/changes.jsonl"
wait_until 20 file_contains "$pipeline_LOG" "no position is known yet"
sql source "INSERT INTO shop.t VALUES (2)"
wait_until 20 file_contains "$STORY/changes.jsonl" '"after":{"id":2}'
sql source "ALTER USER sha2 PASSWORD EXPIRE; INSERT INTO shop.t VALUES (3)"
wait_until 20 file_contains "$STORY/changes.jsonl" '"after":{"id":3}'
for id in $(sql source "SHOW PROCESSLIST" | grep "Binlog Dump" | cut -f 1); do
    sql source "KILL $id"
done
expect_background_status 60 2 pipeline
expect_contains "$(cat "$pipeline_LOG")" "password has expired" "why it ended"
expect_equal 0 "$(grep -c geheim "$pipeline_LOG" || true)" "passwords in the log"

# With a new one it goes on where it was.
sql source "ALTER USER sha2 IDENTIFIED BY 'neu'; INSERT INTO shop.t VALUES (4)"
ROWFERRY_MYSQL_PASSWORD=neu expect_status 0 timeout 30 "$ROWFERRY" run --name login --until now \
    "mysql://sha2@$here/shop.t" "file:$STORY/changes.jsonl"
expect_equal "2 3 4" "$(sed 's/.*"after":{"id":\([0-9]*\)}.*/\1/' "$STORY/changes.jsonl" | xargs)" \
    "each row once"
story_end
