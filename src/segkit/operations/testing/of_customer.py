"""A customer as a `[[test]]` of the rule file: what rules read of him, and what they make of it.

The test is run before it is shown. What is personal is made up, so that every condition holds as it did.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import polars as pl
import tomli
from pydantic import ValidationError

from segkit.columns import helpers
from segkit.columns.features.rfm.cuts import exact
from segkit.columns.features.steps import MeasureStep
from segkit.columns.helpers import KEY, ROW, is_visible
from segkit.columns.plan.mentions import Mention, mentions
from segkit.criteria.readings import moment
from segkit.criteria.tree import leaves
from segkit.io.read import Workspace
from segkit.operations.column_facts.personal_columns import personal_among
from segkit.operations.decide import Decision
from segkit.operations.explanation.outcomes import outcome_of
from segkit.operations.testing.batches import batches_of
from segkit.operations.testing.given import given_of
from segkit.operations.testing.known import Known, known_of
from segkit.operations.testing.verdicts import UNDECIDED, Run, computed, verdicts_of
from segkit.results.terms import CONTROL, WRITTEN
from segkit.rules.model.base import freeze
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.model.tests import RuleTest
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.toml import toml_key, toml_value
from segkit.rules.walk import blocks
from segkit.words import listed

STOPS = ("consent", "suppressed", "frequency_cap", "claimed")
_DRAWN = {
    "sample": "not in the sample of",
    "limit": "beyond the limit of",
    "holdout": "held out of",
    CONTROL: "in the control group of",
}
"""Reasons that hang on the other customers, or on chance."""
LONG, CHILDHOOD = 10_000, 14 * 365
"""From which number, and from how many days before now, a value may be somebody's own."""
_SHOWN_ONLY = ("output", "mavr", "evaluate")
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


class _Found(NamedTuple):
    """Whether the criteria of each segment hold, as far as a test can tell, and what the gates say."""

    matched: dict[str, bool]
    outcomes: dict[str, str | None]


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
    numbered = _with_own_ids(rules, cells, trial)
    ids = [f"`{rules.events[table].id}` of `{table}`" for table in cells.events if rules.events[table].id]
    stay = ids if ids and numbered is cells else []
    cells = numbered
    made, kept = _made_up(run, known, cells, trial)
    found = trial.of(made)
    real = {name for name, line in run.ledger.lines.items() if line.matched[place]}
    warnings = [
        f"`{one.column}` of `{one.table}` is personal, and left as it is: nothing made up does the same" for one in kept
    ]
    warnings += [f"{one} stays as it is, since a condition looks at it: it tells whose order it was" for one in stay]
    if wrong := [name for name, matched in found.matched.items() if matched is not (name in real)]:
        warnings.append(f"of {listed(wrong)}, the test says something else than the data")
    text = _text(made, found, number, run)
    if not trial.passes(text):
        warnings.append("`segkit test` does not pass it: what it expects has to be written by hand")
    comments = [*warnings, *_open(rules, found), *_aside(run, place, found)]
    # What looks like a variable is one in a rule file, unless it has a second `$`.
    # A name of a column may have a line break.
    return Written(
        "".join(f"# {' '.join(one.split())}\n" for one in comments) + text.replace("${", "$${"), tuple(warnings)
    )


def _open(rules: RuleFile, found: _Found) -> Iterator[str]:
    """What a test cannot tell."""
    if unknown := [name for name in rules.segment if name not in found.matched]:
        yield f"{listed(unknown)}: no test can tell, which has one customer"
    if stays := [name for name, outcome in found.outcomes.items() if outcome == UNDECIDED and name in found.matched]:
        yield f"whether {listed(stays, 'or')} is written, no test can tell"


