"""Files to tables: what the rooms above ask of reading."""

from segkit.io.read.label import Label
from segkit.io.read.open import explain_failure, open_table, require_kept, require_unchanged
from segkit.io.read.opened import Opened
from segkit.io.read.second_look import bad_values
from segkit.io.read.table import Table
from segkit.io.read.values.column import Column, ColumnType
from segkit.io.read.workspace import Bounds, CacheIn, Workspace

__all__ = [
    "Bounds",
    "CacheIn",
    "Column",
    "ColumnType",
    "Label",
    "Opened",
    "Table",
    "Workspace",
    "bad_values",
    "explain_failure",
    "open_table",
    "require_kept",
    "require_unchanged",
]
