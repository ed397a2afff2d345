"""Addresses such as `https://me:password@host/x?token=...`, and what people may see of them.

No user, no password and no query of an address stands in a message, a log, a manifest or a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

_SCHEME = re.compile(r"(?<![A-Za-z0-9+.-])(?!(?i:sqlite|duckdb):)(?=[0-9+.-]*[A-Za-z])[A-Za-z0-9+.-]{2,}:/+")
"""How an address begins; one letter is a drive, and behind `sqlite:` stands a file. A `Path` keeps one slash of two.

Long words are looked at once: a match begins where a word does.
"""
WEB = ("https", "http")
"""The schemes of addresses from which files are fetched."""
_DATABASE = re.compile(r"(postgres(?:ql)?(?=://)|sqlite(?=:)|duckdb(?=:)):", re.IGNORECASE)
_MARKS = "`\"'"


class _Address(NamedTuple):
    """An address in a text: where it begins, where its scheme ends, and where it ends."""

    start: int
    rest: int
    end: int


def is_address(text: str | PurePath) -> bool:
    """Whether the text is an address, or a path that was made of one."""
    return "://" in str(text) or (isinstance(text, PurePath) and _SCHEME.match(str(text)) is not None)


def scheme_of(text: str) -> str:
    """What an address begins with, in small letters, such as `https`; nothing where it is the path of a file."""
    found = _SCHEME.match(text)
    return found[0].partition(":")[0].lower() if found and "://" in found[0] else ""


class Database(NamedTuple):
    """What an address of a database tells: `postgresql`, `sqlite` or `duckdb`, and where it is.

    `place` is the file of the last two; of a server it is the whole address, with its secrets.
    """

    kind: str
    place: str


def database_of(text: str) -> Database | None:
    """The database that a text such as `postgresql://host/db` or `sqlite:shop.db` names; None where it names none."""
    found = _DATABASE.match(text)
    if found is None:
        return None
    kind, rest = found[1].lower(), text[found.end() :]
    return Database("postgresql", f"postgresql:{rest}") if kind.startswith("postgres") else Database(kind, rest)


def without_secrets(text: str) -> str:
    """The text, with the scheme, host and path of each address in it: no user, no password and no query."""
    shown, at = "", 0
    for address in _addresses(text):
        shown += text[at : address.start] + _bare(text[address.start : address.rest], text[address.rest : address.end])
        at = address.end
    return shown + text[at:]


def masked(line: str) -> str:
    """The line, with `*` for each character of a user, a password or a query: so all else stays where it is."""
    shown = list(line)
    for address in _addresses(line):
        rest = line[address.rest : address.end]
        query = re.search(r"[?#]", rest)
        user = rest.rfind("@") + 1
        begin = query.start() if query else len(rest)
        # Where a mark of a query comes before the last `@`, it may be one of a password: nothing stays.
        kept = rest[user:begin] if user <= begin else ""
        shown[address.rest : address.end] = "*" * user + kept + "*" * (len(rest) - user - len(kept))
    return "".join(shown)


def _addresses(text: str) -> Iterator[_Address]:
    at = 0
    while found := _SCHEME.search(text, at):
        at = _end(text, found.start(), found.end())
        yield _Address(found.start(), found.end(), at)


def _end(text: str, start: int, rest: int) -> int:
    """Where an address ends: at the mark that it stands in, or else with the text, since a password may hold spaces."""
    mark = next((c for c in reversed(text[:start]) if c in _MARKS), None)
    if mark is None or text.count(mark, 0, start) % 2 == 0:
        return len(text)
    closing = re.compile(rf"(?<!\\){mark}").search(text, rest)
    return closing.start() if closing else len(text)


def _bare(scheme: str, rest: str) -> str:
    """The address without its secrets."""
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest.removeprefix(host):
        return f"{scheme.partition(':')[0]}://..."  # a password that holds `/`, `?` or `#` looks like a path
    path = re.split(r"[?#]", rest.removeprefix(host), maxsplit=1)[0]
    bare = f"{host.rpartition('@')[2]}{path}"
    return f"{scheme}{rest}" if bare == rest else f"{scheme.partition(':')[0]}://{bare}"
