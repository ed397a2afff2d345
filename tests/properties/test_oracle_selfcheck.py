"""The oracle against the contract's own sentences, worked out by hand."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from .oracle import (
    RF_MAP,
    STANDARD_MAP,
    Outcome,
    Sql,
    condition,
    cutoff_scores,
    distance_km,
    evaluate,
    full_years,
    in_geometry,
    nested_scores,
    next_anniversary,
    percent_of,
    quantile_scores,
    rfm_name,
    saved_cutoffs,
    saved_scores,
    shift,
    ten_decimals,
)

AS_OF = date(2017, 7, 1)


def orders(*rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows of key, days before `as_of` (or a date), order id, amount, product."""
    names = ("customer_id", "order_date", "order_id", "line_total", "product")
    table = []
    for row in rows:
        full = dict(zip(names, (*row, *(None,) * 5), strict=False))
        if isinstance(full["order_date"], int):
            full["order_date"] = date.fromordinal(AS_OF.toordinal() - full["order_date"])
        if full["line_total"] is not None:
            full["line_total"] = Decimal(str(full["line_total"]))
        table.append(full)
    return table


def run(
    customers: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    /,
    sql: list[Sql] | None = None,
    show: tuple[str, ...] = (),
    **rules: Any,
) -> Outcome:
    """A run with orders that have an id and an amount; every customer of the orders where none are given."""
    rows = events if events is not None else []
    if customers is None:
        customers = [{"customer_id": key} for key in dict.fromkeys(row["customer_id"] for row in rows)]
    file: dict[str, Any] = {
        "version": 1, "as_of": AS_OF, "customers": {"path": "c", "key": "customer_id"},
        "events": {"orders": {"path": "o", "time": "order_date", "id": "order_id", "amount": "line_total"}},
        "output": {"columns": list(show)},
    }  # fmt: skip
    for name, value in rules.items():
        file[name] = {**file[name], **value} if name in ("customers", "events") else value
    tables = {"c": customers, "o": rows, **rules.pop("tables", {})}
    return evaluate(file, tables, {one.text: one for one in sql or []}, rules.pop("files", {}))


def people(**columns: list[Any]) -> list[dict[str, Any]]:
    """Customers a, b, c... with these columns."""
    count = max(len(values) for values in columns.values())
    return [{"customer_id": "abcdefghij"[n], **{k: v[n] for k, v in columns.items()}} for n in range(count)]


def members(block: dict[str, Any], **columns: list[Any]) -> str:
    """The keys in a segment over customers a, b, c..., as one text."""
    return "".join(sorted(run(people(**columns), segment={"s": block}).criteria["s"]))


def trait(spec: dict[str, Any], *rows: tuple[Any, ...], **rules: Any) -> dict[str, Any]:
    outcome = run(None, orders(*rows), trait={"t": {"events": "orders", **spec}}, show=("t",), **rules)
    return dict(zip(outcome.keys, outcome.columns["t"], strict=True))


# --- Time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "duration", "sign", "expected"),
    [
        (date(2024, 3, 31), "1 month", -1, date(2024, 2, 29)),
        (date(2023, 3, 31), "1 month", -1, date(2023, 2, 28)),
        (date(2024, 5, 31), "1 quarter", -1, date(2024, 2, 29)),
        (date(2024, 2, 29), "1 year", -1, date(2023, 2, 28)),
        (date(2024, 1, 31), "1 month", 1, date(2024, 2, 29)),
        (date(2024, 1, 15), "12 months", -1, date(2023, 1, 15)),
        (date(2024, 12, 31), "2 months", 1, date(2025, 2, 28)),
        (date(2024, 3, 1), "1 day", -1, date(2024, 2, 29)),
        (date(2024, 3, 1), "2 weeks", 1, date(2024, 3, 15)),
    ],
)
def test_durations_clip_to_the_months_end(day: date, duration: str, sign: int, expected: date) -> None:
    assert shift(day, duration, sign) == expected


def test_leap_day_anniversaries_and_ages() -> None:
    leap = date(2000, 2, 29)
    assert next_anniversary(leap, date(2023, 2, 28)) == date(2023, 3, 1)
    assert next_anniversary(leap, date(2024, 2, 29)) == leap.replace(year=2024)
    assert next_anniversary(leap, date(2023, 3, 2)) == leap.replace(year=2024)
    assert next_anniversary(date(1990, 1, 1), date(2023, 12, 31)) == date(2024, 1, 1)
    assert [full_years(leap, day) for day in (date(2023, 2, 28), date(2023, 3, 1), date(2024, 2, 29))] == [22, 23, 24]
    assert full_years(AS_OF, AS_OF) == 0


