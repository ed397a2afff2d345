"""`cluster`: personas that the data have, and the rules that find them again."""

from __future__ import annotations

import datetime as dt
import re
import time as clock
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity, only_notes, without_notes
from segkit.discoveries.cluster import SMALLEST, STABLE, ClusteredColumn, ClusterResult
from segkit.errors import RuleError, require_extra
from segkit.io.read import Workspace
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.discovering.cluster.asked import families_of, missing_together, require_numbers
from segkit.operations.discovering.cluster.complete import Complete, complete
from segkit.operations.discovering.cluster.sections import sections, told
from segkit.operations.discovering.protected import doubts, protected
from segkit.operations.discovering.protected import told as protected_told
from segkit.operations.discovering.saved import save
from segkit.operations.discovering.saved.blocks import needed_segments
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.lists.protection import require_secret, written_key
from segkit.operations.orders_file.targets import refuse_targets, spare_inputs, write_rows
from segkit.operations.progress import Progress, silent
from segkit.rules.text.loader import Loaded, Overrides, load_rules
from segkit.words import plural

if TYPE_CHECKING:
    from segkit.operations.discovering.cluster.found import Found

PERSONA, BESIDE = "persona", "found_persona"
"""What the column of the personas is called, and what it is where the key is called like that."""


def cluster(
    rules: Path,
    columns: Sequence[str],
    *,
    k: int | None = None,
    leaves: int | None = None,
    seed: int = 0,
    as_of: dt.date | None = None,
    output: str | None = None,
    save_rules: str | None = None,
    stdout: BinaryIO | None = None,
    wait: bool = True,
    progress: Progress = silent,
) -> ClusterResult:
    """The personas among the customers of a rule file, by these columns of numbers.

    `k` is how many there are (default: the largest of 3 to 8 that is stable and has none that is small), `leaves` how
    many the tree of the rules has at most (default: two for each persona). `output` gets the key and the persona of all
    who have the columns, `save_rules` the rule file. `seed` decides where k-means begins, and who is drawn.

    Raises `RuleError` for what does not fit, `DataError` for too few customers and a column of one value, `WriteError`.
    """
    started = clock.perf_counter()
    require_extra("discover", "sklearn", "personas are found")
    from segkit.operations.discovering.cluster.found import found_among

    targets = {"-o": output, "--save-rules": save_rules}
    refuse_targets(targets)
    given = Overrides(as_of=as_of)
    loaded = load_rules(rules, formats=FORMATS, overrides=given, needs_segments=False)
    if save_rules is not None:
        save.refuse_target(loaded, save_rules)
        _require_names(loaded)
    if output is not None:
        require_secret(loaded)
    with Workspace() as ws:
        evaluated = evaluate(
            loaded,
            loaded.rules.today(),
            ws,
            progress,
            all_columns=True,
            of_these=columns,
            ready=lambda plan: require_numbers(plan, columns),
        )
        spare_inputs(evaluated, targets)
        customers = complete(evaluated, columns, seed)
        found = found_among(customers, k, leaves, seed, progress)
        made_of = protected(evaluated.plan, columns)
        result = _result(evaluated, customers, found, seed, [*doubts(made_of, "personas are made of")])
        result = result._replace(path=None if output == STDOUT else output, rules_path=save_rules)
        if output is not None:
            progress("writing")
            write_rows(_rows(evaluated, customers, found), output, ws, stdout, result.as_of)
        if save_rules is not None:
            together = {name: missing_together(loaded.rules, name) for name in columns}
            save.save_rules(
                loaded,
                save_rules,
                [*sections(result, together)],
                command="cluster",
                told=[*told(result), *protected_told(made_of)],
                given=given,
                assignment_mode="exclusive",
                wait=wait,
                on_wait=progress,
            )
    return result._replace(elapsed_seconds=clock.perf_counter() - started)


def _require_names(loaded: Loaded) -> None:
    """`RuleError` where a stage or a score refers to a segment that is called like a persona."""
    for name in needed_segments(loaded.rules):
        if re.fullmatch(rf"{PERSONA}-[0-9]+", name):
            message = f"a stage or score refers to the segment `{name}`, and personas are called so"
            raise RuleError.of(message, hint="give it another name", location=loaded.source.at("segment", name))


def _rows(evaluated: Evaluated, customers: Complete, found: Found) -> pl.LazyFrame:
    """The key and the persona of each customer who has one, in the order of the file."""
    rules = evaluated.plan.rules
    key = rules.customers.key
    names = pl.Series([one.name for one in found.personas])
    personas = pl.DataFrame({"place": customers.places, "": names[pl.Series(found.clusters)]}).sort("place")
    keys = evaluated.computed.customers.select(written_key(rules).alias(key)).collect()[personas["place"]]
    return keys.with_columns(personas[""].alias(PERSONA if key != PERSONA else BESIDE)).lazy()


def _result(
    evaluated: Evaluated, customers: Complete, found: Found, seed: int, said: Sequence[Diagnostic]
) -> ClusterResult:
    return ClusterResult(
        as_of=evaluated.plan.context.as_of,
        seed=seed,
        customers=len(customers.values),
        left_out=customers.left_out,
        columns=tuple(_columns(evaluated.plan, customers, found)),
        tried=found.tried,
        tried_on=found.tried_on,
        k=found.k,
        chosen_by=found.chosen_by,
        personas=found.personas,
        rules=found.rules,
        agree=sum(rule.agree for rule in found.rules),
        path=None,
        rules_path=None,
        warnings=(*without_notes(evaluated.warnings), *_doubts(found), *without_notes(said)),
        notes=(*only_notes(evaluated.warnings), *only_notes(said)),
        elapsed_seconds=0.0,
    )


def _columns(plan: Plan, customers: Complete, found: Found) -> Iterator[ClusteredColumn]:
    for name, family in families_of(plan, customers.values.columns).items():
        yield ClusteredColumn(
            name=name,
            family=family,
            median=found.medians[name],
            missing=customers.missing[name],
            logarithm=found.logarithm[name],
        )


def _doubts(found: Found) -> Iterator[Diagnostic]:
    """Warnings: of a number that does not hold, and of personas that no rule finds."""
    if found.chosen_by == "most-stable":
        message = f"no number of personas is stable ({STABLE} or more) and has none under {SMALLEST} % of the customers"
        hint = "customers may lie in one heap that can be cut in many ways; other columns may part them more clearly"
        yield Diagnostic(message, hint=hint, severity=Severity.WARNING)
    for persona in found.personas:
        if not persona.by_rules:
            lost = "customer is in another persona"
            if persona.customers > 1:
                lost = f"{plural(persona.customers, 'customer')} are in other personas"
            message = f"no rule finds {persona.name}: its {lost}"
            hint = "give the tree more leaves with `--leaves`, or ask for fewer personas with `--k`"
            yield Diagnostic(message, hint=hint, severity=Severity.WARNING)
