"""The job `rhythm` in Polars, as one writes it without measuring: DATA FORMAT OUT.

One lazy plan: what the orders tell of each customer, who bought sand after bricks, both tables of RFM scores and the
deciles of each country; joined, labelled, and collected together with the seven files.
"""

import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl

from benchmarks.jobs.segments.polars_one_plan import score
from benchmarks.jobs.segments.polars_tuned import AS_OF, CHAMPIONS, CUSTOMERS, ORDERS, scan, write

QUARTERS = [date(2024, 7, 1), date(2024, 10, 1), date(2025, 1, 1), date(2025, 4, 1), AS_OF]


def per_customer(orders: pl.LazyFrame) -> pl.LazyFrame:
    day, amount, garden = pl.col("order_date"), pl.col("amount"), pl.col("category") == "garden"
    in_each = [((day > start) & (day <= end)).any() for start, end in pairwise(QUARTERS)]
    return orders.group_by("customer_id").agg(
        first=day.min(),
        last=day.max(),
        days=day.n_unique(),
        third=day.sort().get(2, null_on_oob=True),
        frequency=pl.len(),
        monetary=amount.sum(),
        every_quarter=pl.all_horizontal(in_each),
        garden_last=day.filter(garden).max(),
        garden_frequency=garden.sum(),
        garden_monetary=amount.filter(garden).sum(),
    )


def sand_after_bricks(orders: pl.LazyFrame) -> pl.LazyFrame:
    """The customers with an order of sand 1 to 30 days after one of bricks."""
    rows = orders.select("customer_id", "order_date", "product").sort("order_date")
    bricks = rows.filter(pl.col("product") == "bricks").select("customer_id", day=pl.col("order_date"))
    sand = rows.filter(pl.col("product") == "sand").select("customer_id", later="order_date")
    followed = bricks.join_asof(
        sand, left_on="day", right_on="later", by="customer_id",
        strategy="forward", allow_exact_matches=False, tolerance="30d", check_sortedness=False,
    )  # fmt: skip
    return followed.drop_nulls("later").select("customer_id").unique().with_columns(followed=True)


def memberships() -> dict[str, pl.Expr]:
    col = pl.col
    gap = (col("last") - col("first")).dt.total_days() / (col("days") - 1)
    silent = (AS_OF - col("last")).dt.total_days()
    rank, known = col("revenue").rank("min").over("country"), pl.len().over("country")
    return {
        "bricks-then-sand": col("followed"),
        "every-quarter": col("every_quarter"),
        "later-than-usual": (col("days") > 1) & (silent / gap >= 2),
        "third-order": col("third") >= date(2025, 4, 2),
        "best-of-the-country": (rank - 1) * 10 // known == 9,
        "champions": (col("r") * 100 + col("f") * 10 + col("m")).is_in(CHAMPIONS),
        "garden-champions": (col("gr") * 100 + col("gf") * 10 + col("gm")).is_in(CHAMPIONS),
    }


def main(data: Path, form: str, out: Path) -> None:
    customers = scan(data, "customers", form, CUSTOMERS)
    orders = scan(data, "orders", form, ORDERS).filter(pl.col("order_date") <= AS_OF)
    bought_garden = pl.col("garden_frequency") > 0
    labelled = (
        customers.join(per_customer(orders), on="customer_id", how="left", maintain_order="left")
        .join(sand_after_bricks(orders), on="customer_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(bought_garden).then(pl.col("garden_frequency", "garden_monetary")),
            revenue=pl.col("monetary").fill_null(0),
        )
        .with_columns(r=score("last"), f=score("frequency"), m=score("monetary"))
        .with_columns(gr=score("garden_last"), gf=score("garden_frequency"), gm=score("garden_monetary"))
        .with_columns(expr.alias(name) for name, expr in memberships().items())
    )
    write(labelled, list(memberships()), list(CUSTOMERS)[1:], out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
