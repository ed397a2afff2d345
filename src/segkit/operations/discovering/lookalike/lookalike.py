"""`lookalike`: who resembles the members of a segment, by a card of points that `apply` counts, too."""

from __future__ import annotations

import datetime as dt
import time as clock
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from segkit.columns.helpers import member
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, only_notes, without_notes
from segkit.discoveries.lookalike import LeftOut, LookalikeResult
from segkit.errors import DataError, RuleError, require_extra
from segkit.io.read import Workspace
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.discovering.lookalike.asking.candidates import Candidates, candidates
from segkit.operations.discovering.lookalike.card import COLUMN, NAME, best_of, score_lines, scores_of, segment_lines
from segkit.operations.discovering.lookalike.picture import Picture, picture
from segkit.operations.discovering.lookalike.prospects import Prospects, already_customers, prospects_of
from segkit.operations.discovering.lookalike.weighing.leaks import hardly, leaks
from segkit.operations.discovering.protected import doubts, protected, told
from segkit.operations.discovering.saved import save
from segkit.operations.discovering.saved.blocks import building_blocks
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.lists.protection import require_secret, written_key
from segkit.operations.orders_file.targets import refuse_targets, spare_inputs, write_rows
from segkit.operations.orders_file.unnamed import refuse_unnamed
from segkit.operations.progress import Progress, silent
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, Overrides, load_rules
from segkit.words import count, nearest, plural

FEWEST = 100
"""So few members say little of what they have in common."""
TENTH = Decimal(10)


def lookalike(
    rules: Path,
    segment: str,
    *,
    prospects: str | None = None,
    columns: Sequence[str] = (),
    top_percent: Decimal = TENTH,
    seed: int = 0,
    as_of: dt.date | None = None,
    output: str | None = None,
    save_rules: str | None = None,
    stdout: BinaryIO | None = None,
    wait: bool = True,
    progress: Progress = silent,
) -> LookalikeResult:
    """The card of points that tells members of a segment from other customers, and the points of prospects.

    The prospects are those who are not members, or the rows of the file `prospects`, which has some of the columns of
    the customers. `columns` are asked about alone. `output` gets the key and the points of all prospects, `save_rules`
    the rule file that counts the points, with the best `top_percent` of them as a segment. `seed` decides the folds.

    Raises `RuleError` for what does not fit, `DataError` for a segment too small or too large, `WriteError`.
    """
    started = clock.perf_counter()
    require_extra("discover", "sklearn", "lookalikes are found")
    targets = {"-o": output, "--save-rules": save_rules}
    refuse_targets(targets)
    loaded = _loaded(rules, segment, as_of)
    if save_rules is not None:
        save.refuse_target(loaded, save_rules)
        if prospects is not None:
            refuse_unnamed(prospects)
    if output is not None:
        require_secret(loaded)
    given = Overrides(as_of=as_of, customers=prospects)
    with Workspace() as ws:
        evaluated = evaluate(loaded, loaded.rules.today(), ws, progress, all_columns=True, of_these=columns)
        _require_free_name(evaluated.plan)
        _require_size(loaded, evaluated, segment)
        others = prospects_of(loaded, evaluated.plan, given, columns, ws, progress) if prospects is not None else None
        if others:
            _require_free_name(others.evaluated.plan)
        for one in (evaluated, others.evaluated) if others else (evaluated,):
            spare_inputs(one, targets)
        chosen = _candidates(evaluated, segment, columns, others)
        found = picture(evaluated, segment, chosen, seed, progress)
        progress("counting points")
        people = _people(evaluated, segment, others, found)
        asked = _Asked(
            segment=segment,
            seed=seed,
            percent=top_percent,
            path=None if output == STDOUT else output,
            rules_path=save_rules,
        )
        chosen_by = protected(evaluated.plan, (one.column for one in found.questions))
        result = _result(asked, evaluated, (*chosen.left_out, *found.left_out), found, people)
        said = [*doubts(chosen_by, "the card asks about")]
        result = result._replace(
            warnings=(*result.warnings, *without_notes(said)), notes=(*result.notes, *only_notes(said))
        )
        if output is not None:
            progress("writing")
            write_rows(people.rows.lazy(), output, ws, stdout, people.plan.context.as_of)
        if save_rules is not None:
            save.save_rules(
                others.loaded if others else loaded,
                save_rules,
                [*_sections(loaded, result, Path(save_rules).parent)],
                command="lookalike",
                told=[*_told(result), *told(chosen_by)],
                given=given,
                columns=[*people.plan.output_columns, COLUMN],
                wait=wait,
                on_wait=progress,
            )
    return result._replace(elapsed_seconds=clock.perf_counter() - started)


def _candidates(evaluated: Evaluated, segment: str, columns: Sequence[str], others: Prospects | None) -> Candidates:
    """The columns that may be asked about; `DataError` where prospects have none of them."""
    found = candidates(evaluated, segment, columns, others.evaluated.plan.schema if others else None)
    if others and not found.columns:
        message = f"`{others.path}` has no column, beside the key, that may be asked of customers, too"
        raise DataError.of(message, hint="columns that mean the same have the same name, and values of the same type")
    return found


