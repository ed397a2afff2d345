"""Lines of one event: fields that only the first has, totals that each repeats, rows and ids that come again."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from tests.desk import Desk

RULES = """version = 1
as_of = 2024-12-31
[customers]
from = "o"
key = "id"
[events.o]
path = PATH
time = "day"
id = "order"
amount = "total"
KEYS
[trait.spent]
events = "o"
measure = "sum"
[trait.orders]
events = "o"
measure = "count"
[trait.lines]
events = "o"
measure = "distinct"
of = "item"
[output]
columns = ["spent", "orders", "lines"]
[segment.s]
everyone = true
"""
SHOPIFY = """order,id,day,status,item,total
#1,ann,2024-01-05,paid,pen,12.50
#1,,,,ink,
#2,bob,2024-01-06,pending,pen,3
#2,,,,cap,
#3,ann,2024-02-01,paid,pen,7.50
"""
FILL = 'fill_down = ["id", "day", "status", "total"]'


def rules(keys: str, path: str = '"o.csv"') -> str:
    return RULES.replace("PATH", path).replace("KEYS", keys)


def answer(desk: Desk, keys: str, path: str = '"o.csv"') -> dict[str, tuple[str, str, str]]:
    return {row["id"]: (row["spent"], row["orders"], row["lines"]) for row in desk.rows(rules(keys, path))}


def left_out(desk: Desk, keys: str, path: str = '"o.csv"') -> dict[str, int]:
    tables = {table["name"]: table for table in desk.json(rules(keys, path))["tables"]}
    return {reason: count for reason, count in tables["o"]["left_out"].items() if count}


def test_fields_that_only_the_first_line_has(desk: Desk) -> None:
    """The total counts once an event; the fields are there for `where`, which looks at one line each."""
    desk.put("o.csv", SHOPIFY)
    assert answer(desk, FILL) == {"ann": ("20", "2", "2"), "bob": ("3", "1", "2")}
    assert answer(desk, f'{FILL}\nwhere.status = "paid"') == {"ann": ("20", "2", "2")}
    assert answer(desk, f'{FILL}\nwhere.status = "paid"\nwhere.item = "ink"') == {"ann": ("12.5", "1", "1")}
    assert answer(desk, f'{FILL}\nderive = {{ big = "total > 10" }}\nwhere.big = true') == {"ann": ("12.5", "1", "2")}
    assert left_out(desk, FILL) == {}
    assert left_out(desk, "") == {"no_key": 2}


def test_fields_are_filled_in_their_file_alone(desk: Desk) -> None:
    """And from the nearest line above that has a value, also where lines of other events stand between."""
    desk.put(
        "a.csv",
        "order,id,day,status,item,total\n#1,ann,2024-01-05,paid,pen,5\n#2,bob,2024-01-05,paid,pen,6\n#1,,,,ink,\n",
    )
    desk.put("b.csv", "order,id,day,status,item,total\n#2,,,,cap,\n#1,cy,2024-01-07,paid,nib,9\n#1,,,,cap,\n")
    files = '["a.csv", "b.csv"]'
    keys = f'{FILL}\nduplicates = "keep"'
    assert answer(desk, keys, files) == {"ann": ("5", "1", "2"), "bob": ("6", "1", "1"), "cy": ("9", "1", "2")}
    assert left_out(desk, keys, files) == {"no_key": 1}


def test_what_it_fills_against_plain_python(desk: Desk) -> None:
    """Random lines: gaps are filled per id, in the order of the file."""
    rng = random.Random(7)
    for _ in range(15):
        lines = [
            (f"#{rng.randint(1, 6)}", rng.choice(["", "x", "y"]), rng.choice(["", "2024-01-02", "2024-01-03"]),
             rng.choice(["", "paid", "open"]), rng.choice("abc"), rng.choice(["", "5"]))
            for _ in range(40)
        ]  # fmt: skip
        desk.put("o.csv", "order,id,day,status,item,total\n" + "".join(",".join(line) + "\n" for line in lines))
        last: dict[tuple[str, int], str] = {}
        seen: dict[str, dict[tuple[str, str], set[str]]] = {}
        for line in lines:
            order = line[0]
            full = [value or last.get((order, place), "") for place, value in enumerate(line)]
            last |= {(order, place): value for place, value in enumerate(full) if value}
            _, key, day, status, item, total = full
            if key and day and status == "paid":
                events = seen.setdefault(key, {})
                events.setdefault((order, total), set()).add(item)
        expected = {}
        for key, events in seen.items():
            orders = {order for order, _ in events}
            spent = 5 * len({order for order, total in events if total})
            expected[key] = (str(spent), str(len(orders)), str(len(set().union(*events.values()))))
        keys = FILL.replace('"id", "day"', '"id", "day"') + '\nwhere.status = "paid"'
        if expected:
            assert answer(desk, keys) == expected


def test_totals_that_each_line_repeats(desk: Desk) -> None:
    head = "order,id,day,item,total\n"
    desk.put("o.csv", head + "o1,ann,2024-01-05,pen,12\no1,ann,2024-01-05,ink,12\no2,ann,2024-01-06,pen,3\n")
    assert answer(desk, 'amount_per = "event"') == {"ann": ("15", "2", "2")}
    desk.put("o.csv", head + "o1,ann,2024-01-05,pen,12\no1,ann,2024-01-05,ink,\n")
    assert answer(desk, 'amount_per = "event"') == {"ann": ("12", "1", "2")}


@pytest.mark.parametrize("more", ["", "o7,bob,2024-01-05,pen,1\no7,bob,2024-01-05,ink,2\n"])
def test_totals_that_disagree(desk: Desk, more: str) -> None:
    desk.put("o.csv", f"order,id,day,item,total\no1,ann,2024-01-05,pen,12\no1,ann,2024-01-05,ink,10\n{more}")
    told = desk.apply(rules('amount_per = "event"'), code=3).stderr.replace("\n", " ")
    assert "the lines of event `o1`" in told and "10 and 12" in told and ("1 other event" in told) == bool(more)
    assert 'leave out `amount_per = "event"`' in told
    assert answer(desk, "")["ann"] == ("22", "1", "2")
    desk.put("o.csv", "order,id,day,status,item,total\n#1,ann,2024-01-05,paid,pen,12\n#1,,,,ink,10\n")
    assert "leave out" in desk.apply(rules(FILL), code=3).stderr


# --- rows and ids that come again ---

ONE = "order,id,day,item,total\no1,ann,2024-01-05,pen,1\no2,bob,2024-01-06,pen,2\no2,bob,2024-01-06,pen,2\no3,ann,2024-01-07,pen,4\n"
TWO = "order,id,day,item,total\no3,ann,2024-01-07,pen,4\no3,ann,2024-01-07,ink,8\no4,bob,2024-01-08,pen,16\no2,cy,2024-01-06,pen,2\n"
BOTH = '["one.csv", "two.csv"]'
REPEATS = [
    ("keep", {"ann": "17", "bob": "20", "cy": "2"}, 0),
    ("drop", {"ann": "13", "bob": "18", "cy": "2"}, 2),
    ("last_file", {"ann": "13", "bob": "16", "cy": "2"}, 3),
]


def both(desk: Desk) -> None:
    desk.put("one.csv", ONE)
    desk.put("two.csv", TWO)


@pytest.mark.parametrize(("how", "spent", "dropped"), REPEATS)
def test_rows_that_come_again(desk: Desk, how: str, spent: dict[str, str], dropped: int) -> None:
    both(desk)
    keys = f'duplicates = "{how}"'
    assert {key: row[0] for key, row in answer(desk, keys, BOTH).items()} == spent
    assert left_out(desk, keys, BOTH) == ({"repeated_row": dropped} if dropped else {})
    assert desk.json(rules(keys, BOTH))["warnings"] == []


def test_rows_that_come_again_are_an_error(desk: Desk) -> None:
    both(desk)
    told = desk.apply(rules('duplicates = "error"', BOTH), code=3).stderr.replace("\n", " ")
    assert "2 rows come more than once, field by field, in `o`" in told
    assert '`duplicates = "drop"` counts them once' in told
    desk.put("one.csv", ONE.replace("o2,bob,2024-01-06,pen,2\no2", "o2"))
    told = desk.apply(rules('duplicates = "error"', BOTH), code=3).stderr
    assert "1 row comes more than once" in told


def test_files_are_read_in_the_order_of_their_paths(desk: Desk) -> None:
    """As text, never by time; the manifest lists them so."""
    desk.put("orders/10.csv", "order,id,day,item,total\no1,ann,2024-01-05,pen,10\n")
    desk.put("orders/2.csv", "order,id,day,item,total\no1,ann,2024-01-05,pen,2\n")
    (desk / "orders/2.csv").touch()
    (desk / "orders/10.csv").touch()
    assert answer(desk, 'duplicates = "last_file"', '"orders/*.csv"') == {"ann": ("2", "1", "1")}
    desk.apply(rules('duplicates = "last_file"', '"orders/*.csv"'))
    inputs = json.loads((desk / "segments" / "manifest.json").read_text())["inputs"]
    assert [one["path"].rpartition("/")[2] for one in inputs if one["table"] == "o"] == ["10.csv", "2.csv"]


def test_ids_count_from_the_last_file_against_plain_python(desk: Desk) -> None:
    rng = random.Random(5)
    for _ in range(10):
        lines = [
            [(f"o{rng.randint(1, 9)}", rng.choice("abc"), f"2024-01-0{rng.randint(1, 9)}", "i", str(rng.randint(1, 9)))
             for _ in range(12)]
            for _ in range(3)
        ]  # fmt: skip
        for number, of_file in enumerate(lines):
            desk.put(f"f{number}.csv", "order,id,day,item,total\n" + "".join(",".join(line) + "\n" for line in of_file))
        last = {line[0]: number for number, of_file in enumerate(lines) for line in of_file}
        spent: Counter[str] = Counter()
        for number, of_file in enumerate(lines):
            for order, key, _, _, total in of_file:
                spent[key] += int(total) * (last[order] == number)
        found = {key: int(Decimal(row[0])) for key, row in answer(desk, 'duplicates = "last_file"', '"f*.csv"').items()}
        assert found == {key: total for key, total in spent.items() if total}


def test_files_that_share_days_and_events_are_told(desk: Desk) -> None:
    both(desk)
    (warning,) = desk.json(rules("", BOTH))["warnings"]
    assert warning["message"] == "1 row of `o` stands in two files, such as `one.csv` and `two.csv`, and counts twice"
    assert 'duplicates = "last_file"' in warning["hint"]
    desk.put("two.csv", TWO.replace("2024-01-0", "2025-01-0"))
    assert not any("two files" in w["message"] for w in desk.json(rules("", BOTH))["warnings"]), "they share no day"


def about_tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said, but for what is found of whole segments."""
    return [one for one in found["diagnostics"] if one["code"] < "SEG200"]


