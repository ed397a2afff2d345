"""Names in SQL, in quotation marks: they mean what is spelt so, and nothing else."""

from __future__ import annotations

from segkit.rules.model.table_name import parts_of, quoted


def qualified(table: str) -> str:
    """The table as SQL has it: `"sales"."orders"`."""
    return ".".join(map(quoted, parts_of(table)))
