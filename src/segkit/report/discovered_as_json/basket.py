"""What is bought together, as JSON."""

from __future__ import annotations

from typing import Any

from segkit.discoveries.basket import BasketResult, BasketRule
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, tables_json
from segkit.results.terms import SCHEMA_VERSION


def basket_json(result: BasketResult) -> str:
    """The rules; figures that are not exact are rounded to six digits behind the point."""
    least = result.least
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "basket",
            "as_of": result.as_of.isoformat(),
            "by": result.by,
            "table": result.table,
            "item": result.item,
            "customers": result.customers,
            "baskets": result.baskets,
            "baskets_of_one": result.baskets_of_one,
            "items": result.items,
            "rows": result.rows,
            "min_count": result.min_count,
            "support": None if least.baskets else least.support,
            "confidence": least.confidence,
            "lift": least.lift,
            "max_length": least.length,
            "sort": result.sort,
            "top": result.top,
            "rules": [_rule(rule) for rule in result.rules],
            "segments": [
                {"name": name, "left": list(rule.left), "right": rule.right, "to_offer": rule.to_offer}
                for name, rule in result.offers
            ],
            "guesses": dict(result.guesses),
            "tables": tables_json(result.tables),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "elapsed_seconds": round(result.elapsed_seconds, 3),
            "path": result.path,
            "rules_path": result.rules_path,
        }
    )


def _rule(rule: BasketRule) -> dict[str, Any]:
    return {
        "left": list(rule.left),
        "right": rule.right,
        "count": rule.count,
        "left_count": rule.left_count,
        "right_count": rule.right_count,
        "support": round(rule.support, 6),
        "confidence": round(rule.confidence, 6),
        "lift": round(rule.lift, 6),
        "to_offer": rule.to_offer,
    }
