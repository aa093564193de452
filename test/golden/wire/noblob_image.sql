-- binlog_row_image=NOBLOB.
SET binlog_row_image = NOBLOB;
CREATE DATABASE golden;
CREATE TABLE golden.a (id INT PRIMARY KEY, v INT, w BLOB);
INSERT INTO golden.a VALUES (1, 2, 'x');
UPDATE golden.a SET v = 4;
