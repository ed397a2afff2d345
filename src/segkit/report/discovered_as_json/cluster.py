"""What `segkit cluster` has found as JSON.

`command`, `as_of`, `seed`, `customers`, `left_out`, `columns` (`name`, `family`, `median`, `missing`, `logarithm`),
`tried` (`k`, `smallest`, `stability`, `holds`), `tried_on`, `k`, `chosen_by`, `personas` (`name`, `customers`,
`share`, `medians`, `deviations`, `stands_out`, `by_rules`, `agree`), `rules` (`persona`, `conditions`, `customers`,
`agree`), `agree`, `accuracy`, `warnings`, `notes`, `path`, `rules_path`, `elapsed_seconds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segkit.discoveries.cluster import ClusterResult, Persona, Rule
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json
from segkit.results.terms import SCHEMA_VERSION

_DIGITS = 6


def cluster_json(result: ClusterResult) -> str:
    """The personas, and the rules that find them."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "cluster",
            "as_of": result.as_of.isoformat(),
            "seed": result.seed,
            "customers": result.customers,
            "left_out": result.left_out,
            "columns": [one._asdict() | {"median": round(one.median, _DIGITS)} for one in result.columns],
            "tried": [_rounded(one._asdict()) | {"holds": one.holds} for one in result.tried],
            "tried_on": result.tried_on,
            "k": result.k,
            "chosen_by": result.chosen_by,
            "personas": [_persona(one) for one in result.personas],
            "rules": [_rule(one) for one in result.rules],
            "agree": result.agree,
            "accuracy": round(result.accuracy, _DIGITS),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "path": result.path,
            "rules_path": result.rules_path,
            "elapsed_seconds": round(result.elapsed_seconds, 3),
        }
    )


def _persona(one: Persona) -> dict[str, Any]:
    found = {"medians": _rounded(one.medians), "deviations": _rounded(one.deviations)}
    return _rounded(one._asdict()) | found | {"stands_out": list(one.stands_out)}


def _rule(one: Rule) -> dict[str, Any]:
    bounds = {name: {"min": bounds.least, "below": bounds.below} for name, bounds in one.bounds.items()}
    asked = {name: {key: value for key, value in of.items() if value is not None} for name, of in bounds.items()}
    return {"persona": one.persona, "conditions": asked, "customers": one.customers, "agree": one.agree}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in values.items()}
