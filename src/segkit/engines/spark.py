"""Spark: its RDDs carry sealed rows from machine to machine, and Polars does the rest on each of them."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from pickle import loads
from typing import Any, TypeVar

from cloudpickle import dumps
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway

from segkit.engines.cluster import given_up, nothing, quiet, require_answer, silent, unfit
from segkit.engines.elsewhere import Sent, opened, versions
from segkit.engines.engine import Parcel
from segkit.engines.registry import REMOTE
from segkit.errors import RuleError

T = TypeVar("T")
R = TypeVar("R")
MACHINES = 60
"""Seconds within which a first machine has to come."""


class Spark:
    """A cluster of Spark; each item is a task of its own."""

    def __init__(self, context: SparkContext) -> None:
        self.session = ExitStack()
        """What is ended with it."""
        self._context = context
        self.workers: int = context.defaultParallelism

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """All items, as machines are free."""
        sent = Sent(do, versions())
        with _told():
            return opened(self._spread(items).map(lambda item: sent.answer(item[0], loads(item[1]))).collect())

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        """By the shuffle of Spark."""
        splitting, gathering = Sent(split, versions()), Sent(gather, versions())

        def gathered(bucket: int, parcels: Iterable[tuple[int, Any]]) -> Iterator[bytes]:
            yield gathering.gathered(bucket, (parcel for _, parcel in parcels))

        with _told():
            parcels = self._spread(items).flatMap(lambda item: splitting.parcels(item[0], loads(item[1]), buckets))
            return opened(parcels.partitionBy(buckets, int).mapPartitionsWithIndex(gathered).collect())

    def close(self) -> None:
        """End the application, and the process of Java beside this one."""
        self.session.close()

    def _spread(self, items: Sequence[T]) -> Any:
        """The items, packed, with their places, each in a part of its own."""
        return self._context.parallelize([(place, dumps(item)) for place, item in enumerate(items)], len(items))


def start(master: str, options: Mapping[str, str], log: Path) -> Spark:
    """A session on a cluster whose machines run what this one runs; what Spark logs goes to a file.

    RuleError where they run something else, WriteError where no master answers.
    """
    require_answer(master, _hosts(master))
    os.environ.setdefault("PYSPARK_PYTHON", options.get("spark.pyspark.python", sys.executable))
    here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"} if _is_here(master) else {}
    settings = {
        "spark.app.name": "segkit",
        "spark.ui.enabled": "false",
        "spark.executorEnv.POLARS_MAX_THREADS": options.get("spark.task.cpus", "1"),
        **here,
        **options,
        "spark.master": master,
    }
    conf = SparkConf(loadDefaults=False).setAll([*settings.items()])
    with ExitStack() as session:
        session.enter_context(quiet(log))
        try:
            gateway = _launched(conf, log)
        except (PySparkException, OSError) as error:
            hint = "it needs Java, 17 or later (on Debian: `apt install openjdk-17-jre-headless`)"
            raise RuleError.of("Spark does not start on this machine", hint=hint) from error
        session.callback(_end, gateway)
        try:
            with _own_signals():
                context = SparkContext(conf=conf, gateway=gateway)
        except Py4JError as error:
            raise silent(master, "does not take this run") from error
        session.callback(context.stop)
        _require_machines(context, master)
        spark = Spark(context)
        spark.map(nothing, range(spark.workers))
        spark.session = session.pop_all()
        return spark


def _launched(conf: SparkConf, log: Path) -> Any:
    """Java beside this process, in a thread: who interrupts it in the middle leaves it behind.

    Beside its master, it refuses to find another address in the environment.
    """
    remote = os.environ.pop(REMOTE, None)
    with log.open("ab") as to, ThreadPoolExecutor(1) as pool:
        launched = pool.submit(launch_gateway, conf, {"stdout": to, "stderr": to})
        try:
            return launched.result()
        except KeyboardInterrupt:
            _end(launched.result())
            raise
        finally:
            os.environ.update({REMOTE: remote} if remote else {})


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ctrl-C ends a run as ever: the handler of Spark would speak with Java in the middle of a word."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Spark says of its machines into an error; a bug in a task stays what it is."""
    try:
        yield
    except Py4JError as error:
        text = str(error)
        where = f"at `{os.environ['PYSPARK_PYTHON']}` or where `--engine-option spark.pyspark.python=PATH` says"
        if wrong := unfit(text, where):
            raise wrong from error
        if "PythonException" in text:
            raise
        raise given_up() from error


def _end(gateway: Any) -> None:
    SparkContext._gateway = SparkContext._jvm = None
    with suppress(Py4JError, OSError):
        gateway.shutdown()
    if gateway.proc is not None:
        gateway.proc.stdin.close()
        gateway.proc.wait()


def _hosts(master: str) -> list[tuple[str, int]]:
    """The hosts and ports of the masters of a cluster; none of another kind of cluster."""
    if re.match(r"local\b|yarn$|k8s://", master):
        return []
    hosts = re.fullmatch(r"spark://(.+:\d+)", master)
    if hosts is None:
        raise RuleError.of(f"`{master}` is no master of Spark", hint="such as `--master spark://HOST:7077`")
    pairs = [host.rpartition(":") for host in hosts[1].split(",")]
    return [(name.strip("[]"), int(port)) for name, _, port in pairs]


def _is_here(master: str) -> bool:
    """Whether all is on this machine, where nobody else has to be listened to."""
    hosts = [name for name, _ in _hosts(master)]
    here = bool(hosts) and all(name in ("localhost", "::1") or name.startswith("127.") for name in hosts)
    return here or master.startswith("local")


def _require_machines(context: SparkContext, master: str) -> None:
    """Wait for the machines of a cluster, until no more come; WriteError where none comes."""
    if not _hosts(master):
        return
    before, come = 0, 0
    for _ in range(MACHINES):
        before, come = come, context._jsc.sc().getExecutorMemoryStatus().size() - 1
        if before and come == before:
            return
        time.sleep(1)
    if not come:
        raise silent(master, f"has had no machine for this run for {MACHINES} seconds")
