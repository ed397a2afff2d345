"""Every option that more than one command takes, or that takes more than a line; each is a named value."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from segkit.cli import completion
from segkit.cli.log import RunLog
from segkit.cli.terminal import Terminal
from segkit.cli.types import DATE, MEMORY, NAME_PATH, Pairs
from segkit.errors import RuleError

F = TypeVar("F", bound=Callable[..., Any])


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # The option may stand before the command and after it, so only what was given is set.
    if value:
        setattr(ctx.ensure_object(Terminal), str(param.name), value)


quiet = click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_set, help="Errors only.")
verbose = click.option(
    "-v", "--verbose", is_flag=True, expose_value=False, callback=_set, help="Tell each step, and what was detected."
)
color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    expose_value=False,
    callback=_set,
    help="Colours; auto (the default) is on a terminal, unless NO_COLOR is set.",
)


def _begin_log(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value and not ctx.resilient_parsing:
        from segkit.io.publish.errors import require_local

        require_local(value)
        ctx.ensure_object(Terminal).log = RunLog(Path(value))


def talk(function: F) -> F:
    """`-q`, `-v` and `--color`, which every command takes."""
    return quiet(verbose(color(function)))


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The names between commas; one with a comma in it stands in quotation marks."""
    between = next(csv.reader([value or ""], skipinitialspace=True), [])
    return tuple(dict.fromkeys(name.strip() for name in between if name.strip()))


def pairs(ctx: click.Context, param: click.Parameter, value: Pairs) -> dict[str, str]:
    """What was given, by name; the last one counts."""
    return dict(value)


def _rules(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """The rule file; where none is named, that of the current folder."""
    if value is None and not ctx.resilient_parsing:
        if not Path(RULES).is_file():
            raise without_rules()
        return Path(RULES)
    return value


def without_rules() -> RuleError:
    """The error where no rule file is named, and the folder has none."""
    message = f"missing argument `RULES`: there is no `{RULES}` in this folder"
    return RuleError.of(message, hint="name the rule file, or make one: `segkit init` writes it")


RULES = "segments.toml"
"""The rule file that commands take where none is named."""
rules = click.argument("rules", type=click.Path(path_type=Path), required=False, callback=_rules)
as_of = click.option("--as-of", type=DATE, help='The day that is "now", such as 2024-03-31.')
customers = click.option("--customers", metavar="PATH", type=click.Path(), help="Read the customers from here.")
events = click.option(
    "--events",
    type=NAME_PATH,
    multiple=True,
    callback=pairs,
    help="Read the event table NAME from PATH; repeatable.",
)
key = click.option("--key", metavar="COL", help="The customer's key; guessed where not given, as are the next two.")
time = click.option("--time", metavar="COL", help="The date or timestamp of an order.")
amount = click.option("--amount", metavar="COL|SQL", help="The money, such as total or Quantity * UnitPrice.")
id_ = click.option("--id", "id_", metavar="COL", help="Rows with one id are one order.")
where = click.option("--where", metavar="SQL", help="Only rows for which this holds, such as \"status = 'paid'\".")
sheet = click.option("--sheet", metavar="NAME|NUMBER", help="The sheet of a workbook; default: the only visible one.")
select = click.option(
    "--select",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.segments,
    help="Write this segment only; repeatable. The others still claim.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Do everything but writing.")
no_wait = click.option(
    "--no-wait", is_flag=True, help="Exit 4 when another run writes to the same place, instead of waiting for it."
)


def memory(command: str) -> Callable[[F], F]:
    """`--memory` of a command, which the environment may give for it, or for all that have it."""
    names = [f"SEGKIT_{command.upper()}_MEMORY", "SEGKIT_MEMORY"]
    return click.option("--memory", type=MEMORY, envvar=names, help="Plan with so much memory, such as 4GB.")


cache = click.option(
    "--cache", metavar="DIR", type=click.Path(), help="Keep large texts there in a form that is read fast."
)


fail_on = click.option(
    "--fail-on",
    type=click.Choice(["warning", "error"]),
    default="error",
    show_default=True,
    help="Exit 1, and write nothing, when there is one of these.",
)
previous = click.option(
    "--previous",
    metavar="DIR",
    type=click.Path(),
    help="The run to compare with; default: the last one in the output directory.",
)
accept_changes = click.option(
    "--accept-changes", is_flag=True, help="Publish although a segment changed more than `max_change_percent`."
)
replace = click.option(
    "--replace",
    is_flag=True,
    help="Publish although that removes lists, or rows of a shared table, of another rule file, or lists that "
    "`--select` leaves out.",
)
save_cutoffs = click.option(
    "--save-cutoffs",
    metavar="DIR",
    type=click.Path(),
    help="Write the cutoffs of each RFM table here, to score later days with them.",
)
report = click.option(
    "--report", metavar="FILE", type=click.Path(), help="Write a page about the run here, as `segkit report` does."
)
log = click.option(
    "--log",
    metavar="FILE",
    type=click.Path(),
    is_eager=True,
    expose_value=False,
    callback=_begin_log,
    help="Append one line of JSON about this run, whether it goes well or not.",
)
events_or_rules = click.argument("data", metavar="EVENTS...|RULES", type=click.Path(), nargs=-1, required=True)
event_table = click.option(
    "--events",
    metavar="NAME",
    shell_complete=completion.event_tables,
    help="The event table of the rule file; default: that of [value] or [rfm].",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