def _aside(run: Decision, place: int, found: _Found) -> Iterator[str]:
    """What the data say otherwise, since a test knows of no sample, limit or holdout."""
    lines = {name: line for name, line in run.ledger.lines.items() if run.rules.segment[name].write}
    now = {name: outcome_of(line, place, write=True) for name, line in lines.items()}
    for reason, words in _DRAWN.items():
        names = [name for name, outcome in now.items() if outcome == reason and found.outcomes.get(name) == WRITTEN]
        if names:
            yield f"{words} {listed(names)} in the data: a test leaves draws and limits aside"


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
    timed = {name for name in customer if moment(name) in plan.views[CUSTOMERS].frame.collect_schema()}
    if timed:
        customer |= next(iter(_rows(run, CUSTOMERS, timed, values[KEY])), {})
    measured = dict.fromkeys(s.measure.spec.events for s in plan.steps if isinstance(s, MeasureStep))
    measured |= dict.fromkeys(filter(None, [rules.customers.from_]))  # without an event there is no customer
    match = values[plan.match]
    events = {table: _events(run, known, table, match) for table in measured}
    on = tuple(dict.fromkeys(file for file, column in plan.listed if values[helpers.listed(file, column)]))
    # What customers take from their events stands there.
    taken = {name for row in events.get(str(rules.customers.from_), ()) for name in row}
    there = {name: value for name, value in customer.items() if value is not None and name not in taken}
    return _Cells(there, {table: rows for table, rows in events.items() if rows}, on)


def _events(run: Decision, known: Known, table: str, key: str) -> list[dict[str, Any]]:
    spec = run.rules.events[table]
    names = _read(run.rules, known, table) | ({spec.time} - spec.derive.keys())
    return _rows(run, table, names - {spec.key or run.rules.customers.key}, key)


def _rows(run: Decision, table: str, names: AbstractSet[str], key: str) -> list[dict[str, Any]]:
    """The rows of a customer in a table, with the time of day where rules look at it."""
    view = run.evaluated.plan.views[table]
    there = view.kept().filter(pl.col(KEY) == key)
    known = there.collect_schema()
    if ROW in known:  # joins may bring rows out of their order
        there = there.sort(ROW)
    asked = [pl.col(moment(n) if moment(n) in known else n).alias(n) for n in view.schema if n in names]
    cells = [
        {name: _cell(value) for name, value in row.items()} for row in there.select(asked).collect().rows(named=True)
    ]
    return [{name: value for name, value in row.items() if value is not None} for row in cells]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(one) for one in value if one is not None)
    if isinstance(value, (Decimal, float)):
        return exact(value) if math.isfinite(value) else None
    return value


def _with_own_ids(rules: RuleFile, cells: _Cells, trial: _Trial) -> _Cells:
    """The cells with numbers in place of the ids of events, in the order of these: an order tells whose it is.

    Where a condition looks at ids, they stay.
    """
    events = dict(cells.events)
    for table, rows in cells.events.items():
        column = rules.events[table].id
        values = sorted({row[column] for row in rows if column in row}) if column else []
        numbers = {value: f"{n:03}" if isinstance(value, str) else n for n, value in enumerate(values, 1)}
        events[table] = [{n: numbers[v] if n == column else v for n, v in row.items()} for row in rows]
    numbered = cells._replace(events=events)
    before, after = trial.held([cells, numbered])
    return numbered if before == after else cells


class _Trial:
    """Runs made-up customers through the steps of the rules."""

    def __init__(self, run: Decision, known: Known, ws: Workspace) -> None:
        self._loaded, self._known, self._ws = run.loaded, known, ws
        self._as_of = run.evaluated.plan.context.as_of

    def of(self, cells: _Cells) -> _Found:
        """What becomes of such a customer."""
        ((run, place),) = self._places([cells])
        if place is None:
            return _Found(dict.fromkeys(self._loaded.rules.segment, False), {})
        lines = {name: line for name, line in run.ledger.lines.items() if name not in run.undecided.criteria}
        return _Found({name: bool(line.matched[place]) for name, line in lines.items()}, run.outcomes(place))

    def passes(self, text: str) -> bool:
        """Whether a test that is written so says what becomes of its customer."""
        (table,) = tomli.loads(text, parse_float=Decimal)["test"]
        try:
            test = RuleTest.model_validate(freeze(table))
        except ValidationError:  # a number that no rule file may have
            return False
        given = given_of(self._loaded.rules, self._known, 0, test, self._as_of)
        for batch in batches_of([given], self._known):
            (verdict,), wrong = verdicts_of(self._loaded, batch, self._known, self._ws)
        return not verdict.differences and not wrong

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
    for one in _personal(run, cells):
        tried = [_with(cells, one, make) for make in _makers(run.rules, one)]
        tried = [made for made in tried if _is_made_up(made, cells, one, run.rules)]
        before, *after = trial.held([cells, *tried])
        good = next((made for made, held in zip(tried, after, strict=True) if held == before), None)
        if good is None:
            kept.append(one)
        else:
            cells = good
    return cells, kept


