"""The hook for pre-commit: which files it takes, and what it does with them, as pre-commit would do it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.desk import ROOT, Desk, environment, head

DEFINITION = ROOT / ".pre-commit-hooks.yaml"
GOOD = head() + "[segment.a]\neveryone = true\n"


def hook() -> dict[str, str]:
    """The one hook, whose keys have a text each."""
    lines = DEFINITION.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("- ") and not any(line.startswith("- ") for line in lines[1:])
    return dict(line[2:].split(": ", 1) for line in lines)


def test_what_pre_commit_is_told() -> None:
    told = hook()
    assert (told["id"], told["language"], told["types"]) == ("segkit-check", "python", "[toml]")


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("segments.toml", True),
        ("rules.toml", True),
        ("marketing/segments.toml", True),
        ("marketing/shop.rules.toml", True),
        ("pyproject.toml", False),
        ("myrules.toml", False),
        ("rules.toml.bak", False),
        ("rfm.cutoffs.toml", False),
    ],
)
def test_which_files_it_takes(path: str, taken: bool) -> None:
    assert bool(re.search(hook()["files"], path)) == taken


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        (
            {"rules.toml": GOOD, "a b/segments.toml": GOOD},
            0,
            ["rules.toml: nothing wrong", "a b/segments.toml: nothing wrong"],
        ),
        (
            {"rules.toml": GOOD.replace("everyone", "evryone"), "a b/segments.toml": "version = 2\n", "c.toml": GOOD},
            1,
            ["did you mean `everyone`", "a b/segments.toml:", "c.toml: nothing wrong"],
        ),
    ],
)
def test_each_file_is_checked(desk: Desk, files: dict[str, str], code: int, said: list[str]) -> None:
    for name, text in files.items():
        desk.put(name, text)
    command = desk.put("bin/segkit", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m segkit "$@"\n')
    command.chmod(0o755)
    env = environment() | {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    words = [*shlex.split(hook()["entry"]), *files]
    done = subprocess.run(words, cwd=desk.folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code
    for part in said:
        assert part in done.stdout + done.stderr
