"""Every block, measure and condition of a rule file, with the path of keys that leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segkit.rules.blocks import Block
from segkit.rules.conditions import Condition
from segkit.rules.locate import Path
from segkit.rules.measures import EventCondition, Measured
from segkit.rules.model import RuleFile


def blocks(rules: RuleFile) -> Iterator[tuple[Path, Block]]:
    """The segments and the blocks in them, outer ones first."""
    for name, segment in rules.segment.items():
        yield from _below(("segment", name), segment)


def _below(path: Path, block: Block) -> Iterator[tuple[Path, Block]]:
    yield path, block
    for kind, position, inner in block.blocks():
        yield from _below((*path, kind, position), inner)


def event_conditions(rules: RuleFile) -> Iterator[tuple[Path, EventCondition]]:
    """Each `did` and `did_not`."""
    for path, block in blocks(rules):
        for kind in ("did", "did_not"):
            for position, condition in enumerate(getattr(block.behavioural, kind)):
                yield (*path, "behavioural", kind, position), condition


def measures(rules: RuleFile) -> Iterator[tuple[Path, Measured]]:
    """Whatever is measured over events: traits and event conditions."""
    for name, trait in rules.trait.items():
        if trait.events:
            yield ("trait", name), trait
    yield from event_conditions(rules)


def conditions(rules: RuleFile) -> Iterator[tuple[Path, Condition]]:
    """Each condition on a column, of whatever table."""
    for path, block in blocks(rules):
        for family, column, condition in block.criteria():
            yield (*path, family, column), condition
    for path, where in _wheres(rules):
        for column, condition in where.items():
            yield (*path, "where", column), condition


def _wheres(rules: RuleFile) -> Iterator[tuple[Path, Mapping[str, Condition]]]:
    yield ("customers",), rules.customers.where
    for kind in ("events", "lookup"):
        for name, source in getattr(rules, kind).items():
            yield (kind, name), source.where
    for path, measured in measures(rules):
        yield path, measured.where
    if rules.rfm:
        yield ("rfm",), rules.rfm.where
    if rules.value:
        yield ("value",), rules.value.where
