"""A small client for Redis: enough to read all of a database quickly, with no library."""

import socket


class Redis:
    def __init__(self, port, host="127.0.0.1", database=0):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.input = self.socket.makefile("rb", buffering=1 << 16)
        if database:
            self.call("SELECT", database)

    def close(self):
        self.input.close()
        self.socket.close()

    @staticmethod
    def encode(words):
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)

    def reply(self):
        line = self.input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.input.read(size + 2)[:-2]
        if kind == b"*":
            return None if int(rest) < 0 else [self.reply() for _ in range(int(rest))]
        raise RuntimeError(f"Redis answered {line!r}")

    def call(self, *words):
        self.socket.sendall(self.encode(words))
        return self.reply()

    def keys(self):
        cursor, found = b"0", set()
        while True:
            cursor, some = self.call("SCAN", cursor, "COUNT", 2000)
            found.update(some)
            if cursor == b"0":
                return found

    def hashes(self, keys, depth=200):
        """Yields (key, {field: value}) for each key; None where it is no hash."""
        keys = list(keys)
        for at in range(0, len(keys), depth):
            some = keys[at : at + depth]
            self.socket.sendall(b"".join(self.encode(("TYPE", key)) for key in some))
            kinds = [self.reply() for _ in some]
            hashes = [key for key, kind in zip(some, kinds) if kind == b"hash"]
            for key, kind in zip(some, kinds):
                if kind != b"hash":
                    yield key, None
            self.socket.sendall(b"".join(self.encode(("HGETALL", key)) for key in hashes))
            for key in hashes:
                flat = self.reply()
                yield key, dict(zip(flat[::2], flat[1::2]))
