"""The history goes on: a line for each segment of this run, and what became of the members of the run before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import BOUGHT, SPENT, TOTAL_HIGH, TOTAL_LOW, written
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.histories import Line
from segkit.io.write import Sink, sink
from segkit.operations.decide import Decision
from segkit.operations.delivery.manifest import HistoryOf
from segkit.operations.delivery.past.lines import HISTORY_FILE, text_of
from segkit.operations.delivery.past.runs import BEFORE_FILE, MEMBER, Earlier, earlier_of
from segkit.operations.delivery.runs import RUN_FOLDER, Run
from segkit.operations.lists.protection import written_key
from segkit.operations.summary.aggregates import in_halves, total
from segkit.rules.tables import money_table
from segkit.words import listed


class History(NamedTuple):
    """The lines until today; `members` are of the days of `before`, with the digest of the rules."""

    lines: Sequence[Line] = ()
    members: pl.LazyFrame = pl.LazyFrame(schema=MEMBER)
    before: Mapping[str, str] = {}
    rules_changed: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return [HISTORY_FILE, *([BEFORE_FILE] if self.before else [])]

    @property
    def in_manifest(self) -> HistoryOf:
        """What the manifest says of it."""
        return HistoryOf(before=self.before, rules_changed=self.rules_changed)

    def sinks(self, folder: Path) -> list[Sink]:
        """What writes the members."""
        return [sink(self.members, folder / BEFORE_FILE, "parquet")] if self.before else []

    def keep_lines(self, folder: Path) -> None:
        """Write the lines into a folder of a run."""
        (folder / RUN_FOLDER).mkdir(exist_ok=True)
        (folder / HISTORY_FILE).write_bytes(text_of(self.lines).encode())


class _Found(NamedTuple):
    """What became of the members of the run before, by segment: how many there were, how many stayed, who bought.

    `bought` has how many bought, and for how much; None where nobody knows.
    """

    sizes: Mapping[str, int]
    stayed: Mapping[str, int]
    bought: Mapping[str, tuple[int, Decimal | None]] | None
    members: int = 0
    gone: int = 0
    """How many of all members there are, and how many are no customers any more: what they have bought is not known."""


def history_of(run: Decision, last: Run | None) -> tuple[History, list[Diagnostic]]:
    """The history with the lines of this run, and what is to be said of it; `last` is the run whose history goes on.

    Raises `DataError` where it is not as it was written.
    """
    today = run.evaluated.plan.context.as_of.isoformat()
    told = list(_left_out(run, today))
    if last is None:
        return History(lines=_in_order([], _lines(run, today, None, frozenset()), run)), told
    earlier = earlier_of(last)
    if earlier.until and today < earlier.until:
        return _unchanged(earlier, today)
    kept, of_today = _with_today(run, earlier, today)
    return kept, [*told, *of_today]


def _left_out(run: Decision, today: str) -> Iterator[Diagnostic]:
    """The note about segments of which this run knows nothing."""
    if left_out := [name for name, one in run.rules.segment.items() if one.write and name not in run.chosen]:
        message = f"the history has no line of {listed(left_out)} on {today}: `--select` leaves out who is in it"
        hint = "what its members buy from then until its next run is not counted: run the file as a whole"
        yield Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _unchanged(earlier: Earlier, today: str) -> tuple[History, list[Diagnostic]]:
    """The same history, with the members of its last day, which this run may take from their place."""
    members, told = _members(earlier, sorted(earlier.rules))
    kept = History(
        lines=earlier.lines,
        members=pl.concat([pl.LazyFrame(schema=MEMBER), *members.values()]),
        before={day: earlier.rules[day] for day in members},
        rules_changed=_changed(earlier),
    )
    message = f"the history goes until {earlier.until}: this run, of {today}, adds nothing to it"
    hint = "run it for that day, or a later one; lists of days before belong into a directory of their own"
    return kept, [Diagnostic(message, hint=hint, severity=Severity.NOTE), *told]


def _with_today(run: Decision, earlier: Earlier, today: str) -> tuple[History, list[Diagnostic]]:
    day = earlier.before(today)
    members, told = _members(earlier, [day] if day else [])
    changed = [one for one in _changed(earlier) if one != today]
    if day is None or day not in members:
        lines = _in_order(earlier.lines, _lines(run, today, None, frozenset()), run)
        return History(lines=lines, rules_changed=tuple(changed)), told
    if earlier.rules[day] != run.loaded.digest:
        changed.append(today)
    since = run.evaluated.plan.context.since
    bought = since is not None and since.isoformat() == day
    if not bought and money_table(run.rules):
        message = f"what the members of {day} have bought since is not known: another run has come in between"
        told.append(Diagnostic(message, hint="run it again", severity=Severity.WARNING))
    with earlier.run.reading():
        found = _found(run, members[day], bought=bought)
    if found.gone * 100 > found.members and found.bought is not None:
        message = f"{found.gone:,} of the {found.members:,} members of {day} are no customers any more"
        hint = "what they have bought since is not counted: keep them in the customer file, with a column that says so"
        told.append(Diagnostic(message, hint=hint, severity=Severity.WARNING))
    known = {line.segment for line in earlier.lines if line.as_of == day} | found.sizes.keys()
    if day == earlier.run.as_of:
        known |= earlier.run.written.keys()
    before = [_bought(line, found, run) if line.as_of == day else line for line in earlier.lines]
    kept = History(
        lines=_in_order(before, _lines(run, today, found, known), run),
        members=members[day],
        before={day: earlier.rules[day]},
        rules_changed=tuple(changed),
    )
    return kept, told


def _changed(earlier: Earlier) -> tuple[str, ...]:
    kept = earlier.run.manifest.history
    return kept.rules_changed if kept else ()


def _members(earlier: Earlier, days: Iterable[str]) -> tuple[dict[str, pl.LazyFrame], list[Diagnostic]]:
    """The members of these days, and a warning where the files that have them are not as they were written."""
    members: dict[str, pl.LazyFrame] = {}
    told: list[Diagnostic] = []
    for day in days:
        try:
            members[day] = earlier.members(day)
        except DataError as error:
            problem = error.diagnostics[0]
            message = f"the history has a gap, since nobody knows who was in the segments on {day}: {problem.message}"
            told.append(Diagnostic(message, hint=problem.hint, severity=Severity.WARNING))
    return members, told


def _found(run: Decision, members: pl.LazyFrame, *, bought: bool) -> _Found:
    marked, key = run.rows.marked, written_key(run.rules).alias("key")
    lists = [marked.filter(written(name)).select(pl.lit(name).alias("segment"), key) for name in run.chosen]
    now = pl.concat([pl.LazyFrame(schema={"segment": pl.String, "key": pl.String}), *lists])
    stayed = members.join(now, on=["segment", "key"], how="semi")
    asked = [members.group_by("segment").len(), stayed.group_by("segment").len()]
    computed = marked.collect_schema().names()
    if bought and BOUGHT in computed:
        of_each = in_halves(pl.col(SPENT)) if SPENT in computed else ()
        of_all = [pl.col(name).sum() for name in (TOTAL_HIGH, TOTAL_LOW)] if of_each else []
        # Customers whose keys are written alike are one of the members.
        buyers = marked.filter(BOUGHT).group_by(key).agg(of_each)
        asked.append(members.join(buyers, on="key").group_by("segment").agg(pl.len(), *of_all))
    everybody = members.select("key").unique()
    here = marked.select(key)
    asked += [everybody.select(pl.len()), everybody.join(here, on="key", how="anti").select(pl.len())]
    sizes, of_stayed, *of_buyers, of_all_members, of_gone = (frame.rows() for frame in pl.collect_all(asked))
    by_segment = {name: (count, total(*money) if money else None) for rows in of_buyers for name, count, *money in rows}
    return _Found(
        sizes=dict(sizes),
        stayed=dict(of_stayed),
        bought=by_segment if of_buyers else None,
        members=of_all_members[0][0],
        gone=of_gone[0][0],
    )


def _lines(run: Decision, today: str, found: _Found | None, known: Iterable[str]) -> list[Line]:
    """The lines of this run; `known` are the segments of the run before."""
    fewest = run.rules.output.min_cell
    lines = []
    for name in run.chosen:
        customers = run.tally.count("written", name)
        line = Line(as_of=today, segment=name, customers=_shown(customers, fewest))
        if found and name in known:
            line = _moved(line, customers, found.sizes.get(name, 0), found.stayed.get(name, 0), fewest)
        lines.append(line)
    return lines


def _moved(line: Line, customers: int, size: int, stayed: int, fewest: int) -> Line:
    """The line with how many entered and left since the run before, which had `size` customers.

    Any of these numbers tells the others, so where one is of a few customers, who entered and who left are not told,
    and who stayed in steps of as many.
    """
    entered, left = customers - stayed, size - stayed
    if None not in [_shown(number, fewest) for number in (entered, left, stayed, size, customers)]:
        return line._replace(entered=entered, left=left, stayed_percent=100 * stayed / size if size else None)
    if stayed < fewest:
        return line
    return line._replace(stayed_percent=100 * (size - fewest * round(left / fewest)) / size)


def _bought(line: Line, found: _Found, run: Decision) -> Line:
    """The line of the run before with what its members have bought since."""
    fewest, size = run.rules.output.min_cell, found.sizes.get(line.segment, 0)
    if found.bought is None or not _shown(size, fewest):
        return line._replace(buyers=None, conversion=None, revenue=None, per_customer=None)
    buyers, revenue = found.bought.get(line.segment, (0, None))
    if _shown(buyers, fewest) is None:
        return line._replace(buyers=None, conversion=None, revenue=None, per_customer=None)
    if not buyers and _has_money(run):
        revenue = Decimal()
    return line._replace(
        buyers=buyers,
        conversion=buyers / size,
        revenue=revenue,
        per_customer=None if revenue is None else float(revenue) / size,
    )


def _has_money(run: Decision) -> bool:
    table = money_table(run.rules)
    return table is not None and run.rules.events[table].amount is not None


def _shown(count: int, fewest: int) -> int | None:
    """A count; None where it is of a few customers, and nobody may know of them."""
    return None if 0 < count < fewest else count


def _in_order(before: Sequence[Line], new: Sequence[Line], run: Decision) -> list[Line]:
    """All lines by day, then in the order of the rules; the new ones take the place of those of their day."""
    places = {name: place for place, name in enumerate(run.rules.segment)}
    replaced = {(line.as_of, line.segment) for line in new}
    lines = [*(line for line in before if (line.as_of, line.segment) not in replaced), *new]
    today = {line.as_of for line in new}
    return sorted(lines, key=lambda line: (line.as_of, places.get(line.segment, 0) if line.as_of in today else 0))
