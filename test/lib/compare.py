#!/usr/bin/env python3
"""Compares a MariaDB or MySQL server's tables with what a pipeline made of them; exits 1 on any difference.

    compare.py --socket S --database shop [--database ...] [--file changes.jsonl]...
        [--redis PORT [--redis-database N]] [--redis-json PORT/N] [--redis-streams PORT/N]
        [--mongo PORT[/DATABASE]] [--cassandra PORT/KEYSPACE]

A file of JSON lines is folded: read from its beginning, each line must fit what the lines before it
have left (a created row was not there; an updated or deleted one was there exactly as its `before`
says), ids grow, none comes twice, and no line is torn. What is left at its end must equal the
tables. Redis must hold one hash for each row, with exactly the row's values, and nothing else but
the pipeline's own keys `rowferry:*`; with --redis-json one string for each row, a JSON object of
its values. The entries of all streams of a database, in the order of their ids, are folded as the
lines of a file are, and under exactly the same conditions. MongoDB must hold one document for each
row, with the key as its _id and each value in its column's type, in the collections of the tables'
names, or `database.table` of one database; and nothing else in them. Cassandra must hold one row
for each row, with each value in its column's type, and nothing else in the keyspace.

Values are compared in their exact form: text and bytes as bytes, floats by their bits: -0 is not 0
where the server shows it, as MySQL does; MariaDB has and shows 0 alone.
With --show, a table of rows and checksums is printed, one column for each side.
"""

import argparse
import hashlib
import json
import os
import re
import sys

from cql import Cql
from mongo import Mongo, to_json
from resp import Redis
from schema import Server, Table, read_rows, read_tables