def test_timestamps_become_dates_in_the_timezone() -> None:
    late = datetime(2017, 7, 1, 23, 30, tzinfo=UTC)
    events = [{"customer_id": "a", "order_date": late, "order_id": None, "line_total": None}]
    spec: dict[str, Any] = {"segment": {"s": {"behavioural": {"did": {"events": "orders"}}}}}
    assert run(people(x=[1]), events, **spec).criteria["s"] == {"a"}
    assert run(people(x=[1]), events, timezone="Europe/Paris", **spec).criteria["s"] == set()  # 2 July in Paris


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ({}, "0 1 29 30 31 365 366"),
        ({"within": "30 days"}, "0 1 29 30"),
        ({"within": "0 days"}, "0"),
        ({"within": "1 year"}, "0 1 29 30 31 365"),
        ({"between": ["12 months", "30 days"]}, "30 31 365"),
        ({"between": [date(2017, 6, 1), date(2017, 6, 30)]}, "1 29 30"),
        ({"since": date(2017, 6, 1)}, "0 1 29 30"),
        ({"before": date(2017, 6, 1)}, "31 365 366"),
        ({"since": "31 days", "before": "1 day"}, "29 30 31"),
    ],
)
def test_windows(window: dict[str, Any], days: str) -> None:
    events = orders(*(("a", day, f"o{day}") for day in (-1, 0, 1, 29, 30, 31, 365, 366)))
    found = []
    for day in (-1, 0, 1, 29, 30, 31, 365, 366):
        one = [row for row in events if row["order_id"] == f"o{day}"]
        if run(people(x=[1]), one, segment={"s": {"behavioural": {"did": {"events": "orders", **window}}}}).criteria[
            "s"
        ]:
            found.append(str(day))
    assert " ".join(found) == days


def test_a_window_from_a_date_of_the_customer() -> None:
    customers = people(signed_up=[date(2017, 5, 1), date(2017, 4, 30), None])
    events = orders(*((key, date(2017, 5, day), f"{key}{day}") for key in "abc" for day in (1, 2, 31)))
    traits = {
        "open": {"events": "orders", "since": {"column": "signed_up"}},
        "first": {"events": "orders", "since": {"column": "signed_up"}, "for": "30 days"},
        "none": {"events": "orders", "since": {"column": "signed_up"}, "for": "0 days"},
    }
    outcome = run(customers, events, trait=traits, show=tuple(traits))
    assert outcome.columns == {"open": [3, 3, 0], "first": [3, 2, 0], "none": [1, 0, 0]}


# --- Conditions ---------------------------------------------------------------------------------------------------


def test_missing_values_hold_nothing_unless_asked() -> None:
    country = ["FR", "DE", None, ""]
    assert members({"geographic": {"country": "FR"}}, country=country) == "a"
    assert members({"geographic": {"country": {"not": "FR"}}}, country=country) == "b"
    assert members({"geographic": {"country": {"not": "FR", "or_missing": True}}}, country=country) == "bcd"
    assert members({"geographic": {"country": {"missing": True}}}, country=country) == "cd"
    assert members({"geographic": {"country": {"missing": False}}}, country=country) == "ab"
    assert members({"none": [{"geographic": {"country": "FR"}}]}, country=country) == "bcd"
    assert members({"geographic": {"country": {"not_contains": "F"}}}, country=country) == "b"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (3, "c"), ([1, 3], "ac"), ({"not": 3}, "abd"), ({"in": [1]}, "a"), ({"not_in": [1, 3]}, "bd"),
        ({"min": 2}, "bcd"), ({"max": 2}, "ab"), ({"above": 2}, "cd"), ({"below": 2}, "a"),
        ({"between": [2, 3]}, "bc"), ({"min": 2, "below": Decimal("19.99")}, "bc"), ({"min": Decimal("19.99")}, "d"),
        ({"above": Decimal("19.99")}, ""), ({"is": Decimal("19.990")}, "d"),
    ],
)  # fmt: skip
def test_numbers(wanted: Any, expected: str) -> None:
    assert members({"needs": {"n": wanted}}, n=[1, Decimal("2.0"), 3, Decimal("19.99"), None]) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"contains": "r"}, "abc"), ({"contains": ["É", "tz"]}, "bc"), ({"not_contains": ["É", "tz"]}, "ad"),
        ({"starts_with": "f"}, "d"), ({"starts_with": "f", "ignore_case": True}, "ad"), ({"ends_with": ["y", "R"]}, "bd"),
        ({"is": "ÉVRY", "ignore_case": True}, "b"), ({"not": "ÉVRY", "ignore_case": True}, "acd"),
        ({"in": ["fr", "BRETZEL"], "ignore_case": True}, "cd"), ({"matches": "^.r"}, "ac"), ({"matches": "^F.*e$"}, "a"),
        ({"matches": ["É", "^f"], "ignore_case": True}, "abd"), ({"not_matches": "[A-Z]$"}, "abc"),
    ],
)  # fmt: skip
def test_text(wanted: Any, expected: str) -> None:
    assert members({"needs": {"t": wanted}}, t=["France", "Évry", "Bretzel", "fR", None]) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"within": "1 month"}, "bc"), ({"not_within": "1 month"}, "ade"), ({"older_than": "1 month"}, "a"),
        ({"older_than": "30 days"}, "a"), ({"within_next": "1 month"}, "cd"), ({"before": AS_OF}, "ab"), ({"after": AS_OF}, "de"),
        ({"on": AS_OF}, "c"), ({"min": AS_OF, "max": date(2017, 8, 1)}, "cd"), ({"between": [date(2017, 6, 1), AS_OF]}, "bc"),
    ],
)  # fmt: skip
def test_dates(wanted: Any, expected: str) -> None:
    days = [date(2017, 5, 31), date(2017, 6, 1), AS_OF, date(2017, 8, 1), date(2017, 8, 2), None]
    assert members({"needs": {"d": wanted}}, d=days) == expected


