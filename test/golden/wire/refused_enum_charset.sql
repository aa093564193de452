-- The same of an ENUM.
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, bad ENUM('ж') CHARACTER SET ucs2);
INSERT INTO golden.a VALUES (1, 'ж');
