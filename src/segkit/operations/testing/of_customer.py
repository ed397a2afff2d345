"""A customer as a `[[test]]` of the rule file: what rules read of him, and what they make of it.

The test is run before it is shown. What is personal is made up, so that every condition holds as it did.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.features.rfm.cuts import exact
from segkit.columns.features.steps import MeasureStep
from segkit.columns.helpers import KEY, is_visible
from segkit.columns.plan.mentions import Mention, mentions
from segkit.criteria.tree import leaves
from segkit.io.read import Workspace
from segkit.operations.decide import Decision
from segkit.operations.delivery.personal_data import is_personal
from segkit.operations.testing.batches import batches_of
from segkit.operations.testing.given import given_of
from segkit.operations.testing.known import Known, known_of
from segkit.operations.testing.verdicts import UNDECIDED, Run, computed
from segkit.results import WRITTEN
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.model.tests import RuleTest
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.toml import toml_key, toml_value
from segkit.rules.walk import blocks
from segkit.words import listed

STOPS = ("consent", "suppressed", "frequency_cap", "claimed")
_SHOWN_ONLY = ("output", "mavr")
"""Sections that look at columns, and decide nothing."""


class Written(NamedTuple):
    """The text of a test, and what there is to warn of."""

    text: str
    warnings: tuple[str, ...]


class _Cells(NamedTuple):
    """What a test gives: columns of the customer, events by table, lists that he is on."""

    customer: dict[str, Any]
    events: dict[str, list[dict[str, Any]]]
    listed: tuple[str, ...]


class _Personal(NamedTuple):
    """A column whose values are made up."""

    table: str
    column: str


def read_columns(rules: RuleFile, known: Known) -> frozenset[str]:
    """The columns of customers that a test gives where they have a value."""
    cuts = {name for cut in known.cuts for name in cut.names if is_visible(name)}
    return frozenset(_read(rules, known, CUSTOMERS) | cuts)


def _read(rules: RuleFile, known: Known, table: str) -> set[str]:
    spec = rules.customers if table == CUSTOMERS else rules.events[table]
    asked = {one.column for one in mentions(rules) if one.table == table and _decides(one)}
    if not any(block.geographic.places for _, block in blocks(rules)):
        asked -= {rules.customers.latitude, rules.customers.longitude}
    return (asked & known.columns[table]) - spec.derive.keys()


def _decides(mention: Mention) -> bool:
    """Whether a mention makes a difference to a test, which has what lookups bring, and not what they are joined by."""
    joined = mention.role == "key" and mention.path[0] == "lookup"
    return mention.role != "output" and not joined and mention.path[0] not in _SHOWN_ONLY


def as_test(run: Decision, place: int, number: int, ws: Workspace) -> Written:
    """The test of the customer in this row."""
    rules, known = run.rules, known_of(run.rules)
    cells = _cells(run, known, place)
    trial = _Trial(run, known, ws)
    cells = _with_own_ids(rules, cells)
    made, kept = _made_up(run, known, cells, trial)
    found = trial.of([made])[0]
    real = {name for name, line in run.ledger.lines.items() if line.matched[place]}
    comments = [
        f"`{one.column}` of `{one.table}` is personal, and left as it is: nothing made up does the same" for one in kept
    ]
    decided = {name: outcome for name, outcome in found.items() if outcome != UNDECIDED}
    if wrong := sorted(name for name, outcome in decided.items() if (outcome is not None) is not (name in real)):
        comments.append(f"of {listed(wrong)}, the test says something else than the data")
    if open_ := [name for name in rules.segment if found.get(name) == UNDECIDED]:
        comments.append(f"{listed(open_)}: no test can tell, which has one customer")
    return Written(_text(made, decided, comments, number, run), tuple(comments[: len(kept) + bool(wrong)]))


def _cells(run: Decision, known: Known, place: int) -> _Cells:
    rules, plan = run.rules, run.evaluated.plan
    row = run.customers[place]
    values = row.row(0, named=True)
    customer = {name: _cell(values[name]) for name in sorted(_read(rules, known, CUSTOMERS)) if name in values}
    scored = {rfm_columns(table)[3:]: rfm_columns(table)[3:6] for table in rules.rfm}
    for cut in known.cuts:
        names = scored.get(cut.names, cut.names)
        if all(is_visible(name) and values.get(name) is not None for name in names):
            customer |= {name: _cell(values[name]) for name in names}
    customer.pop(rules.customers.key, None)
    measured = dict.fromkeys(s.measure.spec.events for s in plan.steps if isinstance(s, MeasureStep))
    match = values[plan.match]
    events = {table: _events(run, known, table, match) for table in measured}
    on = tuple(dict.fromkeys(file for file, column in plan.listed if values[helpers.listed(file, column)]))
    there = {name: value for name, value in customer.items() if value is not None}
    return _Cells(there, {table: rows for table, rows in events.items() if rows}, on)


def _events(run: Decision, known: Known, table: str, key: str) -> list[dict[str, Any]]:
    view, spec = run.evaluated.plan.views[table], run.rules.events[table]
    names = _read(run.rules, known, table) | ({spec.time} - spec.derive.keys())
    asked = [name for name in view.schema if name in names and name != (spec.key or run.rules.customers.key)]
    rows = view.kept().filter(pl.col(KEY) == key).select(asked).collect().rows(named=True)
    cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
    return [{name: value for name, value in row.items() if value is not None} for row in cells]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    if isinstance(value, (Decimal, float)):
        return exact(value) if math.isfinite(value) else None
    return value.date() if isinstance(value, dt.datetime) else value


def _with_own_ids(rules: RuleFile, cells: _Cells) -> _Cells:
    """The cells with numbers in place of the ids of events, in the order of these: an order tells whose it is."""
    events = dict(cells.events)
    for table, rows in cells.events.items():
        column = rules.events[table].id
        values = sorted({row[column] for row in rows if column in row}) if column else []
        numbers = {value: f"{n:03}" if isinstance(value, str) else n for n, value in enumerate(values, 1)}
        events[table] = [{n: numbers[v] if n == column else v for n, v in row.items()} for row in rows]
    return cells._replace(events=events)


class _Trial:
    """Runs made-up customers through the steps of the rules."""

    def __init__(self, run: Decision, known: Known, ws: Workspace) -> None:
        self._loaded, self._known, self._ws = run.loaded, known, ws
        self._as_of = run.evaluated.plan.context.as_of

    def of(self, tests: Sequence[_Cells]) -> list[dict[str, str | None]]:
        """What became of each in each segment."""
        return [run.outcomes(place) if place is not None else {} for run, place in self._places(tests)]

    def held(self, tests: Sequence[_Cells]) -> list[tuple[object, ...]]:
        """Of each, whether each condition of the rule file holds, and what became of him."""
        found: list[tuple[object, ...]] = []
        for run, place in self._places(tests):
            if place is None:
                found.append(())
                continue
            asked = [leaf.holds for tree in run.trees.values() for leaf in leaves(tree)]
            row = run.customers[place].select(one.alias(str(n)) for n, one in enumerate(asked)).row(0) if asked else ()
            found.append((*row, *(str(one) for one in run.outcomes(place).values())))
        return found

    def _places(self, tests: Sequence[_Cells]) -> list[tuple[Run, int | None]]:
        rules = self._loaded.rules
        given = []
        for number, cells in enumerate(tests):
            test = RuleTest.model_construct(
                name=str(number), as_of=self._as_of, customer=cells.customer,
                events={table: tuple(rows) for table, rows in cells.events.items()},
                listed=cells.listed, segments=None, not_segments=(), written=None, stopped={},
            )  # fmt: skip
            given.append(given_of(rules, self._known, number, test, self._as_of))
        found: dict[int, tuple[Run, int | None]] = {}
        for batch in batches_of(given, self._known):
            run = computed(self._loaded, batch, self._known, self._ws)
            for one, key in zip(batch.tests, batch.keys, strict=True):
                found[one.number] = (run, run.places.get(key))
        return [found[number] for number in range(len(tests))]


def _made_up(run: Decision, known: Known, cells: _Cells, trial: _Trial) -> tuple[_Cells, list[_Personal]]:
    """The cells with values made up where they are personal, and the columns for which nothing made up will do."""
    kept: list[_Personal] = []
    personal = [*_personal(run, cells)]
    for one in personal:
        tried = [_with(cells, one, make) for make in _makers(run.rules, one)]
        before, *after = trial.held([cells, *tried])
        good = next((made for made, held in zip(tried, after, strict=True) if held == before), None)
        if good is None:
            kept.append(one)
        else:
            cells = good
    return cells, kept


def _personal(run: Decision, cells: _Cells) -> Iterator[_Personal]:
    for column in cells.customer:
        if column in run.customers.columns and is_personal(column, run.customers[column]):
            yield _Personal(CUSTOMERS, column)
    for table, rows in cells.events.items():
        for column in dict.fromkeys(name for row in rows for name in row):
            values = run.evaluated.plan.views[table].frame.select(column).head(1_000).collect()[column]
            if column != run.rules.events[table].time and is_personal(column, values):
                yield _Personal(table, column)


Maker = Callable[[Any, int], Any]
"""Makes a value of one that is there; the number tells different values apart."""


def _with(cells: _Cells, one: _Personal, make: Maker) -> _Cells:
    """The cells with other values in one column: equal ones stay equal, different ones different."""
    rows = [cells.customer] if one.table == CUSTOMERS else cells.events[one.table]
    values = list(dict.fromkeys(row[one.column] for row in rows if one.column in row))
    made = {value: make(value, number) for number, value in enumerate(values, 1)}
    changed = [{n: made[v] if n == one.column else v for n, v in row.items()} for row in rows]
    if one.table == CUSTOMERS:
        return cells._replace(customer=changed[0])
    return cells._replace(events={**cells.events, one.table: changed})


def _makers(rules: RuleFile, one: _Personal) -> Iterator[Maker]:
    """Ways to make a value up, the plainest first; for texts, also with what conditions ask for."""
    yield _plain
    for text in _asked_texts(rules, one):
        yield from (partial(_of_text, form, text) for form in _FORMS)
    yield from (partial(_moved, days) for days in (31, 14, 3, 1, -1, -3, -14, -31))


_FORMS = ("person{number}@example{text}", "{text} {number}", "{text}00{number}", "person{number}{text}", "{text}")
"""Texts that begin, or end, as a condition asks."""


def _of_text(form: str, text: str, value: Any, number: int) -> Any:
    return form.format(text=text, number=number) if isinstance(value, str) else _plain(value, number)


def _plain(value: Any, number: int) -> Any:
    """Something that is nobody's: an address that the standards keep for examples, the first of a month."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"person{number}@example.org" if "@" in value else f"example {number}"
    if isinstance(value, tuple):
        return tuple(f"example {number}.{n}" for n in range(1, len(value) + 1))
    if isinstance(value, dt.date):
        first = value.replace(day=1)
        return first if first != value else first.replace(day=2)
    return _rounded(value)


