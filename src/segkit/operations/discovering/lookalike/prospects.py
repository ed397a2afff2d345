"""Prospects of another file: the rules as far as its columns go, and its rows with all columns that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import tomli

from segkit.addresses import told_apart
from segkit.columns.helpers import KEY, member
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.io.read import Workspace, open_table
from segkit.io.write import FORMATS
from segkit.operations.discovering.made_of import sources_of
from segkit.operations.discovering.saved.sections import sections_of
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.progress import Progress
from segkit.rules.model.base import as_list
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.expand import absolute
from segkit.rules.text.loader import Loaded, Overrides, load_rules_text
from segkit.words import count, plural

_ABOUT_CUSTOMERS = frozenset({"segment", "test", "evaluate", "mavr", "audit", "rfm", "lifecycle", "value", "score"})
"""Sections that are about people who have bought, or about segments of them."""
_BY_COLUMN = ("types", "lists", "derive", "date_format")
"""Keys of the customers that have a value for each column; those of others have no column."""
_EVERYBODY = "[segment.everybody]\neveryone = true\n"


class Prospects(NamedTuple):
    """The rows of another file with their columns, and the rules that read it."""

    evaluated: Evaluated
    loaded: Loaded
    path: str
    """As messages may show it: without a user and password of an address."""


def prospects_of(
    loaded: Loaded, plan: Plan, given: Overrides, columns: Collection[str], ws: Workspace, progress: Progress
) -> Prospects:
    """The prospects of the file that is `given` as that of the customers, by the rules of these.

    What it lacks is taken out of the rules, and whatever is made of that: but consent stays, so that a column which
    consent asks for must be there. `DataError` where the file has no rows, or no key.
    """
    text = "\n".join(sections_of(_without(loaded, lost_columns(plan, _columns(loaded, given, ws)))))
    rules = load_rules_text(f"{text}\n{_EVERYBODY}", loaded.source.path, formats=FORMATS, overrides=given)
    placed = rules._replace(source=loaded.source)  # what is wrong stands there, for people
    evaluated = evaluate(placed, plan.context.as_of, ws, progress, all_columns=True, of_these=columns)
    if not evaluated.computed.size:
        raise DataError.of(f"`{given.customers}` has no prospects", hint="give a file with a row for each of them")
    return Prospects(evaluated, rules, told_apart(str(given.customers)))


def _columns(loaded: Loaded, given: Overrides, ws: Workspace) -> set[str]:
    """The columns of the file as the rules call them."""
    spec = loaded.rules.customers
    assert isinstance(given.customers, str)
    nothing: dict[str, Any] = {name: {} for name in ("types", "rename", "derive", "where", "lists")}
    plain = {**nothing, "date_format": None, "from_": None, "columns": (), "table": None, "query": None}
    read = spec.model_copy(update={**plain, "path": absolute(given.customers)})
    table = open_table(ws, CUSTOMERS, read, base=Path(), timezone=loaded.rules.timezone)
    there = {*table.columns}
    if spec.key not in there and spec.rename.get(spec.key) not in there:
        message = f"`{given.customers}` has no column `{spec.key}`, the key of customers"
        hint = "prospects need one, too: call the column that tells them apart so in the file"
        raise DataError.of(message, hint=hint)
    new = {name for name, old in spec.rename.items() if old in there}
    return (there - {spec.rename[name] for name in new}) | new


def already_customers(prospects: Prospects, evaluated: Evaluated, segment: str) -> Iterator[Diagnostic]:
    """A warning where prospects of a file have the keys of customers: some may be members, whom they resemble best."""
    known = evaluated.computed.frame.select(KEY, is_member=pl.col(member(segment)))
    both = prospects.evaluated.computed.frame.select(KEY).join(known, on=KEY)
    if both.is_empty():
        return
    number, members = prospects.evaluated.computed.size, int(both["is_member"].sum())
    message = f"{count(len(both))} of {plural(number, 'prospect')} have the key of a customer"
    hint = "if they are the same people, take them out of the file, or name one with their keys: `[consent] suppress`"
    yield Diagnostic(f"{message}, {count(members)} that of a member", hint=hint, severity=Severity.WARNING)


def lost_columns(plan: Plan, there: Collection[str]) -> frozenset[str]:
    """The columns of customers that nobody has for whom only these of the file are there."""
    rules, origins = plan.rules, plan.origins[CUSTOMERS]
    of_file = {name for name, path in origins.items() if path[0] == CUSTOMERS and "derive" not in path}
    absent = of_file - {*there}
    computed = {name for step in plan.steps for name in step.names}
    lost = set(absent)
    for name in origins.keys() - of_file:
        made_of = sources_of(plan, [name])
        if made_of.events or made_of.columns & absent or (name in rules.trait and name not in computed):
            lost.add(name)
    return frozenset(lost)


def _without(loaded: Loaded, lost: Collection[str]) -> dict[str, Any]:
    """The keys of the rules without what asks for columns that are lost."""
    data = tomli.loads(loaded.source.text, parse_float=Decimal)
    data = {name: section for name, section in data.items() if name not in _ABOUT_CUSTOMERS}
    if "frequency_cap" not in data:
        data.pop("events", None)
    data["customers"] = _customers(data["customers"], lost)
    data["trait"] = {name: trait for name, trait in data.get("trait", {}).items() if name not in lost}
    data["lookup"] = {
        name: table
        for name, table in data.get("lookup", {}).items()
        if table.get("into", CUSTOMERS) in ({CUSTOMERS} | data.get("events", {}).keys())
        and not (table.get("into", CUSTOMERS) == CUSTOMERS and loaded.rules.lookup[name].on.keys() & {*lost})
    }
    output = data.get("output", {})
    for key in ("hash", "pseudonymise"):
        if key in output:
            output[key] = [name for name in as_list(output[key]) if name not in lost]
    return {name: section for name, section in data.items() if section != {}}


def _customers(table: Mapping[str, Any], lost: Collection[str]) -> dict[str, Any]:
    kept = {key: value for key, value in table.items() if key not in ("from", "columns")}
    for key in (*_BY_COLUMN, "rename"):
        if isinstance(kept.get(key), dict):
            kept[key] = {name: value for name, value in kept[key].items() if name not in lost}
    if {kept.get("latitude"), kept.get("longitude")} & {*lost}:
        kept = {key: value for key, value in kept.items() if key not in ("latitude", "longitude")}
    return {key: value for key, value in kept.items() if value != {}}
