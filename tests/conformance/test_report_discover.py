"""`segkit report --discover FILE`: what basket, lookalike and cluster have found, in a page that tells of no few."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.desk import ROOT, Desk, event_table, head
from tests.pages.document import Document

pytestmark = pytest.mark.extra("report")
HIDDEN = "…"
RULES = head('types.vip = "boolean"') + event_table("o", "o.csv", 'id = "no"', 'amount = "total"')
SEED = "[segment.seed]\nwrite = false\ndemographic.vip = true\n[segment.all]\neveryone = true\n"


def shop(desk: Desk) -> None:
    """Customers of two kinds, who buy what goes with their kind; and a run."""
    r = random.Random(5)
    customers, orders = [], []
    for n in range(400):
        vip = n % 3 == 0
        age = r.randint(45, 80) if vip and r.random() < 0.7 else r.randint(18, 80)
        spend, visits = (r.gauss(900, 20), r.gauss(50, 2)) if n % 2 else (r.gauss(100, 20), r.gauss(5, 2))
        customers.append(f"c{n},{'yes' if vip else 'no'},{age},{r.choice(['north', 'south'])},{spend:.2f},{visits:.1f}")
        items = r.sample(["tea", "cake", "jam"] if n % 2 else ["nuts", "beer", "tea"], 2)
        orders += [f"c{n},{n},{item},2024-02-{1 + n % 20:02},5" for item in items]
    desk.put("c.csv", "id,vip,age,region,spend,visits\n" + "\n".join(customers) + "\n")
    desk.put("o.csv", "id,no,item,day,total\n" + "\n".join(orders) + "\n")
    desk.apply(RULES + "[output]\nmin_cell = 1\n" + SEED, "-o", desk / "out", "-q")


def report(desk: Desk, *found: Any, min_cell: int = 5) -> Document:
    """The page of the run with what was found, each as the text or the object that a file has."""
    options = []
    for number, one in enumerate(found):
        text = one if isinstance(one, str) else json.dumps(one)
        options += ["--discover", desk.put(f"found-{number}.json", text)]
    command = ["report", desk / "out", "-o", desk / "r.html", "-q", "--min-cell", min_cell]
    desk.segkit(*command, *options)
    return Document((desk / "r.html").read_text(encoding="utf-8"))


COMMANDS = {
    "basket": ("--item", "item"),
    "lookalike": ("--seed-segment", "seed"),
    "cluster": ("--columns", "spend,visits"),
}


@pytest.mark.extra("discover")
def test_what_the_commands_have_printed(desk: Desk) -> None:
    shop(desk)
    told = {
        name: desk.segkit(name, desk / "rules.toml", *options, "--json").stdout for name, options in COMMANDS.items()
    }
    basket, lookalike, cluster = map(json.loads, told.values())
    assert [one["command"] for one in (basket, lookalike, cluster)] == [*COMMANDS]
    page = report(desk, *reversed(told.values()))
    assert [*page.tables] == ["segments", "ledger", "mavr", "basket", "lookalike", "cluster", "source"]
    first = (desk / "r.html").read_bytes()
    report(desk, *reversed(told.values()))
    assert (desk / "r.html").read_bytes() == first and len(first) < 1_000_000

    rows = page.tables["basket"][0][1:]
    assert len(rows) == min(len(basket["rules"]), basket["top"]) and rows
    for row, rule in zip(rows, basket["rules"], strict=False):
        assert row[:3] == [", ".join(rule["left"]), rule["right"], str(rule["count"])]
        assert row[5:] == [f"{rule['lift']:.2f}", str(rule["to_offer"])]

    text = page.texts["lookalike"]
    assert "Like seed, on 2024-03-01" in text and f"AUC {lookalike['auc']:.2f} on customers" in text
    card = {row[0]: row[2] for row in page.tables["lookalike"][0][1:]}
    assert card == {one["column"]: str(one["points"]) for one in lookalike["card"]}
    tenths = [row[2] for row in page.tables["lookalike"][1][1:]]
    assert tenths == [str(one["members"]) for one in lookalike["tenths"]]
    answers = page.tables["lookalike"][2][1:]
    assert [int(row[-1]) for row in answers] == [
        answer["points"]
        for one in sorted(lookalike["card"], key=lambda one: -one["points"])
        for answer in one["answers"]
    ]

    personas = page.rows("cluster")
    for one in cluster["personas"]:
        assert personas[one["name"]][0] == str(one["customers"])
        assert all(f"{name} " in personas[one["name"]][-1] for name in one["stands_out"])
    assert f"({cluster['agree']} of {cluster['customers']})" in page.texts["cluster"]
    tried = page.tables["cluster"][1][1:]
    assert [row[0] for row in tried] == [str(one["k"]) for one in cluster["tried"]]
    assert [row[0] for row in tried if row[-1]] == [str(cluster["k"])]


def rule(left: str, right: str, count: int, of_left: int, of_right: int, offer: int, baskets: int = 1000) -> Any:
    confidence = 100 * count / of_left
    return {
        "left": left.split(),
        "right": right,
        "count": count,
        "left_count": of_left,
        "right_count": of_right,
        "support": 100 * count / baskets,
        "confidence": confidence,
        "lift": confidence / (100 * of_right / baskets),
        "to_offer": offer,
    }


def basket(*rules: Any, **more: Any) -> Any:
    found = {"schema_version": 1, "command": "basket", "as_of": "2024-03-01", "by": "order", "table": "o", "items": 9}
    found |= {"customers": 800, "baskets": 1000, "min_count": 3, "confidence": 25, "lift": 1, "top": 20, "warnings": []}
    return found | {"rules": list(rules)} | more


def lookalike(members: list[int] | None = None, **more: Any) -> Any:
    members = members or [60, 50, 40, 30, 20, 15, 12, 10, 8, 7]
    so_far = [sum(members[: place + 1]) for place in range(len(members))]
    answers = [
        {"condition": {"above": 40, "max": 60}, "points": 70, "members": 0, "others": 0},
        {"condition": {"max": 40}, "points": 30, "members": 9, "others": 5},
        {"condition": {"above": "2024-01-31"}, "points": 9, "members": 9, "others": 5},
        {"condition": {"missing": True}, "points": 0, "members": 9, "others": 5},
        {"condition": {"not_in": ["a", "b"], "or_missing": True}, "points": 4, "members": 9, "others": 5},
        {"condition": {"is": False}, "points": 3, "members": 9, "others": 5},
        {"condition": {"has_any": ["cat"]}, "points": 2, "members": 9, "others": 5},
    ]
    found = {"schema_version": 1, "command": "lookalike", "as_of": "2024-03-01", "segment": "seed", "auc": 0.7512}
    found |= {"customers": 1000, "members": sum(members), "prospects": 900, "prospects_path": None, "warnings": []}
    found |= {"card": [{"column": "age", "auc": 0.7, "points": 70, "answers": answers}]}
    found |= {"best": {"percent": 10, "customers": 90, "least": 55}}
    found["tenths"] = [
        {"customers": 100, "members": n, "members_so_far": so, "least": 90 - 9 * place}
        for place, (n, so) in enumerate(zip(members, so_far, strict=True))
    ]
    return found | more


def cluster(sizes: tuple[int, ...] = (500, 300, 200), agree: int = 900, **more: Any) -> Any:
    personas = [
        {"name": f"persona-{n}", "customers": size, "medians": {"x": 1234.5 * n}, "stands_out": ["x"] if n > 1 else []}
        for n, size in enumerate(sizes, 1)
    ]
    tried = [{"k": k, "smallest": 100 * min(sizes) / sum(sizes), "stability": 0.7999} for k in (3, 4)]
    found = {"schema_version": 1, "command": "cluster", "as_of": "2024-03-01", "customers": sum(sizes), "left_out": 0}
    found |= {"columns": [{"name": "x", "median": 7, "logarithm": True}], "tried": tried, "tried_on": sum(sizes)}
    found |= {"k": 3, "chosen_by": "most-stable", "personas": personas, "rules": [{}, {}], "agree": agree}
    return found | {"warnings": []} | more


BASKETS = [
    # the rules of a file; of each, its times and to how many it is offered, as the page has them
    ([rule("a", "b", 50, 100, 200, 60)], ["50 60"]),
    ([rule("a", "b", 4, 100, 200, 60)], ["… 60"]),  # few have both
    ([rule("a", "b", 50, 54, 200, 60)], ["… 60"]),  # few lack the right side
    ([rule("a", "b", 50, 100, 53, 60)], ["… 60"]),  # few have the right one alone
    ([rule("a", "b", 50, 50, 200, 0)], ["50 0"]),  # nobody lacks it
    ([rule("a", "b", 50, 997, 200, 60)], ["… 60"]),  # all but a few have the left side
    ([rule("a", "b", 50, 100, 200, 4)], ["50 …"]),
    # of those who have a and b, few lack c
    ([rule("a", "b", 50, 100, 200, 60), rule("a c", "b", 47, 90, 200, 50)], ["50 60", "… 50"]),
    ([rule("a c", "b", 47, 90, 200, 50), rule("a", "b", 50, 100, 200, 60)], ["47 50", "… 60"]),
    # of those to whom b is offered since they have a, few lack c
    ([rule("a", "b", 50, 100, 200, 60), rule("a c", "b", 40, 90, 200, 57)], ["50 60", "40 …"]),
    ([rule("a", "b", 50, 100, 200, 60), rule("a c", "d", 30, 90, 200, 57)], ["50 60", "30 57"]),
]


@pytest.mark.parametrize(("rules", "shown"), BASKETS)
def test_rules_that_would_tell_a_few(desk: Desk, rules: list[Any], shown: list[str]) -> None:
    shop(desk)
    rows = report(desk, basket(*rules)).tables["basket"][0][1:]
    assert [f"{row[2]} {row[6]}" for row in rows] == shown
    for row in rows:
        figures = row[2:6]
        assert figures == [HIDDEN] * 4 or HIDDEN not in figures
    exact = report(desk, basket(*rules), min_cell=1).texts["basket"]
    assert HIDDEN not in exact


def test_with_baskets_of_customers_the_figures_tell_to_how_many_it_is_offered(desk: Desk) -> None:
    shop(desk)
    rules = [rule("a", "b", 50, 110, 200, 60), rule("a c", "b", 40, 97, 200, 57)]
    rows = report(desk, basket(*rules, by="customer")).tables["basket"][0][1:]
    assert [f"{row[2]} {row[6]}" for row in rows] == ["50 60", "… …"]


TENTHS = [
    # members of the tenths, of 100 customers each; as the page has them, and where it shows what was found so far
    ([60, 50, 40, 30, 20, 15, 12, 10, 8, 7], "60 50 40 30 20 15 12 10 8 7", "0123456789"),
    ([60, 50, 40, 30, 20, 15, 12, 10, 8, 3], "60 50 40 30 20 15 12 10 … …", "012345679"),
    ([60, 50, 40, 30, 20, 15, 12, 10, 2, 3], "60 50 40 30 20 15 12 10 … …", "012345679"),
    ([60, 50, 40, 30, 20, 15, 12, 10, 2, 0], "60 50 40 30 20 15 12 … … 0", "01234569" "8"),
    ([60, 3, 40, 30, 20, 15, 12, 10, 8, 7], "60 … 40 30 20 15 12 10 8 …", "09"),
    ([97, 50, 40, 30, 20, 15, 12, 10, 8, 7], "… … 40 30 20 15 12 10 8 7", "123456789"),  # all but a few
]  # fmt: skip


@pytest.mark.parametrize(("members", "shown", "so_far"), TENTHS)
def test_tenths_that_would_tell_a_few(desk: Desk, members: list[int], shown: str, so_far: str) -> None:
    shop(desk)
    rows = report(desk, lookalike(members)).tables["lookalike"][1][1:]
    assert " ".join(row[2] for row in rows) == shown
    assert all((row[2] == HIDDEN) == (row[3] == HIDDEN) == (row[4] == HIDDEN) for row in rows)
    assert {place for place, row in enumerate(rows) if row[5] != HIDDEN} == {*map(int, so_far)}


PERSONAS = [
    ((500, 300, 200), 900, "500 300 200", "90.0 %"),
    ((500, 300, 4), 700, "500 … …", "87.1 %"),
    ((500, 300, 200), 997, "500 300 200", "…"),
    ((500, 300, 200), 3, "500 300 200", "…"),
    ((500, 300, 200), 1000, "500 300 200", "100.0 %"),
]


@pytest.mark.parametrize(("sizes", "agree", "shown", "accuracy"), PERSONAS)
def test_personas_of_a_few(desk: Desk, sizes: tuple[int, ...], agree: int, shown: str, accuracy: str) -> None:
    shop(desk)
    page = report(desk, cluster(sizes, agree))
    rows = page.tables["cluster"][0][1:]
    assert " ".join(row[1] for row in rows) == shown
    assert f"put {accuracy} of the customers" in page.texts["cluster"]
    few = min(sizes) < 5
    assert rows[2][-1] == (HIDDEN if few else "x 3,704 against 7")
    assert rows[1][-1] == "x 2,469 against 7" and rows[0][-1] == "nothing: much like all"
    tried = page.tables["cluster"][1][1:]
    assert tried[0] == ["3", HIDDEN if few else "20.0 %", "0.79", "chosen: the most stable; none of them holds"]


def test_what_stands_there(desk: Desk) -> None:
    """Conditions in words, more than one file of a command, what was left out, warnings without folders and few."""
    shop(desk)
    warning = {
        "message": "`/home/ann/c.csv`: 3 customers, and `age` alone has an AUC of 0.9",
        "hint": "see `--columns`",
    }
    found = [
        lookalike(warnings=[warning], prospects_path="/home/ann/p.csv", prospects=3),
        lookalike(segment="other", best={"percent": 2.5, "customers": 4, "least": 55}),
        cluster(left_out=3),
        cluster(left_out=30, tried_on=500),
        basket(rule("a", "b", 50, 100, 200, 60), top=1, rules=[rule("a", "b", 50, 100, 200, 60)] * 3, table=None),
        basket(),
    ]
    page = report(desk, *found)
    text = " ".join(page.texts["lookalike"].split())
    assert (
        "Like seed, on" in text and "Like other, on" in text and "The best 10 % of … prospects of another file" in text
    )
    assert "The best 2.5 % of 900 who are not: … with 55 points or more" in text
    assert "c.csv: a few customers, and age alone has an AUC of 0.9 see --columns" in text
    assert page.tables["lookalike"][0][1] == ["age", "0.70", "70", "up to 40"], "the best answer that somebody gave"
    said = [row[-2] for row in page.tables["lookalike"][2][1:]]
    assert said == [
        "above 40, up to 60",
        "up to 40",
        "after 2024-01-31",
        "missing",
        "any other or missing",
        "no",
        "has cat",
    ]
    personas = " ".join(page.texts["cluster"].split())
    assert (
        "without a value: …." in personas and "without a value: 30." in personas and "tried on 500 of them" in personas
    )
    baskets = " ".join(page.texts["basket"].split())
    assert "In one order, until" in baskets and "and 2 rules more." in baskets and "0 rules: 9 items" in baskets
    assert "/home" not in (desk / "r.html").read_text(encoding="utf-8")
    labels = [one for one in page.attributes["aria-label"] if one.startswith(("The card", "Personas", "Bought"))]
    assert sorted(labels) == ["Bought together 1", "Personas 1", "Personas 2", "The card 1", "The card 2"]


EVIL = "</title><script>alert(1)</script><b onclick='x'>&\"{{ 7 * 7 }}"


def test_markup_gets_nowhere(desk: Desk) -> None:
    shop(desk)
    found = [
        json.loads(json.dumps(one).replace('"PLACE"', json.dumps(EVIL)))
        for one in (
            basket(rule("PLACE", "b", 50, 100, 200, 60), rule("a", "PLACE", 50, 100, 200, 60), table="PLACE\u202e"),
            lookalike(segment="PLACE", as_of="PLACE", warnings=[{"message": "PLACE", "hint": "PLACE"}]),
            cluster(warnings=[{"message": "PLACE"}], as_of="PLACE"),
        )
    ]
    found[1]["card"][0] |= {"column": EVIL, "answers": [{"condition": {"is": EVIL}, "points": 1, "members": 1, "others": 1}]}  # fmt: skip
    found[2]["personas"][1]["name"] = EVIL
    page = report(desk, *found)
    assert not page.tags & {"script", "b onclick"} and "onclick" not in page.attributes
    assert "\u202e" not in (desk / "r.html").read_text(encoding="utf-8")
    for section in ("basket", "lookalike", "cluster"):
        assert EVIL in page.texts[section]
    assert "(PLACE\ufffd)" in page.texts["basket"]


def test_a_page_stays_small(desk: Desk) -> None:
    shop(desk)
    rules = [rule(f"{'&' * 5000}{n} y z", "x" * 5000, 50, 100, 200, 60) for n in range(2000)]
    card = [{**lookalike()["card"][0], "column": f"{n}" + "c" * 3000} for n in range(400)]
    personas = [{**cluster()["personas"][1], "name": f"{n}" + "p" * 3000} for n in range(1000)]
    page = report(desk, basket(*rules, top=2000), lookalike(card=card), cluster(personas=personas, k=1000))
    assert (desk / "r.html").stat().st_size < 1_000_000
    assert "and 1,900 rules more" in page.texts["basket"] and "and 340 questions more" in page.texts["lookalike"]
    assert "and 800 personas more" in page.texts["cluster"]


Change = Callable[[Any], str]


def without(*path: str | int) -> Change:
    def change(found: Any) -> str:
        for key in path[:-1]:
            found = found[key]
        del found[path[-1]]
        return ""

    return change


def given(value: Any, *path: str | int) -> Change:
    def change(found: Any) -> str:
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = value
        return ""

    return change


BASKET, LOOKALIKE, CLUSTER = basket(rule("a", "b", 50, 100, 200, 60)), lookalike(), cluster()
NOT_OF = "is not what `segkit basket`, `lookalike` or `cluster` prints with `--json`"
WRONG: list[tuple[Any, Change, str]] = [
    (BASKET, without("command"), NOT_OF),
    (BASKET, without("schema_version"), NOT_OF),
    (BASKET, given("evaluate", "command"), "is of `evaluate`, not of `segkit basket`, `lookalike` or `cluster`"),
    (BASKET, given(2, "schema_version"), "has version 2 of the JSON, and this segkit reads 1"),
    (BASKET, given("week", "by"), "is not what `segkit basket --json` prints: see `by`"),
    (BASKET, given(-1, "rules", 0, "count"), "prints: see `rules.0.count`"),
    (BASKET, without("rules", 0, "to_offer"), "prints: see `rules.0.to_offer`"),
    (BASKET, given(float("nan"), "rules", 0, "lift"), "prints: see `rules.0.lift`"),
    (BASKET, given("cluster", "command"), "is not what `segkit cluster --json` prints: see `left_out`"),
    (LOOKALIKE, without("tenths"), "is not what `segkit lookalike --json` prints: see `tenths`"),
    (LOOKALIKE, given([], "card", 0, "answers"), "prints: see `card.0.answers`"),
    (LOOKALIKE, given({"in": 3}, "card", 0, "answers", 0, "condition"), "prints: see `card.0.answers.0.condition.in`"),
    (LOOKALIKE, given(0, "members"), "prints: see `members`"),
    (CLUSTER, given("chance", "chosen_by"), "is not what `segkit cluster --json` prints: see `chosen_by`"),
    (CLUSTER, given(["y"], "personas", 0, "stands_out"), "is not what `segkit cluster --json` prints"),
]


@pytest.mark.parametrize(("found", "change", "message"), WRONG)
def test_files_that_are_not_such(desk: Desk, found: Any, change: Change, message: str) -> None:
    desk.put("c.csv", "id\na\n")
    desk.apply(head() + "[segment.all]\neveryone = true\n", "-o", desk / "out", "-q")
    found = copy.deepcopy(found)
    change(found)
    check_refused(desk, json.dumps(found), message)


TEXTS = [
    (json.dumps(basket(rule("a", "b", 50, 100, 200, 60)), indent=1)[:-60], "is not JSON as a whole: EOF while parsing"),
    ("", "is not JSON as a whole: EOF while parsing a value at line 1 column 0"),
    ("bought together", "is not JSON as a whole: expected value at line 1 column 1"),
    (json.dumps(basket()) + "}", "is not JSON as a whole: trailing characters"),
    ("[1, 2]", NOT_OF),
    ("[" * 100_000, "is not JSON as a whole"),
    (json.dumps(basket()).encode("utf-16"), "is not JSON as a whole"),
]


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_files_that_are_no_json(desk: Desk, text: str | bytes, message: str) -> None:
    desk.put("c.csv", "id\na\n")
    desk.apply(head() + "[segment.all]\neveryone = true\n", "-o", desk / "out", "-q")
    check_refused(desk, text, message)


def check_refused(desk: Desk, text: str | bytes, message: str) -> None:
    path = desk.put("found.json", text)
    done = desk.segkit("report", desk / "out", "-o", desk / "r.html", "--discover", path, code=3)
    assert f"error: `{path}` " in done.stderr and message in done.stderr and "\nhint: " in done.stderr, done.stderr
    assert not (desk / "r.html").exists()


def test_no_file_and_one_that_would_be_replaced(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.apply(head() + "[segment.all]\neveryone = true\n", "-o", desk / "out", "-q")
    command = ["report", desk / "out", "-o", desk / "r.html", "--discover"]
    assert "cannot read `" in desk.segkit(*command, desk / "none.json", code=3).stderr
    page = desk.put("r.html", json.dumps(basket()))
    assert "is an input: the report would take its place" in desk.segkit(*command, page, code=4).stderr
    assert page.read_text(encoding="utf-8") == json.dumps(basket())


def test_each_command_is_documented() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        section = text.partition(f"### `segkit {name} --json`")[2].partition("\n### ")[0]
        assert f"| `command` | `{name}` |" in section
