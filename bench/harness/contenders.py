"""Who runs in a race, and how each of them is started and seen to be done.

A contender's `run()` drains the whole log once and returns a measure.Run. All of them speak TCP to
the same server on 127.0.0.1 and begin at position 4 of bin.000001.
"""

import json
import os
import signal
import subprocess
import sys

from . import measure, places
from .servers import Cassandra, Failure, Mongo, Redis, RedisClient, must
from .workloads import HOT_KEYS, LOG, TABLE_TRANSACTION_ROWS, TABLE_TRANSACTIONS


class Race:
    """What the contenders of one workload share: the server, the workload, a scratch directory."""

    def __init__(self, workload, server, scratch):
        self.workload = workload
        self.server = server
        self.scratch = scratch
        self.runs = 0
        self.written_bytes = {}  # of the workload as lines, by format, found out in a warm-up

    def fresh(self, name):
        """A new path in the scratch directory."""
        self.runs += 1
        return self.scratch / f"{self.runs}-{name}"


class Contender:
    key = ""  # what the floors call it
    name = ""  # in the table
    is_peer = True  # it says something without rowferry beside it

    def __init__(self, race):
        self.race = race

    def run(self):
        raise NotImplementedError

    def warm_up(self):
        """Once, before the first round: fills caches and finds out what later runs have to know."""


class Bare(Contender):
    key = "bare"
    name = "bare libmariadb loop"

    def run(self):
        log = self.race.fresh("bare.log")
        command = [places.build() / "bench" / "bare", "127.0.0.1", str(self.race.server.port),
                   "root", LOG]
        return measure.run(command, log=log)

    def warm_up(self):
        self.run()


class MariadbBinlog(Contender):
    def command(self):
        return [self.race.server.binlog_program, "--no-defaults", "--read-from-remote-server", "--host=127.0.0.1",
                f"--port={self.race.server.port}", "--user=root", "--to-last-log"]


class MariadbBinlogRaw(MariadbBinlog):
    key = "raw"
    name = "mariadb-binlog (mysqlbinlog) --raw"

    def run(self):
        """It writes files of the logs' names; here they are links to /dev/null."""
        target = self.race.fresh("raw")
        target.mkdir()
        for number in (1, 2):
            (target / f"bin.{number:06}").symlink_to("/dev/null")
        return measure.run([*self.command(), "--raw", f"--result-file={target}/", LOG],
                           log=self.race.fresh("raw.log"))


class MariadbBinlogText(MariadbBinlog):
    key = "text"
    name = "mariadb-binlog (mysqlbinlog) -vv, text to /dev/null"

    def run(self):
        return measure.run([*self.command(), "-vv", "--base64-output=decode-rows", LOG],
                           log=self.race.fresh("text.log"))


class GoMysql(Contender):
    """What one would write in Go: the library go-mysql and encoding/json. See bench/go-mysql."""

    key = "go-mysql"
    name = "go-mysql 1.15 + encoding/json, to /dev/null"
    program = None  # set when it is there

    def run(self):
        end = str(self.race.workload.facts()["log_bytes"])
        return measure.run([self.program, "127.0.0.1", str(self.race.server.port), "root", LOG, LOG,
                            end], log=self.race.fresh("go-mysql.log"),
                           environment={"FLAVOR": self.race.server.kind})


class Rowferry(Contender):
    """`rowferry run` with a state of its own each time, so that it begins at the log's start."""

    is_peer = False
    table = None  # default: the workload's
    options = ()

    def rowferry(self, sink, **how):
        state = self.race.fresh("state")
        state.mkdir()
        table = self.table or self.race.workload.table
        source = f"mysql://root@127.0.0.1:{self.race.server.port}/{table}"
        command = [places.build() / "rowferry", "run", "--from=earliest", "--quiet",
                   *self.options, source, sink]
        return measure.run(command, log=self.race.fresh("rowferry.log"),
                           environment={"XDG_STATE_HOME": str(state)}, **how)


