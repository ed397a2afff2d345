"""What can be wrong between the parts of a valid rule file, as far as it shows without the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any

from segkit.diagnostics import Diagnostic, Severity
from segkit.rules import walk
from segkit.rules.check_output import check_output
from segkit.rules.check_rfm import check_rfm
from segkit.rules.check_value import check_value
from segkit.rules.findings import Finding
from segkit.rules.loader import Loaded, by_place
from segkit.rules.measures import CustomerDate
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest

OF_AMOUNT = frozenset({"sum", "mean", "min", "max"})
"""Measures that take the amount unless `of` names a column."""


def check_references(loaded: Loaded) -> list[Diagnostic]:
    """Errors and warnings of a rule file that needs no data to be found out, in the order of the file."""
    found = []
    for check in CHECKS:
        for finding in check(loaded.rules):
            severity = Severity.WARNING if finding.warning else Severity.ERROR
            found.append(Diagnostic(finding.message, loaded.source.at(*finding.path), finding.hint, severity))
    return sorted(dict.fromkeys(found), key=by_place)


def _event_tables(rules: RuleFile) -> Iterator[Finding]:
    """Every event table that is named exists."""
    named = [((*path, "events"), measured.events) for path, measured in walk.measures(rules)]
    if rules.rfm and rules.rfm.events:
        named.append((("rfm", "events"), rules.rfm.events))
    if rules.value:
        named.append((("value", "events"), rules.value.events))
    if rules.customers.from_:
        named.append((("customers", "from"), rules.customers.from_))
    named += [(("lookup", name, "into"), spec.into) for name, spec in rules.lookup.items() if spec.into != "customers"]
    for path, name in named:
        if name not in rules.events:
            yield Finding(path, f"there is no `[events.{name}]`", nearest(name, rules.events, "event tables"))
    if "customers" in rules.events:
        message = "an event table cannot have the name `customers`"
        yield Finding(("events", "customers"), message, "`customers` is the customer file; rename the event table")


def _segment_names(rules: RuleFile) -> Iterator[Finding]:
    """Every segment that is named exists."""
    for path, block in walk.blocks(rules):
        for key in ("in_segment", "not_in_segment"):
            for position, name in enumerate(getattr(block, key)):
                if name not in rules.segment:
                    hint = nearest(name, rules.segment, "segments")
                    yield Finding((*path, key, position), f"there is no `[segment.{name}]`", hint)


def _segment_cycles(rules: RuleFile) -> Iterator[Finding]:
    """No segment is made of itself."""
    needs: dict[str, list[str]] = {name: [] for name in rules.segment}
    for path, block in walk.blocks(rules):
        needs[str(path[1])] += (*block.in_segment, *block.not_in_segment)
    for cycle in cycles(needs):
        hint = "take one of the references out, or name the common criteria in a segment with `write = false`"
        yield Finding(("segment", cycle[0]), f"segments go in a circle: {' -> '.join(cycle)}", hint)


def _trait_cycles(rules: RuleFile) -> Iterator[Finding]:
    """No trait is made of itself, as far as it shows without reading SQL."""
    needs: dict[str, list[str]] = {}
    for name, trait in rules.trait.items():
        start = trait.since.column if isinstance(trait.since, CustomerDate) else None
        columns = (trait.years_since, trait.days_since, trait.bands and trait.bands.of, start)
        needs[name] = [column for column in columns if column]
    for cycle in cycles(needs):
        yield Finding(("trait", cycle[0]), f"traits go in a circle: {' -> '.join(cycle)}")


def cycles(needs: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Each circle once, from its first name in the order of `needs`, that name again at the end."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> Iterator[list[str]]:
        if name in trail:
            yield [*trail[trail.index(name) :], name]
        elif name in needs and name not in done:
            for other in dict.fromkeys(needs[name]):
                yield from visit(other, [*trail, name])
            done.add(name)

    for name in needs:
        yield from visit(name, [])


def _amounts(rules: RuleFile) -> Iterator[Finding]:
    """Whatever needs money has a table with money."""
    hint = 'add `amount = "..."` to `[events.{}]`, or name a column with `of`'
    for path, measured in walk.measures(rules):
        table = rules.events.get(measured.events)
        if table and not table.amount and measured.of is None and measured.measure in OF_AMOUNT:
            message = f'`measure = "{measured.measure}"` needs an amount, and `[events.{measured.events}]` names none'
            yield Finding((*path, "measure"), message, hint.format(measured.events))
    for name, table in rules.events.items():
        if table.amount_per == "event" and not (table.id and table.amount):
            missing = "id" if table.amount else "amount"
            yield Finding(("events", name, "amount_per"), f'`amount_per = "event"` needs `{missing}` beside it')


def _circles(rules: RuleFile) -> Iterator[Finding]:
    """Circles on the map are on the map, and customers have coordinates."""
    limits = {"latitude": 90, "longitude": 180}
    for path, block in walk.blocks(rules):
        here = (*path, "geographic", "near")
        if block.geographic.near and rules.customers.latitude is None:
            hint = 'add `latitude = "..."` and `longitude = "..."` to `[customers]`: the columns that have them'
            yield Finding(here, "`near` needs the coordinates of the customers", hint)
        for position, near in enumerate(block.geographic.near):
            for key, limit in limits.items():
                value = getattr(near, key)
                if abs(value) > limit:
                    message = f"`{key}` is from -{limit} to {limit} degrees, not {value}"
                    yield Finding((*here, position, key), message)
            if near.km <= 0:
                yield Finding((*here, position, "km"), f"`km` is more than 0, not {near.km}")


def _empty_blocks(rules: RuleFile) -> Iterator[Finding]:
    """A block asks for something."""
    for path, block in walk.blocks(rules):
        if len(path) > 2 and not block.has_criteria():
            yield Finding(path, "the block has no criteria", "add some, or take the block out")


def _never_held(rules: RuleFile) -> Iterator[Finding]:
    """Conditions that no value can satisfy are most often mistakes."""
    for path, condition in walk.conditions(rules):
        operators = dict(condition.operators())
        for low, high in product(("min", "above", "after"), ("max", "below", "before")):
            first, last = operators.get(low), operators.get(high)
            if _is_above(first, last):
                message = f"no value satisfies both `{low} = {first}` and `{high} = {last}`"
                yield Finding(path, message, None, warning=True)
        if condition.missing and len(operators) > 1:
            other = next(name for name in operators if name != "missing")
            message = f"`missing = true` and `{other}` never hold together"
            yield Finding(path, message, "did you mean `or_missing = true`?", warning=True)


def _is_above(first: Any, last: Any) -> bool:
    """Whether both are there, as numbers or as dates, and the wrong way round."""
    comparable = None not in (first, last) and isinstance(first, date) == isinstance(last, date)
    return comparable and bool(first > last)


CHECKS = (
    _event_tables, _segment_names, _segment_cycles, _trait_cycles, _amounts, _circles, _empty_blocks, _never_held,
    check_rfm, check_value, check_output,
)  # fmt: skip
"""All checks; each yields its findings."""
