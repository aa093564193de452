#!/usr/bin/env python3
"""Damages copies of a binary log and looks at what `rowferry tail` makes of them.

    damage.py PROGRAM LOG DIRECTORY [--cuts N] [--flips N] [--seed S]

Cut off at a place between two events, a log is whole as far as it goes: status 0. Cut inside an
event, or with one bit changed: status 3, with the place in the message. Without the four bytes that
every log begins with it is no log, but somebody's mistake in naming it: status 2. In all cases what
was printed is the beginning of what the good log gives, in whole transactions. Exits 1 when any of
that does not hold.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys

IN_USE = (
    4 + 17,
    0x01,
)  # the bit that a running server sets in its first event; no checksum covers it


MAGIC_SIZE = 4


def boundaries(path):
    """Offsets between two events."""
    text = subprocess.run(
        ["mariadb-binlog", "--no-defaults", path], capture_output=True, check=True
    ).stdout
    found = [int(n) for n in re.findall(rb"^# at (\d+)$", text, re.MULTILINE)]
    return set(found[1:]) | {pathlib.Path(path).stat().st_size}


class Damage:
    def __init__(self, arguments):
        self.program = arguments.program
        self.copy = pathlib.Path(arguments.directory) / pathlib.Path(arguments.log).name
        self.good = pathlib.Path(arguments.log).read_bytes()
        self.boundaries = boundaries(arguments.log)
        self.failures = 0
        self.runs = 0
        status, self.output, said = self.tail(self.good)
        if status != 0 or not self.output:
            raise SystemExit(f"damage: the good log gives status {status}: {said}")
        # Where a transaction ends in the output: only there may it break off.
        self.ends, last = {0}, None
        at = 0
        for line in self.output.splitlines(keepends=True):
            position = json.loads(line)["position"]
            if position != last:
                self.ends.add(at)
            last = position
            at += len(line)
        self.ends.add(at)

    def tail(self, data):
        self.runs += 1
        self.copy.write_bytes(data)
        run = subprocess.run(
            [self.program, "tail", f"binlog:{self.copy}"],
            capture_output=True,
            timeout=60,
            check=False,
        )
        return run.returncode, run.stdout, run.stderr.decode(errors="replace")

    def look(self, what, data, wanted, words=""):
        status, output, said = self.tail(data)
        complaint = None
        if status != wanted:
            complaint = f"status {status} instead of {wanted}"
        elif not self.output.startswith(output) or len(output) not in self.ends:
            complaint = "the output is no beginning of the good one, in whole transactions"
        elif status in (2, 3) and (self.copy.name not in said or words not in said):
            complaint = f"the message does not say {self.copy.name} and '{words}'"
        elif "Sanitizer" in said or "runtime error" in said:
            complaint = "a sanitizer spoke"
        if complaint:
            self.failures += 1
            print(f"damage: {what}: {complaint}: {said[:1000]}", file=sys.stderr)
        return output

    def cut(self, size):
        whole = size in self.boundaries
        wanted = 2 if size < MAGIC_SIZE else 0 if whole else 3
        self.look(f"cut at {size}", self.good[:size], wanted)

    def flip(self, at, bit):
        data = bytearray(self.good)
        data[at] ^= 1 << bit
        harmless = (at, 1 << bit) == IN_USE
        wanted = 0 if harmless else 2 if at < MAGIC_SIZE else 3
        output = self.look(f"byte {at} with bit {bit} flipped", bytes(data), wanted)
        if harmless and output != self.output:
            self.failures += 1
            print("damage: the mark of a running server changes the output", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="damage a binary log")
    parser.add_argument("program")
    parser.add_argument("log")
    parser.add_argument("directory")
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--flips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    damage = Damage(arguments)
    size = len(damage.good)
    places = sorted(damage.boundaries)
    # Around events' boundaries and anywhere.
    around = [rng.choice(places) + rng.randint(-3, 3) for _ in range(arguments.cuts // 2)]
    anywhere = [rng.randint(0, size - 1) for _ in range(arguments.cuts - len(around))]
    for place in sorted(set(around + anywhere + [0, 3, 4, 5, size])):
        damage.cut(max(0, min(size, place)))
    damage.flip(IN_USE[0], 0)
    damage.flip(0, 0)
    for _ in range(arguments.flips):
        damage.flip(rng.randrange(size), rng.randrange(8))
    print(f"damage: {damage.runs} logs, {damage.failures} failures")
    sys.exit(1 if damage.failures else 0)


if __name__ == "__main__":
    main()
