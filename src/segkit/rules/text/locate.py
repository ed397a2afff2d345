"""Where each key and value of a TOML text stands; the parser keeps no positions of its own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import tomli

from segkit.addresses import masked_over_lines
from segkit.diagnostics import SourceLocation
from segkit.rules.findings import SPELLINGS, KeyPath

Span = tuple[int, int]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_QUOTED = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:[^"\\]|\\.)*"|'
    r"'[^']*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[^\s.=\]\"'#]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")


@dataclass(slots=True)
class Index:
    """Spans of the keys and values of a TOML text that is known to be well formed."""

    text: str
    keys: dict[KeyPath, Span] = field(default_factory=dict)
    values: dict[KeyPath, Span] = field(default_factory=dict)
    _lines: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Index:
        """The index of `text`."""
        index = cls(text, _lines=[0, *(match.end() for match in re.finditer("\n", text))])
        _Scanner(text, index.keys, index.values).document()
        return index

    def key(self, path: KeyPath, name: str, origins: Mapping[KeyPath, KeyPath] | None = None) -> SourceLocation:
        """The place of the key at `path`, or of its nearest ancestor; the whole file where there is none."""
        known = self.written(path, origins or {})
        return self.place(self.keys[known], name) if known else SourceLocation(name)

    def value(self, path: KeyPath, name: str, origins: Mapping[KeyPath, KeyPath] | None = None) -> SourceLocation:
        """The place of the value at `path`, or of the key nearest to it."""
        known = self.written(path, origins or {})
        span = self.values.get(known) or self.keys.get(known)
        return self.place(span, name) if span else SourceLocation(name)

    def path(self, dotted: str) -> KeyPath:
        """The path that is written so, as far as the text has it: a quoted key may have dots of its own."""
        parts = dotted.split(".")
        path: KeyPath = ()
        while parts:
            sizes = (size for size in range(len(parts), 0, -1) if (*path, ".".join(parts[:size])) in self.keys)
            size = next(sizes, 0)
            is_number = not size and parts[0].isdecimal()
            path = (*path, int(parts[0]) if is_number else ".".join(parts[: size or 1]))
            parts = parts[size or 1 :]
        return path

    def place(self, span: Span, name: str) -> SourceLocation:
        """The location of a span, cut at the end of its first line."""
        start, end = span
        line = bisect_right(self._lines, start)
        begin = self._lines[line - 1]
        text = masked_over_lines(self.text)[begin:].partition("\n")[0].rstrip("\r")
        width = min(end, begin + len(text)) - start
        return SourceLocation(path=name, line=line, column=start - begin + 1, width=max(1, width), text=text)

    def written(self, path: KeyPath, origins: Mapping[KeyPath, KeyPath]) -> KeyPath:
        """The longest part of `path` that the text has.

        Positions of one-element short forms are skipped, and the empty name of the RFM table that has none.
        """
        known: KeyPath = ()
        for part in path:
            step = (*known, part)
            if step in origins:
                known = origins[step]
            elif step in self.keys:
                known = step
            elif (*known, SPELLINGS.get(str(part), part)) in self.keys:
                known = (*known, SPELLINGS[str(part)])
            elif isinstance(part, str) and part:
                break
        return known


class _Scanner:
    """Walks a well-formed TOML text once and writes down where keys and values stand."""

    def __init__(self, text: str, keys: dict[KeyPath, Span], values: dict[KeyPath, Span]) -> None:
        self.text, self.keys, self.values = text, keys, values
        self.at = 0
        self.rows: dict[KeyPath, int] = {}

    def document(self) -> None:
        prefix: KeyPath = ()
        while self._next():
            if self._next() == "[":
                prefix = self._header()
            else:
                self._pair(prefix)

    def _next(self) -> str:
        """The next character that is neither blank nor comment."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def _header(self) -> KeyPath:
        is_row = self.text.startswith("[[", self.at)
        self.at += 1 + is_row
        path: KeyPath = ()
        names = self._names()
        for number, (name, span) in enumerate(names):
            path = (*path, name)
            if number == len(names) - 1 and not is_row:
                self.keys[path] = span  # the header of the table itself, though tables within it may stand above
            self.keys.setdefault(path, span)
            if is_row and number == len(names) - 1:
                self.rows[path] = self.rows.get(path, -1) + 1
            if path in self.rows:
                path = (*path, self.rows[path])
                self.keys.setdefault(path, span)
        self._next()
        self.at += 1 + is_row
        return path

    def _names(self) -> list[tuple[str, Span]]:
        """The parts of a dotted key, and where each stands."""
        names = []
        while True:
            self._next()
            quoted = _QUOTED.match(self.text, self.at)
            match = quoted or _BARE_KEY.match(self.text, self.at)
            assert match is not None, "the text is well formed"
            name = next(iter(tomli.loads(f"{match[0]}=0"))) if quoted else match[0]
            names.append((name, match.span()))
            self.at = match.end()
            if self._next() != ".":
                return names
            self.at += 1

    def _pair(self, prefix: KeyPath) -> None:
        path = prefix
        for name, span in self._names():
            path = (*path, name)
            self.keys.setdefault(path, span)
        self.at += 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._next()
        start = self.at
        if opening == "{":
            self._items("}", lambda _: self._pair(path))
        elif opening == "[":
            self._items("]", lambda position: self._item((*path, position)))
        else:
            match = _QUOTED.match(self.text, start) or _BARE_VALUE.match(self.text, start)
            assert match is not None, "the text is well formed"
            self.at = start + len(match[0].rstrip())
        self.values[path] = (start, self.at)

    def _items(self, closing: str, read: Callable[[int], None]) -> None:
        self.at += 1
        position = 0
        while self._next() != closing:
            read(position)
            position += 1
            if self._next() == ",":
                self.at += 1
        self.at += 1

    def _item(self, path: KeyPath) -> None:
        self._value(path)
        self.keys[path] = self.values[path]
