"""Tables in buckets: the same lists as of files, read where they are or copied once, and every refusal one line."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from segkit.io.cloud import store
from segkit.io.read import Bounds, Workspace
from segkit.io.read.buckets.found import in_bucket
from segkit.operations import apply as applying
from segkit.operations import decide as decision
from tests.desk import Desk, event_table, head
from tests.lakes import delete, written
from tests.s3 import KEY, SECRET, URL, Cloud, a_cloud, forget, let_in, needs_server
from tests.web import Answer, Web, serving

pytestmark = [pytest.mark.extra("bucket"), needs_server]

PEOPLE = "id;name;spend\n1;Zoë;12,50\n2;Bob;7\n3;Ann;\n"
TABLE = pl.DataFrame({"id": ["1", "2", "3"], "name": ["Zoë", "Bob", "Ann"], "spend": [12.5, 7.0, None]})
SEGMENT = "[segment.rich]\nbehavioural.spend.min = 10\n"
RICH = [{"id": "1", "segment": "rich", "name": "Zoë", "spend": "12.5"}]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with a_cloud(tmp_path) as one:
        yield one


def content(frame: pl.DataFrame, kind: str) -> bytes:
    out = io.BytesIO()
    write: dict[str, Callable[[io.BytesIO], object]] = {
        "parquet": frame.write_parquet,
        "ipc": frame.write_ipc,
        "stream": frame.write_ipc_stream,
    }
    write[kind](out)
    return out.getvalue()


FORMS = {
    "people.csv": PEOPLE.encode(),
    "latin.csv": PEOPLE.encode("cp1252"),
    "people.csv.gz": gzip.compress(PEOPLE.encode()),
    "people.ndjson": TABLE.write_ndjson().encode(),
    "people.json": TABLE.write_json().encode(),
    "people.parquet": content(TABLE, "parquet"),
    "people.arrow": content(TABLE, "ipc"),
    "stream.arrow": content(TABLE, "stream"),
    "no-ending": content(TABLE, "parquet"),
    "wrong-ending.csv": content(TABLE, "parquet"),
    "packed.parquet": gzip.compress(content(TABLE, "parquet")),
    "a folder/ünïcode %41 [x]? #1 @home.parquet": content(TABLE, "parquet"),
    "a folder/ünïcode %41 [x]? #1 @home.csv": PEOPLE.encode(),
}


@pytest.mark.parametrize("key", FORMS)
def test_the_same_as_a_file(desk: Desk, cloud: Cloud, key: str) -> None:
    address = cloud.put(key, FORMS[key])
    assert desk.rows(head(path=address) + SEGMENT) == RICH


ORDERS = {
    "day=2024-01-05/region=0042/a.csv": "id,total\n1,5\n2,6\n",
    "day=2024-02-01/region=7/b.csv": "id,total\n2,8\n",
    "day=2024-02-01/region=7/.hidden.csv": "id,total\n3,8\n",
    "day=2024-02-01/region=7/_SUCCESS": "",
}
GLOBS = {
    "orders/*/*/*.csv": ["leading", "other"],
    "orders/**/*.csv": ["leading", "other"],
    "orders/**/[ab].csv": ["leading", "other"],
    "orders/day=*/region=7/?.csv": [],
    "orders": ["leading", "other"],
    "orders/": ["leading", "other"],
}


@pytest.mark.parametrize("glob", GLOBS)
def test_globs_and_the_names_of_folders(desk: Desk, cloud: Cloud, glob: str) -> None:
    """As locally: `*` stops at a slash, hidden files are none, and `0042` is a text."""
    for key, text in ORDERS.items():
        cloud.put(f"orders/{key}", text)
        desk.put(f"orders/{key}", text)
    segments = "".join(
        f'[segment.{name}]\nbehavioural.did = {{ events = "orders", where.region = "{region}" }}\n'
        for name, region in (("leading", "0042"), ("other", "7"))
    )
    if not GLOBS[glob]:  # the folder is named, so it is no column
        segments = '[segment.all]\nbehavioural.did = { events = "orders" }\n'

    def rules(path: str) -> str:
        customers = head('from = "orders"').replace('path = "c.csv"\n', "")
        return customers + event_table("orders", path, 'amount = "total"') + segments

    found = desk.rows(rules(f"{cloud.root}/{glob}"))
    assert found == desk.rows(rules(glob))
    assert sorted({row["segment"] for row in found}) == (GLOBS[glob] or ["all"])


def test_several_addresses_and_files_are_one_table(desk: Desk, cloud: Cloud) -> None:
    paths = [
        cloud.put("one.csv", "id,n\n1,1\n"),
        str(desk.put("two.csv", "id,n\n2,2\n")),
        cloud.put("3.csv", "id,n\n3,3\n"),
    ]
    rules = head().replace('"c.csv"', json.dumps(paths)) + "[segment.s]\neveryone = true\n"
    assert [row["id"] for row in desk.rows(rules)] == ["1", "2", "3"]
    assert "is named twice" in desk.apply(rules.replace(paths[2], paths[0]), code=3).stderr


def test_marks_of_folders_are_no_files(desk: Desk, cloud: Cloud) -> None:
    """Consoles make an empty object for a folder."""
    for key in ("in/", "in/sub/", "in/other/"):
        cloud.put(key, b"")
    cloud.put("in/sub/x.csv", PEOPLE)
    cloud.put("in/a.csv", PEOPLE)
    assert len(desk.rows(head(path=f"{cloud.root}/in/*") + SEGMENT)) == 1
    for key in ("by/", "by/day=1/", "by/day=2/"):
        cloud.put(key, b"")
    cloud.put("by/day=1/x.csv", PEOPLE)
    assert len(desk.rows(head(path=f"{cloud.root}/by") + SEGMENT)) == 1


@pytest.mark.parametrize("name", ["people.parquet", "people.csv"])
def test_commands_without_a_rule_file(desk: Desk, cloud: Cloud, name: str) -> None:
    rows = pl.DataFrame({"id": ["1", "2", "2"], "day": ["2024-01-05", "2024-02-01", "2024-02-03"], "total": [5, 6, 7]})
    orders = cloud.put("orders.parquet", content(rows, "parquet"))
    people = cloud.put(name, FORMS[name])
    assert desk.segkit("rfm", orders, "--as-of", "2024-03-01", "-o", "-").stdout.startswith("id,")
    assert desk.segkit("audit", people, "--json").exit_code == 0
    desk.segkit("init", desk / "made", "--customers", people, "--events", orders)
    made = (desk / "made" / "segments.toml").read_text(encoding="utf-8")
    assert f'path = "{people}"' in made and f'path = "{orders}"' in made
    assert desk.segkit("check", desk / "made" / "segments.toml", "--data", "--json").exit_code == 0


def test_in_buckets_of_customers(desk: Desk, cloud: Cloud) -> None:
    """With `--memory` and `--buckets`, too."""
    many = pl.DataFrame(
        {"id": [str(n) for n in range(5000)], "name": ["x"] * 5000, "spend": [float(n % 20) for n in range(5000)]}
    )
    rules = head(path=cloud.put("many.parquet", content(many, "parquet"))) + SEGMENT
    assert desk.rows(rules, "--memory", "512MB", "--buckets", "3") == desk.rows(rules)


def test_what_machines_of_a_cluster_read_is_copied(cloud: Cloud) -> None:
    """They may not be let in, and nothing that lets one in travels to them."""
    address = cloud.put("people.parquet", FORMS["people.parquet"])
    with Workspace() as ws:
        [here] = in_bucket(ws, address)
        assert here.kind == "parquet" and [*ws.objects] == [here.path]
    with Workspace(bounds=Bounds(engine=object())) as ws:
        [copy] = in_bucket(ws, address)
        assert copy.kind is None and copy.path.read_bytes() == FORMS["people.parquet"] and not ws.objects


def test_what_a_run_keeps_of_an_object(desk: Desk, cloud: Cloud) -> None:
    """Its address, its length and a digest; nothing of who was let in."""
    text, table = cloud.put("people.csv", PEOPLE), cloud.put("t/people.parquet", FORMS["people.parquet"])
    rules = (
        head(path=text)
        + f'[lookup.names]\npath = "{table}"\non = "id"\nrename = {{ called = "name", paid = "spend" }}\n'
        + SEGMENT
    )
    done = desk.apply(rules, "--log", desk / "log", "--json", "--report", desk / "report.html")
    manifest = json.loads((desk / "segments" / "manifest.json").read_text(encoding="utf-8"))
    desk.apply(head(path=str(desk.put("people.csv", PEOPLE))) + SEGMENT, "-o", desk / "other")
    other = json.loads((desk / "other" / "manifest.json").read_text(encoding="utf-8"))
    first, second = manifest["inputs"]
    assert first == {**other["inputs"][0], "path": text}
    assert (second["path"], second["bytes"]) == (table, len(FORMS["people.parquet"]))
    everything = done.stdout + done.stderr + (desk / "log").read_text(encoding="utf-8")
    everything += "".join(one.decode("utf-8", "replace") for one in desk.tree().values())
    assert not [word for word in (KEY, SECRET, URL.rpartition("/")[2]) if word in everything]


@pytest.mark.parametrize("name", ["people.csv", "people.parquet", "day=*/people.parquet"])
def test_explain_says_whether_an_object_is_as_it_was(desk: Desk, cloud: Cloud, name: str) -> None:
    key, form = name.replace("*", "1"), name.rpartition("/")[2]
    cloud.put(key, FORMS[form])
    desk.apply(head(path=f"{cloud.root}/{name}") + SEGMENT)
    for more, told in (((), ""), (("--verify",), "note: the files are as the run has read them\n")):
        assert desk.segkit("explain", "1", "--run", desk / "segments", *more).stderr == told
    cloud.put(key, FORMS[form].replace(b"Ann", b"Eve"))
    told = desk.segkit("explain", "1", "--run", desk / "segments", "--verify").stderr
    assert "is not what the run has read" in told or "has been written since the run read it" in told
    if form == "people.parquet":  # its ETag costs nothing to look at
        assert "has been written since" in desk.segkit("explain", "1", "--run", desk / "segments").stderr


def test_explain_reads_the_object_that_a_run_was_given(desk: Desk, cloud: Cloud) -> None:
    desk.put("c.csv", "id,name,spend\n9,Eve,99\n")
    desk.apply(head() + SEGMENT, "--customers", cloud.put("people.parquet", FORMS["people.parquet"]))
    done = desk.segkit("explain", "1", "--run", desk / "segments")
    assert "at least 10" in done.stdout and done.stderr == ""


def test_an_object_that_changes_while_it_is_read(desk: Desk, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read in parts: no list of two of its contents is written. A copy is of one moment."""
    decide: Callable[..., Any] = decision.decide
    put: list[Callable[[], object]] = []

    def decide_and_change(*args: Any, **options: Any) -> Any:
        decided = decide(*args, **options)
        for change in put:
            change()
        return decided

    monkeypatch.setattr(applying, "decide", decide_and_change)
    rules = head(path=cloud.put("people.parquet", FORMS["people.parquet"])) + SEGMENT
    put[:] = [lambda: cloud.put("people.parquet", FORMS["people.parquet"])]
    assert desk.apply(rules).exit_code == 0  # the same content once more
    other = content(TABLE.head(2), "parquet")
    before = desk.tree()
    for change in (lambda: cloud.put("people.parquet", other), lambda: cloud.delete("people.parquet")):
        for more in ((), ("-o", "-")):
            cloud.put("people.parquet", FORMS["people.parquet"])
            put[:] = [change]
            assert "has changed since the run has opened it" in desk.apply(rules, *more, code=3).stderr
            assert desk.tree() == before
    put[:] = [lambda: cloud.put("people.csv", "changed")]
    assert desk.apply(head(path=cloud.put("people.csv", PEOPLE)) + SEGMENT).exit_code == 0


