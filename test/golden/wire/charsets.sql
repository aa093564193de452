-- Character sets, alone and mixed in one table, and names that need care.
CREATE DATABASE golden CHARACTER SET utf8mb4;
USE golden;
CREATE TABLE latin (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(5), c TEXT, e ENUM('ä', 'b'),
    s SET('ö', 'ü')) CHARACTER SET latin1;
INSERT INTO latin VALUES (1, 'ascii', 'ascii', 'ascii', 'b', ''), (2, 'äöü€', 'ÿþÿ', 'naïve Œ', 'ä', 'ö,ü'),
    (3, CONVERT(x'808182838485868788898a8b8c8d8e8f' USING latin1), '', CONVERT(x'909192939495969798999a9b9c9d9e9fa0ff'
    USING latin1), 'ä', 'ü');
CREATE TABLE old (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(5), e ENUM('日', 'x')) CHARACTER SET utf8mb3;
INSERT INTO old VALUES (1, '日本', '語', '日');
CREATE TABLE plain (id INT PRIMARY KEY, a VARCHAR(20), e ENUM('x', 'y')) CHARACTER SET ascii;
INSERT INTO plain VALUES (1, 'only ascii', 'y');
-- One exception among many: a default and the exceptions.
CREATE TABLE exceptions (a CHAR(1), b CHAR(1), c CHAR(1), d CHAR(1) CHARACTER SET latin1, e CHAR(1),
    g GEOMETRY, f CHAR(1) CHARACTER SET latin1, x ENUM('é'), y ENUM('é') CHARACTER SET latin1, z SET('é'),
    w SET('é'), PRIMARY KEY (a));
INSERT INTO exceptions VALUES ('é', 'é', 'é', 'é', 'é', NULL, 'é', 'é', 'é', 'é', 'é');
-- No two alike: one collation for each.
CREATE TABLE each_one (a CHAR(1) COLLATE utf8mb4_bin, b CHAR(1) CHARACTER SET latin1,
    c CHAR(1) CHARACTER SET ascii, d CHAR(1) CHARACTER SET utf8mb3, e BINARY(1),
    f CHAR(1) COLLATE utf8mb4_uca1400_ai_ci, g VARCHAR(1) COLLATE utf8mb4_nopad_bin,
    h VARCHAR(1) CHARACTER SET latin1 COLLATE latin1_swedish_nopad_ci, PRIMARY KEY (a));
INSERT INTO each_one VALUES ('é', 'é', 'e', 'é', 'e', 'é', 'é', 'é');
CREATE TABLE `tåble "q" \\ ``b``` (`cölumn "q" \\ €` INT PRIMARY KEY, `a,b` INT);
INSERT INTO `tåble "q" \\ ``b``` VALUES (1, 2);
-- Statements of clients with other character sets.
SET NAMES latin1;
CREATE TABLE from_latin1 (a INT COMMENT 'ä');
SET NAMES utf8mb3;
CREATE TABLE from_utf8mb3 (a INT COMMENT '€');
SET NAMES cp1251;
CREATE TABLE from_cp1251 (a INT);
