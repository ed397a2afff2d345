"""Mistakes that show without data, and rules that look like mistakes and are none."""

from __future__ import annotations

import datetime as dt

import pytest

from segkit.io.write import FORMATS
from segkit.proof.against import compared
from segkit.proof.days import later_days
from segkit.proof.prove import Claim, Proof, prove
from segkit.rules.findings import dotted
from segkit.rules.model.base import Duration
from segkit.rules.text.loader import load_rules_text

TODAY = dt.date(2024, 6, 30)
HEAD = """
version = 1
{as_of}
[customers]
path = "customers.csv"
key = "id"
lists.tags = ","
[events.orders]
path = "orders.csv"
time = "time"
id = "id"
amount = "amount"
[trait.age]
years_since = "born"
[trait.band]
bands = {{ of = "age", edges = [18, 25, 35], labels = ["child", "young", "adult", "older"] }}
[trait.bricks]
events = "orders"
where.product = "bricks"
within = "90 days"
[output]
columns = ["age", "band", "bricks", "quiet", "first_day", "fit_grade"]
"""
PRESET = '[lifecycle]\nevents = "orders"\n'
VALUE = '[value]\nevents = "orders"\n'
RFM = '[rfm]\nevents = "orders"\n'
OWN_STAGES = """
[[lifecycle.stage]]
name = "young"
demographic.age.max = 30
[[lifecycle.stage]]
name = "child"
demographic.age.max = 12
[[lifecycle.stage]]
name = "rest"
everyone = true
"""
EXCLUSIVE = '[assignment]\nmode = "exclusive"\n'
FIT = """
[score.fit]
rule = [{ demographic.age.max = 17, points = 30 }, { demographic.age = { min = 18, max = 29 }, points = 45 },
        { demographic.age.min = 30, points = 10 }, { geographic.city = "Paris", points = 5 }]
grades = { A = 51, B = 50, C = 20 }
"""


def proved(rules: str, as_of: str = "as_of = 2024-06-30", *, relations: bool = False) -> Proof:
    loaded = load_rules_text(HEAD.format(as_of=as_of) + rules, formats=FORMATS)
    return prove(loaded.rules, TODAY, with_relations=relations)


def said(claims: tuple[Claim, ...]) -> list[str]:
    return [" ".join([claim.code, *map(dotted, (claim.at, *claim.conflict))]) for claim in claims]


