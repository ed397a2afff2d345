"""Tables at addresses of the web: the same lists as of files, every refusal one line, and no secret anywhere."""

from __future__ import annotations

import gzip
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from segkit.io.read import web as fetching
from tests.desk import Desk, head
from tests.web import Answer, Web, serving

PEOPLE = "id;name;spend\n1;Zoë;12,50\n2;Bob;7\n3;Ann;\n"
SEGMENT = "[segment.rich]\nbehavioural.spend.min = 10\n"
SECRETS = ("SECRET", "SESAME", "ada")


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(fetching, "PAUSE", 0)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path) as (server, trusted):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        yield server


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


TABLE = pl.DataFrame({"id": ["1", "2", "3"], "name": ["Zoë", "Bob", "Ann"], "spend": [12.5, 7.0, None]})
FORMS = {
    "/people.csv": PEOPLE.encode(),
    "/latin.csv": PEOPLE.encode("cp1252"),
    "/people.csv.gz": gzip.compress(PEOPLE.encode()),
    "/people.parquet": parquet(TABLE),
    "/export?format=parquet": parquet(TABLE),
    "/export?format=json": TABLE.write_json().encode(),
    "/export?format=ndjson": TABLE.write_ndjson().encode(),
    "/export.php?what=csv": PEOPLE.encode(),
    "/deux%20mots.csv": PEOPLE.encode(),
}


@pytest.mark.parametrize("path", FORMS)
def test_the_same_as_a_file(desk: Desk, web: Web, path: str) -> None:
    address = web.put(path, FORMS[path])
    assert desk.rows(head(path=address) + SEGMENT) == [{"id": "1", "segment": "rich", "name": "Zoë", "spend": "12.5"}]
    assert [asked for asked, _ in web.asked] == [path]


def test_what_a_proxy_has_changed_is_whole(desk: Desk, web: Web) -> None:
    address = web.put("/people.csv", Answer(PEOPLE.encode(), status=203))
    assert len(desk.rows(head(path=address) + SEGMENT)) == 1


CHARSETS = {
    "text/csv; charset=windows-1250": "windows-1250",
    'text/csv; charset="ISO-8859-2"': "iso-8859-2",
    "text/csv; charset=ISO-8859-1": None,
    "text/csv; charset=windows-1252": None,
    "text/csv; charset=hex": None,
    "text/csv; charset=mine": None,
    "text/csv": None,
}


@pytest.mark.parametrize("content_type", CHARSETS)
def test_another_encoding_that_a_server_gives_is_told(desk: Desk, web: Web, content_type: str) -> None:
    body, charset = "id;name\n1;Paweł\n".encode("cp1250"), CHARSETS[content_type]
    address = web.put("/people.csv", Answer(body, headers={"Content-Type": content_type}))
    rules = head(path=address) + "[segment.s]\neveryone = true\n"
    told = [d["message"] for d in desk.json(rules)["warnings"] if "the server says" in d["message"]]
    assert told == ([f"the server says that `{address}` is {charset}, and it is read as cp1252"] if charset else [])
    given = rules.replace('key = "id"', 'key = "id"\nencoding = "cp1250"')
    assert desk.json(given)["warnings"] == []
    assert desk.columns(given.split("[segment")[0], "name") == {"1": "Paweł"}


def test_a_text_that_is_utf_8_is_so_whatever_its_server_says(desk: Desk, web: Web) -> None:
    address = web.put("/people.csv", Answer(PEOPLE.encode(), headers={"Content-Type": "text/csv; charset=cp1250"}))
    assert desk.json(head(path=address) + SEGMENT)["warnings"] == []


def test_an_address_as_people_write_it(desk: Desk, web: Web) -> None:
    web.put("/caf%C3%A9/deux%20mots.csv?ann%C3%A9e=2024", PEOPLE.encode())
    assert len(desk.rows(head(path=f"{web.root}/café/deux mots.csv?année=2024#top") + SEGMENT)) == 1


def test_it_is_fetched_once(desk: Desk, web: Web) -> None:
    orders = web.put("/orders.csv", b"id,day,total\n1,2024-01-05,5\n2,2024-02-01,6\n")
    rules = f"""version = 1
as_of = 2024-03-01
[customers]
from = "orders"
key = "id"
[events.orders]
path = "{orders}"
time = "day"
amount = "total"
[events.late]
like = "orders"
where.day.after = 2024-01-31
[segment.late]
behavioural.did = {{ events = "late" }}
"""
    assert [row["id"] for row in desk.rows(rules)] == ["2"]
    assert len(web.asked) == 1
    done = desk.segkit("rfm", orders, "--as-of", "2024-03-01", "-o", "-")
    assert done.stdout.startswith("id,")


