"""The job `gates` in Polars, as an expert writes it by hand: DATA FORMAT OUT.

Features and criteria are those of the job `segments`. From there on, each gate is a Boolean column over the customers
(a bitmap, so `&` and counting are nearly free), and only the keys that are left are hashed or sorted.
"""

import json
import math
import sys
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
import polars_hash

from benchmarks.jobs.segments.polars_tuned import (
    AS_OF,
    CUSTOMERS,
    ORDERS,
    Types,
    features,
    memberships,
    scan,
    score,
)

REASONS = ("consent", "suppressed", "frequency_cap", "claimed", "sample", "limit", "holdout")
SENDS: Types = {"sent_on": pl.Date, "customer_id": pl.String, "channel": pl.String}
GATES: dict[str, dict[str, Any]] = {
    "champions": {"split": {"A": 50, "B": 50}, "salt": "summer"},
    "well-off": {"limit": {"by": "income", "per": "country", "count": 5000}, "holdout": 10},
    "near-paris": {"limit": {"by": "signed_up", "percent": 40}, "split": {"A": 33.4, "B": 33.3, "C": 33.3}},
    "frequent": {"sample": 50, "holdout": 10, "split": {"A": 50, "B": 50}},
    "bricks-no-sand": {"holdout": 5},
    "gardeners": {"limit": {"count": 5000}},
    "win-back": {"sample": 33.3},
    "french-women-no-drill": {},
}

col = pl.col


def sent(data: Path, form: str) -> pl.LazyFrame:
    """How many messages and e-mails each customer has had in the days of the caps."""
    day, channel = col("sent_on"), col("channel")
    sends: pl.LazyFrame = scan(data, "sends", form, SENDS)
    return (
        sends.filter(day.is_between(AS_OF - timedelta(days=7), AS_OF))
        .group_by("customer_id")
        .agg(messages=pl.len(), emails=((channel == "email") & (day >= AS_OF - timedelta(days=2))).sum())
    )


def unsubscribed(data: Path) -> pl.LazyFrame:
    """Who wants no e-mail."""
    return pl.scan_csv(data / "unsubscribed.csv").select(fold(col("email"))).unique()


def marks(gone: pl.DataFrame) -> dict[str, pl.Expr]:
    """Who may be written at all, and who is in which segment."""
    return {
        "consents": (col("email_opt_in") & col("email").is_not_null()).fill_null(False),
        "stopped": fold(col("email")).is_in(gone["email"].implode()).fill_null(False),
        "tired": ((col("messages") >= 4) | (col("emails") >= 2)).fill_null(False),
        **{name: holds.fill_null(False) for name, holds in memberships().items()},
    }


def people(data: Path, form: str) -> pl.DataFrame:
    """The customers in the file's order, marked."""
    table: pl.DataFrame = features(scan(data, "customers", form, CUSTOMERS), scan(data, "orders", form, ORDERS))
    right, gone = pl.collect_all([sent(data, form), unsubscribed(data)], engine="streaming")
    found = table.select("customer_id").join(right, on="customer_id", how="left", maintain_order="left")
    return (
        table.hstack(found.drop("customer_id"))
        .lazy()
        .with_columns(r=score(table["last"]), f=score(table["frequency"]), m=score(table["monetary"]))
        .with_columns(expr.alias(name) for name, expr in marks(gone).items())
        .collect()
    )


