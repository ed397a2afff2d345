"""The house: imports run one way, and the front door is light."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"polars", "polars_hash", "pydantic", "rich", "numpy", "scipy", "pyarrow", "pandas", "duckdb", "tomli"}


def python(*args: str) -> str:
    done = subprocess.run(
        [sys.executable, *args],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_contracts_of_import_linter(tmp_path: Path) -> None:
    pytest.importorskip("importlinter", reason="import-linter needs younger versions of segkit's dependencies")
    shown = python(
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as c; sys.argv[1:] = ['--cache-dir', sys.argv[1]]; c()",
        str(tmp_path),
    )
    assert "0 broken" in shown


def loaded_after(code: str) -> set[str]:
    return set(python("-c", f"{code}\nimport sys\nprint(*sys.modules)").split())


def test_the_public_package_imports_nothing_heavy() -> None:
    assert not loaded_after("import segkit") & (HEAVY | {"click"})


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["--version"]])
def test_help_and_version_import_nothing_heavy(args: list[str]) -> None:
    code = f"from segkit.cli import main\ntry:\n    main({args!r}, prog_name='segkit')\nexcept SystemExit:\n    pass\n"
    assert not loaded_after(code) & HEAVY


@pytest.mark.parametrize("command", ["apply", "rfm", "check", "columns", "schema"])
def test_the_help_of_a_command_imports_neither_polars_nor_pydantic(command: str) -> None:
    code = f"from segkit.cli import main\ntry:\n    main([{command!r}, '-h'], prog_name='segkit')\nexcept SystemExit:\n    pass\n"
    assert not loaded_after(code) & {"polars", "pydantic", "numpy"}


def test_only_predictions_import_scipy(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("k\na\n")
    (tmp_path / "o.csv").write_text("k,day,total\na,2024-01-01,5\n")
    (tmp_path / "r.toml").write_text(
        'version = 1\n[customers]\npath = "c.csv"\nkey = "k"\n[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\n'
        '[value]\nevents = "o"\n[segment.s]\nvalue.revenue.min = 1\n'
    )
    code = f"from pathlib import Path\nfrom segkit.operations.apply import apply\napply(Path({str(tmp_path / 'r.toml')!r}))"
    assert not loaded_after(code) & {"numpy", "scipy"}


def test_completion_imports_nothing_heavy() -> None:
    code = "import os\nos.environ |= {'_SEGKIT_COMPLETE': 'bash_complete', 'COMP_WORDS': 'segkit a', 'COMP_CWORD': '1'}\nfrom segkit.cli import main\ntry:\n    main(prog_name='segkit')\nexcept SystemExit:\n    pass\n"
    assert not loaded_after(code) & HEAVY


@pytest.mark.parametrize("module", ["rules", "results", "errors", "diagnostics"])
def test_the_rule_file_is_data(module: str) -> None:
    assert "polars" not in loaded_after(f"import segkit.{module}")


def test_every_public_name_of_the_package_is_there() -> None:
    import segkit

    for name in getattr(segkit, "__all__", ["__version__"]):
        assert getattr(segkit, name) is not None


def test_nothing_prints_in_the_library() -> None:
    """Printing, click and Rich stay in their rooms; ruff's T20 holds for the whole of src."""
    for path in (ROOT / "src/segkit").rglob("*.py"):
        room = path.relative_to(ROOT / "src/segkit").parts[0]
        text = path.read_text()
        if room != "cli":
            assert "import click" not in text, path
        if room not in ("cli", "report"):
            assert "rich" not in {
                line.split()[1].split(".")[0]
                for line in text.splitlines()
                if line.lstrip().startswith(("import ", "from "))
            }, path
