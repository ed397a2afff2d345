"""How well scores tell members from others: counted exactly, ties shared."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.discoveries.lookalike import Fifth, Tenth

TENTHS, FIFTHS = 10, 5


def auc_of(scores: pl.Series, is_member: pl.Series) -> float:
    """The chance that a member has a higher score than somebody who is none; equal scores count half."""
    rows = pl.DataFrame({"score": scores, "member": is_member}).group_by("score")
    return auc_of_counts(rows.agg(pl.col("member").sum().alias("members"), pl.len().alias("customers")))


def auc_of_counts(counts: pl.DataFrame) -> float:
    """The same of the `members` and `customers` with each `score`; one half where nobody is a member, or all are."""
    by_score = counts.group_by("score").agg(pl.col("members", "customers").sum().cast(pl.Float64)).sort("score")
    members, others = pl.col("members"), pl.col("customers") - pl.col("members")
    below = others.cum_sum() - others / 2
    higher, pairs = by_score.select((members * below).sum(), pairs=members.sum() * others.sum()).row(0)
    return float(higher / pairs) if pairs else 0.5


def tenths_of(scores: pl.Series, is_member: pl.Series) -> Iterator[Tenth]:
    """The tenths of the customers by their scores; ties stand in the order that they have."""
    rows = pl.DataFrame({"score": scores, "member": is_member}).sort("score", descending=True, maintain_order=True)
    so_far = 0
    for part in _parts(rows, TENTHS):
        members = int(part["member"].sum())
        so_far += members
        yield Tenth(len(part), members, so_far, int(part["score"][-1]))


def fifths_of(chances: pl.Series, is_member: pl.Series) -> Iterator[Fifth]:
    """The fifths of the customers by their chances, the lowest first, and how many of each were members."""
    rows = pl.DataFrame({"said": chances, "was": is_member}).sort("said", maintain_order=True)
    for part in _parts(rows, FIFTHS):
        yield Fifth(len(part), float(part["said"].mean()), float(part["was"].mean()))  # type: ignore[arg-type]


def _parts(rows: pl.DataFrame, number: int) -> Iterator[pl.DataFrame]:
    for part in range(number):
        first, last = (place * len(rows) // number for place in (part, part + 1))
        yield rows.slice(first, last - first)


def auc_of_answers(answers: pl.Series, is_member: pl.Series, folds: pl.Series) -> float:
    """What the answers to one question reach alone: each is as good as its share of members in the other folds."""
    rows = pl.DataFrame({"answer": answers, "member": is_member, "fold": folds})
    counts = rows.group_by("answer", "fold").agg(pl.col("member").sum().alias("members"), pl.len().alias("customers"))
    whole = pl.col("members", "customers").sum().over("answer")
    outside = counts.select(whole - pl.col("members", "customers"))
    share = (outside["members"] / outside["customers"]).fill_nan(int(is_member.sum()) / len(is_member))
    return auc_of_counts(counts.with_columns(share.alias("score")))
