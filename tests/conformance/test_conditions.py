"""Every operator of the conditions table, on every kind of source, as criterion and as `where`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from tests.desk import Desk, head

AS_OF = dt.date(2024, 3, 31)
ALL = ["a", "b", "c", "d", "e", "f"]
PEOPLE = pl.DataFrame(
    {
        "id": ALL,
        "n": [5.0, 19.99, -3.0, None, 100.0, 20.0],
        "i": [5, 19, -3, None, 100, 20],
        "t": ["Paris", "paris", "Évreux", None, "ÉVREUX", "San José (CA)"],
        "d": [AS_OF, dt.date(2024, 2, 29), dt.date(2024, 2, 28), None, dt.date(2024, 4, 1), dt.date(2000, 2, 29)],
        "b": [True, False, True, None, False, False],
        "l": [["golf", "tennis"], ["golf"], ["chess"], None, ["tennis", "chess"], ["Golf"]],
    }
)
HEAD = """version = 1
as_of = 2024-03-31
[customers]
path = "{path}"
key = "id"
{lists}
types = {{ t = "text", b = "boolean" }}
[events.e]
path = "{events}"
time = "day"
types = {{ t = "text", b = "boolean" }}
"""

LISTS = 'lists = { l = "," }'

# column, the operators, who satisfies them; d has no value anywhere
TABLE = [
    ("n", "is = 5", "a"),
    ("n", "is = 5.0", "a"),
    ("n", "is = 19.99", "b"),
    ("n", "not = 19.99", "a c e f"),
    ("n", "in = [5, 19.99, 7]", "a b"),
    ("n", "not_in = [5, 19.99]", "c e f"),
    ("n", "min = 19.99", "b e f"),
    ("n", "above = 19.99", "e f"),
    ("n", "max = 19.99", "a b c"),
    ("n", "below = 19.99", "a c"),
    ("n", "between = [5, 20]", "a b f"),
    ("n", "between = [5.01, 19.98]", ""),
    ("n", "min = 5, below = 100", "a b f"),
    ("n", "is = -3", "c"),
    ("n", "top_percent = 40", "e f"),
    ("n", "top_percent = 41", "b e f"),
    ("n", "bottom_percent = 20", "c"),
    ("n", "bottom_percent = 20.1", "a c"),
    ("n", "top_percent = 100", "a b c e f"),
    ("i", "above = 19.5", "e f"),
    ("i", "min = 19.5", "e f"),
    ("i", "max = 19.5", "a b c"),
    ("i", "below = 19.5", "a b c"),
    ("i", "is = 19.5", ""),
    ("i", "is = 19.0", "b"),
    ("i", "not = 19.5", "a b c e f"),
    ("i", "in = [19.5, 20]", "f"),
    ("t", 'is = "Paris"', "a"),
    ("t", 'is = "paris", ignore_case = true', "a b"),
    ("t", 'is = "évreux", ignore_case = true', "c e"),
    ("t", 'is = "ÉVREUX", ignore_case = true', "c e"),
    ("t", 'not = "Paris"', "b c e f"),
    ("t", 'not = "PARIS", ignore_case = true', "c e f"),
    ("t", 'in = ["Paris", "Évreux"]', "a c"),
    ("t", 'in = ["paris", "évreux"], ignore_case = true', "a b c e"),
    ("t", 'not_in = ["Paris", "Évreux"]', "b e f"),
    ("t", 'not_in = ["PARIS"], ignore_case = true', "c e f"),
    ("t", 'contains = "ari"', "a b"),
    ("t", 'contains = "(CA)"', "f"),
    ("t", 'contains = "."', ""),
    ("t", 'contains = ["ris", "José"]', "a b f"),
    ("t", 'contains = "VREU", ignore_case = true', "c e"),
    ("t", 'not_contains = "ari"', "c e f"),
    ("t", 'not_contains = ["ris", "José"]', "c e"),
    ("t", 'not_contains = "vreu", ignore_case = true', "a b f"),
    ("t", 'starts_with = "P"', "a"),
    ("t", 'starts_with = ["P", "p"]', "a b"),
    ("t", 'starts_with = "é", ignore_case = true', "c e"),
    ("t", 'not_starts_with = ["P", "p"]', "c e f"),
    ("t", 'not_starts_with = "é", ignore_case = true', "a b f"),
    ("t", 'ends_with = "s"', "a b"),
    ("t", 'ends_with = ["X", ")"]', "e f"),
    ("t", 'ends_with = "X", ignore_case = true', "c e"),
    ("t", 'not_ends_with = "s"', "c e f"),
    ("t", 'not_ends_with = ["x", "s"], ignore_case = true', "f"),
    ("t", "matches = '^[Pp]aris$'", "a b"),
    ("t", "matches = 'é|is'", "a b f"),
    ("t", "matches = ['^P', '^p']", "a b"),
    ("t", "matches = '^évr', ignore_case = true", "c e"),
    ("t", "not_matches = '^[Pp]'", "c e f"),
    ("t", "not_matches = ['^[Pp]', 'X$']", "c f"),
    ("t", "not_matches = '^PAR', ignore_case = true", "c e f"),
    ("t", 'not = "Paris", contains = "aris"', "b"),
    ("b", "is = true", "a c"),
    ("b", "is = false", "b e f"),
    ("b", "not = true", "b e f"),
    ("b", "in = [true, false]", "a b c e f"),
    ("d", "is = 2024-02-29", "b"),
    ("d", "not = 2024-02-29", "a c e f"),
    ("d", "in = [2024-02-29, 2024-02-28]", "b c"),
    ("d", "not_in = [2024-02-29]", "a c e f"),
    ("d", "on = 2024-02-29", "b"),
    ("d", "min = 2024-02-29", "a b e"),
    ("d", "max = 2024-02-29", "b c f"),
    ("d", "above = 2024-02-29", "a e"),
    ("d", "below = 2024-02-29", "c f"),
    ("d", "between = [2024-02-28, 2024-02-29]", "b c"),
    ("d", "before = 2024-02-29", "c f"),
    ("d", "after = 2024-02-29", "a e"),
    ("d", 'within = "1 month"', "a b"),  # 31 March less a month is 29 February
    ("d", 'within = "31 days"', "a b"),
    ("d", 'within = "32 days"', "a b c"),
    ("d", 'within = "1 day"', "a"),
    ("d", 'within = "1 week"', "a"),
    ("d", 'within = "1 quarter"', "a b c"),
    ("d", 'within = "24 years"', "a b c"),
    ("d", 'within = "25 years"', "a b c f"),
    ("d", 'not_within = "1 month"', "c e f"),
    ("d", 'older_than = "1 month"', "c f"),
    ("d", 'older_than = "32 days"', "f"),
    ("d", 'within_next = "1 day"', "a e"),
    ("d", 'within_next = "1 month"', "a e"),
    ("d", 'anniversary_within = "1 day"', "a e"),
    ("d", 'anniversary_within = "10 months"', "a e"),
    ("d", 'anniversary_within = "11 months"', "a c e"),  # up to 28 February 2025, which has no 29th
    ("d", 'anniversary_within = "48 weeks"', "a c e f b"),
    ("l", 'has_any = ["golf", "chess"]', "a b c e"),
    ("l", 'has_any = "golf"', "a b"),
    ("l", 'has_all = ["golf", "tennis"]', "a"),
    ("l", 'has_all = "tennis"', "a e"),
    ("l", 'has_none = ["golf", "chess"]', "f"),
    ("l", 'has_none = ["tennis"]', "b c f"),
    *((column, "missing = true", "d") for column in "nitdbl"),
    *((column, "missing = false", "a b c e f") for column in "nitdbl"),
]
FORMATS = ["csv", "parquet", "ndjson", "arrow"]


def sources(format: str) -> dict[str, pl.DataFrame]:
    events = PEOPLE.drop("l").with_columns(day=AS_OF)
    people = PEOPLE.with_columns(pl.col("l").list.join(" , ")) if format == "csv" else PEOPLE
    return {"people": people, "events": events}


def variants() -> dict[str, tuple[str, list[str]]]:
    """Name -> (lines of a segment, who is in it)."""
    found = {}
    for column, operators, who in TABLE:
        name, members = f"{column} {operators}", who.split()
        ranked = "percent" in operators
        found[name] = (f"demographic.{column} = {{ {operators} }}", sorted(members))
        rest = sorted(set(ALL) - set(members))
        found[f"none of {name}"] = (f"none = [{{ demographic.{column} = {{ {operators} }} }}]", rest)
        with_missing = sorted({*members, "d"})
        found[f"{name} or missing"] = (
            f"demographic.{column} = {{ {operators}, or_missing = true }}",
            with_missing if operators != "missing = false" else ALL,
        )
        if column != "l" and not ranked:
            where = f'behavioural.did = {{ events = "e", where.{column} = {{ {operators} }} }}'
            found[f"event with {name}"] = (where, sorted(members))
            where_not = f'behavioural.did_not = {{ events = "e", where.{column} = {{ {operators} }} }}'
            found[f"no event with {name}"] = (where_not, rest)
    return found


VARIANTS = variants()
Found = dict[str, list[str] | AssertionError]


@pytest.fixture(scope="session")
def found(new_desk: Callable[[], Desk]) -> Callable[[str], Found]:
    """All variants in one run for each format."""
    done: dict[str, Found] = {}

    def of(format: str) -> Found:
        if format not in done:
            desk = new_desk()
            for name, frame in sources(format).items():
                desk.put(f"{name}.{format}", frame)
            head = HEAD.format(
                path=f"people.{format}", events=f"events.{format}", lists=LISTS if format == "csv" else ""
            )
            done[format] = desk.each(head, {name: text for name, (text, _) in VARIANTS.items()})
        return done[format]

    return of


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", VARIANTS)
def test_operator(found: Callable[[str], Found], format: str, name: str) -> None:
    got = found(format)[name]
    if isinstance(got, AssertionError):
        raise got
    assert got == VARIANTS[name][1]


# --- numbers are what they say ---

PRICES = [19.98, 19.99, 20.0]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("price", [Decimal(str(p)) for p in PRICES], pl.Decimal(18, 2)),
        pl.Series("price", [Decimal(str(p)) for p in PRICES], pl.Decimal(38, 10)),
        pl.Series("price", PRICES, pl.Float64),
    ],
    ids=lambda s: str(s.dtype),
)
@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_19_99_is_19_99(desk: Desk, values: pl.Series, format: str) -> None:
    desk.put(f"c.{format}", pl.DataFrame({"id": ["a", "b", "c"], "price": values}))
    head = f'version = 1\n[customers]\npath = "c.{format}"\nkey = "id"\n'
    cases = {
        "is = 19.99": "b",
        "is = 19.990": "b",
        "not = 19.99": "a c",
        "min = 19.99": "b c",
        "above = 19.99": "c",
        "max = 19.99": "a b",
        "below = 19.99": "a",
        "in = [19.99]": "b",
        "not_in = [19.99]": "a c",
        "between = [19.99, 19.99]": "b",
        "above = 19.989": "b c",
        "below = 19.991": "a b",
    }
    found = desk.members(head, {c: f"demographic.price = {{ {c} }}" for c in cases})
    assert found == {c: who.split() for c, who in cases.items()}


def test_a_sum_of_cents_is_compared_exactly(desk: Desk) -> None:
    """0.1 + 0.2 is 0.3."""
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,0.1\na,2024-01-02,0.2\nb,2024-01-01,0.3\n")
    head = """version = 1
