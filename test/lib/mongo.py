#!/usr/bin/env python3
"""A small client for the MongoDB protocol: enough to ask a server for anything, with no library.

    mongo.py PORT COMMAND [DATABASE]    prints the answer to a command, both as extended JSON
    mongo.py PORT --dump                prints all documents, but for rowferry's and the server's own

A program imports it: Mongo(port).command("shop", {"count": "orders"}). Documents are dicts in their
order. Every type comes back as one of its own, so that nothing is equal that the server tells
apart: int and float are Int32 and Double of the protocol, an Int64 is never an int.
Exit code of the program: 1 when the server answered with an error or not at all.
"""

import decimal
import json
import socket
import struct
import sys

OP_MSG = 2013
OWN = ("admin", "config", "local", "rowferry")
MESSAGE_MAX = 64 << 20
BATCH = 10000  # documents of a cursor at a time


class Typed:
    """A value of a type that Python has not."""

    def __init__(self, value, more=None):
        self.value = value
        self.more = more

    def __eq__(self, other):
        return type(self) is type(other) and (self.value, self.more) == (other.value, other.more)

    def __hash__(self):
        return hash((type(self), self.value, self.more))

    def __repr__(self):
        return json.dumps(to_json(self))


class Int64(Typed):
    pass


class Date(Typed):
    """Milliseconds since 1970."""


class Decimal128(Typed):
    """Its text, in the form that the specification of extended JSON gives it."""


class Binary(Typed):
    """Bytes, and their subtype in `more`."""


class ObjectId(Typed):
    pass


class Other(Typed):
    """Any other type: its bytes, and the type's number in `more`."""


# ---- BSON ---------------------------------------------------------------------------------------


def decimal_text(data):
    """Source: BSON Decimal128 specification, "To String Representation"."""
    low, high = struct.unpack("<QQ", data)
    sign = "-" if high >> 63 else ""
    if (high >> 58) & 31 == 31:
        return "NaN"
    if (high >> 58) & 31 == 30:
        return sign + "Infinity"
    if (high >> 61) & 3 == 3:
        exponent, coefficient = (high >> 47) & 0x3FFF, 0  # a coefficient out of range counts as 0
    else:
        exponent, coefficient = (high >> 49) & 0x3FFF, (high & ((1 << 49) - 1)) << 64 | low
    if coefficient >= 10**34:
        coefficient = 0
    exponent -= 6176
    digits = str(coefficient)
    scientific = exponent + len(digits) - 1
    if exponent > 0 or scientific < -6:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}E{scientific:+d}"
    if exponent == 0:
        return sign + digits
    digits = digits.rjust(1 - exponent, "0")
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def decimal_bytes(text):
    """Of a finite number of at most 34 digits, its zeros kept."""
    sign, digits, exponent = decimal.Decimal(text).as_tuple()
    number = int("".join(map(str, digits)))
    high = sign << 63 | (exponent + 6176) << 49 | number >> 64
    return struct.pack("<QQ", number & ((1 << 64) - 1), high)


