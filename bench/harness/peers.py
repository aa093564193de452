"""The programs beside rowferry: built when they are needed, left out by name when they cannot be."""

import os
import shutil
import subprocess

from . import contenders, places
from .servers import Failure

GO_SOURCE = places.BENCH / "go-mysql"


def build_own(rowferry_too):
    """The Makefile builds rowferry; the programs in C are built here, by the same CMake tree."""
    done = subprocess.run(["ninja", "-C", places.build(), "bench_programs"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    rowferry_is_there = (places.build() / "rowferry").exists()
    if done.returncode != 0 or (rowferry_too and not rowferry_is_there):
        raise Failure(f"there is no build in {places.build()}: run 'make bench'\n{done.stdout}")


def find_driver(say):
    """The Python driver for Cassandra is a package of the system's own Python."""
    done = subprocess.run(["/usr/bin/python3", "-c", "import cassandra.cluster"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    contenders.CassandraDriver.there = done.returncode == 0
    if done.returncode != 0:
        say("left out: the Python driver for Cassandra, as there is no python3-cassandra")


def build_go(say):
    """The peer in Go, from the modules that go.sum pins. Without Go, or without a way to the
    modules, the races do without it."""
    program = places.build() / "bench" / "go-mysql-json"
    if shutil.which("go") is None:
        say("left out: go-mysql + encoding/json, as there is no Go (1.25 or newer)")
        return
    say("building the peer in Go (the first time it fetches its modules)")
    done = subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=GO_SOURCE,
                          env={**os.environ, "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        say(f"left out: go-mysql + encoding/json, as it could not be built:\n"
            f"{done.stdout.strip()[-800:]}")
        return
    contenders.GoMysql.program = program