def fold(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase()


def uniform(keys: pl.Series, purpose: str, salt: str) -> pl.Series:
    text = polars_hash.concat_str(pl.lit(f"{purpose}\0{salt}\0"), polars_hash.col("customer_id"))
    return keys.to_frame().select(text.nchash.xxh3_64() % 1_000_000).to_series()


class Queue:
    """Who is left of a segment, and how many left it for which reason."""

    def __init__(self, table: pl.DataFrame, name: str) -> None:
        self.table, self.name, self.left = table, name, table[name]
        self.counts = {f"{name} {reason}": 0 for reason in REASONS}

    def out(self, reason: str, gone: pl.Series) -> pl.Series:
        gone = gone & self.left
        self.left = self.left & ~gone
        self.counts[f"{self.name} {reason}"] += int(gone.sum())
        return gone

    def rows(self, chosen: pl.Series) -> pl.Series:
        return pl.Series([False]).new_from_index(0, len(self.left)).scatter(chosen, True)

    def drawn(self, purpose: str, salt: str, percent: float) -> pl.Series:
        keys = self.table["customer_id"].filter(self.left)
        return self.rows(self.left.arg_true().filter(uniform(keys, purpose, salt) < percent * 10_000))

    def first(self, by: str | None = None, per: str | None = None, count: int = 0, percent: int = 0) -> pl.Series:
        order = ["customer_id"] if by is None else [by, "customer_id"]
        rows = self.table.lazy().select(*order, *([per] if per else [])).with_row_index().filter(self.left)
        rows = rows.sort(order, descending=[by is not None, False][-len(order) :], nulls_last=True)
        if per:
            best = rows.filter(pl.int_range(pl.len()).over(per) < count)
        else:
            best = rows.head(count or math.ceil(int(self.left.sum()) * percent / 100))
        return self.rows(best.select("index").collect()["index"])


def assign(table: pl.DataFrame) -> tuple[dict[str, pl.Series], dict[str, int], dict[str, pl.Series]]:
    """File -> its customers; counts; segment -> the variants of its customers."""
    files: dict[str, pl.Series] = {}
    counts: dict[str, int] = {}
    variants: dict[str, pl.Series] = {}
    claimed = pl.Series([False]).new_from_index(0, len(table))
    for name, gate in GATES.items():
        queue, salt = Queue(table, name), gate.get("salt", name)
        queue.out("consent", ~table["consents"])
        queue.out("suppressed", table["stopped"])
        queue.out("frequency_cap", table["tired"])
        queue.out("claimed", claimed)
        if "sample" in gate:
            queue.out("sample", ~queue.drawn("sample", salt, gate["sample"]))
        if "limit" in gate:
            queue.out("limit", ~queue.first(**gate["limit"]))
        if "holdout" in gate:
            held = files[f"{name}.holdout"] = queue.out("holdout", queue.drawn("holdout", salt, gate["holdout"]))
            claimed |= held
        claimed |= queue.left
        files[name] = queue.left
        if "split" in gate:
            variants[name] = split(table, queue.left, salt, gate["split"])
        counts |= {name: int(queue.left.sum()), **queue.counts}
    return files, counts, variants


def split(table: pl.DataFrame, written: pl.Series, salt: str, shares: dict[str, float]) -> pl.Series:
    u = uniform(table["customer_id"].filter(written), "split", salt)
    bounds = [round(bound * 10_000) for bound in accumulate(shares.values())][:-1]
    chosen = u.cut(bounds, labels=list(shares), left_closed=True).cast(pl.String)
    nobody = pl.Series([None], dtype=pl.String).new_from_index(0, len(table))
    return nobody.scatter(written.arg_true(), chosen)


def write(table: pl.DataFrame, out: Path) -> None:
    """Every file, and the counts to standard output."""
    files, counts, variants = assign(table)
    marked = table.with_columns(
        *(mask.alias(f"in {name}") for name, mask in files.items()),
        *(variant.alias(f"variant {name}") for name, variant in variants.items()),
    ).lazy()
    sinks = []
    for file in files:
        name = file.removesuffix(".holdout")
        variant = [] if name not in variants else [col(f"variant {name}").alias("variant")]
        rows = marked.filter(f"in {file}").select(
            "customer_id", pl.lit(name).alias("segment"), *variant, *list(CUSTOMERS)[1:]
        )
        sinks.append(rows.sink_csv(out / f"{file}.csv", lazy=True))
    pl.collect_all(sinks, engine="streaming")
    print(json.dumps(counts))


def main(data: Path, form: str, out: Path) -> None:
    write(people(data, form), out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
