"""What a run keeps beside its lists: its rules, who is a member of what, how columns were read, and its cuts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

HEAD = head(as_of="2024-03-01")
CUSTOMERS = "id;born;spend;note\na;31/12/1990;1.234,50;x\nb;1/2/1985;7;y\nc;13/2/2000;0,5;\nd;;2;z\n"
EVERYONE = "[segment.all]\neveryone = true\n"


def manifest(desk: Desk, folder: str = "segments") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((desk / folder / "manifest.json").read_text())
    return found


def test_the_rules_are_kept_as_they_were_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before variables are replaced: a password in one of them stays where it is."""
    monkeypatch.setenv("WHERE", "c.csv")
    desk.put("c.csv", "id\na\n")
    text = HEAD.replace('"c.csv"', '"${WHERE}"') + "# ein Kommentar: é\n" + EVERYONE
    desk.put("rules/now.toml", text.replace("${WHERE}", "../${WHERE}"))
    desk.segkit("apply", desk / "rules/now.toml", "-o", desk / "out/lists")
    kept = desk / "out/lists/run/rules.toml"
    assert kept.read_bytes() == (desk / "rules/now.toml").read_bytes()
    rules = manifest(desk, "out/lists")["rules"]
    assert (rules["copy"], rules["directory"], rules["included"]) == ("run/rules.toml", "../../rules", [])
    assert manifest(desk, "out/lists")["bytes"]["run/rules.toml"] == len(kept.read_bytes())