class _People(NamedTuple):
    """The prospects: their plan, key and points, in the order of the file, which file, and warnings about it."""

    plan: Plan
    rows: pl.DataFrame
    path: str | None
    warnings: tuple[Diagnostic, ...]


def _people(evaluated: Evaluated, segment: str, others: Prospects | None, found: Picture) -> _People:
    frame = others.evaluated.computed.frame if others else evaluated.computed.frame.filter(~pl.col(member(segment)))
    plan = (others.evaluated if others else evaluated).plan
    key = written_key(plan.rules).alias(plan.rules.customers.key)
    rows = frame.select(key).with_columns(scores_of(found.questions, plan, frame))
    warnings = dict.fromkeys(evaluated.warnings)
    if others:
        warnings |= dict.fromkeys((*others.evaluated.warnings, *already_customers(others, evaluated, segment)))
    return _People(plan=plan, rows=rows, path=others.path if others else None, warnings=tuple(warnings))


class _Asked(NamedTuple):
    """What was asked for, as the result tells it."""

    segment: str
    seed: int
    percent: Decimal
    path: str | None
    rules_path: str | None


def _result(
    asked: _Asked, evaluated: Evaluated, left_out: tuple[LeftOut, ...], found: Picture, people: _People
) -> LookalikeResult:
    return LookalikeResult(
        as_of=evaluated.plan.context.as_of,
        segment=asked.segment,
        customers=evaluated.computed.size,
        members=_members(evaluated, asked.segment),
        prospects=len(people.rows),
        prospects_path=people.path,
        seed=asked.seed,
        fitted=found.fitted,
        auc=found.auc,
        questions=found.questions,
        traits=found.traits,
        alone=found.alone,
        left_out=left_out,
        tenths=found.tenths,
        fifths=found.fifths,
        best=best_of(people.rows[COLUMN], asked.percent),
        warnings=(*without_notes(people.warnings), *leaks(found.alone), *hardly(found.auc)),
        notes=only_notes(people.warnings),
        path=asked.path,
        rules_path=asked.rules_path,
        elapsed_seconds=0.0,
    )


def _loaded(rules: Path, segment: str, as_of: dt.date | None) -> Loaded:
    loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of))
    if segment not in loaded.rules.segment:
        hint = nearest(segment, loaded.rules.segment, "segments")
        raise RuleError.of(f"`{rules}` has no segment `{segment}`", hint=hint)
    if NAME in loaded.rules.score:
        message = f"`{rules}` has a `[score.{NAME}]` already, which the card would be called"
        raise RuleError.of(message, hint="give that score another name", location=loaded.source.at("score", NAME))
    return loaded


def _require_free_name(plan: Plan) -> None:
    """`RuleError` where a column is called like that of the points: `apply` could not compute them."""
    if COLUMN in plan.origins[CUSTOMERS]:
        message = f"customers have a column `{COLUMN}` already, and the points of the card would be called so"
        hint = f'give it another name, such as `rename = {{ old_score = "{COLUMN}" }}` in `[customers]`'
        raise RuleError.of(message, hint=hint)


def _members(evaluated: Evaluated, segment: str) -> int:
    return int(evaluated.computed.column(member(segment)).sum())


def _require_size(loaded: Loaded, evaluated: Evaluated, segment: str) -> None:
    """`DataError` for a segment whose members are too few to have a picture, or too many to differ from others."""
    members, customers = _members(evaluated, segment), evaluated.computed.size
    place = loaded.source.at("segment", segment)
    if members < FEWEST:
        message = f"`{segment}` has {plural(members, 'member')}, and a picture needs {FEWEST}"
        hint = "start from a larger segment: take out a criterion, or look at a longer window"
        raise DataError.of(message, hint=hint, location=place)
    if 2 * members > customers:
        message = f"`{segment}` has {count(members)} of {plural(customers, 'customer')}: more than half resemble nobody"
        hint = "start from a smaller segment: those whom you would like to have more of"
        raise DataError.of(message, hint=hint, location=place)


def _sections(loaded: Loaded, result: LookalikeResult, folder: Path) -> Iterator[str]:
    name = f"like-{result.segment}"
    while name in loaded.rules.segment:
        name += "-too"
    yield from score_lines(result, loaded.rules)
    yield ""
    if result.prospects_path is None:
        blocks = building_blocks(loaded, [result.segment], folder)
        yield from blocks[1:]
        yield ""
    yield from segment_lines(result, name)


def _told(result: LookalikeResult) -> Iterator[str]:
    members, customers = count(result.members), plural(result.customers, "customer")
    yield f"Who resembles the members of `{result.segment}`: {members} of {customers} on {result.as_of}."
    yield (
        f"Of customers whom the card had not seen, a member has more points than another customer with a chance of "
        f"{result.auc:.2f} (AUC); the best 30 % hold {result.captured(3):.0f} % of the members."
    )
    yield "Points say who resembles members, not who will buy."
