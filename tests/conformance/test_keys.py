"""Keys that are the same but for zeros, case, marks or composed letters: told, or compared so."""

from __future__ import annotations

import pytest

from tests.desk import Desk

RULES = """version = 1
as_of = 2024-02-01
[customers]
path = "c.csv"
key = "id"
KEYS
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
[trait.spent]
events = "orders"
measure = "sum"
[output]
columns = ["spent"]
[segment.s]
everyone = true
"""


def put(desk: Desk, customers: list[str], events: list[str]) -> None:
    desk.put("c.csv", "id,x\n" + "".join(f'"{key}",x\n' for key in customers))
    desk.put("o.csv", "id,day,amount\n" + "".join(f'"{key}",2024-01-02,5\n' for key in events))


def rules(keys: str = "") -> str:
    return RULES.replace("KEYS", keys)


FORMS = [
    ("zeros", "00123", "123"),
    ("zeros", "0", "000"),
    ("case", "ANNA@X.EU", "Anna@x.eu"),
    ("decimals", "123", "123.0"),
    ("decimals", "1,234,567", "1234567"),
    ("decimals", "1234567,00", "1.234.567"),
    ("decimals", "1234", "1 234"),
    ("unicode", "Zo\u00eb", "Zoe\u0308"),
]
IDS = [f"{form}: {customer} and {event}" for form, customer, event in FORMS]


@pytest.mark.parametrize(("form", "customer", "event"), FORMS, ids=IDS)
def test_keys_that_differ_in_form(desk: Desk, form: str, customer: str, event: str) -> None:
    """Told as written, the same with the option, and no word where they are said to differ."""
    put(desk, [customer, "7"], ["7", event])
    (told,) = desk.json(rules())["warnings"]
    assert told["message"].startswith("1 key of `orders` matches a customer but for ")
    assert f'normalise_keys = ["{form}"]' in told["hint"]
    assert customer not in told["message"] + told["hint"], "whoever has the key stays out of manifests"
    spent = {row["id"]: row["spent"] for row in desk.rows(rules(f'normalise_keys = ["{form}"]'))}
    assert spent == {customer: "5", "7": "5"}
    assert desk.json(rules("normalise_keys = []"))["warnings"] == []


@pytest.mark.parametrize("pair", [("A1", "A01"), ("00A", "A"), ("1.5", "15"), ("12.34", "1234"), ("Zoe", "Zo\u00eb")])
def test_keys_that_are_others(desk: Desk, pair: tuple[str, str]) -> None:
    customer, event = pair
    put(desk, [customer, "7"], ["7", event])
    every = 'normalise_keys = ["zeros", "case", "decimals", "unicode"]'
    assert desk.json(rules())["warnings"] == []
    assert {row["id"]: row["spent"] for row in desk.rows(rules(every))} == {customer: "0", "7": "5"}


def test_many_are_an_error(desk: Desk) -> None:
    """Ten, a tenth of the unknown ones, a hundredth of all."""
    known = [f"{n:05}" for n in range(1, 991)]
    put(desk, known, [*known, *map(str, range(1, 11))])
    error = desk.apply(rules(), code=3).stderr
    assert "10 keys of `orders` match a customer but for leading zeros: `1` there, `00001`" in error
    put(desk, known, [*known, *map(str, range(1, 10))])
    assert "9 keys of `orders`" in desk.json(rules())["warnings"][0]["message"]
    strangers = [f"x{n}" for n in range(100)]
    put(desk, known, [*known, *map(str, range(1, 11)), *strangers])
    assert len(desk.json(rules())["warnings"]) == 1, "less than a tenth of the unknown keys"
    more = [f"{n:05}" for n in range(1, 992)]
    put(desk, more, [*more, *map(str, range(1, 11))])
    assert len(desk.json(rules())["warnings"]) == 1, "less than a hundredth of all keys"


def test_no_key_of_any_customer(desk: Desk) -> None:
    """The error that a table has no key of a customer names what would make them the same."""
    put(desk, ["0012", "0013"], ["12", "13"])
    assert 'normalise_keys = ["zeros"]' in desk.apply(rules(), code=3).stderr
    put(desk, ["0012", "0013"], ["a", "b"])
    assert "name the columns that hold the same key" in desk.apply(rules(), code=3).stderr.replace("\n", " ")


