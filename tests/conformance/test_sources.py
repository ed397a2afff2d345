"""What comes in: formats, encodings, keys, types, lookups, and what is said about all that."""

from __future__ import annotations

import datetime as dt
import gzip
import json

import polars as pl
import pytest

from tests.desk import Content, Desk, head, zstd

TABLE = pl.DataFrame({"id": ["a", "b", "c"], "age": [20, 30, None], "city": ["Nîmes", "Brest", "Köln"]})
TEXT = "id,age,city\na,20,Nîmes\nb,30,Brest\nc,,Köln\n"


FILES: dict[str, Content | dict[str, Content]] = {
    "c.csv": TEXT,
    "crlf.csv": TEXT.replace("\n", "\r\n"),
    "no-line-end.csv": TEXT.rstrip("\n"),
    "blank-lines.csv": TEXT + "\n\n",
    "semicolon.csv": TEXT.replace(",", ";"),
    "pipe.csv": TEXT.replace(",", "|"),
    "tab.csv": TEXT.replace(",", "\t"),
    "c.tsv": TEXT.replace(",", "\t"),
    "c.txt": TEXT.replace(",", ";"),
    "quoted.csv": '"id","age","city"\n"a","20","Nîmes"\n"b","30","Brest"\n"c","","Köln"\n',
    "bom.csv": b"\xef\xbb\xbf" + TEXT.encode(),
    "cp1252.csv": TEXT.encode("cp1252"),
    "utf16.csv": TEXT.encode("utf-16"),
    "c.csv.gz": gzip.compress(TEXT.encode()),
    "cp1252.csv.gz": gzip.compress(TEXT.encode("cp1252")),
    "c.ndjson": TABLE,
    "c.ndjson.gz": gzip.compress(TABLE.write_ndjson().encode()),
    "c.parquet": TABLE,
    "c.arrow": TABLE,
    "part-*.csv": {"part-1.csv": "id,age,city\na,20,Nîmes\n", "part-2.csv": "id,age,city\nb,30,Brest\nc,,Köln\n"},
    "part-*.parquet": {"part-1.parquet": TABLE[:1], "part-2.parquet": TABLE[1:]},
    "part-*.csv.gz": {"part-1.csv.gz": gzip.compress(b"id,age,city\na,20,N\xc3\xaemes\n"), "part-2.csv.gz": gzip.compress("id,age,city\nb,30,Brest\nc,,Köln\n".encode())},
}  # fmt: skip


@pytest.mark.parametrize("path", FILES)
def test_every_format_reads_the_same(desk: Desk, path: str) -> None:
    content = FILES[path]
    for name, one in content.items() if isinstance(content, dict) else [(path, content)]:
        desk.put(name, one)
    cases = {
        "demographic.age.min = 30": ["b"],
        'geographic.city = ["Nîmes", "Köln"]': ["a", "c"],
        "demographic.age.missing = true": ["c"],
    }
    assert desk.members(head(path=path), {c: c for c in cases}) == cases


def test_zstd(desk: Desk) -> None:
    desk.put("c.csv.zst", zstd(TEXT.encode()))
    assert desk.members(head(path="c.csv.zst"), {"s": "demographic.age.min = 30"})["s"] == ["b"]


def test_standard_input(desk: Desk) -> None:
    for option in ([], ["--customers", "-"]):
        rules = head(path="-" if not option else "c.csv") + "[segment.s]\ndemographic.age.min = 30\n"
        rows = desk.rows(rules, *option, input=TEXT.encode())
        assert [r["id"] for r in rows] == ["b"]


def test_what_was_detected_is_shown(desk: Desk) -> None:
    desk.put("c.csv", TEXT.replace(",", ";").encode("cp1252"))
    done = desk.apply(head() + "[segment.s]\ndemographic.age.min = 30\n", "-v")
    assert "cp1252" in done.stderr
    assert ";" in done.stderr
    detected = desk.json(head() + "[segment.s]\ndemographic.age.min = 30\n")["tables"][0]["detected"]
    assert (detected["encoding"], detected["delimiter"]) == ("cp1252", ";")


# --- values ---

