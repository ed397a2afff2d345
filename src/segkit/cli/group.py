"""The `segkit` command, which starts fast: each subcommand is imported only when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from segkit import __version__
from segkit.cli import boundary, options
from segkit.cli.terminal import Terminal

COMMANDS = {
    "init": ("segkit.cli.commands.init", "A first rule file, for your files or with made-up data."),
    "apply": ("segkit.cli.commands.apply", "Run a rule file: one output a segment, and a summary."),
    "rfm": ("segkit.cli.commands.rfm", "RFM table of an orders file, no rule file needed."),
    "cohorts": ("segkit.cli.commands.cohorts", "Who comes back: customers by the period of their first event."),
    "basket": ("segkit.cli.commands.basket", "What is bought together, and who lacks it."),
    "explain": ("segkit.cli.commands.explain", "Why a customer is, or is not, in each segment."),
    "check": ("segkit.cli.commands.check", "Everything wrong with a rule file, with line and column."),
    "test": ("segkit.cli.commands.test", "The tests in a rule file: made-up customers, expected segments."),
    "audit": ("segkit.cli.commands.audit", "What is in files: gaps, doubles, values that cannot be right."),
    "columns": ("segkit.cli.commands.columns", "What conditions can be written on: columns, types, values."),
    "evaluate": ("segkit.cli.commands.evaluate", "What came of a run: who was written, beside who was not."),
    "history": ("segkit.cli.commands.history", "Segments over time: their sizes, who stayed, who bought."),
    "report": ("segkit.cli.commands.report", "A run as one HTML page, to be forwarded and printed."),
    "lookalike": (
        "segkit.cli.commands.lookalike",
        "Who resembles a segment: a card of points, and the best prospects.",
    ),
    "cluster": ("segkit.cli.commands.cluster", "Personas: groups who are alike, and the rules that find them."),
    "diff": ("segkit.cli.commands.diff", "Two runs: who entered, left and moved."),
    "cache": ("segkit.cli.commands.cache", "Remove what runs keep of large texts."),
    "schema": ("segkit.cli.commands.schema", "JSON Schema of the rule file, for editors."),
}
"""Name -> (module whose `command` it is, its line in `segkit --help`)."""
GROUPS = {
    "Begin": ("init",),
    "Run": ("apply", "rfm", "cache"),
    "Trust": ("audit", "explain", "check", "test", "columns", "diff", "schema"),
    "Measure": ("evaluate", "history", "report", "cohorts"),
    "Discover": ("basket", "lookalike", "cluster"),
}
"""The commands as `segkit --help` shows them, by what they are for."""


class UnknownCommand(click.UsageError):
    """No such command; `possibilities` are the names that come near."""

    def __init__(self, name: str, ctx: click.Context) -> None:
        from segkit.words import near_names  # difflib: only once there is something to look for

        super().__init__(f"No such command '{name}'.", ctx)
        self.possibilities = near_names(name, COMMANDS)


class LazyGroup(click.Group):
    """A group that imports a command only to run it, to show its help or to complete its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise UnknownCommand(args[0], ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), COMMANDS[name][1]) for name in names])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with boundary.closed_pipes():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with boundary.closed_pipes():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Parse and run; in standalone mode, every error ends as a message and an exit code."""
        terminal = extra.setdefault("obj", Terminal())
        extra |= {"args": args, "prog_name": prog_name, "complete_var": complete_var}
        extra |= {"windows_expand_args": windows_expand_args, "standalone_mode": False}
        if not standalone_mode:
            return super().main(**extra)
        run = super().main
        sys.exit(boundary.run(lambda: run(**extra), terminal))


@click.group(
    cls=LazyGroup,
    context_settings={"auto_envvar_prefix": "SEGKIT", "help_option_names": ["-h", "--help"]},
    epilog="`segkit COMMAND -h` shows the options of a command. Each option has an environment variable: "
    "SEGKIT_APPLY_AS_OF stands for `apply --as-of`, SEGKIT_COLOR for --color.",
)
@click.version_option(__version__, prog_name="segkit", message="%(prog)s %(version)s")
@options.talk
def main() -> None:
    """Segments as code: a text file of rules turns customer files into marketing segments."""
