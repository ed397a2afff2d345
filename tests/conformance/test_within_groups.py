"""Shares, quantiles and means within groups: who is compared with whom, and what is shown of it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

HEAD = head()


ALL = "[segment.all]\neveryone = true\n"


def people(desk: Desk, rows: str) -> None:
    """Customers `KEY REGION VALUE`, separated by commas; `-` is a missing value."""
    lines = [",".join("" if cell == "-" else cell for cell in row.split()) for row in rows.split(",")]
    desk.put("c.csv", "\n".join(["id,region,x", *lines]) + "\n")


def bands(desk: Desk, rows: str, spec: str, types: str = 'types = { x = "number" }') -> str:
    """The band of each customer, in their order."""
    people(desk, rows)
    found = desk.columns(head(types) + f'[trait.b]\nbands = {{ of = "x", {spec} }}\n', "b")
    return " ".join(band or "-" for band in found.values())


# --- shares ---


@pytest.mark.parametrize(
    ("rows", "share", "who"),
    [
        ("a n 1, b n 2, c s 10, d s 20", "top_percent = { percent = 50, per = 'region' }", "b d"),
        ("a n 1, b n 2, c s 10, d s 20", "bottom_percent = { percent = 50, per = 'region' }", "a c"),
        ("a n 1, b n 2, c s 10, d s 20", "top_percent = { percent = 50, per = ['region'] }", "b d"),
        ("a n 1, b n 2, c s 10, d s 20", "top_percent = { percent = 50 }", "c d"),  # of all, as the number alone
        ("a n 1, b n 2, c s 10, d s 20", "top_percent = { percent = 50, per = [] }", "c d"),
        ("a n 1, b n 2, c - 10, d - 20", "top_percent = { percent = 50, per = 'region' }", "b d"),  # no region: a group
        ("a n 1, b n 1, c n 0, d s 1", "top_percent = { percent = 1, per = 'region' }", "a b d"),  # ties are in
        ("a n 1, b n 2, c n 2, d n 3", "bottom_percent = { percent = 26, per = 'region' }", "a b c"),
        ("a n 1, b n -, c n -, d s -", "top_percent = { percent = 1, per = 'region' }", "a"),  # N of a value
        ("a n 1, b n 2, c s 10, d s 20", "top_percent = { percent = 0, per = 'region' }", ""),
        ("a n 1, b n 2, c s -, d s 20", "top_percent = { percent = 100, per = 'region' }", "a b d"),
        ("a n 1, b n -", "top_percent = { percent = 100, per = 'region' }, or_missing = true", "a b"),
        ("a n 1, b n 2, c n 2", "top_percent = { percent = 1, per = 'x' }", "a b c"),  # each value its own group
        ("a n 1, b n 2", "top_percent = { percent = 50, per = ['region', 'region'] }", "b"),
        ("a n 1, b n 2, c n 3", "top_percent = { percent = 33.4, per = 'region' }", "b c"),
        ("a n 1, b n 2, c n 3", "top_percent = { percent = 33.3, per = 'region' }", "c"),
        ("a n 1, b n 2, c s 3, d s 4", "top_percent = { percent = 50, per = 'region' }, max = 3", "b"),
        ("a n -, b s -", "top_percent = { percent = 50, per = 'region' }", ""),
    ],
)
def test_a_share_of_each_group(desk: Desk, rows: str, share: str, who: str) -> None:
    people(desk, rows)
    text = head('types = { x = "number" }')
    assert desk.members(text, {"s": f"demographic.x = {{ {share} }}"})["s"] == who.split()


def test_groups_by_columns_of_every_type(desk: Desk) -> None:
    """Numbers, days, decimals and truths make groups, alone and together; computed columns too."""
    frame = pl.DataFrame(
        {
            "id": list("abcdefgh"),
            "x": [1, 2, 3, 4, 5, 6, 7, 8],
            "n": [1, 1, 1, 1, 2, 2, None, None],
            "f": [0.0, -0.0, 0.5, 0.5, 0.5, None, None, 1.5],
            "d": pl.Series(["1.50", "1.50", "2.00", None, None, "2.00", "2.00", "2.00"]).cast(pl.Decimal(10, 2)),
            "day": pl.Series(["2024-01-01"] * 3 + [None] * 2 + ["2024-01-02"] * 3).str.to_date(),
            "yes": [True, True, False, False, None, None, True, False],
        }
    )
    desk.put("c.parquet", frame)
    traits = '[trait.band]\nbands = { of = "x", edges = [5], labels = ["low", "high"] }\n'
    names = ("n", "f", "d", "day", "yes", "band", "n yes", "band day n f d yes")
    shares = {per: f"demographic.x.top_percent = {{ percent = 1, per = {json.dumps(per.split())} }}" for per in names}
    found = desk.members(head(path="c.parquet") + traits, shares)
    assert {per: "".join(who) for per, who in found.items()} == {
        "n": "dfh",
        "f": "begh",
        "d": "beh",
        "day": "ceh",
        "yes": "fgh",
        "band": "dh",
        "n yes": "bdfgh",
        "band day n f d yes": "bcdefgh",
    }


def test_the_same_share_by_other_groups_is_another_share(desk: Desk) -> None:
    desk.put("c.csv", "id,x,g,h\na,1,u,v\nb,2,u,w\nc,3,y,v\nd,4,y,w\n")
    shares = {
        "all": "top_percent = 25",
        "g": 'top_percent = { percent = 25, per = "g" }',
        "h": 'top_percent = { percent = 25, per = "h" }',
        "gh": 'top_percent = { percent = 25, per = ["g", "h"] }',
    }
    found = desk.members(HEAD, {name: f"demographic.x = {{ {share} }}" for name, share in shares.items()})
    assert {name: "".join(who) for name, who in found.items()} == {"all": "d", "g": "bd", "h": "cd", "gh": "abcd"}


def test_a_share_by_a_band_that_is_a_cut_itself(desk: Desk) -> None:
    """Steps wait for each other: a lifecycle stage on a share within bands of quantiles of a measure."""
    desk.put("c.csv", "id,x\na,1\nb,2\nc,3\nd,4\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,10\nb,2024-01-01,20\nc,2024-01-01,30\nd,2024-01-01,40\n")
    text = HEAD + event_table("o", "o.csv", 'amount = "total"') + '[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    text += '[trait.half]\nbands = { of = "spend", quantiles = 2 }\n[trait.mean]\nmean_of = "half"\nper = "half"\n'
    text += '[trait.above]\nbands = { of = "mean", quantiles = 2, labels = ["l", "h"], per = ["half"] }\n'
    text += "[[lifecycle.stage]]\nname = 'best'\nbehavioural.spend.top_percent = { percent = 50, per = 'half' }\n"
    assert desk.columns(text, "half", "mean", "above", "lifecycle") == {
        "a": ("1", "1", "l", ""),
        "b": ("1", "1", "l", "best"),
        "c": ("2", "2", "l", ""),
        "d": ("2", "2", "l", "best"),
    }


# --- bands by quantiles ---


@pytest.mark.parametrize(
    ("rows", "spec", "found"),
    [
        ("a n 1, b n 2, c n 3, d n 4", "quantiles = 2", "1 1 2 2"),
        ("a n 4, b n 3, c n 2, d n 1", "quantiles = 4", "4 3 2 1"),
        ("a n 1, b n 2, c n 3, d n 4, e n 5", "quantiles = 2", "1 1 1 2 2"),  # (3 - 1) * 2 div 5 + 1 = 1
        ("a n 1, b n 1, c n 1, d n 4", "quantiles = 4", "1 1 1 4"),  # the lowest rank of equal values
        ("a n 1, b n 2, c n 2, d n 2", "quantiles = 2", "1 1 1 1"),
        ("a n 7, b n 7, c n 7", "quantiles = 100", "1 1 1"),
        ("a n 1, b n 2, c n 3", "quantiles = 10", "1 4 7"),  # more quantiles than customers
        ("a n 7", "quantiles = 10", "1"),
        ("a n -", "quantiles = 10", "-"),
        ("a n 1, b n -, c n 2", "quantiles = 2", "1 - 2"),
        ("a n 1, b n 2, c s 10, d s 20", "quantiles = 2, per = 'region'", "1 2 1 2"),
        ("a n 1, b n 2, c - 10, d - 20", "quantiles = 2, per = 'region'", "1 2 1 2"),
        ("a n 1, b n 2, c s -, d s 20", "quantiles = 2, per = 'region'", "1 2 - 1"),
        ("a n -, b s -", "quantiles = 2, per = 'region'", "- -"),
        ("a n 1, b n 2, c s 3", "quantiles = 2, labels = ['low', 'high']", "low low high"),
        ("a n 1, b n 2, c s 3, d s -", "quantiles = 2, labels = ['low', 'high'], per = 'region'", "low high low -"),
        ("a n -0.0, b n 0, c n 0.5", "quantiles = 3", "1 1 3"),
        ("a n 0.1, b n 0.30000000000000004, c n 0.3", "quantiles = 3", "1 3 2"),
        ("a n -5, b n -50", "quantiles = 2, per = ['region', 'region']", "2 1"),
    ],
)
def test_bands_by_quantiles(desk: Desk, rows: str, spec: str, found: str) -> None:
    assert bands(desk, rows, spec) == found


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.Decimal(20, 2), pl.UInt8])
def test_bands_of_numbers_of_every_type(desk: Desk, kind: Any) -> None:
    values = pl.Series("x", [4, 1, None, 3, 2]).cast(kind)
    desk.put("c.parquet", pl.DataFrame({"id": list("abcde"), "g": list("uuvuu")}).with_columns(values))
    text = head(path="c.parquet") + '[trait.b]\nbands = { of = "x", quantiles = 4, per = "g" }\n'
    assert list(desk.columns(text, "b").values()) == ["4", "1", "", "3", "2"]


def test_floats_without_a_number_have_no_band_and_are_in_no_mean(desk: Desk) -> None:
    frame = pl.DataFrame({"id": list("abcde"), "g": ["u"] * 5, "x": [1.0, float("nan"), 3.0, None, -0.0]})
    desk.put("c.parquet", frame)
    text = head(path="c.parquet") + '[trait.b]\nbands = { of = "x", quantiles = 3, per = "g" }\n'
    text += '[trait.m]\nmean_of = "x"\nper = "g"\n[trait.s]\nsql = "x / 0"\n[trait.of_s]\nmean_of = "s"\n'
    text += '[trait.band_of_s]\nbands = { of = "s", quantiles = 2 }\n'
    mean = "1.3333333333333333"
    assert desk.columns(text, "b", "m", "of_s", "band_of_s") == {
        "a": ("2", mean, "", ""),
        "b": ("", mean, "", ""),
        "c": ("3", mean, "", ""),
        "d": ("", mean, "", ""),
        "e": ("1", mean, "", ""),
    }


def test_a_band_is_a_column_like_any_other(desk: Desk) -> None:
    desk.put("c.csv", "id,x\n" + "".join(f"c{n},{n}\n" for n in range(10)))
    text = HEAD + '[trait.b]\nbands = { of = "x", quantiles = 5 }\n'
    text += '[trait.l]\nbands = { of = "x", quantiles = 2, labels = ["low", "high"] }\n'
    assert desk.members(text, {"top": "demographic.b.min = 5", "sql": "sql = \"b = 1 AND l = 'low'\""}) == {
        "top": ["c8", "c9"],
        "sql": ["c0", "c1"],
    }
    desk.apply(text + '[segment.s]\neveryone = true\neach = ["b", "l"]\n', "-o", desk / "out")
    assert {name: len(desk.read(content)) for name, content in desk.tree("out").items() if "csv" in name} == {
        "s.1.low.csv": 2,
        "s.2.low.csv": 2,
        "s.3.low.csv": 1,
        "s.3.high.csv": 1,
        "s.4.high.csv": 2,
        "s.5.high.csv": 2,
    }
    found = desk.segkit("check", desk.put("r.toml", text + '[segment.s]\ndemographic.l = "middle"\n'), "--data")
    assert "`middle` does not occur in column `l`" in found.stderr + found.stdout


def test_what_is_joined_and_derived_by_a_band(desk: Desk) -> None:
    """A lookup by a band of customers who are made of events, and what is derived of a mean."""
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\nb,2024-01-01,2\nc,2024-01-01,3\nd,2024-01-01,4\n")
    desk.put("l.csv", "half,gift\n1,card\n2,wine\n")
    text = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "id"\nderive.twice = "2 * mean"\n'
    text += event_table("o", "o.csv", 'amount = "total"') + '[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    text += '[trait.half]\nbands = { of = "spend", quantiles = 2 }\n[trait.mean]\nmean_of = "spend"\nper = "gift"\n'
    text += '[lookup.gifts]\npath = "l.csv"\non = "half"\n[trait.rest]\nbands = { of = "twice", quantiles = 2 }\n'
    assert desk.columns(text, "gift", "twice", "rest") == {
        "a": ("card", "3", "1"),
        "b": ("card", "3", "1"),
        "c": ("wine", "7", "2"),
        "d": ("wine", "7", "2"),
    }


# --- means ---


@pytest.mark.parametrize(
    ("rows", "per", "found"),
    [
        ("a n 1, b n 2, c s 10", "per = 'region'", "1.5 1.5 10"),
        ("a n 1, b n 2, c s 12", "", "5 5 5"),  # without `per`, over all customers
        ("a n 1, b n -, c n 2", "per = 'region'", "1.5 1.5 1.5"),  # also who has no value
        ("a n 1, b s -, c s -", "per = 'region'", "1 - -"),  # a group without any value
        ("a - 1, b - 2, c n 3", "per = 'region'", "1.5 1.5 3"),
        ("a n -, b s -", "per = 'region'", "- -"),
        ("a n -, b s -", "", "- -"),
        ("a n 0.1, b n 0.1, c n 0.1", "per = 'region'", "0.1 0.1 0.1"),  # exact: floats give 0.10000000000000002
        ("a n 0.1, b n 0.2, c s 0.3", "", "0.2 0.2 0.2"),
        ("a n 1, b n 2, c s 3", "per = ['region', 'x']", "1 2 3"),
        ("a n -0.0, b n 0", "per = 'region'", "0 0"),
    ],
)
def test_the_mean_of_a_group(desk: Desk, rows: str, per: str, found: str) -> None:
    people(desk, rows)
    text = head('types = { x = "number" }') + f'[trait.m]\nmean_of = "x"\n{per}\n'
    assert " ".join(mean or "-" for mean in desk.columns(text, "m").values()) == found


def test_who_spends_more_than_the_mean_of_his_region(desk: Desk) -> None:
    """Nobody whose whole region spends alike is above its mean, whatever the cents."""
    rows = [(f"{r}{n}", r, str(spend)) for r, spend in (("p", "1234567.89"), ("q", "0.07")) for n in range(7)]
    rows += [("r1", "r", "1.00"), ("r2", "r", "3.01"), ("r3", "r", "2.00"), ("r4", "r", "")]
    rows.insert(0, ("n", "", "5"))
    desk.put("c.csv", "id,region\n" + "".join(f"{key},{region}\n" for key, region, _ in rows))
    desk.put("o.csv", "id,day,total\n" + "".join(f"{k},2024-01-01,{total}\n" for k, _, total in rows if total))
    text = HEAD + event_table("o", "o.csv", 'amount = "total"') + '[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    text += '[trait.m]\nmean_of = "spend"\nper = "region"\n'
    above, same = 'sql = "spend > m"', 'sql = "spend = m"'
    found = desk.members(text, {"above": above, "same": same})
    assert found["above"] == ["r2", "r3"]  # of 0, 1, 2 and 3.01
    assert found["same"] == [key for key, region, _ in rows if region in ("", "p", "q")]


def test_a_mean_is_the_same_whatever_the_order(desk: Desk) -> None:
    values = [0.1, 1e15, -1e15, 0.2, 123456.789, 1e-10, 4e-11, 0.7]
    means = set()
    for turn in range(len(values)):
        turned = values[turn:] + values[:turn]
        desk.put("c.parquet", pl.DataFrame({"id": [str(n) for n in range(8)], "x": turned, "g": ["u"] * 8}))
        text = head(path="c.parquet") + '[trait.m]\nmean_of = "x"\nper = "g"\n'
        means |= set(desk.columns(text, "m").values())
    exact = sum(map(Decimal, ("0.1", "0.2", "123456.789", "0.0000000001", "0.7"))) / 8
    assert means == {repr(float(exact))}


# --- what is shown ---


def of_two(text: str) -> str:
    """A rule file that shows groups of two."""
    head, _, rest = text.partition("[output]\n")
    return f"{head}[output]\nmin_cell = 2\n{rest}"


def thresholds(desk: Desk, text: str) -> list[dict[str, Any]]:
    """The cuts, of groups of two as well: they read better than five."""
    found = desk.json(of_two(text), "-o", desk / "out")["thresholds"]
    manifest = json.loads((desk / "out" / "manifest.json").read_text())
    assert manifest["thresholds"] == found
    return list(found)


def test_the_cuts_in_force_are_shown(desk: Desk) -> None:
    people(desk, "a n 1, b n 2, c n 3.50, d s 5, e s 7, f - 9, g - 9, h t 4")
    text = HEAD + '[trait.b]\nbands = { of = "x", quantiles = 2, per = "region" }\n'
    text += '[trait.q]\nbands = { of = "x", quantiles = 4 }\n[trait.m]\nmean_of = "x"\nper = "region"\n'
    text += "[segment.s]\ndemographic.x.top_percent = { percent = 10, per = 'region' }\n"
    text += "demographic.b.min = 1\ndemographic.q.min = 1\ndemographic.m.min = 1\n"
    told = thresholds(desk, text)
    by_column = {t["column"]: [o for o in told if o["column"] == t["column"]] for t in told}
    found = {column: [(t["within"], t["values"]) for t in of] for column, of in by_column.items()}
    n, s, missing = {"region": "n"}, {"region": "s"}, {"region": None}
    assert found == {
        "b (2 quantiles of x per region)": [(n, [2]), (s, [5]), (missing, [9])],
        "q (4 quantiles of x)": [({}, [2, 4, 7])],
        "m (mean of x per region)": [(n, [2.1666666666666665]), (s, [6]), (missing, [9])],
        "x (top 10 % per region)": [(n, [3.5]), (s, [7]), (missing, [9])],
    }
    assert {t["groups"] for t in told if t["within"]} == {4}  # that of one customer is not shown
    assert [t["mean"] for t in told if "mean" in t["column"]] == [True] * 3
    shown = desk.apply(of_two(text), "--dry-run").stdout
    assert "Threshold of x (top 10 % per region) (1 smaller group not shown)" in shown
    means = shown.split("m (mean of x per region)")[1].split("\n\n")[0]
    assert "missing  9" in means and ">" not in means
    assert "missing  >= 9" in shown and "4" not in shown.split("Threshold of x")[1].split("\n\n")[0]


def test_groups_have_the_names_of_their_values(desk: Desk) -> None:
    columns: dict[str, list[Any]] = {
        "yes": [True, False],
        "n": [10, 2],
        "f": [2.0, 0.5],
        "d": [Decimal("1.50"), Decimal("100.00")],
        "day": [dt.date(2024, 2, 29), dt.date(2023, 1, 1)],
    }
    names = {"yes": ["false", "true"], "n": ["2", "10"], "f": ["0.5", "2"], "d": ["1.5", "100"]}
    names["day"] = ["2023-01-01", "2024-02-29"]
    frame = pl.DataFrame({"id": list("abcd"), "x": [1, 2, 3, 4], **{name: of * 2 for name, of in columns.items()}})
    desk.put("c.parquet", frame)
    shares = "".join(f"[segment.{n}]\ndemographic.x.top_percent = {{ percent = 1, per = '{n}' }}\n" for n in columns)
    told = thresholds(desk, head(path="c.parquet") + shares)
    assert {n: [t["within"][n] for t in told if n in t["within"]] for n in columns} == names


def test_many_groups_stay_readable_and_name_nobody(desk: Desk) -> None:
    """The twenty largest groups are shown; groups of one, such as those of the key, are not."""
    rows = [(f"c{g}x{n}", f"r{g:03}") for g in range(300) for n in range(2 + (g % 150 == 7))]
    desk.put("c.csv", "id,region,x\n" + "".join(f"{k},{r},{n}\n" for n, (k, r) in enumerate(rows)))
    for per, shown in (("region", 20), ("id", 0)):
        text = HEAD + f'[trait.m]\nmean_of = "x"\nper = "{per}"\n[segment.s]\ndemographic.m.min = 0\n'
        told = thresholds(desk, text)
        assert [t["groups"] for t in told] == [300 if shown else len(rows)] * max(shown, 1)
        names = [t["within"].get("region") for t in told]
        largest = sorted(["r007", "r157", *(f"r{g:03}" for g in range(19) if g != 7)])
        assert names == (largest if shown else [None])
        said = desk.apply(of_two(text), "--dry-run").stdout
        assert ("280 smaller groups not shown" if shown else "602 groups, none shown") in said
        assert len(said.splitlines()) < 60 and "c0x0" not in said
    assert "c7x" not in (desk / "out" / "manifest.json").read_text()


def test_many_cuts_are_not_spelled_out(desk: Desk) -> None:
    people(desk, ", ".join(f"c{n} {'ns'[n % 2]} {n}" for n in range(60)))
    text = HEAD + '[trait.p]\nbands = { of = "x", quantiles = 20 }\n'
    text += '[trait.q]\nbands = { of = "x", quantiles = 11, per = "region" }\n'
    text += "[segment.s]\ndemographic = { p.min = 1, q.min = 1 }\n"
    said = desk.apply(text, "--dry-run").stdout
    assert "Threshold of p (20 quantiles of x)  > 2 … > 56\n" in said
    assert "n       > 4 … > 54\n" in said
    assert {len(t["values"]) for t in thresholds(desk, text)} == {19, 10}


def test_small_groups_are_not_shown(desk: Desk) -> None:
    people(desk, ", ".join(f"c{n} {'north' if n < 5 else 'south'} {n}" for n in range(9)))
    rules = desk.put(
        "rules.toml", HEAD + '[trait.m]\nmean_of = "x"\nper = "region"\n[segment.s]\ndemographic.m.min = 0\n'
    )
    said = desk.process("apply", rules, "-o", desk / "out").stdout.decode()
    assert "1 smaller group not shown" in said and "north" in said
    assert "south" not in said + (desk / "out" / "manifest.json").read_text()


@pytest.mark.parametrize(
    "made", ['[trait.em]\nsql = "LOWER(region)"\n', '[trait.e]\nsql = "region"\n[trait.em]\nsql = "UPPER(e)"\n']
)
def test_groups_by_what_is_computed_of_a_protected_column_are_not_named(desk: Desk, made: str) -> None:
    people(desk, "a Nantes 1, b Nantes 2, c Brest 3, d Brest 4")
    text = HEAD + made + '[trait.m]\nmean_of = "x"\nper = "em"\n[segment.s]\ndemographic.m.min = 0\n'
    text += '[output]\ncolumns = ["x"]\nhash = ["region"]\n'
    told = thresholds(desk, text.replace('columns = ["x"]', 'columns = ["x", "region"]'))
    assert [(t["values"], t["within"], t["groups"]) for t in told] == [([], {}, 2)]
    derived = text.replace(made, "").replace('key = "id"\n', 'key = "id"\nderive = { em = "LOWER(region)" }\n')
    told = thresholds(desk, derived.replace('columns = ["x"]', 'columns = ["x", "region"]'))
    assert [(t["values"], t["within"], t["groups"]) for t in told] == [([], {}, 2)]


def test_one_share_of_two_kinds_of_groups(desk: Desk) -> None:
    people(desk, "a n 1, b n 2, c s 3, d s 4")
    text = HEAD + '[trait.even]\nsql = "x % 2 = 0"\n'
    for name, per in (("one", "region"), ("two", "even"), ("three", "region")):
        text += f"[segment.{name}]\ndemographic.x.top_percent = {{ percent = 50, per = '{per}' }}\n"
    told = [(t["column"], list(t["within"].values()), t["values"]) for t in thresholds(desk, text)]
    assert told == [
        ("x (top 50 % per region)", ["n"], [2]),
        ("x (top 50 % per region)", ["s"], [4]),
        ("x (top 50 % per even)", ["false"], [3]),
        ("x (top 50 % per even)", ["true"], [4]),
    ]
    assert desk.apply(text, "--dry-run").stdout.count("Threshold of x (top 50 % per ") == 2


@pytest.mark.parametrize("how", ["hash", "pseudonymise"])
def test_groups_by_a_protected_column_are_not_named(desk: Desk, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", "k" * 32)
    people(desk, "a Nantes 1, b Nantes 2, c Brest 3, d Brest 4")
    text = HEAD + '[trait.m]\nmean_of = "x"\nper = "region"\n[segment.s]\ndemographic.m.min = 0\n'
    text += f"demographic.x.top_percent = {{ percent = 50, per = ['region', 'm'] }}\n[output]\n{how} = ['region']\n"
    told = thresholds(desk, text)
    assert [(t["column"], t["values"], t["within"], t["groups"]) for t in told] == [
        ("m (mean of x per region)", [], {}, 2),
        ("x (top 50 % per region, m)", [], {}, 2),
    ]
    said = desk.apply(text, "-o", desk / "out").stdout + (desk / "out" / "manifest.json").read_text()
    assert "2 groups, none shown" in said and "Nantes" not in said


def test_values_of_groups_are_shown_on_one_line(desk: Desk) -> None:
    odd = ["[bold]x[/bold]", "a\nb\x1b[31m", "é" * 80, 'say "hi"', "\\d"]
    frame = pl.DataFrame({"id": [f"c{n}" for n in range(10)], "g": odd * 2, "x": range(10)})
    desk.put("c.parquet", frame)
    text = head(path="c.parquet") + '[trait.m]\nmean_of = "x"\nper = "g"\n[segment.s]\ndemographic.m.min = 0\n'
    said = desk.apply(of_two(text), "--dry-run").stdout
    lines = [
        line.rsplit("  ", 1)[0].strip()
        for line in said.split("m (mean of x per g)")[1].split("\n\n")[0].splitlines()[3:]
    ]
    assert sorted(lines) == sorted(["[bold]x[/bold]", "a b [31m", "é" * 29 + "…", 'say "hi"', "\\d"])
    assert {t["within"]["g"] for t in thresholds(desk, text)} == set(odd)


def test_the_summary_does_not_depend_on_the_order_of_the_customers(desk: Desk) -> None:
    rows = [f"c{n},{'nst'[n % 3]},{(-0.0, 0.0, 1.5)[n // 2 % 3]}" for n in range(12)]
    text = HEAD + '[trait.b]\nbands = { of = "x", quantiles = 4, per = "region" }\n'
    text += "[segment.s]\ndemographic.b.min = 1\ndemographic.x.bottom_percent = { percent = 10, per = 'region' }\n"
    told = []
    for order in (rows, rows[::-1], rows[5:] + rows[:5]):
        desk.put("c.csv", "\n".join(["id,region,x", *order]) + "\n")
        told.append(json.dumps(thresholds(desk, text)))
    assert len(set(told)) == 1 and "-0" not in told[0]


def test_a_share_of_nothing_has_no_threshold(desk: Desk) -> None:
    people(desk, "a n 1, b n 2")
    assert thresholds(desk, HEAD + "[segment.s]\ndemographic.x.top_percent = { percent = 0, per = 'region' }\n") == []


# --- what does not fit ---


@pytest.mark.parametrize(
    ("rules", "said", "hint"),
    [
        ('[trait.b]\nbands = { of = "x", quantiles = 4, per = "regoin" }', "no column `regoin`", "`region`"),
        ('[trait.m]\nmean_of = "x"\nper = "regoin"', "no column `regoin`", "`region`"),
        ('[trait.m]\nmean_of = "y"', "no column `y`", ""),
        ('[trait.m]\nmean_of = "region"', "`mean_of` asks for a number, but column `region` is text", "types"),
        ('[trait.m]\nmean_of = "born"', "`mean_of` asks for a number, but column `born` is a date", ""),
        ('[trait.b]\nbands = { of = "region", quantiles = 4 }', "`of` asks for a number", "types"),
        ('[trait.b]\nbands = { of = "born", quantiles = 4 }', "`of` asks for a number", ""),
        ('[trait.m]\nmean_of = "x"\nper = "tags"', "`per` needs one value a customer, but `tags` is a list", ""),
        ('[trait.b]\nbands = { of = "x", quantiles = 4, per = "tags" }', "`per` needs one value a customer", ""),
        ('[trait.a]\nmean_of = "b"\n[trait.b]\nsql = "a + 1"', "these need each other", ""),
        ('[trait.a]\nbands = { of = "x", quantiles = 2, per = "a" }', "these need each other", ""),
        ("[segment.s]\ndemographic.x.top_percent = { percent = 5, per = 'regoin' }", "no column `regoin`", "`region`"),
        ("[segment.s]\ndemographic.x.top_percent = { percent = 5, per = 'tags' }", "`per` needs one value", ""),
        ("[segment.s]\ndemographic.region.top_percent = { percent = 5, per = 'x' }", "asks for a number", "types"),
        ("[consent]\nrequire.x.top_percent = { percent = 5, per = 'region' }", "ranks all customers", "a segment"),
        ('[segment.s]\ndemographic.x = "region"', "is text, but column `x` is a number", '`sql = "x = region"`'),
        ('[segment.s]\ndemographic.x.not = "region"', "is text, but column `x` is a number", '`sql = "x <> region"`'),
        ('[segment.s]\ndemographic.born = "seen"', "is text, but column `born` is a date", '`sql = "born = seen"`'),
        ('[segment.s]\ndemographic.x.min = "region"', "`min` needs a number", '`sql = "x >= region"`'),
    ],
)
def test_what_does_not_fit(desk: Desk, rules: str, said: str, hint: str) -> None:
    desk.put("c.csv", "id,region,x,born,seen,tags\na,n,1,2000-01-01,2024-01-01,u;v\nb,s,2,2001-01-01,2024-01-02,v\n")
    text = head('lists = { tags = ";" }') + rules + "\n" + ("" if "[segment" in rules else ALL)
    error = desk.apply(text, code=2).stderr
    assert said in error and hint in error, error
    assert error.count("error:") == 1, error
