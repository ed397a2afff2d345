"""Pipes and terminals: one reader of standard input, no binary rows on a terminal, warnings where people look."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.desk import Desk, environment, event_table, head

PEOPLE = "id,age\na,1\nb,40\n"
EVERYONE = "[segment.all]\neveryone = true\n"
ZONES = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]]]}}]}'  # fmt: skip


# --- standard input ---

FROM_STDIN = head(path="-")
ORDERS = event_table("orders", "-")
TWICE = {
    "events": (FROM_STDIN + ORDERS, "`[events.orders]` reads", "as `[customers]` does", 7),
    "lookup": (ORDERS.join([head(), '[lookup.x]\npath = "-"\non = "age"\n']), "`[lookup.x]` reads", "as `[events.orders]` does", 10),
    "suppress": (FROM_STDIN + '[consent]\nsuppress = ["u.csv", "-"]\n', "`suppress` reads", "as `[customers]` does", 7),
    "zones": (head('latitude = "lat"', 'longitude = "lon"', path="-") + '[segment.z]\ngeographic.inside = "-"\n', "`inside` reads", "as `[customers]` does", 9),
}  # fmt: skip


@pytest.mark.parametrize(("text", "second", "first", "line"), TWICE.values(), ids=TWICE)
def test_a_second_reader_of_standard_input(desk: Desk, text: str, second: str, first: str, line: int) -> None:
    desk.put("u.csv", "id\na\n")
    done = desk.apply(text + EVERYONE, code=2, input=PEOPLE.encode())
    place = desk / "rules.toml"
    assert done.stderr.startswith(f"error: {second} standard input, {first} at {place}:")
    assert f"--> {place}:{line}:" in done.stderr
    assert "hint: give one of them as a file" in done.stderr
    assert not (desk / "segments").exists()
    assert second in desk.segkit("check", place, code=1).stdout


def test_options_make_a_second_reader_too(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    desk.put("o.csv", "id,day\na,2024-01-01\n")
    text = head() + event_table("orders", "o.csv") + EVERYONE
    desk.apply(text, "--customers", "-", input=PEOPLE.encode())
    done = desk.apply(text, "--customers", "-", "--events", "orders=-", code=2, input=PEOPLE.encode())
    assert "`[events.orders]` reads standard input, as `[customers]` does" in done.stderr


def test_one_source_of_several_uses_is_one_reader(desk: Desk) -> None:
    """A table made `like` another, a list named twice."""
    desk.put("c.csv", PEOPLE)
    like = '[events.back]\nlike = "orders"\n[trait.n]\nevents = "orders"\n[trait.m]\nevents = "back"\n'
    text = head() + ORDERS + like + "[segment.s]\nbehavioural = { n.min = 1, m.min = 1 }\n"
    rows = desk.rows(text, input=b"id,day\na,2024-01-01\n")
    assert [r["id"] for r in rows] == ["a"]
    channels = '[consent]\nsuppress = ["-"]\n[consent.channel.email]\nsuppress = ["-"]\n'
    rows = desk.rows(head() + channels + EVERYONE + 'channel = "email"\n', input=b"id\na\n")
    assert [r["id"] for r in rows] == ["b"]


def test_rules_from_standard_input_leave_nothing_for_a_source(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    desk.put("c.csv", PEOPLE)
    text = (head() + EVERYONE).encode()
    done = desk.segkit("apply", "-", "--customers", "-", code=2, input=text)
    assert "`[customers]` reads standard input, which holds the rule file" in done.stderr
    desk.segkit("apply", "-", input=text)


@pytest.mark.parametrize("data", ["id,day,total\na,2024-01-01,1\n", "id,recency_days,frequency,monetary\na,1,2,3\n"])
def test_rfm_reads_standard_input_once(desk: Desk, data: str) -> None:
    assert json.loads(desk.segkit("rfm", "-", "--json", input=data.encode()).stdout)["customers"] == 1


# --- terminals ---


def on_a_terminal(desk: Desk, *args: str) -> tuple[int, bytes, bytes]:
    """segkit with standard output on a terminal: exit code, what the terminal shows, standard error."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "segkit", *args]
    process = subprocess.Popen(
        command, cwd=desk.folder, env=environment(), stdin=subprocess.DEVNULL, stdout=child, stderr=subprocess.PIPE
    )
    os.close(child)
    seen = b""
    try:
        while chunk := os.read(parent, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    return process.wait(60), seen, process.communicate()[1]


@pytest.mark.parametrize(
    "format", ["parquet", "arrow", pytest.param("xlsx", marks=pytest.mark.extra("excel")), "csv", "ndjson"]
)
def test_binary_rows_are_not_for_a_terminal(desk: Desk, format: str) -> None:
    desk.put("c.csv", PEOPLE)
    desk.put("rules.toml", head() + f'[output]\nformat = "{format}"\n' + EVERYONE)
    code, seen, talk = on_a_terminal(desk, "apply", "rules.toml", "-o", "-", "-q")
    if format in ("csv", "ndjson"):
        assert (code, talk) == (0, b"")
        assert b"all" in seen
        return
    assert (code, seen) == (2, b"")
    assert talk.decode().startswith(f"error: `{format}` is no text, and standard output is a terminal\nhint: ")
    assert b"`--format csv`" in talk
    assert on_a_terminal(desk, "apply", "rules.toml", "-o", "-", "--dry-run", "-q")[0] == 0
    assert on_a_terminal(desk, "apply", "rules.toml", "-q")[0] == 0
    assert desk.process("apply", "rules.toml", "-o", "-", "-q").stdout  # a pipe may have them


# --- where warnings go ---


@pytest.mark.parametrize("quiet", [[], ["-q"]])
@pytest.mark.parametrize("command", ["apply", "rfm"])
def test_warnings_beside_json(desk: Desk, command: str, quiet: list[str]) -> None:
    desk.put("c.csv", PEOPLE)
    desk.put("o.csv", "id,day,total\na,2020-01-01,1\nb,2020-01-02,2\n")
    desk.put("rules.toml", head() + '[output]\ndirectory = "{today}"\n' + EVERYONE)
    args = ["apply", desk / "rules.toml"] if command == "apply" else ["rfm", desk / "o.csv", "--as-of", "2024-01-01"]
    done = desk.segkit(*args, "--json", *quiet)
    (warning,) = json.loads(done.stdout)["warnings"]
    assert warning["severity"] == "warning"
    assert done.stderr == "" if quiet else done.stderr.startswith(f"warning: {warning['message']}\n")


# --- messages hold no secrets ---

URLS = {
    "mysql://me:PASSWORD@db.example:5432/shop?password=SECRET": "mysql://db.example:5432/shop",
    "ftp://host/x.parquet": "ftp://host/x.parquet",
    "mysql://me:PASS@WORD@host/db": "mysql://host/db",
    "mysql://me:PASS/WORD@host/db": "mysql://...",
    "mysql://me:PASS?WORD@host/db": "mysql://...",
    "mysql://me:PASS#WORD@host/db": "mysql://...",
}


@pytest.mark.parametrize(("url", "shown"), URLS.items(), ids=URLS.values())
def test_a_url_is_shown_without_its_secrets(desk: Desk, monkeypatch: pytest.MonkeyPatch, url: str, shown: str) -> None:
    monkeypatch.setenv("SOURCE", url)
    desk.put("rules.toml", head(path="${SOURCE}") + EVERYONE)
    desk.put("rules2.toml", head(path="c.csv") + EVERYONE)
    for args in (
        ["apply", desk / "rules.toml", "--log", desk / "log"],
        ["apply", desk / "rules2.toml", "--customers", url],
        ["rfm", url],
        ["check", desk / "rules.toml", "--data"],
    ):
        done = desk.segkit(*args, code=1 if args[0] == "check" else 3)
        assert (
            f"error: cannot read `{shown}`: only files, tables at `https://` or `s3://` and databases are read\n"
            in done.output
        )
        talk = done.output + (desk / "log").read_text()
        assert not [secret for secret in ("PASS", "WORD", "SECRET") if secret in talk]
