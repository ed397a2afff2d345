"""What customers bought since an earlier run: for the history that runs carry on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from segkit.columns.features.measures import Measure
from segkit.columns.features.steps import MeasureStep
from segkit.columns.helpers import BOUGHT, SPENT
from segkit.criteria.context import Context
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import Measured
from segkit.rules.tables import money_table


def past_steps(rules: RuleFile, context: Context) -> Iterator[MeasureStep]:
    """Whether customers bought after `context.since`, up to `as_of`, and for how much; nothing without such a table."""
    table = money_table(rules)
    if context.since is None or table is None:
        return
    days = (context.since + dt.timedelta(days=1), context.as_of)
    path = ("output", "history")
    yield MeasureStep(Measure(BOUGHT, Measured(events=table, between=days), exists=True), path)
    if rules.events[table].amount:
        yield MeasureStep(Measure(SPENT, Measured(events=table, measure="sum", between=days)), path)
