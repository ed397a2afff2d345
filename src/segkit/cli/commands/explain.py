"""`segkit explain`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal


class _Explain(click.Command):
    """Whether `--` stands before all keys decides what the first of them is, and click does not tell."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_MARKED] = args.index("--") if "--" in args else None
        ctx.meta[_GIVEN] = list(args)
        return super().parse_args(ctx, args)


_MARKED, _GIVEN = "segkit.explain.marked", "segkit.explain.given"


def _sorted(ctx: click.Context, words: tuple[str, ...], run: Path | None) -> tuple[Path | None, tuple[str, ...]]:
    """The rule file and the keys. Where a rule file need not be named, the first word is one by its ending alone."""
    marked = ctx.meta[_MARKED]
    all_behind = marked is not None and ctx.meta[_GIVEN][marked + 1 :] == list(words)
    names_rules = bool(words) and not all_behind and (words[0].endswith(".toml") or words[0] == "-")
    if run is not None:
        return (Path(words[0]), words[1:]) if names_rules else (None, words)
    usual = Path(options.RULES)
    if not names_rules and usual.is_file() and not (words and not all_behind and Path(words[0]).is_file()):
        return usual, words
    if not words or all_behind:
        raise options.without_rules()
    return Path(words[0]), words[1:]


@click.command("explain", cls=_Explain)
@click.argument("words", metavar="[RULES] [KEY]...", nargs=-1)
@click.option("--segment", metavar="NAME", shell_complete=completion.segments, help="Only this segment.")
@click.option(
    "--run",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="What happened in this run, which keeps its rules: RULES may be left out.",
)
@click.option(
    "--near-misses",
    metavar="N",
    type=click.IntRange(min=1),
    help="Without keys: who is one condition away, and the N nearest of each.",
)
@click.option("--as-test", is_flag=True, help="Print each customer as a [[test]], with what is personal made up.")
@click.option("--verify", is_flag=True, help="With --run: look whether its files are still the same.")
@options.as_of
@options.as_json
@options.talk
@click.pass_context
def command(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    segment: str | None,
    run: Path | None,
    near_misses: int | None,
    as_test: bool,
    verify: bool,
    as_of: dt.date | None,
    as_json: bool,
) -> int:
    """Why customers are, or are not, in each segment: what is wanted, what there is, which gate stopped them.

    Without a key, the funnel of each segment: how many customers satisfy each criterion, and how many are left then.
    """
    rules, keys = _sorted(ctx, words, run)
    if run is None and verify:
        raise click.UsageError("`--verify` looks at the files of a run: name it with `--run DIR`.", ctx)
    if near_misses is not None and keys:
        raise click.UsageError("`--near-misses` looks at all customers: leave the keys out.", ctx)
    if as_test and run is not None:
        raise click.UsageError("`--as-test` makes tests of the files as they are now: leave `--run` out.", ctx)
    if as_test and (not keys or as_json):
        raise click.UsageError("`--as-test` takes a rule file and keys, and writes TOML.", ctx)
    if run is not None and as_of is not None:
        raise click.UsageError("a run has its own day: leave `--as-of` out.", ctx)
    terminal: Terminal = ctx.find_object(Terminal) or Terminal()
    from segkit.operations.explain import explain

    with stages(terminal) as stage:
        result = explain(
            rules,
            keys,
            segment=segment,
            as_of=as_of,
            run=run,
            verify=verify,
            near_misses=near_misses,
            as_test=as_test,
            personal=sys.stderr.isatty(),
            progress=stage,
        )
    return _show(terminal, result, as_json=as_json)


def _show(terminal: Terminal, result: Any, *, as_json: bool) -> int:
    if not terminal.quiet:
        terminal.diagnose((*result.warnings, *result.notes))
    if result.tests:
        click.echo("\n".join(result.tests), nl=False)
    elif as_json:
        from segkit.report.as_json.explain import explain_json

        click.echo(explain_json(result))
    else:
        from segkit.report.text.explain import explain_text
        from segkit.report.text.screen import show_on

        show_on(sys.stdout, explain_text(result), color=terminal.colored(sys.stdout))
    if not result.unknown:
        return 0
    from segkit.diagnostics import Diagnostic

    keys_of_nobody = ", ".join(f"`{key}`" for key in result.unknown)
    terminal.diagnose([Diagnostic(f"no customer has the key {keys_of_nobody}", hint=result.hint)])
    return 3
