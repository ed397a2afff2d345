"""Keys of events and of suppression lists that no customer has, but for zeros, case, marks or composed letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.compute import Computed
from segkit.columns.features.permission import folded
from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Quotes, Severity
from segkit.errors import DataError
from segkit.io.read.values.texts import SPELLINGS, normal_key
from segkit.operations.evaluation.diagnose import about_table
from segkit.rules.model.sources import Spelling
from segkit.rules.tables import CUSTOMERS, suppression_table
from segkit.words import listed, plural

FEW, SHARE_OF_UNKNOWN, SHARE_OF_ALL = 10, 0.1, 0.01
"""So many keys have to match in another spelling to be an error, of those that nobody has, and of all of the table."""
TRIED = 1_000
"""Keys that match among which the spellings are found that it takes."""
_ANY_SPELLING = r"^0|[A-Z]|[^\x00-\x7f]|^[0-9]+[.,' ]"
"""What a key has whose normal form is another."""
_IN_WORDS: dict[Spelling, str] = {
    "unicode": "composed letters",
    "case": "case",
    "decimals": "decimals and groups of digits",
    "zeros": "leading zeros",
}


class Unknown(NamedTuple):
    """The keys of a table that no customer has, of how many, and the keys of the customers as they are compared."""

    table: str
    keys: pl.Series
    of_all: int
    customers: pl.Series
    always_refused: bool = False
    """One that matches is enough to be an error: who is suppressed is never written by accident."""


class Alike(NamedTuple):
    """How many keys match in other spellings, which spellings it takes, and an example of each side.

    `become_one` are two customers whose keys would be one, too.
    """

    number: int
    spellings: tuple[Spelling, ...]
    example: tuple[str, str]
    become_one: tuple[str, ...]

    def hint(
        self,
        given: Sequence[Spelling] | None,
        *,
        of_events: bool = False,
        names_keys: bool = True,
        in_workbook: bool = False,
    ) -> str:
        """What compares such keys; customers `of_events` go out in that form. Without `names_keys`, no key is in it.

        `in_workbook` says that some of the keys are numbers of a workbook.
        """
        shown = "; a number that a workbook shows as `00042` is 42" if in_workbook and "zeros" in self.spellings else ""
        return self._way_out(given, of_events=of_events, names_keys=names_keys) + shown

    def _way_out(self, given: Sequence[Spelling] | None, *, of_events: bool, names_keys: bool) -> str:
        names = ", ".join(f'"{name}"' for name in SPELLINGS if name in (*self.spellings, *(given or ())))
        if self.become_one and not of_events:
            two = listed(self.become_one) if names_keys else "two customers"
            one = f"with `normalise_keys = [{names}]`, {two} would be one customer"
            return f"mend them: {one}; `[]` says that keys differ as written"
        form = " and writes them in that form" if of_events else ""
        return (
            f"`[customers] normalise_keys = [{names}]` takes them for the same{form}; with `[]` they differ as written"
        )

    @property
    def words(self) -> str:
        """In what they differ."""
        return " and ".join(_IN_WORDS[name] for name in self.spellings)


def unknown_keys(plan: Plan, computed: Computed) -> list[Diagnostic]:
    """Warnings about keys that would have a customer in another spelling; `DataError` where that is no accident."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    given = plan.rules.customers.normalise_keys
    for unknown in _unknown(plan, computed):
        alike = spelled_alike(unknown.keys, unknown.customers, given)
        if alike is None:
            continue
        matches = f"{plural(alike.number, 'key')} of `{unknown.table}` {'matches' if alike.number == 1 else 'match'}"
        table = plan.view(unknown.table).table
        of_events = bool(plan.rules.customers.from_)
        in_workbook = has_workbook(plan, unknown.table)
        told = about_table(f"{matches} a customer but for {alike.words}", table)
        many = max(FEW, SHARE_OF_UNKNOWN * len(unknown.keys), SHARE_OF_ALL * unknown.of_all)
        if unknown.always_refused or alike.number >= many:
            # Warnings stand in the manifest, which holds no customer's data: only errors have examples.
            there, customer = alike.example
            message = f"{told.message}: `{there}` there, `{customer}` among the customers"
            hint = alike.hint(given, of_events=of_events, in_workbook=in_workbook)
            quotes = Quotes(plan.rules.customers.key, (there, customer, *alike.become_one))
            told = replace(told, message=message, hint=hint, quotes=quotes)
            errors.append(replace(told, severity=Severity.ERROR, code=codes.BAD_DATA))
        else:
            hint = alike.hint(given, of_events=of_events, names_keys=False, in_workbook=in_workbook)
            warnings.append(replace(told, hint=hint))
    if errors:
        raise DataError(*errors)
    return warnings + _twice(plan, computed)


