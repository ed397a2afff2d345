"""The names that the tables of a rule file have among all tables."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.rules.findings import KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Source

CUSTOMERS = "customers"


def lookup_table(name: str) -> str:
    """The name of a lookup's table among the tables; no event table has such a name."""
    return f"lookup.{name}"


def suppression_table(path: str) -> str:
    """The name of a suppression list's table among the tables."""
    return f"suppress.{path}"


def sources_of(rules: RuleFile) -> Iterator[tuple[str, Source, KeyPath]]:
    """Each table: its name, the section that describes it, and the path of that section."""
    yield CUSTOMERS, rules.customers, ("customers",)
    for name, events in rules.events.items():
        yield name, events, ("events", name)
    for name, lookup in rules.lookup.items():
        yield lookup_table(name), lookup, ("lookup", name)


def orders_table(rules: RuleFile) -> str | None:
    """The event table with the orders: that of `[value]`, of `[rfm]`, or the only one; None where nothing tells."""
    of_rfm = [rfm.events for rfm in ([rules.rfm[""]] if "" in rules.rfm else rules.rfm.values()) if rfm.events]
    for ways in ([rules.value.events] if rules.value else [], dict.fromkeys(of_rfm), rules.events):
        if len(ways) == 1:
            return next(iter(ways))
    return None


def money_table(rules: RuleFile) -> str | None:
    """The event table with the money: that of `[evaluate]`, the one with the orders, or the only one with an amount."""
    if rules.evaluate and rules.evaluate.events:
        return rules.evaluate.events
    with_amount = [name for name, events in rules.events.items() if events.amount]
    return orders_table(rules) or (with_amount[0] if len(with_amount) == 1 else None)
