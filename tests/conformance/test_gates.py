"""Who is written: each gate takes customers out for one reason, in one order, and the ledger counts them."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest

from tests.desk import Content, Desk, event_table, head

PLAIN = head(as_of="2024-06-30")
HEAD = PLAIN + 'types = { ok = "boolean", sms = "boolean" }\n'
HEAD += event_table("sends", "s.csv") + event_table("mails", "s.csv", 'id = "mail"')
CUSTOMERS = """id,email,ok,sms,region,spend,joined,nick
a,Ann@x.fr ,true,true,N,10,2024-01-05,zoe
b,bob@x.fr,false,true,N,30,2023-05-01,bo
c,,true,,S,30,,
d,dan@x.fr,,false,S,,2022-03-01,dan
e,eve@x.fr,true,false,,5,2024-06-01,eve
f,FAY@X.FR,true,true,,100,2021-01-01,ann
"""
SENDS = """id,day,channel,mail
a,2024-06-30,email,m1
a,2024-06-30,email,m1
a,2024-06-23,sms,m2
a,2024-06-22,email,m3
e,2024-06-29,email,m1
e,2024-06-29,email,m2
f,2024-07-01,email,m9
nobody,2024-06-30,email,m1
"""
ALL = "abcdef"
EVERYONE = "[segment.s]\neveryone = true\n"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("s.csv", SENDS)
    return desk


def ledger(desk: Desk, rules: str, *args: str, name: str = "s") -> tuple[str, dict[str, int]]:
    """Who is written, and how many each reason left out; they add up to who matched."""
    done = desk.json(HEAD + rules, *args)
    segment = next(s for s in done["segments"] if s["name"] == name)
    reasons = {reason: count for reason, count in segment["excluded"].items() if count}
    assert segment["matched"] - sum(reasons.values()) == segment["written"]
    return "".join(row["id"] for row in desk.read(f"segments/{name}.csv")), reasons


# --- consent ---

REQUIRES = {
    "ok = true": "acef",  # no value is no consent
    "ok = { is = true, or_missing = true }": "acdef",  # unless the rule says so
    "ok = { not = false }": "acef",
    "ok = { not = false, or_missing = true }": "acdef",
    "ok.missing = true": "d",
    "ok = true\nrequire.email.missing = false": "aef",
    "ok = true\nrequire.sms = true": "af",
    "spend.min = 30": "bcf",
    "sent.max = 1": "bcdf",  # a trait
    "spend_band = 'high'": "bcf",
    "language = 'fr'": "abef",  # a lookup, a missing region has none
    "initial = 'a'": "a",  # derived
    "joined.within = '6 months'": "ae",
}
COMPUTED = """[trait.sent]
events = "sends"
[trait.spend_band]
bands = { of = "spend", edges = [20], labels = ["low", "high"] }
[lookup.regions]
path = "r.csv"
on = "region"
columns = ["language"]
"""


@pytest.mark.parametrize("require", REQUIRES)
def test_consent(shop: Desk, require: str) -> None:
    shop.put("r.csv", "region,language\nN,fr\nS,de\n")
    shop.put("c.csv", CUSTOMERS.replace("e,eve@x.fr,true,false,,", "e,eve@x.fr,true,false,N,").replace(
        "f,FAY@X.FR,true,true,,", "f,FAY@X.FR,true,true,N,"))  # fmt: skip
    head = HEAD.replace("types =", 'derive.initial = "SUBSTR(id, 1, 1)"\ntypes =')
    done = shop.json(f"{head}{COMPUTED}[consent]\nrequire.{require}\n{EVERYONE}")
    written = "".join(row["id"] for row in shop.read("segments/s.csv"))
    assert written == REQUIRES[require]
    assert done["segments"][0]["excluded"]["consent"] == 6 - len(written)


def test_consent_of_a_channel_comes_on_top(shop: Desk) -> None:
    rules = "[consent]\nrequire.ok = true\n[consent.channel.text]\nrequire.sms = true\n[consent.channel.email]\n"
    text = rules + EVERYONE
    assert ledger(shop, f'{text}channel = "text"\n') == ("af", {"consent": 4})
    assert ledger(shop, f'{text}channel = "email"\n') == ("acef", {"consent": 2})
    done = shop.json(HEAD + text)  # without a channel: the general rules, and a warning
    assert done["segments"][0]["written"] == 4
    assert [w["message"] for w in done["warnings"]] == [
        "the segment has no `channel`, so only the general rules of `[consent]` count for it"
    ]


def test_consent_of_a_channel_alone(shop: Desk) -> None:
    text = "[consent.channel.text]\nrequire.sms = true\n" + EVERYONE
    assert ledger(shop, f'{text}channel = "text"\n') == ("abf", {"consent": 3})
    assert ledger(shop, text) == (ALL, {})


# --- suppression lists ---

LISTS = {
    # what the list holds (by e-mail) -> who is suppressed
    "email\nann@x.fr\n": "a",
    "email\n  ANN@X.FR  \nfay@x.fr\n": "af",
    "\ufeffemail\nann@x.fr\n": "a",
    "reason,email\nx,ann@x.fr\n,bob@x.fr\nhe said, \n": "ab",
    "email;reason\nann@x.fr;bounced, twice\n": "a",
    "email\r\nann@x.fr\r\n\r\nbob@x.fr\r\n": "ab",
    "email\n": "",  # a header alone: nobody
    "email,x\n,1\nann@x.fr,2\n": "a",  # an empty value is nobody's, also not of those without e-mail
}


@pytest.mark.parametrize("content", LISTS)
def test_suppression_lists(shop: Desk, content: str) -> None:
    shop.put("u.csv", content)
    text = '[consent]\nsuppress = "u.csv"\nsuppress_on = "email"\n' + EVERYONE
    gone = LISTS[content]
    expected = ("".join(c for c in ALL if c not in gone), {"suppressed": len(gone)} if gone else {})
    assert ledger(shop, text) == expected


def test_lists_in_other_formats_and_encodings(shop: Desk) -> None:
    shop.put("c.csv", "id,email\n1,Zoé@x.fr\n2,b@x.fr\n3,c@x.fr\n4,d@x.fr\n5,e@x.fr\n")
    shop.put("old.csv", "email\nZOÉ@x.fr\n".encode("cp1252"))
    shop.put("b.parquet", pl.DataFrame({"email": ["B@x.fr", None]}))
    shop.put("n.ndjson", '{"email": "c@X.fr"}\n')
    shop.put("more/1.csv", "email\nd@x.fr\n")
    shop.put("more/2.csv", "email\ne@x.fr\n")
    lists = '["old.csv", "b.parquet", "n.ndjson", "more/*.csv"]'
    text = f'{PLAIN}[consent]\nsuppress = {lists}\nsuppress_on = "email"\n{EVERYONE}'
    done = shop.json(text)
    assert done["segments"][0]["excluded"]["suppressed"] == 5
    assert done["warnings"] == []
    paths = [entry["path"] for entry in json.loads((shop / "segments/manifest.json").read_text())["inputs"]]
    assert len([path for path in paths if not path.endswith("c.csv")]) == 5


KEYS = [
    # keys of the customers, list -> who is left
    ("007,7,17850", "id\n007\n", "7,17850"),
    ("a,A,b", "id\nA\n", "b"),  # a key, too, is compared in lower case: rather one too many than one too few
    ("1,2,3", pl.DataFrame({"id": [1, 3]}), "2"),
    ("1,2,3", pl.DataFrame({"id": [1.0, 3.0]}), "2"),
    ("1,2,3", "id\n 1 \n", "2,3"),
]


@pytest.mark.parametrize(("keys", "listed", "left"), KEYS)
def test_suppression_by_key(desk: Desk, keys: str, listed: Content, left: str) -> None:
    desk.put("c.csv", "id\n" + keys.replace(",", "\n") + "\n")
    name = desk.put("u.parquet" if isinstance(listed, pl.DataFrame) else "u.csv", listed).name
    rows = desk.rows(f'{PLAIN}[consent]\nsuppress = "{name}"\n{EVERYONE}')
    assert ",".join(row["id"] for row in rows) == left


SUPPRESS_ON = {
    "nick": ("nick\nANN\n", "abcde"),
    "phone": ("phone\n+33 6 01\n", ALL),
    "spend": ("spend\n30\n", "adef"),
    "joined": ("joined\n2024-01-05\n", "bcdef"),
    "initial": ("initial\nA\n", "bcdef"),  # derived
    "sent": ("sent\n2\n", "abcdf"),  # a trait
    "language": ("language\nFR\n", "cdef"),  # looked up
}


@pytest.mark.parametrize("column", SUPPRESS_ON)
def test_suppress_on_any_column(shop: Desk, column: str) -> None:
    shop.put("r.csv", "region,language\nN,fr\nS,de\n")
    content, left = SUPPRESS_ON[column]
    shop.put("u.csv", content)
    if column == "phone":
        shop.put("c.csv", CUSTOMERS.replace("nick\n", "phone\n"))
    head = HEAD.replace("types =", 'derive.initial = "SUBSTR(id, 1, 1)"\ntypes =')
    rules = f'{head}{COMPUTED}[consent]\nsuppress = "u.csv"\nsuppress_on = "{column}"\n{EVERYONE}'
    assert "".join(row["id"] for row in shop.rows(rules)) == left


def test_a_column_of_the_file_is_compared_as_it_is_written(desk: Desk) -> None:
    """A criterion reads `phone` as a number; the list compares its text all the same."""
    desk.put("c.csv", "id,phone\na,1.50\nb,1.5\nc,2\n")
    desk.put("u.csv", "phone\n1.50\n")
    rules = f'{PLAIN}[consent]\nsuppress = "u.csv"\nsuppress_on = "phone"\n[segment.s]\ndemographic.phone.min = 1\n'
    assert [row["id"] for row in desk.rows(rules)] == ["b", "c"]


def test_lists_of_a_channel_come_on_top(shop: Desk) -> None:
    shop.put("all.csv", "id\na\n")
    shop.put("mail.csv", "email\nbob@x.fr\n")
    text = """[consent]