def test_two_customers_who_become_one(desk: Desk) -> None:
    put(desk, ["0012", "12", "5"], ["5"])
    error = desk.apply(rules('normalise_keys = ["zeros"]'), code=3).stderr
    assert "`0012` and `12` are one key" in error and "c.csv:3" in error
    kept = desk.rows(rules('normalise_keys = ["zeros"]\nduplicates = "last"'))
    assert [row["id"] for row in kept] == ["12", "5"]


def test_forms_that_are_given_are_asked_no_more(desk: Desk) -> None:
    """The hint names the given form beside the missing one."""
    put(desk, ["A1", "7"], ["7", "a1"])
    (warning,) = desk.json(rules('normalise_keys = ["zeros"]'))["warnings"]
    assert 'normalise_keys = ["case", "zeros"]' in warning["hint"]


def test_the_key_goes_out_as_the_customers_write_it(desk: Desk) -> None:
    """A draw is by that key, too."""
    put(desk, [f"{n:04}" for n in range(1, 200)], ["7"])
    sampled = "[segment.s]\neveryone = true\nsample = 20\n"
    drawn = rules('normalise_keys = ["zeros"]').replace("[segment.s]\neveryone = true\n", sampled)
    as_written = rules("normalise_keys = []").replace("[segment.s]\neveryone = true\n", sampled)
    desk.put("o.csv", "id,day,amount\n0007,2024-01-02,5\n")
    assert [row["id"] for row in desk.rows(drawn)] == [row["id"] for row in desk.rows(as_written)]


def test_suppression_lists(desk: Desk) -> None:
    put(desk, ["0012", "0013"], ["0012"])
    desk.put("stop.csv", "id\n12\n")
    text = rules("KEYS") + '[consent]\nsuppress = ["stop.csv"]\n'
    (told,) = desk.json(text.replace("KEYS", ""))["warnings"]
    assert "normalise_keys" in told["hint"], "it suppresses nobody"
    desk.put("stop.csv", "id\n12\n0013\n")
    (told,) = desk.json(text.replace("KEYS", ""))["warnings"]
    assert 'normalise_keys = ["zeros"]' in told["hint"]
    desk.put("stop.csv", "id\n" + "".join(f"{n}\n" for n in range(20, 40)))
    put(desk, [f"{n:04}" for n in range(20, 40)], ["0020"])
    assert "but for leading zeros: `20` there" in desk.apply(text.replace("KEYS", ""), code=3).stderr
    put(desk, ["0012", "0013"], ["0012"])
    desk.put("stop.csv", "id\n12\n")
    (row,) = desk.rows(text.replace("KEYS", 'normalise_keys = ["zeros"]'))
    assert row["id"] == "0013"


def test_windows_from_a_date_of_the_customer(desk: Desk) -> None:
    """Dates of customers reach their events whatever form the key has."""
    desk.put("c.csv", "id,joined\n007,2024-01-10\n8,2024-01-01\n")
    desk.put("o.csv", "id,day,amount\n7,2024-01-02,5\n7,2024-01-12,6\n8,2024-01-12,1\n")
    since = rules('normalise_keys = ["zeros"]').replace(
        'measure = "sum"', 'measure = "sum"\nsince = { column = "joined" }'
    )
    assert {row["id"]: row["spent"] for row in desk.rows(since)} == {"007": "6", "8": "1"}


def test_customers_of_events_are_one_where_their_keys_are(desk: Desk) -> None:
    """Their key is written as in their first event."""
    desk.put("o.csv", "id,day,amount\n12,2024-01-03,5\n0012,2024-01-02,6\n7,2024-01-02,1\n")
    text = rules('normalise_keys = ["zeros"]').replace('path = "c.csv"', 'from = "orders"')
    assert {row["id"]: row["spent"] for row in desk.rows(text)} == {"0012": "11", "7": "1"}


def test_lookups_keep_their_own_keys(desk: Desk) -> None:
    put(desk, ["0012", "7"], ["12"])
    desk.put("l.csv", "id,city\n12,Paris\n7,Rome\n")
    text = rules('normalise_keys = ["zeros"]').replace('columns = ["spent"]', 'columns = ["spent", "city"]')
    text += '[lookup.place]\npath = "l.csv"\non = "id"\n'
    assert {row["id"]: row["city"] for row in desk.rows(text)} == {"0012": "", "7": "Rome"}
