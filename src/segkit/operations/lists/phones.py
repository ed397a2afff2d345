"""Phone numbers as they are dialled from abroad: E.164, such as `+33261916094`."""

from __future__ import annotations

import polars as pl

from segkit.errors import require_extra

EXTRA = "audiences"


def require_phones() -> None:
    """`RuleError` where the extra that reads phone numbers is not installed."""
    require_extra(EXTRA, "phonenumbers", "phone numbers are read")


def in_e164(numbers: pl.Series, countries: pl.Series) -> pl.Series:
    """Each number with `+` and the code of its country; missing where it is none, or where its country is not told.

    What is looked at is its length, not whether it is given out to somebody: a number that nobody has finds nobody, and
    new ranges come. An extension goes.
    """
    asked = pl.DataFrame([numbers.alias("number"), countries.alias("country")])
    different = asked.drop_nulls("number").unique()
    found = [_in_e164(number, country) for number, country in different.iter_rows()]  # once a number, not once a row
    known = different.with_columns(pl.Series("dialled", found, pl.String))
    joined = asked.join(known, on=["number", "country"], how="left", nulls_equal=True, maintain_order="left")
    return joined["dialled"]


def _in_e164(number: str, country: str | None) -> str | None:
    from phonenumbers import (
        NumberParseException,
        PhoneNumberFormat,
        ValidationResult,
        format_number,
        is_possible_number_with_reason,
        parse,
    )

    try:
        read = parse(number, country)
    except NumberParseException:
        return None
    if is_possible_number_with_reason(read) != ValidationResult.IS_POSSIBLE:
        return None
    return format_number(read, PhoneNumberFormat.E164)
