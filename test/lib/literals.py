"""SQL literals of every column type: each function gives a list to draw from, boundaries in it.

Used by workload.py, tables.py and boundaries.py. Text and bytes are written in hex, numbers as they
are, so that no escaping rule, client or connection changes what arrives.
"""

import struct

# Microseconds must not be rounded by the server, dates such as 2024-02-31 and 0000-00-00 must stay.
PROLOGUE = (
    "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', "
    "unique_checks = 1, autocommit = 1;\n"
)


def quote(name):
    return "`" + name.replace("`", "``") + "`"


def hexed(data):
    return "X'" + data.hex() + "'" if data else "''"


PYTHON_CHARSETS = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "ascii": "ascii"}


def text_literal(text, charset):
    """Hex with an introducer: no escaping rule, client or connection can change what arrives."""
    data = text if isinstance(text, bytes) else text.encode(PYTHON_CHARSETS[charset])
    return f"_{charset} {hexed(data)}"


def integers(rng, bits, unsigned, count=60):
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    edges = {low, low + 1, -1, 0, 1, 127, 128, 255, 256, 2**15, 2**31, 2**63 - 1, high - 1, high}
    found = [n for n in sorted(edges) if low <= n <= high]
    for _ in range(count):
        # Random widths, so that small numbers and large ones are equally likely.
        number = rng.getrandbits(rng.randint(1, bits))
        found.append(number if unsigned else max(low, min(high, rng.choice((number, -number)))))
    return [str(n) for n in found]


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def floats(rng, unsigned=False, count=80):
    edges = [
        0.0,
        1.0,
        -1.0,
        0.1,
        3.4028234663852886e38,
        -3.4028234663852886e38,
        1.1754943508222875e-38,
        1.401298464324817e-45,
        16777216.0,
        16777217.0,
        1e-4,
        123456.7,
    ]
    found = edges + [
        single(rng.uniform(-1, 1) * 10.0 ** rng.randint(-37, 38)) for _ in range(count)
    ]
    found += [single(round(rng.uniform(-999, 999), 2)) for _ in range(count)]
    return ["'-0'"] + [repr(abs(n) if unsigned else n) for n in found]


def doubles(rng, unsigned=False, count=80):
    edges = [
        0.0,
        1.0,
        -1.0,
        0.1,
        1 / 3,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        2.2250738585072014e-308,
        5e-324,
        9007199254740993.0,
        1e15,
        1e16,
        123456789012345680.0,
    ]
    found = edges + [rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300) for _ in range(count)]
    found += [round(rng.uniform(-99999, 99999), 2) for _ in range(count)]
    return ["'-0'"] + [repr(abs(n) if unsigned else n) for n in found]


def decimals(rng, precision, scale, unsigned=False, count=40):
    whole = precision - scale

    def text(digits):
        head, tail = digits[:whole], digits[whole:]
        return (head or "0") + ("." + tail if tail else "")

    found = [
        text("0" * precision),
        text("9" * precision),
        text("0" * (precision - 1) + "1"),
        text("1" + "0" * (precision - 1)),
    ]
    for _ in range(count):
        digits = "".join(rng.choice("0123456789") for _ in range(precision))
        kept = rng.randint(0, precision)
        found.append(
            text(digits if rng.random() < 0.5 else "0" * (precision - kept) + digits[:kept])
        )
    if not unsigned:
        found += ["-" + n for n in found[1:]]
    return found


def bits(rng, width):
    edges = {0, 1, 2 ** (width - 1), 2**width - 1}
    edges.update(rng.getrandbits(width) for _ in range(20))
    return ["b'" + format(n, "b") + "'" for n in sorted(edges)]


def fraction(rng, digits):
    if digits == 0:
        return ""
    return "." + rng.choice(
        [
            "0" * digits,
            "9" * digits,
            "0" * (digits - 1) + "1",
            f"{rng.randrange(10 ** digits):0{digits}d}",
        ]
    )


def dates(rng, count=60):
    edges = [
        "0000-00-00",
        "1000-01-01",
        "9999-12-31",
        "1970-01-01",
        "2024-02-29",
        "2024-00-10",
        "2024-10-00",
        "2023-02-31",
        "0001-01-01",
        "1582-10-10",
    ]
    found = [
        f"{rng.randint(1, 9999):04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        for _ in range(count)
    ]
    return [f"'{text}'" for text in edges + found]