def test_anniversaries_are_0_to_d_days_ahead() -> None:
    days = [date(1990, 6, 30), date(1990, 7, 1), date(1990, 7, 8), date(1990, 7, 9), None]
    assert members({"demographic": {"born": {"anniversary_within": "7 days"}}}, born=days) == "bc"


def test_lists_are_split_and_trimmed() -> None:
    def who(wanted: Any) -> str:
        customers = people(interests=["lego, sport", "sport", "lego ,,café", None, " , "])
        spec = {"lists": {"interests": ","}}
        return "".join(
            sorted(run(customers, customers=spec, segment={"s": {"needs": {"interests": wanted}}}).criteria["s"])
        )

    assert who({"has_any": ["lego", "music"]}) == "ac"
    assert who({"has_all": ["lego", "sport"]}) == "a"
    assert who({"has_none": ["sport"]}) == "c"
    assert who({"has_none": "sport", "or_missing": True}) == "cde"  # a list without a value is missing


def test_top_and_bottom_percent() -> None:
    points = [5, 10, 10, 7, None, 1]  # N = 5
    for percent, expected in ((0, ""), (1, "bc"), (20, "bc"), (40, "bc"), (41, "bcd"), (60, "bcd"), (100, "abcdf")):
        assert members({"needs": {"p": {"top_percent": percent}}}, p=points) == expected, percent
    assert members({"needs": {"p": {"bottom_percent": 20}}}, p=points) == "f"
    assert members({"needs": {"p": {"bottom_percent": 61}}}, p=points) == "abcdf"
    assert members({"needs": {"p": {"top_percent": 41}, "keep": False}}, p=points, keep=[True, True, False] * 2) == "c"
    for per, expected in (("g", "bdf"), (["g"], "bdf"), (["g", "keep"], "abcdf"), ([], "bd")):
        share = {"top_percent": {"percent": 20, "per": per}}
        groups: dict[str, list[Any]] = {"g": ["u", "u", None, None, "u", "v"], "keep": [True, False] * 3}
        assert members({"needs": {"p": share}}, p=[5, 10, 7, 10, None, 1], **groups) == expected, per
    assert percent_of(Decimal("33.3"), 1000) == 333
    assert percent_of(Decimal("0.1"), 1000) == 1


def test_a_mean_meets_a_decimal_of_the_file_as_a_float() -> None:
    assert condition(0.1, {"is": Decimal("0.1")}, AS_OF)
    assert not condition(0.1, {"above": Decimal("0.1")}, AS_OF)


# --- Blocks -------------------------------------------------------------------------------------------------------


def test_blocks_nest() -> None:
    n = [1, 2, 3, 4, None]
    assert members({"any": [{"needs": {"n": 1}}, {"needs": {"n": {"min": 3}}}]}, n=n) == "acd"
    assert members({"all": [{"needs": {"n": {"min": 2}}}, {"none": [{"needs": {"n": 3}}]}]}, n=n) == "bd"
    assert members({"none": [{"needs": {"n": 1}}, {"needs": {"n": 2}}]}, n=n) == "cde"
    assert members({"everyone": True}, n=n) == "abcde"


def test_segments_refer_to_the_criteria_of_others() -> None:
    small, even = {"needs": {"n": {"max": 2}}, "write": False}, {"needs": {"n": [2, 4]}}
    rules = {"both": {"in_segment": ["small", "even"]}, "neither": {"not_in_segment": ["small", "even"]}}
    outcome = run(people(n=[1, 2, 3, 4]), segment={**rules, "small": small, "even": even})
    assert outcome.criteria["both"] == {"b"}
    assert outcome.criteria["neither"] == {"c"}
    assert list(outcome.written) == ["both", "neither", "even"]


def test_sql_that_is_null_is_false() -> None:
    sql = Sql("n > 1", frozenset({"n"}), lambda row: None if row["n"] is None else row["n"] > 1)
    outcome = run(people(n=[1, 2, None]), sql=[sql], segment={"s": {"sql": sql.text}})
    assert outcome.criteria["s"] == {"b"}


def test_near_is_a_great_circle() -> None:
    assert math.isclose(distance_km(0, 0, 0, 180), math.pi * 6371.0088)
    assert math.isclose(distance_km(90, 0, 0, 77), math.pi * 6371.0088 / 2)
    assert 391 < distance_km(48.8566, 2.3522, 45.764, 4.8357) < 392  # Paris to Lyon
    paris, lyon = (
        {"latitude": Decimal("48.8566"), "longitude": Decimal("2.3522"), "km": 391},
        {"latitude": 45, "longitude": 5, "km": 100},
    )
    customers = people(lat=[Decimal("45.764"), Decimal("48.86"), None], lon=[Decimal("4.8357"), Decimal("2.35"), 2])
    spec = {"latitude": "lat", "longitude": "lon"}
    segments = {"one": {"geographic": {"near": paris}}, "two": {"geographic": {"near": [paris, lyon]}}}
    outcome = run(customers, customers=spec, segment=segments)
    assert outcome.criteria == {"one": {"b"}, "two": {"a", "b"}}


