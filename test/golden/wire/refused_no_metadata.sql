-- binlog_row_metadata=NO_LOG: refused, with the statement that mends it.
SET GLOBAL binlog_row_metadata = NO_LOG;
CREATE DATABASE golden;
CREATE TABLE golden.a (id INT PRIMARY KEY);
INSERT INTO golden.a VALUES (1);
SET GLOBAL binlog_row_metadata = FULL;
