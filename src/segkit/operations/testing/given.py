"""What a test gives, and what is wrong with it: columns that nothing reads, values at odds, events of later days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from segkit.columns.features.steps import CutStep
from segkit.criteria.kinds import Kind, article, kind_of_value
from segkit.operations.testing.known import Known, Place
from segkit.rules import walk
from segkit.rules.findings import At, Finding, KeyPath
from segkit.rules.model.base import DECIMALS, shown
from segkit.rules.model.computed.rfm import Rfm, rfm_columns
from segkit.rules.model.computed.rfm_maps import map_codes
from segkit.rules.model.computed.value import PREDICTED
from segkit.rules.model.file import RuleFile
from segkit.rules.model.tests import Cells, RuleTest
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded
from segkit.words import listed, nearest


class Given(NamedTuple):
    """A test with what its values bring with them: timestamps without a zone, RFM code and segment.

    `key` is the customer's, None where the test gives none. `computed` are columns that the customer brings, `derived`
    are those of event tables. `certain` are columns found over all customers which one without events never has.
    """

    number: int
    test: RuleTest
    as_of: dt.date
    key: str | None
    customer: Mapping[str, Any]
    events: Mapping[str, Sequence[Mapping[str, Any]]]
    computed: frozenset[str]
    derived: frozenset[Place]
    certain: frozenset[str]


def given_of(rules: RuleFile, known: Known, number: int, test: RuleTest, as_of: dt.date) -> Given:
    """The test with what its values bring with them; nothing may be wrong with it."""
    zone = ZoneInfo(rules.timezone)
    customer = {column: _local(value, zone) for column, value in test.customer.items()}
    for table, rfm in rules.rfm.items():
        if completed := _completed(table, rfm, customer):
            customer |= completed
    key = customer.pop(rules.customers.key, None)
    events = {
        table: [{column: _local(value, zone) for column, value in row.items()} for row in rows]
        for table, rows in test.events.items()
    }
    derived = {(table, column) for table, rows in events.items() for row in rows for column in row}
    return Given(
        number=number,
        test=test,
        as_of=as_of,
        key=key,
        customer=customer,
        events=events,
        computed=frozenset(customer.keys() & {*known.computed, *rules.customers.derive}),
        derived=frozenset((table, column) for table, column in derived if column in rules.events[table].derive),
        certain=frozenset(_certain(rules, test)),
    )


def _certain(rules: RuleFile, test: RuleTest) -> Iterator[str]:
    for table, rfm in rules.rfm.items():
        columns = rfm_columns(table)
        if rfm.events and not test.events.get(rfm.events) and test.customer.keys().isdisjoint(columns):
            yield from columns[3:]
    if rules.value and rules.value.predict and not test.events.get(rules.value.events):
        yield from () if "revenue" in test.customer else PREDICTED


def _local(value: Any, zone: ZoneInfo) -> Any:
    """A timestamp with a zone as the time in that of the rules; any other value as it is."""
    zoned = isinstance(value, dt.datetime) and value.tzinfo is not None
    return value.astimezone(zone).replace(tzinfo=None) if zoned else value


def day_of(value: Any, zone: ZoneInfo) -> dt.date:
    """The day of a date or timestamp, in the zone of the rules."""
    local = _local(value, zone)
    day: dt.date = local.date() if isinstance(local, dt.datetime) else local
    return day


def _scores(table: str, customer: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(customer.get(name) for name in rfm_columns(table)[3:6])


def _completed(table: str, rfm: Rfm, customer: Mapping[str, Any]) -> dict[str, Any]:
    """The code and the segment of the three scores of a table, where a test gives them."""
    scores = _scores(table, customer)
    if not all(type(score) is int and 1 <= score <= rfm.bins for score in scores):
        return {}
    r, f, m = scores
    code, segment = rfm_columns(table)[6:]
    return {code: ("-" if rfm.bins == 10 else "").join(map(str, scores)), segment: map_codes(rfm).get((r, f, m))}


def today_of(rules: RuleFile, test: RuleTest, as_of: dt.date | None) -> dt.date:
    """The day that is "now" for a test: its own, else `as_of`, else that of the rules."""
    return test.as_of or as_of or rules.today()


def wrong_tests(loaded: Loaded, known: Known, as_of: dt.date | None = None) -> list[Finding]:
    """What is wrong with what the tests of a rule file give, as far as it shows without their being run."""
    rules = loaded.rules
    findings = list(_of_other_kinds(rules.test, known, loaded.source.at))
    for number, test in enumerate(rules.test):
        findings += _wrong_in(rules, known, number, test, today_of(rules, test, as_of))
    return findings


def _wrong_in(rules: RuleFile, known: Known, number: int, test: RuleTest, as_of: dt.date) -> Iterator[Finding]:
    path: KeyPath = ("test", number)
    key = rules.customers.key
    customers = known.columns[CUSTOMERS] | known.computed.keys() | {key}
    yield from _unknown((*path, "customer"), test.customer, customers, "customers")
    yield from _of_events(rules, (*path, "customer"), test)
    if key in test.customer and not (isinstance(test.customer[key], str) and test.customer[key].strip()):
        yield Finding((*path, "customer", key), f"the key is text, not {shown(test.customer[key])}", "put it in quotes")
    for table, rows in test.events.items():
        for position, row in enumerate(rows):
            here = (*path, "events", table, position)
            yield from _event(rules, known, here, row, as_of)
        yield from _derived_in_some((*path, "events", table), rows, rules.events[table].derive)
    yield from _incomplete(rules, known, (*path, "customer"), test.customer)
    yield from _unlisted(rules, (*path, "listed"), test)


def _unknown(path: KeyPath, row: Cells, known: frozenset[str], table: str) -> Iterator[Finding]:
    for column in row:
        if column not in known:
            hint = nearest(column, sorted(known)) or "only columns that rules read make a difference: take it out"
            yield Finding((*path, column), f"no rule reads a column `{column}` of `{table}`", hint)


def _of_events(rules: RuleFile, path: KeyPath, test: RuleTest) -> Iterator[Finding]:
    """Findings about columns that customers take from their events, of which the test says two things."""
    origin = rules.customers.from_
    for row in test.events.get(origin, ()) if origin else ():
        for column, value in row.items():
            if column in test.customer and value is not None and test.customer[column] != value:
                message = f"customers have their `{column}` from `{origin}`, where it is {shown(value)}"
                yield Finding((*path, column), message, "leave it out of `customer`")


def _event(rules: RuleFile, known: Known, path: KeyPath, row: Cells, as_of: dt.date) -> Iterator[Finding]:
    table = str(path[-2])
    spec = rules.events[table]
    key = spec.key or rules.customers.key
    if key in row:
        yield Finding((*path, key), f"`{key}` is the key of the customer", "take it out: a test has one customer")
    yield from _unknown(path, {c: v for c, v in row.items() if c != key}, known.columns[table], table)
    if spec.time in spec.derive and spec.time not in row:
        return
    time = row.get(spec.time)
    if time is None:
        yield Finding(path, f"the event has no `{spec.time}`", "each event has a day, such as 2024-03-01")
    elif isinstance(time, dt.date) and day_of(time, ZoneInfo(rules.timezone)) > as_of:
        message = f'the event is of {day_of(time, ZoneInfo(rules.timezone))}, after {as_of}, which is "now"'
        yield Finding((*path, spec.time), message, "events of later days do not exist: give another day, or `as_of`")


def _derived_in_some(path: KeyPath, rows: Sequence[Cells], derive: Mapping[str, str]) -> Iterator[Finding]:
    for column in derive:
        having = [position for position, row in enumerate(rows) if column in row]
        if having and len(having) < len(rows):
            message = f"`{column}` is given in some events, and derived in others"
            yield Finding((*path, having[0], column), message, "give it in all events of the test, or in none")


def _incomplete(rules: RuleFile, known: Known, path: KeyPath, customer: Cells) -> Iterator[Finding]:
    """Findings about columns that come together: three scores make code and segment; a prediction is a whole."""
    steps = {step for step in known.computed.values() if isinstance(step, CutStep)}
    scored = {rfm_columns(table)[3:]: (table, rfm) for table, rfm in rules.rfm.items()}
    for step in sorted(steps, key=lambda step: step.names):
        given = [name for name in step.names if name in customer]
        if given and step.names in scored:
            yield from _wrong_scores(path, *scored[step.names], customer, given)
        elif given and len(given) < len(step.names):
            missing = listed(name for name in step.names if name not in customer)
            yield Finding((*path, given[0]), f"`{given[0]}` comes with {missing}", "give all of them, or none")


def _wrong_scores(path: KeyPath, table: str, rfm: Rfm, customer: Cells, given: Sequence[str]) -> Iterator[Finding]:
    names = rfm_columns(table)[3:6]
    if lacking := [name for name in names if name not in customer]:
        hint = f"give {listed(names)}: code and segment follow from them"
        yield Finding((*path, given[0]), f"`{given[0]}` comes with {listed(lacking)}", hint)
        return
    for name, score in zip(names, _scores(table, customer), strict=True):
        if type(score) is not int or not 1 <= score <= rfm.bins:
            yield Finding((*path, name), f"a score is a whole number from 1 to {rfm.bins}, not {shown(score)}")
    for name, value in _completed(table, rfm, customer).items():
        if name in customer and customer[name] != value:
            message = f"`{name}` of these scores is {'missing' if value is None else shown(value)}"
            yield Finding((*path, name), f"{message}, not {shown(customer[name])}", "take it out: it follows from them")


def _unlisted(rules: RuleFile, path: KeyPath, test: RuleTest) -> Iterator[Finding]:
    """Findings about lists that compare a column which the test does not give."""
    for position, file in enumerate(test.listed):
        for _, _, permission in walk.permissions(rules):
            column = permission.suppress_on or rules.customers.key
            if file in permission.suppress and column != rules.customers.key and column not in test.customer:
                message = f"`{file}` is compared by `{column}`, which the customer does not have"
                yield Finding((*path, position), message, f'give `customer.{column} = "..."`')


def _cells(tests: Sequence[RuleTest]) -> Iterator[tuple[KeyPath, Place, Any]]:
    """Each value of the tests: where it stands, and in which column."""
    for number, test in enumerate(tests):
        yield from ((("test", number, "customer", c), (CUSTOMERS, c), v) for c, v in test.customer.items())
        for table, rows in test.events.items():
            for position, row in enumerate(rows):
                path: KeyPath = ("test", number, "events", table, position)
                yield from (((*path, column), (table, column), value) for column, value in row.items())


def kind_of_cell(value: Any) -> Kind:
    """The kind of a value that a test gives."""
    return "list" if isinstance(value, tuple) else kind_of_value(value)


def _of_other_kinds(tests: Sequence[RuleTest], known: Known, at: At) -> Iterator[Finding]:
    """Findings about values that are of another kind than the rules, or than other tests, have in this column."""
    first: dict[Place, tuple[Kind, KeyPath]] = {}
    for path, place, value in _cells(tests):
        kind, column = kind_of_cell(value), place[1]
        asked = known.kinds.get(place)
        if asked and kind != asked:
            yield Finding(path, f"`{column}` is {article(asked)} in the rules, and {shown(value)} is {article(kind)}")
        elif first.setdefault(place, (kind, path))[0] != kind:
            other, there = first[place]
            message = f"{shown(value)} is {article(kind)}, but `{column}` is {article(other)} in line {at(*there).line}"
            yield Finding(path, message, "a column is of one type in all tests")
        elif kind == "number" and abs(value) >= 10**18:
            yield Finding(path, f"{shown(value)} is too large", "a number has at most 18 digits before the point")
        elif kind == "number" and place in known.money and value != round(value, DECIMALS):
            yield Finding(path, f"{shown(value)} has more than {DECIMALS} decimals, and `{column}` is money")
