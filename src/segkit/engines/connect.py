"""Spark Connect, which Sail speaks, too: there are no RDDs, so sealed rows travel in blocks, as a column of bytes."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from pickle import dumps, loads
from threading import BoundedSemaphore
from typing import Any, NamedTuple, TypeVar

import grpc
import pyarrow as pa
from cloudpickle import dumps as packed
from pyspark.errors import PySparkException, PythonException

from segkit.engines.cluster import ANSWER, given_up, nothing, quiet, require_answer, shown, silent, unfit
from segkit.engines.elsewhere import Sent, opened, versions
from segkit.engines.engine import Parcel
from segkit.errors import RuleError, SegkitError, WriteError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # of the pandas that is installed, of which segkit uses nothing
    from pyspark.sql.connect.client.core import DefaultChannelBuilder
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

T = TypeVar("T")
R = TypeVar("R")
RETRIES, WAIT = 6, 1_000
"""How often a server that is lost is asked again, and after how many milliseconds at most: four seconds in all."""
BLOCK, AT_ONCE = 2**16, 256
"""Bytes of a block, and so many blocks go at once.

Arrow counts the bytes of a column with 31 bits, and servers make batches of up to 10,000 rows.
"""
TURNS = BoundedSemaphore(os.cpu_count() or 1)
"""Sail runs all tasks of a machine at once, in threads of one process; a process of Spark has one task at a time."""


class Row(NamedTuple):
    """A block of what goes from `place` to a bucket: the `number`-th, and whether a whole ends with it."""

    bucket: int
    place: int
    number: int
    ends: bool
    block: bytes


TYPES = {"bucket": pa.int32(), "place": pa.int32(), "number": pa.int32(), "ends": pa.bool_(), "block": pa.binary()}
ROWS = "bucket int, place int, number int, ends boolean, block binary"


class Connect:
    """A server of Spark Connect and its machines; each item is a task of its own, and several buckets may be one."""

    def __init__(self, remote: SparkSession, master: str) -> None:
        self.session = ExitStack()
        """What is ended with it."""
        self._remote, self._master = remote, master
        with _told(master, begun=False):
            self.workers: int = remote.range(1_000).mapInArrow(_part, ROWS).count()

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """All items, as machines are free."""
        sent = _sent(do)
        with _told(self._master):
            return _answers(self._spread(items, lambda place, item: [(place, _came(sent).answer(place, item))]))

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        """By the shuffle of the server, which puts some buckets together; of each, there is something from item 0."""
        splitting, gathering = _sent(split), _sent(gather)

        def parcels(place: int, item: T) -> Iterator[tuple[int, bytes]]:
            yield from () if place else ((bucket, b"") for bucket in range(buckets))
            yield from ((bucket, dumps(parcel)) for bucket, parcel in _came(splitting).parcels(place, item, buckets))

        def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            came, gatherer = _by_bucket(batches), _came(gathering)
            for bucket in sorted(came):
                found = (loads(parcel) for parcel in _wholes(came.pop(bucket)) if parcel)
                yield from _batches(0, [(bucket, _in_turn(gatherer.gathered, bucket, found))])

        with _told(self._master):
            return _answers(self._spread(items, parcels).repartition(buckets, "bucket").mapInArrow(gathered, ROWS))

    def close(self) -> None:
        """End the session; the server stays."""
        self.session.close()

    def _spread(self, items: Sequence[T], do: Callable[[int, T], Iterable[tuple[int, bytes]]]) -> Any:
        """What is made of each item, and for which bucket: in blocks, and of each item in a part of its own."""
        sealed = [packed(item) for item in items]

        def done(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for place in batch["id"].to_pylist():
                    yield from _batches(place, _in_turn(_all, do, place, loads(sealed[place])))

        return self._remote.range(0, len(items), 1, len(items)).mapInArrow(done, ROWS)


def start(master: str, options: Mapping[str, str], log: Path) -> Connect:
    """A session of a server whose machines run what this one runs.

    RuleError where they run something else, WriteError where no server answers.
    """
    try:
        address = DefaultChannelBuilder(master)
    except ValueError as error:
        hint = "such as `--master sc://HOST:15002`"
        raise RuleError.of(f"`{shown(master)}` is no server of Spark Connect", hint=hint) from error
    _require_server(address, master)
    with ExitStack() as session:
        session.enter_context(quiet(log))
        remote = SparkSession(connection=address)
        session.callback(remote.stop)
        remote.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES, max_backoff=WAIT)])
        _set(remote, master, options)
        connect = Connect(remote, master)
        connect.map(nothing, range(connect.workers))
        connect.session = session.pop_all()
        return connect


def _require_server(address: DefaultChannelBuilder, master: str) -> None:
    """WriteError where nobody answers, or not in the words of Spark Connect."""
    host, _, port = address.endpoint.rpartition(":")
    require_answer(master, [(host.strip("[]"), int(port))])
    with address.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(ANSWER)
        except grpc.FutureTimeoutError as error:
            raise silent(master, "does not answer as a server of Spark Connect does") from error


def _set(remote: SparkSession, master: str, options: Mapping[str, str]) -> None:
    """Settings of the session; RuleError for those of the server, which it takes when it is started."""
    with _told(master, begun=False):
        remote.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1024")  # 64 MB
        fixed = [key for key in options if not remote.conf.isModifiable(key)]
    if fixed:
        hint = "give it to the server when it is started; a setting of a session begins with `spark.sql.`"
        raise RuleError.of(f"`{fixed[0]}` cannot be set through Spark Connect", hint=hint)
    for key, value in options.items():
        try:
            remote.conf.set(key, value)
        except PySparkException as error:
            raise RuleError.of(f"the server does not take `{key}={value}`: {_first_line(error)}") from error


@contextmanager
def _told(master: str, *, begun: bool = True) -> Iterator[None]:
    """Turn what a server says of itself and its machines into an error; a bug in a task stays what it is."""
    try:
        yield
    except (PySparkException, grpc.RpcError) as error:
        said = str(error)
        if wrong := unfit(said, "in the environment of the server's Python"):
            raise wrong from error
        if isinstance(error, PythonException):
            raise
        raise _lost(said, master) or (given_up() if begun else _refusal(error, master)) from error


def _lost(said: str, master: str) -> SegkitError | None:
    """The error where a server is not there any more, or does not take all that it is told."""
    if "UNAVAILABLE" in said or "RETRIES_EXCEEDED" in said:
        return silent(master, "does not answer any more")
    if "RESOURCE_EXHAUSTED" in said:
        hint = "look up in smaller files, or use a cluster without Connect (`--master spark://HOST:7077`)"
        return RuleError.of("what rules look up is more than Spark Connect carries at once, 128 MB", hint=hint)
    return None


def _refusal(error: Exception, master: str) -> WriteError:
    """The error where a server does not even begin: of its own versions, as a rule, or for want of a token."""
    hint = "let it have a version of PySpark that it knows; where it asks for a token, put it into the address"
    return WriteError.of(f"the cluster at `{shown(master)}` does not take this run: {_first_line(error)}", hint=hint)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _sent(do: Callable[..., Any]) -> bytes:
    """A function as it goes along with a request: packed, since what rules look up is in it."""
    return zlib.compress(packed(Sent(do, versions())), 1)


def _came(sent: bytes) -> Sent:
    came: Sent = loads(zlib.decompress(sent))
    return came


def _part(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row of each part that a server makes of its own accord: about as many as tasks that run at once."""
    for _ in batches:
        continue
    yield from _batches(0, [(0, b"")])


