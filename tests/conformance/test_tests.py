"""Tests in the rule file, as `segkit test` runs them: what passes, what fails, what nobody can tell."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.desk import Desk, event_table, head

RULES = (
    head('lists = { likes = "," }', 'types = { postcode = "text" }', as_of="2024-06-30")
    + event_table("orders", "o*.csv", 'id = "order"', 'amount = "total"', 'derive = { total = "price * pieces" }')
    + event_table("sends", "s.csv")
    + """
[lookup.places]
path = "places.csv"
on = "postcode"
columns = ["town"]
[lookup.goods]
path = "goods.csv"
on = "product"
columns = ["category"]
into = "orders"
[trait.age]
years_since = "born"
[trait.spent]
events = "orders"
measure = "sum"
[trait.mean_spent]
sql = "spent / nullif(orders, 0)"
[trait.orders]
events = "orders"
[trait.third]
bands = { of = "spent", quantiles = 3 }
[trait.last_product]
events = "orders"
measure = "last"
of = "product"
[rfm]
events = "orders"
[lifecycle]
events = "orders"
[score.fit]
grades = { A = 10, B = 0 }
rule = [{ demographic.age.min = 18, points = 10 }]
[consent]
require.ok = true
suppress = "gone.csv"
suppress_on = "mail"
[consent.channel.phone]
suppress = ["never.csv", "gone.csv"]
[frequency_cap]
events = "sends"
max = 2
within = "7 days"
[segment.grown]
demographic.age.min = 18
[segment.nantes]
geographic.town = "Nantes"
[segment.sand]
label = "Buys sand"
behavioural.did = { events = "orders", where.category = "sand", within = "1 month", min = 2 }
[segment.spender]
behavioural.mean_spent.min = 19.99
[segment.fan]
needs.likes.has_any = ["sand", "bricks"]
channel = "phone"
[segment.best]
rfm = "champions"
[segment.top]
behavioural.spent.top_percent = 10
[segment.third]
behavioural.third = 3
[segment.new]
lifecycle = "new"
limit = 1
sample = 0
[segment.graded]
score.fit_grade = "A"
[segment.last-sand]
behavioural.last_product = "fine sand"
[segment.inner]
write = false
sql = "height > 1.5 AND lower(colour) = 'red'"
[segment.drawn]
in_segment = "inner"
holdout = 50
split = { A = 50, B = 50 }
"""
)
EVERY = [
    "grown",
    "nantes",
    "sand",
    "spender",
    "fan",
    "best",
    "top",
    "third",
    "new",
    "graded",
    "last-sand",
    "inner",
    "drawn",
]


def said(desk: Desk, tests: str, *args: object, code: int | None = 0, rules: str = RULES) -> Any:
    return desk.segkit("test", desk.put("rules.toml", rules + tests), *args, code=code)


def told(desk: Desk, tests: str, *args: object, code: int = 0, rules: str = RULES) -> Any:
    return json.loads(said(desk, tests, *args, "--json", code=code, rules=rules).stdout)


def one(test: str) -> str:
    return f'\n[[test]]\nname = "one"\n{test}\n'


PASS = [
    # a customer, and the segments that hold of those that can be told
    ("", ""),
    ("customer = { born = 2006-06-30 }", "grown graded"),
    ("customer = { born = 2006-07-01 }", ""),
    ("customer = { age = 18 }", "grown graded"),
    ("customer = { fit_score = 12 }", "graded"),
    ("customer = { fit_grade = 'A' }", "graded"),
    ("customer = { town = 'Nantes', postcode = '44000' }", "nantes"),
    ("customer = { likes = ['sand', 'hats'] }", "fan"),
    ("customer = { likes = [] }", ""),
    ("customer = { height = 1.6, colour = 'Red' }", "inner drawn"),
    ("events.orders = [{ day = 2024-06-01, category = 'sand', price = 3, pieces = 2 }]", "new"),
    ("events.orders = [{ day = 2024-05-30, category = 'sand' }, { day = 2024-06-30, category = 'sand' }]", "sand"),
    ("events.orders = [{ day = 2024-05-29, category = 'sand' }, { day = 2024-06-30, category = 'sand' }]", ""),
    ("events.orders = [{ day = 2024-06-29, category = 'sand', order = 'a' }, { day = 2024-06-29, category = 'sand', order = 'a' }]", "new"),
    ("events.orders = [{ day = 2024-01-29, price = 19.99, pieces = 1 }]", "spender"),
    ("events.orders = [{ day = 2024-01-29, price = 19.98, pieces = 1 }]", ""),
    ("events.orders = [{ day = 2024-01-29, total = 39.98 }, { day = 2024-01-30, total = 0 }]", "spender"),
    ("events.orders = [{ day = 2024-01-29, product = 'fine sand' }]", "last-sand"),
    ("events.orders = [{ day = 2024-01-29T23:30:00-02:00, product = 'fine sand' }, { day = 2024-01-30, product = 'x' }]", ""),
    ("customer = { spent = 100, orders = 2 }", "spender"),
    ("customer = { third = 3 }", "third"),
    ("customer = { r_score = 5, f_score = 5, m_score = 5 }", "best"),
    ("customer = { r_score = 1, f_score = 1, m_score = 1 }", ""),
    ("as_of = 2025-06-30\nevents.orders = [{ day = 2025-06-30 }]", "new"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "expected"), PASS)
def test_exactly_these_segments_hold(desk: Desk, test: str, expected: str) -> None:
    named = expected.split()
    found = told(desk, one(f"{test}\nsegments = {json.dumps(named)}"), code=0)
    assert (found["passed"], found["failed"], found["defined"]) == (1, 0, 1)
    (verdict,) = found["tests"]
    rest = [name for name in EVERY if name not in named and name not in verdict["undecided"]]
    told(desk, one(f"{test}\nnot_segments = {json.dumps(rest)}"), code=0)
    # Any other expectation fails.
    others = [[*named, name] for name in rest] + [[n for n in named if n != name] for name in named]
    wrong = "".join(f'[[test]]\nname = "{n}"\n{test}\nsegments = {json.dumps(x)}\n' for n, x in enumerate(others))
    wrong += "".join(f'[[test]]\nname = "not {name}"\n{test}\nnot_segments = ["{name}"]\n' for name in named)
    found = told(desk, "\n" + wrong, code=1)
    assert found["failed"] == len(others) + len(named)
    assert [[s["name"] for s in test["segments"]] for test in found["tests"]] == [[n] for n in [*rest, *named, *named]]
    assert [test["differences"] for test in found["tests"][len(others) :]] == [
        [{"key": "not_segments", "expected": [name], "found": [name]}] for name in named
    ]


def test_all_of_them_run_together(desk: Desk) -> None:
    tests = [f"[[test]]\nname = '{n}'\n{test}\nsegments = {json.dumps(expected.split())}" for n, (test, expected) in enumerate(PASS)]  # fmt: skip
    found = told(desk, "\n".join(tests))
    assert [test["name"] for test in found["tests"]] == [str(n) for n in range(len(PASS))]
    assert found["passed"] == len(PASS)


MAY = "customer = { age = 30, ok = true, mail = 'a@x.org', likes = ['sand'] }\n"
SENDS = "events.sends = [{ day = 2024-06-29 }, { day = 2024-06-28 }]\n"
GATES = [
    # a test, what is written, and what stops the customer
    (MAY, "grown fan graded", {}),
    ("customer = { age = 30 }", "", {"grown": "consent", "graded": "consent"}),
    ("customer = { age = 30, ok = false }", "", {"grown": "consent"}),
    (MAY + SENDS, "", {"grown": "frequency_cap", "fan": "frequency_cap"}),
    (MAY + SENDS.replace("2024-06-28", "2024-06-22"), "grown fan graded", {}),
    (MAY + "listed = 'never.csv'", "grown graded", {"fan": "suppressed"}),
    (MAY + "listed = ['gone.csv']", "", {"fan": "suppressed", "grown": "suppressed"}),
    ("customer = { ok = true }\nevents.orders = [{ day = 2024-06-30 }]", "new", {}),
    ("customer = { ok = true, height = 2, colour = 'red' }", "drawn", {}),
]


@pytest.mark.parametrize(("test", "written", "stopped"), GATES)
def test_who_is_written(desk: Desk, test: str, written: str, stopped: dict[str, str]) -> None:
    lines = "".join(f'stopped.{name} = "{reason}"\n' for name, reason in stopped.items())
    expected = f"written = {json.dumps(written.split())}\n{lines}"
    told(desk, one(f"{test}\n{expected}"))
    found = told(desk, one(f"{test}\nwritten = ['nantes']\n"), code=1)
    assert found["tests"][0]["differences"][0]["found"] == written.split()
    for name, reason in stopped.items():
        other = "suppressed" if reason == "consent" else "consent"
        found = told(desk, one(f"{test}\nstopped.{name} = '{other}'\n"), code=1)
        assert found["tests"][0]["differences"] == [
            {"key": "stopped", "expected": [f"{name}: {other}"], "found": [f"{name}: {reason}"]}
        ]
        assert [s["outcome"] for s in found["tests"][0]["segments"]] == [reason]


CLAIMS = head() + event_table("orders", "o.csv", 'amount = "total"') + """
[rfm]
events = "orders"
[consent.channel.mail]
require.ok = true
[assignment]
mode = "exclusive"
priority = ["third"]
[segment.first]
demographic.age.min = 18
channel = "mail"
sample = 10
[segment.second]
demographic.age.min = 16
[segment.third]
rfm = "champions"
"""  # fmt: skip
NOBODY = "customer = { r_score = 1, f_score = 1, m_score = 1, "
CLAIMED = [
    (NOBODY + "age = 20, ok = true }", "first", {"second": "claimed"}),
    (NOBODY + "age = 20 }", "second", {"first": "consent"}),
    (NOBODY.replace("1", "5") + "age = 20, ok = true }", "third", {"first": "claimed", "second": "claimed"}),
    ("customer = { age = 20, ok = true }", "first", {"second": "claimed"}),  # without orders: no scores, for certain
]


@pytest.mark.parametrize(("test", "written", "stopped"), CLAIMED)
def test_who_claims(desk: Desk, test: str, written: str, stopped: dict[str, str]) -> None:
    lines = "".join(f'stopped.{name} = "{reason}"\n' for name, reason in stopped.items())
    told(desk, one(f"{test}\nwritten = {json.dumps(written.split())}\n{lines}"), rules=CLAIMS)


def test_what_a_segment_before_may_claim_is_undecided(desk: Desk) -> None:
    rest = "customer = { age = 20, ok = true }\nevents.orders = [{ day = 2024-02-01, total = 3 }]\n"
    found = told(desk, one(rest + "segments = ['first', 'second']\nwritten = []"), rules=CLAIMS)
    assert found["tests"][0]["undecided"] == ["third"]
    assert found["tests"][0]["undecided_written"] == ["first", "third"]
    for name in ("written = ['first']", "stopped.first = 'claimed'"):
        message = said(desk, one(rest + name), code=2, rules=CLAIMS).stderr
        assert message.startswith("error: `first` may be claimed by a segment before it, which the test cannot tell\n")
    shown = said(desk, one(rest + "segments = ['second']"), code=1, rules=CLAIMS).stdout
    assert "     first       matches, undecided whether written\n" in shown
    assert "     undecided   written: first\n" in shown
    # Whichever of the two claims the customer, the next one does not.
    told(desk, one(rest + "stopped.second = 'claimed'"), rules=CLAIMS)


def test_an_undecided_segment_claims_nobody_for_certain(desk: Desk) -> None:
    rules = CLAIMS.replace('rfm = "champions"', 'none = [{ rfm = "champions" }]')
    rest = "customer = { age = 17 }\nevents.orders = [{ day = 2024-02-01, total = 3 }]\n"
    told(desk, one(rest + "segments = ['second']\nwritten = []"), rules=rules)
    for expectation in ("written = ['second']", "stopped.second = 'claimed'"):
        message = said(desk, one(rest + expectation), code=2, rules=rules).stderr
        assert message.startswith("error: `second` may be claimed by a segment before it, which the test cannot tell\n")
    scores = "r_score = {0}, f_score = {0}, m_score = {0}"
    for score, reason in ((1, "stopped.second = 'claimed'"), (5, "written = ['second']")):
        told(desk, one(f"customer = {{ age = 17, {scores.format(score)} }}\n{reason}"), rules=rules)


def test_only_the_customer_who_is_on_a_list_is(desk: Desk) -> None:
    tests = one(MAY + "listed = 'gone.csv'\nstopped.grown = 'suppressed'")
    tests += one(MAY + "written = ['grown', 'graded', 'fan']").replace('"one"', '"two"')
    assert told(desk, tests)["passed"] == 2


SHOWN = """\
F  new customer buys sand twice                                    rules.toml:94
     expected    new, sand
     found       new
     undecided   best, top, third
     sand        - did  orders, category is "sand", in the    1, last 2024-06-29
                        last 1 month, at least 2
