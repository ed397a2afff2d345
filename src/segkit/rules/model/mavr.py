"""What a segment should be worth: `[mavr]`, the thresholds of the four questions that `check --data` asks of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from segkit.rules.model.base import Contradiction, Model, Name, Number, Percent

Count = Annotated[int, Field(ge=0)]


class Mavr(Model):
    """When a segment is measurable, accessible, viable and worth its cost; `segkit check --data` says what is not."""

    known_percent: Percent = 80
    """Measurable: at least this share of all customers has a value in each column that the criteria read."""
    reach_percent: Percent = 50
    """Accessible: at least this share of the members can be reached, by consent, lists and `contact`."""
    min_size: Count = 50
    """Viable: at least so many members can be reached; `min_size` of a segment's `expect` goes first."""
    base_percent: Percent = 2
    """What share of customers does what is hoped for without a message: what a holdout or split is large enough to
    tell from more."""
    lift_percent: Number = 50
    """By how much a message raises that share, in percent of it."""
    cost_per_contact: Number | None = None
    """Profitable: `profit` a head x `lift_percent` is above this; needs `margin_percent` of `[value]`. Default: members
    are worth as much as customers on average."""
    contact: dict[Name, str] = {}
    """By channel, the column that must have a usable value: `contact.email = "email"`."""

    @model_validator(mode="after")
    def _can_be_told(self) -> Mavr:
        if self.base_percent <= 0:
            raise Contradiction("`base_percent` is more than 0", "such as 2", key="base_percent")
        if self.lift_percent <= 0:
            raise Contradiction("`lift_percent` is more than 0", "such as 50", key="lift_percent")
        if self.base_percent * (100 + self.lift_percent) >= 100 * 100:
            message = f"{self.base_percent} % raised by {self.lift_percent} % is not below 100 %"
            key = next(key for key in ("lift_percent", "base_percent") if key in self.model_fields_set)
            raise Contradiction(message, "lower one of the two", key=key)
        return self