def test_zones_are_exact_on_their_borders() -> None:
    square = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    hole = [[1, 1], [3, 1], [2, 3], [1, 1]]
    shape = {"type": "Polygon", "coordinates": [square, hole[::-1]]}

    def at(x: Any, y: Any, geometry: Any = shape) -> bool:
        return in_geometry(Fraction(x), Fraction(y), geometry)

    assert at(Fraction(1, 2), 1) and at(0, 0) and at(4, 2) and at(2, 4)
    assert not at(5, 0) and not at(5, 4) and not at(-1, 2) and not at(2, -1)
    assert not at(2, 2) and at(2, 1) and at(1, 1) and at(Fraction(3, 2), 2)
    both = {"type": "MultiPolygon", "coordinates": [[square], [[[x + 2, y + 2] for x, y in square]]]}
    assert at(3, 3, both) and at(5, 5, both) and not at(5, 1, both)
    assert at(3, 3, {"type": "GeometryCollection", "geometries": [shape, both]})
    assert not at(0, 0, {"type": "Point", "coordinates": [0, 0]}) and not at(0, 0, None)


def test_inside_takes_all_zones_or_those_of_some_names() -> None:
    west = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    east = {"type": "Polygon", "coordinates": [[[2, 0], [4, 0], [4, 2], [2, 2], [2, 0]]]}
    features = [{"properties": {"name": "W"}, "geometry": west}, {"properties": {"name": 7}, "geometry": east}]
    files = {"z": {"type": "FeatureCollection", "features": features}, "w": west}
    spec = {"latitude": "lat", "longitude": "lon"}

    def who(inside: Any) -> str:
        customers = people(lat=[1, 1, 1, 91, None], lon=[1, 2, 3, 1, 1])
        segment = {"s": {"geographic": {"inside": inside}}}
        return "".join(sorted(run(customers, customers=spec, segment=segment, files=files).criteria["s"]))

    assert who("z") == "abc" and who("w") == "ab" and who({"path": "z", "name": "7"}) == "bc"
    assert who({"path": "z", "name": ["W"]}) == "ab"
    assert who([{"path": "z", "name": "7"}, "w"]) == "abc"


# --- Events -------------------------------------------------------------------------------------------------------

LINES = (
    ("a", 30, "o1", "0.1", "bricks"), ("a", 30, "o1", "0.2", "sand"), ("a", 10, "o2", None, "sand"),
    ("a", 10, None, "5", "sand"), ("a", 10, None, "-1", None), ("b", 400, "o1", None, "bricks"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "a", "b"),
    [
        ({}, 4, 1),
        ({"measure": "sum"}, Decimal("4.3"), 0),
        ({"measure": "mean"}, 4.3 / 3, None),
        ({"measure": "min"}, -1, None),
        ({"measure": "max"}, 5, None),
        ({"measure": "max", "where": {"product": "sand"}}, 5, None),
        ({"measure": "min", "where": {"product": ["sand", "bricks"]}}, Decimal("0.3"), None),
        ({"measure": "distinct", "of": "product"}, 2, 1),
        ({"measure": "active_days"}, 2, 1),
        ({"measure": "days_since_first"}, 30, 400),
        ({"measure": "days_since_last"}, 10, 400),
        ({"measure": "first"}, date(2017, 6, 1), date(2016, 5, 27)),
        ({"measure": "last", "of": "product"}, "sand", "bricks"),
        ({"measure": "first", "of": "product"}, "bricks", "bricks"),
        ({"measure": "most_frequent", "of": "product"}, "sand", "bricks"),
        ({"within": "1 year"}, 4, 0),
        ({"within": "1 year", "measure": "sum"}, Decimal("4.3"), 0),
        ({"within": "1 year", "measure": "days_since_last"}, 10, None),
        ({"where": {"product": "bricks"}}, 1, 1),
    ],
)
def test_measures(spec: dict[str, Any], a: Any, b: Any) -> None:
    assert trait(spec, *LINES) == {"a": a, "b": b}


def test_the_most_frequent_of_equals_is_the_latest() -> None:
    rows = [("a", 3, "o1", 1, "x"), ("a", 2, "o2", 1, "y"), ("a", 1, "o3", 1, None)]
    spec = {"measure": "most_frequent", "of": "product"}
    assert trait(spec, *rows) == {"a": "y"}
    assert trait(spec, *rows, ("a", 2, "o3", 1, "x"), ("a", 2, "o1", 1, "y")) == {"a": "x"}


def test_missing_ids_come_first_and_rows_break_ties() -> None:
    rows = [("a", 1, "o2", 1, "p"), ("a", 1, None, 1, "q"), ("a", 1, None, 1, "r"), ("a", 1, "o1", 1, "s")]
    assert trait({"measure": "first", "of": "product"}, *rows) == {"a": "q"}
    assert trait({"measure": "last", "of": "product"}, *rows) == {"a": "p"}


def test_amounts_that_repeat_on_each_line() -> None:
    rows = [("a", 1, "o1", 30, "x"), ("a", 1, "o1", 30, "y"), ("a", 1, "o2", 12, "x"), ("a", 1, None, 5)]
    events = {
        "orders": {"path": "o", "time": "order_date", "id": "order_id", "amount": "line_total", "amount_per": "event"}
    }
    assert trait({"measure": "sum"}, *rows, events=events) == {"a": 47}
    assert trait({"measure": "mean"}, *rows[:3], events=events) == {"a": 21.0}


