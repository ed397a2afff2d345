"""`init`: a first rule file, for files that are there or with data that is made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from segkit.addresses import database_of
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import ELSEWHERE, require_local
from segkit.io.publish.folder import publish_file
from segkit.io.read import Table, Workspace
from segkit.io.write import STDOUT
from segkit.operations.auditing.audit import audit
from segkit.operations.orders_file.no_header import refuse_no_header
from segkit.operations.orders_file.told import without_rule_file
from segkit.operations.progress import Progress, silent
from segkit.operations.starting.files import names_of, open_customers, open_events, refuse_empty
from segkit.operations.starting.keys import Key, key_of_both, key_of_customers
from segkit.operations.starting.known.facts import Facts
from segkit.operations.starting.known.found import CustomersFound, EventsFound, Found, Maybe
from segkit.operations.starting.known.names import free
from segkit.operations.starting.lines.computed import COMPUTED
from segkit.operations.starting.lines.draft import left_to_people, parts_of, with_output
from segkit.operations.starting.lines.toml_lines import text_of
from segkit.operations.starting.look import look
from segkit.operations.starting.roles import events_found, key_of_events
from segkit.operations.starting.template import template_files
from segkit.operations.starting.trial import Tried, tried
from segkit.results.init import Guess, InitResult
from segkit.rules.tables import CUSTOMERS
from segkit.words import listed, plural

BY_HAND = "which `--template` gives a start for, to be written by hand"
FILE = "segments.toml"
"""The rule file that commands take where none is named."""


def init(
    directory: Path,
    *,
    template: str = "shop",
    customers: str | None = None,
    events: Sequence[str] = (),
    force: bool = False,
    progress: Progress = silent,
) -> InitResult:
    """Write `segments.toml` into a folder: for these files, or a template with its data.

    Nothing is written unless the rules run on the data without a warning that they could avoid. `WriteError` where a
    file is there already, unless `force` is given; `DataError` for files of which no rules can be made.
    """
    require_local(directory)
    if customers is None and not events:
        files = template_files(template)
        _refuse_taken(directory, list(files), force=force)
        _refuse_data_of_others(directory, template, files)
        _write(directory, files)
        return InitResult(path=str(directory / FILE), template=template, files=tuple(files))
    _refuse_taken(directory, [FILE], force=force)
    with Workspace() as ws, without_rule_file(BY_HAND, where=False):
        progress("opening files")
        found = _found(ws, customers, events)
        ws.disconnect()  # the trial asks databases anew
        facts = look(found, progress)
        progress("trying the rules")
        outcome = tried(parts_of(found, facts, None))
    made = {part.name: part for part in parts_of(found, facts, directory)}
    parts = [made.get(part.name, part) for part in outcome.parts]
    _write(directory, {FILE: text_of(with_output(parts)).encode()})
    progress("looking at the files")
    audits = _audits([*([customers] if customers else []), *events], facts.as_of)
    return _result(directory, found, facts, outcome)._replace(audits=audits)


def _audits(files: Sequence[str], as_of: dt.date | None) -> dict[str, int]:
    """How much `segkit audit` finds in each file; not in what comes through a pipe once, and not in databases."""
    able = [path for path in files if path != STDOUT and not database_of(path)]
    tables = audit(able, as_of=as_of).findings if able else ()
    counts = {path: sum(one.table == path for one in tables) for path in able}
    return {path: number for path, number in counts.items() if number}


def _refuse_taken(directory: Path, names: Sequence[str], *, force: bool) -> None:
    if directory.exists() and not directory.is_dir():
        hint = "the folder for the rule file comes first; put a pattern such as `orders-*.csv` in quotation marks"
        raise RuleError.of(f"`{directory}` is a file, and no folder", hint=hint)
    taken = [name for name in names if (directory / name).exists()]
    if taken and not force:
        hint = "`--force` writes over it, or name another folder"
        of_yours = "; `--customers` and `--events` make rules for files that are there" if len(names) > 1 else ""
        raise WriteError.of(f"`{directory / taken[0]}` is there already", hint=hint + of_yours)


def _refuse_data_of_others(directory: Path, template: str, made: Mapping[str, bytes]) -> None:
    """`WriteError` for data that no template has written: made-up customers take no one's place, forced or not."""
    for name in made.keys() - {FILE}:
        there = directory / name
        if there.is_file() and there.read_bytes() != made[name]:
            hint = "name another folder; `--customers` and `--events` make rules for files that are there"
            raise WriteError.of(
                f"`{there}` is not that of the template `{template}`, and is not written over", hint=hint
            )


