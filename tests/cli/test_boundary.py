import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import CheckFailed, DataError, RuleError, SegkitError, WriteError
from tests.cli.fixture_types import Invoke, Replace

PLACE = SourceLocation(path="rules.toml", line=12, column=23, width=3, text="demographic = { age = { gte = 18 } }")


def failing(error: BaseException) -> Callable[..., None]:
    def apply(rules: Path, **options: Any) -> None:
        raise error

    return apply


@pytest.mark.parametrize(("kind", "code"), [(CheckFailed, 1), (RuleError, 2), (DataError, 3), (WriteError, 4)])
def test_each_error_class_is_an_exit_code_and_all_problems_are_shown(
    invoke: Invoke, operation: Replace, kind: type[SegkitError], code: int
) -> None:
    error = kind(Diagnostic("unknown operator `gte`", PLACE, "did you mean `min`?"), Diagnostic("another"))
    operation("apply", failing(error))
    done = invoke("apply", "r")
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr == (
        "error: unknown operator `gte`\n"
        "  --> rules.toml:12:23\n"
        "   |\n"
        "12 | demographic = { age = { gte = 18 } }\n"
        "   |                       ^^^\n"
        "hint: did you mean `min`?\n"
        "\n"
        "error: another\n"
    )


def test_errors_are_colored_on_demand(invoke: Invoke, operation: Replace) -> None:
    operation("apply", failing(RuleError(Diagnostic("bad", PLACE))))
    assert "\x1b[31m\x1b[1merror:\x1b[0m bad" in invoke("apply", "r", "--color", "always").stderr


def test_a_bug_ends_in_a_report_without_data(
    invoke: Invoke, operation: Replace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def apply(rules: Path, **options: Any) -> None:
        secret = "jane@example.org"
        try:
            int(secret)
        except ValueError as error:
            raise LookupError(secret) from error

    operation("apply", apply)
    done = invoke("apply", "r")
    (report,) = tmp_path.iterdir()
    assert done.exit_code == 70
    assert str(report) in done.stderr
    assert "Traceback" not in done.stderr
    text = report.read_text()
    assert "builtins.ValueError" in text
    assert "builtins.LookupError" in text
    assert "test_boundary.py" in text
    assert "jane" not in text + done.stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(28, "No space left on device", "out/a.csv"), 4, "cannot write `out/a.csv`: No space left on device"),
        (PermissionError(13, "Permission denied", "c.csv"), 3, "`c.csv`: Permission denied"),
        (MemoryError(), 3, "out of memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
)
def test_errors_of_the_system(
    invoke: Invoke, operation: Replace, error: BaseException, code: int, message: str
) -> None:
    operation("apply", failing(error))
    done = invoke("apply", "r")
    assert done.exit_code == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@FULL
def test_full_standard_output(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "segkit", "--help"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("error: cannot write to standard output: No space left on device\n")
    assert "Exception ignored" not in done.stderr
