-- Everything that a format has something to say about: rows of each operation, several in one
-- statement and one transaction, a changed key, tables without a key and with one of two columns,
-- TRUNCATE, and DDL of tables, indexes and databases.
CREATE DATABASE golden CHARACTER SET utf8mb4;
USE golden;
CREATE TABLE orders (
    id INT UNSIGNED PRIMARY KEY, name VARCHAR(20) NOT NULL, total DECIMAL(12,2),
    big BIGINT UNSIGNED, raw VARBINARY(10), at DATETIME(3), at6 DATETIME(6), ts TIMESTAMP(3) NULL,
    took TIME(3), day DATE, bits BIT(9), flag BIT, size ENUM('s', 'l'), tags SET('a', 'b', 'c'),
    place POINT, shape GEOMETRY, note TEXT, f FLOAT, d DOUBLE, y YEAR);
CREATE TABLE keyless (a INT, b VARCHAR(5));
CREATE TABLE pair (x INT, a VARCHAR(10), b INT, PRIMARY KEY (b, a));
INSERT INTO orders VALUES (1, 'anna "q"', 19.90, 18446744073709551615, x'fffe00',
    '2024-02-29 12:00:00.250', '2024-02-29 12:00:00.250001', '2024-02-29 12:00:00.250',
    '12:34:56.789', '2024-02-29', 257, 1, 'l', 'a,c', ST_GeomFromText('POINT(1 2.5)', 4326),
    ST_GeomFromText('POLYGON((0 0, 4 0, 4 4, 0 0))'), 'line one\nline two', 1.5, 0.1, 2024);
BEGIN;
INSERT INTO orders (id, name, total) VALUES (2, 'bob', -0.05), (3, 'größe', NULL);
UPDATE orders SET name = 'anne', tags = 'b' WHERE id = 1;
DELETE FROM orders WHERE id = 2;
INSERT INTO keyless VALUES (1, 'x');
COMMIT;
UPDATE orders SET id = 10 WHERE id = 3;
INSERT INTO pair VALUES (1, 'q', 2), (NULL, 'r', 2);
UPDATE pair SET b = 3;
DELETE FROM keyless;
TRUNCATE TABLE pair;
ALTER TABLE orders ADD COLUMN extra INT DEFAULT 5, DROP COLUMN note;
CREATE INDEX by_name ON orders (name);
INSERT INTO orders (id, name) VALUES (11, 'dd');
CREATE TABLE other (id INT);
RENAME TABLE other TO other2;
DROP TABLE other2;
CREATE DATABASE `golden2` /* empty */;
DROP DATABASE IF EXISTS golden2;
