"""What is bought together, as text: the best rules, and how many customers lack the right side."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from segkit.discoveries.basket import BasketResult, BasketRule
from segkit.report.numbers import percent, seconds
from segkit.report.text.detected import guessed, left_out
from segkit.report.text.screen import told
from segkit.report.text.tables import numeric, plain_table, spaced
from segkit.words import count, plural


def basket_summary(result: BasketResult) -> RenderableType:
    """Everything that was found, and what to do with it."""
    return spaced(
        [
            _headline(result),
            guessed(result.guesses, rows_are_orders=False),
            _table(result),
            _not_shown(result),
            left_out(result.tables),
            *map(told, (*result.warnings, *result.notes)),
            _closing(result),
        ]
    )


def _headline(result: BasketResult) -> Text:
    """What was looked at, and from where on something is a rule."""
    least = result.least
    lines = [
        f"{plural(result.items, 'item')} in {plural(result.baskets, 'basket')} by {result.by}",
        f"From {plural(result.min_count, 'basket')}, confidence {least.confidence:f} % and lift {least.lift:f} on; "
        f"{least.length} items at most",
    ]
    lines[0] += f", events of {result.table}" if result.table else ""
    head = f"{plural(len(result.rules), 'rule')} about {plural(result.customers, 'customer')} on {result.as_of}"
    return Text.assemble((head, "bold"), "\n", "\n".join(lines))


def _table(result: BasketResult) -> RenderableType | None:
    """A line a rule, the best first."""
    if not result.rules:
        return None
    table = plain_table()
    for name in ("Bought", "Also bought"):
        table.add_column(name, overflow="fold")
    numeric(table, "Times", "Support", "Conf.", "Lift", "To offer")
    for rule in result.rules[: result.top]:
        table.add_row(*_cells(rule))
    return table


def _cells(rule: BasketRule) -> tuple[Text | str, ...]:
    return (
        Text(", ".join(rule.left)),
        Text(rule.right),
        count(rule.count),
        percent(rule.support),
        percent(rule.confidence),
        f"{rule.lift:.2f}",
        count(rule.to_offer),
    )


def _not_shown(result: BasketResult) -> Text | None:
    more = len(result.rules) - result.top
    if more <= 0:
        return None
    return Text(f"Not shown: {plural(more, 'rule')}; -o FILE or --json has all, --top N more", style="dim")


def _closing(result: BasketResult) -> Text:
    lines = []
    if result.rules:
        lines.append("To offer: customers who have ever bought the left side, and never the right one")
    if result.rules_path is not None:
        lines.append(f"{plural(len(result.offers), 'segment')} in {result.rules_path}")
    if result.path is not None:
        lines.append(f"One row a rule in {result.path}")
    elif result.rules and result.rules_path is None:
        lines.append("`--save-rules FILE.toml` makes segments of those to offer to")
    return Text("\n".join([*lines, f"Done ({seconds(result.elapsed_seconds)})"]), style="green")
