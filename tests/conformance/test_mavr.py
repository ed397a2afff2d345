"""`check --data`: the four questions to each segment, and which share members, against counts in plain Python."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import isclose
from typing import Any

import pytest

from segkit.operations.checking.sizes import an_arm, in_all
from tests.desk import Desk, head

Person = dict[str, Any]

HEAD = """version = 1
as_of = 2024-03-01
[customers]
path = "c.csv"
key = "id"
types = { age = "number", phone = "text" }
latitude = "lat"
longitude = "lon"
[events.orders]
path = "o.csv"
time = "day"
amount = "total"
[value]
events = "orders"
margin_percent = 50
[consent]
require.opt_in = true
suppress = "stop.csv"
[consent.channel.email]
[consent.channel.sms]
require.sms_ok = true
[mavr]
min_size = 8
known_percent = 70
reach_percent = 40
contact = { email = "mail", sms = "phone" }
"""
SEGMENTS: dict[str, tuple[str, Callable[[Person], bool], Sequence[str]]] = {
    # criteria, the same in Python, the columns that must have a value
    "all": ('everyone = true\nchannel = "email"', lambda p: True, ()),
    "old": (
        'demographic.age.min = 40\nchannel = "email"',
        lambda p: p["age"] is not None and p["age"] >= 40,
        ("age",),
    ),
    "where": (
        'geographic.country = ["FR", "DE"]\ndemographic.age.max = 60\nchannel = "sms"',
        lambda p: p["country"] in ("FR", "DE") and p["age"] is not None and p["age"] <= 60,
        ("country", "age"),
    ),
    "unknown": ('geographic.country.missing = true\nchannel = "email"', lambda p: p["country"] is None, ()),
    "perhaps": (
        'geographic.country = { is = "FR", or_missing = true }\nchannel = "sms"',
        lambda p: p["country"] in (None, "FR"),
        (),
    ),
    "buyers": (
        'behavioural.did = { events = "orders" }\nchannel = "email"',
        lambda p: bool(p["orders"]),
        (),
    ),
    "opened": (
        'in_segment = "old"\ngeographic.country = "FR"\nchannel = "sms"',
        lambda p: p["age"] is not None and p["age"] >= 40 and p["country"] == "FR",
        ("country", "age"),
    ),
    "near": (
        'geographic.near = { latitude = 0, longitude = 0, km = 20000 }\nchannel = "email"',
        lambda p: p["lat"] is not None,
        ("lat", "lon"),
    ),
    "sql": (
        'sql = "age > 30"\nchannel = "sms"',
        lambda p: p["age"] is not None and p["age"] > 30,
        ("age",),
    ),
    "sql-null": ('sql = "coalesce(age, 0) < 30"\nchannel = "sms"', lambda p: (p["age"] or 0) < 30, ()),
    "nobody": ('demographic.age.min = 400\nchannel = "email"', lambda p: False, ("age",)),
}
MAILS = (None, "", "a@b.example", "c@d.example", "none", "x")
PHONES = (None, "0612345678", "+33 6 12 34 56 78", "no", "12")


def people(seed: int) -> list[Person]:
    draw = random.Random(seed)
    made = []
    for number in range(draw.choice([1, 12, 40, 60])):
        place = draw.choice([True, True, False])
        made.append(
            {
                "id": f"k{number}",
                "age": draw.choice([None, 18, 30, 31, 40, 60, 61, 75]),
                "country": draw.choice([None, "FR", "FR", "DE", "IT"]),
                "lat": draw.choice([1, 50]) if place else None,
                "lon": draw.choice([2, 3]) if place else None,
                "opt_in": draw.random() < 0.8,
                "sms_ok": draw.random() < 0.5,
                "mail": draw.choice(MAILS),
                "phone": draw.choice(PHONES),
                "orders": [draw.choice([5, 10, 99]) for _ in range(draw.choice([0, 0, 1, 3]))],
                "stopped": draw.random() < 0.1,
            }
        )
    return made


def put(desk: Desk, everybody: list[Person]) -> None:
    columns = ("id", "age", "country", "lat", "lon", "opt_in", "sms_ok", "mail", "phone")
    lines = [
        ",".join("" if p[c] is None else str(p[c]).lower() if isinstance(p[c], bool) else str(p[c]) for c in columns)
        for p in everybody
    ]
    desk.put("c.csv", "\n".join([",".join(columns), *lines]) + "\n")
    orders = [f"{p['id']},2024-02-01,{total}" for p in everybody for total in p["orders"]]
    desk.put("o.csv", "\n".join(["id,day,total", *orders, *["zz,2024-01-01,7"] * bool(orders)]) + "\n")
    desk.put("stop.csv", "\n".join(["id", "zz", *(p["id"] for p in everybody if p["stopped"])]) + "\n")


def checked(desk: Desk, rules: str) -> Any:
    return json.loads(desk.segkit("check", desk.put("rules.toml", rules), "--data", "--json").stdout)


def reaches(person: Person, channel: str) -> bool:
    if not person["opt_in"] or person["stopped"]:
        return False
    if channel == "email":
        return "@" in (person["mail"] or "")
    return bool(person["sms_ok"]) and sum(sign.isdigit() for sign in person["phone"] or "") >= 6


def worth(some: list[Person]) -> Fraction:
    return sum((Fraction(total) / 2 for p in some for total in p["orders"]), Fraction(0))


@pytest.mark.parametrize("seed", range(12))
def test_the_answers_are_those_of_plain_counts(desk: Desk, seed: int) -> None:
    everybody = people(seed)
    put(desk, everybody)
    found = checked(desk, HEAD + "".join(f"[segment.{name}]\n{text}\n" for name, (text, *_) in SEGMENTS.items()))
    assert [one["segment"] for one in found["mavr"]] == list(SEGMENTS)
    of_all = worth(everybody) / len(everybody)
    members: dict[str, list[Person]] = {}
    for one in found["mavr"]:
        text, holds, columns = SEGMENTS[one["segment"]]
        channel = "email" if "email" in text else "sms"
        mine = members[one["segment"]] = [p for p in everybody if holds(p)]
        can = [p for p in mine if reaches(p, channel)]
        known = [sum(p[column] is not None for p in everybody) for column in columns]
        assert one["reached"] == len(can) and one["needed"] == 8 and one["v"] is (len(can) >= 8)
        if columns:
            assert isclose(one["known"], 100 * min(known) / len(everybody), abs_tol=1e-4)
            assert one["m"] is (min(known) >= Fraction(70, 100) * len(everybody))
        else:
            assert one["known"] is one["m"] is None
        if not mine:
            assert one["reach"] is one["a"] is one["a_head"] is one["index"] is one["p"] is None
            continue
        assert isclose(one["reach"], 100 * len(can) / len(mine), abs_tol=1e-4)
        assert one["a"] is (len(can) >= Fraction(40, 100) * len(mine))
        a_head = worth(mine) / len(mine)
        assert abs(one["a_head"] - float(a_head)) <= 0.005 + 1e-9
        assert one["p"] is (a_head >= of_all)
        if of_all > 0:
            assert isclose(one["index"], 100 * a_head / of_all, abs_tol=1e-4)
        else:
            assert one["index"] is None
    pairs = {(pair["a"], pair["b"]): pair["customers"] for pair in found["overlaps"]}
    assert pairs == {
        (a, b): both for a, b in combinations(SEGMENTS, 2) if (both := sum(p in members[b] for p in members[a]))
    }
    codes = {(one["code"], one["segment"]) for one in found["diagnostics"]}
    for one in found["mavr"]:
        name, size = one["segment"], len(members[one["segment"]])
        assert (("SEG202", name) in codes) == (size == 0)
        assert (("SEG203", name) in codes) == (size == len(everybody) and name != "all")
        assert (("SEG204", name) in codes) == (size > 0 and not one["v"])
        assert (("SEG205", name) in codes) == (one["a"] is False)
        assert (("SEG207", name) in codes) == (size > 0 and one["m"] is False)
        assert (("SEG208", name) in codes) == (one["p"] is False)


@pytest.mark.parametrize(
    ("one", "other", "arm", "whole"),
    [
        (Fraction(1, 2), Fraction(1, 2), 3_826, 7_652),
        (Fraction(1, 10), Fraction(9, 10), 2_246, 22_460),
    ],
)
def test_the_size_of_an_experiment(one: Fraction, other: Fraction, arm: int, whole: int) -> None:
    assert an_arm(0.02, 0.03, float(other / one)) == arm
    assert in_all(one, other, 0.02, 0.03) == whole


SMALL = """version = 1
as_of = 2024-03-01
{top}[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "total"
{more}
"""


@pytest.fixture(scope="session")
def shop(new_desk: Callable[[], Desk]) -> Desk:
    desk = new_desk()
    desk.put("c.csv", "id,age,email\n" + "".join(f"{n},{n},p{n}@x.example\n" for n in range(10)))
    desk.put("o.csv", "id,day,total\n0,2024-01-01,1\n1,2024-01-01,2\n2,2024-01-01,3.3\n")
    return desk


@pytest.mark.parametrize(
    ("keys", "mavr", "needed"),
    [
        ("", "", 50),
        ("", "min_size = 7", 7),
        ("expect.min_size = 9", "min_size = 7", 9),
        ("expect.max_size = 9", "min_size = 7", 7),
        ("split = { A = 50, B = 50 }", "", 7_652),
        ("split = { A = 90, B = 10 }", "", 22_460),
        ("split = { A = 10, B = 90 }", "", 22_460),
        ("split = { A = 100, B = 0 }", "", 50),
        ("holdout = 10", "", 22_460),
        ("holdout = 0", "", 50),
        ("holdout = 100", "", 50),
        ("holdout = 10", "min_size = 30000", 30_000),
        ("holdout = 10\nexpect.min_size = 30001", "", 30_001),
        # a sample is drawn first, so that twice as many must be reached
        ("holdout = 10\nsample = 50", "", 44_920),
        ("split = { A = 50, B = 50 }\nholdout = 50", "", 15_304),
        ("split = { A = 50, B = 50 }", "base_percent = 10\nlift_percent = 20", 7_682),
    ],
)
def test_how_many_a_segment_needs(shop: Desk, keys: str, mavr: str, needed: int) -> None:
    rules = SMALL.format(top="", more=f"[mavr]\n{mavr}") + f"[segment.s]\neveryone = true\n{keys}\n"
    [one] = checked(shop, rules)["mavr"]
    assert one["needed"] == needed


WORTH = {
    '[rfm]\nevents = "orders"': (0.63, None),
    '[value]\nevents = "orders"': (0.63, None),
    '[value]\nevents = "orders"\nmargin_percent = 50': (0.32, None),
    '[value]\nevents = "orders"\nmargin_percent = 50\n[mavr]\ncost_per_contact = 0.5': (0.32, False),
    '[value]\nevents = "orders"\nmargin_percent = 50\n[mavr]\ncost_per_contact = 0.1': (0.32, True),
    # half of three tenths is not above it: it is what a contact costs
    '[value]\nevents = "orders"\nmargin_percent = 50\n[mavr]\ncost_per_contact = 0.1575': (0.32, False),
    '[rfm.a]\nevents = "orders"': (None, None),
    "": (None, None),
}


@pytest.mark.parametrize("more", WORTH)
def test_what_a_member_is_worth(shop: Desk, more: str) -> None:
    a_head, profitable = WORTH[more]
    [one] = checked(shop, SMALL.format(top="", more=more) + "[segment.s]\neveryone = true\n")["mavr"]
    if a_head is None:
        assert one["a_head"] is one["index"] is one["p"] is None
        return
    assert one["a_head"] == a_head and one["index"] == 100
    assert one["p"] is (True if profitable is None else profitable)


OF_VALUE = '[value]\nevents = "orders"\nmargin_percent = 50\n'


@pytest.mark.parametrize(
    ("code", "mavr", "more", "severity"),
    [
        ("SEG204", "", "", "note"),
        ("SEG204", "min_size = 11", "", "warning"),
        ("SEG204", "", "expect.min_size = 11", "warning"),
        ("SEG204", "min_size = 3", "holdout = 10", "note"),
        ("SEG204", "base_percent = 3", "holdout = 10", "warning"),
        ("SEG204", "base_percent = 3", "", "note"),
        ("SEG205", "", "", "note"),
        ("SEG205", "reach_percent = 50", "", "warning"),
        ("SEG205", "known_percent = 80", "", "note"),
        ("SEG207", "", "", "note"),
        ("SEG207", "known_percent = 80", "", "warning"),
        ("SEG208", "", "", "note"),
        ("SEG208", "cost_per_contact = 9", "", "warning"),
    ],
)
def test_a_threshold_of_the_file_makes_a_warning(desk: Desk, code: str, mavr: str, more: str, severity: str) -> None:
    desk.put("c.csv", "id,age,ok\n" + "".join(f"{n},{n if n > 4 else ''},{n > 7}\n" for n in range(10)))
    desk.put("o.csv", "id,day,total\n0,2024-01-01,1\n9,2024-01-01,1\n")
    rules = SMALL.format(top="", more=f"{OF_VALUE}[consent]\nrequire.ok = true\n[mavr]\n{mavr}")
    rules += f"[segment.s]\ndemographic.age = {{ min = 5, max = 8 }}\n{more}\n"
    found = [one for one in checked(desk, rules)["diagnostics"] if one["code"] == code]
    assert [one["severity"] for one in found] == [severity]
    place = "segment.s.demographic.age" if code == "SEG207" else "segment.s"
    assert found[0]["at"] == place and found[0]["segment"] == "s"
    done = desk.segkit("check", desk / "rules.toml", "--data", "--fail-on", "warning", "--json", code=None)
    warned = any(one["severity"] == "warning" for one in json.loads(done.stdout)["diagnostics"])
    assert done.exit_code == warned


def test_two_segments_that_share_most(shop: Desk) -> None:
    more = "".join(
        f"[segment.{name}]\n{criteria}\n"
        for name, criteria in {
            "all": "everyone = true",
            "nine": "demographic.age.max = 8",
            "ten": "demographic.age.max = 9",
            "half": "demographic.age.min = 5",
            "part": 'in_segment = "half"\ndemographic.age.max = 7',
            "one": "demographic.age = 0",
        }.items()
    )
    rules = SMALL.format(top="", more=more)
    found = [one for one in checked(shop, rules)["diagnostics"] if one["code"] == "SEG206"]
    assert [(one["segment"], one["conflict"]) for one in found] == [
        ("nine", ["segment.ten"]),
        ("half", ["segment.ten"]),
        ("part", ["segment.nine", "segment.ten"]),
        ("one", ["segment.nine", "segment.ten"]),
    ]
    # either may allow it
    for name in ("one", "nine"):
        allowed = rules.replace(f"[segment.{name}]\n", f'[segment.{name}]\nallow = "overlap"\n')
        left = [one["segment"] for one in checked(shop, allowed)["diagnostics"] if one["code"] == "SEG206"]
        assert left == (["nine", "half", "part"] if name == "one" else ["half"])


@pytest.mark.parametrize(("with_value", "is_known"), [(6, False), (7, True)])
def test_a_threshold_is_reached_exactly(desk: Desk, with_value: int, is_known: bool) -> None:
    """7 of 10 are 70 percent; the same 7 of 10 members consent."""
    rows = (f"{n},{n if n < with_value else ''},{n < with_value}\n" for n in range(10))
    desk.put("c.csv", "id,age,ok\n" + "".join(rows))
    desk.put("o.csv", "id,day,total\n0,2024-01-01,1\n")
    limits = "[consent]\nrequire.ok = true\n[mavr]\nknown_percent = 70\nreach_percent = 70"
    segment = "[segment.s]\nany = [{ demographic.age.min = 0 }, { demographic.ok.missing = false }]\n"
    [one] = checked(desk, SMALL.format(top="", more=limits) + segment)["mavr"]
    assert one["m"] is one["a"] is is_known


@pytest.mark.parametrize(("first", "said"), [(1, True), (2, False)])
def test_two_that_share_exactly_as_much(desk: Desk, first: int, said: bool) -> None:
    """9 of 10 are 90 percent, 8 are not."""
    desk.put("c.csv", "id,age\n" + "".join(f"{n},{n}\n" for n in range(20)))
    desk.put("o.csv", "id,day,total\n0,2024-01-01,1\n")
    rules = SMALL.format(top="", more="[segment.ten]\ndemographic.age.below = 10")
    found = checked(desk, f"{rules}[segment.rest]\ndemographic.age.min = {first}\n")
    assert found["overlaps"] == [{"a": "ten", "b": "rest", "customers": 10 - first}]
    overlap = [one["message"] for one in found["diagnostics"] if one["code"] == "SEG206"]
    assert overlap == (["90 % of the 10 members of `ten` are in `rest`, too"] if said else [])


def test_blocks_that_others_are_made_of_are_not_asked(shop: Desk) -> None:
    rules = SMALL.format(top="", more="")
    rules += "[segment.block]\ndemographic.age.min = 100\nwrite = false\n"
    rules += '[segment.s]\nany = [{ in_segment = "block" }, { demographic.age.min = 3 }]\n'
    found = checked(shop, rules)
    assert [one["segment"] for one in found["mavr"]] == ["s"]
    assert "SEG202" not in {one["code"] for one in found["diagnostics"]}
    alone = rules.replace('{ in_segment = "block" }, ', "")
    assert "SEG202" in {one["code"] for one in checked(shop, alone)["diagnostics"]}


def test_without_customers_nothing_is_said(desk: Desk) -> None:
    desk.put("c.csv", "id,age\n")
    desk.put("o.csv", "id,day,total\n")
    found = checked(desk, SMALL.format(top="", more="") + "[segment.s]\neveryone = true\n")
    assert "mavr" not in found and not [one for one in found["diagnostics"] if one["code"] >= "SEG200"]


@pytest.mark.parametrize(
    ("mavr", "code", "said"),
    [
        ('contact.mail = "email"', "SEG007", "no segment has the channel `mail`"),
        ("cost_per_contact = 1", "SEG003", "nothing computes it"),
        ("lift_percent = 0", "SEG006", "`lift_percent` is more than 0"),
        ("base_percent = 0", "SEG006", "`base_percent` is more than 0"),
        ("base_percent = 80", "SEG006", "80 % raised by 50 % is not below 100 %"),
        ("known_percent = 101", "SEG005", "a share in percent"),
        ("min_siez = 3", "SEG002", "unknown key `min_siez`"),
        ('contact."E Mail" = "x"', "SEG005", "cannot be the name of a channel"),
        ('contact.email = "emial"', "SEG008", "customers have no column `emial`"),
    ],
)
def test_what_is_wrong_with_the_thresholds(shop: Desk, mavr: str, code: str, said: str) -> None:
    rules = SMALL.format(top="", more=f"[mavr]\n{mavr}") + '[segment.s]\neveryone = true\nchannel = "email"\n'
    done = shop.segkit("check", shop.put("rules.toml", rules), "--data", "--json", code=1)
    [one] = json.loads(done.stdout)["diagnostics"]
    assert one["code"] == code and said in one["message"]


def test_the_table_fits_a_screen(shop: Desk) -> None:
    rules = SMALL.format(top="", more=OF_VALUE) + "".join(
        f"[segment.{name}]\ndemographic.age.min = {n}\n"
        for n, name in enumerate(["champions", "a-very-long-name-of-a-segment"])
    )
    said = shop.segkit("check", shop.put("rules.toml", rules), "--data").stdout
    table = said[said.index("  known") :].splitlines()
    assert all(len(line) <= 80 for line in table)
    assert "known  reach  reached  needed  a head  index  M A V R" in table[0]
    # Nothing says who can be reached.
    assert any(line.startswith("champions ") and line.endswith("  100  + - . +") for line in table)
    assert "a head" not in shop.segkit("check", shop / "rules.toml", "--data", "-q").stdout
    assert "a head" not in shop.segkit("check", shop / "rules.toml").stdout


OUTPUT = '[output]\ncolumns = ["age"]\n'


@pytest.mark.parametrize(
    ("contact", "mails", "reached"),
    [
        ("mail", ["a@b.example", "", "x", " c@d.example "], 2),
        ("phone", ["0612345678", "612345678.0", "12", ""], 2),
        # of a column whose name tells nothing, whatever is not blank is a contact
        ("reach_at", ["x", "", "  ", "y"], 2),
        ("push_ok", ["true", "true", "", "true"], 3),
    ],
)
@pytest.mark.parametrize("output", ["", OUTPUT])
def test_a_contact_that_can_be_used(desk: Desk, contact: str, mails: list[str], reached: int, output: str) -> None:
    desk.put("c.csv", f"id,age,{contact}\n" + "".join(f"{n},3,{mail}\n" for n, mail in enumerate(mails)))
    desk.put("o.csv", "id,day,total\n0,2024-01-01,1\n")
    rules = SMALL.format(top="", more=f'[mavr]\ncontact.them = "{contact}"\n{output}')
    found = checked(desk, rules + '[segment.s]\neveryone = true\nchannel = "them"\n[segment.t]\neveryone = true\n')
    assert [one["reached"] for one in found["mavr"]] == [reached, 4]


FORMATS = ("text", "json", "github", "sarif")
SECRETS = ("zebra@x.example", "0699887766", "Zoltan", "ZK-417")


@pytest.mark.parametrize("format_", FORMATS)
def test_no_value_of_a_person_is_said(desk: Desk, format_: str) -> None:
    mail, phone, name, key = SECRETS
    desk.put("c.csv", f"id,mail,phone,first_name,note\n{key},{mail},{phone},{name},{mail}\n")
    desk.put("o.csv", f"id,day,total\n{key},2024-01-01,1\n")
    rules = SMALL.format(top="", more="[mavr]\nmin_size = 5") + (
        '[segment.s]\nany = [{ demographic.mail = "zebre@x.example" }, { demographic.phone = "0699887767" },\n'
        '{ demographic.first_name = "Zoltam" }, { demographic.note = "zebro@x.example" }, { demographic.id = "ZK-418" }]\n'
    )
    done = desk.segkit("check", desk.put("rules.toml", rules), "--data", "--format", format_)
    assert "does not occur" in done.stdout and "look like this" in done.stdout
    assert not [secret for secret in SECRETS if secret in done.output]


def test_a_contact_in_a_list(desk: Desk) -> None:
    """Somebody can be reached if one of the addresses can be used."""
    desk.put("c.csv", "id,mail\na,a@x.fr;none\nb,none;-\nc,\nd,-;d@x.fr\n")
    rules = head('lists = { mail = ";" }') + '[consent.channel.email]\n[mavr.contact]\nemail = "mail"\n'
    rules += '[segment.all]\nchannel = "email"\neveryone = true\n'
    done = json.loads(desk.segkit("check", "--data", "--json", desk.put("rules.toml", rules)).stdout)
    assert [one["reached"] for one in done["mavr"]] == [2]