def _personal(run: Decision, cells: _Cells) -> list[_Personal]:
    """The columns of a test with personal data, as all rows say; and with values that few customers have."""
    given = [_Personal(CUSTOMERS, column) for column in cells.customer]
    given += [_Personal(table, name) for table, rows in cells.events.items() for name in dict.fromkeys(chain(*rows))]
    own = {(table, name) for table, spec in run.rules.events.items() for name in (spec.time, spec.id)}
    given = [one for one in given if one not in own]
    personal = personal_among(run.evaluated.plan, run.customers.lazy(), given)
    return [one for one in given if one in personal or _is_rare(run, cells, one)]


def _is_rare(run: Decision, cells: _Cells, one: _Personal) -> bool:
    """Whether some value of the customer is that of fewer customers than a cell may have, so that it tells of him."""
    values = [each for value in _values(cells, one) for each in (value if isinstance(value, tuple) else (value,))]
    as_of = run.evaluated.plan.context.as_of
    telling = [value for value in values if _may_tell(value, as_of, of_customer=one.table == CUSTOMERS)]
    if not telling:
        return False
    rows = run.customers.lazy() if one.table == CUSTOMERS else run.evaluated.plan.views[one.table].kept()
    column = pl.col(one.column)
    if isinstance(rows.collect_schema()[one.column], pl.List):
        rows = rows.select(KEY, one.column).explode(one.column)
    having = rows.filter(column.is_in(telling)).group_by(column).agg(pl.col(KEY).n_unique()).collect()
    return len(having) < len(set(telling)) or bool((having[KEY] < run.rules.output.min_cell).any())


