"""Cutoffs that were saved on one day score later days the same way, and say when these have become different."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import tomllib
from decimal import Decimal
from typing import Any

import pytest

from tests.desk import Desk

SCORES = ("r_score", "f_score", "m_score", "rfm_code", "rfm_segment")
FILE = "rfm.cutoffs.toml"


def orders(count: int, seed: int, *, whole: bool = False) -> str:
    """Orders of 150 customers with many equal values; money with cents, or whole."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        money = Decimal(rng.choice([500, 1999, 1999, 2999, 10_010, 33_333])) / (100 if not whole else 1)
        day = f"2023-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        rows.append(f"c{rng.randint(1, 150):03},{day},{money}")
    return "customer_id,day,total\n" + "\n".join(rows) + "\n"


def rfm(desk: Desk, name: str, *args: object) -> dict[str, tuple[str, ...]]:
    done = desk.segkit("rfm", desk / name, "--as-of", "2024-01-01", "-o", "-", "-q", *args)
    return {row["customer_id"]: tuple(row[c] for c in SCORES) for row in desk.read(done.stdout_bytes)}


def rules(rfm: str = "", path: str = "o.csv", as_of: str = "2024-01-01") -> str:
    return f"""version = 1
as_of = {as_of}
[customers]
from = "orders"
key = "customer_id"
[events.orders]
path = "{path}"
time = "day"
amount = "total"
[rfm]
events = "orders"
method = "cutoffs"
cutoffs = "{FILE}"
{rfm}
"""


EVERYONE = "[segment.all]\neveryone = true\n"


@pytest.mark.parametrize("method", ["quantile", "nested"])
@pytest.mark.parametrize("ties", ["low", "high"])
@pytest.mark.parametrize("bins", [2, 5, 10])
def test_the_day_of_saving_is_scored_as_it_was(desk: Desk, method: str, ties: str, bins: int) -> None:
    desk.put("o.csv", orders(600, seed=bins))
    given = ("--method", method, "--ties", ties, "--bins", bins)
    first = rfm(desk, "o.csv", *given, "--save-cutoffs", desk / FILE)
    assert rfm(desk, "o.csv", "--cutoffs", desk / FILE) == first
    assert desk.columns(rules(f"bins = {bins}"), *SCORES) == first
    assert desk.columns(rules(), *SCORES) == first  # the file knows how many bins there are


@pytest.mark.parametrize("method", ["quantile", "nested"])
@pytest.mark.parametrize("ties", ["low", "high"])
def test_on_another_day_the_same_values_get_the_same_scores(desk: Desk, method: str, ties: str) -> None:
    """Quantiles would move with the customers; cutoffs that were saved do not."""
    desk.put("o.csv", orders(600, seed=1))
    first = rfm(desk, "o.csv", "--method", method, "--ties", ties, "--save-cutoffs", desk / FILE)
    kept = sorted(first)[::3]
    head, *lines = (desk / "o.csv").read_text().splitlines()
    desk.put("later.csv", "\n".join([head, *(line for line in lines if line[:4] in kept)]) + "\n")
    later = rfm(desk, "later.csv", "--cutoffs", desk / FILE)
    assert later == {key: first[key] for key in kept}
    assert rfm(desk, "later.csv", "--method", method, "--ties", ties) != later


def test_the_file_says_what_was_found_and_where(desk: Desk) -> None:
    desk.put("o.csv", "customer_id,day,total\n" + "".join(f"c{i},2023-12-{i:02},{i}.{i}5\n" for i in range(1, 10)))
    rfm(desk, "o.csv", "--bins", 3, "--map", "rf", "--save-cutoffs", desk / FILE)
    text = (desk / FILE).read_text()
    assert text.startswith("# Cutoffs of RFM scores, saved by segkit.")
    assert tomllib.loads(text, parse_float=Decimal) == {
        "version": 1,
        "as_of": dt.date(2024, 1, 1),
        "customers": 9,
        "bins": 3,
        "method": "quantile",
        "ties": "low",
        "events": {
            "path": str(desk / "o.csv"),
            "time": "day",
            "amount": "total",
            "frequency": "events",
            "monetary": "sum",
        },
        "recency": {"operator": "<", "cuts": [26, 29], "shares": [Decimal("33.333333")] * 3},
        "frequency": {"operator": ">", "cuts": [1, 1], "shares": [100, 0, 0]},
        "monetary": {"operator": ">", "cuts": [Decimal("3.35"), Decimal("6.65")], "shares": [Decimal("33.333333")] * 3},
    }
    again = desk / "again.toml"
    rfm(desk, "o.csv", "--bins", 3, "--map", "rf", "--save-cutoffs", again)
    assert again.read_text() == text