as_of = 2024-03-31
[customers]
path = "c.csv"
key = "id"
[events.o]
path = "o.csv"
time = "day"
amount = "total"
[trait.spend]
events = "o"
measure = "sum"
"""
    cases = {
        "behavioural.spend.is = 0.3": ["a", "b"],
        "behavioural.spend.min = 0.3": ["a", "b"],
        "behavioural.spend.above = 0.3": [],
        'behavioural.did = { events = "o", measure = "sum", is = 0.3 }': ["a", "b"],
        "sql = 'spend = 0.3'": ["a", "b"],
    }
    assert desk.members(head, {c: c for c in cases}) == cases


def test_nan_is_missing(desk: Desk) -> None:
    nan = float("nan")
    desk.put("c.parquet", pl.DataFrame({"id": list("abcd"), "x": [1.0, nan, None, 5.0]}))
    head = 'version = 1\n[customers]\npath = "c.parquet"\nkey = "id"\n'
    cases = {
        "min = 3": "d",
        "max = 3": "a",
        "not = 1": "d",
        "not_in = [1]": "d",
        "missing = true": "b c",
        "missing = false": "a d",
        "min = 3, or_missing = true": "b c d",
        "top_percent = 50": "d",
        "bottom_percent = 50": "a",
    }
    found = desk.members(head, {c: f"demographic.x = {{ {c} }}" for c in cases})
    assert found == {c: who.split() for c, who in cases.items()}


def test_empty_text_is_missing(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": list("abc"), "t": ["x", "", None]}))
    head = 'version = 1\n[customers]\npath = "c.parquet"\nkey = "id"\n'
    cases = {"missing = true": "b c", "missing = false": "a", 'not = "y"': "a", 'is = "x", or_missing = true': "a b c"}
    found = desk.members(head, {c: f"demographic.t = {{ {c} }}" for c in cases})
    assert found == {c: who.split() for c, who in cases.items()}


# --- shares of all customers ---


@pytest.mark.parametrize(
    ("values", "condition", "who"),
    [
        # rank from the top <= ceil(p * N / 100); N = customers with a value
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "top_percent = 10", "j"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "top_percent = 11", "i j"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "top_percent = 0.01", "j"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 9], "top_percent = 10", "i j"),  # ties at the edge are in
        ([1, 2, 3, 4, 5, 6, 7, 9, 9, 9], "top_percent = 20", "h i j"),
        ([5, 5, 5, 5], "top_percent = 1", "a b c d"),
        ([1, None, None, None, 2], "top_percent = 50", "e"),  # N is 2, not 5
        ([1, None, None, None, 2], "bottom_percent = 50", "a"),
        ([1, 2, 3], "top_percent = 33.4", "b c"),
        ([1, 2, 3], "top_percent = 33.3", "c"),
        ([1, 1, 2, 3], "bottom_percent = 25", "a b"),
        ([1, 1, 2, 3], "bottom_percent = 51", "a b c"),
        ([1, 2], "top_percent = 0", ""),
        ([1, 2], "bottom_percent = 0", ""),
        ([None, 1, 3, 2], "top_percent = 100", "b c d"),
        ([None, 1, 3, 2], "bottom_percent = 100", "b c d"),
        ([7], "top_percent = 0.0001", "a"),
        ([-1, -2, -3, 0], "top_percent = 25", "d"),
        ([-1, -2, -3, 0], "bottom_percent = 25", "c"),
        ([1, 2, 2, 2, 3], "bottom_percent = 21", "a b c d"),  # rank 2: all that have its value are in
        ([1, 2, 2, 2, 3], "top_percent = 39", "b c d e"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "top_percent = 30", "h i j"),  # 3, though 0.3 * 10 is less in floats
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "bottom_percent = 70", "a b c d e f g"),
        ([0.1, 0.2, 0.30000000000000004, 0.3], "top_percent = 25", "c"),
        ([1, 2, 3, None], "top_percent = 34, bottom_percent = 66", "b"),
        ([1, 2, 3, None], "top_percent = 34, or_missing = true", "b c d"),
    ],
)
def test_top_and_bottom_percent(desk: Desk, values: list[object], condition: str, who: str) -> None:
    desk.put(
        "c.csv",
        "id,x\n" + "".join(f"{k},{'' if v is None else v}\n" for k, v in zip("abcdefghij", values, strict=False)),
    )
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n'
    assert desk.members(head, {"s": f"demographic.x = {{ {condition} }}"})["s"] == who.split()


@pytest.mark.parametrize(
    ("condition", "who"), [("top_percent = 50", ""), ("bottom_percent = 100", ""), ("top_percent = 0", "")]
)
def test_a_share_of_nobody_is_nobody(desk: Desk, condition: str, who: str) -> None:
    desk.put("c.csv", "id,x,y\na,,1\nb,,2\n")
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\ntypes = { x = "number" }\n'
    segments = {"s": f"demographic.x = {{ {condition} }}", "rest": f"none = [{{ demographic.x = {{ {condition} }} }}]"}
    assert desk.members(head, segments) == {"s": who.split(), "rest": ["a", "b"]}


SHARES = ["0", "0.1", "1", "7", "28", "29", "57", "58", "99.9", "100"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 25, 29, 100, 350, 1000])
def test_the_rank_of_a_share_is_exact(desk: Desk, count: int) -> None:
    """ceil(p * N / 100) of exact numbers: 28 % of 25 are 7, and 57 % of 100 are 57, whatever floats say."""
    desk.put("c.csv", "id,x\n" + "".join(f"{i},{i}\n" for i in range(1, count + 1)))
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n'
    segments = {
        f"{end} {share}": f"demographic.x.{end}_percent = {share}" for end in ("top", "bottom") for share in SHARES
    }
    ranks = {share: math.ceil(Fraction(share) * count / 100) for share in SHARES}
    everybody = [str(i) for i in range(1, count + 1)]
    assert desk.members(head, segments) == {
        **{f"top {share}": everybody[count - rank :] for share, rank in ranks.items()},
        **{f"bottom {share}": everybody[:rank] for share, rank in ranks.items()},
    }


def test_a_share_by_a_computed_column(desk: Desk) -> None:
    """A trait that is missing for who has no order is not among the N; one that is 0 is."""
    desk.put("c.csv", "id\na\nb\nc\nd\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,5\nb,2024-01-01,9\nb,2024-02-01,1\n")
    head = 'version = 1\nas_of = 2024-03-01\n[customers]\npath = "c.csv"\nkey = "id"\n'
    head += '[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\n'
    head += '[trait.spend]\nevents = "o"\nmeasure = "sum"\n[trait.mean]\nevents = "o"\nmeasure = "mean"\n'
    cases = {
        "behavioural.mean.top_percent = 50": ["a", "b"],  # 5 and 5 are ties
        "behavioural.spend.top_percent = 50": ["a", "b"],
        "behavioural.spend.bottom_percent = 25": ["c", "d"],
        "behavioural.mean.bottom_percent = 100": ["a", "b"],
    }
    assert desk.members(head, {c: c for c in cases}) == cases


def test_percent_is_of_all_customers_whatever_else_the_segment_asks(desk: Desk) -> None:
    desk.put("c.csv", "id,x,country\n" + "".join(f"{i},{i},{'FR' if i <= 50 else 'DE'}\n" for i in range(1, 101)))
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n'
    criteria = 'demographic.x.top_percent = 60\ndemographic.country = "FR"'
    assert desk.members(head, {"s": criteria})["s"] == [str(i) for i in range(41, 51)]


# --- lists ---

HOBBIES = {
    "a": "golf, tennis",
    "b": "golf",
    "c": "chess",
    "d": "",
    "e": " , ",
    "f": "Golf",
    "g": "golf course",
    "h": "golf,,golf",
}
LIST_CASES = {
    'has_any = ["golf", "chess"]': "a b c h",
    'has_any = "golf course"': "g",
    'has_all = ["golf", "tennis"]': "a",
    'has_all = ["golf", "golf"]': "a b h",
    'has_none = ["golf"]': "c f g",
    'has_none = ["golf", "chess", "Golf"]': "g",
    'has_none = ["nothing"]': "a b c f g h",
    'has_any = ["nothing"]': "",
    'has_none = ["golf"], or_missing = true': "c d e f g",
    'has_any = "golf", has_none = "tennis"': "b h",
    "missing = true": "d e",
    "missing = false": "a b c f g h",
}  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
def test_lists(desk: Desk, format: str) -> None:
    """A list without a value is missing, whether it comes as text or as a list."""
    values = pl.Series(list(HOBBIES.values()))
    if format != "csv":
        parts = [[p.strip() for p in text.split(",") if p.strip()] for text in HOBBIES.values()]
        values = pl.Series([None if text == "" else part for text, part in zip(HOBBIES.values(), parts, strict=True)])
    desk.put(f"c.{format}", pl.DataFrame({"id": list(HOBBIES), "l": values}))
    head = f'version = 1\n[customers]\npath = "c.{format}"\nkey = "id"\n{LISTS if format == "csv" else ""}\n'
    segments = {c: f"psychographic.l = {{ {c} }}" for c in LIST_CASES}
    segments |= {f"none {c}": f"none = [{{ psychographic.l = {{ {c} }} }}]" for c in LIST_CASES}
    expected = {c: who.split() for c, who in LIST_CASES.items()}
    expected |= {f"none {c}": [k for k in HOBBIES if k not in who.split()] for c, who in LIST_CASES.items()}
    assert desk.members(head, segments) == expected


@pytest.mark.parametrize(
    ("values", "condition", "who"),
    [
        ([[1, 2], [2], [None], []], "has_any = [1]", "a"),
        ([[1, 2], [2], [None], []], "has_none = [1]", "b"),
        ([[1, 2], [2], [None], []], "missing = true", "c d"),
        ([[True], [False], [True, False], None], "has_all = [true, false]", "c"),
        ([["x", None], ["y"], [None], None], 'has_none = ["y"]', "a"),
        ([["x", None], ["y"], [None], None], 'has_any = ["y"]', "b"),
        ([[dt.date(2024, 2, 29)], [dt.date(2024, 3, 1)], None, None], "has_any = [2024-02-29]", "a"),
    ],
)
def test_lists_of_typed_values(desk: Desk, values: list[object], condition: str, who: str) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": list("abcd"), "l": values}))
    head = 'version = 1\n[customers]\npath = "c.parquet"\nkey = "id"\n'
    assert desk.members(head, {"s": f"psychographic.l = {{ {condition} }}"})["s"] == who.split()


# --- bands ---


@pytest.mark.parametrize("type", [pl.Float64, pl.Decimal(18, 2), pl.String])
def test_bands(desk: Desk, type: pl.DataType | type[pl.DataType]) -> None:
    """Left-closed: an edge belongs to the band above it; a missing value to none."""
    values = ["-5", "-0.01", "0", "19.98", "19.99", "20", "1000000", None]
    column = pl.Series("x", values) if type == pl.String else pl.Series("x", values).cast(pl.Decimal(18, 2)).cast(type)
    format = "csv" if type == pl.String else "parquet"
    desk.put(f"c.{format}", pl.DataFrame([pl.Series("id", list("abcdefgh")), column]))
    head = f'version = 1\n[customers]\npath = "c.{format}"\nkey = "id"\n[trait.band]\n'
    head += 'bands = { of = "x", edges = [0, 19.99, 20], labels = ["below", "low", "19.99", "high"] }\n'
    assert desk.columns(head, "band") == {
        "a": "below", "b": "below", "c": "low", "d": "low", "e": "19.99", "f": "high", "g": "high", "h": "",
    }  # fmt: skip
    cases = {
        'demographic.band = "below"': "a b",
        'demographic.band = ["low", "high"]': "c d f g",
        'demographic.band.not = "low"': "a b e f g",
        'demographic.band = { not = "low", or_missing = true }': "a b e f g h",
        "demographic.band.missing = true": "h",
        'none = [{ demographic.band = "below" }]': "c d e f g h",
    }
    assert desk.members(head, {c: c for c in cases}) == {c: who.split() for c, who in cases.items()}


def test_bands_of_ages_on_a_leap_day(desk: Desk) -> None:
    desk.put("c.csv", "id,born\nleap,2008-02-29\nafter,2008-03-01\nbefore,2008-02-28\nnone,\n")
    bands = '[trait.age]\nyears_since = "born"\n[trait.band]\nbands = { of = "age", edges = [18], labels = ["minor", "adult"] }\n'
    expected = {
        "2026-02-27": ["minor", "minor", "minor", ""],
        "2026-02-28": ["minor", "minor", "adult", ""],
        "2026-03-01": ["adult", "adult", "adult", ""],
    }
    for as_of, found in expected.items():
        head = f'version = 1\nas_of = {as_of}\n[customers]\npath = "c.csv"\nkey = "id"\n{bands}'
        assert list(desk.columns(head, "band").values()) == found


# --- the calendar ---

CALENDAR = [
    # as_of, date, condition, holds
    ("2024-03-31", "2024-02-29", 'within = "1 month"', True),
    ("2024-03-31", "2024-02-28", 'within = "1 month"', False),
    ("2023-03-31", "2023-02-28", 'within = "1 month"', True),
    ("2023-03-31", "2023-02-27", 'within = "1 month"', False),
    ("2024-01-31", "2024-02-29", 'within_next = "1 month"', True),
    ("2024-01-31", "2024-03-01", 'within_next = "1 month"', False),
    ("2024-02-29", "2023-02-28", 'within = "1 year"', True),
    ("2024-02-29", "2023-02-27", 'within = "1 year"', False),
    ("2024-05-31", "2024-02-29", 'within = "1 quarter"', True),
    ("2024-05-31", "2024-02-28", 'within = "1 quarter"', False),
    ("2024-05-31", "2024-02-28", 'older_than = "3 months"', True),
    ("2024-05-31", "2024-02-29", 'older_than = "3 months"', False),
    ("2024-05-31", "2024-05-24", 'within = "1 week"', True),
    ("2024-05-31", "2024-05-23", 'within = "1 week"', False),
    ("2023-01-31", "2023-02-28", 'within_next = "1 month"', True),
    ("2023-01-31", "2023-03-01", 'within_next = "1 month"', False),
    ("2024-02-29", "2024-02-29", 'within_next = "0 days"', True),
    ("2024-02-29", "2024-03-01", 'within_next = "0 days"', False),
    ("2024-02-29", "2024-02-28", 'within_next = "1 year"', False),
    ("2024-02-29", "2025-02-28", 'within_next = "1 year"', True),
    ("2024-02-29", "2025-03-01", 'within_next = "1 year"', False),
    ("2023-02-28", "2024-02-29", 'within_next = "1 year"', False),
    ("2023-02-28", "2024-02-29", 'within_next = "366 days"', True),
    # anniversaries: 29 February is 1 March in years without that day
    ("2023-02-28", "2000-02-29", 'anniversary_within = "1 day"', True),
    ("2023-02-27", "2000-02-29", 'anniversary_within = "1 day"', False),
    ("2023-03-01", "2000-02-29", 'anniversary_within = "1 day"', True),
    ("2023-03-02", "2000-02-29", 'anniversary_within = "1 day"', False),
    ("2023-03-01", "2000-02-29", 'anniversary_within = "0 days"', True),
    ("2024-02-27", "2000-02-29", 'anniversary_within = "1 day"', False),
    ("2024-02-28", "2000-02-29", 'anniversary_within = "1 day"', True),
    ("2024-02-28", "2000-02-29", 'anniversary_within = "0 days"', False),
    ("2024-02-29", "2000-02-29", 'anniversary_within = "0 days"', True),
    ("2024-03-01", "2000-02-29", 'anniversary_within = "0 days"', False),
    ("2024-03-01", "2000-02-29", 'anniversary_within = "364 days"', False),
    ("2024-03-01", "2000-02-29", 'anniversary_within = "365 days"', True),
    ("2023-12-31", "2000-02-29", 'anniversary_within = "60 days"', True),
    ("2023-12-31", "2000-02-29", 'anniversary_within = "59 days"', False),
    ("2022-12-31", "2000-02-29", 'anniversary_within = "60 days"', True),
    ("2100-02-28", "2000-02-29", 'anniversary_within = "0 days"', False),
    ("2100-03-01", "2000-02-29", 'anniversary_within = "0 days"', True),
    ("2024-02-29", "1990-03-01", 'anniversary_within = "0 days"', False),
    ("2024-02-29", "1990-02-28", 'anniversary_within = "0 days"', False),
    ("2024-02-29", "1990-02-28", 'anniversary_within = "365 days"', True),
    ("2024-02-28", "1990-03-01", 'anniversary_within = "1 day"', False),
    ("2023-02-28", "1990-03-01", 'anniversary_within = "1 day"', True),
    # over the new year
    ("2023-12-28", "1990-01-02", 'anniversary_within = "1 week"', True),
    ("2023-12-28", "1990-01-04", 'anniversary_within = "7 days"', True),
    ("2023-12-28", "1990-01-05", 'anniversary_within = "7 days"', False),
    ("2023-12-28", "1990-12-27", 'anniversary_within = "7 days"', False),
    ("2023-12-28", "1990-12-27", 'anniversary_within = "1 year"', True),
    ("2024-06-15", "1990-06-15", 'anniversary_within = "1 day"', True),
]


@pytest.mark.parametrize(("as_of", "date", "condition", "holds"), CALENDAR)
def test_calendar(desk: Desk, as_of: str, date: str, condition: str, holds: bool) -> None:
    desk.put("c.csv", f"id,d\na,{date}\n")
    head = f'version = 1\nas_of = {as_of}\n[customers]\npath = "c.csv"\nkey = "id"\n'
    assert desk.members(head, {"s": f"demographic.d = {{ {condition} }}"})["s"] == ["a"] * holds


def test_an_anniversary_is_the_day_on_which_years_are_full(desk: Desk) -> None:
    """About the turns of February and of the year."""
    born = {f"b{y}{m:02}{d:02}": dt.date(y, m, d) for y in (2000, 2001) for m, d in ((2, 28), (3, 1), (12, 31), (1, 1))}
    born["leap"] = dt.date(2000, 2, 29)
    days = ((2, 27), (2, 28), (3, 1), (3, 2), (12, 31), (1, 1))
    for as_of in (*(dt.date(y, m, d) for y in (2024, 2023) for m, d in days), dt.date(2024, 2, 29)):
        check_birthdays(desk, born, as_of)


def check_birthdays(desk: Desk, born: dict[str, dt.date], as_of: dt.date) -> None:
    head = f'version = 1\nas_of = {as_of}\n[customers]\npath = "c.csv"\nkey = "id"\n[trait.age]\nyears_since = "born"\n'
    desk.put("c.csv", pl.DataFrame({"id": list(born), "born": list(born.values())}))
    before = head.replace(str(as_of), str(as_of - dt.timedelta(days=1)))
    today, yesterday = (desk.columns(text, "age") for text in (head, before))
    older = [key for key in born if int(today[key]) == int(yesterday[key]) + 1]
    assert desk.members(head, {"s": 'demographic.born.anniversary_within = "0 days"'})["s"] == older


@pytest.mark.parametrize(
    ("as_of", "born", "age"),
    [
        ("2024-06-15", "1990-06-15", 34),
        ("2024-06-14", "1990-06-15", 33),
        ("2023-02-28", "2000-02-29", 22),
        ("2023-03-01", "2000-02-29", 23),
        ("2024-02-28", "2000-02-29", 23),
        ("2024-02-29", "2000-02-29", 24),
        ("2024-02-29", "2024-02-29", 0),
        ("2024-02-29", "2020-02-29", 4),
        ("2023-02-28", "2020-02-29", 2),
        ("2100-02-28", "2000-02-29", 99),
        ("2100-03-01", "2000-02-29", 100),
        ("2024-02-29", "2001-03-01", 22),
        ("2024-03-01", "2001-03-01", 23),
        ("2024-01-01", "2023-12-31", 0),
    ],
)
def test_years_since(desk: Desk, as_of: str, born: str, age: int) -> None:
    desk.put("c.csv", f"id,born\na,{born}\nb,\n")
    head = f'version = 1\nas_of = {as_of}\n[customers]\npath = "c.csv"\nkey = "id"\n[trait.age]\nyears_since = "born"\n'
    assert desk.columns(head, "age") == {"a": str(age), "b": ""}


@pytest.mark.parametrize(
    ("timezone", "day"), [("UTC", "2024-03-30"), ("Europe/Paris", "2024-03-31"), ("America/New_York", "2024-03-30")]
)
@pytest.mark.parametrize("source", ["csv", "offset", "ndjson", "parquet"])
def test_a_zoned_timestamp_is_a_day_in_the_timezone_of_the_file(
    desk: Desk, timezone: str, day: str, source: str
) -> None:
    moment = dt.datetime(2024, 3, 30, 23, 30, tzinfo=dt.UTC)
    if source == "parquet":
        path = desk.put("c.parquet", pl.DataFrame({"id": ["a"], "d": [moment]}))
    elif source == "ndjson":
        path = desk.put("c.ndjson", '{"id": "a", "d": "2024-03-30T23:30:00Z"}\n')
    else:
        text = "2024-03-30T23:30:00Z" if source == "csv" else "2024-03-31T04:30:00+05:00"
        path = desk.put("c.csv", f"id,d\na,{text}\n")
    head = f'version = 1\ntimezone = "{timezone}"\n[customers]\npath = "{path.name}"\nkey = "id"\n'
    assert desk.members(head, {"s": f"demographic.d.on = {day}"})["s"] == ["a"]


def test_a_naive_timestamp_is_the_day_it_says(desk: Desk) -> None:
    desk.put("c.csv", "id,d\na,2024-03-30 23:30:00\n")
    desk.put("c.parquet", pl.DataFrame({"id": ["a"], "d": [dt.datetime(2024, 3, 30, 23, 30)]}))
    for name in ("c.csv", "c.parquet"):
        head = f'version = 1\ntimezone = "Asia/Tokyo"\n[customers]\npath = "{name}"\nkey = "id"\n'
        assert desk.members(head, {"s": "demographic.d.on = 2024-03-30"})["s"] == ["a"]


# --- blocks ---

BLOCKS = {
    'any = [{ demographic.n.is = 5 }, { demographic.t = "paris" }]': "a b",
    "all = [{ demographic.n.min = 5 }, { demographic.n.max = 20 }]": "a b f",
    'none = [{ demographic.n.is = 5 }, { demographic.t = "paris" }]': "c d e f",
    "none = [{ none = [{ demographic.n.is = 5 }] }]": "a",
    "any = [{ all = [{ demographic.n.is = 5 }, { demographic.b = true }] }, { none = [{ demographic.n.missing = false }] }]": "a d",
    "demographic.n.min = 5\nany = [{ demographic.b = true }, { demographic.n.above = 50 }]": "a e",
    "demographic.n = 5\npsychographic.b = true\nneeds.t.starts_with = 'P'": "a",
    "demographic.n = [5, 20]": "a f",
    "behavioral.n.is = 5": "a",
    "technographic.n.is = 5": "a",
    "firmographic.n.is = 5": "a",
    "geographic.n.is = 5": "a",
    "sql = 'n > 19'": "b e f",
    "sql = 'n > 19 OR t IS NULL'": "b d e f",
    "sql = 'NOT (n > 19)'": "a c",  # null is false
    "none = [{ sql = 'n > 19' }]": "a c d",
    "none = [{ sql = 'NOT (n > 19)' }]": "b d e f",
    "sql = \"d = DATE '2024-02-29'\"": "b",
    "sql = 'd > as_of'": "e",
    "sql = '\"t\" = ''Paris'''".replace("'\"t\" = ''Paris'''", "\"t = 'Paris'\""): "a",
    "everyone = true": "a b c d e f",
}


@pytest.fixture(scope="session")
def blocks(new_desk: Callable[[], Desk]) -> Found:
    desk = new_desk()
    for name, frame in sources("csv").items():
        desk.put(f"{name}.csv", frame)
    return desk.each(HEAD.format(path="people.csv", events="events.csv", lists=LISTS), {name: name for name in BLOCKS})


@pytest.mark.parametrize("criteria", BLOCKS)
def test_block(blocks: Found, criteria: str) -> None:
    got = blocks[criteria]
    if isinstance(got, AssertionError):
        raise got
    assert got == BLOCKS[criteria].split()


def test_segments_refer_to_each_other(desk: Desk) -> None:
    desk.put("c.csv", "id,n\n" + "".join(f"{c},{i}\n" for i, c in enumerate("abcdef")))
    text = """version = 1
