-- binlog_row_image=MINIMAL: what the images lack cannot be told from the log.
SET binlog_row_image = MINIMAL;
CREATE DATABASE golden;
CREATE TABLE golden.a (id INT PRIMARY KEY, v INT, w INT);
INSERT INTO golden.a VALUES (1, 2, 3);
UPDATE golden.a SET v = 4;
SET binlog_row_image = FULL;
