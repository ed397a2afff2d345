"""Who is written, in plain Python: one customer after the other, one reason each, written from the contract.

Criteria, columns and events come from the oracle; the hash from the package `xxhash`, which segkit does not use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

import xxhash

from .oracle import Evaluation, Row, as_list, compare, condition, grouped

REASONS = ("consent", "suppressed", "frequency_cap", "claimed", "sample", "limit", "holdout")


@dataclass
class Line:
    """One segment: the keys that match, why each of the others is left out, who is written, and with which variant.

    Of those whom a holdout leaves out, `control` are in the control group.
    """

    matched: list[str]
    reasons: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    variants: dict[str, str] = field(default_factory=dict)
    control: list[str] = field(default_factory=list)

    def left_out_by(self, reason: str) -> list[str]:
        return [key for key in self.matched if self.reasons.get(key) == reason]

    @property
    def held(self) -> list[str]:
        """Who is in the holdout of the segment itself."""
        return [key for key in self.left_out_by("holdout") if key not in self.control]


def uniform(purpose: str, salt: str, key: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{purpose}\0{salt}\0{key}".encode(), seed=0) % 1_000_000


def drawn(purpose: str, salt: str, key: str, percent: Any) -> bool:
    return uniform(purpose, salt, key) < Fraction(str(percent)) * 10_000


def variant(salt: str, key: str, shares: Mapping[str, Any]) -> str:
    u, bound = uniform("split", salt, key), Fraction(0)
    for name, share in shares.items():
        bound += Fraction(str(share)) * 10_000
        if u < bound:
            return name
    raise AssertionError(shares)


class Gates:
    """The gates of one rule file over its tables."""

    def __init__(self, rules: Row, tables: Mapping[str, list[Row]]) -> None:
        self.rules = rules
        self.tables = tables
        self.found = Evaluation(rules, tables, {}, {})

    def lines(self) -> dict[str, Line]:
        """The line of each segment, in the order in which they claim."""
        assignment = self.rules.get("assignment", {})
        first = assignment.get("priority", [])
        lines: dict[str, Line] = {}
        claimed: set[str] = set()
        for name in [*first, *(name for name in self.rules["segment"] if name not in first)]:
            line = lines[name] = self.line(name, claimed)
            if assignment.get("mode") == "exclusive" and self.rules["segment"][name].get("write", True):
                claimed |= {*line.written, *line.left_out_by("holdout")}
        return lines

    def line(self, name: str, claimed: set[str]) -> Line:
        segment, keys = self.rules["segment"][name], self.found.keys
        line = Line([key for key, holds in zip(keys, self.found.holds(name), strict=True) if holds])
        if not segment.get("write", True):
            return line
        salt, left = segment.get("salt", name), []
        for key in line.matched:
            reason = self.refused(key, segment, claimed)
            if reason is None and "sample" in segment and not drawn("sample", salt, key, segment["sample"]):
                reason = "sample"
            if reason:
                line.reasons[key] = reason
            else:
                left.append(key)
        if "limit" in segment:
            first = self.first(left, segment["limit"])
            line.reasons |= {key: "limit" for key in left if key not in first}
            left = [key for key in left if key in first]
        for key in left:
            if segment.get("control", True) and self.in_control(key):
                line.control.append(key)
                line.reasons[key] = "holdout"
            elif "holdout" in segment and drawn("holdout", salt, key, segment["holdout"]):
                line.reasons[key] = "holdout"
            else:
                line.written.append(key)
                if "split" in segment:
                    line.variants[key] = variant(salt, key, segment["split"])
        return line

    def in_control(self, key: str) -> bool:
        """Whether the customer is in the control group, whatever segments there are."""
        group = self.rules.get("assignment", {}).get("control", 0)
        group = group if isinstance(group, dict) else {"percent": group}
        return drawn("control", group.get("salt", ""), key, group["percent"])

    def refused(self, key: str, segment: Row, claimed: set[str]) -> str | None:
        """The first of consent, suppression, contact pressure and claims that stops a customer."""
        permissions = self.of_channel("consent", segment)
        if not all(self.consents(key, rule.get("require", {})) for rule in permissions):
            return "consent"
        if any(self.suppressed(key, rule) for rule in permissions if "suppress" in rule):
            return "suppressed"
        if any(self.capped(key, rule) for rule in self.of_channel("frequency_cap", segment) if "max" in rule):
            return "frequency_cap"
        return "claimed" if key in claimed else None

    def of_channel(self, section: str, segment: Row) -> list[Row]:
        """The general rules, and those of the channel."""
        general = self.rules.get(section, {})
        return [general, general.get("channel", {}).get(segment.get("channel"), {})]

    def value(self, key: str, column: str) -> Any:
        return self.found.column(column)[self.found.position[key]]

    def consents(self, key: str, require: Row) -> bool:
        return all(condition(self.value(key, name), wanted, self.found.as_of) for name, wanted in require.items())

    def suppressed(self, key: str, rule: Row) -> bool:
        column = rule.get("suppress_on", self.found.key_column)
        value = self.value(key, column)
        listed = [row[column] for path in as_list(rule["suppress"]) for row in self.tables[path]]
        return value is not None and folded(value) in {folded(other) for other in listed if other is not None}

    def capped(self, key: str, rule: Row) -> bool:
        rows = self.found.selected_events(rule)[self.found.position[key]]
        return bool(len(grouped(rows)) >= rule["max"])

    def first(self, keys: list[str], limit: Any) -> set[str]:
        """Who is among the first of their group."""
        limit = limit if isinstance(limit, dict) else {"count": limit}
        groups: dict[tuple[Any, ...], list[str]] = {}
        for key in keys:
            groups.setdefault(tuple(self.value(key, name) for name in as_list(limit.get("per", []))), []).append(key)
        best: set[str] = set()
        for group in groups.values():
            share = limit.get("percent")
            most = limit["count"] if share is None else math.ceil(Fraction(str(share)) * len(group) / 100)
            best |= set(self.ranked(group, limit)[:most])
        return best

    def ranked(self, keys: list[str], limit: Row) -> list[str]:
        by = limit.get("by")
        falls = limit.get("order", "descending" if by else "ascending") == "descending"
        in_order = sorted(keys, key=lambda key: key.encode(), reverse=falls and not by)
        if by is None:
            return in_order
        known = [key for key in in_order if self.value(key, by) is not None]
        sign = -1 if falls else 1

        def order(a: str, b: str) -> int:
            return sign * compare(self.value(a, by), self.value(b, by))

        known.sort(key=cmp_to_key(order))
        return [*known, *(key for key in in_order if self.value(key, by) is None)]


def folded(value: Any) -> str:
    return str(value).strip().lower()
