#!/usr/bin/env bash
# The Debian package: on a freshly made system it installs, its program reads a server, its unit carries
# changes under the real systemd, and it goes without leaving anything.
# story: timeout 240
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/clean_root.sh"
story_begin
cd "$STORY"

# ---- The package ------------------------------------------------------------------------------

# make_package DIRECTORY
make_package() {
    (umask 022 && SOURCE_DATE_EPOCH=1700000000 cpack --config "$ROWFERRY_BUILD_DIR/CPackConfig.cmake" -B "$1")
}
expect_status 0 make_package "$STORY/one"
package=$(ls one/*.deb)
if [ "$ROWFERRY_SCALE" -eq 1 ]; then
    expect_status 0 make_package "$STORY/two"
    expect_same_files "$package" "two/$(basename "$package")" "two packages of one build"
fi
expect_status 0 lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$package"
expect_equal "" "$(grep '^[EW]:' out || true)" "what lintian says"
expect_equal "" "$(dpkg -c "$package" | grep -v ' root/root ' || true)" "files that are not root's"
depends=$(dpkg-deb -f "$package" Depends)
expect_contains "$depends" "libmariadb3" "what the package depends on"

if [ "$(id -u)" -ne 0 ]; then
    leave_out "the installed package takes root"
    story_end
    exit
fi

# ---- The private servers of what is removed ---------------------------------------------------

# Those of root's containers end, and keep their data.
dpkg -x "$package" unpacked
export ROWFERRY_CONTAINERS=$STORY/lib/containers ROWFERRY_RUNTIME=native
expect_status 0 unpacked/usr/bin/my_redis_container create --port "$("$SERVERS" port)"
for program in unpacked/usr/bin/*; do
    expect_contains "$(checksec --file="$program" --output=csv)" "No RPATH,No RUNPATH,No Symbols,Yes," \
        "what checksec says of $program"
done
dpkg -e "$package" control
sed -i "s|/usr/libexec|$STORY/unpacked&|; s|/var/lib/rowferry|$STORY/lib|" control/prerm
expect_status 0 sh control/prerm upgrade 0.2.0
expect_status 0 "$SERVERS" status "$ROWFERRY_CONTAINERS/final_redis_container"
expect_status 0 sh control/prerm remove
expect_status 3 "$SERVERS" status "$ROWFERRY_CONTAINERS/final_redis_container"
expect_success test -d "$ROWFERRY_CONTAINERS/final_redis_container/secrets"
expect_status 0 unpacked/usr/bin/my_redis_container delete
unset ROWFERRY_CONTAINERS ROWFERRY_RUNTIME
rm -r unpacked control lib

# ---- Installed --------------------------------------------------------------------------------

make_clean_root "$STORY/clean"
(cd clean && find . -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -path ./var/cache -prune -o \
    -print) | sort >before
cp "$package" clean/rowferry.deb
in_root() {
    if [ -n "$clean_root_init" ]; then inside "$@"; else chroot clean "$@"; fi
}
if can_boot; then
    boot_clean_root
else
    leave_out "systemd: this machine has no control groups for it"
fi
expect_status 0 in_root dpkg -i /rowferry.deb
rm clean/rowferry.deb
expect_status 0 in_root rowferry --version
expect_contains "$(cat out)" "rowferry 0." "the version"
expect_status 0 in_root cmp /usr/share/doc/rowferry/LICENSE /usr/share/common-licenses/Apache-2.0

start_mariadb source
sql source "CREATE DATABASE shop"
sql source "CREATE TABLE shop.orders (id INT PRIMARY KEY, total DECIMAL(8,2));
    CREATE USER cdc@'%' IDENTIFIED BY 'geheim';
    GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'%'"
url=mysql://cdc@127.0.0.1:$source_PORT/shop.*

# As a user without rights. What was written before is read from the log.
sql source "INSERT INTO shop.orders VALUES (1, 19.90)"
expect_status 0 in_root setpriv --reuid=65534 --regid=65534 --clear-groups \
    env ROWFERRY_MYSQL_PASSWORD=geheim rowferry tail --quiet --from earliest --until now "$url"
expect_contains "$(cat out)" '"after":{"id":1,"total":"19.90"}' "the change, by tail"

# ---- As a service -----------------------------------------------------------------------------

if [ -n "$clean_root_init" ]; then
    start_redis target
    printf '%s\n' "name: shop" "from: earliest" "source:" "  url: $url" \
        "sinks:" "  - redis://127.0.0.1:$target_PORT" >clean/etc/rowferry/shop.yaml
    sed "s|^sinks:|sinks:\n  - file:/srv/changes/changes.jsonl?rotate=on|; /redis/d; s|shop$|other|" \
        clean/etc/rowferry/shop.yaml >clean/etc/rowferry/other.yaml
    mkdir -p clean/etc/credstore
    for name in shop other; do
        (umask 077 && printf geheim >"clean/etc/credstore/rowferry.$name.mysql-password")
    done
    mkdir -p clean/etc/systemd/system/rowferry@.service.d
    printf '%s\n' "[Service]" "RestartSec=100ms" >clean/etc/systemd/system/rowferry@.service.d/soon.conf
    # The other one writes elsewhere, into a directory that is a group's.
    mkdir -p clean/srv/changes clean/etc/systemd/system/rowferry@other.service.d
    chgrp 100 clean/srv/changes
    chmod 770 clean/srv/changes
    printf '%s\n' "[Service]" "ReadWritePaths=/srv/changes" "SupplementaryGroups=100" \
        >clean/etc/systemd/system/rowferry@other.service.d/elsewhere.conf
    expect_status 0 inside systemctl daemon-reload
    property() { # NAME PROPERTY
        inside systemctl show -P "$2" "rowferry@$1"
    }
    # It returns when the pipeline is connected, both ends of it.
    expect_status 0 inside systemctl enable --now rowferry@shop
    expect_equal active "$(property shop ActiveState)" "the unit's state"
    expect_contains "$(property shop StatusText)" "redis" "what it says of itself"
    has_row() { [ "$(redis target HGET "shop:orders:$1" total)" = "$2" ]; }
    wait_until 20 has_row 1 19.90
    user=$(ps -o uid= -p "$(pgrep -P "$clean_root_init" -x rowferry)" | tr -d ' ')
    expect_success test "$user" -ge 61184 # those that systemd makes

    # A second pipeline beside it, with state of its own.
    expect_status 0 inside systemctl start rowferry@other
    sql source "INSERT INTO shop.orders VALUES (2, 1)"
    other_has() { cat clean/srv/changes/changes.*jsonl | grep -q "\"id\":$1,"; }
    wait_until 20 other_has 2
    wait_until 20 has_row 2 1.00
    expect_status 0 inside rowferry status --check --state /var/lib/rowferry/shop
    expect_equal 700 "$(stat -c %a clean/var/lib/private/rowferry/shop)" "who may see the state"

    # Reloaded, it begins a new file.
    expect_status 0 inside systemctl reload rowferry@other
    sql source "INSERT INTO shop.orders VALUES (3, 2)"
    wait_until 20 other_has 3
    expect_equal "changes.000001.jsonl changes.000002.jsonl" \
        "$(cd clean/srv/changes && echo changes*)" "files after a reload"

    # Killed, it is started again, and goes on. The watchdog is on.
    expect_equal 1min "$(property shop WatchdogUSec)" "the watchdog"
    killed=$(property shop MainPID)
    expect_status 0 inside sh -c "kill -9 $killed"
    sql source "INSERT INTO shop.orders VALUES (4, 3)"
    wait_until 40 has_row 4 3.00
    expect_equal 1 "$(property shop NRestarts)" "restarts"

    # What a person has to look at is not tried again.
    sed 's|cdc@|nobody@|' clean/etc/rowferry/other.yaml >clean/etc/rowferry/wrong.yaml
    expect_status 1 inside systemctl start rowferry@wrong
    expect_equal "failed 0" "$(property wrong ActiveState) $(property wrong NRestarts)" "a wrong user"
fi

# ---- Removed ----------------------------------------------------------------------------------

expect_status 0 in_root dpkg -r rowferry
if [ -n "$clean_root_init" ]; then
    expect_equal "" "$(pgrep -P "$clean_root_init" -x rowferry || true)" "pipelines of a removed package"
    expect_success test -s clean/var/lib/private/rowferry/shop/shop.db
    rm -r clean/etc/credstore clean/etc/systemd/system/rowferry@*.service.d clean/srv/changes
fi
rm -f clean/etc/rowferry/*.yaml
expect_status 0 in_root dpkg -P rowferry
[ -z "$clean_root_init" ] || shut_down
clean_root_init=
(cd clean && find . -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -path ./var/cache -prune -o \
    -print) | sort >after
# systemd's own, which it makes when it runs.
expect_equal "" "$(comm -13 before after | grep -v -e '^./var/lib/systemd' -e '^./var/lib/private$' \
    -e '^./etc/systemd/system/multi-user.target.wants$' -e '^./etc/machine-id$' -e '^./var/tmp/' -e '^./etc/.pwd.lock$' || true)" "what is left of it"
expect_equal "" "$(find clean/var/cache -name '*rowferry*')" "caches that are left"
story_end
