"""Keys that are the same but for zeros, case, marks or composed letters: told, or compared so."""

from __future__ import annotations

import pytest

from tests.desk import Desk

RULES = """version = 1
as_of = 2024-02-01
[customers]
path = "c.csv"
key = "id"
KEYS
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
[trait.spent]
events = "orders"
measure = "sum"
[output]
columns = ["spent"]
[segment.s]
everyone = true
"""


def put(desk: Desk, customers: list[str], events: list[str]) -> None:
    desk.put("c.csv", "id,x\n" + "".join(f'"{key}",x\n' for key in customers))
    desk.put("o.csv", "id,day,amount\n" + "".join(f'"{key}",2024-01-02,5\n' for key in events))


def rules(keys: str = "") -> str:
    return RULES.replace("KEYS", keys)


FORMS = [
    ("zeros", "00123", "123"),
    ("zeros", "0", "000"),
    ("case", "ANNA@X.EU", "Anna@x.eu"),
    ("decimals", "123", "123.0"),
    ("decimals", "1,234,567", "1234567"),
    ("decimals", "1234567,00", "1.234.567"),
    ("decimals", "1234", "1 234"),
    ("unicode", "Zo\u00eb", "Zoe\u0308"),
]
IDS = [f"{form}: {customer} and {event}" for form, customer, event in FORMS]


@pytest.mark.parametrize(("form", "customer", "event"), FORMS, ids=IDS)
def test_keys_that_differ_in_form(desk: Desk, form: str, customer: str, event: str) -> None:
    """Told as written, the same with the option, and no word where they are said to differ."""
    put(desk, [customer, "7"], ["7", event])
    (told,) = desk.json(rules())["warnings"]
    assert told["message"].startswith("1 key of `orders` matches a customer but for ")
    assert f'normalise_keys = ["{form}"]' in told["hint"]
    assert customer not in told["message"] + told["hint"], "whoever has the key stays out of manifests"
    spent = {row["id"]: row["spent"] for row in desk.rows(rules(f'normalise_keys = ["{form}"]'))}
    assert spent == {customer: "5", "7": "5"}
    assert desk.json(rules("normalise_keys = []"))["warnings"] == []


@pytest.mark.parametrize("pair", [("A1", "A01"), ("00A", "A"), ("1.5", "15"), ("12.34", "1234"), ("Zoe", "Zo\u00eb")])
def test_keys_that_are_others(desk: Desk, pair: tuple[str, str]) -> None:
    customer, event = pair
    put(desk, [customer, "7"], ["7", event])
    every = 'normalise_keys = ["zeros", "case", "decimals", "unicode"]'
    assert desk.json(rules())["warnings"] == []
    assert {row["id"]: row["spent"] for row in desk.rows(rules(every))} == {customer: "0", "7": "5"}


def test_many_are_an_error(desk: Desk) -> None:
    """Ten, a tenth of the unknown ones, a hundredth of all."""
    known = [f"{n:05}" for n in range(1, 991)]
    put(desk, known, [*known, *map(str, range(1, 11))])
    error = desk.apply(rules(), code=3).stderr
    assert "10 keys of `orders` match a customer but for leading zeros: `1` there, `00001`" in error
    put(desk, known, [*known, *map(str, range(1, 10))])
    assert "9 keys of `orders`" in desk.json(rules())["warnings"][0]["message"]
    strangers = [f"x{n}" for n in range(100)]
    put(desk, known, [*known, *map(str, range(1, 11)), *strangers])
    assert len(desk.json(rules())["warnings"]) == 1, "less than a tenth of the unknown keys"
    more = [f"{n:05}" for n in range(1, 992)]
    put(desk, more, [*more, *map(str, range(1, 11))])
    assert len(desk.json(rules())["warnings"]) == 1, "less than a hundredth of all keys"


