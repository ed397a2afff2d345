"""What the manifest keeps of all customers, so that a report can be drawn: against plain Python."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from decimal import Decimal
from statistics import median
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk

RULES = """version = 1
as_of = 2024-06-30
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
id = "number"
amount = "amount"
[rfm]
events = "orders"
bins = 3
[lifecycle]
events = "orders"
[output]
directory = "out"
columns = ["id", "recency_days", "frequency", "monetary", "r_score", "f_score", "rfm_segment", "lifecycle"]
{output}
[segment.all]
everyone = true
[segment.young]
demographic.age.below = 30
[segment.rich]
rfm.monetary.min = 100
[segment.town]
geographic.town = "X"
"""


@pytest.fixture
def shop(desk: Desk) -> Desk:
    chance = random.Random(5)
    desk.put("c.csv", "id,age,town\n" + "".join(f"k{n},{chance.randrange(18, 70)},{chance.choice('XY')}\n" for n in range(300)))  # fmt: skip
    lines = [
        f"k{int(chance.random() ** 2 * 320)},2024-0{chance.randrange(1, 7)}-{chance.randrange(1, 29):02d},{n},"
        f"{Decimal(chance.randrange(-500, 30_000)) / 100}\n"
        for n in range(700)
    ]
    desk.put("o.csv", "id,day,number,amount\n" + "".join(lines))
    return desk


def aggregates(desk: Desk, output: str = "", *options: object) -> Any:
    desk.apply(RULES.format(output=output), "-q", *options)
    return json.loads((desk / "out/manifest.json").read_text(), parse_float=Decimal)["aggregates"]


def some(number: int, fewest: int) -> int | str:
    return f"<{fewest}" if 0 < number < fewest else number


@pytest.mark.parametrize(("output", "fewest", "options"), [
    ("", 5, ()), ("min_cell = 1", 1, ()), ("min_cell = 40", 40, ()), ("", 5, ("--buckets", "4")),
])  # fmt: skip
def test_counts(shop: Desk, output: str, fewest: int, options: tuple[str, ...]) -> None:
    found = aggregates(shop, output, *options)
    rows = shop.read("out/all.csv")
    known = [row for row in rows if row["r_score"]]
    assert found["fewest"] == fewest
    [rfm] = found["rfm"]
    cells = defaultdict[tuple[int, int], list[Decimal]](list)
    for row in known:
        cells[int(row["r_score"]), int(row["f_score"])].append(Decimal(row["monetary"]))
    assert {(c["r"], c["f"]): c["customers"] for c in rfm["grid"]} == {
        p: some(len(v), fewest) for p, v in cells.items()
    }
    for cell in rfm["grid"]:
        spend = cells[cell["r"], cell["f"]]
        if len(spend) < fewest:
            assert cell["mean"] is None
        else:
            assert float(cell["mean"]) == pytest.approx(float(sum(spend)) / len(spend), abs=1e-6)
    for name, column in (("recency", "recency_days"), ("frequency", "frequency"), ("monetary", "monetary")):
        values = [Decimal(row[column]) for row in known]
        inside = 0
        for bar, after in zip(rfm[name], [*rfm[name][1:], None], strict=True):
            assert after is None or bar["high"] == after["low"]
            there = sum(
                (bar["low"] is None or bar["low"] <= v) and (bar["high"] is None or v < bar["high"]) for v in values
            )
            assert bar["customers"] == some(there, fewest)
            inside += there
        assert inside == len(values)
        assert float(rfm["medians"][name]) == pytest.approx(float(median(values)), abs=1e-6)
    segments = defaultdict[tuple[int, int], set[str]](set)
    for row in known:
        segments[int(row["r_score"]), int(row["f_score"])].add(row["rfm_segment"])
    assert {(c["r"], c["f"]): {*c["segments"]} for c in rfm["grid"]} == segments
    groups = defaultdict[str, list[Decimal]](list)
    for row in rows:
        groups[row["rfm_segment"]].append(Decimal(row["monetary"] or 0))
    assert {(one["value"] or "", one["customers"]) for one in rfm["segments"]} == {
        (name, some(len(spend), fewest)) for name, spend in groups.items()
    }
    for one in rfm["segments"]:
        if one["value"] is not None:
            spend = groups[one["value"]]
            assert one["monetary"] == (sum(spend) if len(spend) >= fewest else None)
    [stages] = found["columns"]
    counts = Counter(row["lifecycle"] for row in rows)
    assert {one["value"] or "": one["customers"] for one in stages["values"] if one["customers"]} == {
        name: some(number, fewest) for name, number in counts.items()
    }


@pytest.mark.parametrize("options", [(), ("--buckets", "4"), ("--select", "rich")])
@pytest.mark.parametrize("fewest", [1, 5, 40])
def test_the_four_questions(shop: Desk, fewest: int, options: tuple[str, ...]) -> None:
    """As `check --data` answers them of the same rules, but for what it would say of a few."""
    lines = [
        line if n % 3 else line.replace(",X", ",") for n, line in enumerate((shop / "c.csv").read_text().splitlines())
    ]
    shop.put("c.csv", "\n".join(lines) + "\n")
    more = '[segment.few]\ndemographic.age.below = 19\ngeographic.town = "Y"\n[mavr.contact]\nemail = "town"\n'
    text = (RULES + more).replace("[segment.town]", '[segment.town]\nchannel = "email"')
    shop.apply(text.format(output=f"min_cell = {fewest}"), "-q", *options)
    found = json.loads((shop / "out/manifest.json").read_text(), parse_float=Decimal)
    told = json.loads(shop.segkit("check", shop / "rules.toml", "--data", "--json", code=None).stdout)["mavr"]
    sizes = {one["name"]: one["matched"] for one in found["segments"]}
    answers = {one["segment"]: one for one in told if one["segment"] in sizes}
    assert [one["segment"] for one in found["aggregates"]["mavr"]] == [*answers] == [*sizes]
    seen = set()
    for one in found["aggregates"]["mavr"]:
        other, size = answers[one["segment"]], sizes[one["segment"]]
        few = any(0 < n < fewest for n in (size, other["reached"], size - other["reached"]))
        seen.add(few)
        for name in ("needed", "m", "a", "v", "p"):
            assert one[name] == other[name]
        for name in ("reach", "reached", "a_head", "index"):
            expected = None if few else other[name]
            assert one[name] == (expected if expected is None else pytest.approx(Decimal(str(expected)), abs=Decimal("0.001")))  # fmt: skip
        known = None if other["known"] is None else round(other["known"] * 3)  # of 300 customers
        hidden = known is not None and any(0 < n < fewest for n in (known, 300 - known))
        assert (one["known"] is None) == (known is None or hidden)
    assert fewest == 1 or options[:1] == ("--select",) or True in seen


@pytest.mark.parametrize("exclusive", [False, True])
def test_combinations(shop: Desk, exclusive: bool) -> None:
    names = ("all", "young", "rich", "town")
    text = RULES.replace("[segment.all]\neveryone = true", "[segment.all]\ndemographic.age.min = 25")
    if exclusive:
        text += '[assignment]\nmode = "exclusive"\n'
    shop.apply(text.format(output=""), "-q")
    lists = {name: {row["id"] for row in shop.read(f"out/{name}.csv")} for name in names}
    counts = Counter(tuple(n for n in names if row["id"] in lists[n]) for row in shop.read("c.csv"))
    found = json.loads((shop / "out/manifest.json").read_text())["aggregates"]
    assert {tuple(one["segments"]): one["customers"] for one in found["combinations"]} == {
        combination: number for combination, number in counts.items() if number >= 5
    }
    few = [number for number in counts.values() if number < 5]
    assert (found["others"], found["in_others"]) == (len(few), some(sum(few), 5))
    sizes = [one["customers"] for one in found["combinations"]]
    assert sizes == sorted(sizes, reverse=True)


def test_many_segments(shop: Desk) -> None:
    """More than one number has bits for; the largest combinations alone are kept."""
    head = RULES[: RULES.index("[segment.all]")].format(output="min_cell = 1")
    segments = "".join(f"[segment.s{n}]\ndemographic.age.min = {18 + n // 3}\n" for n in range(150))
    shop.apply(head + segments, "-q")
    ages = [int(row["age"]) for row in shop.read("c.csv")]
    counts = Counter(tuple(f"s{n}" for n in range(150) if age >= 18 + n // 3) for age in ages)
    found = json.loads((shop / "out/manifest.json").read_text())["aggregates"]
    largest = sorted(counts.values(), reverse=True)[:50]
    assert [one["customers"] for one in found["combinations"]] == largest
    assert all(counts[tuple(one["segments"])] == one["customers"] for one in found["combinations"])
    assert (found["others"], found["in_others"]) == (len(counts) - len(largest), 300 - sum(largest))


def test_nothing_to_count(desk: Desk) -> None:
    desk.put("c.csv", "id,age,town\n")
    desk.put("o.csv", "id,day,number,amount\n")
    found = aggregates(desk)
    assert [found["rfm"][0][name] for name in ("grid", "recency", "medians", "segments")] == [[], [], {}, []]
    assert found["mavr"] == []
    assert (found["combinations"], found["others"], found["in_others"]) == ([], 0, 0)


def test_size(desk: Desk) -> None:
    """Some 20 kB for a dozen segments."""
    chance = random.Random(8)
    flags = [f"f{n}" for n in range(12)]
    lines = [",".join([f"k{n}", *(chance.choice(["true", "false"]) for _ in flags)]) for n in range(4_000)]
    desk.put("c.csv", ",".join(["id", *flags]) + "\n" + "\n".join(lines) + "\n")
    desk.put("o.csv", "id,day,number,amount\n" + "".join(f"k{chance.randrange(4_000)},2024-0{1 + n % 6}-09,{n},{n % 977}\n" for n in range(9_000)))  # fmt: skip
    head = RULES[: RULES.index("[segment.all]")].format(output="").replace("bins = 3", "bins = 5")
    desk.apply(head + "".join(f"[segment.{flag}]\ndemographic.{flag} = true\n" for flag in flags), "-q")
    kept = json.loads((desk / "out/manifest.json").read_text())["aggregates"]
    assert len(json.dumps(kept, indent=2)) < 40_000


def test_sums_beyond_all_money(desk: Desk) -> None:
    """What customers spent fits where the sum of all of them does not."""
    most = Decimal("9.5e27")
    spent = pl.Series([most, Decimal("-3.5")] * 20, dtype=pl.Decimal(38, 10))
    frame = {"id": [f"k{n}" for n in range(40)], "days": list(range(40)), "n": [1] * 40, "spent": spent}
    desk.put("c.parquet", pl.DataFrame(frame))
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.parquet"\nkey = "id"\n[output]\ndirectory = "out"\n'
    columns = '[rfm]\nbins = 2\ncolumns = { recency_days = "days", frequency = "n", monetary = "spent" }\n'
    desk.apply(head + columns + "[segment.all]\neveryone = true\n", "-q")
    manifest = (desk / "out/manifest.json").read_text()
    assert json.loads(manifest, parse_float=Decimal)["aggregates"]["mavr"][0]["a_head"] == Decimal(
        "4749999999999999999999999998.25"
    )
    checked = json.loads(desk.segkit("check", desk / "rules.toml", "--data", "--json", code=None).stdout)
    assert checked["mavr"][0]["a_head"] == pytest.approx(4.75e27)
    kept = json.loads(manifest)["aggregates"]["rfm"][0]
    assert sum(cell["customers"] * cell["mean"] for cell in kept["grid"]) == pytest.approx(1.9e29, rel=1e-9)
    assert sum(one["monetary"] for one in kept["segments"]) == pytest.approx(1.9e29, rel=1e-9)
    assert [(bar["low"], bar["customers"]) for bar in kept["monetary"] if bar["customers"]] == [
        (None, 20), (5_000_000_000_000, 20),
    ]  # fmt: skip
