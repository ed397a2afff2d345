"""From customers and a segment to the card: what is asked, what each answer is worth, and how well that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY, member
from segkit.discoveries.lookalike import Answer, Fifth, LeftOut, Question, Reason, Tenth, Trait
from segkit.errors import DataError
from segkit.gates.draws import uniform
from segkit.operations.discovering.lookalike.asking.candidates import Candidates
from segkit.operations.discovering.lookalike.asking.questions import Asked, answered, fewest, questions
from segkit.operations.discovering.lookalike.asking.traits import merged, traits_of
from segkit.operations.discovering.lookalike.weighing import model
from segkit.operations.discovering.lookalike.weighing.leaks import by_column
from segkit.operations.discovering.lookalike.weighing.quality import auc_of, auc_of_answers, fifths_of, tenths_of
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.progress import Progress

_MEMBER, _U = "\x1fmember", "\x1fu"


class Picture(NamedTuple):
    """The card, what members have more of, and how well the card tells members from others it has not seen.

    `alone` is what each column that was asked about reaches by itself.
    """

    questions: tuple[Question, ...]
    traits: tuple[Trait, ...]
    alone: Mapping[str, float]
    left_out: tuple[LeftOut, ...]
    fitted: int
    auc: float
    tenths: tuple[Tenth, ...]
    fifths: tuple[Fifth, ...]


def picture(evaluated: Evaluated, segment: str, columns: Candidates, seed: int, say: Progress) -> Picture:
    """The card that tells members of a segment by these columns.

    Everything is computed in the order of the draws, which only keys and the seed decide: the same customers in
    another order give the same card. `DataError` where no column tells anything.
    """
    say("asking columns")
    frame = evaluated.computed.frame.select(KEY, *columns.columns, pl.col(member(segment)).alias(_MEMBER))
    asked = [one for name in columns.columns for one in questions(frame[name])]
    answers = answered(frame, asked, evaluated.plan.context)
    least = fewest(len(frame))
    telling = [place for place in range(len(asked)) if _second(answers[str(place)]) >= least]
    told = {asked[place].column for place in telling}
    frequent = {one.column for one in asked}
    left_out = [
        LeftOut(name, _why(frame[name], has_frequent=name in frequent)) for name in columns.columns if name not in told
    ]
    if not telling:
        raise DataError.of("no column tells members from others", hint=_NOTHING)
    asked = [asked[place] for place in telling]
    customers = answers.select(map(str, telling)).with_columns(frame[_MEMBER])[_order_of_draws(frame[KEY], seed)]
    answers, is_member = customers.drop(_MEMBER), customers[_MEMBER]
    folds = customers.select((pl.int_range(pl.len()).over(_MEMBER) % model.FOLDS).alias("fold")).to_series()
    say("fitting points")
    fitted = model.fit(answers, [len(one.answers) for one in asked], is_member, folds, say)
    found = [
        _question(one, given, points, is_member, folds)
        for one, given, points in zip(asked, answers, fitted.points, strict=True)
    ]
    worth = {one.column for one in found if one.points}
    left_out += [LeftOut(name, "points") for name in dict.fromkeys(one.column for one in found) if name not in worth]
    return Picture(
        questions=tuple(one._replace(answers=merged(one.answers)) for one in found if one.points),
        traits=tuple(traits_of(found)),
        alone=by_column(found),
        left_out=tuple(left_out),
        fitted=fitted.customers,
        auc=auc_of(fitted.scores, is_member),
        tenths=tuple(tenths_of(fitted.scores, is_member)),
        fifths=tuple(fifths_of(fitted.chances, is_member)),
    )


_NOTHING = "a lookup, or `derive` in `[customers]`, may bring columns that do: where people live, how old they are"


def _order_of_draws(keys: pl.Series, seed: int) -> pl.Series:
    """The places of the customers in the order of their draws."""
    draws = pl.DataFrame({_U: uniform(keys, "lookalike", str(seed)), KEY: keys}).with_row_index()
    return draws.sort(_U, KEY)["index"]


def _second(answers: pl.Series) -> int:
    """How many customers gave the answer that is given most but one."""
    counts = answers.value_counts(name="customers")["customers"].sort(descending=True)
    return int(counts[1]) if len(counts) > 1 else 0


def _why(values: pl.Series, *, has_frequent: bool) -> Reason:
    """Why a column tells nothing: of several values none is frequent, or one is that of nearly all."""
    return "constant" if has_frequent or values.drop_nulls().n_unique() <= 1 else "values"


def _question(
    asked: Asked, answers: pl.Series, points: Sequence[int], is_member: pl.Series, folds: pl.Series
) -> Question:
    rows = pl.DataFrame({"answer": answers, "member": is_member}).group_by("answer")
    counts = rows.agg(pl.col("member").sum().alias("members"), (~pl.col("member")).sum().alias("others"))
    found = {answer: (members, others) for answer, members, others in counts.rows()}
    return Question(
        column=asked.column,
        answers=tuple(
            Answer(written, *found.get(number, (0, 0)), points=points[number])
            for number, written in enumerate(asked.answers)
        ),
        auc=auc_of_answers(answers, is_member, folds),
        about=asked.about,
    )
