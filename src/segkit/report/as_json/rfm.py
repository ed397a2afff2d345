"""RFM as JSON.

`rfm`: `as_of`, `customers`, `events`, `bins`, `method`, `ties`, `map`, `thresholds`, `segments` (`name`,
`customers`, `share`, `revenue`, `revenue_share`, `medians`), `grid` (`r`, `f`, `customers`), `guesses`,
`rows_are_orders`, `tables`, `warnings`, `notes`, `elapsed_seconds`, `path`, `cutoffs`, `chart` (files that were
written).
"""

from __future__ import annotations

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, percent, tables_json, thresholds_json
from segkit.results.rfm import RfmResult
from segkit.results.terms import SCHEMA_VERSION


def rfm_json(result: RfmResult) -> str:
    """An RFM analysis."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "customers": result.customers,
            "events": result.events,
            "bins": result.bins,
            "method": result.method,
            "ties": result.ties,
            "map": result.map,
            "thresholds": thresholds_json(result.thresholds),
            "segments": [
                {
                    "name": s.name,
                    "customers": s.customers,
                    "share": percent(s.share),
                    "revenue": s.revenue,
                    "revenue_share": percent(s.revenue_share),
                    "medians": {"recency_days": s.recency_days, "frequency": s.frequency, "monetary": s.monetary},
                }
                for s in result.segments
            ],
            "grid": [{"r": r, "f": f, "customers": n} for (r, f), n in sorted(result.grid.items())],
            "guesses": dict(result.guesses),
            "rows_are_orders": result.rows_are_orders,
            "tables": tables_json(result.tables),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "elapsed_seconds": round(result.elapsed_seconds, 3),
            "path": result.path,
            "cutoffs": result.cutoffs,
            "chart": result.chart,
        }
    )