def times(rng, digits, count=40):
    found = [
        "00:00:00",
        "-00:00:01",
        "838:59:59",
        "-838:59:59",
        "23:59:59",
        "-99:00:00",
        "100:00:00",
    ]
    for _ in range(count):
        clock = f"{rng.randint(0, 838):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
        found.append(rng.choice(["", "-"]) + clock + fraction(rng, digits))
    for edge in ("-00:00:00", "00:00:00", "838:59:58", "-838:59:58", "-01:02:03"):
        found.append(edge + fraction(rng, digits))
    return [f"'{text}'" for text in found]


def datetimes(rng, digits, count=40):
    found = [
        "0000-00-00 00:00:00",
        "1000-01-01 00:00:00",
        "2024-00-00 10:00:00",
        "9999-12-31 23:59:59" + ("." + "9" * digits if digits else ""),
    ]
    for _ in range(count):
        day = f"{rng.randint(1, 9999):04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
        found.append(f"{day} {clock}{fraction(rng, digits)}")
    return [f"'{text}'" for text in found]


def timestamps(rng, digits, count=40):
    found = [
        "0000-00-00 00:00:00",
        "1970-01-01 00:00:01",
        "2038-01-19 03:14:07" + ("." + "9" * digits if digits else ""),
    ]
    for _ in range(count):
        day = f"{rng.randint(1971, 2037)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
        found.append(f"{day} {clock}{fraction(rng, digits)}")
    return [f"'{text}'" for text in found]


ALPHABETS = {
    "plain": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-",
    "marks": "\"'`\\/:;{}[]<>%_&|?*\t\n\r ",
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "western": "äöüßéèñçøÅÆ€„“”–ÿ£¥",
    "wide": "Жлш中文字かな한국ẞ\u2028\u2029\u200d\ufeff\ufffd\uffff\u0301",
    "astral": "😀🚀𝔘𐍈\U0010ffff\U00010000👩\u200d💻",
}
ALPHABETS_OF = {
    "utf8mb4": ("plain", "plain", "marks", "controls", "western", "wide", "astral"),
    "utf8mb3": ("plain", "marks", "controls", "western", "wide"),
    "ascii": ("plain", "marks", "controls"),
}


def words(rng, charset, length_max, count=60):
    """Texts of 0 to length_max characters (of latin1: any bytes), short ones more often."""
    found = ["", " ", "x"]
    for index in range(count):
        length = length_max if index == 0 else min(length_max, int(rng.paretovariate(0.7) * 4))
        if charset == "latin1":
            pool = (
                bytes(range(256)) if index % 2 else b"\x80\x81\x8d\x8f\x90\x9d\x9f\xa0\xe4\xff\x00a"
            )
            found.append(bytes(rng.choice(pool) for _ in range(length)))
        else:
            letters = ALPHABETS[rng.choice(ALPHABETS_OF[charset])]
            found.append("".join(rng.choice(letters) for _ in range(length)))
    found = [
        text.encode() if charset == "latin1" and isinstance(text, str) else text for text in found
    ]
    return [text_literal(text, charset) for text in found]


