#!/usr/bin/env python3
"""Compares `rowferry tail binlog:` with mariadb-binlog, row by row and value by value.

    oracle.py --socket S --database shop [...] --program PATH LOG...

mariadb-binlog -vv prints each row image as pseudo SQL, numbered columns with their types. What a
line of JSON says is written down in the same way, with all the habits of that program, and the two
texts must be equal. (The other direction would lose: there, the bytes \\x0a and the four characters
"\\x0a" look the same.) The server, which must still have the tables as they were when the log was
written, is asked for the names, types and members of the columns, nothing else.

The order of all images must be the same too. Exits 1 on any difference.
"""

import argparse
import base64
import calendar
import collections
import datetime
import itertools
import re
import subprocess
import sys

from compare import DECODER, Differences
from schema import BYTES, GEOMETRIES, INTEGERS, TEXTS, Server, read_members, read_tables, single

HEAD = re.compile(rb"### (INSERT INTO|UPDATE|DELETE FROM) (`(?:[^`]|``)*`)\.(`(?:[^`]|``)*`)$")
XA = re.compile(rb"XA (START|PREPARE|COMMIT|ROLLBACK) (X'[0-9a-f]*',X'[0-9a-f]*',\d+)")
OPERATIONS = {b"INSERT INTO": "create", b"UPDATE": "update", b"DELETE FROM": "delete"}
WIDTHS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


def unquoted(name):
    return name[1:-1].decode().replace("``", "`")


# ---- What mariadb-binlog says ----------------------------------------------------------------


def images_of_log(path):
    """Yields (operation, database, table, before, after): lists of (text, type), or None. Those of
    an XA transaction where it commits."""
    waiting, prepared = [], {}
    for item in items_of_log(path):
        if isinstance(item, tuple):
            waiting.append(item)
            continue
        if item[1] == b"PREPARE":
            prepared[item[2]] = waiting
            waiting = []
        elif item[1] == b"START":
            yield from waiting
            waiting = []
        elif item[1] == b"COMMIT":
            waiting += prepared.pop(item[2])
        else:
            del prepared[item[2]]
    yield from waiting


