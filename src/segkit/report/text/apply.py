"""What a run of a rule file did, as tables that read on a terminal of 80 columns and in a log alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segkit.report.numbers import money, percent, seconds, share
from segkit.report.reasons import LEFT_OUT
from segkit.report.text.detected import left_out
from segkit.report.text.drawn.bars import Bar
from segkit.report.text.models import model_table
from segkit.report.text.screen import told
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.report.text.thresholds import threshold_tables
from segkit.results.apply import ApplyResult, Change, SegmentResult, TableTarget
from segkit.results.parts import Distribution
from segkit.results.terms import HELD_OUT, MEMBERS
from segkit.words import count, plural

MANY = 5
"""How many overlaps are shown, the largest; JSON has them all."""
FILES_SHOWN = 20
"""How many files of one segment are shown; JSON has them all, too."""


def apply_summary(result: ApplyResult) -> RenderableType:
    """Everything that a run of a rule file has to say."""
    parts = [
        _headline(f"{plural(result.customers, 'customer')} on {result.as_of}"),
        segment_table(result.segments),
        _counts(result),
        *map(distribution_table, result.distributions),
        left_out(result.tables),
        *threshold_tables(result.thresholds),
        model_table(result.models),
        *profile_tables(result.segments),
        *map(told, (*result.warnings, *result.notes)),
        _closing(result),
    ]
    return spaced(parts)


def segment_table(segments: Sequence[SegmentResult]) -> RenderableType:
    """The ledger: a line for each segment, and one for each reason for which somebody is left out."""
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=12)
    numeric(table, "Matched", "Excluded", "Written", "Share")
    changed = any(s.change for s in segments)
    if changed:
        numeric(table, "Change")
    table.add_column(no_wrap=True)
    most = max((s.share for s in segments), default=0.0)
    for segment in segments:
        excluded = sum(segment.excluded.values())
        table.add_row(
            _name(segment),
            count(segment.matched),
            count(excluded) if excluded else "-",
            count(segment.written) if segment.write else "-",
            percent(segment.share) if segment.write else "",
            *([change(segment.change)] if changed else []),
            Bar(segment.share, most),
        )
        for reason, number in _left_out(segment):
            table.add_row(_indented(reason, "dim"), "", Text(count(number), style="dim"))
        for variant, number in segment.variants.items():
            table.add_row(_indented(f"variant {variant}", "dim"), "", "", Text(count(number), style="dim"))
        if segment.without_identifier:
            table.add_row(
                _indented("no identifier", "dim"), "", "", Text(count(segment.without_identifier), style="dim")
            )
        _add_files(table, segment)
    return table


def _left_out(segment: SegmentResult) -> Iterator[tuple[str, int]]:
    """Why how many are left out: the control group aside from the segment's own holdout."""
    for reason, number in segment.excluded.items():
        own = number - segment.control if reason == HELD_OUT else number
        if own:
            yield LEFT_OUT[reason], own
    if segment.control:
        yield "control group", segment.control


def change(value: Change | None) -> str:
    """`+3 -1`: who entered and who left since the last run; `=` where nobody did."""
    if value is None:
        return ""
    parts = [f"+{count(value.entered)}" if value.entered else "", f"-{count(value.left)}" if value.left else ""]
    return " ".join(filter(None, parts)) or "="


def _add_files(table: Table, segment: SegmentResult) -> None:
    """The files that `each` makes, a line for each combination of values."""
    files = [output for output in segment.outputs if output.values and output.holds == MEMBERS]
    for output in files[:FILES_SHOWN]:
        values = ", ".join(value if value is not None else "missing" for value in output.values.values())
        table.add_row(_indented(values, "dim"), "", "", Text(count(output.written), style="dim"))
    if len(files) > FILES_SHOWN:
        table.add_row(_indented(f"and {plural(len(files) - FILES_SHOWN, 'more file')}", "dim"))


