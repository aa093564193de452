#!/usr/bin/env python3
"""SQL of every column type at its boundaries, for `mariadb` on its input; always the same.

    boundaries.py [--state SERVER] --schema | boundaries.py [--state SERVER] [--big]

As it is, it is for MariaDB, and for comparing row by row. With `--state mariadb` or `--state mysql`
it is for that server, and for comparing what is left at the end: all tables have a key then, and
there are MariaDB's UUID, INET4 and INET6, which its log does not tell from BINARY.

Each table has one column per variant of a type (each precision of DECIMAL, each width of BIT, each
number of fraction digits ...). Each boundary is inserted, then replaced by the next one by an
update, then by NULL, and a part of the rows is deleted. There are tables without a key, with a key
of three columns in another order, with a prefix of a text as key, of other engines, with more than
a thousand columns, and statements with many rows. One log event is larger than 16 MB; with --big
several are, one of them an update.
"""

import argparse
import random
import sys

import literals as lit

DATABASE = "edge's"


class Group:
    """A table of variants of one kind. The first column is the key `id`, where there is a key."""

    def __init__(self, name, variants, key="id INT NOT NULL PRIMARY KEY", options="ENGINE=InnoDB"):
        self.name = f"{lit.quote(DATABASE)}.{lit.quote(name)}"
        self.variants = variants  # (declaration, literals)
        self.key = key
        self.options = options
        self.count = max(len(literals) for _, literals in variants)

    def schema(self):
        columns = [self.key] if self.key else []
        columns += [f"c{i} {declaration}" for i, (declaration, _) in enumerate(self.variants)]
        return f"CREATE TABLE {self.name} ({','.join(columns)}) {self.options};\n"

    def value(self, variant, row):
        literals = self.variants[variant][1]
        return literals[row % len(literals)]

    def row(self, row):
        cells = [str(row)] if self.key else []
        return "(" + ",".join(cells + [self.value(v, row) for v in range(len(self.variants))]) + ")"

    def changes(self):
        out, columns = [], ""
        if any("INVISIBLE" in declaration for declaration, _ in self.variants):
            columns = "(id," + ",".join(f"c{v}" for v in range(len(self.variants))) + ") "
        for first in range(0, self.count, 40):  # statements with 40 rows, the last one with fewer
            rows = range(first, min(self.count, first + 40))
            out.append(f"INSERT INTO {self.name} {columns}VALUES {','.join(map(self.row, rows))};\n")
        numbers = range(len(self.variants))
        if not self.key:
            out.append(
                f"UPDATE {self.name} SET c0 = NULL LIMIT 3;\nDELETE FROM {self.name} LIMIT 5;\n"
            )
            return "".join(out)
        for row in range(self.count):
            changed = ",".join(f"c{v}={self.value(v, row + 1)}" for v in numbers)
            out.append(f"UPDATE {self.name} SET {changed} WHERE id={row};\n")
        nullable = [v for v in numbers if "NOT NULL" not in self.variants[v][0]]
        if nullable:
            nothing = ",".join(f"c{v}=NULL" for v in nullable)
            out.append(f"UPDATE {self.name} SET {nothing} WHERE id % 3 = 0;\n")
            # One NULL at a time moves through the bitmap of NULLs.
            out += [
                f"UPDATE {self.name} SET c{v}=NULL WHERE id={1 + v * 3 % self.count};\n"
                for v in nullable
            ]
        out.append(f"DELETE FROM {self.name} WHERE id % 4 = 1;\n")
        return "".join(out)


