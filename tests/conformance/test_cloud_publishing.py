"""Runs in a bucket: a folder for each, a manifest that names the last one, `latest`, a lock; and what fails on the way."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import string
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import segkit
from segkit.io.publish import lease
from tests import s3
from tests.desk import Desk, head
from tests.gate import Gate, before
from tests.s3 import Cloud, a_cloud, needs_server

pytestmark = [pytest.mark.extra("bucket"), needs_server]

SEGMENTS = '[segment.all]\neveryone = true\n[segment.west]\ndemographic.town = ["Brest", "Nantes"]\n'
NIGHTS = {
    "2024-03-01": "id,town\na,Brest\nb,Paris\nc,Nantes\n",
    "2024-03-02": "id,town\na,Brest\nb,Brest\nd,Lyon\n",
    "2024-03-03": "id,town\nb,Brest\nd,Nantes\ne,Brest\n",
}
FILES = ["all.csv", "manifest.json", "run/members.parquet", "run/rules.toml", "west.csv"]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with a_cloud(tmp_path) as one:
        yield one


@pytest.fixture
def gate(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate before the server of the bucket, through which segkit goes, and the test does not."""
    with before(s3.URL) as one:
        monkeypatch.setenv("AWS_ENDPOINT_URL", one.url)
        monkeypatch.setattr(lease, "PAUSE", 0.05)
        yield one


def rules(cloud: Cloud, *output: str, day: str = "2024-03-01", segments: str = SEGMENTS) -> str:
    lines = "".join(f"{line}\n" for line in output)
    return f'{head(as_of=day)}[output]\ndirectory = "{cloud.root}/segments"\n{lines}{segments}'


def night(desk: Desk, cloud: Cloud, day: str, *args: object, output: tuple[str, ...] = (), code: int = 0) -> Any:
    desk.put("c.csv", NIGHTS[day])
    done = desk.apply(rules(cloud, *output, day=day), "--json", *args, code=code)
    assert "segkit-" not in done.stderr.replace("segkit-cli", "") + done.stdout  # no folder of the workspace is named
    return json.loads(done.stdout) if not code else done.stderr


def in_folders(*folders: str, files: list[str] = FILES) -> list[str]:
    return sorted(["segments/manifest.json", *(f"segments/{folder}/{file}" for folder in folders for file in files)])


def names(cloud: Cloud) -> list[str]:
    return cloud.keys()


def objects(cloud: Cloud) -> dict[str, bytes]:
    return {key: cloud.get(key) for key in names(cloud)}


def manifest(cloud: Cloud, name: str = "manifest.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.get(f"segments/{name}"))
    return found


def download(cloud: Cloud, folder: Path) -> Path:
    for key in names(cloud):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cloud.get(key))
    return folder / "segments"


def test_three_nights(desk: Desk, cloud: Cloud) -> None:
    """Each is compared with the one before, two stay, and `latest` has the files of the last one."""
    first = night(desk, cloud, "2024-03-01")
    assert [segment["change"] for segment in first["segments"]] == [None, None]
    second = night(desk, cloud, "2024-03-02")
    assert {s["name"]: (s["change"]["entered"], s["change"]["left"]) for s in second["segments"]} == {
        "all": (1, 1),
        "west": (1, 1),
    }
    assert names(cloud) == in_folders("2024-03-01", "2024-03-02", "latest")
    third = night(desk, cloud, "2024-03-03")
    assert names(cloud) == in_folders("2024-03-02", "2024-03-03", "latest")
    assert cloud.get("segments/latest/west.csv").decode().splitlines() == ["id,segment,town", "b,west,Brest", "d,west,Nantes", "e,west,Brest"]  # fmt: skip
    assert third["directory"] == f"{cloud.root}/segments/2024-03-03"
    assert third["segments"][1]["outputs"][0]["path"] == f"{cloud.root}/segments/2024-03-03/west.csv"
    outer, inner = manifest(cloud), manifest(cloud, "2024-03-03/manifest.json")
    assert (outer.pop("run"), inner.pop("run")) == ("2024-03-03", None)
    assert outer == inner
    assert cloud.get("segments/latest/manifest.json") == cloud.get("segments/2024-03-03/manifest.json")
    assert outer["rules"]["directory"] == str(desk.folder)
    assert outer["rules"]["relative_path"] == str(desk / "rules.toml")


