#!/usr/bin/env python3
"""Rows at a steady pace, and how far the reader of a file is behind them.

    pace.py --socket S --seconds 15 --rate 2000 --file changes.jsonl --pid PID --stop-file FILE

Inserts RATE rows a second into shop.pace (id, payload), twenty transactions a second, and looks
meanwhile which ids have come out in the file. It ends after so many seconds and once FILE exists.
Prints one line of JSON: the rows; the longest time between the acknowledgement of a transaction and
the sight of its last row in the file, while it lasted; the most anonymous memory of the process PID.
"""

import argparse
import json
import os
import re
import select
import subprocess
import sys
import time

from workload import start_client

TRANSACTIONS_PER_SECOND = 20
LOOK_SECONDS = 0.01
LAST_LIMIT_SECONDS = 60
PAYLOAD = "x" * 300
ID = re.compile(rb'"table":"shop\.pace","key":\{"id":(\d+)\}')


class Server:
    """A client whose answers say that a transaction was committed."""

    def __init__(self, path):
        self.client = start_client(path, stdout=subprocess.PIPE)
        self.last_id = 0

    def insert(self, rows):
        first = self.last_id + 1
        self.last_id += rows
        values = ",".join(f"({number},'{PAYLOAD}')" for number in range(first, self.last_id + 1))
        self.client.stdin.write(
            f"INSERT INTO shop.pace VALUES {values}; SELECT {self.last_id};\n".encode()
        )
        self.client.stdin.flush()
        if int(self.client.stdout.readline()) != self.last_id:
            sys.exit("pace: the server's answer is not the one that was asked for")
        return time.monotonic()

    def close(self):
        self.client.stdin.close()
        if self.client.wait() != 0:
            sys.exit("pace: the client ended with an error")


class Reader:
    """The highest id in the file so far."""

    def __init__(self, path):
        self.path, self.at, self.highest, self.rest = path, 0, 0, b""

    def look(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                data = self.rest + file.read()
                self.at = file.tell()
        except FileNotFoundError:
            return
        whole, _, self.rest = data.rpartition(b"\n")
        found = ID.findall(whole)
        if found:
            self.highest = max(self.highest, int(found[-1]))


def anonymous_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def main():
    parser = argparse.ArgumentParser(description="rows at a steady pace")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=int, required=True, help="rows a second")
    parser.add_argument("--file", required=True, help="that the program under test writes")
    parser.add_argument("--pid", type=int, required=True, help="of the program under test")
    parser.add_argument("--stop-file", required=True)
    arguments = parser.parse_args()

    server, reader = Server(arguments.socket), Reader(arguments.file)
    begin = time.monotonic()
    open_ends = []  # (id, when it was acknowledged) of transactions that did not come out yet
    worst_s, peak_kb, sent = 0.0, 0, 0

    def look():
        nonlocal worst_s, peak_kb
        reader.look()
        now = time.monotonic()
        while open_ends and open_ends[0][0] <= reader.highest:
            worst_s = max(worst_s, now - open_ends.pop(0)[1])
        peak_kb = max(peak_kb, anonymous_kb(arguments.pid))

    while time.monotonic() - begin < arguments.seconds or not os.path.exists(arguments.stop_file):
        due = begin + sent / TRANSACTIONS_PER_SECOND
        while time.monotonic() < due:
            look()
            select.select([], [], [], LOOK_SECONDS)
        acked = server.insert(arguments.rate // TRANSACTIONS_PER_SECOND)
        open_ends.append((server.last_id, acked))
        sent += 1
        look()
    limit = time.monotonic() + LAST_LIMIT_SECONDS
    while open_ends and time.monotonic() < limit:
        look()
        select.select([], [], [], LOOK_SECONDS)
    server.close()
    if open_ends:
        sys.exit(f"pace: the rows from {open_ends[0][0]} on never came out")
    print(json.dumps({"rows": server.last_id, "worst_s": round(worst_s, 3), "peak_kb": peak_kb}))


if __name__ == "__main__":
    main()
