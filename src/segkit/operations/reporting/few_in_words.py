"""Sentences that count: what they say of a few customers or rows is said without their number."""

from __future__ import annotations

import re

_ONE = {
    "comes": "come",
    "counts": "count",
    "has": "have",
    "is": "are",
    "lies": "lie",
    "matches": "match",
    "stands": "stand",
    "was": "were",
}
"""How verbs tell that it was one."""
_VERBS = re.compile(rf"\b({'|'.join(_ONE)})\b")
_NOUNS = "address|cell|contact|customer|date|event|formula|id|key|line|member|order|row|value"
_COUNT = re.compile(
    r"(?<![\w.,`:/-])(?P<number>\d[\d,]*)(?P<of> of (?:the )?(?P<all>\d[\d,]*))?"
    rf"(?P<kind> other| more| hidden)?(?: (?P<noun>{_NOUNS})(?P<many>e?s)?\b|(?<= more))"
)


def without_few(text: str, fewest: int) -> str:
    """The text; where it counts fewer than `fewest`, or all but so few, it says that they are a few."""
    found = _COUNT.search(text)
    if found is None:
        return text
    rest = text[found.end() :]
    number, of = _number(found["number"]), found["all"]
    if not (0 < number < fewest or (of and 0 < _number(of) - number < fewest)):
        return text[: found.end()] + without_few(rest, fewest)
    noun = f" {found['noun']}{found['many'] or ('es' if found['noun'].endswith('s') else 's')}" if found["noun"] else ""
    if number == 1:
        rest = "`".join(
            part if place % 2 else _VERBS.sub(lambda verb: _ONE[verb[1]], part)
            for place, part in enumerate(rest.split("`"))
        )
    some = "all but a few of the" if of and number >= fewest else "a few of the" if of else "a few"
    return text[: found.start()] + f"{some}{found['kind'] or ''}{noun}" + without_few(rest, fewest)


def _number(text: str) -> int:
    return int(text.rstrip(",").replace(",", ""))
