"""Every measure of traits and event conditions, over rows, events and windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.desk import Desk, event_table, head

# a: order 1 has two lines, order 2 is a refund, order 3 and 4 on one day; a row without id; b: one order; c: none; d: later only
ORDERS = """order,cust,day,product,qty,total,note
1,a,2024-01-01,sand,1,10.50,x
1,a,2024-01-01,bricks,2,4.50,
2,a,2024-02-10,sand,1,-5,y
3,a,2024-02-20,bricks,5,20,
4,a,2024-02-20,stone,1,0.01,z
,a,2024-02-25,sand,3,1.99,
5,b,2023-06-30,stone,4,99.99,q
6,d,2024-03-02,sand,1,7,r
7,a,2024-03-02,sand,1,7000,future
8,b,,sand,1,5000,no day
9,,2024-01-01,sand,1,5000,no key
10,zz,2024-01-01,sand,1,5000,unknown
"""
HEAD = head(key="cust") + event_table("o", "o.csv", 'id = "order"', 'amount = "total"')
CUSTOMERS = "cust,signed_up,born\na,2024-01-01,1990-05-05\nb,2023-06-01,\nc,,1980-01-01\nd,2024-02-28,2000-02-29\n"

# what stands in [trait.x] beside `events`, and its value for a, b, c, d
TABLE: list[tuple[str, str | float, str | float, str | float, str | float]] = [
    ("", "5", "1", "0", "0"),
    ('measure = "count"', "5", "1", "0", "0"),
    ('measure = "sum"', "32", "99.99", "0", "0"),
    ('measure = "mean"', 6.4, 99.99, "", ""),
    ('measure = "min"', "-5", "99.99", "", ""),
    ('measure = "max"', "20", "99.99", "", ""),
    ('measure = "sum"\nof = "qty"', "13", "4", "0", "0"),
    ('measure = "mean"\nof = "qty"', 13 / 6, 4, "", ""),
    ('measure = "min"\nof = "qty"', "1", "4", "", ""),
    ('measure = "max"\nof = "qty"', "5", "4", "", ""),
    ('measure = "distinct"\nof = "product"', "3", "1", "0", "0"),
    ('measure = "distinct"\nof = "note"', "3", "1", "0", "0"),
    ('measure = "first"', "2024-01-01", "2023-06-30", "", ""),
    ('measure = "last"', "2024-02-25", "2023-06-30", "", ""),
    ('measure = "first"\nof = "product"', "sand", "stone", "", ""),
    ('measure = "last"\nof = "product"', "sand", "stone", "", ""),
    ('measure = "last"\nof = "product"\nwhere.order.missing = false', "stone", "stone", "", ""),
    ('measure = "last"\nof = "product"\nbefore = 2024-02-25', "stone", "stone", "", ""),
    ('measure = "first"\nof = "qty"', "1", "4", "", ""),
    ('measure = "most_frequent"\nof = "product"', "sand", "stone", "", ""),
    (
        'measure = "most_frequent"\nof = "product"\nbefore = 2024-02-25',
        "bricks",
        "stone",
        "",
        "",
    ),  # 2 : 2 : 1, the latest
    ('measure = "days_since_first"', "60", "245", "", ""),
    ('measure = "days_since_last"', "5", "245", "", ""),
    ('measure = "active_days"', "4", "1", "0", "0"),
    # where looks at rows, first
    ('where.product = "sand"', "3", "0", "0", "0"),
    ('where.product = ["sand", "bricks"]', "4", "0", "0", "0"),
    ('measure = "sum"\nwhere.product = "sand"', "7.49", "0", "0", "0"),
    ('measure = "min"\nwhere.product = "sand"', "-5", "", "", ""),
    ('measure = "max"\nwhere.product = "sand"', "10.5", "", "", ""),  # what is left of order 1
    ('measure = "mean"\nwhere.product = "bricks"', 12.25, "", "", ""),
    ('measure = "sum"\nwhere.total.min = 0', "37", "99.99", "0", "0"),
    ("where.total.above = 10", "2", "1", "0", "0"),  # a line, not the order
    ('measure = "last"\nwhere.product = "stone"', "2024-02-20", "2023-06-30", "", ""),
    ('measure = "active_days"\nwhere.product = "bricks"', "2", "0", "0", "0"),
    # windows
    ('within = "1 month"', "4", "0", "0", "0"),
    ('within = "60 days"', "5", "0", "0", "0"),
    ('within = "59 days"', "4", "0", "0", "0"),
    ('measure = "sum"\nwithin = "20 days"', "17", "0", "0", "0"),
    ('measure = "sum"\nwithin = "19 days"', "22", "0", "0", "0"),
    ("between = [2024-01-01, 2024-02-10]", "2", "0", "0", "0"),
    ("between = [2024-01-02, 2024-02-09]", "0", "0", "0", "0"),
    ('between = ["60 days", "20 days"]', "2", "0", "0", "0"),
    ('between = ["59 days", "21 days"]', "0", "0", "0", "0"),
    ('between = ["12 months", "6 months"]', "0", "1", "0", "0"),
    ("since = 2024-02-10", "4", "0", "0", "0"),
    ("since = 2024-02-11", "3", "0", "0", "0"),
    ("before = 2024-02-10", "1", "1", "0", "0"),
    ("before = 2024-02-11", "2", "1", "0", "0"),
    ("since = 2024-01-01\nbefore = 2024-02-20", "2", "0", "0", "0"),
    ('since = "20 days"', "4", "0", "0", "0"),
    ('before = "20 days"', "1", "1", "0", "0"),
    ('measure = "days_since_last"\nbefore = "20 days"', "60", "245", "", ""),
    ('since = { column = "signed_up" }\nfor = "30 days"', "1", "1", "0", "0"),
    ('since = { column = "signed_up" }\nfor = "40 days"', "2", "1", "0", "0"),  # 1 January + 40 days is 10 February
    ('since = { column = "signed_up" }\nfor = "39 days"', "1", "1", "0", "0"),
    ('since = { column = "signed_up" }', "5", "1", "0", "0"),
    ('measure = "sum"\nsince = { column = "signed_up" }\nfor = "40 days"', "10", "99.99", "0", "0"),
]


def same(got: str, expected: str | float) -> bool:
    if isinstance(expected, str):
        return got == expected
    return got != "" and abs(float(got) - expected) < 1e-9


@pytest.fixture(scope="session")
def traits(new_desk: Callable[[], Desk]) -> list[list[str] | AssertionError]:
    desk = new_desk()
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    names = [f"x{i}" for i in range(len(TABLE))]
    blocks = [f'[trait.{n}]\nevents = "o"\n{row[0]}\n' for n, row in zip(names, TABLE, strict=True)]
    try:
        found = desk.columns(HEAD + "".join(blocks), *names)
        return [[found[k][i] for k in "abcd"] for i in range(len(TABLE))]
    except AssertionError:
        together: list[list[str] | AssertionError] = []
        for name, block in zip(names, blocks, strict=True):
            try:
                found = desk.columns(HEAD + block, name, "cust")
                together.append([found[k][0] for k in "abcd"])
            except AssertionError as error:
                together.append(error)
        return together


@pytest.mark.parametrize("row", range(len(TABLE)), ids=[row[0].replace("\n", ", ") or "default" for row in TABLE])
def test_trait(traits: list[list[str] | AssertionError], row: int) -> None:
    got, expected = traits[row], TABLE[row][1:]
    if isinstance(got, AssertionError):
        raise got
    assert all(map(same, got, expected)), f"{got} is not {expected}"


def test_amount_per_event(desk: Desk) -> None:
    """Each line repeats the total of its order."""
    desk.put("c.csv", "cust\na\nb\n")
    desk.put(
        "o.csv",
        "order,cust,day,total\n1,a,2024-01-01,10\n1,a,2024-01-01,10\n2,a,2024-01-02,5\n,a,2024-01-03,1\n,a,2024-01-03,1\n3,b,2024-01-01,10\n",
    )
    measures = {"n": "count", "total": "sum", "average": "mean", "least": "min", "most": "max"}
    head = (
        HEAD
        + 'amount_per = "event"\n'
        + "".join(f'[trait.{n}]\nevents = "o"\nmeasure = "{m}"\n' for n, m in measures.items())
    )
    found = desk.columns(head, *measures)
    assert found["a"][:2] == ("4", "17")
    assert float(found["a"][2]) == 4.25
    assert found["a"][3:] == ("1", "10")
    assert found["b"] == ("1", "10", found["b"][2], "10", "10")
    by_row = desk.columns(head.replace('amount_per = "event"', 'amount_per = "row"'), *measures)
    assert by_row["a"][:2] == ("4", "27")


def test_one_id_of_two_customers_is_two_events(desk: Desk) -> None:
    desk.put("c.csv", "cust\na\nb\n")
    desk.put("o.csv", "order,cust,day,total\n1,a,2024-01-01,10\n1,b,2024-01-01,20\n1,a,2024-01-02,5\n")
    found = desk.columns(HEAD + '[trait.n]\nevents = "o"\n[trait.most]\nevents = "o"\nmeasure = "max"\n', "n", "most")
    assert found == {"a": ("1", "15"), "b": ("1", "20")}


def test_first_and_last_order_by_time_then_id_then_row(desk: Desk) -> None:
    desk.put("c.csv", "cust\na\nb\nc\n")
    desk.put(
        "o.csv",
        "order,cust,day,total,tag\n"
        "2,a,2024-01-01,1,second\n1,a,2024-01-01,1,first\n"
        "1,b,2024-01-01,1,row one\n1,b,2024-01-01,1,row two\n"
        "9,c,2024-01-01,1,early\n1,c,2024-01-02,1,late\n",
    )  # fmt: skip
    head = HEAD + "".join(f'[trait.{m}]\nevents = "o"\nmeasure = "{m}"\nof = "tag"\n' for m in ("first", "last"))
    assert desk.columns(head, "first", "last") == {
        "a": ("first", "second"),
        "b": ("row one", "row two"),
        "c": ("early", "late"),
    }


EVENT_CONDITIONS = {
    'behavioural.did = { events = "o" }': "a b",
    'behavioural.did_not = { events = "o" }': "c d",
    'behavioural.did = { events = "o", min = 2 }': "a",
    'behavioural.did_not = { events = "o", min = 2 }': "b c d",
    'behavioural.did = { events = "o", is = 1 }': "b",
    'behavioural.did = { events = "o", max = 3 }': "b",  # did needs an event
    'behavioural.did_not = { events = "o", max = 3 }': "a c d",
    'behavioural.did = { events = "o", above = 1 }': "a",
    'behavioural.did = { events = "o", below = 5 }': "b",
    'behavioural.did = { events = "o", where.product = "sand", within = "3 months", min = 3 }': "a",
    'behavioural.did = { events = "o", where.product = "sand", within = "3 months", min = 4 }': "",
    'behavioural.did = { events = "o", measure = "sum", above = 32 }': "b",
    'behavioural.did = { events = "o", measure = "sum", min = 32 }': "a b",
    'behavioural.did_not = { events = "o", measure = "sum", above = 32 }': "a c d",
    'behavioural.did = { events = "o", measure = "sum", max = 50 }': "a",
    'behavioural.did = { events = "o", measure = "days_since_last", max = 30 }': "a",
    'behavioural.did_not = { events = "o", measure = "days_since_last", max = 30 }': "b c d",
    'behavioural.did = { events = "o", measure = "active_days" }': "a b",
    'behavioural.did = { events = "o", measure = "active_days", min = 5 }': "",
    'behavioural.did = { events = "o", measure = "distinct", of = "product" }': "a b",
    'behavioural.did = { events = "o", measure = "distinct", of = "product", min = 3 }': "a",
    'behavioural.did = [{ events = "o", where.product = "sand" }, { events = "o", where.product = "stone" }]': "a",
    'behavioural.did_not = [{ events = "o", where.product = "sand" }, { events = "o", where.product = "stone" }]': "c d",
    'none = [{ behavioural.did = { events = "o", within = "6 months" } }]': "b c d",
    'behavioural.did = { events = "o", since = { column = "signed_up" }, for = "30 days" }': "a b",
    'behavioural.did = { events = "o", measure = "mean", min = 6.4, max = 6.4 }': "a",
}


@pytest.fixture(scope="session")
def conditions(new_desk: Callable[[], Desk]) -> dict[str, list[str] | AssertionError]:
    desk = new_desk()
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    return desk.each(HEAD, {c: c for c in EVENT_CONDITIONS})


@pytest.mark.parametrize("criteria", EVENT_CONDITIONS)
def test_event_condition(conditions: dict[str, list[str] | AssertionError], criteria: str) -> None:
    got = conditions[criteria]
    if isinstance(got, AssertionError):
        raise got
    assert got == EVENT_CONDITIONS[criteria].split()


@pytest.mark.parametrize(
    "condition", ['measure = "sum"', 'measure = "mean"', 'measure = "days_since_last"', 'measure = "max"']
)
def test_other_measures_need_a_comparison(desk: Desk, condition: str) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    done = desk.apply(HEAD + f'[segment.s]\nbehavioural.did = {{ events = "o", {condition} }}\n', code=2)
    assert "rules.toml:12:" in done.stderr


def test_traits_of_the_customer(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    text = (
        HEAD
        + """
