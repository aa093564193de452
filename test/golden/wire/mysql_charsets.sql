-- Every character set that is not UTF-8, latin1 or ascii already: text, members, statements; and bytes
-- that are no characters in them.
CREATE DATABASE golden CHARACTER SET utf8mb4;
USE golden;
CREATE TABLE armscii8 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Բարեւ', 'x'),
    s SET('x', 'Բարեւ')) CHARACTER SET armscii8;
INSERT INTO armscii8 VALUES (1, 'Բարեւ a', 'Բարեւ', 'Բարեւ', 'Բարեւ', 'x,Բարեւ');
CREATE TABLE big5 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('中文', 'x'),
    s SET('x', '中文')) CHARACTER SET big5;
INSERT INTO big5 VALUES (1, '中文 a', '中文', '中文', '中文', 'x,中文');
CREATE TABLE cp1250 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Žluťoučký', 'x'),
    s SET('x', 'Žluťoučký')) CHARACTER SET cp1250;
INSERT INTO cp1250 VALUES (1, 'Žluťoučký a', 'Žluťoučký', 'Žluťoučký', 'Žluťoučký', 'x,Žluťoučký');
CREATE TABLE cp1251 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Жар', 'x'),
    s SET('x', 'Жар')) CHARACTER SET cp1251;
INSERT INTO cp1251 VALUES (1, 'Жар a', 'Жар', 'Жар', 'Жар', 'x,Жар');
CREATE TABLE cp1256 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('سلام', 'x'),
    s SET('x', 'سلام')) CHARACTER SET cp1256;
INSERT INTO cp1256 VALUES (1, 'سلام a', 'سلام', 'سلام', 'سلام', 'x,سلام');
CREATE TABLE cp1257 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Ąžuolas', 'x'),
    s SET('x', 'Ąžuolas')) CHARACTER SET cp1257;
INSERT INTO cp1257 VALUES (1, 'Ąžuolas a', 'Ąžuolas', 'Ąžuolas', 'Ąžuolas', 'x,Ąžuolas');
CREATE TABLE cp850 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('é█', 'x'),
    s SET('x', 'é█')) CHARACTER SET cp850;
INSERT INTO cp850 VALUES (1, 'é█ a', 'é█', 'é█', 'é█', 'x,é█');
CREATE TABLE cp852 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Łódź', 'x'),
    s SET('x', 'Łódź')) CHARACTER SET cp852;
INSERT INTO cp852 VALUES (1, 'Łódź a', 'Łódź', 'Łódź', 'Łódź', 'x,Łódź');
CREATE TABLE cp866 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Ж█', 'x'),
    s SET('x', 'Ж█')) CHARACTER SET cp866;
INSERT INTO cp866 VALUES (1, 'Ж█ a', 'Ж█', 'Ж█', 'Ж█', 'x,Ж█');
CREATE TABLE cp932 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('日本～①', 'x'),
    s SET('x', '日本～①')) CHARACTER SET cp932;
INSERT INTO cp932 VALUES (1, '日本～① a', '日本～①', '日本～①', '日本～①', 'x,日本～①');
CREATE TABLE dec8 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Œuvre', 'x'),
    s SET('x', 'Œuvre')) CHARACTER SET dec8;
INSERT INTO dec8 VALUES (1, 'Œuvre a', 'Œuvre', 'Œuvre', 'Œuvre', 'x,Œuvre');
CREATE TABLE eucjpms (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('日本～①', 'x'),
    s SET('x', '日本～①')) CHARACTER SET eucjpms;
INSERT INTO eucjpms VALUES (1, '日本～① a', '日本～①', '日本～①', '日本～①', 'x,日本～①');
CREATE TABLE euckr (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('한국', 'x'),
    s SET('x', '한국')) CHARACTER SET euckr;
