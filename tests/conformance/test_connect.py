"""`--master sc://...`: the same bytes from a server of Spark Connect, such as Sail; and what keeps a run from one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType
from unittest.mock import patch

import pytest

from segkit.engines import cluster
from segkit.engines.engine import Engine, Parcel
from segkit.engines.registry import Asked
from segkit.engines.start import started
from segkit.errors import RuleError, WriteError
from tests.conformance.test_buckets import CUSTOMERS, SEGMENTS, rules_of, run
from tests.conformance.test_spark import seeing, shop_in
from tests.desk import Desk

SERVER = os.environ.get("SEGKIT_TEST_CONNECT", "")
"""A server on this machine; without it, its tests are skipped."""
SAIL = Path(sys.executable).with_name("sail")
TOKEN = "geheim-9"
pytestmark = pytest.mark.extra("spark-connect")
on_server = pytest.mark.skipif(not SERVER, reason="needs SEGKIT_TEST_CONNECT=sc://127.0.0.1:PORT")


@pytest.fixture
def shop(desk: Desk) -> Desk:
    return shop_in(desk)


def asking(master: str, shop: Desk) -> tuple[str, ...]:
    return ("--engine", "spark", "--master", master, "--work", str(shop / "work"))


@on_server
@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
def test_the_same_bytes(shop: Desk, segments: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Text goes by way of the work folder, Parquet is read where it is; nothing is heard of Spark."""
    rules = rules_of(segments, orders="o.parquet")
    whole = run(shop, rules)
    seen: list[int] = []
    with patch("segkit.engines.spread.ROWS", 50), patch("segkit.engines.spread._require_reach", seeing(seen)):
        assert run(shop, rules, *asking(SERVER, shop), "--buckets", "5") == whole
    assert seen == [0o700]
    assert not any((shop / "work").iterdir())
    assert capfd.readouterr() == ("", "")