def test_money_keeps_every_digit(desk: Desk) -> None:
    """Cents that floats would lose: each value stands on the side of the cut where it stood."""
    money = ["90071992547409.93", "90071992547409.92", "90071992547409.94", "0.1", "0.30", "0.2"]
    desk.put("o.csv", "customer_id,day,total\n" + "".join(f"c{i},2023-12-01,{m}\n" for i, m in enumerate(money)))
    first = rfm(desk, "o.csv", "--bins", 6, "--map", "rf", "--save-cutoffs", desk / FILE)
    assert "cuts = [0.1, 0.2, 0.3, 90071992547409.92, 90071992547409.93]" in (desk / FILE).read_text()
    assert rfm(desk, "o.csv", "--map", "rf", "--cutoffs", desk / FILE) == first
    assert [row[2] for row in first.values()] == ["5", "4", "6", "1", "3", "2"]


def test_means_keep_every_digit(desk: Desk) -> None:
    values = [0.1, 1 / 3, 2 / 3, 1e-7 / 3, 123456.789, 1e15 / 7]
    desk.put(
        "c.csv", "id,recency,frequency,monetary\n" + "".join(f"c{i},{i},{i},{v!r}\n" for i, v in enumerate(values))
    )
    given = ("rfm", desk / "c.csv", "--bins", 6, "--map", "rf", "-q")
    first = desk.segkit(*given, "--save-cutoffs", desk / FILE, "-o", "-").stdout
    assert desk.segkit(*given[:2], "--map", "rf", "-q", "--cutoffs", desk / FILE, "-o", "-").stdout == first


# --- drift ---

SHARES = """version = 1
as_of = 2023-01-01
bins = 2
[recency]
cuts = [1000]
[frequency]
cuts = [2]
shares = [{low}, {high}]
[monetary]
cuts = [1000000]
"""


def drift(desk: Desk, low: str, high: str, count: int, often: int) -> list[dict[str, Any]]:
    """Warnings about shares, where `often` of `count` customers have bought twice."""
    desk.put(FILE, SHARES.format(low=low, high=high))
    rows = [f"c{i:03},2023-12-0{n},1\n" for i in range(count) for n in range(1, 3 if i < often else 2)]
    desk.put("o.csv", "customer_id,day,total\n" + "".join(rows))
    found = desk.json(rules('map = "rf"') + EVERYONE)["warnings"]
    return [w for w in found if "points" in w["message"]]


@pytest.mark.parametrize(
    ("low", "high", "count", "often", "warned"),
    [
        ("50", "50", 10, 5, False),
        ("50", "50", 10, 6, False),  # 10 points are not more than 10
        ("50", "50", 10, 4, False),
        ("50", "50", 1000, 601, True),
        ("50", "50", 1000, 399, True),
        ("66.666667", "33.333333", 30, 13, False),  # 1/3 to 13/30: 10 points, whatever the decimals do
        ("66.666667", "33.333333", 30, 7, False),
        ("66.666667", "33.333333", 30, 14, True),
    ],
)
def test_a_shift_of_more_than_ten_points_is_a_warning(
    desk: Desk, low: str, high: str, count: int, often: int, warned: bool
) -> None:
    assert bool(drift(desk, low, high, count, often)) is warned


def test_the_warning_names_measure_score_and_both_shares(desk: Desk) -> None:
    (warning,) = drift(desk, "80", "20", 200, 150)
    assert warning["message"] == (
        "shares of customers have moved by more than 10 points since 2023-01-01: "
        "`frequency` score 1 from 80.0 % to 25.0 %, score 2 from 20.0 % to 75.0 %"
    )
    assert (warning["path"], warning["line"]) == (str(desk / "rules.toml"), 13)
    assert warning["hint"].endswith("`segkit rfm DATA --save-cutoffs FILE`")


def test_one_warning_for_all_measures(desk: Desk) -> None:
    text = SHARES.format(low="80", high="20").replace("cuts = [1000]", "cuts = [1000]\nshares = [99, 1]")
    drift(desk, "80", "20", 200, 150)
    desk.put(FILE, text)
    (warning,) = [w for w in desk.json(rules('map = "rf"') + EVERYONE)["warnings"] if "points" in w["message"]]
    assert (
        "`recency_days` score 1 from 99.0 % to 0.0 %, score 2 from 1.0 % to 100.0 %; `frequency` score 1"
        in warning["message"]
    )


def test_the_warning_can_stop_a_run(desk: Desk) -> None:
    drift(desk, "80", "20", 200, 150)
    done = desk.apply(rules('map = "rf"') + EVERYONE, "--fail-on", "warning", code=1)
    assert "moved by more than 10 points" in done.stderr