def test_no_key_of_any_customer(desk: Desk) -> None:
    """The error that a table has no key of a customer names what would make them the same."""
    put(desk, ["0012", "0013"], ["12", "13"])
    assert 'normalise_keys = ["zeros"]' in desk.apply(rules(), code=3).stderr
    put(desk, ["0012", "0013"], ["a", "b"])
    assert "name the columns that hold the same key" in desk.apply(rules(), code=3).stderr.replace("\n", " ")


def test_two_customers_who_become_one(desk: Desk) -> None:
    put(desk, ["0012", "12", "5"], ["5"])
    error = desk.apply(rules('normalise_keys = ["zeros"]'), code=3).stderr
    assert "`0012` and `12` are one key" in error and "c.csv:3" in error
    kept = desk.rows(rules('normalise_keys = ["zeros"]\nduplicates = "last"'))
    assert [row["id"] for row in kept] == ["12", "5"]


def test_forms_that_are_given_are_asked_no_more(desk: Desk) -> None:
    """The hint names the given form beside the missing one."""
    put(desk, ["A1", "7"], ["7", "a1"])
    (warning,) = desk.json(rules('normalise_keys = ["zeros"]'))["warnings"]
    assert 'normalise_keys = ["case", "zeros"]' in warning["hint"]


def test_the_key_goes_out_as_the_customers_write_it(desk: Desk) -> None:
    """A draw is by that key, too."""
    put(desk, [f"{n:04}" for n in range(1, 200)], ["7"])
    sampled = "[segment.s]\neveryone = true\nsample = 20\n"
    drawn = rules('normalise_keys = ["zeros"]').replace("[segment.s]\neveryone = true\n", sampled)
    as_written = rules("normalise_keys = []").replace("[segment.s]\neveryone = true\n", sampled)
    desk.put("o.csv", "id,day,amount\n0007,2024-01-02,5\n")
    assert [row["id"] for row in desk.rows(drawn)] == [row["id"] for row in desk.rows(as_written)]


def test_suppression_lists(desk: Desk) -> None:
    """Whoever is suppressed but for the spelling is never written by accident: one is enough for an error."""
    put(desk, ["0012", "0013"], ["0012"])
    desk.put("stop.csv", "id\n12\nx\n")
    text = rules("KEYS") + '[consent]\nsuppress = ["stop.csv"]\n'
    told = desk.apply(text.replace("KEYS", ""), code=3).stderr
    assert "matches a customer but for leading zeros: `12` there, `0012` among" in told
    (row,) = desk.rows(text.replace("KEYS", 'normalise_keys = ["zeros"]'))
    assert row["id"] == "0013"
    assert len(desk.rows(text.replace("KEYS", "normalise_keys = []"))) == 2


def test_a_list_that_is_compared_by_two_columns(desk: Desk) -> None:
    """Only those of the key are keys; what each column has is looked at for itself."""
    desk.put("c.csv", "id,mail\n0020,a@x.de\n0021,b@x.de\n")
    desk.put("o.csv", "id,day,amount\n0020,2024-01-01,1\n")
    desk.put("stop.csv", "mail,id\nb@x.de,20\n")
    both = '[consent.channel.mail]\nsuppress = ["stop.csv"]\nsuppress_on = "mail"\n'
    both += '[consent.channel.sms]\nsuppress = ["stop.csv"]\n'
    assert "but for leading zeros" in desk.apply(rules() + both, code=3).stderr
    desk.put("stop.csv", "mail,id\n20,0020\n")
    idle = [w["message"] for w in desk.json(rules() + both)["warnings"] if "nobody" in w["message"]]
    assert idle == ["`stop.csv` suppresses nobody: of its 1 value, none is in column `mail` of the customers"]


