"""What customers are worth: `[value]`, and what they will be worth, `[value.predict]`."""

from __future__ import annotations

from pydantic import Field, model_validator

from segkit.rules.model.base import Contradiction, Length, Model, Percent
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import Window

MEASURED = ("revenue", "order_count", "average_order_value")
PROFIT = "profit"
PREDICTED = ("p_alive", "expected_orders", "clv")
VALUE_COLUMNS = (*MEASURED, PROFIT, *PREDICTED)


class Predict(Model):
    """What customers will buy: BG/NBD and Gamma-Gamma models, fitted to the events up to `as_of`."""

    horizon: Length = Field("12 months", validate_default=True)
    """How far to look ahead from `as_of`."""
    discount_percent: Percent = 10
    """By how much money that comes a year later is worth less."""


class Value(Window):
    """What customers are worth: revenue, orders, profit."""

    events: str
    """The event table with the orders."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count."""
    margin_percent: Percent | None = None
    """What is left of the revenue, in percent; adds `profit`, and makes `clv` one of profit."""
    cost: str | None = None
    """With `margin_percent`: a column of the customers, such as the cost of winning them, that `profit` is less by."""
    predict: Predict | None = None
    """What customers will buy; needs `segkit-cli[predict]`."""

    @model_validator(mode="after")
    def _consistent(self) -> Value:
        if self.cost is not None and self.margin_percent is None:
            message = "`cost` is taken from the profit, and there is none without `margin_percent`"
            raise Contradiction(message, "add `margin_percent = ...`", key="cost")
        if self.predict and any((self.within, self.between, self.since, self.before)):
            message = "a prediction reads all events up to `as_of`, so it does not go with a window"
            raise Contradiction(message, "take the window out, or put it on a trait instead", key="predict")
        return self


def not_computed(value: Value | None) -> dict[str, str]:
    """The columns of this feature that the rule file does not ask for, and for each the next step."""
    if value is None:
        missing = dict.fromkeys(MEASURED, 'add a section: `[value]` with `events = "..."`')
        missing[PROFIT] = 'add a section: `[value]` with `events = "..."` and `margin_percent = ...`'
        return missing | dict.fromkeys(PREDICTED, 'add `[value]` with `events = "..."`, and `[value.predict]`')
    missing = {} if value.margin_percent is not None else {PROFIT: "add `margin_percent = ...` to `[value]`"}
    return missing if value.predict else missing | dict.fromkeys(PREDICTED, "add a section: `[value.predict]`")