def items_of_log(path):
    """Yields the images as above, and where a statement of an XA transaction stands, its match."""
    command = [
        "mariadb-binlog",
        "--no-defaults",
        "-vv",
        "--base64-output=decode-rows",
        "--skip-annotate-row-events",
        path,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        current, part = None, None
        for line in program.stdout:
            line = line[:-1]
            xa = XA.match(line)
            if xa:
                if current:
                    yield tuple(current)
                current = None
                yield xa
            if not line.startswith(b"###"):
                continue
            if line.startswith(b"###   @"):
                _, value = line[7:].split(b"=", 1)
                text, comment = value.rsplit(b" /* ", 1)
                part.append(
                    (
                        text.rstrip(b" ") if comment.startswith((b"FLOAT", b"DOUBLE")) else text,
                        comment.split(b" meta=", 1)[0].decode(),
                    )
                )
            elif line in (b"### WHERE", b"### SET"):
                part = []
                current[3 if line == b"### WHERE" else 4] = part
            else:
                head = HEAD.match(line)
                if head is None:
                    raise RuntimeError(f"mariadb-binlog said something new: {line!r}")
                if current:
                    yield tuple(current)
                current = [OPERATIONS[head[1]], unquoted(head[2]), unquoted(head[3]), None, None]
        if current:
            yield tuple(current)
    if program.returncode != 0:
        raise RuntimeError(f"mariadb-binlog ended with {program.returncode}")


# ---- The same, from what rowferry says -------------------------------------------------------


def quoted(data):
    """As it prints strings: control characters as \\xNN, everything else as it is."""
    return b"'" + re.sub(rb"[\x00-\x1f]", lambda m: b"\\x%02x" % m[0][0], data) + b"'"


def latin1(text):
    """The server's latin1: cp1252, and its five unused codes stand for themselves."""
    return b"".join(
        c.encode("latin-1") if ord(c) in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else c.encode("cp1252")
        for c in text
    )


def integer(column, value):
    width = WIDTHS[column.kind]
    if type(value) is not int:
        raise ValueError(f"{value!r} is no integer")
    low, high = (
        (0, 2**width - 1) if column.unsigned else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    )
    if not low <= value <= high:
        raise ValueError(f"{value} is out of its range")
    raw = value % 2**width
    return b"%d" % raw if raw < 2 ** (width - 1) else b"%d (%d)" % (raw - 2**width, raw)


def seconds(value):
    """A timestamp as seconds since 1970, its fraction as it was."""
    if not value.endswith("Z"):
        raise ValueError("a TIMESTAMP without its Z")
    moment, _, fraction = value[:-1].partition(".")
    if moment == "0000-00-00T00:00:00":
        number = 0
    else:
        number = calendar.timegm(datetime.datetime.fromisoformat(moment).timetuple())
    return f"{number}.{fraction}".encode() if fraction else b"%d" % number


def written(column, value, type_name):
    """The value as mariadb-binlog writes it. Raises ValueError for what cannot be one."""
    kind = column.kind
    if value is None:
        return b"NULL"
    if kind in INTEGERS:
        return integer(column, value)
    if kind in ("float", "double"):
        if type(value) not in (int, float):
            raise ValueError(f"{value!r} is no number")
        return b"%g" % single(value) if kind == "float" else b"%.20g" % value
    if kind == "bit":
        return b"b'%s'" % format(value, f"0{type_name[4:-1]}b").encode()
    if kind == "year":
        return b"%d" % (value or 1900)  # it adds 1900 to the byte, also to the zero that means 0000
    if kind == "enum":
        return b"%d" % (column.members.index(value) + 1 if value else 0)
    if kind == "set":
        chosen = value.split(",") if value else []
        if [m for m in column.members if m in chosen] != chosen:
            raise ValueError(f"{value!r} are no members, or not in their order")
        number = sum(1 << column.members.index(member) for member in chosen)
        stored = number.to_bytes(int(type_name[4:-1].split()[0]), "little")
        return b"b'%s'" % "".join(f"{byte:08b}" for byte in stored).encode()
    if kind in BYTES:
        data = base64.b64decode(value, validate=True)
        if kind == "binary":
            if len(data) != column.length:
                raise ValueError(f"{len(data)} bytes in a BINARY({column.length})")
            data = data.rstrip(b"\0")
        return quoted(data)
    if kind in GEOMETRIES:
        if set(value) != {"srid", "wkb"}:
            raise ValueError("no geometry")
        return quoted(
            value["srid"].to_bytes(4, "little") + base64.b64decode(value["wkb"], validate=True)
        )
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no string")
    if kind in TEXTS:
        return quoted(latin1(value) if column.charset == "latin1" else value.encode())
    if kind == "timestamp":
        return seconds(value)
    if kind == "date":
        return b"'" + value.replace("-", ":").encode() + b"'"
    if kind == "datetime":
        if value[10] != "T":
            raise ValueError("a DATETIME without its T")
        return b"'" + value.replace("T", " ").encode() + b"'"
    if kind == "time":
        return b"'" + value.encode() + b"'"
    return value.encode()  # decimal


def events_of_log(program, path, arguments):
    command = [program, "tail", f"binlog:{path}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
        for line in tail.stdout:
            event = DECODER.decode(line.decode("utf-8"))
            if event["op"] not in ("ddl", "truncate"):
                yield event
    if tail.returncode != 0:
        raise RuntimeError(f"{program} ended with {tail.returncode}")


# ---- Side by side ----------------------------------------------------------------------------


class Oracle:
    def __init__(self, tables):
        self.tables = {(t.database, t.name): t for t in tables}
        self.differences = Differences()
        self.images = collections.Counter()
        self.values = 0

    def image(self, where, table, wanted, got):
        if wanted is None or got is None:
            if (wanted is None) != (got is None):
                self.differences.add(f"{where}: one has an image that the other has not")
            return
        if list(got) != [column.name for column in table.columns] or len(wanted) != len(got):
            self.differences.add(
                f"{where}: {len(wanted)} columns in the log, rowferry has {list(got)}"
            )
            return
        for column, (text, type_name) in zip(table.columns, wanted):
            self.values += 1
            value = got[column.name]
            try:
                ours = written(column, value, type_name)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                ours = f"({error!r})".encode()
            if ours != text:
                self.differences.add(
                    f"{where}, {column.name} {type_name}: mariadb-binlog has {text[:300]!r}, "
                    f"rowferry {ours[:300]!r} from {str(value)[:300]!r}"
                )

    def log(self, path, program, arguments):
        wanted, got = images_of_log(path), events_of_log(program, path, arguments)
        for number, (theirs, ours) in enumerate(itertools.zip_longest(wanted, got), 1):
            if theirs is None or ours is None:
                side = "mariadb-binlog" if ours is None else "rowferry"
                self.differences.add(
                    f"{path}: only {side} has a row image {number}: {str(theirs or ours)[:500]}"
                )
                continue
            op, database, name, before, after = theirs
            table = self.tables.get((database, name))
            where = f"{path}, row {number}, {op} of {database}.{name}"
            if table is None:
                raise RuntimeError(f"{where}: the server has no such table")
            self.images[(f"{database}.{name}", op)] += 1
            if (ours["op"], ours["table"]) != (op, table.full_name):
                self.differences.add(f"{where}: rowferry has {ours['op']} of {ours['table']}")
                continue
            self.image(where + ", before", table, before, ours["before"])
            self.image(where + ", after", table, after, ours["after"])


def main():
    parser = argparse.ArgumentParser(description="compare rowferry with mariadb-binlog")
    parser.add_argument("--socket", required=True, help="of the MariaDB server that has the tables")
    parser.add_argument("--database", action="append", required=True)
    parser.add_argument("--program", required=True, help="rowferry")
    parser.add_argument(
        "--argument", action="append", default=[], help="one more, for `rowferry tail`"
    )
    parser.add_argument(
        "--at-least", type=int, default=1, help="row images; fewer prove too little"
    )
    parser.add_argument("log", nargs="+")
    arguments = parser.parse_args()
    server = Server(arguments.socket)
    tables = read_tables(server, arguments.database).values()
    for table in tables:
        read_members(server, table)
    oracle = Oracle(tables)
    for path in arguments.log:
        oracle.log(path, arguments.program, arguments.argument)
    for (table, op), count in sorted(oracle.images.items()):
        print(f"{count:8} {op:8} {table}")
    total = sum(oracle.images.values())
    print(f"{total:8} rows, {oracle.values} values, {oracle.differences.count} differences")
    oracle.differences.report("oracle")
    if total < arguments.at_least:
        sys.exit(f"oracle: only {total} rows in the log, {arguments.at_least} expected")
    sys.exit(1 if oracle.differences.count else 0)


if __name__ == "__main__":
    main()
