import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from segkit.diagnostics import Diagnostic, Severity
from segkit.engines.registry import Asked, Resources
from segkit.results.apply import ApplyResult
from tests.cli.fixture_types import Invoke, MakeResult, Replace


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["aply"], "error: no such command `aply`\nhint: did you mean `apply`?\n"),
        (
            ["apply"],
            "error: missing argument `RULES`: there is no `segments.toml` in this folder\n"
            "hint: name the rule file, or make one: `segkit init` writes it\n",
        ),
        (["apply", "r", "--formatt", "csv"], "error: no such option `--formatt`\nhint: did you mean `--format`?\n"),
        (
            ["apply", "r", "--as-of", "soon"],
            "error: invalid value for `--as-of`: `soon` is not a date such as 2024-03-31\n"
            "hint: `segkit apply -h` shows what there is\n",
        ),
        (
            ["apply", "r", "--events", "orders"],
            "error: invalid value for `--events`: `orders` is not NAME=PATH, such as orders=orders.csv\n"
            "hint: `segkit apply -h` shows what there is\n",
        ),
    ],
)
def test_usage_errors_name_the_next_step(invoke: Invoke, args: list[str], message: str) -> None:
    result = invoke(*args)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", message)


def test_apply_passes_what_was_asked_for(invoke: Invoke, operation: Replace, result: MakeResult) -> None:
    asked: dict[str, Any] = {}

    def apply(rules: Path, **options: Any) -> ApplyResult:
        asked.update(options, rules=rules)
        return result()

    operation("apply", apply)
    done = invoke(
        "apply", "rules.toml", "-o", "out", "--format", "parquet", "--select", "a", "--select", "b",
        "--as-of", "2024-03-31", "--customers", "c.csv", "--events", "orders=o=1.csv", "--dry-run", "--no-wait",
        "--fail-on", "warning", "--previous", "before", "--accept-changes", "--replace", "--save-cutoffs", "cuts",
        "--memory", "4 GB", "--buckets", "7", "--engine", "spark", "--master", "spark://a:7077", "--work", "w", "--cache", "kept",
        "--engine-option", "spark.a=1", "--engine-option", "spark.b=2=3",
    )  # fmt: skip
    assert done.exit_code == 0
    del asked["stdout"], asked["progress"], asked["notes"], asked["on_published"]
    assert asked == {
        "rules": Path("rules.toml"),
        "output": "out",
        "resources": Resources(
            memory=4_000_000_000,
            buckets=7,
            engine=Asked("spark", "spark://a:7077", {"spark.a": "1", "spark.b": "2=3"}),
            work=Path("w"),
            cache="kept",
        ),
        "format": "parquet",
        "select": ("a", "b"),
        "as_of": dt.date(2024, 3, 31),
        "customers": "c.csv",
        "events": {"orders": "o=1.csv"},
        "dry_run": True,
        "fail_on": "warning",
        "wait": False,
        "previous": "before",
        "accept_changes": True,
        "replace": True,
        "save_cutoffs": "cuts",
        "report": None,
    }


def test_variables_stand_for_options_and_flags_outrank_them(
    invoke: Invoke, operation: Replace, result: MakeResult
) -> None:
    asked: list[dict[str, Any]] = []

    def apply(rules: Path, **options: Any) -> ApplyResult:
        asked.append(options)
        return result()

    operation("apply", apply)
    variables = {"SEGKIT_APPLY_AS_OF": "2020-01-01", "SEGKIT_APPLY_EVENTS": "a=1 b=2", "SEGKIT_APPLY_FORMAT": "tsv"}
    assert invoke("apply", "r", "--format", "csv", **variables).exit_code == 0
    assert asked[0]["as_of"] == dt.date(2020, 1, 1)
    assert asked[0]["events"] == {"a": "1", "b": "2"}
    assert asked[0]["format"] == "csv"


def test_rows_on_stdout_send_the_summary_to_stderr(invoke: Invoke, operation: Replace, result: MakeResult) -> None:
    def apply(rules: Path, *, stdout: BinaryIO, **options: Any) -> ApplyResult:
        stdout.write(b"customer_id,segment\n")
        return result(directory=None)

    operation("apply", apply)
    done = invoke("apply", "r", "-o", "-")
    assert done.stdout == "customer_id,segment\n"
    assert "loyal" in done.stderr


WARNING = Diagnostic("a warning", severity=Severity.WARNING)


@pytest.mark.parametrize(
    ("args", "stdout", "stderr"),
    [
        ([], "loyal", ""),
        (["--summary", "none"], "", "warning: a warning"),
        (["-q"], "", ""),
        (["--json"], '"schema_version": 1', "warning: a warning"),
        (["-q", "--json"], '"schema_version": 1', ""),
        (["--summary", "json"], '"message": "a warning"', "warning: a warning"),
        (["-q", "--summary", "table"], "warning: a warning", ""),
    ],
)
def test_summary(
    invoke: Invoke, operation: Replace, result: MakeResult, args: list[str], stdout: str, stderr: str
) -> None:
    operation("apply", lambda rules, **options: result(warnings=(WARNING,)))
    done = invoke("apply", "r", *args)
    assert done.exit_code == 0
    assert stdout in done.stdout
    assert bool(done.stdout) is bool(stdout)
    assert stderr in done.stderr
    assert bool(done.stderr) is bool(stderr)


def test_verbose_before_or_after_the_command(invoke: Invoke, operation: Replace, result: MakeResult) -> None:
    def apply(rules: Path, *, progress: Callable[[str], None], **options: Any) -> ApplyResult:
        progress("reading orders")
        return result()

    operation("apply", apply)
    for args in (["-v", "apply", "r"], ["apply", "r", "-v"]):
        assert "reading orders" in invoke(*args).stderr
    assert "reading orders" not in invoke("apply", "r").stderr


@pytest.mark.parametrize(
    ("args", "variables", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"SEGKIT_COLOR": "always"}, True),
        (["--color", "never"], {"SEGKIT_COLOR": "always"}, False),
    ],
)
def test_color(
    invoke: Invoke, operation: Replace, result: MakeResult, args: list[str], variables: dict[str, str], colored: bool
) -> None:
    operation("apply", lambda rules, **options: result())
    assert ("\x1b[" in invoke("apply", "r", *args, **variables).stdout) is colored
    assert ("\x1b[" in invoke(*args, "apply", "r", **variables).stdout) is colored
