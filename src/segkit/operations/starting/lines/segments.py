"""Segments to begin with: one condition each, on values that stand in the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE
from segkit.operations.orders_file.rules import as_toml
from segkit.operations.personal.kinds import words_of
from segkit.operations.starting.known.facts import Facts, Upper
from segkit.operations.starting.known.found import EventsFound, Found
from segkit.operations.starting.known.names import free, slug
from segkit.operations.starting.lines.consent import stops
from segkit.operations.starting.lines.guarded import usable
from segkit.operations.starting.lines.toml_lines import Part, dotted_key, noted
from segkit.results.columns import FrequentValue, KnownColumn
from segkit.rules.tables import CUSTOMERS
from segkit.words import count

PLACEHOLDERS = frozenset(
    {
        "select", "na", "n/a", "n.a.", "n.a", "#n/a", "nan", "none", "null", "nil", "-", "--", "?", ".", "unknown",
        "undefined", "unspecified", "not specified", "not available", "not provided", "tbd", "(blank)", "(none)",
        "(not set)", "choose", "please select", "inconnu", "unbekannt", "keine angabe", "k.a.", "non renseigné",
    }
)  # fmt: skip
"""What forms and exports leave where nothing was chosen."""
TEXTS, NUMBERS, FLAGS, EVENT_TEXTS = 4, 3, 2, 1
"""How many columns of each kind get a segment."""
MOST_VALUES = 200
"""A text with more different values tells little of many."""
LABEL = "segment"
"""The column of the lists with the name of the segment."""
MARKS = (";", "|", ",")
"""What may stand between several values in a field."""
NO_AMOUNTS = frozenset(
    {
        "id", "ids", "key", "keys", "code", "codes", "no", "nr", "number", "numbers", "num", "index", "row", "line",
        "year", "month", "day", "zip", "sku", "ref", "reference",
    }
)  # fmt: skip
"""Words in names of numbers of which more is not more."""


@dataclass
class Names:
    """Names of segments, each once."""

    taken: list[str] = field(default_factory=list)

    def new(self, *texts: str) -> str:
        """A name made of these texts."""
        name = free("-".join(filter(None, map(slug, texts))) or "segment", self.taken)
        self.taken.append(name)
        return name


def of_customers(found: Found, facts: Facts, names: Names) -> Iterator[Part]:
    """Segments by what the customer file says: frequent texts, high numbers, flags, days, birthdays."""
    if not found.customers.table:
        return
    columns = [c for c in facts.columns(CUSTOMERS) if usable(c, found.customers.key)]
    texts = [(c, value) for c in columns if c.type in ("text", "boolean") and (value := example(c))]
    texts.sort(key=lambda told: _says_yes_or_no(told[0]))
    yield from (_equal(c, value, facts, names) for c, value in texts[:TEXTS])
    numbers = [(c, facts.uppers[c.name]) for c in columns if c.type == "number" and c.name in facts.uppers]
    high = [(c, upper) for c, upper in numbers if _tells(c, upper)]
    yield from (_high(c, upper, names) for c, upper in high[:NUMBERS])
    flags = [(c, upper) for c, upper in numbers if upper.distinct == 2 and _of_flags(c)]
    yield from (_flag(c, names) for c, _ in flags[:FLAGS])
    if facts.as_of:
        yield from (_recent(c, names) for c in columns if c.type == "date")
    yield from (_birthday(name, names) for name in facts.births)


def of_events(found: Found, facts: Facts, names: Names) -> Iterator[Part]:
    """Segments by what customers did: by the most frequent value of a column of events, and for other tables lately."""
    for events in found.events:
        if events is not found.main and not stops(events.name):
            yield _lately(events, names)
        columns = [c for c in facts.columns(events.name) if c.name not in roles(events)]
        told = [(c, one) for c in columns if c.type == "text" and usable(c, events.key) and (one := example(c))]
        for column, one in told[:EVENT_TEXTS]:
            yield _did(events, column, one, facts, names)


def roles(events: EventsFound) -> set[str]:
    """The columns of events that play a role."""
    return {events.key, events.time, *filter(None, (events.id, events.amount))}


def is_placeholder(value: object) -> bool:
    """Whether a text stands for nothing chosen."""
    return isinstance(value, str) and value.strip().lower() in PLACEHOLDERS


def several_values(column: KnownColumn) -> str | None:
    """The mark between the values of a field with several of them: one part of some frequent text is another one."""
    if column.type != "text" or column.values is None:
        return None
    texts = {str(one.value).strip() for one in column.values.frequent}
    for mark in MARKS:
        parts = {part.strip() for text in texts if mark in text for part in text.split(mark)}
        if parts & {text for text in texts if mark not in text}:
            return mark
    return None


def example(column: KnownColumn) -> FrequentValue | None:
    """The most frequent value that means something; None where the column tells nobody apart."""
    values = column.values
    if values is None or not values.distinct or not 2 <= values.distinct <= MOST_VALUES or several_values(column):
        return None
    return next((one for one in values.frequent if not is_placeholder(one.value)), None)


def _most(column: KnownColumn) -> FrequentValue | None:
    return next(iter(column.values.frequent), None) if column.values else None


def _says_yes_or_no(column: KnownColumn) -> bool:
    """Whether a text has some yes or no, so that others tell more of a customer."""
    shown = column.values.frequent if column.values else ()
    return any(str(one.value).strip().lower() in (*TRUE, *FALSE) for one in shown)


def _equal(column: KnownColumn, one: FrequentValue, facts: Facts, names: Names) -> Part:
    wanted = one.value if column.type == "boolean" else str(one.value)
    customers = count(facts.tables[CUSTOMERS].rows or 0)
    most = "the most frequent value" if one is _most(column) else "the most frequent one that means something"
    why = f"{most}: {count(one.rows)} of {customers} customers"
    line = f"{dotted_key('demographic', column.name)} = {as_toml(wanted)}"
    told = segment(names.new(column.name, str(one.value)), f"{column.name}: {one.value}", noted(line, why))
    return _with_output(told, column)


def _tells(column: KnownColumn, upper: Upper) -> bool:
    """Whether more is more, as it is not of numbers of accounts, and the quartile cuts off about a quarter."""
    words = set(words_of(column.name))
    lower = column.name.lower()
    of_ids = words & NO_AMOUNTS or lower.endswith(("id", "key", "nr")) or upper.like_ids
    return not of_ids and upper.distinct > 4 and upper.rows <= 0.4 * upper.filled


def _high(column: KnownColumn, upper: Upper, names: Names) -> Part:
    edge = int(upper.value) if upper.value.is_integer() else upper.value
    why = f"the upper quartile: {count(upper.rows)} of {count(upper.filled)} have this or more"
    line = f"{dotted_key('demographic', column.name, 'min')} = {edge}"
    told = segment(names.new("high", column.name), f"{column.name}: {edge:,} or more", noted(line, why))
    return _with_output(told, column)


def _of_flags(column: KnownColumn) -> bool:
    return bool(column.values and {column.values.lowest, column.values.highest} == {0, 1})


def _flag(column: KnownColumn, names: Names) -> Part:
    line = f"{dotted_key('demographic', column.name)} = 1"
    return _with_output(segment(names.new(column.name), f"{column.name} is 1", [line]), column)


def _recent(column: KnownColumn, names: Names) -> Part:
    values = column.values
    assert values is not None, "only columns whose values are known are usable"
    why = f"the days are {values.lowest} to {values.highest}"
    line = f'{dotted_key("demographic", column.name, "within")} = "90 days"'
    label = f"{column.name}: in the last 90 days"
    return _with_output(segment(names.new("recent", column.name), label, noted(line, why)), column)


def _birthday(column: str, names: Names) -> Part:
    line = f'{dotted_key("demographic", column, "anniversary_within")} = "7 days"'
    return segment(names.new("birthday"), "Birthday in the next seven days", [line])


def _did(events: EventsFound, column: KnownColumn, one: FrequentValue, facts: Facts, names: Names) -> Part:
    rows = count(facts.tables[events.name].rows or 0)
    why = f"the most frequent value: {count(one.rows)} of {rows} rows"
    where = f"{dotted_key('where', column.name)} = {as_toml(str(one.value))}"
    line = f"behavioural.did = {{ events = {as_toml(events.name)}, {where} }}"
    label = f"{events.name} with {column.name}: {one.value}"
    return segment(names.new(column.name, str(one.value)), label, noted(line, why))


def _lately(events: EventsFound, names: Names) -> Part:
    line = f'behavioural.did = {{ events = {as_toml(events.name)}, within = "30 days" }}'
    return segment(names.new(events.name, "lately"), f"{events.name} in the last 30 days", [line])


def _with_output(part: Part, column: KnownColumn) -> Part:
    """The segment, which brings the column that it reads into the lists; there, `segment` is its own name."""
    return replace(part, output=() if column.name == LABEL else (column.name,))


def segment(name: str, label: str, lines: Sequence[str], needs: str = "") -> Part:
    """A segment that is left out where the data speak against it."""
    shown = " ".join(label.split())
    return Part(
        name=name,
        lines=(f"[segment.{name}]", f"label = {as_toml(shown)}", *lines),
        needs=needs,
        optional=True,
    )