@pytest.mark.parametrize("odd", ['"=""2"""', "'2", "2\u200b"])
def test_keys_of_lists_and_lookups_lose_what_spreadsheets_put_around_them(desk: Desk, odd: str) -> None:
    desk.put("c.csv", "id,ref\n1,a\n2,2\n3,b\n")
    desk.put("o.csv", "id,day,amount\n2,2024-01-01,1\n")
    desk.put("stop.csv", f"id\n1\n{odd}\n")
    desk.put("l.csv", f"ref,city\n9,Rome\n{odd},Paris\n")
    lookup = '[lookup.l]\npath = "l.csv"\non = "ref"\n'
    text = rules().replace('columns = ["spent"]', 'columns = ["city"]') + lookup
    assert [row["city"] for row in desk.rows(text)] == ["", "Paris", ""]
    (row,) = desk.rows(text + '[consent]\nsuppress = ["stop.csv"]\n')
    assert row["id"] == "3"
    desk.put("c.csv", f"id,ref\n1,a\n2,{odd}\n3,b\n")
    desk.put("l.csv", "ref,city\n9,Rome\n2,Paris\n")
    assert [row["city"] for row in desk.rows(text)] == ["", "Paris", ""]


def test_a_padded_key_does_not_hide_the_others(desk: Desk) -> None:
    desk.put("c.csv", "id,x\n1,x\n2,x\n")
    desk.put("o.csv", 'id,day,amount\n1 ,2024-01-01,1\n\'2,2024-01-02,2\n"=""2""",2024-01-02,3\n')
    assert {row["id"]: row["spent"] for row in desk.rows(rules())} == {"1": "1", "2": "5"}


def test_all_unknown_keys_are_looked_at(desk: Desk) -> None:
    """However many strangers stand before them, in whatever order."""
    strangers = [f"0a{n}" for n in range(12_000)]
    put(desk, [f"USER{n}" for n in range(3000)], [*strangers, "USER7", *(f"user{n}" for n in range(3000))])
    assert "3,000 keys of `orders` match a customer but for case" in desk.apply(rules(), code=3).stderr


def test_forms_that_only_work_together(desk: Desk) -> None:
    put(desk, ["123", "7"], ["7", "00123.0"])
    assert 'normalise_keys = ["decimals", "zeros"]' in desk.json(rules())["warnings"][0]["hint"]
    assert (
        'normalise_keys = ["decimals", "zeros"]'
        in desk.json(rules('normalise_keys = ["zeros"]'))["warnings"][0]["hint"]
    )


def test_what_would_make_two_customers_one_is_not_offered(desk: Desk) -> None:
    put(desk, ["12", "012", "7"], ["7", "0012"])
    (warning,) = desk.json(rules())["warnings"]
    assert "two customers would be one customer" in warning["hint"]
    assert "12" not in warning["hint"]  # warnings stand in the manifest


def test_windows_from_a_date_of_the_customer(desk: Desk) -> None:
    """Dates of customers reach their events whatever form the key has."""
    desk.put("c.csv", "id,joined\n007,2024-01-10\n8,2024-01-01\n")
    desk.put("o.csv", "id,day,amount\n7,2024-01-02,5\n7,2024-01-12,6\n8,2024-01-12,1\n")
    since = rules('normalise_keys = ["zeros"]').replace(
        'measure = "sum"', 'measure = "sum"\nsince = { column = "joined" }'
    )
    assert {row["id"]: row["spent"] for row in desk.rows(since)} == {"007": "6", "8": "1"}


def test_customers_of_events_are_one_where_their_keys_are(desk: Desk) -> None:
    """Their key is written in the form in which keys are compared: it does not change with the rows that there are."""
    desk.put("o.csv", "id,day,amount\n12,2024-01-03,5\n0012,2024-01-02,6\n7,2024-01-02,1\n")
    text = rules('normalise_keys = ["zeros"]').replace('path = "c.csv"', 'from = "orders"')
    assert {row["id"]: row["spent"] for row in desk.rows(text)} == {"12": "11", "7": "1"}


def test_lookups_keep_their_own_keys(desk: Desk) -> None:
    put(desk, ["0012", "7"], ["12"])
    desk.put("l.csv", "id,city\n12,Paris\n7,Rome\n")
    text = rules('normalise_keys = ["zeros"]').replace('columns = ["spent"]', 'columns = ["spent", "city"]')
    text += '[lookup.place]\npath = "l.csv"\non = "id"\n'
    assert {row["id"]: row["city"] for row in desk.rows(text)} == {"0012": "", "7": "Rome"}


