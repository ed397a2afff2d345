"""Which keys of a bucket a glob names, and which of them lie in folders of people's."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from fnmatch import fnmatchcase


def fixed_part(pattern: str) -> str:
    """The folder of a glob from which on it says several things; empty where that is the bucket itself."""
    parts = pattern.split("/")
    moving = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "/".join(parts[:moving])


def matches(key: str, pattern: str) -> bool:
    """Whether a glob names a key, as globs name files: `*` stops at a slash, `**` does not, neither finds `.hidden`."""
    return _matches(key.split("/"), pattern.split("/"))


def names(pattern: str, address: str) -> bool:
    """Whether an address of an object, a glob or a folder in a bucket is, or names, that of an object."""
    return matches(address, pattern) or address == pattern or address.startswith(f"{pattern.removesuffix('/')}/")


def _matches(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns or not parts:
        return not parts and all(pattern == "**" for pattern in patterns)
    seen = not parts[0].startswith(".") or patterns[0].startswith(".")
    if patterns[0] == "**":
        return _matches(parts, patterns[1:]) or (seen and _matches(parts[1:], patterns))
    return seen and fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])
