-- binlog_row_value_options=PARTIAL_JSON: after images with changes of documents, and whole ones beside.
CREATE DATABASE golden CHARACTER SET utf8mb4;
USE golden;
SET binlog_row_value_options = PARTIAL_JSON;
CREATE TABLE j (id INT PRIMARY KEY, a JSON, n INT, b JSON, v VARCHAR(10));
SET @filler = REPEAT('long enough that changes are logged ', 5);
INSERT INTO j VALUES (1, JSON_OBJECT('x', JSON_ARRAY(1, 2, 3), 'y', JSON_OBJECT('z', @filler)), 1, '[1]', 'q'),
    (2, JSON_ARRAY(1, @filler), 2, JSON_OBJECT('k', @filler), 'r'), (3, NULL, 3, NULL, NULL);
UPDATE j SET a = JSON_SET(a, '$.x[1]', 22), n = 4 WHERE id = 1;
UPDATE j SET a = JSON_REMOVE(a, '$[0]'), b = JSON_SET(b, '$."a b\\"c"', JSON_ARRAY(1, 1.5, TRUE)) WHERE id = 2;
UPDATE j SET a = JSON_SET(a, '$.y.new', NULL, '$.y.z', @filler, '$.x[0]', '{}') WHERE id = 1;
UPDATE j SET a = JSON_ARRAY_INSERT(a, '$.x[1]', JSON_OBJECT('in', 1)) WHERE id = 1;
-- Nothing of a document, one to NULL, one from NULL, a whole one.
UPDATE j SET v = 's';
UPDATE j SET a = NULL WHERE id = 2;
UPDATE j SET a = '{"k": 1}', b = NULL;
