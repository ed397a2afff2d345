"""The control group: customers whom no segment writes to, and what becomes of them everywhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import xxhash

import segkit
from tests.desk import Desk, head
from tests.extras import EVERY_FORMAT

COUNT = 400
HEAD = head(as_of="2024-06-30")
SEGMENTS = """[segment.young]
demographic.age.below = 30
holdout = 20
[segment.all]
everyone = true
"""
GROUP = "[assignment]\ncontrol = 25\n"


def control_group(percent: float = 25, salt: str = "", numbers: Sequence[int] = range(COUNT)) -> set[str]:
    """Who is drawn, by the package `xxhash`."""
    return {f"k{n}" for n in numbers if uniform("control", salt, f"k{n}") < percent * 10_000}


def uniform(purpose: str, salt: str, key: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{purpose}\0{salt}\0{key}".encode(), seed=0) % 1_000_000


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", "id,age,mail\n" + "".join(f"k{n},{n % 60},k{n}@x.fr\n" for n in range(COUNT)))
    return desk


YOUNG = {f"k{n}" for n in range(COUNT) if n % 60 < 30}
EVERYBODY = {f"k{n}" for n in range(COUNT)}


def keys(desk: Desk, name: str) -> list[str]:
    return [row["id"] for row in desk.read(f"segments/{name}")]


def test_nobody_of_it_is_in_a_list(shop: Desk) -> None:
    told = shop.json(HEAD + GROUP + SEGMENTS)
    group = control_group()
    assert told["control"] == {
        "percent": 25,
        "salt": "",
        "customers": len(group),
        "path": str(shop / "segments/control.csv"),
    }
    by_name = {one["name"]: one for one in told["segments"]}
    assert by_name["all"]["control"] == len(group) == by_name["all"]["excluded"]["holdout"]
    assert by_name["young"]["control"] == len(group & YOUNG)
    rows = shop.read("segments/control.csv")
    assert {row["id"]: row["segment"] for row in rows} == {k: "young|all" if k in YOUNG else "all" for k in group}
    assert list(rows[0]) == ["id", "segment"]
    held = {k for k in YOUNG - group if uniform("holdout", "young", k) < 200_000}
    assert set(keys(shop, "young.holdout.csv")) == held
    assert set(keys(shop, "young.csv")) == YOUNG - group - held
    assert set(keys(shop, "all.csv")) == EVERYBODY - group
    manifest = json.loads((shop / "segments/manifest.json").read_text())
    assert manifest["control"] == {"percent": 25, "salt": "", "customers": len(group), "path": "control.csv"}
    assert "control.csv" in manifest["files"] and manifest["bytes"]["control.csv"]


def test_only_those_are_listed_whom_a_segment_would_have_written(shop: Desk) -> None:
    told = shop.json(HEAD + GROUP + "[segment.young]\ndemographic.age.below = 30\n")
    assert set(keys(shop, "control.csv")) == control_group() & YOUNG
    assert told["control"]["customers"] == len(control_group() & YOUNG)


@pytest.mark.parametrize(
    ("control", "percent", "salt"),
    [("12.5", 12.5, ""), ('{ percent = 5, salt = "2026" }', 5, "2026"), ("0", 0, ""), ("100", 100, "")],
)
def test_draws(shop: Desk, control: str, percent: float, salt: str) -> None:
    shop.apply(HEAD + f"[assignment]\ncontrol = {control}\n" + SEGMENTS)
    assert set(keys(shop, "control.csv")) == control_group(percent, salt)
    assert set(keys(shop, "all.csv")) == EVERYBODY - control_group(percent, salt)


def test_no_control_group_no_file(shop: Desk) -> None:
    told = shop.json(HEAD + SEGMENTS)
    assert "control" not in told and not (shop / "segments/control.csv").exists()
    assert json.loads((shop / "segments/manifest.json").read_text())["control"] is None


def test_a_recall_reaches_everybody(shop: Desk) -> None:
    shop.apply(HEAD + GROUP + SEGMENTS + "control = false\n")
    assert set(keys(shop, "all.csv")) == EVERYBODY
    assert {row["segment"] for row in shop.read("segments/control.csv")} == {"young"}


def test_it_takes_room_in_limits(shop: Desk) -> None:
    shop.apply(HEAD + GROUP + '[segment.first]\neveryone = true\nlimit = { count = 40, by = "age" }\n')
    oldest = sorted(EVERYBODY, key=lambda k: (-(int(k[1:]) % 60), k))[:40]
    assert keys(shop, "control.csv") == [
        k for k in (f"k{n}" for n in range(COUNT)) if k in control_group() and k in oldest
    ]
    assert set(keys(shop, "first.csv")) == set(oldest) - control_group()


def test_whoever_would_have_written_to_him_claims_him(shop: Desk) -> None:
    rules = HEAD + '[assignment]\ncontrol = 25\nmode = "exclusive"\n' + SEGMENTS
    told = shop.json(rules)
    labels = {row["id"]: row["segment"] for row in shop.read("segments/control.csv")}
    assert labels == {k: "young" if k in YOUNG else "all" for k in control_group()}
    assert {one["name"]: one["excluded"]["claimed"] for one in told["segments"]} == {"young": 0, "all": len(YOUNG)}


def test_select_changes_no_draw(shop: Desk) -> None:
    shop.apply(HEAD + GROUP + SEGMENTS, "--select", "young", "-o", shop / "some")
    rows = shop.read("some/control.csv")
    assert {row["id"] for row in rows} == control_group() & YOUNG and {row["segment"] for row in rows} == {"young"}


@pytest.mark.parametrize("format", EVERY_FORMAT)
@pytest.mark.parametrize("changes", [False, True])
def test_explained_and_evaluated(shop: Desk, format: str, changes: bool) -> None:
    shop.put("o.csv", "id,day,amount\n" + "".join(f"k{n},2024-07-0{1 + n % 9},{n}.50\n" for n in range(0, COUNT, 3)))
    events = '[events.orders]\npath = "o.csv"\ntime = "day"\namount = "amount"\n'
    output = f'[output]\nformat = "{format}"\nchanges = {str(changes).lower()}\n'
    shop.apply(HEAD + events + output + GROUP + SEGMENTS)
    one = min(control_group() & YOUNG)
    for command in (["explain", shop / "rules.toml", one], ["explain", "--run", shop / "segments", one]):
        told = json.loads(shop.segkit(*command, "--json").stdout)
        of = {s["name"]: (s["outcome"], s["list"]) for s in told["customers"][0]["segments"]}
        file = f"control.{format}"
        assert of == {"young": ("control", file), "all": ("control", file)}, command
        assert not told["warnings"]
    if changes:
        return  # of changes, nothing is told yet
    found = json.loads(shop.segkit("evaluate", shop / "segments", "--json").stdout)
    arms = {s["name"]: {arm["name"]: arm for arm in s["arms"]} for s in found["segments"]}
    assert list(arms) == ["young", "all", "all segments"]
    assert set(arms["young"]) == {"holdout", "written"}
    for name, other in (("all", "written"), ("all segments", "reached")):
        assert set(arms[name]) == {"control", other}
        group, rest = control_group(), EVERYBODY - control_group()
        for arm, there in (("control", group), (other, rest)):
            bought = [n for n in range(0, COUNT, 3) if f"k{n}" in there]
            assert arms[name][arm]["customers"] == len(there) and arms[name][arm]["buyers"] == len(bought)
            assert Decimal(str(arms[name][arm]["revenue"])) == sum(Decimal(n) + Decimal("0.5") for n in bought)
        assert arms[name]["control"]["expected_share"] == 0.25


def test_a_recall_is_no_part_of_all_segments(shop: Desk) -> None:
    shop.put("o.csv", "id,day,amount\n" + "".join(f"k{n},2024-07-02,1.00\n" for n in range(COUNT)))
    events = '[events.orders]\npath = "o.csv"\ntime = "day"\namount = "amount"\n'
    shop.apply(HEAD + events + GROUP + SEGMENTS + "control = false\n")
    found = json.loads(shop.segkit("evaluate", shop / "segments", "--json").stdout)
    [told] = [one for one in found["segments"] if one["name"] == "all segments"]
    group = control_group() & YOUNG
    assert [arm["customers"] for arm in told["arms"]] == [len(group), len(YOUNG - group)]


def test_another_rule_file_with_a_group_takes_its_place(shop: Desk) -> None:
    """The lists of another rule file are named; `control.csv` is written anew, and is none of them."""
    shop.put("one.toml", HEAD + GROUP + SEGMENTS)
    shop.segkit("apply", shop / "one.toml")
    shop.put("two.toml", HEAD + GROUP + "[segment.young]\neveryone = true\nholdout = 5\n")
    said = shop.segkit("apply", shop / "two.toml", code=4).stderr
    assert "1 list of another rule file" in said and "`all.csv`" in said and "control" not in said
    shop.put("two.toml", HEAD + "[segment.young]\neveryone = true\nholdout = 5\n[segment.all]\neveryone = true\n")
    assert "`control.csv`" in shop.segkit("apply", shop / "two.toml", code=4).stderr


def test_a_run_without_its_file_is_not_whole(shop: Desk) -> None:
    shop.apply(HEAD + GROUP + SEGMENTS)
    (shop / "segments/control.csv").unlink()
    assert "`control.csv` is missing" in shop.segkit("explain", "--run", shop / "segments", "k1", code=3).stderr


def test_segments_that_differ_by_it_are_no_double(shop: Desk) -> None:
    same = "[segment.one]\neveryone = true\n[segment.two]\neveryone = true\n"
    shown = shop.segkit("check", shop.put("rules.toml", HEAD + GROUP + same)).stdout
    assert "SEG103" in shown
    shown = shop.segkit("check", shop.put("rules.toml", HEAD + GROUP + same + "control = false\n")).stdout
    assert "SEG103" not in shown


def test_members_of_a_run_of_changes(shop: Desk) -> None:
    shop.apply(HEAD + "[output]\nchanges = true\n" + GROUP + SEGMENTS)
    members = pl.read_parquet(shop / "segments/run/members.parquet").filter(pl.col("outcome") == "control")
    assert set(members.select("list", "segment").unique().rows()) == {("control", "young"), ("control", "all")}
    assert set(members.filter(pl.col("segment") == "young")["key"]) == control_group() & YOUNG
    assert set(keys(shop, "control.csv")) == control_group()


def test_in_a_table(shop: Desk) -> None:
    output = f'[output]\nto = "sqlite:{shop / "lists.db"}"\ntable = "lists"\n'
    shown = shop.apply(HEAD + output + GROUP + SEGMENTS).stdout
    with sqlite3.connect(shop / "lists.db") as database:
        found = database.execute("select id, segment from lists_holdout where list = 'control'").fetchall()
        written = {row[0] for row in database.execute("select id from lists")}
        held = database.execute("select count(*) from lists_holdout").fetchone()[0]
    database.close()
    assert {one for one, _ in found} == control_group() and not written & control_group()
    assert f"{held} rows of those held out in table lists_holdout" in shown
    assert not (shop / "segments/control.csv").exists()
    one = min(control_group() & YOUNG)
    told = json.loads(shop.segkit("explain", "--run", shop / "segments", one, "--json").stdout)
    assert {s["outcome"] for s in told["customers"][0]["segments"]} == {"control"} and not told["warnings"]


def test_its_keys_are_protected(shop: Desk) -> None:
    shop.apply(HEAD + '[output]\nhash = ["id", "mail"]\n' + GROUP + SEGMENTS)
    assert {len(key) for key in keys(shop, "control.csv")} == {64}


@pytest.mark.extra("excel")
def test_a_workbook_has_a_sheet_of_it(shop: Desk) -> None:
    shop.apply(HEAD + '[output]\nworkbook = "all.xlsx"\n' + GROUP + SEGMENTS)
    sheet = pl.read_excel(shop / "segments/all.xlsx", sheet_name="control")
    assert set(sheet["id"]) == control_group()


def test_the_summary_tells_it_from_holdouts(shop: Desk) -> None:
    shown = shop.apply(HEAD + GROUP + SEGMENTS).stdout
    group = len(control_group() & YOUNG)
    held = len({k for k in YOUNG - control_group() if uniform("holdout", "young", k) < 200_000})
    lines = [line.split() for line in shown.splitlines()]
    assert ["held", "out", str(held)] in lines and ["control", "group", str(group)] in lines
    assert f"one the control group ({len(control_group())} customers)" in " ".join(shown.split())
    funnel = [line.split() for line in shop.segkit("explain", shop / "rules.toml").stdout.splitlines()]
    assert ["control", f"-{group}", str(len(YOUNG) - group)] in funnel
    assert ["holdout", f"-{held}", str(len(YOUNG) - group - held)] in funnel


def test_tests_leave_it_aside(shop: Desk) -> None:
    one = min(control_group() & YOUNG)
    test = f'[[test]]\nname = "young"\ncustomer = {{ id = "{one}", age = 20 }}\nwritten = ["young", "all"]\n'
    shop.segkit("test", shop.put("tested.toml", HEAD + GROUP + SEGMENTS + test))
    shop.put("rules.toml", HEAD + GROUP + SEGMENTS)
    written = shop.segkit("explain", shop / "rules.toml", one, "--as-test").stdout
    assert "in the control group of young and all" in " ".join(written.replace("# ", "").split()).replace("`", "")


def test_in_python(shop: Desk) -> None:
    run = segkit.apply(shop.put("rules.toml", HEAD + GROUP + SEGMENTS))
    assert set(run["control"]["id"]) == control_group()
    of_control = run.ledger.filter(pl.col("outcome") == "control")
    assert set(of_control.filter(pl.col("segment") == "all")["key"]) == control_group()
    assert "control" not in run


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (GROUP + "[segment.control]\neveryone = true\n", "`control` stands for the control group"),
        ('[output]\ncombined = "control.csv"\n' + GROUP + SEGMENTS, "`control` stands for the control group"),
        pytest.param(
            '[output]\nformat = "xlsx"\nworkbook = "control.xlsx"\n' + GROUP + SEGMENTS,
            "`control.xlsx` is the file of the control group",
            marks=pytest.mark.extra("excel"),
        ),
        (SEGMENTS + "control = 10\n", "a share that is held out of this segment is its `holdout`"),
        (SEGMENTS + "write = false\ncontrol = false\n", "`control` has no effect: the segment is not written"),
        ("[assignment]\ncontrol = true\n" + SEGMENTS, "`control` needs a share in percent, or a table such as"),
        ("[assignment]\ncontrol = 101\n" + SEGMENTS, "`control` needs a share in percent, from 0 to 100, not 101"),
        ('[assignment]\ncontrol = { salt = "x" }\n' + SEGMENTS, "`control` needs `percent`"),
    ],
)
def test_refused(shop: Desk, rules: str, said: str) -> None:
    shown = shop.apply(HEAD + rules, code=2).stderr
    assert said in " ".join(shown.split()), shown


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (SEGMENTS + "control = false\n", "`control` has no effect: there is no control group"),
        ("[assignment]\ncontrol = 0.05\n" + SEGMENTS, "a control group of 0.05 % is less than a hundredth"),
    ],
)
def test_warned_of(shop: Desk, rules: str, said: str) -> None:
    shown: Any = shop.segkit("check", shop.put("rules.toml", HEAD + rules)).stdout
    assert said in " ".join(shown.split()), shown


def test_a_segment_may_be_called_control_where_there_is_no_group(shop: Desk) -> None:
    shop.apply(HEAD + "[segment.control]\neveryone = true\n")
    assert len(keys(shop, "control.csv")) == COUNT
