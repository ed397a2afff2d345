"""Words around names and numbers: did you mean, lists of names, plurals."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


def nearest(word: str, known: Iterable[str], kind: str | None = None) -> str | None:
    """The known names nearest to `word`; with `kind` (a plural) a list of what there is when none comes near."""
    names = [str(name) for name in known]
    lower = {name.lower(): name for name in reversed(names)}
    begun = [name for name in lower if len(word) > 2 and name.startswith(word.lower())]
    close = begun[:3] or get_close_matches(word.lower(), lower, n=3, cutoff=0.6)
    if close and not begun:
        # `contains` for `contians`, without `not_contains` beside it.
        best = _likeness(word, close[0])
        close = [name for name in close if _likeness(word, name) > best - 0.1]
    if close:
        return f"did you mean {listed([lower[name] for name in close], 'or')}?"
    if kind is None:
        return None
    if not names:
        return f"there are no {kind}"
    rest = ", and others" if len(names) > 12 else ""
    return f"the {kind} are {listed(names[:12], ',' if rest else 'and')}{rest}"


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
