#!/usr/bin/env python3
"""A seeded load for a MariaDB or MySQL server: random inserts, updates and deletes over ten tables.

    workload.py --schema                                  the databases and tables
    workload.py --operations 100000 --seed 7              the changes, for `mariadb` on its input
    workload.py ... --socket S                            the changes, made on that server; SIGTERM
                                                          ends it early, at a transaction's end
    workload.py ... --mysql                               for MySQL, whose types differ a little

Together the tables use every column type, at their boundaries; keys of one and of several columns,
of numbers, text and bytes; names that need quoting; generated and invisible columns. The changes
come as single statements and as transactions, also rolled back ones and (--xa) XA ones, with several
rows in a statement, changed, shifted and exchanged primary keys, NULL to value and back.

One operation is one row that is changed for good; about one in a hundred is an update that happens
to change nothing, which no log mentions. The same seed gives the same SQL, byte for byte.
The generator knows which keys live, so no statement fails on a server that nobody else changes;
a second load on the same tables begins at another --first.
Every PROGRESS_STEP operations a row with the number of operations so far goes into
`story`.`progress`; the last row there is the last operation of all.
"""

import argparse
import ctypes
import random
import signal
import subprocess
import sys

from literals import PROLOGUE, quote
from tables import make_tables

PROGRESS_STEP = 50
DATABASES = ("story", "two wörds")
BIG_CHANCE = 0.001  # of a value longer than 64 KiB, where the column can hold one


