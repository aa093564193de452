#!/usr/bin/env bash
# What `make install` puts where, how it is built, and that `make uninstall` leaves nothing of it.
# story: timeout 120
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
source "$ROWFERRY_SOURCE_DIR/test/lib/containers.sh"
story_begin
use_containers
cd "$STORY"
prefix=/opt/some-place
root=$STORY/root
there=$root$prefix

# install_here ROOT PREFIX
install_here() {
    DESTDIR=$1 cmake --install "$ROWFERRY_BUILD_DIR" --prefix "$2"
}

mkdir -p "$there/bin" "$there/share/man/man1"
echo "somebody's" | tee "$there/bin/other" >"$there/share/man/man1/other.1"
expect_status 0 install_here "$root" "$prefix"

# ---- What is there ----------------------------------------------------------------------------

programs=$(cd "$ROWFERRY_BUILD_DIR" && ls rowferry bin/* | xargs -n 1 basename | sort)
expect_equal "$programs" "$(ls "$there/bin" | grep -v '^other$')" "programs"
for program in $programs; do
    expect_equal "yes" "$([ -f "$there/share/man/man1/$program.1" ] && echo yes)" \
        "a manual page of $program"
    expect_equal "" "$(man --warnings -l "$there/share/man/man1/$program.1" 2>&1 >page)" \
        "warnings of $program's manual page"
    expect_contains "$(cat page)" "$program" "the manual page of $program"
    for shell in bash/completions fish zsh; do
        case $shell in
            bash/*) file=bash-completion/completions/$program ;;
            fish) file=fish/vendor_completions.d/$program.fish ;;
            zsh) file=zsh/site-functions/_$program ;;
        esac
        "$there/bin/$program" completions "${shell%/*}" >wanted
        expect_same_files wanted "$there/share/$file" "completions of $program"
    done
done
for document in README.md CHANGELOG.md SECURITY.md docs/operating.md docs/options.md \
    examples/rowferry.yaml rowferry.spdx.json; do
    expect_success test -s "$there/share/doc/rowferry/$document"
done
# A page leads to no file that was not installed with it.
links() { grep -oE '\]\([^)]+' "$1" | sed 's/^](//; s/#.*//' | grep -vE '^([a-z]+:|$)' | sort -u; }
while IFS= read -r page; do
    while IFS= read -r link; do
        expect_success test -s "$(dirname "$page")/$link"
    done < <(links "$page")
done < <(find "$there/share/doc/rowferry" -name '*.md')
"$there/bin/rowferry" options --markdown >wanted
expect_same_files wanted "$there/share/doc/rowferry/docs/options.md" "the installed list of options"

# The container programs find their scripts where they were put, and not those of the source.
port=$("$SERVERS" port)
expect_status 0 "$there/bin/my_redis_container" create --port "$port"
health=0
"$there/bin/my_redis_container" status --check || health=$?
expect_status 0 "$there/bin/my_redis_container" delete
expect_equal 0 "$health" "health of a server of the installed programs"

# ---- The unit ---------------------------------------------------------------------------------

unit=$there/lib/systemd/system/rowferry@.service
expect_contains "$(cat "$unit")" "ExecStart=$prefix/bin/rowferry run" "the unit's program"
expect_equal "" "$(grep '@[a-z]*@' "$unit" || true)" "what was not filled in"
# verify wants the program and the pages to be there.
sed "s|=$prefix/|=$there/|" "$unit" >rowferry@shop.service
MANPATH=$there/share/man expect_status 0 systemd-analyze verify "$STORY/rowferry@shop.service"
expect_equal "" "$(cat out err)" "complaints about the unit"
expect_status 0 systemd-analyze security --offline=yes --threshold=15 "$STORY/rowferry@shop.service"
expect_contains "$(cat out)" "Overall exposure level" "exposure of the unit"

# ---- How it is built --------------------------------------------------------------------------

for program in $programs; do
    file=$there/bin/$program
    seen=$(readelf -hlW --dynamic --dyn-syms "$file")
    expect_contains "$seen" "DYN (Position-Independent Executable" "PIE of $program"
    expect_contains "$seen" "Flags: NOW PIE" "immediate binding of $program"
    expect_contains "$seen" "GNU_RELRO" "RELRO of $program"
    expect_contains "$(sed -n 's/ *GNU_STACK.* \(RW[E ]\) .*/stack \1./p' <<<"$seen")" "stack RW ." \
        "a stack that is not executable of $program"
    expect_contains "$seen" "__stack_chk_fail" "stack protector of $program"
    expect_contains "$seen" "_chk@GLIBC" "FORTIFY of $program"
    expect_equal "" "$(grep -E 'R(UN)?PATH' <<<"$seen" || true)" "RPATH of $program"
    expect_contains "$(checksec --file="$file" --output=csv)" \
        "Full RELRO,Canary found,NX enabled,PIE enabled,No RPATH,No RUNPATH," "what checksec says of $program"
    # What would make the same source another program in another place. Debugging symbols count.
    expect_equal 0 "$(grep -cF -e "$ROWFERRY_SOURCE_DIR/" -e "$ROWFERRY_BUILD_DIR/" "$file" || true)" \
        "paths of this machine in $program"
done

# At full size, for real: built anew somewhere else, by no cache.
if [ "$ROWFERRY_SCALE" -eq 1 ]; then
    mkdir -p elsewhere/with/another/name
    (cd "$ROWFERRY_SOURCE_DIR" && tar -c CMakeLists.txt cmake src include etc docs tools ./*.md) |
        tar -x -C elsewhere/with/another/name
    compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$ROWFERRY_BUILD_DIR/CMakeCache.txt")
    expect_status 0 cmake -S elsewhere/with/another/name -B elsewhere/built -G Ninja \
        -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_COMPILER_LAUNCHER=
    expect_status 0 ninja -C elsewhere/built rowferry programs
    for program in $programs; do
        expect_same_files "$there/bin/$program" "$(ls elsewhere/built/{,bin/}"$program" 2>/dev/null)" \
            "two builds of $program"
    done
fi

# ---- What it is made with ---------------------------------------------------------------------

expect_success python3 - "$there/share/doc/rowferry/rowferry.spdx.json" "$there"/bin/rowferry <<'END'
import json, os, subprocess, sys

document = json.load(open(sys.argv[1]))
packages = {each["SPDXID"]: each for each in document["packages"]}
assert len(packages) == len(document["packages"]), "an identifier twice"
assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
for relation in document["relationships"]:
    for end in ("spdxElementId", "relatedSpdxElement"):
        assert relation[end] in packages or relation[end] == "SPDXRef-DOCUMENT", relation
related = {relation[end] for relation in document["relationships"]
           for end in ("spdxElementId", "relatedSpdxElement")}
assert related >= set(packages), "a package that nothing leads to"
# Every library that the program asks for by itself is of a package that is listed, in this version.
dynamic = subprocess.run(["readelf", "-dW", sys.argv[2]], capture_output=True, text=True, check=True)
needed = [line.split("[")[1].rstrip("]") for line in dynamic.stdout.split("\n") if "(NEEDED)" in line]
assert len(needed) > 5, needed
found = subprocess.run(["ldd", sys.argv[2]], capture_output=True, text=True, check=True).stdout
places = {line.split()[0]: line.split()[2] for line in found.split("\n") if "=>" in line}
listed = {each["name"]: each.get("versionInfo") for each in packages.values()}
for library in needed:
    place = os.path.realpath(places[library])
    for path in (place, place.removeprefix("/usr")):
        owner = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True)
        if owner.returncode == 0:
            break
    name = owner.stdout.split(":")[0]
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name + ":native"],
                             capture_output=True, text=True).stdout or None
    version = version or subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                                        capture_output=True, text=True, check=True).stdout
    assert listed.get(name) == version, f"{library}: {name} {version} is not in the list"
assert listed.keys() >= {"libmongoc-1.0-0", "libcurl4"}, "what is loaded when it is needed"
END

# ---- And away with it -------------------------------------------------------------------------

expect_status 0 env "DESTDIR=$root" "$ROWFERRY_SOURCE_DIR/tools/uninstall" "$ROWFERRY_BUILD_DIR" "$prefix"
expect_equal "./bin/other ./share/man/man1/other.1" \
    "$(cd "$there" && find . ! -type d | sort | paste -s -d ' ')" "files that are left"
expect_equal "" "$(cd "$root" && find . -path '*rowferry*')" "directories of ours that are left"
expect_status 0 env "DESTDIR=$root" "$ROWFERRY_SOURCE_DIR/tools/uninstall" "$ROWFERRY_BUILD_DIR" "$prefix"
expect_contains "$(cat out)" "removed 0 files" "a second time"
story_end
