#!/usr/bin/env python3
"""SQL that changes JSON documents in all ways that MySQL logs as changes, for `mariadb` on its input.

    documents.py [--operations N] [--seed N]

Makes the database `documents`, with binlog_row_value_options=PARTIAL_JSON in its session; the same
for the same numbers. Documents are large next to their changes, as else they are logged whole.
"""

import argparse
import json
import random

KEYS = ["a", "bb", "ccc", "key", "é", "two words", 'quo"te', "back\\slash", "dot.ted", "[0]", "$", "1"]
KEYS += ["new\nline", "tab\t", "😀", "", "x" * 100]
FILLER = "long enough that changes are logged, and not the whole. " * 8


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, 32768, -32769, 65536, 2**31, 2**63, 2**64 - 1])
    if kind == 2:
        return rng.choice([0.5, -1.25e300, 1e-7])
    if kind < 6:
        return rng.choice(["", "é", "a\"b\\c\n", "text", "😀", FILLER[: rng.randrange(200)]])
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    return {rng.choice(KEYS): value(rng, depth + 1) for _ in range(rng.randrange(6))}


def sql(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def document(found):
    return f"CAST({sql(json.dumps(found, ensure_ascii=False))} AS JSON)"


def path(rng, found):
    """A path that leads somewhere, or nearly so."""
    out = "$"
    while isinstance(found, (list, dict)):
        if rng.random() < (0.5 if out != "$" else 0.01):
            break
        if isinstance(found, list):
            at = rng.randrange(len(found) + 1)
            out += f"[{at}]"
            found = found[at] if at < len(found) else None
        else:
            key = rng.choice([key for key in found if key != "filler"] + [rng.choice(KEYS)])
            out += "." + json.dumps(key, ensure_ascii=False)
            found = found.get(key)
    return out


def change(rng, found):
    """An expression that changes column d; paths are those of a document that it may once have been."""
    pairs = ", ".join(
        f"{sql(path(rng, found))}, {document(value(rng, 1))}" for _ in range(rng.randrange(1, 4))
    )
    kind = rng.randrange(7)
    if kind < 3:
        return f"JSON_{rng.choice(['SET', 'REPLACE', 'SET'])}(d, {pairs})"
    if kind == 3:
        return f"JSON_REMOVE(d, {sql('$.' + json.dumps(rng.choice(KEYS), ensure_ascii=False))})"
    if kind == 4:
        return f"JSON_REMOVE(d, {sql('$.list[' + str(rng.randrange(6)) + ']')})"
    return f"JSON_SET(d, '$.list[{rng.randrange(9)}]', {document(value(rng, 1))})"


def main():
    parser = argparse.ArgumentParser(description="changes of JSON documents")
    parser.add_argument("--operations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print("SET NAMES utf8mb4; SET binlog_row_value_options = PARTIAL_JSON;")
    print("CREATE DATABASE documents CHARACTER SET utf8mb4; USE documents;")
    columns = ", ".join(f"j{n} JSON" for n in range(7))  # their bitmap has a second byte
    print(f"CREATE TABLE t (id INT PRIMARY KEY, a JSON, n INT, {columns}, d JSON, b VARCHAR(9));")
    rows = []
    for number in range(30):
        found = {"filler": FILLER, "list": [1, "two", [3], {"a": 4}], "object": value(rng)}
        found.update({key: value(rng) for key in rng.sample(KEYS, 6)})
        rows.append(found)
        print(f"INSERT INTO t (id, a, n, d) VALUES ({number}, '[1]', 0, {document(found)});")
    for _ in range(arguments.operations):
        number = rng.randrange(len(rows))
        more = rng.choice(["", ", n = n + 1", ", a = JSON_SET(a, '$[0]', n)", ", a = NULL", ", b = 'x'"])
        print(f"UPDATE IGNORE t SET d = {change(rng, rows[number])}{more} WHERE id = {number};")
        if rng.random() < 0.02:
            print("UPDATE t SET n = n + 1, j6 = JSON_OBJECT('k', n), a = '[1, 2]';")
        if rng.random() < 0.02:
            print(f"UPDATE t SET d = {document(rows[number])} WHERE id = {number};")
        if rng.random() < 0.01:
            print(f"UPDATE t SET d = NULL WHERE id = {number};")


main()
