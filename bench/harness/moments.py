"""What is measured in moments and not in rows: latency (S13) and the first event (S15)."""

import json
import os
import select
import signal
import statistics
import subprocess
import time

from . import contenders, places, report
from .servers import Failure, SQL_SERVERS

LIMIT_S = 20
STARTS = 15
RATE = 1000  # rows a second
LATENCY_ROUNDS = 3


# ---- S13: from the commit to the line in the pipe -------------------------------------------------

LATENCY_TABLE = """
SET sql_log_bin = 0;
CREATE DATABASE bench;
CREATE TABLE bench.latency (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, note CHAR(20) NOT NULL);
SET sql_log_bin = 1;
"""


def rowferry_command(server):
    return [places.build() / "rowferry", "tail", "--quiet",
            f"mysql://root@127.0.0.1:{server.port}/bench.latency"]


def go_command(server):
    """It reads a log file from the top, so it gets a new one."""
    server.client("FLUSH BINARY LOGS")
    file = server.client(server.log_status)[0][0]
    return [contenders.GoMysql.program, "127.0.0.1", str(server.port), "root", file]


def followers():
    """By name: what makes the command that writes the rows of bench.latency as they come."""
    found = {"rowferry tail": rowferry_command}
    if contenders.GoMysql.program:
        found["go-mysql + encoding/json"] = go_command
    return found


def probe(server, command, rows):
    probe_program = places.build() / "bench" / "latency"
    done = subprocess.run([probe_program, "127.0.0.1", str(server.port), "root", str(RATE),
                           str(rows), *command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "FLAVOR": server.kind})
    if done.returncode != 0:
        raise Failure(f"latency of {command[0]}: {done.stderr.strip()[-800:]}")
    found = json.loads(done.stdout)
    if found["lost"]:
        raise Failure(f"{command[0]}: {found['lost']} of {found['rows']} rows never came")
    return found


def latency(scratch, quick, say, kind="mariadb"):
    """Returns {follower: [probe, ...]}, the followers taking turns."""
    rows = RATE if quick else 10 * RATE
    found = {}
    # The server does not sync its log: the follower's time is wanted, not the disk's.
    options = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"]
    with SQL_SERVERS[kind](scratch / "latency", options) as server:
        server.client(LATENCY_TABLE)
        for number in range(LATENCY_ROUNDS):
            say(f"latency: round {number + 1} of {LATENCY_ROUNDS}")
            for name, command in followers().items():
                found.setdefault(name, []).append(probe(server, command(server), rows))
    return found


def latency_table(found):
    rows = [[f"follower, {RATE:,} rows/s", "p50 us", "p99 us", "max us", "p50 us since ack",
             "p99 us since ack"]]
    for name, probes in found.items():
        cells = [(since, key) for since, keys in (("sent", ("p50", "p99", "max")),
                                                  ("acked", ("p50", "p99"))) for key in keys]
        rows.append([name, *(f"{statistics.median(each[since][key] for each in probes):,.0f}"
                             for since, key in cells)])
    return ("**latency: from sending a commit to reading its row from the pipe; and from its "
            f"acknowledgement, before which the row may arrive**\n\n{report.markdown(rows)}")


def latency_summary(found):
    """(follower, p50, p99), microseconds since the statement was sent, medians of the rounds."""
    return [(name, *(statistics.median(each["sent"][key] for each in probes)
                     for key in ("p50", "p99"))) for name, probes in found.items()]


def latency_ratio(found, key):
    """Since the statement was sent. The median of the ratios within each round; None without the
    peer."""
    if len(found) < 2:
        return None
    ours, peers = found["rowferry tail"], found["go-mysql + encoding/json"]
    return statistics.median(a["sent"][key] / b["sent"][key] for a, b in zip(ours, peers))


# ---- S15: from the start of the process to the first event ---------------------------------------


def first_event(command, environment):
    """Seconds until there is something to read from the command's output."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env={**os.environ, **environment})
    try:
        ready = select.select([process.stdout], [], [], LIMIT_S)[0]
        took = time.monotonic() - start
        if not ready or not process.stdout.read(1):
            raise Failure(f"{command[0]} wrote nothing: {process.stderr.read()[-800:]}")
        return took
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def first_events(workload, scratch, say):
    """Milliseconds, {what: [...]}. The restart is one behind all tables but for the last row."""
    say(f"the first event: {STARTS} starts each")
    scratch.mkdir(mode=0o755)
    rowferry = places.build() / "rowferry"
    with workload.server() as server:
        source = f"mysql://root@127.0.0.1:{server.port}/bench.t*,bench.marker"
        before_last = server.before_last(workload.facts()["gtid"])
        commands = {
            "tail --from=earliest": [rowferry, "tail", "--quiet", "--from=earliest", source],
            "tail --from=GTID, near the end": [rowferry, "tail", "--quiet",
                                               f"--from={before_last}", source],
            "restart of run, near the end": restart(rowferry, source, before_last, scratch),
        }
        environment = {"XDG_STATE_HOME": str(scratch)}
        return {name: [first_event(command, environment) * 1e3 for _ in range(STARTS)]
                for name, command in commands.items()}


def restart(rowferry, source, position, scratch):
    """Leaves a state at the position, and returns the command that goes on from it. It is killed
    before its first flush, so each start finds the same state."""
    command = [rowferry, "run", "--quiet", "--name=restart", f"--state={scratch}",
               f"--from={position}"]
    first = subprocess.run([*command, "--limit=1", source, "-"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if first.returncode != 0:
        raise Failure(f"no state could be made for S15: {first.stderr.strip()[-800:]}")
    reset = subprocess.run([rowferry, "position", "set", f"--state={scratch}", "restart", "file:-",
                            position], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if reset.returncode != 0:
        raise Failure(f"the position could not be set for S15: {reset.stderr.strip()[-800:]}")
    return [*command, "--flush-ms=1h", source, "-"]


def first_table(found, workload):
    rows = [[f"first event, {workload.facts()['rows']:,} row changes in the log", "median ms",
             "slowest ms"]]
    rows += [[name, f"{statistics.median(times):.1f}", f"{max(times):.1f}"]
             for name, times in found.items()]
    return f"**start of the process to its first event**\n\n{report.markdown(rows)}"
