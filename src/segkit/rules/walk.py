"""Every block, measure, condition, window, event table and amount of a rule file, with the path of keys to it.

Only this module says which sections have one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Block
from segkit.rules.model.computed.rfm import Rfm, rfm_section
from segkit.rules.model.computed.value import Value
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import OF_AMOUNT, EventCondition, Measured
from segkit.rules.model.permissions import Cap, Permission
from segkit.rules.tables import CUSTOMERS


def named_blocks(rules: RuleFile) -> Iterator[tuple[KeyPath, Block]]:
    """The blocks that stand on their own: stages, rules of scores, segments."""
    if rules.lifecycle:
        for position, stage in enumerate(rules.lifecycle.stage):
            yield ("lifecycle", "stage", position), stage
    for name, score in rules.score.items():
        for position, rule in enumerate(score.rule):
            yield ("score", name, "rule", position), rule
    for name, segment in rules.segment.items():
        yield ("segment", name), segment


def blocks(rules: RuleFile) -> Iterator[tuple[KeyPath, Block]]:
    """All blocks, outer ones first."""
    for path, block in named_blocks(rules):
        yield from below(path, block)


def below(path: KeyPath, block: Block) -> Iterator[tuple[KeyPath, Block]]:
    """The block at `path` and every block within it."""
    yield path, block
    for kind, position, inner in block.blocks():
        yield from below((*path, kind, position), inner)


def event_conditions(rules: RuleFile) -> Iterator[tuple[KeyPath, EventCondition]]:
    """Each `did` and `did_not`."""
    for path, block in blocks(rules):
        yield from event_conditions_of(path, block)


def event_conditions_of(path: KeyPath, block: Block) -> Iterator[tuple[KeyPath, EventCondition]]:
    """Each `did` and `did_not` of this block itself."""
    for kind in ("did", "did_not"):
        for position, condition in enumerate(getattr(block.behavioural, kind)):
            yield (*path, "behavioural", kind, position), condition


def measures(rules: RuleFile) -> Iterator[tuple[KeyPath, Measured]]:
    """Whatever is measured over events: traits, event conditions and metrics."""
    for name, trait in rules.trait.items():
        if trait.events:
            yield ("trait", name), trait
    yield from event_conditions(rules)
    yield from metrics(rules)


def metrics(rules: RuleFile) -> Iterator[tuple[KeyPath, Measured]]:
    """What each metric of `[evaluate]` measures."""
    for name, metric in rules.evaluate.metric.items() if rules.evaluate else ():
        yield ("evaluate", "metric", name), metric.measured


def conditions(rules: RuleFile) -> Iterator[tuple[KeyPath, Condition]]:
    """Each condition on a column, of whatever table."""
    for path, block in blocks(rules):
        for family, column, condition in block.criteria():
            yield (*path, family, column), condition
    for path, _, permission in permissions(rules):
        for column, condition in permission.require.items():
            yield (*path, "require", column), condition
    for path, where in _wheres(rules):
        for column, condition in where.items():
            yield (*path, "where", column), condition


def _wheres(rules: RuleFile) -> Iterator[tuple[KeyPath, Mapping[str, Condition]]]:
    yield ("customers",), rules.customers.where
    for kind in ("events", "lookup"):
        for name, source in getattr(rules, kind).items():
            yield (kind, name), source.where
    for path, measured in measures(rules):
        yield path, measured.where
        yield from (((*path, key), sequel.where) for key, sequel in measured.sequels.items())
    for path, rfm in rfm_tables(rules):
        yield path, rfm.where
    if rules.value:
        yield ("value",), rules.value.where
    for path, cap in caps(rules):
        yield path, cap.where


def permissions(rules: RuleFile) -> Iterator[tuple[KeyPath, str, Permission]]:
    """The rules of consent: path, channel (empty for all), rule."""
    if rules.consent:
        yield ("consent",), "", rules.consent
        for name, permission in rules.consent.channel.items():
            yield ("consent", "channel", name), name, permission


def caps(rules: RuleFile) -> Iterator[tuple[KeyPath, Cap]]:
    """The frequency caps; the path of a channel's cap ends with the channel's name."""
    if rules.frequency_cap:
        if rules.frequency_cap.events:
            yield ("frequency_cap",), rules.frequency_cap
        for name, cap in rules.frequency_cap.channel.items():
            if cap.events:
                yield ("frequency_cap", "channel", name), cap


def rfm_tables(rules: RuleFile) -> Iterator[tuple[KeyPath, Rfm]]:
    """The RFM tables; the path of each ends with its name, which may be empty."""
    yield from ((("rfm", name), rfm) for name, rfm in rules.rfm.items())


def windows(rules: RuleFile) -> Iterator[tuple[KeyPath, Measured | Cap | Rfm | Value]]:
    """Each section that may look at some days only."""
    yield from measures(rules)
    yield from caps(rules)
    yield from rfm_tables(rules)
    if rules.value:
        yield ("value",), rules.value


def ages(rules: RuleFile) -> Iterator[tuple[KeyPath, str]]:
    """Each place that counts days back from `as_of`, in a window or as recency, and the event table that it reads."""
    for path, window in windows(rules):
        if window.moves:
            yield path, window.events
    for path, measured in measures(rules):
        if measured.measure in ("days_since_first", "days_since_last"):
            yield path, measured.events
    yield from ((path, rfm.events) for path, rfm in rfm_tables(rules) if rfm.events)
    if rules.lifecycle and rules.lifecycle.events:
        yield ("lifecycle",), rules.lifecycle.events
    if rules.value and rules.value.predict:
        yield ("value", "predict"), rules.value.events


def event_tables(rules: RuleFile) -> Iterator[tuple[KeyPath, str]]:
    """Each place that names an event table, and the name."""
    for path, measured in measures(rules):
        yield (*path, "events"), measured.events
        yield from (((*path, key, "events"), s.events) for key, s in measured.sequels.items() if s.events)
    yield from (((*path, "events"), cap.events) for path, cap in caps(rules))
    yield from (((*path, "events"), rfm.events) for path, rfm in rfm_tables(rules) if rfm.events)
    if rules.lifecycle and rules.lifecycle.events:
        yield ("lifecycle", "events"), rules.lifecycle.events
    if rules.value:
        yield ("value", "events"), rules.value.events
    if rules.evaluate and rules.evaluate.events:
        yield ("evaluate", "events"), rules.evaluate.events
    if rules.customers.from_:
        yield ("customers", "from"), rules.customers.from_
    yield from ((("lookup", name, "into"), spec.into) for name, spec in rules.lookup.items() if spec.into != CUSTOMERS)


def amounts(rules: RuleFile) -> Iterator[tuple[KeyPath, str, str]]:
    """Whatever needs the money of an event table: the place that says so, what needs it, the table."""
    for path, measured in measures(rules):
        if measured.of is None and measured.measure in OF_AMOUNT:
            yield (*path, "measure"), f'measure = "{measured.measure}"', measured.events
    for name, rfm in rules.rfm.items():
        if rfm.events:
            yield ("rfm", name, "events"), f"[{rfm_section(name)}]", rfm.events
    if rules.value:
        yield ("value", "events"), "[value]", rules.value.events