VALUES = [
    # the column as text, keys of the source, condition -> who (a, b, c, d in order)
    (["1,5", "2,25", "3", ""], "", "x.above = 2", "b c"),
    (["1.234,5", "2.000,00", "-3,1", ""], "", "x.above = 1234", "a b"),
    (["1 234,56 €", "99,00 €", "12 €", ""], "", "x.min = 99", "a b"),
    (["1e3", "5", "2.5e-1", ""], "", "x.min = 1000", "a"),
    (["+5", "-5", ".5", "5."], "", "x.min = 5", "a d"),
    (["1,234", "2,500", "12", ""], 'thousands = ","', "x.min = 1000", "a b"),
    (["1,234", "2,5", "12", ""], 'decimal = ","', "x.above = 2", "b c"),
    (["1'234", "2'500'000", "12", ""], "", "x.min = 1000", "a b"),
    (["yes", "NO", "Yes", ""], 'types = { x = "boolean" }', "x = true", "a c"),
    (["oui", "non", "OUI", ""], 'types = { x = "boolean" }', "x = true", "a c"),
    (["1", "0", "1", ""], 'types = { x = "boolean" }', "x = true", "a c"),
    (["Y", "N", "y", ""], 'types = { x = "boolean" }', "x = false", "b"),
    (["true", "FALSE", "True", ""], "", "x = true", "a c"),
    (["true", "FALSE", "True", ""], 'types = { x = "text" }', 'x = "True"', "c"),
    (["01234", "99999", "75001", ""], "", 'x.starts_with = "0"', "a"),
    (["1234", "99999", "75001", ""], 'types = { x = "text" }', 'x.starts_with = "7"', "c"),
    (["0", "0.5", "10", ""], "", "x.min = 0.5", "b c"),
    (["2024-03-01", "2023-12-31", "2024-02-29 23:59", ""], "", "x.min = 2024-02-29", "a c"),
    (["31/01/2024", "01/02/2024", "15/02/2024", ""], "", "x.min = 2024-02-01", "b c"),
    (["1/31/2024", "2/1/2024", "12/15/2023", ""], "", "x.min = 2024-02-01", "b"),
    (["01/02/2024", "02/01/2024", "03/03/2024", ""], 'date_format = "%d/%m/%Y"', "x.min = 2024-02-01", "a c"),
    (["01/02/2024", "02/01/2024", "03/03/2024", ""], 'date_format = "%m/%d/%Y"', "x.min = 2024-02-01", "b c"),
    (["31.01.2024", "01.02.2024", "15.02.2024", ""], "", "x.min = 2024-02-01", "b c"),
    (["20240131", "20240201", "20240215", ""], 'types = { x = "date" }', "x.min = 2024-02-01", "b c"),
    (["24-01-31", "24-02-01", "24-02-15", ""], 'date_format = "%y-%m-%d"', "x.min = 2024-02-01", "b c"),
    (["NULL", "5", "7", ""], 'null_values = ["NULL"]', "x.missing = true", "a d"),
    (["-", "5", "7", "n/a"], 'null_values = ["-", "n/a"]', "x.min = 5", "b c"),
    (["0", "5", "7", ""], 'null_values = "0"', "x.missing = true", "a d"),
    (["666666", "5", "7", "6"], 'null_values = ["666666"]', "x.min = 6", "c d"),
    ([" ", "5", "7", "  "], "", "x.missing = true", "a d"),
    (["9007199254740993", "9007199254740992", "1", ""], "", "x.above = 9007199254740992", "a"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "keys", "condition", "who"), VALUES, ids=[f"{v[0]} {k} {c}" for v, k, c, _ in VALUES]
)
def test_values(desk: Desk, values: list[str], keys: str, condition: str, who: str) -> None:
    desk.put("c.csv", "id;x\n" + "".join(f"{i};{v}\n" for i, v in zip("abcd", values, strict=True)))
    assert desk.members(head(keys), {"s": f"demographic.{condition}"})["s"] == who.split()


def test_money_with_its_sign(desk: Desk) -> None:
    desk.put("c.csv", 'id,x\na,"$90,000 "\nb,"$100,000 "\nc,"$8,500 "\nd,\n')
    assert desk.members(head(), {"s": "demographic.x.min = 90000"})["s"] == ["a", "b"]


AMBIGUOUS = "id,day,total\na,01/02/2015,1\nb,03/04/2015,2\n"


def test_a_date_that_nothing_settles_is_an_error_with_both_readings(desk: Desk) -> None:
    desk.put("c.csv", AMBIGUOUS)
    done = desk.apply(head() + "[segment.s]\ndemographic.day.min = 2015-01-15\n", code=3)
    assert "1 February 2015" in done.stderr
    assert "2 January 2015" in done.stderr
    assert "date_format" in done.stderr


def test_a_column_settles_its_dates_whatever_line_says_so(desk: Desk) -> None:
    desk.put("c.csv", AMBIGUOUS + "".join(f"x{i},05/06/2015,3\n" for i in range(5000)) + "z,31/12/2015,4\n")
    found = desk.members(head(), {"s": "demographic.day = 2015-02-01"})["s"]
    assert found == ["a"]


def test_ambiguous_dates_that_no_rule_reads_are_nobodys_business(desk: Desk) -> None:
    desk.put("c.csv", AMBIGUOUS)
    rows = desk.rows(head() + "[segment.s]\neveryone = true\n")
    assert [r["day"] for r in rows] == ["01/02/2015", "03/04/2015"]


BAD = [
    ("day", "types = { day = 'date' }", ["2024-01-01", "31/02/2024", "2024-01-03"], "31/02/2024"),
    ("day", "", ["2024-01-01", "2024-02-31", "2024-01-03"], "2024-02-31"),
    ("day", "", ["2024-01-01", "soon", "2024-01-03"], "soon"),
    ("n", "types = { n = 'number' }", ["1", "inf", "3"], "inf"),
    ("n", "types = { n = 'number' }", ["1", "1e999", "3"], "1e999"),
    ("n", "types = { n = 'number' }", ["1", "12 apples", "3"], "12 apples"),
    ("ok", "types = { ok = 'boolean' }", ["yes", "maybe", "no"], "maybe"),
]


@pytest.mark.parametrize(("column", "keys", "values", "value"), BAD)
def test_a_bad_value_is_an_error_with_its_place(
    desk: Desk, column: str, keys: str, values: list[str], value: str
) -> None:
    desk.put("c.csv", f"id,{column}\n" + "".join(f"{i},{v}\n" for i, v in zip("abc", values, strict=True)))
    condition = {"day": "min = 2000-01-01", "n": "min = 0", "ok": "is = true"}[column]
    rules = head(keys) + f"[segment.s]\ndemographic.{column}.{condition}\n"
    if column == "day" and not keys and value == "soon":
        rules = rules.replace('key = "id"', 'key = "id"\ntypes = { day = "date" }')
    done = desk.apply(rules, code=3)
    assert "c.csv:3" in done.stderr
    assert f"`{value}`" in done.stderr
    assert f"`{column}`" in done.stderr
    assert "bad_values" in done.stderr
    forgiving = rules.replace('key = "id"', 'key = "id"\nbad_values = "missing"')
    assert [r["id"] for r in desk.rows(forgiving)] == (["a", "c"] if column != "ok" else ["a"])
    customers = desk.json(forgiving)["tables"][0]
    assert 1 in customers["left_out"].values() or any("1" in w["message"] for w in desk.json(forgiving)["warnings"])


