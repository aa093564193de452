# shellcheck shell=bash
# A freshly made Debian in a directory, for stories about installing; sourced behind story.sh. Needs root.
#
#   make_clean_root DIR          # nothing but Debian's own minimum, systemd, and what the package depends on
#   boot_clean_root DIR          # systemd runs in it, as process 1 of its own
#   inside COMMAND...            # runs in it: of the booted one, in its namespaces
#   shut_down
#
# The network is the machine's own, so that servers outside are reached; processes, mounts, hostname and
# control groups are not. It is unpacked from an archive in the cache of tools/servers, which is made
# once, from the machine's own package sources.

CLEAN_ROOT=      # the directory
clean_root_init= # process 1, as seen from here

CLEAN_ROOT_PACKAGES=(systemd ca-certificates libbson-1.0-0 libhiredis0.14 libisal2 liblz4-1 libmariadb3
    libjansson4 libsqlite3-0 libssl3 libyaml-0-2 libzstd1 zlib1g)

# make_clean_root DIR
make_clean_root() {
    local cache=/var/cache/rowferry key archive lock
    CLEAN_ROOT=$1
    key=$(printf '%s\n' "${CLEAN_ROOT_PACKAGES[@]}" | cksum | cut -d ' ' -f 1)
    archive=$cache/debian-bookworm-$(dpkg --print-architecture)-$key.tar
    mkdir -p "$cache"
    exec {lock}>"$archive.lock"
    flock "$lock"
    if [ ! -f "$archive" ]; then
        echo "making a Debian to unpack (once): $archive"
        mmdebstrap --variant=minbase --quiet --include="$(
            IFS=,
            echo "${CLEAN_ROOT_PACKAGES[*]}"
        )" bookworm "$archive.new.tar" {lock}>&- >"$STORY/mmdebstrap.log" 2>&1 ||
            fail "mmdebstrap: $(tail -n 5 "$STORY/mmdebstrap.log")"
        mv "$archive.new.tar" "$archive"
    fi
    exec {lock}>&-
    mkdir -p "$CLEAN_ROOT"
    tar -x -C "$CLEAN_ROOT" -f "$archive"
    # Only the manager, its journal and what is asked for: nothing that would set up a machine.
    rm -rf "$CLEAN_ROOT"/usr/lib/systemd/system/*.target.wants "$CLEAN_ROOT"/etc/systemd/system/*.wants
    mkdir "$CLEAN_ROOT/usr/lib/systemd/system/sysinit.target.wants"
    ln -s ../systemd-journald.service "$CLEAN_ROOT/usr/lib/systemd/system/sysinit.target.wants/"
    ln -sf /usr/lib/systemd/system/sysinit.target "$CLEAN_ROOT/etc/systemd/system/default.target"
}

# True where systemd can be process 1 of namespaces: there are control groups of version 2 to give it.
can_boot() {
    local groups
    groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$groups" ] && [ -w "$groups/cgroup.procs" ] && unshare -m -p -u -i -C --fork true 2>/dev/null
}

# boot_clean_root: returns when the manager answers.
boot_clean_root() {
    run_background boot "$ROWFERRY_SOURCE_DIR/test/lib/boot" "$CLEAN_ROOT"
    wait_until 30 manager_answers
}

manager_answers() {
    clean_root_init=$(cat "$CLEAN_ROOT.init" 2>/dev/null) && [ -n "$clean_root_init" ] &&
        inside systemctl list-units --no-pager
}

inside() {
    nsenter -t "$clean_root_init" -m -p -u -i -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# All that runs in it ends with its process 1.
shut_down() {
    kill -KILL "$clean_root_init"
    wait_until 20 background_ended boot
}
