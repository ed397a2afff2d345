"""`check --data`: values that conditions ask for and that do not occur."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest

from tests.desk import Desk, head

HEAD = """version = 1
as_of = 2024-03-01
[customers]
path = "c.csv"
key = "id"
types = { opt_in = "boolean", none = "text" }
lists = { hobbies = "," }
derive = { shout = "upper(country)" }
[events.orders]
path = "o.csv"
time = "day"
[lookup.places]
path = "l.csv"
on = "zip"
columns = ["area"]
[lookup.shops]
path = "s.csv"
on = { last_shop = "shop" }
columns = ["quarter"]
[trait.last_shop]
events = "orders"
measure = "last"
of = "shop"
[trait.orders]
events = "orders"
[trait.band]
bands = { of = "orders", edges = [1, 5, 100], labels = ["none", "few", "many", "a lot"] }
"""
FILES = {
    "c.csv": 'id,country,opt_in,hobbies,zip,age,none\na,FR,yes,"golf, tennis",1,5,\nb,DE,yes,chess,2,6,\nc,,yes,,3,7,\n'
    "d,FR,yes,,1,5,\ne,DE,yes,,2,6,\n",
    "o.csv": "id,day,shop,product\na,2024-01-01,north,sand\nb,2024-02-01,south,bricks\nb,2025-02-01,south,tiles\n",
    "l.csv": "zip,area\n1,West\n2,East\n9,Nowhere\n",
    "s.csv": "shop,quarter\nnorth,old town\nsouth,harbour\n",
}


@pytest.fixture(scope="session")
def shop(new_desk: Callable[[], Desk]) -> Desk:
    desk = new_desk()
    for name, content in FILES.items():
        desk.put(name, content)
    return desk


def said(desk: Desk, criteria: str, *args: str, code: int = 0, head: str = HEAD) -> list[tuple[str, str | None]]:
    """(Message, hint) of each warning, but for what is found of whole segments."""
    rules = desk.put("rules.toml", f"{head}[segment.s]\n{criteria}\n")
    done = json.loads(desk.segkit("check", rules, "--data", "--json", *args, code=code).stdout)
    # The head computes more than each of these rule files reads.
    found = [d for d in done["diagnostics"] if d["code"] <= "SEG201" and d["code"] != "SEG111"]
    assert all(d["severity"] == "warning" for d in found)
    return [(d["message"], d["hint"]) for d in found]


NEVER = [
    # criteria, the column, the values that do not occur
    ('demographic.country = "fr"', "country", ["fr"]),
    ('demographic.country = ["FR", "GB", "US"]', "country", ["GB", "US"]),
    ('demographic.country = { is = "F" }', "country", ["F"]),
    ('demographic.country = { is = "xx", ignore_case = true }', "country", ["xx"]),
    ('demographic.country = " fr"', "country", [" fr"]),
    ('psychographic.hobbies.has_any = [" golf"]', "hobbies", [" golf"]),  # of a list, the value as it is
    ("demographic.opt_in = false", "opt_in", ["false"]),
    ('psychographic.hobbies.has_any = ["golf", "chees"]', "hobbies", ["chees"]),
    ('psychographic.hobbies.has_all = ["golf, tennis"]', "hobbies", ["golf, tennis"]),
    ('geographic.area = "North"', "area", ["North"]),
    ('geographic.area = "Nowhere"', "area", ["Nowhere"]),  # of the lookup, but of no customer
    ('geographic.quarter = "old"', "quarter", ["old"]),
    ('demographic.shout = "fr"', "shout", ["fr"]),
    ('behavioural.band = "some"', "band", ["some"]),
    ('demographic.country.contains = ["f", "R"]', "country", ["f"]),
    ('demographic.country.starts_with = "d"', "country", ["d"]),
    ('demographic.country.ends_with = "e"', "country", ["e"]),
    ('any = [{ none = [{ demographic.country = "fr" }] }, { demographic.age = 5 }]', "country", ["fr"]),
    ('behavioural.did = { events = "orders", where.product = ["sand", "brick"] }', "product", ["brick"]),
]


@pytest.mark.parametrize(("criteria", "column", "values"), NEVER)
def test_a_value_that_does_not_occur(shop: Desk, criteria: str, column: str, values: list[str]) -> None:
    table = "orders" if column == "product" else "customers"
    messages = [message for message, _ in said(shop, criteria)]
    assert messages == [f"`{value}` does not occur in column `{column}` of `{table}`" for value in values]
    said(shop, criteria, "--fail-on", "warning", code=1)


@pytest.mark.parametrize(
    "criteria",
    [
        'demographic.country = ["FR", "DE"]',
        'demographic.country = { is = "fr", ignore_case = true }',
        'demographic.country.not = "xx"',
        'demographic.country.contains = "xx"',
        'demographic.country = { contains = "fr", ignore_case = true }',
        'demographic.country = " FR "',
        "demographic.country.missing = true",
        "demographic.opt_in = true",
        "demographic.age = 99",
        'psychographic.hobbies.has_any = ["golf", "tennis"]',
        'psychographic.hobbies.has_none = "xx"',
        'geographic = { area = "West", quarter = "harbour" }',
        'behavioural.band = ["none", "a lot"]',  # a band, though nobody is in it
        'behavioural.last_shop = "west"',  # computed: nobody, today
        'behavioural.did = { events = "orders", where.product = "tiles" }',
        'demographic.shout = "FR"',
        'demographic.country = " FR"',  # white space around it is no part of a value
        'demographic.country = { in = ["fr ", "DE"], ignore_case = true }',
    ],
)
def test_no_warning(shop: Desk, criteria: str) -> None:
    assert said(shop, criteria) == []


@pytest.mark.parametrize(
    ("criteria", "hint"),
    [
        ('demographic.country = "fr"', "did you mean `FR`? with `ignore_case = true`, capitals make no difference"),
        ('demographic.country = "Italy"', "the values are `DE` and `FR`"),
        ('geographic.quarter = "harbor"', "did you mean `harbour`?"),
        ('behavioural.band = "xyz"', "the values are `a lot`, `few`, `many` and `none`"),
        ("demographic.opt_in = false", "the values are `true`"),
    ],
)
def test_the_nearest_value(shop: Desk, criteria: str, hint: str) -> None:
    assert [found for _, found in said(shop, criteria)] == [hint]


def test_where_of_sources_too(shop: Desk) -> None:
    head = HEAD.replace("[events.orders]", 'where.country.in = ["FR", "DEU"]\n[events.orders]')
    head = head.replace('time = "day"', 'time = "day"\nwhere.shop = "nroth"')
    head = head.replace('columns = ["area"]', 'columns = ["area"]\nwhere.area = "Wset"')
    messages = {message for message, _ in said(shop, "geographic.area.missing = false", head=head)}
    assert messages == {
        "`DEU` does not occur in column `country` of `customers`",
        "`nroth` does not occur in column `shop` of `orders`",
        "`Wset` does not occur in column `area` of `lookup.places`",
        "`[lookup.places]` finds nothing: no row of `customers` has a key that is in its file",
    }


def test_the_place_is_that_of_the_condition(shop: Desk) -> None:
    rules = shop.put("rules.toml", HEAD + '[segment.s]\ndemographic.country = "fr"\n')
    assert f"rules.toml:{len(HEAD.splitlines()) + 2}:13" in shop.segkit("check", rules, "--data").stdout
    assert "does not occur" not in shop.segkit("check", rules).stdout


def test_many_values_are_not_compared_one_by_one(desk: Desk) -> None:
    names = pl.Series("word", [f"name{i}" for i in range(30_000)])
    desk.put("c.csv", pl.DataFrame({"id": pl.int_range(30_000, eager=True), "word": names}))
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n'
    assert said(desk, 'demographic.word = "nam7"', head=head) == [
        ("`nam7` does not occur in column `word` of `customers`", None)
    ]


INTO = 'into = "orders"\n'
GATED = """
[frequency_cap]
events = "orders"
max = 1
within = "1 year"
where.product = "brick"
"""


def test_a_cap_over_a_table_without_events_is_a_warning(shop: Desk) -> None:
    shop.put("sent.csv", "id,day\n")
    text = HEAD + '[events.sent]\npath = "sent.csv"\ntime = "day"\n' + GATED.replace('"orders"', '"sent"')
    text = text.replace('where.product = "brick"\n', "") + "[segment.s]\neveryone = true\n"
    told = [warning["message"] for warning in shop.json(text)["warnings"]]
    assert told == ["the frequency cap stops nobody: `sent` has no events", "`sent` has no rows"]


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (GATED, ["`brick` does not occur in column `product` of `orders`"]),
        (GATED.replace('"brick"', '"bricks"'), []),
        (GATED.replace('"brick"', '"tiles"'), []),  # after `as_of`: nobody reaches it, and the value is right
        (GATED.replace("max = 1", "max = 9").replace('"brick"', '["brick", "bricks"]'), ["`brick` does not occur"]),
        (GATED.replace('"brick"', '["brick", "bricks"]'), []),  # somebody reaches it: `check --data` says so
    ],
)
def test_a_run_says_so_where_a_cap_stops_nobody(shop: Desk, gates: str, said: list[str]) -> None:
    found = shop.json(f'{HEAD}{gates}[segment.s]\ndemographic.country = "FR"\n')["warnings"]
    assert [w["message"][: len(text)] for w, text in zip(found, said, strict=True)] == said
    assert "tiles" not in str(found)  # values of the data are for `check --data`: warnings go into manifests


def test_a_lookup_that_finds_rows_without_a_value_finds_something(desk: Desk) -> None:
    desk.put("c.csv", "id,shop\na,north\n")
    desk.put("s.csv", "shop,quarter\nnorth,\n")
    text = head() + '[lookup.shops]\npath = "s.csv"\non = "shop"\n[segment.s]\ngeographic.quarter.missing = true\n'
    assert desk.json(text)["warnings"] == []


@pytest.mark.parametrize(("into", "where"), [("", ""), (INTO, ""), (INTO, 'where.quarter = "old town"\n')])
@pytest.mark.parametrize(("key", "count"), [("north", 0), (" north ", 0), ("North", 1)])
def test_a_lookup_that_finds_nothing_is_a_warning(desk: Desk, into: str, where: str, key: str, count: int) -> None:
    desk.put("c.csv", "id,shop\na,north\nb,\n")
    desk.put("o.csv", "id,day,shop\na,2024-01-01,north\na,2024-01-02,\n")
    desk.put("s.csv", f"shop,quarter\n{key},old town\n")
    text = head() + f'[events.orders]\npath = "o.csv"\ntime = "day"\n{where}'
    text += f'[lookup.shops]\npath = "s.csv"\non = "shop"\ncolumns = ["quarter"]\n{into}'
    text += '[trait.n]\nevents = "orders"\n' + ('where.quarter = "x"\n' if into else "")
    criterion = "behavioural.n.max = 9" if into else "geographic.quarter.missing = true"
    warnings = desk.json(f"{text}[segment.s]\n{criterion}\n")["warnings"]
    table = "orders" if into else "customers"
    message = f"`[lookup.shops]` finds nothing: no row of `{table}` has a key that is in its file"
    assert [w["message"] for w in warnings] == [message] * count
    assert all((w["line"], w["column"]) == (12 if where else 11, 1) for w in warnings)


def test_a_column_without_a_value_has_none_of_those_asked_for(shop: Desk) -> None:
    message = "`x` does not occur in column `none` of `customers`"
    assert said(shop, 'demographic.none = "x"') == [(message, "there are no values")]


OF_THE_DAY = [
    ("2024-03-01", "2024-01-01", "the last event of `orders` was on 2021-01-01, 1,155 days before 2024-03-01"),
    ("2020-03-01", "2024-01-01", "`orders` has no event up to 2020-03-01, and 1 event after that day"),
    ("2124-03-01", "2124-01-01", "`as_of` 2124-03-01 lies in the future"),
    ("2024-03-01", None, "`orders` has no rows"),
]


@pytest.mark.parametrize(("as_of", "day", "message"), OF_THE_DAY)
def test_what_a_run_says_of_its_day_is_said_before(desk: Desk, as_of: str, day: str | None, message: str) -> None:
    day = "2021-01-01" if "1,155" in message else day
    desk.put("c.csv", "id,age\na,5\n")
    desk.put("o.csv", "id,day\n" + (f"a,{day}\n" if day else ""))
    rules = f'version = 1\nas_of = {as_of}\n[customers]\npath = "c.csv"\nkey = "id"\n'
    rules += '[events.orders]\npath = "o.csv"\ntime = "day"\n[segment.s]\n'
    rules += 'behavioural.did_not = { events = "orders", within = "1 year" }\n'
    path = desk.put("rules.toml", rules)
    told = json.loads(desk.segkit("check", path, "--data", "--json").stdout)["diagnostics"]
    run = json.loads(desk.segkit("apply", path, "--dry-run", "--json").stdout)["warnings"]
    assert message in [one["message"] for one in told] and message in [one["message"] for one in run]


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("segment.s.expect.max_size = 1", "segment `s` writes 2 customers: `max_size` is 1"),
        ("segment.s.expect.max_percent = 50", "segment `s` writes 66.67 % of all customers: `max_percent` is 50"),
        ('events.orders.expect.max_age = "7 days"', "`max_age` is 7 days before `as_of`, 2024-03-01"),
        ("segment.s.expect.max_size = 2", None),
    ],
)
def test_what_is_expected_is_looked_at(desk: Desk, expect: str, message: str | None) -> None:
    desk.put("c.csv", "id,age\na,5\nb,6\nc,1\n")
    desk.put("o.csv", "id,day\na,2024-02-01\n")
    rules = f"version = 1\nas_of = 2024-03-01\n{expect}\nsegment.s.demographic.age.min = 5\n"
    rules += 'customers = { path = "c.csv", key = "id" }\nevents.orders.path = "o.csv"\nevents.orders.time = "day"\n'
    path = desk.put("rules.toml", rules)
    told = json.loads(desk.segkit("check", path, "--data", "--json").stdout)["diagnostics"]
    found = [one["message"] for one in told if one["code"] == "SEG209"]
    assert len(found) == bool(message) and all(one.endswith(message or "") for one in found)
    desk.segkit("apply", path, "--dry-run", code=int(bool(message)))
