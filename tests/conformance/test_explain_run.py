"""`explain --run`: what happened in a run that was published, by what it keeps and the rows of a few customers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import segkit
from tests.desk import Desk, event_table, head

CUSTOMERS = "id,country,spend,ok,born\n" + "".join(
    f"C{n:02},{'FR' if n % 3 else 'DE'},{n}.5,{'no' if n % 7 == 0 else 'yes'},19{n + 50}-02-0{n % 9 + 1}\n"
    for n in range(1, 41)
)
ORDERS = "id,day,total\n" + "".join(
    f"C{n:02},2024-0{1 + (n * k) % 2}-{(n * 3 + k) % 28 + 1:02},{n * k}.25\n"
    for n in range(1, 41)
    for k in range(n % 6)
)
HEAD = head('types.ok = "boolean"') + event_table("orders", "o.csv", 'amount = "total"')
EVERYTHING = """
[rfm]
events = "orders"
bins = 3
[trait.third]
bands = { of = "spend", quantiles = 3, labels = ["low", "mid", "high"] }
[trait.usual]
mean_of = "spend"
per = "country"
[consent]
require.ok = true
[assignment]
mode = "exclusive"
[segment.few]
demographic.spend.top_percent = 30
limit = { count = 3, by = "spend", per = "country" }
[segment.held]
rfm.r_score.min = 2
holdout = 30
split = { a = 50, b = 50 }
[segment.rest]
demographic.third = ["low", "mid"]
sample = 60
[segment.block]
demographic.usual.min = 20
write = false
"""


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    return desk


def run(desk: Desk, rules: str, *args: object) -> Path:
    desk.apply(rules, "-o", desk / "out", "-q", *args)
    return desk / "out"


def of_run(desk: Desk, *args: object, code: int = 0) -> Any:
    done = desk.segkit("explain", "--run", desk / "out", "--json", *args, code=code)
    return json.loads(done.stdout) | {"stderr": done.stderr}


def now(desk: Desk, *args: object) -> Any:
    return json.loads(desk.segkit("explain", desk / "rules.toml", *args, "--json").stdout)


def outcomes(found: Any) -> dict[tuple[str, str], str | None]:
    return {(c["key"], s["name"]): s["outcome"] for c in found["customers"] for s in c["segments"]}


def test_all_gates_and_cuts_are_those_of_the_run(shop: Desk) -> None:
    """Asked for one customer at a time, so that nothing can be computed of the others."""
    run(shop, HEAD + EVERYTHING)
    keys = [f"C{n:02}" for n in range(1, 41)]
    whole = now(shop, *keys)
    assert {one for one in outcomes(whole).values() if one} == {
        "written", "holdout", "claimed", "consent", "limit", "sample", "not_written"
    }  # fmt: skip
    for customer in whole["customers"]:
        found = of_run(shop, customer["key"])
        assert found["customers"] == [customer]
        assert found["run"] == str(shop / "out") and not found["notes"] and not found["warnings"]


@pytest.mark.parametrize(
    "output",
    [
        'format = "parquet"',
        'format = "ndjson"',
        "changes = true",
        'hash = ["id"]',
        "escape_formulas = true",
    ],
)
def test_lists_in_every_form(shop: Desk, output: str) -> None:
    run(shop, HEAD + EVERYTHING + f"[output]\n{output}\n")
    assert outcomes(of_run(shop, "C04", "C12", "C21", "C38")) == outcomes(now(shop, "C04", "C12", "C21", "C38"))


def test_lists_of_values_are_named(shop: Desk) -> None:
    run(shop, HEAD + '[segment.a]\neveryone = true\neach = "country"\n')
    (customer,) = of_run(shop, "C03")["customers"]
    assert customer["segments"][0]["list"] == "a.de.csv"


def test_the_lists_stand_where_the_files_have_changed(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n[segment.b]\ndemographic.spend.below = 20\n")
    shop.put("c.csv", CUSTOMERS.replace("C30,DE,30.5", "C30,DE,1.5"))
    found = of_run(shop, "C30", "C31")
    assert outcomes(found) == {
        ("C30", "a"): "written", ("C30", "b"): "changed-since-run",
        ("C31", "a"): "written", ("C31", "b"): None,
    }  # fmt: skip
    assert re.search(
        r"`.*c\.csv` has [\d,]+ bytes, and had [\d,]+ when the run read it", found["warnings"][0]["message"]
    )
    assert "changed since the run" in shop.segkit("explain", "--run", shop / "out", "C30").stdout


@pytest.mark.parametrize(
    ("limit", "before", "after", "outcome"),
    [
        ('{ count = 9, by = "spend" }', "C20,FR,20.5", "C20,FR,98.5", "changed-since-run"),  # would have been the first
        ('{ count = 9, by = "spend" }', "C20,FR,20.5", "C20,FR,21.5", "limit"),
        ('{ count = 9, by = "spend", order = "ascending" }', "C20,FR,20.5", "C20,FR,1.2", "changed-since-run"),
        ('{ count = 9, by = "spend", order = "ascending" }', "C20,FR,20.5", "C20,FR,", "limit"),
        ('{ count = 4, by = "spend" }', "C20,FR,20.5", "C20,FR,98.5", "limit"),  # fewer than tell
        ('{ count = 9, by = "id" }', "C20,FR,20.5", "C20,FR,98.5", "limit"),
        ('{ count = 9, by = "spend", per = "country" }', "C20,FR,20.5", "C20,FR,98.5", "limit"),
    ],
)
def test_who_would_have_been_within_a_limit_has_changed(
    shop: Desk, limit: str, before: str, after: str, outcome: str
) -> None:
    """No list has him, so he was beyond the limit, or was another one."""
    run(shop, HEAD + f"[segment.a]\neveryone = true\nlimit = {limit}\n")
    assert outcomes(of_run(shop, "C20")) == {("C20", "a"): "limit"}
    shop.put("c.csv", CUSTOMERS.replace(before, after))
    assert outcomes(of_run(shop, "C20")) == {("C20", "a"): outcome}


def test_who_is_in_an_earlier_list_was_claimed_whatever_the_files_say_now(shop: Desk) -> None:
    rules = HEAD + '[assignment]\nmode = "exclusive"\n[segment.a]\ndemographic.spend.min = 30\n'
    rules += "[segment.b]\neveryone = true\nlimit = 5\n[segment.c]\neveryone = true\n"
    run(shop, rules)
    shop.put("c.csv", CUSTOMERS.replace("C30,DE,30.5", "C30,DE,1.5"))
    found = of_run(shop, "C30")
    assert outcomes(found) == {("C30", "a"): "written", ("C30", "b"): "claimed", ("C30", "c"): "claimed"}
    assert {one["claimed_by"] for one in found["customers"][0]["segments"][1:]} == {"a"}


def test_a_file_of_another_folder_is_another_file(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it has the same name and length."""
    for day, letter in (("mon", "x"), ("tue", "y")):
        shop.put(f"{day}/c.csv", f"id,a\n1,{letter}\n")
    monkeypatch.setenv("DAY", "mon")
    monkeypatch.chdir(shop.folder)
    shop.put("rules.toml", head(path="${DAY}/c.csv") + "[segment.s]\neveryone = true\n")
    shop.segkit("apply", "rules.toml", "-o", "out")
    assert of_run(shop, "1")["warnings"] == []
    monkeypatch.setenv("DAY", "tue")
    (warning,) = of_run(shop, "1")["warnings"]
    assert warning["message"] == "`tue/c.csv` stands where the run has read `mon/c.csv`"
    funnels = shop.segkit("explain", "--run", shop / "out", "--verify").output
    assert "stands where the run has read" in funnels


