"""The logistic regression behind the card, fitted once to all customers, and three times to two thirds of them.

numpy and scikit-learn are extras, and take their time to load: whoever does not look for lookalikes has neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from segkit.operations.discovering.lookalike.weighing.points import points_of
from segkit.operations.progress import Progress

FOLDS = 3
PENALTY = 0.3
"""`C` of scikit-learn: how far weights of rare answers may go."""
MOST_FITTED = 100_000
"""So many customers are enough for a hundred weights; of more, the first by their draw, members first of all."""


class Fitted(NamedTuple):
    """The points of each answer, and what was said of customers by those who had not seen them.

    `scores` and `chances` have a value for each customer: his points, and his chance to be a member, out of fold.
    """

    points: list[list[int]]
    scores: pl.Series
    chances: pl.Series
    customers: int
    """How many customers the points were fitted to."""


class _Data(NamedTuple):
    """Answers of customers as places among all answers, who is a member, in which fold each one is."""

    places: Any
    is_member: Any
    folds: Any
    sizes: list[int]

    def of(self, rows: Any) -> _Data:
        return self._replace(places=self.places[rows], is_member=self.is_member[rows], folds=self.folds[rows])


def fit(answers: pl.DataFrame, sizes: Sequence[int], is_member: pl.Series, folds: pl.Series, say: Progress) -> Fitted:
    """Fit the card to customers in the order of their draws; `sizes` are the numbers of answers to each question."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    starts = np.cumsum([0, *sizes[:-1]])
    places = answers.to_numpy(order="fortran").astype(np.int32) + starts.astype(np.int32)
    data = _Data(places, is_member.to_numpy(), folds.to_numpy(), list(sizes))
    scores, chances = np.zeros(len(places), dtype=np.int64), np.zeros(len(places))
    with threadpool_limits(1):  # OpenMP waits by spinning: 0.9 s for 0.08 s where others work, too
        for fold in range(FOLDS):
            say(f"fold {fold + 1} of {FOLDS}")
            held, model = data.folds == fold, _model(data.of(data.folds != fold))
            here = places[held]
            chances[held] = 1 / (1 + np.exp(-(_added(model.weights, here) + model.start)))
            scores[held] = _added(np.concatenate(model.points), here)
        whole = _model(data)
    return Fitted(whole.points, pl.Series(scores), pl.Series(chances), whole.customers)


def _added(worth: Any, places: Any) -> Any:
    """What the answers of each customer are worth together, added column by column: a table of all takes 120 MB."""
    return sum(worth[places[:, column]] for column in range(places.shape[1]))


class _Model(NamedTuple):
    weights: Any
    start: float
    points: list[list[int]]
    customers: int


def _model(data: _Data) -> _Model:
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    rows, counts = _drawn(data.is_member)
    few = data.of(rows)
    width, number = few.places.shape[1], len(rows)
    shape = (number, sum(data.sizes))
    ends = np.arange(0, number * width + 1, width)
    table = csr_matrix((np.ones(number * width), few.places.ravel(), ends), shape=shape)
    model = LogisticRegression(C=PENALTY, max_iter=500, tol=1e-6)
    model.fit(table, few.is_member, sample_weight=counts)
    weights = model.coef_[0]
    given = np.zeros(len(weights), dtype=bool)
    given[few.places.ravel()] = True
    split = np.cumsum(data.sizes)[:-1]
    lists = [[part.tolist() for part in np.split(one, split)] for one in (weights, given)]
    return _Model(weights, float(model.intercept_[0]), points_of(*lists), number)


def _drawn(is_member: Any) -> tuple[Any, Any]:
    """The rows that the model is fitted to, and for how many customers each one stands."""
    import numpy as np

    members, others = np.flatnonzero(is_member), np.flatnonzero(~is_member)
    few = members[: MOST_FITTED // 2]
    rest = others[: MOST_FITTED - len(few)]
    rows = np.sort(np.concatenate([few, rest]))
    stands_for = np.where(is_member[rows], len(members) / len(few), len(others) / len(rest))
    return rows, stands_for