def _rounded(value: Any) -> Any:
    """A number near it, so that a place is no longer that of a house."""
    near = round(value, 1) if isinstance(value, (float, Decimal)) else value
    return near if near != value else value + 1


def _moved(days: int, value: Any, number: int) -> Any:
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=days)
    return (
        value + days if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else _plain(value, 1)
    )


def _asked_texts(rules: RuleFile, one: _Personal) -> Iterator[str]:
    """The texts that conditions compare the column with."""
    for mention in mentions(rules):
        if (mention.table, mention.column) == one and mention.condition:
            for _, operand in mention.condition.operators():
                yield from _texts(operand)


def _texts(operand: Any) -> Iterator[str]:
    if isinstance(operand, str):
        yield operand
    elif isinstance(operand, tuple):
        for one in operand:
            yield from _texts(one)


def _text(cells: _Cells, decided: Mapping[str, str | None], comments: Iterable[str], number: int, run: Decision) -> str:
    """The test as it stands in a rule file."""
    matched = [name for name, outcome in decided.items() if outcome is not None]
    writes = {name for name, segment in run.rules.segment.items() if segment.write}
    written = [name for name in matched if decided[name] == WRITTEN]
    stopped = {name: str(decided[name]) for name in matched if decided[name] in STOPS}
    in_file_order = [name for name in run.rules.segment if name in matched]
    lines = [f"# {one}" for one in comments]
    lines += ["[[test]]", f"name = {toml_value(_name(in_file_order, number))}"]
    lines.append(f"as_of = {run.evaluated.plan.context.as_of}")
    if cells.customer:
        lines.append(f"customer = {toml_value(cells.customer)}")
    for table, rows in cells.events.items():
        lines += [f"events.{toml_key(table)} = [", *(f"  {toml_value(row)}," for row in rows), "]"]
    if cells.listed:
        lines.append(f"listed = {toml_value(cells.listed)}")
    lines.append(f"segments = {toml_value(in_file_order)}")
    if writes:
        lines.append(f"written = {toml_value([name for name in run.rules.segment if name in written])}")
    lines += [f"stopped.{toml_key(name)} = {toml_value(reason)}" for name, reason in stopped.items()]
    return "\n".join(lines) + "\n"


def _name(matched: Sequence[str], number: int) -> str:
    names = ", ".join(matched[:3]) + (" and others" if len(matched) > 3 else "")
    where = f"in {names}" if matched else "in no segment"
    return f"customer {number}, {where}"
