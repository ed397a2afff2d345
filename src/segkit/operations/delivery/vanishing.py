"""Lists of the last run that a run would remove: no list goes because of another rule file, or of `--select`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from segkit.addresses import without_secrets
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, WriteError
from segkit.operations.delivery.manifest import Manifest, RulesRead
from segkit.operations.delivery.runs import OLD_MEMBERS_FILE, RUN_FOLDER, find_run
from segkit.operations.lists.lists import control_name
from segkit.results.terms import ENTERED, LEFT
from segkit.rules.text.loader import STDIN, Loaded
from segkit.words import listed, plural

SHOWN = 5
HINT = "write elsewhere (`-o DIR`, or `-o -` for standard output), or remove them with `--replace`"
OF_ITS_OWN = "give this rule file a `directory` of its own, or remove them with `--replace`"
FIRST_RUN = "this counts as a first run: nothing is compared with the run that was there"


class Vanishing(NamedTuple):
    """The files of the lists that would go from a directory; `whose` says which lists these are."""

    place: str
    names: tuple[str, ...]
    whose: str

    def told(self, what: str) -> str:
        """A sentence about them; `what` is who removes them."""
        more = len(self.names) - SHOWN
        names = listed(self.names[:SHOWN], "," if more > 0 else "and") + (f" and {more:,} more" if more > 0 else "")
        return f"{what} from `{self.place}` {plural(len(self.names), 'list')} {self.whose}: {names}"


def spare_lists(
    loaded: Loaded, directory: Path, chosen: Collection[str], *, replace: bool, dry_run: bool
) -> tuple[Path | None, list[Diagnostic]]:
    """The directory with the last run, none where this run replaces its lists, and what there is to say of them.

    `chosen` are the segments that are written. Where lists would vanish without `replace`, it raises `WriteError`; for
    a dry run, that is a warning.
    """
    gone, left = vanishing(loaded, directory, chosen), _left_behind(loaded, directory)
    if gone is None:
        return directory, left
    if replace:
        what = "`--replace` would remove" if dry_run else "`--replace` removed"
        return None, [Diagnostic(gone.told(what), hint=FIRST_RUN, severity=Severity.NOTE), *left]
    # Elsewhere, lists are files: who writes to a table needs another place for what is known of the run.
    hint = HINT if loaded.rules.output.to is None else OF_ITS_OWN
    problem = Diagnostic(gone.told("this run would remove"), hint=hint)
    if not dry_run:
        raise WriteError(problem)
    return directory, [dataclasses.replace(problem, severity=Severity.WARNING), *left]


def _left_behind(loaded: Loaded, directory: Path) -> list[Diagnostic]:
    """The note that the last run has rows in a table to which this one does not write."""
    with suppress(DataError):
        last = find_run(directory)
        if last and last.manifest.output.table and not goes_to_table_of(last.manifest, loaded):
            form = last.manifest.output
            message = f"the rows of the last run stay in the table `{form.table}` of `{form.to}`"
            return [Diagnostic(message, hint="remove them there where nobody needs them", severity=Severity.NOTE)]
    return []


def goes_to_table_of(manifest: Manifest, loaded: Loaded) -> bool:
    """Whether the lists of these rules go to the table of a run."""
    output, form = loaded.rules.output, manifest.output
    return output.to is not None and (without_secrets(output.to), output.table) == (form.to, form.table)


def vanishing(loaded: Loaded, directory: Path, chosen: Collection[str]) -> Vanishing | None:
    """The lists of the last run that would go; None where all stay, or go because the rule file has them no longer."""
    with suppress(DataError):  # what cannot be read of the last run is told where it is compared
        last = find_run(directory)
        if last is None or last.manifest.rules is None:
            return None
        in_table = goes_to_table_of(last.manifest, loaded)
        if _is_same(last.manifest.rules, loaded, directory):
            if in_table:
                return None  # the rows of segments that `--select` leaves out stay there
            left_out = {name for name, s in loaded.rules.segment.items() if s.write} - set(chosen)
            names = [name for segment, name in _lists(last.manifest) if segment in left_out]
            whose = "that `--select` leaves out"
        else:
            lists = [*_lists(last.manifest), *_known(last.manifest)]
            names = [name for segment, name in lists if segment not in chosen]
            of_lists = {name for _, name in lists} | {
                OLD_MEMBERS_FILE,
                loaded.rules.output.combined,
                control_name(loaded.rules),
                loaded.rules.output.workbook,
            }
            names += [name for name in _combined(last.manifest) if name not in of_lists]
            whose = f"of another rule file, `{_shown(last.manifest.rules, directory)}`"
        rows_go = in_table and loaded.rules.output.load == "replace"
        place = str(last.manifest.output.table) if rows_go else str(directory)
        return Vanishing(place, tuple(names), whose) if names else None
    return None


def path_from(directory: Path, loaded: Loaded) -> str | None:
    """The path of the rule file, seen from the output directory; None for standard input, which has none."""
    if loaded.source.path == STDIN:
        return None
    if loaded.stand_in:  # from a bucket, no folder is seen
        return Path(loaded.source.path).absolute().as_posix()
    try:
        return Path(os.path.relpath(loaded.source.path, directory)).as_posix()
    except ValueError:  # another drive
        return str(Path(loaded.source.path).absolute())


def _is_same(wrote: RulesRead, loaded: Loaded, directory: Path) -> bool:
    """Whether the rule file that wrote the last run is this one; two texts from standard input may differ in all."""
    if STDIN in (wrote.path, loaded.source.path):
        return False
    if wrote.relative_path is None:  # of a version that did not tell
        return wrote.path == Path(loaded.source.path).name
    if wrote.relative_path == path_from(directory, loaded):
        return True
    with suppress(OSError):  # the same file by two paths
        return Path(_joined(directory.absolute(), wrote.relative_path)).samefile(loaded.source.path)
    return False


def _shown(wrote: RulesRead, directory: Path) -> str:
    return _joined(directory, wrote.relative_path) if wrote.relative_path else wrote.path


def _joined(directory: Path, path: str) -> str:
    return os.path.normpath(directory / path)


def _lists(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The segment and the name of each file of a run that holds customers of one segment."""
    for segment in manifest.segments:
        yield from ((segment.name, output.path) for output in segment.outputs)
        if segment.holdout_path:
            yield segment.name, segment.holdout_path


def _combined(manifest: Manifest) -> Iterator[str]:
    """The files of a run that hold customers of several segments."""
    of_changes = tuple(f".{holds}." for holds in (ENTERED, LEFT))
    kept = f"{RUN_FOLDER}/"
    return (n for n in manifest.files if not n.startswith(kept) and not any(part in n for part in of_changes))


def _known(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The lists of a run of changes that have no files: what is known of segments that it left out."""
    written = {segment.name for segment in manifest.segments}
    return ((m.segment, m.list) for m in manifest.members or () if m.segment not in written)
