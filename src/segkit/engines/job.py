"""What is done with each piece of a table, and with each bucket of customers: the same steps as where there is one."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import NamedTuple

import polars as pl

from segkit.columns.bucket import Bucket, State
from segkit.columns.features.steps import CutStep, Fitted
from segkit.columns.helpers import COUNT, KEY, LATEST, PADDED, PLACE, ROW, TIME
from segkit.columns.plan.plan import Plan
from segkit.engines.engine import Parcel
from segkit.engines.pieces import Piece, completed
from segkit.rules.tables import CUSTOMERS

COUNTS = "\x1fcounts"
"""The table of parcels that say how many rows of a piece there are, and are left out."""

_BLOCK = 2**40
"""The place of a row is that of its piece, times this, and the row in it."""


class PaddedPiece(Exception):
    """Keys of a piece of this table have to be trimmed, so that none of its rows is in the right bucket."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class Answer(NamedTuple):
    """What a bucket says: the cuts that it waits for, by their place in the plan, and what it has counted.

    `counted` has the counts of pieces of tables that came to it.
    """

    waiting: Sequence[int]
    state: State
    counted: Mapping[str, Sequence[pl.DataFrame]]


@dataclass(frozen=True)
class Job:
    """What every machine gets to know of a run.

    A bucket is computed in rounds, each from the files of the round before to files of its own. Whatever is written is
    put in place once it is whole. So a machine may do again what another one did before it was lost, or does just now.
    """

    plan: Plan
    travels: Mapping[str, Sequence[str]]
    """The columns of each table that go to the buckets; none of a table that is only counted."""
    buckets: int
    work: Path

    def split(self, piece: Piece) -> Iterator[Parcel]:
        """The rows of a piece that are kept, by bucket, and the counts of all."""
        columns, rows, is_customers = self.travels[piece.table], piece.rows(), piece.table == CUSTOMERS
        if is_customers:
            rows = rows.with_row_index(PLACE).with_columns(pl.col(PLACE).cast(pl.Int64) + piece.place * _BLOCK)
        view = self.plan.views[piece.table].over(rows)
        in_order = self._has_order(piece.table)
        order = [ROW] if in_order else []  # a lookup that is joined may change it
        found = view.rows(columns) if is_customers else view.rows([TIME, *order, *columns]).with_columns(_last_day())
        kept, counts = view.sort_out(found.collect(engine="streaming"))
        if counts[PADDED].item():
            raise PaddedPiece(piece.table)
        kept = kept.sort(ROW).drop(ROW) if in_order else kept
        yield Parcel(piece.place % self.buckets, COUNTS + piece.table, piece.place, sealed(counts))
        if columns:
            key = kept[self.plan.match if is_customers else KEY]
            rows_by_bucket = kept.drop(LATEST, strict=False).with_columns(_bucket_of(key, self.buckets))
            parts = rows_by_bucket.partition_by(COUNT, as_dict=True, include_key=False, maintain_order=True)
            for (bucket,), part in parts.items():
                yield Parcel(int(bucket), piece.table, piece.place, sealed(part))

    def gather(self, bucket: int, parcels: Iterable[Parcel]) -> Answer:
        """The columns of the customers of a bucket, up to the first cut."""
        rows: dict[str, list[tuple[int, pl.DataFrame]]] = {}
        for parcel in parcels:
            rows.setdefault(parcel.table, []).append((parcel.piece, opened(parcel.rows)))
        counted = {name: [frame for _, frame in rows.pop(COUNTS + name, ())] for name in self.travels}
        tables = {name: self._in_order(name, rows.pop(name, ())) for name in self._travelling}
        begun = Bucket(self._over(tables), counted=self.travels)
        answer = self._advance(bucket, 0, begun, {})
        for name in begun.tables_to_come:
            commit(tables[name], self._path_of_table(bucket, name))
        return answer._replace(counted=counted)

    def go_on(self, round: int, fitted: Mapping[int, Fitted], bucket: int) -> Answer:
        """The bucket from where it waited for cuts before this round, which have been found by now."""
        state: State = pickle.loads(self._path(bucket, f"{round - 1}.state").read_bytes())
        paths = {name: self._path_of_table(bucket, name) for name in self._travelling}
        plan = self._over({name: pl.read_ipc(path) for name, path in paths.items() if path.exists()})
        resumed = Bucket.resumed(plan, pl.scan_ipc(self.path_of(bucket, round - 1)), state, counted=self.travels)
        return self._advance(bucket, round, resumed, fitted)

    def by_place(self, round: int, bucket: int) -> Iterator[Parcel]:
        """The customers of a bucket after the last round, by the piece of their table that they come from."""
        rows = pl.read_ipc(self.path_of(bucket, round)).with_columns((pl.col(PLACE) // _BLOCK).alias(COUNT))
        for (place,), part in rows.partition_by(COUNT, as_dict=True, include_key=False, maintain_order=True).items():
            yield Parcel(int(place), CUSTOMERS, bucket, sealed(part))

    def in_order(self, round: int, place: int, parcels: Iterable[Parcel]) -> Path:
        """The customers of a piece of their table, as it has them, after the last round."""
        nothing = pl.DataFrame(schema=pl.read_ipc_schema(self.path_of(0, round)))
        rows = pl.concat([nothing, *(opened(parcel.rows) for parcel in parcels)])
        path = self.work / f"part{place}.arrow"
        commit(rows.sort(PLACE).drop(PLACE), path)
        return path

    def path_of(self, bucket: int, round: int) -> Path:
        """The columns that the customers of a bucket have after a round."""
        return self._path(bucket, f"{round}.arrow")

    def forget(self, round: int) -> None:
        """Remove what a round has left, once all buckets are through the next one."""
        for bucket in range(self.buckets):
            self.path_of(bucket, round).unlink()
            self._path(bucket, f"{round}.state").unlink()

    def _path_of_table(self, bucket: int, name: str) -> Path:
        return self._path(bucket, f"{name}.table.arrow")  # the name of a table may be a number, as that of a round is

    def _path(self, bucket: int, name: str) -> Path:
        return self.work / f"{bucket}.{name}"

    def _advance(self, number: int, round: int, bucket: Bucket, fitted: Mapping[int, Fitted]) -> Answer:
        steps = bucket.plan.steps
        cuts = {step: place for place, step in enumerate(steps) if isinstance(step, CutStep)}
        waiting = bucket.advance({cut: fitted[place] for cut, place in cuts.items() if place in fitted})
        commit(bucket.frame if waiting else bucket.final(), self.path_of(number, round))
        if waiting:
            put(bucket.state, self._path(number, f"{round}.state"))
        return Answer([cuts[cut] for cut in waiting], bucket.state, {})

    @property
    def _travelling(self) -> list[str]:
        return [name for name, columns in self.travels.items() if columns]

    def _over(self, tables: Mapping[str, pl.DataFrame]) -> Plan:
        """The plan over the rows of a bucket."""
        views = {}
        for name, rows in tables.items():
            view = self.plan.views[name]
            views[name] = view.of_kept(completed(rows.lazy(), view.frame.collect_schema()))
        return self.plan._replace(views={**self.plan.views, **views})

    def _in_order(self, table: str, parts: Iterable[tuple[int, pl.DataFrame]]) -> pl.DataFrame:
        """The rows of a table in a bucket, in the order of the table."""
        schema = self.plan.views[table].frame.collect_schema()
        names = dict.fromkeys([KEY, *self.travels[table]])
        nothing = pl.DataFrame(schema={name: schema[name] for name in names})
        rows = pl.concat([nothing, *(rows for _, rows in sorted(parts, key=lambda part: part[0]))])
        return rows.with_row_index(ROW) if self._has_order(table) else rows

    def _has_order(self, table: str) -> bool:
        """Whether it is an event table of which somebody asks which row came first."""
        return table != CUSTOMERS and ROW in self.plan.views[table].frame.collect_schema()


def _last_day() -> pl.Expr:
    return pl.col(TIME).alias(LATEST)


def _bucket_of(keys: pl.Series, buckets: int) -> pl.Series:
    import polars_hash  # only runs in buckets, and draws, need it

    hashed = keys.alias("key").to_frame().select(polars_hash.col("key").nchash.xxh3_64() % buckets)
    return hashed.to_series().alias(COUNT)


def sealed(frame: pl.DataFrame) -> bytes:
    """Rows as they travel."""
    out = io.BytesIO()
    frame.write_ipc(out, compression="lz4")
    return out.getvalue()


def opened(rows: bytes) -> pl.DataFrame:
    """Rows that have travelled."""
    return pl.read_ipc(io.BytesIO(rows))


def commit(frame: pl.DataFrame, path: Path) -> None:
    """Write rows so that whoever looks sees none or all: what runs twice, or dies, leaves no half file."""
    beside = _beside(path)
    frame.write_ipc(beside, compression="uncompressed")
    beside.replace(path)


def put(state: State, path: Path) -> None:
    """Write a state, in the same way."""
    beside = _beside(path)
    beside.write_bytes(pickle.dumps(state))
    beside.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.uname().nodename}.{os.getpid()}.{get_ident()}")
