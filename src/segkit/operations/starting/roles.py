"""The columns of events: when, which rows belong together, the money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table
from segkit.io.read.values.column import NUMERIC
from segkit.operations.orders_file.guess import QUANTITIES, ROLES, guess, simple
from segkit.operations.personal.kinds import kind_of
from segkit.operations.starting.added_up import added_up, files_added_up
from segkit.operations.starting.files import Files
from segkit.operations.starting.keys import NAMES, WEAK, repeats
from segkit.operations.starting.known.found import EventsFound, Maybe
from segkit.operations.starting.known.names import free
from segkit.operations.starting.orders import Id, Whole, id_of, whole_of
from segkit.operations.starting.times import time_of
from segkit.words import listed

PRICES = ("unitprice", "price", "unitcost", "prixunitaire", "prixunit", "einzelpreis", "stückpreis", "prix", "preis")
"""Names of columns with the price of one piece."""


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
    time, why_time = time_of(table, key)
    id_ = id_of(table, key, time)
    amount, product, why_amount = _money(table, [key, time, *([id_.name] if id_.name else [])])
    of_event = [id_.name] if id_.name else [key, time]
    whole = whole_of(table, of_event, amount) if amount and not product and not id_.maybe else None
    if whole and not id_.name:
        # Rows of a customer's day may be lines of an order that no column tells; `amount_per` needs one that does.
        why_amount, whole = (f"{why_amount}; by customer and day: {whole.why}" if whole.several else why_amount), None
    taken = {key, time, id_.name, amount}
    days = [c.name for c in table.columns.values() if c.type is ColumnType.DATE and c.name not in taken]
    why = {"key": why_key, "time": why_time}
    why |= {"amount": why_amount} if amount else {}
    why |= {"id": id_.why} if id_.why and not id_.maybe else {}
    why |= {"amount_per": whole.why} if whole else {}
    why |= {"files": files_added_up(files.named)} if amount else {}
    return EventsFound(
        name=name,
        files=files.named,
        table=table,
        key=key,
        time=time,
        id=id_.name,
        amount=amount,
        product=product,
        per_event=whole is not None and whole.sure,
        other_times=tuple(day for day in days if kind_of(day) != "birth date"),
        maybe=tuple(_maybe(files, id_, amount, whole, taken)),
        why=why,
    )


def _maybe(files: Files, id_: Id, amount: str | None, whole: Whole | None, taken: set[str | None]) -> Iterator[Maybe]:
    """What is left to people: columns that may play a role, and rows whose money may not count."""
    yield from (Maybe(("id",), name, id_.why) for name in id_.maybe)
    if amount is None:
        maybe = guess(files.table, "amount", [column for column in taken if column])
        yield from [Maybe(("amount",), maybe, "if these numbers are the money of a row")] if maybe else []
        return
    if whole and not whole.sure:
        yield Maybe(("amount_per",), "event", whole.why)
    yield from added_up(files.table, taken)


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
