# shellcheck shell=bash
# Bad input in a story: rowferry must say what is wrong, to what, and leave with the right status.
# Sourced after story.sh.

# refuses STATUS WORDS[|WORDS...] ARGUMENTS...: rowferry, run with these arguments, ends by itself
# with this status; its last message has all the words; nothing of it is on standard output.
refuses() {
    refuses_after "" "$@"
}

# refuses_after OUTPUT STATUS WORDS ARGUMENTS...: the same; standard output has exactly that.
refuses_after() {
    local output=$1 status=$2 words=$3
    shift 3
    expect_status "$status" timeout 30 "$ROWFERRY" "$@"
    expect_equal "$output" "$(cat "$STORY/out")" "standard output"
    expect_words "$(sed '/^rowferry: /,$!d' "$STORY/err")" "$words"
    if grep -q "WARNING: \|ERROR: AddressSanitizer\|runtime error" "$STORY/err"; then
        fail "a sanitizer spoke: $(cat "$STORY/err")"
    fi
}

# expect_words TEXT WORDS[|WORDS...]
expect_words() {
    local text=$1 words=$2 one
    while [ -n "$words" ]; do
        one=${words%%|*}
        case $words in
            *'|'*) words=${words#*|} ;;
            *) words= ;;
        esac
        expect_contains "$text" "$one" "the message"
    done
}
