"""What `[audit]` of a rule file says that files hold, and what of it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from segkit import codes
from segkit.diagnostics import Severity
from segkit.errors import RuleError
from segkit.operations.auditing.found import Found, Looked
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded
from segkit.words import count, nearest


class Promises(NamedTuple):
    """Of a table: columns without a gap, without a value that comes twice, and with so many percent missing at most."""

    required: Sequence[str]
    unique: Sequence[str]
    max_missing_percent: Mapping[str, Decimal]


def promised(loaded: Loaded, looked: Sequence[Looked]) -> list[Promises]:
    """What is promised of each table; `RuleError` for a column that none has.

    A column is one of the customers, or stands behind the name of its table: `orders.total`.
    """
    audit = loaded.rules.audit
    assert audit is not None, "asked where there is one"
    found = [Promises([], [], {}) for _ in looked]
    problems = []
    places: list[tuple[KeyPath, str, object]] = []
    places += [(("audit", "required", number), name, None) for number, name in enumerate(audit.required)]
    places += [(("audit", "unique", number), name, None) for number, name in enumerate(audit.unique)]
    places += [(("audit", "max_missing_percent", name), name, most) for name, most in audit.max_missing_percent.items()]
    for path, name, most in places:
        place = _place(loaded, looked, name)
        if place is None:
            names = [*looked[0].sheet.table.columns] if looked else []
            message = f"`[audit]` names column `{name}`, which no file has"
            hint = nearest(name, names) or "columns of other tables than the customers' are written `table.column`"
            problems.append(loaded.source.placed(Finding(path, message, hint=hint, code=codes.UNKNOWN_COLUMN)))
            continue
        number, column = place
        match path[1]:
            case "required":
                found[number] = found[number]._replace(required=[*found[number].required, column])
            case "unique":
                found[number] = found[number]._replace(unique=[*found[number].unique, column])
            case _:
                mine = {**found[number].max_missing_percent, column: Decimal(str(most))}
                found[number] = found[number]._replace(max_missing_percent=mine)
    if problems:
        raise RuleError(*problems)
    return found


def _place(loaded: Loaded, looked: Sequence[Looked], name: str) -> tuple[int, str] | None:
    """The number of the table, and the column there."""
    main = loaded.rules.customers.from_ or CUSTOMERS
    for number, one in enumerate(looked):
        table = one.sheet.table
        if table.name == main and name in table.columns:
            return number, name
        of_table = name.removeprefix(f"{table.name}.")
        if of_table != name and of_table in table.columns:
            return number, of_table
    return None


def broken(looked: Looked, promises: Promises) -> Iterator[Found]:
    """What does not hold."""
    reads = {read.name: read for read in looked.sheet.reads}
    filled = {name: looked.figures.number("filled", name) for name in reads}
    for name in promises.required:
        if missing := looked.rows - filled[name]:
            message = f"`{name}` is required, and {count(missing)} are missing"
            flag = ~looked.sheet.filled(reads[name])
            yield looked.found("required", name, Severity.ERROR, missing, message, flag=flag)
    for name in promises.unique:
        if again := filled[name] - looked.figures.number("distinct", name):
            message = f"`{name}` is to be unique, and {count(again)} come again"
            text = looked.sheet.text(reads[name])
            flag = text.is_duplicated() & text.is_not_null()
            yield looked.found("unique", name, Severity.ERROR, again, message, flag=flag)
    for name, most in promises.max_missing_percent.items():
        missing = looked.rows - filled[name]
        if missing * 100 > most * looked.rows:
            share = 100 * missing / looked.rows
            message = f"{share:.1f} % of `{name}` are missing, more than {most} %"
            flag = ~looked.sheet.filled(reads[name])
            yield looked.found("max-missing", name, Severity.ERROR, missing, message, flag=flag)
