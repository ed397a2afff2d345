"""Lists do not vanish: no run removes those of another rule file, or those that `--select` leaves out, unasked."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from segkit.errors import WriteError
from segkit.io.publish import lock
from segkit.operations.apply import apply
from segkit.results.apply import ApplyResult
from tests.desk import Desk, head

CUSTOMERS = "id,age\na,10\nb,20\nc,30\nd,40\n"
WAYS_OUT = ("`-o DIR`", "`-o -`", "`--replace`")


def rules(*segments: str, output: str = "", more: str = "") -> str:
    tables = "".join(f"[segment.{name}]\neveryone = true\n{more}" for name in segments)
    return f"{head()}[output]\n{output}\n{tables}"


def run(desk: Desk, name: str, text: str, *args: object, code: int = 0) -> Any:
    """Apply a rule file of this name: its summary as JSON, or what it says where it fails."""
    done = desk.segkit("apply", desk.put(name, text), *args, "--json", code=code)
    return done.stderr if code else json.loads(done.stdout)


def lists(desk: Desk, folder: str = "segments") -> list[str]:
    return sorted(name for name in desk.tree(folder) if name != "manifest.json")


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A desk where `crm.toml` has written its lists."""
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules("vip", "churn"))
    return desk


def forget(desk: Desk, field: str, value: Any = None) -> None:
    """Change what the manifest says of the rule file; no value takes the field out, as in an older manifest."""
    path = desk / "segments/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["rules"] |= {field: value}
    if value is None:
        del manifest["rules"][field]
    path.write_text(json.dumps(manifest))


# --- who may take the place of whom ---

