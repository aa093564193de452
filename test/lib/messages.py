#!/usr/bin/env python3
"""test/lib/messages.py FORMAT FILE: every line of FILE is a JSON object with the members that FORMAT
promises, in their order. Prints how many rows of the log the lines speak of."""

import json
import sys

SOURCE = ["version", "connector", "name", "ts_ms", "snapshot", "db", "sequence", "ts_us", "ts_ns",
          "table", "server_id", "gtid", "file", "pos", "row", "thread", "query"]
ENVELOPE = ["before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"]
CHANGE = ["source", "ts_ms", "databaseName", "schemaName", "ddl", "tableChanges"]
CANAL = ["data", "database", "es", "gtid", "id", "isDdl", "mysqlType", "old", "pkNames", "sql",
         "sqlType", "table", "ts", "type"]


def expect(condition, what):
    if not condition:
        raise SystemExit(f"messages.py: {what}")


def values_fit(schema, value, path):
    """A value is what its Connect schema says."""
    types = {"int8": int, "int16": int, "int32": int, "int64": int, "float": (int, float),
             "double": (int, float), "boolean": bool, "string": str, "bytes": str, "struct": dict,
             "array": list}
    if value is None:
        expect(schema["optional"], f"{path} is null")
        return
    expect(isinstance(value, types[schema["type"]]), f"{path}: {value!r} is no {schema['type']}")
    if schema["type"] == "struct":
        expect([f["field"] for f in schema["fields"]] == list(value), f"{path}: {list(value)}")
        for field in schema["fields"]:
            values_fit(field, value[field["field"]], f"{path}.{field['field']}")
    if schema["type"] == "array":
        for number, item in enumerate(value):
            values_fit(schema["items"], item, f"{path}[{number}]")


def debezium(message):
    if "schema" in message:
        values_fit(message["schema"], message["payload"], "payload")
        message = message["payload"]
    expect(list(message["source"]) == SOURCE, list(message["source"]))
    if "ddl" in message:
        expect(list(message) == CHANGE, list(message))
        return 0
    expect(list(message) == ENVELOPE, list(message))
    op = message["op"]
    expect((message["before"] is None) == (op in "crt"), f"before of {op}")
    expect((message["after"] is None) == (op in "dt"), f"after of {op}")
    if op == "t":
        return 0
    # A changed key is a deletion and a creation, of the same row of the log.
    global last_deleted
    row = (message["source"]["pos"], message["source"]["row"])
    created_anew = op == "c" and row == last_deleted
    last_deleted = row if op == "d" else None
    return 0 if created_anew else 1


def maxwell(message):
    if "data" not in message:
        expect(list(message)[:2] == ["type", "database"], list(message))
        return 0
    expect(list(message)[:4] == ["database", "table", "type", "ts"], list(message))
    expect(("old" in message) <= (message["type"] == "update"), "old without an update")
    expect(set(message.get("old", {})) <= set(message["data"]), "old has other columns")
    return 1


def canal(message):
    expect(list(message) == CANAL, list(message))
    if message["isDdl"]:
        expect(message["data"] is None and message["sql"], "a statement")
        return 0
    row = message["data"][0]
    expect(list(row) == list(message["mysqlType"]) == list(message["sqlType"]), "columns")
    expect(all(value is None or isinstance(value, str) for value in row.values()), "strings")
    return 1


def flat(message):
    expect("__op" in message and "__id" in message, list(message))
    if message["__op"] in ("ddl", "t"):
        expect(message["__statement"], "a statement")
        return 0
    expect(message["__deleted"] == (message["__op"] == "d"), "__deleted")
    return 1


last_deleted = None
check = {"debezium": debezium, "maxwell": maxwell, "canal": canal, "flat": flat}[sys.argv[1]]
with open(sys.argv[2], encoding="utf-8") as file:
    print(sum(check(json.loads(line)) for line in file), "rows")
