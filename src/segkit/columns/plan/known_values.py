"""The values that a computed column can have, where its section names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from segkit import codes
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.computed.rfm import rfm_column, rfm_section
from segkit.rules.model.computed.rfm_maps import map_codes
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks
from segkit.words import nearest


class Values(NamedTuple):
    """The values of a column in their order, and how messages speak of them."""

    names: tuple[str, ...]
    owner: str
    kind: str


def values_of(rules: RuleFile) -> Mapping[str, Values]:
    """The columns whose values are known without the data."""
    known: dict[str, Values] = {}
    for table, rfm in rules.rfm.items():
        names = dict.fromkeys((*map_codes(rfm).values(), *(row.name for row in rfm.segment)))
        owner = f"the map of `[{rfm_section(table)}]`" if table else "the RFM map"
        known[rfm_column(table, "rfm_segment")] = Values(tuple(names), owner, "segment")
    if rules.lifecycle:
        known["lifecycle"] = Values(rules.lifecycle.stages, "`[lifecycle]`", "stage")
    for name, score in rules.score.items():
        if score.grades:
            known[f"{name}_grade"] = Values(tuple(score.falling_grades), f"`[score.{name}]`", "grade")
    return known


def summarised(rules: RuleFile) -> Mapping[str, Values]:
    """The columns whose values the summary counts: stages and grades. RFM segments have a command of their own."""
    return {column: values for column, values in values_of(rules).items() if values.kind != "segment"}


def unknown_values(rules: RuleFile) -> Iterator[Finding]:
    """Conditions on values that their column never has: most often a typing error."""
    known = values_of(rules)
    for path, block in blocks(rules):
        for family, column, condition in block.criteria():
            for name, operand in condition.operators():
                if column in known and name in ("is", "not", "in", "not_in"):
                    asked = operand if isinstance(operand, tuple) else (operand,)
                    yield from _unknown((*path, family, column), known[column], asked)


def _unknown(path: KeyPath, known: Values, asked: Iterable[object]) -> Iterator[Finding]:
    for value in asked:
        if isinstance(value, str) and value not in known.names:
            hint = nearest(value, known.names, f"{known.kind}s")
            yield Finding(
                path, f"{known.owner} has no {known.kind} `{value}`", hint, warning=True, code=codes.UNKNOWN_VALUE
            )
