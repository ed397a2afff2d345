"""Columns that tell too well who is a member: they may be known only since somebody is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segkit.diagnostics import Diagnostic, Severity
from segkit.discoveries.lookalike import HARDLY, LEAD, LEAK, Question

_HINT = (
    "is it known before somebody is in the segment? If not, leave it out: name the others with `--columns`, or take it "
    "out of the file"
)


def leaks(of_columns: Mapping[str, float]) -> Iterator[Diagnostic]:
    """A warning for each column that alone has an AUC of `LEAK`, and for the best one where it is far ahead."""
    best = sorted(of_columns.values(), reverse=True)
    for name, auc in of_columns.items():
        if auc >= LEAK:
            said = f"`{name}` alone tells members from others with an AUC of {auc:.2f}"
        elif len(best) > 1 and auc == best[0] and auc - best[1] >= LEAD:
            said = f"`{name}` alone has an AUC of {auc:.2f}, and no other column more than {best[1]:.2f}"
        else:
            continue
        yield Diagnostic(f"{said}: it may leak who is one", hint=_HINT, severity=Severity.WARNING)


def by_column(questions: Sequence[Question]) -> dict[str, float]:
    """Column -> what it reaches alone: of a list, its best value."""
    found: dict[str, float] = {}
    for one in questions:
        found[one.column] = max(one.auc, found.get(one.column, 0.0))
    return found


def hardly(auc: float) -> Iterator[Diagnostic]:
    """A warning for a card that tells little more than chance."""
    if auc < HARDLY:
        message = f"the card hardly tells members from others: its AUC out of fold is {auc:.2f}, and chance has 0.50"
        hint = "other columns may tell more; a list by this card is little better than one by lot"
        yield Diagnostic(message, hint=hint, severity=Severity.WARNING)
