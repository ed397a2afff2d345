"""What `segkit evaluate` looks at, said before the campaign: `[evaluate]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from segkit.experiments import CONVERSION, SPEND
from segkit.rules.model.base import Contradiction, Length, Model, Name, Number, Percent
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import Measured

METRICS = (CONVERSION, SPEND)
"""What is compared without being written: whether customers have orders, and what they spend."""
LEVELS = (50, 99.9)
"""The lowest and the highest level of intervals, in percent."""


class Metric(Model):
    """What customers do after a run, beside buying: whether they do it, how often, or the sum of a column."""

    events: str
    """The event table."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count."""
    measure: Literal["any", "count", "sum"] = "any"
    """`any`: the share of the customers who have such an event; `count`: how many events a customer has; `sum`: what
    they add up to."""
    of: str | None = None
    """With `measure = "sum"`: the column that is added up; default: the amount."""

    @model_validator(mode="after")
    def _sums(self) -> Metric:
        if self.of is not None and self.measure != "sum":
            hint = 'write `measure = "sum"` beside it, or take `of` out'
            raise Contradiction(f'`of` has nothing to say beside `measure = "{self.measure}"`', hint, key="of")
        return self

    @property
    def counted(self) -> Measured:
        """How many such events a customer has."""
        return Measured(events=self.events, where=self.where)

    @property
    def measured(self) -> Measured:
        """What is computed of the events of a customer, as a trait says it."""
        if self.measure == "sum":
            return Measured(events=self.events, where=self.where, measure="sum", of=self.of)
        return self.counted


class Evaluation(Model):
    """What `segkit evaluate` looks at; it is read from the rules that a run has kept, so it was said before."""

    events: str | None = None
    """The event table with the orders; default: that of `[value]`, else of `[rfm]`, else the only one with an
    amount."""
    within: Length = Field("30 days", validate_default=True)
    """For how long events count, from the day after the run."""
    level: Number = 95
    """The level of the intervals, in percent, from 50 to 99.9."""
    cost_per_contact: Number | None = None
    """What it costs to write to a customer once: what is left of the money is shown beside it. Default: that of
    `[mavr]`."""
    margin_percent: Percent | None = None
    """With `cost_per_contact`: what is left of the revenue, in percent. Default: that of `[value]`."""
    metric: dict[Name, Metric] = {}
    """What else is compared, by name: `--metric NAME` of `segkit evaluate` chooses it."""

    @model_validator(mode="after")
    def _can_be_told(self) -> Evaluation:
        low, high = LEVELS
        if not low <= self.level <= high:
            raise Contradiction(f"`level` is from {low} to {high} percent, not {self.level}", "such as 95", key="level")
        if not self.within.number:
            raise Contradiction(f"no day counts within {self.within}", 'such as `within = "30 days"`', key="within")
        if self.cost_per_contact is not None and self.cost_per_contact < 0:
            raise Contradiction("`cost_per_contact` is 0 or more", "such as 0.05", key="cost_per_contact")
        return self
