"""`segkit evaluate` of several runs, and of runs that write changes alone, held against plain Python."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk

HEAD = """version = 1
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
[output]
directory = "out"
keep = 30
"""
LETTERS = """[segment.letters]
behavioural.did = { events = "orders", within = "3 days" }
holdout = 30
"""
CONTROL = "[assignment]\ncontrol = 20\n"
NIGHTS = [dt.date(2024, 6, 1) + dt.timedelta(days=n) for n in range(5)]
Orders = list[tuple[str, dt.date, Decimal]]


@pytest.fixture
def orders(desk: Desk) -> Orders:
    """300 customers who buy now and then in June and July."""
    dice = random.Random(30)
    rows = [
        (
            f"k{n}",
            dt.date(2024, 5, 28) + dt.timedelta(days=dice.randrange(60)),
            Decimal(dice.randrange(100, 9999)) / 100,
        )
        for n in range(300)
        for _ in range(dice.choice([0, 1, 2, 5]))
    ]
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(300)))
    desk.put("o.csv", "id,day,amount\n" + "".join(f"{key},{day},{amount}\n" for key, day, amount in rows))
    return rows


def run_nights(desk: Desk, rules: str, nights: list[dt.date] = NIGHTS) -> None:
    desk.put("rules.toml", rules)
    for night in nights:
        desk.segkit("apply", desk / "rules.toml", "--as-of", night, "-q")


def evaluated(desk: Desk, *options: object, code: int = 0) -> Any:
    done = desk.segkit("evaluate", *options, "--json", code=code)
    return json.loads(done.stdout) if code == 0 else " ".join(done.stderr.split())


def warned(found: Any) -> list[Any]:
    return [one for one in found["warnings"] if one["severity"] == "warning"]


def in_lists(folder: Path, name: str) -> set[str]:
    path = folder / f"{name}.csv"
    return set(pl.read_csv(path, infer_schema=False)["id"]) if path.exists() else set()


Arms = dict[str, dict[str, dt.date]]
"""Arm -> key -> the first night."""


def first_nights(desk: Desk, nights: list[dt.date], arms: dict[str, str], *, entered: bool = False) -> Arms:
    """By the files of each night; with `entered`, only those who were not there on the night before."""
    found: Arms = {arm: {} for arm in arms}
    before: dict[str, set[str]] = {arm: set() for arm in arms}
    for night in nights:
        for arm, name in arms.items():
            now = in_lists(desk / f"out/{night}", name)
            for key in now - before[arm] if entered else now:
                if all(key not in of for of in found.values()):
                    found[arm][key] = night
            before[arm] = now if entered else set()
    return found


def bought(orders: Orders, arm: dict[str, dt.date], days: int = 30) -> dict[str, Any]:
    """How many of an arm bought in so many days after their night, and for how much."""
    spent: dict[str, Decimal] = {}
    for key, day, amount in orders:
        if key in arm and arm[key] < day <= arm[key] + dt.timedelta(days=days):
            spent[key] = spent.get(key, Decimal()) + amount
    return {"customers": len(arm), "buyers": len(spent), "revenue": float(sum(spent.values()))}


def figures(found: Any, segment: str = "letters") -> dict[str, Any]:
    [told] = [one for one in found["segments"] if one["name"] == segment]
    return {arm["name"]: {n: arm[n] for n in ("customers", "buyers", "revenue")} for arm in told["arms"]}


FILES = {"written": "letters", "holdout": "letters.holdout"}
Options = Callable[[Desk], list[object]]
WAYS: dict[str, Options] = {
    "since": lambda desk: [desk / "out", "--since", NIGHTS[0]],
    "named": lambda desk: [desk / f"out/{night}" for night in NIGHTS],
    "in any order": lambda desk: [desk / f"out/{night}" for night in reversed(NIGHTS)],
}


@pytest.mark.parametrize("way", WAYS)
def test_each_customer_counts_once_from_his_first_night(desk: Desk, orders: Orders, way: str) -> None:
    run_nights(desk, HEAD + LETTERS)
    found = evaluated(desk, *WAYS[way](desk))
    arms = first_nights(desk, NIGHTS, FILES)
    assert figures(found) == {arm: bought(orders, arms[arm]) for arm in ("holdout", "written")}
    assert found["runs"] == [str(night) for night in NIGHTS]
    assert (found["from"], found["until"], found["as_of"]) == ("2024-06-02", "2024-07-05", "2024-06-05")
    assert len(set(arms["written"].values())) > 2  # or nothing is tested


@pytest.mark.parametrize("days", [1, 2, 10])
def test_within(desk: Desk, orders: Orders, days: int) -> None:
    run_nights(desk, HEAD + LETTERS)
    within = f"{days} days"
    found = evaluated(desk, desk / "out", "--since", NIGHTS[1], "--within", within, "--metric", "conversion")
    arms = first_nights(desk, NIGHTS[1:], FILES)
    told = {arm: (one["customers"], one["buyers"]) for arm, one in figures(found).items()}
    assert told == {arm: (len(keys), bought(orders, keys, days)["buyers"]) for arm, keys in arms.items()}


def entered_in(desk: Desk, night: dt.date, before: dt.date) -> Arms:
    """Who entered the list, or its holdout, on a night."""
    written = in_lists(desk / f"out/{night}", "letters.entered")
    held = in_lists(desk / f"out/{night}", "letters.holdout") - in_lists(desk / f"out/{before}", "letters.holdout")
    return {"holdout": dict.fromkeys(held, night), "written": dict.fromkeys(written, night)}


def test_a_run_of_changes_tells_of_those_who_entered(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS)
    found = evaluated(desk, desk / f"out/{NIGHTS[2]}")
    arms = entered_in(desk, NIGHTS[2], NIGHTS[1])
    assert arms["holdout"] and arms["written"]
    assert figures(found) == {arm: bought(orders, arms[arm]) for arm in arms}
    assert warned(found) == []


def test_several_runs_of_changes(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS)
    found = evaluated(desk, desk / "out", "--since", NIGHTS[1])
    arms: Arms = {"holdout": {}, "written": {}}
    for before, night in pairwise(NIGHTS):
        for arm, keys in entered_in(desk, night, before).items():
            arms[arm] |= {key: day for key, day in keys.items() if key not in arms["holdout"] | arms["written"]}
    assert figures(found) == {arm: bought(orders, arms[arm]) for arm in arms}


@pytest.mark.parametrize("changes", [False, True])
def test_each_letter_costs(desk: Desk, orders: Orders, changes: bool) -> None:
    """Whoever is in the lists of five nights has got five letters; of runs of changes, one each time he entered."""
    cost = "[evaluate]\ncost_per_contact = 0.5\nmargin_percent = 40\n"
    run_nights(desk, HEAD + ("changes = true\n" if changes else "") + cost + LETTERS)
    name = "letters.entered" if changes else "letters"
    letters = sum(len(in_lists(desk / f"out/{night}", name)) for night in NIGHTS)
    found = evaluated(desk, desk / "out", "--since", NIGHTS[0])
    [segment] = found["segments"]
    assert letters > segment["arms"][1]["customers"]
    [spend] = [one for one in segment["comparisons"] if one["metric"] == "spend"]
    assert spend["after_cost"]["total"] == pytest.approx(0.4 * spend["total"] - 0.5 * letters, abs=1e-4)


def test_in_a_first_run_everybody_enters(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS, NIGHTS[:2])
    [warning] = warned(evaluated(desk, desk / f"out/{NIGHTS[0]}"))
    assert "is the first run with `letters`: everybody entered" in warning["message"]
    assert warned(evaluated(desk, desk / "out")) == []


def test_a_first_day_that_is_run_again_is_still_the_first(desk: Desk, orders: Orders) -> None:
    for _ in range(2):
        run_nights(desk, HEAD + "changes = true\n" + LETTERS, NIGHTS[:1])
    [warning] = warned(evaluated(desk, desk / "out"))
    assert "is the first run with `letters`: everybody entered" in warning["message"]


def test_who_is_written_at_last_enters(desk: Desk, orders: Orders) -> None:
    """Another salt draws other customers: who was held out is written now, and the other way round."""
    everyone = "[segment.letters]\neveryone = true\nholdout = 50\n"
    run_nights(desk, HEAD + "changes = true\n" + everyone + 'salt = "a"\n', NIGHTS[:1])
    run_nights(desk, HEAD + "changes = true\n" + everyone + 'salt = "b"\n', NIGHTS[1:2])
    first, then = (in_lists(desk / f"out/{night}", "letters.holdout") for night in NIGHTS[:2])
    told = {arm: one["customers"] for arm, one in figures(evaluated(desk, desk / "out")).items()}
    assert told == {"holdout": len(then - first), "written": len(first - then)}
    assert first - then and then - first


def test_a_day_that_is_run_again(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS, NIGHTS[:3])
    expected = evaluated(desk, desk / "out")
    run_nights(desk, HEAD + "changes = true\n" + LETTERS, [NIGHTS[2]])
    assert (desk / f"out/{NIGHTS[2]}.002").exists()
    assert evaluated(desk, desk / "out") == expected
    assert evaluated(desk, desk / "out", "--since", NIGHTS[2]) == expected


def test_members_say_since_when(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS)
    members = pl.read_parquet(desk / f"out/{NIGHTS[-1]}/run/members.parquet")
    held: dict[str, dt.date] = {}
    for night in NIGHTS:
        now = in_lists(desk / f"out/{night}", "letters.holdout")
        held = {key: held.get(key, night) for key in now}
    rows = members.filter(pl.col("outcome") == "holdout").select("key", "since").rows()
    assert dict(rows) == held


def test_with_a_control_group(desk: Desk, orders: Orders) -> None:
    rules = HEAD + CONTROL + LETTERS.replace("holdout = 30\n", "") + "[segment.all]\neveryone = true\n"
    run_nights(desk, rules)
    found = evaluated(desk, desk / "out", "--since", NIGHTS[0])
    control = {night: pl.read_csv(desk / f"out/{night}/control.csv", infer_schema=False).rows() for night in NIGHTS}
    first: dict[str, dt.date] = {}
    for night in NIGHTS:
        for key, names in control[night]:
            if "letters" in names.split("|"):
                first.setdefault(key, night)
    written = first_nights(desk, NIGHTS, {"written": "letters"})["written"]
    assert figures(found) == {"control": bought(orders, first), "written": bought(orders, written)}
    everybody = {key: NIGHTS[0] for key, _ in control[NIGHTS[0]]}
    others = {f"k{n}": NIGHTS[0] for n in range(300) if f"k{n}" not in everybody}
    assert figures(found, "all segments") == {"control": bought(orders, everybody), "reached": bought(orders, others)}


def test_lists_that_were_written_before(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:2])
    [warning] = warned(evaluated(desk, desk / "out"))
    assert warning["message"].startswith("segment `letters` was written on 2024-06-01, too")
    assert "changes = true" in warning["hint"] and "control" in warning["hint"]
    assert warned(evaluated(desk, desk / "out", "--since", NIGHTS[0])) == []


def test_caps_that_stop_some(desk: Desk, orders: Orders) -> None:
    """Of a segment that holds nobody out, they stop all alike."""
    desk.put("sends.csv", "id,day\n" + "".join(f"k{n},2024-05-31\n" for n in range(100)))
    cap = '[events.sends]\npath = "sends.csv"\ntime = "day"\n[frequency_cap]\nevents = "sends"\nmax = 1\nwithin = "7 days"\n'
    others = "[segment.cards]\neveryone = true\n[segment.halves]\neveryone = true\nsplit = { A = 50, B = 50 }\n"
    run_nights(desk, HEAD + cap + '[evaluate]\nevents = "orders"\n' + LETTERS + others, NIGHTS[:1])
    told = [one["message"] for one in warned(evaluated(desk, desk / "out"))]
    [message] = [one for one in told if one.startswith("`frequency_cap` stopped ")]
    assert "segment `letters`" in message


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["out", "--since", "2024-06-09"], 2, "has no run since 2024-06-09: the last one is of 2024-06-02"),
        (["out/2024-06-01", "--since", "2024-06-01"], 2, "keeps no runs of several days"),
        (["out/2024-06-01", "out/2024-06-02", "--from", "2024-06-01"], 2, "`--from` and `--until` are of one run"),
        (["out/2024-06-01", "out/2024-06-02", "--plan"], 2, "`--plan` looks at one run"),
        (["out/2024-06-01", "out/nothing"], 3, "holds no run"),
        ([], 2, "missing argument `RUN`"),
    ],
)
def test_refused(desk: Desk, orders: Orders, options: list[str], code: int, said: str) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:2])
    paths = [str(desk / one) if one.startswith("out") else one for one in options]
    assert said in evaluated(desk, *paths, code=code)


def test_a_draw_that_has_changed(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:1])
    run_nights(desk, HEAD + LETTERS.replace("30", "20"), NIGHTS[1:2])
    said = evaluated(desk, desk / "out", "--since", NIGHTS[0], code=2)
    assert "segment `letters` is drawn otherwise in" in said


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (LETTERS.replace("holdout = 30\n", ""), LETTERS),
        (LETTERS, LETTERS.replace("holdout = 30\n", "")),
        (LETTERS, LETTERS + 'salt = "other"\n'),
        (LETTERS.replace("holdout = 30\n", "") + CONTROL,) * 2,
    ],
)
def test_a_draw_of_others(desk: Desk, orders: Orders, first: str, then: str) -> None:
    """Who was written without a draw, or is drawn with another salt, is in no arm of the other run."""
    if first == then:
        then = then.replace("20", '{ percent = 20, salt = "other" }')
    run_nights(desk, HEAD + first, NIGHTS[:1])
    run_nights(desk, HEAD + then, NIGHTS[1:2])
    said = evaluated(desk, desk / "out", "--since", NIGHTS[0], code=2)
    assert "segment `letters` is drawn otherwise in" in said


def test_runs_of_one_day_in_two_directories(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD.replace("keep = 30\n", "") + LETTERS, NIGHTS[:1])
    desk.segkit("apply", desk / "rules.toml", "--as-of", NIGHTS[0], "-q", "-o", desk / "other")
    said = evaluated(desk, desk / "out", desk / "other", code=2)
    assert "are of one day, and neither takes the place of the other" in said
    assert evaluated(desk, desk / "out", desk / "out") == evaluated(desk, desk / "out")


def test_of_a_day_the_last_run_counts_in_any_order(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:1])
    run_nights(desk, HEAD + LETTERS.replace("3 days", "1 day"), NIGHTS[:1])
    last = desk / f"out/{NIGHTS[0]}.002"
    assert figures(evaluated(desk, last, desk / f"out/{NIGHTS[0]}")) == figures(evaluated(desk, last))


def test_a_run_before_that_day_need_not_be_whole(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:3])
    expected = evaluated(desk, desk / "out", "--since", NIGHTS[1])
    (desk / f"out/{NIGHTS[0]}/letters.csv").unlink()
    assert evaluated(desk, desk / "out", "--since", NIGHTS[1]) == expected
    assert "is not whole" in evaluated(desk, desk / "out", "--since", NIGHTS[0], code=3)


def test_members_that_cannot_be_read(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS, NIGHTS[:1])
    members = desk / f"out/{NIGHTS[0]}/run/members.parquet"
    members.write_bytes(b"x" * members.stat().st_size)
    assert "a file of the run" in evaluated(desk, desk / "out", code=3)


def test_a_run_that_does_not_tell_who_entered(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + "changes = true\n" + LETTERS, NIGHTS[:2])
    folder = desk / f"out/{NIGHTS[1]}"
    members = folder / "run/members.parquet"
    pl.read_parquet(members).drop("since").write_parquet(members)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["bytes"]["run/members.parquet"] = members.stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "does not tell who entered in it" in evaluated(desk, folder, code=2)


def test_the_head_tells_of_all_runs(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS)
    shown = desk.segkit("evaluate", desk / "out", "--since", NIGHTS[0]).stdout
    assert shown.startswith("5 runs from 2024-06-01 to 2024-06-05, orders from 2024-06-02 until 2024-07-05\n")


def test_a_segment_that_is_new_in_a_later_run(desk: Desk, orders: Orders) -> None:
    rules = HEAD + "changes = true\n" + LETTERS
    run_nights(desk, rules, NIGHTS[:2])
    run_nights(desk, rules + LETTERS.replace("letters", "cards"), NIGHTS[2:3])
    [warning] = [one for one in warned(evaluated(desk, desk / "out")) if "the first run" in one["message"]]
    assert "is the first run with `cards`: everybody entered" in warning["message"]


def test_files_that_begin_after_the_first_day(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:1])
    late = [(key, day, amount) for key, day, amount in orders if day >= dt.date(2024, 6, 20)]
    desk.put("late.csv", "id,day,amount\n" + "".join(f"{key},{day},{amount}\n" for key, day, amount in late))
    [warning] = warned(evaluated(desk, desk / "out", "--events", f"orders={desk / 'late.csv'}"))
    assert warning["message"] == "`orders` begins on 2024-06-20, and the days that count on 2024-06-02"


def test_files_that_begin_after_the_last_day(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:1])
    desk.put("late.csv", "id,day,amount\nk1,2024-07-09,5\n")
    [warning] = warned(evaluated(desk, desk / "out", "--events", f"orders={desk / 'late.csv'}"))
    assert warning["message"] == "`orders` begins after 2024-07-01, and the days that count on 2024-06-02"


def test_nobody_of_a_few_has_bought(desk: Desk) -> None:
    """Others have, in these days; those of the run are known to have bought before."""
    desk.put("c.csv", "id\na\nb\nc\nd\n")
    desk.put("o.csv", "id,day,amount\n" + "".join(f"{k},2024-05-31,5\n" for k in "abcd") + "x,2024-06-10,5\n")
    run_nights(desk, HEAD + "min_cell = 1\n" + LETTERS.replace("30", "50"), NIGHTS[:1])
    told = figures(evaluated(desk, desk / "out"))
    assert {one["buyers"] for one in told.values()} == {0}
    desk.put("o.csv", "id,day,amount\nx,2024-05-30,5\nx,2024-06-10,5\n")
    assert "none of the keys of `orders` is one of these customers" in evaluated(desk, desk / "out", code=3)


def test_keys_that_are_one_once_they_are_hashed(desk: Desk) -> None:
    desk.put("c.csv", "id\n" + "".join(f"k{n}\nK{n}\n" for n in range(50)))
    desk.put("o.csv", "id,day,amount\n" + "".join(f"k{n},2024-06-03,10\n" for n in range(50)))
    everyone = "[segment.letters]\neveryone = true\nholdout = 50\n"
    run_nights(desk, HEAD + 'hash = ["id"]\n' + everyone, NIGHTS[:1])
    told = [one["message"] for one in warned(evaluated(desk, desk / "out"))]
    assert any("keys of the run stand for several customers each" in one for one in told)


def test_keys_that_are_one_once_they_are_hashed_in_several_runs(desk: Desk) -> None:
    """Those who share a key stay several, as in one run; which of them is in which arm, chance must not say."""
    desk.put("c.csv", "id\n" + "".join(f"k{n}\nK{n}\n" for n in range(200)))
    desk.put("o.csv", "id,day,amount\n" + "".join(f"k{n},2024-06-05,{n}\n" for n in range(150)))
    run_nights(desk, HEAD + 'hash = ["id"]\n[segment.letters]\neveryone = true\nholdout = 50\n', NIGHTS[:2])
    one, both = (evaluated(desk, *runs) for runs in ([desk / f"out/{NIGHTS[0]}"], [desk / "out", "--since", NIGHTS[0]]))
    assert figures(both) == figures(one)
    assert any("200 keys of the run stand for several customers each" in told["message"] for told in warned(both))


def test_keys_that_the_customer_file_writes_in_another_way(desk: Desk, orders: Orders) -> None:
    """`K7` and `k7` are one customer, who counts in the arm that he was drawn for first."""
    rules = HEAD.replace('key = "id"', 'key = "id"\nnormalise_keys = ["case"]', 1) + LETTERS
    run_nights(desk, rules, NIGHTS[:1])
    written, held = (in_lists(desk / "out/latest", name) for name in FILES.values())
    desk.put("c.csv", "id\n" + "".join(f"K{n}\n" for n in range(300)))
    run_nights(desk, rules, NIGHTS[1:2])
    now, held_now = (in_lists(desk / "out/latest", name) for name in FILES.values())
    found = evaluated(desk, *(desk / f"out/{night}" for night in NIGHTS[:2]))
    everybody = {key.lower() for key in written | held | now | held_now}
    assert sum(arm["customers"] for arm in figures(found).values()) == len(everybody)
    moved = len(written & {key.lower() for key in held_now} | held & {key.lower() for key in now})
    assert moved
    said = f"{moved} of segment `letters` are in another arm in a later run: they count in the first one"
    assert said in [one["message"] for one in warned(found)]


def test_a_rule_file_that_has_changed(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:1])
    run_nights(desk, HEAD + LETTERS + "# another\n", NIGHTS[1:2])
    [warning] = warned(evaluated(desk, desk / "out", "--since", NIGHTS[0]))
    assert warning["message"].startswith("the rule file has changed between these runs")


def test_runs_side_by_side_are_not_of_one_series(desk: Desk, orders: Orders) -> None:
    """A run of another directory has nothing to say, whatever its segments are called, and whether it is whole."""
    for name, night in (("one", NIGHTS[0]), ("two", NIGHTS[1])):
        rules = desk.put(f"{name}.toml", HEAD.replace("keep = 30\n", "").replace('"out"', f'"{name}"') + LETTERS)
        desk.segkit("apply", rules, "--as-of", night, "-q")
    assert warned(evaluated(desk, desk / "two")) == []
    (desk / "one/letters.csv").unlink()
    assert warned(evaluated(desk, desk / "two")) == []
    assert "keeps no runs of several days" in evaluated(desk, desk.folder, "--since", NIGHTS[0], code=2)


def test_an_earlier_run_that_is_not_whole_is_no_hindrance(desk: Desk, orders: Orders) -> None:
    run_nights(desk, HEAD + LETTERS, NIGHTS[:2])
    (desk / f"out/{NIGHTS[0]}/letters.csv").unlink()
    [warning] = warned(evaluated(desk, desk / "out"))
    assert warning["message"].startswith("segment `letters` was written on 2024-06-01, too")
