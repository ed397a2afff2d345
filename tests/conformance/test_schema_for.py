"""The schema of one rule file: its own names fit, others do not, and nobody's data is in it."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.desk import ROOT, Desk, event_table, head

RULES = (
    head()
    + event_table("orders", "o.csv", 'amount = "total"', 'where = { kind = "sand" }')
    + """[lookup.zips]
path = "z.csv"
on = "zip"
[trait.spent]
events = "orders"
measure = "sum"
[rfm]
events = "orders"
bins = 2
[output]
columns = ["country"]
[segment.a]
rfm = "champions"
demographic.country = "FR"
[segment.b]
in_segment = "a"
behavioural.spent.min = 3
behavioural.did = { events = "orders", where.kind = "sand" }
geographic.area = ["West"]
[[segment.b.any]]
value.spent.min = 3
"""
).replace("value.spent", "needs.spent")
CUSTOMERS = "id,email,country,zip\n" + "".join(
    f"C{n},ann{n}@example.org,{'FR' if n % 3 else 'DE'},44000\n" for n in range(9)
)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", "id,day,kind,total\n" + "".join(f"C{n},2024-01-0{n},sand,{n}.5\n" for n in range(1, 9)))
    desk.put("z.csv", "zip,area\n44000,West\n")
    return desk


def schema(desk: Desk, rules: Path) -> Any:
    desk.segkit("schema", "--for", rules, "-o", desk / "own.json")
    return json.loads((desk / "own.json").read_text(encoding="utf-8"))


def read(path: Path) -> Any:
    return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))


WRONG = [
    # the place of a name, a name that is not there
    (("segment", "a", "demographic", "cuntry"), "FR"),
    (("segment", "b", "in_segment"), "c"),
    (("segment", "b", "in_segment"), ["a", "c"]),
    (("segment", "b", "behavioural", "spend"), 3),
    (("segment", "b", "behavioural", "did", "events"), "order"),
    (("segment", "b", "behavioural", "did", "where", "knd"), "sand"),
    (("segment", "b", "geographic", "aera"), "West"),
    (("segment", "b", "geographic", "country"), {"iss": "FR"}),
    (("segment", "b", "rfm"), {"r_scor": 3}),
    (("segment", "a", "each"), ["contry"]),
    (("trait", "spent", "events"), "order"),
    (("output", "columns"), ["cuntry"]),
    (("assignment",), {"priority": ["c"]}),
    (("lookup", "zips", "into"), "visits"),
]
RIGHT = [
    (("segment", "a", "demographic", "country"), "IT"),
    (("segment", "a", "demographic", "country"), {"in": ["FR", "IT"], "or_missing": True}),
    (("segment", "b", "in_segment"), ["a"]),
    (("segment", "b", "behavioural", "did", "events"), "${TABLE}"),
    (("segment", "b", "rfm"), {"r_score": 2}),
    (("lookup", "zips", "into"), "orders"),
    (("segment", "a", "each"), "area"),
]


@pytest.mark.parametrize(("places", "fits"), [(RIGHT, True), (WRONG, False)])
def test_only_names_that_are_there_fit(shop: Desk, places: list[tuple[tuple[str, ...], Any]], fits: bool) -> None:
    path = shop.put("rules.toml", RULES)
    data, validator = read(path), jsonschema.Draft202012Validator(schema(shop, path))
    validator.validate(data)
    for keys, value in places:
        changed = copy.deepcopy(data)
        table = changed
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
        assert validator.is_valid(changed) == fits, keys


@pytest.mark.parametrize("name", ["leads/rules.toml", "adventureworks/rules.toml", "adventureworks/rhythm.toml"])
def test_the_file_itself_fits(desk: Desk, name: str) -> None:
    path = ROOT / "examples" / name
    own = schema(desk, path)
    jsonschema.Draft202012Validator.check_schema(own)
    jsonschema.Draft202012Validator(own).validate(read(path))


def test_values_are_offered_unless_they_are_personal(shop: Desk) -> None:
    own = schema(shop, shop.put("rules.toml", RULES))
    text = json.dumps(own)
    assert '"enum": ["FR", "DE"]' in text
    assert 'text; such as \\"FR\\", \\"DE\\"' in text
    assert "number, from trait.spent; 0 to 8.5" in text
    assert "example.org" not in text and '"C1"' not in text and "44000" not in text
