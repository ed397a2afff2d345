"""Lifecycle: the stage that a customer is in, from the days of events or from blocks of your own."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from segkit.rules.model.base import Contradiction, Duration, Length, Model, Unfit
from segkit.rules.model.blocks import Standalone

PRESET = ("prospect", "new", "loyal", "active", "at_risk", "inactive", "lost")
"""The stages over an event table, in the order in which they are looked at."""
LENGTHS = ("new_for", "at_risk_after", "inactive_after", "lost_after")


def parse_label(value: Any) -> str:
    """A text that is not empty: an empty one would be a missing value."""
    if isinstance(value, str) and value.strip():
        return value
    raise Unfit(value, "a text")


Label = Annotated[str, PlainValidator(parse_label), WithJsonSchema({"type": "string", "pattern": r"\S"})]


class Stage(Standalone):
    """A stage of your own: a block with the name of the stage; the first that holds counts."""

    CALLED: ClassVar[str] = "stage"

    name: Label
    """What `lifecycle` is for the customers who satisfy the block."""


def _days(number: int) -> Any:
    return Field(Duration(number, "day"), json_schema_extra={"default": f"{number} days"})


class Lifecycle(Model):
    """The stage of each customer, in the column `lifecycle`: by the days of events, or stages of your own."""

    events: str = ""
    """The event table, such as orders, that the ready-made stages look at."""
    new_for: Length = _days(30)
    """`new`: the first event is at most this long ago."""
    at_risk_after: Length = _days(90)
    """`loyal` or `active`: the last event is at most this long ago; `at_risk` from then on."""
    inactive_after: Length = _days(180)
    """`at_risk`: the last event is at most this long ago; `inactive` from then on."""
    lost_after: Length = _days(365)
    """`inactive`: the last event is at most this long ago; `lost` from then on."""
    loyal_from: int = Field(4, ge=1)
    """`loyal`, not `active`: this many events or more."""
    stage: tuple[Stage, ...] = ()
    """Stages of your own instead, `[[lifecycle.stage]]`, in their order; whom none takes has no stage."""

    @model_validator(mode="after")
    def _one_kind(self) -> Lifecycle:
        if not self.events and not self.stage:
            raise Contradiction(
                "`[lifecycle]` has no stages",
                'give `events = "..."` for the ready-made ones, or your own: `[[lifecycle.stage]]`',
            )
        preset = [key for key in ("events", *LENGTHS, "loyal_from") if key in self.model_fields_set]
        if self.stage and preset:
            raise Contradiction(
                f"`{preset[0]}` is for the ready-made stages, and `[[lifecycle.stage]]` names your own",
                "take one of them out",
                key=preset[0],
            )
        return self

    @model_validator(mode="after")
    def _do_not_fall(self) -> Lifecycle:
        # One day stands for all: months and years differ by a day or two only.
        ago = {key: getattr(self, key).before(dt.date(2000, 1, 1)) for key in LENGTHS}
        for shorter, longer in pairwise(LENGTHS):
            if ago[shorter] < ago[longer]:
                lengths = f"`{shorter}` ({getattr(self, shorter)}) is longer than `{longer}` ({getattr(self, longer)})"
                key = shorter if shorter in self.model_fields_set else longer
                raise Contradiction(lengths, "none may be longer than the next: " + ", ".join(LENGTHS), key=key)
        return self

    @model_validator(mode="after")
    def _one_stage_a_name(self) -> Lifecycle:
        names = [stage.name for stage in self.stage]
        twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
        if twice is not None:
            hint = "make it one stage: its ways as blocks of `any`"
            raise Contradiction(f"two stages have the name `{twice}`", hint, key="stage")
        return self

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages, in the order in which they are looked at."""
        return tuple(stage.name for stage in self.stage) if self.stage else PRESET
