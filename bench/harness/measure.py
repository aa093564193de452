"""Running one contender once: how long, how much CPU, how much memory.

Wall time begins when the process is started. Its end is, for a program that ends by itself, its
end; for one that streams for ever, the moment at which its output was complete (`reached` says so,
asked every POLL_S), after which it is sent SIGTERM. CPU is user + system time of the process and
all its threads, from wait4. Memory is the peak of its anonymous resident pages (malloc, stacks,
zeroed data; not the program's file nor shared libraries), from /proc/PID/statm every SAMPLE_S.
All of this asking takes about one hundredth of one core.
"""

import dataclasses
import os
import select
import signal
import subprocess
import threading
import time

from .servers import Failure

POLL_S = 0.002
SAMPLE_S = 0.01
LIMIT_S = 180
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass
class Run:
    wall_s: float
    cpu_s: float
    anon_bytes: int
    stop_s: float  # from SIGTERM to the end of the process; 0 where it ended by itself
    exit_code: int


class MemoryPeak(threading.Thread):
    """Samples a process until it is gone."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.bytes = 0
        self.over = threading.Event()
        self.start()

    def run(self):
        try:
            with open(f"/proc/{self.pid}/statm", "rb", buffering=0) as statm:
                while not self.over.is_set():
                    statm.seek(0)
                    fields = statm.read(200).split()
                    self.bytes = max(self.bytes, (int(fields[1]) - int(fields[2])) * PAGE)
                    self.over.wait(SAMPLE_S)
        except (OSError, IndexError):  # it ended
            pass

    def stop(self):
        self.over.set()
        self.join()
        return self.bytes


def run(command, log, reached=None, environment=None, until_exit=False,
        stdout=subprocess.DEVNULL):
    """Runs command once. `reached(pid)` is for streamers; until_exit: their stop counts too.

    `log` is a path for standard error; its end is shown when the command fails.
    """
    with open(log, "wb") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors,
                                   stdout=stdout, env={**os.environ, **(environment or {})})
        memory = MemoryPeak(process.pid)
        end = stopped = None
        if reached:
            end = wait_until_reached(process, reached, start, command, log)
            process.send_signal(signal.SIGTERM)
            stopped = end
        status, usage = wait(process)
        exited = time.monotonic()
    if end is None or until_exit:
        end = exited
    exit_code = os.waitstatus_to_exitcode(status)
    if exit_code != 0 and not (reached and exit_code in (143, -signal.SIGTERM)):
        raise Failure(f"{describe(command)} ended with {exit_code}: {tail(log)}")
    return Run(end - start, usage.ru_utime + usage.ru_stime, memory.stop(),
               exited - stopped if stopped else 0.0, exit_code)


def wait(process):
    """wait4, told to subprocess too so that it does not wait again."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return status, usage


def wait_until_reached(process, reached, start, command, log):
    while not reached(process.pid):
        now = time.monotonic()
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            wait(process)
            raise Failure(f"{describe(command)} ended ({process.returncode}) before its output was "
                          f"complete: {tail(log)}")
        if now - start > LIMIT_S:
            process.kill()
            wait(process)
            raise Failure(f"{describe(command)} was not done after {LIMIT_S} s: {tail(log)}")
        time.sleep(POLL_S)
    return time.monotonic()


def describe(command):
    return " ".join(map(str, command))


def tail(log):
    with open(log, "rb") as file:
        return file.read()[-1500:].decode(errors="replace").strip() or "it said nothing"


# ---- What `reached` can be ----------------------------------------------------------------------


def readable(pipe):
    """There is something to read in the pipe, a descriptor."""
    def reached(_pid):
        return bool(select.select([pipe], [], [], 0)[0])
    return reached


def file_holds(path, size):
    """The file at path has at least so many bytes."""
    def reached(_pid):
        try:
            return os.stat(path).st_size >= size
        except FileNotFoundError:
            return False
    return reached


def has_written(size):
    """The process has given at least so many bytes to write calls, whatever they went to."""
    def reached(pid):
        with open(f"/proc/{pid}/io", "rb", buffering=0) as counters:
            for line in counters.read(400).splitlines():
                if line.startswith(b"wchar:"):
                    return int(line.split()[1]) >= size
        raise Failure("this kernel counts no written characters (/proc/PID/io)")
    return reached


def key_exists(redis, key):
    def reached(_pid):
        return redis.ask("EXISTS", key) == 1
    return reached


def field_is(redis, wanted):
    """A hash in Redis has that value; wanted is (key, field, value)."""
    key, field, value = wanted

    def reached(_pid):
        return redis.ask("HGET", key, field) == value.encode()
    return reached


def is_found(mongo, database, find):
    """MongoDB finds something. Asked less often: it takes the server as long as some rows."""
    asked = {"next": 0.0}

    def reached(_pid):
        if time.monotonic() < asked["next"]:
            return False
        asked["next"] = time.monotonic() + 0.02
        return bool(mongo.command(database, find)["cursor"]["firstBatch"])
    return reached
