#!/usr/bin/env python3
"""A small client for Cassandra's native protocol: asks a node for anything, with no library.

    cql.py PORT STATEMENT...       prints the rows of each, tab-separated, without headings
    cql.py PORT --dump KEYSPACE    prints all rows of all its tables but rowferry's own, sorted

A program imports it: Cql(port).query("SELECT ...") gives rows, lists of values. Values are such
that none are equal which the node tells apart: a decimal is a Decimal with its scale, a blob is
bytes, a null is None; what Python has no exact type for is a text.
With the variables CQL_USER and CQL_PASSWORD it logs in. Exit code of the program: 1 when the node
answered with an error or not at all.
"""

import datetime
import decimal
import ipaddress
import os
import socket
import struct
import sys
import uuid

ERROR, READY, AUTHENTICATE, RESULT, SUCCESS = 0x00, 0x02, 0x03, 0x08, 0x10
STARTUP, QUERY, AUTH_RESPONSE = 0x01, 0x07, 0x0F
ROWS, SET_KEYSPACE = 2, 3
ONE = 1
EPOCH = datetime.datetime(1970, 1, 1)


class CqlError(Exception):
    """What the node answered: its code and words."""


class Reader:
    """Takes values off the front of some bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise CqlError("the answer ends too early")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=True):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def text(self):
        return self.take(self.number(2, False)).decode()

    def value(self):
        size = self.number(4)
        return None if size < 0 else self.take(size)

    def vint(self):
        first = self.number(1, False)
        extra = 8 - (first ^ 0xFF).bit_length()
        value = first & (0xFF >> extra) if extra < 8 else 0
        for _ in range(extra):
            value = value << 8 | self.number(1, False)
        return value >> 1 ^ -(value & 1)

    def type(self):
        kind = self.number(2, False)
        if kind == 0x00:
            # Version 4 has no number for a duration.
            name = self.text()
            return (0x15,) if name.endswith(".DurationType") else (kind, name)
        if kind in (0x20, 0x22):
            return (kind, self.type())
        if kind == 0x21:
            return (kind, self.type(), self.type())
        if kind == 0x30:
            self.text(), self.text()
            return (kind, [(self.text(), self.type()) for _ in range(self.number(2))])
        if kind == 0x31:
            return (kind, [self.type() for _ in range(self.number(2))])
        return (kind,)


def decode(kind, data):
    """A value of a type, as Reader.type gives it."""
    if data is None:
        return None
    if kind[0] in (0x01, 0x0A, 0x0D):
        return data.decode()
    if kind[0] in (0x02, 0x05, 0x09, 0x0E, 0x13, 0x14):
        return int.from_bytes(data, "big", signed=True)
    if kind[0] == 0x04:
        return data != b"\0"
    if kind[0] == 0x06:
        unscaled = int.from_bytes(data[4:], "big", signed=True)
        exponent = -int.from_bytes(data[:4], "big", signed=True)
        return decimal.Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), exponent))
    if kind[0] in (0x07, 0x08):
        return struct.unpack(">d" if kind[0] == 0x07 else ">f", data)[0]
    if kind[0] == 0x0B:
        moment = EPOCH + datetime.timedelta(milliseconds=int.from_bytes(data, "big", signed=True))
        return moment.isoformat(sep=" ", timespec="milliseconds")
    if kind[0] in (0x0C, 0x0F):
        return str(uuid.UUID(bytes=bytes(data)))
    if kind[0] == 0x10:
        return str(ipaddress.ip_address(bytes(data)))
    if kind[0] == 0x11:
        return (EPOCH + datetime.timedelta(int.from_bytes(data, "big") - (1 << 31))).date().isoformat()
    if kind[0] == 0x12:
        nanos = int.from_bytes(data, "big")
        seconds = nanos // 10**9
        return "%02d:%02d:%02d.%09d" % (seconds // 3600, seconds // 60 % 60, seconds % 60, nanos % 10**9)
    if kind[0] == 0x15:
        reader = Reader(data)
        return "%dmo%dd%dns" % (reader.vint(), reader.vint(), reader.vint())
    if kind[0] in (0x20, 0x22):
        reader = Reader(data)
        return [decode(kind[1], reader.value()) for _ in range(reader.number(4))]
    if kind[0] == 0x21:
        reader = Reader(data)
        return {decode(kind[1], reader.value()): decode(kind[2], reader.value())
                for _ in range(reader.number(4))}
    return bytes(data)


def show(value):
    """A value as the program prints it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(show(k) + ": " + show(value[k]) for k in sorted(value)) + "}"
    return repr(value) if isinstance(value, float) else str(value)


