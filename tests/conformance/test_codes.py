"""The codes of `segkit check`: each is provoked, each stands in JSON with its place, and `allow` silences it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from segkit.codes import CODES
from tests.desk import Desk, event_table, head

HEAD = head() + event_table("orders", "o.csv", 'amount = "total"')
FILES = {
    "c.csv": "id,country,age,city\na,FR,20,x\nb,DE,30,\nc,FR,40,\nd,IT,,\n",
    "o.csv": "id,day,total,note\na,2024-01-01,10,1\na,2024-02-01,20,x\nb,2024-02-01,5,2\nc,2024-02-03,1,3\n",
    "stop.csv": "id\nz\n",
}


@pytest.fixture(scope="session")
def shop(new_desk: Callable[[], Desk]) -> Desk:
    desk = new_desk()
    for name, content in FILES.items():
        desk.put(name, content)
    return desk


def found(desk: Desk, rules: str, *args: str, code: int | None = None) -> list[dict[str, Any]]:
    done = desk.segkit("check", desk.put("rules.toml", rules), "--json", *args, code=code)
    diagnostics: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
    return diagnostics


def segment(criteria: str) -> str:
    return f"{HEAD}[segment.s]\n{criteria}\n"


CASES: dict[str, tuple[str, str]] = {
    # code: what is checked, where it is found in the rules
    "SEG001": (segment('demographic.country = "FR'), ""),
    "SEG002": (segment('demografic.country = "FR"'), "segment.s.demografic"),
    "SEG003": (HEAD + '[events.sends]\npath = "o.csv"\n[segment.s]\neveryone = true\n', "events.sends"),
    "SEG004": (segment('everyone = "yes"'), "segment.s.everyone"),
    "SEG005": (segment("everyone = true\nsample = 120"), "segment.s.sample"),
    "SEG006": (segment("everyone = true\ndemographic.age.min = 3"), "segment.s.everyone"),
    "SEG007": (segment('in_segment = "t"'), "segment.s.in_segment.0"),
    "SEG008": (segment('rfm = "champions"'), "segment.s.rfm"),
    "SEG009": (segment('behavioural.did = { events = "orders", where.total.contains = "x" }'), "segment.s.behavioural.did.0.where.total.contains"),
    "SEG010": (segment('sql = "country ="'), "segment.s.sql"),
    "SEG011": (segment('in_segment = "t"\n[segment.t]\nin_segment = "s"'), "segment.s"),
    "SEG012": (segment('everyone = true\n[output]\ncombined = "manifest.json"'), "output.combined"),
    "SEG013": (segment('demographic.country = "${SEGKIT_NOT_SET}"'), ""),
    "SEG014": (HEAD.replace("c.csv", "none.csv") + "[segment.s]\neveryone = true\n", ""),
    "SEG020": (segment("everyone = true\nsample = 0.5"), "segment.s.sample"),
    "SEG021": (segment('everyone = true\n[assignment]\npriority = ["s"]'), "assignment.priority"),
    "SEG022": (segment("everyone = true\n[consent]\nrequire.age = { min = 40, max = 20 }"), "consent.require.age"),
    "SEG023": (segment('rfm = "champion"\n[rfm]\nevents = "orders"'), "segment.s.rfm.rfm_segment"),
    "SEG030": (segment('everyone = true\n[consent]\nsuppress = "stop.csv"'), "consent.suppress.0"),
    "SEG031": (
        HEAD + 'bad_values = "missing"\ntypes = { note = "number" }\nwhere.note = { min = 0, or_missing = true }\n[segment.s]\n'
        'behavioural.did = { events = "orders", measure = "sum", min = 3 }\n',
        "",
    ),
    "SEG101": (segment("demographic.age.min = 65\nall = [{ demographic.age.max = 30 }]"), "segment.s"),
    "SEG102": (
        segment("any = [{ demographic.age.min = 3 }, { demographic.age = { max = 3, or_missing = true } }]"),
        "segment.s",
    ),
    "SEG103": (
        segment("demographic.age.min = 3\n[segment.t]\nnone = [{ demographic.age.below = 3 }]\ndemographic.age.missing = false"),
        "segment.t",
    ),
    "SEG105": (segment("demographic.age.min = 65\nall = [{ demographic.age.min = 30 }]"), "segment.s.all.0.demographic.age"),
    "SEG106": (
        segment("demographic.age.max = 30\nany = [{ demographic.age.min = 40 }, { demographic.city = 'x' }]"),
        "segment.s.any.0",
    ),
    "SEG107": (
        segment("any = [{ demographic.age.min = 18 }, { demographic.age.min = 25, demographic.city = 'x' }]"),
        "segment.s.any.1",
    ),
    "SEG108": (
        segment("demographic.age.max = 30\nnone = [{ demographic.age.min = 40 }, { demographic.city = 'x' }]"),
        "segment.s.none.0",
    ),
    "SEG111": (segment("everyone = true\n[trait.old]\nsql = 'age > 60'"), "trait.old"),
    "SEG104": (
        segment('everyone = true\n[[lifecycle.stage]]\nname = "a"\neveryone = true\n[[lifecycle.stage]]\nname = "b"\n'
        "demographic.age.min = 3"),
        "lifecycle.stage.1",
    ),
    "SEG109": (
        segment("everyone = true\n[score.heat]\ngrades = { hot = 200, cold = 0 }\n[[score.heat.rule]]\n"
        "points = 3\ndemographic.age.min = 3"),
        "score.heat.grades.hot",
    ),
    "SEG110": (segment('everyone = true\n[rfm]\nevents = "orders"\n[[rfm.segment]]\nname = "a"\nr = 5'), "rfm.segment"),
    "SEG190": (segment('everyone = true\nallow = "no-effect"'), "segment.s.allow.0"),
    "SEG201": (segment('demographic.country = "fr"'), "segment.s.demographic.country.is"),
    "SEG202": (segment("demographic.age.min = 99"), "segment.s"),
    "SEG203": (segment("demographic.country.missing = false"), "segment.s"),
    "SEG204": (segment("everyone = true"), "segment.s"),
    "SEG205": (segment("everyone = true\n[consent]\nrequire.city = 'x'"), "segment.s"),
    "SEG206": (segment('demographic.age.max = 30\n[segment.t]\ndemographic.age.max = 40'), "segment.s"),
    "SEG207": (segment("demographic.age.max = 40"), "segment.s.demographic.age"),
    "SEG209": (segment("everyone = true\nexpect.max_size = 1"), "segment.s.expect.max_size"),
    "SEG208": (segment('demographic.age.min = 40\n[value]\nevents = "orders"'), "segment.s"),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_each_code_is_found(shop: Desk, code: str) -> None:
    rules, at = CASES[code]
    every = found(shop, rules, *["--data"] * (CODES[code].needs_data or code == "SEG009"))
    mine = [one for one in every if one["code"] == code]
    assert mine, every
    assert mine[0]["name"] == CODES[code].name and mine[0]["severity"] == CODES[code].severity
    assert mine[0]["at"] == at
    assert mine[0]["segment"] == ("s" if at.startswith("segment.s") else "t" if at.startswith("segment.t") else None)
    if code not in {"SEG014", "SEG031"}:
        assert mine[0]["path"].endswith("rules.toml") and mine[0]["line"] > 0 and mine[0]["column"] > 0


def test_all_codes_are_provoked() -> None:
    assert CODES.keys() == CASES.keys()


def codes(desk: Desk, rules: str, *args: str) -> list[tuple[str, str]]:
    return [(one["code"], one["at"]) for one in found(desk, rules, *args)]


SMALL = "everyone = true\nsample = 0.5\n"
TWO = f"[segment.s]\n{SMALL}[segment.t]\n{SMALL}channel = 'post'\n"
OF_S, OF_T = ("SEG020", "segment.s.sample"), ("SEG020", "segment.t.sample")


@pytest.mark.parametrize("name", ["doubtful-rule", "SEG020"])
@pytest.mark.parametrize(
    ("where", "left"),
    [("", [OF_S, OF_T]), ("top", []), ("s", [OF_T]), ("t", [OF_S])],
)
def test_what_is_allowed_is_not_said(shop: Desk, name: str, where: str, left: list[tuple[str, str]]) -> None:
    line, rules = f'allow = ["{name}"]\n', HEAD + TWO
    if where == "top":
        rules = rules.replace("version = 1\n", f"version = 1\n{line}")
    elif where:
        rules = rules.replace(f"[segment.{where}]\n", f"[segment.{where}]\n{line}")
    assert codes(shop, rules) == left


NEVER = (
    HEAD + '[trait.quiet]\nevents = "orders"\nmeasure = "days_since_last"\nwithin = "30 days"\n'
    "[segment.s]\nbehavioural.quiet.min = 120\n"
)


def allowing(name: str, criteria: str = 'demographic.country = "fr"') -> str:
    return segment(f'{criteria}\nallow = "{name}"')


@pytest.mark.parametrize(
    ("rules", "args", "left"),
    [
        # what only the data show is not missed without them
        (allowing("value-not-found"), [], []),
        (allowing("value-not-found"), ["--data"], []),
        (allowing("value-not-found", 'demographic.country = "FR"'), [], []),
        (allowing("value-not-found", 'demographic.country = "FR"'), ["--data"], [("SEG190", "segment.s.allow.0")]),
        (allowing("no-effect"), [], [("SEG190", "segment.s.allow.0")]),
        (segment('everyone = true\nallow = ["no-effect", "unused-allow"]'), [], []),
        (allowing("never-hold"), [], [("SEG007", "segment.s.allow.0")]),
        (allowing("syntax"), [], [("SEG006", "segment.s.allow.0")]),
        # one mistake is said once: before the data are seen, and where all of a segment is one impossible condition
        (segment("demographic.age = { min = 40, max = 20 }"), [], [("SEG101", "segment.s")]),
        (segment("demographic.age = { min = 40, max = 20 }"), ["--data"], [("SEG101", "segment.s")]),
        (CASES["SEG101"][0], ["--data"], [("SEG101", "segment.s")]),
        (NEVER, ["--data"], [("SEG101", "segment.s")]),
        (CASES["SEG104"][0], [], [("SEG104", "lifecycle.stage.1")]),
        (CASES["SEG109"][0], [], [("SEG109", "score.heat.grades.hot")]),
        # errors may hide what is allowed
        (allowing("no-effect", 'in_segment = "t"'), [], [("SEG007", "segment.s.in_segment.0")]),
    ],
)
def test_an_allow_that_silences_nothing(shop: Desk, rules: str, args: list[str], left: list[tuple[str, str]]) -> None:
    assert [one for one in codes(shop, rules, *args) if not "SEG202" <= one[0] <= "SEG209"] == left


def test_a_name_that_no_finding_has_gets_the_nearest(shop: Desk) -> None:
    [one] = found(shop, allowing("never-hold"), code=1)
    assert one["hint"] == "did you mean `never-holds`?"


def test_what_is_allowed_counts_for_nothing(shop: Desk) -> None:
    rules = shop.put("rules.toml", segment(SMALL))
    shop.segkit("check", rules, "--fail-on", "warning", code=1)
    rules = shop.put("rules.toml", segment(SMALL + 'allow = "doubtful-rule"'))
    shop.segkit("check", rules, "--fail-on", "warning", code=0)


def test_the_screen_names_what_can_be_allowed(shop: Desk) -> None:
    said = shop.segkit("check", shop.put("rules.toml", segment(SMALL))).stdout
    assert "\ncode: SEG020 doubtful-rule\n" in said
    wrong = shop.segkit("check", shop.put("rules.toml", segment('in_segment = "t"')), code=1).stdout
    assert "code:" not in wrong
