"""Texts and days that people and programs write where nothing is known."""

from __future__ import annotations

import datetime as dt

WORDS = frozenset(
    {
        "select", "please select", "choose", "na", "n/a", "n.a.", "n.a", "#n/a", "nan", "none", "null", "nil", "-",
        "--", "---", "?", "??", "???", ".", "x", "xx", "xxx", "unknown", "not known", "not specified", "unspecified",
        "not provided", "not available", "not applicable", "undefined", "missing", "blank", "(blank)", "empty", "tbd",
        "tba", "dummy", "placeholder", "unbekannt", "keine angabe", "k.a.", "k. a.", "bitte wählen", "inconnu",
        "inconnue", "non renseigné", "non communiqué", "nc", "n.c.", "desconocido", "sin datos", "sconosciuto",
        "onbekend", "nvt",
    }
)  # fmt: skip
"""In lower case."""
NAMES = frozenset({"na", "nan", "nil", "null", "x", "xx", "xxx", "nc", "blank", "."})
"""Those of them that people are called, or that stand for a name that is too long."""
FORMS = tuple(sorted({form for word in WORDS for form in (word, word.upper(), word.title(), word.capitalize())}))
"""The same as they are mostly written."""
LONGEST = max(map(len, FORMS))
TICKS = frozenset({"x", "X"})
"""Not in columns of which each field is ticked or empty."""
DAYS = frozenset(
    {
        dt.date(1, 1, 1), dt.date(1111, 11, 11), dt.date(1753, 1, 1), dt.date(1899, 12, 30), dt.date(1899, 12, 31),
        dt.date(1900, 1, 1), dt.date(1901, 1, 1), dt.date(1970, 1, 1), dt.date(2099, 12, 31), dt.date(2999, 12, 31),
        dt.date(9999, 12, 31),
    }
)  # fmt: skip
"""Where calendars of programs begin or end."""