def test_did_and_did_not() -> None:
    def who(**behaviour: Any) -> str:
        outcome = run(people(x=[1, 1, 1]), orders(*LINES), segment={"s": {"behavioural": behaviour}})
        return "".join(sorted(outcome.criteria["s"]))

    bricks = {"events": "orders", "where": {"product": "bricks"}}
    assert who(did=bricks) == "ab"
    assert who(did_not=bricks) == "c"
    assert who(did={**bricks, "within": "1 year"}) == "a"
    assert who(did={"events": "orders", "max": 0}) == ""  # at least one event is needed
    assert who(did_not={"events": "orders", "max": 1}) == "ac"
    assert who(did={"events": "orders", "measure": "sum", "max": 0}) == "b"  # an order without amounts sums to 0
    assert who(did={"events": "orders", "measure": "mean", "max": 10}) == "a"
    assert who(did=[bricks, {"events": "orders", "min": 2}]) == "a"
    assert who(did_not=[{"events": "orders", "min": 2}, {"events": "orders", "within": "0 days"}]) == "bc"


def test_events_without_key_time_or_customer_do_not_count() -> None:
    rows = orders((" a ", 1, "o1"), (None, 1, "o2"), ("nobody", 1, "o3"), ("a", -1, "o4"))
    rows.append({"customer_id": "a", "order_date": None, "order_id": "o5"})
    outcome = run(people(x=[1]), rows, trait={"t": {"events": "orders"}}, show=("t",))
    assert outcome.columns["t"] == [1]


# --- Row traits ---------------------------------------------------------------------------------------------------


def test_row_traits() -> None:
    customers = people(born=[date(2000, 7, 1), date(2000, 7, 2), None], age=[17, 18, None])
    double = Sql("age * 2", frozenset({"age"}), lambda row: None if row["age"] is None else row["age"] * 2)
    traits = {
        "band": {"bands": {"of": "years", "edges": [17, 18], "labels": ["-", "17", "18+"]}},
        "years": {"years_since": "born"},
        "days": {"days_since": "born"},
        "doubled": {"sql": "age * 2"},
    }
    columns = run(customers, trait=traits, sql=[double], show=tuple(traits)).columns
    assert columns["years"] == [17, 16, None]
    assert columns["band"] == ["17", "-", None]
    assert columns["days"] == [6209, 6208, None]
    assert columns["doubled"] == [34, 36, None]


def test_traits_of_groups() -> None:
    customers = people(x=[1, 2, None, 10, 20, 30, 7], g=["a", "a", "a", None, None, None, "b"], h=[1, 2, 1, 1, 1, 2, 1])
    more = Sql("x > mean", frozenset({"x", "mean"}), lambda row: None if row["x"] is None else row["x"] > row["mean"])
    traits = {
        "third": {"bands": {"of": "x", "quantiles": 3}},
        "half": {"bands": {"of": "x", "quantiles": 2, "labels": ["low", "high"], "per": "g"}},
        "both": {"bands": {"of": "x", "quantiles": 2, "per": ["g", "h"]}},
        "mean": {"mean_of": "x", "per": "g"},
        "of_all": {"mean_of": "x"},
        "more": {"sql": "x > mean"},
    }
    columns = run(customers, trait=traits, sql=[more], show=tuple(traits)).columns
    assert columns["third"] == [1, 1, None, 2, 3, 3, 2]  # of 1 2 7 10 20 30
    assert columns["half"] == ["low", "high", None, "low", "low", "high", "low"]
    assert columns["both"] == [1, 1, None, 1, 2, 1, 1]
    assert columns["mean"] == [1.5, 1.5, 1.5, 20.0, 20.0, 20.0, 7.0]
    assert columns["of_all"] == [70 / 6] * 7
    assert columns["more"] == [False, True, None, False, False, True, False]


# --- RFM ----------------------------------------------------------------------------------------------------------


def test_the_frequency_table_of_the_contract() -> None:
    frequency = [1] * 50 + [2] * 20 + [3] * 15 + [4] * 5 + [10] * 10
    values = {f"{n:03}": value for n, value in enumerate(frequency)}

    def counts(ties: str) -> dict[int, int]:
        scores = list(quantile_scores(values, 5, ties).values())
        return {score: scores.count(score) for score in sorted(set(scores))}

    assert counts("low") == {1: 50, 3: 20, 4: 15, 5: 15}
    assert counts("high") == {3: 50, 4: 20, 5: 30}  # ranks 50, 70, 85, 90, 100
    assert counts("split") == {1: 20, 2: 20, 3: 20, 4: 20, 5: 20}


