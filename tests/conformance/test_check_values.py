"""`check --data`: values that conditions ask for and that do not occur."""

from __future__ import annotations

import json

import polars as pl
import pytest

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
    "c.csv": 'id,country,opt_in,hobbies,zip,age,none\na,FR,yes,"golf, tennis",1,5,\nb,DE,yes,chess,2,6,\nc,,yes,,3,7,\n',
    "o.csv": "id,day,shop,product\na,2024-01-01,north,sand\nb,2024-02-01,south,bricks\nb,2025-02-01,south,tiles\n",
    "l.csv": "zip,area\n1,West\n2,East\n9,Nowhere\n",
    "s.csv": "shop,quarter\nnorth,old town\nsouth,harbour\n",
}


@pytest.fixture(scope="session")
def shop(new_desk):
    desk = new_desk()
    for name, content in FILES.items():
        desk.put(name, content)
    return desk


def said(desk, criteria: str, *args: str, code: int = 0, head: str = HEAD) -> list[tuple[str, str | None]]:
    """(Message, hint) of each warning."""
    rules = desk.put("rules.toml", f"{head}[segment.s]\n{criteria}\n")
    done = json.loads(desk.segkit("check", rules, "--data", "--json", *args, code=code).stdout)
    assert all(d["severity"] == "warning" for d in done["diagnostics"])
    return [(d["message"], d["hint"]) for d in done["diagnostics"]]


NEVER = [
    # criteria, the column, the values that do not occur
    ('demographic.country = "fr"', "country", ["fr"]),
    ('demographic.country = ["FR", "GB", "US"]', "country", ["GB", "US"]),
    ('demographic.country = { is = "F" }', "country", ["F"]),
    ('demographic.country = { is = "xx", ignore_case = true }', "country", ["xx"]),
    ("demographic.opt_in = false", "opt_in", ["false"]),
    ('psychographic.hobbies.has_any = ["golf", "chees"]', "hobbies", ["chees"]),
    ('psychographic.hobbies.has_all = ["golf, tennis"]', "hobbies", ["golf, tennis"]),
    ('geographic.area = "North"', "area", ["North"]),
    ('geographic.area = "Nowhere"', "area", ["Nowhere"]),  # of the lookup, but of no customer
    ('geographic.quarter = "old"', "quarter", ["old"]),
    ('demographic.shout = "fr"', "shout", ["fr"]),
    ('behavioural.band = "some"', "band", ["some"]),
    ('any = [{ none = [{ demographic.country = "fr" }] }, { demographic.age = 5 }]', "country", ["fr"]),
    ('behavioural.did = { events = "orders", where.product = ["sand", "brick"] }', "product", ["brick"]),
]


@pytest.mark.parametrize(("criteria", "column", "values"), NEVER)
def test_a_value_that_does_not_occur(shop, criteria, column, values):
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
        "demographic.country.missing = true",
        "demographic.opt_in = true",
        'demographic.none = "x"',  # nobody has any value
        "demographic.age = 99",
        'psychographic.hobbies.has_any = ["golf", "tennis"]',
        'psychographic.hobbies.has_none = "xx"',
        'geographic = { area = "West", quarter = "harbour" }',
        'behavioural.band = ["none", "a lot"]',  # a band, though nobody is in it
        'behavioural.last_shop = "west"',  # computed: nobody, today
        'behavioural.did = { events = "orders", where.product = "tiles" }',
        'demographic.shout = "FR"',
    ],
)
def test_no_warning(shop, criteria):
    assert said(shop, criteria) == []


@pytest.mark.parametrize(
    ("criteria", "hint"),
    [
        ('demographic.country = "fr"', "did you mean `FR`?"),
        ('demographic.country = "Italy"', "the values are `DE` and `FR`"),
        ('geographic.quarter = "harbor"', "did you mean `harbour`?"),
        ('behavioural.band = "xyz"', "the values are `a lot`, `few`, `many` and `none`"),
        ("demographic.opt_in = false", "the values are `true`"),
    ],
)
def test_the_nearest_value(shop, criteria, hint):
    assert [found for _, found in said(shop, criteria)] == [hint]


def test_where_of_sources_too(shop):
    head = HEAD.replace("[events.orders]", 'where.country.in = ["FR", "DEU"]\n[events.orders]')
    head = head.replace('time = "day"', 'time = "day"\nwhere.shop = "nroth"')
    head = head.replace('columns = ["area"]', 'columns = ["area"]\nwhere.area = "Wset"')
    messages = {message for message, _ in said(shop, "geographic.area.missing = false", head=head)}
    assert messages == {
        "`DEU` does not occur in column `country` of `customers`",
        "`nroth` does not occur in column `shop` of `orders`",
        "`Wset` does not occur in column `area` of `lookup.places`",
    }


def test_the_place_is_that_of_the_condition(shop):
    rules = shop.put("rules.toml", HEAD + '[segment.s]\ndemographic.country = "fr"\n')
    assert f"rules.toml:{len(HEAD.splitlines()) + 2}:13" in shop.segkit("check", rules, "--data").stdout
    assert "does not occur" not in shop.segkit("check", rules).stdout


def test_many_values_are_not_compared_one_by_one(desk):
    names = pl.Series("name", [f"name{i}" for i in range(30_000)])
    desk.put("c.csv", pl.DataFrame({"id": pl.int_range(30_000, eager=True), "name": names}))
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n'
    assert said(desk, 'demographic.name = "nam7"', head=head) == [
        ("`nam7` does not occur in column `name` of `customers`", None)
    ]


GATED = """
[frequency_cap]
events = "orders"
max = 1
within = "1 year"
where.product = "brick"
"""


@pytest.mark.parametrize(
    ("criteria", "head", "said"),
    [
        ('demographic.country = "fr"', HEAD, "`fr` does not occur in column `country` of `customers`"),
        ('demographic.country = ["FR", "fr"]', HEAD, None),  # `check --data` says so
        ('behavioural.did = { events = "orders", where.product = "sands" }', HEAD, "`sands` does not occur"),
        ("demographic.age.min = 70", HEAD, None),
        ("everyone = true", HEAD + GATED, "`brick` does not occur in column `product` of `orders`"),
        ("everyone = true", HEAD + GATED.replace('"brick"', '"bricks"'), None),
        ("everyone = true", HEAD + GATED.replace("max = 1", "max = 9").replace('"brick"', '"bricks"'), None),
    ],
)
def test_a_run_says_so_where_a_rule_finds_nobody(shop, criteria, head, said):
    found = shop.json(f"{head}[segment.s]\n{criteria}\n")["warnings"]
    assert [w["message"][: len(said or "")] for w in found] == [said] * bool(said)
