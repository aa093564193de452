#!/usr/bin/env python3
"""Kills a program with -9 again and again while a random load runs on its source.

    killer.py --socket S --operations 5000 --kills 5 --seed 7 --file changes.jsonl --redis PORT \\
        --log rowferry.log -- rowferry run ... file:changes.jsonl ...

The load (workload.py; its tables are there already) is cut into two parts more than there are
kills, and goes on into the next but one only when its kill has happened: every kill meets a load
that has not ended. When to kill is drawn for each: soon after the start, after the file has grown
by a random number of bytes, or when a certain row has come out. Nothing here waits for time to
pass.

After the last kill the program is started once more, until the last row of the load has reached
every file, Redis, MongoDB and Cassandra; then it is ended with SIGTERM and must leave with 143. Exits 1 when the
program ends by itself, or when anything takes longer than --limit seconds.
"""

import argparse
import os
import random
import re
import select
import signal
import subprocess
import sys
import threading
import time

from cql import Cql, CqlError
from mongo import Int64, Mongo
from resp import Redis
from workload import PROLOGUE, Workload, die_with_parent, start_client

PROGRESS = re.compile(rb'"table":"story\.progress","key":\{"operations":(\d+)\}')
POLL_SECONDS = 0.0005
STOP_SECONDS = 5.0


class Failure(Exception):
    pass


