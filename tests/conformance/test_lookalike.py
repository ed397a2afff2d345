"""`segkit lookalike`: what is asked and what is not, how good the card is, its file, prospects, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.operations.discovering.lookalike.weighing import model
from tests.desk import ROOT, Desk, environment, event_table, head

pytestmark = pytest.mark.extra("discover")
COLUMNS = ("id", "vip", "age", "region", "income", "born", "pets", "consent", "mail", "note", "planet")


def people(number: int = 600, seed: int = 1) -> list[dict[str, Any]]:
    """Customers, 4 in 10 of them members: older, and more often from the north."""
    r = random.Random(seed)
    rows = []
    for n in range(number):
        vip = r.random() < 0.4
        age = r.randint(40, 80) if vip and r.random() < 0.6 else r.randint(18, 80)
        rows.append(
            {
                "id": f"c{n}",
                "vip": "yes" if vip else "no",
                "age": age,
                "region": r.choice(["north", "north", "south", "west"] if vip else ["south", "west", "north", ""]),
                "income": round(20_000 + 300 * age + r.gauss(0, 9000), 2) if r.random() < 0.9 else "",
                "born": f"{2024 - age}-03-0{r.randint(1, 9)}",
                "pets": "|".join(r.sample(["cat", "dog", "fish"], r.randint(0, 2))),
                "consent": r.choice(["yes", "no"]),
                "mail": f"c{n}@example.org",
                "note": f"n{n}",
                "planet": "earth",
            }
        )
    return rows


def put(desk: Desk, rows: Sequence[dict[str, Any]], name: str = "c.csv") -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return desk.put(name, text.getvalue())


HEAD = head('types = { vip = "boolean", consent = "boolean" }', 'lists.pets = "|"')
SEED = "[segment.seed]\ndemographic.vip = true\n"


def done(desk: Desk, rules: str, *args: object, segment: str = "seed") -> Any:
    path = desk.put("rules.toml", rules)
    return json.loads(desk.segkit("lookalike", path, "--seed-segment", segment, "--json", *args).stdout)


def asked(found: Any) -> set[str]:
    return {one["column"] for one in found["columns"]}


def left_out(found: Any) -> dict[str, str]:
    return {one["column"]: one["reason"] for one in found["left_out"]}


TRAITS = '[trait.years]\nyears_since = "born"\n[trait.rich]\nsql = "income > 40000"\n'
ORDERS = event_table("orders", "o.csv", 'amount = "total"')
WHAT = [
    # what, more rules, the segment, columns that are asked, reasons of those that are not
    ("a plain segment", "", SEED, {"age", "region", "income", "born", "pets"}, {"vip": "seed", "id": "key"}),
    ("others", "", SEED, set(), {"mail": "personal", "note": "values", "planet": "constant", "consent": "consent"}),
    ("traits", TRAITS, SEED, {"years", "rich", "born"}, {}),
    ("events", ORDERS + '[trait.n]\nevents = "orders"\n', SEED, {"age"}, {"n": "events"}),
    (
        "made of events",
        ORDERS + '[trait.n]\nevents = "orders"\n[trait.m]\nsql = "n + age"\n[rfm]\nevents = "orders"\n',
        SEED,
        {"age"},
        {"m": "events", "monetary": "events", "r_score": "events", "rfm_segment": "events"},
    ),
    ("a trait of the seed", TRAITS, "[segment.seed]\ndemographic.years.min = 60\n", {"age"}, dict.fromkeys(("years", "born"), "seed")),
    ("made of the same", TRAITS, "[segment.seed]\nsql = \"income > 42000\"\n", {"age", "years"}, dict.fromkeys(("income", "rich"), "seed")),
    (
        "derived from it",
        "",
        "[segment.seed]\ndemographic.age.min = 60\n",
        {"income", "richer"},
        {"age": "seed", "twice": "seed"},
    ),
    (
        "another segment",
        "",
        "[segment.old]\ndemographic.age.min = 50\n[segment.seed]\nin_segment = \"old\"\nnone = [{ geographic.region = \"west\" }]\n",
        {"income", "born"},
        {"age": "seed", "region": "seed"},
    ),
    (
        "not in another",
        "",
        "[segment.young]\ndemographic.age.max = 55\n[segment.seed]\nnot_in_segment = \"young\"\n",
        {"income", "region"},
        {"age": "seed"},
    ),
    (
        "in any of several",
        "",
        '[segment.seed]\nany = [{ demographic.age.min = 70 }, { all = [{ geographic.region = "north" }] }]\n',
        {"income"},
        {"age": "seed", "region": "seed"},
    ),
    (
        "a share within groups",
        "",
        '[segment.seed]\nvalue = {}\ndemographic.income.top_percent = { percent = 30, per = "region" }\n'.replace("value = {}\n", ""),
        {"age"},
        {"income": "seed", "region": "seed"},
    ),
    (
        "a lookup",
        '[lookup.places]\npath = "places.csv"\non = "region"\n',
        '[segment.seed]\ngeographic.coast = "land"\n',
        {"age"},
        {"coast": "seed", "region": "seed", "rain": "seed"},
    ),
    ("a lookup beside it", '[lookup.places]\npath = "places.csv"\non = "region"\n', SEED, {"coast", "region"}, {}),
    ("consent", '[consent]\nrequire.age = { min = 18 }\n', SEED, {"region"}, {"age": "consent", "consent": "consent"}),
    ("suppressed by", '[consent]\nsuppress = "no.csv"\nsuppress_on = "region"\n', SEED, {"age"}, {"region": "consent"}),
    ("protected", '[output]\nhash = ["region"]\n', SEED, {"age"}, {"region": "personal"}),
    (
        "an event of the seed",
        ORDERS,
        '[segment.seed]\nbehavioural.did = { events = "orders", since = { column = "born" } }\n',
        {"age"},
        {"born": "seed"},
    ),
]  # fmt: skip


def files(desk: Desk) -> None:
    put(desk, people())
    desk.put("o.csv", "id,day,total\n" + "".join(f"c{n},2024-01-0{n % 9 + 1},{n}\n" for n in range(0, 600, 3)))
    desk.put("places.csv", "region,coast,rain\nnorth,sea,5\nsouth,sea,3\nwest,land,4\n")
    desk.put("no.csv", "region\nnowhere\n")


@pytest.mark.parametrize(("what", "more", "segment", "wanted", "reasons"), WHAT, ids=[case[0] for case in WHAT])
def test_what_is_asked_and_what_is_left_out(
    desk: Desk, what: str, more: str, segment: str, wanted: set[str], reasons: dict[str, str]
) -> None:
    files(desk)
    derived = "derive.twice = 'age * 2'\nderive.richer = 'income + 1'\n" if "derived" in what else ""
    found = done(desk, HEAD + derived + more + segment)
    assert wanted <= asked(found)
    assert reasons.items() <= left_out(found).items()
    assert not asked(found) & (left_out(found).keys() - {n for n, why in left_out(found).items() if why == "points"})


def test_each_column_is_asked_or_left_out(desk: Desk) -> None:
    files(desk)
    found = done(desk, HEAD + SEED)
    assert asked(found) | left_out(found).keys() == set(COLUMNS)
    assert {one["column"] for one in found["card"]} == asked(found) - {
        name for name, why in left_out(found).items() if why == "points"
    }
    assert [one for one in found["left_out"] if one["reason"] == "personal"] == [
        {"column": "mail", "reason": "personal", "what": "e-mail"}
    ]
    shown = desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed").stdout
    assert "is personal data" in shown and "mail (e-mail)" in shown
    assert "not who will buy" in " ".join(shown.split())


def test_the_columns_that_are_named(desk: Desk) -> None:
    files(desk)
    found = done(desk, HEAD + SEED, "--columns", "age, region")
    assert asked(found) == {"age", "region"}
    assert left_out(found)["income"] == left_out(found)["vip"] == "not chosen"
    put(desk, [{"a,b": row["age"], **row} for row in people()])
    assert asked(done(desk, HEAD + SEED, "--columns", '"a,b",region')) == {"a,b", "region"}


REFUSED = [
    # what, more rules, options, exit code, what is said
    ("no such segment", "", ["--seed-segment", "sede"], 2, ["has no segment `sede`", "did you mean `seed`?"]),
    ("no such column", "", ["--columns", "aeg"], 2, ["no column `aeg`", "`age`"]),
    ("a criterion", "", ["--columns", "age,vip"], 2, ["`vip`", "criterion of the segment"]),
    ("the key", "", ["--columns", "id"], 2, ["`id`", "tells who somebody is"]),
    ("personal data", "", ["--columns", "mail"], 2, ["`mail`", "is personal data (e-mail)", "bands"]),
    ("events", ORDERS + '[trait.n]\nevents = "orders"\n', ["--columns", "n"], 2, ["`n`", "is made of events"]),
    ("nothing to tell by", "", ["--columns", "planet,note"], 3, ["no column tells members from others"]),
    ("a score of that name", "[[score.likeness.rule]]\neveryone = true\npoints = 1\n", [], 2, ["[score.likeness]"]),
    ("a column of that name", '[trait.likeness_score]\nsql = "age * 2"\n', [], 2, ["column `likeness_score` already"]),
    ("no share", "", ["--top-percent", "0"], 2, ["is not a share in percent"]),
    ("no number", "", ["--top-percent", "nan"], 2, ["is not a share in percent"]),
    ("more than all", "", ["--top-percent", "101"], 2, ["is not a share in percent"]),
    ("rules on standard output", "", ["--save-rules", "-"], 2, ["TOML"]),
    ("rules over themselves", "", ["--save-rules", "rules.toml"], 4, ["is an input"]),
    ("rules over another file", "", ["--save-rules", "mine.toml"], 4, ["no discovery has written it"]),
    ("points over the customers", "", ["-o", "c.csv"], 4, ["`c.csv` is an input"]),
    ("an unknown format", "", ["-o", "c.what"], 2, ["c.what"]),
    ("one file twice", "", ["-o", "x.csv", "--save-rules", "x.csv"], 2, ["two outputs"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "more", "options", "code", "said"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str, more: str, options: list[str], code: int, said: list[str]
) -> None:
    monkeypatch.chdir(desk.folder)
    files(desk)
    desk.put("mine.toml", "version = 1\n")
    desk.put("rules.toml", HEAD + more + SEED)
    before = desk.tree(".")
    segment = [] if "--seed-segment" in options else ["--seed-segment", "seed"]
    stderr = desk.segkit("lookalike", "rules.toml", *segment, *options, code=code).stderr
    assert all(words in " ".join(stderr.split()) for words in said), stderr
    assert desk.tree(".") == before


SIZES = [(99, 300, False), (100, 300, True), (150, 300, True), (151, 300, False)]


@pytest.mark.parametrize(("members", "customers", "is_enough"), SIZES)
def test_how_large_a_segment_may_be(desk: Desk, members: int, customers: int, is_enough: bool) -> None:
    rows = people(customers)
    for n, row in enumerate(rows):
        row["vip"] = "yes" if n < members else "no"
    put(desk, rows)
    rules = desk.put("rules.toml", HEAD + SEED)
    result = desk.segkit("lookalike", rules, "--seed-segment", "seed", code=0 if is_enough else 3)
    if not is_enough:
        said = "has 99 members, and a picture needs 100" if members < 100 else "more than half"
        assert said in " ".join(result.stderr.split())
        assert "rules.toml:" in result.stderr and "hint: start from a" in result.stderr


def with_leak(share: float) -> list[dict[str, Any]]:
    """Customers with a column that says who is a member, of so many of them."""
    r, rows = random.Random(3), people()
    for row in rows:
        row["called"] = row["vip"] if r.random() < share else r.choice(["yes", "no"])
    return rows


def test_a_column_that_tells_too_well(desk: Desk) -> None:
    put(desk, with_leak(0.9))
    found = done(desk, HEAD + SEED)
    assert [w["message"] for w in found["warnings"] if "leak" in w["message"]] == [
        next(f"`called` alone tells members from others with an AUC of {one['auc']:.2f}: it may leak who is one"
             for one in found["columns"] if one["column"] == "called")
    ]  # fmt: skip
    put(desk, with_leak(0.0))
    assert not [w for w in done(desk, HEAD + SEED)["warnings"] if "leak" in w["message"]]


def test_a_column_that_leads(desk: Desk) -> None:
    r, rows = random.Random(5), people()
    for row in rows:
        row |= {"age": r.randint(18, 80), "region": "x", "income": "", "born": "", "pets": ""}
        row["called"] = row["vip"] if r.random() < 0.4 else r.choice(["yes", "no"])
    put(desk, rows)
    found = done(desk, HEAD + SEED)
    alone = {one["column"]: one["auc"] for one in found["columns"]}
    assert alone["called"] < 0.75 and alone["called"] - alone["age"] >= 0.1
    assert "no other column more than" in found["warnings"][0]["message"]


def test_of_many_customers_some_are_fitted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members first of all; but each stands for as many as there are, so that chances are those of all customers."""
    monkeypatch.setattr(model, "MOST_FITTED", 200)
    files(desk)
    found = done(desk, HEAD + SEED)
    assert (found["fitted"], found["customers"]) == (200, 600)
    said = sum(one["said"] * one["customers"] for one in found["fifths"]) / 600
    assert said == pytest.approx(found["members"] / 600, abs=0.05)
    shown = desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed").stdout
    assert "points fitted to 200 customers, members first of all" in shown