@on_server
def test_the_variable_of_spark(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    whole = run(shop, rules)
    monkeypatch.setenv("SPARK_REMOTE", SERVER)
    assert run(shop, rules, "--engine", "spark", "--work", str(shop / "work")) == whole
    assert run(shop, rules) == whole, "nobody has asked for a cluster"


@on_server
def test_an_error_of_the_data_is_the_same(shop: Desk) -> None:
    shop.put("c.csv", CUSTOMERS + "05,FR,3\n")
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    whole = run(shop, rules, code=3)
    assert run(shop, rules, *asking(SERVER, shop), code=3) == whole
    assert not any((shop / "work").iterdir())


@on_server
def test_a_machine_that_runs_something_else(shop: Desk) -> None:
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    with patch("segkit.engines.connect.versions", lambda: {"Python": "3.11", "segkit": "0.0.1"}):
        said = shop.apply(rules, *asking(SERVER, shop), code=2).stderr
    assert "a machine of the cluster has segkit" in said and "this one has 0.0.1" in said
    assert not any((shop / "work").iterdir())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = started(Asked("spark", SERVER), tmp_path / "spark.log", lambda _: None)
    assert found is not None
    yield found
    found.close()


@on_server
def test_parcels_of_any_size_to_any_bucket(engine: Engine) -> None:
    """More buckets than parcels, so that some come together and some have none; parcels of none, one and many blocks."""
    sizes = [0, 1, 2**16, 2**16 + 1, 20_000_000]

    def split(item: int) -> Iterator[Parcel]:
        yield Parcel(3, "t", item, bytes([item]) * sizes[item])
        yield Parcel(item, "u", item, b"")

    def gather(bucket: int, parcels: Iterable[Parcel]) -> list[tuple[str, int, bool, int]]:
        return [(p.table, p.piece, set(p.rows) <= {p.piece}, len(p.rows)) for p in parcels]

    came = engine.exchange(split, range(5), 9, gather)
    found = [[("u", bucket, True, 0)] if bucket < 5 else [] for bucket in range(9)]
    found[3] = [("t", n, True, sizes[n]) for n in range(5)]
    found[3].insert(4, ("u", 3, True, 0))
    assert came == found
    assert engine.map(bytes, [0, 20_000_000, 5]) == [b"", bytes(20_000_000), bytes(5)]


def test_blocks_that_come_in_any_order() -> None:
    from segkit.engines.connect import AT_ONCE, BLOCK, _batches, _by_bucket, _wholes

    large = bytes(BLOCK) + bytes([1]) * BLOCK * AT_ONCE + bytes([2])
    batches = [*_batches(7, [(4, large), (5, b"x"), (4, b"")]), *_batches(6, [(4, b"first")])]
    assert max(batch.num_rows for batch in batches) == AT_ONCE
    came = _by_bucket(reversed(batches))
    assert [*_wholes(came[4])] == [b"first", large, b""] and [*_wholes(came[5])] == [b"x"]


@on_server
def test_the_first_error_counts(engine: Engine) -> None:
    def fails(item: int) -> int:
        if item > 2:
            raise WriteError.of(f"no {item}", hint="so")
        return item

    def split(item: int) -> Iterator[Parcel]:
        yield Parcel(item % 2, "t", item, bytes(fails(item)))

    def gather(bucket: int, parcels: Iterable[Parcel]) -> int:
        return sum(parcel.piece for parcel in parcels) + fails(10 * bucket)

    with pytest.raises(WriteError, match=r"error: no 4\nhint: so"):
        engine.map(fails, [0, 4, 3])
    with pytest.raises(WriteError, match="no 10"):
        engine.exchange(split, [0, 1, 2], 2, gather)
    with pytest.raises(WriteError, match="no 7"):
        engine.exchange(split, [2, 7, 5, 4, 3], 2, gather)
    with pytest.raises(Exception, match="ZeroDivisionError"):  # a bug stays one
        engine.map(lambda n: n / 0, [1])


@on_server
def test_what_machines_lack_and_what_does_not_go_through(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def do(item): return item\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuleError, match="lack segkit, or a package"):
        engine.map(import_module("only_here").do, [0])
    later = FunctionType((lambda item: item).__code__, {}, "later")
    later.__module__, later.__qualname__ = cluster.__name__, "later"
    monkeypatch.setattr(cluster, "later", later, raising=False)
    with pytest.raises(RuleError, match="another version of segkit"):
        engine.map(later, [0])
    with pytest.raises(RuleError, match="128 MB"):
        engine.map(len, [os.urandom(140_000_000)])


OPTIONS = {
    "spark.sql.shuffle.partitions=3": (0, ""),
    "spark.executor.memory=4g": (2, "`spark.executor.memory` cannot be set through Spark Connect"),
    "spark.pyspark.python=python3": (2, "give it to the server when it is started"),
}


@on_server
@pytest.mark.parametrize("option", OPTIONS)
def test_settings(shop: Desk, option: str) -> None:
    code, hint = OPTIONS[option]
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    assert hint in shop.apply(rules, *asking(SERVER, shop), "--engine-option", option, code=code).stderr
    assert not any((shop / "work").iterdir())


@pytest.mark.parametrize(("master", "code"), [("sc://127.0.0.1:{}/;token=" + TOKEN, 4), ("sc://h:x", 2), ("sc://", 2)])
def test_no_server_answers(shop: Desk, master: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv("SPARK_REMOTE", master.format(free.getsockname()[1]))
        rules = rules_of(SEGMENTS["which came first"])
        said = shop.apply(rules, "-v", "--engine", "spark", "--work", shop / "work", code=code).stderr
    assert master.partition("{")[0] in said and "hint: " in said and TOKEN not in said
    assert not any((shop / "work").iterdir())


@on_server
def test_a_server_that_refuses(shop: Desk) -> None:
    """As one does that does not know the PySpark beside it."""
    with patch("segkit.engines.connect.ROWS", "no type"):
        said = shop.apply(rules_of(SEGMENTS["which came first"]), *asking(SERVER, shop), code=4).stderr
    assert f"the cluster at `{SERVER}` does not take this run: " in said and "hint: " in said
    assert not any((shop / "work").iterdir())


def test_somebody_else_answers(shop: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, patch("segkit.engines.connect.ANSWER", 0.2):
        master = f"sc://127.0.0.1:{mute.getsockname()[1]}"
        said = shop.apply(rules_of(SEGMENTS["which came first"]), *asking(master, shop), code=4).stderr
    assert f"`{master}` does not answer as a server of Spark Connect does" in said
    assert not any((shop / "work").iterdir())


@on_server
@pytest.mark.skipif(not SAIL.exists(), reason="needs Sail beside this Python (pip install pysail)")
def test_a_server_that_goes_away(shop: Desk, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Killed once the first bucket is there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "sail.log").open("wb") as log:
        server = subprocess.Popen([SAIL, "spark", "server", "--port", str(port)], stdout=log, stderr=log)
    over = threading.Event()

    def kill() -> None:
        while not (over.is_set() or any((shop / "work").rglob("*.0.arrow"))):
            time.sleep(0.01)
        server.kill()

    killer = threading.Thread(target=kill)
    try:
        while not _listens(port):
            time.sleep(0.05)
        killer.start()
        rules = rules_of(SEGMENTS["events since a date that a cut gives"], orders="o.parquet")
        with patch("segkit.engines.spread.ROWS", 20), patch("segkit.engines.connect.RETRIES", 2):
            said = shop.apply(rules, *asking(f"sc://127.0.0.1:{port}", shop), "--buckets", "40", code=4).stderr
    finally:
        over.set()
        server.kill()
        server.wait()
        killer.join()
    assert f"the cluster at `sc://127.0.0.1:{port}` does not answer any more" in said
    assert not any((shop / "work").iterdir())
    assert capfd.readouterr() == ("", "")


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
