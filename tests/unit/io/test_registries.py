"""A kind of source and a format that only these tests have: each is one entry and what the entry names."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from segkit.io.read import Label, Opened, Workspace
from segkit.io.read.kinds.delimited import open_delimited
from segkit.io.read.registry import KINDS, Kind, claimed, kind_of
from segkit.io.write import FORMATS, TextStyle
from segkit.io.write.cells import rendered
from segkit.io.write.formats import Format, Target
from segkit.rules.model.sources import Source
from tests.desk import Desk, event_table, head

EVERYONE = "[segment.all]\neveryone = true\n"
PEOPLE = "id   city      \na1   Nantes    \na2   Paris     \n"


# --- a kind of source: fixed-width text, which becomes lines of text in the workspace ---


def open_fixed(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    lines = path.read_text(encoding="utf-8").splitlines()
    copy = ws.new_file(".csv")
    copy.write_text("".join(f"{line[:5].strip()},{line[5:].strip()}\n" for line in lines), encoding="utf-8")
    return open_delimited(ws, spec, label, copy)


FIXED = Kind("fixed-width text", claimed(".fixed", magic=b"FIXED"), open_fixed)


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "fixed", FIXED)


@pytest.fixture
def people(desk: Desk, fixed: None) -> Desk:
    desk.put("c.fixed", PEOPLE)
    return desk


def test_a_toy_source_is_read_by_every_command(people: Desk) -> None:
    rules = people.put("rules.toml", head(path="c.fixed") + EVERYONE)
    assert "nothing wrong" in people.segkit("check", rules, "--data").stderr
    people.segkit("apply", rules)
    assert people.read("segments/all.csv") == [
        {"id": "a1", "segment": "all", "city": "Nantes"},
        {"id": "a2", "segment": "all", "city": "Paris"},
    ]
    (read,) = json.loads((people / "segments/manifest.json").read_text())["inputs"]
    assert (read["path"], read["bytes"]) == (str(people / "c.fixed"), len(PEOPLE))


def test_a_toy_source_as_events_lookup_and_list(people: Desk) -> None:
    people.put("o.fixed", "id   day       \na1   2024-02-01\n")
    people.put("u.fixed", "id   city      \na2   Paris     \n")
    rules = head(path="c.fixed") + event_table("o", "o.fixed") + '[consent]\nsuppress = ["u.fixed"]\n'
    rules += '[lookup.city]\npath = "u.fixed"\non = "city"\ncolumns = ["id2"]\nrename = { id2 = "id" }\n'
    found = people.members(rules, {"bought": 'behavioural.did = { events = "o" }', "all": "everyone = true"})
    assert found == {"bought": ["a1"], "all": ["a1"]}


def test_values_of_a_toy_source_are_told_with_their_lines(people: Desk) -> None:
    people.put("o.fixed", "id   day       \na1   2024-02-01\na2   soon      \n")
    rules = head(path="c.fixed") + event_table("o", "o.fixed", 'types = { day = "date" }')
    done = people.apply(rules + '[segment.a]\nbehavioural.did = { events = "o" }\n', code=3)
    assert f"--> {people / 'o.fixed'}:3\n" in done.stderr


def test_first_bytes_tell_more_than_the_ending(people: Desk) -> None:
    assert kind_of(Label("c.csv"), b"FIXED") == "fixed"
    assert kind_of(Label("c.fixed"), b"PAR1") == "parquet"
    assert kind_of(Label("c.fixed.gz"), b"a") == "fixed"
    assert kind_of(Label("c"), b"a") == "text"
    assert kind_of(Label("-"), b'{"a":1}') == "json"
    assert kind_of(Label("c"), b'{"a":1}') == kind_of(Label("c.php"), b'[{"a":1}]') == "json"
    assert kind_of(Label("c.csv"), b'{"a":1}') == kind_of(Label("c"), b"[id],[name]") == "text"


def test_keys_of_other_kinds_are_an_error_of_check_and_of_opening(people: Desk) -> None:
    rules = people.put("rules.toml", head('delimiter = ";"', path="c.fixed") + EVERYONE)
    message = "error: `delimiter` does not go with `c.fixed`, which is read as fixed-width text\n  --> "
    for args, code in ((["check", rules], 1), (["check", rules, "--data"], 1), (["apply", rules], 2)):
        done = people.segkit(*args, code=code)
        assert f"{message}{rules}:6:1\n" in done.output
        assert "hint: take it out: it is a key of delimited text\n" in done.output
    people.put("named.csv", "FIXED" + PEOPLE[5:])
    rules = people.put("rules.toml", head('delimiter = ";"', path="named.csv") + EVERYONE)
    people.segkit("check", rules)
    done = people.segkit("apply", rules, code=3)
    assert f"`{people / 'named.csv'}`, which is read as fixed-width text\n  --> {rules}:6:1\n" in done.stderr


KEYS = [
    'delimiter = ";"', "quote = ''", 'encoding = "cp1252"', "skip_lines = 1", "skip_footer = 0", 'comment = "#"',
    'header = ["id"]', 'ragged = "error"', 'escape = "\\\\"',
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("ending", ["parquet", "arrow", "ndjson"])
def test_what_says_how_text_is_written_is_an_error_elsewhere(desk: Desk, ending: str, key: str) -> None:
    desk.put(f"c.{ending}", pl.DataFrame({"id": ["a"]}))
    done = desk.apply(head(key, path=f"c.{ending}") + EVERYONE, code=2)
    name = key.partition(" ")[0]
    assert re.match(rf"error: `{name}` does not go with `c.{ending}`, which is read as \w+", done.stderr)


def test_keys_of_other_kinds_and_the_command_line(desk: Desk) -> None:
    """The error names the file of the command line and the key of the rule file."""
    desk.put("c.csv", "id;n\na;1\n")
    other = desk.put("other.parquet", pl.DataFrame({"id": ["a"]}))
    rules = desk.put("rules.toml", head('delimiter = ";"') + EVERYONE)
    done = desk.segkit("apply", rules, "--customers", other, code=2)
    assert f"`delimiter` does not go with `{other}`, which is read as Parquet\n  --> {rules}:6:1\n" in done.stderr


def test_keys_that_a_table_has_by_like_may_stand(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id;day\na;2024-01-01\n")
    desk.put("p.parquet", pl.DataFrame({"id": ["a"], "day": ["2024-01-01"]}))
    more = event_table("o", "o.csv", 'delimiter = ";"') + '[events.p]\nlike = "o"\npath = "p.parquet"\n'
    assert desk.members(head() + more, {"s": 'behavioural.did = { events = "p" }'}) == {"s": ["a"]}


def test_a_kind_whose_extra_is_not_installed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_it(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
        raise ImportError("no module named toys")

    monkeypatch.setitem(KINDS, "toy", Kind("a toy", claimed(".toy"), open_it, extra="toys"))
    desk.put("c.toy", "id\na\n")
    done = desk.apply(head(path="c.toy") + EVERYONE, code=3)
    assert "error: `c.toy` is a toy, which an extra of segkit reads\n" in done.stderr
    assert 'hint: install it: `pip install "segkit-cli[toys]"`\n' in done.stderr


# --- a format: fields between bars ---


def bars(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return frame.select(rendered(frame.collect_schema(), style)).sink_csv(target, separator="|", lazy=True)


def keys_between_bars(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    return pl.scan_csv(path, separator="|", infer_schema=False)


@pytest.fixture
def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setitem(FORMATS, "bars", Format("bar", bars, keys_between_bars, cells=True))
    desk.put("c.csv", "id,age,note\na,30,=1\nb,40,x\n")
    return desk


RULES = head() + '[output]\nformat = "bars"\ndirectory = "{}"\n' + EVERYONE


def test_a_toy_format_by_rule_file_and_by_command_line(shop: Desk) -> None:
    shop.apply(RULES.format("one"))
    shop.apply(head() + '[output]\ndirectory = "two"\n' + EVERYONE, "--format", "bars")
    one, two = shop.tree("one"), shop.tree("two")
    assert one["all.bar"] == two["all.bar"] == b"id|segment|age|note\na|all|30|=1\nb|all|40|x\n"
    assert json.loads(one["manifest.json"])["output"]["format"] == "bars"
    done = shop.apply(RULES.format("one"), "-o", "-", "--summary", "none")
    assert done.stdout_bytes == one["all.bar"]


def test_what_is_known_of_cells_holds_for_a_toy_format(shop: Desk) -> None:
    shop.apply(RULES.format("one").replace("[segment", "escape_formulas = true\n[segment"))
    assert b"'=1" in shop.tree("one")["all.bar"]


def test_changes_and_diff_read_a_toy_format_again(shop: Desk) -> None:
    shop.apply(RULES.format("one"))
    shop.put("c.csv", "id,age,note\nb,40,x\nc,50,y\n")
    (segment,) = shop.json(RULES.format("two"), "--previous", shop / "one")["segments"]
    assert segment["change"] == {"entered": 1, "left": 1}
    done = shop.segkit("diff", shop / "one", shop / "two", "--json", "--entered", shop / "new.bar")
    (segment,) = json.loads(done.stdout)["segments"]
    assert (segment["entered"], segment["left"], segment["stayed"]) == (1, 1, 1)
    assert (shop / "new.bar").read_text() == "id|segment\nc|all\n"


def test_a_run_in_a_format_that_is_not_there_is_an_error(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read as CSV."""
    shop.apply(RULES.format("one"))
    shop.apply(RULES.format("two"))
    monkeypatch.delitem(FORMATS, "bars")
    done = shop.segkit("diff", shop / "one", shop / "two", code=3)
    assert f"error: `{shop / 'one/all.bar'}`: segkit does not read this format\n" in done.stderr
    plain = head() + '[output]\ndirectory = "three"\n' + EVERYONE
    done = shop.apply(plain, "--previous", shop / "one", "--summary", "none")
    assert "warning: what changed since the last run is not known: " in done.stderr


def test_errors_help_and_schema_name_a_toy_format(shop: Desk) -> None:
    done = shop.apply(RULES.format("one").replace("bars", "baars"), code=2)
    message = '`format` needs one of "csv", "tsv", "parquet", "ndjson", "arrow", "xlsx", "bars", not "baars"\n'
    assert done.stderr.startswith(f"error: {message}")
    assert "hint: did you mean `bars`?\n" in done.stderr
    done = shop.apply(RULES.format("one"), "--format", "xls", code=2)
    assert "`bars`" in done.stderr
    assert "|arrow|xlsx|bars]" in shop.segkit("apply", "--help").stdout
    schema = json.loads(shop.segkit("schema").stdout)
    assert schema["$defs"]["Output"]["properties"]["format"]["enum"][-1] == "bars"
    done = shop.segkit("rfm", shop / "c.csv", "-o", shop / "x.xls", code=2)
    assert "hint: the formats are csv, tsv, parquet, ndjson, arrow, xlsx, bars\n" in done.stderr
