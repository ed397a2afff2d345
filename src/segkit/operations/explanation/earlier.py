"""A run that was published, looked into again: its rules, its cuts, its lists, and of its files only some customers.

What it found over all customers is taken from its manifest, what it wrote from its lists. Only reasons are computed
again, from the files as they are now.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

import polars as pl

from segkit.addresses import CLOUD, database_of, is_address, scheme_of
from segkit.columns.compute import Computed, PaddedKeys, compute
from segkit.columns.features.groups import of_texts, readable
from segkit.columns.features.steps import CutStep, Fitted, Told
from segkit.columns.helpers import DOUBT, KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.read_lookup import LookupFailed
from segkit.columns.tables.view import View
from segkit.criteria.context import Context
from segkit.errors import RuleError
from segkit.gates.ledger import Ledger, claim_order, ledger, memberships
from segkit.gates.limits import Within
from segkit.io.read import Label, Table, Workspace, explain_failure
from segkit.io.read.buckets.keys import names
from segkit.io.read.values.texts import normal_keys
from segkit.io.write import FORMATS
from segkit.operations.delivery.elsewhere import bring
from segkit.operations.delivery.kept import read_as
from segkit.operations.delivery.manifest import CutsOf, Manifest, ModelOf, RulesRead, TypeOf
from segkit.operations.delivery.runs import Run
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.settle import plan_of
from segkit.operations.explanation.members import Place, places_in
from segkit.operations.explanation.outcomes import CLAIMED, Outcome, outcome_in
from segkit.operations.progress import Progress
from segkit.results.parts import FittedModel, Threshold
from segkit.results.terms import CHANGED, CONTROL, HELD_OUT, WRITTEN
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table
from segkit.rules.text.loader import Copied, Loaded, Overrides, load_rules

LIMIT = "limit"
_IN_LISTS = (WRITTEN, HELD_OUT, CONTROL)
_BEHIND_CLAIMS = (*_IN_LISTS, CLAIMED, "sample", LIMIT)
"""What becomes of somebody whom no gate before the claims of others has stopped."""


class NotKept(Exception):
    """The run has not kept what it takes to look into it; the text says what."""


def rules_of(run: Run, events: Mapping[str, str] = MappingProxyType({})) -> Loaded:
    """The rules of a run, as it has kept them, with the day and the files that it read, or other files for `events`.

    Raises `RuleError`, also where it keeps none, or has read what came by a pipe.
    """
    read, manifest = run.manifest.rules, run.manifest
    if read is None or read.copy is None or read.directory is None:
        hint = "name its rule file: `segkit explain RULES KEY`"
        raise RuleError.of(f"`{run.shown}` is of an older version of segkit, and keeps no rules", hint=hint)
    today = Overrides(as_of=dt.date.fromisoformat(manifest.as_of))
    for copy in (read.copy, *(one.copy for one in read.included)):
        bring(run.folder / copy)
    copied = _copied(run, read, run.folder)
    loaded = load_rules(run.folder / read.copy, formats=FORMATS, overrides=today, copied=copied)
    if loaded.rules.output.keep:  # then the run has a folder of its own in the output directory
        copied = _copied(run, read, run.folder.parent)
    given = {**_read_instead(loaded.rules, manifest, copied.directory, set(events)), **events}
    instead = today._replace(
        customers=given.get(CUSTOMERS),
        events={name: paths for name, paths in given.items() if name in loaded.rules.events},
        lookups={name: given[lookup_table(name)] for name in loaded.rules.lookup if lookup_table(name) in given},
    )
    return load_rules(run.folder / read.copy, formats=FORMATS, overrides=instead, copied=copied)


def _copied(run: Run, read: RulesRead, output: Path) -> Copied:
    """Where the rules of a run were, seen from its output directory, and where the copies of their files are."""
    folder = _from_here(output / str(read.directory))
    return Copied(folder, {one.written: run.folder / one.copy for one in read.included})


def _from_here(folder: Path) -> Path:
    """The folder as messages show it: from here, where it is below."""
    whole = Path(os.path.normpath(folder))
    here = Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def _read_instead(
    rules: RuleFile, manifest: Manifest, folder: Path, but: Collection[str] = ()
) -> dict[str, str | Sequence[str]]:
    """The tables for which the run was given other files than its rules name; these have their whole path then.

    Raises `RuleError` for what was no file.
    """
    origin = rules.customers.from_
    named = {CUSTOMERS: rules.events[origin].path if origin else rules.customers.path}
    named |= {name: spec.path for name, spec in rules.events.items()}
    named |= {lookup_table(name): spec.path for name, spec in rules.lookup.items()}
    instead: dict[str, str | Sequence[str]] = {}
    for table, path in named.items():
        if table in but:
            continue
        paths = [one.path for one in manifest.inputs if one.table == table]
        for one in paths:
            if one == "-" or one.startswith("frame:"):
                what = "standard input" if one == "-" else "a frame in Python"
                hint = "write it into a file, and name that in the rule file"
                raise RuleError.of(f"the run has read `{table}` from {what}, which is gone", hint=hint)
            hides = is_address(one) and scheme_of(one) not in CLOUD  # what else would let one in
            if hides and one not in map(_shown, [path] if isinstance(path, str) else path):
                hint = "name it in the rule file, and run that again"
                raise RuleError.of(f"the run has read `{table}` from `{one}`, which its rules do not name", hint=hint)
        if paths and all(_is_another(one, path, folder) for one in paths):
            instead[table] = paths[0] if len(paths) == 1 else paths
    return instead


def _is_in_bucket(path: str, read: str) -> bool:
    """Whether a path of the rule file, which may be a glob or a folder in a bucket, names an object that was read."""
    return scheme_of(path) in CLOUD and names(path, read)


def _shown(path: str) -> str:
    database = database_of(path)
    return Label(database.place if database else path).path


def _is_another(read: str, path: str | tuple[str, ...], folder: Path) -> bool:
    """Whether what was read is a file or an object of a bucket, and another one than a path of the rule file names."""
    if scheme_of(read) in CLOUD:
        return not any(_is_in_bucket(one, read) for one in ([path] if isinstance(path, str) else path))
    file = _file(read)
    return file.is_absolute() and not _names(path, file, folder)


def _file(path: str) -> Path:
    """The file itself; also that of a database."""
    database = database_of(path)
    return Path(database.place if database else path)


def _names(path: str | tuple[str, ...], read: Path, folder: Path) -> bool:
    """Whether a path of the rule file, which may be a glob or a folder, is that of a file.

    One that has moved keeps its name.
    """
    for one in map(_file, (path,) if isinstance(path, str) else path):
        named, file = (folder / one).resolve(), read.resolve()
        same = fnmatchcase(str(file), str(named)) or (named.is_dir() and file.is_relative_to(named))
        if same or (not read.exists() and fnmatchcase(read.name, one.name)):
            return True
    return False


class Earlier:
    """Some customers of a run that was published."""

    def __init__(
        self,
        run: Run,
        loaded: Loaded,
        plan: Plan,
        customers: pl.DataFrame,
        places: Places,
        zones: Mapping[Path, Path],
        unread: Sequence[str],
    ) -> None:
        self.zones, self.unread = zones, unread
        self.run, self.loaded, self.plan, self.customers = run, loaded, plan, customers
        self._places, self._keys = places, customers[KEY].to_list()
        self._ledger = self._recomputed()
        self.differs = False
        """Whether something that was asked is not as it would be now."""
        self._segments = {one.name: one for one in run.manifest.segments}

    def outcome(self, name: str, place: int) -> Outcome:
        """What became of the customer in this row in a segment: as the lists say, with the reason of today."""
        found = outcome_in(self.loaded.rules, self._ledger, name, place)
        listed = self._places.get((name, self._keys[place]))
        if listed:
            self.differs |= found.outcome != listed.outcome
            variant = listed.variant or (found.variant if listed.outcome == WRITTEN else None)
            found_by = listed.file is not None
            return Outcome(True, listed.outcome, variant=variant, file=listed.file, findable=found_by)
        told = self._segments[name]
        counts = {**told.excluded, "not_written": told.matched}
        found = self._behind_claims(found, name, place)
        if found.outcome is None:
            return found
        # Whoever was written, held out or claimed is in a list; where the run stopped nobody, he was not stopped.
        in_lists = found.outcome in _IN_LISTS or (found.outcome == CLAIMED and found.claimed_by is None)
        was_within = found.outcome == LIMIT and self._was_within(name, place)
        if in_lists or was_within or not counts.get(found.outcome):
            self.differs = True
            return Outcome(matched=found.matched, outcome=CHANGED)
        return found

    def _behind_claims(self, found: Outcome, name: str, place: int) -> Outcome:
        """The same, claimed where the lists of a segment that claims before this one have the customer."""
        holder = self._claimed_by(place)
        if holder is None or found.outcome not in _BEHIND_CLAIMS or not self._claims_before(holder, name):
            return found._replace(claimed_by=holder if found.outcome == CLAIMED else None)
        self.differs |= found.outcome != CLAIMED
        return found._replace(outcome=CLAIMED, claimed_by=holder, variant=None)

    def lists_of(self, key: str) -> list[str]:
        """The lists of the run that have a customer, whether the files still have him or not."""
        return [place.file for (_, one), place in self._places.items() if one == key and place.file]

    def _claimed_by(self, place: int) -> str | None:
        """The segment whose lists have the customer; in an exclusive run, there is one at most."""
        return next((name for name, key in self._places if key == self._keys[place]), None)

    def _claims_before(self, first: str, name: str) -> bool:
        order = claim_order(self.loaded.rules)
        return self.loaded.rules.assignment.mode == "exclusive" and order.index(first) < order.index(name)

    def _was_within(self, name: str, place: int) -> bool:
        """Whether a customer whom no list has would have been within the limit of the run with the value of today."""
        limit, last = self.loaded.rules.segment[name].limit, self._segments[name].limit_at
        if limit is None or limit.by is None or last is None:
            return False
        value = self.customers[limit.by].slice(place, 1)
        if not readable(value.dtype) or not value.count():
            return False
        edge = of_texts([last], value.dtype)
        return bool((value > edge if limit.falls else value < edge).item())

    def _recomputed(self) -> Ledger:
        """The gates once more; the lists tell who was within a limit."""
        rules = self.loaded.rules
        within = {
            name: pl.Series([(name, key) in self._places for key in self._keys], dtype=pl.Boolean)
            for name in rules.segment
        }
        members = memberships(rules, self.customers)
        return ledger(rules, members, self.customers, limited=lambda name, *_: Within(within[name]))


Places = Mapping[tuple[str, str], Place]


def look_into(
    run: Run, loaded: Loaded, tables: Mapping[str, Table], keys: Sequence[str], ws: Workspace, progress: Progress
) -> Earlier:
    """These customers of a run, with all that its rules look at: of the files, only their rows are read.

    Raises `NotKept`, `RuleError` and `DataError`.
    """
    _require_whole(run, loaded.rules)
    progress("reading the run")
    places = places_in(run, loaded.rules, keys)
    zones, _ = open_zones(loaded, ws)
    context = Context(dt.date.fromisoformat(run.as_of), zones=zones.areas, leaves=True)
    kept = {table.name: table.types for table in run.manifest.tables}
    some = {name: _only(name, _as_read(table, kept), loaded.rules, keys) for name, table in tables.items()}
    try:
        plan = plan_of(loaded, some, context)
        _require_types(plan, kept)
        progress(f"reading {', '.join(plan.views)}")
        computed = compute(plan, found_before=_cuts(plan, run.manifest))
    except (pl.exceptions.PolarsError, LookupFailed) as error:
        explained = explain_failure(tables.values())
        if explained is None:
            raise
        raise explained from error
    assert not isinstance(computed, PaddedKeys), "keys were cleaned as they were read"
    customers = computed.frame.filter(pl.col(KEY).is_in(list(keys)))
    return Earlier(run, loaded, plan, customers, places, zones.files, list(_unread(plan, computed)))


def _unread(plan: Plan, computed: Computed) -> Iterator[str]:
    """The columns, with their tables, in which some value of these customers cannot be read."""
    for name, counts in computed.counts.items():
        if DOUBT in counts and counts[DOUBT].item():
            yield from (f"`{column}` of `{name}`" for column in plan.view(name).second_look().bad)


def keys_of_table(loaded: Loaded, table: Table) -> pl.Series:
    """All keys of customers, for a key that is none of them."""
    key = loaded.rules.customers.key
    if key not in table.columns:
        return pl.Series(KEY, [], pl.String)
    return table.frame.select(table.key(key).alias(KEY)).drop_nulls().collect()[KEY]


def _require_whole(run: Run, rules: RuleFile) -> None:
    """`NotKept` where the run has left out segments, so that nobody knows of whom."""
    told = {one.name for one in run.manifest.segments}
    if left_out := [name for name in rules.segment if name not in told]:
        raise NotKept(f"it has left out `{left_out[0]}`")


def _as_read(table: Table, kept: Mapping[str, Mapping[str, TypeOf]]) -> Table:
    """The table with the types that the run has found, where a sample does not tell them all."""
    if table.whole:
        return table
    types = kept.get(table.name, {})
    columns = {n: read_as(c, types[n]) if n in types and c.is_text else c for n, c in table.columns.items()}
    return table._replace(columns=MappingProxyType(columns))


def _only(name: str, table: Table, rules: RuleFile, keys: Sequence[str]) -> Table:
    """The rows of these customers; of lookups and lists all."""
    forms: Collection[str] = ()
    if name == CUSTOMERS:
        key = rules.customers.key
    elif name in rules.events:
        forms, key = rules.customers.normalise_keys or (), rules.events[name].key or rules.customers.key
    else:
        return table
    if key not in table.columns:
        return table._replace(care=True)
    return table.of_keys(key, normal_keys(keys, forms), forms)


def _require_types(plan: Plan, kept: Mapping[str, Mapping[str, TypeOf]]) -> None:
    for name, view in {**plan.lookup_views, **plan.views}.items():
        if view.table.whole or (name == CUSTOMERS and plan.rules.customers.from_):
            continue
        if unknown := sorted(_texts(view) - kept.get(name, {}).keys()):
            raise NotKept(f"it does not tell how column `{unknown[0]}` of `{name}` was read")


def _texts(view: View) -> set[str]:
    """The columns of text whose values are read."""
    read = {*view.reads.values, *view.reads.moments} & view.table.columns.keys()
    return {name for name in read if view.table.columns[name].is_text}


def _cuts(plan: Plan, manifest: Manifest) -> dict[CutStep, Fitted]:
    """What the run has found over all customers."""
    told: Told = [*map(_threshold, manifest.thresholds), *map(_model, manifest.models)]
    found: dict[CutStep, Fitted] = {}
    for cut in plan.cuts:
        again = cut.again(told, plan.schema)
        if again is None:
            raise NotKept(f"it does not tell all cuts of `{cut.names[0]}`")
        found[cut] = again
    return found


def _threshold(kept: CutsOf) -> Threshold:
    return Threshold(
        column=kept.column,
        values=kept.values,
        inclusive=kept.inclusive,
        id=kept.id,
        falls=kept.falls,
        within=kept.within,
        groups=kept.groups,
        mean=kept.mean,
        customers=kept.customers,
    )


def _model(kept: ModelOf) -> FittedModel:
    return FittedModel(**vars(kept))
