"""Files to tables: what the rooms above ask of reading."""

from segkit.io.read.files import Workspace
from segkit.io.read.open import explain_failure, open_table
from segkit.io.read.table import Part, Table
from segkit.io.read.values.column import Column, ColumnType

__all__ = ["Column", "ColumnType", "Part", "Table", "Workspace", "explain_failure", "open_table"]
