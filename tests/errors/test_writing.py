"""Runs that cannot write, or are stopped: the last good output stays as it was, byte for byte."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from segkit.io.publish import lock
from tests.desk import Desk, head

SEGMENTS = 24
ROWS = 250_000


def environment() -> dict[str, str]:
    """For a process that finds segkit in this repository."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}


def rules(path: str, segments: int = 2) -> str:
    tables = "".join(f"[segment.s{i}]\ndemographic.n.min = {i}\n" for i in range(segments))
    return head(path=path) + '[output]\ndirectory = "out"\n' + tables


# Permissions do not hold for root; without this capability (1: CAP_DAC_OVERRIDE, 24: PR_CAPBSET_DROP) they do.
WITHOUT_POWERS = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"


def as_anybody(desk: Desk, *args: str) -> subprocess.CompletedProcess[bytes]:
    """segkit as a process for which permissions hold, even if it is root's."""
    command = [sys.executable, "-m", "segkit", *args]
    if os.geteuid() == 0:
        command = [sys.executable, "-c", WITHOUT_POWERS, *command]
    return subprocess.run(
        command, cwd=desk.folder, env=environment(), capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
@pytest.mark.parametrize("command", ["apply", "rfm"])
def test_a_folder_that_may_not_be_written(desk: Desk, command: str) -> None:
    desk.put("c.csv", "id,n,day,total\na,1,2024-01-01,1\nb,2,2024-01-01,2\n")
    desk.put("rules.toml", rules("c.csv"))
    args = ["apply", "rules.toml"] if command == "apply" else ["rfm", "c.csv", "-o", "out/rfm.csv"]
    assert desk.process(*args).returncode == 0
    before = desk.tree("out")
    for folder in (desk / "out", desk.folder):
        folder.chmod(0o555)
    try:
        if os.access(desk.folder, os.W_OK) and os.geteuid():
            pytest.skip("permissions do not hold here")
        done = as_anybody(desk, *args)
    finally:
        for folder in (desk.folder, desk / "out"):
            folder.chmod(0o755)
    assert done.returncode == 4, done.stderr.decode()
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: ")
    assert b"Traceback" not in done.stderr
    assert b"out" in done.stderr
    assert desk.tree("out") == before


@pytest.mark.parametrize("output", ["a-file", "/dev/null/x", "c.csv/x"])
def test_an_output_that_cannot_be(desk: Desk, output: str) -> None:
    desk.put("c.csv", "id,n\na,1\n")
    desk.put("a-file", "mine")
    target = output if output.startswith("/") else desk / output
    done = desk.apply(rules("c.csv"), "-o", target, code=4)
    assert done.stderr.startswith("error: ")
    assert (desk / "a-file").read_text() == "mine"
    assert (desk / "c.csv").read_text() == "id,n\na,1\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # threads may close their files a moment later


@pytest.mark.parametrize(
    "format", ["csv", "parquet", "ndjson", "arrow", pytest.param("xlsx", marks=pytest.mark.extra("excel"))]
)
def test_a_full_disk(desk: Desk, small_disk: Path, format: str) -> None:
    desk.put("c.csv", "id,n\na,1\nb,2\n")
    out = small_disk / "out"
    desk.apply(rules("c.csv"), "-o", out, "--format", format)
    before = {p.name: p.read_bytes() for p in out.rglob("*.*")}
    big = pl.DataFrame({"id": pl.int_range(60_000, eager=True).hash(1), "n": pl.int_range(60_000, eager=True).hash(2)})
    desk.put("c.csv", big.with_columns(pl.col("n").cast(pl.String).str.slice(0, 9)))
    done = desk.apply(rules("c.csv"), "-o", out, "--format", format, code=4)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "space" in done.stderr
    assert {p.name: p.read_bytes() for p in out.rglob("*.*")} == before
    assert [p.name for p in small_disk.iterdir() if p.name.endswith(".new")] == []


def test_a_full_disk_for_rfm(desk: Desk, small_disk: Path) -> None:
    target = small_disk / "rfm.csv"
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\n")
    desk.segkit("rfm", desk / "o.csv", "-o", target)
    before = target.read_bytes()
    desk.put("o.csv", pl.DataFrame({"id": pl.int_range(20_000, eager=True), "day": "2024-01-01", "total": 1}))
    done = desk.segkit("rfm", desk / "o.csv", "-o", target, code=4)
    assert "space" in done.stderr
    assert target.read_bytes() == before


# --- stopped in the middle of writing ---


@pytest.fixture(scope="session")
def large(new_desk: Callable[[], Desk]) -> Desk:
    """A desk where writing takes a while."""
    desk = new_desk()
    numbers = pl.int_range(ROWS, eager=True)
    desk.put(
        "large.parquet",
        pl.DataFrame({"id": numbers.cast(pl.String), "n": numbers + 100, "text": numbers.hash(3).cast(pl.String)}),
    )
    desk.put("small.csv", "id,n,text\na,1,x\nb,2,y\n")
    return desk


def start(desk: Desk, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "segkit", *args],
        cwd=desk.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def until_it_writes(desk: Desk, process: subprocess.Popen[bytes], files: int = 3) -> None:
    """Wait for the folder that a run writes to before it is published."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        if any(len(list(folder.iterdir())) >= files for folder in desk.folder.glob(".out.segkit-*.new")):
            return
        time.sleep(0.002)
    pytest.fail(f"the run ended before it could be stopped: {process.communicate()[1].decode()}")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_in_the_middle_of_writing(large: Desk, sent: signal.Signals, code: int) -> None:
    desk = large
    desk.put("good.toml", rules("small.csv", SEGMENTS))
    desk.put("large.toml", rules("large.parquet", SEGMENTS))
    assert desk.process("apply", "good.toml").returncode == 0
    before = desk.tree("out")
    assert len(before) == SEGMENTS + 1
    process = start(desk, "apply", "large.toml")
    until_it_writes(desk, process)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err.decode()
    assert b"Traceback" not in err
    assert desk.tree("out") == before
    if sent != signal.SIGKILL:
        assert out == b""
        assert b"interrupted" in err
        assert list(desk.folder.glob(".out.segkit-*.new")) == []
    # The next run goes through, and clears what the killed one left.
    assert desk.process("apply", "good.toml").returncode == 0
    assert {n: c for n, c in desk.tree("out").items() if n != "manifest.json"} == {
        n: c for n, c in before.items() if n != "manifest.json"
    }
    assert list(desk.folder.glob(".out.segkit-*.new")) == []


def wait_for(desk: Desk, process: subprocess.Popen[bytes], pattern: str, number: int = 1) -> None:
    """Wait until so many files of this pattern are there, or the run has ended."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):  # a folder may move in while it is looked into
            if len(list(desk.folder.glob(pattern))) >= number:
                return
        time.sleep(0.001)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_kept_runs_are_whole_whenever_a_run_is_killed(large: Desk) -> None:
    """Killed as it makes its folder, as it writes, as it writes the manifest, and as it moves in."""
    desk = large
    kept = '[output]\nkeep = 2\nchanges = true\ndirectory = "kept"\n'
    for name, data in (("kept-small.toml", "small.csv"), ("kept-large.toml", "large.parquet")):
        desk.put(name, rules(data, 8).replace('[output]\ndirectory = "out"\n', kept))
    assert desk.process("apply", "kept-small.toml").returncode == 0
    killed = 0
    for pattern, number in (
        (".kept.segkit-*.new", 1),
        (".kept.segkit-*.new/*.csv", 2),
        (".kept.segkit-*.new/*.csv", 16),
        (".kept.segkit-*.new/manifest.json", 1),
        ("kept/2024-03-01*/manifest.json", 2),
    ):
        for _ in range(5):  # on a busy machine, a moment may pass unseen
            before = (desk / "kept/latest").resolve()
            process = start(desk, "apply", "kept-large.toml")
            wait_for(desk, process, pattern, number)
            process.kill()
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                killed += 1
                break
        latest = (desk / "kept/latest").resolve()
        assert latest == before or latest.name > before.name
        for run in (desk / "kept").glob("2024*"):  # each is whole: its lists are those of its manifest
            assert desk.process("diff", run, "kept/latest", "-q").returncode == 0
    assert killed >= 3  # the last two moments are short
    assert desk.process("apply", "kept-small.toml").returncode == 0
    last = json.loads(desk.process("diff", "kept/latest", "kept", "--exit-code", "--json").stdout)
    assert [s["new"] for s in last["segments"]] == [2, 2, 1, 0, 0, 0, 0, 0]
    assert len(list((desk / "kept").glob("2024*"))) == 2
    assert [p.name for p in desk.folder.iterdir() if p.name.startswith(".kept")] == []


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    "command",
    [
        "rfm large-orders.csv",
        "rfm large-orders.csv -o -",
        "apply large.toml -o -",
        "apply large.toml -o piped --json",
        "schema",
    ],
)
def test_a_closed_pipe(large: Desk, command: str) -> None:
    desk = large
    if not (desk / "large-orders.csv").exists():
        desk.put(
            "large-orders.csv", pl.DataFrame({"id": pl.int_range(30_000, eager=True), "day": "2024-01-01", "total": 1})
        )
    desk.put("large.toml", rules("large.parquet", 3))
    line = f"set -o pipefail; {sys.executable} -m segkit {command} 2>err | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=desk.folder,
        env=environment(),
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    first, code = done.stdout.decode().splitlines()
    assert first
    assert int(code) in (0, 141)
    if command.endswith("-o -"):
        assert int(code) == 141
    talk = (desk / "err").read_text()
    assert "error" not in talk
    assert "Traceback" not in talk
    assert "Exception" not in talk