def _all(do: Callable[[int, T], Iterable[tuple[int, bytes]]], place: int, item: T) -> list[tuple[int, bytes]]:
    return list(do(place, item))


def _in_turn(do: Callable[..., R], *items: Any) -> R:
    """What it gives, once one of a few turns is free."""
    with TURNS:
        return do(*items)


def _batches(place: int, wholes: Iterable[tuple[int, bytes]]) -> Iterator[pa.RecordBatch]:
    """What goes to buckets from a place, in blocks, of which an empty whole has one."""
    blocks = (
        (bucket, begin + BLOCK >= len(whole), whole[begin : begin + BLOCK])
        for bucket, whole in wholes
        for begin in range(0, max(len(whole), 1), BLOCK)
    )
    rows = (Row(bucket, place, number, ends, block) for number, (bucket, ends, block) in enumerate(blocks))
    while some := list(islice(rows, AT_ONCE)):
        columns = zip(TYPES.values(), zip(*some, strict=True), strict=True)
        yield pa.record_batch([pa.array(values, of) for of, values in columns], names=[*TYPES])


def _by_bucket(batches: Iterable[pa.RecordBatch]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            found.setdefault(row[0], []).append(Row(*row))
    return found


def _wholes(rows: list[Row]) -> Iterator[bytes]:
    """What went to a bucket, in the order of its places: one after the other, and each is let go."""
    rows.sort(key=lambda row: (row.place, row.number), reverse=True)
    blocks = []
    while rows:
        row = rows.pop()
        blocks.append(row.block)
        if row.ends:
            yield b"".join(blocks)
            blocks.clear()


def _answers(frame: Any) -> list[Any]:
    """The answers, by item or bucket."""
    came = _by_bucket(frame.toArrow().to_batches())
    return opened([b"".join(_wholes(came[bucket])) for bucket in sorted(came)])