def test_five_bad_values_and_their_count(desk: Desk) -> None:
    desk.put("c.csv", "id,day\n" + "".join(f"{i},2024-02-{28 + i % 4}\n" for i in range(40)))
    done = desk.apply(head() + "[segment.s]\ndemographic.day.min = 2000-01-01\n", code=3)
    assert "20" in done.stderr.replace("2024", "")
    assert [f"c.csv:{line}" in done.stderr for line in (4, 5, 8, 9, 12, 13)] == [True] * 5 + [False]


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_infinity_is_a_bad_value_and_nan_is_missing(desk: Desk, format: str) -> None:
    frame = pl.DataFrame({"id": ["a", "b", "c"], "day": ["2024-01-01"] * 3, "total": [1.0, float("nan"), 2.0]})
    desk.put(f"o.{format}", frame)
    text = f'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "id"\n[events.o]\npath = "o.{format}"\ntime = "day"\namount = "total"\n[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    assert desk.columns(text, "spend") == {"a": "1", "b": "0", "c": "2"}
    desk.put(f"o.{format}", frame.with_columns(total=pl.Series([1.0, float("inf"), float("-inf")])))
    done = desk.apply(text + "[segment.s]\nbehavioural.spend.min = 1\n", code=3)
    assert "inf" in done.stderr
    assert "`total`" in done.stderr


# --- money ---


def money_head(more: str = "") -> str:
    return f'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "id"\n[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\n{more}\n[trait.spend]\nevents = "o"\nmeasure = "sum"\n'


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        (["0.1"] * 10, "1"),
        (["0.0000000001", "0.0000000002"], "0.0000000003"),
        (["123456789012345678.01", "0.02"], "123456789012345678.03"),
        (["10.50", "-10.5"], "0"),
        (["1e2", "1.5E-1"], "100.15"),
        (["19.99"], "19.99"),
        (["100", "200"], "300"),
    ],
)
def test_money_is_exact(desk: Desk, amounts: list[str], total: str) -> None:
    desk.put("o.csv", "id,day,total\n" + "".join(f"a,2024-01-01,{a}\n" for a in amounts))
    assert desk.columns(money_head(), "spend") == {"a": total}


def test_more_than_ten_decimals_are_a_bad_value(desk: Desk) -> None:
    desk.put("o.csv", "id,day,total\na,2024-01-01,1\na,2024-01-01,0.12345678901\n")
    done = desk.apply(money_head() + "[segment.s]\nbehavioural.spend.min = 0\n", code=3)
    assert "`0.12345678901`" in done.stderr
    assert "o.csv:3" in done.stderr


def test_sql_makes_exact_money(desk: Desk) -> None:
    desk.put("o.csv", "id,day,qty,price\na,2024-01-01,3,0.1\na,2024-01-01,-1,0.3\nb,2024-01-01,7,1.4286\n")
    text = money_head('derive = { total = "qty * price" }')
    assert desk.columns(text, "spend") == {"a": "0", "b": "10.0002"}


# --- keys ---


def test_keys_stay_as_they_are_trimmed(desk: Desk) -> None:
    desk.put("c.csv", "id,n\n 00042 ,1\n17850.0,2\n7,3\n,4\n  ,5\n")
    found = desk.members(head(), {"s": "demographic.n.min = 1"})["s"]
    assert found == ["00042", "17850.0", "7"]
    left_out = desk.json(head() + "[segment.s]\neveryone = true\n")["tables"][0]["left_out"]
    assert left_out["no_key"] == 2


def test_a_lookup_may_have_the_name_of_a_column(desk: Desk) -> None:
    desk.put("c.csv", "id,country\na,FR\nb,DE\n")
    desk.put("l.csv", "country,region\nFR,west\n")
    text = head() + '[lookup.country]\npath = "l.csv"\non = "country"\n'
    assert desk.members(text, {"s": 'geographic.region = "west"'})["s"] == ["a"]


def test_dates_half_day_first_and_half_month_first(desk: Desk) -> None:
    """Day first is taken, and the others are told: no value reads both ways."""
    desk.put("c.csv", "id,day\na,16/06/2017\nb,06/17/2017\nc,05/05/2017\n")
    done = desk.apply(head() + "[segment.s]\ndemographic.day.before = 2019-01-01\n", code=3)
    assert "cannot read `06/17/2017` as a date in column `day`" in done.stderr
    assert "c.csv:3\n" in done.stderr


def test_padded_keys_of_events_beyond_those_looked_at(desk: Desk) -> None:
    """Their keys are grouped as they come, and trimmed only where some have to be."""
    keys = ["a", "b"] * 2_000 + [" a", "b ", "  ", "", None, "nobody "]
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.parquet", pl.DataFrame({"id": keys, "day": [dt.date(2024, 1, 1)] * len(keys)}))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n[trait.n]\nevents = "o"\n'
    assert desk.columns(text, "n") == {"a": "2001", "b": "2001"}
    counts = desk.json(text + "[segment.s]\nbehavioural.n.min = 1\n")["tables"][1]
    assert counts["left_out"] == {"no_key": 3, "no_time": 0, "after_as_of": 0, "unknown_customer": 1}


@pytest.mark.parametrize("odd", [" x", "x ", "\u2003x"])
@pytest.mark.parametrize("key", ["a", None])
def test_padded_keys_of_a_lookup_beyond_those_looked_at(desk: Desk, odd: str, key: str | None) -> None:
    """They are looked up as they come, and trimmed only where nothing is found; those without a customer too."""
    rows = {"id": ["a"] * 4_000 + [key, "a"], "product": ["y"] * 4_000 + [odd, " "]}
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line\n x ,first\ny,second\n")
    desk.put("o.parquet", pl.DataFrame({**rows, "day": [dt.date(2024, 1, 1)] * 4_002}))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n'
    text += '[lookup.product]\npath = "p.csv"\non = "product"\ninto = "o"\ncolumns = ["line"]\n'
    text += '[trait.n]\nevents = "o"\nwhere.line = "first"\n[trait.none]\nevents = "o"\nwhere.line.missing = true\n'
    assert desk.columns(text, "n") == {"a": "1" if key else "0"}
    assert desk.columns(text, "none") == {"a": "1"}
    tables = desk.json(text + "[segment.s]\nbehavioural.none.min = 1\n")["tables"]
    counts = next(table for table in tables if table["name"] == "o")
    left_out = {"no_key": 0 if key else 1, "no_time": 0, "after_as_of": 0, "unknown_customer": 0}
    assert (counts["rows"], counts["left_out"]) == (4_002, left_out)


