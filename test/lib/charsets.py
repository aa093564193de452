#!/usr/bin/env python3
"""Every character of every character set that a server has, as the server converts it.

    charsets.py --schema --socket S [--step N] | mariadb ...
    charsets.py --check --socket S [--only NAME]... <LINES

The first form prints SQL: a table `charsets`.NAME for each character set, with a row for each byte,
pair of bytes (for sets that have them also three and four) that may be one character. N: of the
million that gb18030 has in four bytes, and utf32, every N-th.

The second form reads what `rowferry tail` printed while that SQL ran, and compares each text with
CONVERT(text USING utf8mb4). Where the server answers with a question mark, U+FFFD, nothing or no
UTF-8 for something else, it has lost it: there each byte must be marked, U+10FE00 plus the byte. So must be
the bytes of a character that is such a mark itself.
"""

import argparse
import sys

from compare import DECODER, Differences
from schema import Server

HIGH, ANY, DIGITS = (0x80, 0xFF), (0, 0xFF), (0x30, 0x39)
MARK = 0x10FE00
PAIRS = "big5 cp932 eucjpms euckr gb18030 gb2312 gbk sjis ujis".split()
UNITS = "ucs2 utf16 utf16le".split()
# What the servers say for what they do not know, and the bytes that are just that.
GENUINE = {
    "?": {b"?", b"\0?", b"?\0", b"\0\0\0?"},
    "\ufffd": {b"\xff\xfd", b"\xfd\xff", b"\0\0\xff\xfd", b"\x84\x31\xa4\x37"},
}
CHARACTERS_MAX = 4  # of a row
LEFT_OUT = ("binary", "utf8mb3", "utf8mb4")  # the unit tests have all their characters


def codes(ranges, where="1"):
    """A SELECT of all strings with their bytes in these ranges."""
    tables = " JOIN ".join(f"bytes b{i}" for i in range(len(ranges)))
    text = ", ".join(f"CHAR(b{i}.n)" for i in range(len(ranges)))
    order = ", ".join(f"b{i}.n" for i in range(len(ranges)))
    bounds = " AND ".join(f"b{i}.n BETWEEN {a} AND {z}" for i, (a, z) in enumerate(ranges))
    return f"SELECT CONCAT({text}) FROM {tables} WHERE {bounds} AND {where} ORDER BY {order}"


def selections(charset, step):
    if charset in UNITS:
        yield codes([ANY, ANY])
        # Pairs of surrogates, and what only looks like them.
        head = [(0xD7, 0xE0), (0x00, 0x00)] if charset != "utf16le" else [(0, 0), (0xD7, 0xE0)]
        yield codes(head + head)
        return
    if charset == "utf32":
        yield codes([(0, 0), (0, 0x11), (0xD7, 0xE0), ANY])
        yield codes([(0, 1), (0, 0x12), ANY, ANY], f"(b2.n * 256 + b3.n) % {step} = 0")
        return
    yield codes([ANY])
    if charset in PAIRS:
        yield codes([HIGH, ANY])
    if charset in ("ujis", "eucjpms"):
        yield codes([(0x8F, 0x8F), HIGH, HIGH])
    if charset == "gb18030":
        number = "((b0.n * 10 + b1.n) * 126 + b2.n) * 10 + b3.n"
        yield codes([(0x81, 0xFE), DIGITS, (0x81, 0xFE), DIGITS], f"({number}) % {step} = 0")
        yield codes([(0x84, 0x84), (0x30, 0x32), (0x81, 0xFE), DIGITS])


def names(server):
    for (name,) in server.rows(
        "SELECT character_set_name FROM information_schema.character_sets ORDER BY 1"
    ):
        if name.decode() not in LEFT_OUT:
            yield name.decode()


def print_schema(server, step):
    print("SET sql_mode = ''; CREATE DATABASE charsets; USE charsets;")
    print("CREATE TABLE bytes (n INT PRIMARY KEY);")
    print("INSERT INTO bytes VALUES " + ", ".join(f"({n})" for n in range(256)) + ";")
    for name in names(server):
        print(
            f"CREATE TABLE `{name}` (id INT PRIMARY KEY AUTO_INCREMENT, "
            f"text VARCHAR(8) CHARACTER SET {name});"
        )
        for selection in selections(name, step):
            print(f"INSERT IGNORE INTO `{name}` (text) {selection};")


def expected(stored, converted):
    """What becomes of one character: what the server says, or its bytes, marked."""
    try:
        text = converted.decode()
    except UnicodeDecodeError:
        text = None
    lost = not text and stored or text in GENUINE and stored not in GENUINE[text]
    if lost or any(MARK <= ord(character) <= MARK + 0xFF for character in text):
        return "".join(chr(MARK + byte) for byte in stored)
    return text


def unhexed(field):
    return bytes.fromhex((field or b"").decode())


def read_texts(server, name):
    """Yields (id, stored bytes, text as it should come) of each row."""
    characters = ", ".join(
        f"HEX(SUBSTRING(text, {k}, 1)), HEX(CONVERT(SUBSTRING(text, {k}, 1) USING utf8mb4))"
        for k in range(1, CHARACTERS_MAX + 1)
    )
    for row in server.rows(f"SELECT id, HEX(text), {characters} FROM charsets.`{name}`"):
        stored = unhexed(row[1])
        fields = [unhexed(field) for field in row[2:]]
        pairs = list(zip(fields[::2], fields[1::2]))
        if b"".join(part for part, _ in pairs) != stored:
            raise RuntimeError(f"{name} {stored.hex()}: its characters are not all of it")
        yield int(row[0]), stored, "".join(expected(*pair) for pair in pairs)


def check(server, lines, only):
    got = {}
    for line in lines:
        event = DECODER.decode(line)
        database, _, table = event.get("table", "").partition(".")
        if event["op"] == "create" and database == "charsets" and table != "bytes":
            got.setdefault(table, {})[event["after"]["id"]] = event["after"]["text"]
    differences, total = Differences(), 0
    for name in only or names(server):
        ours, count, marked = got.get(name, {}), 0, 0
        for number, stored, wanted in read_texts(server, name):
            count += 1
            text = ours.pop(number, None)
            if text != wanted:
                differences.add(f"{name} {stored.hex()}: {text!r}, wanted {wanted!r}")
            marked += any(MARK <= ord(character) <= MARK + 0xFF for character in wanted)
        for number in ours:
            differences.add(f"{name}: row {number} is not on the server")
        if count == 0:
            differences.add(f"{name}: the server has no text in it")
        print(f"{count:8} {name}, {marked} marked")
        total += count
    print(f"{total:8} texts, {differences.count} differences")
    differences.report("charsets")
    sys.exit(1 if differences.count else 0)


def main():
    parser = argparse.ArgumentParser(description="every character of every character set")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--schema", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", action="append", help="check this character set alone")
    parser.add_argument("--step", type=int, default=1)
    arguments = parser.parse_args()
    server = Server(arguments.socket)
    if arguments.schema:
        print_schema(server, arguments.step)
    elif arguments.check:
        check(server, sys.stdin, arguments.only)
    else:
        parser.error("--schema or --check")


if __name__ == "__main__":
    main()
