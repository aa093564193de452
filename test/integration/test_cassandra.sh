#!/usr/bin/env bash
# story: asan
# A Cassandra with users: who may do what, and what is said to whom who may not; rows made by
# templates beside full copies of them; destinations that are not what they were. Status 3 where data
# would be lost and 2 where somebody must decide; nothing is written in either case.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/refusal.sh"
story_begin
start_mariadb source
export CQL_USER=cassandra CQL_PASSWORD=cassandra
# What is granted counts at once.
start_cassandra node -- authenticator=PasswordAuthenticator authorizer=CassandraAuthorizer \
    permissions_validity=0ms roles_validity=0ms

sql source "CREATE DATABASE pluto; USE pluto;
    CREATE TABLE posts (id INT PRIMARY KEY, title VARCHAR(40), stamp TIMESTAMP(3) NOT NULL);
    INSERT INTO posts VALUES (1, 'one', '2024-01-01 00:00:01'), (2, 'two', '2024-01-01 00:00:02')"
here=mysql://root@127.0.0.1:$source_PORT/pluto.posts
there=127.0.0.1:$node_PORT
cql node "CREATE ROLE cdc WITH PASSWORD = 'right-and-secret' AND LOGIN = true"
printf 'right-and-secret\n' >"$STORY/password"
printf 'wrong-and-secret\n' >"$STORY/wrong"
chmod 600 "$STORY/password" "$STORY/wrong"
login="password_file=$STORY/password"
run_once=(run --name pluto --from earliest --until now "$here")

# ---- Who may not

refuses 2 "wants a user and a password" "${run_once[@]}" "cassandra://$there/stamps"
refuses 2 "bad credentials|check user and password" "${run_once[@]}" \
    "cassandra://cdc@$there/stamps?password_file=$STORY/wrong"
refuses 2 "there is no keyspace stamps|unauthorized|CREATE KEYSPACE" "${run_once[@]}" \
    "cassandra://cdc@$there/stamps?$login"
cql node "CREATE KEYSPACE stamps WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
refuses 2 "could not make the table of positions|GRANT ALL ON KEYSPACE stamps TO cdc" \
    "${run_once[@]}" "cassandra://cdc@$there/stamps?$login"
refuses 2 "neither a number of copies" "${run_once[@]}" \
    "cassandra://cdc@$there/others?$login&replication=many"
refuses 2 "names no keyspace" "${run_once[@]}" "cassandra://cdc@$there?$login"
for secret in right-and-secret wrong-and-secret; do
    expect_equal "" "$(grep -rl "$secret" "$STORY/err" "$STORY/state" || true)" "files with $secret"
done

# ---- Full copies, and one row made by templates

for right in CREATE ALTER SELECT MODIFY; do
    cql node "GRANT $right ON KEYSPACE stamps TO cdc"
done
expect_success "$ROWFERRY" "${run_once[@]}" "cassandra://cdc@$there/stamps?$login&table=copies"
expect_success "$ROWFERRY" run --name latest --from earliest --until now "$here" \
    "cassandra://cdc@$there/stamps?$login&values=id=maxTimeStamp,stamp={stamp}"
expect_equal "copies id=1 stamp=2024-01-01 00:00:01.000 title=one
copies id=2 stamp=2024-01-01 00:00:02.000 title=two
posts id=maxTimeStamp stamp=2024-01-01 00:00:02.000" "$(cql node --dump stamps)" "what is there"

# ---- What is not what it was

# Rows that nobody of ours wrote.
cql node "CREATE TABLE stamps.others (id int PRIMARY KEY, title text)" \
    "INSERT INTO stamps.others (id, title) VALUES (9, 'theirs')"
others=(run --name others --from earliest --until now "$here")
refuses 2 "others|has rows|adopt=yes" "${others[@]}" \
    "cassandra://cdc@$there/stamps?$login&table=others&columns=id,title"
expect_equal "others id=9 title=theirs" "$(cql node --dump stamps | grep others)" "their rows"
expect_success "$ROWFERRY" "${others[@]}" \
    "cassandra://cdc@$there/stamps?$login&table=others&columns=id,title&adopt=yes"
expect_equal 3 "$(cql node "SELECT COUNT(*) FROM stamps.others")" "rows of both"

# Another pipeline's table.
refuses 2 "copies|is filled by another pipeline" run --name thieves --from earliest --until now \
    "$here" "cassandra://cdc@$there/stamps?$login&table=copies"
# The position was lost.
cql node "DELETE FROM stamps.rowferry_positions WHERE pipeline = 'pluto' AND sink = 'cassandra://$there/stamps'"
refuses 3 "no position of pipeline pluto|lost its data" "${run_once[@]}" \
    "cassandra://cdc@$there/stamps?$login&table=copies"
# So was all of it.
cql node "DROP KEYSPACE stamps"
refuses 3 "no position of pipeline latest" run --name latest --until now "$here" \
    "cassandra://cdc@$there/stamps?$login"
expect_equal "" "$(cql node "SELECT keyspace_name FROM system_schema.keyspaces
    WHERE keyspace_name = 'stamps'")" "keyspaces that were made again"

# Nobody is there.
kill_server node
refuses 5 "could not connect to Cassandra at $there" run --name nobody --connect-timeout 1s "$here" \
    "cassandra://$there/stamps"
story_end