def test_check_says_how_many_ids_stand_in_two_files(desk: Desk) -> None:
    """A note: `--fail-on warning` does not count it."""
    both(desk)
    desk.put("two.csv", TWO.replace("2024-01-0", "2024-02-0"))
    rule_file = desk.put("rules.toml", rules("", BOTH))
    found = json.loads(desk.segkit("check", rule_file, "--data", "--json", "--fail-on", "warning").stdout)
    (note,) = about_tables(found)
    assert note["code"] == "SEG031"
    assert note["severity"] == "note" and note["message"] == "2 ids of `o` stand in two files or more"
    desk.put("rules.toml", rules('duplicates = "keep"', BOTH))
    assert about_tables(json.loads(desk.segkit("check", rule_file, "--data", "--json").stdout)) == []
    desk.put("two.csv", ONE)
    without = rules("", BOTH).replace('id = "order"\n', "")
    found = json.loads(desk.segkit("check", desk.put("rules.toml", without), "--data", "--json").stdout)
    (told,) = about_tables(found)
    assert told["severity"] == "warning" and told["message"].startswith("4 rows of `o` stand in two files")


def test_files_whose_columns_have_other_types(desk: Desk) -> None:
    """Parquet and JSON bring types of their own, and one file may have whole numbers where another has not."""
    desk.put("1.ndjson", '{"id":"k1","order":1,"day":"2024-06-01","total":1,"item":"a"}\n')
    desk.put("2.ndjson", '{"id":"k1","order":2,"day":"2024-06-01","total":1.5,"item":"a"}\n')
    assert answer(desk, "", '"?.ndjson"') == {"k1": ("2.5", "2", "1")}
    desk.put("2.ndjson", '{"id":"k1","order":1,"day":"2024-06-01","total":1.0,"item":"a"}\n')
    (warning,) = desk.json(rules("", '"?.ndjson"'))["warnings"]
    assert warning["message"].startswith("1 row of `o` stands in two files")