INSERT INTO euckr VALUES (1, '한국 a', '한국', '한국', '한국', 'x,한국');
CREATE TABLE gb2312 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('中文', 'x'),
    s SET('x', '中文')) CHARACTER SET gb2312;
INSERT INTO gb2312 VALUES (1, '中文 a', '中文', '中文', '中文', 'x,中文');
CREATE TABLE gbk (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('中乣文', 'x'),
    s SET('x', '中乣文')) CHARACTER SET gbk;
INSERT INTO gbk VALUES (1, '中乣文 a', '中乣文', '中乣文', '中乣文', 'x,中乣文');
CREATE TABLE geostd8 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('გამარჯობა', 'x'),
    s SET('x', 'გამარჯობა')) CHARACTER SET geostd8;
INSERT INTO geostd8 VALUES (1, 'გამარჯობა a', 'გამარჯობა', 'გამარჯობა', 'გამარჯობა', 'x,გამარჯობა');
CREATE TABLE greek (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Ελλάδα', 'x'),
    s SET('x', 'Ελλάδα')) CHARACTER SET greek;
INSERT INTO greek VALUES (1, 'Ελλάδα a', 'Ελλάδα', 'Ελλάδα', 'Ελλάδα', 'x,Ελλάδα');
CREATE TABLE hebrew (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('שלום', 'x'),
    s SET('x', 'שלום')) CHARACTER SET hebrew;
INSERT INTO hebrew VALUES (1, 'שלום a', 'שלום', 'שלום', 'שלום', 'x,שלום');
CREATE TABLE hp8 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Ünï', 'x'),
    s SET('x', 'Ünï')) CHARACTER SET hp8;
INSERT INTO hp8 VALUES (1, 'Ünï a', 'Ünï', 'Ünï', 'Ünï', 'x,Ünï');
CREATE TABLE keybcs2 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('žluť', 'x'),
    s SET('x', 'žluť')) CHARACTER SET keybcs2;
INSERT INTO keybcs2 VALUES (1, 'žluť a', 'žluť', 'žluť', 'žluť', 'x,žluť');
CREATE TABLE koi8r (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Жар', 'x'),
    s SET('x', 'Жар')) CHARACTER SET koi8r;
INSERT INTO koi8r VALUES (1, 'Жар a', 'Жар', 'Жар', 'Жар', 'x,Жар');
CREATE TABLE koi8u (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Їжак', 'x'),
    s SET('x', 'Їжак')) CHARACTER SET koi8u;
INSERT INTO koi8u VALUES (1, 'Їжак a', 'Їжак', 'Їжак', 'Їжак', 'x,Їжак');
CREATE TABLE latin2 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Łódź', 'x'),
    s SET('x', 'Łódź')) CHARACTER SET latin2;
INSERT INTO latin2 VALUES (1, 'Łódź a', 'Łódź', 'Łódź', 'Łódź', 'x,Łódź');
CREATE TABLE latin5 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('ğüş', 'x'),
    s SET('x', 'ğüş')) CHARACTER SET latin5;
INSERT INTO latin5 VALUES (1, 'ğüş a', 'ğüş', 'ğüş', 'ğüş', 'x,ğüş');
CREATE TABLE latin7 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('ąžuol', 'x'),
    s SET('x', 'ąžuol')) CHARACTER SET latin7;
INSERT INTO latin7 VALUES (1, 'ąžuol a', 'ąžuol', 'ąžuol', 'ąžuol', 'x,ąžuol');
CREATE TABLE macce (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Žluť', 'x'),
    s SET('x', 'Žluť')) CHARACTER SET macce;
INSERT INTO macce VALUES (1, 'Žluť a', 'Žluť', 'Žluť', 'Žluť', 'x,Žluť');
CREATE TABLE macroman (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('Œ∞', 'x'),
    s SET('x', 'Œ∞')) CHARACTER SET macroman;