class Cql:
    def __init__(self, port, user=None, password=None, host="127.0.0.1"):
        self.socket = socket.create_connection((host, int(port)), 30)
        opcode, _ = self.ask(STARTUP, struct.pack(">H", 1) + self.short("CQL_VERSION") + self.short("3.0.0"))
        if opcode == AUTHENTICATE:
            token = b"\0%s\0%s" % ((user or "").encode(), (password or "").encode())
            opcode, _ = self.ask(AUTH_RESPONSE, struct.pack(">i", len(token)) + token)
        if opcode not in (READY, SUCCESS):
            raise CqlError(f"answer {opcode} to the log-in")

    @staticmethod
    def short(text):
        return struct.pack(">H", len(text.encode())) + text.encode()

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise CqlError("the node closed the connection")
            data += part
        return data

    def ask(self, opcode, body):
        self.socket.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
        _, flags, _, opcode, size = struct.unpack(">BBhBi", self.receive(9))
        reader = Reader(self.receive(size))
        if flags & 0x08:
            for _ in range(reader.number(2, False)):
                reader.text()
        if opcode == ERROR:
            code = reader.number(4)
            raise CqlError(f"{code:#06x} {reader.text()}")
        return opcode, reader

    def query(self, statement):
        """All rows, page by page."""
        text = statement.encode()
        found, state = [], None
        while True:
            flags = 0x04 | (0x08 if state is not None else 0)
            body = struct.pack(">i", len(text)) + text + struct.pack(">HBi", ONE, flags, 1000)
            if state is not None:
                body += struct.pack(">i", len(state)) + state
            _, reader = self.ask(QUERY, body)
            if reader.number(4) != ROWS:
                return found
            flags, count = reader.number(4), reader.number(4)
            state = reader.value() if flags & 0x02 else None
            if flags & 0x01:
                reader.text(), reader.text()
            types = []
            for _ in range(count):
                if not flags & 0x01:
                    reader.text(), reader.text()
                reader.text()
                types.append(reader.type())
            for _ in range(reader.number(4)):
                found.append([decode(kind, reader.value()) for kind in types])
            if state is None:
                return found

    def dump(self, keyspace):
        """Lines "TABLE COLUMN=VALUE ..." without nulls, sorted."""
        lines = []
        tables = self.query(f"SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{keyspace}'")
        for table, in tables:
            if table.startswith("rowferry_"):
                continue
            columns = sorted(name for name, in self.query(
                "SELECT column_name FROM system_schema.columns WHERE keyspace_name = "
                f"'{keyspace}' AND table_name = '{table}'"))
            quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
            for row in self.query(f'SELECT {quoted} FROM "{keyspace}"."{table}"'):
                lines.append(" ".join([table] + [f"{name}={show(value)}" for name, value
                                                 in zip(columns, row) if value is not None]))
        return sorted(lines)


def main(arguments):
    if len(arguments) < 2:
        print(__doc__.strip(), file=sys.stderr)
        return 1
    try:
        cql = Cql(arguments[0], os.environ.get("CQL_USER"), os.environ.get("CQL_PASSWORD"))
        if arguments[1] == "--dump":
            for line in cql.dump(arguments[2]):
                print(line)
            return 0
        for statement in arguments[1:]:
            for row in cql.query(statement):
                print("\t".join(map(show, row)))
    except (CqlError, OSError) as error:
        print(f"cql.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
