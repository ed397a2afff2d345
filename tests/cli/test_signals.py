"""Ctrl-C, SIGTERM and closed pipes, with segkit as its own process and a fake operation in it."""

import json
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
from segkit.io.write import sink, write
from segkit.io.publish.folder import writing
def apply(rules, *, stdout, **options):
    rows = pl.LazyFrame({"x": range(10_000_000)})
    with writing("-"):
        write([sink(rows, stdout, "csv")])
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


# --- signals and the log ---

READY = """
import time
from pathlib import Path
def apply(rules, *, progress, **options):
    progress("reading")
    Path("started").touch()
    {then}
"""
SLEEP = "time.sleep(60)"
SLOW_END = """
import time
from pathlib import Path
def apply(rules, **options):
    try:
        Path("started").touch()
        time.sleep(60)
    finally:
        Path("ending").touch()
        time.sleep(0.5)
"""
FAILING = """
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise OSError(5, "the terminal has gone")"""


def until(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert path.exists()


def logged(folder: Path) -> list[tuple[str, int]]:
    return [(line["outcome"], line["exit_code"]) for line in map(json.loads, (folder / "log").read_text().splitlines())]


@pytest.mark.parametrize("then", [SLEEP, FAILING], ids=["asleep", "with an error on the way out"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_leaves_a_line(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int, then: str
) -> None:
    if number == signal.SIGINT and then == FAILING:
        pytest.skip("Ctrl-C that ends in an error is that error")
    process = start(READY.format(then=then), environment, tmp_path, "--log", "log")
    until(tmp_path / "started")
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr.strip()) == (code, b"interrupted")
    assert logged(tmp_path) == [("interrupted", code)]


def test_one_signal_after_the_other(environment: dict[str, str], tmp_path: Path) -> None:
    """As systemd sends them; the first one counts, and the second one keeps nothing from ending well."""
    for _ in range(5):
        process = start(SLOW_END, environment, tmp_path, "--log", "log")
        until(tmp_path / "started")
        process.send_signal(signal.SIGTERM)
        until(tmp_path / "ending")
        for _ in range(3):
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=30)
        assert (process.returncode, stderr.strip()) == (143, b"interrupted")
        for name in ("started", "ending"):
            (tmp_path / name).unlink()
    assert logged(tmp_path) == [("interrupted", 143)] * 5


WHILE_TOLD = """
import os, signal, sys, time
from segkit.errors import DataError
class Slow:
    def isatty(self):
        return False
    def flush(self):
        pass
    def write(self, text):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        return sys.__stderr__.write(text)
def apply(rules, **options):
    sys.stderr = Slow()
    raise DataError.of("no such column")
"""


def test_a_signal_does_not_keep_a_run_that_has_ended_from_saying_so(
    environment: dict[str, str], tmp_path: Path
) -> None:
    process = start(WHILE_TOLD, environment, tmp_path, "--log", "log")
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (3, b"error: no such column\n")
    assert logged(tmp_path) == [("failed", 3)]


def test_a_run_that_has_published_is_not_interrupted(environment: dict[str, str], tmp_path: Path) -> None:
    """It waits for its turn to write to the log, and gets it."""
    import fcntl

    with (tmp_path / "log").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        process = start(READY.format(then="return None"), environment, tmp_path, "--log", "log", "-q")
        until(tmp_path / "started")
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, b"")
    assert [code for _, code in logged(tmp_path)] == [0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_background_job_of_a_script_leaves_a_line_too(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """A shell without job control starts it with SIGINT ignored."""
    body = "import signal; assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN\n" + READY.format(then=SLEEP)
    command = [sys.executable, "-c", FAKE.format(body=body, args=("--log", "log"))]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command], env=environment, cwd=tmp_path, stderr=subprocess.PIPE
    )
    until(tmp_path / "started")
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (code, b"")
    assert logged(tmp_path) == [("interrupted", code)]


def test_nohup_stays(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAKE.format(body=READY.format(then="time.sleep(0.5)"), args=("--log", "log"))]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command], env=environment, cwd=tmp_path, stderr=subprocess.PIPE
    )
    until(tmp_path / "started")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert "interrupted" not in (tmp_path / "log").read_text()


HANG_UP = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-c", {program!r}])
"""


HALF_A_LINE = 'print("half a line", end=""); ' + SLEEP


@pytest.mark.parametrize(
    ("then", "pause"),
    [(SLEEP, 0.0), (SLEEP, 0.6), (HALF_A_LINE, 0.0)],
    ids=["before the spinner", "with the spinner", "in the middle of a line"],
)
def test_a_terminal_that_hangs_up(environment: dict[str, str], tmp_path: Path, then: str, pause: float) -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    program = FAKE.format(body=READY.format(then=then), args=("--log", "log"))
    process = subprocess.Popen(
        [sys.executable, "-c", HANG_UP.format(program=program)],
        env=environment | {"TERM": "xterm", "PYTHONUNBUFFERED": ""}, cwd=tmp_path, stdin=child, stdout=child, stderr=child,
    )  # fmt: skip
    os.close(child)
    until(tmp_path / "started")
    time.sleep(pause)
    os.close(parent)
    assert process.wait(timeout=30) == 129
    assert logged(tmp_path) == [("interrupted", 129)]


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
