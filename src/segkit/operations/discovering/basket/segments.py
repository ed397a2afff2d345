"""The rules as segments: who has bought the left side, and never the right one."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from segkit.discoveries.basket import BasketRule, By, Offer
from segkit.operations.orders_file.rules import as_toml
from segkit.operations.starting.lines.toml_lines import comment
from segkit.rules.text.toml import toml_key
from segkit.words import count, plural

LONGEST = 60
"""A name of more letters would make names of files that some systems refuse."""


class Items(NamedTuple):
    """The items: the name of each, and by name the value that a condition asks for."""

    names: Sequence[str]
    values: Mapping[str, object]


def items_of(values: pl.Series) -> Items:
    """The items by number: texts as they are, others as text."""
    python = [Decimal(repr(value)) if isinstance(value, float) else value for value in values.to_list()]
    names = [str(f"{value:f}" if isinstance(value, Decimal) else value) for value in python]
    return Items(names, dict(zip(names, python, strict=True)))


def offers_of(rules: Sequence[BasketRule], top: int) -> tuple[Offer, ...]:
    """The best rule of each right side that somebody lacks, for so many right sides at most; the rules are sorted."""
    best: dict[str, BasketRule] = {}
    for rule in rules:
        if rule.to_offer and len(best) < top:
            best.setdefault(rule.right, rule)
    names: set[str] = set()
    offers = []
    for right, rule in best.items():
        name = next(name for name in _names(right) if name not in names)
        names.add(name)
        offers.append(Offer(name, rule))
    return tuple(offers)


def _names(item: str) -> Iterator[str]:
    """`offer-cafe-creme`, then the same with a number."""
    plain = unicodedata.normalize("NFKD", item).encode("ascii", "ignore").decode().lower()
    slug = "-".join(["offer", *re.findall(r"[a-z0-9]+", plain)])[:LONGEST].rstrip("-")
    yield slug
    yield from (f"{slug}-{number}" for number in range(2, 10**6))


def segments(offers: Sequence[Offer], table: str, item: str, items: Items, by: By) -> list[str]:
    """The segments as lines of TOML, each below a comment of what it rests on."""
    lines: list[str] = []
    for name, rule in offers:
        lefts = " and ".join(rule.left)
        did = ", ".join(_bought(table, item, items.values[one]) for one in rule.left)
        told = (
            f"{count(rule.count)} of {plural(rule.left_count, by)} with {_plain(lefts)} have {_plain(rule.right)} too: "
            f"confidence {rule.confidence:.1f} %, lift {rule.lift:.2f}. To offer: {plural(rule.to_offer, 'customer')}"
        )
        lines += ["", *comment(told), f"[segment.{name}]"]
        lines.append(f"label = {as_toml(f'Bought {lefts}, never {rule.right}')}")
        lines.append(f"behavioural.did = {did if len(rule.left) == 1 else f'[{did}]'}")
        lines.append(f"behavioural.did_not = {_bought(table, item, items.values[rule.right])}")
    return lines[1:]


def told_of(by: By, day: dt.date) -> list[str]:
    """What the head of the file says."""
    return [
        "Who has bought what others buy together with something else, and has never bought that. What goes together "
        f"is counted by {by}, on {day}; who it is offered to, by all that a customer has bought until `as_of`, before "
        "consent and other gates."
    ]


def _bought(table: str, item: str, value: object) -> str:
    return f"{{ events = {as_toml(table)}, where.{toml_key(item)} = {as_toml(value)} }}"


def _plain(text: str) -> str:
    """The text on one line: a line break in the name of an item would end the comment."""
    return "".join(c if c.isprintable() else " " for c in text)