SHOWN = 12  # differences
FIELDS = ["op", "table", "key", "before", "after", "ts", "position", "id"]
IMAGES = {
    "create": (False, True),
    "read": (False, True),
    "update": (True, True),
    "delete": (True, False),
}
# GTID, log event in it, row in that. A GTID is "domain-server-number" or MySQL's "UUID:number".
ID = re.compile(r"(?:(\d+)-\d+-|([0-9a-f-]{36}:(?:[a-z_]\w*:)?))(\d+):(\d+):(\d+)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Differences:
    """Counts all, keeps the first ones for people."""

    def __init__(self):
        self.count = 0
        self.first = []

    def add(self, text):
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(text if len(text) < 1200 else text[:1200] + " ...")

    def report(self, where):
        for text in self.first:
            print(f"{where}: {text}", file=sys.stderr)
        if self.count > len(self.first):
            print(f"{where}: and {self.count - len(self.first)} more", file=sys.stderr)


def once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def number(text):
    return -0.0 if text == "-0" else int(text)


DECODER = json.JSONDecoder(object_pairs_hook=once, parse_int=number)


class Fold:
    """The last state that a file of JSON lines tells: {full table name: {key: row}}."""

    def __init__(self, tables, differences):
        self.key_names = {t.full_name: [t.columns[i].name for i in t.key] for t in tables}
        self.names = {t.full_name: {c.name for c in t.columns} for t in tables}
        self.state = {t.full_name: {} for t in tables}
        self.differences = differences
        self.ids = set()
        self.last = {}  # domain of GTIDs, or UUID -> its last id as numbers
        self.lines = 0

    def key_of(self, table, image):
        # Bytes are base64 text here, floats have no business in a key.
        return tuple(image[name] for name in self.key_names[table])

    def rows(self, tables):
        """{full table name: [row]}, values in the order of the columns."""
        return {
            t.full_name: [
                [column.of_json(image[column.name]) for column in t.columns]
                for image in self.state[t.full_name].values()
            ]
            for t in tables
        }

    def complain(self, text):
        self.differences.add(f"line {self.lines}: {text}")

    def line(self, raw):
        self.lines += 1
        if not raw.endswith(b"\n"):
            return self.complain(f"torn, without a newline: {raw[-80:]!r}")
        try:
            event = DECODER.decode(raw.decode("utf-8"))
        except ValueError as error:
            return self.complain(f"not JSON: {error}: {raw[:200]!r}")
        if not isinstance(event, dict) or "op" not in event or "id" not in event:
            return self.complain(f"no event: {raw[:200]!r}")
        return self.event(event)

    def entry(self, stream, fields):
        """An entry of a stream: the same event, in texts."""
        self.lines += 1
        texts = [part.decode("utf-8") for part in fields]
        told = once(list(zip(texts[::2], texts[1::2])))
        if "op" not in told or "id" not in told:
            return self.complain(f"no event: {told!r}")
        event = dict.fromkeys(FIELDS) | told
        for name in ("key", "before", "after"):
            event[name] = DECODER.decode(told[name]) if name in told else None
        if event["table"] and stream.replace(":", ".", 1) != event["table"]:
            self.complain(f"an event of {event['table']} in the stream {stream}")
        return self.event(event if event["op"] in IMAGES else told | {"table": event["table"]})

    def event(self, event):
        if event["id"] in self.ids:
            self.complain(f"the id {event['id']} came before")
        self.ids.add(event["id"])
        self.order(event["id"])
        if not isinstance(event.get("ts"), str) or not TIME.fullmatch(event["ts"]):
            self.complain(f"the time is {event.get('ts')!r}")
        op, table = event["op"], event.get("table")
        if op == "ddl":
            return None
        if op == "truncate":
            if table in self.state:
                self.state[table].clear()
            return None
        if op not in IMAGES:
            return self.complain(f"unknown operation {op!r}")
        if table not in self.state:
            return self.complain(f"a row of {table!r}, which is no table of the server")
        if list(event) != FIELDS:
            self.complain(f"the fields are {list(event)}")
        return self.row(op, table, event)

    def order(self, text):
        parts = ID.fullmatch(text)
        if parts is None:
            self.complain(f"the id is {text!r}")
            return
        domain = parts[1] or parts[2]
        numbers = [int(part) for part in parts.groups()[2:]]
        if numbers <= self.last.get(domain, []):
            self.complain(f"the id {text} comes behind a later one")
        self.last[domain] = numbers

    def row(self, op, table, event):
        rows = self.state[table]
        for name, wanted in zip(("before", "after"), IMAGES[op]):
            image = event.get(name)
            if wanted != isinstance(image, dict) or (not wanted and image is not None):
                return self.complain(f"{op} of {table} with {name} = {image!r}")
            if wanted and image.keys() != self.names[table]:
                return self.complain(f"{op} of {table}: {name} has the columns {sorted(image)}")
        before, after = event["before"], event["after"]
        if before is not None:
            key = self.key_of(table, before)
            known = rows.pop(key, None)
            if known is None:
                self.complain(f"{op} of {table} {key}, which is not there")
            elif known != before:
                names = [name for name in known if known[name] != before[name]]
                self.complain(
                    f"{op} of {table} {key}: before differs from what was known in {names}: "
                    f"{[(known[n], before[n]) for n in names[:3]]}"
                )
        if after is not None:
            key = self.key_of(table, after)
            if key in rows:
                self.complain(f"{op} of {table} {key}, which is there already")
            rows[key] = after
        told = event["key"]
        wanted = dict(zip(self.key_names[table], key))
        if wanted and told != wanted:
            self.complain(f"{op} of {table}: the key is {told!r}, wanted {wanted!r}")
        return None


def compare_file(path, tables, source, differences):
    fold = Fold(tables, differences)
    with open(path, "rb") as lines:
        for raw in lines:
            fold.line(raw)
    compare_fold(fold, tables, source, differences)
    return fold


def compare_streams(redis, tables, source, differences):
    """All entries of all streams: their ids tell one order, over all of them."""
    fold, entries = Fold(tables, differences), []
    for key in redis.keys():
        if key.startswith(b"rowferry:"):
            continue
        if redis.call("TYPE", key) != b"stream":
            differences.add(f"{key!r} is no stream")
            continue
        for place, fields in redis.call("XRANGE", key, "-", "+"):
            entries.append((tuple(map(int, place.split(b"-"))), key.decode("utf-8"), fields))
    entries.sort(key=lambda entry: entry[0])
    for before, after in zip(entries, entries[1:]):
        if before[0] == after[0]:
            differences.add(f"{before[1]} and {after[1]} both have the id {after[0]}")
    for _, stream, fields in entries:
        fold.entry(stream, fields)
    compare_fold(fold, tables, source, differences)
    return fold


def compare_fold(fold, tables, source, differences):
    for table in tables:
        state = fold.state[table.full_name]
        seen = 0
        for row in source[table.full_name]:
            key = tuple(table.columns[i].json(row[i]) for i in table.key)
            got = state.get(key)
            if got is None:
                differences.add(f"{table.full_name} {key} is missing")
                continue
            seen += 1
            for column, value in zip(table.columns, row):
                if not column.same_json(value, got[column.name]):
                    differences.add(
                        f"{table.full_name} {key}, column {column.name}: the server has "
                        f"{column.json(value)!r}, the file {got[column.name]!r}"
                    )
        if seen < len(state):
            live = {
                tuple(table.columns[i].json(row[i]) for i in table.key)
                for row in source[table.full_name]
            }
            for key in state.keys() - live:
                differences.add(
                    f"{table.full_name} {key} is in the file but not in the server's table"
                )


def escape(part):
    """Between parts stands a colon: one inside a part gets a backslash, and so does a backslash."""
    return part.replace(b"\\", b"\\\\").replace(b":", b"\\:")


def redis_key(table, row):
    parts = [table.database.encode(), table.name.encode()]
    parts += [table.columns[i].text(row[i]) for i in table.key]
    return b":".join([*map(escape, parts[:-1]), parts[-1]])


def compare_redis(redis, tables, source, differences):
    """Returns what Redis has of them: {full table name: [row]}, a row is (column, text) pairs."""
    wanted = {}
    for table in tables:
        for row in source[table.full_name]:
            wanted[redis_key(table, row)] = (table, row)
    rows = {table.full_name: [] for table in tables}
    found = {key for key in redis.keys() if not key.startswith(b"rowferry:")}
    for key in sorted(wanted.keys() - found):
        differences.add(f"{key!r} is missing")
    for key in sorted(found - wanted.keys()):
        differences.add(f"{key!r} is in Redis but not in the server's tables")
    for key, fields in redis.hashes(found & wanted.keys()):
        table, row = wanted[key]
        if fields is None:
            differences.add(f"{key!r} is no hash")
            continue
        got = [fields.pop(column.name.encode(), None) for column in table.columns]
        rows[table.full_name].append(list(zip(table.columns, got)))
        for column, value, text in zip(table.columns, row, got):
            if value is None or text is None:
                same = value is text
            else:
                same = column.same_text(value, text)
            if not same:
                differences.add(
                    f"{key!r}, field {column.name}: the server has {value!r}, Redis {text!r}"
                )
        if fields:
            differences.add(f"{key!r} has fields that the table has not: {sorted(fields)[:5]}")
    return rows


def compare_json(redis, tables, source, differences):
    """Each row is one string, a JSON object of its columns in their order."""
    wanted = {}
    for table in tables:
        for row in source[table.full_name]:
            wanted[redis_key(table, row)] = (table, row)
    found = {key for key in redis.keys() if not key.startswith(b"rowferry:")}
    for key in sorted(wanted.keys() - found):
        differences.add(f"{key!r} is missing")
    for key in sorted(found - wanted.keys()):
        differences.add(f"{key!r} is in Redis but not in the server's tables")
    for key in sorted(found & wanted.keys()):
        table, row = wanted[key]
        if redis.call("TYPE", key) != b"string":
            differences.add(f"{key!r} is no string")
            continue
        try:
            got = DECODER.decode(redis.call("GET", key).decode("utf-8"))
        except ValueError as error:
            differences.add(f"{key!r} is not JSON: {error}")
            continue
        if list(got) != [column.name for column in table.columns]:
            differences.add(f"{key!r} has the columns {list(got)}")
            continue
        for column, value in zip(table.columns, row):
            if not column.same_json(value, got[column.name]):
                differences.add(
                    f"{key!r}, column {column.name}: the server has {column.json(value)!r}, "
                    f"Redis {got[column.name]!r}"
                )


def document_id(table, row):
    fields = [table.columns[i].field(row[i]) for i in table.key]
    if len(fields) == 1:
        return fields[0]
    return dict(zip((table.columns[i].name for i in table.key), fields))


def print_id(value):
    return json.dumps(to_json(value))


def without(table, row, names):
    """The table and a row of it without these columns, none of which is of the key."""
    kept = [i for i, column in enumerate(table.columns) if column.name not in names]
    shorter = Table(table.database, table.name)
    shorter.columns = [table.columns[i] for i in kept]
    shorter.key = [kept.index(i) for i in table.key]
    return shorter, [row[i] for i in kept]


def mongo_place(table, database):
    """Database and collection of a table."""
    return (database, table.full_name) if database else (table.database, table.name)


def compare_document(table, row, document, differences):
    """True when it is exactly the row's."""
    where = f"{table.full_name} {print_id(document['_id'])}"
    names = [column.name for column in table.columns]
    if list(document) != ["_id", *names]:
        differences.add(f"{where} has the fields {list(document)}")
        return False
    same = True
    for column, value in zip(table.columns, row):
        got = document[column.name]
        if not column.same_field(value, got):
            same = False
            differences.add(
                f"{where}, field {column.name}: the server has {value!r}, MongoDB {got!r}"
            )
    return same


def compare_mongo(mongo, database, left_out, tables, source, differences):
    """Returns what MongoDB has of them: {full table name: [row]}, for counts and checksums."""
    found = {}
    for table in tables:
        place = mongo_place(table, database)
        wanted = {print_id(document_id(table, row)): row for row in source[table.full_name]}
        rows = found[table.full_name] = []
        for document in mongo.documents(*place):
            key = print_id(document["_id"])
            row = wanted.pop(key, None)
            if row is None:
                differences.add(f"{'.'.join(place)} {key} is not in the server's tables, or twice")
            same = row is not None and compare_document(
                *without(table, row, left_out), document, differences
            )
            rows.append(row if same else document)
        for key in wanted:
            differences.add(f"{'.'.join(place)} {key} is missing")
    places = {mongo_place(table, database) for table in tables}
    for name in mongo.databases():
        for collection in mongo.collections(name):
            if (name, collection) not in places:
                differences.add(f"the collection {name}.{collection} is of no table")
    return found


def cassandra_name(table):
    """What table={database}_{table} and escape=on make of it."""
    name = f"{table.database}_{table.name}".encode()
    return "".join(chr(b) if chr(b).isascii() and (chr(b).isalnum() or b == 95) else f"_{b:02x}" for b in name)


def cassandra_key(table, values):
    return tuple(table.columns[i].cql(values[i], True) for i in table.key)


def compare_cassandra(cql, keyspace, tables, source, differences):
    """Each row is one row, with exactly its values, NULL ones too, and no others are there."""
    found = {name for name, in cql.query(
        f"SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{keyspace}'")}
    for name in found - {cassandra_name(table) for table in tables} - {"rowferry_positions"}:
        differences.add(f"the table {keyspace}.{name} is of no table")
    for table in tables:
        name = cassandra_name(table)
        wanted = {cassandra_key(table, row): row for row in source[table.full_name]}
        if name not in found:
            for key in wanted:
                differences.add(f"{name} {key} is missing, as is the table")
            continue
        columns = ", ".join('"' + column.name.replace('"', '""') + '"' for column in table.columns)
        for got in cql.query(f'SELECT {columns} FROM "{keyspace}"."{name}"'):
            key = tuple(got[i] for i in table.key)
            row = wanted.pop(key, None)
            if row is None:
                differences.add(f"{name} {key} is not in the server's tables")
                continue
            for i, (column, value, there) in enumerate(zip(table.columns, row, got)):
                if not column.same_cql(value, there, i in table.key):
                    differences.add(
                        f"{name} {key}, column {column.name}: the server has {value!r}, "
                        f"Cassandra {there!r}"
                    )
        for key in wanted:
            differences.add(f"{name} {key} is missing")


def checksum(rows):
    """Of a set of rows, in whatever order they come: eight hexadecimal digits."""
    total = 0
    for row in rows:
        total ^= int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=4).digest(), "big")
    return f"{total:08x}"


