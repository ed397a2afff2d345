"""segkit as a process, and segkit with an operation replaced by a small fake."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from segkit.cli import main
from segkit.results.apply import ApplyResult, SegmentResult, WrittenFile
from segkit.results.terms import REASONS
from tests.cli.fixture_types import Invoke, MakeResult, Process, Replace

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
def invoke() -> Invoke:
    """Run the command line in this process."""

    def run(*args: str, **env: str) -> Result:
        return CliRunner().invoke(main, args, prog_name="segkit", env=env)

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """For a process that finds segkit."""
    return {**os.environ, "PYTHONPATH": str(SRC)}


@pytest.fixture
def process(environment: dict[str, str]) -> Process:
    """Run segkit as its own process."""

    def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "segkit", *args]
        return subprocess.run(
            command, env=environment | env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    return run


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Put a function in the place of an operation; its name is the operation's."""

    def put(name: str, function: Callable[..., Any]) -> None:
        module = types.ModuleType(f"segkit.operations.{name}")
        setattr(module, name, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


def applied(**changes: Any) -> ApplyResult:
    """What a run of one segment returns."""
    segment = SegmentResult(
        name="loyal",
        label="loyal",
        matched=3,
        excluded=dict.fromkeys(REASONS, 0),
        written=3,
        share=30.0,
        outputs=(WrittenFile("out/loyal.csv", 3),),
    )
    values: dict[str, Any] = {
        "as_of": dt.date(2024, 3, 31),
        "customers": 10,
        "segments": (segment,),
        "unmatched": 7,
        "several": 0,
        "overlaps": (),
        "tables": (),
        "thresholds": (),
        "warnings": (),
        "elapsed_seconds": 0.1,
        "directory": "out",
    }
    return ApplyResult(**(values | changes))


@pytest.fixture
def result() -> MakeResult:
    return applied