suppress = "all.csv"
[consent.channel.email]
suppress = ["mail.csv"]
suppress_on = "email"
[consent.channel.post]
"""
    assert ledger(shop, f'{text}{EVERYONE}channel = "email"\n') == ("cdef", {"suppressed": 2})
    assert ledger(shop, f'{text}{EVERYONE}channel = "post"\n') == ("bcdef", {"suppressed": 1})


NO_LISTS = {
    "there is no file `u.csv`": {},
    "`u.csv` is empty": {"u.csv": ""},
    "has no column `email`": {"u.csv": "e-mail\nann@x.fr\n"},
    "it has `Email`: name the one that is compared `email`": {"u.csv": "Email\nann@x.fr\n"},
    "none of the 1 rows has a key in column `email`": {"u.csv": "email,x\n,1\n"},
}


@pytest.mark.parametrize("message", NO_LISTS)
def test_a_list_that_cannot_be_compared_is_an_error(shop: Desk, message: str) -> None:
    for name, content in NO_LISTS[message].items():
        shop.put(name, content)
    text = f'{HEAD}[consent]\nsuppress = "u.csv"\nsuppress_on = "email"\n{EVERYONE}'
    assert message in shop.apply(text, code=None).stderr
    assert not (shop / "segments").exists()


def test_a_glob_without_a_list_is_an_error(shop: Desk) -> None:
    done = shop.apply(f'{HEAD}[consent]\nsuppress = "gone/*.csv"\n{EVERYONE}', code=3)
    assert "no file matches `gone/*.csv`" in done.stderr


def test_a_list_that_suppresses_nobody_is_a_warning(desk: Desk) -> None:
    desk.put("c.csv", "id\n17850\n17851\n")
    desk.put("u.csv", "id\nx17850\n")
    done = desk.json(f'{PLAIN}[consent]\nsuppress = "u.csv"\n{EVERYONE}')
    (warning,) = done["warnings"]
    assert "`u.csv` suppresses nobody: of its 1 value, none is in column `id`" in warning["message"]
    assert "`.0`" in warning["hint"]
    assert "17850" not in warning["message"] + warning["hint"]  # whoever is in the list stays out of manifests


def test_a_list_without_a_value_is_a_warning(shop: Desk) -> None:
    shop.put("u.csv", "id\n")
    (warning,) = shop.json(f'{HEAD}[consent]\nsuppress = "u.csv"\n{EVERYONE}')["warnings"]
    assert warning["message"] == "`u.csv` suppresses nobody: it has no values"


# --- contact pressure ---

CAPS = {
    'events = "sends"; max = 4': "bcdef",
    'events = "sends"; max = 5': ALL,
    'events = "sends"; max = 2': "bcdf",  # f has one only after as_of
    'events = "sends"; max = 3; within = "7 days"': "bcdef",
    'events = "sends"; max = 3; within = "6 days"': ALL,
    'events = "sends"; max = 2; within = "0 days"': "bcdef",
    'events = "sends"; max = 1; between = ["7 days", "7 days"]': "bcdef",
    'events = "sends"; max = 1; between = [2024-06-29, 2024-06-29]': "abcdf",
    'events = "sends"; max = 1; since = 2024-06-30': "bcdef",
    'events = "sends"; max = 1; since = "3 weeks"; before = "1 day"': "bcdef",
    'events = "sends"; max = 1; since = { column = "joined" }; for = "28 days"': "abcdf",
    'events = "sends"; max = 1; where.channel = "sms"': "bcdef",
    'events = "mails"; max = 2; within = "6 days"': "abcdf",  # two lines of one mail count once
    'events = "mails"; max = 3': "bcdef",
}


@pytest.mark.parametrize("cap", CAPS)
def test_frequency_cap(shop: Desk, cap: str) -> None:
    written = CAPS[cap]
    expected = (written, {"frequency_cap": 6 - len(written)} if written != ALL else {})
    assert ledger(shop, f"[frequency_cap]\n{cap.replace('; ', chr(10))}\n{EVERYONE}") == expected


def test_the_cap_of_a_channel_comes_on_top(shop: Desk) -> None:
    text = """[frequency_cap]
