"""Values of personal columns are shown by no command that tells what stands in columns, in no format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any, NamedTuple

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

SHOWING = [
    ("columns", "--values"),
    ("columns", "--values", "--json"),
    ("schema", "--for"),
    ("check", "--data"),
    ("check", "--data", "--json"),
    ("check", "--data", "--format", "github"),
    ("check", "--data", "--format", "sarif"),
]


class Case(NamedTuple):
    """Values of the column `v` of 60 customers, what else the rules have, and a criterion that no value fulfils.

    None of `secrets` may be shown; of none of `values`, if there are no others.
    """

    values: Sequence[Any]
    asks: str
    customers: str = ""
    more: str = ""
    secrets: Sequence[str] = ()


MAILS = [f"anna{n}@corp.example" for n in range(7)]
IBANS = ["FR7630006000011234567890189", "DE89370400440532013000", "GB82WEST12345698765432"]
PHONES = [f"06 12 34 56 7{n}" for n in range(6)]
NAMES = ["Anna Martin", "Ben Durand", "Cleo Petit"]
CASES = {
    "e-mail in a text": Case([f"0{mail} (Anna)" for mail in MAILS], 'demographic.v = "anna0@corp.exampl"'),
    "several e-mails": Case([f"{one}; {one}" for one in MAILS], 'demographic.v = "anna0@corp.exampl"'),
    "e-mails late": Case(["aaa"] * 22 + MAILS * 5, 'demographic.v = "anna0@corp.exampl"', secrets=MAILS),
    "few e-mails": Case([*["aaa"] * 19, MAILS[0]], 'demographic.v = "anna0@corp.exampl"', secrets=MAILS),
    "local phones": Case(PHONES, 'demographic.v = "06 12 34 56 79"'),
    "mobile phones": Case(["0612345678", "0712345679"], 'demographic.v = "0612345679"', 'types.v = "text"'),
    "American phones": Case(["(212) 555-0123", "415-555-0199"], 'demographic.v = "(212) 555-0124"'),
    "German phones": Case(["030/1234567", "0171 1234567"], 'demographic.v = "030/1234568"'),
    "phones in a text": Case([f"call {one} at noon" for one in PHONES], 'demographic.v = "call 06 12 34 56 79"'),
    "mobile phones in a text": Case(["call 0612345678 at noon", "0712345679"], 'demographic.v = "call 0612"'),
    "accounts": Case(IBANS, 'demographic.v = "FR7630006000011234567890188"'),
    "accounts in groups": Case(["FR76 3000 6000 0112 3456 7890 189"], 'demographic.v = "FR76 3000 6000"'),
    "cards": Case(["4111 1111 1111 1111", "378282246310005"], 'demographic.v = "4111 1111 1111 1112"'),
    "cards as numbers": Case([4111111111111111, 5555555555554444], "demographic.v.max = 1", secrets=["4,111", "4111"]),
    "lists": Case([f"{one};golf" for one in MAILS], 'needs.v.has_any = "anna0@corp.exampl"', 'lists.v = ";"', "", MAILS),
    "lists of some": Case(
        ["golf;chess"] * 9 + [MAILS[0]], 'needs.v.has_any = "anna0@corp.exampl"', 'lists.v = ";"', "", MAILS
    ),
    "made of one": Case(MAILS, 'demographic.d = "anna9"', "derive.d = \"SPLIT_PART(v, '@', 1)\"", secrets=["anna0"]),
    "made of one made of one": Case(
        MAILS, 'demographic.t = "ann"', "derive.d = \"SPLIT_PART(v, '@', 1)\"", '[trait.t]\nsql = "LEFT(d, 5)"\n', ["anna"]
    ),
    "made of the key": Case(["x"], 'demographic.d = "key-0"', 'derive.d = "LOWER(id)"', secrets=["key-1"]),
    "protected": Case(["LOY1", "LOY2"], 'demographic.v = "LOY3"', more='[output]\nhash = ["v"]\n'),
    "made of a protected one": Case(
        ["LOY1", "LOY2"], 'demographic.d = "OY3"', 'derive.d = "SUBSTR(v, 2)"', '[output]\nhash = ["v"]\n', ["OY1"]
    ),
    "number made of one": Case(
        ["+33 612345678", "+33 612345679"],
        "demographic.n.max = 1",
        "derive.n = \"TRY_CAST(REPLACE(v, '+33 ', '') AS BIGINT)\"",
        secrets=["612345678", "612,345,678"],
    ),
    "days since": Case(
        ["1960-01-01", "1980-01-02"],
        "demographic.n.max = 1",
        'derive.birth_date = "v"',
        '[trait.n]\ndays_since = "birth_date"\n[trait.y]\nyears_since = "birth_date"\n',
        ["23,436", "23436", "16130", "16,130", "64"],
    ),
    "of few": Case([f"depressed since {n}" for n in range(60)], 'demographic.v = "depressed since"'),
    "of few among many": Case(["well"] * 59 + ["depressed"], 'demographic.v = "depresse"', secrets=["depressed"]),
}  # fmt: skip


@pytest.mark.parametrize("command", SHOWING, ids=" ".join)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_no_value_of_a_personal_column_is_shown(desk: Desk, case: Case, command: tuple[str, ...]) -> None:
    values = list(islice(cycle(case.values), 60))
    desk.put("c.csv", pl.DataFrame({"id": [f"Key-{n}" for n in range(60)], "v": values}))
    rules = head(case.customers) + case.more + f"[segment.s]\n{case.asks}\n"
    shown = desk.segkit(*command, desk.put("rules.toml", rules)).output
    # What the rule file itself asks for may be shown.
    shown = shown.replace(case.asks.partition(" = ")[2].strip('"'), "")
    secrets = case.secrets or [str(value) for value in case.values]
    assert [secret for secret in secrets if secret in shown] == []


LOOKUPS = [
    # the key of the lookup, its keys, more of [customers]
    ("id", "Key-{n}", ""),
    ("mail", "m{n}@corp.example", ""),
    ("member", "M{n}", '[output]\npseudonymise = ["member"]\n'),
]


@pytest.mark.parametrize("command", SHOWING, ids=" ".join)
@pytest.mark.parametrize(("on", "form", "more"), LOOKUPS)
def test_a_lookup_with_a_row_for_each_customer_names_nobody(
    desk: Desk, on: str, form: str, more: str, command: tuple[str, ...]
) -> None:
    keys = {"id": [f"Key-{n}" for n in range(4)], on: [form.format(n=n) for n in range(4)]}
    desk.put("c.csv", pl.DataFrame(keys))
    desk.put("l.csv", f"{on},note\n" + "".join(f"{form.format(n=n)},depressed since {n}\n" for n in range(4)))
    rules = head() + f'[lookup.crm]\npath = "l.csv"\non = "{on}"\n' + more
    rules += '[segment.s]\ndemographic.note = "depressed since"\n'
    shown = desk.segkit(*command, desk.put("rules.toml", rules)).output
    assert "depressed since 1" not in shown


@pytest.mark.parametrize("command", SHOWING, ids=" ".join)
def test_no_value_of_a_personal_column_of_events_is_shown(desk: Desk, command: tuple[str, ...]) -> None:
    desk.put("c.csv", "id\nKey-1\nKey-2\n")
    rows = [(f"Key-{1 + n % 2}", NAMES[n % 3], MAILS[n % 2]) for n in range(30)]
    desk.put("o.csv", "id,day,contact,v\n" + "".join(f"{k},2024-01-01,{name},{v}\n" for k, name, v in rows))
    rules = head() + event_table("o", "o.csv", 'derive.d = "UPPER(contact)"')
    rules += '[trait.fav]\nevents = "o"\nmeasure = "most_frequent"\nof = "d"\n[segment.s]\nbehavioural.fav = "ANNA"\n'
    rules += 'behavioural.did = { events = "o", where = { v = "anna1@", d = "ANNA MARTI", contact = "Ben Duran" } }\n'
    shown = desk.segkit(*command, desk.put("rules.toml", rules)).output
    secrets = [*MAILS, *NAMES, *(name.upper() for name in NAMES)]
    assert [secret for secret in secrets if secret in shown] == []


PLAIN = {
    "product codes": ["AB-12-345", "AB-12-346"],
    "order ids": ["ORD-2024-0001", "ORD-2024-0002"],
    "padded ids": ["0000012345", "0000012346"],
    "long ids": ["114-3941689-8772232", "114-3941689-8772233"],
    "books": ["978-0-306-40615-7", "0306406152"],
    "EAN": ["4006381333931", "4006381333932"],
    "dates": ["01.02.2024 10.30", "02.02.2024 11.30"],
    "months": ["01-2024-0001", "02-2024-0002"],
    "amounts": ["1,234,567.50 EUR", "7 @ 3.50 EUR"],
    "no accounts": ["FR7630006000011234567890188", "AB12CD34EF56GH78"],
    "no cards": ["4111111111111112", "4111111111111113"],
    "versions": ["10.11.12.13", "10.11.12.14"],
    "handles": ["@anna", "a@b"],
}


@pytest.mark.parametrize("values", PLAIN.values(), ids=PLAIN)
def test_other_codes_are_not_personal(desk: Desk, values: list[str]) -> None:
    desk.put("c.csv", pl.DataFrame({"id": [f"Key-{n}" for n in range(60)], "v": values * 30}))
    rules = desk.put("rules.toml", head('types.v = "text"') + "[segment.s]\neveryone = true\n")
    (table,) = json.loads(desk.segkit("columns", rules, "--values", "--json").stdout)["tables"]
    (column,) = (one for one in table["columns"] if one["column"] == "v")
    assert column["personal"] is None
    assert {one["value"] for one in column["frequent"]} == set(values)


def test_figures_of_things_are_shown(desk: Desk) -> None:
    """What a rule makes of personal columns, and tells nobody's: how many, yes or no, names of bands."""
    desk.put("c.csv", "id,email,born\n" + "".join(f"k{n},m{n}@x.example,19{60 + n}-01-01\n" for n in range(20)))
    desk.put("o.csv", "id,day,email\n" + "".join(f"k{n},2024-01-0{1 + n % 5},m{n}@x.example\n" for n in range(20)))
    rules = head('derive.reachable = "email IS NOT NULL"') + event_table("o", "o.csv")
    rules += '[trait.age]\nyears_since = "born"\n[trait.mails]\nevents = "o"\nmeasure = "distinct"\nof = "email"\n'
    rules += '[trait.band]\nbands = { of = "age", edges = [50], labels = ["young", "old"] }\n'
    found = json.loads(desk.segkit("columns", desk.put("rules.toml", rules), "--values", "--json").stdout)
    columns = {one["column"]: one for one in found["tables"][0]["columns"]}
    assert [columns[name]["personal"] for name in ("reachable", "mails", "band")] == [None] * 3
    assert columns["age"]["personal"] == "birth date"
    assert columns["mails"]["max"] == 1
    assert {one["value"] for one in columns["band"]["frequent"]} == {"young", "old"}