def show(tables, sides):
    """Prints rows and checksums of each table, one column for each side: (name, {table: rows})."""
    width = max(len(table.full_name) for table in tables)
    print(f"{'':{width}}" + "".join(f"  {name:>20}" for name, _ in sides))
    for table in tables:
        cells = []
        for _, rows in sides:
            some = rows[table.full_name]
            cells.append(f"{len(some):>6} rows {checksum(some)}")
        equal = "  equal" if len(set(cells)) == 1 else "  DIFFERENT"
        print(f"{table.full_name:{width}}" + "".join(f"  {c:>20}" for c in cells) + equal)


def main():
    arguments = arguments_of_command()
    server = Server(arguments.socket, arguments.user)
    tables = list(read_tables(server, arguments.database).values())
    if not tables:
        sys.exit(f"compare: there is no table in {arguments.database}")
    source = {table.full_name: list(read_rows(server, table)) for table in tables}
    sides = [("server", source)]
    total = f"{sum(map(len, source.values()))} rows in {len(tables)} tables"
    reports, failed = [], False

    if arguments.redis is not None:
        differences = Differences()
        redis = Redis(arguments.redis, database=arguments.redis_database)
        got = compare_redis(redis, tables, source, differences)
        redis.close()
        failed = failed or differences.count > 0
        if arguments.show:
            sides.append(
                ("Redis", {name: list(map(read_texts, rows)) for name, rows in got.items()})
            )
        reports.append(("redis", f"redis: {total}", differences))
    for kind, place, compare in (
        ("redis-json", arguments.redis_json, compare_json),
        ("redis-streams", arguments.redis_streams, compare_streams),
    ):
        if place is None:
            continue
        differences = Differences()
        redis = Redis(place[0], database=place[1])
        fold = compare(redis, tables, source, differences)
        redis.close()
        failed = failed or differences.count > 0
        entries = f"{fold.lines} entries, " if fold else ""
        reports.append((kind, f"{kind}: {entries}{total}", differences))
    if arguments.mongo is not None:
        differences = Differences()
        mongo = Mongo(arguments.mongo[0])
        got = compare_mongo(
            mongo, arguments.mongo[1], arguments.mongo_without, tables, source, differences
        )
        mongo.close()
        failed = failed or differences.count > 0
        if arguments.show:
            sides.append(("MongoDB", got))
        reports.append(("mongo", f"mongo: {total}", differences))
    if arguments.cassandra is not None:
        differences = Differences()
        cql = Cql(arguments.cassandra[0])
        compare_cassandra(cql, arguments.cassandra[1], tables, source, differences)
        failed = failed or differences.count > 0
        reports.append(("cassandra", f"cassandra: {total}", differences))
    for path in arguments.file:
        differences = Differences()
        fold = compare_file(path, tables, source, differences)
        failed = failed or differences.count > 0
        if arguments.show:
            sides.append((os.path.basename(path), fold.rows(tables)))
        reports.append((path, f"{path}: {fold.lines} lines, {total}", differences))

    if arguments.show:
        show(tables, sides)
    for where, text, differences in reports:
        differences.report(where)
        if not arguments.show:
            print(f"{text}, {differences.count} differences")
    sys.exit(1 if failed else 0)


