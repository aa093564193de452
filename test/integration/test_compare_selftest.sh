#!/usr/bin/env bash
# The comparison that other stories rely on must be able to fail: sinks that equal the tables pass,
# and each of some eighty planted differences is found and named.
source "${ROWFERRY_SOURCE_DIR:-$(dirname "$0")/../..}/test/lib/story.sh"
story_begin
start_mariadb source
start_redis target
start_mongo documents

lib=$ROWFERRY_SOURCE_DIR/test/lib
python3 "$lib/workload.py" --schema | sql source
python3 "$lib/workload.py" --operations 800 --seed 3 | sql source
# Values that a small load may lack, in enough rows for each kind of plant.
sql source "CREATE TABLE story.sure (id INT PRIMARY KEY, zero DOUBLE, bu BIGINT UNSIGNED, t TINYINT,
        n DECIMAL(5,2), dt DATETIME(3), ts TIMESTAMP(2) NULL, ti TIME(1), v VARCHAR(9),
        v0 VARCHAR(9), x TEXT, b BINARY(4), bl BLOB, e ENUM('a','b'), s SET('a','b'),
        g GEOMETRY, p POLYGON, f FLOAT);
    INSERT INTO story.sure SELECT seq, 0, 18446744073709551615, 1, -1.50, '2024-02-29 00:00:00',
        '2024-02-29 00:00:00.10', '-00:00:01.5', '', NULL, 'жук', X'01', X'00ff', 'a', 'a,b',
        ST_GeomFromText('POINT(1 2)', 0), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 0), 0.1
        FROM story.seq_1_to_20"
expect_success python3 "$lib/selftest.py" "$source_SOCKET" "$target_PORT" \
    "$documents_PORT" "$STORY" story "two wörds"
story_end
