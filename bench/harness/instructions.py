"""Instructions per row change of decode + JSON, by format: what noise cannot touch.

`rowferry tail binlog:FILE` runs under valgrind over a small log and over one with twice as many row
changes; the difference is free of the start and the end of the process. Counted are all threads.
The figure depends on the compiler, so the recorded one names its own.
"""

import re
import subprocess

from . import places, workloads
from .servers import Failure

RECORD = places.BENCH / "instructions.txt"
FORMATS = ("json", "debezium")
WORSE_BY = 1.05  # more than this times the recorded figure is a miss


def count(log, written_as, profile):
    """Instructions of one run; the profile is left at that path for callgrind_annotate."""
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
                           places.build() / "rowferry", "tail", f"binlog:{log}",
                           "--format", written_as],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected *: *([0-9]+)", done.stderr)
    if done.returncode != 0 or not found:
        raise Failure(f"valgrind over {log} failed: {done.stderr.strip()[-1500:]}")
    return int(found.group(1))


def measure(say):
    """Returns instructions per row change, by "workload-format"."""
    figures = {}
    for workload_name, pair in workloads.small_pairs().items():
        for written_as in FORMATS:
            name = f"{workload_name}-{written_as}"
            say(f"counting instructions: {name}")
            counts = []
            for workload in pair:
                log = workloads.log_file(workload, say)
                profile = places.cache() / f"callgrind.{name}-{workload.rows}"
                counts.append(count(log, written_as, profile))
            figures[name] = (counts[1] - counts[0]) / (pair[1].rows - pair[0].rows)
    return figures


def recorded():
    figures = {}
    if RECORD.exists():
        for line in RECORD.read_text().splitlines():
            if line and not line.startswith("#"):
                name, figure = line.split()
                figures[name] = float(figure)
    return figures


def record(figures, compiler):
    lines = ["# Instructions per row change of `rowferry tail binlog:FILE`, by workload and format,",
             "# counted by valgrind, written by bench/run --record. More than 5 % above these is a",
             "# miss.",
             f"# Compiler: {compiler}"]
    lines += [f"{name} {figure:.1f}" for name, figure in sorted(figures.items())]
    RECORD.write_text("\n".join(lines) + "\n")