@pytest.mark.parametrize(("others", "is_asked"), [(11, False), (12, True)])
def test_what_nearly_all_have_tells_nothing(desk: Desk, others: int, is_asked: bool) -> None:
    """Of 600 customers, 2 percent are 12; `no` is frequent, so it is not for want of a frequent value."""
    put(desk, [{**row, "card": "yes" if n < others else "no"} for n, row in enumerate(people())])
    found = done(desk, HEAD + SEED)
    assert ("card" in asked(found)) is is_asked
    assert is_asked or left_out(found)["card"] == "constant"


def test_a_card_that_tells_nothing(desk: Desk) -> None:
    """Twenty columns of chance: whoever has seen a customer would know him again."""
    r, rows = random.Random(7), people()
    for row in rows:
        row["vip"] = r.choice(["yes", "no", "no"])
        row |= {f"noise{n}": r.choice("abcdefgh") for n in range(20)}
    put(desk, rows)
    found = done(desk, HEAD + SEED)
    assert 0.4 < found["auc"] < 0.58
    assert any("hardly tells members from others" in w["message"] for w in found["warnings"])
    assert found["fifths"][0]["was"] > 0.15, "chances are of customers whom it has not seen, too"


def auc(scores: Sequence[float], members: Sequence[bool]) -> float:
    """Pair by pair."""
    yes = [s for s, m in zip(scores, members, strict=True) if m]
    no = [s for s, m in zip(scores, members, strict=True) if not m]
    return sum((a > b) + (a == b) / 2 for a in yes for b in no) / len(yes) / len(no)