events = "sends"
max = 4
[frequency_cap.channel.email]
events = "sends"
where.channel = "email"
max = 2
within = "1 day"
[frequency_cap.channel.post]
"""
    assert ledger(shop, f'{text}{EVERYONE}channel = "email"\n') == ("bcdf", {"frequency_cap": 2})
    assert ledger(shop, f'{text}{EVERYONE}channel = "post"\n') == ("bcdef", {"frequency_cap": 1})


def test_a_window_without_a_day_is_a_warning(shop: Desk) -> None:
    text = f'[frequency_cap]\nevents = "sends"\nmax = 1\nsince = "30 days"\nbefore = "1 month"\n{EVERYONE}'
    done = shop.json(HEAD + text, "--as-of", "2024-04-15")
    assert any("the window has no day" in w["message"] for w in done["warnings"])


# --- limits ---

LIMITS = {
    "0": "",
    "2": "ab",
    "99": ALL,
    "{ count = 2, order = 'descending' }": "ef",
    "{ count = 2, by = 'spend' }": "bf",  # 30 comes twice: b before c
    "{ count = 5, by = 'spend' }": "abcef",  # who has no value comes last ...
    "{ count = 5, by = 'spend', order = 'ascending' }": "abcef",  # ... in both orders
    "{ count = 2, by = 'spend', order = 'ascending' }": "ae",
    "{ count = 1, by = 'joined' }": "e",
    "{ count = 2, by = 'joined', order = 'ascending' }": "df",
    "{ count = 2, by = 'nick', order = 'ascending' }": "bf",
    "{ count = 2, by = 'sent' }": "ae",
    "{ count = 1, by = 'ok' }": "a",
    "{ count = 1, by = 'id' }": "f",
    "{ count = 1, per = 'region' }": "ace",  # no region is a group, too
    "{ count = 1, by = 'spend', per = 'region' }": "bcf",
    "{ count = 1, by = 'spend', per = ['region', 'region'] }": "bcf",
    "{ count = 1, per = ['region', 'sms'] }": "acdef",
    "{ percent = 0 }": "",
    "{ percent = 0, by = 'spend' }": "",
    "{ count = 0, by = 'spend' }": "",
    "{ count = 0, by = 'spend', per = 'region' }": "",
    "{ percent = 100 }": ALL,
    "{ percent = 33.3 }": "ab",
    "{ percent = 33.4 }": "abc",  # rounded up
    "{ percent = 0.0001 }": "a",
    "{ percent = 50, per = 'region' }": "ace",
    "{ percent = 50.1, by = 'spend', per = 'region' }": ALL,
    "{ percent = 33.333333333333333333333333333333333 }": "ab",
    "{ percent = 33.333333333333333333333333333333334 }": "abc",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limits(shop: Desk, limit: str) -> None:
    text = f'[trait.sent]\nevents = "sends"\n{EVERYONE}limit = {limit.replace(chr(39), chr(34))}\n'
    written = LIMITS[limit]
    assert ledger(shop, text) == (written, {"limit": 6 - len(written)} if written != ALL else {})


def test_ties_go_by_the_bytes_of_the_key(desk: Desk) -> None:
    keys = ["b", "B", "a10", "a9", "é", "z", "A"]
    desk.put("c.csv", "id,x\n" + "".join(f"{key},1\n" for key in keys))
    for count, limit in enumerate(["count = 1, by = 'x'", "count = 2, by = 'x'", "count = 7"], start=1):
        rows = desk.rows(f"{PLAIN}{EVERYONE}limit = {{ {limit.replace(chr(39), chr(34))} }}\n")
        chosen = sorted(keys, key=str.encode)[: 7 if count == 3 else count]
        assert [row["id"] for row in rows] == [key for key in keys if key in chosen]


@pytest.mark.parametrize(
    "limit",
    ["count = 1", "count = 2, by = 'x'", "count = 1, by = 'x', order = 'ascending'", "percent = 40, by = 'x'",
     "count = 0", "count = 1, order = 'descending'"],
)  # fmt: skip
@pytest.mark.parametrize("per", [["house"], ["house", "floor"]])
def test_more_groups_than_a_cut_is_made_for(desk: Desk, limit: str, per: list[str]) -> None:
    """As with few groups: the rest without a house is a group, missing values come last, ties go by the key."""
    draw = random.Random(3)
    rows = [(f"k{n}", draw.choice(["", *range(1500)]), draw.choice("ab"), draw.choice(["", *range(4)]))
            for n in draw.sample(range(9000), 4000)]  # fmt: skip
    desk.put("c.csv", "id,house,floor,x\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    given = f"{limit.replace(chr(39), chr(34))}, per = {json.dumps(per)}"
    written = [row["id"] for row in desk.rows(f"{PLAIN}{EVERYONE}limit = {{ {given} }}\n")]
    groups: dict[object, list[tuple[str, object]]] = {}
    for key, house, floor, x in rows:
        groups.setdefault((house, floor) if len(per) == 2 else house, []).append((key, x))
    chosen: set[str] = set()
    for members in groups.values():
        most = -(-len(members) * 2 // 5) if "percent" in limit else int(limit.removeprefix("count = ")[0])
        members.sort(key=lambda one: one[0], reverse="by" not in limit and "descending" in limit)
        if "by" in limit:
            sign = 1 if "ascending" in limit else -1
            members.sort(key=lambda one: (one[1] == "", sign * int(str(one[1] or 0))))
        chosen.update(key for key, _ in members[:most])
    assert written == [key for key, *_ in rows if key in chosen]


# --- the order of the gates ---


def test_one_reason_a_customer_the_first_in_the_order(shop: Desk) -> None:
    """a is stopped by everything, the others by what comes later and later."""
    shop.put("u.csv", "id\nb\na\n")
    text = """[consent]
