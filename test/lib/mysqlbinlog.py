#!/usr/bin/env python3
"""Compares what rowferry makes of a log file with what `mysqlbinlog -vv`, or `mariadb-binlog -vv`,
says of it.

    mysqlbinlog.py --file bin.000001 --lines changes.jsonl [--tagged N] [--anonymous] < its output

The output is that of `mysqlbinlog -vv --base64-output=decode-rows`. Both tell, for each transaction
in the log's order, how many rows of which table were inserted, updated and deleted; the two must be
the same, transaction by transaction. A transaction is known by its GTID, or where it has none by the
place of its first event; rows of an XA transaction are those of its XA COMMIT. mysqlbinlog gives an
event up at a type that it does not know (a geometry, a vector): of such a table and transaction only
that it has rows is compared. Exits 1 on any difference, and when there was nothing to compare;
--tagged and --anonymous say what must have been in the log.
"""

import argparse
import collections
import json
import re
import sys

AT = re.compile(r"# at (\d+)")
GTID = re.compile(r"SET @@SESSION\.GTID_NEXT= '([^']+)'")
GTID_OF_MARIADB = re.compile(r"#\d{6} .*\tGTID (\d+-\d+-\d+)")
XA = re.compile(r"XA (PREPARE|COMMIT|ROLLBACK) (X'[0-9a-f]*',X'[0-9a-f]*',\d+)(?! ONE PHASE)")
ROW = re.compile(r"### (INSERT INTO|UPDATE|DELETE FROM) `((?:[^`]|``)*)`\.`((?:[^`]|``)*)`$")
OPS = {"INSERT INTO": "create", "UPDATE": "update", "DELETE FROM": "delete"}


def told_by_mysqlbinlog(lines, file_name):
    """[(transaction, {(op, table): rows})], those with rows only, and for each the vague ones."""
    found, vague, at, last, prepared = [], [], None, None, {}
    for line in lines:
        line = line.rstrip("\n")
        place = AT.fullmatch(line)
        if place:
            at = int(place[1])
            continue
        gtid = GTID.match(line) or GTID_OF_MARIADB.match(line)
        if gtid and gtid[1] != "AUTOMATIC":
            name = f"{file_name}:{at}" if gtid[1] == "ANONYMOUS" else gtid[1]
            found.append((name, collections.Counter()))
            vague.append(set())
            continue
        xa = XA.match(line)
        if xa and xa[1] == "PREPARE":
            prepared[xa[2]] = (found[-1][1].copy(), vague[-1])
            found[-1][1].clear()
            vague[-1] = set()
        elif xa:
            rows, unclear = prepared.pop(xa[2])
            if xa[1] == "COMMIT":
                found[-1][1].update(rows)
                vague[-1] = unclear
        if "!! Don't know how to handle column type" in line:
            vague[-1].add(last)
            continue
        row = ROW.match(line)
        if row:
            table = ".".join(part.replace("``", "`") for part in row.groups()[1:])
            last = (OPS[row[1]], table)
            found[-1][1][last] += 1
    pairs = [pair for pair in zip(found, vague) if pair[0][1]]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def told_by_rowferry(lines):
    found = []
    for line in lines:
        event = json.loads(line)
        if event["op"] in ("ddl", "truncate"):
            continue
        if not found or found[-1][0] != event["position"]:
            found.append((event["position"], collections.Counter()))
        found[-1][1][(event["op"], event["table"])] += 1
    return found


def main():
    parser = argparse.ArgumentParser(description="compare rowferry's lines with mysqlbinlog's text")
    parser.add_argument("--file", required=True, help="name of the log file, without directories")
    parser.add_argument("--lines", required=True, help="rowferry's")
    parser.add_argument("--tagged", type=int, default=0, help="so many tagged GTIDs at least")
    parser.add_argument("--anonymous", action="store_true", help="no transaction has a GTID")
    arguments = parser.parse_args()
    wanted, vague = told_by_mysqlbinlog(sys.stdin, arguments.file)
    with open(arguments.lines, encoding="utf-8") as lines:
        got = told_by_rowferry(lines)
    for number, (theirs, ours) in enumerate(zip(wanted, got)):
        for place in vague[number]:
            theirs[1][place] = min(theirs[1][place], 1)
            ours[1][place] = min(ours[1][place], 1)
        if theirs != ours:
            sys.exit(
                f"mysqlbinlog: transaction {number + 1} is {theirs[0]} with {dict(theirs[1])}, "
                f"rowferry has {ours[0]} with {dict(ours[1])}"
            )
    if len(wanted) != len(got):
        sys.exit(f"mysqlbinlog: {len(wanted)} transactions with rows, rowferry has {len(got)}")
    if not wanted:
        sys.exit("mysqlbinlog: the log has no rows at all")
    tagged = sum(name.count(":") == 2 for name, _ in wanted)
    anonymous = sum(name.startswith(arguments.file) for name, _ in wanted)
    if tagged < arguments.tagged or anonymous != (len(wanted) if arguments.anonymous else 0):
        sys.exit(f"mysqlbinlog: {tagged} tagged and {anonymous} anonymous transactions")
    rows = sum(sum(counts.values()) for _, counts in wanted)
    print(f"mysqlbinlog: {rows} rows in {len(wanted)} transactions of {arguments.file}, as told")


if __name__ == "__main__":
    main()
