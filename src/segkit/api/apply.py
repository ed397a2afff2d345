"""`segkit.apply`: what `segkit apply` does, from Python."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from segkit.api.inputs import Inputs
from segkit.api.options import require_known
from segkit.api.rules import Rules, with_tables
from segkit.api.run import Run
from segkit.api.tables import Table, given_tables
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.apply import apply_loaded, chosen_segments
from segkit.operations.delivery.deliver import Guards
from segkit.operations.delivery.destinations.bucket import standing_in
from segkit.operations.delivery.destinations.places import Destination, Nowhere
from segkit.operations.delivery.destinations.stand_in import naming
from segkit.operations.delivery.destinations.table import published
from segkit.operations.delivery.destinations.target import target_of
from segkit.operations.delivery.digests import Digests
from segkit.operations.progress import silent


def apply(
    rules: Rules | str | os.PathLike[str],
    *,
    as_of: dt.date | None = None,
    customers: Table | None = None,
    events: Mapping[str, Table] | None = None,
    lookups: Mapping[str, Table] | None = None,
    select: Sequence[str] = (),
    write: bool = False,
    output: str | os.PathLike[str] | None = None,
    format: str | None = None,
    previous: str | os.PathLike[str] | None = None,
    accept_changes: bool = False,
    replace: bool = False,
    fail_on: str = "error",
) -> Run:
    """A run of a rule file: with `write` as `segkit apply` does it, else as `segkit apply --dry-run`.

    Tables are paths or frames, and take the place of the files that the rules name. The options are those of the
    command; `output` is the folder of the lists. Nothing is printed.

    Raises `RuleError`, `DataError` and `WriteError`. Raises `CheckFailed` where a segment is not as `expect` says, and
    where `fail_on` is `warning` and there are warnings.
    """
    clock, started = time.perf_counter(), dt.datetime.now(dt.UTC)
    require_known("format", format, (None, *FORMATS))
    require_known("fail_on", fail_on, ("error", "warning"))
    given = given_tables(customers, events, lookups)
    folder = None if output is None else os.fspath(output)
    loaded = with_tables(rules, given, as_of=as_of, output=folder, format=format)
    chosen = chosen_segments(loaded.rules, [select] if isinstance(select, str) else select)
    inputs = Inputs()
    with ExitStack() as stack:
        digests = Digests()
        stack.callback(digests.close)

        def opened(path: Path) -> None:
            inputs.seen(path)
            if write:
                digests.start(path)

        ws = Workspace(opened, given.frames)
        held = stack.enter_context(ExitStack())
        held.enter_context(ws)
        loaded, mirror = standing_in(loaded, ws)
        stack.enter_context(naming(loaded.stand_in))
        to: Destination = Nowhere(loaded, chosen, replace, target_of(loaded))
        if write:
            to = published(
                loaded,
                chosen,
                digests=digests,
                started=started,
                replace=replace,
                wait=True,
                progress=silent,
                mirror=mirror,
            )
        decision, result = apply_loaded(
            loaded,
            chosen,
            to,
            Guards(None if previous is None else os.fspath(previous), accept_changes, fail_on),
            ws,
            silent,
            dry_run=not write,
            clock=clock,
            whole=True,
            before_delivery=lambda _: ws.copy_frames() if write else None,
        )
        return Run(decision, result, ws, inputs, held.pop_all().close)