[customers]
path = "c.csv"
key = "id"
[segment.rest]
not_in_segment = ["low", "high"]
[segment.both]
in_segment = ["low", "even"]
[segment.low]
demographic.n.max = 2
[segment.high]
demographic.n.min = 4
[segment.even]
write = false
demographic.n = [0, 2, 4]
"""
    rows = desk.rows(text)
    by = {name: [r["id"] for r in rows if r["segment"] == name] for name in ("rest", "both", "low", "high", "even")}
    assert by == {"rest": ["d"], "both": ["a", "c"], "low": ["a", "b", "c"], "high": ["e", "f"], "even": []}


def test_near(desk: Desk) -> None:
    desk.put(
        "c.csv",
        "id,lat,lon\nparis,48.8566,2.3522\nversailles,48.8049,2.1204\nlyon,45.7640,4.8357\nnowhere,,\ndateline,0,179.9\n",
    )
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\nlatitude = "lat"\nlongitude = "lon"\n'
    paris = "{ latitude = 48.8566, longitude = 2.3522, km = %s }"
    cases = {
        f"geographic.near = {paris % 0.001}": ["paris"],
        f"geographic.near = {paris % 17}": ["paris"],  # Versailles is 17.91 km away
        f"geographic.near = {paris % 18}": ["paris", "versailles"],
        f"geographic.near = {paris % 391}": ["paris", "versailles"],  # Lyon: 391.5
        f"geographic.near = {paris % 392}": ["paris", "versailles", "lyon"],
        f"geographic.near = [{paris % 1}, {{ latitude = 45.764, longitude = 4.8357, km = 1 }}]": ["paris", "lyon"],
        f"none = [{{ geographic.near = {paris % 20} }}]": ["lyon", "nowhere", "dateline"],
        "geographic.near = { latitude = 0, longitude = -179.9, km = 23 }": ["dateline"],
    }
    assert desk.members(head, {c: c for c in cases}) == cases


# --- a condition that does not fit is an error before the run ---


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("demographic.t.min = 5", "`t`"),
        ("demographic.t = 5", "`t`"),
        ('demographic.n = "5"', "`n`"),
        ('demographic.n.contains = "5"', "`n`"),
        ("demographic.n.before = 2024-01-01", "`n`"),
        ('demographic.d.within = "5"', "5"),
        ("demographic.d.min = 5", "`d`"),
        ("demographic.b.min = 1", "`b`"),
        ('demographic.t.has_any = ["a"]', "lists"),
        ("demographic.t.top_percent = 5", "`t`"),
        ("demographic.tt.is = 'a'", "did you mean `t`"),
        ("demographic.n.ignore_case = true", "ignore_case"),
        ("demographic.t.matches = '['", "regular expression"),
        ("rfm.r_score = 5", "[rfm]"),
        ('rfm = "champions"', "[rfm]"),
    ],
)
def test_a_condition_that_does_not_fit(desk: Desk, condition: str, says: str) -> None:
    for name, frame in sources("csv").items():
        desk.put(f"{name}.csv", frame)
    text = HEAD.format(path="people.csv", events="events.csv", lists=LISTS) + f"[segment.s]\n{condition}\n"
    done = desk.apply(text, code=2)
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert "rules.toml:13:" in done.stderr or "rules.toml:14:" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("criterion", "hint"), [
    ("Income.above = 3", "`demographic.Income = ...`"),
    ("demographic.share.min = 12", 'percent = "keep"'),
    ('demographic.flag = "yes"', "write true or false, without quotes"),
    ("sql = \"flag = 'yes'\"", "write TRUE or FALSE without quotes"),
    ("demographic.day.after = 2024-01-01", 'date_format = { day = "%d-%b-%y" }'),
    ("demographic.month.after = 2024-01-01", "months, which are no days"),
])  # fmt: skip
def test_hints_lead_on(desk: Desk, criterion: str, hint: str) -> None:
    desk.put(
        "c.csv", "id,Income,flag,share,day,month\n1,5,true,12 %,05-MAR-24,2024-01\n2,6,false,13 %,17-APR-24,2024-02\n"
    )
    told = desk.apply(f"{head()}[segment.s]\n{criterion}\n", code=2).stderr.replace("\n", " ")
    assert hint in told