def _name(segment: SegmentResult) -> RenderableType:
    lines: list[RenderableType] = [Text(segment.name, style="bold")]
    if segment.label and segment.label != segment.name:
        lines.append(_indented(segment.label, "italic"))
    if not segment.write:
        lines.append(_indented("building block", "dim"))
    return Group(*lines)


def _indented(text: str, style: str) -> RenderableType:
    return Padding(Text(text, style=style), (0, 0, 0, 2))


def _headline(text: str) -> Text:
    return Text(text, style="bold")


def _counts(result: ApplyResult) -> RenderableType:
    """Who matches nothing, who is in no list and who in several, and the largest of the pairs that share customers."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    numeric(table, "", "")
    rows = [("Match nothing", result.unmatched), ("In no list", result.unlisted), ("In several lists", result.several)]
    largest = sorted(result.overlaps, key=lambda overlap: -overlap.customers)[:MANY]
    rows += [(f"  {o.first} and {o.second}", o.customers) for o in largest]
    for name, number in rows:
        table.add_row(name, count(number), percent(share(number, result.customers)))
    more = len(result.overlaps) - MANY
    if more > 0:
        table.add_row(Text(f"  and {plural(more, 'more pair')}", style="dim"))
    return table


def distribution_table(distribution: Distribution) -> RenderableType:
    """A line for each stage or grade with its customers, and one for those who have none."""
    table = plain_table()
    table.add_column(distribution.column, overflow="fold", min_width=12)
    numeric(table, "Customers", "Share")
    table.add_column(no_wrap=True)
    most = max(group.share for group in distribution.values)
    for group in distribution.values:
        name = Text(f"no {distribution.kind}", style="dim") if group.value is None else Text(group.value, style="bold")
        table.add_row(name, count(group.customers), percent(group.share), Bar(group.share, most))
    return table


def profile_tables(segments: Sequence[SegmentResult]) -> Iterator[RenderableType]:
    """For each profiled column: mean, median, total and share by segment."""
    columns = dict.fromkeys(name for s in segments for name in s.profile)
    for column in columns:
        table = plain_table()
        table.add_column("Segment", overflow="fold")
        numeric(table, "Mean", "Median", "Total", "Share")
        for segment in segments:
            if column in segment.profile:
                p = segment.profile[column]
                table.add_row(segment.name, money(p.mean), money(p.median), money(p.total), percent(p.share))
        yield titled(f"Profile: {column}", table)


def _closing(result: ApplyResult) -> Text:
    files = sum(len(segment.outputs) + (segment.holdout is not None) for segment in result.segments)
    if result.dry_run:
        what = "Dry run: nothing was written"
    elif result.table:
        what = _in_table(result, result.table)
    elif result.directory is None:
        what = "Rows went to standard output"
    else:
        held = sum(segment.holdout is not None for segment in result.segments)
        of_those = f", {held:,} of them {'a holdout' if held == 1 else 'holdouts'}" if held else ""
        if result.control and result.control.path:
            files += 1
            of_those += f", one the control group ({plural(result.control.customers, 'customer')})"
        what = f"{plural(files, 'file')} in {result.directory}{of_those}"
    if result.cutoffs:
        what += f"\nCutoffs in {', '.join(result.cutoffs)}"
    if result.report:
        what += f"\nReport in {result.report}"
    return Text(f"{what} ({seconds(result.elapsed_seconds)})", style="green")


def _in_table(result: ApplyResult, table: TableTarget) -> str:
    """How many rows went where, and who is held out."""
    rows = sum(output.written for segment in result.segments for output in segment.outputs)
    what = f"{plural(rows, 'row')} in {table.address}, table {table.table}"
    if table.holdout:
        held = sum(s.control + (s.holdout.written if s.holdout else 0) for s in result.segments)
        what += f"\n{plural(held, 'row')} of those held out in table {table.holdout}"
    return f"{what}\nThe run is kept in {result.directory}"