# --- keys that lost digits, headers that come again, totals ---


def test_event_keys_that_lost_digits(desk: Desk) -> None:
    put(desk, ["123457000001", "5"], ["5", "1.23457E+11"])
    assert "lost its last digits in a spreadsheet" in desk.apply(rules(), code=3).stderr
    assert {row["id"] for row in desk.rows(rules("normalise_keys = []"))} == {"123457000001", "5"}
    put(desk, ["123457000001", "5"], ["5"])
    desk.put("stop.csv", "id\n5\n1.23457e+11\n")
    assert "stop.csv:3" in desk.apply(rules() + '[consent]\nsuppress = "stop.csv"\n', code=3).stderr
    desk.put("stop.csv", "id\n5\n1.23457E+11\n")
    assert "stop.csv:3" in desk.apply(rules() + '[consent]\nsuppress = "stop.csv"\n', code=3).stderr


def test_hexadecimal_keys_are_keys(desk: Desk) -> None:
    put(desk, ["9E289761", "1E5", "12E7"], ["1E5"])
    assert [row["spent"] for row in desk.rows(rules())] == ["0", "5", "0"]


def test_floats_do_not_tell_large_numbers_apart(desk: Desk) -> None:
    desk.put("c.ndjson", '{"id":9007199254740993}\n{"id":17850.0}\n')
    desk.put("o.csv", "id,day,amount\n17850,2024-01-01,1\n")
    text = rules().replace("c.csv", "c.ndjson")
    assert "lost its last digits as a float" in desk.apply(text, code=3).stderr
    desk.put("c.ndjson", '{"id":1234567890123456}\n{"id":17850.0}\n')
    assert [row["id"] for row in desk.rows(text)] == ["1234567890123456", "17850"]


HEADERS = [
    ('rename = { who = "id" }\nkey = "who"', 'where.who.not = "id"'),
    ('derive = { k = "UPPER(id)" }\nkey = "k"', 'where.id.not = "id"'),
    ("", 'where.id.not = "id"'),
]


@pytest.mark.parametrize(("keys", "mend"), HEADERS)
@pytest.mark.parametrize("again", ["id,day,amount", "ID,Day,Amount", "\ufeffid,day,amount", " id ,day, amount"])
def test_a_header_that_comes_again_among_events(desk: Desk, keys: str, mend: str, again: str) -> None:
    desk.put("c.csv", "id,x\nk1,x\nk2,x\nK1,x\nK2,x\n")
    desk.put("o.csv", f"id,day,amount\nk1,2024-01-01,1\n{again}\nk2,2024-01-02,2\n")
    text = rules("normalise_keys = []").replace('amount = "amount"', f'amount = "amount"\n{keys}')
    told = desk.apply(text, code=3).stderr
    assert "o.csv:3" in told and mend in told
    mended = mend if "ID" not in again else mend.replace('not = "id"', 'not_in = ["id", "ID"]')
    spent = sorted(
        row["spent"]
        for row in desk.rows(
            text.replace(keys, f"{keys}\n{mended}")
            if keys
            else text.replace('amount = "amount"', f'amount = "amount"\n{mended}')
        )
    )
    assert spent == ["0", "0", "1", "2"]


@pytest.mark.parametrize(
    "keys", ['key = "id"', 'key = "k"\nderive = { k = "CONCAT(\'x\', id)" }', 'rename = { w = "id" }\nkey = "w"']
)
@pytest.mark.parametrize("again", ["id,v", "\ufeffid,v", "ID,V"])
def test_a_header_that_comes_again_among_customers(desk: Desk, keys: str, again: str) -> None:
    desk.put("c.csv", f"id,v\nk1,1\n{again}\nk2,2\n")
    text = f'version = 1\n[customers]\npath = "c.csv"\n{keys}\n[segment.s]\neveryone = true\n'
    assert "c.csv:3" in desk.apply(text, code=3).stderr


