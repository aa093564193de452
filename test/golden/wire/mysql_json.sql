-- MySQL's binary JSON: every kind of value, what an opaque one holds, large containers, updates.
CREATE DATABASE golden CHARACTER SET utf8mb4;
USE golden;
CREATE TABLE j (id INT PRIMARY KEY AUTO_INCREMENT, j JSON, k JSON NOT NULL);
INSERT INTO j (j, k) VALUES (NULL, 'null'), ('true', 'false'), ('0', '-1'), ('32767', '32768'),
    ('-32768', '-32769'), ('65535', '65536'), ('2147483647', '2147483648'),
    ('-2147483648', '-2147483649'), ('4294967295', '4294967296'),
    ('9223372036854775807', '-9223372036854775808'),
    ('18446744073709551615', '18446744073709551616'), ('1.5', '-0.0'), ('1e15', '1e-16'),
    ('1234567890123456.7', '0.00001'), ('1.7976931348623157e308', '5e-324'),
    ('""', '"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0001\\u007f é 🚢"'), ('{}', '[]'),
    ('{"b": 1, "a": [1, 2.0, "x", null, {"z": []}], "aa": {}}', '[[[[]]]]'),
    ('{"": "", "é": [true, false], "k\\"": -1}', '[65536, -32769, [-1], {"a": 4294967296}]');
INSERT INTO j (j, k) VALUES
    (CAST(1.50 AS JSON), JSON_ARRAY(CAST('-99999999999999999999.999999' AS DECIMAL(65, 30)), 0.001)),
    (JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('0001-01-01' AS DATE), CAST('9999-12-31' AS DATE)),
     JSON_ARRAY(TIME'12:34:56.789', TIME'-838:59:59', TIME'00:00:00', TIME'-00:00:00.000001')),
    (JSON_ARRAY(TIMESTAMP'2024-02-29 12:34:56.123456', TIMESTAMP'9999-12-31 23:59:59'),
     JSON_ARRAY(x'00ff', b'1010', CAST('abc' AS BINARY))),
    (JSON_ARRAY(REPEAT(x'00', 57)), JSON_ARRAY(REPEAT(x'ff', 200))),
    (JSON_ARRAY(ST_GeomFromText('POINT(1 2)')), JSON_ARRAY(CAST(2024 AS YEAR), TRUE));
SET sql_mode = '';
INSERT INTO j (j, k) VALUES (JSON_ARRAY(CAST('0000-00-00' AS DATE), CAST('2024-00-00' AS DATETIME)), '1');
-- From columns of all types.
CREATE TABLE x (b BIT(3), bl BLOB, e ENUM('x', 'y'), s SET('p', 'q'), f FLOAT, vb VARBINARY(10),
    bi BINARY(4), y YEAR, d DOUBLE, de DECIMAL(5, 2), t TIMESTAMP NULL, u BIGINT UNSIGNED);
INSERT INTO x VALUES (5, 'blob', 'y', 'p,q', 1.1, 'vb', 'bi', 2024, 2.5e-10, -1.5,
    '2024-01-01 00:00:01', 18446744073709551615);
INSERT INTO j (j, k) SELECT JSON_OBJECT('b', b, 'bl', bl, 'e', e, 's', s, 'f', f, 'vb', vb), JSON_OBJECT(
    'bi', bi, 'y', y, 'd', d, 'de', de, 't', t, 'u', u) FROM x;
-- Deepest, and larger than 64 KiB, where all numbers have four bytes.
INSERT INTO j (j, k) VALUES (CONCAT(REPEAT('[', 100), REPEAT(']', 100)),
    CONCAT('{"a":"', REPEAT('x', 300), '", "b": 1}'));
CREATE TABLE large (id INT PRIMARY KEY, j JSON);
INSERT INTO large VALUES (1, JSON_ARRAY(REPEAT('long ', 13200), 65536, -32769, 1, TRUE, 1.5,
    JSON_OBJECT('k', 4294967295)));
UPDATE j SET j = JSON_SET(j, '$[0]', 'set'), k = '[]' WHERE id IN (18, 20);
DELETE FROM j WHERE id < 3;
