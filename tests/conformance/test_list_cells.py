"""`[customers] lists`: cells that hold several values, at a separator or as arrays of JSON and PostgreSQL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest

from tests.desk import Desk, head

ALL = "[segment.all]\neveryone = true\n"


def put_cells(desk: Desk, cells: Sequence[str]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "tags"), *enumerate(cells)])
    desk.put("c.csv", text.getvalue())


def lists(how: str, *more: str) -> str:
    return head(f"lists = {{ tags = {json.dumps(how)} }}", *more)


JSON = ['["a","b"]', '[ "a" , "c, d" ]', "[]", "", '["caf\\u00e9", "\\ud83d\\ude00"]', '["say \\"a\\"", null, " b "]',
        "[1, 2.5, true]", '[""]', '["a\\\\b"]']  # fmt: skip
POSTGRES = ["{a,b}", '{a,"c, d"}', "{}", "", "{café,😀}", '{"say \\"a\\"",NULL," b "}', "{1, 2.5, true}", '{""}',
            '{"a\\\\b"}']  # fmt: skip
HOLDS = {
    'has_any = "a"': {0, 1},
    'has_any = ["b", "nobody"]': {0, 5},
    'has_all = ["a", "b"]': {0},
    'has_any = "c, d"': {1},
    "missing = true": {2, 3, 7},
    'has_any = "café"': {4},
    'has_any = "😀"': {4},
    "has_any = 'say \"a\"'": {5},
    "has_any = 1": {6},
    "has_any = 2.5": {6},
    "has_any = true": {6},
    "has_any = 'a\\b'": {8},
    'has_none = "a"': {4, 5, 6, 8},
    'has_any = ["null", "NULL", "[]", "{}"]': set(),
}


@pytest.mark.parametrize(("how", "cells"), [("json", JSON), ("postgres", POSTGRES)])
def test_arrays_are_lists_of_their_values(desk: Desk, how: str, cells: list[str]) -> None:
    if how == "json":
        meant = [{str(v) for v in json.loads(cell)} if cell else set() for cell in cells]
        assert {n for n, values in enumerate(meant) if "a" in values} == HOLDS['has_any = "a"']
    put_cells(desk, cells)
    found = desk.members(lists(how), {one: f"psychographic.tags = {{ {one} }}" for one in HOLDS})
    assert {one: {int(key) for key in keys} for one, keys in found.items()} == HOLDS
    assert desk.json(lists(how) + ALL)["warnings"] == []


WRONG = [
    ("json", "a, b"),
    ("json", '["a"'),
    ("json", "['a']"),
    ("json", '{"a": 1}'),
    ("json", '[["a"]]'),
    ("json", '[{"a": 1}]'),
    ("json", '"a"'),
    ("json", "[a]"),
    ("json", '["a",]'),
    ("json", '["\\ud800"]'),
    ("json", "[01]"),
    ("json", "{a}"),
    ("postgres", "a,b"),
    ("postgres", "{{1,2},{3,4}}"),
    ("postgres", '{"a}'),
    ("postgres", "{a,}"),
    ("postgres", '["a"]'),
    ("postgres", "{a} b"),
]


@pytest.mark.parametrize(("how", "wrong"), WRONG)
def test_cells_that_are_no_such_arrays_are_refused(desk: Desk, how: str, wrong: str) -> None:
    """The last of many rows counts, too; and what no rule reads is as it is."""
    good = '["x"]' if how == "json" else "{x}"
    put_cells(desk, [good] * 3_000 + [wrong])
    asks = '[segment.s]\npsychographic.tags.has_any = "x"\n'
    told = desk.apply(lists(how) + asks, code=3).stderr
    assert f"1 cell of column `tags` cannot be read as a {'JSON' if how == 'json' else 'PostgreSQL'} array" in told
    assert f"`{wrong}`" in told and "c.csv:3002" in told and 'bad_values = "missing"' in told
    done = desk.json(lists(how, 'bad_values = "missing"') + asks)
    assert done["segments"][0]["matched"] == 3_000
    assert "1 value of `tags` cannot be read" in done["warnings"][0]["message"]


TOLD = [
    (",", ["a,b", "c", "", " "], None),
    (",", ["a,b", '["a","b"]'], "json"),
    (",", ["{a,b}", "{c}"], "postgres"),
    (",", ["[]", "a"], "json"),
    (";", ["[draft]; b", "a"], None),
    (",", ["a {b}", "[x"], None),
    ("json", ["[]", '["a"]'], None),
    ("postgres", ["{}", "{a}"], None),
]


@pytest.mark.parametrize(("how", "cells", "told"), TOLD)
def test_arrays_that_are_split_at_a_text_are_told(desk: Desk, how: str, cells: list[str], told: str | None) -> None:
    put_cells(desk, [*["x"] * 2_000 * (how in ",;"), *cells])
    rules = lists(how) + '[segment.s]\npsychographic.tags.has_any = "a"\n' + ALL
    found = [w for w in desk.json(rules)["warnings"] if "split at" in w["message"]]
    assert [w["hint"] for w in found] == [f'write `tags = "{told}"`'] * (told is not None)
    assert all(w["line"] for w in found)
    rules_file = desk.put("rules.toml", rules)
    assert ("split at" in desk.segkit("check", rules_file, "--data", code=0).stdout) == (told is not None)


def test_lists_may_be_derived_or_looked_up(desk: Desk) -> None:
    desk.put("c.csv", 'id,zip,one\na,1,x\nb,2,"y"\n')
    desk.put("k.csv", 'zip,tags\n1,"[""u"",""v""]"\n2,[]\n')
    lookup = '[lookup.k]\npath = "k.csv"\non = "zip"\n'
    more = "derive = { both = '''concat('{', one, ',z}')''' }"
    rules = head('lists = { tags = "json", both = "postgres" }', more) + lookup
    found = desk.members(rules, {"u": 'needs.tags.has_any = "v"', "z": 'needs.both.has_all = ["z", "y"]'})
    assert found == {"u": ["a"], "z": ["b"]}
    desk.put("k.csv", 'zip,tags\n1,"[""u"",""v]"\n2,[]\n')
    told = desk.apply(rules + '[segment.u]\nneeds.tags.has_any = "v"\n', code=3).stderr
    assert "1 cell of column `tags` cannot be read as a JSON array" in told


@pytest.mark.parametrize(("how", "cell"), [("json", '["golf", "chess"]'), ("postgres", '{golf,"chess"}')])
@pytest.mark.parametrize("rule", ['psychographic.tags.has_any = "golf"', "everyone = true"])
def test_an_array_goes_out_as_it_came_where_a_cell_is_text(desk: Desk, how: str, cell: str, rule: str) -> None:
    put_cells(desk, [cell])
    rules = head(f'lists = {{ tags = "{how}" }}') + f'[output]\ncolumns = ["tags"]\n[segment.s]\n{rule}\n'
    assert [row["tags"] for row in desk.rows(rules)] == [cell]
    lines = desk.apply(rules, "-o", "-", "--summary", "none", "--format", "ndjson").stdout
    assert [json.loads(line)["tags"] for line in lines.splitlines()] == [["golf", "chess"]]


def test_a_word_for_nothing_among_arrays_leads_to_null_values(desk: Desk) -> None:
    put_cells(desk, ['["a"]', "null"])
    rules = head('lists = { tags = "json" }') + '[segment.s]\npsychographic.tags.has_any = "a"\n'
    assert 'null_values = ["null"]' in desk.apply(rules, code=3).stderr
    mended = rules.replace("lists = ", 'null_values = ["null"]\nlists = ')
    assert len(desk.rows(mended)) == 1


@pytest.mark.parametrize(("cells", "given", "told"), [
    (["a|b", "c", "d|e"], ";", 'tags = "|"'),
    (["a, b", "c", "d"], ";", 'tags = ","'),
    (["a;b", "c", "d|e"], ";", ""),
    ([*["a|b"] * 30, "x;y"], ";", 'tags = "|"'),
    (["a", "b", "c"], ";", ""),
    ([*["a"] * 20, "a,b"], ";", ""),
])  # fmt: skip
def test_a_separator_that_no_cell_has(desk: Desk, cells: list[str], given: str, told: str) -> None:
    desk.put("c.csv", "id,tags\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells)))
    rules = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\nlists = { tags = "' + given + '" }\n'
    warnings = desk.json(rules + "[segment.s]\ndemographic.tags.missing = false\n")["warnings"]
    assert len(warnings) == bool(told)
    if told:
        assert f"has a `{given}` to split at" in warnings[0]["message"] and told in warnings[0]["hint"]
