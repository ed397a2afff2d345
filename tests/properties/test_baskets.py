"""Random lines of orders, as a file and as a table of a rule file, against counts in DuckDB."""

from __future__ import annotations

import csv
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from segkit.cli import main

from .baskets import Asked, Line, figures, rules
from .test_oracle import examples

KEYS = ["a", "b", "c", "d", "e", "f"]
ITEMS = [
    "bread",
    "Brot",
    "brot",
    'ham, "sliced"',
    "crème brûlée",
    "日本酒",
    "1",
    "0042",
    "#1 [x] = 'y'",
    "${HOME}",
    "a\nb",
]

LINES = st.lists(
    st.builds(
        Line,
        key=st.sampled_from([*KEYS, *KEYS, None]),
        id=st.sampled_from(["1", "2", "3", "4", "5", None]),
        item=st.sampled_from([*ITEMS[:6], *ITEMS, None]),
    ),
    max_size=60,
)
ASKED = st.builds(
    Asked,
    support=st.sampled_from(["1", "12.5", "20", "33.333333", "50"]),
    confidence=st.sampled_from(["0", "25", "50", "66.666667", "75", "80", "100"]),
    lift=st.sampled_from(["0", "0.8", "1", "1.25", "1.5"]),
    length=st.integers(2, 4),
    baskets=st.sampled_from([None, None, 1, 2, 3]),
)
BY = st.sampled_from(["order", "customer"])
SURE = [Line("a", "1", "bread"), Line("a", "1", "Brot"), Line("b", "9", "bread")]
"""Rows that say what the columns are, whatever else is drawn."""


def written(lines: list[Line], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "day", "no", "item"])
        writer.writerows([line.key or "", "2024-01-05", line.id or "", line.item or ""] for line in lines)


def done(*args: object) -> Any:
    result = CliRunner().invoke(main, list(map(str, args)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_float=Decimal)


def options(asked: Asked, by: str) -> list[object]:
    least = ["--support", asked.support] if asked.baskets is None else ["--min-count", asked.baskets]
    return [*least, "--confidence", asked.confidence, "--lift", asked.lift, "--max-length", asked.length, "--by", by]


def check(found: Any, expected: list[dict[str, Any]]) -> None:
    for rule in found["rules"]:
        assert (rule.pop("support"), rule.pop("confidence"), rule.pop("lift")) == figures(rule, found["baskets"])

    def in_order(rule: dict[str, Any]) -> tuple[Any, ...]:
        lift = -(rule["count"] * found["baskets"]) / (rule["left_count"] * rule["right_count"])
        return lift, [item.encode() for item in rule["left"]], rule["right"].encode()

    assert found["rules"] == sorted(expected, key=in_order)


def check_saved(found: Any, folder: Path) -> None:
    """What `apply` matches is what was foretold, for each right side that anybody lacks."""
    rights = dict.fromkeys(rule["right"] for rule in found["rules"] if rule["to_offer"])
    assert [segment["right"] for segment in found["segments"]] == list(rights)
    if found["segments"]:
        summary = done("apply", folder / "found.toml", "--dry-run", "--json")
        foretold = {segment["name"]: segment["to_offer"] for segment in found["segments"]}
        assert {segment["name"]: segment["matched"] for segment in summary["segments"]} == foretold
    else:
        assert not (folder / "found.toml").exists()


@given(LINES, ASKED, BY)
@examples(30)
def test_a_file_of_lines(lines: list[Line], asked: Asked, by: str) -> None:
    lines = [*SURE, *lines]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(lines, folder / "o.csv")
        roles = ("--key", "key", "--time", "day", "--id", "no", "--item", "item")
        saved = ("--save-rules", folder / "found.toml", "--top", 100)
        found = done("basket", folder / "o.csv", *roles, *options(asked, by), *saved, "--json")
        check_saved(found, folder)
    check(found, rules(lines, by, asked))
    of_whom = [line for line in lines if line.key]
    (table,) = (table for table in found["tables"] if table["name"] == "data")
    assert table["left_out"]["no_item"] == sum(not line.item for line in of_whom)
    assert found["rows"] == sum(bool(line.item) for line in of_whom)


@given(LINES, ASKED, BY, st.sets(st.sampled_from(KEYS)))
@examples(30)
def test_a_table_of_a_rule_file(lines: list[Line], asked: Asked, by: str, customers: set[str]) -> None:
    lines, customers = [*SURE, *lines], {"a", "b", *customers}
    text = """version = 1
as_of = 2024-02-01
[customers]
path = "c.csv"
key = "key"
[events.orders]
path = "o.csv"
time = "day"
id = "no"
[consent]
require.opt_in = "yes"
[segment.some]
everyone = true
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(lines, folder / "o.csv")
        rows = [f"{key},{'yes' if number % 2 else 'no'}\n" for number, key in enumerate(sorted(customers))]
        (folder / "c.csv").write_text("key,opt_in\n" + "".join(rows), encoding="utf-8")
        (folder / "r.toml").write_text(text, encoding="utf-8")
        saved = ("--save-rules", folder / "found.toml", "--top", 100)
        found = done("basket", folder / "r.toml", "--item", "item", *options(asked, by), *saved, "--json")
        check_saved(found, folder)
    check(found, rules(lines, by, asked, customers))
