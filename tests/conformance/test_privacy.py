"""Personal data: hashed or under pseudonyms where that is asked for, and never where it does not belong."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from segkit.operations.personal.kinds import kind_of
from tests.desk import Desk, event_table, head

KEY = "0123456789abcdef0123456789abcdef"
HEAD = head() + "[segment.all]\neveryone = true\n[output]\n"
MAILS = {"a": "Jane@Example.org", "b": "  jane@example.ORG ", "c": "", "d": "ÉMILE@exämple.org", "e": "   "}
CUSTOMERS = "id,email,age\n" + "".join(f'{key},"{mail}",{20 + i}\n' for i, (key, mail) in enumerate(MAILS.items()))


def sha(text: str) -> str:
    return hashlib.sha256(text.strip().lower().encode()).hexdigest() if text.strip() else ""


def mac(text: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", KEY)
    return KEY


def test_hash_is_what_ad_platforms_take(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    rows = desk.rows(HEAD + 'hash = ["email"]')
    assert [row["email"] for row in rows] == [sha(mail) for mail in MAILS.values()]
    # From Google's and Meta's documentation of customer lists: the SHA-256 of `test@gmail.com`, and of nothing.
    assert sha(" Test@gmail.com") == "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"


@pytest.mark.parametrize("text", [KEY, "é" * 40, "x" * 200], ids=["32 bytes", "not ASCII", "longer than a block"])
def test_pseudonyms_are_hmacs(desk: Desk, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", text)
    desk.put("c.csv", CUSTOMERS)
    rows = desk.rows(HEAD + 'pseudonymise = ["email", "id"]')
    assert [row["id"] for row in rows] == [mac(name, text) for name in MAILS]
    assert rows[0]["email"] == mac("Jane@Example.org", text)
    assert rows[2]["email"] == ""


def test_every_file_has_them(desk: Desk, key: str) -> None:
    desk.put("c.csv", CUSTOMERS)
    rules = HEAD + 'hash = ["email"]\npseudonymise = ["id"]\ncombined = "whole.csv"\nchanges = true\n'
    desk.apply(rules)
    desk.put("c.csv", CUSTOMERS.replace("a,", "z,", 1))
    desk.apply(rules)
    tree = desk.tree()
    for secret in (b"xample", KEY.encode()):
        assert [name for name, data in tree.items() if secret in data] == []
    assert [row["id"] for row in desk.read("segments/all.left.csv")] == [mac("a")]
    assert [row["id"] for row in desk.read("segments/whole.csv")] == [mac(k) for k in "zbcde"]
    assert set(pl.read_parquet(desk / "segments/run/members.parquet")["key"]) == {mac(k) for k in "zbcde"}


@pytest.mark.parametrize("format", ["csv", "tsv", "parquet", "ndjson", "arrow"])
def test_values_of_every_type(desk: Desk, format: str) -> None:
    frame = pl.DataFrame(
        {"id": ["a"], "n": [5], "f": [2.50], "d": [pl.date(2024, 2, 29)], "b": [True]},
        schema_overrides={"n": pl.Int64},
    ).with_columns(pl.lit(pl.Series([1])).cast(pl.Decimal(10, 2)).alias("m"), pl.date(2024, 2, 29).alias("d"))
    desk.put("c.parquet", frame)
    rules = HEAD.replace("c.csv", "c.parquet") + f'hash = ["n", "f", "d", "b", "m"]\nformat = "{format}"\n'
    desk.apply(rules)
    read: dict[str, Callable[[Path], pl.DataFrame]] = {
        "csv": pl.read_csv,
        "tsv": lambda p: pl.read_csv(p, separator="\t"),
        "parquet": pl.read_parquet,
        "ndjson": pl.read_ndjson,
        "arrow": pl.read_ipc,
    }
    (row,) = read[format](desk / f"segments/all.{format}").rows(named=True)
    texts = {"n": "5", "f": "2.5", "d": "2024-02-29", "b": "true", "m": "1"}
    assert {name: row[name] for name in texts} == {name: sha(text) for name, text in texts.items()}


@pytest.mark.parametrize(
    ("value", "says"),
    [(None, "`SEGKIT_PSEUDONYMISE_KEY` is not set"), ("short", "`SEGKIT_PSEUDONYMISE_KEY` holds 5 bytes")],
)
def test_a_key_that_is_absent_or_short(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, value: str | None, says: str
) -> None:
    if value:
        monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", value)
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(HEAD + 'pseudonymise = ["email"]', code=2)
    assert says in done.stderr
    assert "rules.toml:9:1" in done.stderr
    assert value is None or f"`{value}`" not in done.stderr
    assert not (desk / "segments").exists()


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ('hash = ["emial"]', "customers have no column `emial`"),
        ('pseudonymise = ["emial"]', "customers have no column `emial`"),
        ('hash = ["email"]\ncolumns = ["age"]', "`email` is not among the columns that are written"),
        ('hash = ["email"]\npseudonymise = ["email"]', "`email` is in `hash`, too"),
        ('hash = ["email", "email"]', "`email` is there twice"),
        ('hash = ["segment"]', "`segment` is the label of the segment"),
        ('hash = ["age"]\n[segment.b]\neveryone = true\neach = "age"', "puts the values of `age` into names of files"),
    ],
)
def test_what_cannot_be_protected(desk: Desk, key: str, output: str, says: str) -> None:
    desk.put("c.csv", CUSTOMERS)
    assert says in desk.apply(HEAD + output, code=2).stderr


@pytest.mark.skipif(os.name != "posix", reason="POSIX")
def test_modes(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    mask = os.umask(0)
    try:
        desk.apply(HEAD + 'mode = "0600"\ncombined = "whole.csv"')
        assert {p.stat().st_mode & 0o777 for p in (desk / "segments").rglob("*.*")} == {0o600}
        assert {(desk / folder).stat().st_mode & 0o777 for folder in ("segments", "segments/run")} == {0o700}
        (desk / "segments/mine").touch(0o644)
        desk.apply(HEAD + 'mode = "640"')
        assert (desk / "segments").stat().st_mode & 0o777 == 0o750
        assert (desk / "segments/all.csv").stat().st_mode & 0o777 == 0o640
        assert (desk / "segments/mine").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(mask)


@pytest.mark.parametrize("mode", ['"0777"', '"600x"', "600", '"0400"', '"rw-------"'])
def test_modes_that_are_none(desk: Desk, mode: str) -> None:
    desk.put("c.csv", CUSTOMERS)
    assert "`mode` needs permissions in octal" in desk.apply(HEAD + f"mode = {mode}", code=2).stderr


# --- what the manifest says about it ---


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "e-mail"),
        ("EmailAddress", "e-mail"),
        ("E-Mail", "e-mail"),
        ("courriel", "e-mail"),
        ("phone_number", "phone"),
        ("Téléphone", "phone"),
        ("mobile", "phone"),
        ("FirstName", "name"),
        ("last_name", "name"),
        ("nom", "name"),
        ("Nachname", "name"),
        ("BirthDate", "birth date"),
        ("date_naissance", "birth date"),
        ("dob", "birth date"),
        ("street", "address"),
        ("AddressLine1", "address"),
        ("zip", "postcode"),
        ("postcode", "postcode"),
        ("latitude", "coordinates"),
        ("lon", "coordinates"),
        ("ip_address", "network address"),
        ("IBAN", "bank or card"),
        ("age", None),
        ("region", None),
        ("product_name", None),
        ("billing_name", "name"),
        ("renamed", None),
        ("relationship", None),
        ("plan", None),
        ("platform", None),
        ("revenue", None),
    ],
)
def test_personal_data_is_known_by_its_name(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_the_manifest_names_the_columns_with_personal_data(desk: Desk, key: str) -> None:
    line = "k{},a@x.fr,b@x.fr,+33 6 12 34 56 78,1990-01-01,Y,n\n"
    desk.put("c.csv", "id,mail,kontakt,ligne,born,town,note\n" + "".join(line.format(i) for i in range(9)))
    desk.apply(HEAD + 'hash = ["mail"]\npseudonymise = ["id", "note"]')
    found = json.loads((desk / "segments/manifest.json").read_text())["personal_data"]
    assert {f["column"]: (f["kind"], f["protection"]) for f in found} == {
        "id": ("key", "pseudonymise"),
        "mail": ("e-mail", "hash"),
        "kontakt": ("e-mail", None),
        "ligne": ("phone", None),
        "born": ("birth date", None),
        "note": ("other", "pseudonymise"),
    }


def test_the_manifest_names_what_is_made_of_them(desk: Desk) -> None:
    desk.put("c.csv", "id,mail,born,size\n" + "".join(f"k{i},a{i}@x.fr,1990-01-01,{i}\n" for i in range(9)))
    desk.put("o.csv", "id,day,contact\nk1,2024-01-01,Ann\n")
    rules = head('derive = { who = "SPLIT_PART(mail, \'@\', 1)", twice = "size * 2", ok = "mail IS NULL" }')
    rules += event_table("o", "o.csv")
    rules += '[trait.age]\nyears_since = "born"\n[trait.last]\nevents = "o"\nmeasure = "last"\nof = "contact"\n'
    rules += '[trait.names]\nevents = "o"\nmeasure = "distinct"\nof = "contact"\n[segment.all]\neveryone = true\n'
    desk.apply(rules + '[output]\ncolumns = ["who", "twice", "ok", "age", "last", "names"]\n')
    found = json.loads((desk / "segments/manifest.json").read_text())["personal_data"]
    kinds = {"id": "key", "who": "e-mail", "age": "birth date", "last": "name"}
    assert {f["column"]: f["kind"] for f in found} == kinds


CONSENTS = [
    # name of the column, its values, kind of personal data
    ("email_opt_in", ("true", "false"), None),
    ("mail_consent", ("yes", "no"), None),
    ("Email OK", ("Oui", "N"), None),
    ("phone", ("1", "0"), None),
    ("email", ("true", "true"), None),
    ("mail_consent", ("granted", "withdrawn"), None),
    ("email_status", ("subscribed", "cleaned"), None),
    ("email_opt_in_date", ("2024-01-31", "2024-02-28"), None),
    ("phone_opt_in_date", ("2024-01-31", "2024-02-28"), None),
    ("email_ok", ("a@x.fr", "no"), "e-mail"),
    ("phone_opt_in", ("no", "06 12 34 56 78"), "phone"),
    ("phone_opt_in", ("no", "+33612345678"), "phone"),
    ("email", ("none", "other"), "e-mail"),
    ("email", ("", ""), "e-mail"),
    ("email_consent", ("", ""), "e-mail"),
    ("newsletter_ok", ("true", "false"), None),
]


@pytest.mark.parametrize(("name", "values", "kind"), CONSENTS)
@pytest.mark.parametrize("read", [False, True])
def test_consent_to_a_way_to_reach_somebody_is_none(
    desk: Desk, name: str, values: tuple[str, str], kind: str | None, read: bool
) -> None:
    """The last row counts, too, whether a rule reads the column or not."""
    rows = [*[values[0]] * 1_500, values[1]]
    desk.put("c.csv", f"id,{name},x\n" + "".join(f"{i},{value},\n" for i, value in enumerate(rows)))
    asks = f'demographic."{name}".missing = false\n' if read else ""
    desk.apply(head() + f"[segment.s]\neveryone = true\n[segment.t]\n{asks or 'everyone = true'}\n")
    found = json.loads((desk / "segments/manifest.json").read_text())["personal_data"]
    assert {f["column"]: f["kind"] for f in found}.get(name) == kind


def test_columns_that_are_not_written_are_not_named(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(HEAD + 'columns = ["age"]')
    found = json.loads((desk / "segments/manifest.json").read_text())["personal_data"]
    assert found == [{"column": "id", "kind": "key", "protection": None}]


# --- no customer's value where none belongs ---

SECRETS = ("zz-key", "zz-mail@example.org", "Zz-Name", "7351", "1931-07-13")
ROWS = "id,email,name,income,born\n" + "".join(
    f"zz-key{i},zz-mail@example.org,Zz-Name,7351.25,1931-07-13\n" for i in range(30)
)
ORDERS = "id,day,total\n" + "".join(f"zz-key{i},2024-02-0{1 + i % 9},7351.25\n" for i in range(30))
RULES = (
    HEAD
    + """profile = ["income"]
