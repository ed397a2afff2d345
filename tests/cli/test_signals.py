"""Ctrl-C, SIGTERM and closed pipes, with segkit as its own process and a fake operation in it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

FAKE = """
import sys, types
module = types.ModuleType("segkit.operations.apply")
exec({body!r}, module.__dict__)
sys.modules[module.__name__] = module
sys.argv = ["segkit", "apply", "rules.toml", *{args!r}]
from segkit.__main__ import main
main()
"""

# One call that stays in Rust for minutes, within a publication.
LONG = """
from pathlib import Path
import polars as pl
from segkit.io.publish.folder import publishing
def apply(rules, **options):
    with publishing(Path("out")) as staging:
        many = pl.LazyFrame({"x": range(1_000_000)})
        pairs = many.join(many, how="cross").filter((pl.col("x") * pl.col("x_right") + 1) % 7 == 8)
        Path("started").touch()
        pl.collect_all([pairs.sink_csv(staging / f"{i}.csv", lazy=True) for i in range(2)])
"""

WORDY = """
def apply(rules, **options):
    print("x" * 10_000_000)
"""

ROWS = """
import polars as pl
from segkit.io.write import sink
from segkit.io.publish.folder import writing
def apply(rules, *, stdout, **options):
    rows = pl.LazyFrame({"x": range(10_000_000)})
    with writing("-"):
        pl.collect_all([sink(rows, stdout, "csv")])
"""


def start(
    body: str,
    environment: dict[str, str],
    cwd: Path,
    *args: str,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", FAKE.format(body=body, args=args)]
    return subprocess.Popen(command, env=environment, cwd=cwd, stdout=stdout, stderr=stderr)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_at_once_and_leaves_nothing_behind(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = start(LONG, environment, tmp_path)
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    sent = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert stderr.decode().strip() == "interrupted"
    assert time.monotonic() - sent < 5
    assert [p.name for p in tmp_path.iterdir()] == ["started"]


@pytest.mark.parametrize("body", [WORDY, ROWS])
def test_a_closed_pipe_is_a_quiet_end(environment: dict[str, str], tmp_path: Path, body: str) -> None:
    process = start(body, environment, tmp_path, "-q")
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 141


def test_a_pipe_closed_before_the_help_is_a_quiet_end(environment: dict[str, str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "segkit", "apply", "-h"]
    done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


SLEEPY = """
import time
from segkit.errors import DataError
def apply(rules, *, progress, select, **options):
    progress("reading orders")
    time.sleep(float(select[0]))
    raise DataError.of("no such column")
"""


@pytest.mark.parametrize(("seconds", "flags", "spins"), [("1.0", (), True), ("0", (), False), ("1.0", ("-q",), False)])
def test_a_spinner_turns_on_a_terminal_once_a_run_takes_long(
    environment: dict[str, str], tmp_path: Path, seconds: str, flags: tuple[str, ...], spins: bool
) -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    variables = environment | {"TERM": "xterm"}
    process = start(SLEEPY, variables, tmp_path, "--select", seconds, *flags, stdout=subprocess.DEVNULL, stderr=child)
    os.close(child)
    assert process.wait(timeout=30) == 3
    seen = b""
    try:
        while chunk := os.read(parent, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    assert (b"reading orders" in seen) is spins
    assert seen.endswith(b"no such column\r\n")
    if spins:
        assert b"\x1b[?25h" in seen  # the cursor is back
