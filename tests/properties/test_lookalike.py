"""Random customers: what the card of `lookalike` gives is what `apply` gives, counted once more in plain Python."""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from segkit.cli import main

from .test_oracle import examples

pytestmark = pytest.mark.extra("discover")

TEXTS = [
    "plain",
    "Bücher",
    "北京",
    'with "quotes"',
    "it's",
    "back\\slash",
    "${HOME}",
    "$${x}",
    "a,b",
    "tab\there",
    "e\u0301",
]
ZONE = "America/New_York"
Value = Any
Draw = Callable[[random.Random], Value]

KINDS: dict[str, Draw] = {
    "whole": lambda r: r.randint(-5, 40),
    "few": lambda r: r.choice([0, 0, 0, 1, 7]),
    "large": lambda r: r.randint(-(10**15), 10**15),
    "float": lambda r: round(r.gauss(0, 1000), r.choice([0, 1, 4])),
    "huge": lambda r: r.gauss(0, 1) * 1e200,
    "wide": lambda r: 2**62 + r.randint(0, 2000),
    "tiny": lambda r: r.random() / 10**6,
    "tenths": lambda r: r.randint(-30, 30) / 10,
    "money": lambda r: Decimal(r.randint(-99999, 99999)) / 100,
    "day": lambda r: date(1900, 1, 1) + timedelta(r.randint(0, 60_000)),
    "days": lambda r: date(2024, 2, 28) + timedelta(r.randint(0, 4)),
    "zoned": lambda r: datetime(2023, 12, 1, tzinfo=UTC) + timedelta(minutes=r.randint(0, 90_000)),
    "yes": lambda r: r.random() < 0.3,
    "text": lambda r: r.choice(TEXTS),
    "rare": lambda r: r.choice([*TEXTS[:2] * 20, *(f"x{n}" for n in range(30))]),
    "list": lambda r: r.sample(TEXTS[:7], r.randint(1, 3)),
}
DTYPES = {"money": pl.Decimal(18, 2), "zoned": pl.Datetime("us", ZONE), "list": pl.List(pl.String)}
SPECS = st.lists(st.tuples(st.sampled_from(list(KINDS)), st.sampled_from([0.0, 0.01, 0.2])), min_size=1, max_size=7)


def made(seed: int, specs: list[tuple[str, float]]) -> list[dict[str, Value]]:
    """Customers with a column of each kind, of which a share is missing; the first column has to do with the seed."""
    r = random.Random(seed)
    rows = []
    for number in range(260):
        row: dict[str, Value] = {"id": f"k{number}", "seed": number % 5 < 2}
        for place, (kind, gaps) in enumerate(specs):
            row[f"{kind}{place}"] = None if r.random() < gaps else KINDS[kind](r)
        rows.append(row)
    return rows


def written(rows: list[dict[str, Value]], folder: Path, as_csv: bool) -> str:
    """The customers as a file, and the head of the rules that read it."""
    kinds = {name: name.rstrip("0123456789") for name in rows[0] if name not in ("id", "seed")}
    lists = [name for name, kind in kinds.items() if kind == "list"]
    frame = pl.DataFrame(
        rows, schema_overrides={n: DTYPES[k] for n, k in kinds.items() if k in DTYPES}, infer_schema_length=None
    )
    more = ""
    if as_csv:
        frame = frame.with_columns(
            *(pl.col(name).list.join("|") for name in lists),
            *(pl.col(n).dt.to_string("iso:strict") for n, k in kinds.items() if k == "zoned"),
        )
        frame.write_csv(folder / "c.csv")
        types = {n: "boolean" for n, k in kinds.items() if k == "yes"} | {"seed": "boolean"}
        types |= {n: "text" for n, k in kinds.items() if k in ("text", "rare")}
        more = "".join(f'types.{name} = "{kind}"\n' for name, kind in types.items())
        more += "".join(f'lists.{name} = "|"\n' for name in lists)
    else:
        frame.write_parquet(folder / "c.parquet")
    path = "c.csv" if as_csv else "c.parquet"
    return f'version = 1\nas_of = 2024-06-30\ntimezone = "{ZONE}"\n[customers]\npath = "{path}"\nkey = "id"\n{more}'


def holds(value: Value, condition: dict[str, Any]) -> bool:
    """A condition, by the words of the rule file."""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(ZONE)).date()
    if "missing" in condition:
        return (value is None) is condition["missing"]
    if value is None:
        return bool(condition.get("or_missing"))
    found = True
    for operator, wanted in condition.items():
        match operator:
            case "is":
                found &= value == wanted
            case "in":
                found &= value in wanted
            case "not_in":
                found &= value not in wanted
            case "has_any":
                found &= any(one in value for one in wanted)
            case "has_none":
                found &= not any(one in value for one in wanted)
            case "above":
                found &= value > like(value, wanted)
            case "max":
                found &= value <= like(value, wanted)
            case other:
                assert other == "or_missing"
    return found


def like(value: Value, wanted: Any) -> Any:
    """What is compared with: a day, a float beside floats, or an exact number."""
    if isinstance(value, date):
        return date.fromisoformat(wanted)
    return float(wanted) if isinstance(value, float) else wanted


def run(*args: object) -> str:
    result = CliRunner().invoke(main, [str(one) for one in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return result.stdout


def scores(path: Path) -> dict[str, int]:
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    return {row["id"]: int(row["likeness_score"]) for row in rows}


@given(st.integers(0, 10_000), SPECS, st.booleans())
@examples(30)
def test_apply_counts_the_points_of_the_card(seed: int, specs: list[tuple[str, float]], as_csv: bool) -> None:
    rows = made(seed, [("whole", 0.0), *specs])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = written(rows, folder, as_csv)
        rules, saved, out = folder / "r.toml", folder / "saved.toml", folder / "out.csv"
        rules.write_text(f"{head}[segment.seed]\ndemographic.seed = true\n", encoding="utf-8")
        found = json.loads(
            run("lookalike", rules, "--seed-segment", "seed", "--save-rules", saved, "-o", out, "--json"),
            parse_float=Decimal,
        )
        everybody = saved.read_text(encoding="utf-8") + "[segment.everybody]\neveryone = true\n"
        saved.write_text(everybody, encoding="utf-8")
        run("apply", saved, "-o", folder / "done")
        applied = scores(folder / "done/everybody.csv")
        best = scores(folder / "done/like-seed.csv")
        given_out = scores(out)
    wanted = {}
    for row in rows:
        answers = [[a for a in q["answers"] if holds(row[q["column"]], a["condition"])] for q in found["card"]]
        assert all(len(one) == 1 for one in answers), "exactly one answer to each question"
        wanted[row["id"]] = sum(one[0]["points"] for one in answers)
    assert applied == wanted
    assert given_out == {row["id"]: wanted[row["id"]] for row in rows if not row["seed"]}
    assert best == {key: points for key, points in given_out.items() if points >= found["best"]["least"]}
    assert len(best) == found["best"]["customers"] >= 16
    assert sum(q["points"] for q in found["card"]) == 100
    for question in found["card"]:
        counted = [
            [
                sum(holds(row[question["column"]], a["condition"]) for row in rows if row["seed"] is member)
                for member in (True, False)
            ]
            for a in question["answers"]
        ]
        assert counted == [[a["members"], a["others"]] for a in question["answers"]]