def cstring(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def decode_value(kind, data, at):
    """The value at this place, and the place behind it."""
    if kind == 0x01:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == 0x02:
        size = struct.unpack_from("<i", data, at)[0]
        return data[at + 4 : at + 3 + size].decode(), at + 4 + size
    if kind in (0x03, 0x04):
        size = struct.unpack_from("<i", data, at)[0]
        found = decode(data[at : at + size])
        return (list(found.values()) if kind == 0x04 else found), at + size
    if kind == 0x05:
        size, subtype = struct.unpack_from("<iB", data, at)
        return Binary(bytes(data[at + 5 : at + 5 + size]), subtype), at + 5 + size
    if kind == 0x07:
        return ObjectId(data[at : at + 12].hex()), at + 12
    if kind == 0x08:
        return data[at] != 0, at + 1
    if kind == 0x09:
        return Date(struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0x0A:
        return None, at
    if kind == 0x10:
        return struct.unpack_from("<i", data, at)[0], at + 4
    if kind == 0x12:
        return Int64(struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0x13:
        return Decimal128(decimal_text(data[at : at + 16])), at + 16
    if kind == 0x0B:
        end = cstring(data, cstring(data, at)[1])[1]
    elif kind == 0x11:
        end = at + 8
    elif kind in (0x7F, 0xFF):
        end = at
    elif kind in (0x0D, 0x0E):
        end = at + 4 + struct.unpack_from("<i", data, at)[0]
    else:
        raise ValueError(f"BSON of the unknown type {kind:#x}")
    return Other(bytes(data[at:end]), kind), end


def decode(data):
    if len(data) < 5 or struct.unpack_from("<i", data)[0] != len(data) or data[-1] != 0:
        raise ValueError("not a BSON document")
    at, found = 4, {}
    while at < len(data) - 1:
        kind = data[at]
        name, at = cstring(data, at + 1)
        if name in found:
            raise ValueError(f"the field {name!r} comes twice")
        found[name], at = decode_value(kind, data, at)
    return found


def encode_value(value):
    """The type's number, and the bytes."""
    if isinstance(value, bool):
        return 0x08, bytes([value])
    if isinstance(value, int) and -(1 << 31) <= value < 1 << 31:
        return 0x10, struct.pack("<i", value)
    if isinstance(value, (int, Int64)):
        return 0x12, struct.pack("<q", value if isinstance(value, int) else value.value)
    if isinstance(value, float):
        return 0x01, struct.pack("<d", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return 0x02, struct.pack("<i", len(text)) + text
    if isinstance(value, dict):
        return 0x03, encode(value)
    if isinstance(value, (list, tuple)):
        return 0x04, encode({str(i): item for i, item in enumerate(value)})
    if value is None:
        return 0x0A, b""
    if isinstance(value, Date):
        return 0x09, struct.pack("<q", value.value)
    if isinstance(value, ObjectId):
        return 0x07, bytes.fromhex(value.value)
    if isinstance(value, Decimal128):
        return 0x13, decimal_bytes(value.value)
    if isinstance(value, Binary):
        return 0x05, struct.pack("<iB", len(value.value), value.more) + value.value
    if isinstance(value, Other):
        return value.more, value.value
    raise TypeError(f"no BSON is made of {value!r}")


def encode(document):
    body = b""
    for name, value in document.items():
        kind, data = encode_value(value)
        body += bytes([kind]) + name.encode() + b"\0" + data
    return struct.pack("<i", len(body) + 5) + body + b"\0"


# ---- Extended JSON ------------------------------------------------------------------------------


def to_json(value):
    """The canonical form, but numbers of 32 bits and doubles as they are."""
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, Int64):
        return {"$numberLong": str(value.value)}
    if isinstance(value, Decimal128):
        return {"$numberDecimal": value.value}
    if isinstance(value, Date):
        return {"$date": {"$numberLong": str(value.value)}}
    if isinstance(value, ObjectId):
        return {"$oid": value.value}
    if isinstance(value, (Binary, Other)):
        return {"$binary": {"hex": value.value.hex(), "type": value.more}}
    return value


def from_json(pairs):
    """For json.loads(object_pairs_hook=...): the types that a command may need."""
    found = dict(pairs)
    if len(found) == 1:
        ((name, value),) = found.items()
        if name == "$numberLong":
            return Int64(int(value))
        if name == "$date":
            return Date(value.value if isinstance(value, Int64) else int(value))
        if name == "$oid":
            return ObjectId(value)
    return found


# ---- The connection -----------------------------------------------------------------------------


class Refused(RuntimeError):
    """The server answered with an error; `answer` is all of it."""

    def __init__(self, answer):
        super().__init__(json.dumps(to_json(answer)))
        self.answer = answer


class Mongo:
    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.input = self.socket.makefile("rb", buffering=1 << 16)
        self.asked = 0

    def close(self):
        self.input.close()
        self.socket.close()

    def read(self, size):
        data = self.input.read(size)
        if len(data) != size:
            raise ConnectionError("the server closed the connection")
        return data

    def ask(self, database, command):
        """The whole answer, also of a refusal."""
        self.asked += 1
        body = b"\0\0\0\0\0" + encode({**command, "$db": database})
        self.socket.sendall(struct.pack("<4i", len(body) + 16, self.asked, 0, OP_MSG) + body)
        size, _, to, code = struct.unpack("<4i", self.read(16))
        if to != self.asked or code != OP_MSG or not 26 <= size <= MESSAGE_MAX:
            raise ConnectionError(f"not an answer: {size} bytes to {to}, code {code}")
        body = self.read(size - 16)
        return decode(body[5:])

    def command(self, database, command):
        answer = self.ask(database, command)
        if answer.get("ok") != 1 or "writeErrors" in answer or "writeConcernError" in answer:
            raise Refused(answer)
        return answer

    def databases(self):
        found = self.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
        return sorted(each["name"] for each in found if each["name"] not in OWN)

    def collections(self, database):
        answer = self.command(database, {"listCollections": 1, "cursor": {}})
        return sorted(
            each["name"]
            for each in self.batches(database, "$cmd.listCollections", answer)
            if not each["name"].startswith("system.")
        )

    def batches(self, database, collection, answer):
        cursor = answer["cursor"]
        yield from cursor["firstBatch"]
        while cursor["id"] not in (0, Int64(0)):
            more = {"getMore": cursor["id"], "collection": collection, "batchSize": BATCH}
            cursor = self.command(database, more)["cursor"]
            yield from cursor["nextBatch"]

    def documents(self, database, collection):
        answer = self.command(database, {"find": collection, "batchSize": BATCH})
        return self.batches(database, collection, answer)


def dump(mongo):
    for database in mongo.databases():
        for collection in mongo.collections(database):
            lines = [json.dumps(to_json(each)) for each in mongo.documents(database, collection)]
            for line in sorted(lines):
                print(f"{database}.{collection} {line}")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    try:
        mongo = Mongo(int(sys.argv[1]))
        if sys.argv[2] == "--dump":
            dump(mongo)
            return
        command = json.loads(sys.argv[2], object_pairs_hook=from_json)
        database = sys.argv[3] if len(sys.argv) == 4 else "test"
        print(json.dumps(to_json(mongo.command(database, command))))
    except (OSError, Refused, ValueError) as error:
        sys.exit(f"mongo.py: {error}")


if __name__ == "__main__":
    main()
