"""S17: a change stream of the tests' scripted server to JSON, beside a bare libmongoc loop.

The server has the events in its history and makes each batch anew, as a server does. Both begin at
the beginning; the bare loop counts events and looks at nothing, rowferry writes them as JSON. The
end is seen by the size of what is written, which a warm-up finds out.
"""

import statistics
import subprocess

from . import measure, places, report

BEGINNING = "1763830000.1"  # of the scripted server's clock
ROUNDS = 5
WORKLOADS = {  # events, bytes of a document, about
    "rows of 300 bytes": (200_000, 300),
    "documents of 15 MB": (20, 15_000_000),
}


def measure_streams(scratch, quick, say):
    """By workload: (events, runs of the bare loop, runs of rowferry)."""
    scratch.mkdir(mode=0o755)
    found = {}
    for name, (events, size) in WORKLOADS.items():
        events = max(events // 10, 5) if quick else events
        stub = subprocess.Popen([places.build() / "bench" / "stream_stub", str(events), str(size)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            port = stub.stdout.readline().decode().strip()
            say(f"stream: {name}")
            found[name] = (events, *one_workload(scratch, port, events, 2 if quick else ROUNDS))
        finally:
            stub.stdin.close()
            stub.wait()
    return found


def one_workload(scratch, port, events, rounds):
    log, out = scratch / "stream.log", scratch / "stream.jsonl"
    bare = [places.build() / "bench" / "bare_stream", "127.0.0.1", port, str(events)]
    ours = [places.build() / "rowferry", "tail", "--from", BEGINNING,
            f"mongodb://127.0.0.1:{port}/bench.bulk"]
    with out.open("wb") as sink:
        measure.run([*ours, "--limit", str(events)], log=log, stdout=sink)
    size = out.stat().st_size
    runs = [], []
    for _ in range(rounds):
        runs[0].append(measure.run(bare, log=log))
        with out.open("wb") as sink:
            runs[1].append(measure.run(ours, log=log, stdout=sink,
                                       reached=lambda pid: out.stat().st_size >= size))
    out.unlink()
    return runs


def ratio(found, name):
    """Our rate beside the bare loop's, the median of the rounds."""
    if name not in found:
        return None
    _, bare, ours = found[name]
    return statistics.median(theirs.wall_s / own.wall_s for theirs, own in zip(bare, ours))


def peak_mb(found, name):
    return max(run.anon_bytes for run in found[name][2]) / 1e6 if name in found else None


def table(found):
    rows = [["S17: change stream to JSON", "events", "bare libmongoc loop, s", "rowferry, s",
             "rate / bare", "CPU us an event", "peak MB"]]
    for name, (events, bare, ours) in found.items():
        rows.append([name, f"{events:,}", f"{statistics.median(run.wall_s for run in bare):.2f}",
                     f"{statistics.median(run.wall_s for run in ours):.2f}",
                     f"{ratio(found, name):.2f}",
                     f"{statistics.median(run.cpu_s for run in ours) / events * 1e6:,.2f}",
                     f"{peak_mb(found, name):.1f}"])
    return f"**Change streams of the scripted server**\n\n{report.markdown(rows)}"
