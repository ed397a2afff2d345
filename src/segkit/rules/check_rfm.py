"""RFM: the money that it needs, and maps that cover the scores."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from segkit.rules.features import MapRow, Rfm
from segkit.rules.findings import Finding
from segkit.rules.model import RuleFile

Code = tuple[int, int, int]


def check_rfm(rules: RuleFile) -> Iterator[Finding]:
    """Everything about the `[rfm]` section."""
    if rules.rfm:
        yield from _money(rules, rules.rfm)
        yield from _bins(rules.rfm)
        yield from _map(rules.rfm)


def _money(rules: RuleFile, rfm: Rfm) -> Iterator[Finding]:
    table = rules.events.get(rfm.events)
    if table and not table.amount:
        hint = f'add `amount = "..."`: the column of `[events.{rfm.events}]` with the money'
        yield Finding(("rfm", "events"), f"`[rfm]` needs an amount, and `[events.{rfm.events}]` names none", hint)


def _bins(rfm: Rfm) -> Iterator[Finding]:
    if rfm.bins < 5 and not rfm.segment:
        message = f"the map `{rfm.map}` is made for 5 scores: with {rfm.bins}, some of its segments stay empty"
        yield Finding(("rfm", "bins"), message, "use 5 bins, or a map of your own: `[[rfm.segment]]`", warning=True)


def _map(rfm: Rfm) -> Iterator[Finding]:
    if not rfm.segment:
        return
    for position, row in enumerate(rfm.segment):
        for key, scores in row_ranges(row).items():
            if scores[0] < 1 or scores[1] > rfm.bins:
                message = f"`{key}` goes from {scores[0]} to {scores[1]}, but scores go from 1 to {rfm.bins}"
                yield Finding(("rfm", "segment", position, key), message, "change it, or `bins`")
    taken, rest = cover(rfm)
    for position, row in enumerate(rfm.segment):
        if not taken[position]:
            message = f"no customer can be `{row.name}` by this row: rows above it take all its scores"
            hint = "the first row that matches counts: move this one up, or take it out"
            yield Finding(("rfm", "segment", position), message, hint, warning=True)
    if rest:
        total = rfm.bins**3
        dash = "-" if rfm.bins > 9 else ""
        shown = ", ".join(dash.join(map(str, code)) for code in rest[:3])
        hint = 'if that is meant, end with a row that takes the rest: `{ name = "other" }`'
        message = f"{len(rest)} of {total} codes are in no row and get `other`, such as {shown}"
        yield Finding(("rfm", "segment"), message, hint, warning=True)


def row_ranges(row: MapRow) -> dict[str, tuple[int, int]]:
    """The ranges that a row gives, by letter."""
    given = {"r": row.r, "f": row.f, "m": row.m}
    return {key: scores for key, scores in given.items() if scores is not None}


def cover(rfm: Rfm) -> tuple[list[int], list[Code]]:
    """How many codes each row takes (the first that matches), and the codes that none takes."""
    rows = [row_ranges(row) for row in rfm.segment]
    taken, rest = [0] * len(rows), []
    for code in product(range(rfm.bins, 0, -1), repeat=3):
        scores = dict(zip("rfm", code, strict=True))
        for position, row in enumerate(rows):
            if all(low <= scores[key] <= high for key, (low, high) in row.items()):
                taken[position] += 1
                break
        else:
            rest.append((code[0], code[1], code[2]))
    return taken, rest
