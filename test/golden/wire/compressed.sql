-- log_bin_compress: the types are named; nothing is inflated here.
SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10;
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, t TEXT);
INSERT INTO golden.a VALUES (1, REPEAT('x', 200));
UPDATE golden.a SET t = REPEAT('y', 200);
DELETE FROM golden.a;
SET GLOBAL log_bin_compress = OFF;