def test_the_same_as_in_a_folder(desk: Desk, cloud: Cloud) -> None:
    """Lists, changes, history and tracked columns, night after night; a run that is repeated gets a number."""
    output = ("changes = true", "history = true", 'track = ["town"]', 'workbook = "all.xlsx"')
    for day in [*NIGHTS, "2024-03-03"]:
        desk.put("c.csv", NIGHTS[day])
        there = rules(cloud, *output, "keep = 3", day=day)
        here = there.replace(f"{cloud.root}/segments", "here")
        desk.apply(here)
        desk.apply(there)
    local = {name: content for name, content in desk.tree("here").items() if not name.startswith("latest/")}
    kept = {name.partition("/")[0] for name in local}
    assert kept == {"2024-03-02", "2024-03-03", "2024-03-03.002"}
    away = desk.tree(str(download(cloud, desk / "away").relative_to(desk.folder)))
    assert {name.partition("/")[0] for name in away} == {*kept, "latest", "manifest.json"}
    for name, content in local.items():
        if not name.endswith("manifest.json"):
            assert away[name] == content, name
    for run in kept:
        one, other = (json.loads(tree[f"{run}/manifest.json"]) for tree in (local, away))
        for each in (one, other):
            for key in ("times", "bytes"):
                each.pop(key)
            for key in ("relative_path", "directory", "sha256"):
                each["rules"].pop(key)
            each["history"].pop("before", None)
        assert one == other


def test_a_download_is_a_directory_of_kept_runs(desk: Desk, cloud: Cloud) -> None:
    """The manifest beside the folders leads to the last run, whatever else is there."""
    for day in list(NIGHTS)[1:]:
        night(desk, cloud, day, output=("history = true",))
    away = download(cloud, desk / "away")
    shown = desk.segkit("diff", away / "2024-03-02", away, "--json").stdout
    assert {s["name"]: (s["entered"], s["left"]) for s in json.loads(shown)["segments"]} == {
        "all": (1, 1),
        "west": (2, 1),
    }
    other = desk.segkit("diff", away / "2024-03-02", away / "latest", "--json").stdout
    assert other.replace("segments/latest", "segments") == shown
    assert "2024-03-02" in desk.segkit("history", away).stdout
    assert "west" in desk.segkit("explain", "--run", away, "b").stdout
    assert desk.segkit("report", away, "-o", desk / "r.html").exit_code == 0
    done = desk.segkit("apply", desk / "rules.toml", "-o", away, code=4)
    assert "it keeps old runs" in done.stderr
    desk.put("rules.toml", (desk / "rules.toml").read_text().replace("[output]\n", "[output]\nkeep = 2\n"))
    done = desk.segkit("apply", desk / "rules.toml", "-o", away, code=4)
    assert "it is a copy of runs in a bucket" in done.stderr


