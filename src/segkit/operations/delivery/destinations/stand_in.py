"""What people read of a run whose output directory has a stand-in: its address, never the folder of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from segkit.diagnostics import Diagnostic
from segkit.errors import SegkitError
from segkit.results.apply import ApplyResult, SegmentResult, WrittenFile
from segkit.rules.text.stand_in import StandIn


@contextmanager
def naming(stand_in: StandIn | None) -> Iterator[None]:
    """Errors out of the block name the address."""
    try:
        yield
    except SegkitError as error:
        if stand_in is None:
            raise
        raise type(error)(*(_said(one, stand_in) for one in error.diagnostics)) from error


def named(result: ApplyResult, stand_in: StandIn | None) -> ApplyResult:
    """The result with the address in all places."""
    if stand_in is None:
        return result
    control = result.control
    return result._replace(
        directory=_place(result.directory, stand_in),
        segments=tuple(_segment(segment, stand_in) for segment in result.segments),
        control=control and control._replace(path=_place(control.path, stand_in)),
        warnings=tuple(_said(one, stand_in) for one in result.warnings),
        notes=tuple(_said(one, stand_in) for one in result.notes),
    )


def _segment(segment: SegmentResult, stand_in: StandIn) -> SegmentResult:
    return segment._replace(
        outputs=tuple(_file(one, stand_in) for one in segment.outputs),
        holdout=segment.holdout and _file(segment.holdout, stand_in),
    )


def _file(file: WrittenFile, stand_in: StandIn) -> WrittenFile:
    return file._replace(path=stand_in.said(file.path))


def _place(path: str | None, stand_in: StandIn) -> str | None:
    return path and stand_in.said(path)


def _said(one: Diagnostic, stand_in: StandIn) -> Diagnostic:
    place = one.location
    return replace(
        one,
        message=stand_in.said(one.message),
        hint=one.hint and stand_in.said(one.hint),
        location=place and place._replace(path=stand_in.said(place.path)),
    )
