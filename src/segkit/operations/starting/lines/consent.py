"""Columns that say whether a customer may be written, and the value that says yes: never the contrary of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE
from segkit.operations.personal import kinds
from segkit.operations.personal.permission import CHANNELS, SAYS_NO, SAYS_YES, consents
from segkit.operations.starting.known.facts import Upper
from segkit.results.columns import KnownColumn

STOPS = (
    r"opt(ed|ing)? ?out|unsub|desabonn|abbestell|abgemeldet|sperr|black ?list|block ?list|\bblocked|robinson|suppress|"
    r"do not|\bdnc\b|\bdied|decease|\bdead\b|death|verst[oa]rb|gestorben|d[ée]c[ée]d|fallecid|bounce|complain|spam|"
    r"eras(ed|ure)|\bdelet|widersp|widerruf|revok|withdr|objection|\bobject(s|ed)\b|refus|is test|^test$|\bbanned|"
    r"\btest (account|customer|user|kunde)|testkunde"
)
"""What tells that somebody is not to be written, as part of a name or of a value."""
PERMITS = (
    r"opt(ed|ing)? ?in\b|consent|permiss|einwillig|erlaub|\ballow(s|ed)?\b|\baccepts\b|\bagreed\b|\bsubscribed|"
    r"subscriber|newsletter|gdpr|dsgvo|rgpd|privacy|datenschutz|contact(able|ar|er)\b|kontaktier|soll?icit|"
    r"reachable|mailable|\bnomail|\blgpd|\bccpa"
)
"""What tells in a name, whichever way, that it is about who may be written."""
STATES = re.compile(
    rf"\b({kinds.CONSENT}|no|not|non|never|dont|kein\w*|nicht|sans|pas|sin|without|ohne|lacks?|missing|off|out|stop\w*|"
    r"declined|denied|expired|cancel\w*|ended|until|paus\w*|blocked|excluded?|lock\w*)\b"
)
"""What is said of a way to reach somebody, or of a subscription."""


def about_consent(column: KnownColumn) -> bool:
    """Whether a column, by its name or its values, says something about who may be written."""
    name, values = " ".join(kinds.words_of(column.name)), column.values
    shown = [str(one.value) for one in values.frequent] if values and column.type == "text" else []
    if re.search(f"{STOPS}|{PERMITS}", name) or any(re.search(STOPS, _words(value)) for value in shown):
        return True
    reaches = not {*CHANNELS, "subscription"}.isdisjoint(name.split())
    counts = values is not None and isinstance(values.highest, int | float) and values.highest > 1
    return reaches and not counts and (_says_yes_or_no(column, shown) or bool(STATES.search(name)))


def _says_yes_or_no(column: KnownColumn, shown: Sequence[str]) -> bool:
    flags = column.type in ("boolean", "number")
    return flags or bool(shown and {value.strip().lower() for value in shown} <= {*TRUE, *FALSE})


def stops(name: str) -> bool:
    """Whether a table of this name tells of people who are not to be written."""
    return bool(re.search(STOPS, _words(name)))


def requirement(column: KnownColumn, number: Upper | None) -> object:
    """What `require` asks of a column that says who may be written, so that yes is yes; None where nothing tells.

    A day says that somebody did so, and no day that nobody did.
    """
    wanted, values = consents(column.name), column.values
    if wanted is None or values is None or not values.filled:
        return None
    match column.type:
        case "boolean":
            return wanted
        case "date":
            # The day of a newsletter is that of a letter, and no yes.
            return {"missing": not wanted} if {*SAYS_YES, *SAYS_NO, "opt"} & {*kinds.words_of(column.name)} else None
        case "number":
            of_flags = number is not None and number.distinct <= 2 and {values.lowest, values.highest} <= {0, 1}
            return int(wanted) if of_flags else None
        case "text":
            return _word(wanted, [str(one.value) for one in values.frequent])
        case _:
            return None


def _word(wanted: bool, values: Sequence[str]) -> str | None:
    words = {value.strip().lower(): value for value in values}
    if not words.keys() <= {*TRUE, *FALSE}:
        return None
    said = TRUE if wanted else FALSE
    return next((value for word, value in words.items() if word in said), None)


def _words(text: str) -> str:
    return " ".join(kinds.words_of(text))