def text_variants(rng, charset):
    def words(length, count=25):
        return lit.words(rng, charset, length, count)

    widest = {"utf8mb4": 4, "utf8mb3": 3}.get(charset, 1)
    cs = f"CHARACTER SET {charset}"
    # Around the lengths where the log spends another byte on a length: 255 bytes, 256, 65535.
    chars = sorted({1, 2, 63 // widest, 255 // widest, 256 // widest + 1, 255} & set(range(1, 256)))
    found = [(f"CHAR({n}) {cs}", words(n)) for n in chars]
    found += [
        (f"VARCHAR({n}) {cs}", words(n))
        for n in sorted({1, 255 // widest, 255 // widest + 1, 256, 300, 1000})
    ]
    found += [
        (f"{kind} {cs}", words(most))
        for kind, most in (
            ("TINYTEXT", 255 // widest),
            ("TEXT", 400),
            ("MEDIUMTEXT", 400),
            ("LONGTEXT", 400),
        )
    ]
    return found


def addresses(rng):
    """MariaDB's; more of them have zeros at their end, which are not in the log."""
    sixes = ["::", "::1", "::1.2.3.4", "::ffff:1.2.3.4", "1::", "2001:db8::", "fe80:0:1::2:0"]
    fours = ["0.0.0.0", "255.255.255.255", "1.2.3.0", "1.0.0.0", "10.0.20.130"]
    uuids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    for index in range(40):
        words = [rng.choice((0, 0, 1, 0xFFFF, rng.randrange(65536))) for _ in range(8)]
        sixes.append(":".join(f"{word:x}" for word in words))
        fours.append(".".join(str(rng.choice((0, 9, 10, 99, 100, 255))) for _ in range(4)))
        digits = rng.randbytes(16 - index % 4).hex().ljust(32, "0")
        uuids.append("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
    return [("UUID", uuids), ("INET6", sixes), ("INET4", fours), ("BINARY(16)", ["'x'", "''"])]


def own_groups(rng, mysql):
    """What only one of the two servers has, or has otherwise."""
    largest = 30 if mysql else 38
    out = [
        Group(
            "unsigned decimals",
            [
                (f"DECIMAL({p},{s}) UNSIGNED", lit.decimals(rng, p, s, True, 6))
                for p, s in ((1, 0), (9, 9), (10, 1), (65, largest))
            ],
        ),
        Group(
            "shapes",
            [
                (
                    kind,
                    lit.shapes(rng, kind, (0, 3857), 25, in_degrees=(4326, 4258))
                    if mysql
                    else lit.shapes(rng, kind, (0, 4326, 1, 2**32 - 1), 25),
                )
                for kind in (
                    "GEOMETRY",
                    "POINT",
                    "LINESTRING",
                    "POLYGON",
                    "MULTIPOINT",
                    "MULTILINESTRING",
                    "MULTIPOLYGON",
                    "GEOMETRYCOLLECTION",
                )
            ],
        ),
    ]
    if mysql:
        vectors = lit.vectors(rng)
        out.append(Group("vectors", [("VECTOR(3)", vectors), ("VECTOR(3) NOT NULL", vectors)]))
        out.append(Group("opaque", [("JSON", opaque_documents())]))
        out.append(
            Group(
                "hidden",
                [
                    ("INT INVISIBLE", ["1", "2"]),
                    ("JSON", ["'[1, 2]'", "'{}'"]),
                    ("VARCHAR(9) INVISIBLE", ["'a'", "''"]),
                ],
            )
        )
    else:
        out.append(
            Group(
                "Aria",
                [("INT", lit.integers(rng, 32, False, 10)), ("BLOB", lit.blobs(rng, 50))],
                options="ENGINE=Aria",
            )
        )
    return out


def opaque_documents():
    """MySQL's JSON of values that JSON does not have, and of numbers at their boundaries."""
    values = lit.opaque_values() + [
        "1e-15",
        "1e-16",
        "1e15",
        "1234567890123456.7",
        "-32769",
        "65536",
        "4294967296",
        "18446744073709551615",
        "REPEAT('x', 127)",
        "REPEAT('x', 128)",
        "REPEAT('long', 20000)",
    ]
    deep = f"'{'[' * 100}{']' * 100}'"
    return [f"JSON_ARRAY({value})" for value in values] + [
        f"JSON_OBJECT('k', {value}, '', 1)" for value in values
    ] + [deep, "CONCAT('[', REPEAT('1,', 40000), '65536]')"]


def groups(state=None):
    rng = random.Random(20240229)
    mysql = state == "mysql"
    out = []
    integers = []
    for name, bits in (
        ("TINYINT", 8),
        ("SMALLINT", 16),
        ("MEDIUMINT", 24),
        ("INT", 32),
        ("BIGINT", 64),
    ):
        integers += [
            (name, lit.integers(rng, bits, False)),
            (f"{name} UNSIGNED", lit.integers(rng, bits, True)),
            (f"{name} NOT NULL", lit.integers(rng, bits, False)),
            (f"{name}(3) UNSIGNED ZEROFILL", lit.integers(rng, bits, True)),
        ]
    out.append(Group("integers", integers))
    out.append(
        Group(
            "reals",
            [
                ("FLOAT", lit.floats(rng)),
                ("FLOAT UNSIGNED", lit.floats(rng, True)),
                ("FLOAT(9,3)", ["0", "-999.125", "0.001"]),
                ("DOUBLE", lit.doubles(rng)),
                ("DOUBLE UNSIGNED", lit.doubles(rng, True)),
                ("DOUBLE(20,3)", ["0", "-999.125", "1e15"]),
                ("FLOAT(30)", lit.doubles(rng)),
                ("REAL NOT NULL", lit.doubles(rng)),
            ],
        )
    )
    for first in range(1, 66, 13):
        sizes = [
            (p, s)
            for p in range(first, min(66, first + 13))
            for s in sorted({0, 1, p // 2, p - 1, p})
            if s <= min(p, 30 if mysql else 38)
        ]
        out.append(
            Group(
                f"decimals {first}",
                [(f"DECIMAL({p},{s})", lit.decimals(rng, p, s, count=4)) for p, s in sizes],
            )
        )
    out.append(Group("bits", [(f"BIT({n})", lit.bits(rng, n)) for n in range(1, 65)]))
    every_fraction = range(7)
    out.append(
        Group(
            "calendar",
            [("YEAR", ["0", "1901", "2155", "2024"]), ("DATE", lit.dates(rng))]
            + [(f"TIME({n})", lit.times(rng, n)) for n in every_fraction]
            + [(f"DATETIME({n})", lit.datetimes(rng, n)) for n in every_fraction]
            + [(f"TIMESTAMP({n}) NULL", lit.timestamps(rng, n)) for n in every_fraction],
        )
    )
    for charset in ("utf8mb4", "utf8mb3", "latin1", "ascii"):
        out.append(Group(f"texts {charset}", text_variants(rng, charset)))
    # Columns of several character sets in one table: the log has one default and its exceptions.
    out.append(
        Group(
            "texts mixed",
            [
                ("CHAR(9) CHARACTER SET latin1", lit.words(rng, "latin1", 9)),
                ("INT", ["1"]),
                ("VARCHAR(9) CHARACTER SET ascii", lit.words(rng, "ascii", 9)),
                ("VARCHAR(9) CHARACTER SET utf8mb4", lit.words(rng, "utf8mb4", 9)),
                ("BLOB", lit.blobs(rng, 30)),
                ("TEXT CHARACTER SET latin1", lit.words(rng, "latin1", 30)),
                ("ENUM('ä','b') CHARACTER SET latin1", ["'ä'", "'b'"]),
                ("VARBINARY(9)", lit.blobs(rng, 9)),
                ("CHAR(3) CHARACTER SET utf8mb3", lit.words(rng, "utf8mb3", 3)),
                ("VARCHAR(5) COLLATE utf8mb4_bin", lit.words(rng, "utf8mb4", 5)),
            ],
        )
    )
    latin = "_latin1 X'" + bytes(range(1, 256)).hex() + "'"
    out.append(
        Group(
            "every latin1 byte",
            [
                ("VARCHAR(255) CHARACTER SET latin1", [latin, "_latin1 X'00'"]),
                ("TEXT CHARACTER SET latin1", ["_latin1 X'8081ff'", latin]),
            ],
        )
    )
    out.append(
        Group(
            "bytes",
            [(f"BINARY({n})", lit.blobs(rng, n, 20)) for n in (0, 1, 8, 16, 254, 255)]
            + [(f"VARBINARY({n})", lit.blobs(rng, n, 20)) for n in (0, 1, 254, 255, 256, 1000)]
            + [
                (kind, lit.blobs(rng, n, 20))
                for kind, n in (
                    ("TINYBLOB", 255),
                    ("BLOB", 600),
                    ("MEDIUMBLOB", 600),
                    ("LONGBLOB", 600),
                )
            ],
        )
    )
    out.append(
        Group(
            "lengths",
            [
                ("TINYTEXT", ["REPEAT('a',255)", "''"]),
                ("TEXT", ["REPEAT('a',65535)", "REPEAT('b',256)"]),
                ("MEDIUMTEXT", ["REPEAT('a',65536)", "''"]),
                ("LONGBLOB", ["REPEAT(X'00ff',70000)", "''"]),
                ("VARCHAR(6000)", ["REPEAT('é',6000)", "'e'"]),
            ],
        )
    )
    enums = [
        (
            f"ENUM({','.join(lit.literal_members(lit.members(n)))})",
            lit.literal_members(lit.members(n)) + ["'not one'"],
        )
        for n in (1, 2, 255, 256, 300)
    ]
    sets = [
        (f"SET({','.join(lit.literal_members(lit.members(n)))})", lit.sets(rng, lit.members(n)))
        for n in (1, 2, 7, 8, 9, 16, 17, 24, 25, 32, 33, 40, 48, 56, 63, 64)
    ]
    out += [
        Group("enums", enums),
        Group("sets", sets),
        Group("documents", [("JSON", lit.documents(rng)), ("JSON NOT NULL", lit.documents(rng))]),
    ]
    out += own_groups(rng, mysql)
    if state == "mariadb":
        out.append(
            Group(
                "addresses",
                [
                    (kind, literals if kind[0] == "B" else lit.literal_members(literals))
                    for kind, literals in addresses(rng)
                ],
            )
        )
    out.append(Group("only numbers", [("INT", ["1", "-1"]), ("BIGINT", ["2"])]))
    out.append(Group("no numbers", [("VARCHAR(3)", ["'a'", "'b'"])], key=None))
    out.append(
        Group(
            "no key",
            [
                ("INT", lit.integers(rng, 32, False, 30)),
                ("VARCHAR(10)", lit.words(rng, "utf8mb4", 10)),
            ],
            key=None,
        )
    )
    out.append(
        Group(
            "MyISAM",
            [("INT", lit.integers(rng, 32, False, 10)), ("TEXT", lit.words(rng, "utf8mb4", 50))],
            options="ENGINE=MyISAM",
        )
    )
    out.append(
        Group(
            "wide",
            [("TINYINT" if n % 3 else "VARCHAR(4)", ["1", "2", "3"]) for n in range(1000)],
            options="ENGINE=InnoDB ROW_FORMAT=DYNAMIC",
        )
    )
    out.append(
        Group(
            "partitioned",
            [("INT", lit.integers(rng, 32, False, 10))],
            options="ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 4",
        )
    )
    return [group for group in out if group.key or state is None]


DIGITS = "(" + " UNION ".join(f"SELECT {digit} d" for digit in range(10)) + ")"
KEYS = f"""
CREATE TABLE {lit.quote(DATABASE)}.three (z INT, a VARCHAR(20) COLLATE utf8mb4_bin, m BINARY(3),
    v INT, PRIMARY KEY (m, a, z)) ENGINE=InnoDB;
CREATE TABLE {lit.quote(DATABASE)}.prefix (v INT, t VARCHAR(300) COLLATE utf8mb4_bin, b BLOB,
    PRIMARY KEY (t(20), b(5))) ENGINE=InnoDB;
CREATE TABLE {lit.quote(DATABASE)}.only_key (a INT, b INT, PRIMARY KEY (b, a)) ENGINE=InnoDB;
CREATE TABLE {lit.quote(DATABASE)}.big (id INT PRIMARY KEY, t LONGTEXT, b LONGBLOB) ENGINE=InnoDB;
"""
KEY_CHANGES = f"""USE {lit.quote(DATABASE)};
INSERT INTO three VALUES (1, 'a:b', X'010000', 1),
    (-2, '\\\\', X'000001', NULL), (3, '', X'000000', 3);
UPDATE three SET z = z + 1;
UPDATE three SET m = X'ff', v = NULL WHERE z = 2;
INSERT INTO prefix VALUES (1, REPEAT('long', 70), X'0000000000ff'),
    (2, 'short', ''), (3, '', X'00');
UPDATE prefix SET v = v + 1, t = CONCAT(t, '!');
DELETE FROM prefix WHERE v = 3;
INSERT INTO only_key SELECT n, n MOD 7 FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 1 n
    FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, (SELECT 0 d UNION SELECT 1 UNION SELECT 2) d) numbers;
UPDATE only_key SET b = b + 10 WHERE a MOD 5 = 0;
DELETE FROM only_key WHERE a MOD 3 = 0;
BEGIN; INSERT INTO three VALUES (10, 'kept', X'aa', 1); SAVEPOINT s;
INSERT INTO three VALUES (11, 'undone', X'aa', 1);
ROLLBACK TO s; INSERT INTO three VALUES (12, 'kept', X'aa', 1); COMMIT;
BEGIN; INSERT INTO three VALUES (13, 'undone', X'aa', 1); ROLLBACK;
REPLACE INTO three VALUES (12, 'kept', X'aa', 2), (14, 'new', X'aa', 1);
INSERT INTO three VALUES (14, 'new', X'aa', 1) ON DUPLICATE KEY UPDATE v = 77;
INSERT INTO only_key SELECT z, z FROM three WHERE z > 9;
"""
LONG_CHANGES = f"""USE {lit.quote(DATABASE)};
INSERT INTO big VALUES (1, REPEAT('0123456789abcdef', 1048576), 'x');
"""
BIG_CHANGES = """
INSERT INTO big VALUES (2, 'small', REPEAT(X'00ff5c22', 4200000));
UPDATE big SET b = NULL, t = CONCAT(t, 'é') WHERE id = 1;
DELETE FROM big WHERE id = 2;
"""


def main():
    parser = argparse.ArgumentParser(description="SQL of all types at their boundaries")
    parser.add_argument("--schema", action="store_true", help="print the tables instead")
    parser.add_argument("--big", action="store_true", help="more values of 16 MB")
    parser.add_argument("--state", choices=("mariadb", "mysql"), help="for comparing the state")
    arguments = parser.parse_args()
    tables = groups(arguments.state)
    out = [lit.PROLOGUE]
    if arguments.schema:
        out.append(
            f"CREATE DATABASE {lit.quote(DATABASE)} CHARACTER SET utf8mb4;\n"
            f"USE {lit.quote(DATABASE)};\n"
        )
        out += [group.schema() for group in tables] + [KEYS]
    else:
        out += [group.changes() for group in tables] + [KEY_CHANGES, LONG_CHANGES]
        if arguments.big:
            out.append(BIG_CHANGES)
    sys.stdout.write("".join(out))


if __name__ == "__main__":
    main()