require.nick.not = "zoe"
suppress = "u.csv"
[frequency_cap]
events = "sends"
max = 2
[assignment]
mode = "exclusive"
[segment.first]
demographic.region = "S"
[segment.s]
everyone = true
limit = { count = 0 }
holdout = 100
"""
    written, reasons = ledger(shop, text)
    # c has no nick: a negated condition does not hold without a value
    assert (written, reasons) == ("", {"consent": 2, "suppressed": 1, "frequency_cap": 1, "claimed": 1, "limit": 1})


def test_the_holdout_comes_after_the_limit_and_is_written_apart(shop: Desk) -> None:
    written, reasons = ledger(shop, f"{EVERYONE}limit = 3\nholdout = 100\nsplit = {{ A = 50, B = 50 }}\n")
    assert (written, reasons) == ("", {"limit": 3, "holdout": 3})
    assert (shop / "segments/s.csv").read_text().startswith("id,segment,variant,email")
    held = shop.read("segments/s.holdout.csv")
    assert [(row["id"], row["segment"], row["variant"]) for row in held] == [(k, "s", "") for k in "abc"]


def test_shares_of_nothing_and_all(shop: Desk) -> None:
    for gate, written in (("sample = 0", ""), ("sample = 100", ALL), ("holdout = 0", ALL), ("holdout = 100", "")):
        assert ledger(shop, f"{EVERYONE}{gate}\n")[0] == written
    ledger(shop, f"{EVERYONE}split = {{ A = 0, B = 100, C = 0 }}\n")
    assert {row["variant"] for row in shop.read("segments/s.csv")} == {"B"}
    assert not (shop / "segments/s.holdout.csv").exists()


# --- exclusive assignment ---

STOPS = {
    # what stops a in the first segment -> whether the second one gets a
    "[consent.channel.x]\nrequire.nick = 'none'\n[consent.channel.y]\n": ("", True),
    "[consent.channel.x]\nsuppress = 'u.csv'\n[consent.channel.y]\n": ("", True),
    "[frequency_cap.channel.x]\nevents = 'sends'\nmax = 1\n[frequency_cap.channel.y]\n": ("", True),
    "": ("sample = 0", True),
    " ": ("limit = 0", True),
    "  ": ("holdout = 100", False),
    "   ": ("", False),
}


@pytest.mark.parametrize("rules", STOPS)
def test_who_is_stopped_stays_free_who_is_held_out_does_not(shop: Desk, rules: str) -> None:
    shop.put("u.csv", "id\na\n")
    gate, free = STOPS[rules]
    text = f"""{rules.replace(chr(39), chr(34))}
