"""What a MariaDB or MySQL server says of its tables and rows, in forms that lose nothing.

Used by compare.py and oracle.py. Everything goes through the `mariadb` client: what the server
stores is asked for as HEX or as numbers, never as text that a client or a connection converts.
"""

import base64
import decimal
import json
import math
import re
import struct
import subprocess

from mongo import Binary, Date, Decimal128, Int64

INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint"}
# MySQL's JSON is told as the text that it shows.
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"}
BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
GEOMETRIES = {
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
}
MOMENTS = {"datetime", "timestamp"}


def same_bits(one, other):
    """Of finite numbers: -0 is not 0."""
    return one == other and math.copysign(1, one) == math.copysign(1, other)


def single(number):
    """The nearest IEEE single, as a double."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
TEXT_OF_MOMENT = re.compile(r"(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+)(?:\.(\d+))?)?")


def moment_ms(text):
    """Milliseconds since 1970 UTC; None for what is in no calendar. Years as long ago as 0."""
    year, month, day, hour, minute, second = (int(x or 0) for x in TEXT_OF_MOMENT.match(text).groups()[:6])
    fraction = TEXT_OF_MOMENT.match(text)[7] or ""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= MONTHS[month - 1] + (leap and month == 2):
        return None
    before = year - 1
    days = 365 * year + (before // 4 - before // 100 + before // 400 + 1) - 719528
    days += sum(MONTHS[: month - 1]) + (leap and month > 2) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000 + int(fraction.ljust(3, "0")[:3])


def identifier(name):
    return "`" + name.replace("`", "``") + "`"


class Server:
    """A server that listens on a Unix socket, asked as a user without password."""

    def __init__(self, socket, user="root"):
        self.command = [
            "mariadb",
            "--no-defaults",
            "--default-character-set=utf8mb4",
            "-N",
            "-B",
            "--quick",
            "--max-allowed-packet=1G",
            "-S",
            socket,
            "-u",
            user,
        ]

    def rows(self, statement):
        """Yields each row as a list of bytes; None for NULL. No value has tabs in it."""
        # Temporal text in UTC; group_concat and the like are not used, so no other limit matters.
        statement = "SET time_zone = '+00:00'; " + statement
        with subprocess.Popen([*self.command, "-e", statement], stdout=subprocess.PIPE) as client:
            for line in client.stdout:
                yield [None if field == b"NULL" else field for field in line[:-1].split(b"\t")]
        if client.returncode != 0:
            raise RuntimeError(f"the client ended with {client.returncode}: {statement[:200]}")


class Column:
    """One column: how to ask for it exactly, and what sinks are expected to hold."""

    def __init__(self, name, kind, column_type, charset, digits, length=0):
        self.name, self.kind, self.charset = name, kind, charset
        self.unsigned = "unsigned" in column_type
        # A quote inside a member is written twice, so members have two quotes and pairs of them.
        self.member_count = len(re.findall(r"'(?:[^']|'')*'", column_type))
        self.digits = digits  # fraction digits of temporal types
        width = re.match(r"\w+\((\d+)", column_type)
        self.width = int(width[1]) if width else 0  # digits of a DECIMAL, bits of a BIT
        self.length = length  # bytes of a BINARY
        self.members = []  # of ENUM and SET, once read_members was asked
        quoted = identifier(name)
        if kind in TEXTS:
            self.expression = f"HEX(CONVERT({quoted} USING utf8mb4))"
            self.read = lambda raw: bytes.fromhex(raw.decode()).decode("utf-8", "surrogateescape")
        elif kind in BYTES or kind in GEOMETRIES:
            self.expression = f"HEX({quoted})"
            self.read = lambda raw: bytes.fromhex(raw.decode())
        elif kind == "vector":
            self.expression = f"HEX({quoted})"
            self.read = lambda raw: tuple(
                number for (number,) in struct.iter_unpack("<f", bytes.fromhex(raw.decode()))
            )
        elif kind in INTEGERS or kind in ("bit", "year"):
            self.expression = f"{quoted}+0"
            self.read = int
        elif kind == "float":
            # As it is, a FLOAT shows six digits; as a DOUBLE, all that it takes to find it again.
            self.expression = f"CAST({quoted} AS DOUBLE)"
            self.read = lambda raw: single(float(raw))
        elif kind == "double":
            self.expression = f"CAST({quoted} AS DOUBLE)"
            self.read = float
        else:
            self.expression = f"CAST({quoted} AS CHAR CHARACTER SET ascii)"
            self.read = lambda raw: raw.decode()

    def json(self, value):
        """The value as it stands in a line of JSON, once parsed."""
        if value is None:
            return None
        if self.kind in BYTES:
            return base64.b64encode(value).decode()
        if self.kind in GEOMETRIES:
            return {
                "srid": int.from_bytes(value[:4], "little"),
                "wkb": base64.b64encode(value[4:]).decode(),
            }
        if self.kind == "vector":
            return list(value)
        if self.kind in MOMENTS:
            return value.replace(" ", "T") + ("Z" if self.kind == "timestamp" else "")
        return value

    def same_json(self, value, got):
        """True when `got`, parsed from JSON, is the value, and of its kind."""
        if value is None or got is None:
            return value is got
        if self.kind in ("float", "double"):
            if type(got) not in (int, float):
                return False
            got = float(got)
            if self.kind == "float" and abs(got) < 3.5e38:
                got = single(got)
            return same_bits(got, value)
        if self.kind == "vector":
            return (
                isinstance(got, list)
                and len(got) == len(value)
                and all(same_bits(single(one), other) for one, other in zip(got, value))
            )
        wanted = self.json(value)
        return type(wanted) is type(got) and wanted == got

    def of_json(self, got):
        """The value that json() would turn into `got`."""
        if got is None:
            return None
        if self.kind in BYTES:
            return base64.b64decode(got)
        if self.kind in GEOMETRIES:
            return got["srid"].to_bytes(4, "little") + base64.b64decode(got["wkb"])
        if self.kind == "vector":
            return tuple(map(single, got))
        if self.kind in MOMENTS:
            return got.replace("T", " ").rstrip("Z")
        if self.kind in ("float", "double"):
            return single(got) if self.kind == "float" else float(got)
        return got

    def of_text(self, got):
        """The value that text() would turn into `got`."""
        if got is None or self.kind in BYTES or self.kind in GEOMETRIES:
            return got
        if self.kind in TEXTS:
            return got.decode("utf-8", "surrogateescape")
        if self.kind in ("float", "double"):
            return self.of_json(float(got))
        if self.kind == "vector":
            return self.of_json(json.loads(got, parse_int=float))
        if self.kind in INTEGERS or self.kind in ("bit", "year"):
            return int(got)
        return got.decode()

    def text(self, value):
        """The value as text in keys and Redis fields, as bytes. Not for floats: they have many."""
        if self.kind in TEXTS:
            return value.encode("utf-8", "surrogateescape")
        if self.kind in BYTES or self.kind in GEOMETRIES:
            return value
        if self.kind == "year":
            return b"%04d" % value
        return str(value).encode()

    def same_text(self, value, got):
        if self.kind == "vector":
            return self.same_json(value, json.loads(got, parse_int=float))
        if self.kind in ("float", "double"):
            try:
                return self.same_json(value, float(got))
            except ValueError:
                return False
        return self.text(value) == got


    def field(self, value):
        """The value as it stands in a document of MongoDB, as mongo.py reads it."""
        if value is None:
            return None
        if self.kind in BYTES or self.kind in GEOMETRIES:
            return Binary(value, 0)
        if self.kind in INTEGERS:
            if self.kind == "bigint":
                return str(value) if self.unsigned else Int64(value)
            return Int64(value) if self.kind == "int" and self.unsigned else value
        if self.kind == "bit":
            return str(value) if self.width == 64 else Int64(value)
        if self.kind == "decimal" and self.width <= 34:
            return Decimal128(value)
        if self.kind == "date" or self.kind in MOMENTS and self.digits <= 3:
            ms = moment_ms(value)
            # The zero of a TIMESTAMP is no moment, though the number 0 is one.
            return self.json(value) if ms is None else Date(ms)
        return self.json(value)

    def same_field(self, value, got):
        if value is None or got is None:
            return value is got
        if self.kind in ("float", "double"):
            return type(got) is float and self.same_json(value, got)
        wanted = self.field(value)
        if isinstance(wanted, Decimal128) and isinstance(got, Decimal128):
            sides = (decimal.Decimal(side.value) for side in (wanted, got))
            return len({side.as_tuple() for side in sides}) == 1
        return type(wanted) is type(got) and wanted == got

    def cql(self, value, key=False):
        """The value as it stands in a table of Cassandra made with dates=text, as cql.py reads it."""
        if value is None or self.kind in INTEGERS or self.kind in ("bit", "year"):
            return value
        if self.kind == "decimal":
            return decimal.Decimal(value)
        if self.kind == "time":
            hours, minutes, seconds = value.lstrip("-").split(":")
            whole, _, fraction = seconds.partition(".")
            nanoseconds = ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10**9
            nanoseconds += int(fraction.ljust(9, "0"))
            nanoseconds = -nanoseconds if value.startswith("-") else nanoseconds
            return nanoseconds // 1000 if key else f"0mo0d{nanoseconds}ns"
        return value

    def same_cql(self, value, got, key=False):
        if value is None or got is None:
            return value is got
        if self.kind in ("float", "double"):
            return type(got) is float and self.same_json(value, got)
        wanted = self.cql(value, key)
        if isinstance(wanted, decimal.Decimal) and isinstance(got, decimal.Decimal):
            return wanted.as_tuple() == got.as_tuple() or wanted == got == 0
        return type(wanted) is type(got) and wanted == got


class Table:
    def __init__(self, database, name):
        self.database, self.name = database, name
        self.full_name = f"{database}.{name}"
        self.columns = []
        self.key = []  # numbers of the key's columns, in the key's order

    def by_name(self):
        return {column.name: column for column in self.columns}


def read_tables(server, databases):
    """{(database, name): Table} of all base tables in these databases."""
    names = ",".join("X'" + name.encode().hex() + "'" for name in databases)
    where = f"WHERE CONVERT(table_schema USING utf8mb4) COLLATE utf8mb4_bin IN ({names})"
    tables = {}

    def text(raw):
        return None if raw is None else bytes.fromhex(raw.decode()).decode()

    for row in server.rows(
        f"SELECT HEX(table_schema), HEX(table_name) FROM information_schema.tables {where} "
        "AND table_type = 'BASE TABLE' ORDER BY 1, 2"
    ):
        table = Table(*map(text, row))
        tables[(table.database, table.name)] = table
    for row in server.rows(
        "SELECT HEX(table_schema), HEX(table_name), HEX(column_name), data_type, HEX(column_type), "
        "character_set_name, datetime_precision, character_octet_length "
        f"FROM information_schema.columns {where} "
        "ORDER BY table_schema, table_name, ordinal_position"
    ):
        table = tables.get((text(row[0]), text(row[1])))
        if table is not None:
            charset = row[5].decode() if row[5] else None
            table.columns.append(
                Column(
                    text(row[2]),
                    row[3].decode(),
                    text(row[4]),
                    charset,
                    int(row[6] or 0),
                    int(row[7] or 0),
                )
            )
    for row in server.rows(
        "SELECT HEX(table_schema), HEX(table_name), HEX(column_name) "
        f"FROM information_schema.key_column_usage {where} AND constraint_name = 'PRIMARY' "
        "ORDER BY table_schema, table_name, ordinal_position"
    ):
        table = tables.get((text(row[0]), text(row[1])))
        if table is not None:
            table.key.append([column.name for column in table.columns].index(text(row[2])))
    return tables


def read_members(server, table):
    """Fills in the members of the table's ENUM and SET columns.

    information_schema shows four-byte characters as question marks, so the server is made to say
    each member as a value: by its number, in a copy of the column that only this session sees.
    """
    place = f"{identifier(table.database)}.{identifier(table.name)}"
    for column in table.columns:
        if column.kind not in ("enum", "set"):
            continue
        name = identifier(column.name)
        most, number = (64, "1 << (seq - 1)") if column.kind == "set" else (65535, "seq")
        statement = (
            "SET sql_log_bin = 0, sql_mode = ''; "
            f"CREATE TEMPORARY TABLE {place[:-1]} members` AS SELECT {name} FROM {place} LIMIT 0; "
            f"INSERT IGNORE INTO {place[:-1]} members` SELECT {number} "
            f"FROM {identifier(table.database)}.seq_1_to_{most} LIMIT {column.member_count}; "
            f"SELECT HEX(CONVERT({name} USING utf8mb4)) FROM {place[:-1]} members`"
        )
        column.members = [bytes.fromhex(row[0].decode()).decode() for row in server.rows(statement)]


def read_rows(server, table):
    """Yields each row of the table as a list of values, in the order of its columns."""
    columns = table.columns
    expressions = ", ".join(column.expression for column in columns)
    for raw in server.rows(
        f"SELECT {expressions} FROM {identifier(table.database)}.{identifier(table.name)}"
    ):
        yield [None if field is None else column.read(field) for column, field in zip(columns, raw)]
