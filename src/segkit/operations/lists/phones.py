"""Phone numbers as they are dialled from abroad: E.164, such as `+33261916094`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from segkit.errors import require_extra

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

EXTRA = "audiences"
_FRACTION = r"^(\+?[0-9]{6,})[.,]0+$"
"""A number that a program took for one with a fraction, as in `491701234567.0`."""


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
    from phonenumbers import PhoneNumberFormat, ValidationResult, format_number, is_possible_number_with_reason

    text = re.sub(_FRACTION, r"\1", number.strip())
    read = _without_plus(text, country) or _read(text, country)
    if read is None or is_possible_number_with_reason(read) != ValidationResult.IS_POSSIBLE:
        return None
    return format_number(read, PhoneNumberFormat.E164)


def _without_plus(text: str, country: str | None) -> PhoneNumber | None:
    """A number that begins with the code of its own country, where there is one by that: its `+` is lost.

    In Germany, `491701234567` may be a number behind the `0` of Ostfriesland, too, but hardly ever is.
    """
    from phonenumbers import country_code_for_region, is_valid_number

    code = country_code_for_region(country) if country else 0
    if not code or not text.startswith(str(code)):
        return None
    read = _read(f"+{text}", None)
    return read if read is not None and is_valid_number(read) else None


def _read(number: str, country: str | None) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, parse

    try:
        return parse(number, country)
    except NumberParseException:
        return None
