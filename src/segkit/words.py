"""Words around names and numbers: did you mean, lists of names, plurals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, orders of direction, and halves of characters."""
_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


def nearest(word: str, known: Iterable[str], kind: str | None = None) -> str | None:
    """The known names nearest to `word`; with `kind` (a plural) a list of what there is when none comes near."""
    names = [str(name) for name in known]
    if looks_like := next((name for name in names if name != word and as_seen(name) == as_seen(word)), None):
        return f'did you mean `"{spelled_out(looks_like)}"`, which looks the same?'
    near = near_names(word, names)
    if near:
        return f"did you mean {listed(near, 'or')}?"
    if kind is None:
        return None
    if not names:
        return f"there are no {kind}"
    rest = ", and others" if len(names) > 12 else ""
    return f"the {kind} are {listed(names[:12], ',' if rest else 'and')}{rest}"


def as_seen(name: str) -> str:
    """The name as people see it: composed, with plain spaces, one in a row, and nothing of no width."""
    return " ".join("".join(c for c in unicodedata.normalize("NFC", name) if c not in _NO_WIDTH).split())


def spelled_out(name: str) -> str:
    """The name with codes, as TOML has them, for what people do not see, and for letters put together from two."""
    odd = {c for c in name if not c.isprintable() or (c.isspace() and c != " ") or unicodedata.combining(c)}
    codes = {c: f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in odd}
    codes |= {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    return "".join(codes.get(c, c) for c in name).replace("  ", " \\u0020")


def readable(text: str, instead: str = "\ufffd") -> str:
    """The text without what a page may not hold, and what would command a terminal, or turn the text around it."""
    return _UNREADABLE.sub(instead, text) if _UNREADABLE.search(text) else text


def near_names(word: str, known: Iterable[str]) -> list[str]:
    """The known names that may be meant by `word`, three at most: those that begin so, else those that look like it."""
    lower = {name.lower(): name for name in reversed(list(known))}
    begun = [name for name in lower if len(word) > 2 and name.startswith(word.lower())]
    near = begun[:3] or get_close_matches(word.lower(), lower, n=3, cutoff=0.6)
    if near and not begun:
        # `contains` for `contians`, without `not_contains` beside it.
        best = _likeness(word, near[0])
        near = [name for name in near if _likeness(word, name) > best - 0.1]
    return [lower[name] for name in near]


def _likeness(word: str, name: str) -> float:
    return SequenceMatcher(None, word.lower(), name).ratio()


def listed(names: Iterable[str], word: str = "and") -> str:
    """The names in backticks: `a`, `b` and `c`."""
    *head, last = [f"`{name}`" for name in names]
    join = ", " if word == "," else f" {word} "
    return f"{', '.join(head)}{join}{last}" if head else last


def count(value: int) -> str:
    """12,345."""
    return f"{value:,}"


def plural(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"
