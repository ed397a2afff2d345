"""What is asked: the table with the events, the column with what was bought, and what a basket is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import kind_of
from segkit.discoveries.basket import By
from segkit.errors import DataError, RuleError
from segkit.io.read import Table, Workspace
from segkit.io.write import FORMATS
from segkit.operations.column_facts.readable import readable_columns
from segkit.operations.discovering.basket.returns import quantity_among
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.orders_file.asked import table_asked
from segkit.operations.orders_file.columns import TABLE, Chosen, choose, open_data
from segkit.operations.orders_file.guess import guess_item
from segkit.operations.orders_file.rules import as_toml, rule_file
from segkit.operations.orders_file.told import RULES
from segkit.operations.progress import Progress
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.text.expand import Overrides
from segkit.rules.text.loader import Loaded, load_rules, load_rules_text
from segkit.words import nearest

ITEMS = "basket: different items"
"""A computed column for which the item is read: a name that no key of a rule file can have."""
NO_DAY = "day, not known"
"""The column that stands for the day of events, where no column has it."""


class Asked(NamedTuple):
    """The rules, the event table, the column of the item, what a basket is; for a file of events, its columns.

    `sign` is the column in which numbers below 0 tell what was sent back, where one may. `given` is what was said in
    place of what the rules say.
    """

    loaded: Loaded
    table: str
    item: str
    by: By
    guesses: Mapping[str, str]
    sign: str | None
    columns: Chosen | None = None
    given: Overrides = Overrides()

    @property
    def rules(self) -> RuleFile:
        """The rules, which also read the item and the sign; nothing else goes out."""
        rules, is_known = self.loaded.rules, Condition(missing=False)
        read = {self.item: is_known} if self.sign is None else {self.item: is_known, self.sign: is_known}
        changed: dict[str, Any] = {
            "trait": {**rules.trait, ITEMS: Trait(events=self.table, where=read)},
            "output": Output(columns=(ITEMS,)),
        }
        if self.columns and self.sign:  # as text: nobody has asked for it, so no value of it is an error
            events = rules.events[self.table]
            as_text = events.model_copy(update={"types": {**events.types, self.sign: "text"}})
            changed["events"] = {**rules.events, self.table: as_text}
        return rules.model_copy(update=changed)


def of_events(
    ws: Workspace, files: Sequence[str], given: Mapping[str, str | None], by: By | None, as_of: dt.date | None
) -> Asked:
    """A file of events; `DataError` where a column that is needed can neither be found nor guessed.

    Items are texts, whatever they look like: `0042` is not 42.
    """
    table = open_file(ws, files, given["sheet"])
    columns = choose(
        table,
        key=given["key"],
        time=given["time"],
        amount=None,
        id=given["id"],
        needs_amount=False,
        needs_time=False,
    )
    for roles in (columns.chosen, columns.guesses):
        roles.pop("amount", None)  # nobody asks for money
    item = _item(given["item"], table.columns, columns.chosen.values(), table)
    sections = [f'types.{as_toml(item)} = "text"']
    if "time" not in columns.chosen:
        columns.chosen["time"] = NO_DAY
        sections.append(f"derive.{as_toml(NO_DAY)} = {as_toml('as_of')}")
    what = _by(by, columns.chosen.get("id"), "no column tells", columns.chosen["time"])
    taken = {item, *columns.chosen.values()}
    text = rule_file(files, columns, given["where"], as_of, sections, sheet=given["sheet"])
    return Asked(
        loaded=load_rules_text(text, RULES, formats=FORMATS),
        table=TABLE,
        item=item,
        by=what,
        guesses={**columns.guesses, **_guessed(given["item"], item, by, what)},
        sign=quantity_among(table.columns, taken, given["where"]),
        columns=columns,
    )


def open_file(ws: Workspace, files: Sequence[str], sheet: str | None) -> Table:
    """The table of the files; where lines are not of one length, the error says what is read of baskets."""
    try:
        return open_data(ws, files, sheet)
    except DataError as error:
        *others, last = error.diagnostics
        if not last.message.endswith("too many or too few fields"):
            raise
        hint = f"{last.hint}; a basket a line is not read, but an item a line, as in `customer_id,order_id,product`"
        raise DataError(*others, replace(last, hint=hint)) from error


def of_rules(
    ws: Workspace,
    path: Path,
    events: str | None,
    item: str | None,
    by: By | None,
    as_of: dt.date | None,
    progress: Progress,
) -> Asked:
    """A table of a rule file; `RuleError` where it is not there, `DataError` where no column is that of the item."""
    given = Overrides(as_of=as_of)
    loaded = load_rules(path, formats=FORMATS, overrides=given, needs_segments=False)
    rules, table = loaded.rules, table_asked(loaded.rules, path, events)
    spec = rules.events[table]
    tables = open_tables(loaded, ws, progress)
    taken = [spec.key or rules.customers.key, spec.time, spec.id or "", spec.amount or ""]
    column = _item(item, readable_columns(rules, tables)[table], taken, tables[table])
    what = _by(by, spec.id, f"`[events.{table}]` has no `id` that tells", None)
    return Asked(
        loaded=loaded,
        table=table,
        item=column,
        by=what,
        guesses=_guessed(item, column, by, what),
        sign=spec.amount if spec.amount != column else None,
        given=given,
    )


def require_items(plan: Plan, asked: Asked) -> None:
    """`DataError` where the values of the column are nothing that a condition can name."""
    dtype = plan.views[asked.table].schema[asked.item]
    if kind_of(dtype) not in ("text", "number", "date", "boolean"):
        message = f"column `{asked.item}` has no single values, so no items"
        raise DataError.of(message, hint="name the column with what was bought: `--item`")


def _item(given: str | None, names: Collection[str], taken: Collection[str], table: Table) -> str:
    if given is not None and given in names:
        return given
    path = table.labels[0].path
    if given is not None:
        raise DataError.of(
            f"`{path}` has no column `{given}`, which `--item` names", hint=nearest(given, names, "columns")
        )
    if guessed := guess_item(names, taken):
        return guessed
    there = ", ".join(f"`{name}`" for name in names if name not in taken) or "none"
    hint = table.one_column_hint() or table.no_header_hint() or f"name it with `--item`; the other columns are {there}"
    raise DataError.of(f"cannot tell which column of `{path}` holds what was bought", hint=hint)


def _by(asked: By | None, id: str | None, lacking: str, time: str | None) -> By:
    """What a basket is: an order where its rows can be told, or else what a customer has bought."""
    if asked == "order" and not id:
        day = "" if time in (None, NO_DAY) else f"; `--id {time}` takes for one what a customer buys on a day"
        named = "`--id COL` names one" if time else '`id = "COL"` names the column'
        hint = f"{named}{day}; `--by customer` takes all that a customer has bought"
        raise RuleError.of(f"`--by order`: {lacking} which rows are one order", hint=hint)
    return asked or ("order" if id else "customer")


def _guessed(item: str | None, column: str, by: By | None, what: By) -> dict[str, str]:
    """What was not given: option -> what was taken for it."""
    return {**({} if item else {"item": column}), **({} if by else {"by": what})}
