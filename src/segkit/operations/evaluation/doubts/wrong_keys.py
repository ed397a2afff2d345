"""Keys that cannot be right: all missing, twice the same customer, events of nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from segkit.columns.compute import Computed
from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import NO_KEY, SecondLook, View, kept_rows
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError
from segkit.io.read import Part
from segkit.io.read.values.texts import WHITE
from segkit.operations.evaluation.diagnose import place_of
from segkit.operations.evaluation.doubts.unknown_keys import spelled_alike
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.tables import CUSTOMERS, suppression_table
from segkit.rules.text.toml import toml_key
from segkit.words import plural

TOTAL = re.compile(
    r"(?:(?:grand |sub)?totals?|(?:general |overall )?sum|summe|gesamt(?:summe)?|somme|total général|totale|suma"
    r"|totaal)"
    r"(?:\s*[:=(].*)?"
    r"|\d+ (?:rows?|records?|lignes?|zeilen)",
    re.IGNORECASE,
)
"""What the key of a line of totals says."""
SHORTENED = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"
"""A long number as a spreadsheet shows it: 1.23457E+11."""
LARGEST_EXACT = 2**53
"""From here on a float does not tell whole numbers apart."""


def refuse_headers(plan: Plan, looks: Mapping[str, SecondLook]) -> None:
    """`DataError` where a line of a table, which no `where` leaves out, is the header once more."""
    for name in (name for name, look in looks.items() if look.headers):
        _refuse_header(plan.view(name), _key_of(plan, plan.view(name).spec))


def refuse_keys(plan: Plan, computed: Computed) -> None:
    """`DataError` where keys cannot be right."""
    customers = plan.views[CUSTOMERS]
    for name, counts in computed.counts.items():
        view = plan.view(name)
        rows, without = int(counts["rows"].item()), int(counts[NO_KEY].item() or 0)
        if rows and rows == without:
            raise _no_keys(view, _key_of(plan, view.spec), rows)
    _refuse_headers_and_totals(plan, computed.frame[KEY])
    _refuse_shortened(plan, customers, computed.frame[KEY])
    for name, unknown in computed.unknown.items():
        _refuse_shortened(plan, plan.views[name], unknown.keys)
    for (file, column), values in plan.listed.items():
        if column == plan.rules.customers.key:
            _refuse_shortened(plan, plan.view(suppression_table(file)), values)
    _refuse_duplicates(customers, computed.frame, plan.match)
    for name, matched in computed.matched.items():
        kept = kept_rows(computed.counts[name])
        if kept and not matched and len(computed.frame) and not _left_out_all(plan, plan.views[name]):
            raise _no_match(plan, plan.views[name], computed)


def _key_of(plan: Plan, spec: Source) -> str:
    if isinstance(spec, Customers):
        return spec.key
    if isinstance(spec, Events):
        return spec.key or plan.rules.customers.key
    return ", ".join(spec.on.values()) if isinstance(spec, Lookup) else ""


def _no_keys(view: View, key: str, rows: int) -> DataError:
    place = SourceLocation(str(view.table.paths[0]))
    message = f"none of the {rows:,} rows has a key in column `{key}`"
    of_people = isinstance(view.spec, (Customers, Events))
    hint = "name the column that identifies the customer: `key = ...`" if of_people else "is it the right column?"
    return DataError(Diagnostic(message, place, hint))


def _refuse_headers_and_totals(plan: Plan, keys: pl.Series) -> None:
    """`DataError` for a line that repeats the header, and for a last line that is a total."""
    view = plan.views[plan.rules.customers.from_ or CUSTOMERS]
    texts = [part for part in view.table.parts if part.text]
    key = _key_of(plan, view.spec)
    if not texts or keys.is_empty():
        return
    if key not in view.table.columns and not view.spec.where:
        again = view.table.repeats_header()
        if again is not None and not view.table.frame.filter(again).head(1).collect().is_empty():
            _refuse_header(view, key)
    was = dict(zip(texts[0].names, texts[0].text.names if texts[0].text else (), strict=False)).get(key)
    if was and keys.str.to_lowercase().is_in([was.lower()]).any():
        _refuse_header(view, key)
    if view.spec.skip_footer != 0:
        _refuse_totals(view, key, keys)


def _refuse_header(view: View, key: str) -> None:
    for part in (part for part in view.table.parts if part.text):
        assert part.text is not None
        line = next((line for line, fields in part.text.records() if _seen(fields) == _seen(part.text.names)), 0)
        if line:
            name = next((name for name in key.split(", ") if name in part.names), part.names[0])
            was = part.text.names[part.names.index(name)]
            hint = f'leave such lines out: `where.{toml_key(name)}.not = "{was}"`'
            raise DataError(Diagnostic("this line repeats the header", SourceLocation(str(part.path), line), hint))


def _seen(fields: Iterable[str]) -> list[str]:
    return [field.strip(WHITE).lower() for field in fields]


class _Total(NamedTuple):
    """A line of totals that counts as a customer's, and how many lines there are from it to the end."""

    line: int
    key: str
    lines: int


