"""The benchmark's customers and orders: made once, the same for the same sizes and seed."""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

VERSION = 1
"""Raise it when the same sizes and seed give other data, so that cached data is made again."""

MESSAGES_VERSION = 1
"""The same for what the job `gates` needs beside that."""

FIRST_DAY = date(2022, 7, 1)
DAYS = 1126  # to 2025-07-30: the last month lies after the job's `as_of`, 2025-07-01

COUNTRIES = ["FR", "DE", "ES", "IT", "BE", "NL", "PT", "CH", "AT", "PL"]
COUNTRY_SHARES = [0.34, 0.18, 0.12, 0.11, 0.07, 0.06, 0.04, 0.03, 0.03, 0.02]
COUNTRY_CENTRES = [
    (46.6, 2.4), (51.1, 10.4), (40.2, -3.7), (42.8, 12.1), (50.6, 4.7),
    (52.2, 5.3), (39.6, -8.0), (46.8, 8.2), (47.6, 14.1), (52.1, 19.4),
]  # fmt: skip

FIRST_NAMES = [
    "ada",
    "ben",
    "chloe",
    "david",
    "emma",
    "felix",
    "greta",
    "hugo",
    "ines",
    "jules",
    "lea",
    "marc",
]
LAST_NAMES = [
    "bernard",
    "costa",
    "dupont",
    "fischer",
    "garcia",
    "jansen",
    "leroy",
    "moreau",
    "rossi",
    "weber",
]

PRODUCTS = {
    "masonry": ["bricks", "sand", "cement", "gravel", "mortar"],
    "tools": ["hammer", "drill", "saw", "ladder", "screwdriver set"],
    "paint": ["wall paint", "wood stain", "primer", "brush", "roller"],
    "garden": ["lawn mower", "hose", "shovel", "hedge trimmer", "plant pot"],
    "lighting": ["ceiling lamp", "floor lamp", "led bulb", "spotlight", "cable"],
    "bathroom": ["tap", "shower head", "tiles", "mirror", "wash basin"],
}
PRICES_IN_CENTS = [
    7990, 1290, 1490, 1990, 990, 2490, 8990, 3490, 9990, 2990, 4490, 2790, 1990, 690, 890,
    24900, 2990, 2490, 11900, 1190, 5990, 7490, 790, 2990, 1490, 6990, 3490, 2790, 5490, 8990,
]  # fmt: skip


def ensure(directory: Path, customers: int, orders: int, seed: int) -> bool:
    """Make the data in `directory` unless it is there already; tell whether it was made."""
    stamp = directory / "data.json"
    wanted = {"version": VERSION, "customers": customers, "orders": orders, "seed": seed}
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return False
    directory.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    rng = np.random.default_rng(seed)
    started = _first_days(rng, customers)
    _write(_customers(rng, started), directory / "customers")
    _write(_orders(rng, started, orders), directory / "orders")
    stamp.write_text(json.dumps(wanted))  # last: data that was cut short is made again
    return True


