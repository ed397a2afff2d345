"""The rule file that is made of the columns of a file of orders and of the options."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from segkit.operations.orders_file.columns import TABLE, Chosen
from segkit.operations.orders_file.source import source_keys
from segkit.rules.text.toml import toml_value

AMOUNT, WHERE = "amount in SQL", "where in SQL"


def rule_file(
    data: Sequence[str],
    columns: Chosen,
    where: str | None,
    as_of: dt.date | None,
    sections: Sequence[str] = (),
    sheet: str | None = None,
) -> str:
    """The text of the rule file that says what the columns and the options say; `sections` are further lines of it."""
    chosen = columns.chosen
    source = [f"{name} = {as_toml(value)}" for name, value in source_keys(data, sheet).items()]
    key = as_toml(chosen["key"])
    derive = {} if where is None else {WHERE: where}
    lines = ["version = 1"] + ([f"as_of = {as_of}"] if as_of else [])
    if "time" in chosen:
        lines += ["[customers]", f'from = "{TABLE}"', f"key = {key}", f"[events.{TABLE}]", *source]
        lines += [f"{role} = {as_toml(chosen[role])}" for role in ("time", "id") if role in chosen]
        if "amount" in chosen:
            in_sql = chosen["amount"] not in columns.table.columns
            derive |= {AMOUNT: chosen["amount"]} if in_sql else {}
            lines.append(f"amount = {as_toml(AMOUNT if in_sql else chosen['amount'])}")
    else:
        lines += ["[customers]", *source, f"key = {key}"]
    return "\n".join([*lines, *_computed(derive), *sections, "[segment.customers]", "everyone = true"]) + "\n"


def _computed(derive: Mapping[str, str]) -> list[str]:
    lines = [f"derive.{as_toml(name)} = {as_toml(text)}" for name, text in derive.items()]
    return [*lines, f"where.{as_toml(WHERE)} = true"] if WHERE in derive else lines


def as_toml(value: object) -> str:
    """The value as a rule file has it; a `${` in it, as in the name of a file, does not refer to the environment."""
    return toml_value(value).replace("${", "$${")