[assignment]
mode = "exclusive"
[segment.one]
demographic.nick = "zoe"
channel = "x"
{gate}
[segment.two]
demographic.nick = "zoe"
channel = "y"
"""
    written, reasons = ledger(shop, text, name="two")
    assert (written, reasons) == (("a", {}) if free else ("", {"claimed": 1}))


def test_select_lets_the_others_claim_and_keeps_every_gate(shop: Desk) -> None:
    text = """[consent]
require.ok = true
[assignment]
mode = "exclusive"
priority = ["late"]
[segment.early]
everyone = true
[segment.late]
demographic.spend.min = 30
holdout = 50
"""
    done = shop.json(HEAD + text)
    expected = {s["name"]: s for s in done["segments"]}["early"]
    whole = (shop / "segments/early.csv").read_bytes()
    done = shop.json(HEAD + text, "--select", "early", "-o", shop / "chosen")
    (segment,) = done["segments"]
    assert {k: v for k, v in segment.items() if "path" not in k and k != "outputs"} == {
        k: v for k, v in expected.items() if "path" not in k and k != "outputs"
    }
    assert set(shop.tree("chosen")) == {"early.csv", "manifest.json"}
    assert (shop / "chosen/early.csv").read_bytes() == whole


# --- what is written ---


def test_variants(shop: Desk) -> None:
    text = f'[output]\ncolumns = ["nick"]\n{EVERYONE}split = {{ mail = 50, letter-2 = 50 }}\n'
    done = shop.json(HEAD + text)
    rows = shop.read("segments/s.csv")
    assert list(rows[0]) == ["id", "segment", "variant", "nick"]
    counts = {name: sum(row["variant"] == name for row in rows) for name in ("mail", "letter-2")}
    assert done["segments"][0]["variants"] == counts
    assert sum(counts.values()) == 6


def test_a_column_of_the_customers_gives_way_to_the_variant(shop: Desk) -> None:
    shop.put("c.csv", CUSTOMERS.replace("nick", "variant"))
    done = shop.json(f"{HEAD}{EVERYONE}split = {{ A = 50, B = 50 }}\n[segment.t]\neveryone = true\n")
    assert [w["message"] for w in done["warnings"]] == [
        "the column `variant` of the customers is left out: the variant of `split` has this name"
    ]
    assert {row["variant"] for row in shop.read("segments/s.csv")} <= {"A", "B"}
    assert "variant" not in shop.read("segments/t.csv")[0]
    done = shop.json(HEAD + EVERYONE)
    assert [row["variant"] for row in shop.read("segments/s.csv")] == ["zoe", "bo", "", "dan", "eve", "ann"]


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
def test_standard_output_has_the_written_and_their_variant_nobody_held_out(shop: Desk, format: str) -> None:
    text = f"{HEAD}[segment.t]\neveryone = true\n{EVERYONE}holdout = 50\nsplit = {{ A = 50, B = 50 }}\n"
    shop.apply(text)
    written = [row["id"] for row in shop.read("segments/s.csv")]
    assert 0 < len(written) < 6
    out = shop.apply(text, "-o", "-", "-q", "--format", format).stdout_bytes
    if format == "csv":
        rows = shop.read(out)
    elif format == "ndjson":
        rows = [json.loads(line) for line in out.decode().splitlines()]
    else:
        rows = pl.read_parquet(out).to_dicts()
    assert [row["id"] for row in rows if row["segment"] == "t"] == list(ALL)
    assert [row["id"] for row in rows if row["segment"] == "s"] == written
    assert all((row["variant"] or None) is not None for row in rows if row["segment"] == "s")
    assert not any(row["variant"] for row in rows if row["segment"] == "t")


def test_a_file_for_each_value_beside_holdout_and_variants(desk: Desk) -> None:
    """A value called `holdout` does not take the place of the list of those held out."""
    desk.put("c.csv", "id,arm\n" + "".join(f"k{n},{'holdout' if n % 2 else 'b'}\n" for n in range(40)))
    text = f'{PLAIN}{EVERYONE}each = "arm"\nholdout = 50\nsplit = {{ A = 50, B = 50 }}\n'
    done = desk.json(text)
    (segment,) = done["segments"]
    names = [name for name in desk.tree() if name != "manifest.json"]
    files = {name: [row["id"] for row in desk.read(f"segments/{name}")] for name in names}
    assert len(files) == 3
    held = files.pop("s.holdout.csv")
    assert segment["holdout_path"].endswith("s.holdout.csv")
    assert len(held) == segment["excluded"]["holdout"] > 5
    written = [key for keys in files.values() for key in keys]
    assert sorted([*written, *held]) == sorted(f"k{n}" for n in range(40))
    assert sum(output["written"] for output in segment["outputs"]) == segment["written"] == len(written)
    assert all({row["variant"] for row in desk.read(f"segments/{name}")} == {"A", "B"} for name in files)


def test_combined_names_only_segments_that_write_the_customer(shop: Desk) -> None:
    text = '[consent]\nrequire.ok = true\n[output]\ncombined = "all.csv"\n[segment.t]\ndemographic.region = "N"\n'
    shop.apply(f"{HEAD}{text}{EVERYONE}limit = 3\nholdout = 50\n")
    written = {name: {row["id"] for row in shop.read(f"segments/{name}.csv")} for name in ("t", "s")}
    for row in shop.read("segments/all.csv"):
        names = "|".join(name for name in ("t", "s") if row["id"] in written[name])
        assert row["segment"] == names


def test_combined_where_each_finds_nobody(shop: Desk) -> None:
    text = f'[output]\ncombined = "all.csv"\n{EVERYONE}sample = 0\neach = "region"\n'
    shop.apply(HEAD + text)
    assert {row["segment"] for row in shop.read("segments/all.csv")} == {""}


def test_summary_profile_overlaps_and_expectations_are_of_the_written(shop: Desk) -> None:
    text = """[consent]
