"""Currency marks around numbers: signs, and codes of three letters."""

from __future__ import annotations

import re
from collections.abc import Iterable

CODES = (
    "EUR", "USD", "GBP", "CHF", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN",
    "TRY", "UAH", "RUB", "INR", "CNY", "HKD", "SGD", "NZD", "ZAR", "BRL", "MXN", "KRW", "THB", "ILS", "AED",
)  # fmt: skip
"""The codes that are taken for currencies in every column."""
SIGNS = (
    "$¢£\u00a4¥\u058f\u060b\u07fe\u07ff\u09f2\u09f3\u09fb\u0af1\u0bf9\u0e3f\u17db\u20a0\u20a1\u20a2\u20a3"
    "\u20a4\u20a5\u20a6\u20a7\u20a8₩₪\u20ab€\u20ad\u20ae\u20af\u20b0\u20b1\u20b2\u20b3₴\u20b5\u20b6\u20b7"
    "\u20b8₹₺\u20bb\u20bc₽\u20be₿\u20c0\ua838\ufdfc\ufe69\uff04\uffe0\uffe1\uffe5\uffe6\U00011fdd\U00011fde"
    "\U00011fdf\U00011fe0\U0001e2ff\U0001ecb0"
)
"""The characters that Unicode calls currency signs."""
_CODE_OF = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY", "₴": "UAH"}
_WORDS = {
    "R$": "BRL", "US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD",
    "S$": "SGD", "MX$": "MXN", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "kr": "kr", "Rs": "INR",
}  # fmt: skip
"""What is written with letters; `kr` is of three countries, and so of none."""
_WRITTEN = "|".join(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))
STOPPED = r"(kr|Rs)\."
"""What is written with a full stop, which is no decimal point."""
KNOWN = rf"(?:[{SIGNS}]|{'|'.join(CODES)})"
ANY = rf"(?:{_WRITTEN}|[{SIGNS}]|[A-Z]{{3}})"
"""Where a column is known to be of money: any code of three letters, and what is written with letters."""
GROUPS_BY_COMMA = r"^[^0-9A-Za-z]*(?:US|CA|C|AU|A|NZ|HK|S|MX)?[$£¥₹]"
"""Signs of countries that group digits with the comma."""


def distinct(marks: Iterable[str]) -> tuple[str, ...]:
    """The marks of different currencies; a sign and its code are one."""
    codes = {**_CODE_OF, **_WORDS}
    by_currency = {codes.get(mark, mark): mark for mark in sorted(marks)}
    return tuple(sorted(by_currency.values()))
