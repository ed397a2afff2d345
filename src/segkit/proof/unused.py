"""Traits and lookups that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.columns.plan.mentions import mentions
from segkit.proof.facts import Fact
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS


def unused(rules: RuleFile) -> Iterator[Fact]:
    """Traits whose column no one reads, and lookups of whose columns, where they are named, no one reads any."""
    read = {(mention.table, mention.column) for mention in mentions(rules)}
    for name in rules.trait:
        if (CUSTOMERS, name) not in read:
            yield Fact("SEG111", ("trait", name))
    for name, lookup in rules.lookup.items():
        if lookup.columns and not any((lookup.into, column) in read for column in lookup.columns):
            yield Fact("SEG111", ("lookup", name))
