"""What a database does not do, in one line of our own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Refused(Exception):
    """A database does not do what it is asked to: one line without user, password and SQL, and the next step.

    Whoever reads makes a DataError of it, whoever writes a WriteError; `from None`, since the driver's words may hold
    what nobody may see.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Reason(NamedTuple):
    """What a driver's words or its code mean."""

    found: str
    """A pattern for the words, or the beginning of the code."""
    says: str
    """The rest of a sentence that begins with the database."""
    hint: str


def meant(text: str, reasons: Iterable[Reason]) -> Reason | None:
    """The first reason whose pattern is in the words of a driver."""
    return next((reason for reason in reasons if re.search(reason.found, text, re.IGNORECASE)), None)


def not_installed(what: str, extra: str) -> Refused:
    """The extra that connects to the database is absent."""
    return Refused(f"{what} needs an extra of segkit", f'install it: `pip install "segkit-cli[{extra}]"`')


def place_in(query: str, at: int | None) -> str:
    """Where the character `at` of a query is, in brackets; nothing where nobody knows."""
    if at is None or not 0 <= at < len(query):
        return ""
    before = query[:at]
    return f" (line {before.count(chr(10)) + 1} of `query`, column {at - before.rfind(chr(10))})"


def place_of_word(query: str, text: str) -> str:
    """Where a query has the word that a driver quotes: the word itself may be a secret of a variable."""
    named = re.search(r"""(?:column|table|function|name):? (?:\w+\.)*(\w+)\b|["'`]([^"'`]+)["'`]""", text)
    word = named and (named[1] or named[2])
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", query, re.IGNORECASE) if word else None
    return place_in(query, found.start() if found else None)