@pytest.mark.extra("lake")
def test_a_delta_table_in_a_bucket(desk: Desk, cloud: Cloud) -> None:
    table = desk / "people"
    written(TABLE, table, "name")
    cloud.put_folder(table, "lake/people/")
    address = f"{cloud.root}/lake/people"
    assert desk.rows(head(path=address) + SEGMENT) == RICH
    desk.apply(head(path=address) + SEGMENT)
    manifest = json.loads((desk / "segments" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"][0]["path"] == address
    [part] = cloud.keys("lake/people/name=Bob")
    refused = desk.apply(head(path=f"{cloud.root}/lake/**/*.parquet") + SEGMENT, code=3).stderr
    assert f'name the table: `path = "{address}"`' in refused
    assert "is a file of the Delta table" in desk.apply(head(path=f"{cloud.root}/{part}") + SEGMENT, code=3).stderr
    cloud.delete(part)
    assert "1 file of this version of `people` are gone" in desk.apply(head(path=address) + SEGMENT, code=3).stderr
    assert "`people` has no version 7" in desk.apply(head("version = 7", path=address) + SEGMENT, code=3).stderr


@pytest.mark.parametrize(
    ("mark", "kind"), [(".hoodie/hoodie.properties", "Hudi"), ("metadata/v1.metadata.json", "Iceberg")]
)
def test_files_of_other_tables_in_a_bucket(desk: Desk, cloud: Cloud, mark: str, kind: str) -> None:
    cloud.put("t/data/x.parquet", FORMS["people.parquet"])
    assert desk.rows(head(path=f"{cloud.root}/t/data/x.parquet") + SEGMENT) == RICH
    cloud.put(f"t/{mark}", "{}")
    for path in ("t/data/x.parquet", "t/**/*.parquet", "t/data/*.parquet"):
        told = desk.apply(head(path=f"{cloud.root}/{path}") + SEGMENT, code=3).stderr
        assert f"`x.parquet` is a file of `{cloud.root}/t`, a table of {kind}, which says which rows count" in told


@pytest.mark.extra("lake")
def test_a_column_too_many_in_a_table_in_a_bucket(desk: Desk, cloud: Cloud) -> None:
    table = desk / "people"
    written(TABLE, table)
    [part] = table.glob("*.parquet")
    pl.read_parquet(part).rename({"name": "Name"}).write_parquet(part)
    cloud.put_folder(table, "people/")
    told = desk.apply(head(path=f"{cloud.root}/people") + SEGMENT, code=3).stderr
    assert f"`{part.name}` of `people` has a column `Name`, which the table does not name" in told


@pytest.mark.extra("lake")
def test_rows_that_a_delta_table_in_a_bucket_has_deleted(desk: Desk, cloud: Cloud) -> None:
    table = desk / "people"
    written(TABLE, table)
    delete(table, [0])
    cloud.put_folder(table, "people/")
    rules = head(path=f"{cloud.root}/people") + "[segment.all]\neveryone = true\n"
    assert [row["id"] for row in desk.rows(rules)] == ["2", "3"]


def refused(desk: Desk, address: str, *lines: str) -> None:
    """One error with these words, exit 3, in a few lines, and nothing of Rust or of secrets."""
    told = desk.apply(head(path=address) + SEGMENT, code=3).stderr
    for line in lines:
        assert line in told
    assert told.startswith("error: ") and told.count("error:") == 1
    assert not [word for word in ("Error {", "source:", "<Code>", SECRET, "SESAME") if word in told], told


NEAR = {
    "in/peple.parquet": ("there is no object `{root}/in/peple.parquet`", "did you mean `people.parquet`?"),
    "in/zz": ("there is no object", "`{root}/in` holds `orders.csv`, `people.parquet`"),
    "nowhere/x.csv": ("there is no object", "nothing lies below `{root}/nowhere`"),
    "deep/x.csv": ("there is no object", "right below `{root}/deep` lie only folders"),
    "in/*.parq": ("no object matches `{root}/in/*.parq`", "`{root}/in` holds `orders.csv`, `people.parquet`"),
    "in": ("`{root}/in` is a folder", "name its files with a glob such as `{root}/in/*.csv`"),
    "": ("is a folder", "`{root}/*.csv`"),
    "in/empty.csv": ("`empty.csv` is empty",),
    "in/broken.parquet": ("`broken.parquet` is not a readable Parquet file",),
}


@pytest.mark.parametrize("key", NEAR)
def test_what_is_not_there(desk: Desk, cloud: Cloud, key: str) -> None:
    cloud.put("in/people.parquet", FORMS["people.parquet"])
    cloud.put("in/orders.csv", PEOPLE)
    cloud.put("deep/er/x.csv", PEOPLE)
    if key.startswith("in/"):
        cloud.put(key, b"") if key == "in/empty.csv" else None
        cloud.put(key, b"PAR1, and then something else") if key == "in/broken.parquet" else None
    refused(desk, f"{cloud.root}/{key}", *(one.format(root=cloud.root) for one in NEAR[key]))


MALFORMED = {
    "s3://": "`s3://` names no bucket",
    "s3:///x.csv": "names no bucket",
    "s3://no bucket/x.csv": "`no bucket` cannot be the name of one",
    "s3://bucket//x.csv": "a part between two slashes is empty",
    "s3://bucket/../x.csv": "a part between two slashes is empty, `.` or `..`",
    "s3://AKID:SESAME@bucket/x.csv": "holds more than the name of a bucket",
    "s3a://bucket/x.csv": "write it as `s3://BUCKET/KEY`",
}


@pytest.mark.parametrize("address", MALFORMED)
def test_malformed_addresses(desk: Desk, cloud: Cloud, address: str) -> None:
    refused(desk, address, MALFORMED[address])


def test_a_key_with_an_empty_part_beside_others(desk: Desk, cloud: Cloud) -> None:
    cloud.put("in//x.csv", PEOPLE)
    said = (f"the key `{cloud.root}/in//x.csv` has an empty part", "move what is there to another key")
    for address in ("in/*.csv", "in"):
        refused(desk, f"{cloud.root}/{address}", *said)
    refused(desk, f"{cloud.root}/in/y.csv", "there is no object", f"look at its name; the key `{cloud.root}/in//`")


def test_there_is_no_such_bucket(desk: Desk, cloud: Cloud) -> None:
    host = URL.rpartition("/")[2]
    for key in ("x.csv", "x.parquet", "*.csv", ""):
        refused(desk, f"{cloud.root}-not/{key}", f"there is no bucket `{cloud.root}-not` on `{host}`")


def test_nobody_answers(desk: Desk, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PAUSE", 0.01)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    for key in ("x.csv", "x.parquet", "*.csv"):
        refused(desk, f"{cloud.root}/{key}", "`127.0.0.1:1` does not answer, asked 3 times")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://segkit.invalid")
    refused(desk, f"{cloud.root}/x.csv", "no server `segkit.invalid` is known here")


def test_the_extra_is_not_installed(desk: Desk, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    refused(desk, f"{cloud.root}/x.csv", "which an extra of segkit reads", 'pip install "segkit-cli[bucket]"')


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server that answers as a test likes."""
    monkeypatch.setattr(store, "PAUSE", 0.01)
    with serving(tmp_path, "http") as (web, _):
        let_in(monkeypatch, tmp_path, web.root)
        no_table(web, "bucket")
        yield web


def no_table(web: Web, bucket: str) -> None:
    """Whether a file is of a table is asked by what marks one."""
    for asked in ("prefix=_delta_log%2F", "prefix=.hoodie%2F", "delimiter=%2F&list-type=2&prefix=metadata%2F"):
        query = asked if asked.startswith("delimiter") else f"list-type=2&{asked}"
        web.put(f"/{bucket}?{query}", b"<ListBucketResult></ListBucketResult>")


def answer(code: str, status: int) -> Answer:
    return Answer(f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>SESAME</Message></Error>".encode(), status)


ANSWERS = {
    ("AccessDenied", 403): "may not be read with these credentials",
    ("InvalidAccessKeyId", 403): "does not take the credentials for `s3://bucket`",
    ("SignatureDoesNotMatch", 403): "does not take the credentials for `s3://bucket`",
    ("ExpiredToken", 400): "their session has ended",
    ("RequestTimeTooSkewed", 403): "the clock of this machine is wrong",
    ("PermanentRedirect", 301): "`s3://bucket` is in another region",
    ("SlowDown", 503): "it is busy, or broken, asked 3 times",
    ("Surprise", 418): "does not do what is asked of `s3://bucket/x.csv`",
}


@pytest.mark.parametrize("said", ANSWERS)
def test_what_a_server_answers(desk: Desk, fake: Web, said: tuple[str, int]) -> None:
    fake.put("/bucket/x.csv", answer(*said))
    refused(desk, "s3://bucket/x.csv", ANSWERS[said])


def test_names_say_nothing_of_what_a_server_answers(desk: Desk, fake: Web) -> None:
    for key in ("credentials.csv", "404", "a certificate.csv"):
        fake.put(f"/credentials-404/{key.replace(' ', '%20')}", answer("AccessDenied", 403))
        refused(desk, f"s3://credentials-404/{key}", f"`s3://credentials-404/{key}` may not be read")
    fake.put("/credentials-404/x.parquet", *[GOOD] * 5, answer("SlowDown", 503))
    no_table(fake, "credentials-404")
    refused(desk, "s3://credentials-404/x.parquet", "it is busy, or broken")


def test_a_bucket_whose_list_is_not_given(desk: Desk, fake: Web) -> None:
    """Objects are read all the same; of one that is not there, nobody says what is near."""
    for prefix in ("_delta_log", "y.parquet%2F_delta_log"):
        fake.put(f"/bucket?list-type=2&prefix={prefix}%2F", answer("AccessDenied", 403))
    fake.put("/bucket/x.parquet", GOOD)
    assert len(desk.rows(head(path="s3://bucket/x.parquet") + SEGMENT)) == 1
    refused(desk, "s3://bucket/y.parquet", "there is no object", "the credentials may not list what lies beside it")


OF_OBJECT = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT", "ETag": '"abc"'}
GOOD = Answer(content(TABLE, "parquet"), headers=OF_OBJECT, ranges=True)
WHOLE = Answer(PEOPLE.encode() * 1000, headers=OF_OBJECT)


def test_a_copy_that_is_cut_short(desk: Desk, fake: Web) -> None:
    fake.put("/bucket/x.csv", WHOLE._replace(breaks=100))
    refused(
        desk, "s3://bucket/x.csv", f"`s3://bucket/x.csv` was cut short: not all of its {len(WHOLE.body):,} bytes came"
    )


def test_a_copy_that_comes_whole_at_the_third_time(desk: Desk, fake: Web) -> None:
    fake.put("/bucket/x.csv", Answer(status=503), Answer(status=503), Answer(PEOPLE.encode(), headers=OF_OBJECT))
    assert desk.rows(head(path="s3://bucket/x.csv") + SEGMENT) == RICH


CUT = {
    "in the middle of the body": b"<ListBucketResult><Contents><Key>in/x.csv</Key>",
    "at its end, by its length": None,
}


@pytest.mark.parametrize("how", CUT)
def test_a_list_that_is_cut_short(desk: Desk, fake: Web, how: str) -> None:
    """It is asked for again, as objects are."""
    one = f"<Contents><Key>in/x.csv</Key><LastModified>2024-01-01T00:00:00Z</LastModified><ETag>a</ETag><Size>{len(PEOPLE)}</Size></Contents>"  # fmt: skip
    whole = Answer(f"<ListBucketResult><IsTruncated>false</IsTruncated>{one}</ListBucketResult>".encode())
    half = CUT[how]
    cut = whole._replace(breaks=40) if half is None else Answer(half)
    fake.put("/bucket?list-type=2&prefix=in%2F", cut, cut, whole)
    fake.put("/bucket/in/x.csv", Answer(PEOPLE.encode(), headers=OF_OBJECT))
    assert desk.rows(head(path="s3://bucket/in/*.csv") + SEGMENT) == RICH
    fake.put("/bucket?list-type=2&prefix=in%2F", cut)
    refused(desk, "s3://bucket/in/*.csv", "for `s3://bucket/in` was cut short, asked 3 times")


def test_the_first_object_that_is_refused_is_told(desk: Desk, fake: Web) -> None:
    """In the order of their keys, whichever answer comes first, though several are asked for at once."""
    names = [f"in/{n:02}.csv" for n in range(20)]
    for name in names:
        fake.put(f"/bucket/{name}", Answer(PEOPLE.encode(), headers=OF_OBJECT))
    for name in (names[3], names[5], names[15]):
        fake.put(f"/bucket/{name}", answer("AccessDenied", 403))
    sizes = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2024-01-01T00:00:00Z</LastModified><ETag>a</ETag><Size>9</Size></Contents>"
        for name in names
    )
    fake.put("/bucket?list-type=2&prefix=in%2F", Answer(f"<ListBucketResult>{sizes}</ListBucketResult>".encode()))
    refused(desk, "s3://bucket/in/*.csv", f"`s3://bucket/{names[3]}` may not be read with these credentials")


LATER = {
    "forbidden": (answer("AccessDenied", 403), "`s3://bucket/x.parquet` may not be read with these credentials"),
    "gone": (answer("NoSuchKey", 404), "there is no `s3://bucket/x.parquet`"),
    "busy": (answer("SlowDown", 503), "it is busy, or broken, asked 3 times"),
    "cut short": (GOOD._replace(breaks=2), "does not answer, asked 3 times"),
}


@pytest.mark.parametrize("what", LATER)
@pytest.mark.parametrize("answers", [2, 3, 4, 5, 6, 8])
def test_whatever_goes_wrong_later(desk: Desk, fake: Web, what: str, answers: int) -> None:
    """Wherever rows are read that are in a bucket, and whatever Polars makes of the answer."""
    bad, told = LATER[what]
    fake.put("/bucket/x.parquet", *[GOOD] * answers, bad)
    done = desk.apply(head(path="s3://bucket/x.parquet") + SEGMENT, code=None)
    assert (done.exit_code, done.exit_code and done.stderr.count("error:")) in [(3, 1), (0, 0)], done.stderr
    assert done.exit_code == 0 or told in done.stderr or "has changed since" in done.stderr


def test_it_comes_unencrypted_from_elsewhere(desk: Desk, fake: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    from segkit.io.read.buckets import found

    fake.put("/bucket/x.csv", Answer(PEOPLE.encode(), headers=OF_OBJECT))
    told = [one["message"] for one in desk.json(head(path="s3://bucket/x.csv") + SEGMENT)["warnings"]]
    assert told == []
    monkeypatch.setattr(found, "is_here", lambda host: False)
    told = [one["message"] for one in desk.json(head(path="s3://bucket/x.csv") + SEGMENT)["warnings"]]
    assert told == ["`s3://bucket/x.csv` comes unencrypted: whoever is on the way can read it, and change it"]


class Way(NamedTuple):
    """How one is let in: the environment, the two files, and whose key, token and region go out."""

    env: Mapping[str, str]
    credentials: str = ""
    config: str = ""
    key: str = "AKID1"
    token: str | None = None
    region: str = "us-east-1"


ENV = {"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "SESAME", "AWS_ENDPOINT_URL": "{server}"}
SERVER = {"AWS_ENDPOINT_URL": "{server}"}
ONE = "[default]\naws_access_key_id = AKID1\naws_secret_access_key = SESAME%41\n"
TWO = "[two]\naws_access_key_id=AKID2\naws_secret_access_key=SESAME\naws_session_token=TOKEN2\n"
CONTAINER = {
    **SERVER,
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{server}/creds",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token",
}
OF_CONTAINER = {
    "AccessKeyId": "AKID9",
    "SecretAccessKey": "SESAME",
    "Token": "TOKEN9",
    "Expiration": "2099-01-01T00:00:00Z",
}
WAYS = {
    "environment": Way(ENV),
    "environment before files": Way({**ENV, "AWS_PROFILE": "two"}, credentials=TWO),
    "session token": Way({**ENV, "AWS_SESSION_TOKEN": "TOKEN1"}, token="TOKEN1"),
    "region": Way({**ENV, "AWS_REGION": "eu-west-3"}, region="eu-west-3"),
    "default region": Way({**ENV, "AWS_DEFAULT_REGION": "eu-west-3"}, region="eu-west-3"),
    "region of the file": Way(ENV, config="[default]\nregion = eu-west-3\n", region="eu-west-3"),
    "default profile": Way(SERVER, credentials=ONE + TWO),
    "profile": Way({**SERVER, "AWS_PROFILE": "two"}, credentials=ONE + TWO, key="AKID2", token="TOKEN2"),
    "profile of the other file": Way(
        {"AWS_PROFILE": "two"},
        config=TWO.replace("[two]", "[profile two]") + "endpoint_url = {server}\nregion = eu-west-3\n",
        key="AKID2",
        token="TOKEN2",
        region="eu-west-3",
    ),
    "endpoint of S3 first": Way({**ENV, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "{server}"}),
    "endpoint of the file": Way({}, credentials=ONE, config="[default]\nendpoint_url = {server}\n"),
    "endpoint of a service": Way(
        {}, credentials=ONE, config="[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {server}\n"
    ),
    "container": Way(CONTAINER, key="AKID9", token="TOKEN9"),
    "container, beside the keys of another profile": Way(CONTAINER, credentials=TWO, key="AKID9", token="TOKEN9"),
    "files elsewhere": Way(
        {**SERVER, "AWS_SHARED_CREDENTIALS_FILE": "{home}/mine", "AWS_CONFIG_FILE": "{home}/ours"}, credentials=ONE
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", ["x.csv", "x.parquet"])
def test_ways_to_be_let_in(
    desk: Desk, fake: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, key: str
) -> None:
    """As Amazon's own tools find them, the same for what is copied and for what Polars reads where it is."""
    env, credentials, config, *expected = WAYS[way]
    forget(monkeypatch, tmp_path)
    elsewhere = "AWS_CONFIG_FILE" in env
    files = {"mine" if elsewhere else ".aws/credentials": credentials, "ours" if elsewhere else ".aws/config": config}
    for name, text in files.items():
        desk.put(name, text.replace("{server}", fake.root))
    for name, text in env.items():
        monkeypatch.setenv(name, text.format(server=fake.root, home=tmp_path))
    fake.put(f"/bucket/{key}", GOOD if key == "x.parquet" else Answer(PEOPLE.encode(), headers=OF_OBJECT))
    desk.put("token", "letmein")
    fake.put("/creds", json.dumps(OF_CONTAINER).encode())
    assert len(desk.rows(head(path=f"s3://bucket/{key}") + SEGMENT)) == 1
    told = [{name.lower(): text for name, text in headers.items()} for path, headers in fake.asked if path != "/creds"]
    scopes = [one["authorization"].partition("Credential=")[2].split("/") for one in told]
    assert len(scopes) >= 2
    found = {(scope[0], one.get("x-amz-security-token"), scope[2]) for scope, one in zip(scopes, told, strict=True)}
    assert found == {tuple(expected)}


@pytest.mark.parametrize("credentials", ["", TWO])
def test_a_bucket_that_all_may_read(
    desk: Desk, fake: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    """Nor does Polars bring the keys of a profile that nobody has named."""
    forget(monkeypatch, tmp_path)
    if credentials:
        desk.put(".aws/credentials", credentials)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.root)
    fake.put("/bucket/x.parquet", GOOD)
    assert len(desk.rows(head(path="s3://bucket/x.parquet") + SEGMENT)) == 1
    assert not [headers for _, headers in fake.asked if "authorization" in map(str.lower, headers)]


NOT_LET_IN = {
    "nothing": (Way({}), "no credentials are found for `s3://bucket`"),
    "no metadata": (Way({"AWS_EC2_METADATA_DISABLED": "true"}), "no credentials are found for `s3://bucket`"),
    "half": (Way({"AWS_ACCESS_KEY_ID": "AKID1"}), "`AWS_ACCESS_KEY_ID` is set, and `AWS_SECRET_ACCESS_KEY` is not"),
    "a token alone": (Way({"AWS_SESSION_TOKEN": "T"}), "`AWS_SESSION_TOKEN` is set, and `AWS_ACCESS_KEY_ID` is not"),
    "empty": (Way({**ENV, "AWS_SESSION_TOKEN": ""}), "the environment variable `AWS_SESSION_TOKEN` is set, and empty"),
    "a blank": (Way({**ENV, "AWS_SECRET_ACCESS_KEY": "SESAME\n"}), "`AWS_SECRET_ACCESS_KEY` holds a blank"),
    "no profile": (Way({"AWS_PROFILE": "tow"}, credentials=TWO), "did you mean `two`?"),
    "no such profile": (
        Way({"AWS_PROFILE": "x"}),
        "there is no profile `x` in `~/.aws/credentials` or `~/.aws/config`",
    ),
    "half a profile": (Way({}, credentials="[default]\naws_access_key_id = a\n"), "profile `default` has one of"),
    "single sign-on": (Way({}, config="[default]\nsso_session = mine\n"), "aws configure export-credentials --profile"),
    "no file": (Way({}, credentials="what is this?\n"), "`~/.aws/credentials` cannot be read"),
    "no server": (Way({**ENV, "AWS_ENDPOINT_URL": "minio:9000"}), "is no address of a server"),
    "no token file": (
        Way({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"}),
        "no credentials are found for `s3://bucket`",
    ),
}


@pytest.mark.parametrize("why", NOT_LET_IN)
@pytest.mark.parametrize("key", ["x.csv", "x.parquet"])
def test_nobody_is_let_in(
    desk: Desk, fake: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str, key: str
) -> None:
    way, told = NOT_LET_IN[why]
    forget(monkeypatch, tmp_path)
    desk.put(".aws/credentials", way.credentials)
    desk.put(".aws/config", way.config)
    for name, text in way.env.items():
        monkeypatch.setenv(name, text.format(server=fake.root))
    refused(desk, f"s3://bucket/{key}", told)


def test_a_metadata_service_that_lets_in_nobody(
    desk: Desk, fake: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.root)
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.root)
    refused(desk, "s3://bucket/x.csv", "no credentials are found for `s3://bucket`")


def test_a_container_that_lets_in_nobody(
    desk: Desk, fake: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch, tmp_path)
    desk.put("token", "letmein")
    for name, text in CONTAINER.items():
        monkeypatch.setenv(name, text.format(server=fake.root, home=tmp_path))
    fake.put("/bucket/x.parquet", GOOD)
    for answered in (Answer(status=404), Answer(status=403), Answer(status=503)):
        fake.put("/creds", answered)
        refused(desk, "s3://bucket/x.parquet", "no credentials are found for `s3://bucket`")


@pytest.mark.parametrize(("address", "told"), [("az://box/x.csv", "az://box"), ("gs://box/x.parquet", "gs://box")])
def test_other_clouds_go_the_same_way(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    """As far as that shows without one of them."""
    forget(monkeypatch, tmp_path)
    monkeypatch.setattr(store, "PAUSE", 0.01)
    monkeypatch.setattr(store, "WITHIN", 1.0)
    refused(desk, address, f"no credentials are found for `{told}`")
