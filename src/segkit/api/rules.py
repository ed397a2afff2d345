"""A rule file, loaded: what it is applied to comes later."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from segkit.api.options import require_day
from segkit.api.tables import Given, Table, given_tables
from segkit.columns.helpers import KEY, is_visible
from segkit.errors import RuleError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.evaluation.diagnose import refuse
from segkit.operations.evaluation.evaluate import evaluate, without_data
from segkit.operations.progress import silent
from segkit.rules.text.loader import Loaded, Overrides, load_rules, reload_rules


class Rules:
    """A rule file that is valid, as `segkit.load` gives it."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __repr__(self) -> str:
        return f"<segkit.Rules {self.path}: {', '.join(self.segments)}>"

    @property
    def path(self) -> str:
        """The path of the rule file."""
        return self._loaded.source.path

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of its segments, in the order of the file."""
        return tuple(self._loaded.rules.segment)

    def features(
        self,
        customers: Table | None = None,
        events: Mapping[str, Table] | None = None,
        *,
        lookups: Mapping[str, Table] | None = None,
        as_of: dt.date | None = None,
    ) -> pl.LazyFrame:
        """All that is known of each customer, one row each: the key, the columns of files, and all computed columns.

        What is not given is read from the files that the rules name. Raises `RuleError` and `DataError`.
        """
        given = given_tables(customers, events, lookups)
        loaded = with_tables(self, given, as_of=as_of)
        with Workspace(frames=given.frames) as ws:
            evaluated = evaluate(loaded, loaded.rules.today(), ws, silent, all_columns=True)
        frame, key = evaluated.computed.frame, loaded.rules.customers.key
        known = [name for name in frame.columns if is_visible(name) and name != key]
        return frame.lazy().select(pl.col(KEY).alias(key), *known)


def load(path: str | os.PathLike[str]) -> Rules:
    """The rules of a file. Raises `RuleError` with all that is wrong with them, as far as that shows without data."""
    loaded = load_rules(_path(path), formats=FORMATS)
    refuse(without_data(loaded))
    return Rules(loaded)


def with_tables(
    rules: Rules | str | os.PathLike[str],
    given: Given,
    *,
    as_of: dt.date | None = None,
    output: str | None = None,
    format: str | None = None,
) -> Loaded:
    """The rules with what is given in place of what the file says. Raises `RuleError`."""
    require_day(as_of)
    overrides = Overrides(
        as_of=as_of,
        customers=given.customers,
        events=given.events,
        lookups=given.lookups,
        output=output,
        format=format,
        files=output is not None,
    )
    if isinstance(rules, Rules):
        return reload_rules(rules._loaded, formats=FORMATS, overrides=overrides)
    return load_rules(_path(rules), formats=FORMATS, overrides=overrides)


def loaded_of(rules: Rules | str | os.PathLike[str]) -> Loaded:
    """The rules as the file has them."""
    return rules._loaded if isinstance(rules, Rules) else load(rules)._loaded


def _path(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise RuleError.of(f"a rule file is a path, not `{type(path).__name__}`", hint='such as "segments.toml"')
    return Path(path)
