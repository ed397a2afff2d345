"""Columns that runs track: how many customers moved from one value to another, against plain Python."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk

RULES = """version = 1
[customers]
path = "c.csv"
key = "id"
[output]
directory = "out"
track = ["stage", "town", "club"]
{output}
[trait.stage]
bands = {{ of = "age", edges = [30, 50], labels = ["young", "middle", "old"] }}
[segment.all]
everyone = true
"""
DAYS = ["2024-06-03", "2024-06-07", "2024-06-07", "2024-06-16"]
Values = dict[str, dict[str, str | None]]


def grow(desk: Desk, step: int) -> Values:
    """Customers of another night: by key, what they have in each column."""
    chance = random.Random(step)
    found: Values = {}
    lines = []
    for key in chance.sample(range(200), 150):
        age = chance.choice([*range(18, 80), None])
        town = chance.choice(["X", "X", "Y", "Z", None])
        club = chance.random() < 0.1
        stage = None if age is None else "young" if age < 30 else "middle" if age < 50 else "old"
        found[f"k{key}"] = {"stage": stage, "town": town, "club": str(club).lower()}
        lines.append(f"k{key},{'' if age is None else age},{town or ''},{str(club).lower()}")
    desk.put("c.csv", "id,age,town,club\n" + "\n".join(lines) + "\n")
    return found


def expected(before: Values, now: Values, fewest: int = 5) -> dict[tuple[str, str | None, str | None], int | None]:
    both = before.keys() & now.keys()
    counts = Counter((c, before[key][c], now[key][c]) for key in both for c in ("stage", "town", "club"))
    return {move: number if number >= fewest else None for move, number in counts.items()}


def moves(desk: Desk, folder: str = "out", *options: object) -> Any:
    return json.loads(desk.segkit("history", desk / folder, "--moves", "--json", *options).stdout)


FORMS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lists": ("", "out", ()),
    "kept runs": ("keep = 1", "out/latest", ()),
    "changes": ("changes = true", "out", ()),
    "hashed": ('hash = ["id"]', "out", ()),
    "in buckets": ("", "out", ("--buckets", "3")),
    "in a table": ('to = "sqlite:lists.db"\ntable = "lists"', "out", ()),
    "with a history": ("history = true", "out", ()),
    "all counts": ("min_cell = 1", "out", ()),
}


@pytest.mark.parametrize("form", FORMS)
def test_moves(desk: Desk, form: str) -> None:
    """Since the last run of a day before, also where a day is run again."""
    if form == "hashed":
        pytest.importorskip("polars_hash")
    output, folder, options = FORMS[form]
    runs: dict[str, Values] = {}
    for step, day in enumerate(DAYS):
        now = grow(desk, step)
        desk.apply(RULES.format(output=output), "--as-of", day, "-q", *options)
        found = moves(desk)
        since = max((one for one in runs if one < day), default=None)
        assert (found["as_of"], found["since"]) == (day, since)
        told = {(m["column"], m["from"], m["to"]): m["customers"] for m in found["moves"]}
        if since is None:
            assert told == {}
        else:
            before = runs[since]
            assert told == expected(before, now, 1 if form == "all counts" else 5)
            came, gone = now.keys() - before.keys(), before.keys() - now.keys()
            assert (found["customers"], found["came"], found["gone"]) == (150 - len(came), len(came), len(gone))
        runs[day] = now
    rows = pl.read_parquet(desk.folder / folder / "run/tracked.parquet")
    assert rows.columns == ["as_of", "key", "column", "value"]
    assert set(rows["as_of"]) == {"2024-06-07", "2024-06-16"}
    if form != "hashed":
        of_today = rows.filter(pl.col("as_of") == "2024-06-16")
        assert {(k, c): v for _, k, c, v in of_today.rows()} == {
            (key, column): value for key, values in runs["2024-06-16"].items() for column, value in values.items()
        }
    else:
        assert set(rows["key"].str.len_chars()) == {64}


def test_few_are_not_told_in_the_manifest(desk: Desk) -> None:
    grow(desk, 0)
    desk.apply(RULES.format(output="min_cell = 20"), "--as-of", DAYS[0], "-q")
    grow(desk, 1)
    desk.apply(RULES.format(output="min_cell = 20"), "--as-of", DAYS[1], "-q")
    kept = json.loads((desk / "out/manifest.json").read_text())["tracked"]
    counts = [move["customers"] for move in kept["moves"]]
    assert "<20" in counts and all(count == "<20" or count >= 20 for count in counts)
    assert [m["old"] for m in kept["moves"] if m["column"] == "stage"][-1] is None


def test_a_day_before_the_last_one_adds_nothing(desk: Desk) -> None:
    text = RULES.format(output="")
    for step, day in enumerate(DAYS[:2]):
        before = grow(desk, step)
        desk.apply(text, "--as-of", day, "-q")
    kept = (desk / "out/run/tracked.parquet").read_bytes()
    grow(desk, 9)
    notes = json.loads(desk.apply(text, "--as-of", "2024-06-05", "--json").stdout)["notes"]
    assert "columns are tracked until 2024-06-07: this run, of 2024-06-05, adds nothing to them" in [
        note["message"] for note in notes
    ]
    frames = pl.read_parquet(kept), pl.read_parquet(desk / "out/run/tracked.parquet")
    assert frames[0].equals(frames[1])
    now = grow(desk, 3)
    desk.apply(text, "--as-of", DAYS[3], "-q")
    assert {(m["column"], m["from"], m["to"]): m["customers"] for m in moves(desk)["moves"]} == expected(before, now)


def test_a_column_that_is_new(desk: Desk) -> None:
    grow(desk, 0)
    desk.apply(RULES.format(output="").replace('"stage", ', ""), "--as-of", DAYS[0], "-q")
    grow(desk, 1)
    desk.apply(RULES.format(output=""), "--as-of", DAYS[1], "-q")
    assert {move["column"] for move in moves(desk)["moves"]} == {"town", "club"}


def test_keys_that_are_one_once_they_are_hashed(desk: Desk) -> None:
    pytest.importorskip("polars_hash")
    text = RULES.format(output='hash = ["id"]\nmin_cell = 1').replace('"stage", "town", "club"', '"town"')
    desk.put("c.csv", "id,age,town,club\na1,20,X,true\nA1,20,X,true\nb1,20,X,true\n")
    for day in DAYS[:2]:
        desk.apply(text, "--as-of", day, "-q")
    found = moves(desk)
    assert [move["customers"] for move in found["moves"]] == [2] and found["customers"] == 2


def test_shown(desk: Desk) -> None:
    before = grow(desk, 0)
    desk.apply(RULES.format(output=""), "--as-of", DAYS[0], "-q")
    assert "the first run, so nobody has moved yet" in " ".join(
        desk.segkit("history", desk / "out", "--moves").stdout.split()
    )
    now = grow(desk, 1)
    desk.apply(RULES.format(output=""), "--as-of", DAYS[1], "-q")
    shown = desk.segkit("history", desk / "out", "--moves").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    wanted = expected(before, now)
    largest = max(n for (c, a, b), n in wanted.items() if c == "town" and a != b and n)
    old, new = next((a, b) for (c, a, b), n in wanted.items() if c == "town" and a != b and n == largest)
    part = [line for line in shown.splitlines() if line.startswith(old or "no value") and str(largest) in line.split()]
    assert any((new or "no value") in line for line in part)
    rows = list(csv.DictReader(desk.segkit("history", desk / "out", "--moves", "-o", "-").stdout.splitlines()))
    assert {(r["column"], r["from"] or None, r["to"] or None): r["customers"] for r in rows} == {
        move: "" if number is None else str(number) for move, number in wanted.items()
    }


def test_errors(desk: Desk) -> None:
    pytest.importorskip("polars_hash")
    grow(desk, 0)
    text = RULES.format(output="")
    desk.apply(text, "--as-of", DAYS[0], "-q")
    before = desk.tree("out")
    said = desk.apply(RULES.format(output='hash = ["id"]'), "--as-of", DAYS[1], code=3).stderr
    assert "the keys cannot be compared" in said
    assert desk.tree("out") == before
    said = desk.apply(text.replace('"club"', '"age"'), "--as-of", DAYS[1], code=2).stderr
    assert "values: 50 are the most that can be tracked" in said and "rules.toml:7:" in said
    said = desk.apply(text.replace('"club"', '"clubs"'), "--as-of", DAYS[1], code=2).stderr
    assert "did you mean `club`?" in said and "rules.toml:7:" in said
    (desk / "out/run/tracked.parquet").write_bytes(b"")
    said = desk.apply(text, "--as-of", DAYS[1], code=3).stderr
    assert "with it moved away, all begins anew" in " ".join(said.split())
    desk.apply(text.replace('track = ["stage", "town", "club"]\n', ""), "--as-of", DAYS[1], "-q")
    assert "tracks no columns" in desk.segkit("history", desk / "out", "--moves", code=2).stderr
    assert (
        "--moves is of all customers"
        in desk.segkit("history", desk / "out", "--moves", "--segment", "all", code=2).stderr
    )


def test_where_a_few_kept_a_value_the_others_are_not_all(desk: Desk) -> None:
    """Of those who kept a value that a few have, nobody may know how many they are; they are not nobody."""
    desk.put("c.csv", "id,age,town,club\n" + "".join(f"k{n},20,{'X' if n else 'Y'},no\n" for n in range(9)))
    for day in DAYS[:2]:
        desk.apply(RULES.format(output=""), "--as-of", day, "-q")
    shown = desk.segkit("history", desk / "out", "--moves").stdout.splitlines()
    same = [line for line in shown if line.endswith("have the same value as before")]
    assert same == ["9 have the same value as before", "at least 8 have the same value as before", same[0]]


def test_values_of_a_few_are_not_told(desk: Desk) -> None:
    """A value that one customer has may tell who it is; those that the rules name are no secret."""
    rules = RULES.format(output="").replace('"town", "club"', '"town"')
    desk.put("c.csv", "id,age,town\n" + "".join(f"k{n},20,T\n" for n in range(40)) + "a,20,Rare1\nb,20,Rare2\n")
    desk.apply(rules, "--as-of", DAYS[0], "-q")
    desk.put("c.csv", "id,age,town\n" + "".join(f"k{n},20,T\n" for n in range(40)) + "a,60,T\nb,20,Rare3\n")
    desk.apply(rules, "--as-of", DAYS[-1], "-q")
    text = (desk / "out/manifest.json").read_text()
    assert "Rare" not in text
    told = {(one["column"], one["from"], one["to"]): one["customers"] for one in moves(desk)["moves"]}
    assert told == {
        ("stage", "young", "young"): 41,
        ("stage", "young", "old"): None,
        ("town", "T", "T"): 40,
        ("town", "(few)", "T"): None,
        ("town", "(few)", "(few)"): None,
    }
