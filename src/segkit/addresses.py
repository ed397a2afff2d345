"""Addresses such as `https://me:password@host/x?token=...`, and what people may see of them.

No user, no password and no query of an address stands in a message, a log, a manifest or a report.
"""

from __future__ import annotations

import hashlib
import ipaddress
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
CLOUD = ("s3", "az", "gs")
"""The schemes of buckets: what stands behind the name of one is a key, in which nothing is secret."""
_DATABASE = re.compile(r"(postgres(?:ql)?(?=://)|sqlite(?=:)|duckdb(?=:)):", re.IGNORECASE)
_MARKS = "`\"'"
_KEYWORD = re.compile(r"(?<![\w?&])password\s*=", re.IGNORECASE)
_NO_SLASHES = re.compile(r"(?<![A-Za-z0-9])postgres(?:ql)?:(?![/\s])", re.IGNORECASE)
_OVER_LINES = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)'
    r"|'''(?:[^']|'(?!''))*(?:'''|\Z)",
    re.DOTALL,
)
"""Texts of TOML that may go over several lines; the last one may not be closed."""
_LOGIN = re.compile(r"[^/?#@:]*:([^/?#@]+)@|[^?]*\?(?:[^&]*&)*password=([^&#]+)", re.IGNORECASE)


class _Address(NamedTuple):
    """An address in a text: where it begins, where its scheme ends, and where it ends.

    One that is written in another form has no scheme, and nothing of it is shown.
    """

    start: int
    rest: int
    end: int


def is_address(text: str | PurePath) -> bool:
    """Whether the text is an address, or a path that was made of one."""
    if is_other_form(str(text)):
        return True
    return "://" in str(text) or (isinstance(text, PurePath) and _SCHEME.match(str(text)) is not None)


def is_other_form(text: str) -> bool:
    """Whether a text says where a server is, but not as an address: `host=... password=...`, or without slashes."""
    return _KEYWORD.search(text) is not None or _NO_SLASHES.match(text) is not None


def holds_password(text: str) -> bool:
    """Whether a password stands in an address itself, and not in a variable (`${NAME}`) of it."""
    scheme = _SCHEME.match(text)
    login = scheme and _LOGIN.match(text, scheme.end())
    password = login and (login[1] or login[2])
    return bool(password) and ("${" not in str(password) or ":-" in str(password))


def scheme_of(text: str) -> str:
    """What an address begins with, in small letters, such as `https`; nothing where it is the path of a file."""
    found = _SCHEME.match(text)
    return found[0].partition(":")[0].lower() if found and "://" in found[0] else ""


def is_bucket(text: str) -> bool:
    """Whether the text is the address of something in a bucket, such as `s3://bucket/orders.csv`."""
    return scheme_of(text) in CLOUD


def is_here(host: str) -> bool:
    """Whether a server is on this machine, so that nobody is on the way to it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
        scheme, rest = text[address.start : address.rest], text[address.rest : address.end]
        shown += text[at : address.start] + (_bare(scheme, rest) if scheme else "...")
        at = address.end
    return shown + text[at:]


def told_apart(text: str) -> str:
    """The text without secrets, which still tells apart addresses that differ in these alone; made again, the same."""
    shown = without_secrets(text)
    return text if shown == text else f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {shown}"


def masked(line: str) -> str:
    """The line, with `*` for each character of a user, a password or a query: so all else stays where it is."""
    shown = list(line)
    for address in _addresses(line):
        rest = line[address.rest : address.end]
        if address.start == address.rest:
            shown[address.rest : address.end] = "*" * len(rest)
            continue
        query = re.search(r"[?#]", rest)
        user = rest.rfind("@") + 1
        begin = query.start() if query else len(rest)
        # Where a mark of a query comes before the last `@`, it may be one of a password: nothing stays.
        kept = rest[user:begin] if user <= begin else ""
        shown[address.rest : address.end] = "*" * user + kept + "*" * (len(rest) - user - len(kept))
    return "".join(shown)


def masked_over_lines(text: str) -> str:
    """A text of TOML, with `*` for all of a text over several lines that holds an address with secrets.

    Of its second line alone, nobody could tell.
    """
    return _OVER_LINES.sub(_masked_over_lines, text)


def _masked_over_lines(found: re.Match[str]) -> str:
    joined = re.sub(r"\\\s*\n\s*", "", found[0])
    if "\n" not in found[0] or without_secrets(joined) == joined:
        return found[0]
    marks, closing = found[0][:3], found[0][3:].endswith(found[0][:3])
    inside = found[0][3:-3] if closing else found[0][3:]
    return marks + re.sub(r"[^\r\n]", "*", inside) + (marks if closing else "")


def _addresses(text: str) -> Iterator[_Address]:
    at, other = 0, _other_form(text, 0)
    while True:
        if other and other.start < at:
            other = _other_form(text, at)
        found = _SCHEME.search(text, at)
        if other and (found is None or other.start <= found.start()):
            yield other
            at = other.end
        elif found:
            at = _end(text, found.start(), found.end())
            yield _Address(found.start(), found.end(), at)
        else:
            return


def _other_form(text: str, at: int) -> _Address | None:
    """The next address in another form: all behind the mark that it stands in, or else the whole text."""
    if found := _NO_SLASHES.search(text, at):
        start = found.start()
    elif found := _KEYWORD.search(text, at):
        mark = _mark_around(text, found.start())
        start = max(at, text.rfind(mark, 0, found.start()) + 1 if mark else 0)
    else:
        return None
    return _Address(start, start, _end(text, found.start(), found.end()))


def _mark_around(text: str, start: int) -> str | None:
    """The mark in which a place of the text stands."""
    mark = next((c for c in reversed(text[:start]) if c in _MARKS), None)
    return None if mark is None or text.count(mark, 0, start) % 2 == 0 else mark


def _end(text: str, start: int, rest: int) -> int:
    """Where an address ends: at the mark that it stands in, or else with the text, since a password may hold spaces."""
    mark = _mark_around(text, start)
    if mark is None:
        return len(text)
    closing = re.compile(rf"(?<!\\){mark}").search(text, rest)
    return closing.start() if closing else len(text)


def _bare(scheme: str, rest: str) -> str:
    """The address without its secrets."""
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if scheme.partition(":")[0].lower() in CLOUD and not {"@", ":"} & set(host):
        return f"{scheme.partition(':')[0]}://{rest}"
    if "@" in rest.removeprefix(host):
        return f"{scheme.partition(':')[0]}://..."  # a password that holds `/`, `?` or `#` looks like a path
    path = re.split(r"[?#]", rest.removeprefix(host), maxsplit=1)[0]
    bare = f"{host.rpartition('@')[2]}{path}"
    return f"{scheme}{rest}" if bare == rest else f"{scheme.partition(':')[0]}://{bare}"
