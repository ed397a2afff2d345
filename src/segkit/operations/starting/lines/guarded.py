"""Columns that no list is made of without more ado: about somebody in person, or guarded by law."""

from __future__ import annotations

import re

from segkit.operations.personal.kinds import words_of
from segkit.operations.starting.known.facts import spans_lives
from segkit.operations.starting.lines.consent import about_consent
from segkit.results.columns import KnownColumn

MOST_WORDS = 5
"""With more words, a text was written by somebody, and not chosen from a list."""
OF_PEOPLE = re.compile(
    r"\bnot(e|es|iz|izen|a|as)\b|comment|kommentar|remark|remarque|bemerkung|\bmemo\b|\bmessages?\b|observacion|description|"
    r"owner|holder|inhaber|\bagent\b|contact|partner|spouse|\bchild\b|manager|doctor|arzt\b|arztin\b|medecin|betreuer|"
    r"berater|verkaufer|recipient|\bgift\b|\bzusatz\b|\blogin\b|\bnick|\bhandle\b|skype|twitter|instagram|linkedin|facebook|telegram"
)
"""What tells in a name that people write about people there, or are named."""
SPECIAL = re.compile(
    r"health|disease|illness|diagnos|\bicd\b|disab|behinder|handicap|\bblood|\bblut|pregnan|schwanger|enceinte|embaraz|"
    r"gesundheit|krank|\bsante\b|allerg|medica|medizin|marital|matrimoni|\bmarried|familienstand|zivilstand|"
    r"e(tat|stado) civil|religi|\bfaith|church|kirche|[ck]onfession|ethni|\brac(e|ial)\b|\bcaste\b|politi[ck]|"
    r"politisch|\bparty\b|partei|\bunion\b|gewerkschaft|syndica|sexual|orientation|vorstraf|convict|criminal|\bhiv\b"
)
"""What tells in a name that it is about health, faith, descent, family life, politics or crimes."""


def usable(column: KnownColumn, key: str) -> bool:
    """Whether conditions on a column are safe to guess: it is not personal, and all of it can be read."""
    values = column.values
    if values is None or column.name == key or values.personal or values.unreadable or not values.filled:
        return False
    return not (spans_lives(column) or about_consent(column) or is_special(column) or _names_people(column))


def is_special(column: KnownColumn) -> bool:
    """Whether a column by its name tells what the law guards."""
    return bool(SPECIAL.search(" ".join(words_of(column.name))))


def _names_people(column: KnownColumn) -> bool:
    """Whether a column of texts has what somebody wrote about somebody: notes, or values that are no mere names."""
    if column.type not in ("text", "list"):
        return False
    shown = column.values.frequent if column.values else ()
    plain = all(_is_plain(str(one.value)) for one in shown)
    return not plain or bool(OF_PEOPLE.search(" ".join(words_of(column.name)).replace("ä", "a")))


def _is_plain(value: str) -> bool:
    """Whether a value reads like one of a list to choose from: few words, and no address or number of somebody."""
    digits = re.sub(r"[\s().,/-]", "", value)
    return "@" not in value and not re.search(r"[0-9]{6}", digits) and len(value.split()) <= MOST_WORDS
