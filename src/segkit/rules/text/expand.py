"""What happens to the parsed file before it is checked: overrides, the environment, `like`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from segkit import codes
from segkit.addresses import database_of, is_other_form
from segkit.diagnostics import Diagnostic
from segkit.rules.findings import At, KeyPath
from segkit.words import nearest

_VARIABLE = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")
_TAKE_OUT = "one of these tables needs keys of its own instead of `like`"
_ORIGIN = ("from", "columns")
_OF_TABLES = ("to", "table", "load")
"""The keys of `[output]` that say in which table the lists go."""
_OF_DATABASES = ("table", "query", "timeout")
"""Keys that go with a database: a file that is given instead is all that there is to read."""
_OF_TABLES_OF_LAKES = ("version", "at")
"""Keys that go with a table that is a folder."""
_ONE_OF = {"table": "query", "query": "table", "version": "at", "at": "version"}
"""A table that starts from another one and names a table of a database asks for no query of that one; nor for a time
where it names a version."""
_OWN = ("like", "expect")
"""Keys that another table does not take over: of a table of refunds, a new one is not expected each day."""


class Overrides(NamedTuple):
    """What the command line or `SEGKIT_*` says instead of the file; paths are relative to the caller."""

    as_of: dt.date | None = None
    customers: str | Sequence[str] | None = None
    events: Mapping[str, str | Sequence[str]] = MappingProxyType({})
    lookups: Mapping[str, str | Sequence[str]] = MappingProxyType({})
    output: str | None = None
    format: str | None = None
    files: bool = False
    """The lists go to files or to standard output, though the rules name a table."""
    cache: str | None = None


NO_OVERRIDES = Overrides()


def override(data: dict[str, Any], given: Overrides, at: At, problems: list[Diagnostic]) -> dict[str, Any]:
    """`data` with the values of `given` in place of its own."""
    data = dict(data)
    if given.as_of is not None:
        data["as_of"] = given.as_of
    if given.customers is not None:
        # A customer file replaces `from` and what goes with it.
        own = {key: value for key, value in _table(data, "customers").items() if key not in _ORIGIN}
        data["customers"] = _read_from(own, given.customers)
    output = {"directory": given.output and absolute(given.output), "format": given.format}
    if any(output.values()):
        data["output"] = _table(data, "output") | {key: value for key, value in output.items() if value}
    if given.files and "to" in _table(data, "output"):
        data["output"] = {key: value for key, value in _table(data, "output").items() if key not in _OF_TABLES}
    if given.cache is not None:
        data["cache"] = {"directory": absolute(given.cache)}
    for section, paths, what in (("events", given.events, "event tables"), ("lookup", given.lookups, "lookups")):
        if paths:
            data[section] = _with_paths(data, section, paths, what, problems)
    return data


def _with_paths(
    data: Mapping[str, Any],
    section: str,
    paths: Mapping[str, str | Sequence[str]],
    what: str,
    problems: list[Diagnostic],
) -> dict[str, Any]:
    """The tables of a section with other paths."""
    tables = dict(_table(data, section))
    for name, path in paths.items():
        if isinstance(tables.get(name), dict):
            tables[name] = _read_from(tables[name], path)
        else:
            message = f"`{name}` is given, but the rule file has no `[{section}.{name}]`"
            problems.append(Diagnostic(message, None, nearest(name, tables, what), code=codes.UNKNOWN_NAME))
    return tables


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _read_from(table: dict[str, Any], path: str | Sequence[str]) -> dict[str, Any]:
    """The section of a table with another path."""
    of_database = any(map(database_of, [path] if isinstance(path, str) else path))
    is_folder = isinstance(path, str) and Path(path).is_dir()
    others = (*(() if of_database else _OF_DATABASES), *(() if is_folder else _OF_TABLES_OF_LAKES))
    kept = {key: value for key, value in table.items() if key not in others}
    return kept | {"path": _each_absolute(path)}


def absolute(path: str) -> str:
    """The absolute path, which means the same in every folder; URLs and standard input stay as they are."""
    if path == "-" or "://" in path or is_other_form(path):
        return path
    database = database_of(path)
    return f"{database.kind}:{absolute(database.place)}" if database else str(Path(path).absolute())


def _each_absolute(path: str | Sequence[str]) -> str | list[str]:
    return absolute(path) if isinstance(path, str) else [absolute(one) for one in path]


_ADDRESSES = frozenset({"path", "suppress", "directory", "cutoffs", "to"})
"""Keys whose texts say where something is: a password may stand in them, and they decide nothing by themselves."""


def settled(before: Any, after: Any) -> Iterator[str]:
    """The texts that variables have made, but for addresses, in the order of the file."""
    if isinstance(before, dict):
        for key, value in before.items():
            if key not in _ADDRESSES:
                yield from settled(value, after[key])
    elif isinstance(before, list):
        for one, other in zip(before, after, strict=True):
            yield from settled(one, other)
    elif isinstance(before, str) and "${" in before:
        yield str(after)


def substitute(data: Any, env: Mapping[str, str], at: At, problems: list[Diagnostic]) -> Any:
    """`data` with `${NAME}` and `${NAME:-default}` replaced in every text; `$${NAME}` stays as `${NAME}`."""

    def visit(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: visit(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [visit(item, (*path, position)) for position, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return _VARIABLE.sub(lambda match: replace(match, path), value)
        return value

    def replace(match: re.Match[str], path: KeyPath) -> str:
        name, default = match[1], match[3]
        if match[0].startswith("$$"):
            return match[0][1:]
        if name in env and (env[name] or default is None):
            return env[name]
        if default is None:
            hint = f"set it, or give a default: `${{{name}:-...}}`"
            problems.append(
                Diagnostic(f"the environment variable `{name}` is not set", at(*path), hint, code=codes.NOT_THERE)
            )
            return match[0]
        return default

    return visit(data, ())


def inherit(data: dict[str, Any], at: At, problems: list[Diagnostic]) -> dict[KeyPath, KeyPath]:
    """Path of each inherited key -> path of the key that it comes from.

    Each `[events.X] like = "Y"` gets the keys of `[events.Y]`, in place.
    """
    tables = _table(data, "events")
    own = {name: dict(table) for name, table in tables.items() if isinstance(table, dict)}
    origins: dict[KeyPath, KeyPath] = {}
    for name in own:
        chain = _chain(name, own, at, problems)
        for ancestor in chain[1:]:
            for key, value in own[ancestor].items():
                if key not in (*_OWN, *tables[name]) and _ONE_OF.get(key) not in tables[name]:
                    tables[name][key] = value
                    origins["events", name, key] = ("events", ancestor, key)
    return origins


def _chain(name: str, own: Mapping[str, dict[str, Any]], at: At, problems: list[Diagnostic]) -> list[str]:
    """`name` and the tables that it starts from, the nearest first; only `name` where these cannot be told."""
    chain = [name]
    while isinstance(next_name := own[chain[-1]].get("like"), str):
        if next_name not in own:
            if len(chain) == 1:
                place = at("events", name, "like")
                message = f'`like = "{next_name}"`: there is no `[events.{next_name}]`'
                hint = nearest(next_name, set(own) - {name}, "event tables")
                problems.append(Diagnostic(message, place, hint, code=codes.UNKNOWN_NAME))
            return [name]
        if next_name in chain:
            if next_name == name and name == min(chain, key=list(own).index):
                circle = " -> ".join([*chain, name])
                message, place = f"`like` goes in a circle: {circle}", at("events", name, "like")
                problems.append(Diagnostic(message, place, _TAKE_OUT, code=codes.CIRCLE))
            return [name]
        chain.append(next_name)
    return chain
