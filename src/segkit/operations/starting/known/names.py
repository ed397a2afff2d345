"""How segments, tables and files are called in the rule file."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from segkit.addresses import is_address


def slug(text: str, mark: str = "-") -> str:
    """The text in the letters that names of segments and tables take; empty where it has none of them."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", mark, plain).strip(mark)[:40].strip(mark)


def free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)


def as_seen_from(path: str, folder: Path) -> str:
    """The path relative to a folder; whole where they have but the root in common; an address as it is."""
    if is_address(path):
        return path
    base, parent = os.path.realpath(folder), os.path.dirname(path)  # noqa: PTH120 (globs are no paths)
    if not glob.has_magic(parent):
        path = str(Path(os.path.realpath(parent or "."), Path(path).name))
    whole = os.path.abspath(path)  # noqa: PTH100 (nor may `..` in globs be followed)
    alone = os.path.commonpath([base, whole]) == os.path.sep
    return whole if alone else os.path.relpath(whole, base)
