#!/usr/bin/env python3
"""Shows that compare.py can fail: equal sinks pass, each planted difference is found and named.

    selftest.py SOCKET REDIS_PORT MONGO_PORT DIRECTORY DATABASE...

The sinks are made from SELECT itself, without a pipeline: a file that creates, changes, renames and
deletes rows until it tells what the tables hold, a hash and a document for each row.
"""

import contextlib
import copy
import io
import json
import pathlib
import sys

import compare
from compare import document_id, redis_key
from mongo import Date, Decimal128, Int64, Mongo
from resp import Redis
from schema import Server, read_rows, read_tables


def float_text(value):
    return repr(value).encode()


def image(table, row):
    return {c.name: c.json(v) for c, v in zip(table.columns, row)}


def event(table, op, before, after):
    row = after or before
    key = {table.columns[i].name: row[table.columns[i].name] for i in table.key}
    return {
        "op": op,
        "table": table.full_name,
        "key": key,
        "before": before,
        "after": after,
        "ts": "2024-02-29T12:00:00Z",
        "position": "0-1-1",
        "id": "",
    }


def story_of(tables, rows):
    """Events that end in these rows, with an update, a rename and a delete among them."""
    events = []
    for table in tables:
        names = [table.columns[i].name for i in table.key]
        plain = next((c.name for i, c in enumerate(table.columns) if i not in table.key), None)
        images = [image(table, row) for row in rows[table.full_name]]
        for index, after in enumerate(images):
            if index % 5 == 1 and plain is not None:
                first = {**after, plain: None}
                events.append(event(table, "create", None, first))
                events.append(event(table, "update", dict(first), after))
            elif index % 5 == 2:
                first = {**after, names[0]: "another key"}
                events.append(event(table, "create", None, first))
                events.append(event(table, "update", dict(first), after))
            elif index % 5 == 3:
                events.append(event(table, "create", None, after))
                events.append(event(table, "delete", after, None))
                events.append(event(table, "create", None, after))
            else:
                events.append(event(table, "create", None, after))
    for index, one in enumerate(events):
        one["id"] = f"0-1-{index // 3 + 1}:{index % 3 + 1}:0"
    return events