class Skip(Rowferry):
    """All but one row, the very last of the log, is left out before it is decoded.

    That row goes to a pipe, whose other end sees it at once.
    """

    key = "S0"
    name = "rowferry S0: no table picked but the marker at the end"
    table = "bench.marker"

    def run(self):
        reader, writer = os.pipe()
        try:
            return self.rowferry("-", stdout=writer, reached=measure.readable(reader))
        finally:
            os.close(reader)
            os.close(writer)


class JsonToNull(Rowferry):
    """As Debezium's change events, which say more of each row than any other format."""

    key = "S1"
    name = "rowferry S1: Debezium JSON to /dev/null"
    format = "debezium"  # each run of a race has the same

    def file_sink(self, path):
        return f"file:{path}?format={self.format}"

    def run(self):
        return self.rowferry(self.file_sink("/dev/null"),
                             reached=measure.has_written(self.written_bytes()))

    def rows(self):
        return self.race.workload.rows

    def warm_up(self):
        """The size of the output comes from a file of it, whose lines are counted."""
        if self.format in self.race.written_bytes:
            return
        target = self.race.fresh("lines.jsonl")
        last = last_line_marker(target, self.rows())
        self.rowferry(self.file_sink(target), reached=last)
        self.race.written_bytes[self.format] = target.stat().st_size
        target.unlink()

    def written_bytes(self):
        return self.race.written_bytes[self.format]


class OncePerHour(JsonToNull):
    """What S1 costs without a position recorded every 100 ms."""

    key = "S16"
    name = "rowferry S16: S1, positions recorded once per hour"
    options = ("--flush-ms=1h",)


class OneTable(JsonToNull):
    """One of all the tables, and the marker, whose line is the last. Into a file: next to so few lines
    the writes of the state would count."""

    key = "S5"
    format = "json"
    name = "rowferry S5: JSON of one table to a file"
    table = "bench.t00007,bench.marker"

    def run(self):
        target = self.race.fresh("rows.jsonl")
        result = self.rowferry(self.file_sink(target),
                               reached=measure.file_holds(target, self.written_bytes()))
        target.unlink()
        return result

    def rows(self):
        tables = self.race.workload.rows // (TABLE_TRANSACTIONS * TABLE_TRANSACTION_ROWS)
        return self.race.workload.rows // tables + 1


class LargeTransaction(JsonToNull):
    key = "S14 transaction"
    format = "json"
    name = "rowferry: JSON of one transaction to /dev/null"


class ManyTables(JsonToNull):
    key = "S14 tables"
    format = "json"
    name = "rowferry: JSON of a row of each table to /dev/null"


class UpdatesToNull(JsonToNull):
    key = "S2"
    name = "rowferry S2: Debezium JSON with before and after to /dev/null"


class WideToNull(JsonToNull):
    key = "S4"
    name = "rowferry S4: Debezium JSON of 71 columns to /dev/null"


class JsonToFile(JsonToNull):
    key = "S3"
    format = "json"
    name = "rowferry S3: JSON to a file, positions synced"

    def run(self):
        """Ends with the process: its last flush, sync and position count."""
        target = self.race.fresh("rows.jsonl")
        result = self.rowferry(self.file_sink(target), until_exit=True,
                               reached=measure.file_holds(target, self.written_bytes()))
        check_lines(target, self.race.workload.rows)
        target.unlink()
        return result


class DebeziumToFile(JsonToFile):
    key = "S3 debezium"
    format = "debezium"
    name = "rowferry S3: Debezium JSON to a file, positions synced"


def count_lines(path):
    lines = 0
    with open(path, "rb", buffering=0) as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
    return lines


def check_lines(path, rows):
    lines = count_lines(path)
    if lines != rows:
        raise Failure(f"rowferry wrote {lines:,} lines for {rows:,} row changes")


def last_line_marker(path, rows):
    """Reached when the file has as many lines as there are rows. Slow: for warming up only."""
    counted = {"bytes": 0, "lines": 0}

    def reached(_pid):
        try:
            file = open(path, "rb", buffering=0)
        except FileNotFoundError:
            return False
        with file:
            file.seek(counted["bytes"])
            while block := file.read(1 << 20):
                counted["bytes"] += len(block)
                counted["lines"] += block.count(b"\n")
        return counted["lines"] >= rows
    return reached


