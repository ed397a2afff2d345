"""What conditions can be written on: types, origins, users, and figures that show nobody's data."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desk import Desk, event_table, head

CUSTOMERS = """id,email,born,country,age,ok,hobbies,zip,who
C001,ann@example.org,1980-01-02,FR,40,yes,"golf,chess",44000,Ann Lee
C002,bob@example.org,1990-05-06,FR,30,no,chess,44000,Bob May
C003,,1985-07-08,DE,,yes,,75001,Cy Fox
C004,dan@example.org,,,19.5,,"golf,golf",,Dan Roe
"""
ORDERS = """id,day,kind,total,code
C001,2024-01-05,sand,10.50,A-1
C001,2024-02-05,sand,4.25,A-2
C002,2024-02-06,bricks,3.00,A-3
C009,2024-02-07,sand,1.00,A-4
C003,2025-01-01,tiles,99.00,A-5
"""
ZIPS = "zip,area,rank\n44000,West,1\n75001,North,2\n"
RULES = (
    head('lists = { hobbies = "," }', 'types.ok = "boolean"', 'derive = { whom = "upper(who)" }')
    + event_table("orders", "o.csv", 'amount = "total"', 'derive = { tax = "total * 0.2" }')
    + """[lookup.zips]
path = "z.csv"
on = "zip"
[trait.years]
years_since = "born"
[trait.last_kind]
events = "orders"
measure = "last"
of = "kind"
[trait.spent]
events = "orders"
measure = "sum"
[rfm]
events = "orders"
bins = 2
[rfm.sand]
events = "orders"
bins = 2
where.kind = "sand"
[lifecycle]
events = "orders"
[score.health]
grades = { A = 5, B = 0 }
[[score.health.rule]]
points = 5
demographic.age.min = 30
[value]
events = "orders"
[consent]
require.ok = true
[output]
columns = ["country", "years"]
[segment.old]
demographic = { age.min = 40, country = "FR" }
geographic.area = "West"
[segment.sand]
behavioural.did = { events = "orders", where.kind = "sand" }
"""
)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    desk.put("z.csv", ZIPS)
    return desk


def told(desk: Desk, rules: str, *args: object) -> dict[str, dict[str, Any]]:
    """Table -> column -> what is said of it."""
    found = json.loads(desk.segkit("columns", desk.put("rules.toml", rules), *args, "--json").stdout)
    assert next(iter(found)) == "schema_version"
    return {t["table"]: {c["column"]: c for c in t["columns"]} | {"": t} for t in found["tables"]}


KNOWN = [
    # table, column, type, from, section, used by
    ("customers", "id", "text", "file", "customers", ["customers.key"]),
    ("customers", "born", "date", "file", "customers", ["trait.years"]),
    ("customers", "country", "text", "file", "customers", ["segment.old", "output"]),
    ("customers", "age", "number", "file", "customers", ["score.health", "segment.old"]),
    ("customers", "ok", "boolean", "file", "customers", ["consent"]),
    ("customers", "hobbies", "list", "file", "customers", ["customers.lists"]),
    ("customers", "zip", "number", "file", "customers", ["lookup.zips"]),
    ("customers", "email", "text", "file", "customers", []),
    ("customers", "who", "text", "file", "customers", ["customers.derive.whom"]),
    ("customers", "whom", "text", "derive", "customers.derive.whom", []),
    ("customers", "area", "text", "lookup", "lookup.zips", ["segment.old"]),
    ("customers", "rank", "number", "lookup", "lookup.zips", []),
    ("customers", "years", "number", "trait", "trait.years", ["output"]),
    ("customers", "last_kind", "text", "trait", "trait.last_kind", []),
    ("customers", "r_score", "number", "rfm", "rfm", []),
    ("customers", "sand_rfm_segment", "text", "rfm", "rfm.sand", []),
    ("customers", "lifecycle", "text", "lifecycle", "lifecycle", []),
    ("customers", "health_score", "number", "score", "score.health", []),
    ("customers", "health_grade", "text", "score", "score.health", []),
    ("customers", "revenue", "number", "value", "value", []),
    ("orders", "id", "text", "file", "events.orders", ["events.orders.key"]),
    ("orders", "day", "date", "file", "events.orders", ["events.orders.time"]),
    ("orders", "kind", "text", "file", "events.orders", ["trait.last_kind", "rfm.sand", "segment.sand"]),
    ("orders", "total", "number", "file", "events.orders",
     ["events.orders.amount", "events.orders.derive.tax", "trait.spent", "rfm", "rfm.sand", "value"]),
    ("orders", "tax", "number", "derive", "events.orders.derive.tax", []),
    ("lookup.zips", "zip", "number", "file", "lookup.zips", ["lookup.zips"]),
    ("lookup.zips", "area", "text", "file", "lookup.zips", []),
]  # fmt: skip


@pytest.mark.parametrize("args", [(), ("--values",)])
def test_what_is_known_of_each_column(shop: Desk, args: tuple[str, ...]) -> None:
    found = told(shop, RULES, *args)
    assert list(found) == ["customers", "orders", "lookup.zips"]
    for table, column, type_, origin, section, users in KNOWN:
        one = found[table][column]
        assert (one["type"], one["from"], one["section"]) == (type_, origin, section), column
        assert sorted(one["used_by"]) == sorted(users), column


def test_without_values_nothing_is_counted(shop: Desk) -> None:
    table = told(shop, RULES)["customers"]
    assert table[""]["rows"] is None
    assert set(table["age"]) == {"column", "type", "from", "section", "used_by"}


FIGURES = [
    # table, column, filled, min, max, frequent
    ("customers", "age", 3, 19.5, 40, []),
    ("customers", "country", 3, None, None, [("FR", 2)]),
    ("customers", "ok", 3, None, None, [(True, 2)]),
    ("customers", "hobbies", 3, None, None, [("chess", 2), ("golf", 2)]),
    ("customers", "years", 3, None, None, []),
    ("customers", "last_kind", 2, None, None, []),
    ("customers", "spent", 4, 0, 14.75, []),
    ("customers", "r_score", 2, 1, 2, []),
    ("orders", "day", 4, "2024-01-05", "2024-02-07", []),
    ("orders", "kind", 4, None, None, [("sand", 3)]),
    ("orders", "total", 4, 1, 10.5, []),
    ("orders", "tax", 4, 0.2, 2.1, []),
    ("lookup.zips", "area", 2, None, None, [("North", 1), ("West", 1)]),
]


def test_figures_are_those_of_all_rows_that_count(shop: Desk) -> None:
    found = told(shop, RULES, "--values")
    assert [found[name][""]["rows"] for name in found] == [4, 4, 2]
    for table, column, filled, lowest, highest, frequent in FIGURES:
        one = found[table][column]
        assert (one["filled"], one["min"], one["max"]) == (filled, lowest, highest), column
        assert [(v["value"], v["rows"]) for v in one["frequent"]] == frequent, column
        assert one["fill"] == pytest.approx(100 * filled / found[table][""]["rows"], abs=1e-4)


PERSONAL = [
    # column, kind, shape
    ("id", "key", "one letter, three digits"),
    ("email", "e-mail", "three letters, `@`, seven letters, `.`, three letters"),
    ("born", "birth date", "four digits, `-`, two digits, `-`, two digits"),
    ("zip", "postcode", "five digits"),
]


def test_of_personal_data_only_the_shape_is_shown(shop: Desk) -> None:
    found = told(shop, RULES, "--values")
    for column, kind, shape in PERSONAL:
        one = found["customers"][column]
        assert (one["personal"], one["shape"]) == (kind, shape)
        assert (one["min"], one["max"], one["frequent"]) == (None, None, [])
    assert found["orders"]["id"]["personal"] == "key"
    assert found["customers"]["age"]["personal"] is None
    assert (found["customers"]["years"]["personal"], found["customers"]["years"]["min"]) == ("birth date", None)


SECRETS = [
    # the column, its values, more of [customers], more of the rule file
    ("mail", ["ann@example.org"] * 4, "", ""),
    ("reach", ["ann@example.org", "ann@example.org", "bob@example.org", None], "", ""),
    ("note", ["hello"] * 300 + ["eve@example.org"] * 100, "", ""),
    ("line", ["+49 30 1234567"] * 4, "", ""),
    ("first_name", ["Ann"] * 4, "", ""),
    ("born", ["1980-01-02"] * 4, "", ""),
    ("nickname_is", ["Ann"] * 4, 'derive = { plain = "lower(first_name)" }', "first_name"),
    ("club", ["Ann"] * 4, "", 'hash = ["club"]'),
    ("club", ["Ann"] * 4, 'derive = { plain = "upper(club)" }', 'hash = ["club"]'),
    ("id", [f"Ann-{n}" for n in range(4)], 'derive = { plain = "upper(id)" }', ""),
    ("lat", [48.123] * 4, 'derive = { north = "lat * 2" }', ""),
]


@pytest.mark.parametrize(("column", "values", "more", "output"), SECRETS)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_values_of_personal_columns_are_nowhere(
    desk: Desk, form: tuple[str, ...], column: str, values: list[Any], more: str, output: str
) -> None:
    name = "first_name" if output == "first_name" else column
    frame = pl.DataFrame({name: values})
    desk.put("c.csv", frame if name == "id" else frame.with_columns(pl.int_range(pl.len()).alias("id")))
    text = "" if output in ("", "first_name") else f"[output]\n{output}\n"
    rules = desk.put("rules.toml", head(more) + text + "[segment.a]\neveryone = true\n")
    shown = desk.segkit("columns", rules, "--values", *form).output.lower()
    for value in values:
        if value is not None and value != "hello":
            assert str(value).lower() not in shown
    assert "96.246" not in shown


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["red", "green", "blue", "", "grey", "pink", "teal", "gold"]),
            st.integers(-5, 5) | st.none(),
        ),
        min_size=1,
        max_size=60,
    )
)
@settings(max_examples=40, deadline=None)
def test_figures_against_plain_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int | None]]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("columns"))
    lines = [f"{n},{shade},{'' if size is None else size}" for n, (shade, size) in enumerate(rows)]
    desk.put("c.csv", "\n".join(["id,shade,size", *lines]) + "\n")
    types = 'types = { shade = "text", size = "number" }'
    found = told(desk, head(types) + "[segment.a]\neveryone = true\n", "--values")["customers"]
    shades, sizes = Counter(shade for shade, _ in rows if shade), [size for _, size in rows if size is not None]
    common = [(shade, n) for shade, n in sorted(shades.items(), key=lambda one: (-one[1], one[0]))[:5] if n > 1]
    common = [(shade, n) for shade, n in common if 100 * n >= shades.total()]
    shade, size = found["shade"], found["size"]
    assert [(one["value"], one["rows"]) for one in shade["frequent"]] == common
    assert (shade["filled"], shade["distinct"]) == (shades.total(), len(shades))
    assert (size["filled"], size["min"], size["max"]) == (
        len(sizes),
        min(sizes, default=None),
        max(sizes, default=None),
    )


LATE = [
    # values of the first rows, a value of the last row, the type
    ("7", "x1", "text"),
    ("7", "8.5", "number"),
    ("2024-01-02", "7", "date"),
    ("", "2024-01-02", "date"),
    ("a", "b", "text"),
    ("01/02/2024", "13/02/2024", "date"),
]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(("first", "last", "type_"), LATE)
def test_types_rest_on_all_rows(desk: Desk, first: str, last: str, type_: str, ending: str) -> None:
    rows = 200_000 if first != "7" or last != "x1" else 100_000
    column = [first] * rows + [last] * (rows if last == "x1" else 1)
    frame = pl.DataFrame(
        {"id": [f"C{n:06}" for n in range(len(column))], "v": column, "w": ["some words"] * len(column)}
    )
    desk.put(f"c.{ending}", frame)
    rules = head(path=f"c.{ending}") + "[segment.a]\neveryone = true\n"
    for args in ((), ("--values",)):
        assert told(desk, rules, *args)["customers"]["v"]["type"] == type_


def test_values_that_cannot_be_read_are_counted(desk: Desk) -> None:
    desk.put("c.csv", "id,day\n" + "".join(f"{n},2024-01-01\n" for n in range(30)) + "x,soon\n")
    one = told(desk, head() + "[segment.a]\neveryone = true\n", "--values")["customers"]["day"]
    assert (one["type"], one["filled"], one["unreadable"]) == ("date", 30, 1)


def test_dates_that_nothing_settles_are_a_note(desk: Desk) -> None:
    desk.put("c.csv", "id,day\n1,01/02/2024\n2,03/04/2024\n")
    rules = desk.put("rules.toml", head() + "[segment.a]\neveryone = true\n")
    done = desk.segkit("columns", rules, "--values")
    assert "note: no value of column `day` of `customers` settles" in done.stderr
    assert "01/02" not in done.stderr
    assert "date" in next(line for line in done.stdout.splitlines() if line.startswith("  day"))


def test_records_cannot_be_read_and_are_told(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["a"], "where": [{"x": 1}]}))
    rules = head(path="c.parquet") + "[segment.a]\neveryone = true\n"
    for args in ((), ("--values",)):
        assert told(desk, rules, *args)["customers"]["where"]["type"] == "other"


def test_of_parquet_only_the_types_are_read(desk: Desk) -> None:
    rows = 50_000
    path = desk.put(
        "c.parquet", pl.DataFrame({"id": range(rows), "n": [1.5] * rows, "b": [n % 3 == 0 for n in range(rows)]})
    )
    spoil(path)
    rules = desk.put("rules.toml", head(path="c.parquet") + "[segment.a]\neveryone = true\n")
    assert {"number", "boolean"} <= set(desk.segkit("columns", rules).stdout.split())
    desk.segkit("columns", rules, "--values", code=3)


def spoil(path: Path) -> None:
    """Overwrite the rows; the types stand at the end of the file."""
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    path.write_bytes(bytes(content))


def test_customers_that_are_made_of_events(desk: Desk) -> None:
    desk.put("o.csv", ORDERS)
    rules = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "orders"\nkey = "id"\ncolumns = ["kind"]\n'
    rules += event_table("orders", "o.csv") + "[segment.a]\neveryone = true\n"
    found = told(desk, rules, "--values")
    assert list(found["customers"]) == ["id", "kind", ""]
    assert (found["customers"]["kind"]["from"], found["customers"][""]["rows"]) == ("events", 3)
    assert found["orders"]["kind"]["used_by"] == ["customers.columns"]


@pytest.mark.parametrize("args", [(), ("--values",)])
def test_at_80_columns(shop: Desk, args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "a_name_of_a_column_that_is_longer_than_most_others_are_and_goes_on"
    shop.put("c.csv", CUSTOMERS.replace(",who", f",{long}"))
    rules = RULES.replace("upper(who)", f"upper({long})")
    shown = shop.segkit("columns", shop.put("rules.toml", rules), *args).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert long in "".join(line[2:28].split("  ")[0].strip() for line in shown.splitlines())


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        (head() + "[segment.a]\ndemographic.agge = 3\n", 2, "did you mean `age`"),
        (head() + "[segment.a]\n", 2, "has no criteria"),
        (head(path="none.csv") + "[segment.a]\neveryone = true\n", 3, "none.csv"),
    ],
)
def test_what_is_wrong_is_told_once(shop: Desk, rules: str, code: int, message: str) -> None:
    done = shop.segkit("columns", shop.put("rules.toml", rules), code=code)
    assert message in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize("args", [(), ("--values",)])
def test_conditions_of_a_wrong_type_are_no_hindrance(shop: Desk, args: tuple[str, ...]) -> None:
    """The types are what one looks for then."""
    rules = head() + '[segment.a]\ndemographic = { age = "old", country.min = 3 }\n[segment.b]\nin_segment = "a"\n'
    done = shop.segkit("columns", shop.put("rules.toml", rules), *args)
    assert 'warning: "old" is text, but column `age` is a number' in done.stderr
    assert "warning: `min` asks for a number or a date, but column `country` is text" in done.stderr
    assert told(shop, rules, *args)["customers"]["age"]["used_by"] == ["segment.a"]
    shop.segkit("schema", "--for", shop / "rules.toml")


@pytest.mark.parametrize("args", [(), ("--values",)])
def test_segments_may_come_later(shop: Desk, args: tuple[str, ...]) -> None:
    rules = head() + event_table("orders", "o.csv")
    found = told(shop, rules, *args)
    assert {"age", "country"} <= set(found["customers"]) and "kind" in found["orders"]
    shop.segkit("schema", "--for", shop / "rules.toml")
    assert "no segment" in shop.segkit("apply", shop / "rules.toml", code=2).stderr


def test_small_and_long_numbers_are_not_rounded_away(desk: Desk) -> None:
    desk.put("c.csv", "id,n\n1,0.004\n2,62.833333333\n3,1234567.5\n")
    shown = desk.segkit("columns", desk.put("rules.toml", head()), "--values").stdout
    assert "0.004 to 1,234,567.5" in shown


def test_what_a_terminal_would_obey_is_spelled_out(desk: Desk) -> None:
    desk.put("c.csv", "id,shade\n1,\x1b[31mred\n2,\x1b[31mred\n")
    shown = desk.segkit("columns", desk.put("rules.toml", head()), "--values").stdout
    assert "\x1b" not in shown and '"\\u001b[31mred" 100.0 %' in shown


def test_a_large_file_of_events_of_which_customers_are_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines are checked beside the run; its last column is none of the customers."""
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 0)
    desk.put("o.csv", "id,day,kind\n" + "".join(f"c{n % 7},2024-01-{1 + n % 28:02},k{n % 3}\n" for n in range(50)))
    rules = 'version = 1\nas_of = 2024-06-30\n[customers]\nfrom = "o"\nkey = "id"\n[events.o]\npath = "o.csv"\ntime = "day"\n'
    told = json.loads(desk.segkit("columns", desk.put("r.toml", rules), "--values", "--json").stdout)
    assert [(table["table"], table["rows"]) for table in told["tables"]] == [("customers", 7), ("o", 50)]