def test_the_figures_against_plain_python() -> None:
    from segkit.operations.discovering.lookalike.weighing import quality

    r = random.Random(11)
    scores, members = [r.randint(0, 8) for _ in range(203)], [r.random() < 0.3 for _ in range(203)]
    of_scores, of_members = pl.Series(scores), pl.Series(members)
    assert quality.auc_of(of_scores, of_members) == pytest.approx(auc(scores, members), abs=1e-12)
    assert quality.auc_of(of_scores, pl.Series([True] * 203)) == 0.5
    tenths = list(quality.tenths_of(of_scores, of_members))
    order = sorted(range(203), key=lambda n: -scores[n])
    assert [t.customers for t in tenths] == [(n + 1) * 203 // 10 - n * 203 // 10 for n in range(10)]
    for n, tenth in enumerate(tenths):
        first, last = n * 203 // 10, (n + 1) * 203 // 10
        assert tenth.members == sum(members[one] for one in order[first:last])
        assert tenth.members_so_far == sum(members[one] for one in order[:last])
        assert tenth.least == scores[order[last - 1]]
    folds = [n % 3 for n in range(203)]
    of_answer = []
    for n in range(203):
        others = [m for s, m, f in zip(scores, members, folds, strict=True) if s == scores[n] and f != folds[n]]
        of_answer.append(sum(others) / len(others))
    found = quality.auc_of_answers(of_scores, of_members, pl.Series(folds))
    assert found == pytest.approx(auc(of_answer, members), abs=1e-9)


def sklearn_auc(frame: pl.DataFrame, columns: Sequence[str], is_member: Any) -> float:
    """What a logistic regression of standardised numbers and dummies reaches, cross-validated in threes."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    parts = []
    for name in columns:
        values = frame[name]
        if values.dtype.is_numeric():
            parts.append(values.fill_null(values.median()).to_numpy().astype(float))
        else:
            parts += [(values == one).fill_null(False).to_numpy().astype(float) for one in values.unique().sort()]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    chances = cross_val_predict(model, np.column_stack(parts), is_member, cv=folds, method="predict_proba")
    return float(roc_auc_score(is_member, chances[:, 1]))


CAMPAIGN = (
    "version = 1\nas_of = 2014-12-31\n[customers]\npath = \"{path}\"\nkey = \"ID\"\n"
    'date_format.Dt_Customer = "%d-%m-%Y"\n[segment.responders]\nbehavioural.Response = 1\n'
)  # fmt: skip
OF_THE_CAMPAIGN = [
    # the columns that are asked, AUC and the share that the best 30 % hold, from and to
    (["all"], (0.87, 0.91), (0.78, 0.86)),
    (["no campaigns"], (0.82, 0.86), (0.70, 0.78)),
]


@pytest.mark.parametrize(("which", "reaches", "holds"), OF_THE_CAMPAIGN, ids=["all", "no campaigns"])
def test_a_campaign_against_scikit_learn(
    desk: Desk,
    shared: Callable[[str], Path],
    which: list[str],
    reaches: tuple[float, float],
    holds: tuple[float, float],
) -> None:
    path = shared("customers/marketing_campaign.tsv")
    frame = pl.read_csv(path, separator="\t")
    frame = frame.with_columns(pl.col("Dt_Customer").str.to_date("%d-%m-%Y").cast(pl.Int32))
    nothing = ("ID", "Response", "Z_CostContact", "Z_Revenue")
    names = [n for n in frame.columns if n not in nothing and (which == ["all"] or not n.startswith("Accepted"))]
    options = [] if which == ["all"] else ["--columns", ",".join(names)]
    found = done(desk, CAMPAIGN.format(path=path), *options, segment="responders")
    assert (found["customers"], found["members"], found["prospects"]) == (2240, 334, 1906)
    assert abs(found["auc"] - sklearn_auc(frame, names, frame["Response"].to_numpy() == 1)) <= 0.02
    assert reaches[0] <= found["auc"] <= reaches[1]
    assert holds[0] <= found["tenths"][2]["members_so_far"] / 334 <= holds[1]
    assert not found["warnings"]
    for fifth in found["fifths"]:
        assert abs(fifth["said"] - fifth["was"]) < 0.06
    saved, out = desk / "saved.toml", desk / "out.csv"
    done(desk, CAMPAIGN.format(path=path), *options, "--save-rules", saved, "-o", out, segment="responders")
    saved.write_text(saved.read_text(encoding="utf-8") + "[segment.everybody]\neveryone = true\n", encoding="utf-8")
    desk.segkit("apply", saved, "-o", desk / "done")
    applied = {row["ID"]: int(row["likeness_score"]) for row in desk.read("done/everybody.csv")}
    points = {row["ID"]: int(row["likeness_score"]) for row in desk.read("out.csv")}
    assert len(applied) == 2240 and points == {key: applied[key] for key in points}
    assert len(desk.read("done/like-responders.csv")) == found["best"]["customers"]
    assert desk.segkit("check", saved, "--data").exit_code == 0


def test_telecom_customers_who_left(desk: Desk, shared: Callable[[str], Path]) -> None:
    path = shared("customers/telco_churn.csv")
    rules = f'version = 1\nas_of = 2024-01-01\n[customers]\npath = "{path}"\nkey = "customerID"\n'
    found = done(desk, rules + '[segment.left]\nbehavioural.Churn = "Yes"\n', segment="left")
    frame = pl.read_csv(path, null_values=" ")
    names = [name for name in frame.columns if name not in ("customerID", "Churn")]
    assert abs(found["auc"] - sklearn_auc(frame, names, (frame["Churn"] == "Yes").to_numpy())) <= 0.02


def saved_as(desk: Desk, rules: str, *args: object) -> tuple[bytes, bytes, str]:
    path = desk.put("rules.toml", rules)
    shown = desk.segkit(
        "lookalike", path, "--seed-segment", "seed", "--save-rules", desk / "s.toml", "-o", desk / "o.parquet", *args
    ).stdout
    points = pl.read_parquet(desk / "o.parquet").sort("id").write_csv().encode()
    return (desk / "s.toml").read_bytes(), points, shown[: shown.rindex("(")]


def test_what_the_law_protects_is_told(desk: Desk) -> None:
    rows = [{**row, "Religion": "a" if row["vip"] == "yes" else "b", "old": row["age"]} for row in people()]
    put(desk, rows)
    years = '[trait.years]\nyears_since = "born"\n'
    told = {}
    for columns in ("region,old", "age,region", "years", "Religion,region"):
        found = done(desk, HEAD + years + SEED, "--columns", columns, "--save-rules", desk / "s.toml")
        saved = " ".join((desk / "s.toml").read_text(encoding="utf-8").split())
        said = [one["message"] for one in found["notes"]], [one["message"] for one in found["warnings"]]
        told[columns] = *said, saved.partition("choose people by ")[2].partition(". #")[0]
    assert told["region,old"][0] == [] and told["region,old"][2] == ""
    assert told["age,region"][0] == ["the card asks about `age` (age)"] and told["age,region"][2] == "`age` (age)"
    assert told["years"][0] == ["the card asks about `years` (age)"], "it is made of what `born` says"
    assert told["Religion,region"][0] == []
    assert told["Religion,region"][1][-1] == "the card asks about `Religion` (religion)"
    shown = desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed", "--columns", "Religion,age").stdout
    assert "explicit consent only" in " ".join(shown.split()) and "may be discrimination" in " ".join(shown.split())


def test_the_same_customers_give_the_same_bytes(desk: Desk) -> None:
    files(desk)
    first = saved_as(desk, HEAD + SEED)
    assert saved_as(desk, HEAD + SEED) == first
    put(desk, people()[::-1])
    assert saved_as(desk, HEAD + SEED) == first, "whatever the order of the file"
    assert saved_as(desk, HEAD + SEED, "--seed", 5)[2] != first[2]


def test_the_number_of_threads_changes_nothing(desk: Desk) -> None:
    files(desk)
    rules = desk.put("rules.toml", HEAD + SEED)
    found = set()
    for threads in ("1", "3"):
        env = {**environment(), "POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads}
        asked_for = ["lookalike", str(rules), "--seed-segment", "seed", "--save-rules", "s.toml"]
        command = [sys.executable, "-m", "segkit", *asked_for]
        subprocess.run(command, cwd=desk.folder, env=env, check=True, capture_output=True)
        found.add((desk / "s.toml").read_bytes())
    assert len(found) == 1


def test_numbers_that_no_whole_number_of_a_file_has(desk: Desk) -> None:
    """Cuts at round numbers of 200 digits: `apply` reads them, and people do not."""
    put(desk, [{**row, "far": (row["age"] - 50) * 1e200} for row in people()])
    found = done(desk, HEAD + SEED, "--columns", "far", "--save-rules", desk / "s.toml")
    run = json.loads(desk.segkit("apply", desk / "s.toml", "--json").stdout)
    assert run["segments"][1]["matched"] == found["best"]["customers"]
    shown = desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed", "--columns", "far").stdout
    assert "E+20" in shown and "000000000" not in shown


def test_the_best_of_the_prospects_with_ties(desk: Desk) -> None:
    files(desk)
    for percent in ("1", "12.5", "100"):
        found = done(desk, HEAD + SEED, "--top-percent", percent, "-o", desk / "o.csv")
        points = sorted((int(row["likeness_score"]) for row in desk.read("o.csv")), reverse=True)
        rank = -int(-float(percent) * len(points) // 100)
        least = points[rank - 1]
        assert found["best"] == {
            "percent": float(percent), "customers": sum(one >= least for one in points), "least": least
        }  # fmt: skip
        assert len(points) == found["prospects"] == found["customers"] - found["members"]


def test_ties_that_make_the_best_many_are_told(desk: Desk) -> None:
    put(desk, [{**row, "flag": "yes" if row["vip"] == "yes" or n % 3 else "no"} for n, row in enumerate(people())])
    rules = desk.put("rules.toml", HEAD + SEED)
    args = ("lookalike", rules, "--seed-segment", "seed", "--columns", "flag")
    best = json.loads(desk.segkit(*args, "--json").stdout)["best"]
    share = 100 * best["customers"] / json.loads(desk.segkit(*args, "--json").stdout)["prospects"]
    assert share > 50 and f"The best 10 % ({share:.1f} %, with ties): " in desk.segkit(*args).stdout
    assert "with ties" not in desk.segkit(*args, "--top-percent", "100").stdout


def test_the_points_go_to_standard_output(desk: Desk) -> None:
    files(desk)
    rules = desk.put("rules.toml", HEAD + SEED)
    result = desk.segkit("lookalike", rules, "--seed-segment", "seed", "-o", "-")
    rows = desk.read(result.stdout_bytes)
    assert list(rows[0]) == ["id", "likeness_score"]
    assert "What members have more of" in result.stderr


def test_a_key_that_is_protected_goes_out_so(desk: Desk) -> None:
    files(desk)
    done(desk, HEAD + '[output]\nhash = ["id"]\n' + SEED, "-o", desk / "o.csv", "--save-rules", desk / "s.toml")
    assert all(len(row["id"]) == 64 for row in desk.read("o.csv"))
    assert 'hash = ["id"]' in (desk / "s.toml").read_text(encoding="utf-8")


def test_no_value_of_somebody_is_told(desk: Desk) -> None:
    files(desk)
    saved, _, shown = saved_as(desk, HEAD + SEED)
    told = (
        saved.decode()
        + shown
        + desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed", "--json").stdout
    )
    assert "example.org" not in told and '"n1' not in told


def test_the_file_keeps_who_the_members_are(desk: Desk) -> None:
    files(desk)
    rules = (
        HEAD.replace('"c.csv"', '"../c.csv"')
        + '[segment.old]\nlabel = "Old"\nlimit = 3\ndemographic.age.min = 50\n'
        + '[segment.seed]\nchannel = "post"\nin_segment = "old"\n[[segment.seed.any]]\ngeographic.region = "north"\n'
    )
    path = desk.put("in/rules.toml", rules)
    saved = desk / "out/s.toml"
    done_ = desk.segkit("lookalike", path, "--seed-segment", "seed", "--save-rules", saved, "--json")
    found = json.loads(done_.stdout)
    text = saved.read_text(encoding="utf-8")
    assert 'path = "../c.csv"' in text and "limit" not in text and "channel" not in text
    run = json.loads(desk.segkit("apply", saved, "--json").stdout)
    matched = {one["name"]: one["matched"] for one in run["segments"]}
    assert matched["seed"] == found["members"]
    assert matched["like-seed"] == found["best"]["customers"]
    assert "rules.toml" not in {one.name for one in (desk / "out/s").iterdir()}
    lists = {row["id"] for row in desk.read("out/s/like-seed.csv")}
    members = {r["id"] for r in people() if r["age"] >= 50 and r["region"] == "north"}
    assert lists and not lists & members


PROSPECT = ("id", "age", "region", "pets", "consent")


def prospects(number: int = 80) -> list[dict[str, Any]]:
    return [{"id": f"p{n}", **{name: row[name] for name in PROSPECT[1:]}} for n, row in enumerate(people(number, 9))]


ALL = (
    HEAD
    + TRAITS
    + ORDERS
    + '[trait.n]\nevents = "orders"\n[rfm]\nevents = "orders"\n[lookup.places]\npath = "places.csv"\non = "region"\n'
)


def test_prospects_of_another_file(desk: Desk) -> None:
    files(desk)
    other = put(desk, prospects(), "in/p.csv")
    rules = desk.put("rules.toml", ALL + "[consent]\nrequire.consent = true\n" + SEED)
    saved, out = desk / "to/s.toml", desk / "points.csv"
    options = ("--prospects", other, "--save-rules", saved, "-o", out, "--top-percent", 20, "--json")
    found = json.loads(desk.segkit("lookalike", rules, "--seed-segment", "seed", *options).stdout)
    assert asked(found) == {"age", "region", "pets", "coast", "rain"}
    reasons = left_out(found)
    assert reasons["income"] == reasons["rich"] == reasons["years"] == reasons["born"] == "prospects"
    assert reasons["n"] == "events" and reasons["consent"] == "consent" and reasons["vip"] == "seed"
    assert (found["customers"], found["prospects"]) == (600, 80)
    text = saved.read_text(encoding="utf-8")
    assert 'path = "../in/p.csv"' in text and "orders" not in text and "trait" not in text and "consent" in text
    saved.write_text(text + "[segment.everybody]\neveryone = true\n", encoding="utf-8")
    run = json.loads(desk.segkit("apply", saved, "--json").stdout)
    assert {one["name"]: one["matched"] for one in run["segments"]} == {
        "like-seed": found["best"]["customers"], "everybody": 80
    }  # fmt: skip
    points = {row["id"]: row["likeness_score"] for row in desk.read("points.csv")}
    assert len(points) == 80
    written = {row["id"]: row["likeness_score"] for row in desk.read("to/s/everybody.csv")}
    assert written == {key: points[key] for key in written} and len(written) > 20


def test_prospects_who_are_customers_already_are_told(desk: Desk) -> None:
    files(desk)
    rules = desk.put("rules.toml", HEAD + SEED)
    rows = people()
    members = sum(row["vip"] == "yes" for row in rows[:30])
    told = {}
    for name, those in {"both": [*rows[:30], *prospects()], "new": prospects()}.items():
        put(desk, [{key: row[key] for key in PROSPECT} for row in those], "p.csv")
        args = ("--seed-segment", "seed", "--prospects", desk / "p.csv", "--json")
        found = json.loads(desk.segkit("lookalike", rules, *args).stdout)
        told[name] = [one["message"] for one in found["warnings"] if "key of a customer" in one["message"]]
    assert told == {
        "both": [f"30 of 110 prospects have the key of a customer, {members} that of a member"], "new": []
    }  # fmt: skip


@pytest.mark.parametrize(("path", "said"), [("-", "standard input"), ("https://u:pw@h/p.csv", "lets one in at")])
def test_prospects_that_no_rule_file_can_name(desk: Desk, path: str, said: str) -> None:
    files(desk)
    rules = desk.put("rules.toml", HEAD + SEED)
    args = ("--seed-segment", "seed", "--prospects", path, "--save-rules", desk / "s.toml")
    stderr = desk.segkit("lookalike", rules, *args, code=2, input=b"id,age\na,50\n").stderr
    assert said in stderr and "pw" not in stderr and not (desk / "s.toml").exists()


OF_PROSPECTS = [
    # what, the file, more rules, exit code, what is said
    ("no key", "number,age\n1,50\n", "", 3, ["has no column `id`, the key of customers"]),
    ("no rows", "id,age\n", "", 3, ["no prospects"]),
    ("not there", None, "", 3, ["p.csv"]),
    ("points of another card", "id,age,likeness_score\na,50,7\n", "", 2, ["column `likeness_score` already"]),
    ("nothing in common", "id,size\na,1\nb,2\n", "", 3, ["has no column, beside the key"]),
    ("of another type", "id,age\na,old\nb,young\n", "", 3, ["has no column, beside the key"]),
    ("without consent", "id,age\na,50\nb,40\n", "[consent]\nrequire.consent = true\n", 2, ["`consent`"]),
    ("a key twice", "id,age\na,50\na,40\n", "", 3, ["`a`"]),
]


@pytest.mark.parametrize(("what", "text", "more", "code", "said"), OF_PROSPECTS, ids=[case[0] for case in OF_PROSPECTS])
def test_prospects_that_are_refused(
    desk: Desk, what: str, text: str | None, more: str, code: int, said: list[str]
) -> None:
    files(desk)
    rules = desk.put("rules.toml", HEAD + more + SEED)
    if text is not None:
        desk.put("p.csv", text)
    stderr = desk.segkit("lookalike", rules, "--seed-segment", "seed", "--prospects", desk / "p.csv", code=code).stderr
    assert all(words in " ".join(stderr.split()) for words in said), stderr


def test_the_picture_in_words(desk: Desk) -> None:
    rows = people()
    for row in rows:
        row["region"] = "north" if row["vip"] == "yes" else "south"
    put(desk, rows)
    found = done(desk, HEAD + SEED)
    first = found["traits"][0]
    members = found["members"]
    assert first == {"column": "region", "condition": {"is": "north"}, "members": members, "others": 0}
    for trait in found["traits"]:
        assert trait["members"] / members > trait["others"] / (600 - members)
    assert "region: north" in desk.segkit("lookalike", desk / "rules.toml", "--seed-segment", "seed").stdout


def test_a_segment_that_is_called_like_the_found_one(desk: Desk) -> None:
    files(desk)
    rules = HEAD + '[segment.like-seed]\ndemographic.age.min = 60\n[segment.seed]\nin_segment = "like-seed"\n'
    path = desk.put("rules.toml", rules)
    desk.segkit("lookalike", path, "--seed-segment", "seed", "--save-rules", desk / "s.toml")
    run = json.loads(desk.segkit("apply", desk / "s.toml", "--json").stdout)
    assert [one["name"] for one in run["segments"]] == ["like-seed", "seed", "like-seed-too"]


def test_the_day_that_is_given_is_that_of_the_saved_rules(desk: Desk) -> None:
    files(desk)
    done(
        desk, HEAD + TRAITS + SEED, "--as-of", "2025-12-31", "--save-rules", desk / "s.toml", "-o", desk / "points.csv"
    )
    text = (desk / "s.toml").read_text(encoding="utf-8")
    assert "as_of = 2025-12-31" in text
    (desk / "s.toml").write_text(text + "[segment.everybody]\neveryone = true\n", encoding="utf-8")
    desk.segkit("apply", desk / "s.toml")
    applied = {row["id"]: row["likeness_score"] for row in desk.read("s/everybody.csv")}
    points = {row["id"]: row["likeness_score"] for row in desk.read("points.csv")}
    assert points and points == {key: applied[key] for key in points}


def test_without_the_extra_one_error_says_what_to_install(desk: Desk) -> None:
    files(desk)
    desk.put("rules.toml", HEAD + SEED)
    code = "import sys; sys.modules['sklearn'] = None; from segkit.__main__ import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "lookalike",
        "rules.toml",
        "--seed-segment",
        "seed",
        "--save-rules",
        "s.toml",
    ]
    done_ = subprocess.run(command, cwd=desk.folder, env=environment(), capture_output=True, text=True, check=False)
    assert done_.returncode == 2 and done_.stdout == ""
    assert done_.stderr.count("error: ") == 1 and '`pip install "segkit-cli[discover]"`' in done_.stderr
    assert not (desk / "s.toml").exists()


def test_every_field_of_json_is_documented(desk: Desk) -> None:
    files(desk)
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("### `segkit lookalike --json`")[2]
    known = set(re.findall(r"`(\w+)`", text.partition("\n### ")[0])) | {"schema_version"}
    found = done(desk, HEAD + SEED)
    names = set(found)
    for table in ("card", "traits", "columns", "left_out", "tenths", "fifths"):
        names |= {name for one in found[table] for name in one}
    names |= {name for one in found["card"] for answer in one["answers"] for name in answer} | set(found["best"])
    assert names <= known
    assert {one["reason"] for one in found["left_out"]} <= known


@pytest.mark.extra("geo")
def test_a_zone_is_found_from_where_the_saved_rules_are(desk: Desk) -> None:
    files(desk)
    rows = [{**row, "lat": 45 + n % 5, "lon": 1} for n, row in enumerate(people())]
    put(desk, rows)
    square = [[0, 44], [2, 44], [2, 46.5], [0, 46.5], [0, 44]]
    zone = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}}
    desk.put("in/zones.geojson", json.dumps({"type": "FeatureCollection", "features": [zone]}))
    where = HEAD.replace('"c.csv"', '"../c.csv"') + 'latitude = "lat"\nlongitude = "lon"\n'
    rules = desk.put("in/rules.toml", where + '[segment.seed]\ngeographic.inside = "zones.geojson"\n')
    options = ("--seed-segment", "seed", "--save-rules", desk / "out/s.toml", "--json")
    found = json.loads(desk.segkit("lookalike", rules, *options).stdout)
    assert found["members"] == 240 and left_out(found)["lat"] == left_out(found)["lon"] == "seed"
    run = json.loads(desk.segkit("apply", desk / "out/s.toml", "--json").stdout)
    assert run["segments"][0]["matched"] == 240


def test_segments_that_a_score_refers_to_stay_beside_the_seed(desk: Desk) -> None:
    files(desk)
    scored = "".join(f'[[score.good.rule]]\npoints = 10\nin_segment = "{name}"\n' for name in ("seed", "young"))
    young = "[segment.young]\ndemographic.age.max = 30\n"
    done(desk, HEAD + scored + SEED + young, "--save-rules", desk / "s.toml")
    text = (desk / "s.toml").read_text(encoding="utf-8")
    assert text.count("[segment.seed]") == text.count("[segment.young]") == 1
    desk.segkit("apply", desk / "s.toml", "--dry-run")
