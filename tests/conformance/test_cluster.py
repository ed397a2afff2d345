"""`segkit cluster`: how many personas, who they are, the rules that find them, what is left out, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tomli

from tests.desk import ROOT, Desk, environment, event_table, head

pytestmark = pytest.mark.extra("discover")
HEAPS = [(100, 100), (100, 200), (200, 100), (200, 200)]
"""The middles of four heaps of customers, by `x` and `y`."""


def people(
    heaps: Sequence[tuple[int, int]] = HEAPS, each: int = 60, spread: float = 4, seed: int = 1
) -> list[dict[str, Any]]:
    """Customers in heaps, the first one twice as large as the others."""
    r = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for place, (x, y) in enumerate(heaps):
        for _ in range(each * (2 if place == 0 else 1)):
            row = {"x": round(r.gauss(x, spread), 1), "y": round(r.gauss(y, spread)), "heap": place, "town": "Brest"}
            rows.append(
                {"id": f"c{len(rows)}", **row, "born": f"19{r.randint(50, 99)}-01-01", "one": 5, "two": len(rows) % 2}
            )
    r.shuffle(rows)
    return rows


def put(desk: Desk, rows: Sequence[dict[str, Any]], name: str = "c.csv") -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return desk.put(name, text.getvalue())


def done(desk: Desk, rules: str, *args: object, columns: str = "x,y") -> Any:
    path = desk.put("rules.toml", rules)
    return json.loads(desk.segkit("cluster", path, "--columns", columns, "--json", *args).stdout)


def lists(desk: Desk, folder: str = "s") -> dict[str, str]:
    """Who is in which list of a run, by key; nobody is in two."""
    found = [
        (row["id"], row["segment"])
        for path in sorted((desk / folder).glob("*.csv"))
        for row in desk.read(f"{folder}/{path.name}")
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


ORDERS = event_table("orders", "o.csv", 'amount = "total"')


def orders(rows: Sequence[dict[str, Any]], seed: int = 3) -> str:
    r = random.Random(seed)
    lines = ["id,day,total"]
    for row in rows:
        often = {0: 1, 1: 3, 2: 8, 3: 2}[row["heap"]]
        for _ in range(often + r.randint(0, 1)):
            day = f"202{r.choice([2, 3])}-0{r.randint(1, 9)}-1{r.randint(0, 9)}"
            lines += [f"{row['id']},{day},{r.lognormvariate(4, 1):.2f}"]
    return "\n".join(lines) + "\n"


FOUND = [
    # what, more rules, options, columns
    ("numbers of a file", "", (), "x,y"),
    ("more leaves", "", ("--leaves", 20), "x,y"),
    ("as few leaves as personas", "", ("--leaves", 4, "--k", 4), "x,y"),
    ("another seed", "", ("--seed", 9), "x,y"),
    ("RFM", ORDERS + '[rfm]\nevents = "orders"\n', ("--k", 4), "recency_days,frequency,monetary"),
    ("an RFM table with a name", ORDERS + '[rfm.web]\nevents = "orders"\n', ("--k", 3), "web_frequency,web_monetary"),
    ("value", ORDERS + '[value]\nevents = "orders"\n', ("--k", 5), "revenue,average_order_value"),
    (
        "traits and a score",
        ORDERS + '[trait.n]\nevents = "orders"\n[[score.good.rule]]\npoints = 10\nbehavioural.n.min = 3\n',
        ("--k", 3),
        "n,good_score,x",
    ),
    ("a quoted name", '[trait.t]\nsql = "x + y"\n', (), "t"),
]


@pytest.mark.parametrize(("what", "more", "options", "columns"), FOUND, ids=[case[0] for case in FOUND])
def test_apply_gives_the_accuracy_that_is_stated(
    desk: Desk, what: str, more: str, options: Sequence[object], columns: str
) -> None:
    rows = people(spread=25)
    put(desk, rows)
    desk.put("o.csv", orders(rows))
    found = done(desk, head() + more, *options, "--save-rules", desk / "s.toml", "-o", desk / "l.csv", columns=columns)
    shown = desk.segkit("cluster", desk / "rules.toml", "--columns", columns, *options).stdout
    desk.segkit("apply", desk / "s.toml")
    by_rules, labels = lists(desk), {row["id"]: row["persona"] for row in desk.read("l.csv")}
    agree = sum(labels[key] == by_rules[key] for key in labels)
    assert by_rules.keys() == labels.keys(), "everybody is in exactly one"
    assert (found["agree"], found["customers"]) == (agree, len(labels))
    assert found["accuracy"] == round(100 * agree / len(labels), 6)
    said = f"{100 * agree / len(labels):.1f} %"
    assert f"put {said} of the customers into their persona ({agree} of {len(labels)})" in " ".join(shown.split())
    text = " ".join((desk / "s.toml").read_text(encoding="utf-8").replace("\n# ", " ").split())
    assert f"put {agree} of {len(labels)}, {said}, into the same persona" in text
    assert [one["name"] for one in found["personas"]] == [f"persona-{n + 1}" for n in range(found["k"])]
    assert [one["customers"] for one in found["personas"]] == sorted(Counter(labels.values()).values(), reverse=True)
    assert list(labels) == [row["id"] for row in rows if row["id"] in labels], "in the order of the file"
    rules = tomli.loads((desk / "s.toml").read_text(encoding="utf-8"))
    assert rules["assignment"]["mode"] == "exclusive"
    desk.segkit("check", desk / "s.toml", "--data")


FAMILIES = [
    # more rules, column, family
    ("", "x", "demographic"),
    ("[segment.a]\nfirmographic.x.min = 5\n", "x", "firmographic"),
    ('[trait.age]\nyears_since = "born"\n', "age", "demographic"),
    (ORDERS + '[trait.n]\nevents = "orders"\n', "n", "behavioural"),
    (ORDERS + '[trait.n]\nevents = "orders"\n[trait.m]\nsql = "n + x"\n', "m", "behavioural"),
    (ORDERS + '[trait.n]\nevents = "orders"\n[segment.a]\nneeds.n.min = 1\n', "n", "needs"),
    (ORDERS + '[rfm]\nevents = "orders"\n', "r_score", "rfm"),
    (ORDERS + '[rfm.web]\nevents = "orders"\n', "web_monetary", "rfm"),
    (ORDERS + '[value]\nevents = "orders"\n', "revenue", "value"),
    ("[[score.good.rule]]\npoints = 10\ndemographic.x.min = 150\n", "good_score", "score"),
]


@pytest.mark.parametrize(("more", "column", "family"), FAMILIES)
def test_conditions_stand_in_the_family_of_their_column(desk: Desk, more: str, column: str, family: str) -> None:
    rows = people(each=20)
    put(desk, rows)
    desk.put("o.csv", orders(rows))
    found = done(desk, head() + more, "--k", 2, "--save-rules", desk / "s.toml", columns=column)
    assert [one["family"] for one in found["columns"]] == [family]
    segments = tomli.loads((desk / "s.toml").read_text(encoding="utf-8"))["segment"]
    assert all(column in segments[f"persona-{n}"][family] for n in (1, 2))


HOW_MANY = [
    # heaps, options, k, why
    (HEAPS, (), 4, "largest-stable"),
    (HEAPS[:3], (), 3, "largest-stable"),
    (HEAPS, ("--k", "3"), 3, "given"),
    (HEAPS, ("--k", "2"), 2, "given"),
    (HEAPS, ("--k", "11"), 11, "given"),
]


@pytest.mark.parametrize(("heaps", "options", "k", "why"), HOW_MANY)
def test_how_many_personas(
    desk: Desk, heaps: Sequence[tuple[int, int]], options: Sequence[str], k: int, why: str
) -> None:
    put(desk, people(heaps))
    found = done(desk, head(), *options)
    assert (found["k"], found["chosen_by"]) == (k, why)
    tried = found["tried"]
    assert [one["k"] for one in tried] == sorted({*range(3, 9), k})
    assert all(one["holds"] == (one["stability"] >= 0.8 and one["smallest"] >= 5) for one in tried)
    shown = desk.segkit("cluster", desk / "rules.toml", "--columns", "x,y", *options).stdout
    table = re.findall(r"^ +(\d+) +([<\d.]+) % +(-?[\d.]+)(?:  (chosen|given))?", shown, flags=re.MULTILINE)
    assert [int(row[0]) for row in table] == [one["k"] for one in tried]
    assert [int(row[0]) for row in table if row[3]] == [k]
    assert all(
        one["holds"] == (float(row[2]) >= 0.8 and float(row[1].strip("<")) >= 5)
        for one, row in zip(tried, table, strict=True)
    )
    if why == "largest-stable":
        assert k == max(one["k"] for one in tried if one["holds"])
        assert not found["warnings"]


@pytest.mark.parametrize("heaps", [HEAPS[:3], HEAPS])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_round_heaps_are_not_cut(desk: Desk, heaps: Sequence[tuple[int, int]], seed: int) -> None:
    """Two halves cut them alike at times: the mean of the index alone would take that for a persona."""
    put(desk, people(heaps, each=800, seed=seed))
    assert done(desk, head())["k"] == len(heaps)


def test_rules_that_say_the_same_side_by_side_are_one(desk: Desk) -> None:
    put(desk, people(spread=60))
    found = done(desk, head(), "--k", 6, "--leaves", 40)
    rules = [(one["persona"], one["conditions"]) for one in found["rules"]]
    for persona, conditions in rules:
        for column, bounds in conditions.items():
            if "below" in bounds:
                rest = {**conditions, column: {"min": bounds["below"]}}
                assert (persona, rest) not in rules, "its neighbour is of the same persona"
    assert len(rules) > 6


def test_one_thread_of_the_library(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import threadpoolctl

    from segkit.operations.discovering.cluster import tree

    threads: set[int] = set()
    grown = tree.grown

    def seen(*args: Any) -> Any:
        threads.update(one["num_threads"] for one in threadpoolctl.threadpool_info())
        return grown(*args)

    monkeypatch.setattr("segkit.operations.discovering.cluster.found.grown", seen)
    put(desk, people())
    done(desk, head())
    assert threads == {1}


def test_heaps_are_found_as_they_are(desk: Desk) -> None:
    rows = people()
    put(desk, rows)
    found = done(desk, head(), "-o", desk / "l.csv", "--save-rules", desk / "s.toml")
    labels = {row["id"]: row["persona"] for row in desk.read("l.csv")}
    assert len({(labels[row["id"]], row["heap"]) for row in rows}) == 4
    assert {labels[row["id"]] for row in rows if row["heap"] == 0} == {"persona-1"}, "the largest"
    assert found["accuracy"] == 100 and found["personas"][0]["share"] == 40
    first = found["personas"][0]
    assert (
        first["medians"]["x"] == sorted(row["x"] for row in rows if row["heap"] == 0)[59:61][0]
        or first["medians"]["x"] < 2
    )
    assert len(found["rules"]) == 4


def test_customers_without_personas_are_a_warning(desk: Desk) -> None:
    r = random.Random(5)
    put(desk, [{"id": n, **{c: r.random() for c in "abcdefgh"}} for n in range(300)])
    path = desk.put("rules.toml", head())
    result = desk.segkit("cluster", path, "--columns", "a,b,c,d,e,f,g,h")
    found = done(desk, head(), columns="a,b,c,d,e,f,g,h")
    assert found["chosen_by"] == "most-stable"
    assert found["tried"] and max(one["stability"] for one in found["tried"]) < 0.8
    assert found["k"] == max(found["tried"], key=lambda one: one["stability"])["k"]
    assert "no number of personas is stable" in found["warnings"][0]["message"]
    assert "warning: no number of personas is stable" in result.stdout


def test_a_persona_that_no_rule_finds_is_a_warning(desk: Desk) -> None:
    rows = [{"id": n, "x": n % 7 + (1000 if n < 3 else 0)} for n in range(60)]
    put(desk, rows)
    found = done(desk, head(), "--k", 3, "--save-rules", desk / "s.toml", "-o", desk / "l.csv", columns="x")
    lost = [one for one in found["personas"] if not one["by_rules"]]
    assert [one["customers"] for one in lost] == [3]
    assert f"no rule finds {lost[0]['name']}: its 3 customers are in other personas" in found["warnings"][-1]["message"]
    desk.segkit("apply", desk / "s.toml")
    assert len(lists(desk)) == 60


def test_what_the_law_protects_is_told(desk: Desk) -> None:
    put(desk, people())
    years = '[trait.years]\nyears_since = "born"\n'
    found = done(desk, head() + years, "--save-rules", desk / "s.toml", columns="x,years")
    assert [one["message"] for one in found["notes"]] == ["personas are made of `years` (age)"]
    text = (desk / "s.toml").read_text(encoding="utf-8")
    assert "# Look whether the law lets you choose people by `years` (age).\n" in text
    assert done(desk, head() + years)["notes"] == []


def far_away(number: int) -> list[dict[str, Any]]:
    """Customers who differ by less than a float can tell beside the one who is far away."""
    r = random.Random(4)
    return [{"id": n, "x": 1e12 if n == 0 else r.gauss(n % 3, 0.1)} for n in range(number)]


def test_beside_one_who_is_far_away_nobody_differs(desk: Desk) -> None:
    put(desk, far_away(900))
    path = desk.put("rules.toml", head())
    stderr = desk.segkit("cluster", path, "--columns", "x", "--k", 40, code=3).stderr
    assert re.search("k-means finds [0-9]+ personas by `x`, not 40", stderr) and "look for errors in the data" in stderr
    assert done(desk, head(), columns="x")["k"] < 9, "one without a cluster of nobody is chosen"


def test_a_tree_of_one_leaf(desk: Desk) -> None:
    put(desk, far_away(900))
    found = done(desk, head(), "--k", 2, "--save-rules", desk / "s.toml", "-o", desk / "l.csv", columns="x")
    assert [(one["customers"], one["by_rules"]) for one in found["personas"]] == [(899, 900), (1, 0)]
    assert "no rule finds persona-2: its customer is in another persona" in found["warnings"][0]["message"]
    assert "demographic.x.missing = false" in (desk / "s.toml").read_text(encoding="utf-8")
    desk.segkit("apply", desk / "s.toml")
    assert len(lists(desk)) == 900


def test_who_lacks_a_column_is_left_out_and_counted(desk: Desk) -> None:
    rows = people()
    for place, row in enumerate(rows):
        row["x"] = "" if place % 10 == 0 else row["x"]
        row["y"] = "" if place % 25 == 0 else row["y"]
    put(desk, rows)
    lacking = {row["id"] for row in rows if row["x"] == "" or row["y"] == ""}
    found = done(desk, head(), "--save-rules", desk / "s.toml", "-o", desk / "l.csv")
    assert (found["left_out"], found["customers"]) == (len(lacking), len(rows) - len(lacking))
    assert {one["name"]: one["missing"] for one in found["columns"]} == {"x": 30, "y": 12}
    shown = desk.segkit("cluster", desk / "rules.toml", "--columns", "x,y").stdout
    assert f"Left out: {len(lacking)} customers without a value (x 30, y 12)" in shown
    assert f"(here {len(lacking)} customers)" in (desk / "s.toml").read_text(encoding="utf-8")
    desk.segkit("apply", desk / "s.toml")
    assert not lists(desk).keys() & lacking
    assert lists(desk).keys() == {row["id"] for row in desk.read("l.csv")} == {row["id"] for row in rows} - lacking


REFUSED = [
    # what, options, exit code, what is said
    ("no columns", (), 2, ["`--columns` names none", "`--columns x,y,heap`", "`x`, `y`, `heap`, `one` and `two`"]),
    ("unknown", ("--columns", "x,yy"), 2, ["customers have no column `yy`"]),
    ("unknown, with one near", ("--columns", "tow"), 2, ["customers have no column `tow`", "did you mean `town`"]),
    ("text", ("--columns", "x,town"), 2, ["`town` is text", '`types.town = "number"`']),
    ("the key", ("--columns", "id"), 2, ["`id` is text"]),
    ("a date", ("--columns", "born"), 2, ["`born` is a date", "years_since"]),
    ("one value", ("--columns", "x,one"), 3, ["`one` has one value, the same for all 300 customers", "take `one` out"]),
    ("few values", ("--columns", "two"), 3, ["customers have 2 different values of `two`, too few for 3 personas"]),
    ("too many personas", ("--columns", "x", "--k", "31"), 3, ["300 customers have all columns, and 31 personas need 310"]),
    ("few leaves", ("--columns", "x,y", "--leaves", "3", "--k", "4"), 2, ["`--leaves 3` are fewer than the 4 personas"]),
    ("k", ("--columns", "x", "--k", "1"), 2, ["1 is not in the range"]),
    ("seed", ("--columns", "x", "--seed", "-1"), 2, ["-1 is not in the range"]),
    ("a target that is no rule file", ("--columns", "x", "--save-rules", "s.csv"), 2, ["rules are saved in a file of TOML"]),
    ("the source", ("--columns", "x", "--save-rules", "rules.toml"), 4, ["is an input"]),
    ("an input", ("--columns", "x", "-o", "c.csv"), 4, ["is an input"]),
    ("an unknown format", ("--columns", "x", "-o", "l.pdf"), 2, ["l.pdf"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "options", "code", "said"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str, options: Sequence[str], code: int, said: Sequence[str]
) -> None:
    put(desk, people())
    desk.put("rules.toml", head())
    monkeypatch.chdir(desk.folder)
    before = desk.tree(".")
    stderr = desk.segkit("cluster", "rules.toml", *options, code=code).stderr
    assert all(one in stderr for one in said), stderr
    assert stderr.count("error: ") == 1
    assert desk.tree(".") == before, "nothing was written"


def test_without_any_number(desk: Desk) -> None:
    desk.put("c.csv", "id,town\n1,Brest\n2,Lyon\n")
    stderr = desk.segkit("cluster", desk.put("rules.toml", head()), code=2).stderr
    assert "no column of the customers is one" in stderr and "`[rfm]`" in stderr


@pytest.mark.parametrize(("there", "is_enough"), [(29, False), (30, True)])
def test_how_many_customers_are_needed(desk: Desk, there: int, is_enough: bool) -> None:
    rows = people(each=20)
    for place, row in enumerate(rows):
        row["y"] = row["y"] if place < there else ""
    put(desk, rows)
    path = desk.put("rules.toml", head())
    result = desk.segkit("cluster", path, "--columns", "x,y", code=0 if is_enough else 3)
    if not is_enough:
        assert "29 customers have all columns, and 3 personas need 30" in result.stderr
        assert "take `y` out of `--columns`: 71 lack it" in result.stderr


def saved_as(desk: Desk, rules: str, *args: object) -> tuple[bytes, bytes, str]:
    """The saved rules, the sorted labels, and what is shown, but for the time that it took."""
    path = desk.put("rules.toml", rules)
    asked = ["cluster", path, "--columns", "x,y", "--save-rules", desk / "s.toml", "-o", desk / "l.csv", *args]
    shown = re.sub(r"\(\d+\.\d+ s\)", "", desk.segkit(*asked).stdout)
    return (desk / "s.toml").read_bytes(), b"".join(sorted((desk / "l.csv").read_bytes().splitlines(True))), shown


def test_the_same_customers_give_the_same_bytes(desk: Desk) -> None:
    put(desk, people(spread=30))
    first = saved_as(desk, head())
    assert saved_as(desk, head()) == first
    put(desk, people(spread=30)[::-1])
    assert saved_as(desk, head()) == first, "whatever the order of the file"
    assert saved_as(desk, head(), "--seed", 5)[2] != first[2]


def test_the_number_of_threads_changes_nothing(desk: Desk) -> None:
    put(desk, people(spread=30, each=2000))
    rules = desk.put("rules.toml", head())
    found = set()
    for threads in ("1", "3"):
        env = {
            **environment(),
            "POLARS_MAX_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
        }
        asked_for = ["cluster", str(rules), "--columns", "x,y", "--save-rules", "s.toml", "-o", "l.parquet"]
        subprocess.run(
            [sys.executable, "-m", "segkit", *asked_for], cwd=desk.folder, env=env, check=True, capture_output=True
        )
        found.add(((desk / "s.toml").read_bytes(), (desk / "l.parquet").read_bytes()))
    assert len(found) == 1


def test_of_many_customers_some_are_tried(desk: Desk) -> None:
    put(desk, people(each=1100))
    found = done(desk, head(), "-o", desk / "l.csv", "--save-rules", desk / "s.toml")
    assert (found["customers"], found["tried_on"], found["k"]) == (5_500, 5_000, 4)
    assert len(desk.read("l.csv")) == 5_500
    assert "(tried on 5,000 of them)" in desk.segkit("cluster", desk / "rules.toml", "--columns", "x,y").stdout


def test_labels_to_standard_output(desk: Desk) -> None:
    put(desk, people())
    result = desk.segkit("cluster", desk.put("rules.toml", head()), "--columns", "x,y", "-o", "-")
    rows = desk.read(result.stdout_bytes)
    assert len(rows) == 300 and list(rows[0]) == ["id", "persona"]
    assert "4 personas among 300 customers" in result.stderr


def test_a_key_that_is_protected_goes_out_so(desk: Desk) -> None:
    put(desk, people())
    done(desk, head() + '[output]\nhash = ["id"]\n', "-o", desk / "l.csv", "--save-rules", desk / "s.toml")
    assert all(len(row["id"]) == 64 for row in desk.read("l.csv"))
    assert 'hash = ["id"]' in (desk / "s.toml").read_text(encoding="utf-8")


def test_a_key_that_is_called_like_the_personas(desk: Desk) -> None:
    put(desk, [{"persona": row["id"], **row} for row in people()])
    done(desk, head(key="persona"), "-o", desk / "l.csv")
    assert list(desk.read("l.csv")[0]) == ["persona", "found_persona"]


def test_columns_whose_names_need_quotes(desk: Desk) -> None:
    put(desk, [{"id": row["id"], "x, of y": row["x"], "né à": row["y"]} for row in people()])
    found = done(desk, head(), "--save-rules", desk / "s.toml", "-o", desk / "l.csv", columns='"x, of y", né à')
    assert [one["name"] for one in found["columns"]] == ["x, of y", "né à"]
    desk.segkit("apply", desk / "s.toml")
    assert lists(desk) == {row["id"]: row["persona"] for row in desk.read("l.csv")}


def test_consent_of_the_rules_holds_for_personas(desk: Desk) -> None:
    rows = people()
    put(desk, [{**row, "ok": "yes" if n % 3 else "no"} for n, row in enumerate(rows)])
    rules = head('types.ok = "boolean"') + "[consent]\nrequire.ok = true\n[segment.old]\ndemographic.x.min = 5\n"
    found = done(desk, rules, "--save-rules", desk / "s.toml")
    assert found["customers"] == 300, "personas are made of all"
    desk.segkit("apply", desk / "s.toml")
    assert len(lists(desk)) == 200
    assert "old" not in tomli.loads((desk / "s.toml").read_text(encoding="utf-8"))["segment"]


IN_A_SCORE = '[[score.good.rule]]\npoints = 10\nin_segment = "{0}"\n[segment.{0}]\nlabel = "Right"\nin_segment = "part"\n[segment.part]\ndemographic.x.min = 150\n[segment.other]\ndemographic.y.min = 150\n'


def test_segments_that_scores_refer_to_stay_as_building_blocks(desk: Desk) -> None:
    put(desk, people())
    found = done(
        desk,
        head() + IN_A_SCORE.format("right"),
        "--save-rules",
        desk / "s.toml",
        "-o",
        desk / "l.csv",
        columns="good_score,y",
    )
    segments = tomli.loads((desk / "s.toml").read_text(encoding="utf-8"))["segment"]
    assert [name for name in segments if not name.startswith("persona-")] == ["part", "right"]
    assert segments["right"] == {"write": False, "label": "Right", "in_segment": "part"}
    desk.segkit("apply", desk / "s.toml")
    labels = {row["id"]: row["persona"] for row in desk.read("l.csv")}
    assert sum(labels[key] == name for key, name in lists(desk).items()) == found["agree"] == 300


def test_a_building_block_that_is_called_like_a_persona(desk: Desk) -> None:
    put(desk, people())
    path = desk.put("rules.toml", head() + IN_A_SCORE.format("persona-2"))
    asked = ["cluster", path, "--columns", "good_score,y"]
    stderr = desk.segkit(*asked, "--save-rules", desk / "s.toml", code=2).stderr
    assert "refers to the segment `persona-2`" in stderr and "rules.toml:9:10" in stderr
    desk.segkit(*asked)


def test_the_day_that_is_given_is_that_of_the_saved_rules(desk: Desk) -> None:
    rows = people(spread=25)
    put(desk, rows)
    desk.put("o.csv", orders(rows))
    rules, columns = head() + ORDERS + '[rfm]\nevents = "orders"\n', "recency_days,frequency"
    found = done(
        desk, rules, "--as-of", "2023-12-31", "--save-rules", desk / "s.toml", "-o", desk / "l.csv", columns=columns
    )
    assert found["as_of"] == "2023-12-31"
    assert "as_of = 2023-12-31" in (desk / "s.toml").read_text(encoding="utf-8")
    desk.segkit("apply", desk / "s.toml")
    labels = {row["id"]: row["persona"] for row in desk.read("l.csv")}
    assert sum(labels[key] == name for key, name in lists(desk).items()) == found["agree"]


def test_a_saved_file_is_written_over_while_its_first_line_stands(desk: Desk) -> None:
    put(desk, people())
    done(desk, head(), "--save-rules", desk / "s.toml")
    done(desk, head(), "--save-rules", desk / "s.toml", "--k", 3)
    text = (desk / "s.toml").read_text(encoding="utf-8")
    desk.put("s.toml", text.partition("\n")[2])
    stderr = desk.segkit(
        "cluster", desk / "rules.toml", "--columns", "x,y", "--save-rules", desk / "s.toml", code=4
    ).stderr
    assert "no discovery has written it" in stderr


def test_skewed_columns_are_compared_by_how_many_times_larger(desk: Desk) -> None:
    r = random.Random(2)
    rows = [{"id": n, "even": r.randint(0, 100), "money": round(r.lognormvariate(4, 1.5), 2)} for n in range(300)]
    for refunds, logarithm in ((15, True), (16, False)):
        for row in rows[:refunds]:
            row["money"] = -40
        put(desk, rows)
        found = done(desk, head(), columns="even,money")
        assert [one["logarithm"] for one in found["columns"]] == [False, logarithm]
    rows[0]["money"] = 40
    put(desk, rows)
    shown = desk.segkit("cluster", desk / "rules.toml", "--columns", "even,money").stdout
    assert "Compared by how many times larger one is: money" in shown


def test_no_key_is_told(desk: Desk) -> None:
    put(desk, [{**row, "id": f"anna{row['id']}@example.org"} for row in people()])
    shown = saved_as(desk, head())
    assert "example.org" not in shown[0].decode() + shown[2] + json.dumps(done(desk, head()))


def test_without_the_extra_one_error_says_what_to_install(desk: Desk) -> None:
    put(desk, people())
    desk.put("rules.toml", head())
    code = "import sys; sys.modules['sklearn'] = None; from segkit.__main__ import main; main()"
    command = [sys.executable, "-c", code, "cluster", "rules.toml", "--columns", "x,y", "--save-rules", "s.toml"]
    done_ = subprocess.run(command, cwd=desk.folder, env=environment(), capture_output=True, text=True, check=False)
    assert done_.returncode == 2 and done_.stdout == ""
    assert done_.stderr.count("error: ") == 1 and '`pip install "segkit-cli[discover]"`' in done_.stderr
    assert not (desk / "s.toml").exists()


def test_every_field_of_json_is_documented(desk: Desk) -> None:
    put(desk, people())
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("### `segkit cluster --json`")[2]
    known = set(re.findall(r"`([\w-]+)`", text.partition("\n### ")[0])) | {"schema_version"}
    found = done(desk, head())
    names = set(found)
    for table in ("columns", "tried", "personas", "rules"):
        names |= {name for one in found[table] for name in one}
    assert names <= known
    assert {"largest-stable", "most-stable", "given"} <= known


def test_personas_are_watched_over_later_data(desk: Desk) -> None:
    """A rule file of personas applied to another month: who moved is told by `diff`, the sizes by `history`."""
    rows = people()
    put(desk, rows)
    done(desk, head(), "--save-rules", desk / "s.toml")
    text = (desk / "s.toml").read_text(encoding="utf-8").replace('directory = "s"', 'directory = "s"\nhistory = true')
    desk.put("s.toml", text)
    desk.segkit("apply", desk / "s.toml", "-o", desk / "march")
    for row in rows[:7]:
        row["x"], row["y"] = (200, 200) if row["heap"] != 3 else (100, 100)
    put(desk, rows[:-5])
    desk.segkit("apply", desk / "s.toml", "--as-of", "2024-04-01", "-o", desk / "april", "--previous", desk / "march")
    before, after = lists(desk, "march"), lists(desk, "april")
    moved = Counter((before[key], after[key]) for key in after if before[key] != after[key])
    told = json.loads(desk.segkit("diff", desk / "march", desk / "april", "--json", code=None).stdout)["moves"]
    told = {
        (one["from"], one["to"]): one["customers"]
        for one in told
        if one["from"] != one["to"] and one["from"] and one["to"]
    }
    assert told == moved and len(moved) > 1
    history = json.loads(desk.segkit("history", desk / "april", "--json").stdout)
    sizes = {one["name"]: [line["customers"] for line in one["lines"]] for one in history["segments"]}
    assert sizes == {
        name: [Counter(before.values())[name], Counter(after.values())[name]] for name in sizes
    } and len(sizes) == 4  # fmt: skip


def test_online_retail(desk: Desk, shared: Callable[[str], Path]) -> None:
    path = shared("retail/online_retail.csv.gz")
    rules = (
        f'version = 1\nas_of = 2011-12-10\n[customers]\nfrom = "orders"\nkey = "CustomerID"\n[events.orders]\npath = "{path}"\n'
        'time = "InvoiceDate"\nid = "InvoiceNo"\namount = "total"\nderive = { total = "Quantity * UnitPrice" }\n'
        'where = { Quantity.above = 0, UnitPrice.above = 0 }\n[rfm]\nevents = "orders"\n'
    )
    found = done(
        desk, rules, "--k", 4, "--leaves", 8, "-o", desk / "l.csv", "--save-rules", desk / "s.toml",
        columns="recency_days,frequency,monetary",
    )  # fmt: skip
    assert found["customers"] == 4338
    assert found["accuracy"] == pytest.approx(88, abs=1)
    best = next(one for one in found["personas"] if one["stands_out"][0] == "frequency")
    assert best["medians"]["frequency"] == 10 and best["share"] == pytest.approx(16.5, abs=0.5)
    medians = {one["name"]: one["median"] for one in found["columns"]}
    assert (medians["frequency"], medians["recency_days"]) == (2, 51)
    assert medians["monetary"] == pytest.approx(674.485)
    desk.segkit("apply", desk / "s.toml")
    applied = {
        row["CustomerID"]: row["segment"] for path in (desk / "s").glob("*.csv") for row in desk.read(f"s/{path.name}")
    }
    labels = {row["CustomerID"]: row["persona"] for row in desk.read("l.csv")}
    assert sum(applied[key] == labels[key] for key in labels) == found["agree"]
