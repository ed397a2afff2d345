"""The variables of a rule file on one day: what is asked of each column and measure, and how they are tied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from itertools import product

import polars as pl

from segkit.columns.features.lifecycle import COLUMN, lifecycle_steps
from segkit.columns.features.steps import MeasureStep, RowStep
from segkit.criteria.conditions import COMPARISONS
from segkit.proof.logic.formulas import Leaf
from segkit.proof.logic.space import HIDDEN, Space
from segkit.proof.variables import values
from segkit.proof.variables.columns import Columns, bases, kind_of_all
from segkit.proof.variables.measures import SINCE, WHOLE, Measure, measure_of, relate_measures
from segkit.rules.model.computed.lifecycle import LENGTHS
from segkit.rules.model.computed.rfm import rfm_column
from segkit.rules.model.computed.rfm_maps import map_codes
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import ZERO_WHEN_NONE, EventCondition
from segkit.rules.walk import blocks, event_conditions

SCORES = ("r_score", "f_score", "m_score")
DATED = frozenset({"first", "last"})


class Universe:
    """The variables of a rule file on one day."""

    def __init__(self, rules: RuleFile, as_of: dt.date, best: dict[str, Decimal | None] | None = None) -> None:
        self.rules, self.as_of, self.best = rules, as_of, best or {}
        self.space = Space()
        self.columns = Columns(self.space, rules, as_of)
        self.asked: dict[str, list[Condition]] = {}
        self.measures: dict[str, Measure] = {}
        """Variable -> what it measures."""
        self.measured: dict[str, Measure] = {}
        """Column -> what it measures."""
        self.compared: dict[str, list[Decimal]] = {}
        """Variable -> numbers that event conditions compare it with."""
        self._implied: dict[tuple[str, str, str], bool] = {}
        self._collect()
        self._build()

    def condition(self, column: str, condition: Condition) -> Leaf | None:
        """For which values the condition holds; None where that is not known."""
        return self.columns.masks.get((column, repr(condition)))

    def measure(self, measure: Measure, asked: dict[str, Decimal]) -> Leaf | None:
        """For which values of a measure the comparisons hold."""
        if measure.name not in self.space.full or not _is_number(measure):
            return None
        return self.space.leaf(
            measure.name,
            lambda value: value is not None and all(COMPARISONS[name](value, n) for name, n in asked.items()),
        )

    # --- what is asked -----------------------------------------------------------------------------------------

    def _collect(self) -> None:
        for _, block in blocks(self.rules):
            for _, column, condition in block.criteria():
                self.asked.setdefault(column, []).append(condition)
        for _, event_condition in event_conditions(self.rules):
            self._collect_event(event_condition)
        for name, trait in self.rules.trait.items():
            if trait.events and trait.measure != "share":
                self.measured[name] = measure_of(trait, trait.measure, self.as_of, trait.of)
        if value := self.rules.value:
            self.measured["order_count"] = measure_of(value, "count", self.as_of)
            self.measured["revenue"] = measure_of(value, "sum", self.as_of)
        known = bases(self.rules)
        roots = {_root(column, known) for column in self.asked}
        self.measured = {name: measure for name, measure in self.measured.items() if name in roots}
        for measure in self.measured.values():
            self._note(measure)
        if COLUMN in self.asked and self.rules.lifecycle and not self.rules.lifecycle.stage:
            for measure in self._of_stages().values():
                self._note(measure)

    def _collect_event(self, condition: EventCondition) -> None:
        count = measure_of(condition, "count", self.as_of)
        self._note(count)
        if condition.measure == "share" or condition.in_each:
            return
        measure = measure_of(condition, condition.measure, self.as_of, condition.of)
        self._note(measure)
        self.compared.setdefault(measure.name, []).extend(Decimal(n) for n in condition.result.values())

    def _note(self, measure: Measure) -> None:
        """A measure, with the number of events that it belongs to."""
        for one in (measure, measure.of_rows("count")):
            self.measures[one.name] = one

    def _of_stages(self) -> dict[str, Measure]:
        """Hidden column of the ready-made stages -> what it measures."""
        steps = lifecycle_steps(self.rules, self.columns.context)
        specs = [step.measure for step in steps if isinstance(step, MeasureStep)]
        return {one.name: measure_of(one.spec, one.spec.measure, self.as_of) for one in specs}

    # --- variables ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        known = bases(self.rules)
        groups: dict[str, list[str]] = {}
        for column in self.asked:
            for one in _chain(column, known):
                if one not in groups.setdefault(_root(column, known), []):
                    groups[_root(column, known)].append(one)
        tables = {
            rfm_column(name, column): name for name in self.rules.rfm for column in (*SCORES, "rfm_code", "rfm_segment")
        }
        for base, columns in groups.items():
            if base in tables or base in self.measured or (base == COLUMN and self.rules.lifecycle):
                continue
            score = self.rules.score.get(base.removesuffix("_score")) if base.endswith("_score") else None
            if score:
                self._add_score(base, columns)
            else:
                self.columns.add(base, columns, self.asked)
        for name in sorted({tables[base] for base in groups if base in tables}):
            self._add_rfm(name, [c for base, cs in groups.items() if tables.get(base) == name for c in cs])
        self._add_measures(groups)
        if COLUMN in self.asked and self.rules.lifecycle:
            self._add_stages()
        relate_measures(self.space, self._there(), self.as_of, self._implies)

    def _there(self) -> dict[str, Measure]:
        return {
            name: measure
            for name, measure in self.measures.items()
            if name in self.space.full and (_is_number(measure) or measure.measure in DATED)
        }

    def _add_score(self, name: str, columns: list[str]) -> None:
        score = self.rules.score[name.removesuffix("_score")]
        best = self.best.get(name.removesuffix("_score"))
        most = Decimal(score.max_score) if best is None else min(best, Decimal(score.max_score))
        grades = {Decimal(n) for n in score.grades.values()}
        constants = {*self.columns.constants(columns, self.asked), *grades, most, Decimal(0)}
        whole = score.whole and not any(rule.points_per for rule in score.rule)
        self.columns.add_numbers(name, columns, self.asked, constants, whole=whole, least=Decimal(0), missing=False)
        # What gives points may depend on the day.
        self.columns.moving.add(name)
        if name in self.space.full:
            self.space.restrict(name, lambda points: points <= most)

    def _add_rfm(self, table: str, columns: list[str]) -> None:
        rfm = self.rules.rfm[table]
        codes = map_codes(rfm)
        dash = "-" if rfm.bins == 10 else ""
        rows: list[tuple[object, ...]] = [(*code, dash.join(map(str, code)), codes[code]) for code in sorted(codes)]
        rows.append((None,) * 5)
        names = [rfm_column(table, column) for column in (*SCORES, "rfm_code", "rfm_segment")]
        data = {name: [row[n] for row in rows] for n, name in enumerate(names)}
        types = {name: pl.Int64() if n < len(SCORES) else pl.String() for n, name in enumerate(names)}
        self.columns.table(data, types, columns, self.asked, f"{HIDDEN}rfm {table}")

    def _add_measures(self, groups: dict[str, list[str]]) -> None:
        """A variable for each measure; conditions on a column become conditions on what it measures."""
        columns_of: dict[str, list[str]] = {}
        for column, measure in self.measured.items():
            columns_of.setdefault(measure.name, []).append(column)
        pools: dict[tuple[object, ...], set[Decimal]] = {}
        for name, measure in self.measures.items():
            pool = pools.setdefault(measure.alike, {Decimal(0), Decimal(1)})
            pool |= {*self.compared.get(name, ()), *self._edges(measure)}
            for column in columns_of.get(name, ()):
                pool |= self.columns.constants(groups.get(column, [column]), self.asked)
        for name, measure in self.measures.items():
            columns = columns_of.get(name, [])
            # Which events count depends on the day, and so does which values there can be.
            self.columns.moving |= {name, *columns}
            if _is_number(measure, self.asked, columns):
                whole = measure.measure in WHOLE
                known = values.numbers(pools[measure.alike], whole=whole, least=Decimal(0) if whole else None)
                if known is not None:
                    self._add_numbers(measure, known, columns, groups)
            elif measure.measure in DATED and measure.of is None:
                for column in columns:
                    self.columns.add_dates(column, groups.get(column, [column]), self.asked, latest=self.as_of)
            else:
                for column in columns:
                    self.columns.add(column, groups.get(column, [column]), self.asked)

    def _add_numbers(
        self, measure: Measure, known: list[Decimal], columns: list[str], groups: dict[str, list[str]]
    ) -> None:
        cells = [*known, *([] if measure.measure in ZERO_WHEN_NONE else [None])]
        if not columns:
            self.space.add(measure.name, cells)
        for column in columns:
            asked = groups.get(column, [column])
            self.columns.table({column: cells}, {column: pl.Decimal(38, 14)}, asked, self.asked, measure.name)

    def _edges(self, measure: Measure) -> Iterable[Decimal]:
        """The days and numbers at which other measures of the same events, and stages, change."""
        if measure.measure in SINCE:
            for other in self.measures.values():
                if other.events == measure.events and not isinstance(other.window, str):
                    for day in other.window:
                        yield from (Decimal((self.as_of - day).days + n) for n in (-1, 0, 1))
        life = self.rules.lifecycle
        if life and life.events == measure.events:
            if measure.measure in SINCE:
                for key in LENGTHS:
                    yield from (Decimal((self.as_of - getattr(life, key).before(self.as_of)).days + n) for n in (0, 1))
            elif measure.measure == "count":
                yield Decimal(life.loyal_from)

    def _add_stages(self) -> None:
        """The stages; the ready-made ones with the measures that they are made of, as their own step computes them."""
        assert self.rules.lifecycle is not None
        own = bool(self.rules.lifecycle.stage)
        stages = [*self.rules.lifecycle.stages, *([None] if own else [])]
        self.columns.table({COLUMN: stages}, {COLUMN: pl.String()}, [COLUMN], self.asked)
        if own or COLUMN not in self.space.full:
            return
        self.columns.moving.add(COLUMN)
        hidden = self._of_stages()
        names = {column: measure.name for column, measure in hidden.items()}
        if not all(name in self.space.full for name in names.values()):
            return
        rows = [
            row
            for row in product(*(self.space.values[name] for name in names.values()))
            if (row[0] == 0) == (row[1] is None) == (row[2] is None) and (row[0] == 0 or row[1] >= row[2])
        ]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(hidden, pl.Int64()), orient="row")
        step = next(s for s in lifecycle_steps(self.rules, self.columns.context) if isinstance(s, RowStep))
        found = frame.select(step.build(dict(frame.schema)).alias(COLUMN)).to_series().to_list()
        for place, name in enumerate(names.values()):
            seen = {(stage, row[place]) for stage, row in zip(found, rows, strict=True)}
            self.space.relate(COLUMN, name, lambda stage, value, seen=seen: (stage, value) in seen, linked=True)  # type: ignore[misc]

    def _implies(self, column: str, first: Condition, second: Condition) -> bool:
        """Whether one condition on a column of events implies another."""
        if repr(first) == repr(second):
            return True
        key = (column, repr(first), repr(second))
        if key not in self._implied:
            one = Columns(Space(), self.rules.model_copy(update={"trait": {}, "score": {}}), self.as_of)
            if kind_of_all([first, second]) is not None:
                one.add(column, [column], {column: [first, second]})
            a, b = (one.masks.get((column, repr(condition))) for condition in (first, second))
            self._implied[key] = a is not None and b is not None and not a.mask & ~b.mask
        return self._implied[key]


def _chain(column: str, known: dict[str, str]) -> list[str]:
    """What lies between a column and the one that it is computed from, that included only where it is asked itself."""
    found = [column]
    while known.get(found[-1]) in known:
        found.append(known[found[-1]])
    return found


def _root(column: str, known: dict[str, str]) -> str:
    while column in known:
        column = known[column]
    return column


def _is_number(measure: Measure, asked: dict[str, list[Condition]] | None = None, columns: Iterable[str] = ()) -> bool:
    """Whether a measure is a number, whatever column it is of."""
    if measure.measure in {"first", "last", "nth", "most_frequent"}:
        return False
    if measure.measure in {"min", "max"} and measure.of is not None and asked is not None:
        return all(kind_of_all(asked.get(column, ())) == "number" for column in columns)
    return True
