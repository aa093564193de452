"""Private MariaDB, MySQL, Redis, MongoDB and Cassandra servers, through tools/servers."""

import socket
import subprocess
import sys

from . import places

PORT_TAKEN = 98
START_TRIES = 5


class Failure(Exception):
    """Something that the person at the terminal has to know; printed without a traceback."""


def tool(*arguments):
    """Runs tools/servers; returns the finished process."""
    return subprocess.run([places.SERVERS, *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def must(*arguments):
    done = tool(*arguments)
    if done.returncode != 0:
        raise Failure(f"tools/servers {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout.strip()


class Server:
    """A server of one kind in a directory. Use with `with`: it is stopped at the end."""

    kind = ""

    def __init__(self, directory, options=()):
        self.directory = directory
        self.options = list(options)
        self.port = None

    def start_words(self):
        """Of tools/servers, before the server's own options."""
        return []

    def __enter__(self):
        for _ in range(START_TRIES):
            self.port = int(must("port"))
            done = tool("start", self.kind, self.directory, self.port, *self.start_words(), "--",
                        *self.options)
            if done.returncode == 0:
                return self
            if done.returncode != PORT_TAKEN:
                break
        raise Failure(f"{self.kind} did not start: {done.stderr.strip()}")

    def __exit__(self, *error):
        must("stop", self.kind, self.directory)


class MariaDB(Server):
    kind = "mariadb"
    data = "data"  # in its directory
    notes = ("bin.index", "bin.state")  # beside the log files
    log_status = "SHOW MASTER STATUS"
    gtids = "SELECT @@gtid_binlog_pos"
    binlog_program = "mariadb-binlog"

    @staticmethod
    def before_last(gtids):
        """The place in front of the last transaction, as `--from` takes it."""
        domain, server_id, last = gtids.split("-")
        return f"{domain}-{server_id}-{int(last) - 1}"

    def client(self, sql, database=None):
        """Runs SQL text; returns what it selects as lines of tab separated fields."""
        command = ["mariadb", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1",
                   "-P", str(self.port), "-u", "root", "-N", "-B"]
        if database:
            command += ["-D", database]
        done = subprocess.run(command, input=sql, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failure(f"the server refused the benchmark's SQL: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def pid(self):
        return int((self.directory / "mariadb.pid").read_text().split()[0])


class MySQL(MariaDB):
    kind = "mysql"
    data = "mysql/data"
    notes = ("bin.index",)
    log_status = "SHOW BINARY LOG STATUS"
    gtids = "SELECT @@gtid_executed"

    @property
    def binlog_program(self):
        return must("tree", "mysql") + "/bin/mysqlbinlog"

    @staticmethod
    def before_last(gtids):
        uuid, numbers = gtids.split(":")
        first, last = numbers.split("-")
        return f"{uuid}:{first}-{int(last) - 1}"

    def pid(self):
        return int((self.directory / "mysql.pid").read_text().split()[0])


SQL_SERVERS = {"mariadb": MariaDB, "mysql": MySQL}


class Redis(Server):
    """An empty Redis that keeps nothing on disk."""

    kind = "redis"

    def __init__(self, directory):
        super().__init__(directory, ["--save", ""])

    def __exit__(self, *error):
        must("kill", self.kind, self.directory)

    def pid(self):
        return int((self.directory / "redis.pid").read_text().split()[0])


class Mongo(Server):
    """An empty server of the MongoDB protocol, in memory, with room for the rows. Always the same
    one, so that figures of two machines can be compared."""

    kind = "mongo"

    def __init__(self, directory):
        super().__init__(directory, ["-Xmx2g"])

    def start_words(self):
        return ["--java"]

    def __exit__(self, *error):
        must("kill", self.kind, self.directory)

    def client(self):
        """Of the tests' library; needs nothing installed."""
        sys.path.insert(0, str(places.TEST_LIB))
        from mongo import Mongo as Client
        return Client(self.port)


class Cassandra(Server):
    """A node with the compiler and the memory that it would have at work."""

    kind = "cassandra"

    def __init__(self, directory):
        super().__init__(directory, ["-Xms2g", "-Xmx2g", "-XX:TieredStopAtLevel=4",
                                     "commitlog_total_space=1024MiB", "commitlog_segment_size=32MiB",
                                     "memtable_heap_space=512MiB", "concurrent_writes=32"])

    def __exit__(self, *error):
        must("kill", self.kind, self.directory)

    def client(self):
        """Of the tests' library; needs nothing installed."""
        sys.path.insert(0, str(places.TEST_LIB))
        from cql import Cql as Client
        return Client(self.port)


class RedisClient:
    """Just enough of RESP2 to ask a few questions over one connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.reader.close()
        self.socket.close()

    def ask(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(words)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.socket.sendall(request)
        return self.answer()

    def answer(self):
        line = self.reader.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.reader.read(size + 2)[:-2]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        raise Failure(f"Redis says: {line.decode(errors='replace').strip()}")
