#include "lib/shapes.h"

const char rf_test_shapes[] =
    "CREATE DATABASE shop;\n"
    "USE shop;\n"
    "CREATE TABLE numbers (a TINYINT, b TINYINT UNSIGNED, c SMALLINT UNSIGNED, d MEDIUMINT, "
    "e MEDIUMINT UNSIGNED ZEROFILL, f INT UNSIGNED, g BIGINT UNSIGNED NOT NULL, h FLOAT, "
    "i FLOAT(30), j DOUBLE, k FLOAT(7,3), l DECIMAL(10,0), m DECIMAL(65,30) UNSIGNED, n BIT(1), "
    "o BIT(64), p YEAR, q DOUBLE UNSIGNED, r BOOL DEFAULT TRUE, PRIMARY KEY (g));\n"
    "CREATE TABLE times (a DATE, b TIME, c TIME(3), d DATETIME NOT NULL DEFAULT "
    "current_timestamp() ON UPDATE current_timestamp(), e DATETIME(6), f TIMESTAMP NULL, "
    "g TIMESTAMP(2) NOT NULL DEFAULT '2024-02-03 04:05:06.78', UNIQUE KEY (a));\n"
    "CREATE TABLE texts (a CHAR(3), b CHAR(255), c VARCHAR(10) NOT NULL DEFAULT 'it''s \\\\ (', "
    "d VARCHAR(300), e TINYTEXT, f TEXT COMMENT 'a, b) `c', g MEDIUMTEXT, h LONGTEXT, "
    "i BINARY(16), j VARBINARY(300), k TINYBLOB, l BLOB, m LONGBLOB, n CHAR(7) CHARACTER SET "
    "latin1, "
    "o VARCHAR(255) CHARACTER SET latin1 COLLATE latin1_bin, p TEXT CHARACTER SET ascii, "
    "q VARCHAR(20) COLLATE utf8mb4_bin, r VARCHAR(20) CHARACTER SET utf8mb3, "
    "s CHAR(5) CHARACTER SET binary, t JSON, KEY (c, d(3)), PRIMARY KEY (c, a, d(5)) USING BTREE) "
    "DEFAULT CHARSET=utf8mb4;\n"
    "CREATE TABLE latin (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, e ENUM('ä','ö','''x\\\\y'), "
    "s SET('a','b','ü')) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1 "
    "COMMENT='charset=utf8; (';\n"
    "CREATE TABLE many (id INT PRIMARY KEY, e ENUM('one','two','three') NOT NULL, "
    "s SET('1','2','3','4','5','6','7','8','9'), b SET('a','b') CHARACTER SET latin1);\n"
    "CREATE TABLE other (a UUID, b INET4, c INET6, d POINT, e GEOMETRY NOT NULL, f LINESTRING, "
    "PRIMARY KEY (a));\n"
    "CREATE TABLE derived (a INT PRIMARY KEY, b INT AS (a + 1) VIRTUAL, c VARCHAR(20) AS "
    "(CONCAT(a, ',)')) STORED, d INT INVISIBLE DEFAULT 5, e INT DEFAULT (1 + (2 * 3)), "
    "CHECK (a > 0), CONSTRAINT chk CHECK (d > (0)));\n"
    "CREATE TABLE `we``ird, (name` (`co``l` INT, `primary` INT, `key` VARCHAR(3), "
    "PRIMARY KEY (`co``l`,`primary`), KEY `k``` (`key`));\n"
    "CREATE TABLE child (id INT, t INT, FULLTEXT KEY (note), note TEXT, KEY (t), "
    "CONSTRAINT fk FOREIGN KEY (t) REFERENCES latin (id) ON DELETE CASCADE);\n"
    "CREATE TABLE parts (a INT NOT NULL, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS "
    "THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);\n"
    "CREATE TABLE versions (a INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING;\n"
    "CREATE TABLE periods (a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) "
    "GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(s, e), PRIMARY KEY (a, e)) "
    "WITH SYSTEM VERSIONING;\n"
    "CREATE VIEW v AS SELECT a FROM numbers;\n"
    "CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW SET NEW.note = 'CREATE TABLE x (';\n"
    "CREATE PROCEDURE pr() BEGIN SELECT 1; END";

const char rf_test_shape_rows[] =
    "SET NAMES utf8mb4;\n"
    "USE shop;\n"
    "INSERT INTO numbers VALUES (-1, 255, 65535, -8388608, 16777215, 4294967295, "
    "18446744073709551615, 1.5, 2.25, -3.5, 1.125, -5, 1.000000000000000000000000000001, 1, 5, "
    "2024, "
    "7, FALSE);\n"
    "INSERT INTO times VALUES ('2024-02-29', '-01:02:03', '10:11:12.345', '2024-01-02 03:04:05', "
    "'2024-01-02 03:04:05.678901', NULL, '2024-05-06 07:08:09.12');\n"
    "INSERT INTO texts VALUES ('ä', 'b', 'c', 'd', 'e', 'f', 'g', 'h', x'0102030000', x'ff00', "
    "x'00', x'fe', 'm', 'n', 'ö', 'p', 'q', 'r', x'01', '{\"a\":1}');\n"
    "INSERT INTO latin VALUES (1, 'grün', 'ö', 'a,ü'), (2, NULL, '''x\\\\y', '');\n"
    "INSERT INTO many VALUES (1, 'three', '1,9', 'b');\n"
    "INSERT INTO other VALUES ('123e4567-e89b-12d3-a456-426655440000', '1.2.3.0', '::1', "
    "POINT(1,2), POINT(3,4), NULL);\n"
    "INSERT INTO derived (a, d) VALUES (1, 9);\n"
    "INSERT INTO `we``ird, (name` VALUES (1, 2, 'x');\n"
    "INSERT INTO child VALUES (1, 1, NULL);\n"
    "INSERT INTO parts VALUES (1, 2), (20, 3);\n"
    "INSERT INTO versions VALUES (1, 2);\n"
    "UPDATE versions SET b = 3;\n"
    "INSERT INTO periods (a) VALUES (4);\n"
    "UPDATE many SET e = 'one'";

void rf_test_table_print(struct rf_buf *out, const struct rf_table *table)
{
    rf_buf_printf(out, "%.*s:", RF_STR_ARG(table->full_name));
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        rf_buf_printf(out, " %.*s %u/%u %d%d%d %u,%u,%u %u", RF_STR_ARG(column->name), column->type,
                      column->charset, column->is_unsigned, column->nullable, column->key,
                      column->precision, column->scale, column->length, column->member_count);
        for (uint32_t member = 0; member < column->member_count; member++) {
            rf_buf_printf(out, "'%.*s'", RF_STR_ARG(column->members[member]));
        }
    }
    rf_buf_printf(out, " key");
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_printf(out, " %u", table->key_columns[i]);
    }
    rf_buf_add_byte(out, '\n');
}

void rf_test_text_plain(struct rf_buf *text)
{
    for (size_t i = 0; i < text->size; i++) {
        text->data[i] = text->data[i] == '\0' ? '@' : text->data[i];
    }
}