def read_texts(row):
    return [column.of_text(text) for column, text in row]


def port_and_database(text):
    port, _, database = text.partition("/")
    return int(port), int(database or 0)


def port_and_name(text):
    port, _, database = text.partition("/")
    return int(port), database


def arguments_of_command():
    parser = argparse.ArgumentParser(description="compare a server with the sinks of a pipeline")
    parser.add_argument("--socket", required=True, help="of the server")
    parser.add_argument("--user", default="root")
    parser.add_argument("--database", action="append", required=True)
    parser.add_argument(
        "--file", action="append", default=[], help="of JSON lines, from the tables' first row on"
    )
    parser.add_argument("--redis", type=int, help="port")
    parser.add_argument("--redis-database", type=int, default=0)
    parser.add_argument("--redis-json", type=port_and_database, help="PORT/DATABASE")
    parser.add_argument("--redis-streams", type=port_and_database, help="PORT/DATABASE")
    parser.add_argument(
        "--mongo", type=port_and_name, help="PORT, or PORT/DATABASE with collections DATABASE.TABLE"
    )
    parser.add_argument(
        "--mongo-without", action="append", default=[], help="a column that MongoDB does not get"
    )
    parser.add_argument(
        "--cassandra",
        type=port_and_name,
        help="PORT/KEYSPACE, with tables DATABASE_TABLE, escaped, and dates as texts",
    )
    parser.add_argument("--show", action="store_true", help="print a table, side by side")
    arguments = parser.parse_args()
    others = (
        arguments.redis,
        arguments.redis_json,
        arguments.redis_streams,
        arguments.mongo,
        arguments.cassandra,
    )
    if not arguments.file and set(others) == {None}:
        parser.error("nothing to compare with: --file, --redis, --mongo or --cassandra")
    return arguments


if __name__ == "__main__":
    main()
