"""The workbook beside the lists: what the run counted, then a sheet for each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from segkit.io.write.workbook import Shown, sheet_names, workbook
from segkit.operations.delivery.changes import Changes, list_rows
from segkit.results.apply import ApplyResult

SUMMARY = "Summary"
_PERCENT = "0.0%"
_COUNT = "#,##0"


def write_workbook(result: ApplyResult, changes: Changes, directory: Path) -> None:
    """Write the workbook, where one is asked for; `WriteError` for what a workbook does not hold."""
    rules = changes.rules
    if rules.output.workbook is None:
        return
    lists = list_rows(changes)
    sheets = sheet_names([Path(name).stem for name, _ in lists], taken=[SUMMARY])
    with workbook(directory / rules.output.workbook, result.as_of) as book:
        book.add_rows(SUMMARY, _summary(result, [name for name, _ in lists], sheets))
        for sheet, (_, frame) in zip(sheets, lists, strict=True):
            book.add_table(sheet, frame, changes.rows.style.separators)


def _summary(
    result: ApplyResult, files: Sequence[str], sheets: Sequence[str]
) -> Iterator[Sequence[Shown | str | float | None]]:
    """The counts of the segments, of all customers, and of the files, with the sheet in which each stands."""
    yield [Shown(f"Segments on {result.as_of.isoformat()}", bold=True)]
    yield []
    counted = [Shown(name, right=True) for name in ("Matched", "Excluded", "Written", "Share")]
    yield _header("Segment", "Label", *counted)
    for segment in result.segments:
        counts = [_count(segment.matched), _count(sum(segment.excluded.values()))]
        written = [_count(segment.written), _share(segment.share)] if segment.write else ["", ""]
        yield [segment.name, "" if segment.label == segment.name else segment.label, *counts, *written]
    yield []
    yield ["Customers", None, _count(result.customers)]
    yield ["Match nothing", None, _count(result.unmatched)]
    yield ["In no list", None, _count(result.unlisted)]
    yield ["In several lists", None, _count(result.several)]
    yield []
    yield _header("Sheet", "File", Shown("Rows", right=True))
    written_in = {Path(o.path).name: o.written for s in result.segments for o in (*s.outputs, s.holdout) if o}
    if result.control and result.control.path:
        written_in[Path(result.control.path).name] = result.control.customers
    for sheet, file in zip(sheets, files, strict=True):
        yield [sheet, file, _count(written_in[file]) if file in written_in else None]


def _header(*names: Shown | str) -> list[Shown]:
    return [name if isinstance(name, Shown) else Shown(name, bold=True) for name in names]


def _count(number: int) -> Shown:
    return Shown(number, _COUNT)


def _share(percent: float) -> Shown:
    return Shown(percent / 100, _PERCENT)
