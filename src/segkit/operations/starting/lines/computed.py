"""The sections that compute columns, and the segments that read these."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.operations.orders_file.rules import as_toml
from segkit.operations.starting.known.facts import Facts
from segkit.operations.starting.known.found import EventsFound, Found
from segkit.operations.starting.lines.segments import Names, segment
from segkit.operations.starting.lines.toml_lines import Part
from segkit.rules.model.computed.rfm import RFM_COLUMNS
from segkit.rules.model.computed.value import MEASURED

AGE = "age"
COMPUTED = frozenset({*RFM_COLUMNS, *MEASURED, "lifecycle"})
"""Columns that these sections bring; a column of the customer file cannot have such a name beside them."""
RFM, LIFECYCLE, VALUE = "[rfm]", "[lifecycle]", "[value]"
"""Names of parts; those of segments have no brackets."""


def sections(found: Found, facts: Facts) -> Iterator[Part]:
    """Ages, RFM, stages and value, as far as the files have what these read."""
    yield from _ages(found, facts)
    main = found.main
    if main is None:
        return
    events = as_toml(main.name)
    if main.amount:
        lines = ("[rfm]" + " " * 39 + "# scores from 1 to 5, and rfm_segment", f"events = {events}")
        yield Part(name=RFM, lines=lines, optional=True, output=("rfm_segment",))
    yield Part(
        name=LIFECYCLE,
        lines=(
            "[lifecycle]                                 # prospect, new, loyal, active, at_risk, inactive or lost",
            f"events = {events}",
            'new_for = "30 days"                         # these are usual; what is usual for you, you know better',
            'at_risk_after = "90 days"',
            'inactive_after = "180 days"',
            'lost_after = "365 days"',
        ),
        output=("lifecycle",),
    )
    if main.amount:
        lines = ("[value]" + " " * 37 + "# revenue, order_count, average_order_value", f"events = {events}")
        yield Part(name=VALUE, lines=lines, optional=True, output=("revenue", "order_count"))


def _ages(found: Found, facts: Facts) -> Iterator[Part]:
    if not found.customers.table:
        return
    born = next(iter(facts.births), None)
    if born and AGE not in found.customers.table.columns:
        lines = (f"[trait.{AGE}]", f"years_since = {as_toml(born)}")
        yield Part(name=f"[trait.{AGE}]", lines=lines, optional=True, output=(AGE,))


def segments(found: Found, names: Names) -> Iterator[Part]:
    """The segments that nearly every shop asks for first."""
    main = found.main
    if main is None:
        return
    yield from _by_stage(main, found, names)
    if not main.amount:
        return
    yield segment(
        names.new("champions"),
        "The best by RFM: champions and loyal customers",
        ['rfm = ["champions", "loyal"]'],
        needs=RFM,
    )
    yield segment(
        names.new("slipping-away"), "Used to be good, silent now", ['rfm = ["at_risk", "cant_lose"]'], needs=RFM
    )
    yield segment(
        names.new("big-baskets"),
        "Average order among the highest tenth",
        ["value.average_order_value.top_percent = 10"],
        needs=VALUE,
    )


def _by_stage(main: EventsFound, found: Found, names: Names) -> Iterator[Part]:
    what = main.name
    told = [
        ("welcome", f"First event in {what} in the last 30 days", 'lifecycle = "new"'),
        ("loyal", f"Four events in {what} or more, the last within 90 days", 'lifecycle = "loyal"'),
        ("at-risk", f"No event in {what} for 90 to 180 days", 'lifecycle = "at_risk"'),
        ("win-back", f"No event in {what} for half a year or more", 'lifecycle = ["inactive", "lost"]'),
    ]
    if found.customers.table:
        told.append(("never", f"No event in {what} yet", 'lifecycle = "prospect"'))
    for name, label, line in told:
        yield segment(names.new(name), label, [line])
