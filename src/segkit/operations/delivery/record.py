"""The manifest of a run, made of what the run has found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from segkit.addresses import without_secrets
from segkit.diagnostics import Diagnostic
from segkit.gates.ledger import salt_of
from segkit.operations.decide import Decision
from segkit.operations.delivery import manifest as m
from segkit.operations.delivery.aggregates import aggregates_of
from segkit.operations.delivery.changes import Changes, members_of
from segkit.operations.delivery.digests import Digests
from segkit.operations.delivery.kept import RULES_FILE, folder_from, included, types_of
from segkit.operations.delivery.personal_data import personal_data
from segkit.operations.delivery.vanishing import path_from
from segkit.operations.lists.protection import key_form
from segkit.results.apply import ApplyResult, SegmentResult, WrittenFile
from segkit.results.parts import Distribution, FittedModel, Threshold
from segkit.results.terms import MEMBERS, REASONS
from segkit.rules.model.file import RuleFile


class Written(NamedTuple):
    """What stands in a folder beside the manifest: the names of the files, and the columns of the lists."""

    folder: Path
    names: Sequence[str]
    columns: Sequence[str]


def manifest_of(
    run: Decision,
    result: ApplyResult,
    changes: Changes,
    written: Written,
    digests: Digests,
    started: dt.datetime,
    directory: Path,
) -> m.Manifest:
    """What the run read and wrote; all but `times` is the same whenever the same files are read.

    `directory` is the output directory. The keys of the customers at a threshold stay out.
    """
    loaded, rules = run.loaded, run.rules
    history, tracked = changes.past.in_manifest
    return m.Manifest(
        rules=m.RulesRead(
            path=Path(loaded.source.path).name,
            sha256=loaded.digest,
            relative_path=path_from(directory, loaded),
            copy=RULES_FILE,
            directory=folder_from(directory, loaded),
            variables=loaded.variables,
            included=tuple(m.IncludedFile(written=file.written, copy=name) for name, file in included(loaded).items()),
        ),
        inputs=tuple(
            m.InputRead(table=one.table, path=one.label.path, bytes=one.bytes, sha256=digests[one.content])
            for one in run.evaluated.inputs
        ),
        files=tuple(written.names),
        bytes={name: (written.folder / name).stat().st_size for name in written.names},
        assignment=rules.assignment.mode,
        output=_form(rules),
        members=members_of(changes),
        personal_data=personal_data(run.evaluated.plan, written.columns, run.evaluated.computed.customers),
        as_of=result.as_of.isoformat(),
        customers=result.customers,
        segments=tuple(
            _segment(segment, run, changes, in_table=result.table is not None) for segment in result.segments
        ),
        control=_control(result),
        unmatched=result.unmatched,
        unlisted=result.unlisted,
        several=result.several,
        overlaps=tuple(m.OverlapOf(**o._asdict()) for o in result.overlaps),
        distributions=tuple(map(_distribution, result.distributions)),
        thresholds=tuple(map(_cuts, result.thresholds)),
        models=tuple(map(_model, result.models)),
        warnings=tuple(map(_told, result.warnings)),
        notes=tuple(map(_told, result.notes)),
        tables=tuple(
            m.TableOf(
                name=t.name,
                rows=t.rows,
                left_out=t.left_out,
                detected=t.detected,
                types=types_of(run.evaluated.plan.view(t.name)),
            )
            for t in result.tables
        ),
        aggregates=aggregates_of(run),
        history=history,
        tracked=tracked,
        times=m.Times(
            started=started.isoformat(timespec="milliseconds"), elapsed_seconds=round(result.elapsed_seconds, 3)
        ),
    )


def _is_new(segment: str, changes: Changes) -> bool:
    """Whether everybody enters a segment; in a run that is repeated, as in the first one of the day."""
    if not changes.writes:
        return False
    if changes.last is None or segment not in changes.last.written:
        return True
    before = {one.name: one.new for one in changes.last.manifest.segments}
    return changes.last.day == changes.rows.day and before.get(segment, False)


def _form(rules: RuleFile) -> m.OutputForm:
    output, key = rules.output, key_form(rules)
    return m.OutputForm(
        format=output.format,
        delimiter=output.delimiter or ",",
        key=key.column,
        key_protection=key.protection,
        key_secret=key.secret,
        key_escaped=key.escaped,
        label_column=output.label_column,
        headers=output.headers,
        audience=output.audience,
        changes=output.changes,
        to=without_secrets(output.to) if output.to else None,
        table=output.table,
        load=output.load if output.to else None,
    )


def _segment(segment: SegmentResult, run: Decision, changes: Changes, *, in_table: bool) -> m.SegmentOf:
    outputs, asked = tuple(map(_file, segment.outputs)), run.rules.segment[segment.name]
    whole = [o.path for o in outputs if not o.values and o.holds == MEMBERS]
    return m.SegmentOf(
        name=segment.name,
        label=segment.label,
        matched=segment.matched,
        excluded={reason: segment.excluded.get(reason, 0) for reason in REASONS},
        written=segment.written,
        share=_percent(segment.share) or 0.0,
        path=whole[0] if len(whole) == 1 and not in_table else None,
        outputs=outputs,
        control=segment.control,
        holdout_path=Path(segment.holdout.path).name if segment.holdout else None,
        variants=segment.variants,
        holdout=None if asked.holdout is None else Decimal(asked.holdout),
        split={name: Decimal(percent) for name, percent in (asked.split or {}).items()},
        salt=salt_of(segment.name, asked) if asked.holdout is not None or asked.split else None,
        limit_at=_limit_at(run, segment.name),
        write=segment.write,
        new=segment.write and _is_new(segment.name, changes),
        under_control=asked.control,
        profile={
            column: m.ProfileOf(mean=p.mean, median=p.median, total=p.total, share=_percent(p.share))
            for column, p in segment.profile.items()
        },
        without_identifier=segment.without_identifier,
    )


def _control(result: ApplyResult) -> m.ControlOf | None:
    if result.control is None:
        return None
    path = result.control.path and Path(result.control.path).name
    return m.ControlOf(**{**result.control._asdict(), "path": path})


def _limit_at(run: Decision, name: str) -> str | None:
    tally, last = run.tally, run.limits.get(name)
    few = tally.count("written", name) + tally.count("stopped", name, "holdout") < run.rules.output.min_cell
    return None if few or last is None or not tally.count("stopped", name, "limit") else str(last)


def _file(output: WrittenFile) -> m.FileOf:
    return m.FileOf(
        path=Path(output.path).name, written=output.written, values=output.values, holds=output.holds, rows=output.rows
    )


def _distribution(distribution: Distribution) -> m.DistributionOf:
    counts = (
        m.CountOf(value=c.value, customers=c.customers, share=round(c.share, PLACES)) for c in distribution.values
    )
    return m.DistributionOf(column=distribution.column, values=tuple(counts))


def _cuts(threshold: Threshold) -> m.CutsOf:
    """The cuts without the keys of the customers who stand at them."""
    return m.CutsOf(
        column=threshold.column,
        id=threshold.id,
        values=threshold.values,
        inclusive=threshold.inclusive,
        falls=threshold.falls,
        within=threshold.within,
        groups=threshold.groups,
        customers=threshold.customers,
        mean=threshold.mean,
    )


def _model(model: FittedModel) -> m.ModelOf:
    return m.ModelOf(
        name=model.name,
        parameters=model.parameters,
        log_likelihood=round(model.log_likelihood, 2),
        customers=model.customers,
        repeaters=model.repeaters,
    )


def _told(diagnostic: Diagnostic) -> m.Told:
    place = diagnostic.location
    return m.Told(
        severity=str(diagnostic.severity),
        message=diagnostic.message,
        path=place.path if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        hint=diagnostic.hint,
    )


PLACES = 4
"""Decimals of a share in percent."""


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share, PLACES)
