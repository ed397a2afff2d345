"""Lists as an advertising platform takes them: its header, normal forms and hashes, in files that are not too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.helpers import KEY, PHONE
from segkit.diagnostics import Diagnostic, Severity
from segkit.io.write.cells import as_text
from segkit.operations.lists.forms import country_of, normal_form
from segkit.operations.lists.lists import List, Part
from segkit.operations.lists.phones import in_e164, require_phones
from segkit.operations.lists.protection import known_text, sha256
from segkit.rules.model.file import RuleFile
from segkit.rules.platforms import PLATFORMS, Platform
from segkit.words import plural

FILE = helpers.hidden("file")
"""The name of the file that has a customer."""
_DIGITS_OF_HASH = 64


def require_audience(rules: RuleFile) -> None:
    """`RuleError` where phone numbers go out, and the extra that reads them is not installed."""
    if platform_of(rules) and rules.output.fields.phone:
        require_phones()


def platform_of(rules: RuleFile) -> Platform | None:
    """Whom the lists are for; none where they are for no platform."""
    return PLATFORMS.get(rules.output.audience or "")


def with_phones(customers: pl.DataFrame, rules: RuleFile, listed: Sequence[pl.Series]) -> pl.DataFrame:
    """The customers with their phone numbers as they are dialled from abroad, for those with a mark in `listed`.

    They are made once, however many lists have a customer: it takes longer than all other forms together.
    """
    if platform_of(rules) is None or rules.output.fields.phone is None or not listed:
        return customers
    texts = _texts(customers.lazy(), rules)
    in_some = pl.DataFrame(listed).select(pl.any_horizontal(pl.all())).to_series()
    asked = customers.select(
        pl.when(in_some).then(texts["phone"]).alias("number"), country_of(texts["country"]).alias("country")
    )
    return customers.with_columns(in_e164(asked["number"], asked["country"]).alias(PHONE))


class _Formed(NamedTuple):
    """Customers with the normal form of each field in a column beside the others.

    `texts` are the fields as they came, `forms` the columns with what goes out, by field, in the platform's order.
    """

    customers: pl.LazyFrame
    platform: Platform
    texts: Mapping[str, pl.Expr]
    forms: Mapping[str, pl.Expr]

    @property
    def findable(self) -> pl.Expr:
        """Whether the platform can find a customer."""
        ways = [way for way in self.platform.findable_by if set(way) <= self.forms.keys()]
        return pl.any_horizontal(pl.all_horizontal(self.forms[field].is_not_null() for field in way) for way in ways)

    @property
    def lines(self) -> pl.Expr:
        """How many lines a customer makes whom the platform can find."""
        if not self.platform.one_a_line:
            return pl.lit(1, pl.Int64)
        return pl.sum_horizontal(form.is_not_null().cast(pl.Int64) for form in self.forms.values())


def audience_rows(
    customers: pl.LazyFrame, rules: RuleFile, platform: Platform, part: Part | None = None
) -> pl.LazyFrame:
    """The lines with these customers, or with those of a part; whom the platform cannot find is not among them."""
    formed = _formed(customers, rules, platform)
    found = formed.customers.filter(formed.findable)
    if part is not None:
        found = found.slice(part.offset, part.customers)
    columns = {platform.columns[field]: form for field, form in formed.forms.items()}
    rows = found.select(**{column.header: sha256(f) if column.hashed else f for column, f in columns.items()})
    if not platform.one_a_line or len(columns) == 1:
        return rows
    headers = [column.header for column in columns]
    nothing = {header: pl.lit(None, pl.String) for header in headers}
    return pl.concat(
        rows.filter(pl.col(header).is_not_null()).select(**{**nothing, header: pl.col(header)}) for header in headers
    )


def file_of_customers(customers: pl.LazyFrame, rules: RuleFile, list_: List) -> pl.LazyFrame:
    """The customers of a list for a platform with the name of their file in `FILE`: none where nobody finds them."""
    platform = platform_of(rules)
    assert platform is not None, "other lists are one file"
    formed = _formed(customers.filter(list_.rows), rules, platform)
    in_a_part = max(list_.parts[0].customers, 1)  # all but the last one are as long
    part = (formed.findable.cast(pl.Int64).cum_sum() - 1) // in_a_part
    names = {number: one.name for number, one in enumerate(list_.parts)}
    file = part.replace_strict(names, default=None, return_dtype=pl.String)
    return formed.customers.with_columns(pl.when(formed.findable).then(file).alias(FILE))


def cut(lists: Sequence[List], customers: pl.LazyFrame, rules: RuleFile) -> tuple[list[List], list[Diagnostic]]:
    """The lists with the files that they make for the platform, and what there is to say of them.

    Without an audience, each list is one file, and nothing is said.
    """
    platform = platform_of(rules)
    if platform is None:
        return list(lists), []
    formed = _formed(customers, rules, platform)
    counts = _counts(lists, formed)
    most = _most_customers(counts, formed)
    done: list[List] = []
    for place, one in enumerate(lists):
        found = counts[f"{place} found"]
        if most is None or found <= most or not one.writes:
            parts = [Part(one.name, 0, found, counts[f"{place} lines"])]
        else:
            parts = list(_numbered(one, formed, most))
        done.append(one._replace(parts=tuple(parts)))
    return done, [*_small(done, platform), *_unread(counts, rules, formed)]


def _texts(customers: pl.LazyFrame, rules: RuleFile) -> dict[str, pl.Expr]:
    """The text of each field, as it came; missing where it stands for a missing value."""
    schema, lists = customers.collect_schema(), rules.customers.lists
    texts: dict[str, pl.Expr] = {}
    for field, column in rules.output.fields.given.items():
        raw = KEY if column == rules.customers.key else helpers.as_it_came(column)
        name = raw if raw in schema else column
        texts[field] = known_text(as_text(pl.col(name), schema[name], lists.get(column, "|")), rules)
    return texts


def _formed(customers: pl.LazyFrame, rules: RuleFile, platform: Platform) -> _Formed:
    """The customers with the normal forms of what the platform takes, which are made once for all who look at them."""
    texts = _texts(customers, rules)
    country = country_of(texts["country"]) if "country" in texts else pl.lit(None, pl.String)
    forms = {
        field: normal_form(column.form, texts[field], country, pl.col(PHONE)).alias(helpers.normal(field))
        for field, column in platform.columns.items()
        if field in texts
    }
    columns = {field: pl.col(helpers.normal(field)) for field in forms}
    return _Formed(customers.with_columns(forms.values()), platform, texts, columns)


def _counts(lists: Sequence[List], formed: _Formed) -> Mapping[str, int]:
    """What is counted in one pass: of each list who can be found, of each field what cannot be read."""
    asked: dict[str, pl.Expr] = {}
    for place, one in enumerate(lists):
        mask = one.rows & formed.findable
        asked[f"{place} found"] = mask.sum()
        asked[f"{place} lines"] = pl.when(mask).then(formed.lines).sum()
    listed = pl.any_horizontal(one.rows for one in lists if one.writes) if lists else pl.lit(False)
    for field, form in formed.forms.items():
        given = listed & (formed.texts[field].str.strip_chars() != "")
        asked[f"{field} given"] = given.sum()
        asked[f"{field} unread"] = (given & form.is_null()).sum()
        asked[f"{field} bytes"] = form.str.len_bytes().max().fill_null(0)
    (row,) = formed.customers.select(**asked).collect(engine="streaming").rows(named=True)
    return row


def _most_customers(counts: Mapping[str, int], formed: _Formed) -> int | None:
    """How many customers fit into a file, whatever their lines look like; None where the platform names no limit."""
    platform = formed.platform
    if platform.most_bytes is None:
        return None
    columns = {field: platform.columns[field] for field in formed.forms}
    # Of what is not hashed, each byte may be a quotation mark, which is doubled; and there are the marks around it.
    line = sum(_DIGITS_OF_HASH + 1 if c.hashed else 2 * counts[f"{f} bytes"] + 3 for f, c in columns.items())
    header = sum(len(column.header) + 1 for column in columns.values())
    return max((platform.most_bytes - 1 - header) // (line * (len(columns) if platform.one_a_line else 1)), 1)


def _numbered(one: List, formed: _Formed, most: int) -> Iterator[Part]:
    """The files of a list that is too long for one."""
    found = formed.customers.filter(one.rows & formed.findable)
    lines = found.with_columns(formed.lines.alias("lines")).select("lines").with_row_index()
    by_part = lines.group_by(pl.col("index") // most).agg(pl.len(), pl.col("lines").sum()).sort("index")
    path = Path(one.name)
    for part, in_part, of_part in by_part.collect(engine="streaming").rows():
        yield Part(f"{path.stem}.part{part + 1}{path.suffix}", part * most, in_part, of_part)


def _small(lists: Sequence[List], platform: Platform) -> Iterator[Diagnostic]:
    """A warning for each list of fewer people than the platform works with, however many lines they make."""
    for one in lists:
        found = sum(part.customers for part in one.parts)
        if one.writes and found < platform.fewest:
            of_written = "" if found == one.written else f" of {one.written:,}"
            people = f"{found:,}{of_written} customers who can be found"
            message = f"`{one.name}` has {people}, and {platform.title} works with {platform.fewest:,}"
            hint = "make the segment wider, or name further `fields`"
            yield Diagnostic(f"{message} and more", hint=hint, severity=Severity.WARNING)


def _unread(counts: Mapping[str, int], rules: RuleFile, formed: _Formed) -> Iterator[Diagnostic]:
    """A note for each field of which some values have no normal form."""
    given = rules.output.fields.given
    for field in formed.forms:
        if unread := counts[f"{field} unread"]:
            values = f"{unread:,} of {plural(counts[f'{field} given'], 'value')}"
            message = f"`{given[field]}`: {values} not read as {_KINDS[field]}, and left empty"
            yield Diagnostic(message, hint=_HINTS.get(field), severity=Severity.NOTE)


_KINDS = {
    "email": "an e-mail address",
    "phone": "a phone number of its country",
    "first_name": "a name",
    "last_name": "a name",
    "city": "a city",
    "state": "a state",
    "zip": "a postcode of its country",
    "country": "two letters of ISO 3166-1",
}
_HINTS = {
    "phone": "a number without the code of its country needs one in `country`",
    "zip": "where a program takes it for a number, a postcode loses the zeros in front",
    "country": "such as `FR`; a lookup, or `derive`, makes them of names",
}