def test_two_runs_at_once_wait_or_say_so(desk: Desk) -> None:
    desk.put("c.csv", "id,n\na,1\n")
    desk.put("rules.toml", rules("c.csv"))
    with lock.locked(desk / ".out.segkit-lock", desk / "out", wait=True, on_wait=print):
        done = desk.process("apply", "rules.toml", "--no-wait")
        assert done.returncode == 4
        assert done.stderr.startswith(b"error: ")
        waiting = start(desk, "apply", "rules.toml")
        time.sleep(1.5)
        assert waiting.poll() is None
    assert waiting.wait(60) == 0
    waiting.communicate()
    assert "s0.csv" in desk.tree("out")


@pytest.mark.parametrize("command", ["apply", "rfm"])
def test_a_full_temporary_folder_for_rows_on_standard_output(desk: Desk, small_disk: Path, command: str) -> None:
    """Rows go to standard output by way of a file: a full disk is no half of a table, and leaves nothing behind."""
    many = pl.int_range(60_000, eager=True)
    desk.put("c.parquet", pl.DataFrame({"id": many.cast(pl.String), "n": many + 100, "day": "2024-01-01", "total": 1}))
    desk.put("rules.toml", rules("c.parquet"))
    args = ["apply", "rules.toml", "-o", "-"] if command == "apply" else ["rfm", "c.parquet", "-o", "-"]
    done = desk.process(*args, env={"TMPDIR": str(small_disk)})
    assert done.returncode == 4, done.stderr.decode()
    assert done.stdout == b""
    text = " ".join(done.stderr.decode().split())
    assert text.startswith("error: cannot write to the temporary folder")
    assert str(small_disk) in text
    assert "No space left on device" in text
    assert "`TMPDIR`" in text
    assert "Traceback" not in text
    assert list(small_disk.iterdir()) == []