F  no consent                                                      rules.toml:99
     expected    written: grown
     found       written: none
     expected    graded: frequency_cap
     found       graded: consent
     undecided   top, third
     grown       matches, without consent
                 + age  at least 18                                           20
     graded      matches, without consent
                 + fit_grade    is "A"                                       "A"
                     age        at least 18: 20                              +10
                     fit_score  the sum; A from 10, B from 0                  10
"""
BOTH = """
[[test]]
name = "new customer buys sand twice"
events.orders = [{ day = 2024-06-29, category = "sand" }]
segments = ["new", "sand"]

[[test]]
name = "no consent"
customer = { age = 20, ok = false }
written = ["grown"]
[[test]]
name = "fine"
customer = { age = 20 }
segments = ["grown", "graded"]
[[test]]
name = "fine, too"
segments = []
"""


def test_what_is_shown(desk: Desk) -> None:
    tests = BOTH.replace('written = ["grown"]\n', 'written = ["grown"]\nstopped.graded = "frequency_cap"\n')
    shown = said(desk, tests, code=1).stdout
    assert shown.startswith(SHOWN)
    assert shown.splitlines()[-1].startswith("2 passed, 2 failed (")
    verbose = said(desk, tests, "-v", code=1).stdout
    assert [line[:8] for line in verbose.splitlines() if line[:1] in ("F", ".")] == [
        "F  new c",
        "F  no co",
        ".  fine ",
        ".  fine,",
    ]
    quiet = said(desk, tests, "-q", code=1).stdout
    assert quiet.startswith("F  new customer")
    assert said(desk, one("segments = []"), "-q").stdout == ""


def test_a_file_without_tests(desk: Desk) -> None:
    done = said(desk, "")
    assert "has no tests: `[[test]]` adds one" in " ".join(done.stdout.split())
    assert told(desk, "")["tests"] == []
    assert said(desk, "", "--select", "x", code=2).stderr == "error: there is no test `x`\nhint: there are no tests\n"


def test_some_of_the_tests(desk: Desk) -> None:
    chosen = [
        (["fine"], ["fine"]),
        (["fine*"], ["fine", "fine, too"]),
        (["*too", "fine"], ["fine", "fine, too"]),
    ]
    for select, names in chosen:
        found = told(desk, BOTH, *(f"--select={name}" for name in select))
        assert ([test["name"] for test in found["tests"]], found["defined"]) == (names, 4)
    done = said(desk, BOTH, "--select", "fin", code=2)
    assert done.stderr == "error: there is no test `fin`\nhint: did you mean `fine, too` or `fine`?\n"


def test_the_day(desk: Desk) -> None:
    test = one("customer = { born = 2000-06-30 }\nsegments = ['grown', 'graded']")
    told(desk, test)
    told(desk, test, "--as-of", "2018-06-30")
    told(desk, test, "--as-of", "2018-06-29", code=1)
    own = test.replace("customer", "as_of = 2018-06-30\ncustomer")
    assert told(desk, own, "--as-of", "2000-01-01")["tests"][0]["as_of"] == "2018-06-30"


def test_junit(desk: Desk) -> None:
    said(desk, BOTH.replace('"fine, too"', '"<fine> \\u0001 & \\"more\\""'), "--junit", desk / "out.xml", code=1)
    assert (
        (desk / "out.xml")
        .read_text(encoding="utf-8")
        .startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    )
    root = ET.parse(desk / "out.xml").getroot()
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "2", "errors": "0", "skipped": "0"
    }  # fmt: skip
    assert float(suite.attrib["time"]) >= 0
    assert [case.attrib["name"] for case in suite] == [
        "new customer buys sand twice",
        "no consent",
        "fine",
        '<fine> \ufffd & "more"',
    ]
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["failure"], [], []]
    assert all(case.attrib.keys() == {"classname", "name", "file", "line"} for case in suite)
    assert suite[0][0].attrib["message"] == "expected new, sand, found new"
    assert suite[1][0].text == "expected written: grown, found written: none"
    lines = RULES.splitlines()
    assert int(suite[0].attrib["line"]) == len(lines) + 3


WRONG = [
    # a test, the first line of the message, its hint
    ("customer = { contry = 'FR', age = 3 }\nsegments = []", "no rule reads a column `contry` of `customers`", None),
    ("customer = { twn = 'Nantes' }\nsegments = []", "no rule reads a column `twn` of `customers`", "did you mean `town`?"),
    ("events.orders = [{ day = 2024-01-01, prise = 3 }]\nsegments = []", "no rule reads a column `prise` of `orders`", "did you mean `price`?"),
    ("events.ordres = [{ day = 2024-01-01 }]\nsegments = []", "there is no `[events.ordres]`", "did you mean `orders`?"),
    ("events.orders = [{ price = 3 }]\nsegments = []", "the event has no `day`", "each event has a day, such as 2024-03-01"),
    ("events.orders = [{ day = 2024-07-01 }]\nsegments = []", 'the event is of 2024-07-01, after 2024-06-30, which is "now"', "events of later days do not exist: give another day, or `as_of`"),
    ("events.orders = [{ day = 2024-06-01, id = 'x' }]\nsegments = []", "`id` is the key of the customer", "take it out: a test has one customer"),
    ("events.orders = [{ day = '2024-06-01' }]\nsegments = []", '`day` is a date in the rules, and "2024-06-01" is text', None),
    ("events.orders = [{ day = 2024-06-01, total = 3 }, { day = 2024-06-01 }]\nsegments = []", "`total` is given in some events, and derived in others", "give it in all events of the test, or in none"),
    ("customer = { town = 5 }\nsegments = []", "`town` is text in the rules, and 5 is a number", None),
    ("customer = { postcode = 44000 }\nsegments = []", "`postcode` is text in the rules, and 44000 is a number", None),
    ("customer = { likes = 'sand' }\nsegments = []", '`likes` is a list in the rules, and "sand" is text', None),
    ("customer = { r_score = 5 }\nsegments = []", "`r_score` comes with `f_score` and `m_score`", "give `r_score`, `f_score` and `m_score`: code and segment follow from them"),
    ("customer = { rfm_segment = 'champions' }\nsegments = []", "`rfm_segment` comes with `r_score`, `f_score` and `m_score`", None),
    ("customer = { r_score = 5, f_score = 6, m_score = 5 }\nsegments = []", "a score is a whole number from 1 to 5, not 6", None),
    ("customer = { r_score = 5, f_score = 5, m_score = 5, rfm_segment = 'lost' }\nsegments = []", '`rfm_segment` of these scores is "champions", not "lost"', "take it out: it follows from them"),
    ("customer = { r_score = 5, f_score = 5, m_score = 5, rfm_code = '554' }\nsegments = []", '`rfm_code` of these scores is "555", not "554"', None),
    ("customer = { id = 5 }\nsegments = []", "the key is text, not 5", "put it in quotes"),
    ("listed = 'gone.csv'\nsegments = []", "`gone.csv` is compared by `mail`, which the customer does not have", 'give `customer.mail = "..."`'),
    ("listed = 'goen.csv'\nsegments = []", "no `suppress` names a list `goen.csv`", "did you mean `gone.csv`?"),
    ("segments = ['gron']", "there is no `[segment.gron]`", "did you mean `grown`?"),
    ("not_segments = ['gron']", "there is no `[segment.gron]`", "did you mean `grown`?"),
    ("written = ['gron']", "there is no `[segment.gron]`", "did you mean `grown`?"),
    ("stopped.gron = 'consent'", "there is no `[segment.gron]`", "did you mean `grown`?"),
    ("stopped.grown = 'limit'", '`grown` needs one of "consent", "suppressed", "frequency_cap", "claimed", not "limit"', None),
    ("stopped.grown = 'claimed'", "nobody is claimed", '`[assignment] mode = "exclusive"` makes segments claim'),
    ("written = ['inner']", "`inner` is never written", "it says `write = false`"),
    ("segments = []\nwritten = ['grown']", "`grown` is not among the `segments` of the test", "add it there"),
    ("segments = ['grown']\nnot_segments = ['grown']", "`grown` is expected in another place of the test, too", None),
    ("written = ['grown']\nstopped.grown = 'consent'", "`grown` is both `stopped` and `written`", "take one of them out"),
    ("customer = { age = 3 }", "the test `one` expects nothing", 'such as `segments = ["welcome"]`; `segments = []` is no segment at all'),
    ("segmnts = []", "unknown key `segmnts` in `[[test]]`", "did you mean `segments`?"),
    ("customer = { age = nan }\nsegments = []", "`age` needs a number that data can hold, not NaN", None),
    ("customer = { age = { min = 3 } }\nsegments = []", "`age` needs a text, number, true, false or date, not a table", None),
    ("customer = { height = 1.0, colour = 'red' }\nsegments = []\n[[test]]\nname = 'one'\nsegments = []", "there is another test `one`", "give one of them another name"),
    ("events.orders = [{ day = 2024-06-01, price = 1e18 }]\nsegments = []", "1E+18 is too large", "a number has at most 18 digits before the point"),
    ("events.orders = [{ day = 2024-06-01, total = 0.12345678901 }]\nsegments = []", "0.12345678901 has more than 10 decimals, and `total` is money", None),
    ("customer = { nick = 'a' }\nsegments = []", "no rule reads a column `nick` of `customers`", None),
    ("customer = { height = 1.0 }\nsegments = []\n[[test]]\nname = 'two'\ncustomer.height = 'tall'\nsegments = []", '`height` is a number in the rules, and "tall" is text', None),
    ("customer = { mail = 'a' }\nsegments = []\n[[test]]\nname = 'two'\ncustomer.mail = 3\nsegments = []", "3 is a number, but `mail` is text in line 95", "a column is of one type in all tests"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "message", "hint"), WRONG)
def test_what_is_wrong_with_a_test(desk: Desk, test: str, message: str, hint: str | None) -> None:
    errors = said(desk, one(test), code=2).stderr
    lines = errors.splitlines()
    assert lines[0] == f"error: {message}", errors
    place = lines[1].rpartition("rules.toml:")[2].partition(":")[0]
    assert lines[1].startswith("  --> ") and int(place) > RULES.count("\n"), errors
    assert hint is None or f"hint: {hint}" in lines, errors
    checked = desk.segkit("check", desk / "rules.toml", code=1).stdout
    assert f"error: {message}\n" in checked, checked


UNDECIDED = [
    ("best", "`best` looks at `rfm_segment`, which is found over all customers",
     "give `r_score`, `f_score` and `m_score` in `customer`: code and segment follow from them"),
    ("top", "`top` looks at `top_percent` of `spent`, which ranks all customers",
     "no test can give that: leave the segment out, `segkit explain` shows it with all customers"),
    ("third", "`third` looks at `third`, which is found over all customers", "give `third` in `customer`"),
]  # fmt: skip


@pytest.mark.parametrize(("segment", "message", "hint"), UNDECIDED)
@pytest.mark.parametrize("expectation", ["segments = ['{}']", "not_segments = ['{}']", "written = ['{}']"])
def test_what_needs_all_customers_is_undecided(
    desk: Desk, segment: str, message: str, hint: str, expectation: str
) -> None:
    order = "events.orders = [{ day = 2024-06-01 }]\n"
    done = said(desk, one(order + expectation.format(segment)), code=2)
    assert done.stderr.startswith(f"error: {message}\n") and done.stderr.endswith(f"hint: {hint}\n")
    found = told(desk, one(order + "segments = ['new']"))
    assert found["tests"][0]["undecided"] == ["best", "top", "third"]


def test_a_customer_without_events_has_no_scores(desk: Desk) -> None:
    found = told(desk, one("not_segments = ['best']"))
    assert found["tests"][0]["undecided"] == ["top", "third"]


def test_a_segment_that_reads_the_key(desk: Desk) -> None:
    rules = (
        head("normalise_keys = ['case']")
        + "[segment.c]\ndemographic.id.starts_with = 'C'\n[segment.all]\neveryone = true\n"
    )
    told(desk, one("customer.id = 'C01'\nsegments = ['c', 'all']"), rules=rules)
    told(desk, one("customer.id = 'D01'\nsegments = ['all']"), rules=rules)
    same = "\n[[test]]\nname = 'two'\ncustomer.id = 'C01'\nsegments = ['c', 'all']"
    assert (
        told(desk, one("customer.id = 'C01'\nnot_segments = []\nsegments = ['all', 'c']") + same, rules=rules)["passed"]
        == 2
    )
    done = said(desk, one("segments = ['c']"), code=2, rules=rules)
    assert done.stderr.startswith("error: `c` looks at `id`, which the test does not give\n")
    assert told(desk, one("segments = ['all']"), rules=rules)["tests"][0]["undecided"] == ["c"]


def test_who_is_no_customer(desk: Desk) -> None:
    rules = head("where.country = 'FR'") + "[segment.all]\neveryone = true\n"
    told(desk, one("customer.country = 'FR'\nsegments = ['all']"), rules=rules)
    told(desk, one("customer.country = 'DE'\nsegments = []\nwritten = []"), rules=rules)
    found = told(desk, one("segments = ['all']"), rules=rules, code=1)
    assert found["tests"][0]["left_out"] == "`[customers] where` leaves the customer out"
    assert found["tests"][0]["segments"] == []
    assert (
        "left out   `[customers] where` leaves the customer out"
        in said(desk, one("segments = ['all']"), rules=rules, code=1).stdout
    )

    # What passes since there is no customer is told, too: of the segments, it may say nothing.
    passed = said(desk, one("not_segments = ['all']"), rules=rules).stdout
    assert "left out   `[customers] where` leaves the customer out" in passed
    assert "1 passed" in passed


NEIGHBOURS = {
    "rows filled down": (
        'id = "oid"', 'amount = "total"', 'fill_down = ["total"]',
        "events.o = [{ oid = 'o1', day = 2024-01-01, total = 60 }]\nsegments = ['rich']",
        "events.o = [{ oid = 'o1', day = 2024-01-01 }]\nsegments = []",
    ),
    "equal events": (
        'amount = "total"', 'duplicates = "error"', "",
        "events.o = [{ day = 2024-01-01, total = 60 }]\nsegments = ['rich']",
        "events.o = [{ day = 2024-01-01, total = 60 }]\nsegments = ['rich']",
    ),
    "one key": (
        'amount = "total"', "", "",
        "customer.id = ' K1'\nevents.o = [{ day = 2024-01-01, total = 60 }]\nsegments = ['rich']",
        "customer.id = 'K1'\nevents.o = [{ day = 2024-01-01, total = 10 }]\nsegments = []",
    ),
    "one key but for zeros": (
        'amount = "total"', "", "",
        "customer.id = '007'\nevents.o = [{ day = 2024-01-01, total = 60 }]\nsegments = ['rich']",
        "customer.id = '7'\nsegments = []",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NEIGHBOURS.values(), ids=NEIGHBOURS)
@pytest.mark.parametrize("spellings", ["", 'normalise_keys = ["zeros", "case"]'])
def test_no_test_changes_another(desk: Desk, case: tuple[str, ...], spellings: str) -> None:
    *of_events, first, second = case
    rules = head(spellings) + event_table("o", "o.csv", *of_events)
    rules += '[trait.spent]\nevents = "o"\nmeasure = "sum"\n[segment.rich]\nbehavioural.spent.min = 50\n'
    for pair in ((first, second), (second, first)):
        tests = "".join(f"[[test]]\nname = '{name}'\n{body}\n" for name, body in zip("ab", pair, strict=True))
        assert [one["passed"] for one in told(desk, tests, rules=rules)["tests"]] == [True, True]


def test_rows_that_no_file_may_have_are_an_error_of_their_test(desk: Desk) -> None:
    rules = head() + event_table("o", "o.csv", 'amount = "total"', 'duplicates = "error"')
    rules += '[trait.n]\nevents = "o"\n[segment.two]\nbehavioural.n.min = 2\n'
    row = "{ day = 2024-01-01, total = 60 }"
    tests = f"[[test]]\nname = 'fine'\nevents.o = [{row}]\nsegments = []\n"
    tests += f"[[test]]\nname = 'twice'\nevents.o = [{row}, {row}]\nsegments = ['two']\n"
    done = said(desk, tests, rules=rules, code=2)
    assert "in what this test gives, 1 row comes more than once, field by field, in `o`" in done.stderr
    assert "rules.toml:20" in done.stderr and "parquet" not in done.stderr


FROM = """version = 1
as_of = 2024-06-30
[customers]
from = "orders"
key = "id"
columns = ["mail"]
[events.orders]
path = "o.csv"
time = "day"
amount = "total"
where.kind.not = "test"
[trait.spent]
events = "orders"
measure = "sum"
[rfm]
events = "orders"
[segment.spender]
behavioural.spent.above = 10
[segment.mail]
demographic.mail.ends_with = ".org"
[segment.best]
rfm = "champions"
[segment.top]
behavioural.spent.top_percent = 5
"""
OF_ORDERS = [
    ("events.orders = [{ day = 2024-01-01, total = 11, kind = 'a' }]", ["spender"]),
    ("events.orders = [{ day = 2024-01-01, kind = 'a', mail = 'a@x.org' }]", ["mail"]),
    ("events.orders = [{ day = 2024-01-01, kind = 'a', mail = 'a@x.org' }, { day = 2024-01-02, kind = 'a', mail = 'a@x.com' }]", []),
    ("customer.mail = 'a@x.org'\nevents.orders = [{ day = 2024-01-01, kind = 'a' }]", ["mail"]),
    ("customer = { spent = 11 }\nevents.orders = [{ day = 2024-01-01, kind = 'a' }]", ["spender"]),
    ("customer = { r_score = 5, f_score = 5, m_score = 5 }\nevents.orders = [{ day = 2024-01-01, kind = 'a' }]", ["best"]),
    ("events.orders = [{ day = 2024-01-01, total = 11, kind = 'test' }]", []),
    ("customer.mail = 'a@x.org'", []),
]  # fmt: skip


def test_texts_that_stand_for_no_value(desk: Desk) -> None:
    rules = head('null_values = ["Select"]') + "[segment.none]\ndemographic.origin.missing = true\n"
    told(desk, one("customer.origin = 'Select'\nsegments = ['none']"), rules=rules)
    told(desk, one("customer.origin = 'Selected'\nsegments = []"), rules=rules)


@pytest.mark.parametrize(("test", "segments"), OF_ORDERS)
def test_customers_made_of_events(desk: Desk, test: str, segments: list[str]) -> None:
    told(desk, one(f"{test}\nsegments = {json.dumps(segments)}"), rules=FROM)


def test_without_rules_the_file_of_this_folder(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    for command in ("test", "check", "apply", "explain"):
        done = desk.segkit(command, code=2)
        assert done.stderr.startswith("error: missing argument `RULES`: there is no `segments.toml` in this folder\n")
    desk.put("c.csv", "id,age\n1,20\n")
    desk.put("segments.toml", head() + "[segment.grown]\ndemographic.age.min = 18\n" + one("segments = []"))
    assert desk.segkit("test").stdout.startswith("1 passed (")
    assert desk.segkit("check").stderr == "segments.toml: nothing wrong (1 segment, 0 computed columns)\n"
    desk.segkit("apply")
    assert desk.read("segments/grown.csv") == [{"id": "1", "segment": "grown", "age": "20"}]
