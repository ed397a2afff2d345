"""What a command is given: a file of events and its columns, or a rule file and the name of a table of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from segkit.errors import RuleError
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import orders_table
from segkit.words import listed, nearest


def is_rule_file(files: Sequence[str], of_events: Mapping[str, str | None], of_rules: Mapping[str, str | None]) -> bool:
    """Whether the files are a rule file; `RuleError` for options that do not go with what they are."""
    rules = [path for path in files if Path(path).suffix.lower() == ".toml"]
    if rules and len(files) > 1:
        message = f"`{rules[0]}` is a rule file, and stands beside another file"
        raise RuleError.of(message, hint="give one rule file, or files of events")
    if rules and (given := next((name for name, value in of_events.items() if value is not None), None)):
        hint = f"take `--{given}` out: an `[events.NAME]` of the rule file says it, and `--events NAME` chooses one"
        raise RuleError.of(f"`--{given}` goes with a file of events, and `{rules[0]}` is a rule file", hint=hint)
    if not rules and (given := next((name for name, value in of_rules.items() if value is not None), None)):
        hint = f"give a rule file (.toml) in place of `{files[0]}`"
        raise RuleError.of(f"`--{given}` names what a rule file has", hint=hint)
    return bool(rules)


def table_asked(rules: RuleFile, path: Path, events: str | None) -> str:
    """The event table that is looked at: that of `--events`, or the one that the rules say has the orders.

    `RuleError` where it is not there, or nothing tells.
    """
    table = events or _table_of(rules, path)
    if table not in rules.events:
        hint = nearest(table, rules.events, "event tables")
        raise RuleError.of(f"`{path}` has no `[events.{table}]`", hint=hint)
    return table


def _table_of(rules: RuleFile, path: Path) -> str:
    """The event table that is looked at where none is named."""
    if table := orders_table(rules):
        return table
    if not rules.events:
        raise RuleError.of(
            f"`{path}` has no event table", hint='add one, such as `[events.orders]` with `path = "..."`'
        )
    message = f"`{path}` has several event tables, and neither `[value]` nor `[rfm]` says which one counts"
    raise RuleError.of(message, hint=f"name one with `--events`: {listed(rules.events, 'or')}")
