"""Files that stand in a rule file by their name: the content of a file takes the place of its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli

from segkit import codes
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.rules.findings import At, KeyPath
from segkit.rules.model.computed.rfm import written_tables
from segkit.rules.text.locate import Index
from segkit.rules.text.syntax import syntax_diagnostic

_SAVE = "write one with `segkit rfm DATA --save-cutoffs FILE`"


def cutoffs_of(table: str) -> KeyPath:
    """The path of the cutoffs of the RFM table with this name."""
    return "rfm", table, "cutoffs"


@dataclass(frozen=True, slots=True)
class Included:
    """A file that was read, and where each of its keys stands."""

    path: str
    written: str
    """How the rule file names it."""
    text: str = field(repr=False)
    index: Index = field(repr=False)


def include(
    data: dict[str, Any], directory: Path, copies: Mapping[str, Path], value_at: At, problems: list[Diagnostic]
) -> tuple[dict[str, Any], dict[KeyPath, Included]]:
    """`data` with the content of each file of cutoffs in the place of its name, and these files by their places.

    Of files that have `copies`, by the names that stand in the rule file, the copy is read. What cannot be read goes
    to `problems`.
    """
    rfm, files = data.get("rfm"), dict[KeyPath, Included]()
    if not isinstance(rfm, dict):
        return data, files
    for name, table in written_tables(rfm).items():
        if not isinstance(table.get("cutoffs"), str):
            continue
        written = table["cutoffs"]
        read = _read(copies.get(written, directory / written), written, value_at(*cutoffs_of(name)))
        if isinstance(read, Diagnostic):
            problems.append(read)
            # Without these two keys, nothing more is said about what cannot be known.
            known = {key: value for key, value in table.items() if key not in ("cutoffs", "method")}
        else:
            content, files[cutoffs_of(name)] = read
            known = {**table, "cutoffs": content}
        rfm = {**rfm, name: known} if name else {**{key: rfm[key] for key in rfm if key not in table}, **known}
    return data | {"rfm": rfm}, files


def _read(path: Path, written: str, place: SourceLocation) -> tuple[dict[str, Any], Included] | Diagnostic:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Diagnostic(f"the file of cutoffs `{path}` does not exist", place, _SAVE, code=codes.NOT_THERE)
    except UnicodeDecodeError:
        return Diagnostic(
            "the file of cutoffs is not UTF-8", SourceLocation(str(path)), "save it as UTF-8", code=codes.SYNTAX
        )
    except OSError as error:
        return Diagnostic(f"cannot read the file of cutoffs `{path}`: {error.strerror}", place, code=codes.NOT_THERE)
    try:
        content = tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        return syntax_diagnostic(error, text, str(path))
    if "version" not in content:
        return Diagnostic(
            "the file of cutoffs has no `version = 1`", SourceLocation(str(path)), _SAVE, code=codes.MISSING_KEY
        )
    return content, Included(str(path), written, text, Index.of(text))
