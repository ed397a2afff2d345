"""Five nights of the nightly example over data that grows, one of them bad; and the files that start it."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from tests.desk import Desk

SEGMENTS = ("welcome", "thanks", "win-back")
CUSTOMERS = "AdventureWorks_Customers.csv"
SALES = "AdventureWorks_Sales_{}.csv"
CARRIED_ON = 'history = true\ntrack = ["bought"]'
BOUGHT = """
[trait.days]
events = "orders"
measure = "days_since_last"
[trait.bought]
bands = { of = "days", edges = [7], labels = ["this week", "before"] }
"""


@pytest.fixture
def shop(desk: Desk, examples: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.date], None]:
    """A copy of the job that keeps three runs, and its exports, which `grow` brings up to a day."""
    exports = desk / "exports"
    exports.mkdir()
    monkeypatch.setenv("EXPORTS", str(exports))
    data = examples / "adventureworks"
    shutil.copy(data / CUSTOMERS, exports)
    for year in (2015, 2016):
        shutil.copy(data / SALES.format(year), exports)
    sales = pl.read_csv(data / SALES.format(2017), infer_schema=False)
    days = sales["OrderDate"].str.to_date("%m/%d/%Y")
    rules = (examples / "nightly" / "rules.toml").read_text().replace("keep = 7", "keep = 3\n" + CARRIED_ON)
    rules = rules.replace('id = "OrderNumber"\n', 'id = "OrderNumber"\namount = "OrderQuantity"\n')
    desk.put("rules.toml", rules + BOUGHT)

    def grow(day: dt.date) -> None:
        sales.filter(days <= day).write_csv(exports / SALES.format(2017))

    return grow


def night(desk: Desk, day: dt.date, code: int = 0) -> Result:
    return desk.segkit("apply", desk / "rules.toml", "--as-of", day, "-q", "--log", desk / "runs.log", code=code)


def log(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (desk / "runs.log").read_text().splitlines()]


def lists(desk: Desk, run: str = "latest") -> dict[str, set[str]]:
    return {name: {r["CustomerKey"] for r in desk.read(f"lists/{run}/{name}.csv")} for name in SEGMENTS}


def bought(desk: Desk, night: dt.date) -> dict[str, str]:
    """Of who has ordered by then, when they did so last."""
    found: dict[str, str] = {}
    for row in (row for year in (2015, 2016, 2017) for row in desk.read(f"exports/{SALES.format(year)}")):
        days = (night - dt.datetime.strptime(row["OrderDate"], "%m/%d/%Y").date()).days
        if days >= 0:
            found[row["CustomerKey"]] = "this week" if days < 7 else found.get(row["CustomerKey"], "before")
    return found


def moves(desk: Desk, before: dt.date, now: dt.date) -> Counter[tuple[str | None, str | None]]:
    """How many of the customers had ordered so then, and so now."""
    customers = (desk / "exports" / CUSTOMERS).read_text(encoding="cp1252").splitlines()
    keys = [row["CustomerKey"] for row in csv.DictReader(customers)]
    then, since = bought(desk, before), bought(desk, now)
    return Counter((then.get(key), since.get(key)) for key in keys)


def history(desk: Desk, seen: dict[dt.date, dict[str, set[str]]]) -> list[dict[str, str]]:
    """The lines of the history once more, in plain Python: of each night, and of what its members bought until the next."""
    orders = [row for year in (2015, 2016, 2017) for row in desk.read(f"exports/{SALES.format(year)}")]
    nights = list(seen)
    lines = []
    for place, night in enumerate(nights):
        for name in SEGMENTS:
            now, before = seen[night][name], seen[nights[place - 1]][name] if place else None
            line = {"as_of": str(night), "segment": name, "customers": counted(len(now)), "entered": "", "left": ""}
            line |= dict.fromkeys(["stayed_percent", "buyers", "conversion", "revenue", "per_customer"], "")
            if before is not None:
                stayed, left = len(now & before), len(before - now)
                if all(map(counted, (stayed, left, len(now) - stayed))):
                    line |= {"entered": str(len(now) - stayed), "left": str(left)}
                else:  # one tells the others
                    stayed = len(before) - 5 * round(left / 5)
                line["stayed_percent"] = str(round(100 * stayed / len(before), 6))
            if night != nights[-1]:
                bought: dict[str, int] = {}
                for row in orders:
                    day = dt.datetime.strptime(row["OrderDate"], "%m/%d/%Y").date()
                    if night < day <= nights[place + 1] and row["CustomerKey"] in now:
                        bought[row["CustomerKey"]] = bought.get(row["CustomerKey"], 0) + int(row["OrderQuantity"])
                if counted(len(bought)):
                    line |= {"buyers": str(len(bought)), "conversion": str(round(len(bought) / len(now), 6))}
                    spent = sum(bought.values())
                    line |= {"revenue": str(spent), "per_customer": str(round(spent / len(now), 6))}
            lines.append(line)
    return lines


def counted(number: int) -> str:
    """A count of few customers is not told."""
    return "" if 0 < number < 5 else str(number)


def test_five_nights(desk: Desk, shop: Callable[[dt.date], None]) -> None:
    days = [dt.date(2017, 6, 25) + dt.timedelta(n) for n in range(5)]
    seen = {}
    for day in days[:2]:
        shop(day)
        done = night(desk, day)
        assert (done.stdout, done.stderr) == ("", "")
        seen[day] = lists(desk)
    assert seen[days[0]] != seen[days[1]]

    # The third night: first half a line, then a file that ends too early.
    before = desk.tree("lists")
    shop(days[2])
    export = desk / "exports" / SALES.format(2017)
    whole = export.read_bytes()
    export.write_bytes(whole + b"6/27/2017,2/3/2004,SO7")
    assert "fields" in night(desk, days[2], 3).stderr
    assert desk.tree("lists") == before
    export.write_bytes(b"\n".join(whole.splitlines()[:9_000]) + b"\n")
    failed = night(desk, days[2], 1).stderr
    assert "`max_change_percent` is 50" in failed
    assert desk.tree("lists") == before
    assert lists(desk) == seen[days[1]]

    for day in days[3:]:  # the next nights go on where the last good one left
        shop(day)
        night(desk, day)
        seen[day] = lists(desk)

    # Three runs are kept; the first went.
    kept = [str(day) for day in seen][1:]
    assert sorted(p.name for p in (desk / "lists").iterdir()) == [*kept, "latest"]
    for run in kept:
        assert lists(desk, run) == seen[dt.date.fromisoformat(run)]

    # The history has a line for each segment on each good night, though only three runs are kept.
    assert desk.read("lists/latest/run/history.csv") == history(desk, seen)

    # And it is known who has come back, and who has gone quiet.
    told = json.loads(desk.segkit("history", desk / "lists", "--moves", "--json").stdout)
    came_back = moves(desk, days[3], days[4])
    assert {(one["from"], one["to"]): one["customers"] for one in told["moves"]} == {
        move: number if counted(number) else None for move, number in came_back.items()
    }
    assert came_back["this week", "before"] and came_back["before", "this week"] and came_back[None, "this week"]

    # The log has a line for each run, and says what changed since the last good one.
    runs = log(desk)
    assert [(run["outcome"], run["exit_code"]) for run in runs] == [
        ("published", 0), ("published", 0), ("failed", 3), ("failed", 1), ("published", 0), ("published", 0),
    ]  # fmt: skip
    assert runs[2]["errors"][0]["place"].startswith(str(export))
    assert [e["message"] for e in runs[3]["errors"] if "welcome" in e["message"]]
    good = list(seen.values())
    for line, old, new in zip([runs[1], *runs[4:]], good, good[1:], strict=False):
        found = {s["name"]: (s["entered"], s["left"]) for s in line["segments"]}
        assert found == {n: (len(new[n] - old[n]), len(old[n] - new[n])) for n in SEGMENTS}

    # And so says `diff`, over the bad night.
    args = ("diff", desk / "lists" / kept[0], desk / "lists" / kept[1], "--json", "--moved", desk / "moved.csv")
    told = json.loads(desk.segkit(*args).stdout)
    old, new = seen[days[1]], seen[days[3]]
    assert {s["name"]: s["stayed"] for s in told["segments"]} == {n: len(new[n] & old[n]) for n in SEGMENTS}
    place = [{k: n for n in SEGMENTS for k in run[n]} for run in (old, new)]
    moved = {(r["CustomerKey"], r["from"], r["to"]) for r in desk.read("moved.csv")}
    keys = place[0].keys() | place[1].keys()
    pairs = {(k, place[0].get(k, ""), place[1].get(k, "")) for k in keys}
    assert moved == {(k, a, b) for k, a, b in pairs if a != b}
    desk.segkit("diff", desk / "lists/latest", desk / "lists", "--exit-code")


def test_what_came_of_the_nights(desk: Desk, shop: Callable[[dt.date], None]) -> None:
    """Each customer counts from the first of the nights that had him, written or in the control group."""
    rules = (desk / "rules.toml").read_text().replace("[assignment]\n", "[assignment]\ncontrol = 30\n")
    desk.put("rules.toml", rules.replace("keep = 3\n", "keep = 5\n"))
    days = [dt.date(2017, 6, 10) + dt.timedelta(n) for n in range(5)]
    arms: dict[str, dict[str, dict[str, dt.date]]] = {n: {"control": {}, "written": {}} for n in SEGMENTS}
    for day in days:
        shop(day)
        night(desk, day)
        control = [(row["CustomerKey"], row["segment"]) for row in desk.read("lists/latest/control.csv")]
        for name in SEGMENTS:
            of = {"control": {key for key, segment in control if segment == name}, "written": lists(desk)[name]}
            for arm, keys in of.items():
                for key in keys:
                    arms[name][arm].setdefault(key, day)
    shop(dt.date(2017, 6, 30))  # two weeks later, the orders are there
    options = ("--since", days[0], "--within", "2 weeks", "--json")
    told = json.loads(desk.segkit("evaluate", desk / "lists", *options).stdout)
    assert told["runs"] == [str(day) for day in days]
    found = {
        s["name"]: {a["name"]: (a["customers"], a["buyers"], a["revenue"]) for a in s["arms"]} for s in told["segments"]
    }
    orders = desk.read(f"exports/{SALES.format(2017)}")
    for name in SEGMENTS:
        for arm, first in arms[name].items():
            spent: dict[str, int] = {}
            for row in orders:
                key, day = row["CustomerKey"], dt.datetime.strptime(row["OrderDate"], "%m/%d/%Y").date()
                if key in first and first[key] < day <= first[key] + dt.timedelta(14):
                    spent[key] = spent.get(key, 0) + int(row["OrderQuantity"])
            assert found[name][arm] == (len(first), len(spent), sum(spent.values())), (name, arm)
    assert all(len(first) > 5 for of in arms.values() for first in of.values())


def test_the_rule_file_has_nothing_wrong_with_it(desk: Desk, examples: Path) -> None:
    done = desk.segkit("check", examples / "nightly/rules.toml", "--data", "--json")
    found = json.loads(done.stdout)["diagnostics"]
    # The orders end in 2017: of today, nobody has ordered in the last seven days, and lists are shorter than expected.
    warned = {(one["code"], one["segment"]) for one in found if one["severity"] != "note"}
    short = {(code, name) for code in ("SEG202", "SEG209") for name in ("welcome", "thanks")}
    assert warned == {("SEG031", None), *short}


def commands(examples: Path) -> list[str]:
    """What cron and systemd run."""
    crontab = (examples / "nightly/crontab").read_text()
    service = (examples / "nightly/segkit-nightly.service").read_text()
    found = [line.split("&&")[1] for line in crontab.splitlines() if "segkit" in line and not line.startswith("#")]
    return found + re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)


def test_the_commands_of_cron_and_systemd_are_those_of_segkit(desk: Desk, examples: Path) -> None:
    found = commands(examples)
    assert len(found) == 2
    desk.put("c.csv", "id\na\n")
    desk.put("rules.toml", 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[segment.s]\neveryone = true\n')
    for command in found:
        program, *args = shlex.split(command)
        assert program.endswith(".venv/bin/segkit")
        done = desk.process(*args)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [line["outcome"] for line in log(desk)] == ["published", "published"]


def test_a_line_of_the_crontab_has_five_times(examples: Path) -> None:
    (line,) = [line for line in (examples / "nightly/crontab").read_text().splitlines() if re.match(r"[\d*]", line)]
    assert re.fullmatch(r"(?:[\d*/,-]+ ){5} cd /srv/crm && \.venv/bin/segkit apply .*", line)
    assert "%" not in line  # a new line, to cron


def test_the_units_are_well_formed(desk: Desk, examples: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    for name in ("segkit-nightly.service", "segkit-nightly.timer"):
        text = (examples / "nightly" / name).read_text()
        # The program and the user are those of another machine.
        text = re.sub(r"/srv/crm/\.venv/bin/segkit", "/bin/true", text).replace("User=crm\n", "")
        desk.put(name, text)
    files = [str(desk / "segkit-nightly.service"), str(desk / "segkit-nightly.timer")]
    command = ["systemd-analyze", "verify", "--man=no", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "segkit-nightly" in line]
    assert ours == []
