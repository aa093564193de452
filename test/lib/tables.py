"""The ten tables of the random load: every column type, keys and names of every sort."""

import struct

import literals as lit
from literals import hexed, quote, text_literal


class Column:
    """One column: how it is declared and what may be written into it."""

    def __init__(self, name, declaration, literals=None, big=None, nullable=True):
        self.name = name
        self.declaration = declaration
        self.literals = literals  # None: the server fills it in
        self.big = big  # an expression of more than 64 KiB
        self.nullable = nullable
        if nullable and literals is not None:
            self.literals = literals + ["NULL"] * max(1, len(literals) // 8)


class Table:
    """One table and its living keys. A key is the text of its literals, one per key column."""

    def __init__(self, database, name, columns, key, make_key, options=""):
        self.database, self.name, self.columns, self.key = database, name, columns, key
        self.make_key = make_key  # number -> literals, another key for each number
        self.options = options
        self.full_name = f"{quote(database)}.{quote(name)}"
        self.values = [c for c in columns if c.literals is not None]
        self.column_list = ",".join(quote(n) for n in key + [c.name for c in self.values])
        self.quoted_key = [quote(n) for n in key]
        self.assignments = [(quote(c.name) + "=", c) for c in self.values]
        self.made = 0
        self.keys = []  # living ones, in any order
        self.where = {}  # key -> its index in keys
        self.undo = None
        self.transactional = "MyISAM" not in options
        self.dense = False  # integer keys 1, 2, 3...: may be shifted

    def schema(self):
        lines = [f"  {quote(c.name)} {c.declaration}" for c in self.columns]
        return f"CREATE TABLE {self.full_name} (\n" + ",\n".join(lines) + f"\n) {self.options};\n"

    def new_key(self):
        self.made += 1
        return self.make_key(self.made)

    def add(self, key):
        self.where[key] = len(self.keys)
        self.keys.append(key)
        if self.undo is not None:
            self.undo.append((True, key))

    def remove(self, key):
        at = self.where.pop(key)
        last = self.keys.pop()
        if last != key:
            self.keys[at] = last
            self.where[last] = at
        if self.undo is not None:
            self.undo.append((False, key))

    def begin(self):
        self.undo = []

    def end(self, keep):
        undo, self.undo = self.undo, None
        if not keep:
            for added, key in reversed(undo):
                if added:
                    self.remove(key)
                else:
                    self.add(key)

    def match(self, key):
        return " AND ".join(f"{n}={v}" for n, v in zip(self.quoted_key, key))

    def match_any(self, keys):
        if len(self.quoted_key) == 1:
            return f"{self.quoted_key[0]} IN ({','.join(k[0] for k in keys)})"
        return "(" + ") OR (".join(self.match(k) for k in keys) + ")"


def text_columns(rng, charset):
    def words_of(length, count=60):
        return lit.words(rng, charset, length, count)

    wide = (
        "_latin1 X'e4'"
        if charset == "latin1"
        else text_literal({"utf8mb4": "😀", "utf8mb3": "€", "ascii": "a"}[charset], charset)
    )
    cs = f"CHARACTER SET {charset}"
    return [
        Column(f"c1 {charset}", f"CHAR(1) {cs}", words_of(1)),
        Column(f"c255 {charset}", f"CHAR(255) {cs}", words_of(255, 12)),
        Column(f"short {charset}", f"VARCHAR(20) {cs}", words_of(20)),
        Column(
            f"long {charset}",
            f"VARCHAR(500) {cs} NOT NULL DEFAULT ''",
            words_of(500, 12),
            nullable=False,
        ),
        Column(f"tiny {charset}", f"TINYTEXT {cs}", words_of(63, 12)),
        Column(f"text {charset}", f"TEXT {cs}", words_of(200)),
        Column(f"medium {charset}", f"MEDIUMTEXT {cs}", words_of(300), f"REPEAT({wide},70000)"),
    ]


def make_tables(rng, innodb_only, mysql=False):
    """mysql: with what only that server has, and without what it refuses."""
    tables = []
    # MariaDB takes any number; MySQL those that it knows.
    srids = (0, 3857, 32633, 27700) if mysql else (0, 4326, 1, 2**32 - 1)
    in_degrees = (4326, 4258) if mysql else ()

    def add(database, name, columns, key, make_key, options="ENGINE=InnoDB"):
        tables.append(Table(database, name, columns, key, make_key, options))
        return tables[-1]

    columns = [Column("id", "INT NOT NULL PRIMARY KEY")]
    for name, width in (("tiny", 8), ("small", 16), ("medium", 24), ("normal", 32), ("big", 64)):
        sql = {
            "tiny": "TINYINT",
            "small": "SMALLINT",
            "medium": "MEDIUMINT",
            "normal": "INT",
            "big": "BIGINT",
        }[name]
        columns.append(Column(name, sql, lit.integers(rng, width, False)))
        columns.append(Column(f"{name}_u", f"{sql} UNSIGNED", lit.integers(rng, width, True)))
    columns.append(Column("zero", "INT(10) UNSIGNED ZEROFILL", lit.integers(rng, 32, True)))
    columns.append(Column("truth", "BOOL NOT NULL DEFAULT 0", ["0", "1"], nullable=False))
    add("story", "integers", columns, ["id"], lambda n: (str(n),)).dense = True

    columns = [
        Column("id", "BIGINT UNSIGNED NOT NULL PRIMARY KEY"),
        Column("f", "FLOAT", lit.floats(rng)),
        Column("fu", "FLOAT UNSIGNED", lit.floats(rng, True)),
        Column("f7.4", "FLOAT(7,4)", [f"{rng.uniform(-999, 999):.4f}" for _ in range(30)]),
        Column("d", "DOUBLE", lit.doubles(rng)),
        Column("du", "DOUBLE UNSIGNED", lit.doubles(rng, True)),
        Column("d10.5", "DOUBLE(10,5)", [f"{rng.uniform(-99999, 99999):.5f}" for _ in range(30)]),
    ]
    for precision, scale in (
        (65, 30),
        (10, 0),
        (5, 5),
        (1, 1),
        (1, 0),
        (9, 9),
        (18, 9),
        (38, 20),
        (65, 0),
        (19, 10),
    ):
        columns.append(
            Column(
                f"dec{precision},{scale}",
                f"DECIMAL({precision},{scale})",
                lit.decimals(rng, precision, scale),
            )
        )
    columns.append(
        Column(
            "money",
            "DECIMAL(12,2) UNSIGNED NOT NULL DEFAULT 0",
            lit.decimals(rng, 12, 2, True),
            nullable=False,
        )
    )
    add("story", "real numbers", columns, ["id"], lambda n: (str(2**64 - n),))

    columns = [Column("n", "SMALLINT NOT NULL")]
    columns += [
        Column(f"b{w}", f"BIT({w})", lit.bits(rng, w))
        for w in (1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 48, 56, 63, 64)
    ]
    columns += [
        Column("y", "YEAR", ["0", "1901", "2155", "1999", "2024", "1970"]),
        Column("yk", "YEAR NOT NULL"),
        Column("bk", "BIT(12) NOT NULL, PRIMARY KEY (yk, n, bk)"),
    ]
    add(
        "story",
        "bits",
        columns,
        ["yk", "n", "bk"],
        lambda n: (str((0, 1901, 2155, 2000)[n % 4]), str(n // 4096 - 16), f"b'{n % 4096:b}'"),
    )

    columns = [
        Column("day", "DATE NOT NULL"),
        Column("at", "DATETIME(3) NOT NULL, PRIMARY KEY (at, day)"),
        Column("d", "DATE", lit.dates(rng)),
    ]
    for digits in range(7):
        columns.append(Column(f"t{digits}", f"TIME({digits})", lit.times(rng, digits)))
        columns.append(Column(f"dt{digits}", f"DATETIME({digits})", lit.datetimes(rng, digits)))
        columns.append(
            Column(
                f"ts{digits}", f"TIMESTAMP({digits}) NULL DEFAULT NULL", lit.timestamps(rng, digits)
            )
        )
    add(
        "two wörds",
        "calendar",
        columns,
        ["day", "at"],
        lambda n: (
            f"'{('0000-00-00', '2024-02-29', '9999-12-31')[n % 3]}'",
            f"'2024-{n % 12 + 1:02d}-{n % 28 + 1:02d} "
            f"{n % 24:02d}:{n // 24 % 60:02d}:{n // 1440 % 60:02d}.{n // 86400:03d}'",
        ),
    )

    endings = ["", ":", "\\", "a:b", " ", "ü", "😀", "'", '"', "\n", "\x01"]
    columns = [
        Column("k", "VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY")
    ]
    columns += text_columns(rng, "utf8mb4") + [
        Column("longest", "LONGTEXT", lit.words(rng, "utf8mb4", 400), "REPEAT('0123456789',9000)")
    ]
    add(
        "story",
        "texts",
        columns,
        ["k"],
        lambda n: (
            text_literal(
                endings[n % len(endings)] + str(n) + endings[n * 7 % len(endings)] + "x", "utf8mb4"
            ),
        ),
    )

    columns = [
        Column("k", "VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL"),
        Column(
            "k2", "CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, PRIMARY KEY (k, k2)"
        ),
    ]
    for charset in ("latin1", "utf8mb3", "ascii"):
        columns += text_columns(rng, charset)
    add(
        "story",
        "charsets",
        columns,
        ["k", "k2"],
        lambda n: (
            text_literal(bytes([0x80 + n % 128]) + str(n).encode(), "latin1"),
            text_literal(("a:b", "c\\", "d")[n % 3], "ascii"),
        ),
    )

    columns = [
        Column("k", "BINARY(6) NOT NULL"),
        Column("k2", "VARBINARY(5) NOT NULL, PRIMARY KEY (k, k2)"),
        Column("b1", "BINARY(1)", lit.blobs(rng, 1)),
        Column("b20", "BINARY(20)", lit.blobs(rng, 20)),
        Column("b255", "BINARY(255)", lit.blobs(rng, 255, 6)),
        Column("v8", "VARBINARY(8)", lit.blobs(rng, 8)),
        Column("v300", "VARBINARY(300) NOT NULL DEFAULT ''", lit.blobs(rng, 300), nullable=False),
        Column("tiny", "TINYBLOB", lit.blobs(rng, 255, 12)),
        Column("blob", "BLOB", lit.blobs(rng, 500)),
        Column("medium", "MEDIUMBLOB", lit.blobs(rng, 100), "REPEAT(X'00ff',40000)"),
        Column("longest", "LONGBLOB", lit.blobs(rng, 100), "REPEAT(X'5c00223a',20000)"),
        Column("char_binary", "CHAR(7) CHARACTER SET binary", lit.blobs(rng, 7)),
    ]
    add(
        "story",
        "bytes",
        columns,
        ["k", "k2"],
        lambda n: (
            hexed(struct.pack(">I", n) + b"\0\0" if n % 2 else struct.pack("<IH", n, 0)),
            hexed((b"", b"\0", b":\\", b"\xff\0")[n % 4]),
        ),
        "ENGINE=InnoDB" if innodb_only else "ENGINE=MyISAM",
    )

    many, few, flags = lit.members(300), lit.members(8), lit.members(64)
    columns = [
        Column("e", "ENUM(" + ",".join(lit.literal_members(few)) + ") NOT NULL"),
        Column("n", "INT UNSIGNED NOT NULL, PRIMARY KEY (e, n)"),
        Column(
            "e8",
            "ENUM(" + ",".join(lit.literal_members(few)) + ")",
            lit.literal_members(few) + ["'none of them'"],
        ),
        Column(
            "e300", "ENUM(" + ",".join(lit.literal_members(many)) + ")", lit.literal_members(many)
        ),
        Column("el", "ENUM('ä','b€','c') CHARACTER SET latin1", ["'ä'", "'b€'", "'c'"]),
        Column("s8", "SET(" + ",".join(lit.literal_members(few)) + ")", lit.sets(rng, few)),
        Column(
            "s9",
            "SET(" + ",".join(lit.literal_members(lit.members(9))) + ")",
            lit.sets(rng, lit.members(9)),
        ),
        Column(
            "s64",
            "SET(" + ",".join(lit.literal_members(flags)) + ") NOT NULL DEFAULT ''",
            lit.sets(rng, flags),
            nullable=False,
        ),
        Column(
            "sl",
            "SET('ä','b€','c') CHARACTER SET latin1",
            ["''", "'ä'", "'ä,b€'", "'b€,c'"],
        ),
        Column("j", "JSON", lit.documents(rng)),
    ]
    if mysql:
        columns.append(Column("o", "JSON", lit.opaque_documents()))
        columns.append(Column("v", "VECTOR(3)", lit.vectors(rng)))
    add(
        "story",
        "choices",
        columns,
        ["e", "n"],
        lambda n: (lit.literal_members(few)[n % 8], str(2**32 - 1 - n)),
    )

    columns = [Column("id", "DECIMAL(20,3) NOT NULL PRIMARY KEY")]
    for kind in (
        "GEOMETRY",
        "POINT",
        "LINESTRING",
        "POLYGON",
        "MULTIPOINT",
        "MULTILINESTRING",
        "MULTIPOLYGON",
        "GEOMETRYCOLLECTION",
    ):
        shapes = lit.shapes(rng, kind, srids, in_degrees=in_degrees)
        columns.append(Column(kind.lower(), kind, shapes))
    columns.append(
        Column(
            "place",
            "POINT NOT NULL",
            lit.shapes(rng, "POINT", srids, in_degrees=in_degrees),
            nullable=False,
        )
    )
    add("two wörds", "shapes", columns, ["id"], lambda n: (f"{(-1) ** n * n}.{n % 1000:03d}",))

    columns = [
        Column("a", "INT", lit.integers(rng, 16, False)),
        Column(
            "select", "TIMESTAMP(6) NOT NULL DEFAULT '2001-01-01', PRIMARY KEY (`key``s`, `select`)"
        ),
        Column("a+1", "BIGINT AS (a + 1) VIRTUAL"),
        Column("key`s", "TIME(2) NOT NULL"),
        Column("a*2", "BIGINT AS (a * 2) STORED"),
        Column('seen "not"', "INT INVISIBLE DEFAULT 7", ["7", "8", "-9"]),
        Column("per%cent", "VARCHAR(40)", lit.words(rng, "utf8mb4", 40)),
        Column("имя", "VARCHAR(100) AS (CONCAT(IFNULL(`per%cent`,'-'),'!')) VIRTUAL"),
        Column("it's", "DOUBLE", lit.doubles(rng)),
    ]
    add(
        "two wörds",
        "odd `name`",
        columns,
        ["key`s", "select"],
        lambda n: (
            f"'{'-' if n % 2 else ''}{n // 3600:02d}:{n // 60 % 60:02d}:"
            f"{n % 60:02d}.{n % 100:02d}'",
            f"'2024-01-{n % 28 + 1:02d} 00:00:00.{n % 1000000:06d}'",
        ),
    )
    return tables
