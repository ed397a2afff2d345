"""The columns of events: when, which rows belong together, the money."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table
from segkit.io.read.values.column import NUMERIC
from segkit.operations.orders_file.guess import QUANTITIES, ROLES, guess, guess_id, simple
from segkit.operations.starting.files import Files
from segkit.operations.starting.keys import NAMES, WEAK, repeats
from segkit.operations.starting.known.found import EventsFound
from segkit.operations.starting.known.names import free
from segkit.words import count, listed, plural

PRICES = ("unitprice", "price", "unitcost", "prixunitaire", "prixunit", "einzelpreis", "stückpreis", "prix", "preis")
"""Names of columns with the price of one piece."""
CURRENCIES = frozenset(
    {"currency", "currencycode", "curr", "devise", "monnaie", "währung", "waehrung", "moneda", "valuta"}
)
"""Names of columns that say in which currency an amount is."""
FEWEST = 5
"""Events with several lines, and amounts of them, of which none is like another by chance."""


def key_of_events(table: Table) -> tuple[str, str]:
    """The column that says whose the events are, by its name, and why; `DataError` where no name tells."""
    found = guess(table, "key")
    if found and (simple(found) not in WEAK or repeats(table, found)):
        others = [name for name in table.columns if name != found and simple(name) in NAMES[: NAMES.index("user")]]
        return found, "named like the key of a customer" + (f", as {listed(others)} is" if others else "")
    names = ", ".join(f"`{name}`" for name in table.columns)
    hint = table.one_column_hint() or table.no_header_hint()
    message = f"cannot tell which column of `{table.labels[0].path}` holds the customer's key"
    raise DataError.of(
        message, hint=hint or f"give that column a name such as `customer_id` in the file; its columns are {names}"
    )


def events_found(name: str, files: Files, key: str, why_key: str) -> EventsFound:
    """The table with the roles of its columns; `DataError` where no column has days."""
    table = files.table
    time, why_time = _time(table, key)
    id_ = guess_id(table, key, [key, time])
    groups = _groups(table, id_) if id_ else None
    amount, product, why_amount = _money(table, [key, time, *([id_] if id_ else [])])
    of_whole = _of_whole_events(table, id_, amount) if groups and id_ and amount and not product else None
    currency = _currency(table) if amount else None
    taken = {key, time, id_, amount}
    days = [c.name for c in table.columns.values() if c.type is ColumnType.DATE and c.name not in taken]
    maybe = None if amount else guess(table, "amount", [column for column in taken if column])
    why = {"key": why_key, "time": why_time}
    why |= {"amount": why_amount} if amount else {}
    why |= {"id": groups} if groups else {}
    why |= {"amount_per": of_whole} if of_whole else {}
    why |= {"currency": "amounts of several currencies are added up: keep one, with `where`"} if currency else {}
    return EventsFound(
        name=name,
        files=files.named,
        table=table,
        key=key,
        time=time,
        id=id_ if groups else None,
        amount=amount,
        product=product,
        currency=currency,
        per_event=of_whole is not None,
        other_times=tuple(days),
        maybe_amount=maybe,
        why=why,
    )


def _time(table: Table, key: str) -> tuple[str, str]:
    days = [c.name for c in table.columns.values() if c.type is ColumnType.DATE and c.name != key]
    found = guess(table, "time", [key]) or next(iter(days), None)
    if found is None:
        hint = table.one_column_hint() or table.no_header_hint() or "events have a day or a time"
        raise DataError.of(f"no column of `{table.labels[0].path}` holds days", hint=hint)
    if len(days) == 1:
        return found, "the only column of dates"
    named = simple(found) in ROLES["time"].names
    return found, "named like the day of an event" if named else f"the first of {len(days)} columns of dates"


def _groups(table: Table, id_: str) -> str | None:
    """Why rows with one id are one event; None where each row has its own."""
    found = table.frame.select(
        table.key(id_).count().alias("rows"), table.key(id_).drop_nulls().n_unique().alias("ids")
    )
    rows, ids = found.collect(engine="streaming").row(0)
    return f"{plural(rows, 'row')} have {count(ids)} different ones" if 0 < ids < rows else None


def _of_whole_events(table: Table, id_: str, amount: str) -> str | None:
    """Why the amount is that of the whole event: all lines of each have the same; None where they have not."""
    rows = table.frame.select(table.key(id_).alias("id"), pl.col(amount).alias("amount")).drop_nulls()
    events = rows.group_by("id").agg(
        pl.len().alias("lines"), pl.col("amount").n_unique().alias("amounts"), pl.col("amount").first()
    )
    several = events.filter(pl.col("lines") > 1)
    found = several.select(pl.len(), (pl.col("amounts") == 1).sum().alias("same"), pl.col("amount").n_unique())
    several_lines, same, different = found.collect(engine="streaming").row(0)
    if several_lines < FEWEST or same < several_lines or different < FEWEST:
        return None
    return f"all lines of each of {count(several_lines)} events with several have one amount"


def _currency(table: Table) -> tuple[str, str] | None:
    """The column with several currencies, and the most frequent one; None where there is one or none."""
    name = next((name for name in table.columns if simple(name) in CURRENCIES), None)
    if name is None:
        return None
    counts = table.frame.select(table.key(name).alias("of")).drop_nulls().group_by("of").len()
    found = counts.sort(["len", "of"], descending=[True, False]).head(2).collect(engine="streaming")["of"].to_list()
    return (name, found[0]) if len(found) > 1 else None


def _money(table: Table, taken: list[str]) -> tuple[str | None, str | None, str]:
    """The column with the money of a row, SQL for it where it is to be derived, and why."""
    found = guess(table, "amount", taken)
    if found and simple(found) in ROLES["amount"].names:
        return found, None, "named like money"
    numbers: Mapping[str, str] = {simple(c.name): c.name for c in table.columns.values() if c.type in NUMERIC}
    quantity = next((numbers[name] for name in numbers if name in QUANTITIES), None)
    price = next((numbers[name] for name in PRICES if name in numbers), None)
    if quantity and price:
        sql = f"{sql_name(quantity)} * {sql_name(price)}"
        return free("line_total", table.columns), sql, "a quantity times the price of one piece"
    return None, None, ""


def sql_name(column: str) -> str:
    """The name of a column as SQL has it."""
    return '"{}"'.format(column.replace('"', '""'))
