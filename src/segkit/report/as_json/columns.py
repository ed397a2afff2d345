"""Columns as JSON.

`columns`: `path`, `as_of`, `tables` (`table`, `paths`, `rows`, `columns`), `notes`. A column has `column`, `type`,
`from`, `section`, `used_by`, and where all rows were read `personal`, `filled`, `fill` (percent), `unreadable`,
`distinct`, `min`, `max`, `frequent` (`value`, `rows`, `share`) and `shape`; null where there is nothing to say.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, percent
from segkit.report.numbers import share
from segkit.results.columns import ColumnsResult, ColumnValues, KnownColumn
from segkit.results.terms import SCHEMA_VERSION


def columns_json(result: ColumnsResult) -> str:
    """What conditions can be written on."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "as_of": result.as_of.isoformat(),
            "tables": [
                {
                    "table": table.name,
                    "paths": list(table.paths),
                    "rows": table.rows,
                    "columns": [_column(column, table.rows) for column in table.columns],
                }
                for table in result.tables
            ],
            "notes": diagnostics_json(result.notes),
        }
    )


def _column(column: KnownColumn, rows: int | None) -> dict[str, Any]:
    known = {
        "column": column.name,
        "type": column.type,
        "from": column.origin,
        "section": column.section,
        "used_by": list(column.used_by),
    }
    return known | (_values(column.values, rows) if column.values and rows is not None else {})


def _values(values: ColumnValues, rows: int) -> dict[str, Any]:
    lowest, highest = (v.isoformat() if isinstance(v, dt.date) else v for v in (values.lowest, values.highest))
    return {
        "personal": values.personal,
        "filled": values.filled,
        "fill": percent(share(values.filled, rows)),
        "unreadable": values.unreadable,
        "distinct": values.distinct,
        "min": lowest,
        "max": highest,
        "frequent": [
            {"value": one.value, "rows": one.rows, "share": percent(share(one.rows, rows))} for one in values.frequent
        ],
        "shape": values.shape,
    }
