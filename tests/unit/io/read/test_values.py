"""Texts to types and values: one column a case."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table, bad_values
from segkit.io.read.values import numbers, texts
from tests.unit.io.read.fixture_types import Opener

D = dt.date
A, B = D(2015, 1, 18), D(2015, 2, 3)

INTEGER, NUMBER, TEXT, DATE, BOOLEAN = (
    ColumnType.INTEGER,
    ColumnType.NUMBER,
    ColumnType.TEXT,
    ColumnType.DATE,
    ColumnType.BOOLEAN,
)


def column(texts: list[str]) -> str:
    quoted = ('"' + text.replace('"', '""') + '"' for text in texts)
    return "\n".join(["id,a", *(f"1,{text}" for text in quoted)]) + "\n"


def values(table: Table, name: str = "a", **how: Any) -> list[Any]:
    return table.frame.select(table.value(name, **how)).collect().to_series().to_list()


def bad(table: Table, name: str = "a", **how: Any) -> list[bool]:
    test = table.bad(name, **how)
    return [] if test is None else table.frame.select(test.alias("bad")).collect()["bad"].to_list()


CASES = {
    "integers": (["1", "-2", "+3"], INTEGER, [1, -2, 3]),
    "decimals": (["1", "2.5", ".5"], NUMBER, [1.0, 2.5, 0.5]),
    "exponents": (["1e3", "2.5E-1"], NUMBER, [1000.0, 0.25]),
    "spaces around": ([" 1", "2 "], INTEGER, [1, 2]),
    "dollars": (["$90,000 ", "$60,000 "], INTEGER, [90000, 60000]),
    "minus before a currency": (["-$5", "$-6", "€7"], INTEGER, [-5, -6, 7]),
    "euros, french": (["1 234,56 €", "12,00 €"], NUMBER, [1234.56, 12.0]),
    "no-break and narrow spaces": (["1\xa0234,5", "1\u202f234,56"], NUMBER, [1234.5, 1234.56]),
    "swiss": (["1'234.50", "12’000.00 CHF"], NUMBER, [1234.5, 12000.0]),
    "german": (["1.234,56", "1.234", "12,5"], NUMBER, [1234.56, 1234.0, 12.5]),
    "english": (["1,234.56", "1,234", "12.5"], NUMBER, [1234.56, 1234.0, 12.5]),
    "millions settle the group mark": (["1,234,567", "1,234"], INTEGER, [1234567, 1234]),
    "unsettled comma": (["1,234", "2,500"], INTEGER, [1234, 2500]),
    "unsettled point": (["1.234", "2.500"], NUMBER, [1.234, 2.5]),
    "codes": (["EUR 12", "12 USD"], INTEGER, [12, 12]),
    "leading zero": (["01234", "75001"], TEXT, ["01234", "75001"]),
    "zero itself": (["0", "0.5", "-0.5"], NUMBER, [0.0, 0.5, -0.5]),
    "percent": (["10%", "20%"], TEXT, ["10%", "20%"]),
    "long codes": (["1234567890123456789"], TEXT, ["1234567890123456789"]),
    "phone numbers": (["555 1234", "12 34 56"], TEXT, ["555 1234", "12 34 56"]),
    "nothing but blanks": (["", "  "], TEXT, [None, None]),
    "text": ([" a ", "b", "   ", "c\xa0", "\u200bd\ufeff"], TEXT, ["a", "b", None, "c", "d"]),
    "missing numbers": (["1", "NA", "n/a", "-", "nan", " ", "None"], INTEGER, [1] + [None] * 6),
    "iso": (["2015-01-18", "2015-02-03"], DATE, [A, B]),
    "iso timestamps": (["2015-01-18T23:59:59.123", "2015-02-03 00:00:00"], DATE, [A, B]),
    "years first": (["2015/1/18", "2015/02/03"], DATE, [A, B]),
    "month first": (["1/18/2015", "2/3/2015"], DATE, [A, B]),
    "day first": (["18.1.2015", "3.2.2015"], DATE, [A, B]),
    "day first with time": (["18-01-2015 10:00", "03-02-2015 23:59:59"], DATE, [A, B]),
    "with am and pm": (["1/18/2015 3:45 PM", "2/3/2015 12:01 am"], DATE, [A, B]),
    "equal parts read one way": (["3/3/2015"], DATE, [D(2015, 3, 3)]),
    "missing dates": (["2015-01-18", "NULL", "", "N/A"], DATE, [A, None, None, None]),
    "compact is a number": (["20150118"], INTEGER, [20150118]),
    "booleans": (["true", "False", "TRUE"], BOOLEAN, [True, False, True]),
    "yes and no are text": (["yes", "no"], TEXT, ["yes", "no"]),
    "nulls in text": (["a", "NULL", "\\N"], TEXT, ["a", None, None]),
}


@pytest.mark.parametrize(("texts", "kind", "expected"), CASES.values(), ids=CASES)
def test_detected(opened: Opener, texts: list[str], kind: ColumnType, expected: list[object]) -> None:
    table = opened(column(texts))
    assert (table.columns["a"].type, table.columns["a"].mixed) == (kind, False)
    assert values(table) == expected
    assert not any(bad(table))


GIVEN = {
    "types: leading zeros": ({"types": {"a": "number"}}, ["01", "2.5"], [1.0, 2.5]),
    "types: words": (
        {"types": {"a": "boolean"}},
        ["oui", "N", "1", "t", "nein", ""],
        [True, False, True, True, False, None],
    ),
    "types: compact date": ({"types": {"a": "date"}}, ["20150118", "20150203"], [A, B]),
    "types: text": ({"types": {"a": "text"}}, ["1", "NA"], ["1", "NA"]),
    "time column": ({"time_columns": ("a",)}, ["20150118", "20150203"], [A, B]),
    "date_format": ({"date_format": "%d/%m/%Y"}, ["03/02/2015"], [B]),
    "date_format with a month's name": ({"date_format": "%d %b %Y"}, ["03 Feb 2015", ""], [B, None]),
    "date_format leaves others alone": ({"date_format": "%d/%m/%Y %H:%M"}, ["31/12/1980"], [D(1980, 12, 31)]),
    "date_format leaves iso alone": ({"date_format": "%d/%m/%Y"}, ["2015-02-03"], [B]),
    "decimal": ({"decimal": ","}, ["1.234", "2,5"], [1234.0, 2.5]),
    "thousands": ({"thousands": "."}, ["1.234", "2.500"], [1234, 2500]),
    "no thousands": ({"thousands": ""}, ["1.234", "2.500"], [1.234, 2.5]),
    "null_values": ({"null_values": ["-1", "x"]}, ["-1", "2", "x"], [None, 2, None]),
    "null_values in text": ({"null_values": ["Select"]}, ["Select", "a"], [None, "a"]),
    "time zone, one layout": ({"timezone": "Asia/Tokyo"}, ["2015-01-17T15:00:00Z", "2015-02-03T10:00:00.5Z"], [A, B]),
    "time zone, fractions": ({"timezone": "Asia/Tokyo"}, ["2015-01-17T15:00:00.1+0000"] * 2, [A, A]),
    "time zone": (
        {"timezone": "Europe/Paris"},
        ["2015-01-17T23:30:00Z", "2015-02-02 23:30:00+00:00", "2015-02-03"],
        [A, B, B],
    ),
}


@pytest.mark.parametrize(("given", "texts", "expected"), GIVEN.values(), ids=GIVEN)
def test_given(opened: Opener, given: dict[str, Any], texts: list[str], expected: list[object]) -> None:
    table = opened(column(texts), **given)
    assert values(table) == expected
    assert not any(bad(table))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["01/05/2024", "02/05/2024", "05/18/2024"], [D(2024, 5, 1), D(2024, 5, 2), None]),
        (["1/18/2024", "3/18/2024", "3/4/2024"], [None, None, D(2024, 4, 3)]),
    ],
)
def test_a_date_format_by_which_some_values_are_written_binds_all(
    opened: Opener, texts: list[str], expected: list[object]
) -> None:
    table = opened(column(texts), date_format="%d/%m/%Y")
    assert values(table) == expected
    assert bad(table) == [value is None for value in expected]
    with pytest.raises(DataError) as raised:
        raise bad_values(table, {"a": (None, False)})
    assert raised.value.diagnostics[0].message.endswith("as a date written as `%d/%m/%Y` in column `a`")


MONEY = {
    "exact": (["1.10", "2"], ["1.1", "2"], [False, False]),
    "ten decimals": (["0.1234567891", "1.10000000000000"], ["0.1234567891", "1.1"], [False, False]),
    "more": (["0.12345678912", "1"], [None, "1"], [True, False]),
    "infinite": (["inf"] + ["1"] * 9, [None] + ["1"] * 9, [True] + [False] * 9),
    "not a number is missing": (["nan", "1"], [None, "1"], [False, False]),
    "decimal comma": (["1 234,10 €", "2,5"], ["1234.1", "2.5"], [False, False]),
}


@pytest.mark.parametrize(("texts", "expected", "wrong"), MONEY.values(), ids=MONEY)
def test_money(opened: Opener, texts: list[str], expected: list[str | None], wrong: list[bool]) -> None:
    table = opened(column(texts))
    assert values(table, money=True) == [x and Decimal(x) for x in expected]
    assert bad(table, money=True) == wrong


def test_bad_values_leave_the_type_and_are_null(opened: Opener) -> None:
    table = opened(column(["1"] * 9 + ["x"]))
    assert (table.columns["a"].type, table.columns["a"].mixed) == (INTEGER, True)
    assert values(table) == [1] * 9 + [None]
    assert bad(table) == [False] * 9 + [True]
    assert values(table, type=TEXT) == ["1"] * 9 + ["x"]


@pytest.mark.parametrize("text", ["31/02/2015", "0/1/2015", "18/01/15", "18/01/2015 25:99"])
def test_impossible_dates_are_bad(opened: Opener, text: str) -> None:
    table = opened(column(["18/01/2015"] * 9 + [text]))
    assert bad(table) == [False] * 9 + [True]


def test_a_type_may_be_asked_of_any_text_column(opened: Opener) -> None:
    table = opened(column(["1", "a", "2015-01-18", "yes"]))
    assert values(table, type=NUMBER) == [1.0, None, None, None]
    assert values(table, type=DATE) == [None, None, A, None]
    assert values(table, type=BOOLEAN) == [True, None, None, True]
    assert bad(table, type=BOOLEAN) == [False, True, True, False]


def test_a_number_may_be_asked_of_mostly_text(opened: Opener) -> None:
    table = opened(column(["$5", "a", "b", "1,234.5"]))
    assert values(table, type=NUMBER) == [5.0, None, None, 1234.5]


def test_a_given_number_is_read_among_many_texts(opened: Opener) -> None:
    table = opened(column([*["x"] * 20, "$5"]), types={"a": "number"})
    assert values(table) == [*[None] * 20, 5.0]


SHAPES = [numbers.shape(*marks) for marks in ((".",), (",",), (".", ","), (",", ""), (".", " "))]


def written(shape: str) -> st.SearchStrategy[str]:
    """Texts of this shape; what is a space for Polars is one for Python, but not the other way round."""
    return st.from_regex(shape.removesuffix("$").replace(r"\s*", "[ \xa0]*").replace(r"\s", " \xa0") + r"\Z")


@given(st.sampled_from(SHAPES).flatmap(written))
@settings(max_examples=300, deadline=None)
def test_every_number_looks_like_one(text: str) -> None:
    assert pl.select(pl.lit(text.strip()).str.contains(numbers.LIKE)).item()


def test_the_other_columns_settle_the_decimal_mark(opened: Opener) -> None:
    table = opened("a,b\n" + '"1,234","12,5"\n' * 2)
    assert values(table) == [1.234, 1.234]
    assert table.detected["decimal"] == ","
    table = opened('a;b\n"1,234";12.5\n')
    assert values(table) == [1234]


def test_beside_semicolons_an_unsettled_comma_is_decimal_and_an_unsettled_point_too(opened: Opener) -> None:
    table = opened("a;b\n1,234;1.234\n")
    assert (values(table), values(table, "b")) == ([1.234], [1.234])


def test_unsettled_day_and_month_is_an_error_with_both_readings(opened: Opener) -> None:
    table = opened(column(["02/02/2015", "01/02/2015"]))
    assert table.reads_both_ways("a", None)
    message = str(table.unclear_dates("a"))
    assert "`01/02/2015` in column `a` is 1 February 2015 or 2 January 2015" in message
    assert 'date_format = "%d/%m/%Y"' in message


KEYS = {
    "text": (pl.Series(["00042", " 7 ", "17850.0", "", "  "]), ["00042", "7", "17850.0", None, None]),
    "integers": (pl.Series([1, None]), ["1", None]),
    "floats": (pl.Series([17850.0, 1.5, float("nan"), None]), ["17850", "1.5", None, None]),
    "decimals": (pl.Series([Decimal("10.00"), Decimal("1.50")]), ["10", "1.5"]),
    "categories": (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
}


@pytest.mark.parametrize(("series", "expected"), KEYS.values(), ids=KEYS)
def test_key(opened: Opener, tmp_path: Path, series: pl.Series, expected: list[object]) -> None:
    series.alias("a").to_frame().write_parquet(tmp_path / "k.parquet")
    table = opened(path="k.parquet")
    assert table.frame.select(table.key("a")).collect()["a"].to_list() == expected


def test_null_values_are_no_keys(opened: Opener) -> None:
    table = opened(column(["NULL", "a"]))
    assert table.frame.select(table.key("a")).collect()["a"].to_list() == [None, "a"]


NAN, INF = float("nan"), float("inf")
TYPED = {
    "unsigned": (pl.Series([1, 2], dtype=pl.UInt8), INTEGER, [1, 2], []),
    "beyond Int64": (pl.Series([1, 2**64 - 1], dtype=pl.UInt64), INTEGER, [1, None], [False, True]),
    "float": (pl.Series([1.5, NAN, INF, None]), NUMBER, [1.5, None, None, None], [False, False, True, False]),
    "float32": (pl.Series([0.5, -INF], dtype=pl.Float32), NUMBER, [0.5, None], [False, True]),
    "decimal": (pl.Series([Decimal("1.5")]), NUMBER, [Decimal("1.5")], []),
    "date": (pl.Series([A]), DATE, [A], []),
    "boolean": (pl.Series([True, None]), BOOLEAN, [True, None], []),
    "naive timestamp": (pl.Series([dt.datetime(2015, 1, 18, 23, 30)]), DATE, [A], []),
    "zoned timestamp": (
        pl.Series([dt.datetime(2015, 1, 17, 23, 30)]).dt.replace_time_zone("UTC"),
        DATE,
        [A],
        [],
    ),
    "category": (pl.Series(["x", ""], dtype=pl.Categorical), TEXT, ["x", None], []),
    "enum": (pl.Series(["x"], dtype=pl.Enum(["x"])), TEXT, ["x"], []),
    "text dates": (pl.Series(["2015-01-18", None, ""]), DATE, [A, None, None], [False] * 3),
    "list": (pl.Series([["a", "b"], None]), ColumnType.LIST, [["a", "b"], None], []),
    "nulls": (pl.Series([None, None]), TEXT, [None, None], []),
}


@pytest.mark.parametrize(("series", "kind", "expected", "wrong"), TYPED.values(), ids=TYPED)
def test_typed_sources(
    opened: Opener, tmp_path: Path, series: pl.Series, kind: ColumnType, expected: list[object], wrong: list[bool]
) -> None:
    series.alias("a").to_frame().write_parquet(tmp_path / "t.parquet")
    table = opened(path="t.parquet", timezone="Europe/Paris")
    assert table.columns["a"].type is kind
    assert values(table) == expected
    assert bad(table) == wrong


FLOATS = [0.1, 2 / 3, 123456789.12345679, 1234567.1, NAN, INF, 1e30]


def test_float_money_is_rounded_to_ten_decimals_of_its_shortest_form(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": FLOATS}).write_parquet(tmp_path / "t.parquet")
    table = opened(path="t.parquet")
    texts = ["0.1", "0.6666666667", "123456789.12345679", "1234567.1"]
    assert values(table, money=True) == [*map(Decimal, texts), None, None, None]
    assert bad(table, money=True) == [False] * 5 + [True, True]


def test_forced_types_on_typed_sources(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": [20150118], "b": [1], "c": [7.0]}).write_parquet(tmp_path / "t.parquet")
    table = opened(path="t.parquet", types={"a": "date", "b": "boolean", "c": "text"})
    assert [values(table, name) for name in "abc"] == [[A], [True], ["7"]]


def test_a_struct_has_no_value(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": [{"x": 1}]}).write_parquet(tmp_path / "t.parquet")
    table = opened(path="t.parquet")
    assert table.columns["a"].type is ColumnType.OTHER
    with pytest.raises(DataError, match="holds records"):
        table.value("a")


def test_settle_looks_at_every_value(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    start, middle = ["1"] * 3000, ["2.5", "NA", " 7 ", "$1,000"]
    table = opened(column([*start, *middle, *start, *start]))
    assert table.columns["a"].type is INTEGER
    assert sum(bad(table)) == 3
    settled = table.settle(["a"])
    assert settled.columns["a"].type is NUMBER
    assert not any(bad(settled))
    assert values(settled)[3000:3004] == [2.5, None, 7.0, 1000.0]
    assert settled.settle(["a"]) is settled
    assert table.settle(["id"]) is table


def test_day_and_month_are_settled_by_every_value(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    table = opened(column(["01/02/2015"] * 3000 + ["31/12/2015"] + ["01/02/2015"] * 6000))
    assert set(values(table)) == {D(2015, 2, 1), D(2015, 12, 31)}


def test_a_leading_zero_outside_the_sample_is_noticed(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    table = opened(column(["75001"] * 9000 + ["01000"] + ["75001"] * 9000 * 2))
    assert table.columns["a"].type is INTEGER
    assert sum(bad(table)) == 1
    assert table.settle(["a"]).columns["a"].type is TEXT


@pytest.mark.parametrize(
    ("late", "day"), [("13/04/2015", dt.date(2015, 4, 13)), ("04/13/2015", dt.date(2015, 4, 13)), ("03/04/2015", None)]
)
def test_dates_that_read_alike_in_the_sample_settle_nothing(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, late: str, day: dt.date | None
) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    rows = ["01/01/2015"] * 2000
    rows[700] = late
    table = opened("d\n" + "\n".join(rows) + "\n")
    assert table.columns["d"].type is DATE and table.reads_both_ways("d", None)
    table = table.settle(["d"])
    assert table.reads_both_ways("d", None) == (day is None)
    if day is None:
        assert "is 3 April 2015 or 4 March 2015" in str(table.unclear_dates("d"))
    else:
        assert table.frame.select(table.value("d")).collect()["d"][700] == day


def test_dates_that_all_read_alike_are_day_first(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    table = opened("d\n" + "01/01/2015\n3/3/2015\n" * 1000).settle(["d"])
    assert not table.reads_both_ways("d", None)
    days = table.frame.select(table.value("d")).collect()["d"]
    assert days.unique().sort().to_list() == [dt.date(2015, 1, 1), dt.date(2015, 3, 3)]
    assert table.columns["d"].how == "date %d/%m/%Y"


@settings(max_examples=300)
@given(st.text(alphabet="ab'=N1é\U0001f600\x1f\x00" + texts.WHITE, max_size=6))
def test_what_is_padded_and_what_needs_care(text: str) -> None:
    """Said of many texts at once; of each, it is what taking away what does not belong there says."""
    frame = pl.DataFrame({"text": [text, None]})
    padded, care = frame.select(
        texts.is_padded(pl.col("text")).alias("padded"), texts.needs_care(pl.col("text")).alias("care")
    )
    assert padded.to_list() == [text != text.strip(texts.WHITE), False]
    odd = re.match(r"=\"|'[0-9]", text) or any(mark in text for mark in texts.ZERO_WIDTH)
    assert care.to_list() == [bool(padded[0] or odd or text in texts.NULL_KEYS), False]


@pytest.mark.parametrize("precision", [20, 38])
def test_a_decimal_that_is_too_large_for_money_is_bad(opened: Opener, tmp_path: Path, precision: int) -> None:
    """Money has 28 digits before the point; other systems have up to 36."""
    large = Decimal(10) ** (precision - 3)
    series = pl.Series("a", [large, Decimal("1.25")], dtype=pl.Decimal(precision, 2))
    pl.DataFrame({"id": ["1", "2"], "a": series}).write_parquet(tmp_path / "t.parquet")
    table = opened(path="t.parquet")
    bad = table.bad("a", money=True)
    if precision == 20:
        assert bad is None and values(table, money=True) == [large, Decimal("1.25")]
    else:
        assert bad is not None
        assert table.frame.select(bad).collect().to_series().to_list() == [True, False]
        assert values(table, money=True) == [None, Decimal("1.25")]
