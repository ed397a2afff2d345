"""The columns that each section computes, and the families that take no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from segkit import codes
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.computed.rfm import RFM_COLUMNS, rfm_column, rfm_columns
from segkit.rules.model.computed.scores import Score
from segkit.rules.model.computed.value import VALUE_COLUMNS, not_computed
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks
from segkit.words import listed, nearest


class Feature(NamedTuple):
    """A family of computed columns: its section, its columns, and what to add for a column that is not among them."""

    section: str
    columns: Callable[[RuleFile], tuple[str, ...]]
    add: Callable[[RuleFile, str], str | None]


def _add_rfm(rules: RuleFile, column: str) -> str | None:
    """A column of the table without a name is most often asked for in the short form: there are those of the others."""
    if not rules.rfm:
        return 'add a section: `[rfm]` with `events = "..."`'
    if column not in RFM_COLUMNS:
        return None
    there = [f"rfm.{rfm_column(table, column)}" for table in rules.rfm]
    return f"no RFM table is without a name here; those that there are compute {listed(there)}"


def _scores(rules: RuleFile) -> tuple[str, ...]:
    return tuple(column for name, score in rules.score.items() for column in score_columns(name, score))


def score_columns(name: str, score: Score) -> tuple[str, ...]:
    """The columns of one score."""
    return (f"{name}_score", f"{name}_grade") if score.grades else (f"{name}_score",)


def _add_score(rules: RuleFile, column: str) -> str | None:
    name, _, kind = column.rpartition("_")
    if kind not in ("score", "grade") or not name:
        return "`[score.NAME]` computes `NAME_score`, and with `grades` also `NAME_grade`"
    if name in rules.score:
        return f"`[score.{name}]` has no grades: add some, such as `grades = {{ A = 80, B = 60 }}`"
    if nearest(name, rules.score):
        return nearest(column, _scores(rules))
    return f"add a section: `[score.{name}]` with rules that give points, `[[score.{name}.rule]]`"


def _add_lifecycle(rules: RuleFile, _: str) -> str | None:
    if rules.lifecycle:
        return 'its one column is the stage: `lifecycle = "..."`'
    return 'add a section: `[lifecycle]` with `events = "..."`, or with stages of your own'


def _values(rules: RuleFile) -> tuple[str, ...]:
    absent = not_computed(rules.value)
    return tuple(column for column in VALUE_COLUMNS if column not in absent)


FEATURES = {
    "rfm": Feature(
        "rfm",
        lambda rules: tuple(column for table in rules.rfm for column in rfm_columns(table)),
        _add_rfm,
    ),
    "lifecycle": Feature("lifecycle", lambda rules: ("lifecycle",) if rules.lifecycle else (), _add_lifecycle),
    "value": Feature("value", _values, lambda rules, column: not_computed(rules.value).get(column)),
    "score": Feature("score.NAME", _scores, _add_score),
}
"""Family -> how its columns come about; these families take no other columns."""


def computed_columns(rules: RuleFile) -> Iterator[str]:
    """The columns of all these sections, in their order."""
    for feature in FEATURES.values():
        yield from feature.columns(rules)


def check_families(rules: RuleFile) -> Iterator[Finding]:
    """Conditions on computed columns that nothing computes."""
    for path, block in blocks(rules):
        for family, feature in FEATURES.items():
            asked: Conditions = getattr(block, family)
            yield from _not_computed((*path, family), asked, family, feature, rules)


def _not_computed(
    path: KeyPath, asked: Conditions, family: str, feature: Feature, rules: RuleFile
) -> Iterator[Finding]:
    columns = feature.columns(rules)
    wrong = [column for column in asked if column not in columns]
    if wrong and not columns:
        message = f"a condition on `{family}`, but there is no `[{feature.section}]`"
        yield Finding(path, message, feature.add(rules, wrong[0]), code=codes.UNKNOWN_COLUMN)
        return
    for column in wrong:
        hint = feature.add(rules, column) or nearest(column, columns, f"columns of `{family}`")
        yield Finding((*path, column), f"`{family}` has no column `{column}`", hint, code=codes.UNKNOWN_COLUMN)
