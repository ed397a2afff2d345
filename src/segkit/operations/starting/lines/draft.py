"""The parts of a rule file, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from segkit.operations.orders_file.rules import as_toml
from segkit.operations.personal.permission import consents
from segkit.operations.starting.known.facts import Facts
from segkit.operations.starting.known.found import EventsFound, Found
from segkit.operations.starting.lines import computed
from segkit.operations.starting.lines.consent import about_consent, requirement, stops
from segkit.operations.starting.lines.guarded import is_special, usable
from segkit.operations.starting.lines.segments import (
    LABEL,
    Names,
    is_placeholder,
    of_customers,
    of_events,
    roles,
    several_values,
)
from segkit.operations.starting.lines.sources import customer_settings, event_settings, with_reasons
from segkit.operations.starting.lines.toml_lines import Part, comment, dotted_key, noted, setting, title
from segkit.results.columns import KnownColumn
from segkit.rules.tables import CUSTOMERS
from segkit.words import listed, plural

OUTPUT, CONSENT = "[output]", "[consent]"
EVERYBODY = "everybody"
"""The segment that stands where there is no other."""
MOST_COLUMNS = 5
"""How many columns of the customer file the lists have beside those that segments read."""
HEAD = """\
# Who is in which segment: a first draft, made of the files below by `segkit init`, of what stands in them.
#
#   segkit columns segments.toml --values       what conditions can be written on
#   segkit check segments.toml --data           what does not fit
#   segkit apply segments.toml                  writes one list a segment into `segments/`
#
# Correct what was guessed wrong, and delete what you do not need. Lines that begin with `# ` and would be a rule
# without it are guesses that only you can confirm.
version = 1"""


def parts_of(found: Found, facts: Facts, folder: Path | None) -> list[Part]:
    """The whole file; paths are seen from `folder`, whole where there is none."""
    names = Names()
    segments = [*computed.segments(found, names), *of_customers(found, facts, names), *of_events(found, facts, names)]
    made = list(computed.sections(found, facts))
    return [
        Part(name="[head]", lines=tuple(_head(found, facts))),
        Part(name="[title] data", lines=title("Where the data is")),
        Part(name="[customers]", lines=tuple(_customers(found, facts, folder))),
        *(Part(name=f"[events.{one.name}]", lines=tuple(_events(one, found, facts, folder))) for one in found.events),
        *([Part(name="[title] computed", lines=title("What is computed for each customer")), *made] if made else []),
        Part(name="[title] output", lines=title("What is written")),
        Part(name=OUTPUT, lines=(), output=tuple(columns_written(found, facts))),
        Part(name=CONSENT, lines=tuple(_consent(found, facts))),
        Part(name="[title] segments", lines=(*title("The segments"), *_guarded(found, facts))),
        *(segments or [everybody()]),
    ]


def everybody() -> Part:
    """The segment of all customers, where nothing else is known."""
    return Part(name=EVERYBODY, lines=(f"[segment.{EVERYBODY}]", 'label = "All customers"', "everyone = true"))


def with_output(parts: Sequence[Part]) -> list[Part]:
    """The parts, with a section `[output]` that has the columns of all of them."""
    columns = [column for part in parts if part.name == OUTPUT for column in part.output]
    columns += [column for part in parts if part.name != OUTPUT for column in part.output]
    lines = ["[output]", 'directory = "segments"', *_wrapped(dict.fromkeys(columns))]
    return [
        part if part.name != OUTPUT else Part(name=OUTPUT, lines=tuple(lines), output=part.output) for part in parts
    ]


def _wrapped(columns: Mapping[str, None]) -> Iterator[str]:
    why = "after the key; nothing that looks personal: add what a list needs, such as the e-mail"
    whole = f"columns = {as_toml(list(columns))}"
    if len(whole) < 110:
        yield from noted(whole, why)
        return
    yield f"# {why}"
    yield "columns = ["
    yield from (f"  {as_toml(column)}," for column in columns)
    yield "]"


def columns_written(found: Found, facts: Facts) -> Iterator[str]:
    """Columns of the customer file that are not personal, the key aside; the key itself where there is nothing else."""
    if not found.customers.table:
        return
    columns = [c for c in facts.columns(CUSTOMERS) if usable(c, found.customers.key) and c.name != LABEL]
    yield from [column.name for column in columns[:MOST_COLUMNS]] or [found.customers.key]


def _head(found: Found, facts: Facts) -> Iterator[str]:
    yield from HEAD.splitlines()
    main = found.main
    if facts.as_of and main:
        yield from noted(f"as_of = {facts.as_of}", 'the last day of events: what "now" is; without it, today')
    elif facts.as_of:
        yield from noted(f"as_of = {facts.as_of}", 'the last day in the file: what "now" is; without it, today')
    else:
        yield from noted("# as_of = 2024-06-30", 'what "now" is; without it, today')


def _customers(found: Found, facts: Facts, folder: Path | None) -> Iterator[str]:
    customers = found.customers
    yield "[customers]"
    rows = facts.tables[CUSTOMERS].rows or 0
    why = {"path": plural(rows, "customer"), "from": f"those who have events: {plural(rows, 'customer')}"}
    yield from with_reasons(customer_settings(customers, folder), {**customers.why, **why})
    yield from _unclear_dates(facts, CUSTOMERS)
    if customers.table:
        yield from _placeholders(facts)
        yield from _lists(facts)


def _unclear_dates(facts: Facts, table: str) -> Iterator[str]:
    for name, mark in facts.unclear.get(table, {}).items():
        why = f"or %m{mark}%d{mark}%Y: no value settles which, and no rule can read it so far"
        yield from setting(dotted_key("date_format", name), f"%d{mark}%m{mark}%Y", why, active=False)


def _lists(facts: Facts) -> Iterator[str]:
    for column in facts.columns(CUSTOMERS):
        if mark := several_values(column):
            yield from setting(dotted_key("lists", column.name), mark, "if a field has several values", active=False)


def _placeholders(facts: Facts) -> Iterator[str]:
    found: dict[str, int] = {}
    for column in facts.columns(CUSTOMERS):
        assert column.values is not None, "only columns whose values are known"
        for one in column.values.frequent:
            if is_placeholder(one.value):
                found[str(one.value)] = found.get(str(one.value), 0) + 1
    if found:
        told = ", ".join(f"{as_toml(value)} in {plural(number, 'column')}" for value, number in found.items())
        yield from setting("null_values", list(found), f"may mean that nothing is known: {told}", active=False)


def _events(events: EventsFound, found: Found, facts: Facts, folder: Path | None) -> Iterator[str]:
    table = facts.tables[events.name]
    yield f"[events.{events.name}]"
    days = next((c.values for c in table.columns if c.name == events.time and c.values), None)
    rows = f"{plural(table.rows or 0, 'row')} with a key and a day"
    why = dict(events.why) | {"path": "; ".join(filter(None, [rows, events.why.get("files")]))}
    if days and days.lowest is not None:
        why["time"] = f"{days.lowest} to {days.highest}"
    why |= {"other time": "another column of dates"}
    yield from with_reasons(event_settings(events, found.customers, folder), why)
    yield from _unclear_dates(facts, events.name)


def _consent(found: Found, facts: Facts) -> Iterator[str]:
    columns = list(facts.columns(CUSTOMERS)) if found.customers.table else []
    told = [(c, value) for c in columns if (value := requirement(c, facts.uppers.get(c.name))) is not None]
    unclear = left_to_people(found, facts)
    if unclear:
        yield from comment(f"Look yourself what these say of who may be written: {listed(unclear)}.")
    if told:
        yield from comment("Only you know whether this is consent. Take the `# ` away, and nobody else is written:")
    elif not unclear:
        yield from comment("No column was found that says who may be written. With a list of those who may not:")
    yield "# [consent]"
    for column, value in told:
        yield from noted(f"# {dotted_key('require', column.name)} = {as_toml(value)}", _meaning(column))
    if not told:
        yield '# suppress = "unsubscribed.csv"'


def left_to_people(found: Found, facts: Facts) -> list[str]:
    """Columns and tables that are about consent, and of which nothing tells what says yes."""
    columns = list(facts.columns(CUSTOMERS)) if found.customers.table else []
    names = [c.name for c in columns if about_consent(c) and requirement(c, facts.uppers.get(c.name)) is None]
    for events in found.events:
        names += [events.name] if stops(events.name) else []
        names += [c.name for c in facts.columns(events.name) if c.name not in roles(events) and about_consent(c)]
    return [name for name in dict.fromkeys(names) if name != found.customers.key]


def _guarded(found: Found, facts: Facts) -> Iterator[str]:
    tables = [*([CUSTOMERS] if found.customers.table else []), *(events.name for events in found.events)]
    special = dict.fromkeys(c.name for table in tables for c in facts.columns(table) if is_special(c))
    if special:
        why = "Laws guard what is told of health, faith, descent, family, politics: there is no segment of"
        yield from comment(f"{why} {listed(special)}.")


def _meaning(column: KnownColumn) -> str:
    return "a yes to messages" if consents(column.name) else "who has not said no; a missing value is no consent"