def test_what_a_run_keeps_of_an_address(desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path, its length and its digest; no user, no password, no query, wherever one looks."""
    monkeypatch.setenv("KEY", "SECRET")
    body = Answer(PEOPLE.encode(), user="ada:SESAME")
    address = web.put("/people.csv?token=SECRET", body)
    rules = head(path=address.replace("https://", "https://${WHO}@").replace("SECRET", "${KEY}")) + SEGMENT
    monkeypatch.setenv("WHO", "ada:SESAME")
    done = desk.apply(rules, "--log", desk / "log", "--json")
    manifest = json.loads((desk / "segments" / "manifest.json").read_text())
    assert manifest["inputs"][0]["path"] == f"{web.root}/people.csv"
    assert manifest["inputs"][0]["bytes"] == len(PEOPLE.encode())
    written = [path.read_bytes() for path in desk.folder.rglob("*") if path.is_file() and path.suffix != ".pem"]
    everything = done.output.encode() + b"".join(written)
    assert not [word for word in SECRETS if word.encode() in everything]
    assert "written" in desk.segkit("explain", "--run", desk / "segments", "1").stdout
    web.put("/people.csv?token=SECRET", Answer(PEOPLE.replace("Bob", "Robert").encode(), user="ada:SESAME"))
    assert (
        "has 45 bytes, and had 42 when the run read it"
        in desk.segkit("explain", "--run", desk / "segments", "1").output
    )


def test_it_may_lead_elsewhere(desk: Desk, web: Web) -> None:
    """The next server is not told what lets us in at the first."""
    web.put("/there.csv", PEOPLE.encode())
    address = web.put("/here.csv", Answer(status=302, headers={"Location": "/there.csv"}, user="ada:SESAME"))
    rules = head(path=address.replace("https://", "https://ada:SESAME@")) + SEGMENT
    assert len(desk.rows(rules)) == 1
    assert ["Authorization" in headers for _, headers in web.asked] == [True, False]


REFUSALS = {
    "nothing there": (Answer(status=404), "there is nothing at `{at}` (404 Not Found)", 1),
    "not allowed": (Answer(status=403), "`{at}` may not be read (403 Forbidden)", 1),
    "who are you": (Answer(status=401), "`{at}` may not be read (401 Unauthorized)", 1),
    "no such way to ask": (Answer(status=400), "the server does not give `{at}` (400 Bad Request)", 1),
    "out of order": (Answer(status=503), "the server does not give `{at}` (503 Service Unavailable), asked 3 times", 3),
    "cut short": (Answer(PEOPLE.encode() * 9, breaks=99), "`{at}` was cut short: 99 of 378 bytes came", 3),
    "a piece is missing": (
        Answer(b"1f\r\nid;name;spend\n", headers={"Transfer-Encoding": "chunked"}, has_length=False),
        "`{at}` was cut short: the server ended it too early",
        3,
    ),
    "a part of it": (
        Answer(PEOPLE.encode(), status=206, headers={"Content-Range": "bytes 0-41/99"}),
        "the server does not give all of `{at}` (206 Partial Content)",
        1,
    ),
    "packed in a way of its own": (
        Answer(PEOPLE.encode(), headers={"Content-Encoding": "br"}),
        "the server packs `{at}` in a way that is not read (`br`)",
        1,
    ),
    "not yet": (Answer(PEOPLE.encode(), status=202), "the server does not give all of `{at}` (202 Accepted)", 1),
    "nothing to say": (Answer(status=204), "the server does not give all of `{at}` (204 No Content)", 1),
    "to other schemes": (
        Answer(status=302, headers={"Location": "ftp://ada:SESAME@localhost/x"}),
        "`{at}` leads to `ftp://localhost/x`, which is not followed",
        1,
    ),
    "to no encryption": (
        Answer(status=301, headers={"Location": "http://shop.example/x?token=SECRET"}),
        "`{at}` leads to `http://shop.example/x`, which is not followed",
        1,
    ),
    "a page": (Answer(b"\n<!DOCTYPE html><title>Log in</title>"), "`people.csv` is a page of the web, not a table", 1),
    "nothing in it": (Answer(), "`people.csv` is empty", 1),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_one_line(desk: Desk, web: Web, case: str) -> None:
    answer, message, times = REFUSALS[case]
    address = web.put("/people.csv?token=SECRET", answer)
    done = desk.apply(head(path=address) + SEGMENT, "--log", desk / "log", code=3)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ["error: " + message.format(at=f"{web.root}/people.csv")]
    assert "hint: " in done.stderr or case == "nothing in it"
    assert len(web.asked) == times
    assert not [word for word in SECRETS if word in done.output + (desk / "log").read_text()]
    assert not (desk / "segments").exists()


def test_a_server_that_is_out_of_order_may_come_back(desk: Desk, web: Web) -> None:
    cut = Answer(PEOPLE.encode(), breaks=9)
    address = web.put("/people.csv", Answer(status=502), cut, Answer(PEOPLE.encode()))
    assert len(desk.rows(head(path=address) + SEGMENT)) == 1


def test_round_in_circles(desk: Desk, web: Web) -> None:
    address = web.put("/a.csv", Answer(status=302, headers={"Location": "/a.csv"}))
    done = desk.apply(head(path=address) + SEGMENT, code=3)
    assert f"error: the server does not give `{address}` (302 Found)" in done.stderr


def test_nobody_answers(desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
    with socket.create_server(("localhost", 0)) as silent:
        port = silent.getsockname()[1]
        done = desk.apply(head(path=f"http://ada:SESAME@localhost:{port}/a.csv") + SEGMENT, code=3)
        assert f"error: `localhost:{port}` does not answer within 0 seconds, asked 3 times\n" in done.stderr
    done = desk.apply(head(path=f"https://ada:SESAME@localhost:{port}/a.csv") + SEGMENT, code=3)
    assert f"error: `localhost:{port}` does not answer: Connection refused, asked 3 times\n" in done.stderr
    done = desk.apply(head(path="https://no.server.invalid/a.csv") + SEGMENT, code=3)
    assert "error: no server `no.server.invalid` is known here\n" in done.stderr
    done = desk.apply(head(path="https://localhost:port/a.csv") + SEGMENT, code=3)
    assert "error: `https://localhost:port/a.csv` is no address that can be asked for\n" in done.stderr
    assert "SESAME" not in done.output


@pytest.mark.parametrize(
    "url",
    [
        "https://SESAME@host/a/*.csv#SECRET",
        "https://host/a.csv?token=SECRET",
        "https://host/?mail=SECRET@x",
        "https://ada:SES/AME@host/a.csv",
    ],
)
def test_no_message_has_the_secrets_of_an_address(
    desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Not even of one that is written in a wrong way."""
    monkeypatch.setenv("SOURCE", url)
    desk.put("rules.toml", head(path="${SOURCE}") + SEGMENT)
    desk.put("other.toml", head(path="c.csv") + SEGMENT)
    for args in (
        ["apply", desk / "rules.toml", "--log", desk / "log"],
        ["apply", desk / "other.toml", "--customers", url],
        ["rfm", url],
        ["check", desk / "rules.toml", "--data"],
    ):
        done = desk.segkit(*args, code=1 if args[0] == "check" else 3)
        talk = done.output + (desk / "log").read_text()
        assert not [secret for secret in ("SES", "AME", "SECRET", "ada") if secret in talk]


def test_a_first_rule_file_holds_no_secret(desk: Desk, web: Web) -> None:
    """`init` takes an address, but for one that would put what lets one in into the file."""
    orders = web.put("/orders.csv", b"id,day,total\n1,2024-01-05,5\n2,2024-02-01,6\n1,2024-02-03,5.5\n")
    desk.segkit("init", desk / "new", "--events", orders)
    assert f'path = "{orders}"' in (desk / "new" / "segments.toml").read_text()
    desk.segkit("apply", desk / "new" / "segments.toml")
    with_query = web.put("/orders.csv?token=SECRET", b"id,day,total\n1,2024-01-05,5\n")
    done = desk.segkit("init", desk / "other", "--events", with_query, code=2)
    assert f"error: a rule file would hold what lets one in at `{web.root}/orders.csv`" in done.stderr
    assert "SECRET" not in done.output and not (desk / "other").exists()


def test_an_audit_names_no_secret(desk: Desk, web: Web) -> None:
    """Neither what stands in an address, nor one file for the other."""
    one = web.put("/people.csv?token=SECRET", b"id,email\n1,a@x.example\n2,b\n")
    two = web.put("/people.csv?token=SESAME", b"id,email\n1,a@x.example\n")
    for how in ([], ["--json"], ["-o", "-", "-q"], ["--json", "--rows", desk / "r.csv", "-o", desk / "f.csv"]):
        done = desk.segkit("audit", one, two, *how)
        assert not [secret for secret in ("SECRET", "SESAME") if secret in done.output]
        assert "/people.csv" in done.output
    assert "SECRET" not in (desk / "f.csv").read_text() + (desk / "r.csv").read_text()
    found = json.loads(desk.segkit("audit", one, two, "--json").stdout)
    names = [table["name"] for table in found["tables"]]
    assert len(set(names)) == 2
    assert [one["table"] for one in found["findings"]] == [names[0]]


def test_a_server_that_nobody_vouches_for(desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    address = web.put("/people.csv", PEOPLE.encode())
    monkeypatch.delenv("SSL_CERT_FILE")
    done = desk.apply(head(path=address) + SEGMENT, code=3)
    assert "error: `localhost:" in done.stderr and "cannot be trusted: " in done.stderr
    assert "SSL_CERT_FILE" in done.stderr and not web.asked


def test_what_comes_unencrypted_or_without_its_length(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of others is reached through a proxy, which gets the whole address."""
    with serving(tmp_path, "http") as (web, _):
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("http_proxy", web.root)
        web.put("http://shop.example/people.csv", Answer(PEOPLE.encode(), has_length=False))
        done = desk.apply(head(path="http://shop.example/people.csv") + SEGMENT)
        assert "warning: `http://shop.example/people.csv` comes unencrypted: " in done.output
        assert "warning: the server does not say how long `http://shop.example/people.csv` is" in done.output
        monkeypatch.delenv("http_proxy")
        here = web.put("/people.csv", PEOPLE.encode())
        assert "warning" not in desk.apply(head(path=here) + SEGMENT).output


def test_what_a_server_takes_for_a_page_is_doubted(desk: Desk, web: Web) -> None:
    """Many say so of tables, too; and a page to log in with may read as one."""
    address = web.put("/people.csv", Answer(PEOPLE.encode(), headers={"Content-Type": "text/html; charset=utf-8"}))
    (told,) = desk.json(head(path=address) + SEGMENT)["warnings"]
    assert told["message"] == f"the server says that `{address}` is a page of the web (`text/html`)"


def test_two_lengths_are_none(desk: Desk, web: Web) -> None:
    address = web.put("/people.csv", Answer(PEOPLE.encode(), headers={"Content-Length": "19"}))
    error = desk.apply(head(path=address) + SEGMENT, code=3).stderr
    assert f"error: the server gives several lengths of `{address}`" in error


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://localhost/people.csv", "data:text/csv,id;name"])
def test_where_no_server_may_lead(desk: Desk, web: Web, to: str) -> None:
    address = web.put("/people.csv", Answer(status=302, headers={"Location": to}))
    error = desk.apply(head(path=address) + SEGMENT, code=3).stderr
    assert "which is not followed" in error and f"`{address}` leads to" in error


def test_keys_that_do_not_go_with_it(desk: Desk, web: Web) -> None:
    """`check` looks at the address alone; nothing is fetched."""
    rules = head('delimiter = ";"', path=f"{web.root}/people.parquet?x=1") + SEGMENT
    done = desk.segkit("check", desk.put("rules.toml", rules), code=1)
    assert "`delimiter` does not go with" in done.output
    assert not web.asked


def test_two_that_are_the_same(desk: Desk, web: Web) -> None:
    one = web.put("/people.csv?page=1", PEOPLE.encode())
    two = web.put("/people.csv?page=2", b"id;name;spend\n4;Eve;99\n")
    rules = head(path="x") + SEGMENT
    of_both = rules.replace('path = "x"', f'path = ["{one}", "{two}"]')
    assert [row["id"] for row in desk.rows(of_both)] == ["1", "4"]
    done = desk.apply(rules.replace('path = "x"', f'path = ["{one}", "{one}"]'), code=3)
    assert "is named twice" in done.stderr