def ensure_messages(directory: Path, customers: int, seed: int) -> bool:
    """Make what the job `gates` needs beside that: messages sent, and the addresses that want none."""
    stamp = directory / "messages.json"
    wanted = {"version": MESSAGES_VERSION, "customers": customers, "seed": seed}
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return False
    stamp.unlink(missing_ok=True)
    rng = np.random.default_rng([seed, 1])
    _write(_sends(rng, customers), directory / "sends")
    email = pl.scan_parquet(directory / "customers.parquet").select("email").collect()["email"]
    gone = email.gather(np.sort(rng.choice(customers, customers // 20, replace=False))).str.to_uppercase()
    gone.to_frame().write_csv(directory / "unsubscribed.csv")
    stamp.write_text(json.dumps(wanted))
    return True


def _sends(rng: np.random.Generator, customers: int) -> pl.LazyFrame:
    """One row a message of the last 30 days, two a customer on average, by day."""
    n = 2 * customers
    frame = pl.DataFrame(
        {
            "sent_on": np.sort(DAYS - 60 + rng.integers(0, 31, n)).astype(np.int16),
            "customer": (customers * rng.random(n) ** 2).astype(np.int32) + 1,
            "channel": rng.choice(3, n, p=[0.7, 0.2, 0.1]).astype(np.uint8),
        }
    )
    return frame.lazy().select(_day("sent_on"), _customer_id("customer"), _name("channel", ["email", "sms", "post"]))


def _first_days(rng: np.random.Generator, customers: int) -> np.ndarray[Any, Any]:
    """The day of each customer's start, as days after `FIRST_DAY`."""
    return (rng.beta(1.0, 1.4, customers) * (DAYS - 5)).astype(np.int16)


def _customers(rng: np.random.Generator, started: np.ndarray[Any, Any]) -> pl.LazyFrame:
    """One row a customer in the order of the ids, as a CRM exports them, with the usual gaps."""
    n = len(started)
    country = rng.choice(len(COUNTRIES), n, p=COUNTRY_SHARES).astype(np.uint8)
    centre = np.array(COUNTRY_CENTRES)[country]
    in_paris = (country == 0) & (rng.random(n) < 0.2)
    centre[in_paris] = (48.8566, 2.3522)
    spread = np.where(in_paris, 0.3, 1.6)
    frame = pl.DataFrame(
        {
            "number": np.arange(1, n + 1, dtype=np.int32),
            "age": np.clip(rng.normal(46, 16, n), 18, 95).astype(np.int16),
            "gender": rng.choice(3, n, p=[0.5, 0.46, 0.04]).astype(np.uint8),
            "country": country,
            "income": (rng.lognormal(10.55, 0.45, n) / 100).astype(np.int32) * 100,
            "latitude": (centre[:, 0] + rng.normal(0, spread)).round(5),
            "longitude": (centre[:, 1] + rng.normal(0, 1.3 * spread)).round(5),
            "signed_up": started - rng.geometric(0.03, n).astype(np.int16),
            "first_name": rng.integers(0, len(FIRST_NAMES), n, dtype=np.uint8),
            "last_name": rng.integers(0, len(LAST_NAMES), n, dtype=np.uint8),
            "email_opt_in": rng.random(n) < 0.62,
            "no_age": rng.random(n) < 0.04,
            "no_country": rng.random(n) < 0.01,
            "no_income": rng.random(n) < 0.12,
            "no_place": rng.random(n) < 0.03,
        }
    )
    first, last = _name("first_name", FIRST_NAMES), _name("last_name", LAST_NAMES)
    return frame.lazy().select(
        _customer_id("number"),
        _blank("age", "no_age"),
        _name("gender", ["F", "M", "X"]),
        _blank("country", "no_country", _name("country", COUNTRIES)),
        _blank("income", "no_income"),
        _blank("latitude", "no_place"),
        _blank("longitude", "no_place"),
        _day("signed_up"),
        pl.format("{}.{}{}@example.com", first, last, "number").alias("email"),
        "email_opt_in",
    )


def _orders(rng: np.random.Generator, started: np.ndarray[Any, Any], orders: int) -> pl.LazyFrame:
    """One row an order, by day as a shop's log: a few customers order often, many once or never."""
    n = len(started)
    left = DAYS - started
    stays = np.where(rng.random(n) < 0.45, left, left * rng.random(n))  # nearly half of them never leave
    activity = rng.gamma(0.7, 1.0, n) * (stays + 20)
    customer = np.repeat(np.arange(n, dtype=np.int32), rng.multinomial(orders, activity / activity.sum()))
    rng.shuffle(customer)
    day = (started[customer] + rng.random(orders, dtype=np.float32) * stays[customer]).astype(np.int16)
    in_time = np.argsort(day, kind="stable")
    names = [name for group in PRODUCTS.values() for name in group]
    popularity = 1 / (np.arange(len(names)) % 5 + 1.5)
    product = rng.choice(len(names), orders, p=popularity / popularity.sum()).astype(np.uint8)
    quantity = np.minimum(rng.geometric(0.55, orders), 12).astype(np.int16)
    price = np.array(PRICES_IN_CENTS, dtype=np.float32)[product]
    frame = pl.DataFrame(
        {
            "order_date": day[in_time],
            "customer": customer[in_time] + 1,
            "product": product,
            "quantity": quantity,
            "cents": (price * quantity * rng.uniform(0.8, 1.05, orders).astype(np.float32)).astype(np.int32),
        }
    )
    groups = [group for group, members in PRODUCTS.items() for _ in members]
    return frame.lazy().select(
        _day("order_date"),
        _customer_id("customer"),
        _name("product", names),
        pl.col("product").replace_strict(range(len(names)), groups, return_dtype=pl.String).alias("category"),
        "quantity",
        (pl.col("cents").cast(pl.Decimal(18, 2)) * pl.lit("0.01").cast(pl.Decimal(18, 2)))
        .cast(pl.Decimal(18, 2))
        .alias("amount"),
    )


def _customer_id(column: str) -> pl.Expr:
    return pl.format("C{}", pl.col(column).cast(pl.String).str.zfill(7)).alias("customer_id")


def _name(column: str, names: list[str]) -> pl.Expr:
    return pl.col(column).replace_strict(range(len(names)), names, return_dtype=pl.String)


def _day(column: str) -> pl.Expr:
    return (pl.lit(FIRST_DAY) + pl.duration(days=pl.col(column))).cast(pl.Date).alias(column)


def _blank(column: str, where: str, value: pl.Expr | None = None) -> pl.Expr:
    return pl.when(~pl.col(where)).then(pl.col(column) if value is None else value).alias(column)


def _write(rows: pl.LazyFrame, stem: Path) -> None:
    rows.sink_parquet(stem.with_suffix(".parquet"))
    pl.scan_parquet(stem.with_suffix(".parquet")).sink_csv(stem.with_suffix(".csv"))


def main() -> None:
    """Make the data in a process of its own (`measure.run` says why)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=main.__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("customers", type=int)
    parser.add_argument("orders", type=int)
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    made = ensure(args.directory, args.customers, args.orders, args.seed)
    if ensure_messages(args.directory, args.customers, args.seed) or made:
        free = shutil.disk_usage(args.directory).free / 1e9
        print(f"made the data in {args.directory} ({free:.0f} GB free)")


if __name__ == "__main__":
    main()
