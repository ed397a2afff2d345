"""`--log FILE`: one line of JSON a run, whatever becomes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from segkit.cli.log import RunLog
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import CheckFailed, DataError, RuleError, WriteError
from tests.cli.fixture_types import Invoke, MakeResult, Replace

FIELDS = [
    "schema_version",
    "started",
    "rules",
    "as_of",
    "outcome",
    "exit_code",
    "directory",
    "customers",
    "segments",
    "warnings",
    "errors",
    "elapsed_seconds",
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_that_goes_well(invoke: Invoke, operation: Replace, result: MakeResult, tmp_path: Path) -> None:
    operation("apply", lambda rules, **options: result())
    log = tmp_path / "log"
    for _ in range(2):
        assert invoke("apply", "r.toml", "-q", "--log", str(log)).exit_code == 0
    first, second = lines(log)
    assert list(first) == FIELDS
    assert first["started"] <= second["started"]
    assert first["elapsed_seconds"] >= 0
    assert {k: first[k] for k in FIELDS[2:-1]} == {
        "rules": "r.toml",
        "as_of": "2024-03-31",
        "outcome": "published",
        "exit_code": 0,
        "directory": "out",
        "customers": 10,
        "segments": [{"name": "loyal", "matched": 3, "written": 3, "entered": None, "left": None}],
        "warnings": [],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({"dry_run": True, "directory": None}, "dry_run"), ({"directory": None}, "standard_output")],
)
def test_runs_that_publish_nothing(
    invoke: Invoke, operation: Replace, result: MakeResult, tmp_path: Path, changes: dict[str, Any], outcome: str
) -> None:
    operation("apply", lambda rules, **options: result(**changes))
    invoke("apply", "r.toml", "--log", str(tmp_path / "log"))
    assert lines(tmp_path / "log")[0]["outcome"] == outcome


VALUE = "cannot read `jane` as a date in column `born`"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError(Diagnostic(VALUE, SourceLocation("c.csv", 7))), 3, ("cannot read `...`", "c.csv:7")),
        (DataError.of("`a`b` and c`"), 3, ("`...`", None)),
        (RuleError.of("there is no segment `x`"), 2, ("there is no segment `x`", None)),
        (WriteError.of("cannot write `out`"), 4, ("cannot write `out`", None)),
        (CheckFailed(Diagnostic("`s`: 3", SourceLocation("r.toml", 2))), 1, ("`s`: 3", "r.toml:2")),
        (CheckFailed(Diagnostic("value `jane`", SourceLocation("c.csv", 2))), 1, ("value `...`", "c.csv:2")),
        (LookupError("jane"), 70, ("LookupError", None)),
    ],
)
def test_a_run_that_fails(
    invoke: Invoke, operation: Replace, tmp_path: Path, error: Exception, code: int, said: tuple[str, str | None]
) -> None:
    def apply(rules: Path, **options: Any) -> None:
        raise error

    operation("apply", apply)
    assert invoke("apply", "r.toml", "--log", str(tmp_path / "log")).exit_code == code
    (line,) = lines(tmp_path / "log")
    assert list(line) == FIELDS
    assert (line["outcome"], line["exit_code"], line["segments"]) == ("failed", code, [])
    assert line["errors"] == [{"message": said[0], "place": said[1]}]


def test_warnings_quote_rules_but_not_the_data(
    invoke: Invoke, operation: Replace, result: MakeResult, tmp_path: Path
) -> None:
    warnings = (
        Diagnostic("`FRR` does not occur", SourceLocation("r.toml", 7), severity=Severity.WARNING),
        Diagnostic("`jane` reads both ways", severity=Severity.WARNING),
    )
    operation("apply", lambda rules, **options: result(warnings=warnings))
    assert invoke("apply", "r.toml", "-q", "--log", str(tmp_path / "log")).exit_code == 0
    assert lines(tmp_path / "log")[0]["warnings"] == [
        {"message": "`FRR` does not occur", "place": "r.toml:7"},
        {"message": "`...` reads both ways", "place": None},
    ]


RULES = """version = 1
[customers]
types = { born = "date", "the sum" = "number" }
"""
MESSAGES = {
    "cannot read `jane` as a date in column `born`": "cannot read `...` as a date in column `born`",
    "cannot read `jane` as a number in row 7, column `the sum`": "cannot read `...` as a number in row 7, column `the sum`",
    "column `born` holds `Object`, which cannot be read as a date": "column `born` holds `...`, which cannot be read as a date",
    "none of the 12 rows has a key in column `born`": "none of the 12 rows has a key in column `born`",
    "3 values of `born` cannot be read and count as missing": "3 values of `born` cannot be read and count as missing",
    "3 values of column `born` in `orders` cannot be read": "3 values of column `born` in `...` cannot be read",
    "`01/02/2024` in column `born` is 1 February or 2 January": "`...` in column `born` is 1 February or 2 January",
    # A file without a header has values in the place of names.
    "cannot read `x` as a date in column `jane@x.fr`": "cannot read `...`",
    "column `orn` holds `x`": "column `...`",
    # Values that look like more.
    "cannot read `a`b` and c` as a date in column `born`": "cannot read `...` as a date in column `born`",
    "customer keys come more than once: `jane`, `column `born``": "customer keys come more than once: `...`",
    "no such value: `jane column `born`": "no such value: `...`",
    "cannot read `jane column `born` jane` as a date": "cannot read `...` as a date",
}  # fmt: skip


@pytest.mark.parametrize(("message", "logged"), MESSAGES.items())
def test_names_of_columns_stay_and_values_go(
    invoke: Invoke, operation: Replace, result: MakeResult, tmp_path: Path, message: str, logged: str
) -> None:
    def fail(rules: Path, **options: Any) -> None:
        raise DataError(Diagnostic(message, SourceLocation("c.csv", 7)))

    rules = tmp_path / "r.toml"
    rules.write_text(RULES)
    warning = Diagnostic(message, severity=Severity.WARNING)
    operation("apply", lambda rules, **options: result(warnings=(warning,)))
    invoke("apply", str(rules), "-q", "--log", str(tmp_path / "log"))
    operation("apply", fail)
    invoke("apply", str(rules), "--log", str(tmp_path / "log"))
    well, failed = lines(tmp_path / "log")
    assert [w["message"] for w in well["warnings"]] == [logged]
    assert [e["message"] for e in failed["errors"]] == [logged]


def test_an_interrupted_run(invoke: Invoke, operation: Replace, tmp_path: Path) -> None:
    def apply(rules: Path, **options: Any) -> None:
        raise KeyboardInterrupt

    operation("apply", apply)
    assert invoke("apply", "r.toml", "--log", str(tmp_path / "log")).exit_code == 130
    (line,) = lines(tmp_path / "log")
    assert (line["outcome"], line["exit_code"], line["errors"]) == ("interrupted", 130, [])


def test_without_its_log_a_run_does_not_begin(invoke: Invoke, operation: Replace, tmp_path: Path) -> None:
    def apply(rules: Path, **options: Any) -> None:
        raise AssertionError("it ran")

    operation("apply", apply)
    done = invoke("apply", "r.toml", "--log", str(tmp_path / "no" / "log"))
    assert done.exit_code == 4
    assert done.stderr.startswith(f"error: cannot write the log `{tmp_path}/no/log`")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_takes_no_more(invoke: Invoke, operation: Replace, result: MakeResult) -> None:
    operation("apply", lambda rules, **options: result())
    done = invoke("apply", "r.toml", "-q", "--log", "/dev/full")
    assert done.exit_code == 4
    assert "cannot write the log `/dev/full`: No space left on device" in done.stderr


def test_the_variable(invoke: Invoke, operation: Replace, result: MakeResult, tmp_path: Path) -> None:
    operation("apply", lambda rules, **options: result())
    invoke("apply", "r.toml", "-q", SEGKIT_APPLY_LOG=str(tmp_path / "log"))
    assert len(lines(tmp_path / "log")) == 1


def test_help_opens_no_log(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("apply", "--log", str(tmp_path / "no" / "log"), "--help").exit_code in (0, 4)
    assert invoke("apply", "--help", "--log", str(tmp_path / "log")).exit_code == 0


WRITER = """
import sys
from pathlib import Path
from segkit.cli.log import RunLog
from segkit.errors import RuleError
for i in range(50):
    log = RunLog(Path("log"))
    log.rules = sys.argv[1] * 20_000
    log.end(2, RuleError.of("x"))
"""


def test_processes_that_write_at_once_do_not_tear_lines(environment: dict[str, str], tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, letter], cwd=tmp_path, env=environment) for letter in "abc"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = lines(tmp_path / "log")
    assert sorted(line["rules"][0] for line in found) == ["a"] * 50 + ["b"] * 50 + ["c"] * 50
    assert {len(set(line["rules"])) for line in found} == {1}


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX locks")
def test_a_line_waits_for_the_one_before(environment: dict[str, str], tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "log").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, "a"], cwd=tmp_path, env=environment)
        time.sleep(0.5)
        assert writer.poll() is None
        assert (tmp_path / "log").stat().st_size == 0
    assert writer.wait(60) == 0
    assert RunLog(tmp_path / "log").result is None
