"""`--engine spark`: the same bytes from a cluster, also when it loses a machine; and what keeps a run from one."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from segkit.engines.elsewhere import out_of_reach
from segkit.engines.registry import Asked
from segkit.engines.start import started
from tests.conformance.test_buckets import CUSTOMERS, ORDERS, SEGMENTS, rules_of, run
from tests.desk import ROOT, Desk
from tests.shipped import Shipped

MASTER = os.environ.get("SEGKIT_TEST_SPARK", "")
"""A standalone cluster on this machine; without it, its tests are skipped."""
on_cluster = pytest.mark.skipif(
    not (MASTER and shutil.which("java")), reason="needs Java, and SEGKIT_TEST_SPARK=spark://127.0.0.1:PORT"
)
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
OPTIONS = {
    "spark.executorEnv.PYTHONPATH": str(ROOT / "src"),
    "spark.executor.memory": "512m",
    "spark.driver.extraJavaOptions": QUICK,
    "spark.executor.extraJavaOptions": QUICK,
}
SPARK = ("--engine", "spark", "--master", MASTER or "spark://127.0.0.1:7077")


def shop_in(desk: Desk) -> Desk:
    """Customers, orders as text and as Parquet, and a folder for what lies on disk in between."""
    desk.put("c.csv", CUSTOMERS)
    orders = desk.put("o.csv", ORDERS)
    frame = pl.read_csv(orders, try_parse_dates=True, schema_overrides={"id": pl.String})
    desk.put("o.parquet", frame)
    frame.write_ndjson(desk / "o.ndjson")
    desk.put("quoted.csv", ORDERS.replace(",a,", ',"a\n",').replace(",b,", ',"b, ""c""",'))
    desk.put("cp1252.csv.gz", gzip.compress(ORDERS.replace(",a,", ",\u00e4,").encode("cp1252")))
    (desk / "work").mkdir()
    return desk


@pytest.fixture
def shop(desk: Desk) -> Desk:
    return shop_in(desk)


