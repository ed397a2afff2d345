"""What `segkit evaluate --json` has written, read again for a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from segkit.errors import DataError
from segkit.experiments import ALL_SEGMENTS
from segkit.operations.delivery.runs import Run
from segkit.operations.reporting.few_in_words import without_few
from segkit.operations.reporting.hiding import is_few
from segkit.operations.reporting.sources import Names
from segkit.reports import Arm, Difference, Evaluation, Outcome
from segkit.results.terms import CONTROL, HELD_OUT

_COMMAND = "segkit evaluate RUN --json"


@dataclass(frozen=True, kw_only=True)
class _Figure:
    metric: str
    customers: int


@dataclass(frozen=True, kw_only=True)
class _Arm:
    name: str
    customers: int
    buyers: int | None = None
    conversion: float | None = None
    per_customer: float | None = None
    metrics: tuple[_Figure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    arm: str
    against: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    significant: bool | None = None
    too_few: bool = False


@dataclass(frozen=True, kw_only=True)
class _Segment:
    name: str
    arms: tuple[_Arm, ...]
    comparisons: tuple[_Comparison, ...]


@dataclass(frozen=True, kw_only=True)
class _Metric:
    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class _Warning:
    message: str


@dataclass(frozen=True, kw_only=True)
class _File:
    as_of: str
    runs: tuple[str, ...]
    start: str | None = Field(alias="from")
    until: str | None
    customers: int
    level: float
    compared: int
    metrics: tuple[_Metric, ...]
    segments: tuple[_Segment, ...]
    warnings: tuple[_Warning, ...] = ()


def evaluation(path: Path, run: Run, fewest: int) -> Evaluation:
    """What came of a run. `DataError` where the file is not of `evaluate --json`, or is of another run."""
    found = _read(path)
    if run.as_of not in found.runs:
        days = ", ".join(found.runs[:3]) or "no run"
        message = f"`{path}` is of {days}, and `{run.shown}` is a run of {run.as_of}"
        raise DataError.of(message, hint="name the evaluation of this run")
    if len(found.runs) == 1 and not _is_of(found, run):
        message = f"`{path}` is of another run of {run.as_of} than `{run.shown}`: it has other customers"
        raise DataError.of(message, hint="name the evaluation of this run")
    kinds = {metric.name: metric.kind for metric in found.metrics}
    names = Names(run.manifest)
    counts = any(arm.buyers is not None for one in found.segments for arm in one.arms)
    return Evaluation(
        runs=found.runs,
        start=found.start,
        until=found.until,
        level=found.level,
        compared=found.compared,
        outcomes=tuple(_outcome(one, kinds, fewest, counts=counts) for one in found.segments),
        warnings=tuple(without_few(names.without_folders(warning.message), fewest) for warning in found.warnings),
    )


def _read(path: Path) -> _File:
    hint = f"write it: `{_COMMAND} > FILE`"
    try:
        return TypeAdapter(_File).validate_json(path.read_bytes())
    except OSError as error:
        raise DataError.of(f"cannot read `{path}`: {error.strerror}", hint=hint) from error
    except ValidationError as error:
        raise DataError.of(f"`{path}` is not what `{_COMMAND}` writes", hint=hint) from error


def _is_of(found: _File, run: Run) -> bool:
    """Whether a run has the segments, and as many customers as were treated in each; of changes, it may have more."""
    written = {one.name: one.written for one in run.manifest.segments}
    treated = {
        one.name: [arm.customers for arm in one.arms if arm.name not in (HELD_OUT, CONTROL)] for one in found.segments
    }
    of_segments = {name: sum(sizes) for name, sizes in treated.items() if name != ALL_SEGMENTS}
    return found.customers == run.manifest.customers and all(
        size <= written.get(name, -1) for name, size in of_segments.items()
    )


def _outcome(one: _Segment, kinds: dict[str, str], fewest: int, *, counts: bool) -> Outcome:
    """Where few of an arm have bought, or all but a few, nothing of its segment stands there but what was compared.

    With `counts`, the file has the buyers of some arms: where it has not, they are a few.
    """
    few = any(is_few(number, fewest) for arm in one.arms for number in _sizes(arm))
    few = few or (counts and any(arm.buyers is None for arm in one.arms))
    few_customers = any(is_few(arm.customers, fewest) for arm in one.arms)
    return Outcome(
        name=one.name,
        is_hidden=few,
        arms=tuple(_arm(arm, few=few, few_customers=few_customers) for arm in one.arms),
        differences=tuple(_differences(one.comparisons, kinds, {*_small(one.arms, fewest)}, few=few)),
    )


def _sizes(arm: _Arm) -> tuple[int, ...]:
    """Customers, those who bought, and those who did not."""
    return arm.customers, *(() if arm.buyers is None else (arm.buyers, arm.customers - arm.buyers))


def _small(arms: Iterable[_Arm], fewest: int) -> Iterator[str]:
    """The metrics that few of an arm have."""
    for arm in arms:
        for figure in arm.metrics:
            if is_few(figure.customers, fewest):
                yield figure.metric


def _arm(arm: _Arm, *, few: bool, few_customers: bool) -> Arm:
    return Arm(
        name=arm.name,
        customers=None if few_customers else arm.customers,
        buyers=None if few else arm.buyers,
        conversion=None if few else arm.conversion,
        per_customer=None if few else arm.per_customer,
    )


def _differences(
    comparisons: Sequence[_Comparison], kinds: dict[str, str], small: set[str], *, few: bool
) -> Iterator[Difference]:
    for one in comparisons:
        hide = few or one.metric in small
        yield Difference(
            arm=one.arm,
            against=one.against,
            metric=one.metric,
            kind=kinds.get(one.metric, "mean"),
            difference=None if hide else one.difference,
            low=None if hide else one.low,
            high=None if hide else one.high,
            is_sure=bool(one.significant) and not hide,
            too_few=one.too_few,
        )
