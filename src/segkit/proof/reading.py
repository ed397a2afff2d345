"""What segments read, through whatever computes or joins it: which of them a change of the computing may reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.blocks import block_needs
from segkit.columns.helpers import member
from segkit.criteria.context import Context
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Segment
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS
from segkit.rules.walk import below, named_blocks

SECTIONS = ("trait", "rfm", "score", "lifecycle", "value")
"""What computes columns of customers, each from columns that can be told."""
HIDDEN = "\x1f"
"""What names of columns begin with that say themselves how they are computed."""


class Reading:
    """What each column of customers is made of, in one rule file."""

    def __init__(self, rules: RuleFile) -> None:
        self.rules = rules
        self.needs: dict[str, set[str]] = {}
        """Column -> the columns that it is made of."""
        self.computed: dict[str, KeyPath] = {}
        """Column that a section computes -> the section."""
        for step in steps_of(rules, Context(rules.today())):
            for name in step.names:
                self.needs.setdefault(name, set()).update(step.needs)
                if step.path[0] in SECTIONS and not name.startswith(HIDDEN):
                    self.computed[name] = step.path
        for name, text in rules.customers.derive.items():
            self.needs.setdefault(name, set()).update(sql_columns(text))
        joined = [lookup for lookup in rules.lookup.values() if lookup.into == CUSTOMERS]
        for lookup in joined:
            for column in lookup.columns:
                self.needs.setdefault(column, set()).update(lookup.on)
        # Which columns these have is not known here, so any may come from one of them.
        self.anywhere = {key for lookup in joined if not lookup.columns for key in lookup.on}

    def made_of(self, asked: Iterable[str]) -> set[str]:
        """These columns, and all that they are made of."""
        seen: set[str] = set()
        todo = list(asked)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.needs.get(name, ())
                if name not in self.computed and not name.startswith(HIDDEN):
                    todo += self.anywhere
        return seen

    def reaches(self, changed: Collection[str], asked: Iterable[str]) -> bool:
        """Whether one of these columns is, or is made of, one that has changed."""
        return not self.made_of(asked).isdisjoint(changed)

    def segments(self, changed: Collection[str], zones: Collection[str]) -> Iterator[str]:
        """The segments that read a column that has changed, or a file of zones that has."""
        if self.reaches(changed, self.rules.customers.where):
            yield from self.rules.segment
            return
        for name, segment in self.rules.segment.items():
            if self.reaches(changed, block_needs(segment, self.rules.customers)) or self._looks_at(segment, zones):
                yield name

    def _looks_at(self, segment: Segment, zones: Collection[str]) -> bool:
        """Whether the segment, or one that it is made of, looks at one of these files."""
        inner = [block for _, block in below((), segment)]
        if any(inside.path in zones for block in inner for inside in block.geographic.inside):
            return True
        named = {name for block in inner for name in (*block.in_segment, *block.not_in_segment)}
        return any(self._looks_at(self.rules.segment[name], zones) for name in named)


def section_of(rules: RuleFile, path: KeyPath) -> object:
    """The table of a rule file at the path of what computes a column; None where it has none."""
    section = getattr(rules, str(path[0]))
    return section.get(path[1]) if isinstance(section, dict) else section


def changed_columns(old: Reading, new: Reading) -> set[str]:
    """The columns that are computed in another way in one of the two files, or in one of them alone."""
    return {
        name
        for name in {*old.computed, *new.computed}
        for path in [new.computed.get(name) or old.computed[name]]
        if old.computed.get(name) is None
        or new.computed.get(name) is None
        or old.computed[name][:2] != new.computed[name][:2]
        or section_of(old.rules, path) != section_of(new.rules, path)
    }


def only(reading: Reading, paths: Iterable[KeyPath]) -> RuleFile:
    """The rule file with no more segments, scores and traits than what stands at these paths is made of.

    What is proved of less is true of the whole: columns that nothing computes any more may have any value.
    """
    rules = reading.rules
    named = {path[:2] if path[0] in ("segment", "score") else path[:1] for path in paths}
    blocks = [block for path, block in named_blocks(rules) if path[:2] in named or path[:1] in named]
    columns = reading.made_of(column for block in blocks for column in block_needs(block, rules.customers))
    sections = {reading.computed[name][:2] for name in columns if name in reading.computed}
    keeps_stages = ("lifecycle",) in named or any(path[0] == "lifecycle" for path in sections)
    return rules.model_copy(
        update={
            "segment": {
                name: one
                for name, one in rules.segment.items()
                if ("segment", name) in named or member(name) in columns
            },
            "trait": {name: one for name, one in rules.trait.items() if name in columns},
            "score": {
                name: one
                for name, one in rules.score.items()
                if ("score", name) in named or ("score", name) in sections
            },
            "lifecycle": rules.lifecycle if keeps_stages else None,
            "value": rules.value if any(path[0] == "value" for path in sections) else None,
        }
    )
