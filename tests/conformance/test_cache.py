"""`--cache`: large texts are kept as Parquet, and no answer changes."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from segkit.columns.plan.plan import Plan
from segkit.io.read.text import kept
from segkit.operations.evaluation import settle
from tests.conformance.test_buckets import CUSTOMERS, ORDERS, SEGMENTS, rules_of, run
from tests.desk import Desk

RULES = rules_of(SEGMENTS["medians and profiles"])


@pytest.fixture(autouse=True)
def all_are_large() -> Iterator[None]:
    with patch("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 0), patch("segkit.io.read.text.kept.YOUNG", 0):
        yield


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    return desk


def test_a_file_that_has_just_changed_is_not_kept_yet(shop: Desk) -> None:
    """It may change again, at the same length, within one tick of the clock."""
    with patch("segkit.io.read.text.kept.YOUNG", 3_600):
        run(shop, rules_of(SEGMENTS["which came first"]), "--cache", str(shop / "kept"))
        assert not entries(shop)
    run(shop, rules_of(SEGMENTS["which came first"]), "--cache", str(shop / "kept"))
    assert len(entries(shop)) == 2


def test_an_entry_that_is_removed_under_a_run(shop: Desk) -> None:
    rules = rules_of(SEGMENTS["which came first"])
    run(shop, rules, "--cache", str(shop / "kept"))

    def remove(plan: Plan, *rest: Any) -> Any:
        shutil.rmtree(shop / "kept")
        return compute(plan, *rest)

    compute = settle._computed
    with patch.object(settle, "_computed", remove):
        said = run(shop, rules, "--cache", str(shop / "kept"), code=3)[1]
    assert "in the cache was removed while it was read" in said and "run this again" in said


def entries(desk: Desk, name: str = "kept") -> list[Path]:
    return kept.entries_in(desk / name)


def cached(desk: Desk, rules: str, code: int = 0, *options: str) -> None:
    """Without a cache, with one that has nothing, and with what is there by then: the same."""
    whole = run(desk, rules, *options, code=code)
    for _ in range(2):
        assert run(desk, rules, "--cache", str(desk / "kept"), *options, code=code) == whole


FILES: dict[str, tuple[bytes, str]] = {
    "plain": (ORDERS.encode(), ""),
    "packed": (gzip.compress(ORDERS.encode(), mtime=0), ""),
    "cp1252, with a note": (ORDERS.replace(",a,", ",à,").encode("cp1252"), ""),
    "quoted": (ORDERS.replace(",a,", ',"a, ""b""\nc",').encode(), ""),
    "semicolons and commas": (ORDERS.replace(",", ";").replace(".50", ",50").encode(), ""),
    "lines above and below": (f"shop\n\n{ORDERS}total,,,,\n".encode(), "skip_lines = 2\nskip_footer = 1"),
    "escaped": (ORDERS.replace(",a,", ',"a\\"",').encode(), 'escape = "\\\\"'),
    "lines of other lengths": (f"{ORDERS}05,2024-06-01,1.00,a\n".encode(), 'ragged = "pad"'),
    "renamed": (ORDERS.replace("amount", "total").encode(), 'rename = { amount = "total" }'),
    "filled": (ORDERS.replace(",a,", ",,").encode(), 'id = "number"\nfill_down = ["product"]'),
    "repeated": (f"{ORDERS}{ORDERS.partition(chr(10))[2]}".encode(), 'duplicates = "drop"'),
    "without a header": (ORDERS.partition("\n")[2].encode(), 'header = ["id", "day", "amount", "product", "number"]'),
    "late padded keys": (f"{ORDERS} 05 ,2024-06-01,3.00,a,999\n".encode(), ""),
    "an empty column": (ORDERS.replace(",a,", ",,").replace(",b,", ",,").encode(), ""),
}


@pytest.mark.parametrize("name", FILES)
def test_nothing_changes(shop: Desk, name: str) -> None:
    content, keys = FILES[name]
    (shop / "o.csv").write_bytes(content)
    cached(shop, rules_of(SEGMENTS["which came first"], of_orders=keys))
    assert len(entries(shop)) == 2


@pytest.mark.parametrize("options", [("--buckets", "3"), ("--memory", "1GB"), ("--dry-run",)])
def test_beside_other_options(shop: Desk, options: tuple[str, ...]) -> None:
    with patch("segkit.engines.spread.ROWS", 7):
        cached(shop, RULES, 0, *options)


BAD = {
    "a day that there is not": ("05,2024-02-30,1.00,a,1\n", ""),
    "an amount that is none": ("05,2024-02-03,much,a,1\n", ""),
    "a line too long": ("05,2024-02-03,1.00,a,1,2\n", ""),
    "a line too short": ("05,2024-02-03\n", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_are_the_same(shop: Desk, name: str) -> None:
    """With the line and the value, also where the rows are read from the cache; a file with a wrong line is not kept."""
    line, keys = BAD[name]
    shop.put("o.csv", ORDERS + line)
    cached(shop, rules_of(SEGMENTS["which came first"], of_orders=keys), 3)
    assert not entries(shop)
    # Where nothing reads the value, the file is kept, and then its value is an error with its line.
    cached(shop, rules_of("[segment.all]\neveryone = true\n", of_orders=keys), 3 if "line" in name else 0)
    cached(shop, rules_of(SEGMENTS["medians and profiles"], of_orders=keys), 3)


def test_several_files_of_which_one_changes(shop: Desk) -> None:
    head, *lines = ORDERS.splitlines()
    (shop / "parts").mkdir()
    for number in range(4):
        shop.put(f"parts/{number}.csv", "\n".join([head, *lines[50 * number : 50 * number + 50]]) + "\n")
    rules = rules_of(SEGMENTS["which came first"], orders="parts/*.csv")
    cached(shop, rules)
    before = entries(shop)
    shop.put("parts/2.csv", "\n".join([head, *lines[5:80]]) + "\n")
    cached(shop, rules)
    assert len(before) == 5 and len(set(entries(shop)) - set(before)) == 1


def test_a_file_that_hides_that_it_has_changed(shop: Desk) -> None:
    """Its digest is another one: nothing is published, its entry goes, and the next run reads the file."""
    whole = run(shop, RULES, "--cache", str(shop / "kept"))
    real = kept.Seen.of(shop / "o.csv")
    shop.put("o.csv", ORDERS.replace(",a,", ",c,"))
    with patch.object(kept.Seen, "of", lambda path: real if path.name == "o.csv" else SEEN(path)):
        said = run(shop, RULES, "--cache", str(shop / "kept"), code=3)
        assert "has changed since it was put into the cache" in said[1] and "run this again" in said[1]
        assert not said[3]
        assert run(shop, RULES, "--cache", str(shop / "kept")) != whole
    assert run(shop, RULES)[0] == 0


def test_a_file_that_hides_that_it_has_changed_and_is_read_in_two_ways(shop: Desk) -> None:
    """One entry is of what it was before, the other of what it is: each has a digest of its own."""
    head = 'header = ["id", "day", "amount", "product", "number"]\nskip_lines = 1\n'
    table = f'[events.again]\npath = "o.csv"\n{head}time = "day"\namount = "amount"\n'
    table += '[trait.other]\nmeasure = "last"\nof = "product"\nevents = "again"\n'
    both = rules_of(table + SEGMENTS["which came first"])
    run(shop, rules_of(SEGMENTS["which came first"]), "--cache", str(shop / "kept"))
    real = kept.Seen.of(shop / "o.csv")
    shop.put("o.csv", ORDERS.replace(",a,", ",c,"))
    with patch.object(kept.Seen, "of", lambda path: real if path.name == "o.csv" else SEEN(path)):
        alone = rules_of(table.replace("events.again", "events.orders") + SEGMENTS["which came first"])
        alone = alone.replace('[events.orders]\npath = "o.csv"\ntime = "day"\namount = "amount"\n', "", 1)
        run(shop, alone.replace('events = "again"', 'events = "orders"'), "--cache", str(shop / "kept"))
        said = run(shop, both, "--cache", str(shop / "kept"), code=3)
        assert "has changed since it was put into the cache" in said[1] and not said[3]


SEEN = kept.Seen.of


def test_for_its_owner_alone(shop: Desk) -> None:
    run(shop, RULES, "--cache", str(shop / "kept"))
    assert (shop / "kept").stat().st_mode & 0o777 == 0o700
    for path in (shop / "kept").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    for entry, part in zip(entries(shop), (".", "facts"), strict=True):
        (entry / part).chmod(0o777)  # then others may have written them
    assert run(shop, RULES, "--cache", str(shop / "kept")) == run(shop, RULES)
    for path in (shop / "kept").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path  # they are made anew


@pytest.mark.parametrize("content", [b"", b"no pickle", b"cabsent\nthing\n.", b"\x8c\x01\xff.", None], ids=str)
@pytest.mark.parametrize("name", ["facts", "rows.parquet", "text.csv"])
def test_an_entry_that_is_not_whole_is_made_anew(shop: Desk, name: str, content: bytes | None) -> None:
    """A crash of the machine may leave a part of a file, `clear` that is killed one file of several."""
    shop.put("o.csv.gz", gzip.compress(ORDERS.encode()))
    rules = rules_of(SEGMENTS["which came first"], orders="o.csv.gz")
    whole = run(shop, rules)
    run(shop, rules, "--cache", str(shop / "kept"))
    paths = [entry / name for entry in entries(shop) if (entry / name).exists()]
    sizes = [path.stat().st_size for path in paths]
    for path in paths:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    assert run(shop, rules, "--cache", str(shop / "kept")) == whole
    assert [path.stat().st_size for path in paths] == sizes


def test_an_entry_whose_rows_are_damaged(shop: Desk) -> None:
    """Of the length that it had: it is removed, and the next run makes it anew."""
    rules = rules_of(SEGMENTS["which came first"])
    whole = run(shop, rules)
    run(shop, rules, "--cache", str(shop / "kept"))
    entry = next(entry for entry in entries(shop) if pl.read_parquet_schema(entry / "rows.parquet").get("amount"))
    content = (entry / "rows.parquet").read_bytes()
    (entry / "rows.parquet").write_bytes(content[:9] + b"\xff" * 200 + content[209:])
    said = run(shop, rules, "--cache", str(shop / "kept"), code=3)[1]
    assert "the copy of `o.csv` in the cache is damaged" in said and "run this again" in said
    assert not entry.exists()
    assert run(shop, rules, "--cache", str(shop / "kept")) == whole
    assert entry.exists()


@pytest.mark.parametrize("left", [0, 300, None])
def test_rows_that_are_cut_off_or_gone_are_none(shop: Desk, left: int | None) -> None:
    """As a machine leaves them that loses power: the file itself is read, and kept anew."""
    run(shop, RULES, "--cache", str(shop / "kept"))
    for entry in entries(shop):
        rows = (entry / "rows.parquet").read_bytes()
        (entry / "rows.parquet").unlink() if left is None else (entry / "rows.parquet").write_bytes(rows[:left])
    assert run(shop, RULES, "--cache", str(shop / "kept")) == run(shop, RULES)
    assert all(pl.read_parquet(entry / "rows.parquet").height for entry in entries(shop)) and len(entries(shop)) == 2


@pytest.mark.parametrize("options", [(), ("--buckets", "3")])
def test_rows_that_are_damaged_are_told_and_go(shop: Desk, options: tuple[str, ...]) -> None:
    run(shop, RULES, "--cache", str(shop / "kept"))
    for entry in entries(shop):
        rows = bytearray((entry / "rows.parquet").read_bytes())
        rows[20:200] = b"\xff" * 180
        (entry / "rows.parquet").write_bytes(rows)
    for name in ("c.csv", "o.csv"):
        said = run(shop, RULES, "--cache", str(shop / "kept"), *options, code=3)[1]
        assert f"the copy of `{name}` in the cache is damaged" in said and "run this again" in said
    assert run(shop, RULES, "--cache", str(shop / "kept"), *options) == run(shop, RULES)


def test_what_nobody_uses_goes(shop: Desk) -> None:
    run(shop, RULES, "--cache", str(shop / "kept"))
    old = time.time() - 31 * 86_400
    for entry in entries(shop):
        os.utime(entry / "used", (old, old))
    (shop / "kept" / "mine.csv").write_text("x")
    (left := shop / "kept" / ".segkit-killed").mkdir()
    (left / "rows.parquet").write_text("x")
    os.utime(left, (old, old))
    shop.put("c.csv", CUSTOMERS + "77,FR,1\n")
    run(shop, RULES, "--cache", str(shop / "kept"))
    assert len(entries(shop)) == 2
    assert not left.exists()
    assert (shop / "kept" / "mine.csv").exists()


def test_the_rule_file_names_it(shop: Desk) -> None:
    """For every command that reads the files; `cache clear` empties it."""
    rules = RULES + '[cache]\ndirectory = "kept"\n'
    whole = run(shop, RULES)
    assert run(shop, rules)[2]["segments"] == whole[2]["segments"]
    first = entries(shop)
    assert len(first) == 2
    shop.put("segments.toml", rules)
    used = [(entry / "used").stat().st_mtime_ns for entry in first]
    shop.segkit("check", shop / "segments.toml", "--data", code=None)
    shop.segkit("explain", shop / "segments.toml", "05")
    assert entries(shop) == first
    assert all(now > before for now, before in zip([(e / "used").stat().st_mtime_ns for e in first], used, strict=True))


def test_clear(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    run(shop, RULES, "--cache", str(shop / "kept"))
    (shop / "kept" / "mine.csv").write_text("x")
    (killed := shop / "kept" / ".segkit-killed").mkdir()
    (killed / "rows.parquet").write_text("x")
    with patch("segkit.operations.cache.drop"):
        assert "cannot remove `kept/" in shop.segkit("cache", "clear", "kept", code=4).stderr
    said = shop.segkit("cache", "clear", "kept").stderr
    assert said.startswith("removed 3 files from `kept`, ")
    assert [path.name for path in (shop / "kept").iterdir()] == ["mine.csv"]
    assert "cache clear DIR" in shop.segkit("cache", "clear", code=2).stderr
    for name in ("nowhere", "kept/mine.csv"):
        assert f"there is no folder `{name}`" in shop.segkit("cache", "clear", name, code=2).stderr
    shop.put("segments.toml", RULES)
    assert "has no `[cache]`" in shop.segkit("cache", "clear", code=2).stderr
    shop.put("segments.toml", RULES + '[cache]\ndirectory = "kept"\n')
    assert shop.segkit("cache", "clear").stderr.startswith("removed 0 files from `kept`")


def test_what_is_no_file_is_not_kept(shop: Desk) -> None:
    rules = rules_of(SEGMENTS["which came first"], orders="-")
    whole = run(shop, rules, input=ORDERS.encode())
    for _ in range(2):
        assert run(shop, rules, "--cache", str(shop / "kept"), input=ORDERS.encode()) == whole
    assert len(entries(shop)) == 1


def test_a_folder_that_cannot_be_written(shop: Desk) -> None:
    shop.put("taken", "a file\n")
    said = run(shop, RULES, "--cache", str(shop / "taken"), code=4)[1]
    assert "taken" in said and "give the cache a folder" in said


def test_a_full_disk_leaves_nothing(shop: Desk) -> None:
    shop.put("o.csv.gz", gzip.compress(ORDERS.encode()))
    full = OSError(28, "No space left on device", str(shop / "kept"))
    with patch("segkit.io.read.text.kept.shutil.copyfile", side_effect=full):
        said = run(
            shop, rules_of(SEGMENTS["which came first"], orders="o.csv.gz"), "--cache", str(shop / "kept"), code=4
        )
    assert "cannot write" in said[1] and "give the cache a folder" in said[1]
    assert not list((shop / "kept").iterdir())


def test_a_run_that_fails_keeps_nothing_half(shop: Desk) -> None:
    shop.put("c.csv", CUSTOMERS + "05,FR,3\n")
    run(shop, RULES, "--cache", str(shop / "kept"), code=3)
    assert not list((shop / "kept").iterdir())


@pytest.mark.parametrize("name", ["o.csv", "o.parquet", "o.ndjson"])
def test_a_file_that_is_removed_under_a_run(shop: Desk, name: str) -> None:
    orders = pl.read_csv(shop / "o.csv", schema_overrides={"id": pl.String})
    orders.write_parquet(shop / "o.parquet")
    orders.write_ndjson(shop / "o.ndjson")

    def remove(plan: Plan, *rest: Any) -> Any:
        (shop / name).unlink()
        return compute(plan, *rest)

    compute = settle._computed
    with patch.object(settle, "_computed", remove):
        said = shop.apply(rules_of(SEGMENTS["which came first"], orders=name), code=3).stderr
    assert f"`{name}` was removed while it was read" in said
