"""What changed since the last run: counted in the summary, listed by `diff`, and written alone with `changes`."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk, head
from tests.extras import EVERY_FORMAT
from tests.workbooks import read_workbook

HEAD = head()
SEGMENTS = """[segment.young]
demographic.age.max = 30
[segment.old]
demographic.age.min = 30
"""
MONDAY = "id,age,town\na,10,X\nb,30,X\nc,50,Y\nd,60,Y\ngone,20,Z\n"
TUESDAY = "id,age,town\nnew,70,W\na,31,X\nb,30,X\nc,50,Y\nd,29,Y\n"
FORMATS = ["csv", "tsv", "parquet", "ndjson", "arrow"]


def rules(output: str = "", segments: str = SEGMENTS) -> str:
    return f"{HEAD}[output]\n{output}\n{segments}"


def changes(summary: dict[str, Any]) -> dict[str, tuple[int, int] | None]:
    return {s["name"]: s["change"] and (s["change"]["entered"], s["change"]["left"]) for s in summary["segments"]}


def two_days(desk: Desk, text: str, *args: object) -> tuple[Any, Any]:
    desk.put("c.csv", MONDAY)
    first = desk.json(text, *args)
    desk.put("c.csv", TUESDAY)
    return first, desk.json(text, *args)


# --- counted ---


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_a_run_counts_what_changed_since_the_last_one(desk: Desk, format: str) -> None:
    first, second = two_days(desk, rules(f'format = "{format}"'))
    assert changes(first) == {"young": None, "old": None}
    # young: a, b, gone -> b, d; old: b, c, d -> new, a, b, c
    assert changes(second) == {"young": (1, 2), "old": (2, 1)}
    assert changes(desk.json(rules(f'format = "{format}"'))) == {"young": (0, 0), "old": (0, 0)}


def test_the_table_shows_it(desk: Desk) -> None:
    two_days(desk, rules())
    desk.put("c.csv", MONDAY)
    shown = desk.apply(rules()).stdout.splitlines()
    assert shown[2].split() == ["Segment", "Matched", "Excluded", "Written", "Share", "Change"]
    assert [line.split()[6:8] for line in shown if line.startswith(("young", "old"))] == [["+2", "-1"], ["+1", "-2"]]


def test_a_dry_run_counts_it_too_and_rows_on_standard_output_do_not(desk: Desk) -> None:
    two_days(desk, rules())
    desk.put("c.csv", MONDAY)
    assert changes(desk.json(rules(), "--dry-run")) == {"young": (2, 1), "old": (1, 2)}
    assert '"change": null' in desk.apply(rules(), "-o", "-", "--json").stderr


def test_new_segments_have_no_change_and_each_counts_segments(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules(segments='[segment.all]\neveryone = true\neach = "town"\n'))
    desk.put("c.csv", TUESDAY)
    more = '[segment.all]\neveryone = true\n[segment.more]\neveryone = true\neach = ["town", "age"]\n'
    assert changes(desk.json(rules(segments=more))) == {"all": (1, 1), "more": None}


def test_previous_names_another_run(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules(), "-o", desk / "monday")
    desk.put("c.csv", TUESDAY)
    desk.apply(rules(), "-o", desk / "tuesday")
    found = desk.json(rules(), "-o", desk / "tuesday", "--previous", desk / "monday")
    assert changes(found) == {"young": (1, 2), "old": (2, 1)}
    assert "holds no run" in desk.apply(rules(), "--previous", desk / "sunday", code=2).stderr


@pytest.mark.parametrize("harm", ["missing", "shorter"])
def test_a_last_run_that_is_not_whole_is_a_warning(desk: Desk, harm: str) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules())
    path = desk / "segments/old.csv"
    path.unlink() if harm == "missing" else path.write_text("id\n")
    done = desk.apply(rules())
    assert "warning: what changed since the last run is not known: " in " ".join(done.stdout.split())
    assert changes(desk.json(rules())) == {"young": (0, 0), "old": (0, 0)}


def test_counts_are_those_of_sets(desk: Desk) -> None:
    chance = random.Random(3)
    text = rules(segments="".join(f"[segment.s{i}]\ndemographic.g{i} = true\n" for i in range(4)))
    before: dict[str, set[str]] = {}
    for night in range(4):
        people = chance.sample(range(300), 200)
        inside = {p: [chance.random() < 0.3 * (i + night % 2) for i in range(4)] for p in people}
        frame = pl.DataFrame(
            [{"id": f"k{p}", **{f"g{i}": m for i, m in enumerate(masks)}} for p, masks in inside.items()]
        )
        desk.put("c.parquet", frame)
        now = {f"s{i}": {f"k{p}" for p, masks in inside.items() if masks[i]} for i in range(4)}
        found = changes(desk.json(text, "--customers", desk / "c.parquet"))
        if before:
            assert found == {name: (len(now[name] - before[name]), len(before[name] - now[name])) for name in now}
        before = now


# --- diff ---


def runs(desk: Desk, text: str) -> None:
    for day, data in (("monday", MONDAY), ("tuesday", TUESDAY)):
        desk.put("c.csv", data)
        desk.apply(text, "-o", desk / day)


def diff(desk: Desk, *args: object, code: int = 0) -> Any:
    return json.loads(desk.segkit("diff", desk / "monday", desk / "tuesday", "--json", *args, code=code).stdout)


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_diff(desk: Desk, format: str) -> None:
    runs(desk, rules(f'format = "{format}"'))
    entered, left = desk / "entered.csv", desk / "left.parquet"
    found = diff(desk, "--entered", entered, "--left", left)
    keys = ("name", "old", "new", "entered", "left", "stayed")
    assert [tuple(s[k] for k in keys) for s in found["segments"]] == [("young", 3, 2, 1, 2, 1), ("old", 3, 4, 2, 1, 2)]
    assert found["moves"] is None
    assert found["differs"]
    assert (found["old"]["as_of"], found["new"]["customers"]) == ("2024-03-01", 5)
    assert entered.read_text() == "id,segment\nd,young\nnew,old\na,old\n"
    assert pl.read_parquet(left).rows() == [("a", "young"), ("gone", "young"), ("d", "old")]


def test_diff_of_a_run_with_itself(desk: Desk) -> None:
    runs(desk, rules())
    same = desk.segkit("diff", desk / "monday", desk / "monday/manifest.json", "--exit-code")
    assert "Nobody entered, nobody left" in same.stdout
    desk.segkit("diff", desk / "monday", desk / "tuesday", "--exit-code", code=1)
    assert diff(desk, "--segment", "old")["segments"][0]["name"] == "old"


def test_diff_of_runs_with_other_segments(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules(), "-o", desk / "monday")
    desk.apply(rules(segments=SEGMENTS.replace("old", "aged")), "-o", desk / "tuesday")
    found = diff(desk, "--exit-code", code=1)
    shown = [(s["name"], s["old"], s["new"], s["entered"], s["left"]) for s in found["segments"]]
    assert shown == [("young", 3, 3, 0, 0), ("aged", None, 3, 3, 0), ("old", 3, None, 0, 3)]
    table = desk.segkit("diff", desk / "monday", desk / "tuesday").stdout
    assert "aged (only in the new run)" in table
    assert "old (only in the old run)" in table


def test_moves_of_exclusive_runs(desk: Desk) -> None:
    runs(desk, rules() + '[assignment]\nmode = "exclusive"\n')
    found = diff(desk, "--moved", desk / "moved.csv")
    # young: a, b, gone; old: c, d -> young: b, d; old: new, a, c
    assert {(m["from"], m["to"]): m["customers"] for m in found["moves"]} == {
        ("young", "young"): 1,
        ("young", "old"): 1,
        ("young", None): 1,
        ("old", "old"): 1,
        ("old", "young"): 1,
        (None, "old"): 1,
    }
    assert (desk / "moved.csv").read_text() == "id,from,to\nd,old,young\nnew,,old\na,young,old\ngone,young,\n"
    table = desk.segkit("diff", desk / "monday", desk / "tuesday").stdout.splitlines()
    at = next(i for i, line in enumerate(table) if line.startswith("From"))
    assert [line.split() for line in table[at + 2 : at + 5]] == [
        ["young", "1", "1", "1"],
        ["old", "1", "1", "-"],
        ["in", "no", "segment", "-", "1"],
    ]
    only = {(m["from"], m["to"]) for m in diff(desk, "--segment", "young")["moves"]}
    assert only == {("young", "young"), ("young", "old"), ("young", None), ("old", "young")}


def test_many_moves_are_a_list(desk: Desk) -> None:
    segments = "".join(f'[segment.s{i}]\ndemographic.town = "{t}"\n' for i, t in enumerate("UVWXYZ"))
    runs(desk, rules(segments=segments) + '[assignment]\nmode = "exclusive"\n')
    shown = desk.segkit("diff", desk / "monday", desk / "tuesday").stdout
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["s5", "in", "no", "segment", "1"],
        ["in", "no", "segment", "s2", "1"],
    ]


def test_lists_go_to_standard_output(desk: Desk) -> None:
    runs(desk, rules())
    done = desk.segkit("diff", desk / "monday", desk / "tuesday", "--left", "-", "--segment", "old")
    assert done.stdout == "id,segment\nd,old\n"
    assert "Stayed" in done.stderr
    done = desk.segkit("diff", desk / "monday", desk / "tuesday", "--left", "-", "--entered", "-", code=2)
    assert "standard output" in done.stderr


def test_lists_of_a_format_that_is_not_written(desk: Desk) -> None:
    runs(desk, rules())
    done = desk.segkit("diff", desk / "monday", desk / "tuesday", "--left", desk / "left.xls", code=2)
    assert "left.xls`: segkit does not write this format" in done.stderr
    assert not (desk / "left.xls").exists()


@pytest.mark.parametrize(
    ("harm", "code", "says"),
    [
        ("no run", 3, "holds no run: there is no `manifest.json`"),
        ("no manifest", 3, "holds no run"),
        ("foreign", 3, "is not from this version of segkit"),
        ("missing", 3, "is not whole: `old.csv` is missing"),
        ("truncated", 3, "is not as it was written"),
        ("hashed", 3, "the keys cannot be compared"),
        ("another key", 3, "the keys cannot be compared: `"),
        ("segment", 2, "neither run has a segment `olt`"),
        ("moved", 2, "nobody moves between segments that may overlap"),
    ],
)
def test_what_cannot_be_compared(desk: Desk, harm: str, code: int, says: str) -> None:
    runs(desk, rules())
    place = desk / "tuesday"
    args: list[object] = []
    match harm:
        case "no run":
            shutil.rmtree(place)
        case "no manifest":
            (place / "manifest.json").unlink()
        case "foreign":
            (place / "manifest.json").write_text("{}")
        case "missing":
            (place / "old.csv").unlink()
        case "truncated":
            (place / "old.csv").write_bytes((place / "old.csv").read_bytes()[:-3])
        case "hashed":
            desk.apply(rules('hash = ["id"]'), "-o", place)
        case "another key":
            keyed = rules().replace('"c.csv"\nkey = "id"', '"c.csv"\nkey = "code"\nrename = { code = "id" }')
            desk.apply(keyed, "-o", place)
        case "segment":
            args = ["--segment", "olt"]
        case _:
            args = ["--moved", desk / "moved.csv"]
    done = desk.segkit("diff", desk / "monday", place, *args, code=code)
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert not (desk / "moved.csv").exists()


@pytest.mark.parametrize(
    ("key", "output"),
    [
        ("a,b", ""),
        ('say "a"', ""),
        ("x\ny", ""),
        ("007", ""),
        ("é", "bom = true"),
        ("1", 'delimiter = ";"'),
        ("=1", "escape_formulas = true"),
        ("12", 'format = "ndjson"'),
    ],
)
def test_keys_of_all_kinds_are_found_again(desk: Desk, key: str, output: str) -> None:
    with (desk / "c.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "age"], [key, 1], ["other", 2]])
    desk.apply(rules(output, "[segment.s]\neveryone = true\n"))
    assert changes(desk.json(rules(output, "[segment.s]\neveryone = true\n"))) == {"s": (0, 0)}


# --- the changes alone ---


def test_changes_alone(desk: Desk) -> None:
    text = rules("changes = true")
    first, second = two_days(desk, text)
    assert changes(first) == {"young": (3, 0), "old": (3, 0)}
    assert changes(second) == {"young": (1, 2), "old": (2, 1)}
    tree = {name: data.decode() for name, data in desk.tree().items() if name.endswith(".csv")}
    assert tree == {
        "young.entered.csv": "id,segment,age,town\nd,young,29,Y\n",
        "young.left.csv": "id,segment,age,town\na,young,31,X\ngone,young,,\n",
        "old.entered.csv": "id,segment,age,town\nnew,old,70,W\na,old,31,X\n",
        "old.left.csv": "id,segment,age,town\nd,old,29,Y\n",
    }
    young = second["segments"][0]
    assert [(o["holds"], o["written"]) for o in young["outputs"]] == [("entered", 1), ("left", 2)]
    assert young["path"] is None
    assert young["written"] == 2
    assert "run/members.parquet" in desk.tree()


def test_the_first_run_says_that_everyone_entered(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules("changes = true"))
    assert [r["id"] for r in desk.read("segments/old.entered.csv")] == ["b", "c", "d"]
    assert desk.read("segments/old.left.csv") == []


@pytest.mark.parametrize("format", EVERY_FORMAT)
@pytest.mark.parametrize("keep", ["", "keep = 2\n"])
def test_changes_add_up_to_the_members(desk: Desk, format: str, keep: str) -> None:
    """Whoever takes the changes night after night has the lists of every night."""
    chance = random.Random(5)
    taken: dict[str, set[str]] = {"young": set(), "old": set()}
    for night in range(5):
        people = chance.sample("abcdefghijklmnopqrstuvwxyz", 15)
        desk.put("c.csv", "id,age\n" + "".join(f"{p},{chance.randrange(60)}\n" for p in people))
        desk.apply(rules(f'{keep}changes = true\nformat = "{format}"'), "--as-of", f"2024-03-0{night + 1}")
        folder = desk / ("segments/latest" if keep else "segments")
        read: dict[str, Callable[[Path], pl.DataFrame]] = {
            "csv": pl.read_csv,
            "tsv": lambda p: pl.read_csv(p, separator="\t"),
            "parquet": pl.read_parquet,
            "ndjson": lambda p: pl.read_ndjson(p) if p.stat().st_size else pl.DataFrame({"id": []}),
            "arrow": pl.read_ipc,
            "xlsx": read_workbook,
        }
        for name, members in taken.items():
            entered, left = (set(read[format](folder / f"{name}.{w}.{format}")["id"]) for w in ("entered", "left"))
            assert not entered & members
            assert left <= members
            members.update(entered)
            members.difference_update(left)
        desk.apply(rules('format = "csv"'), "-o", desk / "whole", "--as-of", f"2024-03-0{night + 1}")
        for name, members in taken.items():
            assert members == {r["id"] for r in desk.read(f"whole/{name}.csv")}
    # And `diff` knows the members of such a run.
    desk.segkit("diff", folder, desk / "whole", "--exit-code")


def test_from_whole_lists_to_changes_and_back(desk: Desk) -> None:
    first, second = rules(), rules("changes = true")
    desk.put("c.csv", MONDAY)
    desk.apply(first)
    desk.put("c.csv", TUESDAY)
    assert changes(desk.json(second)) == {"young": (1, 2), "old": (2, 1)}
    desk.put("c.csv", MONDAY)
    assert changes(desk.json(first)) == {"young": (2, 1), "old": (1, 2)}
    assert sorted(desk.tree()) == ["manifest.json", "old.csv", "young.csv"]


def test_select_leaves_what_is_known_of_the_others(desk: Desk) -> None:
    two_days(desk, rules("changes = true"))
    desk.put("c.csv", MONDAY)
    desk.apply(rules("changes = true"), "--select", "young", "--previous", desk / "segments", "-o", desk / "young")
    found = desk.json(rules("changes = true"), "-o", desk / "young")
    assert changes(found) == {"young": (0, 0), "old": (1, 2)}
    # What is known of the other segments is no list of the directory, and stays as often as one likes.
    for _ in range(2):
        desk.apply(rules("changes = true"), "--select", "young", "--previous", desk / "segments", "-o", desk / "twice")
    desk.apply(rules("changes = true"), "--select", "young", "-o", desk / "twice")
    assert changes(desk.json(rules("changes = true"), "-o", desk / "twice")) == {"young": (0, 0), "old": (1, 2)}


def test_lists_that_are_no_more_are_left_by_all(desk: Desk) -> None:
    each = '[segment.s]\neveryone = true\neach = "town"\n'
    two_days(desk, rules("changes = true", each))
    assert desk.read("segments/s.z.left.csv") == [{"id": "gone", "segment": "s", "age": "", "town": ""}]
    assert [r["id"] for r in desk.read("segments/s.w.entered.csv")] == ["new"]
    desk.apply(rules("changes = true", "[segment.t]\neveryone = true\n"))
    assert [r["id"] for r in desk.read("segments/s.x.left.csv")] == ["a", "b"]
    assert len(desk.read("segments/t.entered.csv")) == 5


def test_without_the_last_members_nothing_is_written(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules("changes = true"))
    before = desk.tree()
    (desk / "segments/run/members.parquet").unlink()
    done = desk.apply(rules("changes = true"), code=3)
    assert "is not whole: `run/members.parquet` is missing" in done.stderr
    assert "moved away, all count as entered" in done.stderr
    assert {**desk.tree(), "run/members.parquet": before["run/members.parquet"]} == before
    shutil.move(desk / "segments", desk / "old")
    assert "moved away" not in desk.apply(rules("changes = true"), "--previous", desk / "old", code=3).stderr
    desk.apply(rules("changes = true"))
    assert [r["id"] for r in desk.read("segments/old.entered.csv")] == ["b", "c", "d"]


def test_after_the_last_members_are_lost_another_run_may_be_the_last(desk: Desk) -> None:
    two_days(desk, rules('changes = true\ndirectory = "monday"'))
    desk.apply(rules("changes = true"))
    (desk / "segments/run/members.parquet").unlink()
    desk.put("c.csv", MONDAY)
    desk.apply(rules("changes = true"), "--previous", desk / "monday")
    assert [r["id"] for r in desk.read("segments/old.entered.csv")] == ["d"]


@pytest.mark.parametrize("keep", ["", "keep = 3\n"])
def test_a_run_that_is_repeated_finds_nothing_new(desk: Desk, keep: str) -> None:
    two_days(desk, rules(f"{keep}changes = true"))
    desk.apply(rules(f"{keep}changes = true"))
    folder = "segments/latest" if keep else "segments"
    lists = [f"{folder}/{name}.{change}.csv" for name in ("young", "old") for change in ("entered", "left")]
    assert [desk.read(name) for name in lists] == [[], [], [], []]


def test_changes_go_with_the_other_keys(desk: Desk) -> None:
    text = rules('changes = true\nhash = ["id"]\ncombined = "all.csv"\nmode = "0600"')
    two_days(desk, text)
    (gone,) = [r for r in desk.read("segments/young.left.csv") if not r["town"]]
    assert len(gone["id"]) == 64
    assert len(desk.read("segments/all.csv")) == 5
    assert "gone" not in pl.read_parquet(desk / "segments/run/members.parquet")["key"].to_list()
    assert {p.stat().st_mode & 0o777 for p in (desk / "segments").rglob("*.*")} == {0o600}


# --- kept runs ---


def test_kept_runs(desk: Desk) -> None:
    text = rules("keep = 2", SEGMENTS.replace("max = 30", "max = 30\nexpect.max_change_percent = 50"))
    desk.put("c.csv", MONDAY)
    first = desk.json(text)
    assert first["directory"].endswith("segments/2024-03-01")
    assert first["segments"][0]["path"].endswith("segments/2024-03-01/young.csv")
    desk.put("c.csv", TUESDAY)
    second = desk.json(text)
    assert changes(second) == {"young": (1, 2), "old": (2, 1)}
    assert second["directory"].endswith("segments/2024-03-01.002")
    assert [r["id"] for r in desk.read("segments/latest/old.csv")] == ["new", "a", "b", "c"]
    found = desk.segkit("diff", desk / "segments/2024-03-01", desk / "segments", "--json")
    assert [s["entered"] for s in json.loads(found.stdout)["segments"]] == [1, 2]
    desk.put("c.csv", "id,age\n" + "".join(f"{i},1\n" for i in range(9)))
    done = desk.apply(text, code=1)
    assert "2 in the run before" in done.stderr
    desk.apply(text, "--accept-changes", "--as-of", "2024-03-02")
    assert sorted(p.name for p in (desk / "segments").iterdir()) == ["2024-03-01.002", "2024-03-02", "latest"]


def test_a_latest_that_leads_nowhere_is_not_a_first_run(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules("keep = 3\nchanges = true"))
    shutil.rmtree(desk / "segments/2024-03-01")
    done = desk.apply(rules("keep = 3\nchanges = true"), code=3)
    assert "segments/latest` leads to no run" in done.stderr
    assert "leads to no run" in desk.segkit("diff", desk / "segments", desk / "segments", code=3).stderr
    (desk / "segments/latest").unlink()
    desk.apply(rules("keep = 3\nchanges = true"))
    assert len(desk.read("segments/latest/old.entered.csv")) == 3


def test_runs_at_once_hand_on_each_customer_once(desk: Desk) -> None:
    desk.put("c.csv", "id,age\n" + "".join(f"k{i},40\n" for i in range(500)))
    desk.put("rules.toml", rules("keep = 9\nchanges = true"))
    started = [desk.begin("apply", "rules.toml", "-q") for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    runs = [p for p in (desk / "segments").iterdir() if not p.is_symlink()]
    entered = [r["id"] for p in runs for r in desk.read((p / "old.entered.csv").read_bytes())]
    assert sorted(entered) == sorted(f"k{i}" for i in range(500))
    assert len(runs) == 3


def test_rows_on_standard_output_are_the_members(desk: Desk) -> None:
    two_days(desk, rules("changes = true"))
    before = desk.tree()
    assert [r["id"] for r in desk.rows(rules("changes = true"), "--select", "old")] == ["new", "a", "b", "c"]
    assert desk.tree() == before


def test_a_directory_a_run_and_a_folder_a_day_are_one_too_many(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    for key in ("keep = 7", "changes = true"):
        done = desk.apply(rules(f'{key}\ndirectory = "runs/{{as_of}}"'), code=2)
        assert "take `{as_of}` out of `directory`" in done.stderr


def test_what_is_read_may_come_from_the_last_run(desk: Desk) -> None:
    """Kept runs take no file's place, so a rule file can read what the last one wrote."""
    desk.put("c.csv", MONDAY)
    desk.apply(rules("keep = 3"))
    again = rules("keep = 3").replace('"c.csv"', '"segments/latest/old.csv"')
    assert [s["written"] for s in desk.json(again)["segments"]] == [1, 3]


