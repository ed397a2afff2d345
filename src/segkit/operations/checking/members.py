"""Who is in the segments: in none of them, in all, in two alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from segkit import codes
from segkit.diagnostics import Finding
from segkit.operations.checking.counting.counted import ALL, BOTH, MEMBER
from segkit.operations.summary.tally import Tally
from segkit.results.parts import Overlap
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks
from segkit.words import count, listed, plural

MOST = 90
"""The share of the smaller segment, in percent, from which on two share most of their customers."""
NAMED = 3


def shared(rules: RuleFile, counted: Tally) -> tuple[Overlap, ...]:
    """Each pair of segments that are written and share members."""
    both = {(first, second): counted.count(BOTH, first, second) for first, second in combinations(rules.segment, 2)}
    return tuple(Overlap(first, second, number) for (first, second), number in both.items() if number)


def nobody_or_everybody(rules: RuleFile, counted: Tally) -> Iterator[Finding]:
    """What is found of segments with no member, or with each customer; not of blocks that others are made of."""
    parts = {name for _, block in blocks(rules) for name in (*block.in_segment, *block.not_in_segment)}
    customers = counted.count(ALL)
    for name, segment in rules.segment.items():
        if not segment.write and name in parts:
            continue
        size = counted.count(MEMBER, name)
        if not size:
            message = f"nobody is in `{name}`: its criteria hold for none of {plural(customers, 'customer')}"
            hint = f"`segkit explain` with `--segment {name}` shows how many are left after each criterion"
            yield _about(name, codes.HOLDS_FOR_NOBODY, message, hint)
        elif size == customers and not segment.everyone:
            message = f"everybody is in `{name}`: its criteria hold for each of {plural(size, 'customer')}"
            yield _about(name, codes.HOLDS_FOR_EVERYBODY, message, "say `everyone = true` if that is meant")


def alike(rules: RuleFile, pairs: Sequence[Overlap], counted: Tally) -> Iterator[Finding]:
    """What is found of segments whose members are nearly all in others, too.

    Nothing is said of segments of everyone, nor of one that is made of the other: that is meant so.
    """
    sizes = {name: counted.count(MEMBER, name) for name in rules.segment}
    others: dict[str, list[Overlap]] = {}
    for pair in pairs:
        small, large = sorted((pair.first, pair.second), key=lambda name: sizes[name])
        if not _is_meant(rules, small, large) and 100 * pair.customers >= MOST * sizes[small]:
            others.setdefault(small, []).append(Overlap(small, large, pair.customers))
    for name in (name for name in rules.segment if name in others):
        most = sorted(others[name], key=lambda pair: -pair.customers)
        names = listed([pair.second for pair in most[:NAMED]], "," if len(most) > NAMED else "and")
        more = f" and {len(most) - NAMED} more" if len(most) > NAMED else ""
        least = 1_000 * most[-1].customers // sizes[name] / 10  # rounded down, so that it is true
        of_all = "all" if least == 100 else f"{least:g} %{' or more' if len(most) > 1 else ''}"
        message = f"{of_all} of the {count(sizes[name])} members of `{name}` are in {names}{more}, too"
        yield Finding(
            code=codes.OVERLAP,
            at=f"segment.{name}",
            message=message,
            segment=name,
            conflict=tuple(f"segment.{pair.second}" for pair in most),
            hint=None,
        )


def _is_meant(rules: RuleFile, *names: str) -> bool:
    made_of = {name: {*rules.segment[name].in_segment} for name in names}
    return any(rules.segment[name].everyone or made_of[name] & {*names} for name in names)


def _about(name: str, code: str, message: str, hint: str) -> Finding:
    return Finding(code=code, at=f"segment.{name}", message=message, segment=name, conflict=(), hint=hint)
