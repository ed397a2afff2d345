"""The competitors: how each is started, and what it says it found."""

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
BASELINE = "polars-plain"
"""What counts as 1.00: the plan that one writes first."""
FORMATS = ("csv", "parquet")
POLARS = {"polars": "polars_tuned", "polars-plain": "polars_one_plan"}


@dataclass(frozen=True)
class Job:
    """What the tools do; in `benchmarks/jobs/NAME` are a rule file and scripts that do the same by hand."""

    name: str
    title: str
    scripts: dict[str, str]
    """Tool -> its module beside the rule file."""
    files: tuple[str, ...]
    """What is written, without the ending; all tools must agree on it."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Who does it."""
        return ("segkit", *self.scripts)


JOBS = {
    job.name: job
    for job in (
        Job(
            "segments",
            "eight segments",
            {**POLARS, "duckdb": "duckdb_sql", "pandas": "pandas_frames"},
            SEGMENTS,
        ),
        Job(
            "gates",
            "eight segments with consent, caps, draws and limits",
            POLARS,
            (
                *SEGMENTS,
                "well-off.holdout", "frequent.holdout", "bricks-no-sand.holdout",
            ),
        ),
        Job(
            "stages",
            "stages, a score of ten rules, two lookups",
            POLARS,
            (
                "hot", "warm-in-the-west", "new", "loyal", "slipping-away", "lost-but-affluent",
                "prospects-who-agreed", "premium-in-the-south",
            ),
        ),
        Job(
            "rhythm",
            "sequences, gaps, periods, deciles by country, two RFM tables",
            {"polars-plain": "polars_one_plan"},
            (
                "bricks-then-sand", "every-quarter", "later-than-usual", "third-order", "best-of-the-country",
                "champions", "garden-champions",
            ),
        ),
    )
}  # fmt: skip


class DisagreementError(Exception):
    """The tools did not choose the same customers, so their times mean nothing."""


@dataclass(frozen=True)
class Tool:
    name: str
    title: str
    packages: tuple[str, ...]
    command: Callable[[Job, Path, str, Path], list[str]]
    """Job, data directory, format, output directory -> the process to start."""
    counts: Callable[[str], dict[str, int]]
    """Standard output -> customers written, by segment; and those left out, by segment and reason."""

    def environment(self, data: Path, form: str) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(HERE.parent / "src"), str(HERE.parent), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "PYTHONPATH": path, "BENCH_DATA": str(data), "BENCH_FORMAT": form}


def _segkit(job: Job, _data: Path, _form: str, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "segkit",
        "apply",
        str(HERE / "jobs" / job.name / "rules.toml"),
        "-o",
        str(out),
        "--json",
    ]


def _segkit_counts(stdout: str) -> dict[str, int]:
    segments = json.loads(stdout)["segments"]
    left_out = {f"{s['name']} {reason}": n for s in segments for reason, n in s["excluded"].items()}
    return left_out | {segment["name"]: segment["written"] for segment in segments}


def _handwritten(tool: str) -> Callable[[Job, Path, str, Path], list[str]]:
    def command(job: Job, data: Path, form: str, out: Path) -> list[str]:
        module = f"benchmarks.jobs.{job.name}.{job.scripts[tool]}"
        return [sys.executable, "-m", module, str(data), form, str(out)]

    return command


def _printed_counts(stdout: str) -> dict[str, int]:
    return dict(json.loads(stdout))


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("segkit", "segkit", ("polars",), _segkit, _segkit_counts),
        Tool("polars-plain", "Polars, one plan", ("polars",), _handwritten("polars-plain"), _printed_counts),
        Tool("polars", "Polars, tuned", ("polars",), _handwritten("polars"), _printed_counts),
        Tool("duckdb", "DuckDB SQL", ("duckdb",), _handwritten("duckdb"), _printed_counts),
        Tool("pandas", "pandas", ("pandas", "pyarrow"), _handwritten("pandas"), _printed_counts),
    )
}


def fingerprint(out: Path, job: Job) -> dict[str, str]:
    """Header, keys and labels of each file, in order, as a digest.

    The other columns are left out: tools write `true` or `True`, `4e-05` or `0.00004`.
    """
    return {name: _fingerprint(out / f"{name}.csv") for name in job.files}


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as lines:
        header = next(lines).strip()
        digest.update(header)
        fields = 3 if header.split(b",")[2] == b"variant" else 2
        for line in lines:
            digest.update(b"\n")
            digest.update(b",".join(line.split(b",", fields)[:fields]))
    return digest.hexdigest()


def require_agreement(what: str, found: dict[str, dict[str, str]] | dict[str, dict[str, int]]) -> None:
    """Raise unless every tool found the same in every segment; what a tool does not count is no difference."""
    differences = []
    for name in dict.fromkeys(name for values in found.values() for name in values):
        by_tool = {tool: values[name] for tool, values in found.items() if name in values}
        if len(set(by_tool.values())) > 1:
            answers = ", ".join(f"{tool} {value}" for tool, value in by_tool.items())
            differences.append(f"  {name}: {answers}")
    if differences:
        raise DisagreementError("\n".join([f"the tools disagree about {what}:", *differences]))
