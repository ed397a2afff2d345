"""The four competitors: how each is started, and what it says it found."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEGMENTS = (
    "well-off", "near-paris", "frequent", "bricks-no-sand",
    "gardeners", "champions", "win-back", "french-women-no-drill",
)  # fmt: skip
BASELINE = "polars"
FORMATS = ("csv", "parquet")


class DisagreementError(Exception):
    """The tools did not choose the same customers, so their times mean nothing."""


@dataclass(frozen=True)
class Tool:
    name: str
    title: str
    packages: tuple[str, ...]
    command: Callable[[Path, str, Path], list[str]]
    """Data directory, format, output directory -> the process to start."""
    counts: Callable[[str], dict[str, int]]
    """Standard output -> customers written, by segment."""

    def environment(self, data: Path, form: str) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(HERE.parent / "src"), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "PYTHONPATH": path, "BENCH_DATA": str(data), "BENCH_FORMAT": form}


def _segkit(_data: Path, _form: str, out: Path) -> list[str]:
    return [sys.executable, "-m", "segkit", "apply", str(HERE / "rules.toml"), "-o", str(out), "--json"]


def _segkit_counts(stdout: str) -> dict[str, int]:
    return {segment["name"]: segment["written"] for segment in json.loads(stdout)["segments"]}


def _handwritten(name: str) -> Callable[[Path, str, Path], list[str]]:
    script = str(HERE / "handwritten" / f"{name}_job.py")
    return lambda data, form, out: [sys.executable, script, str(data), form, str(out)]


def _printed_counts(stdout: str) -> dict[str, int]:
    return dict(json.loads(stdout))


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("segkit", "segkit", ("polars",), _segkit, _segkit_counts),
        Tool("polars", "Polars by hand", ("polars",), _handwritten("polars"), _printed_counts),
        Tool("duckdb", "DuckDB SQL", ("duckdb",), _handwritten("duckdb"), _printed_counts),
        Tool("pandas", "pandas", ("pandas", "pyarrow"), _handwritten("pandas"), _printed_counts),
    )
}


def fingerprint(out: Path) -> dict[str, str]:
    """Header, keys and labels of each segment's file, in order, as a digest.

    The other columns are left out: tools write `true` or `True`, `4e-05` or `0.00004`.
    """
    return {name: _fingerprint(out / f"{name}.csv") for name in SEGMENTS}


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as lines:
        digest.update(next(lines).strip())
        for line in lines:
            digest.update(b"\n")
            digest.update(b",".join(line.split(b",", 2)[:2]))
    return digest.hexdigest()


def require_agreement(what: str, found: dict[str, dict[str, str]] | dict[str, dict[str, int]]) -> None:
    """Raise unless every tool found the same in every segment."""
    differences = []
    for segment in SEGMENTS:
        by_tool = {tool: values.get(segment) for tool, values in found.items()}
        if len(set(by_tool.values())) > 1:
            answers = ", ".join(f"{tool} {value}" for tool, value in by_tool.items())
            differences.append(f"  {segment}: {answers}")
    if differences:
        raise DisagreementError("\n".join([f"the tools disagree about {what}:", *differences]))
