"""Numbers with a type beside texts: each is the number it is, and says nothing of how the texts are written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk, event_table, head
from tests.workbooks import changed, ods, workbook

EVERYONE = "[segment.all]\neveryone = true\n"
SUM = '[trait.total]\nevents = "e"\nmeasure = "sum"\n'


def _sqlite(desk: Desk, rows: list[dict[str, Any]]) -> str:
    (desk / "e.sqlite").unlink(missing_ok=True)
    base = sqlite3.connect(desk / "e.sqlite")
    base.execute("create table e (id text, day text, x)")
    base.executemany("insert into e values (:id, :day, :x)", rows)
    base.commit()
    base.close()
    return "sqlite:e.sqlite"


def _ndjson(desk: Desk, rows: list[dict[str, Any]]) -> str:
    desk.put("e.ndjson", "".join(json.dumps(row) + "\n\n" for row in rows))
    return "e.ndjson"


def _json(desk: Desk, rows: list[dict[str, Any]]) -> str:
    desk.put("e.json", json.dumps(rows, indent=1))
    return "e.json"


def _ods(desk: Desk, rows: list[dict[str, Any]]) -> str:
    def typed(content: bytes) -> bytes:
        for number in (row["x"] for row in rows):
            if isinstance(number, int | float):
                text = f'office:value-type="string"><text:p>#{number}<'
                content = content.replace(
                    text.encode(), f'office:value-type="float" office:value="{number}"><text:p>{number}<'.encode()
                )
        return content.replace(b"</office:spreadsheet>", b"</office:spreadsheet >")

    def shown(x: Any) -> str:
        return "" if x is None else f"#{x}" if isinstance(x, int | float) else x

    content = ods([["id", "day", "x"], *([row["id"], row["day"], shown(row["x"])] for row in rows)])
    desk.put("e.ods", changed(content, "content.xml", typed))
    return "e.ods"


def _xlsx(desk: Desk, rows: list[dict[str, Any]]) -> str:
    desk.put("e.xlsx", workbook([["id", "day", "x"], *([row["id"], row["day"], row["x"]] for row in rows)]))
    return "e.xlsx"


def _parquet(desk: Desk, rows: list[dict[str, Any]]) -> str:
    """Numbers in one file, texts in another."""
    for name, kind in (("numbers", (int, float)), ("texts", (str, type(None)))):
        of_kind = [row for row in rows if isinstance(row["x"], kind)]
        pl.DataFrame(of_kind, schema_overrides={"x": pl.String} if name == "texts" else {}).write_parquet(
            desk / f"e-{name}.parquet"
        )
    return "e-*.parquet"


KINDS: Mapping[str, Callable[[Desk, list[dict[str, Any]]], str]] = {
    "sqlite": _sqlite,
    "ndjson": _ndjson,
    "json": _json,
    "ods": _ods,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
KIND = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.extra("excel") if kind in ("ods", "xlsx") else ()) for kind in KINDS]
)


def _table(desk: Desk, kind: str, values: list[Any], day: str = "2024-01-05") -> str:
    """The line of the path of a table with these values in `x`, and of what in it is read."""
    path = KINDS[kind](desk, [{"id": f"k{n}", "day": day, "x": value} for n, value in enumerate(values)])
    return path + ('"\ntable = "e' if kind == "sqlite" else "")


UNSETTLED: dict[str, tuple[list[Any], str]] = {
    "a fraction, and a text with a comma": ([1.234, "1,5"], "1,5"),
    "a fraction, and a text that may be a thousand": ([1.5, "1.234"], "1.234"),
    "a whole number, and a text that may be a thousand": ([1234, "1,234"], "1,234"),
}


@KIND
@pytest.mark.parametrize("case", UNSETTLED)
@pytest.mark.parametrize("amount", [False, True])
def test_texts_that_nothing_settles_are_asked_for(desk: Desk, kind: str, case: str, *, amount: bool) -> None:
    values, text = UNSETTLED[case]
    table = _table(desk, kind, values)
    rules = head(path=table)
    if amount:
        desk.put("c.csv", "id\nk0\n")
        rules = head() + event_table("e", table, 'id = "id"', 'amount = "x"') + SUM
    error = desk.apply(rules + EVERYONE, code=3).stderr
    assert f"column `x` has numbers and texts, and nothing settles how to read a text such as `{text}`\n" in error
    assert '`decimal = "."` or `decimal = ","`' in " ".join(error.split())


READ: dict[str, tuple[list[Any], str, list[float]]] = {
    "a comma that is given": ([1.234, "1,5"], 'decimal = ","', [1.234, 1.5]),
    "a point that is given": ([1.234, "1,500"], 'decimal = "."', [1.234, 1500]),
    "groups that are given": ([1.234, "1.500"], 'thousands = "."', [1.234, 1500]),
    "a text that settles its mark": ([1500, "1.234,50"], "", [1500, 1234.5]),
    "texts without a mark": ([1.234, "5"], "", [1.234, 5]),
    "texts beside three decimals": ([1.234, 2.345, "5"], "", [1.234, 2.345, 5]),
}


@KIND
@pytest.mark.parametrize("case", READ)
def test_a_typed_number_is_the_number_it_is(desk: Desk, kind: str, case: str) -> None:
    values, given, wanted = READ[case]
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(len(values))))
    rules = head() + event_table("e", _table(desk, kind, values), 'id = "id"', 'amount = "x"', *filter(None, [given]))
    found = desk.columns(rules + SUM, "total")
    assert [float(found[f"k{n}"]) for n in range(len(values))] == wanted


@KIND
def test_a_number_that_no_rule_reads_goes_out_as_it_came(desk: Desk, kind: str) -> None:
    found = desk.columns(head(path=_table(desk, kind, [1.234, "5", 12, None])), "x")
    assert found == {"k0": "1.234", "k1": "5", "k2": "12", "k3": ""}


@KIND
def test_texts_that_are_no_numbers_are_not_asked_for(desk: Desk, kind: str) -> None:
    values = [2.5, "1.5", "a", "b"]
    assert desk.columns(head(path=_table(desk, kind, values)), "x") == {
        f"k{n}": str(value) for n, value in enumerate(values)
    }
    rules = head('types = { x = "text" }', path=_table(desk, kind, [1.234, "1,5"]))
    assert desk.columns(rules, "x") == {"k0": "1.234", "k1": "1,5"}


def test_a_typed_number_says_nothing_of_other_columns(desk: Desk) -> None:
    """`1.5` of a number is no proof of what `1.234` is in a column of texts."""
    told = []
    for x in ("z", 1.5):
        rows = [{"id": "a", "x": x, "y": "1.234"}, {"id": "b", "x": "5", "y": "2.345"}]
        desk.put("e.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        rules = head(path="e.ndjson") + "[segment.s]\ndemographic.y.min = 100\n"
        told.append([warning["message"] for warning in desk.json(rules)["warnings"]])
    assert len(told[0]) == 1
    assert told[0] == told[1]


def test_a_value_that_is_filled_down_is_still_a_number(desk: Desk) -> None:
    desk.put("c.csv", "id\no1\n")
    rows = [("o1", "2024-01-01", 1.234), ("o1", "2024-01-02", None), ("o2", "2024-01-01", "1,5")]
    desk.put("e.ndjson", "".join(json.dumps(dict(zip(("id", "day", "x"), row, strict=True))) + "\n" for row in rows))
    lines = ['id = "id"', 'decimal = ","', 'fill_down = ["x"]']
    found = desk.columns(head() + event_table("e", "e.ndjson", *lines) + SUM + 'of = "x"\n', "total")
    assert float(found["o1"]) == 2.468


@pytest.mark.parametrize("key", ["x", "prix é", "a/b", 'a"b', "a.b*"])
@pytest.mark.parametrize("ascii_", [False, True])
def test_keys_of_json(desk: Desk, key: str, *, ascii_: bool) -> None:
    rows = [{"id": "a", key: 1.5}, {"id": "b", key: "1,5", "note": f'{{"{key}": 1}}'}]
    lines = [json.dumps(row, ensure_ascii=ascii_).replace("/", "\\/") + "\n" for row in rows]
    desk.put("e.ndjson", "".join(lines))
    error = desk.apply(head(path="e.ndjson") + EVERYONE, code=3).stderr
    assert "nothing settles how to read a text such as `1,5`\n" in error
    assert "e.ndjson:2\n" in error


def test_a_key_of_an_object_within_is_another(desk: Desk) -> None:
    desk.put("e.ndjson", '{"id":"a","x":"1,5","in":{"x":1.5}}\n{"id":"b","x":"2,5","in":{"x":1}}\n')
    assert desk.columns(head(path="e.ndjson"), "x") == {"a": "1,5", "b": "2,5"}
