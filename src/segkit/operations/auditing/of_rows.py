"""What is odd in the rows as a whole: keys, equal rows, consent without an address, old ones, customers alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from segkit.audits import AuditedConsent
from segkit.diagnostics import Severity
from segkit.io.read import ColumnType
from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE
from segkit.operations.auditing import key as keys
from segkit.operations.auditing.columns import Read, columns_named
from segkit.operations.auditing.figures import Sheet, hashed
from segkit.operations.auditing.found import Found, Looked
from segkit.operations.personal.kinds import words_of
from segkit.operations.personal.permission import consents
from segkit.words import count, listed, plural

Questions = dict[tuple[str, str], pl.Expr]

BY_PHONE = frozenset({"sms", "call", "calls", "phone", "tel", "telephone", "whatsapp", "mobile"})
SURPRISING = 0.2
"""Where more than this share of the rows are alike, the columns are so few that different customers must be."""
LAST_SEEN = (
    r"last|latest|recent|updated?|modified|seen|active|activity|derni[eè]re?|letzte[rs]?|zuletzt|ge[aä]ndert|ultim[oa]"
)
"""Words in names of days on which a customer was last there."""
CITY = r"city|town|ville|stadt|ort|wohnort|ciudad|citt[aà]|commune|municipality"
GENDER = r"gender|sex|sexe|geschlecht|genre|genero|género|sesso"
MARITAL = r"marital|marital status|civil status|familienstand|situation familiale|etat civil|estado civil"


class Consent(NamedTuple):
    """A column that says who may be written, and the one with the address that it is about."""

    read: Read
    yes_permits: bool
    reach: Read | None


def consent_columns(sheet: Sheet) -> list[Consent]:
    """The columns that say by name and values whether somebody may be written."""
    found = []
    for read in sheet.reads:
        permits = consents(read.name)
        if permits is not None and read.few and _says_yes_or_no(sheet, read):
            by_phone = BY_PHONE & {*words_of(read.name)}
            wanted = "phone" if by_phone else "e-mail"
            reach = next((one for one in sheet.reads if one.read_as == wanted), None)
            found.append(Consent(read, permits, reach))
    return found


def _says_yes_or_no(sheet: Sheet, read: Read) -> bool:
    if read.read_as == "boolean":
        return True
    if read.read_as not in ("text", "integer") or not read.column.is_text:
        return read.read_as == "integer"
    values = {value.strip().lower() for value in read.column.examples}
    return bool(values) and values <= {*TRUE, *FALSE}


def permitted(sheet: Sheet, one: Consent) -> pl.Expr:
    """Whether somebody may be written by this column; missing where it says nothing."""
    said: pl.Expr
    if one.read.read_as == "integer":
        said = pl.when(sheet.value(one.read).is_in([0, 1])).then(sheet.value(one.read) == 1)
    else:
        said = sheet.table.value(one.read.name, type=ColumnType.BOOLEAN)
    return said if one.yes_permits else ~said


def reachable(sheet: Sheet, read: Read) -> pl.Expr:
    """Whether a valid address stands there."""
    invalid = sheet.invalid(read)
    assert invalid is not None, "an address can be invalid"
    return (sheet.filled(read) & ~invalid).fill_null(value=False)


def identifying(reads: Sequence[Read]) -> list[Read]:
    """Postcode, else city; birth date, gender, marital status: those that the file has, where there are two."""
    by_kind = {kind: [read for read in reads if read.personal == kind] for kind in ("postcode", "birth date")}
    place = by_kind["postcode"] or columns_named(reads, CITY)
    found = [place, by_kind["birth date"], columns_named(reads, GENDER), columns_named(reads, MARITAL)]
    first = [one[0] for one in found if one]
    return first if len(first) > 1 else []


def last_seen(reads: Sequence[Read]) -> list[Read]:
    """Days on which customers were last there."""
    return [read for read in columns_named(reads, LAST_SEEN) if read.read_as == "date" and not read.of_birth]


def questions(sheet: Sheet, key: str | None, old: dt.date) -> Questions:
    """What is asked of all rows; `old` is the day before which somebody was last there long ago."""
    names = [read.name for read in sheet.reads]
    asked: Questions = {("different", ""): hashed(names).n_unique()}
    if key is not None:
        asked["keys", ""] = sheet.table.key(key).drop_nulls().n_unique()
        asked["with key", ""] = sheet.table.key(key).count()
    if key is not None and len(names) > 1:
        others = hashed([name for name in names if name != key])
        asked["different", ""] = pl.struct(pl.col(key), others).hash().n_unique()  # of the others once, not twice
        asked["different but key", ""] = others.n_unique()
    for one in consent_columns(sheet):
        said = permitted(sheet, one)
        asked["permitted", one.read.name] = said.sum()
        asked["said", one.read.name] = said.count()
        if one.reach:
            asked["unreachable", one.read.name] = (said & ~reachable(sheet, one.reach)).sum()
    for read in last_seen(sheet.reads):
        asked["old", read.name] = (sheet.value(read) < old).sum()
    if same := identifying(sheet.reads):
        rows = hashed([read.name for read in same]).alias("value").value_counts(name="rows").struct.field("rows")
        asked["alone", ""] = (rows == 1).sum()
    return asked


def of_rows(looked: Looked) -> Iterator[Found]:
    """What is odd, in the order in which it is told."""
    if not looked.rows:
        yield looked.found("no-rows", None, Severity.WARNING, 0, "there are names of columns, and nothing below them")
    yield from _of_key(looked)
    yield from _of_equal_rows(looked)
    if looked.kind == keys.CUSTOMERS:
        yield from _of_consent(looked)
        yield from _of_last_seen(looked)
        yield from _of_alone(looked)


def _of_key(looked: Looked) -> Iterator[Found]:
    figures, rows = looked.figures, looked.rows
    if looked.key is None:
        severity = Severity.WARNING if looked.kind == keys.CUSTOMERS else Severity.NOTE
        if rows and looked.kind != keys.OTHER:
            yield looked.found("no-key", None, severity, rows, "no column tells whose a row is: `--key` names one")
        return
    key, known = looked.sheet.table.key(looked.key), figures.number("with key")
    if missing := rows - known:
        message = f"{plural(missing, 'row')} without a key"
        yield looked.found("key-missing", looked.key, Severity.WARNING, missing, message, flag=key.is_null())
    again = known - figures.number("keys")
    if again and looked.kind == keys.CUSTOMERS:
        message = f"{plural(figures.number('keys'), 'different key')} in {plural(known, 'row')}"
        flag = key.is_duplicated() & key.is_not_null()
        yield looked.found("key-repeated", looked.key, Severity.WARNING, again, message, flag=flag)


def _of_equal_rows(looked: Looked) -> Iterator[Found]:
    names = [read.name for read in looked.sheet.reads]
    of_customers = looked.kind == keys.CUSTOMERS
    if looked.equal_rows:
        may_be = "" if of_customers else ", which may be as many events"
        message = f"{_rows_are(looked.equal_rows)} equal to another one{may_be}"
        severity = Severity.WARNING if of_customers and looked.key else Severity.NOTE
        flag = pl.struct(names).is_duplicated()
        yield looked.found("equal-rows", None, severity, looked.equal_rows, message, flag=flag)
    if looked.equal_but_key and looked.equal_but_key > looked.equal_rows:
        others = [name for name in names if name != looked.key]
        message = f"{_rows_are(looked.equal_but_key)} equal to another one but for the key"
        flag = pl.struct(others).is_duplicated()
        severity = Severity.WARNING if looked.equal_but_key <= SURPRISING * looked.rows else Severity.NOTE
        yield looked.found("equal-but-key", looked.key, severity, looked.equal_but_key, message, flag=flag)


def _rows_are(number: int) -> str:
    return "1 row is" if number == 1 else f"{count(number)} rows are"


def _of_consent(looked: Looked) -> Iterator[Found]:
    for one in consent_columns(looked.sheet):
        unreachable = looked.figures.number("unreachable", one.read.name)
        if unreachable and one.reach:
            permits = count(looked.figures.number("permitted", one.read.name))
            message = f"{count(unreachable)} of {permits} who may be written are without a valid `{one.reach.name}`"
            flag = permitted(looked.sheet, one) & ~reachable(looked.sheet, one.reach)
            kind = "consent-without-address"
            yield looked.found(kind, one.read.name, Severity.WARNING, unreachable, message, flag=flag)


def _of_last_seen(looked: Looked) -> Iterator[Found]:
    for read in last_seen(looked.sheet.reads):
        if old := looked.figures.number("old", read.name):
            message = f"{old / looked.rows:.1%}".replace("%", " %") + f" older than {looked.obsolete}"
            flag = looked.sheet.value(read) < looked.old
            yield looked.found("obsolete", read.name, Severity.NOTE, old, message, flag=flag, for_repair=False)


def _of_alone(looked: Looked) -> Iterator[Found]:
    same = identifying(looked.sheet.reads)
    if alone := looked.figures.number("alone"):
        names = listed([read.name for read in same])
        message = f"{count(alone)} of {count(looked.rows)} are the only ones with their {names}: they can be told apart"
        yield looked.found("alone", None, Severity.NOTE, alone, message)


def consent_of(looked: Looked) -> tuple[AuditedConsent, ...]:
    """What columns of customers say of who may be written."""
    if looked.kind != keys.CUSTOMERS:
        return ()
    figures = looked.figures
    return tuple(
        AuditedConsent(
            column=one.read.name,
            said=figures.number("said", one.read.name),
            permitted=figures.number("permitted", one.read.name),
            address=one.reach.name if one.reach else None,
            without_address=figures.number("unreachable", one.read.name) if one.reach else None,
        )
        for one in consent_columns(looked.sheet)
    )
