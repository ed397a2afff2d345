"""The sections of the rule file that say where the data is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from segkit.addresses import database_of, is_address
from segkit.operations.starting.known.found import CustomersFound, EventsFound, Found
from segkit.operations.starting.known.names import as_seen_from
from segkit.operations.starting.lines.toml_lines import dotted_key, setting


class Setting(NamedTuple):
    """A key of a source, and in which role that makes a column; who is not sure leaves it to people."""

    key: str
    value: object
    role: str = ""
    active: bool = True
    why: str = ""


def source_lines(found: Found, folder: Path | None = None) -> list[str]:
    """The active lines of all sources, without comments; paths are whole where there is no folder to begin at."""
    lines = ["[customers]", *_bare(customer_settings(found.customers, folder))]
    for events in found.events:
        lines += [f"[events.{events.name}]", *_bare(event_settings(events, found.customers, folder))]
    return lines


def with_reasons(settings: Sequence[Setting], why: Mapping[str, str]) -> Iterator[str]:
    """The lines of a source, each with what speaks for it; `why` is by role."""
    for one in settings:
        yield from setting(one.key, one.value, one.why or why.get(one.role, ""), active=one.active)


def customer_settings(customers: CustomersFound, folder: Path | None) -> list[Setting]:
    """The keys of `[customers]`."""
    if customers.origin:
        return [Setting("from", customers.origin, "from"), Setting("key", customers.key, "key")]
    settings = [*_place(customers.files, folder), Setting("key", customers.key, "key")]
    return [*settings, *(Setting(dotted_key("rename", new), old, "rename") for new, old in customers.rename.items())]


def event_settings(events: EventsFound, customers: CustomersFound, folder: Path | None) -> list[Setting]:
    """The keys of `[events.NAME]`."""
    settings = _place(events.files, folder)
    if events.key != customers.key:
        settings.append(Setting("key", events.key, "key"))
    settings.append(Setting("time", events.time, "time"))
    settings += [Setting("time", name, "other time", active=False) for name in events.other_times]
    if events.id:
        settings.append(Setting("id", events.id, "id"))
    if events.amount and events.product:
        settings.append(Setting(dotted_key("derive", events.amount), events.product))
    if events.amount:
        settings.append(Setting("amount", events.amount, "amount"))
    if events.per_event:
        settings.append(Setting("amount_per", "event", "amount_per"))
    settings += [Setting(dotted_key(*one.key), one.value, active=False, why=one.why) for one in events.maybe]
    return settings


def _bare(settings: Sequence[Setting]) -> Iterator[str]:
    return (line for one in settings if one.active for line in setting(one.key, one.value))


def _place(files: Sequence[str], folder: Path | None) -> list[Setting]:
    """Where a source is: files, or a table of a database."""
    database = database_of(files[0])
    if database is None:
        return [Setting("path", _paths(files, folder), "path")]
    path, _, table = files[0].rpartition("#")
    if database.kind != "postgresql":
        file = database.place.rpartition("#")[0]
        path = f"{database.kind}:{_paths([file], folder)}"
    return [Setting("path", path, "path"), Setting("table", table)]


def _paths(files: Sequence[str], folder: Path | None) -> str | list[str]:
    if folder:
        seen = [as_seen_from(path, folder) for path in files]
    else:
        seen = [path if is_address(path) else os.path.abspath(path) for path in files]  # noqa: PTH100 (globs)
    return seen if len(seen) > 1 else seen[0]