def test_a_copy_of_cutoffs_that_was_edited(desk: Desk) -> None:
    desk.put("o.csv", "id,day,total\n" + "".join(f"{n},2024-01-{n:02},{n}\n" for n in range(1, 21)))
    desk.segkit("rfm", desk / "o.csv", "--save-cutoffs", desk / "cut.toml", "--as-of", "2024-02-01")
    rules = 'version = 1\nas_of = 2024-02-01\n[customers]\nfrom = "o"\nkey = "id"\n' + event_table(
        "o", "o.csv", 'amount = "total"'
    )
    run(
        desk,
        rules + '[rfm]\nevents = "o"\nmethod = "cutoffs"\ncutoffs = "cut.toml"\n[segment.s]\nrfm.m_score.min = 3\n',
    )
    assert of_run(desk, "7")["warnings"] == []
    (copy,) = (desk / "out/run").glob("included*")
    copy.write_text(copy.read_text().replace("4", "5"))
    (warning,) = of_run(desk, "7")["warnings"]
    assert "is not as it was written" in warning["message"]


def test_what_a_run_has_left_out_was_not_written(shop: Desk) -> None:
    shop.put("rules.toml", HEAD + EVERYTHING)
    first, *others = (line[9:-1] for line in EVERYTHING.splitlines() if line.startswith("[segment."))
    shop.segkit("apply", shop / "rules.toml", "-o", shop / "out", "--select", first)
    expected = {
        (key, name): "left-out-of-run" if name in others and outcome not in (None, "not_written") else outcome
        for (key, name), outcome in outcomes(now(shop, "C04", "C12", "C21", "C38")).items()
    }
    assert "left-out-of-run" in expected.values()
    assert outcomes(of_run(shop, "C04", "C12", "C21", "C38")) == expected
    assert "matches, left out of the run" in shop.segkit("explain", "--run", shop / "out", "C04").stdout


