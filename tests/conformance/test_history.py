"""The history that runs carry on: sizes, who came and went, what members bought since; against plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from click.testing import Result

import segkit
from tests.desk import Desk
from tests.server import Server, needs_server, new_schema

SEGMENTS = ("young", "buyers", "town")
RULES = """version = 1
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
where.kind = "order"
[output]
directory = "out"
history = true
{output}
[segment.young]
demographic.age.below = 40
[segment.buyers]
behavioural.did = {{ events = "orders", within = "5 days" }}
[segment.town]
geographic.town = ["X", "Y"]
"""
DAYS = ["2024-06-03", "2024-06-07", "2024-06-07", "2024-06-16"]
COLUMNS = [
    "as_of", "segment", "customers", "entered", "left", "stayed_percent", "buyers", "conversion", "revenue",
    "per_customer",
]  # fmt: skip


def rules(output: str = "", text: str = RULES) -> str:
    return text.format(output=output)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Orders of a month, also of people who are no customers; refunds count, gifts do not."""
    chance = random.Random(11)
    lines = []
    for _ in range(400):
        kind = chance.choice(["order", "order", "gift"])
        amount = Decimal(chance.randrange(-2_000, 20_000)) / 100
        lines.append(f"k{chance.randrange(130)},2024-06-{chance.randrange(1, 29):02d},{amount},{kind}")
    desk.put("o.csv", "id,day,amount,kind\n" + "\n".join(lines) + "\n")
    return desk


def grow(desk: Desk, step: int) -> None:
    """The customers of another night: some come, some go, all have other ages and towns."""
    chance = random.Random(step)
    keys = chance.sample(range(120), 90)
    rows = [f"k{key},{chance.randrange(18, 80)},{chance.choice('XYZ')},k{key}\n" for key in keys]
    desk.put("c.csv", "id,age,town,code\n" + "".join(rows))


class Diary:
    """Runs of a shop, and what its history has to say of them by then: plain Python, from the lists of plain runs."""

    def __init__(self, desk: Desk, text: str, *options: object, fewest: int = 5) -> None:
        self.desk, self.text, self.options, self.fewest = desk, text, options, fewest
        self.members: dict[str, dict[str, set[str]]] = {}
        self.bought: dict[str, dict[str, tuple[int, Decimal]]] = {}

    def night(self, step: int, day: str, *options: object) -> Result:
        """A run over the data of a night; of a day, the last one counts."""
        grow(self.desk, step)
        done = self.desk.apply(self.text, "--as-of", day, *self.options, *options)
        self.note(day)
        return done

    def note(self, day: str) -> None:
        before = max((one for one in self.members if one < day), default=None)
        if before:
            customers = {row["id"] for row in self.desk.read("c.csv")}
            since = spent(self.desk, before, day)
            self.bought[before] = {}
            for name, keys in self.members[before].items():
                own = [since[key] for key in keys & customers if key in since]
                self.bought[before][name] = (len(own), sum(own, Decimal()))
        plain = self.desk.put("plain.toml", rules().replace("history = true", ""))
        self.desk.segkit("apply", plain, "-o", self.desk / "plain", "--as-of", day, "-q")
        self.members[day] = {name: {row["id"] for row in self.desk.read(f"plain/{name}.csv")} for name in SEGMENTS}

    def lines(self) -> list[dict[str, Any]]:
        return [self._line(day, name, before) for before, day in self._pairs() for name in self.members[day]]

    def _pairs(self) -> Iterator[tuple[str | None, str]]:
        days = sorted(self.members)
        return zip([None, *days], days, strict=False)

    def _few(self, number: int) -> bool:
        return 0 < number < self.fewest

    def _count(self, number: int) -> int | str:
        return "" if self._few(number) else number

    def _line(self, day: str, name: str, day_before: str | None) -> dict[str, Any]:
        now = self.members[day][name]
        line: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        line |= {"as_of": day, "segment": name, "customers": self._count(len(now))}
        if day_before and name in self.members[day_before]:
            before = self.members[day_before][name]
            entered, left, stayed = len(now - before), len(before - now), len(before & now)
            if not any(map(self._few, (entered, left, stayed))):
                line |= {"entered": entered, "left": left}
                line["stayed_percent"] = round(100 * stayed / len(before), 6) if before else ""
            elif stayed >= self.fewest:
                steps = min(len(before), round(left / self.fewest) * self.fewest)
                line["stayed_percent"] = round(100 * (len(before) - steps) / len(before), 6)
        buyers, revenue = self.bought.get(day, {}).get(name, (None, None))
        if now and buyers is not None and revenue is not None and not self._few(len(now)) and not self._few(buyers):
            line |= {"buyers": buyers, "conversion": round(buyers / len(now), 6), "revenue": revenue}
            line["per_customer"] = round(float(revenue) / len(now), 6)
        return line