def test_the_manifest_comes_last_and_then_latest(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    night(desk, cloud, "2024-03-01")
    night(desk, cloud, "2024-03-02")
    gate.asked.clear()
    night(desk, cloud, "2024-03-03")
    lists = ["all.csv", "west.csv", "run/members.parquet", "run/rules.toml"]
    run, old = "segments/2024-03-03", "segments/2024-03-01"
    puts = [f"PUT {run}/{name}" for name in lists]
    copies = [f"COPY segments/latest/{name}" for name in lists]
    written = [*gate.written]
    written[1:5], written[7:11] = sorted(written[1:5]), sorted(written[7:11])  # several are on their way at once
    assert written == [
        f"PUT {run}/unfinished.json",
        *sorted(puts),
        f"PUT {run}/manifest.json",
        "PUT segments/manifest.json",
        *sorted(copies),
        "COPY segments/latest/manifest.json",
        f"DELETE {run}/unfinished.json",
        f"PUT {old}/unfinished.json",
        f"DELETE {old}/manifest.json",
        *(f"DELETE {old}/{name}" for name in lists),
        f"DELETE {old}/unfinished.json",
    ]
    assert [one for one in gate.asked if one.endswith("/lock") and not one.startswith(("HEAD", "GET"))] == [
        *["PUT segments/lock"] * 4,
        "DELETE segments/lock",
    ]


def writes_of_a_night(desk: Desk, cloud: Cloud, gate: Gate) -> list[str]:
    """What the second night writes, after a first one: each may be the last."""
    night(desk, cloud, "2024-03-01")
    gate.asked.clear()
    night(desk, cloud, "2024-03-02", "--dry-run")
    assert gate.written == []
    run, names = "segments/2024-03-02", ["all.csv", "west.csv", "run/members.parquet", "run/rules.toml"]
    puts = [f"PUT {run}/{name}" for name in ("unfinished.json", *names, "manifest.json")]
    return [*puts, "PUT segments/manifest.json", "COPY segments/latest/all.csv", f"DELETE {run}/unfinished.json"]


def test_a_write_that_is_refused(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    """Whichever it is: exit 4, in one line; the last good run is untouched, and nothing of this one stays."""
    writes = writes_of_a_night(desk, cloud, gate)
    before = objects(cloud)
    for write in writes[:-2]:
        gate.refuses = lambda asked, write=write: 403 if asked == write else None  # type: ignore[misc]
        said = night(desk, cloud, "2024-03-02", code=4)
        assert said.count("error:") == 1 and s3.SECRET not in said, said
        assert objects(cloud) == before, write
    gate.refuses = lambda _: None
    night(desk, cloud, "2024-03-02")
    assert [key for key in names(cloud) if key.endswith(("lock", "unfinished.json"))] == []
    assert cloud.get("segments/latest/west.csv") == cloud.get(f"segments/{manifest(cloud)['run']}/west.csv")


AFTERWARDS = {
    "COPY segments/latest/west.csv": "`latest` there is not whole",
    "COPY segments/latest/manifest.json": "`latest` there is not whole",
    "DELETE segments/2024-03-03/unfinished.json": "`unfinished.json` in it is still there",
    "DELETE segments/2024-03-01/manifest.json": "older ones are still there",
}


@pytest.mark.parametrize("write", AFTERWARDS)
def test_what_is_refused_once_the_run_is_published(desk: Desk, cloud: Cloud, gate: Gate, write: str) -> None:
    """Exit 4, and the run is there: commands read it, and the next one brings it to its end."""
    night(desk, cloud, "2024-03-01")
    night(desk, cloud, "2024-03-02")
    gate.refuses = lambda asked: 403 if asked == write else None
    said = night(desk, cloud, "2024-03-03", code=4)
    assert f"error: the run is published as `{cloud.root}/segments/2024-03-03`, and {AFTERWARDS[write]}" in said
    assert "do not run it again" in said
    assert manifest(cloud)["run"] == "2024-03-03"
    seen = desk.segkit("diff", f"{cloud.root}/segments/2024-03-02", f"{cloud.root}/segments").stdout
    assert f"new {cloud.root}/segments: 3 customers on 2024-03-03" in seen
    gate.refuses = lambda _: None
    warnings = [one["message"] for one in night(desk, cloud, "2024-03-03")["warnings"]]
    cut = f"the last run, `{cloud.root}/segments/2024-03-03`, was cut short once it was published"
    assert (cut in warnings) == ("older" not in AFTERWARDS[write])
    assert names(cloud) == in_folders("2024-03-03", "2024-03-03.002", "latest")


MARKS = ['{"segkit": "unfinished"}', '{"segkit": "unfinished", "files": ["../../x"]}', "[1]", "{"]


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_that_is_not_of_segkit_stays(desk: Desk, cloud: Cloud, mark: str) -> None:
    cloud.put("segments/2024-02-29/unfinished.json", mark)
    night(desk, cloud, "2024-03-01")
    assert cloud.get("segments/2024-02-29/unfinished.json") == mark.encode()


@pytest.mark.parametrize("at", [0, 2, 5, 6, 8])
def test_a_run_that_is_killed(desk: Desk, cloud: Cloud, gate: Gate, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever that is, the manifest names a whole run; the next one clears up what is left, and takes over the lock."""
    writes = writes_of_a_night(desk, cloud, gate)
    desk.put("c.csv", NIGHTS["2024-03-02"])
    desk.put("rules.toml", rules(cloud, day="2024-03-02"))
    process = desk.begin("apply", "rules.toml", "-q")

    def kill(asked: str) -> None:
        if asked == writes[at]:
            process.send_signal(signal.SIGKILL)
            process.wait()

    gate.then = kill
    assert process.wait(60) == -signal.SIGKILL
    gate.then = lambda _: None
    named = manifest(cloud)["run"]
    assert named == ("2024-03-02" if at >= writes.index("PUT segments/manifest.json") else "2024-03-01")
    for name, size in manifest(cloud)["bytes"].items():
        assert len(cloud.get(f"segments/{named}/{name}")) == size
    assert "segments/lock" in names(cloud)
    gate.headers = old_lock
    monkeypatch.setattr(lease, "PAUSE", 0.01)
    done = night(desk, cloud, "2024-03-03")
    assert "was taken over: nothing was heard of process" in done["warnings"][0]["message"]
    assert names(cloud) == in_folders(named, "2024-03-03", "latest")


def old_lock(asked: str, headers: dict[str, str]) -> dict[str, str]:
    """The lock as the server would show it half an hour after it was made."""
    if not asked.endswith(" segments/lock"):
        return headers
    names = [name for name in headers if name.lower() == "last-modified"]
    return {**headers, **dict.fromkeys(names, "Fri, 01 Mar 2024 00:00:00 GMT")}


LOCK = {
    "segkit": "lock",
    "host": "elsewhere",
    "pid": 7,
    "started": "2024-03-01T02:00:00+00:00",
    "token": "x",
    "renewals": 0,
}


def test_another_run_is_on(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    """With `--no-wait` that is an error which says who; else it is waited for."""
    cloud.put("segments/lock", json.dumps(LOCK))
    said = night(desk, cloud, "2024-03-01", "--no-wait", code=4)
    assert (
        f"another run writes to `{cloud.root}/segments`: process 7 on elsewhere, since 2024-03-01T02:00:00+00:00"
        in said
    )
    assert names(cloud) == ["segments/lock"]
    gate.asked.clear()

    def end(asked: str) -> None:
        """The other run ends, when it has been looked at four times."""
        if asked == "HEAD segments/lock" and gate.asked.count(asked) == 4:
            cloud.delete("segments/lock")

    gate.then = end
    done = desk.apply(rules(cloud), "-v")
    assert "waiting for another run: process 7 on elsewhere" in done.stderr
    assert names(cloud) == in_folders("2024-03-01", "latest")


def test_a_dead_lock_is_taken_over(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    """By the time of the server, and by one alone: who comes too late sees another lock."""
    cloud.put("segments/lock", json.dumps(LOCK))
    gate.headers = old_lock
    done = night(desk, cloud, "2024-03-01", "--no-wait")
    (warning,) = done["warnings"]
    assert warning["message"].startswith(f"the lock of `{cloud.root}/segments` was taken over")
    cloud.put("segments/lock", json.dumps(LOCK))
    gate.then = lambda asked: cloud.put("segments/lock", json.dumps(LOCK | {"token": "y"})) if asked.startswith("PUT segments/lock.") else None  # fmt: skip
    gate.headers = lambda asked, headers: old_lock(asked, headers) if gate.asked.count(asked) < 3 else headers
    said = night(desk, cloud, "2024-03-02", "--no-wait", code=4)
    assert "process 7 on elsewhere" in said
    assert json.loads(cloud.get("segments/lock"))["token"] == "y"


def test_a_lock_that_is_lost(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    """A run that was silent for long finds that another one goes on: it publishes nothing, and leaves that one alone."""
    night(desk, cloud, "2024-03-01")
    other = json.dumps(LOCK)
    gate.then = lambda asked: cloud.put("segments/lock", other) if asked.endswith("02/west.csv") else None
    before = objects(cloud)
    said = night(desk, cloud, "2024-03-02", code=4)
    assert f"another run has taken over `{cloud.root}/segments`: nothing was published" in said
    assert objects(cloud) == {**before, "segments/lock": other.encode()}


def test_a_manifest_that_changes_meanwhile(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    night(desk, cloud, "2024-03-01")
    other = cloud.get("segments/manifest.json") + b"\n"
    gate.then = lambda asked: cloud.put("segments/manifest.json", other) if asked.endswith("02/west.csv") else None
    said = night(desk, cloud, "2024-03-02", code=4)
    assert "its `manifest.json` has changed while this run was on" in said
    assert cloud.get("segments/manifest.json") == other


def test_an_answer_that_gets_lost(desk: Desk, cloud: Cloud, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written, and is asked for once more: what is there is this run's own."""
    lost: set[str] = set()

    def lose(asked: str) -> None:
        if asked in ("PUT segments/lock", "PUT segments/manifest.json") and asked not in lost:
            lost.add(asked)
            raise ConnectionResetError

    gate.then = lose
    night(desk, cloud, "2024-03-01")
    assert lost == {"PUT segments/lock", "PUT segments/manifest.json"}
    assert names(cloud) == in_folders("2024-03-01", "latest")


def test_the_lock_is_renewed(desk: Desk, cloud: Cloud, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "EVERY", 0.02)
    seen: list[int] = []

    def look(asked: str) -> None:
        if asked.endswith("/west.csv") and asked.startswith("PUT"):
            while not seen or seen[-1] < 5:
                seen.append(json.loads(cloud.get("segments/lock"))["renewals"])
                time.sleep(0.01)

    gate.then = look
    night(desk, cloud, "2024-03-01")
    assert "segments/lock" not in names(cloud)


def test_a_server_without_conditions(desk: Desk, cloud: Cloud, gate: Gate) -> None:
    """There, two runs could hold the lock at once: nothing is written."""
    gate.drops = ("if-none-match",)
    said = night(desk, cloud, "2024-03-01", code=4)
    assert "replaces objects, though it is asked not to" in said
    assert names(cloud) == []


def test_a_disk_that_is_full(desk: Desk, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of this machine, on which a run is put together."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("segkit.operations.delivery.destinations.places.keep_rules", fail)
    desk.put("c.csv", NIGHTS["2024-03-01"])
    said = desk.apply(rules(cloud), code=4).stderr
    assert f"cannot write to the temporary folder `{tempfile.gettempdir()}`" in said
    assert names(cloud) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)
def test_a_signal(desk: Desk, cloud: Cloud, gate: Gate, number: signal.Signals) -> None:
    """The lock goes, and what was uploaded; the last run stays."""
    night(desk, cloud, "2024-03-01")
    before = objects(cloud)
    desk.put("c.csv", NIGHTS["2024-03-02"])
    desk.put("rules.toml", rules(cloud, day="2024-03-02"))
    process = desk.begin("apply", "rules.toml", "-q")
    gate.then = lambda asked: process.send_signal(number) if asked == "PUT segments/2024-03-02/all.csv" else None
    assert process.wait(60) in (128 + number, -number)
    assert objects(cloud) == before


PUBLISHED = ["PUT segments/manifest.json", "COPY segments/latest/west.csv", "DELETE segments/2024-03-01/all.csv"]


@pytest.mark.parametrize("at", PUBLISHED)
def test_a_signal_once_the_run_is_published(desk: Desk, cloud: Cloud, gate: Gate, at: str) -> None:
    """Log and screen say that the lists are there, and where."""
    night(desk, cloud, "2024-03-01", output=("keep = 1",))
    desk.put("c.csv", NIGHTS["2024-03-02"])
    desk.put("rules.toml", rules(cloud, "keep = 1", day="2024-03-02"))
    process = desk.begin("apply", "rules.toml", "-q", "--log", "log.ndjson")

    def end(asked: str) -> None:
        if asked == at:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)  # the handler runs before the answer comes

    gate.then = end
    assert process.wait(60) == 143
    place = f"{cloud.root}/segments/2024-03-02"
    assert manifest(cloud)["run"] == "2024-03-02"
    line = json.loads((desk / "log.ndjson").read_text())
    assert (line["outcome"], line["exit_code"], line["directory"]) == ("published", 143, place)
    assert line["customers"] == 3 and line["errors"] == []


@pytest.mark.parametrize("what", ["PUT", "COPY", "GET"])
def test_several_objects_are_on_their_way_at_once(desk: Desk, cloud: Cloud, gate: Gate, what: str) -> None:
    """Two answers wait for each other: one after another, neither would come."""
    if what == "GET":
        for n in range(6):
            cloud.put(f"in/{n}.csv", f"id,town\nk{n},Brest\n")
        desk.put("rules.toml", head(path=f"{cloud.root}/in/*.csv") + SEGMENTS)
    else:
        desk.put("c.csv", NIGHTS["2024-03-01"])
        desk.put("rules.toml", rules(cloud))
    both = threading.Barrier(2, timeout=20)
    waited: list[str] = []

    def wait(asked: str) -> None:
        lists = asked.startswith(f"{what} ") and asked.endswith(".csv")
        if lists and len(waited) < 2:
            waited.append(asked)
            both.wait()

    gate.then = wait
    desk.segkit("apply", desk / "rules.toml", *(["-o", desk / "out"] if what == "GET" else []))
    assert len(waited) == 2 and not both.broken


FAILURES: dict[str, tuple[str, str]] = {
    "expectation": ("[segment.all.expect]\nmin_size = 9\n", "expectations are broken"),
    "no such column": ("[segment.x]\ndemographic.age.min = 3\n", "age"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_released_after_a_failure(desk: Desk, cloud: Cloud, case: str) -> None:
    more, said = FAILURES[case]
    night(desk, cloud, "2024-03-01")
    before = objects(cloud)
    desk.put("c.csv", NIGHTS["2024-03-02"])
    assert said in desk.apply(rules(cloud, day="2024-03-02") + more, code=None).stderr
    assert objects(cloud) == before


FOREIGN: dict[str, tuple[dict[str, str], str]] = {
    "a manifest of something else": ({"manifest.json": '{"name": "an app"}'}, "its `manifest.json` is not from segkit"),
    "a manifest that is no JSON": ({"manifest.json": "x"}, "its `manifest.json` is not from segkit"),
    "a run that lies there itself": ({"manifest.json": '{"segkit_version": "1", "files": []}'}, "that of a run which lies there itself"),
    "a run that is gone": ({"manifest.json": '{"segkit_version": "1", "files": [], "run": "2024-01-01"}'}, "names the run `2024-01-01`, which is gone"),
    "a latest of something else": ({"latest/all.csv": "mine"}, "`latest` in it is not from segkit"),
    "a lock of something else": ({"lock": "mine"}, "`lock` in it is not from segkit"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_not_ours_is_refused(desk: Desk, cloud: Cloud, case: str) -> None:
    mine, said = FOREIGN[case]
    for key, content in mine.items():
        cloud.put(f"segments/{key}", content)
    assert said in night(desk, cloud, "2024-03-01", code=4)
    assert objects(cloud) == {f"segments/{key}": content.encode() for key, content in mine.items()}


def test_what_is_not_ours_stays(desk: Desk, cloud: Cloud) -> None:
    """Objects beside the runs, in `latest`, in a folder that looks like one, and in a run, which then stays as a whole."""
    mine = {
        f"segments/{name}": b"mine"
        for name in ("notes.txt", "2024-03-02/x.csv", "2024-03-02/unfinished.json", "other/a.csv")
    }
    for key, content in mine.items():
        cloud.put(key, content)
    night(desk, cloud, "2024-03-01")
    for key in ("segments/latest/mine.txt", "segments/2024-03-01/mine.txt"):
        mine[key] = b"mine"
        cloud.put(key, b"mine")
    night(desk, cloud, "2024-03-02")
    night(desk, cloud, "2024-03-03", output=("keep = 1",))
    kept = in_folders("2024-03-01", "2024-03-03", "latest")
    assert names(cloud) == sorted([*kept, *mine])
    assert {key: cloud.get(key) for key in mine} == mine
    cloud.put("segments/latest/third.csv", "mine")
    said = desk.apply(rules(cloud, day="2024-03-03") + "[segment.third]\neveryone = true\n", code=4).stderr
    assert "latest/third.csv`: an object that is not of segkit is there" in said
    assert cloud.get("segments/latest/third.csv") == b"mine"


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no bucket": ({}, "there is no bucket `s3://no-such-bucket-here`"),
    "no credentials": ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no credentials are found"),
    "no server": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "does not answer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bucket_that_cannot_be_written(desk: Desk, cloud: Cloud, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line before anything is read, exit 4, no secret."""
    variables, said = REFUSED[case]
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    monkeypatch.setattr("segkit.io.cloud.store.PAUSE", 0.01)
    text = rules(cloud).replace(cloud.root, "s3://no-such-bucket-here") if case == "no bucket" else rules(cloud)
    desk.put("c.csv", "not read")
    done = desk.apply(text, code=4)
    assert said in done.stderr and s3.SECRET not in done.stderr
    assert done.stderr.count("error:") == 1 and "hint:" in done.stderr


def test_lists_do_not_vanish(desk: Desk, cloud: Cloud) -> None:
    """Not by `--select`, and not because of another rule file; a file is known by its whole path."""
    night(desk, cloud, "2024-03-01")
    said = night(desk, cloud, "2024-03-02", "--select", "all", code=4)
    assert f"this run would remove from `{cloud.root}/segments` 1 list that `--select` leaves out: `west.csv`" in said
    desk.put("other.toml", rules(cloud, segments="[segment.new]\neveryone = true\n"))
    said = desk.segkit("apply", desk / "other.toml", code=4).stderr
    assert f"2 lists of another rule file, `{desk / 'rules.toml'}`: `all.csv` and `west.csv`" in said
    warned = night(desk, cloud, "2024-03-02", "--select", "all", "--dry-run")["warnings"]
    assert warned[0]["message"].startswith(f"this run would remove from `{cloud.root}/segments`")
    night(desk, cloud, "2024-03-02", "--select", "all", "--replace")
    assert "segments/latest/west.csv" not in names(cloud)
    assert "segments/2024-03-01/west.csv" in names(cloud)


def test_expectations_against_the_last_run(desk: Desk, cloud: Cloud) -> None:
    """Also where the lists go to standard output, which asks the bucket for nothing else."""
    bound = "[segment.all.expect]\nmax_change_percent = 10\n"
    night(desk, cloud, "2024-03-01")
    desk.put("c.csv", NIGHTS["2024-03-01"] + "d,Lyon\n")
    for to in ((), ("-o", "-"), ("--dry-run",)):
        assert "3 in the run before (+33.33 %)" in desk.apply(rules(cloud) + bound, *to, code=1).stderr
    desk.put("c.csv", NIGHTS["2024-03-01"])
    desk.apply(rules(cloud) + bound, "-o", "-")
    desk.apply(rules(cloud).replace(cloud.root, "s3://no-such-bucket-here"), "-o", "-")


def test_a_last_run_that_is_broken(desk: Desk, cloud: Cloud) -> None:
    """Its place is told as an address; with `changes`, nothing is written."""
    night(desk, cloud, "2024-03-01")
    cloud.put("segments/2024-03-01/run/members.parquet", "x")
    (warning,) = night(desk, cloud, "2024-03-02")["warnings"]
    assert f"`{cloud.root}/segments/2024-03-01/run/members.parquet` is not as it was written" in warning["message"]
    told = manifest(cloud)["warnings"][0]["message"]
    assert told == warning["message"]
    cloud.put("segments/2024-03-02/run/members.parquet", "x")
    done = desk.apply(rules(cloud, "changes = true", day="2024-03-03"), code=3)
    assert f"{cloud.root}/segments/2024-03-02/run/members.parquet" in done.stderr


def test_a_directory_of_each_day_and_the_log(desk: Desk, cloud: Cloud) -> None:
    desk.put("c.csv", NIGHTS["2024-03-01"])
    desk.put("rules.toml", head() + SEGMENTS)
    desk.segkit("apply", desk / "rules.toml", "-o", f"{cloud.root}/lists/{{as_of}}/", "--log", desk / "log.ndjson",
                "--report", desk / "r.html", "--save-cutoffs", desk / "cuts", code=2)  # fmt: skip
    done = desk.segkit("apply", desk / "rules.toml", "-o", f"{cloud.root}/lists/{{as_of}}/", "--log", desk / "log.ndjson",
                       "--report", desk / "r.html")  # fmt: skip
    assert f"2 files in {cloud.root}/lists/2024-03-01/2024-03-01" in done.stdout
    assert "lists/2024-03-01/latest/all.csv" in names(cloud)
    *_, line = (desk / "log.ndjson").read_text().splitlines()
    assert json.loads(line)["directory"] == f"{cloud.root}/lists/2024-03-01/2024-03-01"
    assert "segkit-" not in (desk / "r.html").read_text().replace("segkit-cli", "")


def test_from_python(desk: Desk, cloud: Cloud) -> None:
    desk.put("c.csv", NIGHTS["2024-03-01"])
    desk.put("rules.toml", rules(cloud))
    run = segkit.apply(desk / "rules.toml", write=True)
    assert run.result.directory == f"{cloud.root}/segments/2024-03-01"
    assert names(cloud) == in_folders("2024-03-01", "latest")


def test_without_the_extra(desk: Desk, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    desk.put("c.csv", NIGHTS["2024-03-01"])
    assert 'pip install "segkit-cli[bucket]"' in desk.apply(rules(cloud), code=2).stderr


CANNOT: dict[str, tuple[str, str]] = {
    "mode": ('mode = "0600"', "`mode` gives the permissions of files, and a bucket has its own"),
    "a table": ('to = "sqlite:x.db"\ntable = "t"', "with `to` the lists go to a table, and to no bucket"),
    "no prefix": ('directory = "s3://bucket"', "`s3://bucket` names no place in a bucket"),
    "an empty part": ('directory = "s3://bucket/a//b"', "`s3://bucket/a//b` names no place in a bucket"),
    "Google": ('directory = "gs://bucket/segments"', "runs cannot be published to Google Cloud Storage"),
    "a user": ('directory = "s3://me:geheim@bucket/b"', "names no place in a bucket"),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_be(desk: Desk, case: str) -> None:
    """`check` says so, and `apply` before it asks any server."""
    line, said = CANNOT[case]
    desk.put("c.csv", NIGHTS["2024-03-01"])
    directory = "" if line.startswith("directory") else 'directory = "s3://bucket/segments"\n'
    text = f"{head()}[output]\n{directory}{line}\n{SEGMENTS}"
    for command, code in (("check", 1), ("apply", 2)):
        done = desk.segkit(command, desk.put("rules.toml", text), code=code)
        assert said in done.stderr + done.stdout
        assert "geheim" not in done.stderr + done.stdout


def test_an_address_of_the_command_line_is_told_as_one(desk: Desk) -> None:
    """Not as a line of the rule file, which says something else."""
    text = f'{head()}[output]\ndirectory = "here"\n{SEGMENTS}'
    for address in ("s3://bucket", "s3://bucket/", "s3://bucket/a//b", "gs://bucket/segments"):
        said = desk.segkit("apply", desk.put("rules.toml", text), "-o", address, code=2).stderr
        assert "  --> -o\n" in said and "rules.toml" not in said and said.count("error:") == 1, said


def test_a_key_that_cannot_be_read_beside_the_runs(desk: Desk, cloud: Cloud) -> None:
    cloud.put("segments//x.csv", "mine")
    said = night(desk, cloud, "2024-03-01", code=4)
    assert f"the key `{cloud.root}/segments//x.csv` has an empty part" in said
    assert "move what is there to another key" in said


def test_no_other_address_is_written_to(desk: Desk) -> None:
    text = f'{head()}[output]\ndirectory = "https://host/b"\n{SEGMENTS}'
    assert (
        "only local files are written, and objects of a bucket"
        in desk.segkit("check", desk.put("rules.toml", text), code=1).stdout
    )
    assert "only local files are written" in desk.segkit("apply", desk / "rules.toml", code=4).stderr


NAMES = st.text(string.ascii_letters + "éß %+&=#?~ '", min_size=1, max_size=6).map(str.strip).filter(bool)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.integers(0, 3)), min_size=1, max_size=8), st.sampled_from(["csv", "ndjson", "parquet"])
)
def test_any_lists_arrive_as_they_are(
    cloud: Cloud, new_desk: Callable[[], Desk], rows: list[tuple[str, int]], form: str
) -> None:
    """Whatever the values are called that files are named after."""
    desk, prefix = new_desk(), f"p{time.monotonic_ns()}"
    desk.put("c.csv", "id,town,n\n" + "".join(f'k{n},"{town}",{size}\n' for n, (town, size) in enumerate(rows)))
    text = head() + f'[output]\nformat = "{form}"\nkeep = 2\n[segment.s]\neveryone = true\neach = ["town"]\n'
    desk.apply(text)
    desk.apply(text, "-o", f"{cloud.root}/{prefix}")
    (run,) = {name.partition("/")[0] for name in desk.tree()} - {"latest"}
    names = [name for name in desk.tree() if name.startswith(f"{run}/s.")]
    assert len(names) >= len({town for town, _ in rows}) - 1
    for name in names:
        assert cloud.get(f"{prefix}/{name}") == desk.tree()[name]
        assert cloud.get(f"{prefix}/latest/{name.partition('/')[2]}") == desk.tree()[name]


def test_commands_read_runs_of_a_bucket(desk: Desk, cloud: Cloud) -> None:
    """By prefix, by run, by `latest`, by manifest; as they read a download of it, with the address in its place."""
    for day in NIGHTS:
        night(desk, cloud, day, output=("keep = 3", "history = true", 'track = ["town"]'))
    here, there = str(download(cloud, desk / "away")), f"{cloud.root}/segments"
    orders = desk.put("o.csv", "id,day,amount\nb,2024-03-04,5\nd,2024-03-05,9\n")
    asked: list[tuple[str, ...]] = [
        ("diff", "{}/2024-03-02", "{}", "--json"),
        ("diff", "{}/2024-03-02/manifest.json", "{}/2024-03-01", "--json"),
        ("history", "{}", "--json"),
        ("history", "{}", "--moves", "--json"),
        ("explain", "--run", "{}/2024-03-02", "a", "--json"),
        ("evaluate", "{}", "--events", str(orders), "--since", "2024-03-01", "--json"),
        ("report", "{}", "-o", "-", "--previous", "{}/2024-03-01"),
        ("apply", str(desk / "rules.toml"), "-o", str(desk / "new"), "--previous", "{}/2024-03-01", "--dry-run", "--json"),
        ("diff", "{}/nothing", "{}"),
        ("diff", "{}/2023-01-01", "{}"),
    ]  # fmt: skip
    for args in asked:
        one, other = (desk.segkit(*(arg.format(place) for arg in args), code=None) for place in (here, there))
        away, told = (re.sub(r'"elapsed_seconds": [\d.]+', "", done.stdout + done.stderr) for done in (one, other))
        assert (other.exit_code, told) == (one.exit_code, away.replace(here, there)), args
        assert "segkit-" not in told.replace("segkit-cli", "")
    shown = desk.segkit("diff", f"{there}/2024-03-02", f"{there}/latest", "--json").stdout
    assert f'"path": "{there}/latest"' in shown
    assert shown.replace("/latest", "") == desk.segkit("diff", f"{there}/2024-03-02", there, "--json").stdout
    cloud.put("segments/2024-03-02/run/members.parquet", "x")
    said = desk.segkit("diff", f"{there}/2024-03-02", there, code=3).stderr
    assert f"`{there}/2024-03-02/run/members.parquet` is not as it was written" in said
    cloud.delete("segments/2024-03-02/run/members.parquet")
    assert "is missing" in desk.segkit("diff", f"{there}/2024-03-01", f"{there}/2024-03-02", code=3).stderr
    assert "there is no bucket" in desk.segkit("diff", "s3://no-such-bucket-here/x", there, code=3).stderr


def test_a_bucket_names_the_run_to_compare_with(desk: Desk, cloud: Cloud) -> None:
    """In `expect`, too, and each run sees what is there then."""
    bound = f'[segment.all.expect]\nmax_change_percent = 10\nprevious = "{cloud.root}/segments"\n'
    for day, customers in NIGHTS.items():
        night(desk, cloud, day)
        desk.put("c.csv", customers + "x,Lyon\n")
        done = desk.apply(head(as_of=day) + SEGMENTS + bound, code=1)
        assert "4 customers, 3 in the run before" in done.stderr