ERRORS = [
    # the customers, more of the rules, secrets, what is said
    ("id,x\nanna@x.example,1\nanna@x.example,2\n", "", ["anna"], "come more than once: a value (four letters, `@`, "),
    ("id,born\nk1,1980-02-31\n" + "k2,1981-01-01\n" * 1, "demographic.born.missing = false", ["1980"],
     "cannot read a value (four digits, `-`, two digits, `-`, two digits) as a date in column `born`"),
    ("id,x\n" + "".join(f"k{n},{n}\n" for n in range(60)) + "k99,ann@x.example\n", "demographic.x.min = 5", ["ann@"],
     "cannot read a value (three letters, `@`, "),
    ("id,phone\n" + "".join(f"k{n},61234567{n}\n" for n in range(60)) + "k99,none at all\n", "demographic.phone.min = 5",
     ["none at all"], "cannot read a value (four letters, ` `, two letters, ` `, three letters)"),
    ("id,born\nk1,01/02/1980\nk2,03/04/1980\n", "demographic.born.missing = false", ["1980"], "is ... or ..."),
    ("id,loy\n" + "".join(f"k{n},{n}\n" for n in range(60)) + "k99,LOY-7\n",
     'demographic.loy.min = 5\n[output]\nhash = ["loy"]', ["LOY-7"], "a value (three letters, `-`, one digit)"),
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize(("customers", "asks", "secrets", "said"), ERRORS)
def test_errors_of_check_quote_no_key_and_no_personal_value(
    desk: Desk, customers: str, asks: str, secrets: list[str], said: str, form: str
) -> None:
    """`apply` shows them to whom runs it; findings of `check` go to code hosts."""
    desk.put("c.csv", customers)
    rules = desk.put("rules.toml", head() + f"[segment.s]\n{asks or 'everyone = true'}\n")
    done = desk.segkit("check", "--data", rules, "--format", form, code=None)
    assert [secret for secret in secrets if secret in done.output] == []
    assert form != "text" or said in done.output
    assert form != "text" or "c.csv:" in done.output or "is ... or" in said
    assert any(secret in desk.segkit("apply", rules, code=3).stderr for secret in secrets)


def test_errors_about_keys_of_events_and_lookups(desk: Desk) -> None:
    desk.put("c.csv", "id,email\nk-secret1,x@x.example\n")
    desk.put("o.csv", "id,day\nK-SECRET9,2024-01-01\n")
    desk.put("l.csv", "email,tier\nx@x.example,1\nx@x.example,2\n")
    events = event_table("o", "o.csv") + '[segment.s]\nbehavioural.did = { events = "o" }\n'
    lookup = '[lookup.l]\npath = "l.csv"\non = "email"\n[segment.s]\ndemographic.tier.min = 1\n'
    for more in (events, lookup):
        done = desk.segkit("check", "--data", desk.put("rules.toml", head() + more), code=1)
        assert "secret" not in done.output.lower() and "x@x" not in done.output
        assert "a value (" in done.output


def test_errors_of_check_show_values_of_other_columns(desk: Desk) -> None:
    desk.put("c.csv", "id,size\n" + "".join(f"k{n},{n}\n" for n in range(60)) + "k99,large\n")
    done = desk.segkit(
        "check", "--data", desk.put("rules.toml", head() + "[segment.s]\ndemographic.size.min = 5\n"), code=1
    )
    assert "cannot read `large` as a whole number in column `size`" in done.output