def _refuse_totals(view: View, column: str, keys: pl.Series) -> None:
    """`DataError` where one of the last lines of a file is a total, if it counts as a customer's."""
    texts = [part for part in view.table.parts if part.text]
    totals = [(part, found) for part in texts if (found := _total_of(view, part, column, keys))]
    if not totals:
        return
    part, total = totals[0]
    message = f"the last line, with the key `{total.key}`, looks like a total and not like a customer"
    skip = f"`skip_footer = {(view.spec.skip_footer or 0) + total.lines}`"
    if len(totals) < len(texts):
        # `skip_footer` would take a row of the other files.
        hint = f'other files have none: leave it out with `where.{toml_key(column)}.not = "{total.key}"`'
    else:
        hint = f"leave it out with {skip}; if it is a customer, say so with `skip_footer = 0`"
    raise DataError(Diagnostic(message, SourceLocation(str(part.path), total.line), hint))


def _total_of(view: View, part: Part, column: str, keys: pl.Series) -> _Total | None:
    """The first of the last lines of a file that is a total, and counts as a customer's.

    A customer of events may come in any row, and has other rows: only words tell there.
    """
    assert part.text is not None
    last = part.text.last_records()
    place = part.names.index(column) if column in part.names else None
    if place is None:  # derived: the customers are in the order of the file, but for those of events
        key = str(keys[-1])
        told = last and isinstance(view.spec, Customers) and not view.spec.where
        is_total = told and any(TOTAL.fullmatch(field.strip()) for field in (key, last[0][1][0]))
        return _Total(last[0][0], key, 1) if is_total else None
    for lines in range(len(last), 0, -1):
        line, fields = last[lines - 1]
        key = fields[place].strip()
        if TOTAL.fullmatch(key) and keys.is_in([key]).any():
            return _Total(line, key, lines)
    if not last or not isinstance(view.spec, Customers) or view.spec.skip_footer is not None:
        return None
    line, fields = last[0]
    key = fields[place].strip()
    gaps = any(not field.strip() for field in fields)
    return _Total(line, key, 1) if gaps and _is_unlike(key, keys) and keys.is_in([key]).any() else None


def rows_in_footers(plan: Plan) -> list[Diagnostic]:
    """A warning for each file where `skip_footer` leaves out a line that reads as a row."""
    warnings = []
    for name in (name for name in plan.views if name != CUSTOMERS or not plan.rules.customers.from_):
        view = plan.views[name]
        key = _key_of(plan, view.spec)
        for part in (part for part in view.table.parts if part.text and part.text.footer and key in part.names):
            assert part.text is not None
            place = part.names.index(key)
            rows = [line for line, fields in part.text.rows_of_footer() if not TOTAL.match(fields[place].strip())]
            if rows:
                message = f"`skip_footer` leaves out line {rows[0]:,} of `{part.path.name}`, which reads as a row"
                hint = "it counts for each file: leave out the totals with `where`, if only some files have one"
                warnings.append(Diagnostic(message, SourceLocation(str(part.path), rows[0]), hint, Severity.WARNING))
    return warnings


def _is_unlike(key: str, keys: pl.Series) -> bool:
    """Whether a key has no digit, or is words and a number, where all others have digits and no spaces."""
    others = keys.filter(keys != key)
    digit, space = bool(re.search(r"\d", key)), bool(re.search(r"\s", key) and re.search(r"[^\W\d_]{3}", key))
    if not key or len(others) < 2 or (digit and not space) or not others.str.contains(r"\d").all():
        return False
    return not digit or not others.str.contains(r"\s").any()