CASES = {
    "another rule file": ("ads.toml", rules("news"), [], ["churn.csv", "vip.csv"]),
    "another rule file with one of the segments": ("ads.toml", rules("news", "vip"), [], ["churn.csv"]),
    "another rule file that writes them not": ("ads.toml", rules("vip", "churn", more="write = false\n") + "[segment.news]\neveryone = true\n", [], ["churn.csv", "vip.csv"]),
    "a renamed rule file": ("new.toml", rules("vip", "churn"), [], []),
    "a renamed rule file with more": ("new.toml", rules("vip", "churn", "news"), [], []),
    "the same rule file": ("crm.toml", rules("vip", "churn"), [], []),
    "a segment taken out of the same rule file": ("crm.toml", rules("vip"), [], []),
    "all segments taken out of the same rule file": ("crm.toml", rules("news"), [], []),
    "a segment that is no longer written": ("crm.toml", rules("vip", "churn").replace("[segment.churn]", "[segment.churn]\nwrite = false"), [], []),
    "select": ("crm.toml", rules("vip", "churn"), ["--select", "vip"], ["churn.csv"]),
    "select all": ("crm.toml", rules("vip", "churn"), ["--select", "vip", "--select", "churn"], []),
    "select after a segment was taken out": ("crm.toml", rules("vip"), ["--select", "vip"], []),
    "select of another rule file": ("ads.toml", rules("vip", "churn"), ["--select", "vip"], ["churn.csv"]),
    "select in a renamed rule file": ("new.toml", rules("vip", "news"), ["--select", "news"], ["churn.csv", "vip.csv"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "args", "gone"), CASES.values(), ids=CASES)
def test_whose_lists_go(shop: Desk, name: str, text: str, args: list[str], gone: list[str]) -> None:
    before = shop.tree()
    if not gone:
        run(shop, name, text, *args)
        assert shop.tree() != before
        return
    said = run(shop, name, text, *args, code=4)
    assert said.startswith("error: this run would remove from `")
    assert said.count("\nhint: ") == 1
    assert all(f"`{file}`" in said for file in gone)
    assert [file for file in before if f"`{file}`" in said] == sorted(gone)
    assert all(way in said for way in WAYS_OUT)
    assert ("of another rule file, `" in said) == (name != "crm.toml")
    assert ("`--select`" in said.partition("hint")[0]) == (name == "crm.toml")
    assert shop.tree() == before
    # A dry run says the same, and goes through.
    warnings = run(shop, name, text, *args, "--dry-run")["warnings"]
    assert [w["message"] for w in warnings] == [said.partition("\n")[0].removeprefix("error: ")]
    run(shop, name, text, *args, "--dry-run", "--fail-on", "warning", code=1)
    assert shop.tree() == before
    # With `--replace` it goes through.
    done = run(shop, name, text, *args, "--replace")
    assert not {*gone} & {*lists(shop)}
    assert [n["message"].partition(" from ")[0] for n in done["notes"]] == ["`--replace` removed"]
    assert done["warnings"] == []


def test_five_lists_are_named(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules(*"abcdefg"))
    said = run(desk, "ads.toml", rules("news"), code=4)
    assert "7 lists of another rule file" in said
    assert "`a.csv`, `b.csv`, `c.csv`, `d.csv`, `e.csv` and 2 more\n" in said
    assert "crm.toml`: " in said


def test_holdouts_and_the_files_of_each_are_lists(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules("a", more='holdout = 50\neach = "age"\n'))
    gone = lists(desk)
    assert "a.holdout.csv" in gone
    said = run(desk, "ads.toml", rules("news"), code=4)
    assert all(f"`{name}`" in said for name in gone)


def test_elsewhere_and_standard_output_remove_nothing(shop: Desk) -> None:
    before = shop.tree()
    run(shop, "ads.toml", rules("news"), "-o", shop / "ads")
    assert lists(shop, "ads") == ["news.csv"]
    shop.segkit("apply", shop / "ads.toml", "-o", "-", "-q")
    shop.segkit("apply", shop / "ads.toml", "-o", "-", "--dry-run", "--fail-on", "warning")
    assert shop.tree() == before


def test_nothing_is_computed_first(shop: Desk) -> None:
    """The refusal comes before what is wrong with the data."""
    (shop / "c.csv").unlink()
    run(shop, "ads.toml", rules("news"), code=4)
    run(shop, "ads.toml", rules("news"), "--replace", code=3)


# --- which rule file it was ---


def test_a_rule_file_is_known_by_its_path(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one_less = rules("vip", output='directory = "../segments"').replace('"c.csv"', '"../c.csv"')
    said = run(shop, "more/crm.toml", one_less, code=4)  # the same name, another file
    assert "of another rule file" in said
    for folder, path in (
        (shop.folder, "crm.toml"),
        (shop / "more", "../crm.toml"),
        (Path("/"), str(shop / "crm.toml")),
    ):
        shop.put("crm.toml", rules("vip", "churn"))
        monkeypatch.chdir(folder)
        shop.segkit("apply", path)
        shop.put("crm.toml", rules("vip"))
        shop.segkit("apply", path)  # however it is called, a segment may be taken out
        assert lists(shop) == ["vip.csv"]


def test_a_moved_project_is_the_same(shop: Desk) -> None:
    (shop / "moved").mkdir()
    for name in ("c.csv", "crm.toml", "segments"):
        shutil.move(shop / name, shop / "moved" / name)
    run(shop, "moved/crm.toml", rules("vip"))
    assert lists(shop, "moved/segments") == ["vip.csv"]


def test_a_link_to_a_rule_file_is_that_file(shop: Desk) -> None:
    (shop / "linked.toml").symlink_to("crm.toml")
    shop.put("crm.toml", rules("vip"))
    shop.segkit("apply", shop / "linked.toml")
    assert lists(shop) == ["vip.csv"]


def test_an_older_manifest_knows_the_name_alone(shop: Desk) -> None:
    forget(shop, "relative_path")
    said = run(shop, "ads.toml", rules("vip"), code=4)
    assert "of another rule file, `crm.toml`: `churn.csv`" in said
    run(shop, "crm.toml", rules("vip"))
    assert lists(shop) == ["vip.csv"]


def test_rules_from_standard_input_have_no_path(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    text = rules("vip", "churn").encode()
    shop.segkit("apply", "-", input=text)
    shop.segkit("apply", "-", input=text)  # the same segments
    done = shop.segkit("apply", "-", input=rules("vip").encode(), code=4)
    assert "of another rule file, `<stdin>`: `churn.csv`" in done.stderr
    shop.segkit("apply", "-", "--replace", input=rules("vip").encode())
    assert lists(shop) == ["vip.csv"]


def test_a_manifest_that_cannot_be_read_is_told_as_before(shop: Desk) -> None:
    forget(shop, "path", 7)
    warnings = run(shop, "ads.toml", rules("news"))["warnings"]
    assert ["what changed since the last run is not known" in w["message"] for w in warnings] == [True]


# --- after a replacement ---

BOUND = "expect.max_change_percent = 10\n"


def test_a_replacement_is_a_first_run(shop: Desk) -> None:
    shop.put("c.csv", CUSTOMERS + "e,50\nf,60\ng,70\n")
    assert "4 in the run before" in run(shop, "crm.toml", rules("vip", "churn", more=BOUND), code=1)
    ads = rules("vip", "news", more=BOUND)
    run(shop, "ads.toml", ads, code=4)
    dry = run(shop, "ads.toml", ads, "--replace", "--dry-run")
    assert [n["message"].partition(" from ")[0] for n in dry["notes"]] == ["`--replace` would remove"]
    done = run(shop, "ads.toml", ads, "--replace")
    for found in (dry, done):
        assert [(s["written"], s["change"]) for s in found["segments"]] == [(7, None), (7, None)]
    assert [s["change"] for s in run(shop, "ads.toml", ads)["segments"]] == [{"entered": 0, "left": 0}] * 2


def test_a_replacement_of_changes_enters_all(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules("vip", "churn", output="changes = true"))
    said = run(desk, "crm.toml", rules("vip", "churn", output="changes = true"), "--select", "vip", code=4)
    assert "`churn.entered.csv` and `churn.left.csv`" in said
    ads = rules("vip", output="changes = true")
    run(desk, "ads.toml", ads, code=4)
    done = run(desk, "ads.toml", ads, "--replace")
    assert [s["change"] for s in done["segments"]] == [{"entered": 4, "left": 0}]
    assert lists(desk) == ["run/members.parquet", "vip.entered.csv", "vip.left.csv"]


def test_what_is_known_of_another_rule_file_is_a_list_too(desk: Desk) -> None:
    """Without its files: else all of its customers would leave."""
    desk.put("c.csv", CUSTOMERS)
    crm = rules("vip", "churn", output="changes = true")
    run(desk, "crm.toml", crm)
    run(desk, "crm.toml", crm, "--select", "vip", "--previous", desk / "segments", "-o", desk / "some")
    said = run(desk, "ads.toml", rules("vip", output="changes = true"), "-o", desk / "some", code=4)
    assert "crm.toml`: `churn`" in said


def test_where_nothing_goes_replace_changes_nothing(shop: Desk) -> None:
    """So that a nightly job which always says it is compared with the night before."""
    done = run(shop, "crm.toml", rules("vip", "churn"), "--replace")
    assert [s["change"] for s in done["segments"]] == [{"entered": 0, "left": 0}] * 2
    assert done["notes"] == []
    shop.put("c.csv", "id,age\na,1\n")
    run(shop, "crm.toml", rules("vip", "churn", more=BOUND), "--replace", code=1)


def test_a_run_that_is_named_is_compared_with_all_the_same(shop: Desk) -> None:
    shutil.copytree(shop / "segments", shop / "before")
    done = run(shop, "ads.toml", rules("vip"), "--replace", "--previous", shop / "before")
    assert [s["change"] for s in done["segments"]] == [{"entered": 0, "left": 0}]


def test_kept_runs(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules("vip", "churn", output="keep = 3"))
    before = desk.tree()
    for name, args in (("ads.toml", []), ("crm.toml", ["--select", "vip"])):
        text = rules("vip", output="keep = 3") if name == "ads.toml" else rules("vip", "churn", output="keep = 3")
        said = run(desk, name, text, *args, code=4)
        assert "`churn.csv`" in said
        assert desk.tree() == before
        assert run(desk, name, text, *args, "--dry-run")["warnings"]
    done = run(desk, "ads.toml", rules("vip", output="keep = 3"), "--replace")
    assert [s["change"] for s in done["segments"]] == [None]
    assert lists(desk, "segments/latest") == ["vip.csv"]
    assert lists(desk, "segments/2024-03-01") == ["churn.csv", "vip.csv"]
    run(desk, "crm.toml", rules("news", output="keep = 3"), code=4)


def test_a_plain_run_that_becomes_a_kept_one(shop: Desk) -> None:
    run(shop, "ads.toml", rules("news", output="keep = 3"), code=4)
    run(shop, "crm.toml", rules("vip", output="keep = 3"))
    assert lists(shop, "segments/latest") == ["vip.csv"]


def test_through_python(shop: Desk) -> None:
    ads = shop.put("ads.toml", rules("news"))
    with pytest.raises(WriteError, match="of another rule file"):
        apply(ads)
    assert apply(ads, replace=True).directory == str(shop / "segments")
    assert lists(shop) == ["news.csv"]


def test_what_another_run_has_published_meanwhile_is_spared(desk: Desk) -> None:
    """A run that waits for another looks once more when it is its turn."""
    desk.put("c.csv", CUSTOMERS)
    run(desk, "crm.toml", rules("vip", output=f'directory = "{desk / "other"}"'))
    ads = desk.put("ads.toml", rules("news"))
    waits = threading.Event()
    ended: list[ApplyResult | WriteError] = []

    def wait() -> None:
        try:
            ended.append(apply(ads, progress=lambda what: waits.set() if "wait" in what else None))
        except WriteError as error:
            ended.append(error)

    with lock.locked(desk / ".segments.segkit-lock", desk / "segments", wait=True, on_wait=print):
        thread = threading.Thread(target=wait)
        thread.start()
        assert waits.wait(30)
        shutil.move(desk / "other", desk / "segments")
    thread.join(30)
    assert isinstance(ended[0], WriteError)
    assert "`vip.csv`" in str(ended[0])
    assert lists(desk) == ["vip.csv"]


def test_a_combined_file_of_another_rule_file_stays(desk: Desk) -> None:
    """It is no list of one segment, and is lost all the same."""
    desk.put("c.csv", "id\n1\n")
    text = head() + "[output]\n{}[segment.s]\neveryone = true\n"
    one = desk.put("one.toml", text.format('combined = "all.csv"\n'))
    two = desk.put("two.toml", text.format(""))
    desk.segkit("apply", one)
    told = desk.segkit("apply", two, code=4).stderr.replace("\n", " ")
    assert "`all.csv`" in told and (desk / "segments/all.csv").exists()
    desk.segkit("apply", desk.put("renamed.toml", one.read_text()))
    desk.segkit("apply", two, "--replace")
    assert not (desk / "segments/all.csv").exists()


@pytest.mark.parametrize("target", ["s3://me:secret@bucket/lists?token=secret", "https://host/x"])
def test_an_address_is_no_folder(desk: Desk, target: str) -> None:
    """Nothing of it that could be secret is said, and no folder is made that is called so."""
    desk.put("c.csv", "id\n1\n")
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,1\n")
    rules = desk.put("rules.toml", head() + "[segment.s]\neveryone = true\n")
    named = head() + f'[output]\ndirectory = "{target}"\n[segment.s]\neveryone = true\n'
    before = sorted(desk.folder.iterdir())
    for args in (
        ("apply", rules, "-o", target),
        ("apply", rules, "--log", target),
        ("apply", desk.put("rules.toml", named)),
        ("rfm", desk / "o.csv", "-o", target),
        ("rfm", desk / "o.csv", "--save-cutoffs", target),
    ):
        runs_go_there = target.startswith("s3:") and args[0] == "apply" and "--log" not in args
        told = desk.segkit(*args, code=2 if runs_go_there else 4).stderr
        assert "secret" not in told
        assert ("names no place in a bucket" if runs_go_there else "only local files are written") in told
    assert sorted(desk.folder.iterdir()) == before