def test_a_reason_for_which_the_run_stopped_nobody_is_none(shop: Desk) -> None:
    run(shop, HEAD + "[consent]\nrequire.ok = true\n[segment.a]\ndemographic.spend.between = [20, 20.9]\n")
    shop.put("c.csv", CUSTOMERS.replace("C20,FR,20.5,yes", "C20,FR,20.5,no").replace("C21,DE,21.5", "C21,DE,20.7"))
    assert outcomes(of_run(shop, "C20", "C21")) == {("C20", "a"): "written", ("C21", "a"): "changed-since-run"}


def test_files_are_compared_as_a_whole_only_where_asked(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\neveryone = true\n")
    (note,) = of_run(shop, "C02", "--verify")["notes"]
    assert note["message"] == "the files are as the run has read them"
    shop.put("c.csv", CUSTOMERS.replace("C01,FR", "C01,XX"))
    assert of_run(shop, "C02")["warnings"] == []
    assert of_run(shop, "C02")["notes"] == []
    (warning,) = of_run(shop, "C02", "--verify")["warnings"]
    assert "is not what the run has read, though it is as long" in warning["message"]
    assert "`--verify`" in shop.segkit("explain", shop / "rules.toml", "C01", "--verify", code=2).stderr


def test_the_rules_are_those_of_the_run(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n")
    changed = shop.put("rules.toml", HEAD + "[segment.a]\ndemographic.spend.min = 30\n")
    found = of_run(shop, changed, "C25")
    assert outcomes(found) == {("C25", "a"): "written"}
    assert found["customers"][0]["segments"][0]["criteria"]["parts"][0]["wanted"] == "at least 20"
    assert "is not what the run was made by" in found["warnings"][0]["message"]
    shop.segkit("explain", "--run", shop / "out", shop / "no.toml", "C25", code=2)


def test_included_files_are_those_of_the_run(shop: Desk) -> None:
    shop.put("k.toml", "version = 1\nrecency = [10, 40]\nfrequency = [2, 4]\nmonetary = [50, 90]\n")
    rules = HEAD + '[rfm]\nevents = "orders"\nbins = 3\nmethod = "cutoffs"\ncutoffs = "k.toml"\n'
    run(shop, rules + "[segment.a]\nrfm.m_score = 3\n")
    before = outcomes(now(shop, "C05", "C35"))
    shop.put("k.toml", "version = 1\nrecency = [10, 40]\nfrequency = [2, 4]\nmonetary = [5000, 9000]\n")
    assert outcomes(of_run(shop, "C05", "C35")) == before
    (shop / "k.toml").unlink()
    assert outcomes(of_run(shop, "C05", "C35")) == before


NOT_KEPT = {
    "a group of few": ('[trait.t]\nmean_of = "spend"\nper = "born"\n[segment.a]\ndemographic.t.min = 20\n', (),
                       "it does not tell all cuts of `t`"),
    "equal values told apart": ('[rfm]\nevents = "orders"\nbins = 3\nties = "split"\n[segment.a]\nrfm.f_score = 2\n', (),
                                "it does not tell all cuts of `r_score`"),
    "only some segments": ("[segment.a]\neveryone = true\n[segment.b]\neveryone = true\n", ("--select", "a"),
                           "it has left out `b`"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_KEPT)
def test_what_a_run_does_not_keep_is_computed_again(shop: Desk, case: str) -> None:
    rules, args, reason = NOT_KEPT[case]
    run(shop, HEAD + rules, *args)
    found = of_run(shop, "C11", "C29")
    assert found["run"] is None
    assert any(f"the run does not tell all: {reason}" in note["message"] for note in found["notes"])
    left_out = [key for key, outcome in outcomes(found).items() if outcome == "left-out-of-run"]
    expected = outcomes(now(shop, "C11", "C29")) | dict.fromkeys(left_out, "left-out-of-run")
    assert outcomes(found) == expected and bool(left_out) is (case == "only some segments")


@pytest.mark.extra("predict")
def test_predictions_are_those_of_the_run(shop: Desk) -> None:
    days = [(n, k) for n in range(80) for k in range(1 + n % 4)]
    shop.put("c.csv", "id\n" + "".join(f"C{n:02}\n" for n in range(80)))
    lines = [
        f"C{n:02},2023-{(n * 5 + k * 3) % 12 + 1:02}-{(n * 7 + k) % 28 + 1:02},{n % 13 + k + 1}.5" for n, k in days
    ]
    shop.put("o.csv", "id,day,total\n" + "\n".join(lines) + "\n")
    rules = head() + event_table("orders", "o.csv", 'amount = "total"')
    run(
        shop,
        rules
        + '[value]\nevents = "orders"\n[value.predict]\n[segment.a]\nvalue.clv.min = 4\nvalue.p_alive.min = 0.1\n',
    )
    keys = [f"C{n:02}" for n in range(0, 80, 7)]
    found = of_run(shop, *keys)
    assert found["run"] and found["customers"] == now(shop, *keys)["customers"]


def test_what_a_sample_does_not_show_is_told_by_the_run(desk: Desk) -> None:
    """A large text, of which a sample is all plain numbers and days written in one way."""
    rows = [f"K{n:06},{n % 900},2023-01-{n % 28 + 1:02},{'x' * 20}" for n in range(60_000)]
    rows[47_123] = "K047123,1234.5,2023-01-05 10:30:00,odd"
    rows[12_345] = "K012345,12,31/12/2023,odd"
    desk.put("c.csv", "id,spend,day,text\n" + "\n".join(rows) + "\n")
    rules = head('types.day = "date"', 'date_format.day = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y"]')
    run(desk, rules + "[segment.a]\ndemographic.spend.min = 800\nbehavioural.day.min = 2023-01-02\n")
    keys = ["K047123", "K012345", "K000899", "K000001"]
    found = of_run(desk, *keys)
    assert found["run"] and found["customers"] == now(desk, *keys)["customers"]
    assert found["customers"][0]["segments"][0]["criteria"]["parts"][0]["actual"] == "1234.5"


ODD_KEYS = [
    (pl.DataFrame({"id": [1, 22, 333], "x": [1, 2, 3]}), pl.DataFrame({"id": [22, 22, 333], "day": ["2024-01-01"] * 3})),
    (pl.DataFrame({"id": [1.0, 22.0, 333.0], "x": [1, 2, 3]}), pl.DataFrame({"id": ["22", " 22", "22 "], "day": ["2024-01-01"] * 3})),
    (pl.DataFrame({"id": ["1", '="22"', "333"], "x": [1, 2, 3]}), pl.DataFrame({"id": ["22", "\u200b22", "'22"], "day": ["2024-01-01"] * 3})),
]  # fmt: skip


@pytest.mark.parametrize(("customers", "orders"), ODD_KEYS)
def test_keys_as_files_have_them(desk: Desk, customers: pl.DataFrame, orders: pl.DataFrame) -> None:
    desk.put("c.parquet", customers)
    desk.put("o.parquet", orders)
    rules = head(path="c.parquet") + event_table("orders", "o.parquet")
    run(desk, rules + '[segment.a]\nbehavioural.did = { events = "orders", min = 2 }\n')
    found = of_run(desk, "22")
    assert found["run"] and outcomes(found) == {("22", "a"): "written"}
    assert found["customers"] == now(desk, "22")["customers"]


def test_keys_that_are_compared_in_another_form(desk: Desk) -> None:
    desk.put("c.csv", "id,x\nanna@x.org,1\nBEN@x.org,2\n")
    desk.put("o.csv", "id,day\nAnna@X.org,2024-01-01\nben@x.org,2024-01-02\n")
    rules = head('normalise_keys = ["case"]') + event_table("orders", "o.csv")
    run(desk, rules + '[segment.a]\nbehavioural.did = { events = "orders" }\n')
    found = of_run(desk, "BEN@x.org", "anna@x.org")
    assert found["run"] and set(outcomes(found).values()) == {"written"}


def test_customers_of_events(shop: Desk) -> None:
    rules = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "orders"\nkey = "id"\n'
    run(
        shop,
        rules
        + event_table("orders", "o.csv", 'amount = "total"')
        + '[segment.a]\nbehavioural.did = { events = "orders", min = 3 }\n',
    )
    found = of_run(shop, "C03", "C04")
    assert found["run"] and found["customers"] == now(shop, "C03", "C04")["customers"]


def test_files_that_the_command_line_named(shop: Desk) -> None:
    shop.put("other/c.csv", CUSTOMERS.replace("C05,FR,5.5", "C05,FR,99"))
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 50\n", "--customers", shop / "other/c.csv")
    assert outcomes(of_run(shop, "C05")) == {("C05", "a"): "written"}
    assert of_run(shop, "C05")["customers"][0]["segments"][0]["criteria"]["held"]


def test_a_pipe_is_gone(shop: Desk) -> None:
    shop.apply(
        HEAD + "[segment.a]\neveryone = true\n", "-o", shop / "out", "--customers", "-", input=CUSTOMERS.encode()
    )
    done = shop.segkit("explain", "--run", shop / "out", "C05", code=2)
    assert "has read `customers` from standard input, which is gone" in done.stderr


def test_keys_that_nobody_has(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\neveryone = true\n")
    done = shop.segkit("explain", "--run", shop / "out", "C99", "C01", code=3)
    assert (
        "no customer has the key `C99`" in done.stderr and "keys look like this: one letter, two digits" in done.stderr
    )
    assert "C01, as of 2024-03-01, in the run" in done.stdout


def test_a_key_that_ends_like_a_rule_file(shop: Desk) -> None:
    shop.put("c.csv", "id,spend\nmy.toml,1\n")
    run(shop, head() + "[segment.a]\neveryone = true\n")
    assert outcomes(of_run(shop, "--", "my.toml")) == {("my.toml", "a"): "written"}
    shop.segkit("explain", "--run", shop / "out", "my.toml", code=2)


def test_without_keys_the_funnel_is_by_the_rules_of_the_run(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n")
    assert of_run(shop, "--segment", "a")["funnels"][0]["matched"] == 21


@pytest.mark.parametrize("args", [("C01",), ("C01", "--as-of", "2024-01-01")])
def test_what_is_no_run(shop: Desk, args: tuple[str, ...]) -> None:
    (shop / "out").mkdir()
    done = shop.segkit("explain", "--run", shop / "out", *args, code=None)
    assert done.exit_code in (2, 3) and "Traceback" not in done.stderr


def test_rules_are_needed_without_a_run(shop: Desk) -> None:
    assert "RULES" in shop.segkit("explain", code=2).stderr


def test_runs_that_are_kept(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n[output]\nkeep = 3\n")
    kept = next(path for path in (shop / "out").iterdir() if path.is_dir() and not path.is_symlink())
    for folder in (shop / "out", kept):
        found = json.loads(shop.segkit("explain", "--run", folder, "C30", "--json").stdout)
        assert outcomes(found) == {("C30", "a"): "written"} and not found["warnings"]


GROUPS = """id,day,flag,number,part,text,spend
""" + "".join(
    f"K{n:03},2024-01-0{n % 2 + 1},{'yes' if n % 3 else ''},{n % 2 + 5},{n % 2}.5,{['a b', '', 'ü'][n % 3]},{n}.25\n"
    for n in range(60)
)  # fmt: skip


@pytest.mark.parametrize("per", ["day", "flag", "number", "part", "text"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_groups_of_every_kind(desk: Desk, per: str, ending: str) -> None:
    desk.put("c.csv", GROUPS)
    if ending == "parquet":
        desk.put("c.parquet", pl.read_csv(desk / "c.csv", try_parse_dates=True).cast({"part": pl.Decimal(10, 2)}))
    rules = head('types.flag = "boolean"' if ending == "csv" else "", path=f"c.{ending}")
    run(
        desk,
        rules
        + f"""
[trait.usual]
mean_of = "spend"
per = "{per}"
[trait.third]
bands = {{ of = "spend", quantiles = 3, per = "{per}" }}
[trait.named]
bands = {{ of = "spend", quantiles = 3, per = "{per}", labels = ["x", "y", "z"] }}
[segment.a]
demographic.usual.min = 29
demographic.third.min = 2
demographic.named = ["y", "z"]
[segment.b]
demographic.spend.top_percent = {{ percent = 30, per = "{per}" }}
""",
    )
    keys = [f"K{n:03}" for n in range(0, 60, 7)]
    found = of_run(desk, *keys)
    assert found["run"] and found["customers"] == now(desk, *keys)["customers"]


def test_several_files_that_the_command_line_named(shop: Desk) -> None:
    lines = ORDERS.splitlines(keepends=True)
    for number, part in enumerate((lines[1:9], lines[9:])):
        shop.put(f"here/p{number}.csv", lines[0] + "".join(part))
        shop.put(f"there/p{number}.csv", lines[0] + "C01,2024-01-01,7\n")
    rules = head('types.ok = "boolean"') + event_table("orders", "there/p*.csv", 'amount = "total"')
    rules += '[segment.a]\nbehavioural.did = { events = "orders", min = 3 }\n'
    run(shop, rules, "--events", f"orders={shop / 'here'}/p*.csv")
    (customer,) = of_run(shop, "C05")["customers"]
    part = customer["segments"][0]["criteria"]["parts"][0]
    assert customer["segments"][0]["outcome"] == "written" and part["held"]


def test_frames_are_gone(shop: Desk) -> None:
    rules = shop.put("rules.toml", HEAD + "[segment.a]\neveryone = true\n")
    segkit.apply(rules, customers=pl.read_csv(shop / "c.csv"), write=True, output=shop / "out")
    done = shop.segkit("explain", "--run", shop / "out", "C05", code=2)
    assert "has read `customers` from a frame in Python, which is gone" in done.stderr


def test_variables_that_have_changed(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_COUNTRY", "FR")
    run(shop, HEAD + '[segment.a]\ngeographic.country = "${SHOP_COUNTRY}"\n')
    assert not of_run(shop, "C01")["warnings"]
    monkeypatch.setenv("SHOP_COUNTRY", "DE")
    found = of_run(shop, "C01")
    assert outcomes(found) == {("C01", "a"): "written"}
    assert "has another value now than it had then" in found["warnings"][0]["message"]
    assert "does not follow from its rules and the files" in found["warnings"][1]["message"]


def test_a_customer_whom_the_file_has_lost(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n")
    shop.put("c.csv", "".join(line for line in CUSTOMERS.splitlines(keepends=True) if not line.startswith("C30")))
    done = shop.segkit("explain", "--run", shop / "out", "C30", "--json", code=3)
    assert "the customer file has lost them since the run: `C30` is in `a.csv`" in done.stderr


def test_who_is_in_no_holdout_list_was_not_held_out(shop: Desk) -> None:
    run(shop, HEAD + '[segment.a]\ngeographic.country = "FR"\nholdout = 50\n')
    shop.put("c.csv", CUSTOMERS.replace(",DE,", ",FR,"))
    german = [f"C{n:02}" for n in range(3, 40, 3)]
    assert set(outcomes(of_run(shop, *german)).values()) == {"changed-since-run"}


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson", "arrow"])
def test_brackets_in_names_are_no_pattern(desk: Desk, form: str) -> None:
    frame = pl.DataFrame({"id": ["C1", "C2"], "x": [1, 2]})
    desk.put(f"data [2024]/c[1].{form}", frame)
    rules = head(path=f"c[1].{form}") + f'[segment.a]\ndemographic.x.min = 2\n[output]\nformat = "{form}"\n'
    file = desk.put("data [2024]/rules.toml", rules)
    out = desk / "data [2024]/out [1]"
    for _ in range(2):
        done = desk.segkit("apply", file, "-o", out)
        assert "not known" not in done.stderr
    found = json.loads(desk.segkit("explain", "--run", out, "--json", "C2").stdout)
    assert outcomes(found) == {("C2", "a"): "written"} and found["run"]


def test_a_copy_of_the_rules_that_somebody_has_changed(shop: Desk) -> None:
    run(shop, HEAD + "[segment.a]\ndemographic.spend.min = 20\n")
    copy = shop / "out/run/rules.toml"
    copy.write_text(copy.read_text(encoding="utf-8").replace("20", "30"), encoding="utf-8")
    assert "is not as it was written" in of_run(shop, "C25")["warnings"][0]["message"]


def test_values_that_can_no_longer_be_read(desk: Desk) -> None:
    frame = pl.DataFrame({"id": [f"C{n}" for n in range(9)], "spend": [f"{n}.5" for n in range(9)]})
    desk.put("c.parquet", frame)
    run(desk, head('types.spend = "number"', path="c.parquet") + "[segment.a]\ndemographic.spend.min = 3\n")
    desk.put("c.parquet", frame.with_columns(spend=pl.when(id="C5").then(pl.lit("abc")).otherwise("spend")))
    found = of_run(desk, "C5")
    assert any(
        "a value in `spend` of `customers` cannot be read any more" in one["message"] for one in found["warnings"]
    )
    assert outcomes(found) == {("C5", "a"): "written"}


def test_a_rule_file_with_a_mark_of_utf_8_is_the_one_that_was_kept(shop: Desk) -> None:
    rules = shop.put("rules.toml", ("\ufeff" + HEAD + "[segment.a]\neveryone = true\n").encode())
    shop.segkit("apply", rules, "-o", shop / "out", "-q")
    assert of_run(shop, rules, "C25")["warnings"] == []


@pytest.mark.extra("geo")
def test_zones_that_have_changed(desk: Desk) -> None:
    ring = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
    shape = {"type": "Feature", "properties": {"name": "A"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    desk.put("z.geojson", json.dumps({"type": "FeatureCollection", "features": [shape]}))
    desk.put("c.csv", "id,lat,lon\nC1,1,1\nC2,9,9\n")
    run(desk, head('latitude = "lat"', 'longitude = "lon"') + '[segment.a]\ngeographic.inside = "z.geojson"\n')
    assert of_run(desk, "C1")["warnings"] == []
    desk.put("z.geojson", (desk / "z.geojson").read_text(encoding="utf-8").replace("[2, ", "[3, "))
    assert any("z.geojson` is not what the run has read" in one["message"] for one in of_run(desk, "C1")["warnings"])