def blobs(rng, length_max, count=60):
    found = [b"", b"\0", b"\0" * min(3, length_max), b"a\0"[:length_max], b"\xff"]
    for index in range(count):
        length = length_max if index == 0 else min(length_max, int(rng.paretovariate(0.7) * 4))
        found.append(rng.randbytes(length))
    # Bytes that end in zeros are what a fixed length column loses on its way through the log.
    found += [rng.randbytes(max(0, length_max // 2)) + b"\0" * (length_max - length_max // 2)]
    return [hexed(data[:length_max]) for data in found]


def documents(rng, count=40):
    found = [
        "null",
        "true",
        "{}",
        "[]",
        '""',
        "0",
        "-1.5e300",
        '"\\u0000\\ud83d\\ude00"',
        '{"a": [1, 2, {"b": null}], "\\"q\\"": "😀"}',
        "18446744073709551615",
        " [1 , 2] ",
    ]
    for _ in range(count):
        letters = "".join(
            rng.choice(ALPHABETS["plain"] + ALPHABETS["wide"]) for _ in range(rng.randint(0, 30))
        )
        found.append(
            f'{{"n": {rng.randint(-10**9, 10**9)}, "t": "{letters}", '
            f'"l": [{rng.random()!r}, false]}}'
        )
    return [text_literal(text, "utf8mb4") for text in found]


def opaque_values():
    """What a JSON document of MySQL's can hold that JSON has no word for, as SQL."""
    return [
        "CAST('-99999999999999999999.5' AS DECIMAL(65, 30))",
        "CAST('0000-00-00' AS DATE)",
        "CAST('9999-12-31' AS DATE)",
        "TIME'-838:59:58.999999'",
        "TIME'00:00:00'",
        "TIMESTAMP'2024-02-29 23:59:59.999999'",
        "X'00ff'",
        "REPEAT(X'a5', 57)",
        "REPEAT(X'a5', 58)",
    ]


def opaque_documents():
    return [f"JSON_ARRAY({value}, 1)" for value in opaque_values()] + [
        f"JSON_OBJECT('k', {value}, '', JSON_ARRAY({value}))" for value in opaque_values()
    ]


def vectors(rng, count=12):
    """MySQL's, of three numbers."""
    found = ["[3.4028235e38,-1.1754944e-38,2.5]", "[1e-7,-0.125,1]", "[0.1,2,3]", "[0,-0.0,1]"]
    found += [f"[{','.join(repr(rng.uniform(-9, 9)) for _ in range(3))}]" for _ in range(count)]
    return [f"TO_VECTOR('{text}')" for text in found]


def shapes(rng, kind, srids, count=12, in_degrees=()):
    """in_degrees: more of the reference systems, whose text in MySQL has the latitude first unless it
    is told otherwise. What the server keeps has the longitude first."""
    swapped = False

    def pair(x, y):
        return f"{y} {x}" if swapped else f"{x} {y}"

    def point():
        return pair(f"{rng.uniform(-179, 180):.6f}", f"{rng.uniform(-90, 90):.6f}")

    def line(points):
        return "(" + ",".join(point() for _ in range(points)) + ")"

    def ring():
        x, y, size = rng.randint(-100, 100), rng.randint(-50, 50), rng.randint(1, 20)
        corners = ((x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y))
        return "(" + ",".join(pair(*corner) for corner in corners) + ")"

    makers = {
        "POINT": lambda: f"POINT({point()})",
        "LINESTRING": lambda: "LINESTRING" + line(rng.randint(2, 9)),
        "POLYGON": lambda: f"POLYGON({ring()})",
        "MULTIPOINT": lambda: "MULTIPOINT" + line(rng.randint(1, 5)),
        "MULTILINESTRING": lambda: f"MULTILINESTRING({line(2)},{line(3)})",
        "MULTIPOLYGON": lambda: f"MULTIPOLYGON(({ring()}),({ring()}))",
        "GEOMETRYCOLLECTION": lambda: f"GEOMETRYCOLLECTION(POINT({point()}),LINESTRING{line(2)})",
    }
    kinds = list(makers) if kind == "GEOMETRY" else [kind]
    found = []
    for _ in range(count):
        srid = rng.choice((*srids, *in_degrees))
        swapped = srid in in_degrees and rng.random() < 0.5
        order = ",'axis-order=long-lat'" if srid in in_degrees and not swapped else ""
        found.append(f"ST_GeomFromText('{makers[rng.choice(kinds)]()}',{srid}{order})")
    return found


def members(count):
    """The members of a large ENUM or SET; some would break a careless reader of lists."""
    special = ["a", "B c", "it''s", "ü€", "中", "x:y", "😀", '"q"']
    return special[:count] + [f"m{n:03d}" for n in range(len(special), count)]


def literal_members(names):
    return [f"'{name}'" for name in names]


def sets(rng, names, count=40):
    found = [[], names[:1], names[-1:], names]
    found += [[n for n in names if rng.random() < 0.2] for _ in range(count)]
    return ["'" + ",".join(chosen) + "'" for chosen in found]
