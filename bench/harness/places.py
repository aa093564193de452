"""Where things lie: the project, its build, the cache."""

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
