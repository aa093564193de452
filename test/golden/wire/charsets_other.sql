-- A character set that is not carried.
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, good VARCHAR(10), bad VARCHAR(10) CHARACTER SET cp1251);
INSERT INTO golden.a VALUES (1, 'x', 'ж');
