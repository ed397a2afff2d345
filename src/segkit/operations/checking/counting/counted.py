"""What is counted of customers with the data: the counts of some and those of the others add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from segkit.gates.ledger import Ledger, Line, overlaps
from segkit.gates.parts import through_gates
from segkit.operations.checking.counting.reach import reached
from segkit.operations.checking.counting.worth import column_of_worth, total, worth_of
from segkit.operations.checking.known import columns_read
from segkit.operations.summary.tally import Entry, Tally
from segkit.rules.model.file import RuleFile

ALL, MEMBER, BOTH, WRITTEN = "customers", "member", "both", "written"
"""How many customers there are, by segment how many members, by pair how many in both, by segment how many written."""
KNOWN, REACHED, WORTH = "known", "reached", "worth"
"""How many have a value, by column; by segment, how many can be reached, and what members are worth; so are all."""


def counted(rules: RuleFile, parts: Sequence[pl.LazyFrame]) -> Tally:
    """What there is to count of the customers, who are in these parts."""
    tally = Tally()
    for customers, lines in through_gates(rules, parts):
        tally = tally.add(_of_some(rules, customers, lines))
    return tally


def _of_some(rules: RuleFile, customers: pl.DataFrame, ledger: Ledger) -> Tally:
    written = {name: line for name, line in ledger.lines.items() if rules.segment[name].write}
    numbers: dict[Entry, int | Decimal] = {(ALL,): len(customers)}
    pairs = overlaps({name: line.matched for name, line in written.items()})
    numbers |= {(BOTH, one, other): both for one, other, both in pairs}
    numbers |= {(WRITTEN, name): int(line.written.sum()) for name, line in written.items()}
    return Tally(numbers).add(tally_of_questions(rules, customers, ledger.lines))


def tally_of_questions(rules: RuleFile, customers: pl.DataFrame, lines: Mapping[str, Line]) -> Tally:
    """What answers the four questions to each segment, but for how many of these customers there are."""
    members = {name: line.matched for name, line in lines.items()}
    written = [name for name in lines if rules.segment[name].write]
    numbers: dict[Entry, int | Decimal] = {(MEMBER, name): int(of.sum()) for name, of in members.items()}
    numbers |= {(KNOWN, column): customers[column].count() for column in _read(rules)}
    can: dict[str | None, pl.Series] = {}
    for name in written:
        channel = rules.segment[name].channel
        if channel not in can:
            can[channel] = reached(rules, channel, customers)
        numbers[REACHED, name] = int((members[name] & can[channel]).sum())
    worth = worth_of(rules, customers)
    if worth is not None:
        numbers[(WORTH,)] = total(worth)
        numbers |= {(WORTH, name): total(worth.filter(members[name])) for name in written}
    return Tally(numbers)


def columns_asked(rules: RuleFile) -> frozenset[str]:
    """The columns that the questions look at, beside those of the criteria."""
    return frozenset(filter(None, (column_of_worth(rules), *rules.mavr.contact.values())))


def _read(rules: RuleFile) -> dict[str, None]:
    """The columns that criteria read."""
    return dict.fromkeys(column for name in rules.segment for _, column in columns_read(rules, name))
