"""What can be wrong between the parts of a valid rule file, as far as it shows without the data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any

from segkit import codes
from segkit.diagnostics import Diagnostic
from segkit.rules import walk
from segkit.rules.check.checking.allow import check_allow
from segkit.rules.check.checking.evaluate import check_evaluate
from segkit.rules.check.checking.mavr import check_mavr
from segkit.rules.check.families import check_families
from segkit.rules.check.gates import check_gates
from segkit.rules.check.output import check_output
from segkit.rules.check.percents import check_percents
from segkit.rules.check.rfm import check_rfm
from segkit.rules.check.stages import check_stages
from segkit.rules.check.standard_input import check_standard_input
from segkit.rules.check.tests import check_tests
from segkit.rules.findings import Finding
from segkit.rules.model.blocks import Standalone
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import ACTIVE
from segkit.rules.text.loader import Loaded, by_place
from segkit.words import nearest


def check_references(loaded: Loaded) -> list[Diagnostic]:
    """The errors and warnings of a rule file that show in its text alone, in the order of the file."""
    diagnostics = check_standard_input(loaded)
    for check in CHECKS:
        diagnostics += map(loaded.source.placed, check(loaded.rules))
    return sorted(dict.fromkeys(diagnostics), key=by_place)


def _event_tables(rules: RuleFile) -> Iterator[Finding]:
    """Findings about event tables that are named and do not exist, or are called `customers`."""
    for path, name in walk.event_tables(rules):
        if name not in rules.events:
            yield Finding(
                path,
                f"there is no `[events.{name}]`",
                nearest(name, rules.events, "event tables"),
                code=codes.UNKNOWN_NAME,
            )
    if "customers" in rules.events:
        message = "an event table cannot have the name `customers`"
        yield Finding(
            ("events", "customers"),
            message,
            "`customers` is the customer file; rename the event table",
            code=codes.NAME_TAKEN,
        )


def _segment_names(rules: RuleFile) -> Iterator[Finding]:
    """Findings about segments that are named and do not exist."""
    for path, block in walk.blocks(rules):
        for key in ("in_segment", "not_in_segment"):
            for position, name in enumerate(getattr(block, key)):
                if name not in rules.segment:
                    hint = nearest(name, rules.segment, "segments")
                    yield Finding(
                        (*path, key, position), f"there is no `[segment.{name}]`", hint, code=codes.UNKNOWN_NAME
                    )


def _amounts(rules: RuleFile) -> Iterator[Finding]:
    """Findings about whatever needs money where the event table has none."""
    for path, what, name in walk.amounts(rules):
        table = rules.events.get(name)
        if table and not table.amount:
            of_measure = f'add `amount = "..."` to `[events.{name}]`, or name a column with `of`'
            of_section = f'add `amount = "..."`: the column of `[events.{name}]` with the money'
            hint = of_measure if path[-1] == "measure" else of_section
            yield Finding(
                path, f"`{what}` needs an amount, and `[events.{name}]` names none", hint, code=codes.MISSING_KEY
            )
    for name, table in rules.events.items():
        if table.amount_per == "event" and not (table.id and table.amount):
            missing = "id" if table.amount else "amount"
            yield Finding(
                ("events", name, "amount_per"),
                f'`amount_per = "event"` needs `{missing}` beside it',
                code=codes.MISSING_KEY,
            )


def _circles(rules: RuleFile) -> Iterator[Finding]:
    """Findings about circles that are not on the map, and about customers without coordinates."""
    limits = {"latitude": 90, "longitude": 180}
    for path, block in walk.blocks(rules):
        here = (*path, "geographic", "near")
        for key in block.geographic.places if rules.customers.latitude is None else ():
            hint = 'add `latitude = "..."` and `longitude = "..."` to `[customers]`: the columns that have them'
            yield Finding(
                (*path, "geographic", key),
                f"`{key}` needs the coordinates of the customers",
                hint,
                code=codes.MISSING_KEY,
            )
        for position, near in enumerate(block.geographic.near):
            for key, limit in limits.items():
                value = getattr(near, key)
                if abs(value) > limit:
                    message = f"`{key}` is from -{limit} to {limit} degrees, not {value}"
                    yield Finding((*here, position, key), message)
            if near.km <= 0:
                yield Finding((*here, position, "km"), f"`km` is more than 0, not {near.km}")


def _empty_blocks(rules: RuleFile) -> Iterator[Finding]:
    """Findings about blocks that ask for nothing."""
    for path, block in walk.blocks(rules):
        if not isinstance(block, Standalone) and not block.has_criteria():
            yield Finding(path, "the block has no criteria", "add some, or take the block out", code=codes.MISSING_KEY)


def _never_held(rules: RuleFile) -> Iterator[Finding]:
    """Warnings about conditions that no value can satisfy: most often, they are mistakes."""
    for path, condition in walk.conditions(rules):
        operators = dict(condition.operators())
        for low, high in product(("min", "above", "after"), ("max", "below", "before")):
            first, last = operators.get(low), operators.get(high)
            if _is_above(first, last):
                message = f"no value satisfies both `{low} = {first}` and `{high} = {last}`"
                yield Finding(path, message, None, warning=True, code=codes.IMPOSSIBLE_CONDITION)
        if condition.missing and len(operators) > 1:
            other = next(name for name in operators if name != "missing")
            message = f"`missing = true` and `{other}` never hold together"
            yield Finding(
                path, message, "did you mean `or_missing = true`?", warning=True, code=codes.IMPOSSIBLE_CONDITION
            )


def _never_done(rules: RuleFile) -> Iterator[Finding]:
    """Warnings about event conditions on less than one event, though `did` needs one."""
    for path, condition in walk.event_conditions(rules):
        asked = condition.result
        below_one = [n for n in ("is", "max") if asked.get(n, 1) < 1] + ["below"] * (asked.get("below", 2) <= 1)
        if not below_one or condition.measure not in {"count", *ACTIVE}:
            continue  # other measures of some events may be 0
        name, of_did = below_one[0], path[-2] == "did"
        who = "no customer satisfies `did`" if of_did else "every customer satisfies `did_not`"
        message = f"{who} with `{name} = {asked[name]}`: `did` needs at least one event"
        wanted = f'`did_not = {{ events = "{condition.events}", ... }}`, without `{name}`'
        hint = f"for customers without such events: {wanted}" if of_did else f"take `{name}` out, or write `did`"
        yield Finding((*path, name), message, hint, warning=True, code=codes.IMPOSSIBLE_CONDITION)


def _is_above(first: Any, last: Any) -> bool:
    """Whether both are there, both numbers or both dates, and the first is above the second."""
    comparable = None not in (first, last) and isinstance(first, date) == isinstance(last, date)
    return comparable and bool(first > last)


CHECKS = (
    _event_tables, _segment_names, _amounts, _circles, _empty_blocks, _never_held, _never_done, check_families,
    check_rfm, check_stages, check_percents, check_gates, check_output,
    check_allow, check_mavr, check_evaluate, check_tests,
)  # fmt: skip
"""All checks; each yields its findings."""
