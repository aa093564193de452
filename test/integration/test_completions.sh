#!/usr/bin/env bash
# What shells complete: bash, zsh and fish themselves are asked, with the scripts that the programs print.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
cd "$STORY"
PATH=$(dirname "$ROWFERRY"):$ROWFERRY_BUILD_DIR/bin:$PATH
mkdir files scripts
touch files/shop.yaml

for program in rowferry container my_sql_container scheduler mysqldb; do
    for shell in bash zsh fish; do
        expect_status 0 "$program" completions "$shell"
        mv out "scripts/$program.$shell"
    done
    bash -n "scripts/$program.bash"
    zsh -n "scripts/$program.zsh"
    fish -n "scripts/$program.fish"
done
expect_status 1 rowferry completions bsah
expect_contains "$(cat err)" "no completions for 'bsah'; did you mean 'bash'?" "a shell that is none"
expect_status 1 scheduler completions
expect_contains "$(cat out)" "usage: scheduler completions bash|zsh|fish" "usage of completions"

# ask_bash WORD...: what it offers for the last word.
ask_bash() {
    bash --norc -c 'source "scripts/$1.bash"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "_$1"; printf "%s\n" "${COMPREPLY[@]}"' - "$1" "$@" |
        sort | paste -s -d ' '
}

# ask_fish WORD...
ask_fish() {
    fish --no-config -c 'source scripts/$argv[1].fish; complete -C "$argv[2]"' "$1" "$*" |
        cut -f 1 | sort | paste -s -d ' '
}

# ask_zsh WORD...: what the completion system is given, in a real line of a real terminal.
ask_zsh() {
    python3 "$ROWFERRY_SOURCE_DIR/test/lib/ask_zsh.py" "scripts/$1.zsh" "$*" | sort | paste -s -d ' '
}

# all_offer WANTED WORD...
all_offer() {
    local wanted=$1 shell
    shift
    for shell in bash fish zsh; do
        expect_equal "$wanted" "$("ask_$shell" "$@")" "$shell: '$*'"
    done
}

commands=$(rowferry --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort | paste -s -d ' ')
expect_contains "$commands" "completions config container" "commands of the help"
all_offer "$commands" rowferry ''
all_offer "run" rowferry ru
all_offer "reset set show" rowferry position ''
all_offer "json text" rowferry run --log-format ''
all_offer "redis" rowferry options re
all_offer "create" rowferry container cr
all_offer "mongo mysql" rowferry container create --port 5 m
all_offer "mongo mysql" container delete m
all_offer "--port" rowferry container create --po
all_offer "-init" rowferry container -i
all_offer "status" my_sql_container st
all_offer "--rows" mysqldb --ro
all_offer "" rowferry sources ''
all_offer "" rowferry run --limit ''

# Options of every command are those of its help.
for command in run tail status position options; do
    wanted=$(rowferry help $command | sed -n 's/^ *\(--[a-z-]*\).*/\1/p' | cat - <(echo --help) |
        sort -u | paste -s -d ' ')
    expect_equal "$wanted" "$(ask_bash rowferry $command --)" "options of $command"
done

# Values behind a '=', which bash takes apart; files, and the beginnings of addresses.
expect_equal "json" "$(ask_bash rowferry tail --log-format = js)" "a value behind ="
expect_equal "--log-format=json" "$(ask_fish rowferry tail --log-format=js)" "a value behind ="
expect_equal "json" "$(ask_zsh rowferry tail --log-format=js)" "a value behind ="
expect_equal "files/shop.yaml" "$(ask_bash rowferry config check files/)" "a file"
expect_equal "files/shop.yaml" "$(ask_fish rowferry config check files/)" "a file"
expect_equal "mongodb: mysql:" "$(ask_bash rowferry run m)" "addresses"
expect_equal "mongodb: mysql:" "$(ask_fish rowferry run m)" "addresses"
expect_equal "mongodb: mysql:" "$(ask_zsh rowferry run m)" "addresses"
story_end