class FromFile(Contender):
    """The same rows from the log file itself: no server, no connection, ends by itself."""

    is_peer = False
    key = "file"
    name = "rowferry tail binlog:FILE, JSON to /dev/null"

    def run(self):
        source = f"binlog:{self.race.workload.log()}"
        return measure.run([places.build() / "rowferry", "tail", "--quiet", source],
                           log=self.race.fresh("tail.log"))


class DiskWriter(Contender):
    """What a simple writer reaches on this disk: those bytes, synced every 100 ms and at the end."""

    is_peer = False
    key = "disk"
    name = "plain writes of the bytes of that Debezium JSON, synced as often"

    def run(self):
        target = self.race.fresh("plain")
        command = [sys.executable, "-I", "-S", places.BENCH / "plain-writer", str(target),
                   str(self.race.written_bytes["debezium"])]
        result = measure.run(command, log=self.race.fresh("plain.log"))
        target.unlink()
        return result


# ---- Redis --------------------------------------------------------------------------------------

# One row of the workload bulk, as redis-benchmark sends it 2 M times.
BULK_FIELDS = ("id", "1234567", "k", "123456", "c", "0" * 119, "pad", "0" * 59,
               "amount", "1234567.89", "created", "2024-03-01T00:20:34.567",
               "note", "left at the door..")


class WithRedis:
    """Runs with an empty Redis of its own; checks what is in it afterwards."""

    def with_redis(self, run, keys):
        with Redis(self.race.fresh("redis")) as redis, RedisClient(redis.port) as client:
            result = run(redis, client)
            found = client.ask("DBSIZE")
            if not keys(found):
                raise Failure(f"{self.name}: {found:,} keys are in Redis")
        return result


class RedisBenchmark(WithRedis, Contender):
    key = "redis-benchmark"
    name = "redis-benchmark -P 256 -c 1, HSET of 7 fields"

    def run(self):
        rows = self.race.workload.rows
        return self.with_redis(lambda redis, client: measure.run(
            ["redis-benchmark", "-p", str(redis.port), "-P", "256", "-c", "1", "-n", str(rows),
             "-r", "1000000000", "-q", "HSET", "bench:bulk:__rand_int__", *BULK_FIELDS],
            log=self.race.fresh("redis-benchmark.log")), lambda found: found > rows * 0.99)


class RedisHash(WithRedis, Rowferry):
    key = "S7"
    name = "rowferry S7: hashes in Redis, position kept there"

    def run(self):
        rows = self.race.workload.rows
        return self.with_redis(lambda redis, client: self.rowferry(
            f"redis://127.0.0.1:{redis.port}",
            reached=measure.key_exists(client, f"bench:bulk:{rows}")),
            lambda found: rows < found <= rows + 10)


# ---- MongoDB ------------------------------------------------------------------------------------


class WithMongo:
    """Runs with an empty MongoDB server of its own; checks what is in it afterwards."""

    def with_mongo(self, run):
        with Mongo(self.race.fresh("mongo")) as mongo:
            client = mongo.client()
            for _ in range(2):  # its compiler has seen the work when it counts
                result = run(mongo, client)
                found = client.command("bench", {"count": "bulk"})["n"]
                if found != self.race.workload.rows:
                    raise Failure(f"{self.name}: {found:,} documents are in MongoDB")
                for database in ("bench", "rowferry"):
                    client.command(database, {"dropDatabase": 1})
        return result


class BareMongo(WithMongo, Contender):
    key = "bare mongo"
    name = "bare libmongoc loop, unordered bulks of 1,000 upserts"

    def run(self):
        return self.with_mongo(lambda mongo, client: measure.run(
            [places.build() / "bench" / "bare_mongo", "127.0.0.1", str(mongo.port),
             str(self.race.workload.rows)], log=self.race.fresh("bare-mongo.log")))


class Documents(WithMongo, Rowferry):
    key = "S9"
    name = "rowferry S9: documents in MongoDB, position kept there"

    def run(self):
        last = {"find": "bulk", "filter": {"_id": self.race.workload.rows}}
        return self.with_mongo(lambda mongo, client: self.rowferry(
            f"mongodb://127.0.0.1:{mongo.port}", reached=measure.is_found(client, "bench", last)))


