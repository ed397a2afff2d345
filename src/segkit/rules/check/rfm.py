"""RFM: cutoffs of the same events, and maps that cover the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.base import Duration
from segkit.rules.model.computed.rfm import Rfm, rfm_section
from segkit.rules.model.computed.rfm_maps import OTHER, first_matches
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import CustomerDate, Window
from segkit.rules.text.included import cutoffs_of
from segkit.rules.text.toml import toml_key, toml_value
from segkit.words import listed


def check_rfm(rules: RuleFile) -> Iterator[Finding]:
    """Everything about `[rfm]` and each `[rfm.NAME]`."""
    for name, rfm in rules.rfm.items():
        yield from _bins(name, rfm)
        yield from _same_events(rules, name, rfm)
        yield from _same_rows(rules, name, rfm)
        yield from _map(name, rfm)


def _bins(name: str, rfm: Rfm) -> Iterator[Finding]:
    if rfm.bins < 5 and not rfm.segment:
        message = f"the map `{rfm.map}` is made for 5 scores: with {rfm.bins}, some of its segments stay empty"
        hint = f"use 5 bins, or a map of your own: `[[{rfm_section(name)}.segment]]`"
        yield Finding(("rfm", name, "bins"), message, hint, warning=True, code=codes.RFM_MAP)


def _same_events(rules: RuleFile, name: str, rfm: Rfm) -> Iterator[Finding]:
    """A warning where rows are scored by the cutoffs of orders, or the other way round: that would mean nothing."""
    table = rules.events.get(rfm.events)
    saved = rfm.cutoffs.events if rfm.cutoffs else None
    if table is None or saved is None or rfm.frequency == "days" or bool(saved.id) == bool(table.id):
        return
    if saved.id:
        message = f"the cutoffs are those of events with the id `{saved.id}`, but here each row is an event"
        hint = "name the column that tells events apart: `id` of the event table, or `segkit rfm --id`"
    else:
        message = f"the cutoffs are those of rows, but here events have the id `{table.id}`"
        hint = "save them anew, with `segkit rfm --id`"
    yield Finding(cutoffs_of(name), message, hint, warning=True)


def _same_rows(rules: RuleFile, name: str, rfm: Rfm) -> Iterator[Finding]:
    """A warning where other rows are scored than those that the cutoffs were found among, as far as one can tell."""
    table = rules.events.get(rfm.events)
    saved = rfm.cutoffs.events if rfm.cutoffs else None
    if table is None or saved is None:
        return
    if saved.conditions:
        yield from _same_conditions(name, saved.conditions, rows_that_count(rules, rfm))
        return
    in_sql = [table.derive[column] for column in table.where if column in table.derive]
    was = f"rows where `{saved.where}`" if saved.where else "all rows"
    if bool(saved.where) != bool(table.where or rfm.where):
        here = "all rows count" if saved.where else "`where` leaves some out"
    elif saved.where and in_sql and saved.where not in in_sql:
        here = f"rows where `{in_sql[0]}` count"
    else:
        return
    yield _of_other_rows(name, was, here, "`segkit rfm`")


def _same_conditions(name: str, saved: Sequence[str], today: Sequence[str]) -> Iterator[Finding]:
    if sorted(saved) != sorted(today):
        here = f"rows where {listed(today)} count" if today else "all rows count"
        yield _of_other_rows(name, f"rows where {listed(saved)}", here, "`segkit apply --save-cutoffs`")


def _of_other_rows(name: str, was: str, here: str, save: str) -> Finding:
    message = f"the cutoffs are those of {was}, but here {here}"
    return Finding(
        cutoffs_of(name), message, f"score the same rows, or save the cutoffs anew, with {save}", warning=True
    )


def rows_that_count(rules: RuleFile, rfm: Rfm) -> list[str]:
    """The window and the conditions of the rows that an RFM table scores, each as a rule file says it, in order."""
    window = {info.alias or name: getattr(rfm, name) for name, info in Window.model_fields.items()}
    said = [f"{key} = {toml_value(_written(value))}" for key, value in window.items() if value is not None]
    source = rules.events[rfm.events] if rfm.events else rules.customers
    conditions = (item for where in (source.where, rfm.where) for item in where.items())
    said += [f"{toml_key(column)} = {toml_value(condition.as_written())}" for column, condition in conditions]
    return sorted(said)


def _written(point: object) -> object:
    """A day, duration or pair of them, or a date of the customer, as a rule file has it."""
    if isinstance(point, tuple):
        return [_written(one) for one in point]
    if isinstance(point, CustomerDate):
        return {"column": point.column}
    return str(point) if isinstance(point, Duration) else point


def _map(name: str, rfm: Rfm) -> Iterator[Finding]:
    if not rfm.segment:
        return
    beyond = set()
    for position, row in enumerate(rfm.segment):
        for key, scores in (("r", row.r), ("f", row.f), ("m", row.m)):
            if scores and (scores[0] < 1 or scores[1] > rfm.bins):
                beyond.add(position)
                message = f"`{key}` goes from {scores[0]} to {scores[1]}, but scores go from 1 to {rfm.bins}"
                yield Finding(("rfm", name, "segment", position, key), message, "change it, or `bins`")
    rows = first_matches(rfm.segment, rfm.bins)
    for position, row in enumerate(rfm.segment):
        if position not in beyond | set(rows.values()):
            message = f"no customer can be `{row.name}` by this row: rows above it take all its scores"
            hint = "the first row that matches counts: move this one up, or take it out"
            yield Finding(("rfm", name, "segment", position), message, hint, warning=True, code=codes.RFM_MAP)
    holes = sorted((code for code, row in rows.items() if row is None), reverse=True)
    if holes:
        dash = "-" if rfm.bins > 9 else ""
        shown = ", ".join(dash.join(map(str, code)) for code in holes[:3])
        hint = 'if that is meant, end with a row that takes the rest: `{ name = "other" }`'
        message = f"{len(holes)} of {len(rows)} codes are in no row and get `{OTHER}`, such as {shown}"
        yield Finding(("rfm", name, "segment"), message, hint, warning=True, code=codes.RFM_MAP)
