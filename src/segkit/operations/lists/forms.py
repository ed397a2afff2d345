"""The normal forms that advertising platforms document: what a text becomes before it is hashed.

Texts are composed (NFC), since the same letter in two spellings has two hashes. What cannot be read is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from segkit.rules.platforms import Form

COUNTRIES = (
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA",
    "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE",
    "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA",
    "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK",
    "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP",
    "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT",
    "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS",
    "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
    "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA",
    "ZM", "ZW", "XK",
)  # fmt: skip
"""The codes of ISO 3166-1, and `XK`, by which Kosovo goes until it has one."""
_LABEL = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?"
_LOCAL = r"[^@<>()\[\],;:\"\\]+"
_ADDRESS = rf"^{_LOCAL}@(?:{_LABEL}\.)+\p{{L}}[\p{{L}}\p{{M}}\p{{N}}-]*[\p{{L}}\p{{M}}\p{{N}}]$"
"""One address alone: no name beside it, no `mailto:`, no mark behind it."""
_GMAIL = ("gmail.com", "googlemail.com")
_TITLE = r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|mme|mlle)(?:\. *| +))+"
_SUFFIX = r",? +(?:jr|sr|ii|iii|iv)\.?$"
_NO_LETTER = r"[^\p{L}\p{M}\p{N}]+"
_INVISIBLE = r"[[\p{Cc}--\s]\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}\x{2066}-\x{2069}\x{feff}]"
"""What pages and programs leave in a text unseen; joiners stay, which tell words of some scripts apart."""
_FRACTION = r"^([0-9]+)\.0+$"
"""Of a whole number that a program took for one with a fraction."""
_FIVE_DIGITS = ("CZ", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IT", "MX", "SE", "SK", "TR", "UA", "US")
"""Countries where every postcode has five digits: one with fewer has lost the zeros in front."""
_OF_FIVE_DIGITS = "^[0-9]{5}(?:-?[0-9]{4})?$"
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
    """The text composed, without what cannot be seen, and with one space in the place of several, at its ends none."""
    seen = text.str.normalize("NFC").str.replace_all(_INVISIBLE, "")
    return seen.str.replace_all(r"[\s\x{a0}]+", " ").str.strip_chars()


def country_of(text: pl.Expr) -> pl.Expr:
    """The two letters of ISO 3166-1; missing for anything else."""
    code = plain(text).str.to_uppercase().replace({"UK": "GB", "EL": "GR"})  # as the European Union writes them
    return pl.when(code.is_in(COUNTRIES)).then(code)


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
    name = text.str.to_lowercase().str.replace(_TITLE, "").str.replace(_SUFFIX, "").str.strip_chars()
    return pl.when(name.str.contains(r"\p{L}")).then(name)


def _letters(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    words = text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N} ]+", "")
    return words.str.replace_all(" +", " ").str.strip_chars()


def _word(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(_NO_LETTER, "")


def _postcode(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    """With the sign of the country in front where that is none of its code, as in `F-75001`, taken off."""
    code = text.str.replace(_FRACTION, "$1")
    of_five = code.str.replace("^[A-Za-z]{1,3}-([0-9])", "$1")
    is_one = of_five.str.replace_all(" ", "", literal=True).str.contains(_OF_FIVE_DIGITS)
    has_five = country.is_in(_FIVE_DIGITS).fill_null(value=False)
    return pl.when(has_five & is_one).then(of_five).when(~has_five & code.str.contains("[0-9]")).then(code)


def _short_postcode(text: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Of the United States the first five digits, of the United Kingdom area, district and sector."""
    code = _postcode(text, country).str.to_lowercase().str.replace_all(" ", "", literal=True)
    of_states, of_kingdom = code.str.slice(0, 5), code.str.replace(_UNIT_OF_UK, "$1")
    return pl.when(country == "US").then(of_states).when(country == "GB").then(of_kingdom).otherwise(code)


_FORMS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "email": _email,
    "gmail": _gmail,
    "person": _person,
    "letters": _letters,
    "word": _word,
    "postcode": _postcode,
    "short postcode": _short_postcode,
    "country": lambda text, country: country,
    "small country": lambda text, country: country.str.to_lowercase(),
}
