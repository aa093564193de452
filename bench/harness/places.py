"""Where things lie: the project, its build, the cache."""

import fcntl
import os
import pathlib

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BENCH = PROJECT / "bench"
TEST_LIB = PROJECT / "test" / "lib"
SERVERS = PROJECT / "tools" / "servers"


def build():
    return pathlib.Path(os.environ.get("BUILD") or PROJECT / "build").resolve()


def cache():
    """The cache directory of the benchmark, the same scheme as that of tools/servers."""
    if os.geteuid() == 0:
        base = pathlib.Path("/var/cache/rowferry")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        base = pathlib.Path(home) / "rowferry"
    path = base / "bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def claim_cache(say):
    """The cache is this process's own until what this returns is closed, or the process ends.
    Another one waits: it would stop servers that it takes for left behind, and remove workloads
    that it takes for outdated; and the figures of both would suffer."""
    claim = open(cache() / "claim", "a+")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.seek(0)
        say(f"another benchmark is at work (pid {claim.read().strip()}): waiting for its end")
        fcntl.flock(claim, fcntl.LOCK_EX)
    claim.seek(0)
    claim.truncate()
    claim.write(f"{os.getpid()}\n")
    claim.flush()
    return claim
