"""No message, log, manifest, lock or crash report holds the user, the password or the query of an address."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from segkit.addresses import is_address, masked, without_secrets
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.io.publish.folder import publishing
from segkit.io.read import Label
from segkit.rules.text.toml import toml_value
from tests.desk import Desk, event_table, head

SECRET = "s3cret-word"
ADDRESSES = {
    "user and query": "https://user:s3cret-word@host/x.csv?token=s3cret-word",
    "user alone": "https://s3cret-word@host/x.csv",
    "fragment": "https://host/x.csv#s3cret-word",
    "bucket": "s3://key:s3cret-word@bucket/lists/x.parquet?versionId=s3cret-word",
    "database": "postgres://me:s3cret-word@db.example:5432/shop",
    "capitals": "HTTPS://USER:s3cret-word@HOST/X.CSV?TOKEN=s3cret-word",
    "slash": "postgresql://me:a/s3cret-word@host/shop",
    "question mark": "postgresql://me:a?s3cret-word@host/shop",
    "hash": "postgresql://me:a#s3cret-word@host/shop",
    "at": "postgresql://me:a@s3cret-word@host/shop",
    "space": "postgresql://me:a s3cret-word@host/shop",
    "line break": "https://me:a\ns3cret-word@host/x.csv?a=\ns3cret-word",
    "glob": "https://me:s3cret-word@host/*/[ab]?.csv",
    "mail in the query": "https://host/x.csv?mail=s3cret-word@example.org&token=s3cret-word",
    "escapes": "https://me:%22s3cret-word%22@host/x.csv?token=%60s3cret-word",
}
OTHER_FORMS = {
    "words of libpq": "host=db user=me password=s3cret-word dbname=shop",
    "words of libpq with spaces": "user = s3cret-word password = s3cret-word host=db",
    "no slashes": "postgresql:me:s3cret-word@host/shop",
    "no slashes and a space": "postgres:me:a s3cret-word@host/shop",
}
"""What says where a server is, and is no address."""
FORMS = ADDRESSES | OTHER_FORMS
EVERYONE = "[segment.all]\neveryone = true\n"
ORDERS = event_table("o", "o.csv")

RULES = {
    "customers": head().replace('"c.csv"', "{}") + EVERYONE,
    "customers in a list": head().replace('"c.csv"', '["c.csv", {}]') + EVERYONE,
    "events": head() + event_table("o", "X").replace('"X"', "{}") + EVERYONE,
    "events by like": head() + ORDERS + '[events.p]\nlike = "o"\npath = {}\n' + EVERYONE,
    "lookup": head() + '[lookup.l]\npath = {}\non = "town"\n' + EVERYONE,
    "suppress": head() + "[consent]\nsuppress = [{}]\n" + EVERYONE,
    "suppress of a channel": head() + "[consent.channel.email]\nsuppress = {}\n" + EVERYONE + 'channel = "email"\n',
    "inside": head('latitude = "lat"', 'longitude = "lon"') + "[segment.a]\ngeographic.inside = {}\n",
    "inside by name": head('latitude = "lat"', 'longitude = "lon"')
    + "[segment.a]\ngeographic.inside = {{ path = {}, name = 'North' }}\n",
    "cutoffs": head() + ORDERS + 'amount = "total"\n[rfm]\nevents = "o"\nmethod = "cutoffs"\ncutoffs = {}\n' + EVERYONE,
    "directory": head() + "[output]\ndirectory = {}\n" + EVERYONE,
    "combined": head() + "[output]\ncombined = {}\n" + EVERYONE,
    "previous": head() + EVERYONE + "[segment.all.expect]\nmax_change_percent = 5\nprevious = {}\n",
    "key": head().replace('"id"', "{}") + EVERYONE,
    "as_of": head().replace("2024-03-01", "{}") + EVERYONE,
    "format": head() + "[output]\nformat = {}\n" + EVERYONE,
    "columns": head() + "[output]\ncolumns = [{}]\n" + EVERYONE,
    "encoding": head("encoding = {}") + EVERYONE,
    "date format": head("date_format = {{ id = {} }}") + EVERYONE,
    "rename": head("rename = {{ a = {} }}") + EVERYONE,
    "derive": head("derive = {{ a = {} }}") + EVERYONE,
    "unknown segment": head() + "[segment.a]\nin_segment = {}\n",
    "unknown key": head("{} = 1") + EVERYONE,
    "name of a table": head() + '[events.{}]\npath = "o.csv"\ntime = "day"\n' + EVERYONE,
    "condition": head() + "[segment.a]\ndemographic.{}.min = 3\n",
    "sql": head() + "[segment.a]\nsql = {}\n",
    "list in place of a text": head().replace('"id"', "[{}, 2]") + EVERYONE,
    "two keys": head("path = {}") + EVERYONE,
    "something follows": head("quote = {} x") + EVERYONE,
    "bad value beside it": head("quote = {}, decimal = 1,5") + EVERYONE,
}
"""Rule files; the address stands where they have `{}`."""

SYNTAX = {
    "not closed": 'path = "{}\n',
    "not quoted": "path = {}\n",
    "in single quotes": "path = '{}'x\n",
    "as a key": "{} = 1\n",
    "as a header": "[{}\n",
    "curly quotes": "path = “{}”\n",
    "after a comment": "path = 1 x # it's \"{}\n",
    "many lines": 'path = """{}""" x\n',
    "many lines, not closed": 'path = """\n{}\n',
}
"""Lines that are no TOML."""

