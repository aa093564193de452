-- COMPRESSED columns: values that are compressed, that are too short for it, empty ones and NULL, in
-- several character sets, with zlib's head and without it.
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, t TEXT COMPRESSED, v VARCHAR(300) COMPRESSED,
    s VARCHAR(20) COMPRESSED, l VARCHAR(200) CHARACTER SET latin1 COMPRESSED,
    w VARCHAR(200) CHARACTER SET ucs2 COMPRESSED, b VARBINARY(300) COMPRESSED, m MEDIUMBLOB COMPRESSED,
    n INT);
INSERT INTO golden.a VALUES
    (1, REPEAT('long ', 50), REPEAT('жук', 90), 'short', REPEAT('ü', 150), REPEAT('ж', 150),
        REPEAT(X'00ff', 120), REPEAT(X'00ff10', 120), 1),
    (2, '', '', '', '', '', '', '', 2),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3),
    (4, 'x', 'é', 'ж', 'ü', 'ж', X'00', X'80', 4);
SET column_compression_zlib_wrap = ON, column_compression_zlib_level = 9;
UPDATE golden.a SET t = REPEAT('wrapped', 100), n = NULL WHERE id = 4;
DELETE FROM golden.a WHERE id = 1;
