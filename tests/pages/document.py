"""A report, read as a browser reads it: its sections, and the cells of their tables."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "br", "link", "img", "hr"}
Table = list[list[str]]


class Document(HTMLParser):
    """`tables` by section, `texts` by section ("" outside of all), `tags`, and `attributes` by name."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[Table]] = {}
        self.texts: dict[str, str] = {"": ""}
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self._open: list[str] = []
        self._section = ""
        self._cell: list[str] | None = None
        self.feed(html)
        self.close()
        assert self._open == [], "each tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
            self.tables[self._section] = []
            self.texts[self._section] = ""
        elif tag == "table":
            self.tables[self._section].append([])
        elif tag == "tr":
            self.tables[self._section][-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("td", "th") and self._cell is not None:
            self.tables[self._section][-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "small":
            data = f" {data}"
        self.texts[self._section] += data
        if self._cell is not None:
            self._cell.append(data)

    def rows(self, section: str, table: int = 0) -> dict[str, list[str]]:
        """The rows of a table, by their first cell."""
        return {row[0]: row[1:] for row in self.tables[section][table]}
