"""Customers in any number of buckets, tables in any number of pieces, as if elsewhere: the same bytes as all at once."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, note
from hypothesis import strategies as st

from segkit.cli import main
from tests.shipped import Shipped

from .files import Case
from .strategies import cases
from .test_frames import typed
from .test_gates import gated
from .test_oracle import examples


def applied(directory: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """The exit code, what is said, and what is in each file of the run in `out`; manifests without times."""
    with chdir(directory):
        result = run("apply", "rules.toml", "-o", "out", "--summary", "none", *options)
        files = {str(path): content(path) for path in sorted(Path("out").rglob("*")) if path.is_file()}
        shutil.rmtree("out", ignore_errors=True)
        return result.exit_code, result.stderr + result.stdout, files


def run(*args: str) -> Result:
    result = CliRunner().invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def content(path: Path) -> Any:
    if path.name != "manifest.json":
        return path.read_bytes()
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["times"]
    return manifest


def check(case: Case, rows: int, buckets: int) -> None:
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.write(directory)
        whole = applied(directory)
        with patch("segkit.engines.spread.ROWS", rows), patch("segkit.engines.spread.Local", Shipped):
            assert applied(directory, "--buckets", str(buckets)) == whole


PIECES, BUCKETS = st.integers(4, 40), st.integers(1, 12)


@pytest.mark.extra("predict")
@examples(8)
@given(cases(), PIECES, BUCKETS)
def test_everything(case: Case, rows: int, buckets: int) -> None:
    check(case, rows, buckets)


@pytest.mark.extra("predict")
@examples(6)
@given(cases(), PIECES, BUCKETS)
def test_parquet(case: Case, rows: int, buckets: int) -> None:
    check(typed(case), rows, buckets)


@examples(8)
@given(gated(), PIECES, BUCKETS)
def test_gates(case: Case, rows: int, buckets: int) -> None:
    check(case, rows, buckets)


@examples(6)
@given(gated(), PIECES, BUCKETS)
def test_what_is_carried_on(case: Case, rows: int, buckets: int) -> None:
    """A run of some days before, then another one: its members, what they did since, and who moved."""
    case.rules["output"] = {**case.rules.get("output", {}), "history": True, "track": ["country"], "min_cell": 1}
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.write(directory)

        def two_days(*options: str) -> Any:
            with chdir(directory):
                run("apply", "rules.toml", "-o", "out", "--summary", "none", "--as-of", "2024-03-11", *options)
            return applied(directory, *options)

        whole = two_days()
        with patch("segkit.engines.spread.ROWS", rows), patch("segkit.engines.spread.Local", Shipped):
            assert two_days("--buckets", str(buckets)) == whole