class Workload:
    """Steps of SQL, each a whole transaction or a statement of its own."""

    def __init__(self, seed, innodb_only=False, first=0, mysql=False, with_xa=False):
        self.rng = random.Random(seed)
        self.tables = make_tables(
            random.Random(1), innodb_only, mysql
        )  # the schema is no matter of the seed
        self.transactional = [t for t in self.tables if t.transactional]
        self.operations = self.reported = self.first = first
        self.xas, self.with_xa = 0, with_xa
        for table in self.tables:
            table.made = first

    def schema(self):
        out = [PROLOGUE]
        out += [f"CREATE DATABASE {quote(name)} CHARACTER SET utf8mb4;\n" for name in DATABASES]
        out.append(
            "CREATE TABLE story.progress (operations INT UNSIGNED PRIMARY KEY) ENGINE=InnoDB;\n"
        )
        out += [table.schema() for table in self.tables]
        return "".join(out)

    def value(self, column):
        rng = self.rng
        if column.big is not None and rng.random() < BIG_CHANCE:
            return column.big
        return column.literals[int(rng.random() * len(column.literals))]

    def row(self, table, key):
        return "(" + ",".join([*key, *map(self.value, table.values)]) + ")"

    def changes(self, table):
        chosen = self.rng.sample(
            table.assignments, min(len(table.assignments), self.rng.choice((1, 1, 1, 2, 3, 5)))
        )
        return ",".join(name + self.value(column) for name, column in chosen)

    def some(self, table, most):
        count = min(len(table.keys), self.rng.randint(1, most))
        return self.rng.sample(table.keys, count)

    # Each of these returns SQL without its end, or None when the table does not lend itself to it.

    def insert(self, table, most=1):
        keys = [table.new_key() for _ in range(self.rng.randint(1, most))]
        self.operations += len(keys)
        rows = ",".join(self.row(table, key) for key in keys)
        for key in keys:
            table.add(key)
        return f"INSERT INTO {table.full_name} ({table.column_list}) VALUES {rows}"

    def insert_many(self, table):
        return self.insert(table, 12)

    def update(self, table):
        key = self.rng.choice(table.keys)
        self.operations += 1
        return f"UPDATE {table.full_name} SET {self.changes(table)} WHERE {table.match(key)}"

    def update_many(self, table):
        keys = self.some(table, 9)
        self.operations += len(keys)
        return f"UPDATE {table.full_name} SET {self.changes(table)} WHERE {table.match_any(keys)}"

    def delete(self, table):
        key = self.rng.choice(table.keys)
        self.operations += 1
        table.remove(key)
        return f"DELETE FROM {table.full_name} WHERE {table.match(key)}"

    def delete_many(self, table):
        keys = self.some(table, 5)
        self.operations += len(keys)
        for key in keys:
            table.remove(key)
        return f"DELETE FROM {table.full_name} WHERE {table.match_any(keys)}"

    def assign_key(self, table, key):
        return ",".join(f"{n}={v}" for n, v in zip(table.quoted_key, key))

    def rename(self, table):
        """A new primary key, sometimes with new values."""
        old, new = self.rng.choice(table.keys), table.new_key()
        self.operations += 1
        table.remove(old)
        table.add(new)
        more = "," + self.changes(table) if self.rng.random() < 0.5 else ""
        changes = self.assign_key(table, new) + more
        return f"UPDATE {table.full_name} SET {changes} WHERE {table.match(old)}"

    def exchange(self, table):
        """Two rows take each other's key, by way of a third."""
        if len(table.keys) < 2:
            return None
        (one, two), free = self.rng.sample(table.keys, 2), table.new_key()
        self.operations += 3
        moves = ((one, free), (two, one), (free, two))
        return ";\n".join(
            f"UPDATE {table.full_name} SET {self.assign_key(table, to)} WHERE {table.match(old)}"
            for old, to in moves
        )

    def shift(self, table):
        """Neighbours move up by one: each new key is one that another row has just left."""
        if not table.dense:
            return None
        first = int(self.rng.choice(table.keys)[0])
        last = first
        while (str(last + 1),) in table.where and last - first < 8:
            last += 1
        if (str(last + 1),) in table.where:
            return None
        table.made = max(table.made, last + 1)
        table.remove((str(first),))
        table.add((str(last + 1),))
        self.operations += last - first + 1
        return (
            f"UPDATE {table.full_name} SET id=id+1 "
            f"WHERE id BETWEEN {first} AND {last} ORDER BY id DESC"
        )

    def replace(self, table):
        keys = self.some(table, 3)
        self.operations += len(keys)
        rows = ",".join(self.row(table, key) for key in keys)
        return f"REPLACE INTO {table.full_name} ({table.column_list}) VALUES {rows}"

    def upsert(self, table):
        key = self.rng.choice(table.keys)
        self.operations += 1
        return (
            f"INSERT INTO {table.full_name} ({table.column_list}) VALUES {self.row(table, key)} "
            f"ON DUPLICATE KEY UPDATE {self.changes(table)}"
        )

    def reborn(self, table):
        """Deleted and inserted again under its key."""
        key = self.rng.choice(table.keys)
        self.operations += 2
        return (
            f"DELETE FROM {table.full_name} WHERE {table.match(key)};\n"
            f"INSERT INTO {table.full_name} ({table.column_list}) VALUES {self.row(table, key)}"
        )

    def nothing(self, table):
        """Statements that change no row."""
        key = self.rng.choice(table.keys)
        return (
            f"INSERT IGNORE INTO {table.full_name} ({table.column_list}) "
            f"VALUES {self.row(table, key)};\n"
            f"DELETE FROM {table.full_name} WHERE {table.match(table.new_key())}"
        )

    KINDS = (
        insert,
        insert_many,
        update,
        update_many,
        delete,
        delete_many,
        rename,
        exchange,
        shift,
        replace,
        upsert,
        reborn,
        nothing,
    )
    WEIGHTS = (22, 8, 28, 6, 12, 3, 6, 2, 2, 3, 4, 2, 2)

    def statement(self, tables):
        table = self.rng.choice(tables)
        while True:
            if len(table.keys) < 3:
                return self.insert_many(table) + ";\n"
            sql = self.rng.choices(self.KINDS, self.WEIGHTS)[0](self, table)
            if sql is not None:
                return sql + ";\n"

    def xa(self, length, ending):
        """An XA transaction in two phases; ending: COMMIT or ROLLBACK."""
        self.xas += 1
        name = f"'story {self.first}',X'{self.xas:08x}',{self.xas % 3}"
        sql = self.transaction(length, ending)
        body = sql[len("BEGIN;\n") : -len(ending + ";\n")]
        return f"XA START {name};\n{body}XA END {name};\nXA PREPARE {name};\nXA {ending} {name};\n"

    def transaction(self, length, ending):
        """Its SQL. ending: COMMIT, ROLLBACK, or SAVEPOINT for one that is undone in part."""
        before = self.operations
        for table in self.transactional:
            table.begin()
        out = ["BEGIN;\n"]
        out += [self.statement(self.transactional) for _ in range(length)]
        kept = ending == "COMMIT"
        if ending == "SAVEPOINT":
            for table in self.transactional:
                table.end(True)
            before = self.operations
            out.append("SAVEPOINT `half way`;\n")
            for table in self.transactional:
                table.begin()
            out += [self.statement(self.transactional) for _ in range(length)]
            out.append("ROLLBACK TO `half way`;\nCOMMIT;\n")
        else:
            out.append(ending + ";\n")
        for table in self.transactional:
            table.end(kept)
        if not kept:
            self.operations = before
        return "".join(out)

    def step(self):
        dice = self.rng.random()
        if dice < 0.55:
            return self.statement(self.tables)
        length = int(self.rng.paretovariate(1.1)) + 1
        length = min(length, 200)
        if self.with_xa and dice < 0.65:
            return self.xa(min(length, 20), "ROLLBACK" if dice < 0.58 else "COMMIT")
        if dice < 0.90:
            return self.transaction(length, "COMMIT")
        return self.transaction(min(length, 20), "ROLLBACK" if dice < 0.96 else "SAVEPOINT")

    def progress(self):
        self.operations += 1
        self.reported = self.operations
        return f"INSERT INTO story.progress VALUES ({self.operations});\n"

    def steps(self, operations, stop=lambda: False):
        """SQL until that many operations more are done; the last step reports how many in all."""
        goal = self.operations + operations
        while self.operations < goal - 1 and not stop():
            yield self.step()
            if self.operations - self.reported >= PROGRESS_STEP and self.operations < goal - 1:
                yield self.progress()
        yield self.progress()


