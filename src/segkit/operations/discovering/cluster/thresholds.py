"""A number between two values of a column: exact, and as short as it can be."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import floor


def between(low: int | float | Decimal, high: int | float | Decimal) -> Decimal:
    """The roundest number above `low` and not above `high`; of several that are as round, the nearest to their middle.

    `below` it are the values up to `low`, from it on are those from `high` on. Between whole numbers it is whole;
    between floats, the float that it is read as lies between them, too.
    """
    lower, upper = Fraction(low), Fraction(high)
    first = max(Decimal(low).adjusted(), Decimal(high).adjusted()) + 1
    for exponent in count(first, -1):
        unit = Fraction(10) ** exponent
        least, most = floor(lower / unit) + 1, floor(upper / unit)
        if least > most:
            continue
        number = min(max(round((lower + upper) / 2 / unit), least), most)
        found = Decimal(f"{number}e{exponent}")
        if not isinstance(low, float) or low < float(found):
            return found
    raise AssertionError("there are decimals between any two numbers")
