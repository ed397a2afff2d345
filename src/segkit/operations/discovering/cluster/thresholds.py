"""A number between two values of a column: exact, and as short as it can be."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import floor


def between(low: int | float | Decimal, high: int | float | Decimal) -> Decimal:
    """The roundest number above `low` and not above `high`; of several that are as round, one next to their middle.

    `below` it are the values up to `low`, from it on are those from `high` on. Between whole numbers it is whole;
    between floats, the float that it is read as lies between them, too.
    """
    # A float is taken as it is written: 0.1, not the 55 digits of the nearest float.
    lower, upper = Decimal(str(low)), Decimal(str(high))
    first = max(lower.adjusted(), upper.adjusted()) + 1
    for exponent in count(first, -1):
        unit = Fraction(10) ** exponent
        least, most = floor(Fraction(lower) / unit) + 1, floor(Fraction(upper) / unit)
        middle = round((Fraction(lower) + Fraction(upper)) / 2 / unit)
        for number in (min(max(middle, least), most), most) if least <= most else ():
            found = Decimal(f"{number}e{exponent}")
            if not isinstance(low, float) or low < float(found):
                return found
    raise AssertionError("`high` itself is above `low`")
