"""`segkit evaluate`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import DATE, EVENTS, LENGTH, WEIGHTS, Pairs
from segkit.errors import RuleError
from segkit.experiments import EvaluateResult, PlanResult

if TYPE_CHECKING:
    from segkit.operations.measuring.drawn_elsewhere.evaluate import Orders
    from segkit.rules.model.base import Duration

OF_A_RUN = ("since", "segment", "against", "plan", "holdout")
OF_A_FILE = ("group", "control", "expected", "as_of", "key", "time", "amount", "id_")
"""Options that go with RUN, and with --assignment, alone."""


def _refuse(ctx: click.Context, runs: Sequence[Path], assignment: str | None) -> None:
    """`RuleError` for options that do not go with what is evaluated, and for those that are missing."""
    if bool(runs) == (assignment is not None):
        what = "name a RUN that `segkit apply` has written, or with `--assignment FILE` a test that it has not drawn"
        raise RuleError.of("missing argument `RUN`" if not runs else "a RUN has its own assignment", hint=what)
    option = {str(param.name): param.opts[0] for param in ctx.command.params}
    given = {name for name in option if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
    for name in OF_A_FILE if assignment is None else OF_A_RUN:
        if name in given:
            other = "`--assignment FILE`" if assignment is None else "a RUN"
            raise RuleError.of(f"`{option[name]}` goes with {other}", hint=f"take `{option[name]}` out")
    if "plan" in given and len(runs) > 1:
        raise RuleError.of("`--plan` looks at one run", hint="name the last one alone")
    for name in ("holdout",) if "plan" not in given else ("since", "against", "output"):
        if name in given:
            what = "goes with `--plan` alone" if name == "holdout" else "goes without `--plan`"
            raise RuleError.of(f"`{option[name]}` {what}", hint=f"take `{option[name]}` out")
    for name in () if assignment is None else ("group", "control", "as_of"):
        if name not in given:
            hint = "a test has `--group COL --control VALUE`, and `--as-of DATE`, the day of the draw"
            raise RuleError.of(f"`--assignment` needs `{option[name]}`", hint=hint)


def _tables(events: Pairs) -> dict[str, str]:
    """The tables of a run that are read from elsewhere; `RuleError` for a path without a name."""
    if alone := [path for name, path in events if not name]:
        hint = "name the table of the run, too, such as `--events orders=orders.csv`"
        raise RuleError.of(f"`--events {alone[0]}` does not say which table that is", hint=hint)
    return dict(events)


@click.command("evaluate")
@click.argument("runs", metavar="[RUN]...", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--events",
    type=EVENTS,
    multiple=True,
    help="Read a table of events from here, such as orders=orders.csv; repeatable. Default: where the run read it.",
)
@click.option(
    "--since",
    type=DATE,
    help="RUN keeps old runs: evaluate those from this day on, where each customer counts from his first one.",
)
@click.option("--from", "start", type=DATE, help="The first day that counts; default: the day after the run.")
@click.option(
    "--within",
    type=LENGTH,
    help="For how long from that day events count; default: what `[evaluate]` of the run says, or 30 days.",
)
@click.option("--until", type=DATE, help="The last day that counts, in place of --within.")
@click.option(
    "--segment",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.segments_of_runs,
    help="Show this segment only; repeatable. All are counted in what * says.",
)
@click.option(
    "--level",
    type=click.FloatRange(50, 99.9),
    metavar="PERCENT",
    help="The level of the intervals, in percent; default: what `[evaluate]` of the run says, or 95.",
)
@click.option(
    "--metric",
    metavar="NAME",
    multiple=True,
    help="Compare by this: conversion, spend (the default), or an `[evaluate.metric.NAME]` of the run; repeatable.",
)
@click.option(
    "--against",
    metavar="VARIANT",
    help="Compare the other variants with this one; default: with those held out, else with the first variant.",
)
@click.option(
    "--plan",
    is_flag=True,
    help="Before letters go out: how small a difference could be seen, by what customers did in as many days before.",
)
@click.option(
    "--holdout",
    type=click.FloatRange(0, 100, min_open=True, max_open=True),
    metavar="PERCENT",
    help="With --plan: as if so many of each segment were held out.",
)
@click.option(
    "--assignment",
    metavar="FILE",
    type=click.Path(),
    help="In place of RUN, a file of customers that says who was in which group; --events is a file of orders then, and"
    " --metric a column of this file.",
)
@click.option("--group", metavar="COL", help="With --assignment: the column with the group.")
@click.option("--control", metavar="VALUE", help="With --assignment: the group that the others are compared with.")
@click.option("--expected", type=WEIGHTS, help="With --assignment: how large the groups were to be.")
@click.option("--as-of", type=DATE, help="With --assignment: the day of the draw, after which orders count.")
@click.option("--key", metavar="COL", help="With --assignment: the customer's key; default: each row is a customer.")
@options.time
@options.amount
@options.id_
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a comparison here; - is standard output."
)
@options.fail_on
@options.as_json
@options.talk
@click.pass_context
def command(
    ctx: click.Context,
    *,
    runs: tuple[Path, ...],
    since: dt.date | None,
    events: Pairs,
    start: dt.date | None,
    within: Duration | None,
    until: dt.date | None,
    segment: tuple[str, ...],
    level: float | None,
    metric: tuple[str, ...],
    against: str | None,
    plan: bool,
    holdout: float | None,
    assignment: str | None,
    group: str | None,
    control: str | None,
    expected: Mapping[str, Fraction] | None,
    as_of: dt.date | None,
    key: str | None,
    time: str | None,
    amount: str | None,
    id_: str | None,
    output: str | None,
    fail_on: str,
    as_json: bool,
) -> int:
    """What came of a run: whether those written bought more than those held out, and one variant more than another.

    RUN is a directory that `segkit apply` has written. All who were written count, whether they have read it or not.
    The rules of the run say how orders are read. Of several runs, each customer counts once, from the first that had
    him.

    With --assignment, a test that segkit has not drawn: FILE has a row for each customer, with his group.
    """
    from segkit.operations.measuring.drawn_elsewhere.evaluate import evaluate_assignment
    from segkit.operations.measuring.drawn_elsewhere.groups import Draw
    from segkit.operations.measuring.evaluate import evaluate_runs
    from segkit.operations.measuring.plan import plan_run
    from segkit.operations.measuring.settings import Given

    _refuse(ctx, runs, assignment)
    terminal = ctx.find_object(Terminal)
    assert terminal is not None, "every command has one"
    share = None if level is None else float(Decimal(str(level)) / 100)
    given = Given(start=start, within=within, until=until, level=share, metrics=metric)
    with stages(terminal) as stage:
        asked: dict[str, Any] = {"given": given, "fail_on": fail_on, "progress": stage}
        written: dict[str, Any] = {"output": output, "stdout": sys.stdout.buffer}
        result: EvaluateResult | PlanResult
        if plan and runs:
            percent = None if holdout is None else Decimal(str(holdout))
            result = plan_run(runs[0], events=_tables(events), segments=segment, holdout=percent, **asked)
        elif runs:
            asked |= {"events": _tables(events), "segments": segment, "against": against}
            result = evaluate_runs(runs, since=since, **asked, **written)
        else:
            assert assignment and group and control and as_of, "refused before"
            draw = Draw(group, control, key, expected or {})
            orders = _orders(events, time, amount, id_)
            result = evaluate_assignment(assignment, draw, as_of, orders=orders, **asked, **written)
    _show(result, terminal, to_stderr=output == "-", as_json=as_json)
    return 0


def _orders(events: Pairs, time: str | None, amount: str | None, id_: str | None) -> Orders | None:
    """The file of orders; `RuleError` for several, and where something is said of them, and there are none."""
    from segkit.operations.measuring.drawn_elsewhere.evaluate import Orders

    if len(events) > 1:
        raise RuleError.of("`--events` is given twice", hint="with `--assignment`, name one file of orders")
    if not events and (said := [n for n, v in (("time", time), ("amount", amount), ("id", id_)) if v is not None]):
        raise RuleError.of(f"`--{said[0]}` is of orders, and there are none", hint="give `--events FILE`")
    return Orders("=".join(filter(None, events[0])), time, amount, id_) if events else None


def _show(result: EvaluateResult | PlanResult, terminal: Terminal, *, to_stderr: bool, as_json: bool) -> None:
    stream = sys.stderr if to_stderr else sys.stdout
    if not terminal.quiet:
        terminal.diagnose(result.warnings)
    if as_json:
        from segkit.report.as_json.evaluate import evaluate_json, plan_json

        click.echo(evaluate_json(result) if isinstance(result, EvaluateResult) else plan_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.evaluate import evaluate_summary
        from segkit.report.text.measuring.plan import plan_summary
        from segkit.report.text.screen import show_on

        shown = evaluate_summary(result) if isinstance(result, EvaluateResult) else plan_summary(result)
        show_on(stream, shown, color=terminal.colored(stream))
