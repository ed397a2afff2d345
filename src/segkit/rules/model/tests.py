"""Tests in the rule file: a customer each, and the segments that he is, or is not, in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import PlainValidator, WithJsonSchema, model_validator

from segkit.rules.model.base import Contradiction, Day, Model, TextList, Unfit, parse_scalar

Stop = Literal["consent", "suppressed", "frequency_cap", "claimed"]
"""Why somebody is not written who matches, as far as a test can say: draws and limits need all customers."""


def parse_cell(value: Any) -> Any:
    """A scalar as TOML gave it, with its time of day, or a list of texts."""
    if isinstance(value, (list, tuple)):
        if not all(isinstance(item, str) for item in value):
            raise Unfit(value, "a list of texts")
        return tuple(value)
    return value if isinstance(value, dt.datetime) else parse_scalar(value)


_CELL_SCHEMA = {"type": ["string", "number", "boolean", "array"], "items": {"type": "string"}}
Cell = Annotated[Any, PlainValidator(parse_cell), WithJsonSchema(_CELL_SCHEMA)]
Cells: TypeAlias = dict[str, Cell]
"""Column -> its value; a column that is not there has none."""


class RuleTest(Model):
    """A made-up customer, and what the rules make of him; `segkit test` runs it without the data."""

    name: str
    """What the test is called; no two have the same name."""
    as_of: Day | None = None
    """The day that is "now"; default: that of `--as-of` or of the rule file."""
    customer: Cells = {}
    """Columns of the customer, also those of lookups, and computed ones, which are then not computed."""
    events: dict[str, tuple[Cells, ...]] = {}
    """The events of the customer, by event table: `events.orders = [{ ... }]`."""
    listed: TextList = ()
    """The suppression lists that the customer is on, as `suppress` names them."""
    segments: TextList | None = None
    """The criteria of these segments hold, and those of no other one."""
    not_segments: TextList = ()
    """The criteria of these segments do not hold."""
    written: TextList | None = None
    """Consent, suppression lists, caps and claims let the customer into these lists and no other; draws and limits are
    left aside."""
    stopped: dict[str, Stop] = {}
    """Segments whose criteria hold, and what stops the customer: `consent`, `suppressed`, `frequency_cap` or
    `claimed`."""

    @model_validator(mode="after")
    def _expects_something(self) -> RuleTest:
        if self.segments is None and self.written is None and not (self.not_segments or self.stopped):
            hint = 'such as `segments = ["welcome"]`; `segments = []` is no segment at all'
            raise Contradiction(f"the test `{self.name}` expects nothing", hint)
        return self
