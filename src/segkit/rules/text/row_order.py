"""Queries of databases: whether they say the order of rows, which no database keeps, and ask for rows alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segkit import codes
from segkit.addresses import database_of
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.tables import sources_of

_APART = re.compile(
    r"""\b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]'"]*\]
      | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
"""What is no SQL itself: texts, quoted names, comments."""
_CHANGES = re.compile(
    r"(insert|update|delete|merge|replace|truncate|create|drop|alter|grant|revoke|copy|call|do|vacuum|attach|set)\b",
    re.IGNORECASE,
)
"""How a statement begins that changes something."""


def is_ordered(query: str) -> bool:
    """Whether the outermost level of a query says in which order its rows come."""
    return re.search(r"\border\s+by\b", _outermost(query), re.IGNORECASE) is not None


def without_end(query: str) -> str:
    """The query without the semicolon at its end, and what comments stand behind it."""
    bare = _APART.sub(lambda found: " " * len(found[0]), query)
    return query[: bare.find(";")].rstrip() if ";" in bare else query.rstrip()


def without_order(rules: RuleFile) -> Iterator[Finding]:
    """An error for each key that takes rows as they stand, where they come of a database that is asked for no order."""
    for _, spec, path in sources_of(rules):
        if isinstance(spec.path, str) and database_of(spec.path) and not is_ordered(spec.query or ""):
            for key, told in keys_of_order(spec):
                message = f"`{told}` goes by the order of the rows, and a database has none"
                hint = "say it in `query`, with `order by` at its end"
                yield Finding((*path, key), message, hint, code=codes.CONTRADICTION)


def not_reading(rules: RuleFile) -> Iterator[Finding]:
    """An error for each query that is more than one statement, or one that changes something."""
    for _, spec, path in sources_of(rules):
        bare = _outermost(spec.query or "").strip().rstrip("; \n\t")
        changes = _CHANGES.match(bare)
        if ";" in bare or changes:
            what = f"`{changes[1].lower()}`" if changes else "more than one statement"
            message = f"`query` is {what}, and a source is only read"
            yield Finding((*path, "query"), message, "ask for rows alone, with one `select`", code=codes.CONTRADICTION)


def keys_of_order(spec: Source) -> Iterator[tuple[str, str]]:
    """The keys, and how messages call them."""
    if isinstance(spec, Events) and spec.fill_down:
        yield "fill_down", "fill_down"
    if not isinstance(spec, (Customers, Events, Lookup)) or (isinstance(spec, Lookup) and spec.by is not None):
        return
    if spec.duplicates in ("first", "last", "last_file"):
        yield "duplicates", f'duplicates = "{spec.duplicates}"'


def _outermost(query: str) -> str:
    """The query without comments and what stands in brackets; texts and quoted names are a word."""
    bare, depth = [], 0
    for piece in re.split(r"([()])", _APART.sub(lambda m: " " if m[0][:2] in ("--", "/*") else " x ", query)):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if depth == 0:
            bare.append(piece)
    return " ".join(bare)
