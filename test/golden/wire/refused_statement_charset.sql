-- A statement whose bytes cannot be turned into UTF-8.
CREATE DATABASE golden CHARACTER SET utf8mb4;
SET character_set_client = cp1251;
CREATE TABLE golden.a (a INT COMMENT 'ж');