class Feeder(threading.Thread):
    """Sends the load to the server; a part begins only once it is allowed."""

    def __init__(self, arguments, parts):
        super().__init__(daemon=True)
        self.operations, self.parts = arguments.operations, parts
        self.load = Workload(
            arguments.seed, arguments.innodb_only, mysql=arguments.mysql, with_xa=True
        )
        self.bounds = []  # number of operations at each part's end, known when it is sent
        self.allowed = threading.Semaphore(0)
        self.status = None
        self.client = start_client(arguments.socket)

    def run(self):
        try:
            self.client.stdin.write(PROLOGUE.encode())
            for _ in range(self.parts):
                self.allowed.acquire()
                for sql in self.load.steps(self.operations // self.parts):
                    self.client.stdin.write(sql.encode())
                self.client.stdin.flush()
                self.bounds.append(self.load.operations)
            self.client.stdin.close()
        except BrokenPipeError:
            pass
        self.status = self.client.wait()


class Output:
    """The file that the program writes: how large it is, and how far the load came out of it."""

    def __init__(self, path):
        self.path, self.at, self.progress = path, 0, 0

    def size(self):
        try:
            return os.path.getsize(self.path)
        except FileNotFoundError:
            return 0

    def look(self):
        """Reads what is new. The program may have cut the end of its file since the last look."""
        size = self.size()
        self.at = min(self.at, size)
        if size == self.at:
            return
        with open(self.path, "rb") as file:
            file.seek(max(0, self.at - 200))
            data = file.read()
            self.at = file.tell()
        for found in PROGRESS.finditer(data):
            self.progress = max(self.progress, int(found[1]))


def has_progress(cql, keyspace, last):
    try:
        return cql.query(
            f"SELECT operations FROM {keyspace}.story_progress WHERE operations = {last}"
        )
    except CqlError:
        return False  # the table is not made yet


class Killer:
    def __init__(self, arguments):
        self.arguments = arguments
        self.rng = random.Random(arguments.seed)
        self.outputs = [Output(path) for path in arguments.file]
        self.redis = [Redis(port, database=number) for port, number in arguments.redis]
        self.mongo = [Mongo(port) for port in arguments.mongo]
        self.cassandra = [(Cql(port), keyspace) for port, keyspace in arguments.cassandra]
        self.deadline = time.monotonic() + arguments.limit
        self.feeder = Feeder(arguments, arguments.kills + 2)
        self.program = None
        self.log = open(arguments.log, "ab")  # pylint: disable=consider-using-with

    def start(self):
        self.program = subprocess.Popen(  # pylint: disable=consider-using-with
            self.arguments.command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=die_with_parent,
        )

    def wait(self, what, condition):
        while not condition():
            status = self.program.poll()
            if status is not None:
                raise Failure(f"the program ended with {status}, waiting for {what}")
            if self.feeder.status not in (None, 0):
                raise Failure(f"the load ended with {self.feeder.status}, waiting for {what}")
            if time.monotonic() > self.deadline:
                progress = [output.progress for output in self.outputs]
                raise Failure(f"over the limit, waiting for {what}; files are at {progress}")
            select.select([], [], [], POLL_SECONDS)

    def activity(self):
        """Bytes that the program has read and written so far, from its libraries on."""
        try:
            with open(f"/proc/{self.program.pid}/io", encoding="ascii") as lines:
                words = dict(line.split(": ") for line in lines)
                return int(words["rchar"]) + int(words["wchar"])
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return 0

    def moment(self, number):
        """Draws when to kill: (a name for people, a condition)."""
        output = self.outputs[0]

        def ahead():  # this is always met, sooner or later: all of this kill's part has come out
            output.look()
            bounds = self.feeder.bounds
            return len(bounds) > number and output.progress >= bounds[number]

        dice = self.rng.random()
        if dice < 0.25:
            work = int(10 ** self.rng.uniform(3, 6.5))
            return f"{work} bytes of its work", lambda: self.activity() >= work or ahead()
        if dice < 0.6:
            begin, bytes_more = output.size(), int(10 ** self.rng.uniform(0, 6))
            return (
                f"the file growing by {bytes_more} bytes",
                lambda: output.size() >= begin + bytes_more or ahead(),
            )
        part = self.arguments.operations // self.feeder.parts
        row = number * part + self.rng.randint(1, part)

        def row_is_out():
            return ahead() or output.progress >= row

        return f"row {row} of the load", row_is_out

    def kill(self, number):
        what, condition = self.moment(number)
        self.start()
        self.wait(what, condition)
        if self.feeder.status is not None:
            raise Failure("the load ended before its last kill")
        self.program.kill()
        self.program.wait()
        self.outputs[0].look()
        size, progress = self.outputs[0].size(), self.outputs[0].progress
        print(f"killer: kill {number + 1} at {what}; {size} bytes, {progress} operations are out")

    def finish(self):
        self.start()

        def ended():
            return self.feeder.status is not None

        def arrived():
            for output in self.outputs:
                output.look()
            last = self.feeder.load.operations
            key = f"story:progress:{last}"
            find = {"find": "story.progress", "filter": {"_id": Int64(last)}}
            return (
                all(output.progress >= last for output in self.outputs)
                and all(redis.call("EXISTS", key) == 1 for redis in self.redis)
                and all(
                    mongo.command("copy", find)["cursor"]["firstBatch"] for mongo in self.mongo
                )
                and all(has_progress(cql, keyspace, last) for cql, keyspace in self.cassandra)
            )

        self.wait("the load's end", ended)
        if self.feeder.status != 0:
            raise Failure(f"the load ended with {self.feeder.status}")
        self.wait("the last row in all sinks", arrived)
        self.program.send_signal(signal.SIGTERM)
        try:
            status = self.program.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the program did not end within {STOP_SECONDS} s of SIGTERM") from error
        if status != 143:
            raise Failure(f"the program ended with {status} at SIGTERM, not with 143")
        done = self.feeder.load.operations
        print(f"killer: {self.arguments.kills} kills, {done} operations, all have arrived")

    def run(self):
        self.feeder.allowed.release()
        self.feeder.start()
        try:
            for number in range(self.arguments.kills):
                self.feeder.allowed.release()
                self.kill(number)
            self.feeder.allowed.release()
            self.finish()
        finally:
            for process in (self.program, self.feeder.client):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()


def port_and_database(text):
    port, _, database = text.partition("/")
    return int(port), int(database or 0)


def port_and_name(text):
    port, _, name = text.partition("/")
    return int(port), name


def main():
    parser = argparse.ArgumentParser(description="kill a pipeline with -9 while a load runs")
    parser.add_argument("--socket", required=True, help="of the server")
    parser.add_argument("--mysql", action="store_true", help="the server is MySQL")
    parser.add_argument("--operations", type=int, required=True)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--innodb-only", action="store_true")
    parser.add_argument("--file", action="append", required=True, help="that the program writes")
    parser.add_argument(
        "--redis", type=port_and_database, action="append", default=[], help="PORT or PORT/DATABASE"
    )
    parser.add_argument(
        "--mongo",
        type=int,
        action="append",
        default=[],
        help="PORT; the collections DATABASE.TABLE of its database copy",
    )
    parser.add_argument(
        "--cassandra",
        type=port_and_name,
        action="append",
        default=[],
        help="PORT/KEYSPACE; its tables DATABASE_TABLE",
    )
    parser.add_argument("--log", required=True, help="for the program's output")
    parser.add_argument("--limit", type=float, default=120, help="seconds for everything")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    try:
        Killer(arguments).run()
    except Failure as error:
        sys.exit(f"killer: {error}")


if __name__ == "__main__":
    main()
