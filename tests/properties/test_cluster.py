"""Random customers: the rules of `cluster` put everybody who has the columns into one persona, and are counted right."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from segkit.cli import main

from .test_oracle import examples

pytestmark = pytest.mark.extra("discover")

Value = int | float | Decimal | None
KINDS: dict[str, Callable[[random.Random], Value]] = {
    "whole": lambda r: r.randint(-5, 40),
    "few": lambda r: r.choice([0, 0, 0, 1, 7]),
    "large": lambda r: r.randint(-(10**17), 10**17),
    "float": lambda r: round(r.gauss(0, 1000), r.choice([0, 1, 4])),
    "tiny": lambda r: r.random() / 10**6,
    "huge": lambda r: r.choice([-1, 1]) * 10.0 ** r.randint(290, 307),
    "near": lambda r: 1 + r.randint(0, 9) * 2.0**-52,
    "money": lambda r: Decimal(r.randint(-99999, 99999)) / 100,
    "skewed": lambda r: round(r.lognormvariate(5, 2), 2),
    "digits": lambda r: Decimal(r.randint(0, 10**30)) + Decimal(r.randint(0, 99)) / 100,
}
DTYPES = {"money": pl.Decimal(18, 2), "digits": pl.Decimal(38, 2)}
SPECS = st.lists(st.tuples(st.sampled_from(list(KINDS)), st.sampled_from([0.0, 0.01, 0.2])), min_size=1, max_size=4)


def made(seed: int, specs: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Customers with a column of each kind, of which a share is missing; the first one is in three heaps."""
    r = random.Random(seed)
    rows = []
    for number in range(200):
        row: dict[str, Any] = {"id": f"k{number}", "heap": r.choice([0, 100, 1000]) + r.randint(0, 9)}
        for place, (kind, gaps) in enumerate(specs):
            row[f"{kind}{place}"] = None if r.random() < gaps else KINDS[kind](r)
        rows.append(row)
    return rows


def run(*args: object) -> str:
    result = CliRunner().invoke(main, [str(one) for one in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return result.stdout


def within(value: Value, bounds: dict[str, Any]) -> bool:
    """A range, by the words of the rule file: beside a float, a number is the float that is nearest to it."""
    as_beside: Any = float if isinstance(value, float) else Fraction
    assert value is not None
    least, below = bounds.get("min"), bounds.get("below")
    return (least is None or as_beside(least) <= as_beside(value)) and (
        below is None or as_beside(value) < as_beside(below)
    )


@given(st.integers(0, 10_000), SPECS)
@examples(40)
def test_everybody_with_the_columns_is_in_one_persona_and_the_counts_are_right(
    seed: int, specs: list[tuple[str, float]]
) -> None:
    rows = made(seed, specs)
    columns = [name for name in rows[0] if name != "id"]
    types = {name: DTYPES[kind] for name in columns if (kind := name.rstrip("0123456789")) in DTYPES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None).write_parquet(folder / "c.parquet")
        rules, saved, out = folder / "r.toml", folder / "saved.toml", folder / "out.csv"
        rules.write_text('version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.parquet"\nkey = "id"\n')
        asked = ["--columns", ",".join(columns), "--seed", seed, "--save-rules", saved, "-o", out, "--json"]
        found = json.loads(run("cluster", rules, *asked), parse_float=Decimal)
        run("apply", saved, "-o", folder / "done")
        lists = {
            path.stem: pl.read_csv(path, infer_schema=False)["id"].to_list() for path in (folder / "done").glob("*.csv")
        }
        labels = dict(pl.read_csv(out, infer_schema=False).rows())

    whole = [row for row in rows if all(row[c] is not None for c in columns)]
    by_rules: dict[str, str] = {}
    for row in whole:
        hits = [
            rule["persona"] for rule in found["rules"] if all(within(row[c], b) for c, b in rule["conditions"].items())
        ]
        assert len(hits) == 1
        by_rules[row["id"]] = hits[0]
    assert sorted(labels) == sorted(by_rules), "who lacks a column is left out"
    assert {key: name for name, keys in lists.items() for key in keys} == by_rules
    assert sum(map(len, lists.values())) == len(whole) == found["customers"]
    assert found["left_out"] == len(rows) - len(whole)
    assert found["agree"] == sum(labels[key] == by_rules[key] for key in labels)
    assert found["accuracy"] == round(Decimal(100 * found["agree"]) / len(whole), 6)
    sizes, ruled = Counter(labels.values()), Counter(by_rules.values())
    same = Counter(labels[key] for key in labels if labels[key] == by_rules[key])
    for persona in found["personas"]:
        one = persona["name"]
        assert (persona["customers"], persona["by_rules"], persona["agree"]) == (sizes[one], ruled[one], same[one])
        mine = [row for row in whole if labels[row["id"]] == one]
        for column in columns:
            values = sorted(float(row[column]) for row in mine)
            half = len(values) // 2
            median = values[half] if len(values) % 2 else (values[half - 1] / 2 + values[half] / 2)
            assert float(persona["medians"][column]) == pytest.approx(median, rel=1e-6, abs=1e-6)
    assert [one["customers"] for one in found["personas"]] == sorted(sizes.values(), reverse=True)
