import subprocess
import sys

import click
import pytest

from segkit import __version__
from segkit.cli import main
from segkit.cli.group import COMMANDS, GROUPS
from tests.cli.fixture_types import Invoke, Process

HEAVY = ("polars", "polars_hash", "pydantic", "rich", "numpy", "tomli")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command_with_its_line(invoke: Invoke, flag: str) -> None:
    result = invoke(flag)
    assert result.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in result.stdout
        assert line in result.stdout


def test_help_groups_the_commands(invoke: Invoke) -> None:
    shown = invoke("--help").stdout
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    assert [line for line in shown.splitlines() if line in {f"{title}:" for title in GROUPS}] == [
        f"{title}:" for title in GROUPS
    ]
    lines = [line for _, line in COMMANDS.values()]
    assert len({text.index(line) for text in shown.splitlines() for line in lines if line in text}) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help
    missing = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert not missing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_options_of_talk(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    flags = {flag for p in command.params for flag in p.opts}
    assert {"-q", "--quiet", "-v", "--verbose", "--color"} <= flags


def test_version(invoke: Invoke) -> None:
    assert invoke("--version").stdout == f"segkit {__version__}\n"


def test_without_a_command_the_help_is_shown_as_an_error(invoke: Invoke) -> None:
    result = invoke()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: segkit")


@pytest.mark.parametrize("args", [["-h"], ["--version"], *([name, "-h"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(environment: dict[str, str], args: list[str]) -> None:
    code = (
        "import sys; import segkit.__main__; from segkit.cli import main\n"
        f"try: main({args})\n"
        f"except SystemExit: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_help_of_the_group_imports_no_command(environment: dict[str, str]) -> None:
    code = (
        "import sys; from segkit.cli import main; main(['-h'], standalone_mode=False)\n"
        "print([m for m in sys.modules if m.startswith('segkit.cli.commands.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_python_dash_m(process: Process) -> None:
    done = process("--version")
    assert (done.returncode, done.stdout) == (0, f"segkit {__version__}\n")
