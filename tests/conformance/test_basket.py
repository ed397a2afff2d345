"""`segkit basket`: what counts as a basket and as a rule, to whom something is offered, and the rule file of it."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli

from segkit.operations.discovering.basket import frequent, rules
from tests.desk import ROOT, SHARED, Desk, event_table, head

OF_LINES = ("--key", "key", "--time", "day", "--id", "no", "--item", "item")
ALL = ("--min-count", 1, "--confidence", 0, "--lift", 0)
"""Whatever was ever together."""


def done(desk: Desk, *args: object) -> Any:
    return json.loads(desk.segkit("basket", *args, "--json").stdout, parse_float=Decimal)


def lines(desk: Desk, baskets: dict[str, str], name: str = "o.csv") -> Path:
    """Orders of customers, by `CUSTOMER ORDER`; the items of one with spaces between them."""
    rows = [f"{of.replace(' ', ',')},{item}" for of, items in baskets.items() for item in items.split(" ")]
    return desk.put(name, "\n".join(["key,no,item,day", *(f"{row},2024-01-05" for row in rows)]) + "\n")


def short(found: Any, *fields: str) -> dict[str, Any]:
    """The rules as `a+b>c`, with these of their fields."""
    return {f"{'+'.join(r['left'])}>{r['right']}": tuple(r[f] for f in fields) for r in found["rules"]}


SHOP = {
    "ann 1": "bread butter",
    "ann 2": "jam",
    "bob 3": "bread butter jam",
    "bob 4": "bread",
    "cid 5": "bread jam",
    "dan 6": "milk",
}


def test_orders_as_baskets(desk: Desk) -> None:
    found = done(desk, lines(desk, SHOP), *OF_LINES, *ALL)
    assert (found["by"], found["baskets"], found["baskets_of_one"], found["customers"]) == ("order", 6, 3, 4)
    assert (found["items"], found["rows"], found["min_count"], found["support"]) == (4, 10, 1, None)
    assert found["guesses"] == {"by": "order"}
    counts = short(found, "count", "left_count", "right_count", "to_offer")
    assert counts == {
        "bread+jam>butter": (1, 2, 2, 1),  # cid has no butter, in whatever order
        "butter>bread": (2, 2, 4, 0),
        "bread>butter": (2, 4, 2, 1),
        "butter+jam>bread": (1, 1, 4, 0),
        "bread>jam": (2, 4, 3, 0),  # ann has bought jam, if in another order
        "bread+butter>jam": (1, 2, 3, 0),
        "butter>jam": (1, 2, 3, 0),
        "jam>bread": (2, 3, 4, 0),
        "jam>butter": (1, 3, 2, 1),
    }
    assert short(found, "support", "confidence", "lift")["bread>butter"] == (
        Decimal("33.333333"),
        Decimal(50),
        Decimal("1.5"),
    )


def test_customers_as_baskets(desk: Desk) -> None:
    found = done(desk, lines(desk, SHOP), *OF_LINES, *ALL, "--by", "customer", "--max-length", 2)
    assert (found["by"], found["baskets"], found["baskets_of_one"], found["customers"]) == ("customer", 4, 1, 4)
    assert found["guesses"] == {}
    counts = short(found, "count", "left_count", "right_count", "to_offer")
    assert counts == {
        "bread>butter": (2, 3, 2, 1),
        "bread>jam": (3, 3, 3, 0),
        "butter>bread": (2, 2, 3, 0),
        "butter>jam": (2, 2, 3, 0),
        "jam>bread": (3, 3, 3, 0),
        "jam>butter": (2, 3, 2, 1),
    }


THRESHOLDS = [
    # options; whether `ham>egg` is a rule: 4 of 10 baskets, 4 of 5 with ham, the egg in 8: confidence 80 %, lift 1
    (("--support", "40"), True),
    (("--support", "40.000001"), False),
    (("--support", "30.5"), True),  # 3.05 of 10 baskets are 4
    (("--min-count", "4"), True),
    (("--min-count", "5"), False),
    (("--confidence", "80"), True),
    (("--confidence", "80.000001"), False),
    (("--lift", "1"), True),
    (("--lift", "1.000001"), False),
    (("--support", "100"), False),
]


@pytest.mark.parametrize(("options", "is_rule"), THRESHOLDS, ids=[" ".join(options) for options, _ in THRESHOLDS])
def test_a_threshold_that_is_just_met_is_met(desk: Desk, options: tuple[str, ...], is_rule: bool) -> None:
    baskets = ["ham egg"] * 4 + ["ham"] + ["egg"] * 4 + ["tea"]
    path = lines(desk, {f"c{n} {n}": items for n, items in enumerate(baskets)})
    found = done(desk, path, *OF_LINES, *options)
    assert ("ham>egg" in short(found)) is is_rule


@pytest.mark.parametrize("both", range(1, 30))
def test_shares_are_compared_as_whole_numbers(desk: Desk, both: int) -> None:
    """As floats, some of these fall short of the 80 % that they are."""
    of_ham = 5 * both
    baskets = ["ham egg"] * (4 * both) + ["ham"] * both + ["egg"] * (of_ham - 4 * both)
    path = lines(desk, {f"c{n} {n}": items for n, items in enumerate(baskets)})
    assert set(short(done(desk, path, *OF_LINES, "--confidence", "80", "--lift", "0"))) == {"ham>egg", "egg>ham"}


WHAT_COUNTS = [
    # what, rows of key, no, item, day; baskets, rows that count, rows without an item, ham>egg or its counts
    ("twice in a basket", ["a,1,ham,2024-01-05", "a,1,ham,2024-01-05", "a,1,egg,2024-01-05"], 1, 3, 0, (1, 1, 1)),
    ("one item alone", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", "a,2,ham,2024-01-05"], 2, 3, 0, (1, 2, 1)),
    ("no item", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", "a,1,,2024-01-05", "b,2, ,2024-01-05"], 1, 2, 2, (1, 1, 1)),
    ("no key", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", ",1,ham,2024-01-05"], 1, 2, 0, (1, 1, 1)),
    ("no day", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", "a,2,ham,"], 1, 2, 0, (1, 1, 1)),
    ("later", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", "a,2,ham,2024-03-02"], 1, 2, 0, (1, 1, 1)),
    ("no order", ["a,1,ham,2024-01-05", "a,1,egg,2024-01-05", "a,,ham,2024-01-05", "a,,ham,2024-01-05"], 3, 4, 0, (1, 3, 1)),
    ("only without order", ["a,,ham,2024-01-05", "a,,egg,2024-01-05"], 2, 2, 0, None),
    ("an order of two customers", ["a,1,ham,2024-01-05", "b,1,egg,2024-01-05"], 2, 2, 0, None),
    ("spaces around", ["a,1, ham ,2024-01-05", "a,1,egg,2024-01-05", "a,2,ham,2024-01-05"], 2, 3, 0, (1, 2, 1)),
    ("case tells apart", ["a,1,Ham,2024-01-05", "a,1,egg,2024-01-05", "a,2,ham,2024-01-05"], 2, 3, 0, None),
    ("keys with spaces", ["a,1,ham,2024-01-05", " a ,1,egg,2024-01-05"], 1, 2, 0, (1, 1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "rows", "baskets", "counted", "no_item", "rule"), WHAT_COUNTS, ids=[case[0] for case in WHAT_COUNTS]
)
def test_what_counts(
    desk: Desk, what: str, rows: list[str], baskets: int, counted: int, no_item: int, rule: tuple[int, ...] | None
) -> None:
    path = desk.put("o.csv", "\n".join(["key,no,item,day", *rows]) + "\n")
    found = done(desk, path, *OF_LINES, *ALL, "--as-of", "2024-03-01")
    (table,) = (table for table in found["tables"] if table["name"] == "data")
    assert (found["baskets"], found["rows"], table["left_out"]["no_item"]) == (baskets, counted, no_item)
    assert table["rows"] == found["rows"] + sum(table["left_out"].values())
    assert short(found, "count", "left_count", "right_count").get("ham>egg") == rule


def test_rows_without_an_order_are_told(desk: Desk) -> None:
    path = desk.put("o.csv", "key,no,item,day\na,1,ham,2024-01-05\na,1,egg,2024-01-05\na,,ham,2024-01-05\n")
    shown = desk.segkit("basket", path, *OF_LINES, *ALL).stdout
    assert "note: 1 row without `no`: it is an order of its own\n" in shown


def test_where_leaves_rows_out_before_anything_is_counted(desk: Desk) -> None:
    path = desk.put("o.csv", "key,no,item,day,status\na,1,ham,2024-01-05,paid\na,1,egg,2024-01-05,open\n")
    found = done(desk, path, *OF_LINES, *ALL, "--where", "status = 'paid'")
    assert (found["baskets"], found["rules"]) == (1, [])


def test_columns_are_guessed_and_told(desk: Desk) -> None:
    path = desk.put(
        "o.csv",
        "Customer ID,Order ID,Order Date,SKU,Product Name,Quantity,Price\n"
        "a,o1,2024-01-05,1,ham,1,2.50\na,o1,2024-01-05,2,egg,2,0.30\n",
    )
    found = done(desk, path, *ALL)
    assert found["guesses"] == {
        "key": "Customer ID", "time": "Order Date", "id": "Order ID", "item": "Product Name", "by": "order"
    }  # fmt: skip
    shown = desk.segkit("basket", path, *ALL).stdout
    assert "item: Product Name (guessed)" in shown and "by:   order        (guessed)" in shown


def test_without_an_order_a_customer_is_a_basket(desk: Desk) -> None:
    path = desk.put("o.csv", "key,item,day\na,ham,2024-01-05\na,egg,2024-01-06\n")
    columns = ("--key", "key", "--item", "item")
    assert done(desk, path, *columns, *ALL)["by"] == "customer"
    told = desk.segkit("basket", path, *columns, "--by", "order", code=2).stderr
    assert "`--by order`: no column tells which rows are one order" in told
    assert "`--id COL` names one; `--id day` takes for one what a customer buys on a day" in told
    assert done(desk, path, *columns, "--id", "day", *ALL)["baskets"] == 2
    desk.put("c.csv", "id\na\n")
    orders = desk.put("r.toml", head() + event_table("orders", "o.csv", 'key = "key"') + EVERYONE)
    told = desk.segkit("basket", orders, "--by", "order", code=2).stderr
    assert "`[events.orders]` has no `id` that tells which rows are one order" in told and '`id = "COL"`' in told


def test_a_file_without_a_day(desk: Desk) -> None:
    path = desk.put("o.csv", "basket,product\n1,ham\n1,egg\n2,ham\n")
    found = done(desk, path, "--key", "basket", *ALL, "--save-rules", desk / "found.toml")
    assert short(found, "count", "to_offer") == {"egg>ham": (1, 0), "ham>egg": (1, 1)}
    assert [note["message"] for note in found["notes"]] == [
        "no column says when something was bought, so all rows count"
    ]
    applied = json.loads(desk.segkit("apply", desk / "found.toml", "--dry-run", "--json").stdout)
    assert {s["name"]: s["matched"] for s in applied["segments"]} == {"offer-egg": 1}


EVERYONE = "[segment.all]\neveryone = true\n"
RULES = head() + event_table("orders", "o.csv", 'key = "key"', 'id = "no"') + EVERYONE


def shop(desk: Desk) -> None:
    desk.put("c.csv", "id,opt_in\nann,yes\nbob,no\ncid,no\ndan,yes\neve,yes\nfay,no\n")
    lines(desk, SHOP | {"zoe 9": "butter jam", "eve 10": "bread", "fay 11": "bread"})


def test_a_rule_file_knows_who_is_a_customer(desk: Desk) -> None:
    shop(desk)
    found = done(desk, desk.put("r.toml", RULES), *ALL, "--item", "item")
    assert (found["table"], found["baskets"], found["customers"], found["as_of"]) == ("orders", 8, 6, "2024-03-01")
    (table,) = (table for table in found["tables"] if table["name"] == "orders")
    assert table["left_out"] == {"no_key": 0, "no_time": 0, "after_as_of": 0, "unknown_customer": 2, "no_item": 0}
    assert short(found, "count", "to_offer")["bread>butter"] == (2, 3)


@pytest.mark.parametrize("more", ["", 'where.key = ["a", "b"]\n', 'where.item = ["ham", "egg"]\ncolumns = ["item"]\n'])
def test_customers_that_are_made_of_events(desk: Desk, more: str) -> None:
    lines(desk, {"a 1": "ham egg", "b 2": "ham", "c 3": "ham egg tea", "c 4": "tea"})
    text = f'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "orders"\nkey = "key"\n{more}'
    rules = desk.put("r.toml", text + event_table("orders", "o.csv", 'id = "no"'))
    found = done(desk, rules, *ALL, "--item", "item", "--save-rules", desk / "found.toml")
    customers = 2 if more else 3  # the last thing that c has bought is tea
    assert (found["customers"], short(found, "to_offer")["ham>egg"]) == (customers, (1,))
    check_saved(desk, found)


@pytest.mark.parametrize("by", ["order", "customer"])
def test_keys_that_are_written_in_several_ways(desk: Desk, by: str) -> None:
    lines(desk, {"A 1": "ham egg", "a 2": "tea", "b 3": "ham", "B 3": "egg", "C 5": "ham"})
    desk.put("c.csv", "id\na\nb\nc\n")
    text = head('normalise_keys = ["case"]') + event_table("orders", "o.csv", 'key = "key"', 'id = "no"')
    args = (*ALL, "--item", "item", "--by", by, "--save-rules", desk / "found.toml")
    found = done(desk, desk.put("r.toml", text), *args)
    assert (found["customers"], found["baskets"]) == (3, 4 if by == "order" else 3)
    assert short(found, "count", "to_offer")["ham>egg"] == (2, 1)
    check_saved(desk, found)


def test_a_rule_file_may_have_no_segment_yet(desk: Desk) -> None:
    shop(desk)
    rules = desk.put("r.toml", RULES.replace(EVERYONE, ""))
    found = done(desk, rules, *ALL, "--item", "item", "--min-count", 2, "--save-rules", desk / "found.toml")
    assert [w["message"] for w in found["warnings"]] == ["a rule may rest on 2 orders, and be chance"]
    check_saved(desk, found)


def test_its_table_is_the_one_that_is_named(desk: Desk) -> None:
    shop(desk)
    desk.put("v.csv", "id,day,page\nann,2024-01-05,home\nann,2024-01-05,shop\n")
    rules = desk.put("r.toml", RULES + event_table("visits", "v.csv"))
    told = desk.segkit("basket", rules, "--item", "page", code=2).stderr
    assert "name one with `--events`: `orders` or `visits`" in told
    assert done(desk, rules, "--events", "visits", "--item", "page", *ALL)["baskets"] == 1
    assert "no `[events.visit]`" in desk.segkit("basket", rules, "--events", "visit", code=2).stderr


def test_items_come_from_lookups_and_derived_columns(desk: Desk) -> None:
    shop(desk)
    desk.put("p.csv", "item,category\nbread,bakery\nbutter,dairy\njam,larder\nmilk,dairy\n")
    lookup = '[lookup.products]\ninto = "orders"\npath = "p.csv"\non = "item"\n'
    rules = RULES.replace('id = "no"\n', 'id = "no"\nderive = { first = "LEFT(item, 1)" }\n')
    path = desk.put("r.toml", rules + lookup)
    found = done(desk, path, *ALL, "--item", "category", "--save-rules", desk / "found.toml")
    assert short(found, "count", "to_offer")["bakery>dairy"] == (2, 3)
    assert {"first>b"} <= {f"first>{r['right']}" for r in done(desk, path, *ALL, "--item", "first")["rules"]}
    check_saved(desk, found)


def check_saved(desk: Desk, found: Any) -> Any:
    """Those whom `apply` matches are as many as was foretold."""
    applied = json.loads(desk.segkit("apply", desk / "found.toml", "--dry-run", "--json").stdout)
    assert found["segments"]
    assert {s["name"]: s["matched"] for s in applied["segments"]} == {
        s["name"]: s["to_offer"] for s in found["segments"]
    }
    return applied


def test_the_rules_saved_are_those_to_offer_to(desk: Desk) -> None:
    shop(desk)
    source = desk.put("r.toml", RULES + '[trait.orders]\nevents = "orders"\n')
    found = done(desk, source, *ALL, "--item", "item", "--save-rules", desk / "found.toml")
    applied = check_saved(desk, found)
    text = (desk / "found.toml").read_text()
    assert found["rules_path"] == str(desk / "found.toml")
    assert "[segment.all]" not in text and "[trait.orders]" in text
    # The best rule of each right side that somebody lacks; nobody who has something else lacks bread.
    best: dict[str, Any] = {}
    for rule in found["rules"]:
        if rule["to_offer"]:
            best.setdefault(rule["right"], rule)
    assert [(s["left"], s["right"]) for s in found["segments"]] == [(r["left"], r["right"]) for r in best.values()]
    assert (
        "# 1 of 2 orders with bread and jam have butter too: confidence 50.0 %, lift 2.00. To offer: 1 customer" in text
    )
    assert 'label = "Bought bread and jam, never butter"' in text
    assert all(segment["written"] == segment["matched"] for segment in applied["segments"])


def test_consent_stands_in_the_rules_saved_and_is_told(desk: Desk) -> None:
    shop(desk)
    gates = '[consent]\nrequire.opt_in = "yes"\n[frequency_cap]\nevents = "orders"\nmax = 2\nwithin = "1 year"\n'
    control = "[assignment]\ncontrol = { percent = 50 }\n"
    source = desk.put("r.toml", RULES + gates + control)
    args = (source, *ALL, "--item", "item", "--save-rules", desk / "found.toml")
    found = done(desk, *args)
    applied = check_saved(desk, found)
    assert sum(s["excluded"]["consent"] for s in applied["segments"]) > 0
    assert [note["message"] for note in found["notes"]] == [
        "those to offer to are counted before `[consent]`, `[frequency_cap]` and `[assignment.control]`, which stand "
        "in rules that are saved, too"
    ]


NAMES = [
    # the item on the right, the name of its segment
    ("Brot & Butter", "offer-brot-butter"),
    ("crème brûlée", "offer-creme-brulee"),
    ("日本酒", "offer"),
    ("x" * 200, "offer-" + "x" * 54),
    ('12" pan', "offer-12-pan"),
    ("${HOME}", "offer-home"),
    ("a\\b", "offer-a-b"),
    ("two\nlines", "offer-two-lines"),
    ("it's, said", "offer-it-s-said"),
]


def written(desk: Desk, rows: Sequence[Sequence[str]]) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["key", "no", "item", "day"], *([*row, "2024-01-05"] for row in rows)])
    return desk.put("o.csv", text.getvalue())


@pytest.mark.parametrize(("item", "name"), NAMES, ids=[name for _, name in NAMES])
def test_items_of_any_letters_make_segments(desk: Desk, item: str, name: str) -> None:
    path = written(desk, [("a", "1", "ham"), ("a", "1", item), ("b", "2", "ham"), ("c", "3", "ham")])
    found = done(desk, path, *OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    assert [(s["name"], s["right"], s["to_offer"]) for s in found["segments"]] == [(name, item, 2)]
    check_saved(desk, found)


def test_names_that_are_alike_are_told_apart(desk: Desk) -> None:
    items = ["Tee", "tee", "Té-é", "日本", "酒"]
    rows = [(key, key, item) for item in items for key, item in (("a", item), ("b", "ham"), ("a", "ham"))]
    found = done(desk, written(desk, rows), *OF_LINES, *ALL, "--max-length", 2, "--save-rules", desk / "found.toml")
    names = {s["right"]: s["name"] for s in found["segments"]}
    assert sorted(names.values()) == ["offer", "offer-2", "offer-te-e", "offer-tee", "offer-tee-2"]
    check_saved(desk, found)


def test_no_more_segments_than_the_top_ones(desk: Desk) -> None:
    shop(desk)
    args = (desk.put("r.toml", RULES), *ALL, "--item", "item", "--save-rules", desk / "found.toml", "--top", 1)
    found = done(desk, *args)
    assert [s["right"] for s in found["segments"]] == ["butter"] and len(found["rules"]) > 1
    shown = desk.segkit("basket", *args).stdout
    assert f"Not shown: {len(found['rules']) - 1} rules; -o FILE or --json has all" in shown
    assert "1 segment in" in shown


def test_nobody_to_offer_to_makes_no_file(desk: Desk) -> None:
    path = lines(desk, {"a 1": "ham egg"})
    args = (path, *OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    found = done(desk, *args)
    assert short(found, "to_offer") == {"egg>ham": (0,), "ham>egg": (0,)}
    assert (found["segments"], found["rules_path"]) == ([], None) and not (desk / "found.toml").exists()
    assert f"nobody to offer anything to, so `{desk / 'found.toml'}` was not written" in [
        warning["message"] for warning in found["warnings"]
    ]


def test_items_of_other_types_stay_what_they_are(desk: Desk) -> None:
    for name, values in {
        "whole": [214, 214, 1, 7],
        "decimals": [0.1, 0.1, 1e-7, 2.5],
        "days": pl.Series(["2024-01-05", "2024-01-05", "2024-01-06", "2024-01-07"]).str.to_date(),
        "flags": [True, True, False, None],
    }.items():
        columns = {"key": ["a", "b", "a", "c"], "no": ["1", "2", "1", "3"], "item": values}
        frame = pl.DataFrame(columns).with_columns(day=pl.date(2024, 1, 5))
        desk.put("o.parquet", frame)
        desk.put("c.csv", "id\na\nb\nc\n")
        rules = desk.put("r.toml", RULES.replace("o.csv", "o.parquet"))
        for data in (rules, desk / "o.parquet"):
            given = ("--item", "item") if data == rules else OF_LINES
            found = done(desk, data, *given, *ALL, "--save-rules", desk / "found.toml")
            assert len(found["segments"]) == 1, name
            check_saved(desk, found)


@pytest.mark.parametrize(("one", "other"), [("0042", "42"), ("1.5", "1.50"), ("10", "9")])
def test_codes_of_a_file_are_texts(desk: Desk, one: str, other: str) -> None:
    path = written(desk, [("a", "1", other), ("a", "1", one), ("b", "2", other), ("c", "3", one), ("c", "4", other)])
    found = done(desk, path, *OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    assert list(short(found)) == [f"{one}>{other}", f"{other}>{one}"]
    assert short(found, "count", "to_offer") == {f"{one}>{other}": (1, 0), f"{other}>{one}": (1, 1)}
    check_saved(desk, found)


def test_as_of_goes_into_the_rules_saved(desk: Desk) -> None:
    shop(desk)
    desk.put("o.csv", (desk / "o.csv").read_text() + "ann,20,milk,2024-02-20\n")
    args = (*ALL, "--as-of", "2024-02-01", "--save-rules", desk / "found.toml")
    for data, of in ((desk.put("r.toml", RULES), ("--item", "item")), (desk / "o.csv", OF_LINES)):
        found = done(desk, data, *of, *args)
        assert tomli.loads((desk / "found.toml").read_text())["as_of"].isoformat() == "2024-02-01"
        check_saved(desk, found)


def test_the_order_of_rules(desk: Desk) -> None:
    path = lines(desk, {"a 1": "x y", "b 2": "x y", "c 3": "p q", "d 4": "x z", "e 5": "x"})
    by_lift = list(short(done(desk, path, *OF_LINES, *ALL)))
    assert by_lift == ["p>q", "q>p", "x>y", "x>z", "y>x", "z>x"]
    by_support = list(short(done(desk, path, *OF_LINES, *ALL, "--sort", "support")))
    assert by_support == ["x>y", "y>x", "p>q", "q>p", "x>z", "z>x"]
    by_confidence = list(short(done(desk, path, *OF_LINES, *ALL, "--sort", "confidence")))
    assert by_confidence == ["p>q", "q>p", "y>x", "z>x", "x>y", "x>z"]


def test_one_row_a_rule(desk: Desk) -> None:
    path = lines(desk, SHOP)
    text = desk.segkit("basket", path, *OF_LINES, *ALL, "-o", "-", "-q").stdout
    rows = text.splitlines()
    assert rows[0] == "left_1,left_2,right,count,left_count,right_count,support,confidence,lift,to_offer"
    assert rows[1] == "bread,,butter,2,4,2,33.333333,50,1.5,1"
    assert rows[2] == "bread,jam,butter,1,2,2,16.666667,50,1.5,1" and len(rows) == 10
    desk.segkit("basket", path, *OF_LINES, *ALL, "-o", desk / "rules.csv")
    assert (desk / "rules.csv").read_text() == text
    none = desk.segkit("basket", path, *OF_LINES, "--min-count", 99, "-o", "-", "-q").stdout
    assert none.splitlines() == rows[:1]


NO_RULE = [
    # what is bought, options, why there is no rule, what to do next
    ({"a 1": "ham", "b 2": "egg"}, (), "no order has two different items", "or try `--by customer`"),
    (
        {"a 1": "ham", "b 2": "egg"}, ("--by", "customer"),
        "no customer has two different items", "`--key` and `--item`",
    ),
    (
        {"a 1": "ham egg", "b 2": "ham"}, ("--min-count", 3),
        "no item is in 3 orders or more; the most frequent one is in 2", "`--min-count 1`",
    ),
    (
        {"a 1": "ham egg", "b 2": "ham", "c 3": "egg"}, ("--min-count", 2),
        "no two items are together in 2 orders; of the 2 items in 2 orders or more, two are in 1 at most",
        "`--min-count 1`",
    ),
    (
        {"a 1": "ham x", "b 2": "ham", "c 3": "egg", "d 4": "egg"}, ("--min-count", 2),
        "2 items in 2 orders or more, and no two of them together", "a smaller `--support`",
    ),
    (
        {"a 1": "ham egg", "b 2": "ham"}, ("--min-count", 2), "only one item is in 2 orders or more", "a smaller `--support`",
    ),
    (
        {"a 1": "ham egg", "b 2": "ham", "c 3": "egg"}, ("--confidence", 51, "--lift", 0),
        "the largest confidence is 50.0 %", "`--confidence 50`",
    ),
    (
        {"a 1": "ham egg", "b 2": "ham", "c 3": "egg"}, ("--lift", 2),
        "the largest lift of those with enough confidence is 0.75", "`--lift 0.7`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("baskets", "options", "why", "step"), NO_RULE, ids=[case[2] for case in NO_RULE])
def test_no_rule_says_what_to_do_next(
    desk: Desk, baskets: dict[str, str], options: tuple[object, ...], why: str, step: str
) -> None:
    path = lines(desk, baskets)
    (warning,) = done(desk, path, *OF_LINES, *options)["warnings"]
    assert warning["message"] == f"no rule: {why}" and step in warning["hint"]
    assert "no rule: " in " ".join(desk.segkit("basket", path, *OF_LINES, *options).stdout.split())


def test_no_item_at_all(desk: Desk) -> None:
    path = desk.put("o.csv", "key,no,item,day\na,1,,2024-01-05\n")
    (warning,) = done(desk, path, *OF_LINES)["warnings"]
    assert warning["message"] == "no rule: no row that counts has an item"


def test_rules_that_rest_on_few_are_told(desk: Desk) -> None:
    path = lines(desk, SHOP)
    (warning,) = done(desk, path, *OF_LINES, "--support", 20)["warnings"]
    assert warning["message"] == "a rule may rest on 2 orders, and be chance"
    many = {f"c{n} {n}": "ham egg" for n in range(5)}
    assert done(desk, lines(desk, many), *OF_LINES, "--min-count", 5)["warnings"] == []


WRONG = [
    # options, exit code, what is said
    (("--support", "0"), 2, "`--support 0` is no share of baskets"),
    (("--support", "101"), 2, "`--support 101` is no share of baskets"),
    (("--support", "a"), 2, "is not a number such as 25 or 0.6"),
    (("--confidence", "100.5"), 2, "`--confidence 100.5` is no share"),
    (("--support", "1", "--min-count", "2"), 2, "say the same thing in two ways"),
    (("--item", "itme"), 3, "did you mean `item`?"),
    (("--events", "orders"), 2, "`--events` names what a rule file has"),
    (("--save-rules", "o.csv"), 2, "rules are saved in a file of TOML"),
    (("-o", "x.odt"), 2, "odt"),
]


@pytest.mark.parametrize(("options", "code", "said"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_what_is_refused(desk: Desk, options: tuple[str, ...], code: int, said: str) -> None:
    told = desk.segkit("basket", lines(desk, SHOP), *OF_LINES[:6], *options, code=code).stderr
    assert said in told


@pytest.mark.parametrize(("path", "said"), [("-", "standard input"), ("https://u:pw@h/o.csv", "lets one in at")])
def test_what_no_rule_file_can_name(desk: Desk, path: str, said: str) -> None:
    args = (*OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    told = desk.segkit("basket", path, *args, code=None, input=lines(desk, SHOP).read_bytes())
    assert told.exit_code != 0 and not (desk / "found.toml").exists() and "pw" not in told.stderr
    if path == "-":
        assert said in told.stderr and told.exit_code == 2


def test_rows_of_what_was_sent_back_are_told(desk: Desk) -> None:
    rows = [
        "a,1,ham,2,9.0",
        "a,1,egg,-1,-3.0",
        "b,2,ham,(1),1",
        "b,2,egg,1-,2",
        "c,3,ham,,4",
        "c,3,,-2,-1",
        "d,4,ham,x,5",
    ]
    text = "\n".join(["key,no,item,Qty,total", *(f"{row},2024-01-05" for row in rows)]).replace(
        "total\n", "total,day\n", 1
    )
    path = desk.put("o.csv", text + "\n")

    def told(*args: object) -> list[str]:
        return [one["message"] for one in done(desk, *args, *ALL)["warnings"] if "below 0" in one["message"]]

    said = "rows with `{}` below 0 count as bought, and may be what was sent back"
    assert told(path, *OF_LINES) == ["3 " + said.format("Qty")], "`x` is no error: nobody has asked for it"
    assert told(path, *OF_LINES, "--where", "total > 0 or Qty is null") == []
    assert told(path, *OF_LINES[:6], "--item", "Qty") == []
    rules = head('from = "orders"').replace('path = "c.csv"\n', "").replace('key = "id"', 'key = "key"')
    orders = '[events.orders]\npath = "o.csv"\ntime = "day"\nid = "no"\n'
    assert told(desk.put("r.toml", rules + orders)) == []
    assert told(desk.put("r.toml", rules + orders + 'amount = "total"\n')) == [
        "1 row with `total` below 0 counts as bought, and may be what was sent back"
    ]
    assert told(desk.put("r.toml", rules + orders + 'amount = "total"\nwhere.total.above = 0\n')) == []


def test_what_was_bought_cannot_be_told(desk: Desk) -> None:
    path = desk.put("o.csv", "customer_id,date,what\na,2024-01-05,ham\n")
    told = desk.segkit("basket", path, code=3).stderr
    assert "cannot tell which column of" in told and "`--item`; the other columns are `what`" in told


def test_a_basket_a_line_is_told(desk: Desk) -> None:
    path = desk.put("o.csv", "ham,egg\nham,egg,tea\nham\n")
    told = desk.segkit("basket", path, code=3).stderr
    assert "a basket a line is not read, but an item a line, as in `customer_id,order_id,product`" in told


def test_no_output_takes_the_place_of_an_input(desk: Desk) -> None:
    shop(desk)
    rules = desk.put("r.toml", RULES)
    assert "is an input" in desk.segkit("basket", rules, "--save-rules", rules, code=4).stderr
    assert "is an input" in desk.segkit("basket", rules, "--item", "item", "-o", desk / "o.csv", code=4).stderr
    mine = desk.put("mine.toml", "# by hand\n")
    assert "no discovery has written it" in desk.segkit("basket", rules, "--save-rules", mine, code=4).stderr


def many(desk: Desk, customers: int = 7) -> Path:
    """Sixty baskets of thirty items and ham, four items each."""
    return lines(
        desk, {f"c{n % customers} {n}": f"i{n % 30} i{(7 * n + 1) % 30} i{(11 * n + 5) % 30} ham" for n in range(60)}
    )


def test_baskets_are_counted_in_pieces(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    args = (many(desk), *OF_LINES, *ALL, "--max-length", 4)
    whole = done(desk, *args)
    monkeypatch.setattr(frequent, "PIECE", 20)
    parts = done(desk, *args)
    assert len(whole["rules"]) > 500 and parts["rules"] == whole["rules"]


SAME = {f"c{n} {n}": "ham egg tea" for n in range(60)}


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("MOST_ROWS", 539, "sets of 2 items are too many: 540 rows"),
        ("MOST_KEPT", 8, "sets of 2 items are too many: 540 rows"),  # 9 of one order
        ("MOST_KEPT", 179, "sets of 3 items are too many: 180 rows"),
        ("MOST_KEPT", 180, None),
        ("MOST_SETS", 2, "sets of 2 items are too many: 3 rows"),
        ("MOST_SETS", 3, None),
    ],
)
def test_too_much_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, said: str | None
) -> None:
    monkeypatch.setattr(frequent, limit, most)
    told = desk.segkit("basket", lines(desk, SAME), *OF_LINES, *ALL, code=3 if said else 0).stderr
    assert (said or "") in told and bool(said) is ("`--support` or `--min-count`" in told)
    assert not said or ("`--max-length 2`" in told) is ("sets of 3" in said)


def test_too_many_different_sets_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST_KEPT", 400)  # thirty-one items: 465 pairs
    assert "sets of 2 items" in desk.segkit("basket", many(desk, 60), *OF_LINES, *ALL, code=3).stderr


def test_what_customers_have_bought_may_be_too_much_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST_KEPT", 500)  # one has bought all thirty-one items: 961 pairs
    told = desk.segkit("basket", many(desk, 1), *OF_LINES, *ALL, "--max-length", 2, code=3).stderr
    assert "sets of 2 items" in told and "that more customers have" in told


def test_more_rules_than_anybody_reads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_RULES", 100)
    told = desk.segkit("basket", many(desk), *OF_LINES, *ALL, code=3).stderr
    assert "rules are more than anybody reads; 100 are the most" in told and "`--support`" in told


def test_the_same_input_gives_the_same_bytes(desk: Desk) -> None:
    path, found = many(desk), desk / "found.toml"
    args = (path, *OF_LINES, *ALL, "--as-of", "2024-02-01", "-o", desk / "rules.csv", "--save-rules", found)
    outputs = set()
    for _ in range(3):
        desk.segkit("basket", *args)
        outputs.add(((desk / "rules.csv").read_bytes(), found.read_bytes()))
    assert len(outputs) == 1


GROCERIES = SHARED / "basket" / "groceries_basket.csv"


@pytest.mark.skipif(not GROCERIES.exists(), reason="the data are not on this machine")
@pytest.mark.parametrize(
    ("support", "confidence", "number", "best"),
    [
        # as arules finds them, 463 also with a lift under 1
        ("0.6", "25", 463, (["herbs"], "root vegetables", 69)),
        ("0.1", "80", 410, (["liquor", "red/blush wine"], "bottled beer", 19)),
    ],
)
def test_groceries(desk: Desk, support: str, confidence: str, number: int, best: tuple[list[str], str, int]) -> None:
    baskets = [next(csv.reader([line])) for line in GROCERIES.read_text().splitlines()]
    path = written(desk, [(f"b{n}", str(n), item) for n, items in enumerate(baskets) for item in items])
    least = ("--support", support, "--confidence", confidence, "--lift", "0", "--max-length", 10)
    found = done(desk, path, *OF_LINES, *least, "--save-rules", desk / "found.toml")
    assert (found["baskets"], len(found["rules"])) == (9835, number)
    assert tuple(found["rules"][0][field] for field in ("left", "right", "count")) == best
    check_saved(desk, found)


def test_standard_input_and_several_files(desk: Desk) -> None:
    whole = done(desk, lines(desk, SHOP), *OF_LINES, *ALL)
    piped = desk.segkit("basket", "-", *OF_LINES, *ALL, "--json", input=(desk / "o.csv").read_bytes())
    assert json.loads(piped.stdout, parse_float=Decimal)["rules"] == whole["rules"]
    head_of, *rows = (desk / "o.csv").read_text().splitlines(keepends=True)
    files = [desk.put(f"{n}.csv", head_of + "".join(rows[n::2])) for n in range(2)]  # an order may be in both
    assert done(desk, *files, *OF_LINES, *ALL)["rules"] == whole["rules"]


def test_a_table_of_a_database(desk: Desk) -> None:
    with closing(sqlite3.connect(desk / "shop.db")) as con:
        con.execute("create table lines (key text, no integer, item text, day text)")
        rows = [(*of.split(), item, "2024-01-05") for of, items in SHOP.items() for item in items.split()]
        con.executemany("insert into lines values (?, ?, ?, ?)", rows)
        con.commit()
    args = (*OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    found = done(desk, f"sqlite:{desk / 'shop.db'}#lines", *args)
    assert found["rules"] == done(desk, lines(desk, SHOP), *OF_LINES, *ALL)["rules"]
    check_saved(desk, found)


def test_every_field_of_json_is_documented(desk: Desk) -> None:
    found = done(desk, lines(desk, SHOP), *OF_LINES, *ALL, "--save-rules", desk / "found.toml")
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("### `segkit basket --json`\n")[2]
    known = {"schema_version", *re.findall(r"`(\w+)`", text.partition("\n### ")[0])}
    assert found.keys() | found["rules"][0].keys() | found["segments"][0].keys() <= known