def test_a_padded_key_of_the_lookup_that_tells_whose_an_event_is(desk: Desk) -> None:
    """Beyond the rows looked at: without the lookup's row, the event has no key, which must not be all that is seen."""
    cards = ["1"] * 4_000 + [" 2", "3", None]
    desk.put("c.csv", "id\na\nb\n")
    desk.put("cards.csv", "card,owner\n1,a\n2,b\n")
    desk.put("o.parquet", pl.DataFrame({"card": cards, "day": [dt.date(2024, 1, 1)] * len(cards)}))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\nkey = "owner"\n'
    text += '[lookup.card]\npath = "cards.csv"\non = "card"\ninto = "o"\n[trait.n]\nevents = "o"\n'
    assert desk.columns(text, "n") == {"a": "4000", "b": "1"}
    tables = desk.json(text + "[segment.s]\nbehavioural.n.min = 1\n")["tables"]
    assert next(table for table in tables if table["name"] == "o")["left_out"]["no_key"] == 2


@pytest.mark.parametrize(("odd", "passes"), [(" y", 2), (" z", 1)])
def test_only_keys_that_trimming_brings_to_a_row_are_read_again(desk: Desk, odd: str, passes: int) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line\ny,second\n")
    rows = {"id": ["a"] * 4_001, "product": ["y"] * 4_000 + [odd], "day": [dt.date(2024, 1, 1)] * 4_001}
    desk.put("o.parquet", pl.DataFrame(rows))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n'
    text += '[lookup.product]\npath = "p.csv"\non = "product"\ninto = "o"\ncolumns = ["line"]\n'
    text += '[segment.s]\nbehavioural.did = { events = "o", where.line = "second" }\n'
    assert desk.apply(text, "-v").stderr.count(" s  reading ") == passes


EVENTS = '[events.o]\npath = "o.csv"\ntime = "day"\n'
PRODUCTS = '[lookup.product]\npath = "p.csv"\non = "product"\ninto = "o"\n'
OF_A_LOOKUP = {
    'line = "first"': "1",
    'line.not = "first"': "2",
    "line.missing = true": "4",
    "line.missing = false": "3",
    'line = { is = "first", or_missing = true }': "5",
    'line = { not = "first", or_missing = true }': "6",
    'line = { is = "FIRST", ignore_case = true }': "1",
    'line = { in = ["first", "second"] }\nwhere.price.min = 1.5': "1",
    "price.between = [1, 3]": "3",
    "price = { above = 1, or_missing = true }": "6",
}


@pytest.mark.parametrize(("where", "count"), OF_A_LOOKUP.items(), ids=OF_A_LOOKUP)
@pytest.mark.parametrize("of", ["trait", "events"])
def test_conditions_on_what_a_lookup_brings_to_events(desk: Desk, of: str, where: str, count: str) -> None:
    """One event of x, y and z each, of v, which has neither line nor price, of n and m, which no row has, and of none."""
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line,price\nx,first,1\ny,second,2\nz,third,3\nv,,\n")
    desk.put("o.csv", "id,day,product\n" + "".join(f"a,2024-01-01,{p}\n" for p in ("x", "y", "z", "v", "n", "m", "")))
    text = head() + EVENTS + (f"where.{where}\n" if of == "events" else "")
    text += PRODUCTS
    text += '[trait.n]\nevents = "o"\n' + (f"where.{where}\n" if of == "trait" else "")
    assert desk.columns(text, "n") == {"a": count}


def test_how_many_rows_a_lookup_finds_something_for(desk: Desk) -> None:
    """For customers, for events, and for customers by a computed column; of rows that are left out, too, and where what
    is found has no value.
    """
    desk.put("c.csv", "id,zip\na,1\nb,2\n,1\nd,\n")
    desk.put("z.csv", "zip,town\n1,Bourg\n3,Lausanne\n4,\n")
    desk.put("p.csv", "product,line\nx,first\nv,\n")
    desk.put(
        "o.csv",
        "id,day,product\na,2024-01-01,x\na,2024-01-02,x\nd,2024-01-01,x\nb,,x\nb,2024-01-01,v\na,2024-01-01,n\n",
    )
    text = head() + '[events.o]\npath = "o.csv"\ntime = "day"\nwhere.day.min = 2024-01-02\n'
    text += '[lookup.zips]\npath = "z.csv"\non = "zip"\n'
    text += PRODUCTS
    text += '[trait.best]\nevents = "o"\nmeasure = "most_frequent"\nof = "product"\nwhere.line = "first"\n'
    text += '[lookup.best]\npath = "p.csv"\non = { best = "product" }\nrename = { best_line = "line" }\ncolumns = ["best_line"]\n'
    criteria = 'geographic.town = "Bourg"\nbehavioural.best_line = "first"\n'
    tables = {t["name"]: t for t in desk.json(f"{text}[segment.s]\n{criteria}")["tables"]}
    assert tables["customers"]["detected"]["lookup zips"] == "found for 2 of 4 rows"
    assert tables["customers"]["detected"]["lookup best"] == "found for 1 of 3 customers"
    assert tables["o"]["detected"]["lookup product"] == "found for 5 of 6 rows"