def test_customers_without_scores_do_not_count(desk: Desk) -> None:
    assert drift(desk, "80", "20", 0, 0) == []
    desk.put("c.csv", "customer_id\n" + "".join(f"c{i:03}\n" for i in range(100)))
    desk.put(FILE, SHARES.format(low="50", high="50"))
    desk.put("o.csv", "customer_id,day,total\nc000,2023-01-01,1\nc000,2023-01-02,1\nc001,2023-01-01,1\n")
    text = rules('map = "rf"').replace('from = "orders"', 'path = "c.csv"') + EVERYONE
    assert not [w for w in desk.json(text)["warnings"] if "points" in w["message"]]


# --- the file among the others ---


def test_the_file_is_an_input_of_the_run(desk: Desk) -> None:
    desk.put("o.csv", orders(60, seed=4))
    rfm(desk, "o.csv", "--save-cutoffs", desk / FILE)
    desk.apply(rules() + EVERYONE)
    read = json.loads((desk / "segments/manifest.json").read_text())["inputs"]
    (entry,) = [entry for entry in read if entry["table"] == "rfm.cutoffs"]
    digest = hashlib.sha256((desk / FILE).read_bytes()).hexdigest()
    assert entry == {
        "table": "rfm.cutoffs",
        "path": str(desk / FILE),
        "bytes": (desk / FILE).stat().st_size,
        "sha256": digest,
    }


def test_the_path_is_relative_to_the_rule_file(desk: Desk) -> None:
    desk.put("o.csv", orders(60, seed=4))
    first = rfm(desk, "o.csv", "--save-cutoffs", desk / f"deep/{FILE}")
    text = rules(path="../o.csv") + f'[output]\ncolumns = ["rfm_code"]\n{EVERYONE}'
    done = desk.segkit("apply", desk.put("deep/rules.toml", text), "-o", "-", "--summary", "none")
    assert {row["customer_id"]: row["rfm_code"] for row in desk.read(done.stdout_bytes)} == {
        key: row[3] for key, row in first.items()
    }