[events.o]
path = "o.csv"
time = "day"
amount = "total"
[rfm]
events = "o"
bins = 2
ties = "split"
[segment.rich]
rfm.r_score.min = 2
demographic.income.top_percent = 10
[segment.old]
demographic.born.before = 1950-01-01
"""
)


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_neither_manifest_nor_log_has_a_value(desk: Desk) -> None:
    desk.put("c.csv", ROWS)
    desk.put("o.csv", ORDERS)
    desk.apply(RULES.replace('profile = ["income"]\n', ""), "--log", desk / "log")
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    thresholds = manifest.pop("thresholds")
    # All have spent the same, so that is the mean of any of them, who are never a few, and part of the sum.
    rfm = manifest["aggregates"]["rfm"][0]
    money = [(cell["customers"], cell.pop("mean")) for cell in rfm["grid"]]
    money += [(one["customers"], one.pop("monetary")) for one in rfm["segments"]]
    customers = sum(bar["customers"] for bar in rfm["monetary"] if isinstance(bar["customers"], int))
    money += [(customers, rfm["medians"].pop("monetary"))]
    money += [("<5" if one["reached"] is None else one["reached"], one.pop("a_head")) for one in manifest["aggregates"]["mavr"]]  # fmt: skip
    assert all(spent is None if isinstance(size, str) else size >= 5 for size, spent in money)
    assert leaks(json.dumps(manifest)) == []
    assert [t["keys"] for t in thresholds] == [[]] * len(thresholds)
    assert leaks((desk / "log").read_text()) == []


@pytest.mark.parametrize(
    ("customers", "orders", "shown"),
    [
        (ROWS.replace("1931-07-13", "1931-07-99", 1), ORDERS, {"1931-07-99"}),
        (ROWS, ORDERS.replace("2024-02-01", "yesterday", 1), {"yesterday"}),
        (ROWS.replace("zz-key1,", "zz-key0,"), ORDERS, {"zz-key0"}),
        (ROWS, ORDERS.replace("zz-key", "zz-other"), {"zz-key0", "zz-other0"}),
        (ROWS.replace("Zz-Name,", "Zz-Name,,,", 1), ORDERS, set()),
    ],
    ids=["bad date", "bad time", "key twice", "no key matches", "ragged"],
)
def test_an_error_shows_the_offending_value_alone(desk: Desk, customers: str, orders: str, shown: set[str]) -> None:
    desk.put("c.csv", customers)
    desk.put("o.csv", orders)
    done = desk.apply(RULES, "--log", desk / "log", "-v", code=3)
    text = done.stderr
    for value in shown:
        assert value in text
        text = text.replace(value, "")
    assert leaks(text) == []
    (line,) = (desk / "log").read_text().splitlines()
    assert leaks(line) == []
    assert not any(value in line for value in shown)
    assert json.loads(line)["errors"][0]["place"]


def test_a_crash_report_has_no_value(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(desk.folder / "tmp"))
    (desk / "tmp").mkdir()

    def fail(*args: object, **options: object) -> None:
        raise LookupError(ROWS)

    monkeypatch.setattr("segkit.gates.parts.ledger", fail)
    desk.put("c.csv", ROWS)
    desk.put("o.csv", ORDERS)
    done = desk.apply(RULES, "--log", desk / "log", code=70)
    (report,) = Path(desk / "tmp").glob("segkit-crash-*")
    assert leaks(done.stderr + report.read_text() + (desk / "log").read_text()) == []
    assert json.loads((desk / "log").read_text())["errors"] == [{"message": "LookupError", "place": None}]


def test_the_key_of_the_pseudonyms_is_nowhere(desk: Desk, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(desk.folder))
    desk.put("c.csv", CUSTOMERS)
    rules = HEAD + 'pseudonymise = ["email"]\n'
    talk = desk.apply(rules, "-v", "--log", desk / "log").output
    talk += desk.apply(rules, "--json").output

    def fail(*args: object, **options: object) -> None:
        raise LookupError

    monkeypatch.setattr("segkit.operations.delivery.destinations.places.output_sinks", fail)
    talk += desk.apply(rules, "--log", desk / "log", code=70).output
    assert KEY not in talk
    assert [p for p in desk.folder.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()] == []


def test_a_computed_number_that_is_too_large_is_told_without_its_value_in_the_log(desk: Desk) -> None:
    """For what Polars says may name a value."""
    ids = pl.DataFrame({"id": ["a"], "n": [10**30]}, schema={"id": pl.String, "n": pl.Decimal(38, 0)})
    desk.put("c.parquet", ids)
    rules = head('derive = { b = "n * n" }', path="c.parquet")
    done = desk.apply(rules + '[segment.s]\nsql = "b > 1"\n', "--log", desk / "log", code=3)
    assert "a computed number is too large\n  --> " in done.stderr
    assert "rules.toml:6:" in done.stderr
    (error,) = json.loads((desk / "log").read_text())["errors"]
    assert error["message"] == "a computed number is too large"


def test_a_misspelt_column_is_not_advised_to_be_taken_out(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(HEAD + 'columns = ["email", "age"]\nhash = ["emial"]', code=2)
    assert "did you mean `email`?" in done.stderr
    assert "needs no protection" not in done.stderr


MADE = {
    # lines of [customers], of the rest; which column names files; which hidden one it is made of
    "SQL": ("", '[trait.em]\nsql = "LOWER(email)"\n', "email"),
    "SQL of SQL": ('derive.em0 = "SUBSTR(email, 1, 3)"', "[trait.em]\nsql = \"CONCAT(em0, 'x')\"\n", "email"),
    "an event": ("", '[trait.em]\nevents = "o"\nmeasure = "last"\nof = "email"\n', "email"),
    "a lookup by it": ("", '[lookup.l]\npath = "l.csv"\non.email = "mail"\nderive.em = "LOWER(mail)"\n', "mail"),
    "how long ago": ("", '[trait.em]\ndays_since = "born"\n', "born"),
    "bands": ("", '[trait.em]\nbands = { of = "age", quantiles = 2, labels = ["low", "high"] }\n', None),
    "others": ("", '[trait.em]\nsql = "UPPER(country)"\n', None),
    "how many": ("", '[trait.em]\nevents = "o"\nwhere.email.contains = "a"\n', None),
}


@pytest.mark.parametrize("case", MADE)
def test_names_of_files_tell_what_is_made_of_hidden_columns(desk: Desk, case: str) -> None:
    lines, more, source = MADE[case]
    desk.put("c.csv", "id,email,country,age,born\na,a@x.org,FR,30,1990-02-03\nb,b@x.org,DE,40,1980-02-03\n")
    desk.put("o.csv", "id,day,email\na,2024-01-01,a@x.org\nb,2024-01-02,b@x.org\n")
    desk.put("l.csv", "mail,tel\na@x.org,1\nb@x.org,2\n")
    rules = (
        head(*filter(None, [lines])) + event_table("o", "o.csv") + more + '[output]\nhash = ["email", "age", "born"]\n'
    )
    warnings = desk.json(rules + '[segment.a]\neveryone = true\neach = "em"\n', "--dry-run")["warnings"]
    told = f"`each` puts the values of `em` into names of files, and `{source}` in it goes out hidden"
    assert [one["message"] for one in warnings] == ([told] if source else [])


def test_what_is_made_of_a_hidden_column_goes_out_readable(desk: Desk) -> None:
    desk.put("c.csv", "id,email\na,A@x.org\nb,b@x.org\n")
    rules = head() + '[trait.em]\nsql = "LOWER(email)"\n[segment.a]\neveryone = true\n[output]\n'
    told = "`em` goes out as it is, and `email`, which it is made of, goes out hidden"
    for hidden, warnings in (('["email"]', [told]), ('["email", "em"]', [])):
        found = desk.json(rules + f'columns = ["email", "em"]\nhash = {hidden}\n', "--dry-run")
        assert [one["message"] for one in found["warnings"]] == warnings