def test_ids_are_compared_as_keys_are(desk: Desk) -> None:
    head = "order,id,day,item,total\n"
    desk.put("a.csv", head + "o1,ann,2024-01-05,pen,1\no2,ann,2024-01-06,pen,2\n")
    desk.put("b.csv", head + " o2 ,ann,2024-01-06,pen,3\n")
    assert answer(desk, 'duplicates = "last_file"', '"[ab].csv"')["ann"][0] == "4"
    desk.put("b.csv", head + "NULL,bob,2024-01-06,pen,3\n,bob,2024-01-06,pen,4\n")
    desk.put("a.csv", head + "NULL,ann,2024-01-06,pen,5\n")
    assert {k: v[0] for k, v in answer(desk, 'duplicates = "last_file"', '"[ab].csv"').items()} == {
        "ann": "5",
        "bob": "7",
    }
    desk.put("a.csv", head + "o1,ann,2024-01-05,pen,1\no2,ann,2024-01-06,pen,2\n")
    desk.put("o.csv", "order,id,day,status,item,total\n#1,ann,2024-01-05,paid,pen,5\n#1 ,,,,ink,\n")
    assert answer(desk, FILL) == {"ann": ("5", "1", "2")}
    desk.put("b.csv", head + "o2,ann ,2024-01-06,pen,2.0\n")
    assert "1 row of `o` stands in two files" in desk.json(rules("", '"[ab].csv"'))["warnings"][0]["message"]


