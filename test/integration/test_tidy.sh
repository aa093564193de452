#!/usr/bin/env bash
# tools/tidy finds what it says it finds: each rule is broken once, in a tree of its own, and a tree
# that breaks none passes.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin

tree=$STORY/tree

# A small tree without a fault.
fresh_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"/{include/rowferry,src/{base,event,wire,net,source,sink,engine},test/unit/base,test/integration}
    cp "$ROWFERRY_SOURCE_DIR/.clang-format" "$tree/"
    printf 'int rf_thing(void);\n' >"$tree/include/rowferry/thing.h"
    printf 'int rf_clock(void);\n' >"$tree/src/base/clock.h"
    printf '/* Source: the manual, section 1. */\nint rf_codec(void);\n' >"$tree/src/wire/codec.h"
    printf '#include <rowferry/thing.h>\n\n#include "base/clock.h"\n#include "wire/codec.h"\n' \
        >"$tree/src/sink/null.c"
}

# breaks FILE WANTED TEXT: the text, added to the file, is found at its line, with these words.
breaks() {
    local line
    fresh_tree
    printf '%b\n' "$3" >>"$tree/$1"
    line=$(wc -l <"$tree/$1")
    expect_status 1 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$tree"
    grep -q "^$1:[0-9]*: .*$2" "$STORY/out" ||
        fail "'$2' was not found in $1 (line $line): $(grep : "$STORY/out")"
}

# passes FILE TEXT: no finding.
passes() {
    fresh_tree
    printf '%b\n' "$2" >>"$tree/$1"
    expect_status 0 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$tree"
}

fresh_tree
expect_status 0 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$tree"
expect_contains "$(cat "$STORY/out")" "no findings"

# Rooms.
breaks src/wire/x.c "wire may not know net" '#include "net/mysql.h"'
breaks src/source/x.c "source may not know sink" '#include "sink/file.h"'
breaks src/sink/x.c "sink may not know engine" '#include "engine/core.h"'
breaks src/engine/x.c "engine may not know source" '#include "source/mysql.h"'
breaks src/base/x.c "base may not know event" '#include "event/value.h"'
breaks src/sink/x.c "write the room" '#include "null.h"'
breaks src/sink/x.c "no room elsewhere" '#include "elsewhere/x.h"'
breaks src/sink/x.c "lists are for the registries" '#include "generated/sinks.def"'
breaks include/rowferry/x.h "the contract includes only" '#include "base/clock.h"'
breaks src/engine/x.c "belongs to checkpoint" '#include <sqlite3.h>'
breaks src/sink/x.c "belongs to net and source" '#include <mysql/mysql.h>'
passes src/sink/x.c '#include "base/clock.h"\n#include <hiredis/hiredis.h>\n#include <rowferry/thing.h>'

# Calls.
for name in strcpy strcat sprintf vsprintf gets strtok atoi atol system alloca; do
    breaks src/base/x.c "$name() is banned" "int x = $name(1);"
done
passes src/base/x.c '/* strcpy(a, b) */\nconst char *x = "system(1)";\nint y = my_atoi(1);'
breaks src/sink/x.c "exit() in sink" 'int x = exit(1);'
breaks src/source/x.c "usleep() in source" 'int x = usleep(1);'
breaks src/sink/x.c "an error is returned" 'int x = RF_LOG_ERROR;'
passes src/engine/x.c 'int x = usleep(1);'
breaks test/unit/base/test_x.c "usleep() in a test" 'int x = usleep(1);'
breaks test/integration/test_x.sh "sleep in a story" 'true\nsle''ep 1'
breaks test/integration/test_x.sh "sleep in a story" 'while true; do sle''ep 0.1; done'
passes test/integration/test_x.sh '# no sle''ep 1 here\necho "sle''ep 1"'

# Layout and names.
breaks src/base/x.c "make format" 'int  x;'
breaks src/base/x.c "columns" "/* $(printf 'x%.0s' {1..100}) */"
breaks src/base/x.c "no typedefs of structs" 'typedef struct thing thing;'
breaks src/base/x.h "nobody includes it" 'int x;'
breaks src/wire/codec.h "make format" 'int  x;'
breaks test/integration/test_x.sh "bash cannot read it" 'if true; then'
fresh_tree
printf 'int rf_codec(void);\n' >"$tree/src/wire/codec.h"
expect_status 1 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$tree"
expect_contains "$(cat "$STORY/out")" "src/wire/codec.h:1: no Source: line"
fresh_tree
printf 'int rf_twice(void)\n{\n    return 1;\n}\n' | tee "$tree/src/base/x.c" >"$tree/src/net/x.c"
expect_status 1 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$tree"
expect_contains "$(cat "$STORY/out")" "rf_twice is a function of src/base/x.c, too"
passes src/base/x.c 'static int rf_twice(void)\n{\n    return 1;\n}'

# What must not be in any file. In pieces, as this file is checked too.
breaks README.md "a place of one machine" 'see /wor''k/main'
breaks README.md "a place of one machine" 'see ../share''d/design.md'
breaks README.md "finish it" 'TO''DO: later'
passes README.md 'see https://example.org/wor''k/ and work/main'

# Nothing to look at is no pass.
mkdir "$STORY/empty"
expect_status 1 "$ROWFERRY_SOURCE_DIR/tools/tidy" "$STORY/empty"
story_end