def spent(desk: Desk, after: str, until: str) -> dict[str, Decimal]:
    """Who has bought in these days, the first excluded, and for how much."""
    found: dict[str, Decimal] = {}
    for row in desk.read("o.csv"):
        if row["kind"] == "order" and after < row["day"] <= until:
            found[row["id"]] = found.get(row["id"], Decimal()) + Decimal(row["amount"])
    return found


def history(desk: Desk, folder: str = "out") -> list[dict[str, Any]]:
    """The lines of a run, numbers as numbers."""
    return numbers(desk.read(f"{folder}/run/history.csv"))


def numbers(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    texts = ("as_of", "segment")
    return [{k: v if k in texts or v == "" else Decimal(str(v)) for k, v in line.items()} for line in lines]


FORMS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lists": ("", "out", ()),
    "parquet": ('format = "parquet"', "out", ()),
    "kept runs": ("keep = 2", "out/latest", ()),
    "changes": ("changes = true", "out", ()),
    "changes of kept runs": ("changes = true\nkeep = 1", "out/latest", ()),
    "hashed": ('hash = ["id"]', "out", ()),
    "pseudonyms": ('pseudonymise = ["id"]', "out", ()),
    "in a table": ('to = "sqlite:lists.db"\ntable = "lists"', "out", ()),
    "in buckets": ("", "out", ("--buckets", "3")),
    "all counts": ("min_cell = 1", "out", ()),
    "few counts": ("min_cell = 12", "out", ()),
}