[trait.zone]                            # needs what stands below
bands = { of = "age", edges = [18, 24, 33], labels = ["<18", "18-23", "24-32", "33+"] }
[trait.age]
years_since = "born"
[trait.member]
days_since = "signed_up"
[trait.orders]
events = "o"
[trait.spend]
events = "o"
measure = "sum"
[trait.average]
sql = "spend / nullif(orders, 0)"
"""
    )
    found = desk.columns(text, "age", "zone", "member", "average")
    assert {k: v[:3] for k, v in found.items()} == {
        "a": ("33", "33+", "60"),  # left-closed: 33 is in the last band
        "b": ("", "", "274"),
        "c": ("44", "33+", ""),
        "d": ("24", "24-32", "2"),
    }
    assert float(found["a"][3]) == 6.4
    assert float(found["b"][3]) == 99.99
    assert found["c"][3] == ""


def test_a_cycle_is_printed(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    text = (
        HEAD
        + '[trait.x]\nsql = "y + 1"\n[trait.y]\nsql = "z + 1"\n[trait.z]\nsql = "x + 1"\n[segment.s]\nbehavioural.x = 1\n'
    )
    message = desk.apply(text, code=2).stderr
    for name in "xyz":
        assert f"`{name}`" in message or f"{name} " in message


def test_a_computed_column_may_not_take_a_name(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    text = HEAD + '[trait.born]\nevents = "o"\n[segment.s]\nbehavioural.born = 1\n'
    message = desk.apply(text, code=2).stderr
    assert "`born`" in message
    assert "rename" in message


def test_an_event_on_as_of_counts_and_one_later_does_not(desk: Desk) -> None:
    desk.put("c.csv", "cust\na\n")
    desk.put("o.csv", "order,cust,day,total\n1,a,2024-03-01,10\n2,a,2024-03-02,20\n")
    text = HEAD + '[trait.n]\nevents = "o"\n[trait.quiet]\nevents = "o"\nmeasure = "days_since_last"\n'
    assert desk.columns(text, "n", "quiet") == {"a": ("1", "0")}
    table = next(t for t in desk.json(text + "[segment.s]\nbehavioural.n = 1\n")["tables"] if t["name"] == "o")
    assert table["left_out"]["after_as_of"] == 1


@pytest.mark.parametrize(("last_day", "n"), [("2024-02-29", "1"), ("2024-03-01", "0")])
def test_a_month_from_a_date_of_the_customer_clips(desk: Desk, last_day: str, n: str) -> None:
    desk.put("c.csv", "cust,signed_up\na,2024-01-31\n")
    desk.put("o.csv", f"order,cust,day,total\n1,a,{last_day},10\n")
    text = HEAD + '[trait.n]\nevents = "o"\nsince = { column = "signed_up" }\nfor = "1 month"\n'
    assert desk.columns(text, "n") == {"a": n}


def test_counts_of_what_is_left_out(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    done = desk.json(HEAD + '[segment.s]\nbehavioural.did = { events = "o" }\n')
    table = next(t for t in done["tables"] if t["name"] == "o")
    assert table["rows"] == 12
    left_out = {k: v for k, v in table["left_out"].items() if v}
    assert left_out == {"no_key": 1, "no_time": 1, "after_as_of": 2, "unknown_customer": 1}


@pytest.mark.parametrize(("keep", "n"), [("first", "1"), ("last", "2")])
def test_a_window_from_a_date_of_a_customer_who_comes_twice(desk: Desk, keep: str, n: str) -> None:
    """Each event counts once, in the window of the row that is kept."""
    desk.put("c.csv", "cust,signed_up\na,2024-02-10\na,2024-01-01\n,2024-01-01\n")
    desk.put("o.csv", "order,cust,day,total\n1,a,2024-01-05,10\n2,a,2024-02-15,20\n")
    text = HEAD.replace("[customers]\n", f'[customers]\nduplicates = "{keep}"\n')
    text += '[trait.n]\nevents = "o"\nsince = { column = "signed_up" }\n'
    assert desk.columns(text, "n") == {"a": n}
    table = desk.json(text + "[segment.s]\nbehavioural.n = 1\n")["tables"][0]
    assert {k: v for k, v in table["left_out"].items() if v} == {"no_key": 1, "duplicate_key": 1}
