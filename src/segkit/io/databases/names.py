"""Names in SQL, in quotation marks: they mean what is spelt so, and nothing else."""

from __future__ import annotations

from segkit.rules.model.table_name import name_parts, quoted


def parts(table: str) -> list[str]:
    """The names in `sales.orders`; what is no name, such as an open quotation mark, is one that no table has."""
    return name_parts(table) or [table]


def qualified(table: str) -> str:
    """The table as SQL has it: `"sales"."orders"`."""
    return ".".join(map(quoted, parts(table)))
