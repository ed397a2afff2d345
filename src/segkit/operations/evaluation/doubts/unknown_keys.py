"""Keys of events and of suppression lists that no customer has, but for zeros, case, marks or composed letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.compute import MOST, Computed
from segkit.columns.features.permission import folded, suppression_lists
from segkit.columns.helpers import KEY, listed
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.io.read.values.texts import KEY_FORMS, normal_key
from segkit.operations.evaluation.diagnose import about_table
from segkit.rules.model.sources import KeyForm
from segkit.rules.tables import suppression_table
from segkit.words import plural

FEW, SHARE_OF_UNKNOWN, SHARE_OF_ALL = 10, 0.1, 0.01
"""So many keys have to match in another form to be an error, of those that nobody has, and of all of the table."""
_ANY_FORM = r"^0|[A-Z.,' ]|[^\x00-\x7f]"
"""What a key has, if its normal form is another."""
_IN_WORDS: dict[KeyForm, str] = {
    "unicode": "composed letters",
    "case": "case",
    "decimals": "decimals and groups of digits",
    "zeros": "leading zeros",
}


class OtherForms(NamedTuple):
    """How many keys match in other forms, which forms these are, and an example of each side."""

    number: int
    forms: tuple[KeyForm, ...]
    event: str
    customer: str
    given: tuple[KeyForm, ...]

    @property
    def hint(self) -> str:
        """What compares such keys."""
        forms = ", ".join(f'"{form}"' for form in KEY_FORMS if form in (*self.forms, *self.given))
        return f"`[customers] normalise_keys = [{forms}]` takes them for the same; with `[]` they differ as written"

    @property
    def words(self) -> str:
        """In what they differ."""
        return " and ".join(_IN_WORDS[form] for form in self.forms)


def unknown_keys(plan: Plan, computed: Computed) -> list[Diagnostic]:
    """Warnings about keys that would have a customer in another form; `DataError` where that can be no accident."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    given = plan.rules.customers.normalise_keys
    for table, of, keys, customers in _compared(plan, computed):
        other = other_forms(keys, customers, given)
        if other is None:
            continue
        matches = f"{plural(other.number, 'key')} of `{table}` {'matches' if other.number == 1 else 'match'}"
        told = about_table(f"{matches} a customer but for {other.words}", plan.view(table).table, other.hint)
        if other.number >= max(FEW, SHARE_OF_UNKNOWN * len(keys), SHARE_OF_ALL * of):
            # Warnings stand in the manifest, which holds no customer's data: only errors have examples.
            example = f"{told.message}: `{other.event}` there, `{other.customer}` among the customers"
            errors.append(told._replace(message=example, severity=Severity.ERROR))
        elif table not in idle_lists(plan, computed):
            warnings.append(told)
    if errors:
        raise DataError(*errors)
    return warnings


def idle_lists(plan: Plan, computed: Computed) -> set[str]:
    """The suppression lists that have nobody among the customers, which is told for itself."""
    lists = suppression_lists(plan.rules)
    return {suppression_table(file) for file, column in lists if not computed.frame[listed(file, column)].any()}


def _compared(plan: Plan, computed: Computed) -> Iterator[tuple[str, int, pl.Series, pl.Series]]:
    """For each table with keys: how many it has, those that nobody has, and the keys of the customers."""
    if plan.rules.customers.normalise_keys == ():
        return
    customers = computed.frame[plan.match]
    for name, of_events in computed.unknown.items():
        yield name, of_events.of, of_events.keys, customers
    for file, column in suppression_lists(plan.rules):
        table = suppression_table(file)
        if column == plan.rules.customers.key:
            compared = normal_key(folded(pl.col(KEY)), plan.key_forms)
            values = plan.view(table).kept().select(compared.unique()).collect()
            known = computed.frame.select(compared)
            unknown = values.join(known, on=KEY, how="anti")[KEY].sort().head(MOST)
            yield table, len(values), unknown, known[KEY]


def other_forms(unknown: pl.Series, customers: pl.Series, given: Sequence[KeyForm] | None) -> OtherForms | None:
    """Which of the unknown keys are a customer's in other forms than those that are `given`; None where none is."""
    left = [form for form in KEY_FORMS if form not in (given or ())]
    matches = _matching(unknown, customers, left)
    if given == () or matches.is_empty():
        return None
    for form in list(left):  # only those that it takes
        without = [other for other in left if other != form]
        left = without if len(_matching(unknown, customers, without)) == len(matches) else left
    event, customer = matches.row(0)
    return OtherForms(len(matches), tuple(left), event, customer, tuple(given or ()))


def _matching(unknown: pl.Series, customers: pl.Series, forms: Sequence[KeyForm]) -> pl.DataFrame:
    """The unknown keys that match in these forms, each with a customer's key."""
    if unknown.is_empty():
        return pl.DataFrame(schema={"event": pl.String, "customer": pl.String})
    events = unknown.to_frame("event").with_columns(normal_key(pl.col("event"), forms).alias(KEY))
    keys = customers.to_frame("customer")
    # Few keys have another form, and making one takes long.
    odd = keys.lazy().filter(pl.col("customer").str.contains(_ANY_FORM))
    odd = odd.with_columns(normal_key(pl.col("customer"), forms).alias(KEY))
    plain = keys.lazy().filter(~pl.col("customer").str.contains(_ANY_FORM)).with_columns(pl.col("customer").alias(KEY))
    wanted = events[KEY].implode()
    there = pl.concat([odd, plain]).filter(pl.col(KEY).is_in(wanted)).unique(KEY, keep="first", maintain_order=True)
    return events.join(there.collect(), on=KEY, how="inner", maintain_order="left").select("event", "customer")
