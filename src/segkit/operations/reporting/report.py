"""`report`: all that a run tells, as one page that can be forwarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from segkit.errors import DataError, RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import publish_file
from segkit.io.write import STDOUT
from segkit.operations.delivery.past.lines import has_history
from segkit.operations.delivery.past.tracked import has_day
from segkit.operations.delivery.runs import Run, open_run
from segkit.operations.reporting.evaluation import evaluation
from segkit.operations.reporting.found.read import discoveries
from segkit.operations.reporting.ledger import counted, ledger
from segkit.operations.reporting.mavr import answers
from segkit.operations.reporting.past import flows, moved, past, told, tracked_since
from segkit.operations.reporting.scores import grades, rfm_tables
from segkit.operations.reporting.sources import Names, files, messages, tables
from segkit.operations.reporting.together import overlap
from segkit.operations.reporting.totals import totals
from segkit.reports import ReportWritten, RunReport


class Wanted(NamedTuple):
    """What a report is to be: its title, the fewest customers of a number, what else it shows."""

    title: str | None = None
    min_cell: int = 5
    previous: Path | None = None
    evaluation: Path | None = None
    discoveries: tuple[Path, ...] = ()


class Page(NamedTuple):
    """How a report is drawn: the bytes of the page, and the names of its sections."""

    draw: Callable[[RunReport], bytes]
    sections: Callable[[RunReport], tuple[str, ...]]


def write_report(
    path: Path,
    output: str,
    page: Page,
    wanted: Wanted,
    *,
    stdout: BinaryIO | None = None,
    wait: bool = True,
    on_wait: Callable[[str], None] = lambda _: None,
) -> ReportWritten:
    """Write the page of the run in a folder; `-` is `stdout`.

    Raises `DataError` where there is no run, or it is not whole, or what is to stand beside it is not of it;
    `WriteError` where the page would take the place of what is read.
    """
    require_local(output)
    run = open_run(path)
    if output != STDOUT:
        _spare(Path(output), run, wanted)
        require_page(Path(output))
    found = report_of(run, wanted)
    content = page.draw(found)
    if output == STDOUT:
        assert stdout is not None, "a page for standard output needs a stream"
        stdout.write(content)
        stdout.flush()
    else:
        with publish_file(Path(output), wait=wait, on_wait=on_wait) as target:
            target.write_bytes(content)
    return ReportWritten(output, len(content), found.as_of, page.sections(found), found.left_out)


def require_page(output: Path) -> None:
    """`RuleError` for a file that no browser takes for a page."""
    if not output.is_dir() and output.suffix.lower() not in (".html", ".htm"):
        hint = "name it `report.html`: a browser shows it, and prints it as PDF"
        raise RuleError.of(f"`{output}`: a report is a page of HTML", hint=hint)


def _spare(output: Path, run: Run, wanted: Wanted) -> None:
    """`WriteError` where the page would take the place of a file of a run, or of another that is read."""
    target = output.resolve()
    ours = {run.folder / name for name in ("manifest.json", *run.manifest.files)}
    if wanted.previous and wanted.previous.is_dir():
        ours |= {wanted.previous / "manifest.json"}
    if target in {
        path.resolve() for path in (*ours, *filter(None, [wanted.evaluation, wanted.previous]), *wanted.discoveries)
    }:
        raise WriteError.of(f"`{output}` is an input: the report would take its place", hint="name another file")


def report_of(run: Run, wanted: Wanted) -> RunReport:
    """All that the page shows.

    Of the run, its manifest and its history are read, and the tracked values where it is compared; no list. Beside it,
    what was evaluated and discovered is read from the files that are wanted.
    """
    manifest = run.manifest
    kept = manifest.aggregates
    fewest = max(wanted.min_cell, kept.fewest if kept else 1)
    before = _previous(wanted.previous, run) if wanted.previous else None
    numbers = counted(manifest, fewest)
    history = told(run, numbers, fewest)
    segments = ledger(manifest, fewest, moved(history, run.as_of), before.manifest if before else None)
    tracked = tracked_since(run, before, fewest)
    discovered = discoveries(wanted.discoveries, Names(manifest), fewest)
    days = sorted({line.as_of for line in history.lines if line.as_of < run.as_of})
    found = RunReport(
        title=wanted.title or "Segments",
        as_of=run.as_of,
        version=manifest.segkit_version,
        exclusive=run.exclusive,
        fewest=fewest,
        previous=before.as_of if before else None,
        since=days[-1] if days else None,
        totals=totals(manifest, numbers, fewest),
        segments=segments,
        overlap=overlap(manifest, kept, segments, fewest) if kept and not run.exclusive else None,
        rfm=tuple(rfm_tables(kept, fewest)) if kept else (),
        grades=grades(kept.columns, fewest) if kept else (),
        flows=tuple(flows(tracked, max(fewest, tracked.fewest))) if tracked else (),
        answers=answers(manifest, kept.mavr, fewest) if kept and kept.mavr else (),
        evaluation=evaluation(wanted.evaluation, run, fewest) if wanted.evaluation else None,
        past=past(history, run) if history.lines else None,
        baskets=discovered.baskets,
        lookalikes=discovered.lookalikes,
        clusters=discovered.clusters,
        tables=tuple(tables(manifest, fewest)),
        files=tuple(files(manifest)),
        rules=(manifest.rules.path, manifest.rules.sha256) if manifest.rules else None,
        messages=tuple(messages(manifest, fewest)),
        left_out={},
    )
    return found._replace(left_out=dict(_left_out(found, run, before)))


def _previous(path: Path, run: Run) -> Run:
    """The run to compare with. `DataError` where its customers have other keys, or where it is not of a day before."""
    before = open_run(path)
    if before.key != run.key:
        message = f"`{path}` shows keys in another way than `{run.shown}`: the two cannot be compared"
        raise DataError.of(message, hint="name a run with the same `key` and the same protection of it")
    if before.day >= run.day:
        message = f"`{path}` is a run of {before.as_of}, not of a day before {run.as_of}"
        raise RuleError.of(message, hint="name an earlier run")
    return before


def _left_out(found: RunReport, run: Run, before: Run | None) -> Iterator[tuple[str, str]]:
    """Sections that are not there, and why."""
    manifest = run.manifest
    kept, old = manifest.aggregates, "the run is of a version of segkit that kept no aggregates: run it anew"
    if run.exclusive:
        yield "overlap", "the run is exclusive: nobody is in two lists"
    elif found.overlap is None:
        yield "overlap", "there are no two lists" if kept else old
    if not found.rfm:
        without = "nobody has scores" if kept and kept.rfm else "the rule file has no `[rfm]`"
        yield "rfm", without if kept else old
    if not found.flows:
        yield "flow", _without_flow(run, before)
    if not found.grades:
        yield "grades", "the rule file has no stages and no grades" if kept else old
    if not found.answers:
        yield "mavr", "there are no customers" if kept and kept.mavr is not None else old
    if found.evaluation is None:
        yield "evaluation", "none was given: `--evaluation FILE`"
    if found.past is None or not found.past.segments:
        yield "history", "it has no lines yet" if has_history(run) else "the run keeps none: `[output] history = true`"


def _without_flow(run: Run, before: Run | None) -> str:
    tracked = run.manifest.tracked
    if tracked is None:
        return "the run tracks no column: `[output] track`"
    if before is None and tracked.since is None:
        return "no run of a day before has tracked these columns"
    if before and not has_day(run):
        return f"the run has the values of {max(tracked.days)}, not those of its own day"
    old = before.manifest.tracked if before else None
    if before and (old is None or not has_day(before) or not {*old.columns} & {*tracked.columns}):
        return f"the run of {before.as_of} does not track these columns"
    return "nobody is there on both days"
