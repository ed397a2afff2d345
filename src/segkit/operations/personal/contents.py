"""How values look that reach a person or his money, whatever their column is called."""

from __future__ import annotations

import polars as pl

EMAIL = r"^[^@\s]+@[^@\s]+\.\p{L}[^@\s]*$|[\w.+-]@[\w-]+(?:\.[\w-]+)*\.\p{L}{2,}"
"""An address, alone or in a text."""
_ABROAD = r"\+[0-9][ 0-9()./-]{6,17}[0-9]"
_IN_PAIRS = r"0[1-9](?:[ .-][0-9][0-9]){4}"
_IN_AMERICA = r"(?:\([2-9][0-9][0-9]\) ?|[2-9][0-9][0-9][ .-])[2-9][0-9][0-9][ .-][0-9]{4}"
_MOBILE = r"0(?:[67][0-9]{8}|7[0-9]{9}|1[567][0-9]{8,9})"
PHONE = (
    rf"(?:^|[^0-9A-Za-z_.+-])(?:{_ABROAD}|{_IN_PAIRS}|{_IN_AMERICA})(?:$|[^0-9A-Za-z_-])"
    rf"|[A-Za-z.:] {_MOBILE}(?:$|[^0-9A-Za-z_-])"
)
"""A phone number that its form gives away, alone or in a text."""
MOBILE = rf"^{_MOBILE}$"
"""The digits of a mobile phone in France, Great Britain or Germany: of one alone, it may be a code."""
LOCAL = r"^\(?0[1-9][0-9]{0,4}\)?(?:[ ./-]{1,3}\(?[0-9]{1,9}\)?){1,6}$"
"""A text that may be a local phone number, in groups."""
_BY_DASHES = r"^[0-9-]+$"
_OF_A_DAY = r"^[0-9][0-9]?(?:[ ./-][0-9][0-9]?)?[ ./-](?:19|20)[0-9][0-9](?:\D|$)"
IBAN = r"(?:^|\W)([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?:$|\W)"
"""What may be the number of a bank account; its check digits tell."""
CARD = (
    r"(?:^|[^0-9.,-])("
    r"(?:4[0-9]{3}|5[1-5][0-9][0-9]|2[2-7][0-9][0-9]|6011|65[0-9][0-9]|64[4-9][0-9])(?:[ -]?[0-9]{4}){3}"
    r"|3[47][0-9][0-9][ -]?[0-9]{6}[ -]?[0-9]{5}|3(?:0[0-5]|[68][0-9])[0-9][ -]?[0-9]{6}[ -]?[0-9]{4}"
    r")(?:$|[^0-9.,-]|[.,](?:$|[^0-9]))"
)
"""What may be the number of a credit card; its check digit tells."""
_EIGHT_DIGITS = r"(?:[0-9][^0-9]{0,8}){8}"
_NO_SHORT_CODE = r"^0|[ ./()+-]|.{12}"
"""What each of these looks has, and `C00012345` has not: most codes need not be asked further."""
_LETTERS = {chr(ord("A") + place): str(10 + place) for place in range(26)}
_DIGITS, _AT_ONCE = 70, 7
_LONGEST_CARD = 16


KINDS = ("e-mail", "phone", "bank or card")
DIGITS = "digits"


def looks_of(column: pl.Expr, *, alone: bool = False) -> pl.Expr:
    """A record with kind -> how many known values of a text column look like it.

    With `alone`, those count of which one is enough to say so.
    """
    counted = pl.Struct(dict.fromkeys(KINDS, pl.Int64()))
    return column.map_batches(lambda values: _looks(values, alone=alone), return_dtype=counted, returns_scalar=True)


def card_looks_of(column: pl.Expr) -> pl.Expr:
    """The same record for a column of whole numbers, which may be those of cards."""
    return looks_of(column.filter(column > 10**13).cast(pl.String), alone=True)


