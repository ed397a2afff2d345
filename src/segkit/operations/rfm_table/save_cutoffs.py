"""The cutoffs of a run as the text of a file, which scores later days the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segkit.columns.features.rfm.cuts import RAW
from segkit.columns.features.rfm.score_shares import score_shares
from segkit.errors import DataError
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.results.parts import Threshold
from segkit.rules.model.computed.cutoffs import OPERATORS
from segkit.rules.model.computed.rfm import rfm_column, rfm_section
from segkit.rules.text.toml import toml_value

_HEAD = """\
# Cutoffs of RFM scores, saved by segkit. A rule file scores later days with them:
#
#     [{section}]
#     method = "cutoffs"
#     cutoffs = "THIS FILE"
#
# A score is 1 + the number of cuts that a value passes; `shares` are those of the customers with score 1, 2, ... then.
"""


def cutoffs_text(evaluated: Evaluated, table: str, events: Mapping[str, object]) -> str:
    """The text of the file of cutoffs of an RFM table, the same for the same run.

    `events` says which file and columns were scored. Raises `DataError` where nobody has a score.
    """
    rfm, as_of = evaluated.plan.rules.rfm[table], evaluated.plan.context.as_of
    scored = evaluated.computed.frame.drop_nulls(rfm_column(table, "r_score"))
    if scored.is_empty():
        by = f" in `[{rfm_section(table)}]`" if table else ""
        raise DataError.of(f"no customer has a score{by}, so there are no cutoffs to save")
    ties = (rfm.cutoffs.ties if rfm.cutoffs else None) or rfm.ties
    top = {"version": 1, "as_of": as_of, "customers": len(scored), "bins": rfm.bins, "method": rfm.method, "ties": ties}
    shares = score_shares(table, scored, rfm.bins)
    parts = [_HEAD.format(section=rfm_section(table)).rstrip("\n"), *_pairs(top), "", "[events]", *_pairs(events)]
    for measure, column in RAW.items():
        of_table = [t for t in evaluated.computed.thresholds if t.rfm == table]
        thresholds = [t for t in of_table if t.column == rfm_column(table, column)]
        parts += ["", f"[{measure}]", *_measure(thresholds), *_pairs({"shares": shares[measure]})]
        for threshold in thresholds:
            if threshold.within:
                parts += ["", f"[[{measure}.within]]", *_pairs({**_group(threshold), "cuts": threshold.values})]
    return "\n".join(parts) + "\n"


def _measure(thresholds: Sequence[Threshold]) -> Iterator[str]:
    first = thresholds[0]
    operator = next(o for o in OPERATORS[first.falls] if o.endswith("=") == first.inclusive)
    yield from _pairs({"operator": operator} if first.within else {"operator": operator, "cuts": first.values})


def _group(threshold: Threshold) -> dict[str, int]:
    """The scores of a group under their names in the file: `r` for that of recency, `f` for that of frequency."""
    return {
        letter: score for letter, score in zip("rf", threshold.within.values(), strict=False) if isinstance(score, int)
    }


def _pairs(pairs: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{name} = {toml_value(value)}" for name, value in pairs.items())