require.ok = true
[output]
profile = ["spend"]
[segment.t]
everyone = true
limit = { count = 2, by = "spend" }
"""
    done = shop.json(HEAD + text + EVERYONE)
    first = done["segments"][0]
    assert (first["written"], first["profile"]["spend"]["total"], first["share"]) == (2, 130, 33.3333)
    assert done["overlaps"] == [{"first": "t", "second": "s", "customers": 2}]
    assert (done["several"], done["unmatched"]) == (2, 0)
    broken = shop.apply(f"{HEAD}{text}expect.min_size = 3\n{EVERYONE}", code=1)
    assert "segment `t` writes 2 customers: `min_size` is 3" in broken.stderr


def test_the_manifest_has_the_ledger(shop: Desk) -> None:
    shop.apply(f"{HEAD}[consent]\nrequire.ok = true\n{EVERYONE}holdout = 50\n")
    manifest = json.loads((shop / "segments/manifest.json").read_text())
    (segment,) = manifest["segments"]
    assert segment["excluded"]["consent"] == 2
    assert set(manifest["files"]) == {"s.csv", "s.holdout.csv", "run/rules.toml"}


def test_building_blocks_have_no_gates(shop: Desk) -> None:
    text = '[consent]\nrequire.ok = true\n[segment.block]\nwrite = false\neveryone = true\n[segment.s]\nin_segment = "block"\n'
    done = shop.json(HEAD + text)
    block, segment = done["segments"]
    assert (block["matched"], sum(block["excluded"].values())) == (6, 0)
    assert (segment["matched"], segment["written"]) == (6, 4)
