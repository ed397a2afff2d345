"""What is compared: whether customers bought, what they spent, and the metrics that the rules of a run name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from segkit.errors import RuleError
from segkit.experiments import CONVERSION, SPEND, Kind
from segkit.rules.model.evaluate import METRICS, Metric
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import Measured
from segkit.rules.tables import money_table
from segkit.words import nearest


class Measure(NamedTuple):
    """A metric, and the columns with what a customer did: in `did` how often, in `value` what counts of a mean."""

    name: str
    did: str
    value: str | None

    @property
    def kind(self) -> Kind:
        """Whether it is a share of customers, or a mean of them."""
        return "share" if self.value is None else "mean"


class Asked(NamedTuple):
    """The metrics that are compared, and by table of events, what is computed for them: column -> measure."""

    measures: Sequence[Measure]
    tables: Mapping[str, Mapping[str, Measured]]


def asked_of(rules: RuleFile, names: Sequence[str] = ()) -> Asked:
    """The metrics with these names; without any, whether customers bought, and what they spent.

    Raises `RuleError` for a metric that the rules do not have, and where nothing tells which table has the orders.
    """
    known = {**(rules.evaluate.metric if rules.evaluate else {}), **dict(_of_orders(rules, names))}
    for name in names:
        if name not in known:
            raise _unknown(rules, name, known)
    columns: list[tuple[str, Measured]] = []
    measures = []
    for name in dict.fromkeys(names or [name for name in METRICS if name in known]):
        metric = known[name]
        did = _column(columns, metric.counted)
        value = None if metric.measure == "any" else _column(columns, metric.measured)
        measures.append(Measure(name, did, value))
    tables: dict[str, dict[str, Measured]] = {}
    for column, measured in columns:
        tables.setdefault(measured.events, {})[column] = measured
    return Asked(measures, tables)


def _of_orders(rules: RuleFile, names: Sequence[str]) -> Iterator[tuple[str, Metric]]:
    """Whether customers bought, and what they spent, where the table of the orders has an amount."""
    if names and not {*names} & {*METRICS}:
        return
    table = table_of(rules)
    yield CONVERSION, Metric(events=table)
    if rules.events[table].amount:
        yield SPEND, Metric(events=table, measure="sum")


def _column(columns: list[tuple[str, Measured]], measured: Measured) -> str:
    """The column of a measure; one for those that are alike."""
    for known, other in columns:
        if other == measured:
            return known
    columns.append((f"measured-{len(columns)}", measured))
    return columns[-1][0]


def _unknown(rules: RuleFile, name: str, known: Mapping[str, Metric]) -> RuleError:
    if name == SPEND:
        message = f"`--metric {SPEND}`: the orders of `{table_of(rules)}` have no amount"
        return RuleError.of(message, hint="give the table an `amount`, and let a run be written by it")
    hint = nearest(name, {**known, **dict.fromkeys(METRICS)}, "metrics")
    return RuleError.of(f"the rules of the run have no `[evaluate.metric.{name}]`", hint=hint)


def table_of(rules: RuleFile) -> str:
    """The table of events with the orders; RuleError where nothing tells which one that is."""
    if table := money_table(rules):
        return table
    hint = 'say it in the rule file: `[evaluate]` with `events = "orders"`'
    raise RuleError.of("nothing tells which table of events has the orders", hint=hint)
