"""What a race becomes on paper: figures, ratios, floors, the table, the machine."""

import dataclasses
import datetime
import os
import platform
import re
import statistics
import subprocess

from . import places, servers

UNKNOWN = "unknown"


@dataclasses.dataclass
class Result:
    """All runs of one contender in one race."""

    key: str
    name: str
    rows: int
    runs: list
    writes: list = dataclasses.field(default_factory=list)  # S11: commands that wrote, run by run

    def rates(self):
        """Thousand rows per second, run by run."""
        return [self.rows / run.wall_s / 1e3 for run in self.runs]

    def cpu_us(self):
        return [run.cpu_s / self.rows * 1e6 for run in self.runs]

    def peak_mb(self):
        return max(run.anon_bytes for run in self.runs) / 1e6


def ratio(results, key, other, of=Result.rates):
    """The median of the ratios within each round: what slows the machine slows both. Or None."""
    by_key = {result.key: result for result in results}
    if key not in by_key or other not in by_key:
        return None
    pairs = zip(of(by_key[key]), of(by_key[other]))
    return statistics.median(a / b for a, b in pairs)


def table(title, results, base):
    """Markdown whose columns also line up on a terminal. `base` is whom the ratios refer to."""
    rows = [["reader", "CPU us/row", "krows/s", "spread", "peak MB", "rate / base", "CPU / base"]]
    for result in results:
        rates = result.rates()
        spread = (max(rates) - min(rates)) / statistics.median(rates) * 100
        rate_ratio = ratio(results, result.key, base)
        cpu_ratio = ratio(results, result.key, base, Result.cpu_us)
        rows.append([result.name, f"{statistics.median(result.cpu_us()):.3f}",
                     f"{statistics.median(rates):,.0f}", f"{spread:.0f} %",
                     f"{result.peak_mb():.1f}", f"{rate_ratio:.2f}", f"{cpu_ratio:.1f}"])
    return f"**{title}**\n\n{markdown(rows)}"


def markdown(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines)


@dataclasses.dataclass
class Floor:
    what: str
    found: float  # None: it was not measured
    floor: float
    goal: float
    unit: str = ""
    smaller_is_better: bool = False

    def holds(self):
        return self.found <= self.floor if self.smaller_is_better else self.found >= self.floor

    def reached_goal(self):
        return self.found <= self.goal if self.smaller_is_better else self.found >= self.goal

    def row(self):
        if self.found is None:
            return None
        verdict = "MISS"
        if self.holds():
            verdict = "pass, goal reached" if self.reached_goal() else "pass"
        sign = "<=" if self.smaller_is_better else ">="
        return [self.what, f"{self.found:.2f}{self.unit}", f"{sign} {self.floor:g}{self.unit}",
                f"{sign} {self.goal:g}{self.unit}", verdict]


def floors_table(floors, hint):
    rows = [["what", "found", "floor", "goal", "verdict"]]
    rows += [row for row in map(Floor.row, floors) if row]
    return f"**Floors{hint}**\n\n{markdown(rows)}"


# ---- Where it was measured ----------------------------------------------------------------------


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=places.PROJECT)
    except OSError:
        return "not installed"
    return done.stdout.splitlines()[0].strip() if done.stdout else UNKNOWN


def compiler():
    path = field(places.build() / "CMakeCache.txt", r"^CMAKE_C_COMPILER:\w+=(.*)$")
    return first_line(path, "--version")


def field(path, pattern):
    with open(path) as file:
        found = re.search(pattern, file.read(), re.M)
    return found.group(1).strip() if found else UNKNOWN


def mysql_version():
    tree = servers.tool("tree", "mysql")
    return (first_line(f"{tree.stdout.strip()}/bin/mysqld", "--version").rpartition("/")[2]
            if tree.returncode == 0 else "no MySQL")


def machine():
    """Lines of Markdown: what the figures depend on."""
    memory_gib = int(field("/proc/meminfo", r"^MemTotal: *(\d+)")) / 2**20
    system = field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')
    cpu = field("/proc/cpuinfo", r"^model name\s*: (.*)$")
    changes = first_line("git", "status", "--porcelain", "--untracked-files=no", "src", "include")
    dirty = "" if changes == UNKNOWN else " and changes not committed"
    return [
        f"- Date: {datetime.date.today().isoformat()}",
        f"- Rowferry: {first_line('git', 'rev-parse', '--short', 'HEAD')}"
        f"{dirty}, {compiler()}",
        f"- CPU: {cpu}, {os.cpu_count()} cores, {memory_gib:.0f} GiB of memory",
        f"- System: {system}, Linux {platform.release()}",
        f"- Servers: {first_line('mariadbd', '--version')}; {mysql_version()}; "
        f"{first_line('redis-cli', '--version')}",
        f"- {first_line('mariadb-binlog', '--version')}; {first_line('valgrind', '--version')}; "
        f"{first_line('go', 'version')}",
    ]
