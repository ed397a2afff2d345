"""Shows what was made of a file of orders: the tables, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

import click

from segkit.cli.terminal import Terminal

if TYPE_CHECKING:
    from segkit.discoveries.basket import BasketResult
    from segkit.results.cohorts import CohortsResult
    from segkit.results.rfm import RfmResult


def show(
    result: RfmResult | CohortsResult | BasketResult,
    terminal: Terminal,
    stream: TextIO,
    *,
    as_json: Callable[[Any], str] | None,
    as_text: Callable[[Any], Any],
) -> None:
    """Print the result; with `as_json`, the JSON on the stream and the warnings beside it."""
    if as_json:
        if not terminal.quiet:
            terminal.diagnose(result.warnings)
        click.echo(as_json(result), file=stream)
        return
    if terminal.quiet:
        return
    from segkit.report.text.detected import detected
    from segkit.report.text.screen import show_on

    if terminal.verbose:
        show_on(sys.stderr, detected(result.tables), color=terminal.colored(sys.stderr))
    show_on(stream, as_text(result), color=terminal.colored(stream))