def _write(directory: Path, files: dict[str, bytes]) -> None:
    """Write the files, the rule file last."""
    try:
        for name in sorted(files, key=lambda name: name == FILE):
            with publish_file(directory / name) as target:
                target.write_bytes(files[name])
    except WriteError as error:
        raise WriteError(*map(_without_o, error.diagnostics)) from error


def _without_o(diagnostic: Diagnostic) -> Diagnostic:
    """The error of a command that has no `-o`."""
    hint = diagnostic.hint
    return replace(diagnostic, hint=hint.replace(ELSEWHERE, "name another folder") if hint else None)


def _found(ws: Workspace, customers: str | None, events: Sequence[str]) -> Found:
    tables = open_events(ws, events)
    names = names_of(tables)
    for files in tables:
        refuse_empty(files.table)
        refuse_no_header(files.table)
    if customers is None:
        keys = [key_of_events(files.table) for files in tables]
        of_tables = [events_found(name, files, *key) for name, files, key in zip(names, tables, keys, strict=True)]
        return Found(_made_of(of_tables), tuple(of_tables))
    table = open_customers(ws, customers)
    refuse_empty(table)
    refuse_no_header(table)
    key = key_of_both(table, [files.table for files in tables]) if tables else key_of_customers(table)
    of_tables = [events_found(n, files, k, key.why) for n, files, k in zip(names, tables, key.events, strict=True)]
    return Found(_of_file(ws, customers, table, key, rename=bool(tables)), tuple(of_tables))


def _of_file(ws: Workspace, path: str, table: Table, key: Key, *, rename: bool) -> CustomersFound:
    """The customers of a file; with events, columns that are computed of these get other names."""
    taken = [name for name in table.columns if name in COMPUTED] if rename else []
    new = {free(f"{name}_in_file", table.columns): name for name in taken}
    names = {old: name for name, old in new.items()}
    return CustomersFound(
        key=names.get(key.customers, key.customers),
        files=(path,),
        table=open_customers(ws, path, new) if new else table,
        rename=new,
        why={"key": key.why, "rename": "segkit computes a column of this name"},
    )


def _made_of(found: Sequence[EventsFound]) -> CustomersFound:
    """The customers who have events in the table that says how they buy."""
    main = next((events for events in found if events.amount), found[0])
    return CustomersFound(key=main.key, origin=main.name, why={"key": main.why["key"]})


def _result(directory: Path, found: Found, facts: Facts, outcome: Tried) -> InitResult:
    return InitResult(
        path=str(directory / FILE),
        template=None,
        files=(FILE,),
        tables={name: table.rows or 0 for name, table in facts.tables.items()},
        guesses=tuple(_guesses(found, facts)),
        segments=tuple(part.name for part in outcome.parts if part.lines and part.lines[0].startswith("[segment.")),
        left_out=outcome.left_out,
        warnings=outcome.warnings,
        notes=facts.notes,
    )


def _guesses(found: Found, facts: Facts) -> list[Guess]:
    customers, guesses = found.customers, []
    guesses.append(Guess(CUSTOMERS, "key", customers.key, customers.why["key"]))
    for new, old in customers.rename.items():
        guesses.append(Guess(CUSTOMERS, "rename", f"{old} to {new}", customers.why["rename"]))
    for events in found.events:
        named = {"key": events.key, "time": events.time, "id": events.id, "amount": events.product or events.amount}
        named |= {"id": events.id or ("none" if "id" in events.why else None)}
        named |= {"amount_per": "event" if events.per_event else None}
        guesses += [
            Guess(events.name, role, column, events.why[role])
            for role, column in named.items()
            if column and not (role == "key" and (customers.table or customers.origin == events.name))
        ]
        if added := events.why.get("files"):
            guesses.append(Guess(events.name, "path", plural(len(events.files), "file"), added))
        guesses += [Guess(events.name, one.key[0], _left(one), f"not guessed: {one.why}") for one in events.maybe]
    if unclear := left_to_people(found, facts):
        guesses.append(Guess(CUSTOMERS, "consent", "none", f"not guessed: look yourself at {listed(unclear)}"))
    if facts.as_of:
        guesses.append(Guess("", "as_of", facts.as_of.isoformat(), "the last day in the data"))
    return guesses


def _left(maybe: Maybe) -> str:
    """What people decide on: a column, or a value where there is no other."""
    return maybe.key[1] if len(maybe.key) > 1 else str(maybe.value)
