"""Whatever a file looks like, it is read right, or refused with the way out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.desk import Desk
from tests.dialects.shapes import BASE, EVENTS, SHAPES, Shape, as_parquet

MANY = 60_000
EVENT_RULES = """version = 1
as_of = 2024-12-31
[customers]
from = "o"
key = "id"
[events.o]
path = "PATH"
time = "day"
amount = "amount"
KEYS
[trait.spent]
events = "o"
measure = "sum"
[trait.last]
events = "o"
measure = "last"
[trait.note]
events = "o"
measure = "last"
of = "note"
[output]
columns = ["spent", "last", "note"]
[segment.s]
everyone = true
"""
CUSTOMER_RULES = """version = 1
as_of = 2024-12-31
[customers]
path = "PATH"
key = "id"
KEYS
[segment.s]
CRITERIA
"""


def rules(shape: Shape, keys: str, path: str) -> str:
    if not shape.criteria:
        return EVENT_RULES.replace("PATH", path).replace("KEYS", keys)
    criteria = "everyone = true" if shape.criteria == "everyone" else f"demographic.{shape.criteria}"
    return CUSTOMER_RULES.replace("PATH", path).replace("KEYS", keys).replace("CRITERIA", criteria)


def run(desk: Desk, shape: Shape, keys: str, code: int = 0, path: str | None = None) -> Result:
    return desk.apply(rules(shape, keys, path or shape.file), "-o", "-", code=code)


def answer(shape: Shape, done: Result) -> dict[str, str]:
    """Key -> the other columns of events, nothing of customers; without the ordinary rows."""
    rows = csv.DictReader(io.StringIO(done.stdout_bytes.decode(), newline=""))
    odd = [row for row in rows if not re.fullmatch(r"f\d+", row["id"])]
    if shape.criteria:
        return {row["id"].replace(" ", "_"): "" for row in odd}
    return {row["id"]: "|".join(row[name] for name in ("spent", "last", "note")) for row in odd}


def check(desk: Desk, shape: Shape, ordinary: int) -> None:
    desk.put(shape.file, shape.content(ordinary))
    keys = shape.keys
    if shape.refused:
        done = run(desk, shape, keys, code=shape.code)
        assert shape.refused in done.stderr
        assert shape.file in done.stderr or shape.code == 2  # a place in the rule file
        if not shape.mend:
            return
        key = shape.mend.partition(" ")[0].partition(".")[0]
        assert f"`{key}" in done.stderr or f"{key} =" in done.stderr, done.stderr
        keys = f"{keys}\n{shape.mend}"
    done = run(desk, shape, keys)
    assert answer(shape, done) == shape.answer
    assert ("warning: " in done.stderr) == bool(shape.warned), done.stderr
    assert shape.warned in " ".join(done.stderr.split())


def each(shapes: Iterable[Shape]) -> list[Any]:
    """For `parametrize`: every shape under its name, with the extra that it needs."""
    return [
        pytest.param(shape, id=shape.name, marks=[pytest.mark.extra(shape.extra)] if shape.extra else [])
        for shape in shapes
    ]


@pytest.mark.parametrize("shape", each(SHAPES))
def test_as_it_is(desk: Desk, shape: Shape) -> None:
    check(desk, shape, 0)


@pytest.mark.parametrize("shape", each(shape for shape in SHAPES if shape.filler))
def test_beyond_the_sample(desk: Desk, shape: Shape) -> None:
    """60,000 ordinary rows stand between the first rows and the rest."""
    check(desk, shape, MANY)


def test_there_are_many_shapes() -> None:
    assert len(SHAPES) >= 200
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)


PLAIN = [shape for shape in EVENTS if not (shape.refused or shape.warned) and shape.file == "data.csv"][::6]


@pytest.mark.parametrize("shape", each(PLAIN))
def test_by_glob_and_by_pipe(desk: Desk, shape: Shape) -> None:
    content = shape.content(0)
    desk.put("part-1.csv", content)
    assert answer(shape, run(desk, shape, shape.keys, path="part-*.csv")) == shape.answer
    text = rules(shape, shape.keys, "-")
    done = desk.apply(text, "-o", "-", "--summary", "none", input=content)
    assert answer(shape, done) == shape.answer


def test_the_same_from_a_typed_source(desk: Desk) -> None:
    desk.put("data.parquet", as_parquet(BASE))
    shape = Shape("typed", BASE, file="data.parquet")
    assert answer(shape, run(desk, shape, "")) == shape.answer


def test_text_goes_out_as_it_came(desk: Desk) -> None:
    """Rules compare the text without white space around it; lists have it as the file does."""
    desk.put("data.csv", "id,x\n1,FR \n2, FR\n3,DE\n")
    head = 'version = 1\nas_of = 2024-12-31\n[customers]\npath = "data.csv"\nkey = "id"\n'
    text = head + '[output]\ncolumns = ["x"]\n[segment.s]\ndemographic.x = "FR"\n'
    assert [row["x"] for row in desk.rows(text)] == ["FR ", " FR"]


def test_a_note_says_what_was_taken_for_cp1252(desk: Desk) -> None:
    desk.put("data.csv", "id,x\n1,Orléans\n".encode("cp1252"))
    head = 'version = 1\nas_of = 2024-12-31\n[customers]\npath = "data.csv"\nkey = "id"\n'
    (note,) = desk.json(head + "[segment.s]\neveryone = true\n", "--fail-on", "warning")["notes"]
    assert "line 2 has `é`" in note["message"]
    assert Path(note["path"]).name == "data.csv" and note["line"] == 2
    assert desk.json(head + 'encoding = "cp1252"\n[segment.s]\neveryone = true\n')["notes"] == []