def has_workbook(plan: Plan, table: str) -> bool:
    """Whether the rows of a table or the customers are in a workbook, where a number may be shown with zeros."""
    views = (plan.view(table), plan.views[plan.rules.customers.from_ or CUSTOMERS])
    return any(part.sheet is not None for view in views for part in view.table.parts)


def _twice(plan: Plan, computed: Computed) -> list[Diagnostic]:
    """A warning where customers made of events would be one in another spelling: nobody looked at their keys before."""
    given = plan.rules.customers.normalise_keys
    if not plan.rules.customers.from_ or given == ():
        return []
    keys = computed.column(KEY)
    normal = _in_normal_form(keys, "customer", tuple(SPELLINGS)).select(pl.col(KEY).n_unique())
    count = len(keys) - int(normal.collect().item())
    if not count:
        return []
    message = (
        f"{plural(count, 'customer')} of `{plan.rules.customers.from_}` would be another but for zeros, case, decimals "
    )
    message += "or composed letters of the key"
    hint = (
        "`[customers] normalise_keys` takes them for the same, and writes them in that form; `[]` says that they differ"
    )
    return [about_table(message, plan.view(plan.rules.customers.from_).table, hint)]


def _unknown(plan: Plan, computed: Computed) -> Iterator[Unknown]:
    if plan.rules.customers.normalise_keys == ():
        return
    customers = computed.column(KEY)
    for name, unknown in computed.unknown.items():
        yield Unknown(name, unknown.keys, unknown.of_all, customers)
    for (file, column), values in plan.listed.items():
        if column == plan.rules.customers.key:
            compared = normal_key(folded(pl.col(KEY)), plan.spellings)
            known = computed.customers.select(compared).collect()
            keys = values.to_frame(KEY)
            strange = keys.filter(~normal_key(pl.col(KEY), plan.spellings).is_in(known[KEY].implode()))[KEY]
            folded_customers = computed.customers.select(folded(pl.col(KEY))).collect()[KEY]
            yield Unknown(suppression_table(file), strange, len(values), folded_customers, always_refused=True)


def spelled_alike(unknown: pl.Series, customers: pl.Series, given: Sequence[Spelling] | None) -> Alike | None:
    """Which of the unknown keys are a customer's in other spellings than those that are `given`; None where none is."""
    if given == () or unknown.is_empty():
        return None
    known = tuple(given or ())
    matches = _matching(unknown, customers, tuple(SPELLINGS)).sort("there", "customer")
    if matches.is_empty():
        return None
    some, wanted = matches.head(TRIED), tuple(SPELLINGS)
    for name in SPELLINGS:  # only those that it takes
        fewer = tuple(other for other in wanted if other != name)
        if name not in known and len(_matching(some["there"], some["customer"], fewer)) == len(some):
            wanted = fewer
    one = _one_key(customers, wanted)
    return Alike(len(matches), tuple(name for name in wanted if name not in known), matches.row(0), one)


def _matching(unknown: pl.Series, customers: pl.Series, spellings: Sequence[Spelling]) -> pl.DataFrame:
    """The unknown keys that are a customer's in these spellings, each with such a customer's key."""
    there = _in_normal_form(unknown, "there", spellings)
    yours = _in_normal_form(customers, "customer", spellings).unique(KEY, keep="first", maintain_order=True)
    return there.join(yours, on=KEY, how="inner").select("there", "customer").collect()


def _in_normal_form(keys: pl.Series, name: str, spellings: Sequence[Spelling]) -> pl.LazyFrame:
    """The keys, with their normal form as `KEY`; few have another one, and making it takes long."""
    frame, odd = keys.to_frame(name).lazy(), pl.col(name).str.contains(_ANY_SPELLING)
    normal = frame.filter(odd).with_columns(normal_key(pl.col(name), spellings).alias(KEY))
    return pl.concat([frame.filter(~odd).with_columns(pl.col(name).alias(KEY)), normal])


def _one_key(customers: pl.Series, spellings: Sequence[Spelling]) -> tuple[str, ...]:
    """Two customers whose keys are one in these spellings, if there are such."""
    keys = _in_normal_form(customers, "customer", spellings).filter(pl.col(KEY).is_duplicated()).sort(KEY, "customer")
    return tuple(keys.head(2).collect()["customer"].to_list())