@pytest.mark.parametrize("target", ["-o", "--save-cutoffs"])
def test_no_output_takes_the_place_of_an_input(desk: Desk, target: str) -> None:
    desk.put("o.csv", orders(60, seed=4))
    rfm(desk, "o.csv", "--save-cutoffs", desk / FILE)
    before = desk.tree(".")
    for path in (desk / "o.csv", desk / FILE):
        done = desk.segkit("rfm", desk / "o.csv", "--cutoffs", desk / FILE, target, path, code=None)
        assert done.exit_code in (2, 4), done.stderr
    assert desk.tree(".") == before
    done = desk.segkit("rfm", desk / "o.csv", "-o", desk / "x.csv", "--save-cutoffs", desk / "x.csv", code=2)
    assert "named for two outputs" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--ties", "split", "--save-cutoffs", "x.toml"], 2, "save those of `--ties low` or `--ties high`"),
        (["--cutoffs", "missing.toml"], 2, "the file of cutoffs `missing.toml` does not exist"),
        (["--cutoffs", "c.toml", "--bins", "4"], 2, "the cutoffs are saved for 5 bins, not for 4"),
        (["--cutoffs", "c.toml", "--ties", "high"], 2, "`--ties` and `--cutoffs` both say how scores are cut"),
        (["--cutoffs", "c.toml", "--method", "nested"], 2, "`--method` and `--cutoffs` both say how scores are cut"),
        (["--cutoffs", "bad.toml"], 2, "bad.toml:4:1"),
        (["--as-of", "2000-01-01", "--save-cutoffs", "x.toml"], 3, "no customer has a score"),
        (["--as-of", "2000-01-01", "-o", "x.toml.csv", "--save-cutoffs", "x.toml"], 3, "no customer has a score"),
        (["--save-cutoffs", "-"], 2, "cutoffs are saved in a file"),
        (["-o", "x.csv", "--save-cutoffs", "./x.csv"], 2, "`x.csv` is named for two outputs"),
        (["--save-cutoffs", "."], 4, "it is a folder"),
    ],
)
def test_what_cannot_be_done_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, says: str
) -> None:
    monkeypatch.chdir(desk.folder)
    desk.put("o.csv", orders(60, seed=4))
    desk.segkit("rfm", "o.csv", "--save-cutoffs", "c.toml", "-q")
    desk.put(
        "bad.toml",
        "# one\n# two\nversion = 1\nbanana = 1\n" + (desk / "c.toml").read_text().partition("version = 1")[2],
    )
    done = desk.segkit("rfm", "o.csv", *args, code=code)
    assert says in done.stderr
    assert not list(desk.folder.glob("x.*")), "what fails writes nothing"
    assert "segkit rfm:" not in done.stderr


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("frequency = \"events\"", "frequency = \"days\""), "rules", "saved for `frequency = \"days\"`"),
        (("monetary = \"sum\"", "monetary = \"mean\""), "rules", "saved for `monetary = \"mean\"`"),
        (('operator = "<"', 'operator = ">"'), "[recency]", "the operator of `recency` is `<` or `<=`, not `>`"),
        (("cuts = [25]", "cuts = [25, 26]"), "[recency]", "2 bins need 1 cutoffs of `recency`, but there are 2"),
        (("shares = [50, 50]", "shares = [50, 30, 20]"), "[recency]", "2 bins have 2 shares of `recency`"),
        (("shares = [50, 50]", "shares = [50, 101]"), "shares", "a share in percent, from 0 to 100"),
        (("r = 1\ncuts", "r = 1\nf = 1\ncuts"), "[frequency]", "`frequency` is within `r`"),
        (("r = 2\ncuts", "r = 1\ncuts"), "[frequency]", "`frequency` has the group `r = 1` twice"),
        (("r = 2\ncuts", "r = 3\ncuts"), "[frequency]", "scores go from 1 to 2"),
        (("version = 1", ""), "", "has no `version = 1`"),
        (("as_of = 2024-01-01", 'as_of = "then"'), "as_of", "a date such as 2024-03-01"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_says_where(desk: Desk, change: tuple[str, str], line: str, says: str) -> None:
    desk.put("o.csv", "customer_id,day,total\n" + "".join(f"c{i},2023-12-{i + 5},{i}\n" for i in range(1, 5)))
    rfm(desk, "o.csv", "--bins", 2, "--method", "nested", "--save-cutoffs", desk / FILE)
    text = (desk / FILE).read_text()
    assert change[0] in text, text
    desk.put(FILE, text.replace(*change, 1))
    done = desk.segkit("check", desk.put("rules.toml", rules() + EVERYONE), "--json", code=None)
    found = json.loads(done.stdout)["diagnostics"] if done.stdout else []
    (problem,) = [d for d in found if says in d["message"]] or [{"message": done.stderr + done.stdout}]
    assert says in problem["message"]
    if line == "rules":
        assert problem["path"].endswith("rules.toml")
    elif line:
        assert problem["path"] == str(desk / FILE)
        assert line in (desk / FILE).read_text().splitlines()[problem["line"] - 1]


def test_a_score_of_a_group_without_cutoffs_is_1(desk: Desk) -> None:
    """Nobody was in the group on the day of saving, so nothing is known about it."""
    text = """version = 1
bins = 2
[recency]
operator = "<"
cuts = [50]
[frequency]
operator = ">"
[[frequency.within]]
r = 1
cuts = [1]
[monetary]
cuts = [10]
"""
    desk.put(FILE, text)
    desk.put("o.csv", "customer_id,day,total\na,2023-12-30,50\na,2023-12-31,50\nb,2023-01-01,5\nb,2023-01-02,1\n")
    assert desk.columns(rules('map = "rf"'), "rfm_code") == {"a": "212", "b": "121"}


@pytest.mark.parametrize("huge", ["1e30", "1e-30", "123456789012345678901234567890.5", "1e300", "-7"])
def test_cutoffs_of_any_size(desk: Desk, huge: str) -> None:
    desk.put("o.csv", "customer_id,day,total\na,2023-12-30,50\nb,2023-12-31,-9\n")
    text = rules().replace(f'"{FILE}"', f"{{ recency = [5], frequency = [{huge}], monetary = [{huge}] }}")
    expected = {"a": "1", "b": "1"} if float(huge) > 50 else {"a": "2", "b": "1"}
    assert desk.columns(text + 'bins = 2\nmap = "rf"\n', "m_score") == expected


@pytest.mark.parametrize(("saved", "given", "told"), [
    ([], [], ""),
    (["--where", "total > 5"], ["--where", "total > 5"], ""),
    (["--where", "total > 5"], ["--where", "total > 30"], "those of rows where `total > 5`, but here rows where `total > 30` count"),
    (["--where", "total > 5"], [], "those of rows where `total > 5`, but here all rows count"),
    ([], ["--where", "total > 5"], "those of all rows, but here `where` leaves some out"),
])  # fmt: skip
def test_cutoffs_of_other_rows_are_told(desk: Desk, saved: list[str], given: list[str], told: str) -> None:
    desk.put("o.csv", orders(400, 3))
    rfm(desk, "o.csv", *saved, "--save-cutoffs", desk / FILE)
    again = desk.segkit("rfm", desk / "o.csv", "--as-of", "2024-01-01", "--cutoffs", desk / FILE, *given, "--json")
    warnings = [w["message"] for w in json.loads(again.stdout)["warnings"] if "the cutoffs are" in w["message"]]
    assert [w.partition("the cutoffs are ")[2] for w in warnings] == ([told] if told else [])
    if not given:
        assert any("the cutoffs are" in w["message"] for w in desk.json(rules() + EVERYONE)["warnings"]) == bool(told)
