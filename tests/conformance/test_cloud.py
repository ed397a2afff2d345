"""Tables in buckets: the same lists as of files, read where they are or copied once, and every refusal one line."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.desk import Desk, head
from tests.s3 import Cloud, a_cloud, needs_server

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
    {"parquet": frame.write_parquet, "ipc": frame.write_ipc, "stream": frame.write_ipc_stream}[kind](out)
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
