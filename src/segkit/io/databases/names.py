"""Names in SQL, in quotation marks: they mean what is spelt so, and nothing else."""

from __future__ import annotations

import re

from segkit.rules.model.table_name import quoted

_PARTS = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def parts(table: str) -> list[str]:
    """The names of schema and table in `sales.orders`; a name with a dot stands in quotation marks."""
    return [marked.replace('""', '"') or plain for marked, plain in _PARTS.findall(table)]


def qualified(table: str) -> str:
    """The table as SQL has it: `"sales"."orders"`."""
    return ".".join(map(quoted, parts(table)))
