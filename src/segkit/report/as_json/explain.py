"""Customers explained as JSON."""

from __future__ import annotations

from typing import Any

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json
from segkit.results.explain import Criterion, Explained, ExplainedCustomer, ExplainResult, Funnel, NearMisses
from segkit.results.terms import SCHEMA_VERSION


def explain_json(result: ExplainResult) -> str:
    """What became of customers, criterion by criterion, and the funnels of segments."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "run": result.run,
            "customers": [_explained(customer) for customer in result.customers],
            "funnels": [_funnel(funnel) for funnel in result.funnels],
            "near_misses": [_near(one) for one in result.near],
            "unknown": list(result.unknown),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
        }
    )


def _explained(customer: ExplainedCustomer) -> dict[str, Any]:
    return {"key": customer.key, "segments": [explained_segment(one) for one in customer.segments]}


def explained_segment(one: Explained) -> dict[str, Any]:
    """What one segment says of a customer, criterion by criterion."""
    return {
        "name": one.name,
        "label": one.label,
        "matched": one.matched,
        "outcome": one.outcome,
        "claimed_by": one.claimed_by,
        "variant": one.variant,
        "list": one.file,
        "criteria": _criterion(one.criteria),
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    return criterion._asdict() | {
        "parts": [_criterion(part) for part in criterion.parts],
        "scores": [score._asdict() | {"rules": [rule._asdict() for rule in score.rules]} for score in criterion.scores],
    }


def _near(near: NearMisses) -> dict[str, Any]:
    conditions = [
        {**one._asdict(), "nearest": [customer._asdict() for customer in one.nearest]} for one in near.conditions
    ]
    return {
        "segment": near.name,
        "label": near.label,
        "members": near.members,
        "distances": [one._asdict() for one in near.distances],
        "exact": near.exact,
        "conditions": conditions,
    }


def _funnel(funnel: Funnel) -> dict[str, Any]:
    gates = [{"reason": reason, "stopped": stopped, "left": left} for reason, stopped, left in funnel.gates]
    return funnel._asdict() | {"steps": [step._asdict() for step in funnel.steps], "gates": gates}