@pytest.mark.parametrize("form", FORMS)
def test_lines(shop: Desk, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sizes, of those who came and went, and of what they bought; a day that is run again has new ones."""
    if form in ("hashed", "pseudonyms"):
        pytest.importorskip("polars_hash")
    monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", "k" * 32)
    output, folder, options = FORMS[form]
    fewest = {"all counts": 1, "few counts": 12}.get(form, 5)
    diary = Diary(shop, rules(output), *options, fewest=fewest)
    for step, day in enumerate(DAYS):
        diary.night(step, day)
        assert list(shop.read(f"{folder}/run/history.csv")[0]) == COLUMNS
        assert history(shop, folder) == numbers(diary.lines())
    filled = {name for line in history(shop, folder) for name, value in line.items() if value != ""}
    assert filled == {*COLUMNS}
    kept = shop.folder / folder / "run/before.parquet"
    before = diary.members["2024-06-07"]
    rows = pl.read_parquet(kept)
    assert set(rows["as_of"]) == {"2024-06-07"}
    assert dict(rows.group_by("segment").len().rows()) == {name: len(keys) for name, keys in before.items() if keys}
    assert (set(rows["key"]) <= {f"k{n}" for n in range(130)}) == (form not in ("hashed", "pseudonyms"))


@pytest.fixture
def postgres() -> Iterator[Server]:
    """A schema of its own."""
    yield from new_schema()


@needs_server
def test_changes_that_are_appended_to_a_table(shop: Desk, postgres: Server) -> None:
    to = f'to = "{postgres.url}"\ntable = "lists"\nload = "append_changes"'
    diary = Diary(shop, rules(to))
    for step, day in enumerate(DAYS):
        diary.night(step, day)
        assert history(shop) == numbers(diary.lines())


def test_a_customer_in_one_segment_alone(shop: Desk) -> None:
    text = rules().replace("[output]", '[assignment]\nmode = "exclusive"\n[output]')
    for step, day in enumerate(DAYS):
        grow(shop, step)
        shop.apply(text, "--as-of", day, "-q")
        found = {row["segment"]: row for row in history(shop) if row["as_of"] == day}
        assert {name: len(shop.read(f"out/{name}.csv")) for name in SEGMENTS} == {n: found[n]["customers"] for n in SEGMENTS}  # fmt: skip


def test_a_day_before_the_last_one_adds_nothing(shop: Desk) -> None:
    """And takes nothing away: the next run goes on from the last day, also where that is run again."""
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    diary.night(1, DAYS[1])
    before = (shop / "out/run/history.csv").read_bytes()
    for day in ("2024-06-05", "2024-06-01"):
        grow(shop, 7)
        told = json.loads(shop.apply(diary.text, "--as-of", day, "--json").stdout)
        assert f"the history goes until 2024-06-07: this run, of {day}, adds nothing to it" in [
            note["message"] for note in told["notes"]
        ]
        assert (shop / "out/run/history.csv").read_bytes() == before
    diary.night(2, DAYS[1])
    assert history(shop) == numbers(diary.lines())
    grow(shop, 8)
    shop.apply(diary.text, "--as-of", "2024-06-05", "-q")
    diary.night(3, DAYS[3])
    assert history(shop) == numbers(diary.lines())


IN_A_TABLE = 'to = "sqlite:lists.db"\ntable = "lists"'


def test_what_select_leaves_out_has_no_line(shop: Desk) -> None:
    """What is known of it stays, so the next run tells who came and went since."""
    diary = Diary(shop, rules(IN_A_TABLE))
    diary.night(0, DAYS[0])
    diary.night(1, DAYS[1], "--select", "young")
    # The lists of the others are those of the first night still.
    for name in ("buyers", "town"):
        diary.members[DAYS[1]][name] = diary.members[DAYS[0]][name]
    diary.night(3, DAYS[3])
    left_out = [line for line in diary.lines() if (line["as_of"], line["segment"]) not in {(DAYS[1], "buyers"), (DAYS[1], "town")}]  # fmt: skip
    found = history(shop)
    assert [(line["as_of"], line["segment"]) for line in found] == [
        (line["as_of"], line["segment"]) for line in left_out
    ]
    assert [line for line in found if line["as_of"] == DAYS[3]] == [
        line for line in numbers(left_out) if line["as_of"] == DAYS[3]
    ]


def test_a_day_that_is_run_again_for_one_segment(shop: Desk) -> None:
    diary = Diary(shop, rules(IN_A_TABLE))
    diary.night(0, DAYS[0])
    diary.night(1, DAYS[1])
    first = diary.members[DAYS[1]]
    diary.night(2, DAYS[1], "--select", "town")
    diary.members[DAYS[1]] |= {name: first[name] for name in ("young", "buyers")}
    counts = ("customers", "entered", "left", "stayed_percent")
    assert [[line[c] for c in counts] for line in history(shop)] == [
        [line[c] for c in counts] for line in numbers(diary.lines())
    ]


def test_runs_before_the_history(shop: Desk) -> None:
    """They have no lines, but tell who was there."""
    diary = Diary(shop, rules().replace("history = true", ""))
    diary.night(0, DAYS[0])
    diary.text = rules()
    diary.night(1, DAYS[1])
    assert history(shop) == [line for line in numbers(diary.lines()) if line["as_of"] == DAYS[1]]


def test_members_who_are_no_customers_any_more(desk: Desk) -> None:
    """What they have bought is not known, and that is said."""
    text = rules().split("[segment.young]")[0] + "[segment.all]\neveryone = true\n"
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(50)))
    desk.put("o.csv", "id,day,amount,kind\n" + "".join(f"k{n},2024-06-05,1,order\n" for n in range(50)))
    desk.apply(text, "--as-of", DAYS[0])
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(10, 50)))
    said = desk.apply(text, "--as-of", DAYS[1]).stdout
    assert "10 of the 50 members of 2024-06-03 are no customers any more" in " ".join(said.split())
    assert "no customers any more" not in desk.apply(text, "--as-of", DAYS[3]).stdout
    assert history(desk)[0]["buyers"] == 40


def test_the_end_of_a_history_is_told(shop: Desk) -> None:
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    ended = " ".join(shop.apply(rules().replace("history = true", ""), "--as-of", DAYS[1]).stdout.split())
    assert "ends: the rules do not say `history = true` any more" in ended
    again = shop.apply(rules().replace("history = true", ""), "--as-of", DAYS[1]).stdout
    assert "any more" not in again


def test_previous_tells_where_the_history_goes_on_in_a_new_place(shop: Desk) -> None:
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0], "-o", shop / "one")
    diary.night(1, DAYS[1], "-o", shop / "two", "--previous", shop / "one")
    assert history(shop, "two") == numbers(diary.lines())


def test_from_python(shop: Desk) -> None:
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    grow(shop, 1)
    segkit.apply(shop / "rules.toml", as_of=dt.date.fromisoformat(DAYS[1])).write()
    diary.note(DAYS[1])
    assert history(shop) == numbers(diary.lines())


def test_a_run_in_between_leaves_a_gap(shop: Desk) -> None:
    """Of whom purchases were asked is not whom they are to be told of."""
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    run = segkit.apply(shop / "rules.toml", as_of=dt.date.fromisoformat(DAYS[3]))
    shop.apply(diary.text, "--as-of", DAYS[1], "-q")
    diary.note(DAYS[1])
    told = run.write().warnings
    assert [one.message for one in told] == [
        "what the members of 2024-06-07 have bought since is not known: another run has come in between"
    ]
    diary.note(DAYS[3])
    del diary.bought[DAYS[1]]
    assert history(shop) == numbers(diary.lines())


def test_a_segment_that_is_new_and_one_that_is_gone(shop: Desk) -> None:
    shop_rules = rules()
    diary = Diary(shop, shop_rules)
    diary.night(0, DAYS[0])
    grow(shop, 1)
    shop.apply(shop_rules.replace("[segment.town]", "[segment.place]"), "--as-of", DAYS[1], "-q")
    diary.note(DAYS[1])
    found = {(line["as_of"], line["segment"]): line for line in history(shop)}
    assert [name for day, name in found if day == DAYS[1]] == ["young", "buyers", "place"]
    assert found[DAYS[1], "place"]["entered"] == found[DAYS[1], "place"]["stayed_percent"] == ""
    [town] = [line for line in numbers(diary.lines()) if (line["as_of"], line["segment"]) == (DAYS[0], "town")]
    assert found[DAYS[0], "town"] == town  # what its members have bought is known all the same
    assert "With another rule file than in the run before: 2024-06-07" in shop.segkit("history", shop / "out").stdout
    assert told(shop)["rules_changed"] == ["2024-06-07"]
    shop.apply(shop_rules.replace("[segment.town]", "[segment.place]"), "--as-of", DAYS[1], "-q")
    assert told(shop)["rules_changed"] == ["2024-06-07"]
    shop.apply(shop_rules, "--as-of", DAYS[1], "-q")
    assert told(shop)["rules_changed"] == []


def test_without_money(shop: Desk) -> None:
    """Events without an amount tell who has bought, and nothing of money."""
    diary = Diary(shop, rules().replace('amount = "amount"\n', ""))
    for step, day in enumerate(DAYS):
        diary.night(step, day)
    wanted = [line | {"revenue": "", "per_customer": ""} for line in numbers(diary.lines())]
    assert history(shop) == wanted
    assert any(line["buyers"] for line in wanted)


def test_sums_beyond_all_money(shop: Desk) -> None:
    """What customers spent fits where the sum of all of them does not."""
    spent = [Decimal("9.5e27") if n % 2 else Decimal("-0.01") for n in range(120)]
    orders = {"id": [f"k{n}" for n in range(120)], "day": [dt.date(2024, 6, 5)] * 120, "kind": ["order"] * 120}
    shop.put("o.parquet", pl.DataFrame({**orders, "amount": pl.Series(spent, dtype=pl.Decimal(38, 10))}))
    text = rules().replace("o.csv", "o.parquet")
    grow(shop, 0)
    shop.apply(text, "--as-of", DAYS[0], "-q")
    members = [row["id"] for row in shop.read("out/young.csv")]
    shop.apply(text, "--as-of", DAYS[1], "-q")
    cents = sum(int(spent[int(key[1:])] * 100) for key in members)
    assert shop.read("out/run/history.csv")[0]["revenue"] == f"{cents // 100}.{cents % 100}" and cents > 10**30


def test_without_events(shop: Desk) -> None:
    text = rules()
    text = text[: text.index("[events.orders]")] + text[text.index("[output]") : text.index("[segment.buyers]")]
    for step, day in enumerate(DAYS):
        grow(shop, step)
        shop.apply(text, "--as-of", day, "-q")
    empty = ("buyers", "conversion", "revenue", "per_customer")
    assert len(history(shop)) == 3 and {line[name] for line in history(shop) for name in empty} == {""}
    assert "young" in shop.segkit("history", shop / "out").stdout


def test_lists_that_are_gone_leave_a_gap(shop: Desk) -> None:
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    (shop / "out/town.csv").unlink()
    done = diary.night(1, DAYS[1])
    said = " ".join(done.stdout.split())
    assert "the history has a gap, since nobody knows who was in the segments on 2024-06-03" in said
    alone = ("customers",)
    wanted = [
        {n: v if n in ("as_of", "segment", *alone) else "" for n, v in line.items()} for line in numbers(diary.lines())
    ]
    assert history(shop) == wanted
    diary.night(3, DAYS[3])
    found, whole = history(shop), numbers(diary.lines())
    assert found[6:] == whole[6:]
    assert [line["revenue"] for line in found] == ["", "", "", *(line["revenue"] for line in whole[3:])]


FAILS: dict[str, tuple[str, str]] = {
    "hashed now": ('hash = ["id"]', "the keys cannot be compared: `out` has them as they are, this run hashed"),
    "another key": ("", "the keys cannot be compared: `out` has those of column `id`, this run of `code`"),
}


@pytest.mark.parametrize("how", FAILS)
def test_other_keys(shop: Desk, how: str) -> None:
    """The history would end: nothing is written."""
    pytest.importorskip("polars_hash")
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    before = shop.tree("out")
    output, message = FAILS[how]
    text = rules(output)
    if how == "another key":
        text = text.replace('key = "id"\n', 'key = "code"\n').replace(
            "[events.orders]\n", '[events.orders]\nkey = "id"\n'
        )
    for more in ((), ("--dry-run",)):
        done = shop.apply(text, "--as-of", DAYS[1], *more, code=3)
        assert message in " ".join(done.stderr.split()).replace(f"{shop.folder}/", "")
    assert shop.tree("out") == before


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (100, {"entered": 0, "left": 0, "stayed_percent": 100.0}),
        (103, {"stayed_percent": 100.0}),
        (105, {"entered": 5, "left": 0, "stayed_percent": 100.0}),
        (98, {"stayed_percent": 100.0}),
        (97, {"stayed_percent": 95.0}),
        (95, {"entered": 0, "left": 5, "stayed_percent": 95.0}),
        (4, {}),
        (0, {"entered": 0, "left": 100, "stayed_percent": 0.0}),
    ],
)
def test_who_entered_and_left_and_stayed_tell_each_other(desk: Desk, now: int, expected: Mapping[str, float]) -> None:
    """With the sizes of both days, one of the three tells the others, so none is told where one is of a few."""
    text = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\nhistory = true\n'
    for day, size in (("2024-06-03", 100), ("2024-06-04", now)):
        desk.put("c.csv", "id,in\n" + "".join(f"k{n},{n < size}\n" for n in range(110)))
        desk.apply(text + "[segment.young]\ndemographic.in = true\n", "--as-of", day)
    [line] = json.loads(desk.segkit("history", desk / "out", "--json").stdout)["segments"][0]["lines"][1:]
    told = {name: line[name] for name in ("entered", "left", "stayed_percent") if line[name] is not None}
    assert told == expected


@pytest.mark.parametrize("harm", ["longer", "gone", "other text", "as long", "another column"])
def test_a_history_that_cannot_be_read(shop: Desk, harm: str) -> None:
    diary = Diary(shop, rules())
    diary.night(0, DAYS[0])
    path = shop / "out/run/history.csv"
    content = path.read_text()
    match harm:
        case "longer":
            path.write_text(content + "2024-06-04,young,1\n")
        case "gone":
            path.unlink()
        case "as long":
            path.write_text("x" * len(content))
        case "another column":
            path.write_text(content.replace("entered", "joined!", 1))
        case _:
            path.write_text(content.replace("0", "x"))
    before = shop.tree("out")
    said = shop.apply(diary.text, "--as-of", DAYS[1], code=3).stderr
    assert "with it moved away, all begins anew" in " ".join(said.split())
    assert shop.tree("out") == before
    shop.segkit("history", shop / "out", code=3)


def test_nothing_of_a_customer_is_in_the_history(shop: Desk) -> None:
    pytest.importorskip("polars_hash")
    diary = Diary(shop, rules('hash = ["id"]'))
    diary.night(0, DAYS[0])
    diary.night(1, DAYS[1])
    keys = [f"k{n}".encode() for n in range(130)]
    rows = pl.read_parquet(shop / "out/run/before.parquet")
    assert set(rows["key"].str.len_chars()) == {64}
    for name in ("run/history.csv", "manifest.json"):
        content = (shop / "out" / name).read_bytes()
        assert not [key for key in keys if b'"' + key + b'"' in content or b"," + key in content]


# --- the command ---


def told(desk: Desk, *options: object, folder: str = "out") -> Any:
    return json.loads(desk.segkit("history", desk / folder, "--json", *options).stdout)


@pytest.mark.parametrize("output", ["min_cell = 1", "min_cell = 1\nkeep = 2"])
def test_what_the_lines_come_to(shop: Desk, output: str) -> None:
    diary = Diary(shop, rules(output))
    for step, day in enumerate(DAYS):
        diary.night(step, day)
    found = told(shop)
    assert found["runs"] == sorted(set(DAYS)) and found["rules_changed"] == []
    assert [segment["name"] for segment in found["segments"]] == list(SEGMENTS)
    days = sorted(diary.members)
    for segment in found["segments"]:
        name = segment["name"]
        assert len(segment["lines"]) == 3
        sizes = [len(diary.members[day][name]) for day in days]
        assert (segment["first"], segment["last"]) == (sizes[0], sizes[-1])
        stayed = sum(len(diary.members[a][name] & diary.members[b][name]) for a, b in pairwise(days))
        assert segment["stayed_percent"] == pytest.approx(100 * stayed / sum(sizes[:-1]), abs=1e-5)
        buyers, revenue = (sum(diary.bought[day][name][n] for day in days[:-1]) for n in (0, 1))
        assert segment["buyers"] == buyers
        assert segment["conversion"] == pytest.approx(buyers / sum(sizes[:-1]), abs=1e-6)
        assert segment["per_customer"] == pytest.approx(float(revenue) / sum(sizes[:-1]), abs=1e-6)
    shown = shop.segkit("history", shop / "out").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    [line] = [line for line in shown.splitlines() if line.startswith("town")]
    town = found["segments"][2]
    assert f"{town['buyers']:,}" in line and f"{town['per_customer']:.2f}" in line
    assert any(bar in line for bar in "▁▂▃▄▅▆▇█")


def test_lines_as_a_file(shop: Desk) -> None:
    diary = Diary(shop, rules())
    for step, day in enumerate(DAYS):
        diary.night(step, day)
    done = shop.segkit("history", shop / "out", "-o", "-", "--segment", "town")
    rows = numbers(csv.DictReader(done.stdout.splitlines()))
    assert rows == [line for line in numbers(diary.lines()) if line["segment"] == "town"]
    assert "town" in done.stderr and "young" not in done.stderr
    shop.segkit("history", shop / "out", "-o", shop / "rows.parquet", "-q")
    frame = pl.read_parquet(shop / "rows.parquet")
    assert frame.columns == COLUMNS and frame.schema["as_of"] == pl.Date and len(frame) == 9


def test_errors(shop: Desk) -> None:
    assert "holds no run" in shop.segkit("history", shop / "nowhere", code=3).stderr
    Diary(shop, rules().replace("history = true", "")).night(0, DAYS[0])
    said = shop.segkit("history", shop / "out", code=2).stderr
    assert "keeps no history" in said and "say `history = true` in `[output]`" in said
    Diary(shop, rules()).night(0, DAYS[0])
    assert "did you mean `town`?" in shop.segkit("history", shop / "out", "--segment", "twon", code=2).stderr
    shop.segkit("history", shop / "out", "-o", shop / "rows.doc", code=2)
    assert not shop.segkit("history", shop / "out", "-q").stdout


def test_months_of_runs_fit_the_screen(shop: Desk) -> None:
    """Of more runs than there is room for, some are drawn."""
    grow(shop, 0)
    lines = [f"2023-{1 + n // 28:02d}-{1 + n % 28:02d},town,{50 + n},,,,,,," for n in range(300)]
    shop.apply(rules(), "--as-of", DAYS[0], "-q")
    path, manifest = shop / "out/run/history.csv", shop / "out/manifest.json"
    path.write_text(",".join(COLUMNS) + "\n" + "\n".join(lines) + "\n")
    content = json.loads(manifest.read_text())
    content["bytes"]["run/history.csv"] = path.stat().st_size
    manifest.write_text(json.dumps(content))
    shown = shop.segkit("history", shop / "out").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "300 runs" in shown and "▁▂▃▄▅▆▇█" in shown


def test_a_history_without_a_segment_that_is_written(desk: Desk) -> None:
    desk.put("c.csv", "id\nk1\n")
    head = '[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\nhistory = true\n'
    desk.apply(f"version = 1\n{head}[segment.all]\neveryone = true\nwrite = false\n", "--as-of", "2024-06-01")
    assert "no segment was written yet" in " ".join(desk.segkit("history", desk / "out").stdout.split())
    assert json.loads(desk.segkit("history", desk / "out", "--json").stdout)["segments"] == []