# --- keys that are written otherwise ---

OTHERWISE = {
    "hashed": ({}, 'hash = ["id"]', {}),
    "another secret": ({"SEGKIT_PSEUDONYMISE_KEY": "a" * 32}, 'pseudonymise = ["id"]', {"SEGKIT_PSEUDONYMISE_KEY": "b" * 32}),
    "escaped": ({}, "escape_formulas = true", {}),
}  # fmt: skip


@pytest.mark.parametrize(("before", "more", "after"), OTHERWISE.values(), ids=OTHERWISE)
def test_nobody_enters_or_leaves_because_keys_are_written_otherwise(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, before: dict[str, str], more: str, after: dict[str, str]
) -> None:
    desk.put("c.csv", MONDAY)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    desk.apply(rules("changes = true\n" + (more if before else "")))
    good = desk.tree()
    for name, value in after.items():
        monkeypatch.setenv(name, value)
    done = desk.apply(rules(f"changes = true\n{more}"), code=3)
    assert "the keys cannot be compared" in done.stderr
    assert desk.tree() == good
    plain = desk.json(rules(more))
    assert changes(plain) == {"young": None, "old": None}
    assert any("the keys cannot be compared" in w["message"] for w in plain["warnings"])


def test_warnings_about_the_last_run_fail_a_run_that_asks_for_it(desk: Desk) -> None:
    desk.put("c.csv", MONDAY)
    desk.apply(rules())
    (desk / "segments/old.csv").write_text("id\n")
    before = desk.tree()
    done = desk.apply(rules(), "--fail-on", "warning", code=1)
    assert "what changed since the last run is not known" in done.stderr
    assert desk.tree() == before