COMMANDS = {
    "rule file": ["apply", "{}"],
    "rule file to check": ["check", "{}", "--json"],
    "customers": ["apply", "r.toml", "--customers", "{}"],
    "events": ["apply", "r.toml", "--events", "o={}"],
    "name of events": ["apply", "r.toml", "--events", "{}=o.csv"],
    "no pair": ["apply", "r.toml", "--events", "{}"],
    "output": ["apply", "r.toml", "-o", "{}"],
    "output, dry run": ["apply", "r.toml", "--dry-run", "-o", "{}"],
    "previous": ["apply", "r.toml", "--previous", "{}"],
    "log": ["apply", "r.toml", "--log", "{}"],
    "select": ["apply", "r.toml", "--select", "{}"],
    "as of": ["apply", "r.toml", "--as-of", "{}"],
    "format": ["apply", "r.toml", "--format", "{}"],
    "too much": ["apply", "r.toml", "{}"],
    "option": ["apply", "r.toml", "--{}"],
    "command": ["{}"],
    "old run": ["diff", "{}", "run"],
    "new run": ["diff", "run", "{}"],
    "manifest of a run": ["diff", "{}/manifest.json", "run"],
    "entered": ["diff", "run", "run", "--entered", "{}"],
    "left": ["diff", "run", "run", "--left", "{}"],
    "moved": ["diff", "run", "run", "--moved", "{}"],
    "segment": ["diff", "run", "run", "--segment", "{}"],
    "data": ["rfm", "{}"],
    "data in a list": ["rfm", "o.csv", "{}"],
    "table": ["rfm", "o.csv", "-o", "{}"],
    "saved cutoffs": ["rfm", "o.csv", "--save-cutoffs", "{}"],
    "cutoffs of rfm": ["rfm", "o.csv", "--cutoffs", "{}"],
    "chart": ["rfm", "o.csv", "--chart", "{}"],
    "column": ["rfm", "o.csv", "--key", "{}"],
    "sql": ["rfm", "o.csv", "--where", "{}"],
    "schema": ["schema", "-o", "{}"],
}
"""Commands; the address stands where they have `{}`."""


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server answers here, and none is asked twice."""
    monkeypatch.setattr("segkit.io.read.web.TRIES", 1)


@pytest.fixture
def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk.put("c.csv", "id,town,lat,lon\na,Nantes,47,-1\nb,Paris,48,2\n")
    desk.put("o.csv", "id,day,total\na,2024-01-01,5\nb,2024-02-01,7\na,2024-02-02,1\n")
    monkeypatch.chdir(desk.folder)
    return desk


def told(desk: Desk, *args: object) -> str:
    """All that a command prints, and all that it leaves behind but the rule file: names and contents."""
    done = desk.segkit(*args, code=None)
    assert done.exit_code < 70, (done.stderr, done.exception)
    files = [path for path in desk.folder.rglob("*") if path.name not in ("rules.toml", "c.csv")]
    return "\n".join(
        [
            done.output,
            *map(str, files),
            *(path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()),
        ]
    )


@pytest.mark.parametrize("address", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_an_address_in_a_rule_file(shop: Desk, rules: str, address: str) -> None:
    shop.put("rules.toml", rules.format(toml_value(address)))
    for args in (["check", "rules.toml"], ["check", "rules.toml", "--data", "--json"]):
        assert SECRET not in told(shop, *args)
    for format_ in ("github", "sarif"):
        assert SECRET not in told(shop, "check", "rules.toml", "--format", format_)
    assert SECRET not in told(shop, "-v", "apply", "rules.toml", "--log", "log", "--json")


@pytest.mark.parametrize("line", SYNTAX.values(), ids=SYNTAX)
@pytest.mark.parametrize("address", FORMS.values(), ids=FORMS)
def test_an_address_in_a_line_that_is_no_toml(shop: Desk, line: str, address: str) -> None:
    shop.put("rules.toml", "version = 1\n[customers]\n" + line.format(address.replace("\n", "")))
    assert SECRET not in told(shop, "check", "rules.toml")
    assert SECRET not in told(shop, "apply", "rules.toml", "--log", "log")


@pytest.mark.parametrize("start", ["path = ", "x = 1\npath = "])
@pytest.mark.parametrize("broken", ["postgresql://me:\\\ns3cret-word@host/shop", "postgresql://\\\n  me:a\\\ns3cret-word@host/shop"])  # fmt: skip
@pytest.mark.parametrize("end", [" x", "\npath = 3", " é", "\ns3cret_word = [", ""])
def test_an_address_over_several_lines(shop: Desk, start: str, broken: str, end: str) -> None:
    """Whose second line, in which an error is, does not look like an address."""
    shop.put("rules.toml", f'version = 1\n[customers]\n{start}"""{broken}"""{end}\n')
    assert SECRET not in told(shop, "check", "rules.toml")
    assert SECRET not in told(shop, "apply", "rules.toml", "--log", "log")


@pytest.mark.parametrize("address", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_than_that_of_an_address(shop: Desk, address: str) -> None:
    shop.put("r.toml", head() + ORDERS + EVERYONE)
    for command in ("customers", "events", "data", "data in a list", "rule file"):
        assert SECRET not in told(shop, *(arg.format(address) for arg in COMMANDS[command]))
    shop.put("rules.toml", head('table = "customers"', path=address) + EVERYONE)
    said = shop.segkit("apply", "rules.toml", code=2).stderr
    assert said.startswith("error: a database is named by its address\n")
    assert "`postgresql://HOST/NAME`" in said


PASSWORDS = {
    "postgresql://me:s3cret-word@127.0.0.1:1/shop": True,
    "https://me:s3cret-word@127.0.0.1:1/x.csv": True,
    "postgresql://127.0.0.1:1/shop?sslmode=disable&password=s3cret-word": True,
    "postgresql://me:${PASSWORD:-s3cret-word}@127.0.0.1:1/shop": True,
    "postgresql://me:${PASSWORD}@127.0.0.1:1/shop": False,
    "postgresql://127.0.0.1:1/shop?password=${PASSWORD}": False,
    "postgresql://me@127.0.0.1:1/shop": False,
    "https://127.0.0.1:80/x.csv?mail=a@b.example": False,
}


@pytest.mark.parametrize("address", PASSWORDS)
def test_a_password_that_stands_in_the_rule_file(shop: Desk, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """It would be copied beside each run."""
    monkeypatch.setenv("PASSWORD", SECRET)
    more = [] if address.startswith("https") else ['table = "customers"']
    for rules in (head(*more, path=address), head() + f'[output]\nto = "{address}"\ntable = "lists"\n'):
        if more or "[output]" not in rules:
            shop.put("rules.toml", rules + EVERYONE)
            said = shop.segkit("check", "rules.toml", code=None).output
            assert ("a password stands in this address" in said) is PASSWORDS[address]
            assert SECRET not in said


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_address_on_the_command_line(shop: Desk, command: list[str]) -> None:
    shop.put("r.toml", head() + ORDERS + EVERYONE)
    shop.segkit("apply", "r.toml", "-o", "run")
    for address in ADDRESSES.values():
        args = [arg.format(address) for arg in command]
        log = ["--log", "log"] if args[0] == "apply" and "--log" not in args else []
        assert SECRET not in told(shop, *args, *log)


@pytest.mark.parametrize("address", FORMS.values(), ids=FORMS)
def test_an_address_in_the_environment(shop: Desk, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("SOURCE", address)
    shop.put("rules.toml", head(path="${SOURCE}") + EVERYONE)
    monkeypatch.setenv("SEGKIT_APPLY_EVENTS", f"o={address}".replace(" ", "").replace("\n", ""))
    assert SECRET not in told(shop, "check", "rules.toml", "--data")
    assert SECRET not in told(shop, "apply", "rules.toml", "--log", "log")


@pytest.mark.parametrize("address", [a for a in FORMS.values() if "\n" not in a])
def test_an_address_in_the_data(shop: Desk, address: str) -> None:
    """A value that cannot be read is shown, without the secrets of an address; the lists hold it as it is."""
    shop.put("c.csv", f"id,born,site\na,2020-01-01,x\nb,{address},{address}\n")
    typed = head('types = { born = "date" }') + '[output]\ncolumns = ["site"]\n[segment.a]\nborn.min = 2000-01-01\n'
    shop.put("rules.toml", typed.replace("born.min", "demographic.born.min"))
    assert SECRET not in told(shop, "apply", "rules.toml", "--log", "log")
    assert SECRET not in told(shop, "check", "rules.toml", "--data", "--json")


def test_a_crash_report_holds_no_address(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot open {ADDRESSES['user and query']}")

    shop.put("rules.toml", head() + EVERYONE)
    monkeypatch.setattr("segkit.operations.apply.decide", fail)
    (shop / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(shop / "tmp"))
    done = shop.segkit("apply", "rules.toml", "--log", "log", "--customers", "c.csv", code=70)
    (report,) = (shop / "tmp").glob("segkit-crash-*")
    assert "RuntimeError (message left out)" in report.read_text()
    assert SECRET not in done.output + report.read_text() + (shop / "log").read_text()


def test_a_lock_holds_a_process_and_a_machine(tmp_path: Path) -> None:
    with publishing(tmp_path / "out"):
        lock = (tmp_path / ".out.segkit-lock").read_text()
    assert lock.startswith("process ")
    assert len(lock.splitlines()) == 1


@pytest.mark.parametrize("address", FORMS.values(), ids=FORMS)
def test_a_label_and_a_diagnostic_hold_no_secret(address: str) -> None:
    label = Label(address)
    for text in (str(label), label.path, label.name, repr(label), str(Label(str(Path(address))))):
        assert SECRET not in text
    line = f"path = {toml_value(address)} # why?"
    place = SourceLocation("rules.toml", 3, 2, 4, line)
    shown = Diagnostic(f"cannot read `{address}`: is it there?", place, f"try `x={address}`")
    assert SECRET not in shown.render() + repr(shown)
    assert shown.message.endswith("`: is it there?")
    assert len(masked(line)) == len(line)
    assert masked(line).endswith('" # why?')


def test_what_is_no_address_stays_as_it_is() -> None:
    for text in (
        "a@b.c?d",
        "C:/x?y@z",
        "16:30/17:00?",
        "a password",
        "PostgreSQL: x",
        "`x`: `y`?",
        "rules.toml:3:1",
        "either/or: a@b",
    ):
        assert without_secrets(text) == masked(text) == text
        assert not is_address(text)
    assert without_secrets("`s3://bucket/x` and `a@b`: why?") == "`s3://bucket/x` and `a@b`: why?"


@pytest.mark.parametrize("word", ["a", "a.", "1", "a:/", "`https://u:p@h` ", "password=", "`password "])
def test_long_texts_are_looked_through_once(word: str) -> None:
    """A second; words looked at from each letter on would take minutes, and the process would be ended."""
    code = f"from segkit.addresses import without_secrets; without_secrets({word!r} * 40_000)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_summary_of_a_run_names_local_files_as_before(shop: Desk) -> None:
    shop.put("rules.toml", head() + EVERYONE)
    done = json.loads(shop.segkit("apply", "rules.toml", "--json").stdout)
    assert done["tables"][0]["paths"] == ["c.csv"]