class Selftest:
    def __init__(self, socket, port, mongo_port, directory, databases):
        self.socket, self.port, self.databases = socket, port, databases
        self.path = pathlib.Path(directory) / "selftest.jsonl"
        server = Server(socket)
        self.tables = [t for t in read_tables(server, databases).values()]
        self.by_name = {t.full_name: t for t in self.tables}
        self.rows = {t.full_name: list(read_rows(server, t)) for t in self.tables}
        self.redis = Redis(port)
        self.mongo, self.mongo_port = Mongo(mongo_port), mongo_port
        self.events = story_of(self.tables, self.rows)
        self.failures = 0
        self.plants = 0

    def fill_redis(self):
        self.redis.call("FLUSHALL")
        self.redis.call("SET", "rowferry:position", "0-1-1")
        for table in self.tables:
            for row in self.rows[table.full_name]:
                words = ["HSET", redis_key(table, row)]
                for column, value in zip(table.columns, row):
                    if value is not None:
                        words += [
                            column.name,
                            float_text(value) if isinstance(value, float) else column.text(value),
                        ]
                self.redis.call(*words)

    def write(self, events):
        self.path.write_bytes(
            b"".join(json.dumps(e, ensure_ascii=False).encode() + b"\n" for e in events)
        )

    def compare(self, what):
        """compare.py's status and output. It runs in this process, and is given the tables as they
        were read once: only the sinks change here."""
        command = ["compare.py", "--socket", self.socket]
        for name in self.databases:
            command += ["--database", name]
        command += {
            "file": ["--file", str(self.path)],
            "redis": ["--redis", str(self.port)],
            "json": ["--redis-json", f"{self.port}/1"],
            "streams": ["--redis-streams", f"{self.port}/2"],
            "mongo": ["--mongo", f"{self.mongo_port}/copy"],
        }[what]
        compare.read_tables = lambda server, databases: self.by_name
        compare.read_rows = lambda server, table: copy.deepcopy(self.rows[table.full_name])
        said, typed, status = io.StringIO(), sys.argv, 0
        sys.argv = command
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                compare.main()
        except SystemExit as end:
            status = end.code
        finally:
            sys.argv = typed
        return status, said.getvalue()

    def expect(self, name, what, status, words):
        self.plants += 1
        got, said = self.compare(what)
        if got != status or any(word not in said for word in words):
            self.failures += 1
            print(
                f"selftest: {name}: wanted status {status} and {words}, got {got}:\n{said[:2000]}",
                file=sys.stderr,
            )

    # ---- Differences in the file -----------------------------------------------------------

    def plant(self, name, words, change):
        """change gets a copy of the events, to spoil it or to return bytes for the file."""
        events = copy.deepcopy(self.events)
        spoiled = change(events)
        if isinstance(spoiled, bytes):
            self.path.write_bytes(spoiled)
        else:
            self.write(events)
        self.expect(name, "file", 1, words)

    def value(self, kinds, test, change, words=("the server has",)):
        """Spoils one value of a column of these types in the last event that tells it."""
        for index in range(len(self.events) - 1, -1, -1):
            one = self.events[index]
            table = self.by_name[one["table"]]
            keys = {table.columns[i].name for i in table.key}
            if (
                one["after"] is None
                or one["op"] != "create"
                or self.events[index + 1 : index + 2]
                and self.events[index + 1]["op"] != "create"
            ):
                continue
            for column in table.columns:
                got = one["after"][column.name]
                if column.kind in kinds and column.name not in keys and test(got):

                    def spoil(events, index=index, name=column.name, got=got):
                        events[index]["after"][name] = change(got)

                    return self.plant(f"{kinds} {got!r} -> {change(got)!r}"[:150], words, spoil)
        raise SystemExit(
            f"selftest: the tables hold no value of {kinds} to spoil: plant {self.plants + 1}"
        )

    def file_plants(self):
        def number(got):
            return got is not None and got != 0

        self.value(["bigint"], number, lambda v: v + 1)
        self.value(["bigint"], lambda v: v is not None and v > 2**63, lambda v: v - 2**64)
        self.value(["int"], number, str)
        self.value(["tinyint"], lambda v: v == 1, lambda v: True)
        self.value(["bit"], number, lambda v: v ^ 1)
        self.value(
            ["double"], lambda v: v is not None and 1e-3 < abs(v) < 1e15, lambda v: v * (1 + 2**-52)
        )
        self.value(
            ["float"], lambda v: v is not None and 1e-3 < abs(v) < 1e15, lambda v: v * (1 + 2**-23)
        )
        self.value(["double"], lambda v: v == 0, lambda v: 5e-324)
        self.value(["double"], lambda v: v == 0, lambda v: -0.0)
        self.value(["decimal"], number, lambda v: v[:-1] + ("1" if v[-1] != "1" else "2"))
        self.value(["datetime"], number, lambda v: v.replace("T", " "))
        self.value(["timestamp"], number, lambda v: v[:-1])
        self.value(["timestamp"], lambda v: v and v.endswith("0Z"), lambda v: v[:-2] + "Z")
        self.value(["time"], lambda v: v and v.startswith("-") and v > "-00:00:00", lambda v: v[1:])
        self.value(["varchar"], lambda v: v == "", lambda v: None)
        self.value(["varchar"], lambda v: v is None, lambda v: "")
        self.value(["mediumtext", "longtext", "text"], lambda v: v, lambda v: v + " ")
        self.value(["text"], lambda v: v and any(ord(c) > 0xFF for c in v), lambda v: "�" + v[1:])
        self.value(["binary"], lambda v: v and v.endswith("AA=="), lambda v: v[:-4])
        self.value(["blob"], lambda v: v, lambda v: "AA" + v[2:] if v[:2] != "AA" else "AB" + v[2:])
        self.value(["enum"], lambda v: v == "a", lambda v: "A")
        self.value(["set"], lambda v: v and "," in v, lambda v: v.split(",")[0])
        self.value(["geometry"], lambda v: v and v["srid"] == 0, lambda v: {**v, "srid": 1})
        self.value(
            ["polygon"], lambda v: v, lambda v: {**v, "wkb": v["wkb"][:-4] + "AAAA" + "AAAA"}
        )

        def remove(events):
            del events[-1]

        self.plant("the last event is missing", ["is missing"], remove)

        def first_of(op, events):
            return next(i for i, e in enumerate(events) if e["op"] == op)

        def remove_delete(events):
            del events[first_of("delete", events)]

        self.plant("a delete is missing", ["which is there already"], remove_delete)

        def repeat(events):
            events.insert(10, copy.deepcopy(events[9]))

        self.plant("a line comes twice", ["came before"], repeat)

        def repeat_with_new_id(events):
            at = first_of("update", events)
            events.insert(at + 1, {**events[at], "id": events[at]["id"] + "1"})

        self.plant("an update comes twice under two ids", ["before differs"], repeat_with_new_id)

        def exchange(events):
            at = first_of("update", events)
            events[at - 1], events[at] = events[at], events[at - 1]

        self.plant("an update before its create", ["which is not there"], exchange)

        def behind(events):
            events[7]["id"], events[8]["id"] = events[8]["id"], events[7]["id"]

        self.plant("ids go back", ["behind a later one"], behind)

        def stale(events):
            at = next(
                i
                for i, e in enumerate(events)
                if e["op"] == "update"
                and e["before"]["k" if "k" in e["before"] else list(e["before"])[0]] is not None
            )
            name = next(
                n
                for n, v in events[at]["before"].items()
                if v is not None and n not in events[at]["key"]
            )
            events[at]["before"][name] = "stale"

        self.plant("a before image is stale", ["before differs"], stale)

        def drop_column(events):
            events[5]["after"].popitem()

        self.plant("a column is missing", ["has the columns"], drop_column)

        def wrong_key(events):
            events[5]["key"] = {"x": 1}

        self.plant("the key is wrong", ["the key is"], wrong_key)

        def wrong_table(events):
            events[5]["table"] = "story.elsewhere"

        self.plant("a row of no table", ["no table of the server"], wrong_table)

        def ghost(events):
            last = copy.deepcopy(events[-1])
            name = next(iter(last["key"]))
            last["after"][name] = last["key"][name] = "ghost"
            last["id"] = "0-1-999999:0:0"
            events.append(last)

        self.plant("a row that never was", ["not in the server's table"], ghost)

        text = b"".join(json.dumps(e, ensure_ascii=False).encode() + b"\n" for e in self.events)
        self.plant("the last line is torn", ["torn"], lambda events: text[:-20])
        self.plant(
            "a line in the middle is torn",
            ["not JSON"],
            lambda events: text[:5000] + b"\n" + text[5000:],
        )
        self.plant("two lines are one", ["not JSON"], lambda events: text.replace(b"}\n", b"}", 1))
        self.plant(
            "bytes are no UTF-8", ["not JSON"], lambda events: text.replace(b'"op"', b'"o\xff"', 1)
        )
        self.plant(
            "a name comes twice",
            ["comes twice"],
            lambda events: text.replace(b'"op"', b'"op": "create", "op"', 1),
        )
        self.plant("the file is empty", ["is missing"], lambda events: b"")

    # ---- Differences in Redis --------------------------------------------------------------

    def redis_plants(self):
        table = next(
            t for t in self.tables if len(t.columns) > 5 and len(self.rows[t.full_name]) > 5
        )
        row = next(r for r in self.rows[table.full_name] if None in r)
        key = redis_key(table, row)
        empty = table.columns[row.index(None)].name
        column = next(i for i, v in enumerate(row) if v is not None and i not in table.key)
        field = table.columns[column].name
        call = self.redis.call

        def spoil(name, words, *commands):
            for command in commands:
                call(*command)
            self.expect(f"redis: {name}", "redis", 1, words)
            self.fill_redis()

        spoil("a key is missing", ["is missing"], ("DEL", key))
        spoil(
            "a key too many",
            ["not in the server's tables"],
            ("HSET", "story:integers:ghost", "id", "1"),
        )
        spoil("a key of another kind", ["not in the server's tables"], ("SET", "elsewhere", "1"))
        spoil("a field is missing", [f"field {field}"], ("HDEL", key, field))
        spoil("a NULL has a field", [f"field {empty}"], ("HSET", key, empty, ""))
        spoil(
            "a field too many", ["fields that the table has not"], ("HSET", key, "no column", "1")
        )
        spoil("a value differs", [f"field {field}"], ("HSET", key, field, "something else"))
        spoil(
            "a value has a space more",
            [f"field {field}"],
            ("HSET", key, field, call("HGET", key, field) + b" x"),
        )
        spoil("no hash", ["is no hash"], ("DEL", key), ("SET", key, "1"))
        spoil("nothing at all", ["is missing"], ("FLUSHALL",))

    # ---- Differences in strings and streams ------------------------------------------------

    def fill_json(self):
        self.redis.call("SELECT", 1)
        self.redis.call("FLUSHDB")
        self.redis.call("SET", "rowferry:position", "0-1-1")
        for table in self.tables:
            for row in self.rows[table.full_name]:
                text = json.dumps(image(table, row), ensure_ascii=False)
                self.redis.call("SET", redis_key(table, row), text)

    def json_plants(self):
        table = next(t for t in self.tables if len(self.rows[t.full_name]) > 5)
        row = self.rows[table.full_name][0]
        key, good = redis_key(table, row), image(table, row)
        column = next(c.name for i, c in enumerate(table.columns) if i not in table.key)
        call = self.redis.call
        short = {name: value for name, value in good.items() if name != column}
        for name, words, command in (
            ("a key is missing", ["is missing"], ("DEL", key)),
            ("a key too many", ["not in the server's tables"], ("SET", "elsewhere", "{}")),
            ("a hash", ["is no string"], ("HSET", key, "a", "b")),
            ("no JSON", ["is not JSON"], ("SET", key, "{")),
            ("a column is missing", ["has the columns"], ("SET", key, json.dumps(short))),
            (
                "a value differs",
                [f"column {column}"],
                ("SET", key, json.dumps(good | {column: "something else"})),
            ),
        ):
            if command[0] == "HSET":
                call("DEL", key)
            call(*command)
            self.expect(f"json: {name}", "json", 1, words)
            self.fill_json()

    def fill_streams(self):
        self.redis.call("SELECT", 2)
        self.redis.call("FLUSHDB")
        for number, one in enumerate(self.events):
            fields = []
            for name, value in one.items():
                if value is not None and name != "position":
                    text = value if isinstance(value, str) else json.dumps(value)
                    fields += [name, text]
            key = one["table"].replace(".", ":", 1)
            self.redis.call("XADD", key, f"{number + 1}-0", *fields)

    def streams_plants(self):
        call = self.redis.call
        last = self.events[-1]
        key = last["table"].replace(".", ":", 1)
        place, fields = call("XREVRANGE", key, "+", "-", "COUNT", 1)[0]
        ahead = f"{len(self.events) + 1}-0"
        for name, words, command in (
            ("an entry is missing", [" is missing"], ("XDEL", key, place)),
            ("an entry comes twice", ["came before"], ("XADD", key, ahead, *fields)),
            ("another stream", ["in the stream elsewhere"], ("XADD", "elsewhere", ahead, *fields)),
            ("an id comes twice", ["both have the id"], ("XADD", "elsewhere", place, *fields)),
            ("no event", ["no event"], ("XADD", key, ahead, "a", "b")),
            ("no stream", ["is no stream"], ("SET", "elsewhere", "1")),
        ):
            call(*command)
            self.expect(f"streams: {name}", "streams", 1, words)
            self.fill_streams()

    # ---- Differences in MongoDB ------------------------------------------------------------

    def document(self, table, row):
        fields = {c.name: c.field(v) for c, v in zip(table.columns, row)}
        return {"_id": document_id(table, row), **fields}

    def fill_mongo(self):
        self.mongo.command("copy", {"dropDatabase": 1})
        self.mongo.command("elsewhere", {"dropDatabase": 1})
        self.mongo.command("rowferry", {"insert": "positions", "documents": [{"a": 1}]})
        for table in self.tables:
            for row in self.rows[table.full_name]:
                insert = {"insert": table.full_name, "documents": [self.document(table, row)]}
                self.mongo.command("copy", insert)

    def spoil_mongo(self, name, words, *commands):
        for database, command in commands:
            self.mongo.command(database, command)
        self.expect(f"mongo: {name}", "mongo", 1, words)
        self.fill_mongo()

    def replace_field(self, table, row, name, value):
        document = self.document(table, row)
        document[name] = value
        update = {"q": {"_id": document["_id"]}, "u": document}
        return "copy", {"update": table.full_name, "updates": [update]}

    def mongo_plants(self):
        table = self.by_name["story.sure"]
        row = self.rows[table.full_name][0]
        names = [column.name for column in table.columns]
        good = self.document(table, row)
        for name, value in (
            ("t", Int64(1)),
            ("bu", 18446744073709551615.0),
            ("n", "-1.50"),
            ("n", Decimal128("-1.5")),
            ("dt", "2024-02-29T00:00:00.000"),
            ("dt", Date(good["dt"].value + 1)),
            ("ts", Date(good["ts"].value + 3600000)),
            ("ti", "00:00:01.5"),
            ("v", None),
            ("v0", ""),
            ("x", good["x"] + " "),
            ("b", good["b"].value.decode("latin-1")),
            ("bl", type(good["bl"])(good["bl"].value + b"\0", 0)),
            ("zero", 0),
            ("f", good["f"] + 1e-7),
            ("e", "b"),
        ):
            self.spoil_mongo(
                f"{name} is {value!r}",
                [f"field {name}: the server has"],
                self.replace_field(table, row, name, value),
            )
        short = {name: value for name, value in good.items() if name != "x"}
        turned = {"_id": good["_id"], **{name: good[name] for name in reversed(names)}}
        delete = {"q": {"_id": good["_id"]}, "limit": 1}
        for name, document in (("missing", short), ("turned", turned), ("more", {**good, "y": 1})):
            self.spoil_mongo(
                f"fields are {name}",
                ["has the fields"],
                ("copy", {"delete": table.full_name, "deletes": [delete]}),
                ("copy", {"insert": table.full_name, "documents": [document]}),
            )
        self.spoil_mongo(
            "a document is missing",
            ["is missing"],
            ("copy", {"delete": table.full_name, "deletes": [delete]}),
        )
        self.spoil_mongo(
            "a document too many",
            ["is not in the server's tables"],
            ("copy", {"insert": table.full_name, "documents": [{"_id": "ghost"}]}),
        )
        self.spoil_mongo(
            "an _id of another type",
            ["is missing", "is not in the server's tables"],
            ("copy", {"delete": table.full_name, "deletes": [delete]}),
            ("copy", {"insert": table.full_name, "documents": [{**good, "_id": Int64(1)}]}),
        )
        self.spoil_mongo(
            "a collection too many",
            ["the collection elsewhere.t is of no table"],
            ("elsewhere", {"insert": "t", "documents": [{"_id": 1}]}),
        )
        self.spoil_mongo("nothing at all", ["is missing"], ("copy", {"dropDatabase": 1}))

    def run(self):
        if not any(len(rows) > 20 for rows in self.rows.values()):
            raise SystemExit("selftest: the tables are too empty to prove anything")
        self.fill_redis()
        self.write(self.events)
        self.expect("equal file", "file", 0, [" 0 differences"])
        self.expect("equal Redis", "redis", 0, [" 0 differences"])
        self.file_plants()
        self.redis_plants()
        self.fill_json()
        self.expect("equal strings", "json", 0, [" 0 differences"])
        self.json_plants()
        self.fill_streams()
        self.expect("equal streams", "streams", 0, [" 0 differences"])
        self.streams_plants()
        self.fill_mongo()
        self.expect("equal documents", "mongo", 0, [" 0 differences"])
        self.mongo_plants()
        print(f"selftest: {self.plants} comparisons, {self.failures} went wrong")
        return 1 if self.failures else 0


if __name__ == "__main__":
    sys.exit(Selftest(sys.argv[1], *map(int, sys.argv[2:4]), sys.argv[4], sys.argv[5:]).run())
