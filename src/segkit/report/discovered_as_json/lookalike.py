"""What `segkit lookalike` has found as JSON.

`command`, `as_of`, `segment`, `customers`, `members`, `prospects`, `prospects_path`, `seed`, `fitted`, `auc`, `card`
(`column`, `about`, `auc`, `points`, `answers` (`condition`, `points`, `members`, `others`)), `traits` (`column`,
`condition`, `members`, `others`), `columns` (`column`, `auc`), `left_out` (`column`, `reason`, `what`), `tenths`
(`customers`, `members`, `members_so_far`, `least`, `lift`), `fifths` (`customers`, `said`, `was`), `best` (`percent`,
`customers`, `least`), `warnings`, `notes`, `path`, `rules_path`, `elapsed_seconds`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from segkit.discoveries.lookalike import LookalikeResult, Question, Tenth
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json
from segkit.results.terms import SCHEMA_VERSION

_DIGITS = 6


def lookalike_json(result: LookalikeResult) -> str:
    """Who resembles a segment."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "lookalike",
            "as_of": result.as_of.isoformat(),
            "segment": result.segment,
            "customers": result.customers,
            "members": result.members,
            "prospects": result.prospects,
            "prospects_path": result.prospects_path,
            "seed": result.seed,
            "fitted": result.fitted,
            "auc": round(result.auc, _DIGITS),
            "card": [_question(one) for one in result.questions],
            "traits": [{**one._asdict(), "condition": _condition(one.condition)} for one in result.traits],
            "columns": [{"column": name, "auc": round(auc, _DIGITS)} for name, auc in result.alone.items()],
            "left_out": [{**one._asdict(), "what": one.what or None} for one in result.left_out],
            "tenths": [_tenth(one, result) for one in result.tenths],
            "fifths": [
                {"customers": one.customers, "said": round(one.said, _DIGITS), "was": round(one.was, _DIGITS)}
                for one in result.fifths
            ],
            "best": result.best._asdict(),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "path": result.path,
            "rules_path": result.rules_path,
            "elapsed_seconds": round(result.elapsed_seconds, 3),
        }
    )


def _question(one: Question) -> dict[str, Any]:
    return {
        "column": one.column,
        "about": one.about,
        "auc": round(one.auc, _DIGITS),
        "points": one.points,
        "answers": [
            {
                "condition": _condition(answer.condition),
                "points": answer.points,
                "members": answer.members,
                "others": answer.others,
            }
            for answer in one.answers
        ],
    }


def _condition(condition: Any) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in condition.items()}


def _tenth(one: Tenth, result: LookalikeResult) -> dict[str, Any]:
    lift = one.members / one.customers / (result.members / result.customers) if one.customers else None
    return {**one._asdict(), "lift": None if lift is None else round(lift, _DIGITS)}
