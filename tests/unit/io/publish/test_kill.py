"""Killed before every single operation on the file system: readers find the old run or the new one, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from segkit.io.publish import folder as publish

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")

# A process without threads, which forks: each child kills itself before its n-th operation, the parent looks at what
# is there, then has another run go through and looks again. The last child lives.
STORY = """
import json, os, shutil, signal, sys
from pathlib import Path
from segkit.io.publish import folder as publish
from segkit.io.publish.kept_runs import keeping
from segkit.io.publish.folder import publishing

before, after, ability = sys.argv[1:]
if ability != "all":
    def refuse(*_, **__):
        raise OSError(1, "no")
    Path.symlink_to = refuse
    publish.exchange = lambda first, second: False
OPERATIONS = {"os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.remove", "os.chmod", "open", "ctypes.dlsym"}
NAMES = [f"{i}.csv" for i in range(3)]
out = Path("out")

def run(kind, number):
    def fill(staging):
        for name in NAMES:
            (staging / name).write_text(str(number))
        about = {"segkit_version": "1", "files": NAMES, "number": number, "as_of": "2024-06-01", "times": {"started": f"{number:09}"}}
        (staging / "manifest.json").write_text(json.dumps(about))
    if kind == "plain":
        with publishing(out) as staging:
            fill(staging)
    else:
        with keeping(out, f"2024-06-{number:02}", 2, mode=0o600) as (staging, final):
            fill(staging)

def number(folder):
    try:
        mine = json.loads((folder / "manifest.json").read_text())["number"]
    except FileNotFoundError:
        return None
    assert {n: (folder / n).read_text() for n in NAMES} == dict.fromkeys(NAMES, str(mine)), folder
    return mine

def state():
    return {"plain": number(out), "latest": number(out / "latest")} | {
        e.name: number(Path(e.path)) for e in (os.scandir(out) if out.exists() else ()) if publish.RUN.fullmatch(e.name)}

def child(n):
    count = 0
    def hook(event, _):
        nonlocal count
        if event in OPERATIONS:
            count += 1
            if count == n:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    run(after, 3)
    os._exit(0)

seen = []
for n in range(1, 1000):
    shutil.rmtree(".", ignore_errors=True)
    for i in (1, 2):
        if before != "nothing":
            run(before, i)
    (out.mkdir(exist_ok=True), (out / "mine").write_text("mine")) if before != "nothing" else None
    old = state()
    pid = os.fork()
    if not pid:
        child(n)
    _, status = os.waitpid(pid, 0)
    found = state()
    assert before == "nothing" or ability != "all" or (out / "mine").exists()
    seen.append(found)
    if not os.WIFSIGNALED(status):
        break
    run(after, 4)
    done = state()
    assert done["plain" if after == "plain" else "latest"] == 4, done
    assert [p.name for p in Path().iterdir()] == ["out"], list(Path().iterdir())
    assert [p.name for p in out.iterdir() if p.name.startswith(".")] == []
    assert before == "nothing" or (out / "mine").read_text() == "mine"
print(json.dumps([old, seen]))
"""


def story(tmp_path: Path, before: str, after: str, ability: str) -> Any:
    environment = os.environ | {"PYTHONPATH": str(Path(publish.__file__).parents[3])}
    place = tmp_path / "place"
    place.mkdir()
    command = [sys.executable, "-c", STORY, before, after, ability]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("before", ["nothing", "plain"])
def test_a_run_in_one_directory(tmp_path: Path, before: str) -> None:
    old, seen = story(tmp_path, before, "plain", "all")
    assert len(seen) > 10
    assert {found["plain"] for found in seen} == {old["plain"], 3}
    # Once the new one is there, it stays.
    numbers = [found["plain"] for found in seen]
    assert numbers == [old["plain"]] * numbers.index(3) + [3] * (len(numbers) - numbers.index(3))


@pytest.mark.parametrize("before", ["nothing", "keep"])
def test_runs_that_are_kept(tmp_path: Path, before: str) -> None:
    old, seen = story(tmp_path, before, "keep", "all")
    assert len(seen) > 10
    assert {found["latest"] for found in seen} == {old["latest"], 3}
    for found in seen:  # every kept run is whole, or not there
        assert None not in [number for name, number in found.items() if name not in ("plain", "latest")]
    assert seen[-1] == {"plain": None, "latest": 3, "2024-06-03": 3} | ({"2024-06-02": 2} if before == "keep" else {})


def test_a_run_in_one_directory_becomes_the_first_of_the_kept(tmp_path: Path) -> None:
    _, seen = story(tmp_path, "plain", "keep", "all")
    assert {(found["plain"], found["latest"]) for found in seen} == {(2, None), (None, 3)}
    assert seen[-1] == {"plain": None, "latest": 3, "2024-06-01": 2, "2024-06-03": 3}


@pytest.mark.parametrize(("before", "after"), [("plain", "plain"), ("keep", "keep"), ("plain", "keep")])
def test_without_links_and_exchanges_the_next_run_mends_it(tmp_path: Path, before: str, after: str) -> None:
    # Two renames: between them there is nothing at the place, and never half of a run.
    old, seen = story(tmp_path, before, after, "none")
    assert {found["plain"] for found in seen} <= {old["plain"], None, 3}
    assert {found["latest"] for found in seen} <= {old["latest"], None, 3}
