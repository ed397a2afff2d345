import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from segkit.errors import WriteError
from segkit.io.publish import folder as publish
from segkit.io.publish.folder import publish_file, publishing, write_error, writing

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def fill(staging: Path, text: str, names: tuple[str, ...] = ("a.csv",)) -> None:
    for name in names:
        (staging / name).write_text(text)
    (staging / "manifest.json").write_text(json.dumps({"segkit_version": "1", "files": names}))


def run(directory: Path, text: str, names: tuple[str, ...] = ("a.csv",)) -> None:
    with publishing(directory) as staging:
        fill(staging, text, names)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def content(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.name != "manifest.json"}


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def out(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target, once where the file system exchanges paths and once where it cannot."""
    if not request.param:
        monkeypatch.setattr(publish, "exchange", lambda first, second: False)
    return tmp_path / "out"


def test_a_run_replaces_the_one_before_and_leaves_nothing_beside(out: Path) -> None:
    run(out, "old", ("a.csv", "b.csv"))
    run(out, "new")
    assert content(out) == {"a.csv": "new"}
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_run_leaves_the_one_before(out: Path, error: type[BaseException]) -> None:
    run(out, "old")
    with pytest.raises(error), publishing(out) as staging:
        (staging / "a.csv").write_text("half")
        raise error
    assert content(out) == {"a.csv": "old"}
    assert names(out.parent) == ["out"]


def test_the_users_own_files_stay(out: Path) -> None:
    run(out, "old", ("a.csv", "gone.csv"))
    (out / "README").write_text("mine")
    (out / ".gitkeep").write_text("")
    (out / "link").symlink_to("README")
    number = (out / "README").stat().st_ino
    run(out, "new")
    assert content(out) == {"a.csv": "new", "README": "mine", ".gitkeep": "", "link": "mine"}
    assert (out / "link").is_symlink()
    assert (out / "README").stat().st_ino == number


def test_a_new_output_never_takes_the_place_of_a_file_of_the_users(out: Path) -> None:
    run(out, "old")
    (out / "b.csv").write_text("mine")
    with pytest.raises(WriteError, match=r"cannot write `.*b\.csv`") as caught:
        run(out, "new", ("a.csv", "b.csv"))
    assert "move it away" in (caught.value.diagnostics[0].hint or "")
    assert content(out) == {"a.csv": "old", "b.csv": "mine"}
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "3", '"segkit_version"', "{}", '{"files": ["b.csv"]}', '{"segkit_version": "1", "files": [""]}'],
)
def test_a_manifest_that_is_not_from_segkit_is_refused(out: Path, manifest: str) -> None:
    out.mkdir()
    (out / "manifest.json").write_text(manifest)
    (out / "b.csv").write_text("mine")
    assert "its `manifest.json` is not from segkit" in refused(out)
    assert (out / "manifest.json").read_text() == manifest
    assert content(out) == {"b.csv": "mine"}
    assert names(out.parent) == ["out"]


def refused(directory: Path) -> str:
    with pytest.raises(WriteError) as caught:
        run(directory, "new")
    assert caught.value.diagnostics[0].hint
    return caught.value.diagnostics[0].message


def test_what_is_not_a_runs_folder_is_refused(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / "photos").mkdir(parents=True)
    (out / "photos" / "cat.jpg").touch()
    assert "holds the folder `photos`" in refused(out)
    assert (out / "photos" / "cat.jpg").exists()
    assert "it is a file" in refused(out / "photos" / "cat.jpg")
    assert "File exists" in refused(out / "photos" / "cat.jpg" / "segments")
    monkeypatch.chdir(out / "photos")
    assert refused(Path()) == "cannot replace `.`: it is the current folder"
    assert "File name too long" in refused(out / ("x" * 300))


@POSIX
def test_modes_are_those_of_an_ordinary_file(out: Path) -> None:
    mask = os.umask(0o027)
    try:
        run(out, "new")
        with publish_file(out.parent / "one.csv") as path:
            path.write_text("x")
    finally:
        os.umask(mask)
    assert oct(out.stat().st_mode & 0o777) == "0o750"
    assert oct((out.parent / "one.csv").stat().st_mode & 0o777) == "0o640"
    out.chmod(0o775)
    run(out, "newer")
    assert oct(out.stat().st_mode & 0o777) == "0o775"


def test_a_link_to_a_folder_stays_a_link(out: Path) -> None:
    real = out.parent / "real"
    out.symlink_to(real)
    run(out, "first")
    run(out, "second")
    assert out.is_symlink()
    assert content(real) == {"a.csv": "second"}


def test_parents_are_made(out: Path) -> None:
    run(out / "deep" / "er", "new")
    assert content(out / "deep" / "er") == {"a.csv": "new"}


@pytest.mark.skipif(ROOT or os.name != "posix", reason="root may write anywhere")
def test_a_parent_without_permission(out: Path) -> None:
    out.parent.chmod(0o555)
    try:
        assert "Permission denied" in refused(out)
    finally:
        out.parent.chmod(0o755)


def test_leftovers_of_killed_runs_are_removed_and_a_lost_target_comes_back(out: Path) -> None:
    run(out, "old")
    beside = out.parent
    out.rename(beside / ".out.segkit-0123abcd.old")
    (beside / ".out.segkit-89abcdef.new").mkdir()
    (beside / ".out.segkit-notes.txt").touch()
    with pytest.raises(ValueError, match="stop"), publishing(out):
        raise ValueError("stop")
    assert content(out) == {"a.csv": "old"}
    assert names(beside) == [".out.segkit-notes.txt", "out"]


@POSIX
def test_a_second_run_waits_or_says_who_is_first(out: Path) -> None:
    told: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with publishing(out) as staging:
            inside.set()
            leave.wait(10)
            fill(staging, "first")

    def second() -> None:
        with publishing(out, on_wait=told.append) as staging:
            fill(staging, "second")

    threads = [threading.Thread(target=f) for f in (first, second)]
    threads[0].start()
    assert inside.wait(10)
    with pytest.raises(WriteError, match=f"another run writes to `{out}`: process {os.getpid()}"):
        publishing(out, wait=False).__enter__()
    threads[1].start()
    time.sleep(0.2)
    leave.set()
    for thread in threads:
        thread.join()
    assert content(out) == {"a.csv": "second"}
    assert told == [f"waiting for another run: process {os.getpid()} on {os.uname().nodename}"]
    assert names(out.parent) == ["out"]


CHILD = """
import json, sys
from pathlib import Path
from segkit.io.publish import folder as publish
if sys.argv[2] == "False":
    publish.exchange = lambda first, second: False
number = int(sys.argv[1])
while True:
    number += 1
    with publish.publishing(Path("out")) as staging:
        for i in range(5):
            (staging / f"{i}.csv").write_text(str(number) * 2000)
        names = [f"{i}.csv" for i in range(5)]
        (staging / "manifest.json").write_text(json.dumps({"segkit_version": "1", "files": names, "number": number}))
    if number == int(sys.argv[1]) + 1:
        print(flush=True)
"""


@POSIX
@pytest.mark.parametrize("atomic", [True, False])
def test_kill_at_any_moment_leaves_a_whole_run(tmp_path: Path, atomic: bool) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(publish.__file__).parents[3])}
    last = 0
    for _ in range(12):
        command = [sys.executable, "-c", CHILD, str(last), str(atomic)]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
        time.sleep(random.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not atomic:  # the next run brings back what was caught between two renames
            with pytest.raises(ValueError, match="stop"), publishing(tmp_path / "out"):
                raise ValueError("stop")
        number = json.loads((tmp_path / "out" / "manifest.json").read_text())["number"]
        assert number > last
        assert content(tmp_path / "out") == {f"{i}.csv": str(number) * 2000 for i in range(5)}
        last = number


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "one.csv"
    with publish_file(target) as path:
        path.write_text("old")
    with pytest.raises(ValueError, match="stop"), publish_file(target) as path:
        path.write_text("half")
        raise ValueError("stop")
    assert target.read_text() == "old"
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    target.chmod(0o600)
    with publish_file(link) as path:
        path.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["link.csv", "one.csv"]


def test_a_file_cannot_replace_a_folder(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="it is a folder"), publish_file(tmp_path):
        pass


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
def test_devices_are_written_to_not_replaced() -> None:
    with publish_file(Path("/dev/null")) as path:
        path.write_text("x")
    assert Path("/dev/null").is_char_device()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("format", ["csv", "parquet", "ndjson", "ipc"])
def test_a_full_disk_is_an_error_that_helps(small_disk: Path, format: str) -> None:
    out = small_disk / "out"
    run(out, "old")
    frame = pl.LazyFrame({"x": range(1_000_000)})
    with pytest.raises(WriteError) as caught, publishing(out) as staging:
        sinks = [getattr(frame.filter(pl.col("x") > i), f"sink_{format}")(staging / f"{i}", lazy=True) for i in (0, 1)]
        pl.collect_all(sinks)
    assert caught.value.diagnostics[0].message == f"cannot write `{out}`: No space left on device"
    assert caught.value.diagnostics[0].hint == "free some space there, or write elsewhere with `-o`"
    assert content(out) == {"a.csv": "old"}
    assert names(small_disk) == ["out"]


def test_a_mount_point_is_refused(small_disk: Path) -> None:
    assert "something is mounted there" in refused(small_disk)


def test_errors_about_something_else_pass_through(tmp_path: Path) -> None:
    assert write_error(FileNotFoundError(errno.ENOENT, "no", "orders.csv"), tmp_path / "out") is None
    assert write_error(pl.exceptions.ComputeError("could not parse `x`"), tmp_path / "out") is None
    with pytest.raises(FileNotFoundError), publishing(tmp_path / "out"):
        Path(tmp_path / "orders.csv").read_text()


def test_a_broken_pipe_of_polars_is_one_of_python() -> None:
    with pytest.raises(BrokenPipeError), writing("-"):
        raise OSError("Broken pipe (os error 32)")