# ---- Cassandra ----------------------------------------------------------------------------------


class WithCassandra:
    """Runs with a node of its own; checks what is in it afterwards."""

    def with_cassandra(self, table, run):
        with Cassandra(self.race.fresh("cassandra")) as node:
            client = node.client()
            for _ in range(2):  # its compiler has seen the work when it counts
                result = run(node)
                found = len(client.query(f"SELECT id FROM {table}"))
                if found != self.race.workload.rows:
                    raise Failure(f"{self.name}: {found:,} rows are in Cassandra")
                client.query(f"DROP KEYSPACE {table.split('.')[0]}")
        return result


class CassandraDriver(WithCassandra, Contender):
    """What one would write with the Python driver. See bench/cassandra-driver."""

    key = "driver"
    name = "Python driver, execute_concurrent of a prepared statement, 200 at once"
    there = False  # set when the driver is

    def run(self):
        return self.with_cassandra("driver.bulk", lambda node: measure.run(
            [places.BENCH / "cassandra-driver", str(node.port), str(self.race.workload.rows)],
            log=self.race.fresh("driver.log")))


class CassandraRows(WithCassandra, Rowferry):
    key = "S10"
    name = "rowferry S10: rows in Cassandra, position kept there"
    options = ("--until=now",)

    def run(self):
        return self.with_cassandra("bench.bulk", lambda node: self.rowferry(
            f"cassandra://127.0.0.1:{node.port}/bench"))


class CassandraStub(Rowferry):
    key = "S10 stub"
    name = "the same, against a stub that answers at once"
    options = ("--until=now",)

    def run(self):
        port = int(must("port"))
        stub = subprocess.Popen([places.build() / "bench" / "cql_stub", str(port)],
                                stdout=subprocess.PIPE)
        try:
            stub.stdout.readline()  # it is ready
            result = self.rowferry(f"cassandra://127.0.0.1:{port}/bench?fold=off")
        finally:
            stub.send_signal(signal.SIGTERM)
            said = stub.communicate()[0]
        if json.loads(said)["executed"] != self.race.workload.rows:
            raise Failure(f"{self.name}: it was asked otherwise: {said.decode()}")
        return result


# ---- Hot keys -----------------------------------------------------------------------------------


class HotKeys(WithRedis, Rowferry):
    """Few rows are changed again and again. What is in Redis at the end is compared with the source's
    rows, field by field."""

    key = "S11"
    name = "rowferry S11: hot keys to Redis"
    parameters = ""

    def __init__(self, race):
        super().__init__(race)
        self.writes = []  # commands that changed a row, run by run

    def run(self):
        def drain(redis, client):
            last = self.race.workload.last_change(self.race.server)
            result = self.rowferry(f"redis://127.0.0.1:{redis.port}{self.parameters}",
                                   reached=measure.field_is(client, last))
            self.writes.append(row_writes(client))
            compare_hot(client, self.race.server)
            return result
        return self.with_redis(drain, lambda found: 0 < found <= HOT_KEYS + 10)


class HotKeysOneByOne(HotKeys):
    key = "S11 unfolded"
    name = "rowferry S11 with fold=off"
    parameters = "?fold=off"


def row_writes(client):
    """Commands that wrote or removed a key, as Redis has counted them."""
    counted = 0
    for line in client.ask("INFO", "commandstats").decode().splitlines():
        name, _, facts = line.partition(":")
        if name in ("cmdstat_hset", "cmdstat_hmset", "cmdstat_hdel", "cmdstat_unlink",
                    "cmdstat_del"):
            counted += int(facts.split(",")[0].partition("=")[2])
    return counted


def compare_hot(client, server):
    for row_id, n, name, note in server.client(
            "SELECT id, n, name, note FROM hot WHERE n > 0", database="bench"):
        found = client.ask("HGETALL", f"bench:hot:{row_id}")
        fields = dict(zip(found[::2], found[1::2]))
        wanted = {b"id": row_id, b"n": n, b"name": name, b"note": note}
        if fields != {key: value.encode() for key, value in wanted.items()}:
            raise Failure(f"S11: row {row_id} is {wanted} at the source and {fields} in Redis")