def _may_tell(value: Any, as_of: dt.date, *, of_customer: bool) -> bool:
    """Whether a value may tell who somebody is: a text, a number as long as a member's, a day like that of a birth."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return of_customer and (as_of - value).days > CHILDHOOD
    return isinstance(value, str) or (type(value) is int and abs(value) >= LONG)


Maker = Callable[[Any, int], Any]
"""Makes a value of one that is there; the number tells different values apart."""


def _with(cells: _Cells, one: _Personal, make: Maker) -> _Cells:
    """The cells with other values in one column: equal ones stay equal, different ones different."""
    rows = [cells.customer] if one.table == CUSTOMERS else cells.events[one.table]
    made = {value: make(value, number) for number, value in enumerate(_values(cells, one), 1)}
    changed = [{n: made[v] if n == one.column else v for n, v in row.items()} for row in rows]
    if one.table == CUSTOMERS:
        return cells._replace(customer=changed[0])
    return cells._replace(events={**cells.events, one.table: changed})


def _is_made_up(made: _Cells, cells: _Cells, one: _Personal, rules: RuleFile) -> bool:
    """Whether no value is the real one, but where the rule file has it anyway, and different ones stay different."""
    asked = {str(text) for text in _asked(rules, one)}
    real, now = ([str(value) for value in _values(which, one)] for which in (cells, made))
    return len(now) == len(real) and not set(real) & set(now) - asked


def _values(cells: _Cells, one: _Personal) -> list[Any]:
    rows = [cells.customer] if one.table == CUSTOMERS else cells.events[one.table]
    return list(dict.fromkeys(row[one.column] for row in rows if one.column in row))


def _makers(rules: RuleFile, one: _Personal) -> Iterator[Maker]:
    """Ways to make a value up, the plainest first; then with what conditions ask for."""
    yield _plain
    yield partial(_unless_asked, frozenset(one for one in _asked(rules, one) if isinstance(one, str)))
    for asked in _asked(rules, one):
        if isinstance(asked, str):
            yield from (partial(_of_text, form, asked) for form in _FORMS)
        elif isinstance(asked, (int, Decimal)) and not isinstance(asked, bool):
            yield from (partial(_of_number, asked + more) for more in (0, 1, -1))
    yield _first_of_month
    yield from (partial(_moved, days) for days in (31, 14, 3, 1, -1, -3, -14, -31))


_FORMS = ("person{number}@example{text}", "{text} {number}", "{text}00{number}", "person{number}{text}", "{text}")
"""Texts that begin, or end, as a condition asks."""


def _of_text(form: str, text: str, value: Any, number: int) -> Any:
    return form.format(text=text, number=number) if isinstance(value, str) else _plain(value, number)


def _unless_asked(asked: frozenset[str], value: Any, number: int) -> Any:
    """The value itself where a condition names it."""
    return value if isinstance(value, str) and value in asked else _plain(value, number)


def _of_number(asked: int | Decimal, value: Any, number: int) -> Any:
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return asked if is_number else _plain(value, number)


def _plain(value: Any, number: int) -> Any:
    """Something that is nobody's: an address that the standards keep for examples, the first day of a year."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"person{number}@example.org" if "@" in value else f"example {number}"
    if isinstance(value, tuple):
        return tuple(f"example {number}.{n}" for n in range(1, len(value) + 1))
    if isinstance(value, dt.date):
        first = value.replace(month=1, day=1)
        return first if first != value else first.replace(day=2)
    if isinstance(value, Decimal) and value != value.to_integral_value():
        return round(value, 1)  # of a place, some ten kilometres around
    digits = len(str(abs(int(value))))
    return int(str(int(value))[: 1 + (value < 0)] + "0" * (digits - 1)) + number


def _first_of_month(value: Any, number: int) -> Any:
    return value.replace(day=1) if isinstance(value, dt.date) else _plain(value, number)


def _moved(days: int, value: Any, number: int) -> Any:
    return value + dt.timedelta(days=days) if isinstance(value, dt.date) else _plain(value, number)


def _asked(rules: RuleFile, one: _Personal) -> Iterator[Any]:
    """The texts and numbers that conditions compare the column with."""
    for mention in mentions(rules):
        if (mention.table, mention.column) == one and mention.condition:
            for _, operand in mention.condition.operators():
                yield from operand if isinstance(operand, tuple) else (operand,)


def _text(cells: _Cells, found: _Found, number: int, run: Decision) -> str:
    """The test as it stands in a rule file."""
    matched = [name for name in run.rules.segment if found.matched.get(name)]
    writes = any(segment.write for segment in run.rules.segment.values())
    written = [name for name in matched if found.outcomes.get(name) == WRITTEN]
    stopped = {name: str(found.outcomes[name]) for name in matched if found.outcomes.get(name) in STOPS}
    lines = ["[[test]]", f"name = {toml_value(_name(matched, number))}"]
    lines.append(f"as_of = {run.evaluated.plan.context.as_of}")
    if cells.customer:
        lines.append(f"customer = {toml_value(cells.customer)}")
    for table, rows in cells.events.items():
        lines += [f"events.{toml_key(table)} = [", *(f"  {toml_value(row)}," for row in rows), "]"]
    if cells.listed:
        lines.append(f"listed = {toml_value(cells.listed)}")
    lines.append(f"segments = {toml_value(matched)}")
    if writes:
        lines.append(f"written = {toml_value(written)}")
    lines += [f"stopped.{toml_key(name)} = {toml_value(reason)}" for name, reason in stopped.items()]
    return "\n".join(lines) + "\n"


def _name(matched: Sequence[str], number: int) -> str:
    names = ", ".join(matched[:3]) + (" and others" if len(matched) > 3 else "")
    where = f"in {names}" if matched else "in no segment"
    return f"customer {number}, {where}"
