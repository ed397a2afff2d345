"""Old runs are kept: a folder a run, `latest` a link to the newest, and nobody else's files touched."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from segkit.errors import WriteError
from segkit.io.publish import folder as publish
from segkit.io.publish import kept_runs as keep
from segkit.io.publish.folder import publishing
from segkit.io.publish.kept_runs import keeping

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX")
COUNT = iter(range(10**6))


def fill(staging: Path, text: str, as_of: str) -> None:
    (staging / "a.csv").write_text(text)
    started = f"2024-01-01T00:00:00.{next(COUNT):06}"
    about = {"segkit_version": "1", "files": ["a.csv"], "as_of": as_of, "times": {"started": started}}
    (staging / "manifest.json").write_text(json.dumps(about))


def run(directory: Path, text: str, day: str = "2024-06-30", number: int = 3, **options: Any) -> Path:
    with keeping(directory, day, number, **options) as (staging, final):
        fill(staging, text, day)
    return final


def plain_run(directory: Path, text: str, day: str) -> None:
    with publishing(directory) as staging:
        fill(staging, text, day)


def kept(directory: Path) -> dict[str, str]:
    return {p.name: (p / "a.csv").read_text() for p in sorted(directory.iterdir()) if (p / "a.csv").exists()}


@pytest.fixture(params=["links", "no links", "no exchange either"])
def out(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for runs, on systems with and without symbolic links and exchanges."""
    if request.param != "links":

        def refuse(*_: object, **__: object) -> None:
            raise OSError(1, "a privilege is not held")

        monkeypatch.setattr(Path, "symlink_to", refuse)
    if request.param == "no exchange either":
        for module in (publish, keep):
            monkeypatch.setattr(module, "exchange", lambda first, second: False, raising=False)
    return tmp_path / "out"


def test_each_run_has_a_folder_and_latest_is_the_newest(out: Path) -> None:
    assert run(out, "one", "2024-06-29") == out / "2024-06-29"
    assert run(out, "two") == out / "2024-06-30"
    assert run(out, "three") == out / "2024-06-30.002"
    assert kept(out) == {"2024-06-29": "one", "2024-06-30": "two", "2024-06-30.002": "three", "latest": "three"}
    assert sorted(kept(out)) == ["2024-06-29", "2024-06-30", "2024-06-30.002", "latest"]
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert [p for p in out.iterdir() if p.name.startswith(".")] == []


def test_only_the_last_runs_stay_by_the_order_of_publishing_not_of_days(out: Path) -> None:
    for text, day in (("a", "2024-06-29"), ("b", "2024-06-30"), ("c", "2023-12-31"), ("d", "2024-07-01")):
        run(out, text, day)
    assert kept(out) == {"2023-12-31": "c", "2024-06-30": "b", "2024-07-01": "d", "latest": "d"}
    run(out, "e", "2020-01-01", 1)
    assert kept(out) == {"2020-01-01": "e", "latest": "e"}


def test_a_number_is_not_used_again(out: Path) -> None:
    for text in "abcd":
        run(out, text, number=2)
    assert kept(out) == {"2024-06-30.003": "c", "2024-06-30.004": "d", "latest": "d"}