def test_a_lookup_that_is_not_joined_to_the_events_that_have_its_key(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line\nx,first\n")
    desk.put("o.csv", "id,day,product\na,2024-01-01,x\n")
    text = head() + EVENTS + PRODUCTS.replace('into = "o"\n', "")
    done = desk.apply(text + '[segment.s]\nbehavioural.did = { events = "o", where.line = "first" }\n', code=2)
    assert 'hint: `o` has it: to join the lookup to these events, add `into = "o"`' in done.stderr


def test_conditions_on_what_several_lookups_bring_to_events(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line\nx,first\ny,second\n")
    desk.put("s.csv", "shop,town\n1,Rennes\n2,Nantes\n")
    desk.put("o.csv", "id,day,product,shop\na,2024-01-01,x,1\na,2024-01-01,x,2\na,2024-01-01,y,2\n")
    text = head() + EVENTS + PRODUCTS
    text += '[lookup.shop]\npath = "s.csv"\non = "shop"\ninto = "o"\n'
    text += '[trait.line]\nevents = "o"\nwhere.line = "first"\n[trait.town]\nevents = "o"\nwhere.town = "Rennes"\n'
    text += '[trait.both]\nevents = "o"\nwhere = { line = "first", town = "Nantes", day.min = 2024-01-01 }\n'
    assert desk.columns(text, "line", "town", "both") == {"a": ("2", "1", "1")}


def test_a_condition_on_the_key_that_a_lookup_brings_to_events(desk: Desk) -> None:
    """Trimmed, as the key of an event is."""
    desk.put("c.csv", "id\na\nb\n")
    desk.put("cards.csv", "card,id\n1, a \n2,b\n")
    desk.put("o.csv", "day,card\n2024-01-01,1\n2024-01-01,2\n")
    text = head() + EVENTS + '[lookup.card]\npath = "cards.csv"\non = "card"\ninto = "o"\n'
    text += '[trait.n]\nevents = "o"\nwhere.id = "a"\n[trait.m]\nevents = "o"\nwhere.id.not = "a"\n'
    assert desk.columns(text, "n", "m") == {"a": ("1", "0"), "b": ("0", "1")}


@pytest.mark.parametrize("padded", ["product", "shop"])
def test_one_padded_key_of_a_lookup_on_two_columns(desk: Desk, padded: str) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,shop,line\ny,1,second\n")
    rows = {"id": "a", "product": "y", "shop": "1", "day": dt.date(2024, 1, 1)}
    many = pl.DataFrame([rows] * 4_000 + [{**rows, padded: f" {rows[padded]}"}])
    desk.put("o.parquet", many)
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n'
    text += '[lookup.p]\npath = "p.csv"\non = { product = "product", shop = "shop" }\ninto = "o"\n'
    text += '[trait.n]\nevents = "o"\nwhere.line = "second"\n'
    assert desk.columns(text, "n") == {"a": "4001"}


def test_a_condition_that_does_not_fit_what_a_lookup_brings_to_events(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("p.csv", "product,line,price\nx,first,1\n")
    desk.put("o.csv", "id,day,product\na,2024-01-01,x\n")
    text = head() + EVENTS + PRODUCTS
    for condition, said in (
        ("line.min = 3", "`line` is text"),
        ('line.matches = "("', "is not a regular expression"),
        ('price.contains = "1"', "`price` is a number"),
        ('line.within = "3 days"', "`line` is text"),
        ("price.top_percent = 10", "ranks all customers"),
    ):
        done = desk.apply(text + f'[segment.s]\nbehavioural.did = {{ events = "o", where.{condition} }}\n', code=2)
        assert said in done.stderr


@pytest.mark.parametrize("measure", ["", 'id = "order"'])
def test_whether_there_is_an_event_does_not_tell_events_apart(desk: Desk, measure: str) -> None:
    """Nothing but `did` and `did_not`: an event without an id is one, and so is one whose rows have the same."""
    desk.put("c.csv", "id\na\nb\nc\nd\n")
    orders = "id,day,order,what\na,2024-01-01,1,x\na,2024-01-01,1,x\nb,2024-01-01,,x\nc,2024-01-01,2,y\n"
    desk.put("o.csv", orders)
    text = head() + f'[events.o]\npath = "o.csv"\ntime = "day"\n{measure}\n'
    blocks = {
        "did": 'behavioural.did = { events = "o", where.what = "x" }',
        "did-not": 'behavioural.did_not = { events = "o", where.what = "x" }',
        "any": 'behavioural.did = { events = "o" }',
        "few": 'behavioural.did = { events = "o", max = 1 }',
        "none": 'behavioural.did_not = { events = "o" }',
    }
    few = ["b", "c"] if not measure else ["a", "b", "c"]
    expected = {"did": ["a", "b"], "did-not": ["c", "d"], "any": ["a", "b", "c"], "few": few, "none": ["d"]}
    assert desk.members(text, blocks) == expected


def test_blank_keys_of_rows_that_are_left_out_for_another_reason_too(desk: Desk) -> None:
    """The first reason counts, however large the file is."""
    days = [dt.date(2024, 1, 1)] * 4_000 + [None, dt.date(2999, 1, 1)]
    desk.put("c.csv", "id\na\n")
    desk.put("o.parquet", pl.DataFrame({"id": ["a"] * 4_000 + ["   ", "  "], "day": days}))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n[trait.n]\nevents = "o"\n'
    counts = desk.json(text + "[segment.s]\nbehavioural.n.min = 1\n")["tables"][1]
    assert counts["left_out"] == {"no_key": 2, "no_time": 0, "after_as_of": 0, "unknown_customer": 0}


def test_whole_float_keys_of_typed_sources_lose_their_fraction(desk: Desk) -> None:
    desk.put("c.csv", "id\n17850\n17851\n")
    desk.put("o.parquet", pl.DataFrame({"id": [17850.0, 17851.0, None], "day": ["2024-01-01"] * 3}))
    text = head() + '[events.o]\npath = "o.parquet"\ntime = "day"\n'
    assert desk.members(text, {"s": 'behavioural.did = { events = "o" }'})["s"] == ["17850", "17851"]


def test_when_no_key_matches_a_key_of_each_side_is_shown(desk: Desk) -> None:
    desk.put("c.csv", "id\n17850\n17851\n")
    desk.put("o.csv", "id,day\n17850.0,2024-01-01\n")
    done = desk.apply(
        head() + '[events.o]\npath = "o.csv"\ntime = "day"\n[segment.s]\nbehavioural.did = { events = "o" }\n', code=3
    )
    assert "`17850.0`" in done.stderr
    assert "`17850`" in done.stderr or "`17851`" in done.stderr


def test_events_of_unknown_customers_are_counted(desk: Desk) -> None:
    desk.put("c.csv", "id\n1\n2\n")
    desk.put("o.csv", "id,day\n1,2024-01-01\n3,2024-01-01\n3,2024-01-02\n")
    done = desk.json(
        head() + '[events.o]\npath = "o.csv"\ntime = "day"\n[segment.s]\nbehavioural.did = { events = "o" }\n'
    )
    assert done["segments"][0]["written"] == 1
    assert done["tables"][1]["left_out"]["unknown_customer"] == 2


def test_a_key_that_comes_twice(desk: Desk) -> None:
    keys = [f"k{i}" for i in range(9)]
    desk.put("c.csv", "id,v\n" + "".join(f"{k},first\n" for k in keys) + "".join(f"{k},last\n" for k in keys[:7]))
    rules = head() + "[segment.s]\neveryone = true\n"
    done = desk.apply(rules, code=3)
    assert all(f"`{k}`" in done.stderr for k in keys[:5])
    assert "k5" not in done.stderr
    for which, n_last in (("first", 0), ("last", 7)):
        rows = desk.rows(head(f'duplicates = "{which}"') + "[segment.s]\neveryone = true\n")
        assert sorted(r["id"] for r in rows) == keys
        assert sum(r["v"] == "last" for r in rows) == n_last


def test_two_columns_of_one_name(desk: Desk) -> None:
    desk.put("c.csv", "id,age,age\na,1,2\n")
    done = desk.apply(head() + "[segment.s]\neveryone = true\n", code=3)
    assert "`age`" in done.stderr


# --- what a source computes ---


def test_rename_derive_where_lists_types_together(desk: Desk) -> None:
    desk.put("c.csv", 'id,Âge,qty,price,tags,country\na,20,2,1.5,"x, y",FR\nb,30,1,9,y;z,FR\nc,40,3,3,,DE\n')
    more = """rename = { age = "Âge" }
derive = { total = "qty * price", double = "total * 2" }
lists = { tags = "," }
where.country = "FR"
"""
    cases = {
        "demographic.age.min = 20": ["a", "b"],
        "demographic.total.is = 3": ["a"],
        "demographic.double.min = 18": ["b"],
        'psychographic.tags.has_any = ["y"]': ["a"],
        'psychographic.tags.has_any = ["y;z"]': ["b"],
        "sql = 'total > 3 AND age > 20'": ["b"],
    }
    assert desk.members(head(more), {c: c for c in cases}) == cases
    table = desk.json(head(more) + "[segment.s]\neveryone = true\n")
    assert table["customers"] == 2
    assert table["tables"][0]["left_out"]["where"] == 1


def test_like_starts_from_another_tables_keys(desk: Desk) -> None:
    desk.put("c.csv", "id\n1\n2\n")
    desk.put("o.csv", "cust;day;sum\n1;01/02/2024;1,5\n2;03/02/2024;2,5\n")
    desk.put("r.csv", "cust;day;sum\n1;05/02/2024;-1,5\n")
    text = (
        head()
        + """[events.o]
path = "o.csv"
key = "cust"
time = "day"
amount = "sum"
date_format = "%d/%m/%Y"
decimal = ","
[events.r]
like = "o"
path = "r.csv"
[events.late]
like = "o"
where.day.min = 2024-02-02
[trait.back]
events = "r"
measure = "sum"
[trait.back_day]
events = "r"
measure = "last"
[trait.late]
events = "late"
measure = "sum"
"""
    )
    assert desk.columns(text, "back", "back_day", "late") == {"1": ("-1.5", "2024-02-05", "0"), "2": ("0", "", "2.5")}


def test_customers_from_events_take_their_latest_known_value(desk: Desk) -> None:
    desk.put(
        "o.csv",
        "cust,day,email,ok\nb,2024-01-01,old@x,1\na,2024-01-01,a@x,1\nb,2024-02-01,new@x,1\nb,2024-02-10,,0\nb,2024-12-01,future@x,1\nc,2024-12-01,later@x,1\nd,2024-01-05,d@x,0\n",
    )
    text = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "cust"\ncolumns = ["email"]\n[events.o]\npath = "o.csv"\ntime = "day"\nwhere.ok = 1\n'
    # on or before as_of only, and of the rows that `where` keeps: neither c nor d is a customer
    rows = desk.rows(
        text + "[trait.n]\nevents = 'o'\n[output]\ncolumns = ['email', 'n']\n[segment.s]\neveryone = true\n"
    )
    assert {r["cust"]: (r["email"], r["n"]) for r in rows} == {
        "a": ("a@x", "1"),
        "b": ("new@x", "2"),
    }


# --- lookups ---


def test_lookups_chain_into_events_and_customers(desk: Desk) -> None:
    desk.put("c.csv", "id,zip\n1,01234\n2,75001\n3,99999\n")
    desk.put("o.csv", "id,day,sku,qty\n1,2024-01-01,A,2\n1,2024-01-02,B,1\n2,2024-01-01,A,1\n2,2024-01-01,Z,1\n")
    desk.put("p.csv", "sku,price,cat\nA,1.25,10\nB,3,20\n")
    desk.put("k.csv", "code,name\n10,Food\n20,Tools\n")
    desk.put("z.csv", "zips,dept,population\n01234;01235,Ain,5\n75001,Paris,10\n")
    text = (
        head()
        + """[events.o]
path = "o.csv"
time = "day"
amount = "total"
derive = { total = "qty * price" }
[lookup.category]
into = "o"
path = "k.csv"
on = { cat = "code" }
columns = ["name"]
[lookup.product]
into = "o"
path = "p.csv"
on = "sku"
[lookup.place]
path = "z.csv"
on = { zip = "zips" }
explode = { zips = ";" }
columns = ["dept"]
[trait.spend]
events = "o"
measure = "sum"
[trait.food]
events = "o"
where.name = "Food"
"""
    )
    assert desk.columns(text, "spend", "food", "dept") == {
        "1": ("5.5", "1", "Ain"),
        "2": ("1.25", "1", "Paris"),
        "3": ("0", "0", ""),
    }


def test_a_lookup_key_that_comes_twice(desk: Desk) -> None:
    desk.put("c.csv", "id,zip\n1,01000\n2,02000\n")
    desk.put("z.csv", "zip,town,people\n01000,Small,5\n01000,Large,50\n01000,Unknown,\n02000,Only,1\n")
    lookup = '[lookup.z]\npath = "z.csv"\non = "zip"\n'
    done = desk.apply(head() + lookup + "[segment.s]\ngeographic.town = 'Small'\n", code=3)
    assert "`01000`" in done.stderr
    assert "duplicates" in done.stderr
    assert desk.columns(head() + lookup + 'duplicates = "first"\n', "town") == {"1": "Small", "2": "Only"}
    assert desk.columns(head() + lookup + 'duplicates = "first"\nby = "people"\n', "town") == {
        "1": "Large",
        "2": "Only",
    }


def test_a_lookup_on_two_columns(desk: Desk) -> None:
    desk.put("c.csv", "id,country,zip\n1,FR,1000\n2,CH,1000\n3,,1000\n")
    desk.put("z.csv", "land,code,town\nFR,1000,Bourg\nCH,1000,Lausanne\n")
    text = head() + '[lookup.z]\npath = "z.csv"\non = { country = "land", zip = "code" }\n'
    assert desk.columns(text, "town") == {"1": "Bourg", "2": "Lausanne", "3": ""}


# --- the environment, and paths ---


def test_environment_variables(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("data/c.csv", TEXT)
    text = head(path="${WHERE:-data}/c.csv") + "[segment.s]\ngeographic.city = '${CITY}'\n"
    monkeypatch.setenv("CITY", "Brest")
    assert [r["id"] for r in desk.rows(text)] == ["b"]
    monkeypatch.delenv("CITY")
    assert "CITY" in desk.apply(text, code=2).stderr


def test_paths_are_relative_to_the_file_and_on_the_command_line_to_the_caller(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("rules/c.csv", TEXT)
    desk.put("here/c.csv", TEXT.replace("b,30", "b,3"))
    rules = desk.put("rules/rules.toml", head() + "[segment.s]\ndemographic.age.min = 30\n")
    (desk / "here").mkdir(exist_ok=True)
    monkeypatch.chdir(desk / "here")
    done = json.loads(desk.segkit("apply", rules, "--json").stdout)
    assert done["segments"][0]["written"] == 1
    assert (desk / "rules/segments/s.csv").exists()
    done = json.loads(desk.segkit("apply", rules, "--json", "--customers", "c.csv", "-o", "out").stdout)
    assert done["segments"][0]["written"] == 0
    assert (desk / "here/out/s.csv").exists()


def test_toml_1_1_is_read(desk: Desk) -> None:
    desk.put("c.csv", TEXT)
    text = head() + "[segment.s]\ndemographic.age = {\n  min = 30, # a comment\n  max = 40,\n}\n"
    assert [r["id"] for r in desk.rows(text)] == ["b"]


def test_a_column_without_any_value_fits_every_condition(desk: Desk) -> None:
    """Today nobody has left an age: nobody is in the segment, and the rule file is as right as it was yesterday."""
    desk.put("c.csv", "id,age,born\na,,\nb,,\n")
    cases = {
        "demographic.age.min = 18": [],
        "demographic.born.before = 2000-01-01": [],
        "demographic.age.missing = true": ["a", "b"],
    }
    for condition, who in cases.items():
        assert desk.members(head(), {"s": condition})["s"] == who


def test_lists_of_a_typed_source_are_lists_already(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["a", "b"], "tags": [["x", "y"], ["z"]]}))
    for more in ("", 'lists = { tags = "," }'):
        assert desk.members(head(more, path="c.parquet"), {"s": 'demographic.tags.has_any = "y"'})["s"] == ["a"]


# --- a comma that nothing settles ---


def guesses(desk: Desk, more: str = "", criteria: str = "demographic.x.min = 1", lines: str = "") -> list[str]:
    """What the warnings say about a file separated by `;`."""
    desk.put("c.csv", lines or "id;x;y\na;90,000;1\nb;8,500;2\n")
    return [w["message"] for w in desk.json(head(more) + f"[segment.s]\n{criteria}\n")["warnings"]]


GUESSED = (
    "what is written like `12,345` in column `x` is read as 12.345, with a decimal comma; it could be 12345, and no value"
    " settles it"
)
"""Not the value itself: warnings stand in the manifest, and that holds no customer's data."""


def test_a_comma_that_nothing_settles_is_a_warning(desk: Desk) -> None:
    assert guesses(desk) == [GUESSED]
    done = desk.apply(head() + "[segment.s]\ndemographic.x.min = 1\n")
    assert 'hint: give the source `decimal = ","` for 12.345, or `thousands = ","` for 12345' in " ".join(
        done.stdout.split()
    )
    assert desk.segkit("apply", desk / "rules.toml", "--fail-on", "warning", code=1).stderr.count("`12,345`") == 1
    told = json.loads(desk.tree()["manifest.json"])["warnings"]
    assert told and not any("90" in f"{one['message']} {one['hint']}" for one in told)


@pytest.mark.parametrize(
    ("more", "criteria", "lines"),
    [
        ('decimal = ","', "demographic.x.min = 1", ""),
        ('thousands = ","', "demographic.x.min = 1", ""),
        ('decimal = "."', "demographic.x.min = 1", ""),
        ('types = { x = "text" }', "demographic.x.missing = false", ""),
        ("", "demographic.y.min = 1", ""),  # no rule reads it
        ("", "demographic.x.min = 1", "id;x;y\na;90,000;1\nb;8,5;2\n"),  # the column settles it
        ("", "demographic.x.min = 1", "id;x;y\na;90,000;1\nb;1,234,500;2\n"),
        ("", "demographic.x.min = 1", "id;x;y\na;90,000;1,5\nb;8,500;2\n"),  # another column does
        ("", "demographic.x.min = 1", 'id,x\na,"90,000"\nb,"8,500"\n'),  # not separated by `;`
        ("", "demographic.x.min = 1", "id;x;y\na;90000;1\nb;8500;2\n"),
    ],
)
def test_a_comma_that_something_settles_is_none(desk: Desk, more: str, criteria: str, lines: str) -> None:
    assert guesses(desk, more, criteria, lines) == []


def test_a_comma_in_money_and_in_lookups(desk: Desk) -> None:
    desk.put("o.csv", 'id;day;total\na;2024-01-01;"$1,500 "\n')
    desk.put("l.csv", "x;weight\n90,000;7,000\n")
    more = '[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\n'
    more += '[lookup.l]\npath = "l.csv"\non = "x"\n[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    criteria = "behavioural = { spend.min = 1, weight.min = 1 }"
    found = guesses(desk, more, criteria)
    assert [text.partition("`")[2].partition(",")[0] for text in found] == ["1"]  # $1,500 is grouped, as dollars are
    assert desk.columns(head(more), "spend") == {"a": "1500", "b": "0"}


@pytest.mark.parametrize(("last", "count"), [("8,500", 1), ("8,5", 0), ("1,234,500", 0)])
def test_a_large_file_is_looked_at_as_a_whole_before_the_warning(desk: Desk, last: str, count: int) -> None:
    """What settles the comma stands where the sample does not look."""
    lines = [f"k{i};90,000;{'x' * 20}" for i in range(90_000)]
    lines[30_000] = f"k30000;{last};x"
    assert len(guesses(desk, lines="\n".join(["id;x;y", *lines]) + "\n")) == count


def test_empty_fields_beyond_the_sample_are_no_reason_to_read_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the file is looked at for what settles the comma; there is nothing else to be learned."""
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 1000)
    lines = ["id;x", *(f"k{i};90,000" for i in range(1000)), "k1000;", *(f"k{i};90,000" for i in range(1001, 4000))]
    desk.put("c.csv", "\n".join(lines) + "\n")
    done = desk.apply(head() + "[segment.s]\ndemographic.x.min = 1\n", "-v")
    assert "decimal comma" in done.stderr
    assert done.stderr.count(" s  reading ") == 1


@pytest.mark.parametrize(
    ("last", "spend", "bad"),
    [
        ("123456789012.25", "123456790010.75", 0),  # long, but exact
        ("0.12345678901", "998.5", 1),  # would be rounded
        ("0.1234567890", "998.623456789", 0),
        ("0.30000000000000004", "998.8", 0),  # what a float leaves
    ],
)
def test_money_with_many_decimals_beyond_the_sample_is_not_rounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, last: str, spend: str, bad: int
) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 900)
    lines = ["a,2024-01-01,0.5"] * 1_998
    lines[700] = f"a,2024-01-01,{last}"
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,total\n" + "\n".join(lines) + "\n")
    text = head() + '[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\nbad_values = "missing"\n'
    text += '[trait.spend]\nevents = "o"\nmeasure = "sum"\n'
    assert desk.columns(text, "spend") == {"a": spend}
    warnings = desk.json(text + "[segment.s]\nbehavioural.spend.min = 1\n")["warnings"]
    assert [w["message"] for w in warnings] == ["1 value of `total` cannot be read and counts as missing"] * bad
    desk.apply(text.replace('bad_values = "missing"\n', "") + "[segment.s]\neveryone = true\n")


@pytest.mark.parametrize(
    ("there", "asked", "shown"),
    [
        ("net\u00a0price", "net price", r"net\u00a0price"),
        ('"line\nbreak"', "line break", r"line\nbreak"),
        ("two  spaces", "two spaces", r"two \u0020spaces"),
        ("re\u0301gion", "r\u00e9gion", r"re\u0301gion"),
        ("b\u200bom", "bom", r"b\u200bom"),
    ],
)
def test_a_name_that_looks_like_another_is_shown_so_that_one_sees_it(
    desk: Desk, there: str, asked: str, shown: str
) -> None:
    desk.put("c.csv", f"id,{there}\n1,2\n")
    rules = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[segment.s]\ndemographic."{}".min = 1\n'
    told = desk.apply(rules.format(asked), code=2).stderr
    assert f'did you mean `"{shown}"`, which looks the same?' in told
    assert desk.json(rules.format(shown))["segments"][0]["written"] == 1, "and so it is named in the rule file"


def test_the_manifest_says_how_each_source_was_read(desk: Desk) -> None:
    """So that an upgrade that reads something differently is seen."""
    desk.put("c.csv", "id;born;spent\n1;31.01.1990;12,50\n".encode("cp1252"))
    rules = 'version = 1\nas_of = 2024-01-01\n[customers]\npath = "c.csv"\nkey = "id"\n[segment.s]\n'
    desk.apply(rules + "demographic.born.max = 2000-01-01\ndemographic.spent.min = 1\n")
    manifest = json.loads((desk / "segments" / "manifest.json").read_text())
    assert manifest["tables"][0]["detected"] == {
        "encoding": "utf-8",
        "delimiter": ";",
        "decimal": ",",
        "column born": "date %d.%m.%Y",
        "column spent": "number, decimal comma",
    }
