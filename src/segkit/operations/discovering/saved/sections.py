"""Keys and values as the sections of a rule file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from segkit.rules.text.toml import toml_key, toml_value

_NAMED = frozenset({"events", "lookup", "trait", "rfm", "score"})
"""Sections whose tables have sections of their own."""
_LONG = 100


def sections_of(data: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the file: keys first, then the sections in their order, each with an empty line before it."""
    yield from (_pair(key, value) for key, value in data.items() if not isinstance(value, Mapping))
    for name, section in data.items():
        if isinstance(section, Mapping):
            yield from _section(name, section, named=name in _NAMED)


def _section(name: str, section: Mapping[str, Any], *, named: bool) -> Iterator[str]:
    inner = {key: value for key, value in section.items() if named and isinstance(value, Mapping)}
    own = [_pair(key, value) for key, value in section.items() if key not in inner]
    if own or not inner:
        yield from ("", f"[{name}]", *own)
    for key, value in inner.items():
        yield from _section(f"{name}.{toml_key(key)}", value, named=False)


def _pair(key: str, value: Any) -> str:
    """`key = value`; a long list with a line for each of its items."""
    line = f"{toml_key(key)} = {toml_value(value)}"
    if len(line) <= _LONG or not isinstance(value, list):
        return line
    return "\n".join([f"{toml_key(key)} = [", *(f"  {toml_value(item)}," for item in value), "]"])
