"""What customers are worth: exact revenue and profit, and with `[value.predict]` what they are expected to bring.

To the models, an order is a day with one or more events. That is how Fader and Hardie count, and the only way to
reproduce their published parameters. Revenue and order count are those of all events.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.features.measures import Measure
from segkit.columns.features.steps import CutStep, MeasureStep, RowStep, Step, Told, measured
from segkit.columns.helpers import AGE, COUNT, DAYS, DISCOUNTED, FIRST, FIRST_DAY, LAST, LATER, MEAN, SPAN
from segkit.columns.money import as_money
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.errors import DataError
from segkit.io.read.values.numbers import MONEY
from segkit.results.parts import FittedModel
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.base import Duration
from segkit.rules.model.blocks import CustomerDate
from segkit.rules.model.computed.value import PREDICTED, PROFIT, Value
from segkit.rules.model.file import RuleFile

if TYPE_CHECKING:
    from segkit.columns.features.value import predict

HISTORY = frozenset({FIRST, LAST, DAYS, FIRST_DAY, "revenue"})
"""What a prediction needs of a customer: first and last day with an order, how many, revenue, that of the first day."""
LIBRARIES = ("numpy", "scipy")
LEAST_CUSTOMERS, LEAST_REPEATERS = 50, 20
"""Below this, the parameters say more about chance than about the customers."""
WEEK, YEAR = 7, 365
_ORDERS, _AMOUNTS = "BG/NBD", "Gamma-Gamma"
"""The two models, as results name them."""


def needs_of_predict(rules: RuleFile) -> Iterator[Finding]:
    """What a prediction needs that is not installed."""
    absent = [name for name in LIBRARIES if find_spec(name) is None]
    if absent and rules.value and rules.value.predict:
        message = f"`[value.predict]` needs {' and '.join(absent)}, which this installation of segkit lacks"
        yield Finding(("value", "predict"), message, 'run `pip install "segkit-cli[predict]"`', code=codes.NOT_THERE)


def value_steps(value: Value, time: str, context: Context) -> Iterator[Step]:
    """The steps for measures over the events, whose days are in the column `time`, their ratios, and predictions."""
    path: KeyPath = ("value",)
    yield from (MeasureStep(measure, path) for measure in _measures(value, time))
    yield from (RowStep(name, needs, build, path) for name, needs, build in _ratios(value))
    if value.predict:
        types = {name: MONEY if name == "clv" else pl.Float64() for name in PREDICTED}
        yield CutStep(
            names=PREDICTED,
            needs=HISTORY,
            types=types,
            fit=_predictions(value, context.as_of),
            again=lambda told, _: _again(value, context.as_of, told),
            path=(*path, "predict"),
        )


def _measures(value: Value, time: str) -> Iterator[Measure]:
    yield Measure("revenue", measured(value, "sum"))
    yield Measure("order_count", measured(value, "count"))
    if value.predict:
        yield Measure(FIRST, measured(value, "min", of=time))
        yield Measure(LAST, measured(value, "max", of=time))
        yield Measure(DAYS, measured(value, "active_days"))
        # The first day alone is a window from a date of the customer, for which the events are read again.
        first_day = {"since": CustomerDate(column=FIRST), "for_": Duration(0, "day")}
        yield Measure(FIRST_DAY, measured(value, "sum").model_copy(update=first_day))


def _ratios(value: Value) -> Iterator[tuple[str, frozenset[str], Callable[[Dtypes], pl.Expr]]]:
    """Columns made of the measured ones: name, what it needs, expression. Decimals, so exact to ten places."""
    revenue, orders = pl.col("revenue"), pl.col("order_count")
    mean = pl.when(orders > 0).then(revenue / orders)
    yield "average_order_value", frozenset({"revenue", "order_count"}), lambda _: mean.cast(MONEY)
    if value.margin_percent is not None:
        needs = {"revenue", *([value.cost] if value.cost is not None else [])}
        yield PROFIT, frozenset(needs), lambda schema: _profit(value, schema)


def _profit(value: Value, schema: Dtypes) -> pl.Expr:
    """The profit; missing where the cost is, as an unknown cost does not make a known profit."""
    profit = (pl.col("revenue") * pl.lit(_margin(value))).cast(MONEY)
    return profit if value.cost is None else profit - as_money(pl.col(value.cost), schema[value.cost])


def _margin(value: Value) -> Decimal:
    return Decimal(100 if value.margin_percent is None else value.margin_percent) / 100


class Predicted(NamedTuple):
    """The predictions by history, and the expected mean amount, which is computed for each customer.

    `table` has one row for each `LATER`, `SPAN` and `AGE` that there is.
    """

    as_of: dt.date
    table: pl.DataFrame
    amounts: predict.GammaGamma
    margin: float
    told: Sequence[FittedModel]

    def add(self, customers: pl.LazyFrame) -> pl.LazyFrame:
        """The customers with what they will buy; missing for those without an order."""
        amount = self.amounts.mean_amount(pl.col(LATER).cast(pl.Float64), pl.col(MEAN))
        clv = as_money((pl.col(DISCOUNTED) * amount * self.margin).round(2), pl.Float64())
        return (
            customers.with_columns(_history(self.as_of))
            .join(self.table.lazy(), on=[LATER, SPAN, AGE], how="left", maintain_order="left")
            .with_columns(pl.when(pl.col(FIRST).is_not_null()).then(clv).alias("clv"))
            .drop(LATER, SPAN, AGE, MEAN, DISCOUNTED)
        )


class Foretold(NamedTuple):
    """The predictions of models that an earlier run has fitted."""

    value: Value
    as_of: dt.date
    orders: predict.BgNbd
    amounts: predict.GammaGamma
    told: Sequence[FittedModel] = ()

    def add(self, customers: pl.LazyFrame) -> pl.LazyFrame:
        """The customers with what they will buy; missing for those without an order."""
        rows = customers.collect()
        known = rows.filter(pl.col(FIRST).is_not_null()).select(_history(self.as_of))
        return Predicted(
            as_of=self.as_of,
            table=_predicted(self.value, self.as_of, _histories(known), self.orders),
            amounts=self.amounts,
            margin=float(_margin(self.value)),
            told=(),
        ).add(rows.lazy())


def _again(value: Value, as_of: dt.date, told: Told) -> Foretold | None:
    from segkit.columns.features.value import predict

    models = {one.name: one for one in told if isinstance(one, FittedModel)}
    if not {_ORDERS, _AMOUNTS} <= models.keys():
        return None
    orders, amounts = models[_ORDERS], models[_AMOUNTS]
    return Foretold(
        value,
        as_of,
        predict.BgNbd(**orders.parameters, log_likelihood=orders.log_likelihood),
        predict.GammaGamma(**amounts.parameters, log_likelihood=amounts.log_likelihood),
    )


def _predictions(value: Value, as_of: dt.date) -> Callable[[pl.DataFrame], Predicted]:
    """The function that fits the models to all customers.

    It raises `DataError` where there are too few customers, or no parameters fit them.
    """

    def fit(customers: pl.DataFrame) -> Predicted:
        from segkit.columns.features.value import predict

        known = customers.filter(pl.col(FIRST).is_not_null()).select(_history(as_of))
        spending = known.filter((pl.col(LATER) > 0) & (pl.col(MEAN) > 0))
        _refuse_few(value, known, spending)
        histories = _histories(known)
        try:
            orders = predict.fit_bg_nbd(*_weeks(histories), _floats(histories, COUNT))
            amounts = predict.fit_gamma_gamma(_floats(spending, LATER), _floats(spending, MEAN))
            table = _predicted(value, as_of, histories, orders)
        except predict.NotFitted as error:
            hint = "look for rows that are no orders, which `[value] where` leaves out, or take `[value.predict]` out"
            raise DataError.of(f"the fit of `[value.predict]` did not converge: {error}", hint=hint) from error
        told = [_told(_ORDERS, orders, known), _told(_AMOUNTS, amounts, spending)]
        return Predicted(as_of=as_of, table=table, amounts=amounts, margin=float(_margin(value)), told=told)

    return fit


def _history(as_of: dt.date) -> list[pl.Expr]:
    """Of a customer with orders: days with one after the first, days from first to last and to now, mean amount."""
    first, last, now = pl.col(FIRST), pl.col(LAST), pl.lit(as_of)
    later = (pl.col(DAYS) - 1).clip(0)
    spent = (pl.col("revenue") - pl.col(FIRST_DAY)).cast(pl.Float64)
    return [
        later.alias(LATER),
        (last - first).dt.total_days().alias(SPAN),
        (now - first).dt.total_days().alias(AGE),
        # Later events may be nothing but refunds: those are worth nothing, not less.
        pl.when(later > 0).then(spent / later).otherwise(0.0).clip(0).alias(MEAN),
    ]


def _refuse_few(value: Value, known: pl.DataFrame, spending: pl.DataFrame) -> None:
    repeaters = known.filter(pl.col(LATER) > 0)
    for customers, least, what in (
        (known, LEAST_CUSTOMERS, "customers with an event"),
        (repeaters, LEAST_REPEATERS, "customers with events on two days or more"),
        (spending, LEAST_REPEATERS, "customers who have spent something after their first day"),
    ):
        if len(customers) < least:
            message = f"`[value.predict]` needs {least} {what}, and `[events.{value.events}]` has {len(customers)}"
            raise DataError.of(message, hint="give it a longer history, or take `[value.predict]` out")


def _histories(known: pl.DataFrame) -> pl.DataFrame:
    """Each history that there is, and how many customers have it."""
    return known.group_by(LATER, SPAN, AGE).len(COUNT).sort(LATER, SPAN, AGE)


def _weeks(histories: pl.DataFrame) -> tuple[predict.Floats, predict.Floats, predict.Floats]:
    """Orders after the first one, and the weeks from first to last and to now."""
    return _floats(histories, LATER), _floats(histories, SPAN) / WEEK, _floats(histories, AGE) / WEEK


def _floats(frame: pl.DataFrame, name: str) -> predict.Floats:
    return frame[name].cast(pl.Float64).to_numpy()


def _predicted(value: Value, as_of: dt.date, histories: pl.DataFrame, orders: predict.BgNbd) -> pl.DataFrame:
    """The predictions by history, to four decimals: a fit knows no more than that."""
    later, span, age = _weeks(histories)
    p_alive = orders.p_alive(later, span, age)
    expected, discounted = _expected(value, as_of, histories, orders)
    return histories.select(LATER, SPAN, AGE).with_columns(
        pl.Series("p_alive", p_alive).round(4),
        pl.Series("expected_orders", p_alive * expected).round(4),
        pl.Series(DISCOUNTED, p_alive * discounted),
    )


def _expected(
    value: Value, as_of: dt.date, histories: pl.DataFrame, orders: predict.BgNbd
) -> tuple[predict.Floats, predict.Floats]:
    """Orders in the horizon for each history, plain and discounted, of one who still is a customer.

    These depend only on the number of orders and the age, so each pair is computed once: 1 M customers have 13,000.
    """
    from segkit.columns.features.value import predict

    assert value.predict is not None, "there is a prediction"
    weeks = (value.predict.horizon.after(as_of) - as_of).days / WEEK
    rate = math.log1p(float(value.predict.discount_percent) / 100) * WEEK / YEAR
    pairs = histories.select(LATER, AGE).unique().sort(LATER, AGE)
    later, age = _floats(pairs, LATER), _floats(pairs, AGE) / WEEK
    expected = pairs.with_columns(
        pl.Series("orders", orders.orders_if_alive(weeks, later, age)),
        pl.Series("discounted", orders.discounted_orders_if_alive(weeks, rate, later, age)),
    )
    if not expected.select(pl.col("orders", "discounted").is_finite().all()).row(0) == (True, True):
        raise predict.NotFitted("customers are too much alike")
    of_each = histories.select(LATER, AGE).join(expected, on=[LATER, AGE], how="left", maintain_order="left")
    return _floats(of_each, "orders"), _floats(of_each, "discounted")


def _told(name: str, model: predict.BgNbd | predict.GammaGamma, customers: pl.DataFrame) -> FittedModel:
    """The model as the summary shows it."""
    parameters: dict[str, float] = model._asdict()
    log_likelihood = parameters.pop("log_likelihood")
    repeaters = int(customers.select((pl.col(LATER) > 0).sum()).item())
    return FittedModel(
        name=name, parameters=parameters, log_likelihood=log_likelihood, customers=len(customers), repeaters=repeaters
    )
