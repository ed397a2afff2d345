"""The gates, where customers may be in several parts: what these answer about limits becomes one cut for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from segkit.gates.ledger import Ledger, Limited, claim_order, ledger, memberships
from segkit.gates.limits import Within, edges, first_of, reaching, within_cut
from segkit.rules.model.file import RuleFile
from segkit.rules.model.permissions import Limit

Cuts = Mapping[str, pl.DataFrame]
"""Segment -> the last customer of each group who is within its limit."""


def through_gates(rules: RuleFile, parts: Sequence[pl.LazyFrame]) -> Iterator[tuple[pl.DataFrame, Ledger]]:
    """The customers of each part, and their ledger; of the customers of a run, all of whom are in `parts`."""
    if len(parts) == 1:
        customers = parts[0].collect()
        yield customers, ledger(rules, memberships(rules, customers), customers)
        return
    limited = by_cuts(cuts_over(rules, parts))
    for part in parts:
        customers = part.collect()
        yield customers, ledger(rules, memberships(rules, customers), customers, limited=limited)


def cuts_over(rules: RuleFile, parts: Sequence[pl.LazyFrame]) -> Cuts:
    """The cut of each limit, over all customers."""
    found: dict[str, pl.DataFrame] = {}
    for names in _rounds(rules):
        reached: dict[str, pl.DataFrame] = {}
        for part in parts:
            customers = part.collect()
            asking = _Asking(names, found)
            ledger(rules, memberships(rules, customers), customers, limited=asking.limited)
            for name, rows in asking.reached.items():
                before = [reached[name]] if name in reached else []
                reached[name] = first_of(_limit(rules, name), pl.concat([*before, rows]))
        found |= {name: edges(_limit(rules, name), rows) for name, rows in reached.items()}
    return found


def by_cuts(cuts: Cuts) -> Limited:
    """Who is within limits whose cuts have been found."""
    return lambda name, limit, customers, reach: within_cut(limit, customers, reach, cuts[name])


def _rounds(rules: RuleFile) -> list[list[str]]:
    """The segments with a limit: at once those of which none waits for another."""
    limited = [n for n in claim_order(rules) if rules.segment[n].write and rules.segment[n].limit is not None]
    if rules.assignment.mode == "exclusive":  # whom a segment claims does not reach the next one
        return [[name] for name in limited]
    return [limited] if limited else []


def _limit(rules: RuleFile, name: str) -> Limit:
    limit = rules.segment[name].limit
    assert limit is not None
    return limit


class _Asking:
    """Keeps who reaches the limits of some segments; nobody is within them yet, nor within later ones."""

    def __init__(self, names: Sequence[str], found: Cuts) -> None:
        self.reached: dict[str, pl.DataFrame] = {}
        self._names, self._found = names, found

    def limited(self, name: str, limit: Limit, customers: pl.DataFrame, reach: pl.Series) -> Within:
        if name in self._found:
            return within_cut(limit, customers, reach, self._found[name])
        if name in self._names:
            self.reached[name] = first_of(limit, reaching(limit, customers, reach))
        return Within(reach & ~reach)
