"""What the shell offers: commands, options, and the names of the rule file that is on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from segkit.cli.group import COMMANDS
from tests.cli.fixture_types import Process
from tests.desk import Desk, environment

RULES = """version = 1
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "orders.csv"
time = "day"
[events.opens]
path = "m.csv"
time = "day"
[segment.gold]
label = "The best"
everyone = true
[segment.green]
nothing_that_there_is = { multi = 1,
  line = 2 }
[segment.silver]
"""
MANIFEST = json.dumps({"segments": [{"name": "gold"}, {"name": "grey"}]})


@pytest.fixture
def folder(desk: Desk) -> Desk:
    desk.put("rules.toml", RULES)
    desk.put("broken.toml", RULES + "[segment")
    desk.put("odd.toml", 'segment = [3]\nevents = "x"\n')
    desk.put("latin.toml", RULES.encode() + "# é".encode("latin-1"))
    desk.put("run/manifest.json", MANIFEST)
    desk.put("other/manifest.json", '{"segments": 3}')
    return desk


def offered(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split(",", 1)[1] for line in done.stdout.splitlines() if line]


def completed(desk: Desk, words: str) -> list[str]:
    env = {"_SEGKIT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return offered(desk.process(env=env, text=True))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("segkit ap", ["apply"]),
        ("segkit ", list(COMMANDS)),
        ("segkit apply --form", ["--format"]),
        ("segkit apply --format n", ["ndjson"]),
        ("segkit rfm x --ties ", ["low", "high", "split"]),
        ("segkit apply rules.toml --select ", ["gold", "green", "silver"]),
        ("segkit apply rules.toml --select g", ["gold", "green"]),
        ("segkit apply rules.toml --select gold --select g", ["green"]),
        ("segkit apply -q rules.toml --as-of 2024-01-01 --select s", ["silver"]),
        ("segkit apply rules.toml --events ", ["orders=", "opens="]),
        ("segkit apply rules.toml --events op", ["opens="]),
        ("segkit apply rules.toml --events orders=x.csv --events ", ["opens="]),
        ("segkit explain rules.toml C1 --segment gr", ["green"]),
        ("segkit cohorts rules.toml --segment gr", ["green"]),
        ("segkit cohorts rules.toml --events o", ["orders", "opens"]),
        ("segkit cohorts orders.csv --events o", []),
        ("segkit diff run other --segment g", ["gold", "grey"]),
        ("segkit diff run/manifest.json none --segment go", ["gold"]),
        ("segkit apply --select ", []),
        ("segkit apply none.toml --select ", []),
        ("segkit apply run --select ", []),
        ("segkit apply broken.toml --select ", []),
        ("segkit apply odd.toml --select ", []),
        ("segkit apply odd.toml --events ", []),
        ("segkit apply latin.toml --select ", []),
    ],
)
def test_completion(folder: Desk, words: str, names: list[str]) -> None:
    assert completed(folder, words) == names


def test_labels_and_paths_stand_beside_names(folder: Desk) -> None:
    for words, beside in (("--select", "The best"), ("--events", "orders.csv")):
        line = f"segkit apply rules.toml {words} "
        env = {"_SEGKIT_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": "4"}
        assert beside in folder.process(env=env, text=True).stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(process: Process, shell: str) -> None:
    done = process(_SEGKIT_COMPLETE=f"{shell}_source")
    assert done.returncode == 0
    assert "_SEGKIT_COMPLETE" in done.stdout


def test_names_of_a_rule_file_import_nothing_heavy(folder: Desk) -> None:
    words = {"_SEGKIT_COMPLETE": "bash_complete", "COMP_WORDS": "segkit apply rules.toml --select ", "COMP_CWORD": "4"}
    code = (
        "import sys; from segkit.cli import main\n"
        "try: main(prog_name='segkit')\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder.folder,
        env=environment() | words,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gold" in done.stdout
    assert not {"polars", "pydantic", "rich", "numpy"} & set(done.stderr.split())