def _looks(values: pl.Series, *, alone: bool) -> pl.Series:
    known = values.drop_nulls().str.strip_chars()
    # Step by step, since most texts have neither: over all, the other patterns would take thirty times as long.
    mails = known.filter(known.str.contains("@", literal=True))
    numbers = known.filter(known.str.contains(_EIGHT_DIGITS))
    found = (
        mails.str.contains(EMAIL).sum() if len(mails) else 0,
        *(_of_digits(numbers, alone) if len(numbers) else (0, 0)),
    )
    return pl.Series([dict(zip(KINDS, found, strict=True))])


def _of_digits(numbers: pl.Series, alone: bool) -> tuple[int, int]:
    """How many of these texts look like a phone, and how many like an account or a card."""
    is_phone = numbers.str.contains(PHONE if alone else f"{PHONE}|{MOBILE}") | _may_be_local(numbers)
    return int(is_phone.sum()), int(_is_iban(numbers).sum()) + int(_is_card(numbers).sum())


def kind_in(column: pl.Expr) -> pl.Expr:
    """The kind of personal data that is in each text, told by its form alone; missing where there is none.

    The digits of a mobile phone and no more are `DIGITS`: one of them may be a code, many are phones.
    """
    return column.map_batches(_kinds, return_dtype=pl.String, is_elementwise=True)


def _kinds(values: pl.Series) -> pl.Series:
    texts = values.str.strip_chars()
    found = texts.clear(len(texts))
    with_digits = texts.str.contains(_EIGHT_DIGITS).arg_true()
    with_digits = with_digits.filter(texts.gather(with_digits).str.contains(_NO_SHORT_CODE))
    if len(with_digits):
        numbers = texts.gather(with_digits)
        looks = {DIGITS: numbers.str.contains(MOBILE), "bank or card": _is_iban(numbers) | _is_card(numbers)}
        looks["phone"] = numbers.str.contains(PHONE) | (_may_be_local(numbers) & ~looks[DIGITS])
        for kind, mask in looks.items():
            found = found.scatter(with_digits.filter(mask), kind)
    with_sign = texts.str.contains("@", literal=True).arg_true()
    if len(with_sign):
        found = found.scatter(with_sign.filter(texts.gather(with_sign).str.contains(EMAIL)), "e-mail")
    return found


def _may_be_local(text: pl.Series) -> pl.Series:
    """Which of these texts have as many digits as a phone, in groups, and are no day.

    Dashes alone are often those of codes.
    """
    digits, codes = text.str.count_matches("[0-9]"), text.str.contains(_BY_DASHES)
    is_long = digits.is_between(9, 12) & ~(codes & (digits == 9))
    return text.str.contains(LOCAL) & is_long & ~text.str.contains(_OF_A_DAY)


def _is_iban(text: pl.Series) -> pl.Series:
    """Which have the right check digits: in ISO 7064, the number that the letters make leaves 1 of 97."""
    plain = text.str.extract(IBAN).str.replace_all(" ", "", literal=True)
    if plain.null_count() == len(plain):
        return plain.is_not_null()
    number = (plain.str.slice(4) + plain.str.head(4)).str.replace_many(_LETTERS).str.zfill(_DIGITS)
    left = number.str.head(0).str.len_bytes().cast(pl.Int64)
    for start in range(0, _DIGITS, _AT_ONCE):
        left = (left * 10**_AT_ONCE + number.str.slice(start, _AT_ONCE).cast(pl.Int64)) % 97
    return (left == 1).fill_null(value=False)


def _is_card(text: pl.Series) -> pl.Series:
    """Which have the right check digit, by Luhn: every second digit from the right counts twice."""
    number = text.str.extract(CARD).str.replace_all("[^0-9]", "")
    if number.null_count() == len(number):
        return number.is_not_null()
    number = number.str.zfill(_LONGEST_CARD)
    total = number.str.head(0).str.len_bytes().cast(pl.Int64)
    for place in range(_LONGEST_CARD):
        digit = number.str.slice(place, 1).cast(pl.Int64)
        total += digit if place % 2 else digit * 2 - 9 * (digit > 4).cast(pl.Int64)
    return (total % 10 == 0).fill_null(value=False)