def _refuse_shortened(plan: Plan, view: View, keys: pl.Series) -> None:
    """`DataError` for keys that lost digits: in a spreadsheet, or as floats."""
    if plan.rules.customers.normalise_keys == ():
        return
    column = plan.rules.customers.key if isinstance(view.spec, Lookup) else _key_of(plan, view.spec)
    typed = view.table.columns.get(column)
    lost = keys.str.contains(SHORTENED)
    if typed is not None and typed.dtype.is_float():
        lost |= (keys.cast(pl.Int128, strict=False).abs() >= LARGEST_EXACT).fill_null(value=False)
    shortened = keys.filter(lost).sort()
    if len(shortened):
        how = "in a spreadsheet" if typed is None or typed.is_text else "as a float, which some value of its column is"
        message = f"the key `{shortened[0]}` lost its last digits {how}"
        hint = "export the keys as text; `[customers] normalise_keys = []` takes such keys as they are"
        raise DataError(Diagnostic(message, place_of(view.table, column, shortened[0]), hint))


def _refuse_duplicates(view: View, frame: pl.DataFrame, match: str) -> None:
    assert isinstance(view.spec, Customers)
    # Comparing hashes takes a third of the time. The keys are compared only where two hashes are the same.
    if view.spec.duplicates != "error" or frame[match].hash().n_unique() == len(frame):
        return
    twice = frame.filter(pl.col(KEY).is_duplicated())[KEY].unique(maintain_order=True)
    if twice.is_empty():
        _refuse_alike(view, frame, match)
        return
    shown = ", ".join(f"`{key}`" for key in twice.head(5).to_list())
    more = f" and {len(twice) - 5:,} more" if len(twice) > 5 else ""
    raise DataError(
        Diagnostic(
            f"customer keys come more than once: {shown}{more}",
            SourceLocation(str(view.table.paths[0])),
            'keep one row of each: `[customers] duplicates = "first"` or `"last"`',
        )
    )


def _refuse_alike(view: View, frame: pl.DataFrame, match: str) -> None:
    """`DataError` for two customers whose keys are one in the form in which they are compared."""
    assert isinstance(view.spec, Customers)
    alike = frame.filter(pl.col(match).is_duplicated())
    if alike.is_empty():
        return
    one, other = alike.filter(pl.col(match) == alike[match][0])[KEY].head(2).to_list()
    more = f", and {plural(rest, 'other key')}" if (rest := alike[match].n_unique() - 1) else ""
    message = f"`{one}` and `{other}` are one key with this `normalise_keys`{more}"
    hint = 'take out what makes them one, or keep one row of each: `[customers] duplicates = "first"` or `"last"`'
    raise DataError(Diagnostic(message, place_of(view.table, view.spec.key, other), hint))


def _no_match(plan: Plan, view: View, computed: Computed) -> DataError:
    customers, given = computed.frame, plan.rules.customers.normalise_keys
    alike = spelled_alike(computed.unknown[view.name].keys, customers[KEY], given)
    if alike:
        (event, customer), hint = alike.example, alike.hint(given)
    else:
        event, customer = view.kept().select(KEY).head(1).collect().item(), customers[KEY][0]
        hint = "name the columns that hold the same key: `[customers] key` and `[events.NAME] key`"
    message = f"no key of `{view.name}` is a key of the customers: `{event}` there, `{customer}` among the customers"
    return DataError(Diagnostic(message, SourceLocation(str(view.table.paths[0])), hint))


def _left_out_all(plan: Plan, events: View) -> bool:
    """Whether events have no customer only because `where` leaves those customers out."""
    everybody = plan.views[plan.rules.customers.from_ or CUSTOMERS]
    if not everybody.spec.where and not plan.rules.customers.where:
        return False
    keys = everybody.frame.select(pl.col(plan.match if everybody.name == CUSTOMERS else KEY).alias(KEY))
    return len(events.kept().join(keys, on=KEY, how="semi").select(KEY).head(1).collect()) > 0
