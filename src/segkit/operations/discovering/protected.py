"""What a discovery says where people would be chosen by what the law protects: their health, their sex, their age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from segkit.columns.helpers import is_visible
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.operations.discovering.made_of import sources_of
from segkit.operations.personal.protected import ground, special_kind

_CONSENT = (
    "in the EU (GDPR, article 9) and elsewhere, such data may as a rule be used with explicit consent only: make sure "
    "that you may, or name the others with `--columns`"
)
_CHOICE = (
    "to choose people by these may be discrimination, above all for credit, insurance, housing and work: look whether "
    "the law lets you, for this offer, or name the others with `--columns`"
)


class Protected(NamedTuple):
    """Columns, each with its kind: special categories of personal data, and grounds of discrimination."""

    special: Mapping[str, str]
    grounds: Mapping[str, str]


def protected(plan: Plan, names: Iterable[str]) -> Protected:
    """Those of the columns that are protected by their names, or by the name of one that they are made of."""
    special: dict[str, str] = {}
    grounds: dict[str, str] = {}
    for name in dict.fromkeys(names):
        made_of = [name, *sorted(filter(is_visible, sources_of(plan, [name]).columns - {name}))]
        if kind := next(filter(None, map(special_kind, made_of)), None):
            special[name] = kind
        elif kind := next(filter(None, map(ground, made_of)), None):
            grounds[name] = kind
    return Protected(special, grounds)


def doubts(found: Protected, what: str) -> Iterator[Diagnostic]:
    """A warning that names special categories, a note that names grounds, behind `what` is done with them."""
    if found.special:
        yield Diagnostic(f"{what} {_named(found.special)}", hint=_CONSENT, severity=Severity.WARNING)
    if found.grounds:
        yield Diagnostic(f"{what} {_named(found.grounds)}", hint=_CHOICE, severity=Severity.NOTE)


def told(found: Protected) -> Iterator[str]:
    """What the head of a rule file says of them."""
    if both := {**found.special, **found.grounds}:
        yield f"Look whether the law lets you choose people by {_named(both)}."


def _named(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` ({kind})" for name, kind in kinds.items())
