"""One process, from its start to its end: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass


class ChildFailedError(Exception):
    """A measured process did not end with 0."""


@dataclass(frozen=True)
class Measurement:
    seconds: float
    cpu_seconds: float
    peak_mb: float
    stdout: str

    def numbers(self) -> dict[str, float]:
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_mb": self.peak_mb}


def run(command: list[str], environment: dict[str, str]) -> Measurement:
    """Run `command` and wait for it.

    The kernel counts the memory of the process that starts another as a peak of the new one (until `exec`
    replaces it), so this process must stay small: the data is made in a process of its own, no polars here.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            stderr.seek(0)
            talk = stderr.read().decode(errors="replace")
            raise ChildFailedError(f"exit code {child.returncode} of `{' '.join(command)}`\n{talk}")
        stdout.seek(0)
        cpu = usage.ru_utime + usage.ru_stime
        return Measurement(seconds, cpu, usage.ru_maxrss / 1000, stdout.read().decode())
