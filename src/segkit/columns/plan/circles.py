"""Columns, and segments, that need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segkit import codes
from segkit.columns.features.steps import Step
from segkit.columns.helpers import is_hidden, member
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.order import cycles
from segkit.rules.tables import sources_of

_OF_SEGMENTS = "take one of the references out, or name the common criteria in a segment with `write = false`"


def step_circles(rules: RuleFile, steps: Mapping[str, Step]) -> Iterator[Finding]:
    """Each circle of computed columns and segments; helper columns are not shown."""
    segments = {member(name): f"[segment.{name}]" for name in rules.segment}
    for circle in cycles({name: step.needs for name, step in steps.items()}):
        shown = [name for name in circle[1:] if name in segments or not is_hidden(name)]
        shown = [shown[-1], *shown]
        yield _circle(steps[shown[0]].path, [segments.get(name, name) for name in shown])


def derived_circles(rules: RuleFile) -> Iterator[Finding]:
    """Each circle of the derived columns of one table."""
    for _, spec, path in sources_of(rules):
        for circle in cycles({name: sql_columns(text) for name, text in spec.derive.items()}):
            yield _circle((*path, "derive", circle[0]), circle)


def _circle(path: KeyPath, names: Sequence[str]) -> Finding:
    hint = _OF_SEGMENTS if all(name.startswith("[") for name in names) else "compute one of them from others"
    return Finding(
        path, f"these need each other: {' -> '.join(f'`{name}`' for name in names)}", hint, code=codes.CIRCLE
    )
