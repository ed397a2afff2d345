"""A generated case as files: the rule file as TOML, the tables as CSV or Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

Row = dict[str, Any]

SECTIONS_OF_TABLES = {"events", "lookup", "trait", "segment", "score"}
BOOLEAN_WORDS = {"true": ("true", "false"), "yes": ("yes", "no"), "1": ("1", "0"), "oui": ("Oui", "Non")}


@dataclass(frozen=True)
class Table:
    """Rows of parsed values, the kind of each column (as the file names it), and how they are written."""

    rows: list[Row]
    kinds: dict[str, str]  # "key", "text", "number", "money", "boolean", "date", "timestamp"
    delimiter: str = ","
    decimal: str = "."
    booleans: str = "true"
    time_separator: str = "T"

    def csv_text(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerow(self.kinds)
        for row in self.rows:
            writer.writerow([self.cell(row[name]) for name in self.kinds])
        return out.getvalue()

    def cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return BOOLEAN_WORDS[self.booleans][0 if value else 1]
        if isinstance(value, datetime):
            return value.isoformat(sep=self.time_separator).replace("+00:00", "Z")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Decimal):
            return format(value, "f").replace(".", self.decimal)
        return str(value)

    def ndjson_text(self) -> str:
        return "".join(
            "{" + ", ".join(f"{json.dumps(name)}: {self.json_value(row[name])}" for name in self.kinds) + "}\n"
            for row in self.rows
        )

    def json_value(self, value: Any) -> str:
        if isinstance(value, Decimal):
            return format(value, "f")
        return json.dumps(value if value is None or isinstance(value, (bool, int, str)) else self.cell(value))

    def frame(self) -> pl.DataFrame:
        columns = {}
        for name, kind in self.kinds.items():
            values = [row[name] for row in self.rows]
            columns[name] = pl.Series(name, values, dtype=_dtype(kind, values), strict=False)
        return pl.DataFrame(columns)


def _dtype(kind: str, values: list[Any]) -> pl.DataType:
    match kind:
        case "number":
            whole = all(value is None or value == int(value) for value in values)
            return pl.Int64() if whole else pl.Float64()
        case "money":
            return pl.Decimal(18, 4)
        case "boolean":
            return pl.Boolean()
        case "date":
            return pl.Date()
        case "timestamp":
            zoned = any(value is not None and value.tzinfo is not None for value in values)
            return pl.Datetime("us", "UTC" if zoned else None)
        case "key" if any(isinstance(value, float) for value in values):
            return pl.Float64()
        case "key" if any(isinstance(value, int) for value in values):
            return pl.Int64()
    return pl.String()


@dataclass(frozen=True)
class Case:
    """A rule file, its tables by path, what its SQL texts mean, and the kind of every column of a customer."""

    rules: Row
    tables: dict[str, Table]
    sql: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    dotted: bool = True
    files: dict[str, Row] = field(default_factory=dict)  # zones as GeoJSON, saved cutoffs as TOML

    def rows(self) -> dict[str, list[Row]]:
        return {path: table.rows for path, table in self.tables.items()}

    def toml(self) -> str:
        return to_toml(self.rules, self.dotted)

    def write(self, directory: Path) -> Path:
        """Write everything into `directory`; the path of the rule file."""
        for path, table in self.tables.items():
            target = directory / path
            match target.suffix:
                case ".parquet":
                    table.frame().write_parquet(target)
                case ".ndjson":
                    target.write_text(table.ndjson_text(), encoding="utf-8", newline="")
                case _:
                    target.write_text(table.csv_text(), encoding="utf-8", newline="")
        for path, content in self.file_texts().items():
            (directory / path).write_text(content, encoding="utf-8")
        rules = directory / "rules.toml"
        rules.write_text(self.toml(), encoding="utf-8")
        return rules

    def file_texts(self) -> dict[str, str]:
        return {
            path: to_toml(content, self.dotted) if path.endswith(".toml") else json.dumps(content, ensure_ascii=False)
            for path, content in self.files.items()
        }

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What Hypothesis shows of a failing example: files that can be pasted."""
        printer.text(self.show())

    def show(self) -> str:
        """Every file, as text."""
        parts = [f"--- rules.toml\n{self.toml()}"]
        for path, table in self.tables.items():
            parts.append(f"--- {path}\n{table.csv_text()}")
        parts += [f"--- {path}\n{text}" for path, text in self.file_texts().items()]
        return "\n" + "\n".join(parts)


def to_toml(rules: Row, dotted: bool) -> str:
    """The rule file as TOML 1.0: with dotted keys and `[[...]]` headers, or with inline tables."""
    lines = [f"{key} = {toml_value(value)}" for key, value in rules.items() if not isinstance(value, dict)]
    for section, table in rules.items():
        if section in SECTIONS_OF_TABLES:
            for name, sub in table.items():
                lines += _toml_table(f"{section}.{toml_key(name)}", sub, dotted)
        elif isinstance(table, dict):
            lines += _toml_table(section, table, dotted)
    return "\n".join(lines) + "\n"


def _toml_table(header: str, table: Row, dotted: bool) -> list[str]:
    lines = ["", f"[{header}]"]
    arrays = {key: value for key, value in table.items() if dotted and _is_array_of_tables(value)}
    for key, value in table.items():
        if key not in arrays:
            lines += _toml_pairs(toml_key(key), value, dotted)
    for key, blocks in arrays.items():
        for block in blocks:
            lines += ["", f"[[{header}.{toml_key(key)}]]"]
            for name, value in block.items():
                lines += _toml_pairs(toml_key(name), value, dotted)
    return lines


def _is_array_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _toml_pairs(key: str, value: Any, dotted: bool) -> list[str]:
    if dotted and isinstance(value, dict) and value:
        return [line for name, item in value.items() for line in _toml_pairs(f"{key}.{toml_key(name)}", item, True)]
    return [f"{key} = {toml_value(value)}"]


def toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text if "." in text else f"{text}.0"
    if isinstance(value, (int, date)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f" {toml_key(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
    raise TypeError(f"no TOML for {value!r}")
