-- A log without checksums; only its format description has one.
SET GLOBAL binlog_checksum = NONE;
RESET MASTER;
CREATE DATABASE golden;
CREATE TABLE golden.a (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO golden.a VALUES (1, 'x');
UPDATE golden.a SET v = 'y';
DELETE FROM golden.a;
FLUSH BINARY LOGS;
SET GLOBAL binlog_checksum = CRC32;