@pytest.mark.parametrize("bins", range(2, 11))
def test_ranks_agree_with_cuts(bins: int) -> None:
    """The other half of the arithmetic: `low` is x > s[ceil(k*N/n) - 1], `high` is x >= s[k*N // n]."""
    for total in (1, 2, 3, 7, 10, 23):
        values = {str(n): n * n % 7 for n in range(total)}
        s = sorted(values.values())
        low, high = quantile_scores(values, bins, "low"), quantile_scores(values, bins, "high")
        r_low = quantile_scores(values, bins, "low", descending=True)
        r_high = quantile_scores(values, bins, "high", descending=True)
        down = sorted(values.values(), reverse=True)
        for key, x in values.items():
            assert low[key] == 1 + sum(x > s[math.ceil(k * total / bins) - 1] for k in range(1, bins))
            assert high[key] == 1 + sum(x >= s[k * total // bins] for k in range(1, bins))
            assert r_low[key] == 1 + sum(x < down[math.ceil(k * total / bins) - 1] for k in range(1, bins))
            assert r_high[key] == 1 + sum(x <= down[k * total // bins] for k in range(1, bins))


def test_one_customer_alone() -> None:
    assert quantile_scores({"a": 3}, 5, "low") == {"a": 1}
    assert quantile_scores({"a": 3}, 5, "high") == {"a": 5}


def test_recency_ranks_the_freshest_highest_and_splits_by_key() -> None:
    values = {"a": 10, "b": 10, "c": 1, "d": 300}
    assert quantile_scores(values, 4, "low", descending=True) == {"d": 1, "a": 2, "b": 2, "c": 4}
    assert quantile_scores(values, 4, "split", descending=True) == {"d": 1, "a": 2, "b": 3, "c": 4}


def test_cutoffs_are_left_closed() -> None:
    values = {"a": 0, "b": 10, "c": 29, "d": 30}
    assert cutoff_scores(values, [10, 30], 3, descending=False) == {"a": 1, "b": 2, "c": 2, "d": 3}
    assert cutoff_scores(values, [10, 30], 3, descending=True) == {"a": 3, "b": 2, "c": 2, "d": 1}


def test_the_maps_are_exact_partitions() -> None:
    codes = [code for line in STANDARD_MAP.split("\n") for code in line.split()[1:]]
    assert sorted(codes) == ["".join(code) for code in itertools.product("12345", repeat=3)]
    cells = [r + f for line in RF_MAP.split("\n") if line for r in line.split()[1] for f in line.split()[2]]
    assert sorted(cells) == ["".join(cell) for cell in itertools.product("12345", repeat=2)]
    assert rfm_name(5, 4, 5, 5, {}) == "champions"
    assert rfm_name(10, 8, 9, 10, {}) == "champions"  # 5, 4, 5
    assert rfm_name(3, 3, 1, 5, {"map": "rf"}) == "need_attention"
    own = {"segment": [{"name": "one", "r": [4, 5], "f": 5}, {"name": "two", "r": 5}]}
    assert [rfm_name(r, f, 1, 5, own) for r, f in ((5, 5), (5, 4), (4, 4))] == ["one", "two", "other"]


def test_rfm_columns() -> None:
    rows = [
        ("a", 1, "o1", "10.5"),
        ("a", 1, "o2", "-0.5"),
        ("a", 9, "o2", "1"),
        ("b", 5, "o3", "3"),
        ("c", 500, "o4", "9"),
    ]
    customers = people(x=[1, 1, 1])
    names = ("recency_days", "frequency", "monetary", "rfm_code")
    outcome = run(customers, orders(*rows), rfm={"events": "orders", "within": "1 year"}, show=names)
    assert outcome.columns == {
        "recency_days": [1, 5, None],
        "frequency": [2, 1, None],
        "monetary": [11, 3, None],
        "rfm_code": ["333", "111", None],
    }
    spec = {"events": "orders", "frequency": "days", "monetary": "mean", "bins": 10, "ties": "high"}
    outcome = run(customers, orders(*rows), rfm=spec, show=names)
    assert outcome.columns["frequency"] == [2, 1, 1]
    assert outcome.columns["monetary"] == [5.5, 3.0, 9.0]
    assert outcome.columns["rfm_code"] == ["10-10-7", "7-7-4", "4-7-10"]


RAW = {
    "recency_days": dict(zip("abcdef", (1, 1, 1, 9, 9, 9), strict=True)),
    "frequency": dict(zip("abcdef", (1, 2, 9, 1, 1, 5), strict=True)),
    "monetary": dict(zip("abcdef", (5, 7, 3, 4, 4, 8), strict=True)),
}


def test_nested_ranks_within_the_scores_before() -> None:
    scores = nested_scores(RAW, 3, "low")
    codes = ["".join(str(scores[name][key]) for name in RAW) for key in "abcdef"]
    assert codes == ["211", "221", "231", "111", "111", "131"]
    # split by key, the recency scores are 2 3 3 1 1 2: a with f, b with c, d with e
    assert nested_scores(RAW, 3, "split")["frequency"] == dict(zip("abcdef", (1, 1, 2, 1, 2, 2), strict=True))


@pytest.mark.parametrize("ties", ["low", "high"])
@pytest.mark.parametrize("bins", range(2, 11))
def test_saved_cuts_score_their_own_day_as_it_was(bins: int, ties: str) -> None:
    assert saved_scores(RAW, saved_cutoffs(RAW, bins, "nested", ties)) == nested_scores(RAW, bins, ties)
    flat = {name: quantile_scores(values, bins, ties, name == "recency_days") for name, values in RAW.items()}
    assert saved_scores(RAW, saved_cutoffs(RAW, bins, "quantile", ties)) == flat


def test_whose_group_was_never_saved_scores_1() -> None:
    saved = {
        "recency": {"operator": "<", "cuts": [9]},
        "frequency": {"operator": ">=", "within": [{"r": 1, "cuts": [2]}]},
        "monetary": {"operator": ">", "within": [{"r": 1, "f": 2, "cuts": [8]}]},
    }
    assert saved_scores(RAW, saved)["frequency"] == dict(zip("abcdef", (1, 1, 1, 1, 1, 2), strict=True))
    assert set(saved_scores(RAW, saved)["monetary"].values()) == {1}


def test_rfm_of_the_customers_own_columns() -> None:
    customers = people(last=[3, 30, None], n=[5, 1, None], spent=[100, 5, None])
    columns = {"recency_days": "last", "frequency": "n", "monetary": "spent"}
    outcome = run(customers, rfm={"columns": columns, "ties": "high"}, show=("rfm_code", "rfm_segment"))
    assert outcome.columns == {
        "rfm_code": ["555", "333", None],
        "rfm_segment": ["champions", "potential_loyalist", None],
    }


# --- Sources and lookups ------------------------------------------------------------------------------------------


def test_keys_are_trimmed_text() -> None:
    rows = [{"customer_id": key} for key in (" 00042 ", 7, 17850.0, None, "  ")]
    assert run(rows).keys == ["00042", "7", "17850"]


def test_duplicates_first_and_last() -> None:
    rows = [{"customer_id": "a", "n": 1}, {"customer_id": "a ", "n": 2}]
    for which, expected in (("first", [1]), ("last", [2])):
        assert run(rows, customers={"duplicates": which}, show=("n",)).columns["n"] == expected


def test_customers_from_events() -> None:
    rows = orders(("b", 9, "o1", 1, "x"), ("a", 5, "o2", 1, "y"), ("a", 4, "o3", 1, ""), ("z", -1, "o4", 1, "z"))
    events: Any = {"orders": {"path": "o", "time": "order_date"}}
    spec = {"from": "orders", "columns": ["product"]}
    outcome = run([], rows, customers=spec, events=events, show=("product",))
    assert dict(zip(outcome.keys, outcome.columns["product"], strict=True)) == {"a": "y", "b": "x"}
    events["orders"]["where"] = {"product": {"not": "y"}}
    assert run([], rows, customers=spec, events=events).keys == ["b"]


def test_like_starts_from_another_tables_keys() -> None:
    events = {
        "orders": {"path": "o", "time": "order_date", "id": "order_id", "where": {"product": "sand"}},
        "returns": {"like": "orders", "where": {"product": "bricks"}},
    }
    traits = {"sand": {"events": "orders"}, "bricks": {"events": "returns"}}
    outcome = run(people(x=[1, 1]), orders(*LINES), events=events, trait=traits, show=("sand", "bricks"))
    assert outcome.columns == {"sand": [3, 0], "bricks": [1, 1]}


def test_lookups() -> None:
    reference = [
        {"codes": "29000, 29200", "people": 10, "region": "small"},
        {"codes": "29200,01000", "people": 20, "region": "large"},
        {"codes": None, "people": 30, "region": "nowhere"},
    ]
    lookup = {
        "path": "places", "on": {"postcode": "codes"}, "columns": ["region"], "explode": {"codes": ","},
        "duplicates": "first",
    }  # fmt: skip
    customers = people(postcode=["29000", "29200", "1000", None])
    for by, expected in (({}, ["small", "small", None, None]), ({"by": "people"}, ["small", "large", None, None])):
        rules: dict[str, Any] = {"lookup": {"places": {**lookup, **by}}, "tables": {"places": reference}}
        assert run(customers, show=("region",), **rules).columns["region"] == expected


def test_lookups_are_joined_by_what_is_computed() -> None:
    lookup = {"path": "bands", "on": {"band": "is"}, "columns": ["discount"]}
    bands = {"bands": {"of": "age", "edges": [18], "labels": ["young", "old"]}}
    tables = {"bands": [{"is": "old", "discount": 5}]}
    outcome = run(
        people(age=[17, 18, None]), trait={"band": bands}, lookup={"b": lookup}, tables=tables, show=("discount",)
    )
    assert outcome.columns["discount"] == [None, 5, None]


# --- Lifecycle, scores, value -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        ((), "prospect"), ((0,), "new"), ((30,), "new"), ((31,), "active"), ((90, 1), "active"),
        ((31, 40, 50, 90), "loyal"), ((91, 92, 93, 94), "at_risk"), ((180,), "at_risk"), ((181,), "inactive"),
        ((365,), "inactive"), ((366,), "lost"), ((366, 1, 1, 1), "loyal"), ((20, 10, 5, 1), "new"), ((-1,), "prospect"),
    ],
)  # fmt: skip
def test_ready_made_stages(days: tuple[int, ...], stage: str) -> None:
    rows = orders(*(("a", day, f"o{number}") for number, day in enumerate(days)))
    outcome = run(people(x=[1]), rows, lifecycle={"events": "orders"}, show=("lifecycle",))
    assert outcome.columns["lifecycle"] == [stage]
    assert outcome.shared_out == {"lifecycle": {stage: 1}}


def test_months_of_stages_clip() -> None:
    spec = {"events": "orders", "new_for": "0 days", "at_risk_after": "1 month", "loyal_from": 2}
    rows = orders(("a", date(2024, 2, 29), "o1"), ("a", date(2024, 2, 29), "o1"), ("b", date(2024, 2, 28), "o2"))
    outcome = run(people(x=[1, 1]), rows, as_of=date(2024, 3, 31), lifecycle=spec, show=("lifecycle",))
    assert outcome.columns["lifecycle"] == ["active", "at_risk"]  # two lines of one order


def test_own_stages_and_the_short_form() -> None:
    stages = [{"name": "big", "needs": {"n": {"min": 3}}}, {"name": "odd", "needs": {"n": [1, 3]}}]
    segment = {"s": {"lifecycle": ["odd"]}, "t": {"lifecycle": {"lifecycle": {"missing": True}}}}
    rules: dict[str, Any] = {"lifecycle": {"stage": stages}, "segment": segment}
    outcome = run(people(n=[1, 2, 3]), show=("lifecycle",), **rules)
    assert outcome.columns["lifecycle"] == ["odd", None, "big"]
    assert outcome.criteria == {"s": {"a"}, "t": {"b"}}
    rules["lifecycle"]["stage"].append({"name": "rest", "everyone": True})
    assert run(people(n=[1, 2, 3]), show=("lifecycle",), **rules).columns["lifecycle"] == ["odd", "rest", "big"]


def test_scores_add_up_and_are_cut_off() -> None:
    def score(*rules: dict[str, Any], **more: Any) -> list[Any]:
        spec: dict[str, Any] = {"score": {"x": {"rule": list(rules), **more}}}
        return run(people(n=[1, 20, None]), show=("x_score",), **spec).columns["x_score"]

    above, everyone = {"needs": {"n": {"min": 2}}}, {"everyone": True}
    assert score({**above, "points": 30}, {**everyone, "points": 80}) == [80, 100, 80]
    assert score({**above, "points": 30}, {**everyone, "points": -10}) == [0, 20, 0]
    assert score({**everyone, "points": Decimal("0.5")}, {**above, "points": 3}, max_score=2) == [
        Decimal("0.5"),
        2,
        Decimal("0.5"),
    ]
    per = {"column": "n", "points": Decimal("1.5")}
    assert score({"points_per": per}) == [Decimal("1.5"), 30, 0]
    assert score({"points_per": per | {"max": 20}, **above}) == [0, 20, 0]
    assert score({**everyone, "points": 50}, {"points_per": {"column": "n", "points": -5, "max": 20}}) == [45, 30, 50]


def test_grades_are_the_highest_threshold_reached() -> None:
    rule = {"points_per": {"column": "n", "points": 1}}
    spec = {"lead": {"rule": [rule], "grades": {"C": 10, "A": 40, "B": Decimal("20.5")}}}
    outcome = run(people(n=[9, 10, 20, 21, 40, 99]), score=spec, show=("lead_grade",))
    assert outcome.columns["lead_grade"] == [None, "C", "C", "B", "A", "A"]


def test_value() -> None:
    rows = [
        ("a", 1, "o1", "10"),
        ("a", 1, "o1", "0.5"),
        ("a", 400, "o2", "-0.5"),
        ("a", 2, "o3", None),
        ("b", 400, "o4", 9),
    ]
    customers = people(cost=[Decimal("0.25"), None, 3])
    spec = {"events": "orders", "margin_percent": 50, "cost": "cost"}
    names = ("revenue", "order_count", "average_order_value", "profit")
    columns = run(customers, orders(*rows), value=spec, show=names).columns
    assert columns["revenue"] == [10, 9, 0]
    assert columns["order_count"] == [3, 1, 0]
    assert columns["average_order_value"] == [Decimal("3.3333333333"), 9, None]
    assert columns["profit"] == [Decimal("4.75"), None, -3]
    columns = run(customers, orders(*rows), value={"events": "orders", "within": "1 year"}, show=names[:3]).columns
    assert columns == {
        "revenue": [Decimal("10.5"), 0, 0],
        "order_count": [2, 0, 0],
        "average_order_value": [Decimal("5.25"), None, None],
    }
    assert [ten_decimals(Fraction(n, 2 * 10**10)) for n in (1, 3, -1)] == [0, Decimal("2e-10"), 0]


# --- Who is written -----------------------------------------------------------------------------------------------


def test_exclusive_segments_claim_in_order() -> None:
    segment = {
        "all": {"everyone": True},
        "big": {"needs": {"n": {"min": 3}}},
        "some": {"needs": {"n": {"max": 3}}, "write": False},
        "odd": {"needs": {"n": [1, 3]}, "each": ["n"]},
    }
    assignment = {"mode": "exclusive", "priority": ["odd"]}
    outcome = run(people(n=[1, 2, 3, 4]), segment=segment, assignment=assignment)
    assert {name: "".join(sorted(outcome.members(name))) for name in outcome.written} == {
        "odd": "ac",
        "all": "bd",
        "big": "",
    }
    assert outcome.written["odd"] == {(1,): {"a"}, (3,): {"c"}}
    assert outcome.claimed["big"] == {"c", "d"}
    assert outcome.criteria["some"] == {"a", "b", "c"}
