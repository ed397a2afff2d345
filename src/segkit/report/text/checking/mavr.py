"""The four questions to each segment, and which segments share members, as tables."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from segkit.report.numbers import money, percent
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.results.check import CheckResult
from segkit.words import count, plural

SIGNS = {True: "+", False: ".", None: "-"}
LEGEND = (
    "M measurable: `known`, the customers with a value in all that the criteria read\n"
    "A accessible: `reach`, the members with consent, on no list, with a contact\n"
    "V viable: as many can be `reached` as are `needed`\n"
    "R remunerative: worth `a head`, `index` 100 is the average customer\n"
    "+ yes, . no, - nothing tells"
)
MANY = 10
"""How many pairs that share members are shown."""


def segments_text(result: CheckResult) -> RenderableType:
    """The answers for each segment, and the largest of the pairs that share members."""
    assert result.mavr is not None, "a check with the data"
    table = plain_table()
    table.add_column("", overflow="fold")
    numeric(table, "known", "reach", "reached", "needed", "a head", "index")
    table.add_column("M A V R", no_wrap=True)
    most = max((abs(one.a_head) for one in result.mavr if one.a_head is not None), default=0)
    for one in result.mavr:
        table.add_row(
            one.segment,
            _whole(one.known),
            _whole(one.reach),
            count(one.reached),
            count(one.needed),
            "-" if one.a_head is None else money(one.a_head, most),
            "-" if one.compared is None else f"{one.compared:,.0f}",
            " ".join(SIGNS[answer] for answer in (one.m, one.a, one.v, one.p)),
        )
    return spaced([table, Text(LEGEND, style="dim"), _pairs(result)])


def _whole(share: float | None) -> str:
    """A share in whole percent; one that is not nothing, or not all, does not look so."""
    if share is None:
        return "-"
    return percent(share) if 0 < share < 0.5 or 99.5 <= share < 100 else f"{share:.0f} %"


def _pairs(result: CheckResult) -> RenderableType | None:
    if not result.overlaps:
        return None
    table = plain_table()
    table.add_column("", overflow="fold")
    table.add_column("", overflow="fold")
    numeric(table, "customers")
    for pair in sorted(result.overlaps, key=lambda pair: -pair.customers)[:MANY]:
        table.add_row(pair.first, pair.second, count(pair.customers))
    more = len(result.overlaps) - MANY
    if more > 0:
        table.add_row(Text(f"and {plural(more, 'more pair')}", style="dim"))
    return titled("In both", table)
