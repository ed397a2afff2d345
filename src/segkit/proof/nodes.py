"""The blocks of a rule file as formulas, each criterion with its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from segkit.criteria.context import ShareOfAll, shares_of_all
from segkit.proof.logic.formulas import ALWAYS, And, Formula, Leaf, Or, negated, simplified, variables
from segkit.proof.logic.search import TooLongError, customer_of
from segkit.proof.logic.space import HIDDEN, Space
from segkit.proof.variables.measures import measure_of
from segkit.proof.variables.universe import Universe
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Block, EventCondition
from segkit.rules.model.computed.scores import Score
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import COUNTS
from segkit.rules.walk import event_conditions_of, named_blocks

LIFECYCLE = "lifecycle"
MOST_RULES = 14
"""A score with more rules than this is not looked into: each may hold or not."""


@dataclass(frozen=True)
class Node:
    """A criterion, or a block of them; `holds` is where it lets customers through."""

    path: KeyPath
    kind: Literal["criterion", "block", "any", "none"]
    holds: Formula
    parts: tuple[Node, ...] = ()


class Day:
    """All criteria of a rule file as they are on one day."""

    def __init__(self, rules: RuleFile, as_of: dt.date) -> None:
        first = _Blocks(rules, Universe(rules, as_of))
        best = {name: _best(first, name, score) for name, score in rules.score.items() if score.rule}
        # The best score that can be had is a value of its own, so that it is known what lies above it.
        found = first if all(n is None for n in best.values()) else _Blocks(rules, Universe(rules, as_of, best))
        self.rules, self.as_of, self.best = rules, as_of, best
        self.space: Space = found.universe.space
        self.moving = found.universe.columns.moving
        self.blocks = {path: found.block(block, path) for path, block in named_blocks(rules)}
        self._formulas: dict[KeyPath, Formula] = {}
        for node in self.blocks.values():
            for one in _below(node):
                self._formulas[one.path] = one.holds
        self._simple: dict[tuple[KeyPath, bool], Formula] = {}

    def formula(self, path: KeyPath, wanted: bool) -> Formula:
        """That the criterion at this place holds, or does not."""
        key = (path, wanted)
        if key not in self._simple:
            formula = self._formulas[path]
            self._simple[key] = simplified(formula if wanted else negated(formula))
        return self._simple[key]

    def variables(self, path: KeyPath) -> Iterator[str]:
        """The variables that the criterion at this place looks at, also where that can be seen to say nothing."""
        return variables(self._formulas[path])


def _below(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        yield from _below(part)


class _Blocks:
    def __init__(self, rules: RuleFile, universe: Universe) -> None:
        self.rules, self.universe = rules, universe
        self.space = universe.space
        self.segments: dict[str, Formula] = {}
        self.stages: list[Formula] | None = None

    def block(self, block: Block, path: KeyPath) -> Node:
        """The criteria of a block, in the order in which they are looked at."""
        parts = tuple(self._parts(block, path))
        return Node(path, "block", And(tuple(part.holds for part in parts)), parts)

    def _parts(self, block: Block, path: KeyPath) -> Iterator[Node]:
        for family, column, condition in block.criteria():
            yield Node((*path, family, column), "criterion", self.condition(column, condition))
        for kind, places in block.geographic.places.items():
            ways = tuple(self.space.opaque(f"{kind} {place!r}") for place in places)
            yield Node((*path, "geographic", kind), "criterion", Or(ways))
        for at, event_condition in event_conditions_of(path, block):
            held = self._event(event_condition)
            yield Node(at, "criterion", negated(held) if at[-2] == "did_not" else held)
        for key in ("in_segment", "not_in_segment"):
            for number, name in enumerate(getattr(block, key)):
                held = self._segment(name)
                yield Node((*path, key, number), "criterion", held if key == "in_segment" else negated(held))
        if block.sql is not None:
            yield Node((*path, "sql"), "criterion", self.space.opaque(f"sql {block.sql.strip()}"))
        inner: dict[str, list[Node]] = {"any": [], "all": [], "none": []}
        for kind, number, below in block.blocks():
            inner[kind].append(self.block(below, (*path, kind, number)))
        if inner["any"]:
            some = Or(tuple(node.holds for node in inner["any"]))
            yield Node((*path, "any"), "any", some, tuple(inner["any"]))
        yield from inner["all"]
        if inner["none"]:
            some = Or(tuple(node.holds for node in inner["none"]))
            yield Node((*path, "none"), "none", negated(some), tuple(inner["none"]))

    def condition(self, column: str, condition: Condition) -> Formula:
        """A condition on a column; what is not known about it is something of its own."""
        known = self.universe.condition(column, condition)
        if known is not None:
            return self._stage(known) if column == LIFECYCLE and self._has_own_stages() else known
        shares = list(shares_of_all(column, condition))
        if not shares:
            return self.space.opaque(f"condition {column} {condition!r}")
        parts: list[Formula] = [self._share(share) for share in shares]
        if len(shares) < len(list(condition.operators())):
            parts.append(self.space.opaque(f"rest {column} {condition!r}"))
        return (
            Or((And(tuple(parts)), self.space.opaque(f"missing {column}")))
            if condition.or_missing
            else And(tuple(parts))
        )

    def _share(self, share: ShareOfAll) -> Leaf:
        """Those of the highest 5 percent are among those of the highest 10."""
        name = f"{HIDDEN}{share.operator} {share.column} {share.per}"
        if name not in self.space.full:
            asked = self.universe.asked[share.column]
            alike = (other for condition in asked for other in shares_of_all(share.column, condition))
            percents = {o.percent for o in alike if (o.operator, o.per) == (share.operator, share.per)}
            self.space.add(name, [*sorted(percents), Decimal(101)])
        return self.space.leaf(name, lambda percent: percent <= share.percent)

    def _has_own_stages(self) -> bool:
        return bool(self.rules.lifecycle and self.rules.lifecycle.stage)

    def _stage(self, wanted: Leaf) -> Formula:
        """The stages that are wanted, as the blocks that make them: none of those before holds."""
        assert self.rules.lifecycle is not None
        if self.stages is None:
            stages = self.rules.lifecycle.stage
            here = [self.block(stage, (LIFECYCLE, "stage", n)).holds for n, stage in enumerate(stages)]
            before = [tuple(negated(one) for one in here[:n]) for n in range(len(here) + 1)]
            self.stages = [And((*none, own)) for none, own in zip(before, [*here, ALWAYS], strict=True)]
        return Or(tuple(stage for n, stage in enumerate(self.stages) if wanted.mask >> n & 1))

    def _segment(self, name: str) -> Formula:
        if name not in self.segments:
            self.segments[name] = self.block(self.rules.segment[name], ("segment", name)).holds
        return self.segments[name]

    def _event(self, condition: EventCondition) -> Formula:
        count = self.universe.measure(measure_of(condition, "count", self.universe.as_of), {"min": Decimal(1)})
        itself = self.space.opaque(f"event {condition!r}")
        if condition.measure == "share":
            return itself
        some = count or itself
        if condition.in_each:
            # Whatever holds in each part of the window: there are events in it.
            return And((some, itself)) if condition.within else itself
        if condition.measure == "count" and not condition.result:
            return some
        measure = measure_of(condition, condition.measure, self.universe.as_of, condition.of)
        asked = condition.result or ({"min": 1} if condition.measure in COUNTS else {})
        compared = self.universe.measure(measure, {name: Decimal(n) for name, n in asked.items()})
        return And((some, itself if compared is None else compared))


def _best(blocks: _Blocks, name: str, score: Score) -> Decimal | None:
    """The most points that one customer may have by all rules together, or more; None where that is not known."""
    rules = sorted(enumerate(score.rule), key=lambda rule: -(rule[1].points or 0))
    gives = [(n, rule) for n, rule in rules if rule.points is None or rule.points > 0]
    if any(rule.points_per for rule in score.rule) or len(gives) > MOST_RULES:
        return None
    formulas = (simplified(blocks.block(rule, ("score", name, "rule", n)).holds) for n, rule in gives)
    held = [(Decimal(rule.points or 0), formula) for (_, rule), formula in zip(gives, formulas, strict=True)]
    best = Decimal(0)

    def look(at: int, points: Decimal, chosen: tuple[Formula, ...]) -> None:
        nonlocal best
        best = max(best, points)
        if at == len(held) or points + sum(given for given, _ in held[at:]) <= best:
            return
        given, formula = held[at]
        if customer_of(blocks.space, (*chosen, formula)) is not None:
            look(at + 1, points + given, (*chosen, formula))
        look(at + 1, points, chosen)

    try:
        look(0, Decimal(0), ())
    except TooLongError:
        return None
    return best
