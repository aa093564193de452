-- TIMESTAMP as it was before MySQL 5.6.
SET GLOBAL mysql56_temporal_format = OFF;
CREATE DATABASE golden CHARACTER SET utf8mb4;
CREATE TABLE golden.a (id INT PRIMARY KEY, t TIMESTAMP(3));
INSERT INTO golden.a VALUES (1, '2024-02-29 12:00:00.5');
SET GLOBAL mysql56_temporal_format = ON;