@pytest.mark.parametrize("seed", range(6))
def test_many_files_of_the_same_days(desk: Desk, seed: int) -> None:
    """As of a table that is written in parts: all of them are compared, and each is read once."""
    dice = random.Random(seed)
    files: list[list[tuple[str, ...]]] = []
    for number in range(7):
        lines = [
            (f"o{seed}{number}{n}", dice.choice(["ann", "bob", ""]), f"2024-01-0{dice.randint(1, 9)}", "pen", str(n))
            for n in range(12)
        ]
        again = [dice.choice(dice.choice(files)) for _ in range(dice.choice([0, 0, 1, 3]))] if files else []
        files.append([*lines, *again])
        desk.put(f"part{number}.csv", "order,id,day,item,total\n" + "".join(",".join(x) + "\n" for x in files[-1]))
    shared = sum(
        sum((line[0], line[1], line[2], line[4]) in {(x[0], x[1], x[2], x[4]) for x in one} for line in other)
        for one, other in itertools.combinations(files, 2)
    )
    for at_once in (20, 1_000):
        with patch("segkit.operations.evaluation.doubts.files_alike.AT_ONCE", at_once):
            told = [
                w["message"] for w in desk.json(rules("", '"part?.csv"'))["warnings"] if "two files" in w["message"]
            ]
        assert [message.split()[0] for message in told] == ([str(shared)] if shared else [])