def test_a_column_may_be_called_as_its_values_are(desk: Desk) -> None:
    desk.put("c.csv", "id,1,yes,X\na,1,yes,X\nb,1,yes,\n")
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\ntypes = { X = "boolean", yes = "boolean" }\n'
    text = head + "[segment.s]\nsql = '\"1\" = 1'\ndemographic.X = false\ndemographic.yes = true\n"
    assert [row["id"] for row in desk.rows(text)] == ["b"]


CUSTOMERS = 'version = 1\n[customers]\npath = "c*.csv"\nkey = "id"\nKEYS\n[segment.s]\neveryone = true\n'


def test_totals_above_blank_fields_and_below_other_totals(desk: Desk) -> None:
    desk.put("c.csv", "id,v,w\nk1,1,a\nk2,2,b\nTotal,3,\n,,\n")
    assert "looks like a total" in desk.apply(CUSTOMERS.replace("KEYS", ""), code=3).stderr
    desk.put("c.csv", "id,v,w\nk1,1,a\nk2,2,b\nSubtotal,3,\nTotal,3,\n")
    assert "skip_footer = 2" in desk.apply(CUSTOMERS.replace("KEYS", ""), code=3).stderr
    assert "skip_footer = 2" in desk.apply(CUSTOMERS.replace("KEYS", "skip_footer = 1"), code=3).stderr
    assert [row["id"] for row in desk.rows(CUSTOMERS.replace("KEYS", "skip_footer = 2"))] == ["k1", "k2"]
    desk.put("c.csv", "id,v,w\nk1,1,a\nk2,2,b\nTotal,3,\n")
    derived = CUSTOMERS.replace('key = "id"', 'key = "k"\nderive = { k = "UPPER(id)" }')
    assert "looks like a total" in desk.apply(derived.replace("KEYS", ""), code=3).stderr


def test_a_total_of_one_file_among_several(desk: Desk) -> None:
    """`skip_footer` would take a customer of the other file; where it does, that is told."""
    desk.put("c1.csv", "id,v,w\nk1,1,a\nk2,2,b\n")
    desk.put("c2.csv", "id,v,w\nk3,1,a\nTotal,3,\n")
    told = desk.apply(CUSTOMERS.replace("KEYS", ""), code=3).stderr
    assert 'where.id.not = "Total"' in told and "skip_footer" not in told
    kept = desk.rows(CUSTOMERS.replace("KEYS", 'where.id.not = "Total"'))
    assert [row["id"] for row in kept] == ["k1", "k2", "k3"]
    (warning,) = desk.json(CUSTOMERS.replace("KEYS", "skip_footer = 1"))["warnings"]
    assert "`skip_footer` leaves out line 3 of `c1.csv`, which reads as a row" in warning["message"]


def test_a_guest_at_the_end_of_events_is_a_customer(desk: Desk) -> None:
    desk.put("o.csv", "id,day,amount,note\nK1,2024-01-01,1,a\nK2,2024-01-01,2,b\nguest,2024-01-02,3,\n")
    text = rules().replace('path = "c.csv"', 'from = "orders"')
    assert {row["id"]: row["spent"] for row in desk.rows(text)} == {"K1": "1", "K2": "2", "guest": "3"}


def test_missing_keys_stay_missing_in_any_spelling(desk: Desk) -> None:
    put(desk, ["A1", "7"], ["7", "N/A", "a1"])
    (table,) = [t for t in desk.json(rules('normalise_keys = ["case"]'))["tables"] if t["name"] == "orders"]
    assert {reason: n for reason, n in table["left_out"].items() if n} == {"no_key": 1}


