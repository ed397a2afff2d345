"""Rows of a table whose label a run would take, though no run of its directory has written them there.

They are of another rule file that uses the same label, or of a directory that is gone: no row goes because of either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, WriteError
from segkit.io.write.tables.stores import Old, rows_of_others
from segkit.operations.delivery.destinations.target import Target
from segkit.operations.delivery.runs import Run, find_run
from segkit.operations.delivery.vanishing import goes_to_table_of
from segkit.rules.model.table_name import TableName
from segkit.rules.text.loader import Loaded


class Labels(NamedTuple):
    """The segments whose rows a run takes away, and those of them that the last run has not written to this table."""

    going: tuple[str, ...]
    unknown: tuple[str, ...]
    continues: bool
    """Whether the last run in the directory has written to this table."""

    def spared(self, table: TableName, target: Target) -> tuple[str, ...]:
        """The labels of which no row may be there; changes that are appended to nothing have a check of their own."""
        appends = target.loaded.rules.output.writes_changes and table == target.table
        return () if appends and not self.continues else self.unknown


def labels_of(loaded: Loaded, directory: Path, chosen: Sequence[str]) -> Labels:
    """All segments of this rule file and of the last run in its directory, but those that `--select` leaves out."""
    last = _last_run(directory)
    if last and not goes_to_table_of(last.manifest, loaded):
        last = None
    segments = loaded.rules.segment
    left_out = {name for name, segment in segments.items() if segment.write} - {*chosen}
    wrote = [s.name for s in last.manifest.segments if s.write] if last else []
    wrote += [member.segment for member in last.manifest.members or ()] if last else []
    going = [name for name in dict.fromkeys([*segments, *wrote]) if name not in left_out]
    return Labels(tuple(going), tuple(name for name in going if name not in wrote), last is not None)


def spare_rows(
    target: Target, directory: Path, chosen: Sequence[str], *, replace: bool, dry_run: bool
) -> list[Diagnostic]:
    """What there is to say of rows that are not of the last run in the directory, and would go.

    Without `replace`, it raises `WriteError`; for a dry run, that is a warning.
    """
    labels, told = labels_of(target.loaded, directory, chosen), []
    for table in (target.table, target.table.of_held_out):
        spared = labels.spared(table, target)
        found = target.store.labels(table, Old(target.loaded.rules.output.label_column, spared)) if spared else []
        if not found:
            continue
        if replace:
            what = "`--replace` would remove" if dry_run else "`--replace` removed"
            told.append(dataclasses.replace(rows_of_others(table, found, what), hint=None, severity=Severity.NOTE))
        elif dry_run:
            told.append(dataclasses.replace(rows_of_others(table, found), severity=Severity.WARNING))
        else:
            raise WriteError(rows_of_others(table, found))
    return told


def _last_run(directory: Path) -> Run | None:
    """The last run in a directory; what cannot be read of it is told where it is compared."""
    with suppress(DataError):
        return find_run(directory)
    return None
