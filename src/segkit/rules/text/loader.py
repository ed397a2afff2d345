"""From a rule file to its model, or to everything that is wrong with it, with line and column."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import tomli
from pydantic import ValidationError

from segkit import codes
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import RuleError
from segkit.rules.findings import Finding, KeyPath, dotted
from segkit.rules.model.file import RuleFile
from segkit.rules.text import expand
from segkit.rules.text.expand import NO_OVERRIDES, Overrides
from segkit.rules.text.included import Included, include
from segkit.rules.text.locate import Index
from segkit.rules.text.stand_in import StandIn
from segkit.rules.text.syntax import syntax_diagnostic
from segkit.rules.wording import messages
from segkit.words import listed, nearest

__all__ = ["Copied", "Loaded", "Overrides", "RuleSource", "load_rules", "load_rules_text", "reload_rules"]

STDIN = "<stdin>"
_START = "`segkit init` writes a rule file to start from"
_DATA = (
    *(".csv", ".tsv", ".gz", ".zst", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".ipc"),
    *(".xlsx", ".xlsm", ".xls", ".ods", ".db", ".sqlite", ".duckdb"),
)
"""Endings of files that are no rule files, whatever is in them."""


class Copied(NamedTuple):
    """Of a copied rule file: the folder that its paths count from, and copies of the files in it, by their names."""

    directory: Path
    included: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class RuleSource:
    """The text of a rule file, and where each of its keys stands."""

    path: str
    text: str = field(repr=False)
    index: Index = field(repr=False)
    origins: Mapping[KeyPath, KeyPath] = field(default_factory=dict, repr=False)
    """Keys that a table has from another one (`like`): path here -> path where the key is written."""
    included: Mapping[KeyPath, Included] = field(default_factory=dict, repr=False)
    """Place of a name in the rule file -> the file that stands there by this name."""
    copied: Copied | None = None
    """Where the file is the copy that a run has kept."""
    given: Mapping[KeyPath, str] = field(default_factory=dict)
    """The keys whose values are not those of the file -> the option that gives them."""

    @property
    def directory(self) -> Path:
        """What paths in the file are relative to; the working directory for standard input."""
        if self.copied:
            return self.copied.directory
        return Path() if self.path == STDIN else Path(self.path).parent

    def at(self, *path: str | int) -> SourceLocation:
        """The place of a key, or of its nearest ancestor that the file has; the option that has given its value."""
        if option := self.given.get(path):
            return SourceLocation(option)
        for place, file in self.included.items():
            if path[: len(place)] == place and path != place:
                return file.index.key(path[len(place) :], file.path)
        return self.index.key(path, self.path, self.origins)

    def value_at(self, *path: str | int) -> SourceLocation:
        """The place of a value, or of the key nearest to it."""
        for place, file in self.included.items():
            if path[: len(place)] == place and path != place:
                return file.index.value(path[len(place) :], file.path)
        return self.index.value(path, self.path, self.origins)

    def written(self, path: KeyPath) -> KeyPath:
        """The keys under which it stands in the text, as they are spelt there; of another file, those of the rules."""
        for place in self.included:
            if path[: len(place)] == place and path != place:
                return path
        return self.index.written(path, self.origins)

    def placed(self, finding: Finding) -> Diagnostic:
        """The finding with its place in the text."""
        path = finding.path
        return Diagnostic(
            message=finding.message,
            location=self.at(*path),
            hint=finding.hint,
            severity=Severity.WARNING if finding.warning else Severity.ERROR,
            code=finding.code,
            at=dotted(path),
            segment=str(path[1]) if path[0:1] == ("segment",) and len(path) > 1 else None,
        )


class Loaded(NamedTuple):
    """A valid rule file, its text, and the sha256 of its bytes (hexadecimal).

    `variables` is the same of the texts that variables have made, addresses aside; None where there are none. Where the
    output directory is in a bucket, a `stand_in` has its place while a run is on.
    """

    rules: RuleFile
    source: RuleSource
    digest: str
    variables: str | None = None
    stand_in: StandIn | None = None


def load_rules(
    path: Path,
    *,
    formats: Collection[str],
    env: Mapping[str, str] | None = None,
    overrides: Overrides = NO_OVERRIDES,
    needs_segments: bool = True,
    copied: Copied | None = None,
) -> Loaded:
    """The rules of a file, `-` for standard input; `RuleError` with all that is wrong with them.

    `formats` are the names of those that can be written. `env` stands for the environment that `${NAME}` reads
    (default: that of the process); `overrides` replace values of the file before anything is checked. Whoever only
    looks at its tables `needs_segments` not. A file that was `copied` from elsewhere is read as if it were there.
    """
    context = {"formats": formats, "needs_segments": needs_segments}
    if str(path) == "-":
        return _load(sys.stdin.buffer.read(), STDIN, context, env, overrides)
    return _load(_read(path), str(path), context, env, overrides, copied)


def load_rules_text(
    text: str,
    name: str = STDIN,
    *,
    formats: Collection[str],
    env: Mapping[str, str] | None = None,
    overrides: Overrides = NO_OVERRIDES,
) -> Loaded:
    """The rules in a text, such as standard input or that of a test; `name` is what messages call it."""
    return _load(text.encode(), name, {"formats": formats}, env, overrides)


def reload_rules(loaded: Loaded, *, formats: Collection[str], overrides: Overrides) -> Loaded:
    """Rules that are loaded with other values in place of those of their file, which is not read again."""
    text, name = loaded.source.text, loaded.source.path
    return load_rules_text(text, name, formats=formats, overrides=overrides)._replace(digest=loaded.digest)


def _load(
    raw: bytes,
    name: str,
    context: Mapping[str, Any],
    env: Mapping[str, str] | None,
    overrides: Overrides,
    copied: Copied | None = None,
) -> Loaded:
    text = _decode(raw, name)
    data = _parse(text, name)
    given: dict[KeyPath, str] = {("output", "directory"): "-o"} if overrides.output else {}
    source = RuleSource(name, text, Index.of(text), copied=copied, given=given)
    problems: list[Diagnostic] = []
    data = expand.override(data, overrides, source.at, problems)
    before, data = data, expand.substitute(data, os.environ if env is None else env, source.value_at, problems)
    made = "\0".join(expand.settled(before, data))
    origins = expand.inherit(data, source.at, problems)
    copies = copied.included if copied else {}
    data, included = include(data, source.directory, copies, source.value_at, problems)
    source = replace(source, origins=origins, included=included)
    rules = _validate(data, source, context, problems)
    variables = hashlib.sha256(made.encode()).hexdigest() if made else None
    return Loaded(rules, source, hashlib.sha256(raw).hexdigest(), variables)


def _validate(
    data: dict[str, Any], source: RuleSource, context: Mapping[str, Any], problems: list[Diagnostic]
) -> RuleFile:
    try:
        rules = RuleFile.model_validate(data, by_alias=True, by_name=False, context=context)
    except ValidationError as error:
        problems += messages.diagnose(error, data, source.at, source.value_at)
    if problems:
        raise RuleError(*sorted(dict.fromkeys(problems), key=by_place))
    return rules


def by_place(problem: Diagnostic) -> tuple[int, int]:
    """The key that sorts problems into the order of the file."""
    place = problem.location
    return (place.line or 0, place.column or 0) if place else (0, 0)


def _read(path: Path) -> bytes:
    if path.suffix.lower() in _DATA and path.is_file():
        # Its lines stay unread: an error would quote one, which is somebody's.
        hint = f"RULES is a file of TOML; `segkit init --customers {path}` writes one for these data"
        raise _unreadable(f"`{path}` holds data, not rules", hint)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _unreadable(f"the rule file `{path}` does not exist", _rule_files_near(path) or _START) from error
    except IsADirectoryError as error:
        inside = sorted(path.glob("*.toml"))
        hint = f"name the file, such as `{inside[0]}`" if inside else _START
        if (path / "manifest.json").is_file():
            hint = f"it is the folder of a run: `segkit explain --run {path} KEY` looks into it"
        raise _unreadable(f"`{path}` is a directory, not a rule file", hint) from error
    except OSError as error:
        raise _unreadable(f"cannot read the rule file `{path}`: {error.strerror}", None) from error


def _rule_files_near(path: Path) -> str | None:
    names = sorted(one.name for one in path.parent.glob("*.toml"))
    if not names:
        return None
    return nearest(path.name, names) or f"`{path.parent}` has {listed(names[:5], ',')}: name one of them first"


def _unreadable(message: str, hint: str | None, place: SourceLocation | None = None) -> RuleError:
    return RuleError(Diagnostic(message, place, hint, code=codes.SYNTAX if place else codes.NOT_THERE))


def _decode(raw: bytes, name: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        bad = raw.splitlines()[line - 1].decode("cp1252", "replace")
        column = len(before.rpartition("\n")[2]) + 1
        raise _unreadable(
            "the rule file is not UTF-8",
            "save it as UTF-8: in most editors, `Save as` with the encoding UTF-8",
            SourceLocation(path=name, line=line, column=column, width=1, text=bad),
        ) from error
    if not text.strip():
        raise _unreadable("the rule file is empty", _START, SourceLocation(name))
    return text


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        raise RuleError(syntax_diagnostic(error, text, name)) from error