def test_only_keys_are_compared_so(desk: Desk) -> None:
    desk.put("c.csv", "id,code\n1,007\n2,8\n")
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,1\n")
    desk.put("stop.csv", "code\n7\n8\n")
    text = rules('normalise_keys = ["zeros"]') + '[consent]\nsuppress = ["stop.csv"]\nsuppress_on = "code"\n'
    assert [row["id"] for row in desk.rows(text.replace('columns = ["spent"]', 'columns = ["spent"]'))] == ["1"]


def test_events_of_customers_that_where_leaves_out(desk: Desk) -> None:
    desk.put("c.csv", "id,x\n007,a\n8,b\n")
    desk.put("o.csv", "id,day,amount\n7,2024-01-01,1\n")
    text = rules('normalise_keys = ["zeros"]\nwhere.x = "b"')
    assert [row["spent"] for row in desk.rows(text)] == ["0"], "no error: they have a customer, who is left out"


def test_overlapping_files_whose_keys_differ_in_form(desk: Desk) -> None:
    put(desk, ["007"], [])
    desk.put("o1.csv", "id,day,amount\n7,2024-01-01,1\n")
    desk.put("o2.csv", "id,day,amount\n007,2024-01-01,1\n")
    text = rules('normalise_keys = ["zeros"]').replace('"o.csv"', '["o1.csv", "o2.csv"]')
    assert any("1 row of `orders` stands in two files" in w["message"] for w in desk.json(text)["warnings"])


def test_customers_of_events_under_several_spellings_are_told(desk: Desk) -> None:
    put(desk, ["x"], ["00042", "42", "K7", "k7", "9"])
    text = rules("KEYS").replace('path = "c.csv"', 'from = "orders"')
    (warning,) = desk.json(text.replace("KEYS", ""))["warnings"]
    assert "2 customers of `orders` would be another but for" in warning["message"]
    assert desk.json(text.replace("KEYS", "normalise_keys = []"))["warnings"] == []
    merged = desk.json(text.replace("KEYS", 'normalise_keys = ["zeros", "case"]'))
    assert merged["customers"] == 3 and merged["warnings"] == []


def test_tables_without_rows_are_told(desk: Desk) -> None:
    put(desk, ["1"], [])
    told = [warning["message"] for warning in desk.json(rules())["warnings"]]
    assert "`orders` has no rows" in told


def test_what_a_suppression_list_finds_is_said(desk: Desk) -> None:
    put(desk, ["1", "2", "3"], ["1"])
    desk.put("stop.csv", "id\n1\n2\nx\n")
    done = desk.json(rules() + '[consent]\nsuppress = "stop.csv"\n')
    (table,) = [table for table in done["tables"] if table["name"] == "suppress.stop.csv"]
    assert table["detected"]["by id"] == "3 values, 2 customers found"


@pytest.mark.parametrize(("count", "kept"), [(2, ["k1", "k2"]), (3, ["k1", "k2"]), (4, ["k1"])])
def test_blank_lines_within_a_footer_count(desk: Desk, count: int, kept: list[str]) -> None:
    """As lines above the header do; those that end the file do not. A row that goes is told."""
    desk.put("c.csv", "id,day,v\nk1,2024-01-01,1\nk2,2024-01-02,2\n\nTotal,,3\nPage 1,,\n\n")
    text = CUSTOMERS.replace("KEYS", f"skip_footer = {count}")
    done = desk.apply(text, "-o", "-", "--summary", "none")
    assert [row["id"] for row in desk.read(done.stdout_bytes)] == kept
    assert ("which reads as a row" in done.stderr) == (count == 4)


def test_the_name_of_a_column_in_a_row_that_is_no_header_is_a_bad_value(desk: Desk) -> None:
    put(desk, ["1"], ["1"])
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,5\n1,2024-01-02,amount\n" + "1,2024-01-03,1\n" * 30)
    assert "cannot read `amount` as an amount" in desk.apply(rules(), code=3).stderr
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,5\n1,day,amount\n" + "1,2024-01-03,1\n" * 30)
    assert "cannot read `day` as a date" in desk.apply(rules(), code=3).stderr