INSERT INTO macroman VALUES (1, 'Œ∞ a', 'Œ∞', 'Œ∞', 'Œ∞', 'x,Œ∞');
CREATE TABLE sjis (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('日本ｱ', 'x'),
    s SET('x', '日本ｱ')) CHARACTER SET sjis;
INSERT INTO sjis VALUES (1, '日本ｱ a', '日本ｱ', '日本ｱ', '日本ｱ', 'x,日本ｱ');
CREATE TABLE swe7 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('ÅÄÖé', 'x'),
    s SET('x', 'ÅÄÖé')) CHARACTER SET swe7;
INSERT INTO swe7 VALUES (1, 'ÅÄÖé a', 'ÅÄÖé', 'ÅÄÖé', 'ÅÄÖé', 'x,ÅÄÖé');
CREATE TABLE tis620 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('ไทย', 'x'),
    s SET('x', 'ไทย')) CHARACTER SET tis620;
INSERT INTO tis620 VALUES (1, 'ไทย a', 'ไทย', 'ไทย', 'ไทย', 'x,ไทย');
CREATE TABLE ucs2 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('€ж日', 'x'),
    s SET('x', '€ж日')) CHARACTER SET ucs2;
INSERT INTO ucs2 VALUES (1, '€ж日 a', '€ж日', '€ж日', '€ж日', 'x,€ж日');
CREATE TABLE ujis (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('日本ｱ丂', 'x'),
    s SET('x', '日本ｱ丂')) CHARACTER SET ujis;
INSERT INTO ujis VALUES (1, '日本ｱ丂 a', '日本ｱ丂', '日本ｱ丂', '日本ｱ丂', 'x,日本ｱ丂');
CREATE TABLE utf16 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('😀日', 'x'),
    s SET('x', '😀日')) CHARACTER SET utf16;
INSERT INTO utf16 VALUES (1, '😀日 a', '😀日', '😀日', '😀日', 'x,😀日');
CREATE TABLE utf16le (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('😀日', 'x'),
    s SET('x', '😀日')) CHARACTER SET utf16le;
INSERT INTO utf16le VALUES (1, '😀日 a', '😀日', '😀日', '😀日', 'x,😀日');
CREATE TABLE utf32 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('😀日', 'x'),
    s SET('x', '😀日')) CHARACTER SET utf32;
INSERT INTO utf32 VALUES (1, '😀日 a', '😀日', '😀日', '😀日', 'x,😀日');
CREATE TABLE gb18030 (id INT PRIMARY KEY, a VARCHAR(20), b CHAR(10), c TEXT, e ENUM('中乣𠀀é', 'x'),
    s SET('x', '中乣𠀀é')) CHARACTER SET gb18030;
INSERT INTO gb18030 VALUES (1, '中乣𠀀é a', '中乣𠀀é', '中乣𠀀é', '中乣𠀀é', 'x,中乣𠀀é');
CREATE TABLE u (a VARCHAR(5) COLLATE utf8mb4_0900_ai_ci, b VARCHAR(5) COLLATE utf8mb4_ja_0900_as_cs,
    c VARCHAR(5) COLLATE utf8mb4_mn_cyrl_0900_as_cs, d VARCHAR(5) CHARACTER SET latin1, e VARCHAR(5) CHARACTER SET ascii,
    f VARCHAR(5) CHARACTER SET utf8mb3);
INSERT INTO u VALUES ('é', '日', 'ж', '€', 'e', '€');
-- As the server lets them in.
INSERT INTO gbk VALUES (2, x'a2a0', '', x'61a2a062', 'x', '');
INSERT INTO ucs2 VALUES (2, x'd800', '', x'0061dfff0062', 'x', '');
INSERT INTO swe7 VALUES (2, x'ff', '', x'61ff62', 'x', '');
INSERT INTO big5 VALUES (2, x'a15a', '', x'61a15a62', 'x', '');
INSERT INTO gb18030 VALUES (2, x'8431a530', '', x'618431a53062', 'x', '');