class Cluster:
    """A session that all tests of this module share: a new one takes half a minute on two processors."""

    def __init__(self, log: Path) -> None:
        with patch.dict(os.environ, {"SPARK_REMOTE": MASTER}):
            engine = started(Asked("spark", None, OPTIONS), log, lambda _: None)
        assert engine is not None
        self.engine = engine
        self._name = engine._context.applicationId.encode()  # type: ignore[attr-defined]

    def executors(self) -> list[int]:
        """The processes of its machines."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if b"CoarseGrainedExecutorBackend\0" in command and self._name in command:
                found.append(int(process.name))
        return found


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("log") / "spark.log")
    yield found
    found.engine.close()
    for _ in range(100):
        if not found.executors():
            break
        time.sleep(0.1)
    else:
        pytest.fail("machines are still at it")


@pytest.fixture
def cluster(session: Cluster) -> Iterator[Cluster]:
    engine = session.engine
    with (
        patch("segkit.operations.apply.started", lambda asked, *_: engine if asked.name == "spark" else None),
        patch.object(engine, "close"),
    ):
        yield session


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@on_cluster
@pytest.mark.extra("spark")
@pytest.mark.parametrize("orders", ["o.parquet", "o.ndjson", "quoted.csv", "cp1252.csv.gz", "[oq]*.csv"])
def test_the_same_bytes(
    shop: Desk, orders: str, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """Rows are read where they are, what has to be made UTF-8 first in the work folder; nothing is heard of Spark."""
    name = "shares, scores and bands" if orders == "o.parquet" else "which came first"
    rules = rules_of(SEGMENTS[name], orders=orders)
    whole = run(shop, rules)
    request.getfixturevalue("cluster")
    seen: list[int] = []
    with patch("segkit.engines.spread.ROWS", 50), patch("segkit.engines.spread._require_reach", seeing(seen)):
        assert run(shop, rules, *SPARK, "--work", str(shop / "work")) == whole
    assert seen == [0o700]
    assert not any((shop / "work").iterdir())
    assert capfd.readouterr() == ("", "")


def seeing(seen: list[int]) -> object:
    """Patched in, it notes who may open the folder of a run."""
    from segkit.engines.spread import _require_reach

    def look(engine: object, files: list[Path], work: Path) -> None:
        seen.append(stat.S_IMODE(work.parent.stat().st_mode))
        _require_reach(engine, files, work)  # type: ignore[arg-type]

    return look


@on_cluster
@pytest.mark.extra("spark")
def test_an_error_of_the_data_is_the_same(shop: Desk, cluster: Cluster) -> None:
    shop.put("c.csv", CUSTOMERS + "05,FR,3\n")
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    whole = run(shop, rules, code=3)
    assert run(shop, rules, *SPARK, "--work", str(shop / "work"), code=3) == whole
    assert not any((shop / "work").iterdir())


@on_cluster
@pytest.mark.extra("spark")
def test_a_machine_is_lost(shop: Desk, cluster: Cluster) -> None:
    """Killed once the first bucket is there: what it had, and what it was at, is done again."""
    rules = rules_of(SEGMENTS["events since a date that a cut gives"], orders="o.parquet")
    whole = run(shop, rules)
    killed: list[int] = []

    def kill() -> None:
        while not (over.is_set() or any((shop / "work").rglob("*.0.arrow"))):
            time.sleep(0.01)
        for process in [] if over.is_set() else cluster.executors()[:1]:
            os.kill(process, signal.SIGKILL)
            killed.append(process)

    over = threading.Event()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with patch("segkit.engines.spread.ROWS", 50):
            assert run(shop, rules, *SPARK, "--work", str(shop / "work"), "--buckets", "12") == whole
    finally:
        over.set()
        killer.join()
    assert len(killed) == 1


@on_cluster
@pytest.mark.extra("spark")
def test_a_machine_that_runs_something_else(shop: Desk, cluster: Cluster) -> None:
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    with patch("segkit.engines.spark.versions", lambda: {"Python": "3.11", "segkit": "0.0.1"}):
        said = shop.apply(rules, *SPARK, "--work", shop / "work", code=2).stderr
    assert "a machine of the cluster has segkit" in said and "this one has 0.0.1" in said


def test_a_machine_that_does_not_see_what_this_one_sees(shop: Desk) -> None:
    """Each is asked once: a folder in which it cannot write, a file that is another one there."""
    rules = rules_of(SEGMENTS["which came first"], orders="o.parquet")
    with patch("segkit.engines.spread.Local", Shipped), patch.object(Shipped, "workers", 2):
        assert out_of_reach({}, shop.folder, 0) is None
        assert out_of_reach({}, shop / "no", 0) == shop / "no"
        with patch("segkit.engines.spread.out_of_reach", lambda files, work, _: work):
            said = shop.apply(rules, "--buckets", "2", code=2).stderr
        assert "cannot write to the work folder" in said and "--work DIR" in said
        with patch("segkit.engines.spread.out_of_reach", _another_file):
            said = shop.apply(rules, "--buckets", "2", code=2).stderr
        assert "cannot read a file" in said and "o.parquet" in said
        assert run(shop, rules, "--buckets", "2") == run(shop, rules)


def _another_file(files: Mapping[Path, int], work: Path, _: int) -> Path | None:
    return out_of_reach({path: size + (path.name == "o.parquet") for path, size in files.items()}, work, 0)


REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no master": (("--engine", "spark", "--work", "work"), 2, "--master spark://HOST:7077"),
    "no folder": (SPARK, 2, "--work DIR"),
    "standard output": ((*SPARK, "--work", "work", "-o", "-"), 2, "-o DIR"),
    "standard input": ((*SPARK, "--work", "work", "--customers", "-"), 2, "can be read but once"),
    "a named pipe": ((*SPARK, "--work", "work", "--events", "orders=pipe"), 2, "can be read but once"),
    "a folder that is not there": ((*SPARK, "--work", "nowhere"), 4, "`nowhere`"),
    "a master without an engine": (("--master", "spark://h:7077"), 2, "add `--engine spark`"),
    "an option without an engine": (("--engine-option", "a=b"), 2, "add `--engine spark`"),
    "an option without a value": (("--engine-option", "a"), 2, "spark.executor.memory=4g"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(shop: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    os.mkfifo(shop / "pipe")
    options, code, hint = REFUSED[name]
    assert hint in shop.apply(rules_of(SEGMENTS["which came first"]), *options, code=code).stderr
    assert not any((shop / "work").iterdir())


@pytest.mark.extra("spark")
@pytest.mark.parametrize(("master", "code"), [("spark://127.0.0.1:{}", 4), ("spark://h", 2), ("http://h:1", 2)])
def test_no_master_answers(shop: Desk, master: str, code: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens there
        master = master.format(free.getsockname()[1])
        rules = rules_of(SEGMENTS["which came first"])
        said = shop.apply(rules, "--engine", "spark", "--master", master, "--work", shop / "work", code=code).stderr
    assert master in said and "hint: " in said
    assert not any((shop / "work").iterdir())
