"""Runs beside each other as JSON: their history, moves, and how two differ.

`history`: `path`, `runs` (days), `rules_changed` (days with another rule file than in the run before), `segments`
(`name`, `first`, `last`, `stayed_percent`, `buyers`, `conversion`, `per_customer`, and `lines` with `as_of`,
`customers`, `entered`, `left`, `stayed_percent`, `buyers`, `conversion`, `revenue`, `per_customer`).

With `--moves`: `path`, `as_of`, `since`, `customers`, `came`, `gone`, `columns`, `moves` (`column`, `from`, `to`,
`customers`; null
is no value, and a number of customers that is not told).

`diff`: `old` and `new` (`path`, `as_of`, `customers`), `differs`, `segments` (`name`, `old` and `new`: how many are in
it, null where the run has no such segment; `entered`, `left`, `stayed`), `moves` (`from`, `to`, `customers`; a null
segment is none; null unless both runs are exclusive).
"""

from __future__ import annotations

from typing import Any

from segkit.histories import HistoryResult, MovesResult, SegmentHistory
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import six_places
from segkit.results.diff import DiffResult, RunInfo
from segkit.results.terms import SCHEMA_VERSION


def history_json(result: HistoryResult) -> str:
    """The segments over time; figures that are not exact are rounded to six digits behind the point."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "runs": result.days,
            "rules_changed": result.rules_changed,
            "segments": [_history(segment) for segment in result.segments],
        }
    )


def moves_json(result: MovesResult) -> str:
    """The moves between values of tracked columns."""
    moves = [
        {"column": move.column, "from": move.old, "to": move.new, "customers": move.customers} for move in result.moves
    ]
    told = {name: getattr(result, name) for name in ("path", "as_of", "since", "customers", "came", "gone", "columns")}
    return json_text({"schema_version": SCHEMA_VERSION, **told, "moves": moves})


def _history(segment: SegmentHistory) -> dict[str, Any]:
    return {
        "name": segment.name,
        "first": segment.first,
        "last": segment.last,
        "stayed_percent": six_places(segment.stayed_percent),
        "buyers": segment.buyers,
        "conversion": six_places(segment.conversion),
        "per_customer": six_places(segment.per_customer),
        "lines": [
            {name: value for name, value in line._asdict().items() if name != "segment"} for line in segment.lines
        ],
    }


def diff_json(result: DiffResult) -> str:
    """What changed between two runs."""
    moves = None
    if result.moves is not None:
        moves = [{"from": m.old, "to": m.new, "customers": m.customers} for m in result.moves]
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "old": _run(result.old),
            "new": _run(result.new),
            "differs": result.differs,
            "segments": [
                {
                    "name": s.name,
                    "old": s.old,
                    "new": s.new,
                    "entered": s.entered,
                    "left": s.left,
                    "stayed": s.stayed,
                }
                for s in result.segments
            ],
            "moves": moves,
        }
    )


def _run(run: RunInfo) -> dict[str, Any]:
    return {"path": run.path, "as_of": run.as_of, "customers": run.customers}