def test_files_in_the_rules_are_kept_too(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\nc\n")
    desk.put("o.csv", "id,day,amount\na,2024-01-05,3\na,2024-02-05,9\nb,2023-01-01,2\nc,2024-02-01,1\n")
    desk.segkit("rfm", desk / "o.csv", "--as-of", "2024-03-01", "--bins", "2", "-q", "-o", os.devnull,
                "--save-cutoffs", desk / "cut/offs.toml")  # fmt: skip
    rfm = '[rfm]\nevents = "orders"\nbins = 2\nmethod = "cutoffs"\ncutoffs = "cut/offs.toml"\n'
    desk.apply(HEAD + event_table("orders", "o.csv", 'amount = "amount"') + rfm + EVERYONE)
    (included,) = manifest(desk)["rules"]["included"]
    assert included == {"written": "cut/offs.toml", "copy": "run/included.1.toml"}
    assert (desk / "segments" / included["copy"]).read_bytes() == (desk / "cut/offs.toml").read_bytes()
    desk.apply(HEAD + event_table("orders", "o.csv", 'amount = "amount"') + EVERYONE)
    assert not (desk / "segments" / included["copy"]).exists()


def test_rules_from_standard_input_are_kept(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    done = desk.process("apply", "-", "-o", "out", input=(HEAD + EVERYONE).encode())
    assert done.returncode == 0
    assert (desk / "out/run/rules.toml").read_text() == HEAD + EVERYONE
    assert manifest(desk, "out")["rules"]["directory"] == ".."


def test_a_run_does_not_take_the_place_of_the_rules_that_it_reads(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.apply(HEAD + EVERYONE)
    (desk / "segments/run/c.csv").write_text("id\na\n")
    done = desk.segkit("apply", desk / "segments/run/rules.toml", "-o", desk / "segments", code=4)
    assert "run/rules.toml` is an input: the outputs would take its place" in done.stderr


def test_how_texts_were_read_is_kept(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(HEAD + "[segment.s]\ndemographic = { spend.min = 1, born.before = 2000-01-01, note = ['x'] }\n")
    (table,) = manifest(desk)["tables"]
    none: dict[str, Any] = {"decimal": None, "thousands": None, "percent": None, "order": None, "formats": []}
    assert table["types"] == {
        "born": none | {"type": "date", "order": "dmy", "formats": ["%d/%m/%Y"]},
        "note": none | {"type": "text"},
        "spend": none | {"type": "number", "decimal": ","},
    }


def test_what_groups_are_drawn_with_is_kept(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    text = HEAD + "[segment.a]\neveryone = true\nholdout = 12.5\nsplit = { x = 30, y = 70 }\n"
    text += '[segment.b]\neveryone = true\nsplit = { x = 50, y = 50 }\nsalt = "2024"\n[segment.c]\neveryone = true\n'
    desk.apply(text)
    kept = {s["name"]: (s["holdout"], s["split"], s["salt"]) for s in manifest(desk)["segments"]}
    assert kept == {
        "a": (12.5, {"x": 30, "y": 70}, "a"),
        "b": (None, {"x": 50, "y": 50}, "2024"),
        "c": (None, {}, None),
    }


def test_members_say_who_is_written_and_who_is_held_out(desk: Desk) -> None:
    desk.put("c.csv", "id\n" + "".join(f"k{n:03}\n" for n in range(200)))
    text = HEAD + "[output]\nchanges = true\n[segment.a]\neveryone = true\nholdout = 30\nsplit = { x = 40, y = 60 }\n"
    text += "[segment.b]\neveryone = true\n"
    desk.apply(text)
    members = pl.read_parquet(desk / "segments/run/members.parquet")
    assert members.columns == ["list", "segment", "key", "outcome", "variant", "since"]
    assert set(members["since"].cast(pl.String)) == {json.loads((desk / "segments/manifest.json").read_text())["as_of"]}
    held = {row["id"] for row in desk.read("segments/a.holdout.csv")}
    written = {row["id"]: row["variant"] for row in desk.read("segments/a.entered.csv")}
    assert held and not held & written.keys()
    expected: list[tuple[str | None, ...]] = [("a", "a", key, "written", variant) for key, variant in written.items()]
    expected += [("a.holdout", "a", key, "holdout", None) for key in held]
    expected += [("b", "b", f"k{n:03}", "written", None) for n in range(200)]
    assert sorted(members.drop("since").rows()) == sorted(expected)
    # What is left out by `--select` is carried on, those held out and variants too.
    desk.put("c.csv", "id\nk001\nnew\n")
    desk.segkit("apply", desk / "rules.toml", "--select", "b", "--previous", desk / "segments", "-o", desk / "next")
    carried = pl.read_parquet(desk / "next/run/members.parquet")
    assert carried.filter(segment="a").sort("key").equals(members.filter(segment="a").sort("key"))
    assert carried.filter(segment="b")["key"].to_list() == ["k001", "new"]


def test_members_beside_the_lists_are_still_read(desk: Desk) -> None:
    """As older versions wrote them, without outcomes."""
    desk.put("c.csv", "id\na\nb\n")
    text = HEAD + "[output]\nchanges = true\n" + EVERYONE
    desk.apply(text)
    old = pl.read_parquet(desk / "segments/run/members.parquet").select("list", "segment", "key")
    (desk / "segments/run/members.parquet").unlink()
    old.write_parquet(desk / "segments/members.parquet")
    said = manifest(desk)
    name, size = "members.parquet", (desk / "segments/members.parquet").stat().st_size
    said["files"] = [name if file == f"run/{name}" else file for file in said["files"]]
    said["bytes"] = {file: said["bytes"].get(file, size) for file in said["files"]}
    (desk / "segments/manifest.json").write_text(json.dumps(said))
    desk.put("c.csv", "id\nb\nc\n")
    (segment,) = desk.json(text)["segments"]
    assert (segment["change"]["entered"], segment["change"]["left"]) == (1, 1)
    assert not (desk / "segments/members.parquet").exists()


def test_groups_of_few_are_not_kept(desk: Desk) -> None:
    """The threshold of one customer is his value."""
    desk.put("c.csv", "id,region,x\n" + "".join(f"c{n},{'big' if n < 7 else 'one'},{n * 1.25}\n" for n in range(8)))
    text = HEAD + '[segment.s]\ndemographic.x.top_percent = { percent = 40, per = "region" }\n'
    for cell, regions in ((None, ["big"]), (7, ["big"]), (8, [None]), (1, ["big", "one"])):
        desk.apply(text + (f"[output]\nmin_cell = {cell}\n" if cell else ""))
        cuts = manifest(desk)["thresholds"]
        assert [cut["within"].get("region") for cut in cuts] == regions
        assert {(cut["id"], cut["groups"]) for cut in cuts} == {("top_percent:40:x:region", 2)}
        sizes = {"big": 7, "one": 1, None: None}
        assert [cut["customers"] for cut in cuts] == [sizes[region] for region in regions]


def test_cuts_have_all_digits(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": list("abcdef"), "x": [0.1 + 0.2, 1 / 3, 2.0, 1e-7, 5e300, 4.0]}))
    desk.apply(head(path="c.parquet") + "[segment.s]\ndemographic.x.top_percent = 80\n")
    (cut,) = json.loads((desk / "segments/manifest.json").read_text())["thresholds"]
    assert (cut["id"], cut["values"]) == ("top_percent:80:x", [0.1 + 0.2])


@pytest.mark.parametrize(("name", "other"), [("rules", "run"), ("run", "rules")])
def test_names_of_what_is_kept_are_taken(desk: Desk, name: str, other: str) -> None:
    rules = desk.put("rules.toml", HEAD + f'[output]\ncombined = "{name}.csv"\n[segment.{other}]\neveryone = true\n')
    said = desk.segkit("check", rules, code=1).stdout
    assert f"`{name}` stands for what a run keeps" in said
    assert f"`{other}` stands for what a run keeps" in said


@pytest.mark.parametrize("keep", ["", "keep = 2\n"])
def test_a_run_that_keeps_something_is_replaced_whole(desk: Desk, keep: str) -> None:
    desk.put("c.csv", "id\na\n")
    text = HEAD + "[output]\nchanges = true\n" + keep + EVERYONE
    desk.apply(text.replace(keep, ""))
    desk.apply(text)
    newest = Path(desk / "segments") / ("latest" if keep else "")
    assert {p.name for p in (newest / "run").iterdir()} == {"rules.toml", "members.parquet"}
    assert (newest / "run/rules.toml").read_text() == text
