#!/usr/bin/env python3
"""A TCP proxy that lets so many bytes a second through to a server: a slow destination.

    throttle.py --target PORT --rate 2000000 --port-file FILE
    throttle.py --target-file FILE ...         FILE has the port: an address that moves

Listens on a free port of 127.0.0.1, which it writes to FILE; passes what comes to 127.0.0.1:PORT, at
most RATE bytes a second over all connections, and the answers back at once. When another port is
written into the file of --target-file, all connections break, and new ones lead there. Ends with its
parent.
"""

import argparse
import os
import selectors
import socket
import time

from workload import die_with_parent

BLOCK = 16 * 1024
BURST_SECONDS = 0.05
LOOK_SECONDS = 0.02  # how often the file with the port is looked at


class Budget:
    """Bytes that may pass now; grows with time up to a small burst."""

    def __init__(self, rate):
        self.rate, self.bytes, self.at = rate, 0.0, time.monotonic()

    def take(self, most):
        now = time.monotonic()
        self.bytes = min(self.bytes + (now - self.at) * self.rate, self.rate * BURST_SECONDS + BLOCK)
        self.at = now
        return min(most, int(self.bytes))

    def seconds_until(self, count):
        return max(0.0, (count - self.bytes) / self.rate)


class Pair:
    """One connection to us, and the one that we opened for it."""

    def __init__(self, client, target):
        self.client, self.server = client, socket.create_connection(("127.0.0.1", target))
        self.waiting = b""  # from the client, not yet passed on

    def close(self):
        self.client.close()
        self.server.close()


class Proxy:
    def __init__(self, target, target_file, rate):
        self.target_file, self.budget = target_file, Budget(rate)
        self.target = target or self.read_target()
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.pairs = set()

    def read_target(self):
        with open(self.target_file, encoding="ascii") as file:
            return int(file.read() or self.target)

    def follow(self):
        target = self.read_target()
        if target != self.target:
            self.target = target
            for pair in list(self.pairs):
                self.drop(pair)

    def accept(self):
        client, _ = self.listener.accept()
        try:
            pair = Pair(client, self.target)
        except OSError:  # nobody is there
            client.close()
            return
        self.pairs.add(pair)
        for end in (pair.client, pair.server):
            self.selector.register(end, selectors.EVENT_READ, pair)

    def drop(self, pair):
        for end in (pair.client, pair.server):
            try:
                self.selector.unregister(end)
            except (KeyError, ValueError):
                pass
        self.pairs.discard(pair)
        pair.close()

    def receive(self, pair, end):
        """Answers go back at once. What the client sends waits for the budget, and so does the
        client: no more is read from it meanwhile."""
        data = end.recv(BLOCK)
        if not data:
            self.drop(pair)
        elif end is pair.server:
            pair.client.sendall(data)
        else:
            pair.waiting = data
            self.selector.unregister(pair.client)

    def pass_on(self, pair):
        count = self.budget.take(len(pair.waiting))
        if count < len(pair.waiting):
            return
        pair.server.sendall(pair.waiting)
        self.budget.bytes -= count
        pair.waiting = b""
        self.selector.register(pair.client, selectors.EVENT_READ, pair)

    def run(self):
        while True:
            waiting = [pair for pair in self.pairs if pair.waiting]
            timeout = self.budget.seconds_until(BLOCK) + 0.001 if waiting else None
            if self.target_file:
                self.follow()
                timeout = LOOK_SECONDS
            for key, _ in self.selector.select(timeout):
                if key.data is None:
                    self.accept()
                    continue
                if key.data in self.pairs:
                    self.guarded(key.data, lambda: self.receive(key.data, key.fileobj))
            for pair in waiting:
                if pair in self.pairs:
                    self.guarded(pair, lambda: self.pass_on(pair))

    def guarded(self, pair, step):
        try:
            step()
        except OSError:  # one side has gone
            self.drop(pair)


def main():
    parser = argparse.ArgumentParser(description="a slow way to a server")
    parser.add_argument("--target", type=int, help="port")
    parser.add_argument("--target-file", help="file that has the port")
    parser.add_argument("--rate", type=int, required=True, help="bytes a second")
    parser.add_argument("--port-file", required=True)
    arguments = parser.parse_args()
    die_with_parent()
    if (arguments.target is None) == (arguments.target_file is None):
        parser.error("--target or --target-file")
    proxy = Proxy(arguments.target, arguments.target_file, arguments.rate)
    with open(arguments.port_file + ".new", "w", encoding="ascii") as file:
        file.write(str(proxy.listener.getsockname()[1]))
    os.rename(arguments.port_file + ".new", arguments.port_file)
    proxy.run()


if __name__ == "__main__":
    main()
