"""The normal forms that advertising platforms document: what a text becomes before it is hashed.

Texts are composed (NFC), since the same letter in two spellings has two hashes. What cannot be read is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from segkit.rules.platforms import Form

_ADDRESS = r"^[^@]+@[^@]+\.[^@.]+$"
_GMAIL = ("gmail.com", "googlemail.com")
_TITLE = r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|mme|mlle)(?:\. *| +))+"
_SUFFIX = r",? +(?:jr|sr|ii|iii|iv)\.?$"
_NO_LETTER = r"[^\p{L}\p{M}\p{N}]+"
_UNIT_OF_UK = r"^([a-z]{1,2}[0-9][a-z0-9]?[0-9])[a-z]{2}$"


def normal_form(form: Form, text: pl.Expr, country: pl.Expr, phone: pl.Expr) -> pl.Expr:
    """The text of a field in a normal form; missing where there is none.

    `country` is the normal form of the customer's country, and `phone` their number as it is dialled from abroad.
    """
    if form in ("e164", "digits"):
        return phone if form == "e164" else phone.str.strip_prefix("+")
    made = _FORMS[form](plain(text), country)
    return pl.when(made != "").then(made)


def plain(text: pl.Expr) -> pl.Expr:
    """The text composed, without white space at its ends, and with one space in the place of several."""
    return text.str.normalize("NFC").str.replace_all(r"[\s\x{a0}]+", " ").str.strip_chars()


def country_of(text: pl.Expr) -> pl.Expr:
    """The two letters of ISO 3166-1; missing for anything else."""
    code = plain(text).str.to_uppercase().replace("UK", "GB")
    return pl.when(code.str.contains("^[A-Z]{2}$")).then(code)


def _email(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    address = text.str.replace_all(" ", "", literal=True).str.to_lowercase()
    return pl.when(address.str.contains(_ADDRESS)).then(address)


def _gmail(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Google knows one inbox by many addresses: with dots, and with anything behind a `+`."""
    address = _email(text, country)
    halves = address.str.splitn("@", 2).struct
    inbox = halves[0].str.splitn("+", 2).struct[0].str.replace_all(".", "", literal=True)
    is_gmail = halves[1].is_in(_GMAIL)
    return pl.when(~is_gmail).then(address).when(inbox != "").then(inbox + "@" + halves[1])


def _person(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace(_TITLE, "").str.replace(_SUFFIX, "")


def _letters(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    words = text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N} ]+", "")
    return words.str.replace_all(" +", " ").str.strip_chars()


def _word(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(_NO_LETTER, "")


def _short_postcode(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Of the United States the first five digits, of the United Kingdom area, district and sector."""
    code = text.str.to_lowercase().str.replace_all(" ", "", literal=True)
    of_states, of_kingdom = code.str.slice(0, 5), code.str.replace(_UNIT_OF_UK, "$1")
    return pl.when(country == "US").then(of_states).when(country == "GB").then(of_kingdom).otherwise(code)


_FORMS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "email": _email,
    "gmail": _gmail,
    "person": _person,
    "letters": _letters,
    "word": _word,
    "postcode": lambda text, country: text,
    "short postcode": _short_postcode,
    "country": lambda text, country: country,
    "small country": lambda text, country: country.str.to_lowercase(),
}
