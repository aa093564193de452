-- log_bin_compress: statements, and rows of all three kinds, also of several rows.
SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10;
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, t TEXT);
INSERT INTO golden.a VALUES (1, REPEAT('x', 200)), (2, NULL), (3, 'жук');
UPDATE golden.a SET t = REPEAT('y', 200);
DELETE FROM golden.a;
SET GLOBAL log_bin_compress = OFF;
