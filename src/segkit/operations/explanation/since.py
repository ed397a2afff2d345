"""What is not as it was when a run was written: its rules, its files."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from segkit.addresses import database_of
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import RuleError
from segkit.io.read import Label, Table
from segkit.operations.delivery.digests import digest
from segkit.operations.delivery.runs import Run
from segkit.operations.evaluation.open_zones import TABLE as ZONES
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import sources_of
from segkit.rules.text.loader import Loaded
from segkit.words import plural

_STANDS = "what the lists say stands; values and reasons are those of the files as they are now"


def other_rules(run: Run, rules: Path | None) -> list[Diagnostic]:
    """The warning for a rule file that is not the one of the run."""
    read = run.manifest.rules
    if rules is not None and not rules.is_file():
        raise RuleError.of(f"the rule file `{rules}` does not exist", hint="a key that ends so stands behind `--`")
    if rules is None or read is None or hashlib.sha256(rules.read_bytes()).hexdigest() == read.sha256:
        return []
    message = f"`{rules}` is not what the run was made by: it is explained by the copy of its rules, `{read.copy}`"
    return [_warning(message, SourceLocation(str(rules)), None)]


def changed_copy(run: Run) -> list[Diagnostic]:
    """The warning for a copy of the rules, or of a file that they name, that is not the one that the run wrote."""
    read = run.manifest.rules
    if read is None or read.copy is None:
        return []
    for one in read.included:
        same_name = {
            file.sha256 for file in run.manifest.inputs if PurePath(file.path).name == PurePath(one.written).name
        }
        if same_name and digest(run.folder / one.copy) not in same_name:
            return [_changed(run, one.copy)]
    copy = (run.folder / read.copy).read_bytes()
    # The copy is without the mark of UTF-8 that the file itself may begin with.
    if read.sha256 in (hashlib.sha256(begin + copy).hexdigest() for begin in (b"", codecs.BOM_UTF8)):
        return []
    return [_changed(run, read.copy)]


def _changed(run: Run, copy: str) -> Diagnostic:
    message = f"`{copy}` of the run is not as it was written: it is no longer what the run was made by"
    return _warning(message, SourceLocation(str(run.folder / copy)), None)


def changed_zones(run: Run, files: Mapping[Path, Path]) -> list[Diagnostic]:
    """A warning for each file of zones that is not as the run has read it; they are small, so all of it is compared."""
    before = {Path(one.path).name: one.sha256 for one in run.manifest.inputs if one.table == ZONES}
    changed = [path for path, content in files.items() if before.get(path.name) != digest(content)]
    return [_warning(f"`{path}` is not what the run has read", None, _STANDS) for path in changed]


def other_variables(run: Run, loaded: Loaded) -> list[Diagnostic]:
    """The warning for variables that have other values now, which the copy of the rules does not keep."""
    read = run.manifest.rules
    if read is None or read.variables in (None, loaded.variables):
        return []
    message = "a variable (`${...}`) in the rules of the run has another value now than it had then"
    hint = "set the variables as they were for the run"
    return [_warning(message, SourceLocation(loaded.source.path), hint)]


def unreadable(columns: Sequence[str]) -> list[Diagnostic]:
    """A warning for each column in which a value can no longer be read, so that it counts as missing."""
    messages = (f"a value in {column} cannot be read any more, and counts as missing" for column in columns)
    return [_warning(message, None, _STANDS) for message in messages]


def differing(differs: bool) -> list[Diagnostic]:
    """The warning for customers of whom the lists say something else than what follows now."""
    if not differs:
        return []
    return [
        _warning("what the run has written does not follow from its rules and the files as they are now", None, _STANDS)
    ]


def changed_inputs(run: Run, rules: RuleFile, tables: Mapping[str, Table], *, verify: bool) -> list[Diagnostic]:
    """A warning for each file that is not as the run has read it: by its length, or to `verify`, by all of it."""
    found: dict[Path, Diagnostic] = {}
    named = {name: source.path for name, source, _ in sources_of(rules)}
    for name, table in tables.items():
        before = [one for one in run.manifest.inputs if one.table == name]
        if len(before) != len(table.parts):
            message = f"`{name}` is of {plural(len(table.parts), 'file')} now, and the run has read {len(before)}"
            found[table.parts[0].content] = _warning(message, None, _STANDS)
            continue
        for read, part in zip(before, table.parts, strict=True):
            size = part.bytes
            # A path seen from another folder ends as the rules have it, and so in another folder of that name.
            if _ends(read.path, named.get(name)) != _ends(part.label.path, named.get(name)):
                message = f"`{part.label}` stands where the run has read `{read.path}`"
            elif part.kind == "delta" and digest(part.content) != read.sha256:
                message = f"`{part.label}` is at another version than the run has read"
            elif size != read.bytes:
                message = f"`{part.label}` has {size:,} bytes, and had {read.bytes:,} when the run read it"
            elif part.size is not None and digest(part.content) != read.sha256:
                message = f"`{part.label}` has been written since the run read it: its ETag or version is another one"
            elif verify and digest(part.content) != read.sha256:
                message = f"`{part.label}` is not what the run has read, though it is as long"
            else:
                continue
            found[part.content] = _warning(message, None, _STANDS)
    return list(found.values())


def _ends(path: str, named: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """As many parts from the end of a path as it has in the rules."""
    if database_of(path):
        return (Label(path).name,)
    texts = (named,) if isinstance(named, str) else named or ("",)
    depth = min(1 if "**" in text else max(1, len(PurePath(text).parts)) for text in texts)
    return PurePath(path).parts[-depth:]


def _warning(message: str, place: SourceLocation | None, hint: str | None) -> Diagnostic:
    return Diagnostic(message, place, hint, severity=Severity.WARNING)