def die_with_parent():
    """So that nothing is left of us when we are killed. Runs in the child."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start_client(socket, stdout=None):
    """A client that takes SQL on its standard input, and ends at the first error. What it selects
    comes out at once, as lines without headings."""
    command = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-u", "root"]
    return subprocess.Popen(
        [*command, "--unbuffered", "-N", "-B", "-S", socket],
        stdin=subprocess.PIPE,
        stdout=stdout,
        preexec_fn=die_with_parent,
    )


def feed(load, operations, socket):
    """Makes the changes on a server; returns the client's exit status."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    client = start_client(socket)
    try:
        client.stdin.write(PROLOGUE.encode())
        for sql in load.steps(operations, lambda: stopped):
            client.stdin.write(sql.encode())
        client.stdin.close()
    except BrokenPipeError:
        pass  # its status says more
    return client.wait()


def main():
    parser = argparse.ArgumentParser(description="SQL of a random load; see the head of the file")
    parser.add_argument("--schema", action="store_true", help="print the tables instead")
    parser.add_argument("--operations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="count operations and keys from here")
    parser.add_argument("--socket", help="of a server to make the changes on")
    parser.add_argument("--xa", action="store_true", help="XA transactions in two phases, too")
    parser.add_argument(
        "--innodb-only", action="store_true", help="no table that a crash of the server damages"
    )
    parser.add_argument("--mysql", action="store_true", help="the server is MySQL")
    arguments = parser.parse_args()
    load = Workload(
        arguments.seed, arguments.innodb_only, arguments.first, arguments.mysql, arguments.xa
    )
    if arguments.schema:
        sys.stdout.write(load.schema())
        return
    if arguments.socket:
        sys.exit(feed(load, arguments.operations, arguments.socket))
    sys.stdout.write(PROLOGUE)
    for sql in load.steps(arguments.operations):
        sys.stdout.write(sql)


if __name__ == "__main__":
    main()