A = "[segment.a]\n"
MISTAKES = {
    "bounds cross": (
        A + "demographic.income = { above = 5, below = 5 }",
        ["SEG101 segment.a segment.a.demographic.income"],
    ),
    "one value in two blocks": (
        A + 'geographic.city = "Lyon"\nall = [{ geographic.city = ["Paris", "Nice"] }]',
        ["SEG101 segment.a segment.a.geographic.city segment.a.all.0.geographic.city"],
    ),
    "the smallest conflict": (
        A + 'demographic.gender = "F"\ndemographic.age.min = 40\ngeographic.city = "Paris"\nall = [{ demographic.age.max = 39 }]',
        ["SEG101 segment.a segment.a.demographic.age segment.a.all.0.demographic.age"],
    ),
    "what `any` lets in, `none` takes out": (
        A + 'any = [{ geographic.city = "Nice" }]\nnone = [{ geographic.city.starts_with = "Ni" }]',
        ["SEG101 segment.a segment.a.any segment.a.none"],
    ),
    "a date before and after": (
        A + "demographic.signed = { before = 2020-01-01, after = 2021-01-01 }",
        ["SEG101 segment.a segment.a.demographic.signed"],
    ),
    "an age and the day of birth": (
        A + "demographic.born.after = 2010-01-01\ndemographic.age.min = 21",
        ["SEG101 segment.a segment.a.demographic.born segment.a.demographic.age"],
    ),
    "a band and its number": (
        A + 'demographic.band = "young"\nall = [{ demographic.age.min = 25 }]',
        ["SEG101 segment.a segment.a.demographic.band segment.a.all.0.demographic.age"],
    ),
    "true and false": (
        A + "needs.opt = true\nnone = [{ needs.opt = true }]",
        ["SEG101 segment.a segment.a.needs.opt segment.a.none"],
    ),
    "a list with and without": (
        A + 'needs.tags = { has_any = "sport", has_none = ["sport", "music"] }',
        ["SEG101 segment.a segment.a.needs.tags"],
    ),
    "contains a part of what begins so": (
        A + 'geographic.city.starts_with = "Saint-"\nnone = [{ geographic.city.contains = "aint" }]',
        ["SEG101 segment.a segment.a.geographic.city segment.a.none"],
    ),
    "a narrower window": (
        A + 'behavioural.did = { events = "orders", within = "7 days" }\n'
        'behavioural.did_not = { events = "orders", within = "1 month" }',
        ["SEG101 segment.a segment.a.behavioural.did.0 segment.a.behavioural.did_not.0"],
    ),
    "narrower rows": (
        A + 'behavioural.did = { events = "orders", where.amount.min = 50, min = 3 }\n'
        'behavioural.did_not = { events = "orders", where.amount.min = 20, min = 2 }',
        ["SEG101 segment.a segment.a.behavioural.did.0 segment.a.behavioural.did_not.0"],
    ),
    "a sequence is of events": (
        A + 'behavioural.did = { events = "orders", then = { within = "30 days" } }\n'
        'behavioural.did_not = { events = "orders" }',
        ["SEG101 segment.a segment.a.behavioural.did.0 segment.a.behavioural.did_not.0"],
    ),
    "in each month is in the window": (
        A + 'behavioural.did = { events = "orders", within = "6 months", in_each = "month" }\n'
        'behavioural.did_not = { events = "orders", within = "6 months" }',
        ["SEG101 segment.a segment.a.behavioural.did.0 segment.a.behavioural.did_not.0"],
    ),
    "a trait and the same event condition": (
        A + 'behavioural.bricks.min = 1\nbehavioural.did = { events = "orders", where.product = "bricks", within = "90 days" }',
        ["SEG105 segment.a.behavioural.did.0 segment.a.behavioural.bricks"],
    ),
    "days since, beyond the window": (
        '[trait.quiet]\nevents = "orders"\nmeasure = "days_since_last"\nwithin = "60 days"\n'
        + A + "behavioural.quiet.above = 60",
        ["SEG101 segment.a segment.a.behavioural.quiet"],
    ),
    "a stage and its orders": (
        PRESET + A + 'lifecycle = "lost"\nbehavioural.did = { events = "orders", within = "90 days" }',
        ["SEG101 segment.a segment.a.lifecycle.lifecycle segment.a.behavioural.did.0"],
    ),
    "no orders, and an order count": (
        PRESET + VALUE + A + 'lifecycle = "prospect"\nvalue.order_count.min = 1',
        ["SEG101 segment.a segment.a.lifecycle.lifecycle segment.a.value.order_count"],
    ),
    "a code and its scores": (
        RFM + A + 'rfm.rfm_code = "155"\nrfm.r_score.min = 2',
        ["SEG101 segment.a segment.a.rfm.rfm_code segment.a.rfm.r_score"],
    ),
    "an own stage behind a wider one": (
        OWN_STAGES + A + 'lifecycle = "rest"',
        ["SEG104 lifecycle.stage.1 lifecycle.stage.0"],
    ),
    "a grade out of reach": (
        FIT + A + 'score.fit_grade = ["A", "B"]',
        ["SEG109 score.fit.grades.A"],
    ),
    "a rule that never gives points": (
        "[score.fit]\nrule = [{ demographic.age = { min = 9, max = 3 }, points = 5 }, { everyone = true, points = 1 }]\n"
        + A + "score.fit_score.min = 1",
        ["SEG101 score.fit.rule.0 score.fit.rule.0.demographic.age"],
    ),
    "holds for everybody": (
        A + "any = [{ demographic.income.missing = true }, { demographic.income.missing = false }]",
        ["SEG102 segment.a"],
    ),
    "the same under two names": (
        A + 'demographic.age.below = 18\n[segment.b]\ndemographic.band = "child"',
        ["SEG103 segment.b segment.a"],
    ),
    "the same draw of the same": (
        A + "sample = 50\nsalt = 'x'\nlimit = 5\ndemographic.age.below = 18\n"
        "[segment.b]\nsample = 50\nsalt = 'x'\nlimit = 5\ndemographic.age.max = 17",
        ["SEG103 segment.b segment.a"],
    ),
    "claimed by one above": (
        EXCLUSIVE + A + "demographic.age.min = 30\n[segment.b]\ndemographic.age.min = 40",
        ["SEG104 segment.b segment.a"],
    ),
    "claimed by two above together": (
        EXCLUSIVE + A + "demographic.age.min = 30\n[segment.b]\ndemographic.age.max = 30\n"
        "[segment.c]\ndemographic.age.missing = false",
        ["SEG104 segment.c segment.a segment.b"],
    ),
    "top five are among the top ten": (
        A + "demographic.income.top_percent = 5\nall = [{ demographic.income.top_percent = 10 }]",
        ["SEG105 segment.a.all.0.demographic.income segment.a.demographic.income"],
    ),
    "not in a segment apart": (
        A + "demographic.age.max = 17\n[segment.b]\ndemographic.age.min = 18\nnot_in_segment = 'a'",
        ["SEG105 segment.b.not_in_segment.0 segment.b.demographic.age"],
    ),
    "a branch that cannot hold": (
        A + 'demographic.age.max = 30\nany = [{ geographic.city = "Nice" }, { demographic.age.min = 31 }]',
        ["SEG106 segment.a.any.1 segment.a.demographic.age"],
    ),
    "a branch that another covers": (
        A + 'any = [{ geographic.city = "Nice", demographic.age.min = 5 }, { geographic.city = ["Nice", "Lyon"] }]',
        ["SEG107 segment.a.any.0 segment.a.any.1"],
    ),
    "a branch that excludes nobody": (
        A + "demographic.age.max = 30\nnone = [{ demographic.age.min = 60 }]",
        ["SEG108 segment.a.none.0 segment.a.demographic.age"],
    ),
    "a trait that nothing reads": (
        '[trait.spare]\nsql = "income * 2"\n' + A + "demographic.age.min = 3",
        ["SEG111 trait.spare"],
    ),
    "a lookup that nothing reads": (
        '[lookup.towns]\npath = "towns.csv"\non = "city"\ncolumns = ["region"]\n' + A + "demographic.age.min = 3",
        ["SEG111 lookup.towns"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "claims"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_with_what_it_comes_of(rules: str, claims: list[str]) -> None:
    assert said(proved(rules).claims) == claims


TRAPS = {
    "a missing value is on no side": A + "any = [{ demographic.income.max = 9 }, { demographic.income.above = 9 }]",
    "a missing value passes both": A + "demographic.income = { min = 60, or_missing = true }\n"
    "all = [{ demographic.income = { max = 50, or_missing = true } }]",
    "another spelling": A + 'geographic.city = { is = "nice", ignore_case = true }\nnone = [{ geographic.city = "Nice" }]',
    "both in one text": A + 'geographic.city = { starts_with = "A", ends_with = "b", contains = "x" }',
    "between whole numbers": A + "demographic.income = { above = 4, below = 5 }",
    "ties at both edges": A + "demographic.income = { top_percent = 10, bottom_percent = 10 }",
    "shares of other groups": A + "demographic.income.top_percent = { percent = 5, per = 'city' }\n"
    "none = [{ demographic.income.top_percent = 10 }]",
    "one order on two days": A + 'behavioural.did = [{ events = "orders", max = 1 }, '
    '{ events = "orders", measure = "active_days", min = 3 }]',
    "refunds": A + 'behavioural.did = [{ events = "orders", measure = "sum", below = 0 }, '
    '{ events = "orders", within = "30 days", measure = "sum", min = 10 }]',
    "lines of one order": A + 'behavioural.did = [{ events = "orders", where.product = "a" }, '
    '{ events = "orders", where.product = "b" }, { events = "orders", max = 1 }]',
    "a share of nothing": A + 'behavioural.did = { events = "orders", where.product = "a", measure = "share", max = 5 }\n'
    'behavioural.did_not = { events = "orders", where.product = "a" }',
    "no more than two in each month": A + 'behavioural.did = [{ events = "orders", within = "6 months", '
    'in_each = "month", max = 2 }, { events = "orders", within = "6 months", min = 9 }]',
    "a window that is not within": A + 'behavioural.did = { events = "orders", within = "90 days" }\n'
    'behavioural.did_not = { events = "orders", between = ["120 days", "30 days"] }',
    "other days of each customer": A + 'behavioural.did = { events = "orders", since = { column = "signed" }, '
    'for = "30 days" }\nbehavioural.did_not = { events = "orders", within = "30 days" }',
    "at risk a while ago": PRESET + A + 'lifecycle = "at_risk"\nbehavioural.did = { events = "orders", within = "120 days" }',
    "several values in a list": A + 'needs.tags = { has_any = "sport", has_none = "music" }',
    "patterns are not read": A + 'geographic.city = { matches = "^A", not_matches = "^A." }',
    "white space within texts of sql": A + """sql = "city = 'a  b'"\nnone = [{ sql = "city = 'a b'" }]""",
    "a comment of sql ends with its line": A
    + 'sql = """age > 4 -- or\n  AND age < 9"""\nnone = [{ sql = "age > 4 -- or AND age < 9" }]',
    "the day of an order is that of its first line in the window": A
    + 'behavioural.did = { events = "orders", within = "20 days", then_not = { within = "3 days" } }\n'
    'behavioural.did_not = { events = "orders", then_not = { within = "3 days" } }',
    "sql is not read": A + 'sql = "age > 5"\nnone = [{ sql = "age > 4" }]',
    "two numbers that one float stands for": A + "demographic.income = { min = 0.30000000000000001, max = 0.3 }",
    "everyone is meant": A + "everyone = true",
    "a building block": "[segment.base]\nwrite = false\nany = [{ demographic.age.missing = true }, "
    "{ demographic.age.missing = false }]\n" + A + "in_segment = 'base'\nneeds.opt = true\n[segment.b]\nneeds.opt = false",
    "the same list by two channels": "[consent.channel.email]\nrequire.opt = true\n[consent.channel.post]\n"
    "require.post = true\n" + A + "channel = 'email'\ndemographic.age.min = 3\n"
    "[segment.b]\nchannel = 'post'\ndemographic.age.min = 3",
    "the same list twice in halves": A + "sample = 50\ndemographic.age.min = 3\n[segment.b]\ndemographic.age.min = 3",
    "two samples": A + "sample = 50\ndemographic.age.min = 3\n[segment.b]\nsample = 50\ndemographic.age.min = 3",
    "two holdouts": A + "holdout = 5\ndemographic.age.min = 3\n[segment.b]\nholdout = 5\ndemographic.age.min = 3",
    "what one limit leaves": EXCLUSIVE + A + "limit = 2\ndemographic.age.min = 3\n[segment.b]\nlimit = 2\n"
    "demographic.age.min = 3",
    "what one sample leaves": EXCLUSIVE + A + "sample = 50\nsalt = 'x'\ndemographic.age.min = 3\n[segment.b]\n"
    "sample = 50\nsalt = 'x'\ndemographic.age.min = 3",
    "above is only a sample": EXCLUSIVE + A + "sample = 50\ndemographic.age.min = 3\n[segment.b]\ndemographic.age.min = 4",
    "above is limited": EXCLUSIVE + A + "limit = 5\ndemographic.age.min = 3\n[segment.b]\ndemographic.age.min = 4",
    "above is not written": EXCLUSIVE + A + "write = false\ndemographic.age.min = 3\n[segment.b]\ndemographic.age.min = 4",
    "earlier by priority": '[assignment]\nmode = "exclusive"\npriority = ["b"]\n'
    + A + "demographic.age.min = 3\n[segment.b]\ndemographic.age.min = 4",
    "points for each unit": "[score.fit]\nrule = [{ points_per = { column = 'income', points = 1 } }, "
    "{ demographic.age.min = 3, points = 1 }]\ngrades = { A = 90 }\n" + A + "score.fit_grade = 'A'",
}  # fmt: skip


@pytest.mark.parametrize("rules", TRAPS.values(), ids=TRAPS)
def test_what_may_be_is_not_called_a_mistake(rules: str) -> None:
    assert [claim for claim in said(proved(rules).claims) if not claim.startswith("SEG105")] == []


def test_what_holds_on_this_day_alone_is_claimed_only_of_a_file_for_this_day() -> None:
    campaign = A + "demographic.signed = { within = '30 days', after = 2026-01-01 }"
    assert said(proved(campaign).claims) == ["SEG101 segment.a segment.a.demographic.signed"]
    assert proved(campaign, as_of="").claims == ()
    months = A + "demographic.signed = { within = '3 months', older_than = '91 days' }"
    assert said(proved(months).claims) == []
    shorter = A + "demographic.signed = { within = '1 month', older_than = '30 days' }"
    assert said(proved(shorter).claims) == []
    born = (
        A + "demographic.born = { after = 2010-01-01, before = 2011-01-01 }\ndemographic.age = { min = 21, max = 25 }"
    )
    assert [claim.code for claim in proved(born).claims] == ["SEG101"]
    assert proved(born, as_of="").claims == ()
    past = A + "demographic.signed = { within = '30 days', before = 2020-01-01 }"
    assert said(proved(past, as_of="").claims) == ["SEG101 segment.a segment.a.demographic.signed"]


LAST = '[trait.last_order]\nevents = "orders"\nmeasure = "last"\n'
TOLD = """[score.told]
rule = [{ demographic.signed.within = "30 days", points = 30 }, { demographic.signed.min = 2025-01-01, points = 40 }]
grades = { A = 60 }
"""
ON_TODAY_ALONE = {
    "the last order may be later": LAST + A + "behavioural.last_order.min = 2025-01-01",
    "any last order is before a later day": LAST
    + A
    + "behavioural.last_order.max = 2024-12-31\n[segment.b]\nbehavioural.last_order.missing = false",
    "days in rows that are measured": A + 'behavioural.did = { events = "orders", where.shipped.within = "30 days" }\n'
    'behavioural.did_not = { events = "orders", where.shipped.max = 2024-12-31 }',
    "points that are given later": TOLD + A + "score.told_grade = 'A'",
    "events of a day to come": A + 'behavioural.did = { events = "orders", since = 2025-01-01 }',
    "a stage of later": PRESET + A + "lifecycle = 'prospect'\n[segment.b]\n"
    'behavioural.did_not = { events = "orders", before = 2024-12-31 }',
    "five months on 10 July of other years": A
    + "demographic.signed = { within = '151 days', not_within = '5 months' }",
    "fourteen months with a leap day": A + "demographic.signed = { within = '14 months', not_within = '427 days' }",
    "three months from December on": A + "demographic.signed = { within = '90 days', not_within = '3 months' }",
    "a quarter from June on": A + "demographic.signed = { within_next = '1 quarter', min = 2024-12-05 }",
    "a hundred years without one leap day": A
    + "demographic.born = { within = '36525 days', not_within = '100 years' }",
}


@pytest.mark.parametrize("rules", ON_TODAY_ALONE.values(), ids=ON_TODAY_ALONE)
def test_what_may_be_on_a_later_day_is_not_called_a_mistake(rules: str) -> None:
    assert said(proved(rules, as_of="").claims) == []


ALWAYS = {
    "five months are never longer": A + "demographic.signed = { within = '5 months', older_than = '153 days' }",
    "a hundred years": A + "demographic.born = { within = '36524 days', not_within = '100 years' }",
    "a narrower window": MISTAKES["a narrower window"][0],
    "a stage and its orders": MISTAKES["a stage and its orders"][0],
    "an age and its band": MISTAKES["a band and its number"][0],
    "the last order is no later": LAST
    + A
    + "behavioural.last_order = { within_next = '3 days', not_within = '1 day' }",
    "days since, beyond the window": MISTAKES["days since, beyond the window"][0],
}


@pytest.mark.parametrize("rules", ALWAYS.values(), ids=ALWAYS)
def test_what_is_a_mistake_on_each_later_day_is_found(rules: str) -> None:
    assert [claim.code for claim in proved(rules, as_of="").claims] == ["SEG101"]


CAMPAIGNS = "".join(
    f"[segment.campaign-{n}]\nwrite = false\ndemographic.other = {{ min = {day}, within = '{length}' }}\n"
    for n, (day, length) in enumerate(
        [("2024-09-01", "1 month"), ("2024-11-29", "30 days"), ("2025-02-14", "91 days"), ("2025-06-01", "3 months"),
         ("2026-01-01", "1 year"), ("2026-03-01", "365 days"), ("2026-07-14", "2 weeks"), ("2027-01-01", "59 days"),
         ("2027-10-31", "2 months"), ("2028-05-01", "183 days"), ("2029-01-01", "6 months")]
    )
)  # fmt: skip
"""So many kinds of day that they cannot all be looked at for the file as a whole."""


@pytest.mark.parametrize("rules", ALWAYS.values(), ids=ALWAYS)
def test_a_mistake_is_found_beside_many_other_days(rules: str) -> None:
    loaded = load_rules_text(HEAD.format(as_of="") + rules + "\n" + CAMPAIGNS, formats=FORMATS)
    assert later_days(loaded.rules, TODAY) is None
    claims = prove(loaded.rules, TODAY).claims
    assert [claim.code for claim in claims if claim.segment == "a"] == ["SEG101"]


@pytest.mark.parametrize("rules", ON_TODAY_ALONE.values(), ids=ON_TODAY_ALONE)
def test_what_may_be_is_no_mistake_beside_many_other_days(rules: str) -> None:
    claims = proved(rules + "\n" + CAMPAIGNS, as_of="").claims
    assert not [claim for claim in claims if claim.segment in ("a", "b") or claim.at[0] == "score"]


def test_segments_are_compared_beside_many_other_days() -> None:
    head = HEAD.format(as_of="")
    old, new = (
        load_rules_text(f"{head}{A}demographic.signed.within = '{length}'\n{CAMPAIGNS}", formats=FORMATS).rules
        for length in ("3 months", "93 days")
    )
    found = {one.segment: one.change for one in compared(old, new)}
    assert found.pop("a") == "wider"
    assert set(found.values()) == {"same"}


def test_all_days_of_a_cycle_are_looked_at() -> None:
    """Each day of 400 years is of the kind of some day that is looked at: bounds lie in the same order."""
    rules = A + "demographic.signed = { within = '2 months', not_within = '60 days', min = 2024-12-31 }"
    loaded = load_rules_text(HEAD.format(as_of="") + rules, formats=FORMATS).rules
    looked_at = later_days(loaded, TODAY)
    assert looked_at is not None

    def kind(day: dt.date) -> list[int]:
        months, days = Duration(2, "month").before(day), day - dt.timedelta(days=60)
        met = (day, months, days)
        apart = [(months - days).days, *((one - dt.date(2024, 12, 31)).days for one in met)]
        return [max(-2, min(2, number)) for number in apart]

    every = {tuple(kind(TODAY + dt.timedelta(days=n))) for n in range(1, 40_000)}
    assert every <= {tuple(kind(day)) for day in (TODAY, *looked_at)}


def test_the_reason_holds_on_all_days() -> None:
    """On this day the date excludes itself; later it does not, and then nobody signed so many years ago."""
    rules = (
        "[trait.years]\nyears_since = 'signed'\n"
        + A
        + "demographic.signed = { min = 2025-06-30, within_next = '1 quarter' }\ndemographic.years.above = 0"
    )
    where = "SEG101 segment.a segment.a.demographic.signed"
    assert said(proved(rules).claims) == [where]
    assert said(proved(rules, as_of="").claims) == [f"{where} segment.a.demographic.years"]


def test_relations_are_facts_and_no_warnings() -> None:
    rules = (
        "[segment.old]\ndemographic.age.min = 65\n[segment.grown]\ndemographic.age.min = 18\n"
        "[segment.young]\ndemographic.age.max = 17\n[segment.paris]\ngeographic.city = 'Paris'"
    )
    proof = proved(rules, relations=True)
    assert proof.claims == ()
    assert sorted(proof.relations) == [
        ("apart", "grown", "young"),
        ("apart", "old", "young"),
        ("within", "old", "grown"),
    ]


def test_months_are_of_other_lengths_on_later_days() -> None:
    """Three months back from 1 May are 89 days, from 30 June 91."""
    text = A + "demographic.signed = { within = '3 months', older_than = '90 days' }"
    day = dt.date(2025, 5, 1)
    for as_of, found in (("as_of = 2025-05-01", 1), ("", 0)):
        rules = load_rules_text(HEAD.format(as_of=as_of) + text, formats=FORMATS).rules
        assert len(prove(rules, day).claims) == found
