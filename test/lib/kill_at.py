#!/usr/bin/env python3
"""Runs a program and kills it with -9 when a file has so many bytes.

    kill_at.py --file changes.jsonl --bytes 1000000 --log rowferry.log --spill DIR -- rowferry ...

Prints what was true at that moment, in kB: the file's size, the most private memory (RssAnon) that
was seen, and the size of the nameless files in DIR that the program had open. Exits 1 when the
program ends by itself, or takes longer than --limit seconds. Nothing waits for time to pass.
"""

import argparse
import os
import select
import subprocess
import sys
import time

POLL_SECONDS = 0.0005


def private_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def spilled_kb(pid, directory):
    """Of a stopped or a quick process alike: a file that goes away while it is looked at is none."""
    total = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            path = f"/proc/{pid}/fd/{name}"
            target = os.readlink(path)
            if target.startswith(directory + "/") and target.endswith(" (deleted)"):
                total += os.stat(path).st_size
        except FileNotFoundError:
            pass
    return total // 1024


def size_of(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def main():
    parser = argparse.ArgumentParser(description="kill a program when a file has grown")
    parser.add_argument("--file", required=True)
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--spill", required=True, help="directory of nameless files")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    deadline = time.monotonic() + arguments.limit
    peak = 0
    with open(arguments.log, "ab") as log:
        with subprocess.Popen(
            arguments.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as program:
            try:
                # An earlier run's rest is cut off first: the file shrinks before it grows.
                low = size_of(arguments.file)
                while True:
                    size = size_of(arguments.file)
                    low = min(low, size)
                    if low < arguments.bytes <= size:
                        break
                    if program.poll() is not None:
                        sys.exit(f"kill_at: the program ended with {program.returncode}")
                    if time.monotonic() > deadline:
                        sys.exit(f"kill_at: over the limit; the file has {size} bytes")
                    peak = max(peak, private_kb(program.pid))
                    select.select([], [], [], POLL_SECONDS)
                peak = max(peak, private_kb(program.pid))
                spilled = spilled_kb(program.pid, arguments.spill)
            finally:
                program.kill()
                program.wait()
    print(size_of(arguments.file) // 1024, peak, spilled)


if __name__ == "__main__":
    main()