def test_a_clock_that_was_set_back_does_not_cost_the_newest_run(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(out, "old", "2024-06-29", 1)
    monkeypatch.setitem(globals(), "COUNT", iter([0]))
    with keeping(out, "2024-06-30", 1) as (staging, _):
        fill(staging, "new", "2024-06-30")
        text = (staging / "manifest.json").read_text().replace("2024-01-01T", "1999-01-01T")
        (staging / "manifest.json").write_text(text)
    assert kept(out) == {"2024-06-30": "new", "latest": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_run_leaves_nothing(out: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), keeping(out, "2024-06-30", 3):
        raise error
    assert not out.exists()
    run(out, "one")
    with pytest.raises(error), keeping(out, "2024-06-30", 3) as (staging, _):
        (staging / "a.csv").write_text("half")
        raise error
    assert kept(out) == {"2024-06-30": "one", "latest": "one"}
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_files_of_others_stay(out: Path) -> None:
    run(out, "one", "2024-06-28", 1)
    (out / "2024-06-28" / "notes.txt").write_text("mine")
    (out / "README").write_text("mine")
    (out / "photos").mkdir()
    (out / "2024-06-30").mkdir()
    (out / "2024-06-30" / "mine.csv").write_text("mine")
    run(out, "two", "2024-06-29", 1)
    run(out, "three", "2024-06-30", 1)
    assert kept(out) == {"2024-06-28": "one", "2024-06-30.002": "three", "latest": "three"}
    assert (out / "2024-06-28" / "notes.txt").read_text() == "mine"
    assert (out / "2024-06-30" / "mine.csv").read_text() == "mine"
    assert (out / "README").exists()
    assert (out / "photos").is_dir()


def test_a_latest_of_somebody_else_is_refused(out: Path) -> None:
    (out / "latest").mkdir(parents=True)
    (out / "latest" / "mine.csv").touch()
    with pytest.raises(WriteError, match="`latest` in it is not from segkit"):
        run(out, "one")
    assert [str(p.relative_to(out)) for p in sorted(out.rglob("*"))] == ["latest", "latest/mine.csv"]


@POSIX
def test_a_latest_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "latest").symlink_to("../elsewhere")
    with pytest.raises(WriteError, match="`latest` in it is not from segkit"):
        run(out, "one")


def test_a_run_in_the_directory_itself_becomes_the_first_of_the_kept(out: Path) -> None:
    plain_run(out, "old", "2024-06-30")
    (out / "README").write_text("mine")
    run(out, "new")
    assert kept(out) == {"2024-06-30": "old", "2024-06-30.002": "new", "latest": "new"}
    assert (out / "README").read_text() == "mine"
    assert sorted(p.name for p in out.iterdir()) == ["2024-06-30", "2024-06-30.002", "README", "latest"]
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_and_back_again_is_refused(out: Path) -> None:
    run(out, "one")
    with pytest.raises(WriteError, match="it keeps old runs, such as `2024-06-30`") as caught:
        plain_run(out, "two", "2024-07-01")
    assert "say `[output] keep`" in (caught.value.diagnostics[0].hint or "")
    assert kept(out) == {"2024-06-30": "one", "latest": "one"}


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(WriteError, match="it is a file"):
        run(tmp_path / "out", "one")


@POSIX
def test_modes(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with keeping(tmp_path / "out", "2024-06-30", 3, mode=0o600) as (staging, final):
            seen.append(staging.stat().st_mode & 0o777)
            fill(staging, "x", "2024-06-30")
    assert seen == [0o700, 0o700]
    assert [(p.stat().st_mode & 0o777) for p in (tmp_path / "out", final, final / "a.csv")] == [0o700, 0o700, 0o600]
    with publishing(tmp_path / "plain", mode=0o640) as staging:
        assert staging.stat().st_mode & 0o777 == 0o700
        fill(staging, "x", "2024-06-30")
    files = [tmp_path / "plain", tmp_path / "plain" / "a.csv", tmp_path / "plain" / "manifest.json"]
    assert [p.stat().st_mode & 0o777 for p in files] == [0o750, 0o640, 0o640]


CHILD = """
import json, sys
from pathlib import Path
from segkit.io.publish import kept_runs as keep
from segkit.io.publish import folder as publish
number = int(sys.argv[1])
if sys.argv[2] == "no links":
    def refuse(*_, **__):
        raise OSError(1, "no")
    Path.symlink_to = refuse
out = Path("out")
while True:
    number += 1
    with keep.keeping(out, f"2024-06-{1 + number // 7 % 30:02}", 3) as (staging, final):
        for i in range(5):
            (staging / f"{i}.csv").write_text(str(number) * 2000)
        names = [f"{i}.csv" for i in range(5)]
        about = {"segkit_version": "1", "files": names, "number": number, "as_of": "2024-06-01",
                 "times": {"started": f"{number:09}"}}
        (staging / "manifest.json").write_text(json.dumps(about))
    if number == int(sys.argv[1]) + 1:
        print(flush=True)
"""


@POSIX
@pytest.mark.parametrize("links", ["links", "no links"])
def test_kill_at_any_moment_leaves_latest_whole(tmp_path: Path, links: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(publish.__file__).parents[3])}
    chance, last = random.Random(7), 0
    for _ in range(12):
        command = [sys.executable, "-c", CHILD, str(last), links]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        latest = tmp_path / "out" / "latest"
        number = json.loads((latest / "manifest.json").read_text())["number"]
        assert number > last
        for run in (p for p in (tmp_path / "out").iterdir() if publish.is_run(p)):
            mine = json.loads((run / "manifest.json").read_text())["number"]
            assert {p.name: p.read_text() for p in run.glob("*.csv")} == {
                f"{i}.csv": str(mine) * 2000 for i in range(5)
            }
        assert {p.name: p.read_text() for p in latest.glob("*.csv")} == {
            f"{i}.csv": str(number) * 2000 for i in range(5)
        }
        last = number
    subprocess.run(
        [sys.executable, "-c", CHILD.replace("while True", "for _ in '1'"), str(last), links],
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert len([p for p in (tmp_path / "out").iterdir() if publish.is_run(p)]) == 3
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")] == []


def test_the_name_after_a_day_sorts(tmp_path: Path) -> None:
    names = ["2024-06-30", "2024-06-30.002", "2024-06-30.010", "2024-07-01"]
    assert names == sorted(names)
    assert all(publish.RUN.fullmatch(name) for name in names)
